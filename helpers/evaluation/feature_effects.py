"""By how much two variants differ over many outputs: feature by feature, from scores alone.

Each feature (an output of the study) is one pair: its score under a and its score under b. Features share the windows
on which they are scored and the trained network, so that the test and the interval say how consistent a difference is
over features, not whether other windows or another training would show it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.comparisons import COMPARISON_COLUMNS, grid_columns
from helpers.evaluation.contrasts import Contrast, match_splits, variant_key
from helpers.evaluation.effects import Component, interval, row_of
from helpers.evaluation.metrics import check_metrics
from helpers.evaluation.rank_test import RankTest, signed_rank
from helpers.study import variant_name

ALL_OUTPUTS = "all outputs"
FEATURE_KINDS = ("class", "group")  # columns of the sheet of tracks by which features are taken together

Levels = Mapping[tuple[str, str], pd.DataFrame]


def compare_features(
    scores: pd.DataFrame,
    contrasts: Sequence[Contrast],
    *,
    classes: pd.DataFrame,
    study: str,
    metrics: Sequence[str],
) -> pd.DataFrame:
    """Compare models of a study over its outputs.

    Parameters
    ----------
    scores : pandas.DataFrame
        The study's scores.tsv.
    contrasts : sequence of Contrast
        Of `helpers.evaluation.contrasts.list_contrasts`. A model without swapped inputs stands on ``test_swapped`` with
        its ``test`` scores, and the column ``test`` says so.
    classes : pandas.DataFrame
        Indexed by output; columns class and group, "" where there is none.
    study : str
        Name of the study.
    metrics : sequence of str
        Names from `helpers.evaluation.metrics.METRICS`.

    Returns
    -------
    pandas.DataFrame
        `COMPARISON_COLUMNS`, a row for each contrast, split, metric and set of `output_sets`, whose name stands in the
        column ``output``; no rows for a study with one output. Outcome as `compare_pairs` says.

    Raises
    ------
    InputError
        When the folds of two sides differ.
    """
    outputs = list(dict.fromkeys(scores["output"]))
    sets = output_sets(outputs, classes)
    levels = _levels(scores[scores["metric"].isin(check_metrics(metrics))], outputs)
    rows = [
        {"study": study, "contrast": c.name, "model_a": c.model_a, "model_b": c.model_b, **row}
        | {"variant_a": variant_name(c.variant_a), "variant_b": variant_name(c.variant_b)}
        for c in (contrasts if sets else [])
        for row in _contrast_rows(_side(levels, c.model_a, c.variant_a), _side(levels, c.model_b, c.variant_b), sets)
    ]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def class_table(records: Iterable[Mapping[str, str]]) -> pd.DataFrame:
    """Tabulate the class and group of outputs.

    Parameters
    ----------
    records : iterable of mapping
        ``track``, the name of the output, ``class`` and ``group`` of each; one that comes again is left out.

    Returns
    -------
    pandas.DataFrame
        Indexed by output; columns class and group, "" where there is none.

    Examples
    --------
    >>> class_table([{"track": "a", "class": "TF", "group": ""}]).loc["a", "class"]
    'TF'
    """
    columns = ["track", *FEATURE_KINDS]
    table = pd.DataFrame([{column: record[column] for column in columns} for record in records], columns=columns)
    return table.drop_duplicates("track").fillna("").set_index("track")


def output_sets(outputs: Sequence[str], classes: pd.DataFrame) -> dict[str, np.ndarray]:
    """Name the sets of outputs that are looked at together, and the places of their members.

    Parameters
    ----------
    outputs : sequence of str
    classes : pandas.DataFrame
        Indexed by output; columns class and group.

    Returns
    -------
    dict
        "all outputs", then "class TF" and the like, then "group dependent" and the like; sets of one output, and
        classes that hold all, are left out.

    Examples
    --------
    >>> table = pd.DataFrame({"class": ["TF", "TF", "DNase"], "group": ""}, index=["a", "b", "c"])
    >>> output_sets(["a", "b", "c"], table)
    {'all outputs': array([0, 1, 2]), 'class TF': array([0, 1])}
    """
    if len(outputs) < 2:
        return {}
    sets = {ALL_OUTPUTS: np.arange(len(outputs))}
    for kind in FEATURE_KINDS:
        of_output = classes[kind].reindex(outputs).fillna("").to_numpy()
        members = {value: np.flatnonzero(of_output == value) for value in dict.fromkeys(of_output) if value}
        sets |= {f"{kind} {value}": rows for value, rows in members.items() if 1 < len(rows) < len(outputs)}
    return sets


def compare_pairs(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """Compare two variants over features.

    Parameters
    ----------
    a, b : numpy.ndarray of float, shape (features, folds)
        Scores, mean over replicates; NaN where undefined. A feature's difference is the mean over the folds in which
        both sides are defined.

    Returns
    -------
    dict
        n : features with a difference.
        delta : its mean over them.
        relative : delta / mean of b over them, missing where that is not above 0.
        ci_low, ci_high : the 95 % interval of delta by Student's t. (A bootstrap over features estimates the same
        standard error, but its percentiles are too narrow for few features.) Missing for fewer than two features.
        test, p : Wilcoxon's signed-rank test, see `helpers.evaluation.rank_test.signed_rank`; `test` tells of ties, of
        differences of 0, which it leaves out, and of features without a value.
    """
    differences, references = _mean_over_folds(a - b), _mean_over_folds(np.where(np.isnan(a - b), np.nan, b))
    defined = ~np.isnan(differences)
    differences, n = differences[defined], int(defined.sum())
    if not n:
        return row_of(n=0, test="wilcoxon paired over features: none has a value")
    delta, ranks = float(differences.mean()), signed_rank(differences)
    spread = [Component(float(differences.var(ddof=1)) / n, n - 1)] if n > 1 else []
    return row_of(
        n=n,
        delta=delta,
        reference=float(references[defined].mean()),
        ends=interval(delta, spread) if spread else (np.nan, np.nan),
        test=_test_name(ranks, zeros=int((differences == 0).sum()), n=n, missing=len(defined) - n),
        p=ranks.p,
    )


def _test_name(ranks: RankTest, *, zeros: int, n: int, missing: int) -> str:
    name = "wilcoxon paired over features"
    if zeros < n:
        exact = not np.isnan(ranks.smallest_p)
        name += (", exact" if exact else ", normal approximation") + ", ties" * ranks.ties
        name += f" (smallest p {ranks.smallest_p:.2g})" * exact
    name += f"; {zeros} without a difference left out" * (zeros > 0)
    return name + f"; {missing} without a value" * (missing > 0)


def _mean_over_folds(values: np.ndarray) -> np.ndarray:
    defined = (~np.isnan(values)).sum(axis=1)
    return np.divide(np.nansum(values, axis=1), defined, out=np.full(len(values), np.nan), where=defined > 0)


def _levels(scores: pd.DataFrame, outputs: Sequence[str]) -> dict[tuple, dict[tuple[str, str], pd.DataFrame]]:
    """Mean over replicates, NaN if one is undefined: variant key → (split, metric) → table of outputs by folds."""
    grid = grid_columns(scores)
    keys = ["model", *grid, "split", "metric"]
    values = scores.groupby([*keys, "fold", "output"], sort=False, dropna=False)["value"].agg(["mean", "count", "size"])
    means = values["mean"].where(values["count"] == values["size"])
    levels: dict[tuple, dict[tuple[str, str], pd.DataFrame]] = {}
    for (model, *texts, split, metric), part in means.groupby(keys, sort=False, dropna=False):
        variant = {key: text for key, text in zip(grid, texts, strict=True) if text != ""}
        table = part.droplevel(keys).unstack("fold").reindex(outputs)
        levels.setdefault(variant_key(model, variant), {})[split, metric] = table[sorted(table.columns)]
    return levels


def _side(levels: Mapping[tuple, Levels], model: str, values: Mapping[str, Any]) -> Levels:
    return levels.get(variant_key(model, values), {})


def _contrast_rows(a: Levels, b: Levels, sets: Mapping[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    for (split, metric), side_a, side_b, remark in match_splits(a, b):
        if list(side_a) != list(side_b):
            message = f"Both sides need the same folds. Received: {list(side_a)} and {list(side_b)}. Finish the runs."
            raise InputError(message)
        values_a, values_b = side_a.to_numpy(), side_b.to_numpy()
        for name, rows in sets.items():
            row = compare_pairs(values_a[rows], values_b[rows])
            yield {"split": split, "output": name, "metric": metric, **row, "test": row["test"] + remark}
