"""Arithmetic on intervals: plain numpy arrays of starts and ends, nothing named.

An interval is half-open, ``[start, end)``: ``[0, 5)`` and ``[5, 9)`` touch and do not overlap. Contigs and files are
unknown here; ``helpers.data.regions`` puts regions of many contigs on one axis and calls these functions.
"""

import numpy as np


def merge_intervals(starts: np.ndarray, ends: np.ndarray, distance: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Join intervals that overlap, touch or lie at most `distance` apart.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int, shape (intervals,)
        Half-open intervals in any order.
    distance : int
        Widest gap in bp that is closed; 0 joins what overlaps or touches.

    Returns
    -------
    starts, ends : numpy.ndarray of int64, shape (merged,)
        Sorted intervals with gaps wider than `distance` between them.

    Examples
    --------
    >>> merge_intervals(np.array([8, 0, 3]), np.array([9, 3, 5]))
    (array([0, 8]), array([5, 9]))
    """
    starts, ends = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
    if len(starts) == 0:
        return starts.copy(), ends.copy()
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    opens = np.r_[True, starts[1:] > reach[:-1] + distance]
    closes = np.r_[opens[1:], True]
    return starts[opens], reach[closes]


def subtract_intervals(
    starts: np.ndarray, ends: np.ndarray, minus_starts: np.ndarray, minus_ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut intervals out of other intervals.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int, shape (intervals,)
        What is cut, in any order; each interval is cut by itself.
    minus_starts, minus_ends : numpy.ndarray of int, shape (cuts,)
        What is taken away, in any order; may overlap.

    Returns
    -------
    parents : numpy.ndarray of int64, shape (pieces,)
        Index of the interval that each piece comes from, ascending.
    starts, ends : numpy.ndarray of int64, shape (pieces,)
        What is left, from left to right within a parent.

    Examples
    --------
    >>> subtract_intervals(np.array([0]), np.array([10]), np.array([4]), np.array([6]))
    (array([0, 0]), array([0, 6]), array([ 4, 10]))
    """
    starts, ends = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
    cut_starts, cut_ends = merge_intervals(minus_starts, minus_ends)
    first = np.searchsorted(cut_ends, starts, side="right")
    n_cuts = np.maximum(np.searchsorted(cut_starts, ends, side="left") - first, 0)
    parents, nth = expand_counts(n_cuts + 1)
    left, right = starts[parents], ends[parents]
    after_cut, before_cut = nth > 0, nth < n_cuts[parents]
    left[after_cut] = cut_ends[(first[parents] + nth - 1)[after_cut]]
    right[before_cut] = cut_starts[(first[parents] + nth)[before_cut]]
    kept = left < right
    return parents[kept], left[kept], right[kept]


def tile_intervals(
    starts: np.ndarray, ends: np.ndarray, *, binsize: int, stepsize: int, tails: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lay windows over intervals, the first at each interval's start.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int, shape (intervals,)
        Half-open intervals in bp.
    binsize, stepsize : int
        Window length and distance between window starts, in bp.
    tails : bool
        Add a shorter window that ends with the interval, one step after the last full window, where bases would stay
        uncovered. An interval shorter than `binsize` is then one window by itself; without tails it has none. Bases
        between windows when `stepsize` exceeds `binsize` are left out by intention and make no tail.

    Returns
    -------
    parents : numpy.ndarray of int64, shape (windows,)
        Index of the interval that each window lies in, ascending.
    starts, ends : numpy.ndarray of int64, shape (windows,)
        The windows, from left to right within a parent.

    Examples
    --------
    >>> tile_intervals(np.array([100]), np.array([125]), binsize=10, stepsize=10, tails=True)
    (array([0, 0, 0]), array([100, 110, 120]), array([110, 120, 125]))
    """
    starts, ends = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
    lengths = ends - starts
    n_full = np.maximum((lengths - binsize) // stepsize + 1, 0)
    n_windows = n_full
    if tails:
        uncovered = (n_full == 0) | ((n_full - 1) * stepsize + binsize < lengths)
        n_windows = n_full + (uncovered & (n_full * stepsize < lengths))
    parents, nth = expand_counts(n_windows)
    left = starts[parents] + nth * stepsize
    return parents, left, np.minimum(left + binsize, ends[parents])


def covered_below(points: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Count the covered positions below each point.

    Parameters
    ----------
    points : numpy.ndarray of int, shape (points,)
        Positions in bp, in any order.
    starts, ends : numpy.ndarray of int, shape (intervals,)
        Sorted intervals that do not overlap, as `merge_intervals` gives them.

    Returns
    -------
    numpy.ndarray of int64, shape (points,)
        Covered bp in ``(-infinity, point)``; the difference of two points is the coverage between them.

    Examples
    --------
    >>> covered_below(np.array([0, 4, 9]), np.array([2, 6]), np.array([5, 7]))
    array([0, 2, 4])
    """
    points = np.asarray(points, dtype=np.int64)
    if len(starts) == 0:
        return np.zeros(len(points), dtype=np.int64)
    before = np.r_[0, np.cumsum(ends - starts)]
    nearest = np.searchsorted(starts, points, side="right") - 1
    within = np.clip(points - starts[nearest], 0, (ends - starts)[nearest])
    return np.where(nearest < 0, 0, before[nearest] + within)


def expand_counts(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expand group sizes into one row per member.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (groups,)
        Size of each group, 0 allowed.

    Returns
    -------
    groups, members : numpy.ndarray of int64, shape (sum of counts,)
        Index of the group, and index within the group.

    Examples
    --------
    >>> expand_counts(np.array([2, 0, 1]))
    (array([0, 0, 2]), array([0, 1, 0]))
    """
    counts = np.asarray(counts, dtype=np.int64)
    groups = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    firsts = np.cumsum(counts) - counts
    return groups, np.arange(len(groups), dtype=np.int64) - firsts[groups]
