"""Genome tracks: predictions, coverage and regions one below the other, over one stretch of a chromosome."""

import os
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyBigWig
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from helpers.errors import InputError
from helpers.evaluation.style import COLORS, DOUBLE_COLUMN, PALETTE, in_style, styled_figure

_INCHES_PER_HEIGHT = 0.27
_LABEL_WIDTH = 18  # characters


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
    color : str, optional
        Any colour of matplotlib.
    """

    def __init__(self, data: Any, height: float = 3, *, label: str | None = None, color: str | None = None):
        if height <= 0:
            message = f"height of a track must be above 0. Received: {height}."
            raise InputError(message)
        self.data = data
        self.height = height
        self.label = label
        self.color = color

    @property
    def labels(self) -> list[str]:
        """Label of each panel; their number is the number of panels."""
        conditions = [str(name) for name in getattr(self.data, "conditions", None) or []]
        if len(conditions) > 1:
            return [f"{self.label} {name}" if self.label else name for name in conditions]
        return [self.label if self.label is not None else _name(self.data)]

    @abstractmethod
    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw [start, end) of a chromosome (bp, 0-based) on as many axes as there are labels."""


class LineTrack(Track):
    """Coverage or predictions as a line, one panel for each condition.

    With two strands the forward strand stands up and the reverse strand hangs down, each in its colour; values below
    zero (z-scores) are drawn as they are, the reverse strand then dashed. Positions that are not finite are left out.

    Parameters
    ----------
    data : path or Cover-like
        A bigWig file, or a dataset that gives shape (1, positions, strands, conditions) at ``data[chrom, start, end]``.
    height : float
        Height of each panel.
    label : str, optional
        Stands left of the track.
    ylim : (float, float), optional
        Range of the y axis; by default that of the values.
    **line
        linestyle, marker, color, linewidth and all else that ``matplotlib.axes.Axes.plot`` takes.
    """

    def __init__(
        self,
        data: Any,
        height: float = 3,
        *,
        label: str | None = None,
        ylim: tuple[float, float] | None = None,
        **line: Any,
    ):
        super().__init__(data, height, label=label, color=line.pop("color", None))
        self.ylim = ylim
        self.line = {"linewidth": 1.0, **line}

    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw one panel per condition."""
        signal = _read_signal(self.data, chrom, start, end)
        for axis, condition in zip(axes, np.moveaxis(signal, -1, 0), strict=True):
            if condition.shape[1] == 2:
                self._plot_strands(axis, condition, start)
            else:
                self._draw(axis, condition[:, 0], start, color=self.color or PALETTE[0])
            if self.ylim is not None:
                axis.set_ylim(self.ylim)

    def _plot_strands(self, axis: Axes, values: np.ndarray, start: int) -> None:
        forward, reverse = values.T
        mirrored = not (values[np.isfinite(values)] < 0).any()
        colors = {"+": self.color or COLORS["strand"]["+"], "-": self.color or COLORS["strand"]["-"]}
        self._draw(axis, forward, start, color=colors["+"], label="+")
        style = {} if mirrored else {"linestyle": "--"}
        self._draw(axis, -reverse if mirrored else reverse, start, color=colors["-"], label="−", **style)
        if mirrored:
            axis.axhline(0, color="0.3", linewidth=0.5)
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
        _name_strands(axis, colors)

    def _draw(self, axis: Axes, values: np.ndarray, start: int, **style: Any) -> None:
        positions, heights = _steps(values, start)
        axis.plot(positions, heights, **{**self.line, **style})
        axis.fill_between(positions, heights, 0, color=style["color"], alpha=0.25, linewidth=0)


class IntervalTrack(Track):
    """Regions (peaks, genes) as boxes.

    Parameters
    ----------
    data : pandas.DataFrame
        Region table: chrom, start, end (0-based, half-open).
    height : float
        Height of the panel.
    label, color : str, optional
        As in `Track`.
    """

    def __init__(self, data: pd.DataFrame, height: float = 1, *, label: str | None = None, color: str | None = None):
        super().__init__(data, height, label=label, color=color)

    @property
    def labels(self) -> list[str]:
        """One panel."""
        return [self.label or ""]

    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw a box for each region that touches the stretch."""
        inside = self.data[(self.data["chrom"] == chrom) & (self.data["start"] < end) & (self.data["end"] > start)]
        boxes = [
            Rectangle((left, 0.2), right - left, 0.6)
            for left, right in zip(inside["start"], inside["end"], strict=True)
        ]
        # The edge keeps a site of one base visible over thousands.
        color = self.color or "0.15"
        axes[0].add_collection(PatchCollection(boxes, facecolor=color, edgecolor=color, linewidth=1))
        axes[0].set_ylim(0, 1)
        axes[0].set_yticks([])
        axes[0].spines["left"].set_visible(False)


def plotGenomeTrack(  # noqa: N802 - Janggu's name
    tracks: Any, chrom: str, start: int, end: int, figsize: tuple[float, float] | None = None
) -> Figure:
    """Draw tracks one below the other.

    Parameters
    ----------
    tracks : Track, Cover-like, path of a bigWig, or a list of these
        From top to bottom; what is no `Track` is drawn as a `LineTrack`.
    chrom : str
        Name of the chromosome.
    start, end : int
        Stretch in bp, 0-based, half-open.
    figsize : (float, float), optional
        Width and height in inches; by default two columns of a page wide and as high as the tracks need.

    Returns
    -------
    matplotlib.figure.Figure
        One axis per panel, top to bottom.

    Raises
    ------
    InputError
        Without tracks, for an empty stretch, or when a bigWig does not have the chromosome.
    """
    tracks = [track if isinstance(track, Track) else LineTrack(track) for track in _as_list(tracks)]
    if not tracks or not 0 <= start < end:
        message = f"Cannot draw {len(tracks)} tracks over {chrom}:{start}-{end}. Give a track and 0 <= start < end."
        raise InputError(message)
    heights = [track.height for track in tracks for _ in track.labels]
    width, height = figsize or (DOUBLE_COLUMN, 0.6 + _INCHES_PER_HEIGHT * sum(heights))
    with in_style():
        figure = styled_figure(width, height)
        axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        first = 0
        for track in tracks:
            own = list(axes[first : first + len(track.labels)])
            for axis, label in zip(own, track.labels, strict=True):
                _prepare(axis, label)
            track.plot(own, chrom, start, end)
            first += len(own)
        _label_positions(axes, chrom, start, end)
        figure.align_ylabels(axes)
    return figure


def _as_list(tracks: Any) -> list:
    return list(tracks) if isinstance(tracks, list | tuple) else [tracks]


def _name(data: Any) -> str:
    return Path(data).stem if isinstance(data, str | os.PathLike) else str(getattr(data, "name", ""))


def _read_signal(data: Any, chrom: str, start: int, end: int) -> np.ndarray:
    """Read shape (positions, strands, conditions) from a bigWig or a dataset; outside the contig NaN for a bigWig."""
    if not isinstance(data, str | os.PathLike):
        return np.asarray(data[chrom, start, end][0], dtype=float)
    if not Path(data).is_file():
        message = f"There is no bigWig file {data}. Make it first, or leave its track out."
        raise InputError(message)
    with pyBigWig.open(os.fspath(data)) as track:
        size = track.chroms(chrom)
        if size is None:
            message = f"{data} has no chromosome {chrom!r}. It has {', '.join(list(track.chroms())[:5])} ..."
            raise InputError(message)
        values = np.full(end - start, np.nan)
        if start < size:
            values[: size - start] = track.values(chrom, start, min(end, size))
    return values[:, None, None]


def _steps(values: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn values per base into the corners of a line: two for each run of equal values, NaN where there is none."""
    values = np.where(np.isfinite(values), values, np.nan)
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    edges = np.concatenate([[0], np.flatnonzero(~same) + 1, [len(values)]])
    return np.repeat(edges, 2)[1:-1] + start, np.repeat(values[edges[:-1]], 2)


def _prepare(axis: Axes, label: str) -> None:
    text = textwrap.fill(label, _LABEL_WIDTH, break_long_words=False)
    axis.set_ylabel(text, rotation=0, ha="right", va="center")
    axis.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10], min_n_ticks=2))
    axis.spines["bottom"].set_visible(False)
    axis.tick_params(axis="x", bottom=False, labelbottom=False)


def _name_strands(axis: Axes, colors: dict[str, str]) -> None:
    for strand, sign, height in (("+", "+", 0.95), ("-", "−", 0.05)):
        side = "top" if strand == "+" else "bottom"
        place = {"transform": axis.transAxes, "ha": "left", "va": side, "fontweight": "bold"}
        axis.text(1.005, height, sign, color=colors[strand], **place)


def _label_positions(axes: Iterable[Axes], chrom: str, start: int, end: int) -> None:
    last = list(axes)[-1]
    last.set_xlim(start, end)
    last.spines["bottom"].set_visible(True)
    last.tick_params(axis="x", bottom=True, labelbottom=True)
    last.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], integer=True))
    last.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    last.set_xlabel(f"position on {chrom} (bp)")
