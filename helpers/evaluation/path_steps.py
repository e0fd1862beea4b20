"""Where on a path gradients are taken: at the middles of steps, which are finer where the target bends."""

import numpy as np

from helpers.data.intervals import expand_counts


def even_steps(number: int, windows: int) -> np.ndarray:
    """Give the edges of equal steps from 0, the reference, to 1, the window: shape (windows, number + 1)."""
    return np.tile(np.linspace(0, 1, number + 1), (windows, 1))


def refine_steps(edges: np.ndarray, values: np.ndarray, slopes: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Cut steps into twice as many, most of them where the target does not change as its slopes say.

    Parameters
    ----------
    edges : numpy.ndarray of float, shape (windows, steps + 1)
        0 to 1, ascending.
    values, slopes : numpy.ndarray of float, shape (windows, steps)
        The target at the middle of each step, and its derivative along the path.
    ends : numpy.ndarray of float, shape (windows, 2)
        The target at 0 and at 1.

    Returns
    -------
    numpy.ndarray of float, shape (windows, 2 * steps + 1)
        With all edges that there were.

    Notes
    -----
    From one middle to the next, the target should change by the slopes of both halves; what it changes otherwise is put
    down to both steps. A network of rectified units and maxima bends at points, and the error of a step around one
    falls as its length; it falls fastest in all when steps are cut into pieces as the roots of their errors.

    Examples
    --------
    >>> middles = np.array([[0.25, 0.75]])  # of a target that bends at 0.1: it is 0 up to there, then x - 0.1
    >>> edges = refine_steps(np.array([[0, 0.5, 1]]), middles - 0.1, np.ones((1, 2)), np.array([[0, 0.9]]))
    >>> edges.round(3)
    array([[0.   , 0.167, 0.333, 0.5  , 1.   ]])
    """
    steps = values.shape[1]
    halves = np.diff(edges, axis=1) * slopes / 2
    expected = np.pad(halves, ((0, 0), (1, 0))) + np.pad(halves, ((0, 0), (0, 1)))
    bends = np.abs(np.diff(np.concatenate([ends[:, :1], values, ends[:, 1:]], axis=1), axis=1) - expected)
    errors = np.sqrt(bends[:, :-1] + bends[:, 1:])
    total = errors.sum(axis=1, keepdims=True)
    shares = np.divide(errors, total, out=np.full(errors.shape, 1 / steps), where=total > 0)
    return np.stack([_cut(own, 1 + _whole(steps * share)) for own, share in zip(edges, shares, strict=True)])


def _whole(quotas: np.ndarray) -> np.ndarray:
    """Round numbers to whole ones of the same sum, the largest remainders up."""
    whole = np.floor(quotas).astype(np.int64)
    missing = round(quotas.sum()) - whole.sum()
    whole[np.argsort(whole - quotas, kind="stable")[:missing]] += 1
    return whole


def _cut(edges: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Cut each step into equal pieces."""
    step, nth = expand_counts(pieces)
    starts = edges[step] + np.diff(edges)[step] * nth / pieces[step]
    return np.append(starts, edges[-1])
