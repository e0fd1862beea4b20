"""Tracks of values: `LineTrack` and `HeatTrack`."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.ticker import FuncFormatter, MaxNLocator

from helpers.errors import InputError
from helpers.evaluation.style import COLORS, HEAT_COLORS, PALETTE, SMALL
from helpers.evaluation.track_panels import Track, strand_colors
from helpers.evaluation.track_signal import read_signal, runs_of_equal, take_strand

_SIGNS = {"+": "+", "-": "−"}


class LineTrack(Track):
    """Coverage or predictions as a line, one panel for each condition.

    With two strands the forward strand stands up and the reverse strand hangs down, each in its colour; values below
    zero (z-scores) are drawn as they are, the reverse strand then dashed. Positions that are not finite are left out.

    Parameters
    ----------
    data : path or Cover-like
        A bigWig file, a dataset that gives shape (1, positions, strands, conditions) at ``data[chrom, start, end]``, or
        a `Stretch`.
    height : float
        Height of each panel.
    label : str, optional
        Stands left of the track.
    ylim : (float, float), optional
        Range of the y axis; by default that of the values.
    strand : {None, '+', '-'}
        Strand to draw, upright; by default all that there are.
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
        strand: str | None = None,
        **line: Any,
    ):
        super().__init__(data, height, label=label, color=line.pop("color", None), strand=strand)
        self.ylim = ylim
        self.line = {"linewidth": 1.0, **line}

    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw one panel per condition."""
        signal = take_strand(read_signal(self.data, chrom, start, end), self.strand, self.own_label)
        colors = strand_colors(self.color, COLORS["strand"])
        for axis, condition in zip(axes, np.moveaxis(signal, -1, 0), strict=True):
            if condition.shape[1] == 2:
                self._plot_strands(axis, condition, start, colors)
            else:
                single = colors[self.strand] if self.strand else self.color if isinstance(self.color, str) else None
                self._draw(axis, condition[:, 0], start, color=single or PALETTE[0])
            if self.ylim is not None:
                axis.set_ylim(self.ylim)

    def _plot_strands(self, axis: Axes, values: np.ndarray, start: int, colors: dict[str, str]) -> None:
        forward, reverse = values.T
        mirrored = not (values[np.isfinite(values)] < 0).any()
        self._draw(axis, forward, start, color=colors["+"], label=_SIGNS["+"])
        style = {} if mirrored else {"linestyle": "--"}
        self._draw(axis, -reverse if mirrored else reverse, start, color=colors["-"], label=_SIGNS["-"], **style)
        if mirrored:
            axis.axhline(0, color="0.3", linewidth=0.5)
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
        _name_strands(axis, colors)

    def _draw(self, axis: Axes, values: np.ndarray, start: int, **style: Any) -> None:
        positions, heights = _steps(values, start)
        axis.plot(positions, heights, **{**self.line, **style})
        axis.fill_between(positions, heights, 0, color=style["color"], alpha=0.25, linewidth=0)


class HeatTrack(Track):
    """Values as shades, one panel with a row for each condition and strand.

    Rows follow the conditions from top to bottom, the forward strand above the reverse strand. Values that are nowhere
    below zero go from white to dark; others from blue over white (zero) to red. Positions that are not finite are grey.

    Parameters
    ----------
    data : path or Cover-like
        As in `LineTrack`.
    height : float
        Height of the panel, all rows together.
    label : str, optional
        Stands left of the track.
    ylim : (float, float), optional
        Values of the two ends of the colours; by default the range of the values, and 0. Zero stays white: where both
        ends are below it, such as (-2, -1), the colours go on to as much above it, from -2 to 2.
    strand : {None, '+', '-'}
        Strand to draw; by default all that there are.
    cmap : str, optional
        Name of a colour map of matplotlib.
    """

    one_panel = True

    def __init__(
        self,
        data: Any,
        height: float = 3,
        *,
        label: str | None = None,
        ylim: tuple[float, float] | None = None,
        strand: str | None = None,
        cmap: str | None = None,
    ):
        super().__init__(data, height, label=label, strand=strand)
        self.ylim = ylim
        self.cmap = cmap

    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw the rows and a small scale of their colours."""
        signal = take_strand(read_signal(self.data, chrom, start, end), self.strand, self.own_label)
        n_positions, n_strands, n_conditions = signal.shape
        rows = np.where(np.isfinite(signal), signal, np.nan).transpose(0, 2, 1).reshape(n_positions, -1)
        edges = runs_of_equal(rows)
        norm = _scale(rows, self.ylim)
        axis = axes[0]
        axis.set_facecolor("0.8")
        shades = axis.pcolormesh(
            edges + start,
            np.arange(rows.shape[1] + 1),
            np.ma.masked_invalid(rows[edges[:-1]].T),
            cmap=self.cmap or HEAT_COLORS["signed" if isinstance(norm, TwoSlopeNorm) else "counts"],
            norm=norm,
            rasterized=True,
        )
        axis.set_ylim(rows.shape[1], 0)
        axis.set_yticks(np.arange(rows.shape[1]) + 0.5, _row_names(self.data, n_conditions, n_strands, self.strand))
        axis.tick_params(axis="y", length=0, labelsize=SMALL)
        for spine in ("left", "bottom"):
            axis.spines[spine].set_visible(False)
        bar = axis.get_figure().colorbar(shades, cax=axis.inset_axes([1.01, 0.05, 0.01, 0.9]))
        bar.locator = MaxNLocator(2, steps=[1, 2, 5, 10], min_n_ticks=2)
        bar.outline.set_linewidth(0.4)
        bar.ax.tick_params(labelsize=SMALL, length=2, pad=1.5)


def _scale(values: np.ndarray, limits: tuple[float, float] | None) -> Normalize:
    """Make the scale of the colours: around 0 if there are values below."""
    if limits is not None and not (len(limits) == 2 and limits[0] < limits[1]):
        message = f"ylim of a HeatTrack goes from a lower to a higher value. Received: ylim={limits}."
        raise InputError(message)
    known = values[np.isfinite(values)]
    low, high = limits or (min(known.min(initial=0.0), 0.0), max(known.max(initial=0.0), 0.0))
    if low < 0:
        most = max(-low, high)
        return TwoSlopeNorm(0, *((low, high) if limits and high > 0 else (-most, most)))
    return Normalize(low, high if high > low else low + 1)


def _row_names(data: Any, n_conditions: int, n_strands: int, strand: str | None) -> list[str]:
    """Name each row of a heat map: by its condition if there are several, by its strand if there are two."""
    names = [str(name) for name in getattr(data, "conditions", None) or []]
    names = names if len(names) == n_conditions > 1 else [""] * n_conditions
    signs = list(_SIGNS.values()) if n_strands == 2 else [_SIGNS[strand] if strand else ""]
    return [f"{name} {sign}".strip() for name in names for sign in signs]


def _steps(values: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn values per base into the corners of a line: two for each run of equal values, NaN where there is none."""
    values = np.where(np.isfinite(values), values, np.nan)
    edges = runs_of_equal(values)
    return np.repeat(edges, 2)[1:-1] + start, np.repeat(values[edges[:-1]], 2)


def _name_strands(axis: Axes, colors: dict[str, str]) -> None:
    for strand, height, side in (("+", 0.95, "top"), ("-", 0.05, "bottom")):
        place = {"transform": axis.transAxes, "ha": "left", "va": side, "fontweight": "bold"}
        axis.text(1.005, height, _SIGNS[strand], color=colors[strand], **place)
