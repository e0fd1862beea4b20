"""The parameters of simulated chromatin profiles: their defaults, units and bounds, and the features they make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from helpers.sources.parameters import check_chromosomes, check_number, checked_pair, from_known, require

BIN = 200  # bp
MOTIFS_MAXIMUM = 18  # motifs that are told apart by their cores
SLOTS_MINIMUM = 25  # slots in the shortest chromosome, so that some are free of unknown bases


class Feature(NamedTuple):
    """A feature: what its peaks follow from.

    Attributes
    ----------
    name : str
    kind : {'TF', 'DNase', 'Histone'}
        Its class.
    group : str
        dependent, when it takes the dependence between neighbouring bases to see it; else independent; '' for Histone.
    motifs : tuple of str
        The features whose sites it needs: for TF and Histone its own, for DNase two factors'.
    """

    name: str
    kind: str
    group: str
    motifs: tuple[str, ...]


def _default_chromosomes() -> dict[str, int]:
    long = {"chr1": 800_000, "chr2": 800_000, "chr3": 700_000, "chr4": 700_000, "chr5": 700_000, "chr7": 600_000}
    return {**long, "chr8": 300_000, "chr9": 300_000}


@dataclass(frozen=True)
class ChromatinSimulation:
    """What is planted in the genome, and the peaks that follow.

    A *slot* is a stretch of the genome that holds an element, an anchor, or nothing; shares of slots hold in each
    chromosome. An *element* holds words of several factors, each a site or a decoy; an *anchor* holds copies of the
    word of one histone mark. Both lie around the centre of a bin.

    Raises
    ------
    InputError
        For a value of the wrong kind or out of bounds; it names the parameter.

    Examples
    --------
    >>> [feature.name for feature in ChromatinSimulation(dependent=1, independent=3, dnase=1, histone=1).features]
    ['TF_D1', 'TF_I1', 'TF_I2', 'TF_I3', 'DNase_1', 'Histone_1']
    >>> ChromatinSimulation(missed=2)
    Traceback (most recent call last):
        ...
    helpers.errors.InputError: simulation parameter missed must be a number from 0 to 0.5. Received: 2
    """

    # genome
    chromosomes: Mapping[str, int] = field(default_factory=_default_chromosomes)  # name: length in bp
    soft_masked: float = 0.35  # share of bases in lower case
    # features
    dependent: int = 6  # factors whose sites and decoys differ only in which bases stand side by side
    independent: int = 6  # factors without decoys, whose sites are seen base by base
    dnase: int = 6  # open where two factors' sites stand in one element
    histone: int = 6  # marks of a domain around an anchor
    # planted elements
    slot: int = 600  # bp, a multiple of the bin
    elements: float = 0.7  # share of slots with an element
    anchors: float = 0.18  # share of slots with an anchor
    spots: int = 4  # words in each element, of different factors
    sites: float = 0.6  # share of the words of dependent factors that are sites, not decoys
    paired: float = 0.5  # share of elements in which the two sites of a DNase feature are planted
    copies: int = 3  # words in each anchor
    jitter: int = 5  # bp, largest distance between the centres of an element and of its bin
    # peaks
    peak_width: tuple[int, int] = (180, 240)  # bp, smallest and largest, of TF and DNase
    domain_width: tuple[int, int] = (900, 1100)  # bp, smallest and largest, of Histone
    missed: float = 0.05  # share of the peaks that are not reported
    spurious: float = 0.05  # peaks without a cause, as a share of those with one

    def __post_init__(self) -> None:
        """Check every value; pairs may come as lists (from JSON or YAML)."""
        for name, (kind, low, high) in _BOUNDS.items():
            check_number(name, getattr(self, name), kind, low, high)
        for name, (kind, low, high) in _PAIR_BOUNDS.items():
            pair = checked_pair(name, getattr(self, name), kind, low, high)
            require(pair[0] <= pair[1], name, "(smallest, largest)", pair)
            object.__setattr__(self, name, pair)
        require(self.slot % BIN == 0, "slot", f"a multiple of {BIN} bp", self.slot)
        check_chromosomes(self.chromosomes, SLOTS_MINIMUM * self.slot)
        factors = self.dependent + self.independent
        least = max(self.spots, 2)
        require(factors >= least, "dependent + independent", f"at least {least}, the factors of an element", factors)
        motifs = factors + self.histone
        require(motifs <= MOTIFS_MAXIMUM, "dependent + independent + histone", f"at most {MOTIFS_MAXIMUM}", motifs)
        taken = round(self.elements + self.anchors, 3)
        require(taken <= 1, "elements + anchors", "at most 1", taken)

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> "ChromatinSimulation":
        """Make a simulation from names and values, as a config or a JSON object holds them.

        Raises
        ------
        InputError
            For a name that is no parameter (it lists those that are), or a value out of bounds.
        """
        return from_known(cls, parameters)

    @property
    def features(self) -> list[Feature]:
        """The features, in the order of their classes; DNase takes pairs of factors that depend and do not, in turn."""
        dependent = [f"TF_D{number}" for number in range(1, self.dependent + 1)]
        independent = [f"TF_I{number}" for number in range(1, self.independent + 1)]
        marks = [f"Histone_{number}" for number in range(1, self.histone + 1)]
        return [
            *(Feature(name, "TF", "dependent", (name,)) for name in dependent),
            *(Feature(name, "TF", "independent", (name,)) for name in independent),
            *(_dnase(number, dependent, independent) for number in range(self.dnase)),
            *(Feature(name, "Histone", "", (name,)) for name in marks),
        ]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are written."""
        peaks = (f"{feature.name}.narrowPeak.gz" for feature in self.features)
        return ("genome.fa", "genome.fa.fai", "bins.bed.gz", *peaks, "truth.tsv", "motifs.meme")


def files(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the files that a simulation with these parameters writes.

    Raises
    ------
    InputError
        As `ChromatinSimulation.from_dict`.

    Examples
    --------
    >>> files({"dependent": 1, "independent": 3, "dnase": 0, "histone": 0})[2:5]
    ('bins.bed.gz', 'TF_D1.narrowPeak.gz', 'TF_I1.narrowPeak.gz')
    """
    return ChromatinSimulation.from_dict(parameters).files


def _dnase(number: int, dependent: list[str], independent: list[str]) -> Feature:
    """Pair two factors: of both groups for even numbers, else of the independent ones where there are two."""
    mixed = dependent and independent and (number % 2 == 0 or len(independent) < 2)
    pool = independent or dependent
    first = dependent[number // 2 % len(dependent)] if mixed else pool[number % len(pool)]
    second = independent[number % len(independent)] if mixed else pool[(number + 1) % len(pool)]
    group = "dependent" if first in dependent else "independent"
    return Feature(f"DNase_{number + 1}", "DNase", group, (first, second))


_SHARES = ("elements", "anchors", "sites", "paired")
_BOUNDS: dict[str, tuple[type, float, float]] = {
    "soft_masked": (float, 0, 0.99),
    **dict.fromkeys(("dependent", "independent", "dnase", "histone"), (int, 0, MOTIFS_MAXIMUM)),
    "slot": (int, 3 * BIN, 100_000),
    **dict.fromkeys(_SHARES, (float, 0, 1)),
    "spots": (int, 2, 5),
    "copies": (int, 1, 5),
    "jitter": (int, 0, 30),
    **dict.fromkeys(("missed", "spurious"), (float, 0, 0.5)),
}
_PAIR_BOUNDS: dict[str, tuple[type, float, float]] = {
    "peak_width": (int, 20, 2000),
    "domain_width": (int, 20, 10_000),
}
