"""A simulated genome with planted binding sites, decoys and open regions.

The genome is one flat array of base codes, contig after contig. Each contig begins and ends with a run of unknown
bases, so that nothing planted or sequenced crosses from one contig into the next.

A motif reads pair, pair, TGAC, pair, pair. In true sites each pair is AC or GT; in decoys one of the four pairs is
AT or GC instead. So both have the same bases, equally often, at each single position: the first base of a pair is
A or G, the second C or T. Only a model that sees neighbouring bases together tells them apart with one filter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.sources.simulation import EXPERIMENTS, MOTIF_LENGTH, Simulation

LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)
UNKNOWN = 4
SITE_KINDS = ("bound", "closed_site", "open_decoy", "closed_decoy")  # kinds of elements that hold motifs
OPEN_KINDS = ("bound", "open_decoy", "open_region")  # kinds of elements in open chromatin
BROKEN_PAIRS = 1  # pairs that are AT or GC in each motif of a decoy
COPY_DISTANCE = 30  # bp from one motif of an element to the next
OPEN_WIDTH, ARTEFACT_WIDTH = 200, 500  # bp, as elements are listed
SOFT_MASKED_MEAN = 300  # bp, mean length of a soft-masked stretch
_CORE = np.array([3, 2, 0, 1], dtype=np.uint8)  # TGAC
CORE_COLUMNS = slice(4, 8)
PAIR_COLUMNS = np.array([0, 2, 8, 10])  # where a pair starts in the motif
_PURINES, _PYRIMIDINES = np.array([0, 2], np.uint8), np.array([1, 3], np.uint8)
# P(next base | base) as in the human genome: GC near 41 %, few CpG. Rows and columns A, C, G, T.
_TRANSITIONS = np.array(
    [[0.33, 0.17, 0.24, 0.26], [0.35, 0.26, 0.05, 0.34], [0.29, 0.21, 0.26, 0.24], [0.22, 0.20, 0.25, 0.33]]
)


@dataclass(frozen=True)
class Genome:
    """A genome in one flat array.

    Attributes
    ----------
    sizes : mapping of str to int
        Contig lengths in bp, in the order in which they lie in `codes`.
    codes : numpy.ndarray of uint8, shape (bases,)
        0..3 for A, C, G, T; 4 for an unknown base.
    soft : numpy.ndarray of bool, shape (bases,)
        True where the base is written in lower case.
    """

    sizes: Mapping[str, int]
    codes: np.ndarray
    soft: np.ndarray

    @property
    def offsets(self) -> np.ndarray:
        """Where each contig starts in `codes`, and at last the number of bases; int64, shape (contigs + 1,)."""
        return np.concatenate([[0], np.cumsum(list(self.sizes.values()))])

    def letters(self) -> np.ndarray:
        """Write the genome as letters A, C, G, T, N, all upper case; uint8, shape (bases,)."""
        return LETTERS[self.codes]


def simulate_genome(parameters: Simulation, rng: np.random.Generator) -> tuple[Genome, pd.DataFrame, pd.DataFrame]:
    """Draw a genome and plant the elements.

    Parameters
    ----------
    parameters : Simulation
    rng : numpy.random.Generator

    Returns
    -------
    Genome
    elements : pandas.DataFrame
        One row for each planted element in the order of the genome: `kind`; `contig` (number); `start`, `end`, `centre`
        (positions in `Genome.codes`); `strength` of open chromatin, 1 in the middle of the distribution.
    motifs : pandas.DataFrame
        One row for each planted motif in the order of the genome: `kind` of its element, `contig`, `start`, `end` and
        `strand` ('+' or '-'). Nowhere else in the genome, on either strand, stands the core between such pairs.
    """
    sizes = dict(parameters.chromosomes)
    unknown = [draw_unknown(length, rng) for length in sizes.values()]
    elements = pd.concat([_lay_out_elements(contig, parameters, rng) for contig in unknown], keys=range(len(sizes)))
    elements = elements.reset_index(level=0, names="contig").reset_index(drop=True)
    everywhere = np.concatenate(unknown)
    codes = np.where(everywhere, np.uint8(UNKNOWN), draw_bases(everywhere.size, rng))
    soft = draw_stretches(codes.size, parameters.soft_masked, rng) & ~everywhere
    genome = Genome(sizes, codes, soft)
    elements[["start", "end", "centre"]] += genome.offsets[elements["contig"], None]
    motifs = _lay_out_motifs(elements[elements["kind"].isin(SITE_KINDS)], parameters.copies, rng)
    _plant_motifs(codes, motifs, parameters.dependence, rng)
    _remove_natural_motifs(codes, motifs["start"].to_numpy(), rng)
    return genome, elements, motifs


def draw_unknown(length: int, rng: np.random.Generator) -> np.ndarray:
    """Mark a contig's ends (0.5 % each), its middle (1 %) and three short runs elsewhere; bool, shape (length,)."""
    unknown = np.zeros(length, bool)
    edge = max(100, length // 200)
    unknown[:edge] = unknown[-edge:] = True
    unknown[length // 2 : length // 2 + length // 100] = True
    for start in rng.integers(0, length, 3):
        unknown[start : start + rng.integers(20, 500)] = True
    return unknown


def draw_bases(length: int, rng: np.random.Generator, chain: int = 1000) -> np.ndarray:
    """Draw a first-order Markov sequence as parallel chains of `chain` bases, joined end to end."""
    chains = -(-length // chain)
    thresholds = np.cumsum(_TRANSITIONS, axis=1)[:, :3]
    codes = np.empty((chain, chains), np.uint8)
    codes[0] = rng.choice(4, chains, p=[0.295, 0.205, 0.205, 0.295])
    for step in range(1, chain):
        codes[step] = (rng.random(chains)[:, None] >= thresholds[codes[step - 1]]).sum(axis=1)
    return np.ascontiguousarray(codes.T).ravel()[:length]


def draw_stretches(length: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Mark about this share of positions, in stretches of exponential length; bool, shape (length,)."""
    count = round(-np.log1p(-share) * length / SOFT_MASKED_MEAN)
    starts = rng.integers(0, length, count)
    ends = np.minimum(starts + rng.exponential(SOFT_MASKED_MEAN, count).astype(np.int64), length)
    depth = np.cumsum(np.bincount(starts, minlength=length + 1) - np.bincount(ends, minlength=length + 1))
    return depth[:length] > 0


def _lay_out_elements(unknown: np.ndarray, parameters: Simulation, rng: np.random.Generator) -> pd.DataFrame:
    """Give each slot of a contig that is free of unknown bases a kind of element, or none."""
    slot = parameters.slot
    starts = np.arange(0, unknown.size - slot, slot)
    starts = starts[~np.logical_or.reduceat(unknown, starts)]  # the last slot reaches to the end, so it drops out
    kinds = _draw_kinds(len(starts), parameters, rng)
    centres = starts + slot // 2 + rng.integers(-slot // 8, slot // 8 + 1, len(starts))
    half = np.where(kinds == "artefact", ARTEFACT_WIDTH // 2, OPEN_WIDTH // 2)
    strength = np.exp(rng.normal(0, parameters.open_spread, len(kinds)))
    columns = {"kind": kinds, "start": centres - half, "end": centres + half, "centre": centres, "strength": strength}
    return pd.DataFrame(columns)[kinds != "empty"]


def _lay_out_motifs(elements: pd.DataFrame, copies: int, rng: np.random.Generator) -> pd.DataFrame:
    """Give each element its motifs, around the centre, each on a strand of its own."""
    copy = np.tile(np.arange(copies), len(elements))
    motifs = elements.loc[elements.index.repeat(copies), ["kind", "contig", "centre"]].reset_index(drop=True)
    shift = np.round((copy - (copies - 1) / 2) * COPY_DISTANCE).astype(np.int64) + rng.integers(-5, 6, len(copy))
    start = motifs.pop("centre") + shift - MOTIF_LENGTH // 2
    return motifs.assign(start=start, end=start + MOTIF_LENGTH, strand=rng.choice(["+", "-"], len(motifs)))


def _draw_kinds(slots: int, parameters: Simulation, rng: np.random.Generator) -> np.ndarray:
    """Draw a kind for each slot: one bound site in every `bound_every` bp, the others at random in the rest."""
    kinds = np.full(slots, "empty", dtype=object)
    block = max(1, round(parameters.bound_every / parameters.slot))
    for first in range(0, slots, block):
        kinds[rng.integers(first, min(first + block, slots))] = "bound"
    free = rng.permutation(np.flatnonzero(kinds == "empty"))
    shares = {
        "closed_site": parameters.closed_sites,
        "open_decoy": parameters.open_decoys,
        "closed_decoy": parameters.closed_decoys,
        "open_region": parameters.open_regions,
        **{f"{name}_only": parameters.one_sided for name in EXPERIMENTS},
    }
    counts = {kind: int(np.ceil(share * slots)) for kind, share in shares.items()} | {"artefact": parameters.artefacts}
    drawn = np.repeat(list(counts), list(counts.values()))[: len(free)]
    kinds[free[: len(drawn)]] = drawn
    return kinds


def _draw_motifs(decoy: np.ndarray, dependence: bool, rng: np.random.Generator) -> np.ndarray:
    """Draw a motif, as on its own strand, for each entry of `decoy`; uint8 codes, shape (motifs, MOTIF_LENGTH)."""
    count, pairs = len(decoy), len(PAIR_COLUMNS)
    broken = (np.argsort(rng.random((count, pairs)), axis=1) < BROKEN_PAIRS) & decoy[:, None]
    first, second = rng.integers(0, 2, (2, count, pairs))
    if dependence:
        second = first ^ broken
    motifs = np.empty((count, MOTIF_LENGTH), np.uint8)
    motifs[:, CORE_COLUMNS] = _CORE
    motifs[:, PAIR_COLUMNS] = _PURINES[first]
    motifs[:, PAIR_COLUMNS + 1] = _PYRIMIDINES[second]
    return motifs


def _plant_motifs(codes: np.ndarray, motifs: pd.DataFrame, dependence: bool, rng: np.random.Generator) -> None:
    decoy = motifs["kind"].str.endswith("decoy").to_numpy(dtype=bool)
    bases = _draw_motifs(decoy, dependence, rng)
    reverse = (motifs["strand"] == "-").to_numpy()
    bases[reverse] = 3 - bases[reverse, ::-1]
    codes[motifs["start"].to_numpy()[:, None] + np.arange(MOTIF_LENGTH)] = bases


def motif_probabilities() -> np.ndarray:
    """Give the probability of A, C, G, T at each position of a motif, shape (MOTIF_LENGTH, 4); the same in decoys."""
    probabilities = np.zeros((MOTIF_LENGTH, UNKNOWN))
    probabilities[np.arange(MOTIF_LENGTH)[CORE_COLUMNS], _CORE] = 1
    for column in PAIR_COLUMNS:
        probabilities[column, _PURINES] = probabilities[column + 1, _PYRIMIDINES] = 1 / 2
    return probabilities


def find_motifs(codes: np.ndarray) -> np.ndarray:
    """Find where the core stands between purine-pyrimidine pairs, on either strand.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (bases,)
        0..3 for A, C, G, T; 4 for an unknown base, which never matches.

    Returns
    -------
    numpy.ndarray of int64, shape (matches,)
        First position of each match, ascending.

    Examples
    --------
    >>> find_motifs(np.array([0, 0, 1, 0, 1, 3, 2, 0, 1, 0, 1, 0, 1], dtype=np.uint8))  # A ACAC TGAC ACAC
    array([1])
    """
    allowed = np.zeros((MOTIF_LENGTH, UNKNOWN + 1), bool)
    for column in PAIR_COLUMNS:
        allowed[column, _PURINES] = allowed[column + 1, _PYRIMIDINES] = True
    allowed[np.arange(MOTIF_LENGTH)[CORE_COLUMNS], _CORE] = True
    reverse = allowed.copy()
    reverse[:, :UNKNOWN] = allowed[::-1, UNKNOWN - 1 :: -1]
    positions = codes.size - MOTIF_LENGTH + 1
    matches = [np.ones(max(positions, 0), bool) for _ in range(2)]
    for column in range(MOTIF_LENGTH) if positions > 0 else ():
        for match, table in zip(matches, (allowed, reverse), strict=True):
            match &= table[column][codes[column : column + positions]]
    return np.flatnonzero(matches[0] | matches[1])


def _remove_natural_motifs(codes: np.ndarray, planted: np.ndarray, rng: np.random.Generator) -> None:
    """Change one base of the core of each match that was not planted, until none is left."""
    protected = np.zeros(codes.size, bool)
    protected[planted[:, None] + np.arange(MOTIF_LENGTH)] = True
    while (natural := np.setdiff1d(find_motifs(codes), planted)).size:
        core = natural[:, None] + np.arange(MOTIF_LENGTH)[CORE_COLUMNS]
        change = core[np.arange(len(core)), np.argmin(protected[core], axis=1)]
        codes[change] = (codes[change] + rng.integers(1, 4, change.size)) % 4
