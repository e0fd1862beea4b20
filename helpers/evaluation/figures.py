"""From a figure's settings in the config to the figure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from helpers.errors import InputError, list_some
from helpers.evaluation.comparisons import grid_columns
from helpers.evaluation.feature_boxes import plot_boxes, plot_differences
from helpers.evaluation.feature_plots import kinds_of, plot_gains, plot_scatter
from helpers.evaluation.feature_scores import (
    describe_features,
    difference_features,
    pair_features,
    variant_features,
)
from helpers.evaluation.figure_parts import FigureText, join_notes
from helpers.evaluation.plots import plot_replicates
from helpers.evaluation.predictions import Predictions
from helpers.evaluation.regression_plot import mean_by_window, plot_regression
from helpers.evaluation.score_selection import preferred_splits, same_value, select_metric, select_scores, with_values
from helpers.evaluation.style import METRIC_NAMES, colors_of, phrase, value_name

_MOST_CHROMOSOMES = 6  # named in a label


def plot_score_figure(
    scores: pd.DataFrame,
    figure: Mapping[str, Any],
    *,
    chromosomes: Mapping[str, Sequence[str]],
    note: str = "",
    ceiling: float | None = None,
) -> Figure:
    """Draw the scores of all runs as a figure of kind ``replicates`` asks for.

    Parameters
    ----------
    scores : pandas.DataFrame
        The study's scores.tsv.
    figure : mapping
        ``models``, ``metric``, ``split``, optionally ``output``, ``x``, ``hue`` and ``where`` (model → grid values).
    chromosomes : mapping
        Split → its chromosomes, for the y label.
    note : str
        Written on the figure.
    ceiling : float, optional
        The noise ceiling of the metric, if it is known.

    Returns
    -------
    matplotlib.figure.Figure
        With the prevalence (mean over folds) as a dashed line for auPRC. Models without swapped inputs stand on
        ``test_swapped`` with their scores on ``test``, which are the same.
    """
    chosen = select_scores(
        scores,
        metric=figure["metric"],
        splits=preferred_splits(figure["split"]),
        output=figure.get("output"),
        model=list(figure["models"]),
    )
    for model, values in figure.get("where", {}).items():
        for key, value in values.items():
            fits = chosen[key].map(lambda text, value=value: same_value(text, value))
            chosen = chosen[(chosen["model"] != model) | fits]
    y = f"{METRIC_NAMES[figure['metric']]} ({_split_words(figure['split'], chromosomes)})"
    prevalence = float(chosen["prevalence"].mean()) if figure["metric"] == "auprc" else None
    return plot_replicates(
        chosen,
        x=figure.get("x", "model"),
        hue=figure.get("hue"),
        text=FigureText(y=y, note=note or None),
        prevalence=prevalence,
        ceiling=ceiling,
    )


def plot_feature_figure(
    scores: pd.DataFrame,
    figure: Mapping[str, Any],
    *,
    features: pd.DataFrame,
    chromosomes: Mapping[str, Sequence[str]],
    note: str = "",
) -> Figure:
    """Draw scores of many features as a figure of kind ``scatter``, ``gains``, ``boxes`` or ``differences`` asks for.

    Parameters
    ----------
    scores : pandas.DataFrame
        The study's scores.tsv.
    figure : mapping
        ``kind``, ``metric``, ``split``, and the keys of its kind, as config/README.md lists them.
    features : pandas.DataFrame
        class, group and condition by output.
    chromosomes : mapping
        Split → its chromosomes, for the title.
    note : str
        Written on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Scores are means over folds and replicates; the note says over how many.

    Raises
    ------
    InputError
        When the figure's keys do not choose one variant where it shows one, or nothing is left to draw.
    """
    draw = {"scatter": _scatter, "gains": _gains, "boxes": _boxes, "differences": _differences}[figure["kind"]]
    return draw(scores, figure, features, _Words(scores, figure, chromosomes, note))


def plot_regression_figure(
    runs: Iterable[Predictions],
    figure: Mapping[str, Any],
    *,
    features: pd.DataFrame,
    chromosomes: Mapping[str, Sequence[str]],
    normalize: str = "none",
    note: str = "",
) -> Figure:
    """Draw predicted against observed signal as a figure of kind ``regression`` asks for.

    Parameters
    ----------
    runs : iterable of Predictions
        The figure's split, of every fold and replicate of its variant.
    figure : mapping
        ``split``, ``of`` (model and grid values), optionally ``output``.
    features : pandas.DataFrame
        class, group and condition by output.
    chromosomes : mapping
        Split → its chromosomes, for the title.
    normalize : str
        Normalization of the output, for the axes.
    note : str
        Written on the figure.
    """
    runs = list(runs)
    table = mean_by_window(runs, figure.get("output"))
    output = figure.get("output", runs[0].outputs[0])
    label = describe_features(features, [output])["label"].iloc[0]
    unit = f"\n({phrase('normalize', normalize)})" if normalize != "none" else ""
    text = FigureText(
        x=f"observed {label}{unit}",
        y=f"predicted {label}{unit}",
        title=f"{_variant_words(figure['of'])}; {_split_words(figure['split'], chromosomes)}",
        note=join_notes(note, f"means over {len(runs)} runs" if len(runs) > 1 else ""),
    )
    model = figure["of"]["model"]
    return plot_regression(table, text=text, color=colors_of("model", [model])[model])


def find_ceiling(ceilings: pd.DataFrame, figure: Mapping[str, Any]) -> float | None:
    """Find the noise ceiling that a figure of kind ``replicates`` shows.

    Parameters
    ----------
    ceilings : pandas.DataFrame
        The study's ceiling.tsv: split, output and ceiling.
    figure : mapping
        ``metric``, ``split`` and optionally ``output``.

    Returns
    -------
    float or None
        None where there is none: another metric than Pearson's r, a split or an output that was not measured.
    """
    if figure["metric"] != "pearson_r":
        return None
    rows = ceilings[ceilings["split"] == figure["split"].removesuffix("_swapped")]
    if "output" in figure:
        rows = rows[rows["output"] == figure["output"]]
    found = rows["ceiling"].dropna()
    return float(found.iloc[0]) if len(found) == 1 else None


class _Words:
    """What all figures of features say: the metric, the split, and over how many runs a score is a mean."""

    def __init__(
        self, scores: pd.DataFrame, figure: Mapping[str, Any], chromosomes: Mapping[str, Sequence[str]], note: str
    ):
        self.metric = METRIC_NAMES[figure["metric"]]
        self._rows = select_metric(scores, metric=figure["metric"], split=figure["split"])
        self._split = _split_words(figure["split"], chromosomes)
        self._note = note

    def title(self, variant: str) -> str:
        return "; ".join(part for part in (variant, self._split) if part)

    def note(self, *selectors: Mapping[str, Any]) -> str:
        parts = [with_values(self._rows, selector) for selector in selectors]
        numbers = [_count_runs(part) for part in parts]
        few, many = min(low for low, _ in numbers), max(high for _, high in numbers)
        runs = f"{few} to {many}" if few < many else str(many)
        return join_notes(self._note, f"means over {runs} runs" if many > 1 else "")


def _scatter(scores: pd.DataFrame, figure: Mapping[str, Any], features: pd.DataFrame, words: _Words) -> Figure:
    pairs = _pairs(scores, figure, features, ("x", "y"))
    own_x, own_y, common = _contrast_words(figure["x"], figure["y"])
    text = FigureText(
        x=f"{words.metric}, {own_x}",
        y=f"{words.metric}, {own_y}",
        title=words.title(common),
        note=words.note(figure["x"], figure["y"]),
    )
    return plot_scatter(pairs, text=text, name=figure.get("name", 0), from_zero=figure["metric"] == "auprc")


def _gains(scores: pd.DataFrame, figure: Mapping[str, Any], features: pd.DataFrame, words: _Words) -> Figure:
    pairs = _pairs(scores, figure, features, ("a", "b"))
    if "class" in figure:
        if figure["class"] not in set(pairs["class"]):
            message = (
                f"No output has the class {figure['class']!r}. Classes are: {', '.join(kinds_of(pairs, 'class'))}."
            )
            raise InputError(message)
        pairs = pairs[pairs["class"] == figure["class"]]
    own_a, own_b, common = _contrast_words(figure["a"], figure["b"])
    text = FigureText(
        x=f"{value_name('class', figure.get('class', ''))}, sorted",
        y=f"\N{GREEK CAPITAL LETTER DELTA} {words.metric}\n{own_a} minus {own_b}",
        title=words.title(common),
        note=words.note(figure["a"], figure["b"]),
    )
    return plot_gains(pairs, text=text)


def _boxes(scores: pd.DataFrame, figure: Mapping[str, Any], features: pd.DataFrame, words: _Words) -> Figure:
    table = _table(scores, figure, features)
    text = FigureText(y=words.metric, title=words.title(_where_words(figure)), note=_note_of_models(figure, words))
    zero = figure["metric"] == "auprc"
    return plot_boxes(table, x=figure["x"], columns=figure.get("columns"), text=text, from_zero=zero)


def _differences(scores: pd.DataFrame, figure: Mapping[str, Any], features: pd.DataFrame, words: _Words) -> Figure:
    key, value, reference = figure["key"], figure["value"], figure["reference"]
    table = difference_features(_table(scores, figure, features), key=key, value=value, reference=reference)
    text = FigureText(
        y=f"\N{GREEK CAPITAL LETTER DELTA} {words.metric}\n{phrase(key, value)} minus\n{phrase(key, reference)}",
        title=words.title(_where_words(figure)),
        note=join_notes(_note_of_models(figure, words), "numbers: mean differences"),
    )
    return plot_differences(table, x=figure["x"], text=text)


def _pairs(
    scores: pd.DataFrame, figure: Mapping[str, Any], features: pd.DataFrame, sides: tuple[str, str]
) -> pd.DataFrame:
    a, b = (figure[side] for side in sides)
    return pair_features(scores, a, b, metric=figure["metric"], split=figure["split"], features=features)


def _table(scores: pd.DataFrame, figure: Mapping[str, Any], features: pd.DataFrame) -> pd.DataFrame:
    """Scores by variant and feature, with the class of each feature."""
    table = variant_features(
        scores,
        models=list(figure["models"]),
        metric=figure["metric"],
        split=figure["split"],
        where=figure.get("where"),
    )
    classes = describe_features(features, list(dict.fromkeys(table["output"])))["class"]
    return table.assign(**{"class": table["output"].map(classes)})


def _count_runs(rows: pd.DataFrame) -> tuple[int, int]:
    """Count folds times replicates: of the variant with the fewest, and with the most."""
    variants = ["model", *grid_columns(rows)]
    numbers = rows.drop_duplicates([*variants, "fold", "replicate"]).groupby(variants).size()
    return int(numbers.min()), int(numbers.max())


def _note_of_models(figure: Mapping[str, Any], words: _Words) -> str:
    where = figure.get("where", {})
    return words.note(*[{"model": model, **where.get(model, {})} for model in figure["models"]])


def _split_words(split: str, chromosomes: Mapping[str, Sequence[str]]) -> str:
    source = split.removesuffix("_swapped")
    swapped = ", experiments swapped" if split != source else ""
    return f"{source} on {list_some(chromosomes[source], most=_MOST_CHROMOSOMES)}{swapped}"


def _variant_words(selector: Mapping[str, Any]) -> str:
    return ", ".join(phrase(key, value) for key, value in selector.items())


def _contrast_words(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, str, str]:
    """Say what only the one variant is, what only the other is, and what both are."""
    common = {key: value for key, value in a.items() if key in b and same_value(value, b[key])}
    own = [{key: value for key, value in side.items() if key not in common} for side in (a, b)]
    return _variant_words(own[0] or a), _variant_words(own[1] or b), _variant_words(common)


def _where_words(figure: Mapping[str, Any]) -> str:
    """Say which values of the grids all models of a figure were chosen by."""
    chosen = [figure.get("where", {}).get(model, {}) for model in figure["models"]]
    shared = {key: value for key, value in chosen[0].items() if all(values.get(key) == value for values in chosen)}
    return _variant_words(shared)
