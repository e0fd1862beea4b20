"""The parameters of simulated promoters: their defaults, units and bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from helpers.sources.parameters import check_chromosomes, check_number, checked_pair, from_known, require

FILES = (
    "genome.fa",
    "genome.fa.fai",
    "genes.gtf.gz",
    *(f"{name}.bam{index}" for name in ("cage", "dnase") for index in ("", ".bai")),
    "h3k4me3.bw",
    "motifs.bed.gz",
    "truth.tsv",
)
PROMOTER = 200  # bp upstream of a transcription start site (TSS)
SLOT_MINIMUM = 1600  # bp: promoters closer than this would share their reads
MOTIF_REACH_MAXIMUM = 200  # bp: promoters with this on both sides lie within the shortest slot
SLOTS_MINIMUM = 25  # slots in the shortest chromosome, so that some are free of unknown bases


def _default_chromosomes() -> dict[str, int]:
    return {"chr1": 700_000, "chr2": 500_000, "chr3": 500_000, "chr4": 500_000, "chrX": 900_000}


@dataclass(frozen=True)
class PromoterSimulation:
    """Genes whose expression follows from their chromatin and from motifs in their promoters, and how both are seen.

    A *slot* is a stretch of the genome that holds one gene, or two that share their chromatin. Of a gene, with a
    chromatin state c and a sequence effect s that both vary with standard deviation 1,

    - ln(expression) = `chromatin_effect` c + `sequence_effect` s + `expression_noise`;
    - ln(DNase) and ln(H3K4me3) = `open_spread` (c + `dnase_noise` or `h3k4me3_noise`);

    where noise is normal with that standard deviation, and c is correlated with s by `shared`.

    Raises
    ------
    InputError
        For a value of the wrong kind or out of bounds; it names the parameter.

    Examples
    --------
    >>> PromoterSimulation(chromosomes={"chrI": 60_000}, fragment_length=[80, 20]).fragment_length
    (80, 20)
    >>> PromoterSimulation(shared=2)
    Traceback (most recent call last):
        ...
    helpers.errors.InputError: simulation parameter shared must be a number from -1 to 1. Received: 2
    """

    # genome
    chromosomes: Mapping[str, int] = field(default_factory=_default_chromosomes)  # name: length in bp
    soft_masked: float = 0.35  # share of bases in lower case
    # genes
    slot: int = 2000  # bp
    divergent: float = 0.06  # share of slots with two genes back to back
    close: float = 0.04  # share of slots with two genes one behind the other
    other_genes: float = 0.1  # share of genes that do not code for proteins
    stray_gene: bool = False  # True: the annotation has a gene on a contig that the genome lacks
    # motifs
    motif_reach: int = 50  # bp on both sides of a promoter in which motifs act
    motif_share: float = 0.5  # how probable each kind of motif is at a promoter
    copies: int = 3  # motifs of each kind at a promoter that has it
    # expression
    chromatin_effect: float = 1.0
    sequence_effect: float = 0.7
    shared: float = 0.3
    expression_noise: float = 0.5
    # readings
    cage_reads: int = 160_000  # primary mapped alignments
    cage_spread: float = 8.0  # bp, standard deviation of 5' ends around the TSS
    dispersion: float = 0.1  # of a gene's CAGE count: its variance is mean + dispersion * mean^2
    dnase_pairs: int = 100_000  # proper pairs
    open_share: float = 0.7  # share of these in open chromatin
    open_spread: float = 0.8
    dnase_noise: float = 0.45
    h3k4me3_noise: float = 0.45
    fragment_length: tuple[int, int] = (100, 30)  # bp, mean and standard deviation
    signal_gaps: float = 0.01  # share of the bigWig without data, unknown bases apart

    def __post_init__(self) -> None:
        """Check every value; pairs may come as lists (from JSON or YAML)."""
        require(isinstance(self.stray_gene, bool), "stray_gene", "true or false", self.stray_gene)
        for name, (kind, low, high) in _BOUNDS.items():
            check_number(name, getattr(self, name), kind, low, high)
        lengths = checked_pair("fragment_length", self.fragment_length, int, 1, 1000)
        object.__setattr__(self, "fragment_length", lengths)
        check_chromosomes(self.chromosomes, SLOTS_MINIMUM * self.slot)
        taken = self.divergent + self.close
        require(taken <= 0.9, "divergent and close", "at most 0.9 together", round(taken, 3))

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> "PromoterSimulation":
        """Make a simulation from names and values, as a config or a JSON object holds them.

        Raises
        ------
        InputError
            For a name that is no parameter (it lists those that are), or a value out of bounds.
        """
        return from_known(cls, parameters)


_BOUNDS: dict[str, tuple[type, float, float]] = {
    "soft_masked": (float, 0, 0.99),
    "slot": (int, SLOT_MINIMUM, 100_000),
    **dict.fromkeys(("divergent", "close", "other_genes", "motif_share", "open_share"), (float, 0, 1)),
    "motif_reach": (int, 0, MOTIF_REACH_MAXIMUM),
    "copies": (int, 1, 3),
    **dict.fromkeys(("chromatin_effect", "sequence_effect", "expression_noise"), (float, 0, 5)),
    "shared": (float, -1, 1),
    "cage_reads": (int, 100, 1_000_000_000),
    "cage_spread": (float, 0, 50),
    "dispersion": (float, 0, 10),
    "dnase_pairs": (int, 100, 1_000_000_000),
    **dict.fromkeys(("open_spread", "dnase_noise", "h3k4me3_noise"), (float, 0, 5)),
    "signal_gaps": (float, 0, 0.9),
}
