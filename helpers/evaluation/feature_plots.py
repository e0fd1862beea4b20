"""Figures of studies with many outputs, one mark a feature: two variants against each other, and their differences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from helpers.errors import InputError
from helpers.evaluation.feature_scores import MODIFIER
from helpers.evaluation.figure_parts import INK, FigureText, join_notes, label_y, signed, write_header
from helpers.evaluation.label_placement import nearest_in_box, place_labels
from helpers.evaluation.style import (
    COLORS,
    DOUBLE_COLUMN,
    MARKERS,
    SINGLE_COLUMN,
    SMALL,
    colors_of,
    in_style,
    styled_figure,
    value_name,
)

LARGE_GAIN = 0.05  # a difference that the figure of gains marks and counts
_NAMED_BARS = 40  # at most; more bars stand without their names
_SHORT_LEADER = 8  # px; a name as near as this needs no line to its point
_SUMMARY = (0.45, 0.3)  # share of the axis that the summary takes, along x and y
_WIDE = 150  # bars from which a figure takes two columns


def plot_scatter(pairs: pd.DataFrame, *, text: FigureText, name: int = 0, from_zero: bool = True) -> Figure:
    """Draw the score of every feature by one variant against that by another, with the diagonal.

    Parameters
    ----------
    pairs : pandas.DataFrame
        a (along x), b (along y), class, kind and label by feature: of
        `helpers.evaluation.feature_scores.pair_features`. Features without both scores are left out, and counted in
        the note.
    text : FigureText
        Labels, title and note.
    name : int
        How many features get their label: those with the largest gains b - a above 0, as far as there is room.
    from_zero : bool
        Axes start at 0.

    Returns
    -------
    matplotlib.figure.Figure
        Square, the same range on both axes. The legend counts the features above the diagonal.

    Raises
    ------
    InputError
        When no feature has both scores.
    """
    shown, counts = _defined(pairs, ["a", "b"])
    kinds = kinds_of(shown)
    colors = colors_of("class", kinds)
    low, high = _range(shown[["a", "b"]].to_numpy(), from_zero)
    with in_style():
        figure = styled_figure(SINGLE_COLUMN, SINGLE_COLUMN + 0.55 + 0.16 * -(-len(kinds) // 2))
        axis = figure.subplots()
        axis.plot([low, high], [low, high], color="0.5", linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        for kind in reversed(kinds):  # the largest class comes last in the sheets, and lies below the others
            of_kind = shown[shown["kind"] == kind]
            axis.scatter(of_kind["a"], of_kind["b"], label=kind, **_mark(kind, colors[kind]))
        axis.set(xlim=(low, high), ylim=(low, high), xlabel=text.x)
        axis.set_box_aspect(1)
        figure.get_layout_engine().set(h_pad=0.07)  # inches, between the label of the x axis and the legend
        label_y(axis, text.y)
        write_header(figure, [text.title, join_notes(text.note, counts)])
        handles = [_kind_handle(kind, colors[kind], _above(shown[shown["kind"] == kind])) for kind in kinds]
        figure.legend(handles=handles, loc="outside lower center", ncols=2 if len(kinds) > 2 else 1)
        gains = (shown["b"] - shown["a"]).nlargest(name)
        _name_points(figure, axis, shown, shown.loc[gains.index[gains > 0]])
    return figure


def plot_gains(pairs: pd.DataFrame, *, text: FigureText) -> Figure:
    """Draw the difference between two variants for every feature, sorted, with the shares above 0 and above +0.05.

    Parameters
    ----------
    pairs : pandas.DataFrame
        a, b, class, kind and label by feature: of `helpers.evaluation.feature_scores.pair_features`; a - b is drawn.
        Features without both scores are left out and counted in the note.
    text : FigureText
        Labels, title and note.

    Returns
    -------
    matplotlib.figure.Figure
        A bar a feature, the largest gain first, with their names when they are few.

    Raises
    ------
    InputError
        When no feature has both scores.
    """
    shown, counts = _defined(pairs, ["a", "b"])
    gains = (shown["a"] - shown["b"]).sort_values(ascending=False, kind="stable")
    shown = shown.loc[gains.index]
    kinds = kinds_of(shown)
    colors = colors_of("class", kinds)
    named = len(gains) <= _NAMED_BARS
    width = DOUBLE_COLUMN if len(gains) > _WIDE else SINGLE_COLUMN
    with in_style():
        letters = shown["label"].str.len().max() if named else 0
        figure = styled_figure(max(width, 0.8 + 0.13 * len(gains) * named), 2.5 + 0.065 * letters)
        axis = figure.subplots()
        _draw_bars(axis, gains.to_numpy(), shown["kind"].tolist(), colors, named=named)
        axis.axhline(0, color=INK, linewidth=0.7)
        if gains.max() > LARGE_GAIN:
            axis.axhline(LARGE_GAIN, color="0.5", linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        axis.set_xlim(-0.7, len(gains) - 0.3)
        axis.set_xticks(range(len(gains)) if named else [], shown["label"] if named else [], rotation=90)
        axis.set_xlabel(text.x)
        label_y(axis, text.y)
        _write_summary(axis, gains.to_numpy())
        write_header(figure, [text.title, join_notes(text.note, counts)])
        if len(kinds) > 1:
            handles = [Patch(color=colors[kind], label=value_name("class", kind)) for kind in kinds]
            figure.legend(handles=handles, loc="outside lower center", ncols=len(kinds))
    return figure


def kinds_of(table: pd.DataFrame, column: str = "kind") -> list[str]:
    """List the kinds (or classes) of features that occur, those with a fixed colour first, in its order."""
    present = list(dict.fromkeys(table[column]))
    return [kind for kind in COLORS["class"] if kind in present] + [
        kind for kind in present if kind not in COLORS["class"]
    ]


def _defined(pairs: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Keep the features with all scores; say how many there are, and how many were left out."""
    shown = pairs[pairs[list(columns)].notna().all(axis=1)]
    if not len(shown):
        message = f"None of {len(pairs)} features has a defined score to draw. Look at scores.tsv and its log."
        raise InputError(message)
    return shown, count_features(len(shown), len(pairs) - len(shown))


def count_features(shown: int, left_out: int) -> str:
    """Say how many features a figure shows.

    Examples
    --------
    >>> count_features(917, 2)
    'n = 917 features (2 undefined, left out)'
    """
    text = f"n = {shown} feature{'s' * (shown != 1)}"
    return text + (f" ({left_out} undefined, left out)" if left_out else "")


def _range(values: np.ndarray, from_zero: bool) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    low = min(low, 0.0) if from_zero else low
    margin = 0.05 * (high - low) or 0.05
    return (low if from_zero and low == 0 else low - margin), high + margin


def _mark(kind: str, color: str) -> dict:
    """How the points of a kind look: histone modifiers as histone marks, with another marker and a dark edge."""
    edge = {"edgecolor": INK, "linewidth": 0.6} if kind == MODIFIER else {"edgecolor": "white", "linewidth": 0.25}
    return {"marker": MARKERS.get(kind, "o"), "color": color, "s": 16 if kind == MODIFIER else 13, "zorder": 2, **edge}


def _kind_handle(kind: str, color: str, counts: str) -> Line2D:
    edge = {"markeredgecolor": INK, "markeredgewidth": 0.6} if kind == MODIFIER else {"markeredgecolor": "none"}
    label = f"{value_name('class', kind)}\n{counts}"
    return Line2D(
        [], [], linestyle="none", color=color, marker=MARKERS.get(kind, "o"), markersize=4.5, label=label, **edge
    )


def _above(pairs: pd.DataFrame) -> str:
    return f"{int((pairs['b'] > pairs['a']).sum())} of {len(pairs)} above"


def _draw_bars(axis: Axes, gains: np.ndarray, kinds: list[str], colors: dict[str, str], *, named: bool) -> None:
    """Draw bars side by side; where they are too thin to show their colour, histone modifiers get a marker too."""
    shade = [colors[kind] for kind in kinds]
    axis.bar(range(len(gains)), gains, color=shade, width=0.8 if named else 1.0, linewidth=0, antialiased=named)
    marked = np.flatnonzero([kind == MODIFIER and not named for kind in kinds])
    if len(marked):
        axis.scatter(marked, gains[marked], **_mark(MODIFIER, colors[MODIFIER]))


def _write_summary(axis: Axes, gains: np.ndarray) -> None:
    """Write the shares of features with a gain into the upper right corner, which sorted bars leave free."""
    positive, large, number = int((gains > 0).sum()), int((gains > LARGE_GAIN).sum()), len(gains)
    summary = (
        f"above 0: {positive} of {number} ({100 * positive / number:.0f} %)\n"
        f"above +{LARGE_GAIN}: {large} of {number} ({100 * large / number:.0f} %)\n"
        f"median {signed(np.median(gains))}"
    )
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    place = {"transform": axis.transAxes, "ha": "right", "va": "top"}
    below = max(gains[int((1 - _SUMMARY[0]) * number)], 0.0)  # bars of losses hang from 0
    low, high = axis.get_ylim()
    axis.set_ylim(low, max(high, low + (below - low) / (1 - _SUMMARY[1])))
    axis.text(0.99, 0.98, summary, fontsize=SMALL, bbox=paper, zorder=1.5, **place)


def _name_points(figure: Figure, axis: Axes, shown: pd.DataFrame, named: pd.DataFrame) -> None:
    """Write the names of some points, each joined to its point by a thin line; the figure's layout is fixed by this."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    if not len(named):
        return
    texts = [axis.text(0, 0, label, fontsize=SMALL, ha="center", va="center", zorder=4) for label in named["label"]]
    extents = [text.get_window_extent() for text in texts]
    diagonal = np.repeat(np.linspace(*axis.get_xlim(), 80)[:, None], 2, axis=1)  # names keep off it too
    to_pixels, area = axis.transData.transform, axis.get_window_extent()
    anchors = to_pixels(named[["a", "b"]].to_numpy())
    centers = place_labels(
        anchors,
        np.array([(extent.width, extent.height) for extent in extents]),
        points=to_pixels(np.vstack([shown[["a", "b"]], diagonal])),
        bounds=(area.x0, area.y0, area.x1, area.y1),
    )
    to_data = axis.transData.inverted().transform
    for text, anchor, center, extent in zip(texts, anchors, centers, extents, strict=True):
        if np.isnan(center).any():
            text.remove()
            continue
        text.set_position(to_data(center))
        end = nearest_in_box(anchor, center, np.array([extent.width, extent.height]))
        if np.hypot(*(end - anchor)) > _SHORT_LEADER:
            axis.plot(*to_data([anchor, end]).T, color="0.4", linewidth=0.5, zorder=2.5)
