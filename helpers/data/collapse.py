"""From values of bases to one value for each bin: by mean, sum, maximum, or a function of one's own."""

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.data.intervals import expand_counts
from helpers.errors import InputError

Collapser = str | Callable[..., Any]

_REDUCERS: dict[str, Callable[..., Any]] = {"mean": np.mean, "sum": np.sum, "max": np.max}


def check_collapser(collapser: Collapser) -> None:
    """Raise InputError unless this is the name of a collapser or a function that `collapse_bases` can call.

    A function is tried on zeros, so that a wrong one is known before any file is read.
    """
    if isinstance(collapser, str) and collapser in _REDUCERS:
        return
    if isinstance(collapser, str) or not callable(collapser):
        msg = f"collapser must be one of {', '.join(_REDUCERS)}, or a function. Received: collapser={collapser!r}."
        raise InputError(msg)
    try:
        _reduce(collapser, np.zeros((2, 3, 1)))
    except TypeError as error:
        msg = f"collapser is called as collapser(values, axis=1), which fails: {error}. Take axis as numpy does."
        raise InputError(msg) from error


def collapse_bases(values: np.ndarray, resolution: int, collapser: Collapser) -> np.ndarray:
    """Collapse stretches of bases into bins.

    Parameters
    ----------
    values : numpy.ndarray, shape (stretches, bases, strands)
        One value a base.
    resolution : int
        Bin length in bp. The last bin of a stretch may be shorter: it is collapsed from its own bases alone.
    collapser : {'mean', 'sum', 'max'} or callable
        A function is called as ``collapser(values, axis=1)`` with an array of shape (bins, resolution, strands), once
        for all whole bins and once for the shorter ones, and returns shape (bins, strands), as numpy's reductions do.

    Returns
    -------
    numpy.ndarray, shape (stretches, ceil(bases / resolution), strands)

    Raises
    ------
    InputError
        When the function returns another shape.

    Examples
    --------
    >>> collapse_bases(np.arange(5.0).reshape(1, 5, 1), 2, np.sum).ravel()
    array([1., 5., 4.])
    """
    reduce = _REDUCERS[collapser] if isinstance(collapser, str) else collapser
    n_stretches, n_bases, n_strands = values.shape
    n_whole = n_bases // resolution
    whole = values[:, : n_whole * resolution].reshape(n_stretches * n_whole, resolution, n_strands)
    bins = _reduce(reduce, whole).reshape(n_stretches, n_whole, n_strands)
    if n_whole * resolution == n_bases:
        return bins
    shorter = _reduce(reduce, values[:, n_whole * resolution :])
    return np.concatenate([bins, shorter[:, None]], axis=1)


def _reduce(reduce: Callable[..., Any], values: np.ndarray) -> np.ndarray:
    expected = (values.shape[0], *values.shape[2:])
    if not len(values):
        return np.zeros(expected)
    collapsed = np.asarray(reduce(values, axis=1))
    if collapsed.shape != expected:
        msg = (
            f"collapser must reduce axis 1: from {values.shape} (bins, resolution, strands) to {expected}. "
            f"It returned {collapsed.shape}."
        )
        raise InputError(msg)
    return collapsed


def collapse_overlaps(
    starts: np.ndarray, ends: np.ndarray, values: np.ndarray, how: str = "mean"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut overlapping intervals of one contig at each other's ends and collapse the values over each piece.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int, shape (intervals,)
        0-based, half-open, in any order; empty intervals are left out.
    values : numpy.ndarray of float, shape (intervals,)
    how : {'mean', 'sum', 'max'}
        What a piece holds of the values of the intervals that cover it.

    Returns
    -------
    starts, ends, values : numpy.ndarray, shape (pieces,)
        Sorted pieces without overlap; bases in no interval are in no piece.

    Notes
    -----
    Memory grows with the number of pieces that intervals are cut into, all together.

    Examples
    --------
    >>> collapse_overlaps(np.array([0, 50]), np.array([100, 150]), np.array([1.0, 2.0]))
    (array([  0,  50, 100]), array([ 50, 100, 150]), array([1. , 1.5, 2. ]))
    """
    filled = np.flatnonzero(ends > starts)
    order = filled[np.argsort(starts[filled], kind="stable")]
    starts, ends, values = starts[order], ends[order], values[order]
    if (starts[1:] >= ends[:-1]).all():
        return starts, ends, values
    cuts = np.unique(np.concatenate([starts, ends]))
    first = np.searchsorted(cuts, starts)
    interval, nth = expand_counts(np.searchsorted(cuts, ends) - first)
    piece = first[interval] + nth
    depth = np.bincount(piece, minlength=len(cuts))
    covered = np.flatnonzero(depth)
    if how == "max":
        collapsed = np.full(len(cuts), -np.inf)
        np.maximum.at(collapsed, piece, values[interval])
    else:
        collapsed = np.bincount(piece, weights=values[interval], minlength=len(cuts))
        collapsed = collapsed / np.maximum(depth, 1) if how == "mean" else collapsed
    return cuts[covered], cuts[covered + 1], collapsed[covered]
