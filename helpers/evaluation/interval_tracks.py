"""The track of regions, such as peaks, sites and variants: `IntervalTrack`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from helpers.data.regions import read_regions
from helpers.evaluation.style import COLORS, SMALL
from helpers.evaluation.track_panels import (
    INK,
    Track,
    ink_on,
    panel_points,
    show_no_values,
    strand_colors,
    text_width,
)

_NO_NAME = ("", ".")
_MARGIN = 3.0  # points between a name and the sides of its box


class IntervalTrack(Track):
    """Regions (peaks, sites, variants) as boxes, their names inside where they fit.

    Parameters
    ----------
    data : path or pandas.DataFrame
        What `helpers.data.regions.read_regions` reads: BED, narrowPeak, VCF, ... or a table with chrom, start, end
        (0-based, half-open).
    height : float
        Height of the panel.
    label : str, optional
        Stands left of the track.
    color : str or mapping, optional
        Of the boxes, or of those on each strand.
    strand : {None, '+', '-'}
        Regions to draw; by default all.
    by_strand : bool, default False
        Draw the strands in their two colours; regions without strand stay dark.
    """

    one_panel = True

    def __init__(
        self,
        data: Any,
        height: float = 1,
        *,
        label: str | None = None,
        color: str | Mapping[str, str] | None = None,
        strand: str | None = None,
        by_strand: bool = False,
    ):
        super().__init__(data, height, label=label, color=color, strand=strand)
        self.by_strand = by_strand or isinstance(color, Mapping)

    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw a box for each region that touches the stretch."""
        inside = regions_in(read_regions(self.data), (chrom, start, end), self.strand)
        boxes = [
            Rectangle((left, 0.2), right - left, 0.6)
            for left, right in zip(inside["start"], inside["end"], strict=True)
        ]
        colors = self._colors_of(inside["strand"])
        axis = axes[0]
        # The edge keeps a site of one base visible over thousands.
        axis.add_collection(PatchCollection(boxes, facecolor=colors, edgecolor=colors, linewidth=1))
        axis.set_ylim(0, 1)
        show_no_values(axis)
        _write_names(axis, inside, np.array(colors), (start, end))

    def _colors_of(self, strands: pd.Series) -> list[str]:
        if not self.by_strand:
            return [self.color or INK] * len(strands)
        colors = {".": INK, **strand_colors(self.color, COLORS["strand"])}
        return [colors[strand] for strand in strands]


def regions_in(regions: pd.DataFrame, stretch: tuple[str, int, int], strand: str | None = None) -> pd.DataFrame:
    """Select the regions that touch a stretch (chrom, start, end), those on one strand if wanted, in their order."""
    chrom, start, end = stretch
    touching = (regions["chrom"] == chrom) & (regions["start"] < end) & (regions["end"] > start)
    if strand is not None:
        touching &= regions["strand"] == strand
    return regions[touching].reset_index(drop=True)


def _write_names(axis: Axes, regions: pd.DataFrame, colors: list[str], stretch: tuple[int, int]) -> None:
    """Write names into what is seen of boxes, where a box is wide enough and overlaps no other."""
    per_base = panel_points(axis)[0] / (stretch[1] - stretch[0])
    lefts, rights = np.clip(regions[["start", "end"]].to_numpy().T, *stretch)
    free = _overlap_none(lefts, rights)
    for name, left, right, color in zip(regions["name"][free], lefts[free], rights[free], colors[free], strict=True):
        if name not in _NO_NAME and text_width(name) + 2 * _MARGIN <= (right - left) * per_base:
            place = {"ha": "center", "va": "center_baseline", "fontsize": SMALL, "clip_on": True}
            axis.text((left + right) / 2, 0.5, name, color=ink_on(color), **place)


def _overlap_none(lefts: np.ndarray, rights: np.ndarray) -> np.ndarray:
    """Say of each interval whether it overlaps no other."""
    order = np.argsort(lefts, kind="stable")
    reached = np.maximum.accumulate(rights[order])
    free = np.ones(len(lefts), dtype=bool)
    free[order[1:]] = lefts[order[1:]] >= reached[:-1]
    free[order[:-1]] &= lefts[order[1:]] >= rights[order[:-1]]
    return free
