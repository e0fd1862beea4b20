"""Sequence logos: letters as vector paths, as high as a value of their base."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from helpers.errors import InputError
from helpers.evaluation.style import COLORS

BASES = "ACGT"
_LETTER_WIDTH = 0.94  # of the width of a base
_PALER = 0.5  # share of white in the colour of letters below zero
_BLOCK = Path([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], closed=True)


def draw_logo(
    axis: Axes, heights: np.ndarray, *, start: float = 0, colors: Mapping[str, str] | None = None, letters: bool = True
) -> list[PathPatch]:
    """Draw letters as high as the values of their bases.

    Values above zero stand on each other from zero upwards, those below hang from zero downwards, upside down and
    paler; the largest is the outermost. Zeros and values that are not finite are left out.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        Its limits grow to hold what is drawn.
    heights : numpy.ndarray of float, shape (positions, 4)
        Height of A, C, G and T at each position, such as attributions, or bits of a motif.
    start : float
        Left edge of the first position; each is 1 wide.
    colors : mapping of str to str, optional
        Colour of each base; by default those that the bases have in all figures.
    letters : bool
        False draws plain blocks, which are told apart where letters would be too narrow.

    Returns
    -------
    list of matplotlib.patches.PathPatch
        One for each base and sign that occurs, named so: its gid is ``A+``, ``A-``, ``C+`` ...

    Raises
    ------
    InputError
        For another shape, or when a base has no colour.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axis = Figure().subplots()
    >>> [patch.get_gid() for patch in draw_logo(axis, [[1, 0, 0, 0], [0, 0.5, 0, -2]])]
    ['A+', 'C+', 'T-']
    >>> axis.dataLim.intervaly
    array([-2.,  1.])
    """
    heights = np.asarray(heights, dtype=float)
    colors = COLORS["base"] if colors is None else colors
    if heights.ndim != 2 or heights.shape[1] != len(BASES) or not set(BASES) <= set(colors):
        message = (
            f"A logo needs heights of shape (positions, 4) and a colour for each of A, C, G, T. Received: shape "
            f"{heights.shape}, colors for {', '.join(colors)}."
        )
        raise InputError(message)
    heights = np.where(np.isfinite(heights), heights, 0.0)
    bottoms = stack_letters(heights)
    patches = []
    for column, base in enumerate(BASES):
        glyph = _glyph(base) if letters else _BLOCK
        for sign, there in (("+", heights[:, column] > 0), ("-", heights[:, column] < 0)):
            if not there.any():
                continue
            color = to_rgb(colors[base]) if sign == "+" else _paler(colors[base])
            path = _place(glyph, start + np.flatnonzero(there), bottoms[there, column], heights[there, column])
            # The edge of a block keeps a single base visible over thousands.
            patches.append(PathPatch(path, facecolor=color, edgecolor=color, linewidth=0 if letters else 0.3))
            patches[-1].set_gid(base + sign)
    for patch in patches:
        axis.add_artist(patch)  # add_patch would search all its curves for their extremes, which are known
    if patches:
        low, high = heights.clip(max=0).sum(axis=1).min(), heights.clip(min=0).sum(axis=1).max()
        axis.update_datalim([(start, low), (start + len(heights), high)])
    axis.autoscale_view()
    return patches


def stack_letters(heights: np.ndarray) -> np.ndarray:
    """Find where each letter begins, seen from zero: behind all smaller ones of its sign.

    Parameters
    ----------
    heights : numpy.ndarray of float, shape (positions, letters)

    Returns
    -------
    numpy.ndarray of float, shape (positions, letters)
        Of equal letters, the first of the alphabet lies inside.

    Examples
    --------
    >>> stack_letters(np.array([[3.0, 1.0, -2.0, -1.0]]))
    array([[ 1.,  0., -1.,  0.]])
    """
    order = np.argsort(np.abs(heights), axis=1, kind="stable")
    ranked = np.take_along_axis(heights, order, axis=1)
    inner = np.zeros_like(ranked)
    for sign in (1, -1):
        own = np.where(np.sign(ranked) == sign, ranked, 0.0)
        inner = np.where(own != 0, np.cumsum(own, axis=1) - own, inner)
    bottoms = np.empty_like(inner)
    np.put_along_axis(bottoms, order, inner, axis=1)
    return bottoms


def _place(glyph: Path, lefts: np.ndarray, bottoms: np.ndarray, heights: np.ndarray) -> Path:
    """Repeat a shape of width and height 1; a height below zero turns it upside down."""
    scale = np.stack([np.ones_like(heights), heights], axis=-1)[:, None]
    corners = np.stack([lefts, bottoms], axis=-1)[:, None]
    vertices = (glyph.vertices * scale + corners).reshape(-1, 2)
    return Path(vertices, np.tile(glyph.codes, len(heights)))


@cache
def _glyph(letter: str) -> Path:
    """Give the outline of a letter, stretched to fill a box of width and height 1."""
    outline = TextPath((0, 0), letter, size=1, prop=FontProperties(family=["DejaVu Sans"], weight="bold"))
    box = outline.get_extents()
    vertices = (outline.vertices - box.min) / box.size
    # The point that closes a curve is never drawn, but counts for the limits of an axis.
    closing = outline.codes == Path.CLOSEPOLY
    vertices[closing] = vertices[np.flatnonzero(closing) - 1]
    return Path(vertices * [_LETTER_WIDTH, 1] + [(1 - _LETTER_WIDTH) / 2, 0], outline.codes)


def _paler(color: str) -> tuple[float, ...]:
    return tuple(_PALER + (1 - _PALER) * part for part in to_rgb(color))
