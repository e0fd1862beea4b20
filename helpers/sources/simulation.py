"""The parameters of a simulated data set: their defaults, units and bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from helpers.sources.parameters import check_chromosomes, check_number, checked_pair, from_known, require

EXPERIMENTS = ("dnase_roadmap", "dnase_encode")
FILES = (
    "genome.fa",
    "genome.fa.fai",
    "jund_peaks.narrowPeak.gz",
    *(f"{name}.bam{index}" for name in EXPERIMENTS for index in ("", ".bai")),
    "blacklist.bed.gz",
    "jund_motif.meme",
    "truth.tsv",
    "jund_motifs.bed.gz",
    "snvs.vcf.gz",
    "snvs.vcf.gz.tbi",
)
MOTIF_LENGTH = 12  # bp: two pairs of bases, the core TGAC, two pairs of bases
SLOT_MINIMUM = 500  # bp: elements closer than this would run into each other
SLOTS_MINIMUM = 25  # slots in the shortest chromosome, so that some are free of unknown bases


def _default_chromosomes() -> dict[str, int]:
    return {"chr1": 1_100_000, "chr2": 720_000, "chr3": 1_200_000, "chr4": 750_000, "chr5": 650_000, "chr6": 580_000}


@dataclass(frozen=True)
class Simulation:
    """What is planted in the genome, and how two DNase experiments see it.

    A *slot* is a stretch of the genome that holds at most one planted element; shares of slots hold in each chromosome.
    Pairs of values are for the two experiments, in the order of `EXPERIMENTS`, but for `peak_width`.

    Raises
    ------
    InputError
        For a value of the wrong kind or out of bounds; it names the parameter.

    Examples
    --------
    >>> Simulation(chromosomes={"chrI": 60_000}, reads=(2000, 1000)).reads
    (2000, 1000)
    >>> Simulation(soft_masked=3)
    Traceback (most recent call last):
        ...
    helpers.errors.InputError: simulation parameter soft_masked must be a number from 0 to 0.99. Received: 3
    """

    # genome
    chromosomes: Mapping[str, int] = field(default_factory=_default_chromosomes)  # name: length in bp
    soft_masked: float = 0.35  # share of bases in lower case
    # planted elements
    dependence: bool = True  # False: the two bases of a pair are drawn independently, in sites and in decoys alike
    copies: int = 2  # motifs in each site and each decoy
    slot: int = 800  # bp
    bound_every: int = 8_000  # bp of usable sequence for each bound site (true site, open chromatin, peak)
    closed_sites: float = 0.05  # share of slots with a true site in closed chromatin
    open_decoys: float = 0.1  # share of slots with a decoy in open chromatin
    closed_decoys: float = 0.2  # share of slots with a decoy in closed chromatin
    open_regions: float = 0.06  # share of slots with open chromatin and neither site nor decoy
    one_sided: float = 0.05  # share of slots, for each experiment, that look open in this experiment alone
    artefacts: int = 2  # blacklisted pile-ups of reads in each chromosome
    peak_width: tuple[int, int] = (200, 400)  # bp, smallest and largest
    variants: int = 400  # SNVs at bound sites at most: half of them break a motif, half lie beside motifs
    # DNase experiments
    reads: tuple[int, int] = (600_000, 100_000)  # primary mapped alignments
    open_share: tuple[float, float] = (0.4, 0.45)  # share of these in open chromatin
    cut_offset: tuple[float, float] = (40.0, 50.0)  # bp from the centre of an open region to where a strand's cuts peak
    cut_bias: tuple[float, float] = (0.3, 0.6)  # largest change of the log cut rate by the two bases at the cut
    open_width: float = 70.0  # bp, standard deviation of one strand's cuts in an open region
    open_spread: float = 0.5  # standard deviation of the log strength of open regions, common to both experiments

    def __post_init__(self) -> None:
        """Check every value; pairs may come as lists (from JSON or YAML)."""
        require(isinstance(self.dependence, bool), "dependence", "true or false", self.dependence)
        for name, (kind, low, high) in _BOUNDS.items():
            check_number(name, getattr(self, name), kind, low, high)
        for name, (kind, low, high) in _PAIR_BOUNDS.items():
            object.__setattr__(self, name, checked_pair(name, getattr(self, name), kind, low, high))
        check_chromosomes(self.chromosomes, SLOTS_MINIMUM * self.slot)
        narrowest, widest = self.peak_width
        require(narrowest <= widest, "peak_width", "(smallest, largest)", self.peak_width)
        require(self.bound_every >= self.slot, "bound_every", f"at least one slot ({self.slot} bp)", self.bound_every)
        taken = self.slot / self.bound_every + 2 * self.one_sided + sum(getattr(self, name) for name in _SHARES)
        shares = f"{', '.join(_SHARES)}, 2 one_sided and slot / bound_every"
        require(taken <= 0.9, shares, "at most 0.9 together", round(taken, 3))

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> "Simulation":
        """Make a simulation from names and values, as a config or a JSON object holds them.

        Raises
        ------
        InputError
            For a name that is no parameter (it lists those that are), or a value out of bounds.
        """
        return from_known(cls, parameters)


_SHARES = ("closed_sites", "open_decoys", "closed_decoys", "open_regions")
_BOUNDS: dict[str, tuple[type, float, float]] = {
    "soft_masked": (float, 0, 0.99),
    "copies": (int, 1, 5),
    "slot": (int, SLOT_MINIMUM, 100_000),
    "bound_every": (int, SLOT_MINIMUM, 10_000_000),
    **dict.fromkeys((*_SHARES, "one_sided"), (float, 0, 1)),
    "artefacts": (int, 0, 1000),
    "variants": (int, 2, 100_000),
    "open_width": (float, 1, 500),
    "open_spread": (float, 0, 5),
}
_PAIR_BOUNDS: dict[str, tuple[type, float, float]] = {
    "peak_width": (int, 200, SLOT_MINIMUM),
    "reads": (int, 100, 1_000_000_000),
    "open_share": (float, 0, 0.9),
    "cut_offset": (float, 0, 500),
    "cut_bias": (float, 0, 5),
}
