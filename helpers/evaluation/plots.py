"""Figures of a study: scores of replicates, a locus, training curves."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from helpers.errors import InputError
from helpers.evaluation.figure_parts import (
    INK,
    FigureText,
    draw_box,
    draw_points,
    hue_handles,
    join_notes,
    label_y,
    side_by_side,
    write_note,
)
from helpers.evaluation.style import (
    DOUBLE_COLUMN,
    LOSS_NAMES,
    SINGLE_COLUMN,
    SMALL,
    colors_of,
    in_style,
    key_name,
    styled_figure,
    value_name,
    variant_label,
)
from helpers.evaluation.tracks import plotGenomeTrack
from helpers.evaluation.zoomed_tracks import Zoom, plot_zoomed

_TRAINING_COLOR = "0.6"
_BOX_SHARE = 0.8  # of the distance between two places on the x axis
_FEW_PANELS = 24  # of training curves: four in a row, on one page
_MANY_RUNS = 6  # in a panel of training curves: thinner lines
_TITLE_WIDTH = 112  # characters over all panels of a row of training curves


def plot_replicates(
    scores: pd.DataFrame,
    *,
    x: str,
    text: FigureText,
    hue: str | None = None,
    prevalence: float | None = None,
    ceiling: float | None = None,
) -> Figure:
    """Draw a box and all points for the runs (folds and replicates) of each variant.

    Parameters
    ----------
    scores : pandas.DataFrame
        One value per run (column ``value``): of `helpers.evaluation.score_selection.select_scores`.
    x : str
        Column along the x axis, ``model`` or a key of the grid, in the order in which its values occur.
    text : FigureText
        Labels and note.
    hue : str, optional
        Column that splits each place on the x axis by colour; a place has room only for those that occur there.
    prevalence : float, optional
        Share of positives: what a random ranking reaches, drawn as a dashed line.
    ceiling : float, optional
        What a perfect model would reach in spite of noisy targets, drawn as a dashed line.

    Returns
    -------
    matplotlib.figure.Figure
        Boxes from quartile to quartile with the median, whiskers over the full range.

    Raises
    ------
    InputError
        When no value is defined, or a column is missing.
    """
    for column in filter(None, (x, hue)):
        if column not in scores:
            message = f"Scores have no column {column!r} to draw by. They have: {', '.join(scores.columns)}."
            raise InputError(message)
    scores = scores[scores["value"].notna()]
    if not len(scores):
        message = "There is no defined score to draw. Look at scores.tsv and its log for the reason."
        raise InputError(message)
    places = [str(value) for value in dict.fromkeys(scores[x])]
    shades = [str(value) for value in dict.fromkeys(scores[hue])] if hue else []
    colors = colors_of(hue or x, shades or places)
    with in_style():
        figure = styled_figure(max(SINGLE_COLUMN, 0.55 + 0.42 * len(places) * max(1, len(shades))), 2.7)
        axis = figure.subplots()
        numbers = _draw_replicates(axis, scores, (x, places), (hue, shades), colors)
        _label_replicates(axis, x, places, text, _count_runs(scores, numbers, len(places)))
        if prevalence is not None:
            axis.set_ylim(0, axis.get_ylim()[1])
            _draw_level(axis, prevalence, "prevalence")
        if ceiling is not None:
            _draw_level(axis, ceiling, "noise ceiling")
        if hue:
            figure.legend(handles=hue_handles(hue, colors), loc="outside upper right", ncols=1 + len(colors))
    return figure


def plot_locus(
    tracks: Sequence[Any], chrom: str, start: int, end: int, *, note: str | None = None, zoom: Zoom | None = None
) -> Figure:
    """Draw tracks over a locus, with a note.

    Parameters
    ----------
    tracks, chrom, start, end
        As in `helpers.evaluation.tracks.plotGenomeTrack`.
    note : str, optional
        Stands above the first track.
    zoom : Zoom, optional
        A short stretch of the locus, drawn below with tracks of its own, such as the attribution of its bases.
    """
    if zoom is None:
        figure = plotGenomeTrack(tracks, chrom, start, end)
    else:
        figure = plot_zoomed(tracks, chrom, start, end, zoom=zoom)
    if note:
        write_note(figure.axes[0], note)
    return figure


def plot_training_curves(histories: pd.DataFrame, *, note: str | None = None, loss: str = "loss") -> Figure:
    """Draw loss by epoch, a panel for each variant, a pair of lines for each run, the best epoch marked.

    Parameters
    ----------
    histories : pandas.DataFrame
        model, variant (its name, as in paths), fold, replicate, epoch, loss, val_loss.
    note : str, optional
        Stands above the first panel.
    loss : str
        Name of the loss as in the config, for the y axis.

    Returns
    -------
    matplotlib.figure.Figure
        Panels in the order of the table, four in a row, or six smaller ones when they are more than 24; folds and
        replicates lie over each other. All panels share their axes.
    """
    panels = list(histories.groupby(["model", "variant"], sort=False))
    if not panels:
        message = "There is no training history to draw. Train a model first."
        raise InputError(message)
    columns = min(4 if len(panels) <= _FEW_PANELS else 6, len(panels))
    titles = [_panel_title(model, variant, _TITLE_WIDTH // max(4, columns)) for (model, variant), _ in panels]
    lines = max(title.count("\n") for title in titles) + 1
    rows = -(-len(panels) // columns)
    colors = colors_of("model", histories["model"])
    with in_style():
        width = max(SINGLE_COLUMN, DOUBLE_COLUMN * columns / max(4, columns))
        figure = styled_figure(width, 0.8 + rows * ((4.7 if columns <= 4 else 4.2) / max(4, columns) + 0.13 * lines))
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axis, title, ((model, _), history) in zip(axes, titles, panels, strict=False):
            runs = list(history.groupby(["fold", "replicate"], sort=False))
            for _, run in runs:
                _draw_curves(axis, run.sort_values("epoch"), colors[model], thin=len(runs) > _MANY_RUNS)
            axis.set_title(title, fontsize=SMALL, loc="left")
            axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        for axis in axes[max(0, len(panels) - columns) : len(panels)]:
            axis.tick_params(labelbottom=True)
        figure.supxlabel("epoch", fontsize=8)
        figure.supylabel(LOSS_NAMES.get(loss, loss), fontsize=8)
        _curve_legend(figure, join_notes(f"one pair of lines per {_run_words(histories)}", note))
    return figure


class _RunCount(NamedTuple):
    """How many runs a figure shows: at each place on the x axis, or in words for all."""

    at_places: list[int] | None
    text: str


def _draw_replicates(
    axis: Axes,
    scores: pd.DataFrame,
    x: tuple[str, list[str]],
    hue: tuple[str | None, list[str]],
    colors: dict[str, str],
) -> list[int]:
    """Draw all boxes with their points; return the number of runs in each."""
    (x, places), (hue, shades) = x, hue
    width = _BOX_SHARE / max(1, len(shades))
    numbers = []
    for place, value in enumerate(places):
        here = scores[scores[x].astype("str") == value]
        present = [shade for shade in shades if (here[hue].astype("str") == shade).any()] or [None]
        for shade, offset in zip(present, side_by_side(len(present), max(1, len(shades)), _BOX_SHARE), strict=True):
            shown = here if shade is None else here[here[hue].astype("str") == shade]
            values, center = shown["value"].to_numpy(), place + offset
            draw_box(axis, values, (center, width), colors[shade or value])
            draw_points(axis, values, (center, width), colors[shade or value])
            numbers.append(len(values))
    return numbers


def _count_runs(scores: pd.DataFrame, numbers: list[int], places: int) -> _RunCount:
    few, many = min(numbers), max(numbers)
    if few < many and len(numbers) == places:
        return _RunCount(numbers, "")
    folds = scores["fold"].nunique() if "fold" in scores else 1
    if few == many == folds > 1:
        return _RunCount(None, f"n = {folds} folds each")
    of_folds = f" ({folds} folds)" if folds > 1 else ""
    text = f"n = {few} run{'s' * (few > 1)} each" if few == many else f"n = {few} to {many} runs"
    return _RunCount(None, text + of_folds)


def _label_replicates(axis: Axes, x: str, places: list[str], text: FigureText, count: _RunCount) -> None:
    names = [value_name(x, place) for place in places]
    if count.at_places:
        names = [f"{name}\nn = {n}" for name, n in zip(names, count.at_places, strict=True)]
    axis.set_xticks(range(len(places)), names)
    axis.tick_params(axis="x", length=0)
    axis.set_xlim(-0.5, len(places) - 0.5)
    axis.set_xlabel(key_name(x) if text.x is None else text.x)
    label_y(axis, text.y)
    write_note(axis, join_notes(text.note, count.text))


def _draw_level(axis: Axes, level: float, name: str) -> None:
    """Draw a dashed line over the whole width, with its name and value; the axis grows to hold it."""
    axis.axhline(level, color="0.3", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, level), max(high, level + 0.1 * (level - low)))
    place = {"xy": (1, level), "xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    axis.annotate(f"{name} {level:.2g}", xytext=(0, 2), ha="right", va="bottom", fontsize=SMALL, **place)


def _panel_title(model: str, variant: str, width: int) -> str:
    return f"{value_name('model', model)}\n{textwrap.fill(variant_label(variant), width)}".strip()


def _run_words(histories: pd.DataFrame) -> str:
    varying = [column for column in ("fold", "replicate") if histories[column].nunique() > 1]
    return " and ".join(varying) or "replicate"


def _draw_curves(axis: Axes, run: pd.DataFrame, color: str, *, thin: bool) -> None:
    width = 0.5 if thin else 0.9
    axis.plot(run["epoch"], run["loss"], color=_TRAINING_COLOR, linewidth=0.9 * width, linestyle="--")
    axis.plot(run["epoch"], run["val_loss"], color=color, linewidth=width)
    if not run["val_loss"].notna().any():
        return
    best = run.loc[run["val_loss"].idxmin()]
    size = {"markersize": 2.5 if thin else 3.5, "markeredgewidth": 0.3 if thin else 0.5}
    axis.plot(best["epoch"], best["val_loss"], color=color, marker="o", markeredgecolor=INK, zorder=3, **size)


def _curve_legend(figure: Figure, title: str) -> None:
    best = {"marker": "o", "linestyle": "none", "markersize": 4}
    handles = [
        Line2D([], [], color=_TRAINING_COLOR, linestyle="--", label="training"),
        Line2D([], [], color=INK, label="validation"),
        Line2D([], [], color=INK, label="best epoch", **best),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, title=title)
