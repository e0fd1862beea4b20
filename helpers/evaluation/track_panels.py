"""What all genome tracks share: a height, a label, a colour, and panels to draw on."""

import os
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from helpers.errors import InputError
from helpers.evaluation.style import SMALL

LABEL_WIDTH = 18  # characters
STRANDS = (None, "+", "-")
POINTS_PER_INCH = 72
INK = "0.15"
_LABEL_GAP = 0.16  # inches, a tick and its pad among them


class Track(ABC):
    """One track of a figure; subclasses draw it.

    Parameters
    ----------
    data : object
        What is drawn: see the subclass.
    height : float
        Height of each panel, in units that all tracks of a figure share.
    label : str, optional
        Stands left of the track; by default the names of the conditions if there are several, else the name of the
        dataset or the stem of the file.
    color : str or mapping, optional
        Any colour of matplotlib. What has two strands takes one for each too: ``{"+": "navy", "-": "plum"}``.
    strand : {None, '+', '-'}
        Strand to draw; by default all that there are.

    Attributes
    ----------
    one_panel : bool
        Of the class: one panel for all conditions.

    Raises
    ------
    InputError
        For a height that is not above 0, or another strand.
    """

    one_panel: ClassVar[bool] = False

    def __init__(
        self,
        data: Any,
        height: float = 3,
        *,
        label: str | None = None,
        color: str | Mapping[str, str] | None = None,
        strand: str | None = None,
    ):
        check_strand(strand)
        if height <= 0:
            message = f"height of a track must be above 0. Received: {height}."
            raise InputError(message)
        self.data = data
        self.height = height
        self.label = label
        self.color = color
        self.strand = strand

    @property
    def labels(self) -> list[str]:
        """Label of each panel; their number is the number of panels."""
        conditions = [str(name) for name in getattr(self.data, "conditions", None) or []]
        if len(conditions) > 1 and not self.one_panel:
            return [f"{self.label} {name}" if self.label else name for name in conditions]
        return [self.own_label]

    @property
    def own_label(self) -> str:
        """Label of the whole track."""
        return self.label if self.label is not None else name_of(self.data)

    def heights(self, chrom: str, start: int, end: int, width: float) -> list[float]:
        """Give the height of each panel over a stretch that is drawn `width` inches wide."""
        return [self.height for _ in self.labels]

    @abstractmethod
    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw [start, end) of a chromosome (bp, 0-based) on as many axes as there are labels."""


def is_path(data: Any) -> bool:
    """Say whether this names a file."""
    return isinstance(data, str | os.PathLike)


def name_of(data: Any) -> str:
    """Give the stem of a file, or the name of a dataset; empty where it has none."""
    if is_path(data):
        name = Path(data).name.removesuffix(".gz").removesuffix(".bgz")
        return Path(name).stem
    return "" if isinstance(data, pd.DataFrame) else str(getattr(data, "name", ""))


def check_strand(strand: str | None) -> None:
    """Raise InputError unless it is None, '+' or '-'."""
    if strand not in STRANDS:
        message = f"strand of a track is '+', '-' or None (what there is). Received: strand={strand!r}."
        raise InputError(message)


def strand_colors(color: str | Mapping[str, str] | None, defaults: Mapping[str, str]) -> dict[str, str]:
    """Give the colour of each strand: of a mapping its own, of one colour that for both.

    Examples
    --------
    >>> strand_colors({"-": "red"}, {"+": "navy", "-": "plum"})
    {'+': 'navy', '-': 'red'}
    """
    if isinstance(color, Mapping):
        return {**defaults, **color}
    return dict.fromkeys(defaults, color) if color else dict(defaults)


def prepare_panels(axes: Sequence[Axes], labels: Sequence[str]) -> None:
    """Write the labels of panels, and leave out of them what the last panel shows for all."""
    for axis, label in zip(axes, labels, strict=True):
        text = textwrap.fill(label, LABEL_WIDTH, break_long_words=False)
        axis.set_ylabel(text, rotation=0, ha="right", va="center")
        axis.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10], min_n_ticks=2))
        axis.spines["bottom"].set_visible(False)
        axis.tick_params(axis="x", bottom=False, labelbottom=False)


def label_positions(axes: Sequence[Axes], chrom: str, start: int, end: int) -> None:
    """Set the stretch of all panels, and name the positions below the last one."""
    for axis in axes:
        axis.set_xlim(start, end)
    last = axes[-1]
    last.spines["bottom"].set_visible(True)
    last.tick_params(axis="x", bottom=True, labelbottom=True)
    last.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], integer=True))
    last.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    last.set_xlabel(f"position on {chrom} (bp)")


def align_labels(axes: Sequence[Axes]) -> None:
    """Put the labels of panels that lie within another axis one below the other, left of all numbers."""
    widths = []
    for axis in axes:
        axis.yaxis.label.set_visible(False)
        box = axis.yaxis.get_tightbbox()
        widths.append(0.0 if box is None else box.width / axis.figure.dpi)
        axis.yaxis.label.set_visible(True)
    for axis in axes:
        left = ScaledTranslation(-max(widths) - _LABEL_GAP, 0, axis.figure.dpi_scale_trans)
        axis.yaxis.set_label_coords(0, 0.5, transform=axis.transAxes + left)


def show_no_values(axis: Axes) -> None:
    """Give a panel without a y axis: what it shows has no height."""
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)


def panel_points(axis: Axes) -> tuple[float, float]:
    """Give width and height of an axis in points; numbers on its sides that come later may take a little of them."""
    locator = axis.get_axes_locator()
    if locator is not None:
        axis.apply_aspect(locator(axis, None))
    box = axis.get_window_extent()
    scale = POINTS_PER_INCH / axis.figure.dpi
    return box.width * scale, box.height * scale


@cache
def text_width(text: str, size: float = SMALL) -> float:
    """Give the width of a text in points."""
    if not text:
        return 0.0
    return TextPath((0, 0), text, size=size, prop=FontProperties(family=["DejaVu Sans"])).get_extents().width


def ink_on(color: str) -> str:
    """Choose black or white, whichever is read better on a colour.

    Examples
    --------
    >>> ink_on("0.15"), ink_on("#E69F00")
    ('white', 'black')
    """
    red, green, blue = to_rgb(color)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else "white"
