"""Filters drawn as sequence logos, the strongest first."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from helpers.evaluation.figure_parts import join_notes, write_header
from helpers.evaluation.filters import Filter
from helpers.evaluation.logos import draw_logo
from helpers.evaluation.style import DOUBLE_COLUMN, SMALL, in_style, styled_figure

_COLUMNS = 4
_ROW_HEIGHT = 1.15  # inches
_BITS = 2.0  # of a base that is certain
_CLEAR = 0.05  # q of a match that is named


def plot_filters(
    filters: Sequence[Filter], matches: pd.DataFrame, *, most: int = 24, note: str | None = None
) -> Figure:
    """Draw the motifs of filters as logos in bits, in the order given, and say what each adds and is like.

    Parameters
    ----------
    filters : sequence of Filter
        Those that never fire are left out.
    matches : pandas.DataFrame
        Of `helpers.evaluation.motif_matching.match_motifs`; the best match of a filter is named when its q is at most
        0.05.
    most : int, default 24
        Filters drawn.
    note : str, optional
        Stands above all, behind the number of filters.

    Returns
    -------
    matplotlib.figure.Figure
        Two columns of a page wide; says how many filters are drawn and how many never fire.
    """
    firing = [one for one in filters if one.motif is not None]
    drawn, several = firing[:most], len({one.output for one in filters}) > 1
    best = matches.drop_duplicates("query").set_index("query")
    rows = max(1, -(-len(drawn) // _COLUMNS))
    with in_style():
        figure = styled_figure(DOUBLE_COLUMN, rows * _ROW_HEIGHT + 0.3)
        panels = figure.subplots(rows, _COLUMNS, squeeze=False, sharey=True).ravel()
        for panel in panels[len(drawn) :]:
            panel.set_axis_off()
        for rank, (panel, one) in enumerate(zip(panels, drawn, strict=False), 1):
            _draw(panel, one, f"{rank}. {_describe(one, several)}\n{_match(one, best)}")
        never = f"{len(filters) - len(firing)} never fire" if len(firing) < len(filters) else None
        write_header(figure, [join_notes(f"{len(drawn)} of {len(filters)} filters, each from n sites", never, note)])
        if drawn:
            figure.supylabel("information (bits)", fontsize=SMALL + 1)
    return figure


def _draw(panel: Axes, one: Filter, title: str) -> None:
    motif = one.motif
    length = len(motif.probabilities)
    draw_logo(panel, motif.probabilities * motif.information()[:, None], start=0.5)
    panel.set_xlim(0.5, length + 0.5)
    panel.set_ylim(0, _BITS)
    panel.yaxis.set_major_locator(FixedLocator([0, 1, 2]))
    panel.xaxis.set_major_locator(FixedLocator([1, *np.arange(5, length + 1, 5)]))
    panel.set_title(title, fontsize=SMALL, loc="left", linespacing=1.25)


def _describe(one: Filter, several: bool) -> str:
    adds = f"{one.strength:+.2f}".replace("-", "\N{MINUS SIGN}") + (f" to {_short(one.output, 10)}" if several else "")
    return f"{one.input}, replicate {one.replicate}, filter {one.number}\nadds {adds}, n = {one.n_sites:,}"


def _match(one: Filter, best: pd.DataFrame) -> str:
    """Name the best match, if it is clear; the line is there in any case, so that all logos are as high."""
    if one.name not in best.index or best.at[one.name, "q"] > _CLEAR:
        return "no match"
    row = best.loc[one.name]
    return f"{_short(row['target'], 18)} (q = {row['q']:.0e})"


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
