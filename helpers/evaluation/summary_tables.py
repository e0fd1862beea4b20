"""Tables as a paper prints them: a row for each variant, its mean and standard error over folds, its noise ceiling."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.comparisons import grid_columns
from helpers.evaluation.contrasts import STAND_IN
from helpers.evaluation.score_selection import select_metric

_CORRELATION = "pearson_r"  # the metric that a noise ceiling bounds


def make_table(
    scores: pd.DataFrame, *, models: Sequence[str], metric: str, split: str, ceilings: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Make a table of the paper's form.

    Parameters
    ----------
    scores : pandas.DataFrame
        The study's scores.tsv.
    models : sequence of str
        Rows in this order, and variants of a model in that of the scores.
    metric, split : str
        Models without swapped inputs stand on ``test_swapped`` with their scores on ``test``.
    ceilings : pandas.DataFrame, optional
        Of `helpers.evaluation.reliability.measure_ceilings`.

    Returns
    -------
    pandas.DataFrame
        model, those keys of the grids that differ between rows, output, unit, n, mean, se, text, ceiling. Units are
        folds, after the mean over replicates of each; with one fold they are replicates. ``se`` is the standard error
        of their mean, missing for n < 2; ``text`` is both as the paper prints them. ``ceiling`` is the correlation that
        noise leaves possible, missing where it is not known or the metric is another.

    Raises
    ------
    InputError
        When a model has no such scores.
    """
    chosen = select_metric(scores, metric=metric, split=split)
    missing = [model for model in models if model not in set(chosen["model"])]
    if missing:
        message = f"Model {missing[0]!r} has no scores by {metric} on {split}. Choose from the models of the study."
        raise InputError(message)
    keys = ["model", *grid_columns(chosen), "output"]
    of_models = pd.concat([chosen[chosen["model"] == model] for model in models])
    unit, values = unit_values(of_models, keys)
    table = values.groupby(keys, sort=False)["value"].agg(n="count", mean="mean", se="sem").reset_index()
    table.insert(len(keys), "unit", unit)
    table["text"] = [_printed(mean, se) for mean, se in zip(table["mean"], table["se"], strict=True)]
    table["ceiling"] = np.nan
    if ceilings is not None and metric == _CORRELATION:
        on_split = ceilings[ceilings["split"] == STAND_IN.get(split, split)].set_index("output")["ceiling"]
        table["ceiling"] = table["output"].map(on_split).astype(float)
    constant = [key for key in grid_columns(chosen) if len(set(table[key]) - {""}) < 2]
    return table.drop(columns=constant)


def unit_values(scores: pd.DataFrame, keys: Sequence[str]) -> tuple[str, pd.DataFrame]:
    """Average scores to the units over which a variant is summarized: folds, or replicates where there is one fold.

    Parameters
    ----------
    scores : pandas.DataFrame
        Scores of one metric and split.
    keys : sequence of str
        Columns that tell rows of a table apart.

    Returns
    -------
    unit : {'fold', 'replicate'}
    values : pandas.DataFrame
        The keys, the unit, and ``value``: the mean over the defined replicates of a fold, or the score of a replicate.

    Examples
    --------
    >>> scores = pd.DataFrame({"model": "dna", "fold": ["a", "a", "b"], "replicate": [0, 1, 0], "value": [1.0, 3, 4]})
    >>> unit_values(scores, ["model"])[1]["value"].tolist()
    [2.0, 4.0]
    """
    unit = "fold" if scores["fold"].nunique() > 1 else "replicate"
    return unit, scores.groupby([*keys, unit], sort=False)["value"].mean().reset_index()


def _printed(mean: float, se: float) -> str:
    if np.isnan(mean):
        return ""
    return f"{mean:.3f}" + (f" ({se:.2e})" if not np.isnan(se) else "")
