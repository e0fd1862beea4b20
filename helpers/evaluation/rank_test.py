"""Rank tests, exact for few values, ties included: between two groups of replicates, and of paired differences."""

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

MOST_EXACT = 50  # differences, beyond which the signed ranks are taken as normal


class RankTest(NamedTuple):
    """Outcome of `mann_whitney` or `signed_rank`.

    Attributes
    ----------
    p : float
        Two-sided p-value; NaN when there is nothing to test.
    smallest_p : float
        The p-value that so many values, with these ties, reach when groups are fully apart, or all differences have one
        sign; NaN where the test is not exact.
    ties : bool
        Whether values, or the sizes of differences, are tied.
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


def signed_rank(differences: np.ndarray) -> RankTest:
    """Test whether paired differences lie around zero: Wilcoxon's signed-rank test.

    The p-value is the share of all ways to give the differences signs whose sum of the (mid-)ranks of positive ones
    lies at least as far from its expectation as the one observed. Without ties this is the two-sided exact Wilcoxon
    test. For more than `MOST_EXACT` differences that sum is taken as normal, with the variance that these ranks have.

    Parameters
    ----------
    differences : numpy.ndarray of float, shape (pairs,)
        Zeros, which have no sign, and NaN are left out.

    References
    ----------
    Wilcoxon (1945), Individual comparisons by ranking methods, Biometrics Bulletin 1, 80-83.
    https://doi.org/10.2307/3001968

    Examples
    --------
    >>> signed_rank(np.array([0.1, 0.2, 0.3, 0.4]))
    RankTest(p=0.125, smallest_p=0.125, ties=False)
    """
    differences = np.asarray(differences, float)
    differences = differences[~np.isnan(differences) & (differences != 0)]
    if not len(differences):
        return RankTest(float("nan"), float("nan"), False)
    sizes = np.abs(differences)
    ranks = np.rint(2 * stats.rankdata(sizes)).astype(int)  # doubled: mid-ranks become whole numbers
    ties = len(np.unique(sizes)) < len(sizes)
    total = ranks.sum()
    distance = abs(2 * int(ranks[differences > 0].sum()) - int(total))
    if len(ranks) > MOST_EXACT:
        return RankTest(math.erfc(distance / math.sqrt(2 * np.square(ranks).sum())), float("nan"), ties)
    ways = np.zeros(total + 1, dtype=object)
    ways[0] = 1
    for rank in ranks:
        ways[rank:] = ways[rank:] + ways[:-rank]
    as_far = np.abs(2 * np.arange(total + 1) - total) >= distance
    signs = 2 ** len(ranks)
    return RankTest(sum(ways[as_far].tolist()) / signs, 2 / signs, ties)


def _count_rank_sums(ranks: np.ndarray, size: int) -> np.ndarray:
    """Count, for each sum of ranks, the ways to choose `size` of them: exact integers, by adding one rank at a time."""
    ways = np.zeros((size + 1, ranks.sum() + 1), dtype=object)
    ways[0, 0] = 1
    for rank in ranks:
        shifted = np.roll(ways[:-1], rank, axis=1)
        shifted[:, :rank] = 0
        ways[1:] = ways[1:] + shifted
    return ways[size]
