"""The exact test between two small groups of replicates."""

from typing import NamedTuple

import numpy as np
from scipy import stats


class RankTest(NamedTuple):
    """Outcome of `mann_whitney`.

    Attributes
    ----------
    p : float
        Two-sided p-value; NaN when a group is empty.
    smallest_p : float
        The p-value that groups of these sizes, with these ties, reach when they are fully apart.
    ties : bool
        Whether values are tied.
    """

    p: float
    smallest_p: float
    ties: bool


def mann_whitney(a: np.ndarray, b: np.ndarray) -> RankTest:
    """Test whether one of two groups tends to higher values, exactly, ties included.

    The p-value is the share of all ways to choose group a from the pooled values whose sum of (mid-)ranks lies at least
    as far from its expectation as the one observed. Without ties this is the two-sided exact Mann-Whitney test.

    Parameters
    ----------
    a, b : numpy.ndarray of float, shapes (replicates of a,), (replicates of b,)
        NaN is left out.

    References
    ----------
    Streitberg and Röhmel (1986), Exact distributions for permutation and rank tests, Statistical Software Newsletter
    12, 10-17.

    Examples
    --------
    >>> mann_whitney(np.array([0.9, 0.8, 0.85]), np.array([0.5, 0.6, 0.7]))
    RankTest(p=0.1, smallest_p=0.1, ties=False)
    """
    a, b = (values[~np.isnan(values)] for values in (np.asarray(a, float), np.asarray(b, float)))
    if not len(a) or not len(b):
        return RankTest(float("nan"), float("nan"), False)
    pooled = np.concatenate([a, b])
    ranks = np.rint(2 * stats.rankdata(pooled)).astype(int)  # doubled: mid-ranks become whole numbers
    ways = _count_rank_sums(ranks, len(a))
    sums = np.arange(len(ways))
    distance = np.abs(sums * len(pooled) - len(a) * ranks.sum())
    total = sum(ways.tolist())
    observed = distance[ranks[: len(a)].sum()]
    farthest = distance[[count > 0 for count in ways]].max()
    p, smallest = (sum(ways[distance >= limit].tolist()) / total for limit in (observed, farthest))
    return RankTest(p, smallest, len(np.unique(pooled)) < len(pooled))


def _count_rank_sums(ranks: np.ndarray, size: int) -> np.ndarray:
    """Count, for each sum of ranks, the ways to choose `size` of them: exact integers, by adding one rank at a time."""
    ways = np.zeros((size + 1, ranks.sum() + 1), dtype=object)
    ways[0, 0] = 1
    for rank in ranks:
        shifted = np.roll(ways[:-1], rank, axis=1)
        shifted[:, :rank] = 0
        ways[1:] = ways[1:] + shifted
    return ways[size]
