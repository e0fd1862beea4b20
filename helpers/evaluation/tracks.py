"""Genome tracks: predictions, coverage, letters, genes and regions one below the other, over a stretch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.data.region_lines import guess_format
from helpers.data.sequence import Bioseq
from helpers.errors import InputError
from helpers.evaluation.gene_tracks import GeneTrack as GeneTrack
from helpers.evaluation.interval_tracks import IntervalTrack as IntervalTrack
from helpers.evaluation.sequence_tracks import SeqTrack as SeqTrack
from helpers.evaluation.sequence_tracks import holds_kmers
from helpers.evaluation.signal_tracks import HeatTrack as HeatTrack
from helpers.evaluation.signal_tracks import LineTrack as LineTrack
from helpers.evaluation.style import DOUBLE_COLUMN, in_style, styled_figure
from helpers.evaluation.track_panels import Track as Track
from helpers.evaluation.track_panels import align_labels, is_path, label_positions, prepare_panels
from helpers.evaluation.track_signal import Stretch as Stretch

PLOT_TYPES = {"line": LineTrack, "heatmap": HeatTrack, "seqplot": SeqTrack}
INCHES_PER_HEIGHT = 0.27
PANEL_SHARE = 0.775  # of a figure's width, about
AXIS_INCHES = 0.6  # that the positions below the panels take
_PANEL_GAP = 0.06  # of an inch, between panels on a given axis
_BIGWIG_ENDINGS = (".bw", ".bigwig")


def plotGenomeTrack(  # noqa: N802 - Janggu's name
    tracks: Any,
    chrom: str,
    start: int,
    end: int,
    figsize: tuple[float, float] | None = None,
    plottypes: str | Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw tracks one below the other.

    Parameters
    ----------
    tracks : Track, dataset, path, table, or a list of these
        From top to bottom. What is no `Track` becomes one, see `as_track`.
    chrom : str
        Name of the chromosome.
    start, end : int
        Stretch in bp, 0-based, half-open.
    figsize : (float, float), optional
        Width and height in inches; by default two columns of a page wide and as high as the tracks need.
    plottypes : str or list of str, optional
        How to draw what is no `Track`, one for each track or one for all: 'line', 'heatmap' or 'seqplot'. Those of a
        `Track` do not count.
    ax : matplotlib.axes.Axes, optional
        Draw here, in panels within this axis (its ``child_axes``), instead of a figure of its own. Labels stand left
        of it; a figure of ``layout="constrained"`` leaves room for them.

    Returns
    -------
    matplotlib.figure.Figure
        One axis per panel, top to bottom; that of `ax` where it is given.

    Raises
    ------
    InputError
        Without tracks, for an empty stretch, an unknown plot type or a wrong number of them, `figsize` beside `ax`, or
        what a track cannot show.
    """
    tracks = _as_tracks(tracks, plottypes)
    if not tracks or not 0 <= start < end:
        message = f"Cannot draw {len(tracks)} tracks over {chrom}:{start}-{end}. Give a track and 0 <= start < end."
        raise InputError(message)
    if ax is not None and figsize is not None:
        message = f"figsize={figsize} is the size of a figure of its own, and ax is part of another. Give one of them."
        raise InputError(message)
    with in_style():
        if ax is not None:
            heights = panel_heights(tracks, (chrom, start, end), ax.get_window_extent().width / ax.figure.dpi)
            axes = _split(ax, heights)
        else:
            width, height = figsize or (DOUBLE_COLUMN, None)
            heights = panel_heights(tracks, (chrom, start, end), PANEL_SHARE * width)
            figure = styled_figure(width, height or AXIS_INCHES + INCHES_PER_HEIGHT * sum(heights))
            axes = list(figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0])
            figure.align_ylabels(axes)
        draw_tracks(axes, tracks, (chrom, start, end))
        if ax is not None:
            align_labels(axes)
    return axes[0].get_figure()


def as_track(data: Any, plottype: str | None = None) -> Track:
    """Make a track of something that is none.

    Parameters
    ----------
    data : Track, dataset, path or pandas.DataFrame
        Without a plot type: a bigWig (.bw, .bigWig) and a dataset become lines; a dataset with a channel for each k-mer
        (a `Bioseq`, the attribution of one) becomes letters; GTF and GFF, and a table with features, become genes; all
        other files and tables become boxes.
    plottype : {'line', 'heatmap', 'seqplot'}, optional
        How to draw it instead; a `Track` stays what it is.

    Raises
    ------
    InputError
        For another plot type.
    """
    if isinstance(data, Track):
        return data
    if plottype is not None:
        if plottype not in PLOT_TYPES:
            message = f"A plot type is one of {', '.join(PLOT_TYPES)}. Received: {plottype!r}."
            raise InputError(message)
        return PLOT_TYPES[plottype](data)
    if isinstance(data, pd.DataFrame):
        return GeneTrack(data) if "feature" in data else IntervalTrack(data)
    if is_path(data):
        if str(data).lower().endswith(_BIGWIG_ENDINGS):
            return LineTrack(data)
        return GeneTrack(data) if guess_format(Path(data)) == "gff" else IntervalTrack(data)
    if holds_kmers(data):
        return SeqTrack(data, 1 if isinstance(data, Bioseq) else 3)
    return LineTrack(data)


def panel_heights(tracks: Sequence[Track], stretch: tuple[str, int, int], width: float) -> list[float]:
    """Give the height of each panel of some tracks over a stretch that is drawn `width` inches wide."""
    return [height for track in tracks for height in track.heights(*stretch, width)]


def draw_tracks(axes: Sequence[Axes], tracks: Sequence[Track], stretch: tuple[str, int, int]) -> None:
    """Draw tracks over a stretch (chrom, start, end), each on its panels, and name the positions below the last."""
    prepare_panels(axes, [label for track in tracks for label in track.labels])
    label_positions(axes, *stretch)
    figure = axes[0].figure.figure
    if figure.get_layout_engine() is not None:
        figure.get_layout_engine().execute(figure)  # tracks ask how wide and high their panels are
    first = 0
    for track in tracks:
        own = list(axes[first : first + len(track.labels)])
        track.plot(own, *stretch)
        first += len(own)
    for axis in axes:
        axis.set_xlim(*stretch[1:])


def _as_tracks(tracks: Any, plottypes: str | Sequence[str] | None) -> list[Track]:
    tracks = list(tracks) if isinstance(tracks, list | tuple) else [tracks]
    plottypes = [plottypes] * len(tracks) if plottypes is None or isinstance(plottypes, str) else list(plottypes)
    if len(plottypes) != len(tracks):
        message = f"{len(plottypes)} plot types for {len(tracks)} tracks. Give one for each track, or leave them out."
        raise InputError(message)
    return [as_track(track, plottype) for track, plottype in zip(tracks, plottypes, strict=True)]


def _split(ax: Axes, heights: Sequence[float]) -> list[Axes]:
    """Split an axis into panels from top to bottom; of itself nothing is shown."""
    ax.set_axis_off()
    inches = ax.get_window_extent().height / ax.figure.dpi
    gap = min(_PANEL_GAP / inches, 0.5 / len(heights))
    share = (1 - gap * (len(heights) - 1)) / sum(heights)
    tops = 1 - np.concatenate([[0], np.cumsum([height * share + gap for height in heights[:-1]])])
    return [
        ax.inset_axes([0, top - height * share, 1, height * share]) for top, height in zip(tops, heights, strict=True)
    ]
