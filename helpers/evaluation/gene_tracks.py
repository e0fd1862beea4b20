"""The track of genes: lines with arrowheads, exons as boxes, names above, in rows that keep them apart."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Rectangle
from matplotlib.path import Path

from helpers.evaluation.gene_models import GeneModels, GeneRows, place_in_rows, read_genes
from helpers.evaluation.interval_tracks import regions_in
from helpers.evaluation.style import COLORS, SMALL
from helpers.evaluation.track_panels import (
    INK,
    POINTS_PER_INCH,
    Track,
    ink_on,
    panel_points,
    show_no_values,
    strand_colors,
    text_width,
)

_ROW_HEIGHT = 0.95  # in the units of all tracks: a name over a body
_ROW_POINTS = 11.0  # least height of a row that has room for names
_EXON, _EXON_POINTS = 0.17, 3.5  # half the height of an exon at most, in rows and in points
_NAME_GAP = 1.5  # points from an exon to the name above
_ARROW_EVERY, _ARROW_ROOM = 26.0, 7.0  # points
_NAME_STYLE = {"ha": "center", "va": "bottom", "fontsize": SMALL, "fontstyle": "italic", "clip_on": True}
_ARROWS = {"+": Path([(-0.5, 1), (0.5, 0), (-0.5, -1)]), "-": Path([(0.5, 1), (-0.5, 0), (0.5, -1)])}


class GeneTrack(Track):
    """Genes or transcripts: a line with arrowheads in reading direction, exons as boxes, the name above.

    Those that would touch stand in different rows. A name that is wider than the panel is left out, and all names are
    where a given `height` leaves less than 11 points to a row.

    Parameters
    ----------
    data : path or pandas.DataFrame
        A GTF or GFF file, or a table of one (with feature and attributes), or genes as BED, drawn as whole boxes. Of a
        file, the records of `feature` and `exons` alone are kept in memory.
    height : float, optional
        Height of the panel; by default as high as its rows need.
    label : str, optional
        Stands left of the track.
    color : str or mapping, optional
        Of all, or of those on each strand; by default dark.
    strand : {None, '+', '-'}
        Genes to draw; by default all.
    feature, exons : str
        Records that are genes, and those that are exons (None: whole boxes); see `helpers.evaluation.gene_models`.

    Raises
    ------
    InputError
        For a file without records of these features, or what `read_regions` refuses.
    """

    one_panel = True

    def __init__(
        self,
        data: Any,
        height: float | None = None,
        *,
        label: str | None = None,
        color: str | Mapping[str, str] | None = None,
        strand: str | None = None,
        feature: str = "gene",
        exons: str | None = "exon",
    ):
        super().__init__(data, _ROW_HEIGHT if height is None else height, label=label, color=color, strand=strand)
        self._features = {"feature": feature, "exons": exons}
        self._has_height = height is not None
        self._models: GeneModels | None = None

    def heights(self, chrom: str, start: int, end: int, width: float) -> list[float]:
        """Give the height of the rows over a stretch that is drawn `width` inches wide."""
        if self._has_height:
            return [self.height]
        genes = self._genes((chrom, start, end))
        return [_ROW_HEIGHT * _place(genes, start, end, width * POINTS_PER_INCH).n_rows]

    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw the rows."""
        axis, stretch = axes[0], (chrom, start, end)
        genes, boxes = self._genes(stretch), self._boxes(stretch)
        width, height = panel_points(axis)
        placed = _place(genes, start, end, width)
        shades = {".": INK, **strand_colors(self.color or INK, COLORS["strand"])}
        colors = [shades[strand] for strand in genes["strand"]]
        row_points = height / (placed.n_rows + 0.1)
        half = min(_EXON, _EXON_POINTS / row_points)
        _draw_bodies(axis, genes, boxes, placed.rows, colors, half=half)
        _draw_arrows(axis, genes, boxes, placed.rows, colors, (start, end, width))
        if row_points >= _ROW_POINTS:
            positions = start + placed.middles * (end - start) / width
            for name, x, row, color in zip(genes["name"], positions, placed.rows, colors, strict=True):
                if name and np.isfinite(x):
                    axis.text(x, row - half - _NAME_GAP / row_points, name, color=color, **_NAME_STYLE)
        axis.set_ylim(placed.n_rows - 1 + 0.3, -0.8)
        show_no_values(axis)

    def _read(self) -> GeneModels:
        """Read genes and exons when they are first needed."""
        if self._models is None:
            self._models = read_genes(self.data, **self._features)
        return self._models

    def _genes(self, stretch: tuple[str, int, int]) -> pd.DataFrame:
        return regions_in(self._read().genes, stretch, self.strand)

    def _boxes(self, stretch: tuple[str, int, int]) -> list[np.ndarray]:
        """Give the boxes of each gene of a stretch, shape (exons, 2): starts and ends in bp."""
        genes, exons = self._genes(stretch), self._read().exons
        if exons is None:
            return list(genes[["start", "end"]].to_numpy()[:, None])
        inside = regions_in(exons, stretch)
        owned = {owner: own[["start", "end"]].to_numpy() for owner, own in inside.groupby("owner", sort=False)}
        return [owned.get(key, np.zeros((0, 2), dtype=np.int64)) for key in genes["key"]]


def _place(genes: pd.DataFrame, start: int, end: int, width: float) -> GeneRows:
    """Place the genes of a stretch that is drawn `width` points wide."""
    lefts, rights = ((genes[side].to_numpy() - start) * width / (end - start) for side in ("start", "end"))
    return place_in_rows(lefts, rights, np.array([text_width(name) for name in genes["name"]]), width=width)


def _draw_bodies(
    axis: Axes, genes: pd.DataFrame, boxes: list[np.ndarray], rows: np.ndarray, colors: list[str], *, half: float
) -> None:
    """Draw a line from end to end of each gene, and its boxes on it."""
    ends = genes[["start", "end"]].to_numpy()
    lines = [[(left, row), (right, row)] for (left, right), row in zip(ends, rows, strict=True)]
    axis.add_collection(LineCollection(lines, colors=colors, linewidths=0.8, capstyle="butt"), autolim=False)
    shapes = [
        Rectangle((left, row - half), right - left, 2 * half)
        for own, row in zip(boxes, rows, strict=True)
        for left, right in own
    ]
    shades = [color for own, color in zip(boxes, colors, strict=True) for _ in own]
    axis.add_collection(PatchCollection(shapes, facecolor=shades, edgecolor=shades, linewidth=0.3), autolim=False)


def _draw_arrows(
    axis: Axes,
    genes: pd.DataFrame,
    boxes: list[np.ndarray],
    rows: np.ndarray,
    colors: list[str],
    scale: tuple[int, int, float],
) -> None:
    """Draw arrowheads along what is seen of each gene that has a strand: white on its boxes, else in its colour."""
    start, end, width = scale
    for gene, own, row, color in zip(genes.itertuples(), boxes, rows, colors, strict=True):
        left, right = max(gene.start, start), min(gene.end, end)
        points = (right - left) * width / (end - start)
        if gene.strand not in _ARROWS or points < _ARROW_ROOM:
            continue
        number = max(1, int(points / _ARROW_EVERY))
        at = left + (np.arange(number) + 0.5) * (right - left) / number
        on_box = ((at[:, None] >= own[:, 0]) & (at[:, None] < own[:, 1])).any(axis=1)
        style = {"marker": _ARROWS[gene.strand], "markersize": 3.2, "markeredgewidth": 0.7, "linestyle": "none"}
        for there, shade in ((on_box, ink_on(color)), (~on_box, color)):
            axis.plot(at[there], np.full(there.sum(), row), markeredgecolor=shade, fillstyle="none", **style)
