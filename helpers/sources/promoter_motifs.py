"""Motifs of simulated promoters: drawn, planted, and found again.

A motif is a row of pairs of bases; at each place several pairs may be allowed. Activators and decoys share a core and
have the same bases, equally often, at each single position: around the core an activator has the pairs AC or GT, a
decoy AT or GC. Only a model that sees neighbouring bases together tells them apart. The booster and the repressor are
plain words.
"""

import itertools

import numpy as np
import pandas as pd

_ACTIVE, _BROKEN = ("AC", "GT"), ("AT", "GC")
_CORE = (("TG",), ("AC",))
MOTIFS = {
    "activator": (_ACTIVE, _ACTIVE, *_CORE, _ACTIVE, _ACTIVE),
    "decoy": (_BROKEN, _BROKEN, *_CORE, _BROKEN, _BROKEN),
    "booster": tuple((pair,) for pair in ("AG", "CC", "AA", "TC", "AG", "CG")),
    "repressor": tuple((pair,) for pair in ("TT", "CA", "GC", "AC", "CA", "TG")),
}
EFFECTS = {"activator": 1.0, "decoy": 0.0, "booster": 1.5, "repressor": -1.0}  # of each motif on the sequence effect
LENGTH = 12  # bp
STEP = 20  # bp: motifs are planted on a grid, one in each step at most
_LETTERS = "ACGT"
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def draw_kinds(genes: int, share: float, copies: int, rng: np.random.Generator) -> list[list[str]]:
    """Draw for each gene the kinds of its motifs; one with the core is an activator or a decoy.

    Parameters
    ----------
    genes : int
    share : float
        How probable the core, the booster and the repressor each are.
    copies : int
        Motifs of each kind that a gene has.
    rng : numpy.random.Generator
    """
    present = rng.random((genes, 3)) < share
    core = rng.choice(["activator", "decoy"], genes)
    rows = zip(core.tolist(), present.tolist(), strict=True)
    return [
        [kind for kind, there in zip((first, "booster", "repressor"), row, strict=True) if there for _ in range(copies)]
        for first, row in rows
    ]


def plant_motifs(
    codes: np.ndarray, starts: np.ndarray, ends: np.ndarray, kinds: list[list[str]], rng: np.random.Generator
) -> None:
    """Write motifs into the genome, each on a strand of its own, in free steps of a grid.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (bases,)
        Changed in place.
    starts, ends : numpy.ndarray of int, shape (genes,)
        Where each gene's motifs may lie.
    kinds : list of list of str
        Of `draw_kinds`; where there is no room for all, the rest is left out.
    rng : numpy.random.Generator
    """
    taken: set[int] = set()
    for start, end, names in zip(starts.tolist(), ends.tolist(), kinds, strict=True):
        free = [step for step in range(-(-start // STEP), end // STEP) if step not in taken]
        for step, name in zip(rng.permutation(free).tolist(), names, strict=False):
            taken.add(step)
            word = "".join(rng.choice(allowed) for allowed in MOTIFS[name])
            word = word if rng.random() < 0.5 else word.translate(_COMPLEMENT)[::-1]
            place = step * STEP + int(rng.integers(0, STEP - LENGTH + 1))
            codes[place : place + LENGTH] = [_LETTERS.index(letter) for letter in word]


def find_motifs(codes: np.ndarray) -> pd.DataFrame:
    """Find every motif of a genome, planted or not, on both strands.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (bases,)
        0..3 for A, C, G, T; 4 for an unknown base, which never matches.

    Returns
    -------
    pandas.DataFrame
        `start`, `end`, `kind`, `strand`, sorted by start.

    Examples
    --------
    >>> find_motifs(np.array([3, 0, 1, 2, 3, 3, 2, 0, 1, 0, 1, 0, 1], dtype=np.uint8))  # T ACGT TGAC ACAC
       start  end       kind strand
    0      1   13  activator      +
    """
    pairs = codes[:-1] * 5 + codes[1:]
    found = []
    for (kind, columns), strand in itertools.product(MOTIFS.items(), "+-"):
        matches = _match(pairs, columns if strand == "+" else _reverse(columns))
        found.append(pd.DataFrame({"start": matches, "end": matches + LENGTH, "kind": kind, "strand": strand}))
    return pd.concat(found).sort_values("start", kind="stable", ignore_index=True)


def _reverse(columns: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(pair.translate(_COMPLEMENT)[::-1] for pair in allowed) for allowed in columns[::-1])


def _match(pairs: np.ndarray, columns: tuple[tuple[str, ...], ...]) -> np.ndarray:
    """Find where each column's pair is one of those allowed; the rarest column first."""
    order = sorted(range(len(columns)), key=lambda column: len(columns[column]))
    places = np.arange(pairs.size - LENGTH + 2)
    for column in order:
        allowed = np.zeros(25, bool)
        for first, second in columns[column]:
            allowed[_LETTERS.index(first) * 5 + _LETTERS.index(second)] = True
        places = places[allowed[pairs[places + 2 * column]]]
    return places
