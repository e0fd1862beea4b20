"""How alike motifs are: the best alignment to each motif of a database, and how often chance does as well.

Columns are compared by Pearson's correlation of their four probabilities; an alignment scores the sum over the columns
that overlap. The null distribution of the sum is computed exactly, by convolution over the columns of the query: each
column of the other motif is any column of the database with its letters in any order. So it is wide enough for a
database of a single motif too, and knows nothing of a composition that all motifs share.

References
----------
Gupta et al., Genome Biology 8 (2007), https://doi.org/10.1186/gb-2007-8-2-r24
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from helpers.data.motifs import Motif
from helpers.errors import InputError

MATCH_COLUMNS = ("query", "target", "strand", "offset", "overlap", "correlation", "p", "q")
_STEPS = 50  # of a correlation of 1: scores are whole numbers of 0.02


class _Alignment(NamedTuple):
    """The best alignment of a query to a target: p is that of any alignment of the two."""

    strand: str
    offset: int
    overlap: int
    score: int
    p: float


def match_motifs(
    queries: Sequence[Motif], database: Sequence[Motif], *, min_overlap: int = 5, most: int = 10
) -> pd.DataFrame:
    """Find the motifs of a database that are most like each query.

    Parameters
    ----------
    queries, database : sequence of Motif
        The database has one at least.
    min_overlap : int, default 5
        Columns that overlap at least; a shorter motif overlaps whole.
    most : int, default 10
        Matches kept for each query.

    Returns
    -------
    pandas.DataFrame
        Queries in their order, the best match of each first: ``query``, ``target``; ``strand`` of the target, - when it
        is its reverse complement that is alike; ``offset``, the column of the so turned target that lies over the
        first of the query (negative when the target begins later); ``overlap`` in columns; ``correlation``, the mean
        over them; ``p``, the probability that the best alignment of a motif with columns of the database, letters in
        any order, has as small a probability; ``q``, after Benjamini and Hochberg over the whole database.

    Raises
    ------
    InputError
        For a database without motifs, or numbers below 1.

    Notes
    -----
    A column of four equal probabilities correlates with nothing: 0. Correlations are rounded to 0.02. p takes
    alignments as independent of each other, which makes it too large rather than too small.

    Examples
    --------
    >>> core = Motif("core", "", np.eye(4)[[3, 2, 0, 1, 1]], 20, np.full(4, 0.25))  # TGACC
    >>> turned = Motif("turned", "", core.probabilities[::-1, ::-1], 20, np.full(4, 0.25))
    >>> match_motifs([core], [turned])[["target", "strand", "offset", "overlap", "correlation"]].values.tolist()
    [['turned', '-', 0, 5, 1.0]]
    """
    if not database or min_overlap < 1 or most < 1:
        msg = f"Motifs are matched with a database of one motif at least. Received: {len(database)} motifs, "
        msg += f"min_overlap={min_overlap}, most={most}. Give numbers of at least 1."
        raise InputError(msg)
    tables = [_match_one(query, database, min_overlap, most) for query in queries]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(MATCH_COLUMNS))


def _match_one(query: Motif, database: Sequence[Motif], min_overlap: int, most: int) -> pd.DataFrame:
    columns, targets = _standardized(query.probabilities), [_standardized(motif.probabilities) for motif in database]
    longest = max(len(target) for target in targets)
    tails = _span_tails(_column_chances(columns, np.concatenate(targets)), longest)
    found = [_best_alignment(columns, target, tails, min_overlap) for target in targets]
    table = pd.DataFrame(found)
    table["correlation"] = table["score"] / (_STEPS * table["overlap"])
    table["query"], table["target"] = query.name, [motif.name for motif in database]
    table["q"] = false_discovery_control(table["p"])
    ranked = table.sort_values(["p", "correlation"], ascending=[True, False], kind="stable")
    return ranked[list(MATCH_COLUMNS)].head(most)


def _standardized(probabilities: np.ndarray) -> np.ndarray:
    """Centre each row and divide it by its length, so that products of rows are correlations; equal values give 0."""
    centred = probabilities - probabilities.mean(axis=1, keepdims=True)
    lengths = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 1e-9)


def _scores(columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Give the correlation of each column with each other one, in whole steps; what is on the edge of two is even."""
    return np.rint(np.round(columns @ others.T * _STEPS, 6)).astype(np.int64)


def _column_chances(columns: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Give how probable each score is at each column of a query, shape (columns, 2 * _STEPS + 1)."""
    distinct, counts = np.unique(pool.round(9), axis=0, return_counts=True)
    orders = list(itertools.permutations(range(4)))
    scores = sum(
        np.apply_along_axis(np.bincount, 1, _scores(columns, distinct[:, order]) + _STEPS, counts, 2 * _STEPS + 1)
        for order in orders
    )
    return scores / (len(orders) * len(pool))


def _span_tails(chances: np.ndarray, longest: int) -> dict[tuple[int, int], np.ndarray]:
    """Give, for each first column and number of columns, the probability of each score or a higher one.

    The lowest score of n columns, -n * _STEPS, comes first.
    """
    tails = {}
    for first in range(len(chances)):
        chance = np.ones(1)
        for count, column in enumerate(chances[first : first + longest], 1):
            chance = np.convolve(chance, column)
            tails[first, count] = np.minimum(np.cumsum(chance[::-1])[::-1], 1)
    return tails


def _best_alignment(columns: np.ndarray, target: np.ndarray, tails: dict, min_overlap: int) -> _Alignment:
    least = min(min_overlap, len(columns), len(target))
    offsets = range(least - len(columns), len(target) - least + 1)
    best = None
    for strand, turned in (("+", target), ("-", target[::-1, ::-1])):
        scores = _scores(columns, turned)
        for offset in offsets:
            first = max(0, -offset)
            overlap = min(len(columns), len(target) - offset) - first
            score = int(scores.trace(offset=offset))
            p = tails[first, overlap][score + overlap * _STEPS]
            if best is None or (p, -score) < (best.p, -best.score):
                best = _Alignment(strand, offset, overlap, score, p)
    return best._replace(p=_of_several(best.p, 2 * len(offsets)))


def _of_several(p: float, count: int) -> float:
    """Give the probability that the smallest of several p values is as small as this one."""
    return 1.0 if p >= 1 else float(-np.expm1(count * np.log1p(-p)))
