"""Tables of one row a feature, behind the figures of studies with many outputs.

A feature is an output of the model. Its score is the mean over folds and replicates; it is NaN where it is undefined in
all of them, and stays in the table.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers.errors import InputError, list_some
from helpers.evaluation.comparisons import grid_columns
from helpers.evaluation.score_selection import check_column, same_value, select_metric, select_variant, with_values

MODIFIER = "histone modifier"  # a group of the sheet: factors that behave as the marks that they write


def pair_features(
    scores: pd.DataFrame,
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    metric: str,
    split: str,
    features: pd.DataFrame,
) -> pd.DataFrame:
    """Set the scores of two variants side by side, feature by feature.

    Parameters
    ----------
    scores : pandas.DataFrame
        Of `helpers.evaluation.comparisons.collect_scores`.
    a, b : mapping
        Selectors as in `helpers.evaluation.score_selection.select_variant`.
    metric, split : str
        Which scores.
    features : pandas.DataFrame
        class, group and condition by output.

    Returns
    -------
    pandas.DataFrame
        By output, in the order of the scores: a, b, class, kind and label, as `describe_features` gives them.

    Raises
    ------
    InputError
        When a selector does not mean one variant, or an output is not in `features`.
    """
    chosen = select_metric(scores, metric=metric, split=split)
    sides = {name: _feature_means(select_variant(chosen, selector)) for name, selector in (("a", a), ("b", b))}
    outputs = list(dict.fromkeys(chosen["output"]))
    described = describe_features(features, outputs)
    return pd.DataFrame({name: side.reindex(outputs) for name, side in sides.items()}).join(described)


def variant_features(
    scores: pd.DataFrame,
    *,
    models: Sequence[str],
    metric: str,
    split: str,
    where: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """List the score of every feature by every variant of some models.

    Parameters
    ----------
    scores : pandas.DataFrame
        Of `helpers.evaluation.comparisons.collect_scores`.
    models : sequence of str
        Names of models, in the order of the table.
    metric, split : str
        Which scores.
    where : mapping, optional
        Model → grid values: of that model only variants with these values.

    Returns
    -------
    pandas.DataFrame
        model, grid columns, output and value; one row for each variant and feature.

    Raises
    ------
    InputError
        When a model has no variant with these values.
    """
    chosen = select_metric(scores, metric=metric, split=split)
    parts = []
    for model in models:
        values = {"model": model, **(where or {}).get(model, {})}
        parts.append(with_values(chosen, values))
        if not len(parts[-1]):
            message = f"No variant with scores by {metric} on {split} has {values}. Choose other values."
            raise InputError(message)
    joined = pd.concat(parts)
    keys = ["model", *grid_columns(joined), "output"]
    return joined.groupby(keys, sort=False)["value"].mean().reset_index()


def difference_features(table: pd.DataFrame, *, key: str, value: Any, reference: Any) -> pd.DataFrame:
    """Subtract, feature by feature, the score with one value of a grid key from that with another.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `variant_features`; further columns that describe a feature are kept.
    key : str
        Key of the grid.
    value, reference : object
        Its two values; every other value of the variant is the same on both sides.

    Returns
    -------
    pandas.DataFrame
        As `table`, without the column `key`; ``value`` holds value minus reference. Variants that lack either side are
        left out.

    Raises
    ------
    InputError
        When no variant has both sides.
    """
    check_column(table, key)
    sides = [
        table[table[key].map(lambda text, wanted=wanted: same_value(text, wanted))].drop(columns=key)
        for wanted in (value, reference)
    ]
    others = [column for column in sides[0] if column != "value"]
    both = sides[0].merge(sides[1], on=others, suffixes=("_a", "_b"))
    if not len(both):
        message = f"No variant has both {key}: {value} and {key}: {reference} with all else equal. Choose other values."
        raise InputError(message)
    return both[others].assign(value=both["value_a"] - both["value_b"])


def check_places(table: pd.DataFrame, places: Sequence[str]) -> None:
    """Raise an InputError unless a feature has at most one value at each place that these columns name."""
    for place in places:
        check_column(table, place)
    repeated = table[table.duplicated([*places, "output"], keep=False)]
    if len(repeated):
        first = repeated[repeated["output"] == repeated["output"].iloc[0]]
        others = [column for column in grid_columns(table) if column not in places]
        differing = [column for column in others if first[column].nunique() > 1]
        message = (
            f"Variants that differ in {', '.join(differing)} would share one box. Choose between them by 'where', "
            "or let the figure show that key."
        )
        raise InputError(message)


def describe_features(features: pd.DataFrame, outputs: Sequence[str]) -> pd.DataFrame:
    """Give each output its class, its kind and its name in figures.

    Parameters
    ----------
    features : pandas.DataFrame
        class, group and condition by output; empty or missing where unknown.
    outputs : sequence of str
        Which outputs.

    Returns
    -------
    pandas.DataFrame
        By output: class; kind, which is the class except for the group of histone modifiers; label, the condition if
        there is one, else the output.

    Raises
    ------
    InputError
        When an output is not in `features`.

    Examples
    --------
    >>> sheet = pd.DataFrame({"class": ["TF"], "group": ["histone modifier"], "condition": [""]}, index=["K562-Ezh2"])
    >>> describe_features(sheet, ["K562-Ezh2"]).to_dict("records")
    [{'class': 'TF', 'kind': 'histone modifier', 'label': 'K562-Ezh2'}]
    """
    missing = [output for output in outputs if output not in features.index]
    if missing:
        message = f"The sheet has no class of the outputs {list_some(missing)}. Add their tracks to the sheet."
        raise InputError(message)
    known = features.loc[list(outputs), ["class", "group", "condition"]].fillna("").astype("str")
    names = pd.Series(known.index, index=known.index)
    return pd.DataFrame(
        {
            "class": known["class"],
            "kind": known["class"].mask(known["group"] == MODIFIER, MODIFIER),
            "label": known["condition"].where(known["condition"] != "", names),
        }
    )


def _feature_means(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby("output", sort=False)["value"].mean()
