"""Parts that several figures share: their words, headers, boxes and legends."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from helpers.evaluation.style import NOTE_COLOR, SMALL, key_name, value_name

INK = "0.15"
_Y_LABEL_WIDTH = 28  # characters along the y axis
_CHARACTERS_PER_INCH = 17  # of the smallest type
_MANY_POINTS = 10  # over a box: smaller ones
_POINT_SPREAD = 0.22  # of the width of a box, to each side


@dataclass(frozen=True)
class FigureText:
    """Words on a figure that it cannot know itself.

    Parameters
    ----------
    y : str
        Label of the y axis, with metric, split and chromosome: "auPRC (test, chr3)".
    x : str, optional
        Label of the x axis; by default the name of the key.
    note : str, optional
        What a reader must not miss: "simulated data".
    title : str, optional
        What is the same for all that the figure shows: "DanQ, both strands; test on chr8, chr9".
    """

    y: str
    x: str | None = None
    note: str | None = None
    title: str | None = None


def write_note(axis: Axes, note: str) -> None:
    """Write a note over the right end of an axis."""
    axis.set_title(note, loc="right", fontsize=SMALL, color=NOTE_COLOR)


def write_header(figure: Figure, parts: Iterable[str | None]) -> None:
    """Write lines over the whole figure, from its left edge; empty ones are left out, long ones broken."""
    width = int(figure.get_figwidth() * _CHARACTERS_PER_INCH)
    lines = [textwrap.fill(part, width) for part in parts if part]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=SMALL, color=NOTE_COLOR)


def join_notes(*notes: str | None) -> str:
    """Join notes to one line.

    Examples
    --------
    >>> join_notes("simulated data", "", None, "n = 5")
    'simulated data, n = 5'
    """
    return ", ".join(note for note in notes if note)


def signed(value: float) -> str:
    """Write a difference with its sign and three digits.

    Examples
    --------
    >>> signed(0.0123), signed(-0.0123), signed(-0.0001)
    ('+0.012', '−0.012', '0.000')
    """
    return "0.000" if abs(value) < 0.0005 else f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def label_y(axis: Axes, text: str) -> None:
    """Write the label of the y axis, broken where it would be longer than the axis."""
    axis.set_ylabel("\n".join(textwrap.fill(part, _Y_LABEL_WIDTH) for part in text.split("\n")))


def draw_box(
    axis: Axes,
    values: np.ndarray,
    place: tuple[float, float],
    color: str,
    *,
    whiskers: tuple[float, float] = (0, 100),
    fliers: bool = False,
) -> None:
    """Draw a box from quartile to quartile with the median.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        Where.
    values : numpy.ndarray of float, shape (values,)
        At least one, all defined.
    place : (float, float)
        Centre on the x axis, and the width that the box and the gap beside it share.
    color : str
        Of the box, which is filled with a lighter shade.
    whiskers : (float, float)
        Percentiles at which the whiskers end.
    fliers : bool
        Draw values beyond the whiskers as dots.
    """
    center, width = place
    line = {"color": INK, "linewidth": 0.7}
    axis.boxplot(
        values,
        positions=[center],
        widths=0.8 * width,
        whis=whiskers,
        showfliers=fliers,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": _light(color), "edgecolor": INK, "linewidth": 0.7},
        medianprops={"color": INK, "linewidth": 1.4},
        flierprops={"marker": ".", "markersize": 2, "markerfacecolor": color, "markeredgecolor": "none"},
        whiskerprops=line,
        capprops=line,
    )


def draw_points(axis: Axes, values: np.ndarray, place: tuple[float, float], color: str) -> None:
    """Draw all values as points over the box at `place`, side by side in their order."""
    center, width = place
    spread = np.linspace(-_POINT_SPREAD, _POINT_SPREAD, len(values)) * width if len(values) > 1 else np.zeros(1)
    look = {"s": 6, "linewidth": 0.3} if len(values) > _MANY_POINTS else {"s": 12, "linewidth": 0.5}
    axis.scatter(center + spread, values, color=color, edgecolor=INK, zorder=3, **look)


def side_by_side(number: int, shades: int, width: float) -> list[float]:
    """Give the centres of some boxes around one place on the x axis, the middle at 0.

    Parameters
    ----------
    number : int
        How many boxes stand at this place.
    shades : int
        How many stand at the fullest place; a lone box stands in the middle.
    width : float
        Share of the distance between two places that `shades` boxes take.

    Examples
    --------
    >>> side_by_side(2, 2, 0.8), side_by_side(1, 2, 0.8)
    ([-0.2, 0.2], [0.0])
    """
    return [float((index - (number - 1) / 2) * width / shades) for index in range(number)]


def hue_handles(hue: str, colors: Mapping[str, str]) -> Sequence[Line2D | Patch]:
    """Make the entries of a legend: the name of a key, then a patch for each value, coloured as its boxes."""
    title = Line2D([], [], linestyle="none", label=f"{key_name(hue)}:")
    boxes = [
        Patch(facecolor=_light(c), edgecolor=INK, linewidth=0.7, label=value_name(hue, value))
        for value, c in colors.items()
    ]
    return [title, *boxes]


def _light(color: str) -> tuple[str, float]:
    return (color, 0.4)
