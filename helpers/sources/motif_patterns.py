"""Motifs as patterns of words: sites, and decoys that differ from them only in which bases stand side by side.

A word reads pair, core, pair, core, pair, two bases each. Of each pair, the first base is one of two, and so is the
second. In the sites of a *dependent* motif the first base decides the second; in its decoys it decides otherwise in one
pair. So both have the same bases, equally often, at each single position. The sites of an *independent* motif have at
each place of a pair mostly the same base, whatever stands beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LENGTH = 10  # bp
_PAIRS = np.array([0, 4, 8])  # where a pair begins
_CORE = np.array([2, 3, 6, 7])  # columns of the core
_BASES, _UNKNOWN = 4, 4
_FIRST = 0.9  # how probable the first of the two bases is at each place of an independent motif
_DISTANCE = 2  # bases at least in which any two cores differ, on either strand


@dataclass(frozen=True)
class Patterns:
    """Several motifs.

    Attributes
    ----------
    names : tuple of str
    dependent : numpy.ndarray of bool, shape (motifs,)
    cores : numpy.ndarray of uint8, shape (motifs, 4)
        Codes 0..3 of A, C, G, T.
    pairs : numpy.ndarray of uint8, shape (motifs, pairs, places, choices)
        The two bases of each place of each pair; in a site of a dependent motif a pair is of the first choices or of
        the second ones.
    """

    names: tuple[str, ...]
    dependent: np.ndarray
    cores: np.ndarray
    pairs: np.ndarray

    def probabilities(self) -> np.ndarray:
        """Give how probable each base is at each position of a site; float64, shape (motifs, positions, bases)."""
        chances = np.zeros((len(self.names), LENGTH, _BASES))
        rows = np.arange(len(self.names))[:, None]
        chances[rows, _CORE, self.cores] = 1
        first = np.where(self.dependent, 0.5, _FIRST)[:, None]
        for place in range(2):
            chances[rows, _PAIRS + place, self.pairs[:, :, place, 0]] = first
            chances[rows, _PAIRS + place, self.pairs[:, :, place, 1]] = 1 - first
        return chances


def draw_patterns(names: Sequence[str], dependent: np.ndarray, rng: np.random.Generator) -> Patterns:
    """Draw motifs that are told apart by their cores, whatever the strand.

    Parameters
    ----------
    names : sequence of str
        Up to about 18.
    dependent : numpy.ndarray of bool, shape (motifs,)
    rng : numpy.random.Generator
    """
    cores = _draw_cores(len(names), rng)
    pairs = rng.permuted(np.tile(np.arange(_BASES, dtype=np.uint8), (len(names), len(_PAIRS), 2, 1)), axis=3)
    return Patterns(tuple(names), np.asarray(dependent, bool), cores, pairs[..., :2])


def _draw_cores(count: int, rng: np.random.Generator) -> np.ndarray:
    words = np.stack(np.meshgrid(*[np.arange(_BASES, dtype=np.uint8)] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    while True:
        taken = np.empty((0, 4), np.uint8)
        for word in rng.permutation(words):
            others = np.concatenate([taken, 3 - taken[:, ::-1], 3 - word[None, ::-1]])
            if ((others != word).sum(axis=1) >= _DISTANCE).all():
                taken = np.concatenate([taken, word[None]])
            if len(taken) == count:
                return taken


def draw_words(patterns: Patterns, motifs: np.ndarray, decoy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a site or a decoy of each entry's motif, as on its own strand.

    Parameters
    ----------
    patterns : Patterns
    motifs : numpy.ndarray of int, shape (words,)
        Numbers of motifs.
    decoy : numpy.ndarray of bool, shape (words,)
        True for decoys; only dependent motifs have any.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of uint8, shape (words, LENGTH)
    """
    count = len(motifs)
    dependent = patterns.dependent[motifs]
    words = np.empty((count, LENGTH), np.uint8)
    words[:, _CORE] = patterns.cores[motifs]
    chance = np.where(dependent, 0.5, 1 - _FIRST)[:, None]
    first, second = (rng.random((2, count, len(_PAIRS))) < chance).astype(np.int64)
    broken = (np.arange(len(_PAIRS)) == rng.integers(0, len(_PAIRS), count)[:, None]) & decoy[:, None]
    choices = np.stack([first, np.where(dependent[:, None], first ^ broken, second)], axis=2)
    bases = np.take_along_axis(patterns.pairs[motifs], choices[..., None], axis=3)[..., 0]
    for place in range(2):
        words[:, _PAIRS + place] = bases[:, :, place]
    return words


def plant_words(codes: np.ndarray, words: np.ndarray, starts: np.ndarray, reverse: np.ndarray) -> None:
    """Write words into a genome, in place; those of the reverse strand as their reverse complement.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (bases,)
    words : numpy.ndarray of uint8, shape (words, LENGTH)
    starts : numpy.ndarray of int, shape (words,)
    reverse : numpy.ndarray of bool, shape (words,)
    """
    codes[starts[:, None] + np.arange(LENGTH)] = np.where(reverse[:, None], 3 - words[:, ::-1], words)


def find_words(codes: np.ndarray, patterns: Patterns) -> np.ndarray:
    """Find where any core stands between bases of its pairs, whatever their dependence, on either strand.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (bases,)
        0..3 for A, C, G, T; 4 for an unknown base, which never matches.
    patterns : Patterns
        At most 32 motifs.

    Returns
    -------
    numpy.ndarray of uint64, shape (positions,)
        Of each start of a word: bit 2m is set where motif m stands on the forward strand, bit 2m + 1 on the reverse.
    """
    allowed = patterns.probabilities() > 0
    tables = np.zeros((LENGTH, _UNKNOWN + 1), np.uint64)
    for motif, forward in enumerate(allowed):
        for strand, table in enumerate((forward, forward[::-1, ::-1])):
            tables[:, :_UNKNOWN] |= table.astype(np.uint64) << np.uint64(2 * motif + strand)
    positions = max(codes.size - LENGTH + 1, 0)
    found = np.full(positions, np.iinfo(np.uint64).max, np.uint64)
    for column in range(LENGTH):
        found &= tables[column][codes[column : column + positions]]
    return found


def remove_other_words(codes: np.ndarray, patterns: Patterns, planted: np.ndarray, rng: np.random.Generator) -> None:
    """Change a base of each word that `find_words` finds and that was not planted, in place, until none is left.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (bases,)
    patterns : Patterns
    planted : numpy.ndarray of int, shape (words,)
        Where words were planted, decoys included, at least LENGTH apart; their bases stay.
    rng : numpy.random.Generator
    """
    kept = np.zeros(codes.size, bool)
    kept[planted[:, None] + np.arange(LENGTH)] = True
    while (others := np.setdiff1d(np.flatnonzero(find_words(codes, patterns)), planted)).size:
        bases = others[:, None] + np.arange(LENGTH)
        change = bases[np.arange(len(bases)), np.argmin(kept[bases] + rng.random(bases.shape) / 2, axis=1)]
        codes[change] = (codes[change] + rng.integers(1, _BASES, change.size)) % _BASES
