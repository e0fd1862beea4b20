"""Figures of a study: scores of replicates, a locus, training curves."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from helpers.errors import InputError
from helpers.evaluation.style import (
    DOUBLE_COLUMN,
    LOSS_NAMES,
    NOTE_COLOR,
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

INK = "0.15"
_TRAINING_COLOR = "0.6"
_BOX_SHARE = 0.8  # of the distance between two places on the x axis
_Y_LABEL_WIDTH = 28  # characters along the y axis
_TITLE_WIDTH = 28  # characters over a panel of training curves


@dataclass(frozen=True)
class FigureText:
    """Words on a figure that it cannot know itself.

    Parameters
    ----------
    y : str
        Label of the y axis, with metric, split and chromosome: "auPRC (test, chr3)".
    x : str, optional
        Label of the x axis; by default the name of the key.
    note : str, optional
        What a reader must not miss: "simulated data".
    """

    y: str
    x: str | None = None
    note: str | None = None


def select_scores(
    scores: pd.DataFrame, *, metric: str, splits: Sequence[str], output: str | None = None, **values: Any
) -> pd.DataFrame:
    """Select the scores that one figure shows.

    Parameters
    ----------
    scores : pandas.DataFrame
        Of `helpers.evaluation.comparisons.collect_scores`.
    metric : str
        Name of the metric.
    splits : sequence of str
        The split, or several in the order of preference: of each model the first that it was scored on is taken.
    output : str, optional
        Name of the output; needed when there are several.
    **values
        Columns and the value, or list of values, that they must have, such as ``model="dna"``.

    Returns
    -------
    pandas.DataFrame
        Rows of `scores` in their order.

    Raises
    ------
    InputError
        When nothing is left, or several outputs are.
    """
    wanted = {"metric": metric, **({"output": output} if output is not None else {}), **values}
    chosen = scores
    for column, value in wanted.items():
        allowed = value if isinstance(value, list | tuple) else [value]
        chosen = chosen[chosen[column].astype("str").isin([str(one) for one in allowed])]
    preferred = {model: _first_split(part, splits) for model, part in chosen.groupby("model")}
    chosen = chosen[chosen["split"] == chosen["model"].map(preferred).astype("str")]
    if not len(chosen) or chosen["output"].nunique() > 1:
        found = sorted(set(chosen["output"]))
        message = f"No scores, or those of several outputs {found}, for {wanted} on {', '.join(splits)}. Choose others."
        raise InputError(message)
    return chosen


def plot_replicates(
    scores: pd.DataFrame, *, x: str, text: FigureText, hue: str | None = None, prevalence: float | None = None
) -> Figure:
    """Draw a box and all points for the replicates of each variant.

    Parameters
    ----------
    scores : pandas.DataFrame
        One value per replicate (column ``value``): of `select_scores`.
    x : str
        Column along the x axis, in the order in which its values occur.
    text : FigureText
        Labels and note.
    hue : str, optional
        Column that splits each place on the x axis by colour.
    prevalence : float, optional
        Share of positives: what a random ranking reaches, drawn as a dashed line.

    Returns
    -------
    matplotlib.figure.Figure
        Boxes from quartile to quartile with the median, whiskers over the full range.

    Raises
    ------
    InputError
        When no value is defined.
    """
    scores = scores[scores["value"].notna()]
    if not len(scores):
        message = "There is no defined score to draw. Look at scores.tsv and its log for the reason."
        raise InputError(message)
    places = [str(value) for value in dict.fromkeys(scores[x])]
    shades = [str(value) for value in dict.fromkeys(scores[hue])] if hue else [None]
    colors = colors_of(hue or x, shades if hue else places)
    width = _BOX_SHARE / len(shades)
    with in_style():
        figure = styled_figure(max(SINGLE_COLUMN, 0.55 + 0.42 * len(places) * len(shades)), 2.7)
        axis = figure.subplots()
        numbers = []
        for place, value in enumerate(places):
            for number, shade in enumerate(shades):
                shown = (scores[x].astype("str") == value) & ((scores[hue].astype("str") == shade) if hue else True)
                center = place + (number - (len(shades) - 1) / 2) * width
                values = scores["value"][shown].to_numpy()
                numbers.append(_draw_box(axis, values, (center, width), colors[shade or value]))
        _label_replicates(axis, x, places, text, [number for number in numbers if number])
        if prevalence is not None:
            _draw_prevalence(axis, prevalence)
        if hue:
            _hue_legend(figure, hue, colors)
    return figure


def plot_locus(tracks: Sequence[Any], chrom: str, start: int, end: int, *, note: str | None = None) -> Figure:
    """Draw tracks over a locus, with a note.

    Parameters
    ----------
    tracks, chrom, start, end
        As in `helpers.evaluation.tracks.plotGenomeTrack`.
    note : str, optional
        Stands above the first track.
    """
    figure = plotGenomeTrack(tracks, chrom, start, end)
    if note:
        _write_note(figure.axes[0], note)
    return figure


def plot_training_curves(histories: pd.DataFrame, *, note: str | None = None, loss: str = "loss") -> Figure:
    """Draw loss by epoch, a panel for each variant, a pair of lines for each replicate, the best epoch marked.

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
        Panels in the order of the table, four in a row; all share their axes.
    """
    panels = list(histories.groupby(["model", "variant"], sort=False))
    if not panels:
        message = "There is no training history to draw. Train a model first."
        raise InputError(message)
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    colors = colors_of("model", histories["model"])
    with in_style():
        figure = styled_figure(max(SINGLE_COLUMN, DOUBLE_COLUMN * columns / 4), 0.8 + 1.45 * rows)
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axis, ((model, variant), history) in zip(axes, panels, strict=False):
            for _, run in history.groupby(["fold", "replicate"], sort=False):
                _draw_curves(axis, run.sort_values("epoch"), colors[model])
            variant_text = textwrap.fill(variant_label(variant), _TITLE_WIDTH)
            title = f"{value_name('model', model)}\n{variant_text}".strip()
            axis.set_title(title, fontsize=SMALL, loc="left")
            axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        for axis in axes[max(0, len(panels) - columns) : len(panels)]:
            axis.tick_params(labelbottom=True)
        figure.supxlabel("epoch", fontsize=8)
        figure.supylabel(LOSS_NAMES.get(loss, loss), fontsize=8)
        _curve_legend(figure, note)
    return figure


def _first_split(scores: pd.DataFrame, splits: Sequence[str]) -> str | None:
    present = set(scores["split"])
    return next((split for split in splits if split in present), None)


def _draw_box(axis: Axes, values: np.ndarray, place: tuple[float, float], color: str) -> int:
    if not len(values):
        return 0
    center, width = place
    line = {"color": INK, "linewidth": 0.7}
    axis.boxplot(
        values,
        positions=[center],
        widths=0.8 * width,
        whis=(0, 100),
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": _light(color), "edgecolor": INK, "linewidth": 0.7},
        medianprops={"color": INK, "linewidth": 1.4},
        whiskerprops=line,
        capprops=line,
    )
    spread = np.linspace(-0.22, 0.22, len(values)) * width if len(values) > 1 else np.zeros(1)
    axis.scatter(center + spread, values, s=12, color=color, edgecolor=INK, linewidth=0.5, zorder=3)
    return len(values)


def _label_replicates(axis: Axes, x: str, places: list[str], text: FigureText, numbers: list[int]) -> None:
    axis.set_xticks(range(len(places)), [value_name(x, place) for place in places])
    axis.tick_params(axis="x", length=0)
    axis.set_xlim(-0.5, len(places) - 0.5)
    axis.set_xlabel(key_name(x) if text.x is None else text.x)
    axis.set_ylabel("\n".join(textwrap.fill(part, _Y_LABEL_WIDTH) for part in text.y.split("\n")))
    few, many = min(numbers), max(numbers)
    count = f"n = {few} run{'s' * (few > 1)} each" if few == many else f"n = {few} to {many} runs"
    if few < many and len(numbers) == len(places):
        axis.set_xticklabels([f"{value_name(x, place)}\nn = {n}" for place, n in zip(places, numbers, strict=True)])
        count = ""
    _write_note(axis, ", ".join(part for part in (text.note, count) if part))


def _hue_legend(figure: Figure, hue: str, colors: dict[str, str]) -> None:
    title = Line2D([], [], linestyle="none", label=f"{key_name(hue)}:")
    boxes = [
        Patch(facecolor=c, edgecolor=INK, linewidth=0.7, label=value_name(hue, value)) for value, c in colors.items()
    ]
    figure.legend(handles=[title, *boxes], loc="outside upper right", ncols=1 + len(boxes))


def _draw_prevalence(axis: Axes, prevalence: float) -> None:
    axis.axhline(prevalence, color="0.3", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    top = axis.get_ylim()[1]
    axis.set_ylim(0, max(top, 1.1 * prevalence))
    place = {"xy": (1, prevalence), "xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    axis.annotate(f"prevalence {prevalence:.2g}", xytext=(0, 2), ha="right", va="bottom", fontsize=SMALL, **place)


def _draw_curves(axis: Axes, run: pd.DataFrame, color: str) -> None:
    axis.plot(run["epoch"], run["loss"], color=_TRAINING_COLOR, linewidth=0.8, linestyle="--")
    axis.plot(run["epoch"], run["val_loss"], color=color, linewidth=0.9)
    best = run.loc[run["val_loss"].idxmin()]
    marker = {"marker": "o", "markersize": 3.5, "markeredgecolor": INK, "markeredgewidth": 0.5, "zorder": 3}
    axis.plot(best["epoch"], best["val_loss"], color=color, **marker)


def _curve_legend(figure: Figure, note: str | None) -> None:
    best = {"marker": "o", "linestyle": "none", "markersize": 4}
    handles = [
        Line2D([], [], color=_TRAINING_COLOR, linestyle="--", label="training"),
        Line2D([], [], color=INK, label="validation"),
        Line2D([], [], color=INK, label="best epoch", **best),
    ]
    title = f"one pair of lines per replicate{f', {note}' if note else ''}"
    figure.legend(handles=handles, loc="outside upper center", ncols=3, title=title)


def _write_note(axis: Axes, note: str) -> None:
    axis.set_title(note, loc="right", fontsize=SMALL, color=NOTE_COLOR)


def _light(color: str) -> tuple[str, float]:
    return (color, 0.4)
