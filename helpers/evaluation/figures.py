"""From a figure's settings in the config to the figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from helpers.evaluation.comparisons import STAND_IN
from helpers.evaluation.plots import FigureText, plot_replicates, select_scores
from helpers.evaluation.style import METRIC_NAMES


def plot_score_figure(
    scores: pd.DataFrame, figure: Mapping[str, Any], *, chromosomes: Mapping[str, Sequence[str]], note: str = ""
) -> Figure:
    """Draw the scores of all replicates as a figure of the config asks for.

    Parameters
    ----------
    scores : pandas.DataFrame
        The study's scores.tsv.
    figure : mapping
        ``models``, ``metric``, ``split``, optionally ``x``, ``hue`` and ``where`` (model → grid values).
    chromosomes : mapping
        Split → its chromosomes, for the y label.
    note : str
        Written on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        With the prevalence as a dashed line for auPRC. Models without swapped inputs stand on ``test_swapped`` with
        their scores on ``test``, which are the same.
    """
    split = figure["split"]
    chosen = select_scores(
        scores,
        metric=figure["metric"],
        splits=[split, *([STAND_IN[split]] if split in STAND_IN else [])],
        model=list(figure["models"]),
    )
    for model, values in figure.get("where", {}).items():
        for key, value in values.items():
            chosen = chosen[(chosen["model"] != model) | chosen[key].map(lambda text, value=value: _same(text, value))]
    source = split.removesuffix("_swapped")
    swapped = ", experiments swapped" if split != source else ""
    text = FigureText(
        y=f"{METRIC_NAMES[figure['metric']]} ({source} on {', '.join(chromosomes[source])}{swapped})", note=note or None
    )
    prevalence = float(chosen["prevalence"].iloc[0]) if figure["metric"] == "auprc" else None
    return plot_replicates(chosen, x=figure.get("x", "model"), hue=figure.get("hue"), text=text, prevalence=prevalence)


def _same(text: str, value: object) -> bool:
    """Compare a grid value as scores.tsv has it with that of a config: 0 and 0.0 are one."""
    try:
        return float(text) == float(value)
    except (TypeError, ValueError):
        return text == str(value)
