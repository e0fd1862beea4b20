"""Metrics of a ranking (average precision, area under the ROC curve) as sums over groups of equal predictions.

Windows are sorted once, by falling prediction. What then counts is only how much weight of positives and of negatives
lies in and between the groups of tied predictions that hold a positive. These weights are linear in the weight of each
window, so a thousand bootstrap resamples are one product of a sparse matrix, exact with ties.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

_CELLS = 4_000_000  # entries of the largest temporary array, 32 MB


class Ranking(NamedTuple):
    """Where each window stands in the ranking.

    Attributes
    ----------
    row : numpy.ndarray of int, shape (windows,)
        With G groups of tied predictions that hold a positive, best first: g for a positive of group g, G + g for a
        negative above group g and below the group before it, 2 G + g for a negative tied with group g, and 3 G for a
        negative below all positives.
    n_groups : int
        G.
    """

    row: np.ndarray
    n_groups: int


def rank_windows(target: np.ndarray, prediction: np.ndarray) -> Ranking:
    """Sort windows by falling prediction and name the place of each among the positives.

    Parameters
    ----------
    target : numpy.ndarray, shape (windows,)
        Labels, 0 or 1.
    prediction : numpy.ndarray of float, shape (windows,)
        Higher means more likely positive.

    Examples
    --------
    >>> rank_windows(np.array([0, 1, 0, 0]), np.array([0.9, 0.5, 0.5, 0.1]))
    Ranking(row=array([1, 0, 2, 3]), n_groups=1)
    """
    positive = np.asarray(target) > 0
    _, tie = np.unique(-np.asarray(prediction), return_inverse=True)
    has_positive = np.zeros(len(np.atleast_1d(tie)) and tie.max() + 1, dtype=bool)
    has_positive[tie[positive]] = True
    n_groups = int(has_positive.sum())
    following = (np.cumsum(has_positive) - has_positive)[tie]
    negative_row = np.where(has_positive[tie], 2 * n_groups + following, n_groups + following)
    negative_row[following == n_groups] = 3 * n_groups
    return Ranking(np.where(positive, following, negative_row), n_groups)


def average_precision(weights: np.ndarray) -> np.ndarray:
    """Sum precision over the steps of recall, for each column of weights.

    Parameters
    ----------
    weights : numpy.ndarray of float, shape (3 groups + 1, resamples)
        Weight of the windows in each row of a `Ranking`.

    Returns
    -------
    numpy.ndarray of float, shape (resamples,)
        NaN where there is no positive or no negative.
    """
    positive, above, tied, rest = _parts(weights)
    hits = np.cumsum(positive, axis=0)
    calls = hits + np.cumsum(above + tied, axis=0)
    precision = np.divide(hits, calls, out=np.zeros_like(hits), where=calls > 0)
    total = positive.sum(axis=0)
    negatives = (above + tied).sum(axis=0) + rest
    return _defined((positive * precision).sum(axis=0), total, negatives, scale=total)


def roc_area(weights: np.ndarray) -> np.ndarray:
    """Give the probability that a positive ranks above a negative, ties counted half, for each column of weights.

    Parameters
    ----------
    weights : numpy.ndarray of float, shape (3 groups + 1, resamples)
        Weight of the windows in each row of a `Ranking`.

    Returns
    -------
    numpy.ndarray of float, shape (resamples,)
        NaN where there is no positive or no negative.
    """
    positive, above, tied, rest = _parts(weights)
    total = positive.sum(axis=0)
    negatives = (above + tied).sum(axis=0) + rest
    beaten = negatives - np.cumsum(above + tied, axis=0) + tied / 2
    return _defined((positive * beaten).sum(axis=0), total, negatives, scale=total * negatives)


def count_windows(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Count the windows in each row of the `Ranking` of all windows, without ranking each of them.

    Parameters
    ----------
    target : numpy.ndarray of bool, shape (windows,)
    prediction : numpy.ndarray of float, shape (windows,)
        Higher means more likely positive.

    Returns
    -------
    numpy.ndarray of float, shape (3 groups + 1, 1)
        Weights for `average_precision` and `roc_area`.

    Examples
    --------
    >>> count_windows(np.array([False, True, False, False]), np.array([0.9, 0.5, 0.5, 0.1])).ravel()
    array([1., 1., 1., 1.])
    """
    best_first = -np.asarray(prediction)
    negatives = np.sort(best_first[~target])
    groups, positives = np.unique(best_first[target], return_counts=True)
    above = np.searchsorted(negatives, groups, side="left")  # negatives above each group
    reached = np.searchsorted(negatives, groups, side="right")  # and those tied with it
    between = np.diff(np.concatenate([[0], reached]))  # from one group's ties to the next one's
    tied = reached - above
    rest = len(negatives) - (reached[-1] if len(groups) else 0)
    return np.concatenate([positives, between - tied, tied, [rest]]).astype(float)[:, None]


def resampled(
    statistic: Callable[[np.ndarray], np.ndarray], ranking: Ranking, *, blocks: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Compute a statistic of the ranking on resamples of blocks of windows.

    Parameters
    ----------
    statistic : callable
        `average_precision` or `roc_area`.
    ranking : Ranking
        Of all windows.
    blocks : numpy.ndarray of int, shape (windows,)
        Block of each window, from 0.
    counts : numpy.ndarray of int, shape (resamples, blocks)
        How often each block was drawn in each resample.

    Returns
    -------
    numpy.ndarray of float, shape (resamples,)
    """
    shape = (3 * ranking.n_groups + 1, counts.shape[1])
    content = sparse.csr_array((np.ones(len(blocks)), (ranking.row, blocks)), shape=shape)
    step = max(1, _CELLS // shape[0])
    parts = [statistic(content @ counts[i : i + step].T.astype(float)) for i in range(0, len(counts), step)]
    return np.concatenate(parts)


def _parts(weights: np.ndarray) -> tuple[np.ndarray, ...]:
    groups = (len(weights) - 1) // 3
    return weights[:groups], weights[groups : 2 * groups], weights[2 * groups : -1], weights[-1]


def _defined(value: np.ndarray, positives: np.ndarray, negatives: np.ndarray, *, scale: np.ndarray) -> np.ndarray:
    both = (positives > 0) & (negatives > 0)
    return np.divide(value, scale, out=np.full(value.shape, np.nan), where=both)
