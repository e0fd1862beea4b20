"""Where names of points can stand so that none lies over another."""

from collections.abc import Sequence

import numpy as np

_ANGLES = np.deg2rad(np.arange(0, 360, 15))
_STEPS = np.arange(30)  # distances that are tried, the smallest first, in units of 1/30 of the smaller side
_ROUNDS = 3  # in which every label is placed again
_SAMPLES = np.linspace(0, 1, 16)  # along a leader line
_COVERED = 12.0  # px of distance that a label goes to cover one point less
_PASSED = 6.0  # the same, for its leader line to pass over one point less
_CROSSED = 60.0  # the same, for one crossing of lines, or of a line and a label, less
_MISSING = 1e6  # the same, for a label that has no room
_NEAR = 3.0  # px from a line within which a point lies under it


def place_labels(
    anchors: np.ndarray,
    sizes: np.ndarray,
    *,
    points: np.ndarray,
    bounds: tuple[float, float, float, float],
    gap: float = 4,
) -> np.ndarray:
    """Choose a place for the label of each of some points: near it, over no other label and over few points.

    Labels are placed one after the other, each at the best of the places around its point that are still free; then
    each is placed again beside all others. This is done in several orders, of which the best outcome is taken. The same
    arguments give the same places.

    Parameters
    ----------
    anchors : numpy.ndarray of float, shape (labels, 2)
        The points that are labelled (x, y), in px.
    sizes : numpy.ndarray of float, shape (labels, 2)
        Width and height of each label, in px.
    points : numpy.ndarray of float, shape (points, 2)
        All points that a label should not cover, in px.
    bounds : (float, float, float, float)
        x0, y0, x1, y1 of the area that labels stay in, in px.
    gap : float
        Between two labels, and from a label to its point, in px.

    Returns
    -------
    numpy.ndarray of float, shape (labels, 2)
        Centre of each label; NaN where there is no room for it.

    Examples
    --------
    >>> at = np.array([[50.0, 50.0], [52.0, 50.0]])
    >>> place_labels(at, np.full((2, 2), 10.0), points=at, bounds=(0, 0, 100, 100)).round().tolist()
    [[59.0, 50.0], [43.0, 52.0]]
    """
    anchors, sizes, points = (np.asarray(values, dtype=float).reshape(-1, 2) for values in (anchors, sizes, points))
    choices = [_choices(anchor, size, points, bounds, gap) for anchor, size in zip(anchors, sizes, strict=True)]
    by_x = np.argsort(anchors[:, 0], kind="stable")
    outcomes = [
        _place_in_order(order, choices, anchors, sizes, gap) for order in (range(len(anchors)), by_x, by_x[::-1])
    ]
    return min(outcomes, key=lambda outcome: outcome[1])[0]


def _place_in_order(
    order: Sequence[int],
    choices: Sequence[tuple[np.ndarray, np.ndarray]],
    anchors: np.ndarray,
    sizes: np.ndarray,
    gap: float,
) -> tuple[np.ndarray, float]:
    """Place all labels one after the other, several times; return their centres and what they cost together."""
    centers = np.full(anchors.shape, np.nan)
    paid = np.full(len(anchors), _MISSING)
    for index in [*order] * _ROUNDS:
        centers[index], paid[index] = np.nan, _MISSING
        placed = np.isfinite(centers[:, 0])
        candidates, costs = choices[index]
        room = (sizes[placed] + sizes[index]) / 2 + gap
        free = (np.abs(candidates[:, None] - centers[placed]) >= room).any(axis=2).all(axis=1)
        candidates, costs = candidates[free], costs[free]
        if len(candidates):
            others = (anchors[placed], centers[placed], sizes[placed])
            costs = costs + _CROSSED * _crossings(candidates, anchors[index], sizes[index], others)
            centers[index], paid[index] = candidates[costs.argmin()], costs.min()
    return centers, float(paid.sum())


def nearest_in_box(point: np.ndarray, center: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Give the point of a box that is nearest to a point: where a leader line ends.

    Examples
    --------
    >>> nearest_in_box(np.array([0, 0]), np.array([10, 10]), np.array([30, 4])).tolist()
    [0.0, 8.0]
    """
    return np.clip(point, center - size / 2, center + size / 2)


def _choices(
    anchor: np.ndarray, size: np.ndarray, points: np.ndarray, bounds: tuple[float, float, float, float], gap: float
) -> tuple[np.ndarray, np.ndarray]:
    """List the centres that a label can have, in all directions at growing distances, and what each costs by itself.

    A place costs the length of its leader line, the points below the label and those below the line.
    """
    directions = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
    reach = np.min((size / 2 + gap) / np.maximum(np.abs(directions), 1e-9), axis=1)
    step = min(bounds[2] - bounds[0], bounds[3] - bounds[1]) / len(_STEPS)
    distances = reach[:, None] + step * _STEPS
    candidates = anchor + (distances[..., None] * directions[:, None]).reshape(-1, 2)
    inside = ((candidates - size / 2 >= bounds[:2]) & (candidates + size / 2 <= bounds[2:])).all(axis=1)
    candidates = candidates[inside]
    lines = nearest_in_box(anchor, candidates, size) - anchor
    lengths = np.hypot(*lines.T)
    covered = (np.abs(candidates[:, None] - points) < size / 2 + 1).all(axis=2).sum(axis=1)
    to_points = points - anchor
    along = np.clip(lines @ to_points.T / np.square(lengths)[:, None], 0, 1)
    away = np.hypot(*np.moveaxis(to_points - along[..., None] * lines[:, None], 2, 0))
    return candidates, lengths + _COVERED * covered + _PASSED * (away < _NEAR).sum(axis=1)


def _crossings(
    candidates: np.ndarray, anchor: np.ndarray, size: np.ndarray, placed: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> np.ndarray:
    """Count what each candidate would cross: placed lines by its label or its line, placed labels by its line."""
    starts, centers, sizes = placed
    ends = nearest_in_box(starts, centers, sizes)
    own_ends = nearest_in_box(anchor, candidates, size)
    other_lines = starts[:, None] + _SAMPLES[:, None] * (ends - starts)[:, None]
    own_lines = anchor + _SAMPLES[:, None] * (own_ends - anchor)[:, None]
    over_lines = (np.abs(candidates[:, None, None] - other_lines) < size / 2 + 1).all(axis=3).any(axis=2)
    over_labels = (np.abs(own_lines[:, None] - centers[:, None]) < sizes[:, None] / 2 + 1).all(axis=3).any(axis=2)
    sides = [_side(anchor, own_ends[:, None], point) for point in (starts[None], ends[None])]
    other_sides = [_side(starts[None], ends[None], point) for point in (anchor, own_ends[:, None])]
    cross = (sides[0] * sides[1] < 0) & (other_sides[0] * other_sides[1] < 0)
    return over_lines.sum(axis=1) + over_labels.sum(axis=1) + cross.sum(axis=1)


def _side(start: np.ndarray, end: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Positive where a point lies left of the line from start to end."""
    line, to_point = end - start, point - start
    return line[..., 0] * to_point[..., 1] - line[..., 1] * to_point[..., 0]
