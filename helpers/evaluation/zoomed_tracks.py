"""Two groups of genome tracks: a locus, and below it a short stretch of it, base by base."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from matplotlib.patheffects import withStroke

from helpers.errors import InputError
from helpers.evaluation.style import DOUBLE_COLUMN, in_style, styled_figure
from helpers.evaluation.tracks import AXIS_INCHES, INCHES_PER_HEIGHT, PANEL_SHARE, as_track, draw_tracks, panel_heights

_MARK = {"color": "0.55", "alpha": 0.35, "linewidth": 0, "zorder": 0}
_LINE = {"color": "0.6", "linewidth": 0.6, "zorder": -1}  # below the numbers that it passes


class Zoom(NamedTuple):
    """A stretch that is drawn larger, with tracks of its own; bp, 0-based, half-open."""

    tracks: Sequence[Any]
    chrom: str
    start: int
    end: int


def plot_zoomed(tracks: Sequence[Any], chrom: str, start: int, end: int, *, zoom: Zoom) -> Figure:
    """Draw tracks over a locus, and others over a stretch of it below; the stretch is marked on all panels above.

    Parameters
    ----------
    tracks, chrom, start, end
        As in `helpers.evaluation.tracks.plotGenomeTrack`.
    zoom : Zoom
        The stretch within the locus, and its tracks.

    Returns
    -------
    matplotlib.figure.Figure
        One axis per panel, top to bottom, two columns of a page wide.

    Raises
    ------
    InputError
        Without tracks, or for a stretch that does not lie within the locus.
    """
    if zoom.chrom != chrom or not 0 <= start <= zoom.start < zoom.end <= end:
        message = (
            f"The stretch {zoom.chrom}:{zoom.start}-{zoom.end} does not lie within the locus {chrom}:{start}-{end}. "
            "Choose a part of it."
        )
        raise InputError(message)
    groups = [[as_track(track) for track in group] for group in (tracks, zoom.tracks)]
    if not all(groups):
        message = f"A locus and its stretch need a track each. Received: {len(groups[0])} and {len(groups[1])} tracks."
        raise InputError(message)
    places = [(chrom, start, end), tuple(zoom[1:])]
    with in_style():
        heights = [
            panel_heights(group, place, PANEL_SHARE * DOUBLE_COLUMN)
            for group, place in zip(groups, places, strict=True)
        ]
        rows = sum(heights, [])
        figure = styled_figure(DOUBLE_COLUMN, 2 * AXIS_INCHES + INCHES_PER_HEIGHT * sum(rows))
        axes = list(figure.subplots(len(rows), 1, squeeze=False, height_ratios=rows)[:, 0])
        upper, lower = axes[: len(heights[0])], axes[len(heights[0]) :]
        for panels, group, place in zip((upper, lower), groups, places, strict=True):
            draw_tracks(panels, group, place)
        _mark(figure, upper, lower[0], (zoom.start, zoom.end))
        figure.align_ylabels(axes)
    return figure


def _mark(figure: Figure, upper: Sequence[Axes], lower: Axes, stretch: tuple[int, int]) -> None:
    """Shade a stretch on the panels above, and lead from its ends to those of the panel below."""
    for axis in upper:
        axis.axvspan(*stretch, **_MARK)
    last = upper[-1]
    for text in (*last.get_xticklabels(), last.xaxis.label):
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    for position, side in zip(stretch, (0, 1), strict=True):
        line = ConnectionPatch(
            (position, 0), (side, 1), coordsA=last.get_xaxis_transform(), coordsB=lower.transAxes, **_LINE
        )
        line.set_in_layout(False)
        figure.add_artist(line)
