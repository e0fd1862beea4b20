"""Which rows of a table of scores a figure or a table means: of one metric, split and variant."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers.errors import InputError, list_some
from helpers.evaluation.comparisons import grid_columns
from helpers.evaluation.contrasts import STAND_IN


def select_scores(
    scores: pd.DataFrame, *, metric: str, splits: Sequence[str], output: str | None = None, **values: Any
) -> pd.DataFrame:
    """Select the scores of one output that one figure shows.

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
    chosen = _on_first_split(chosen, splits)
    if not len(chosen) or chosen["output"].nunique() > 1:
        found = sorted(set(chosen["output"]))
        message = f"No scores, or those of several outputs {found}, for {wanted} on {', '.join(splits)}. Choose others."
        raise InputError(message)
    return chosen


def select_metric(scores: pd.DataFrame, *, metric: str, split: str) -> pd.DataFrame:
    """Select the scores of all outputs by one metric on one split.

    Parameters
    ----------
    scores : pandas.DataFrame
        Of `helpers.evaluation.comparisons.collect_scores`.
    metric, split : str
        Their names. Models without swapped inputs stand on ``test_swapped`` with their scores on ``test``.

    Returns
    -------
    pandas.DataFrame
        Rows of `scores` in their order.

    Raises
    ------
    InputError
        When nothing is left.
    """
    chosen = _on_first_split(scores[scores["metric"] == metric], preferred_splits(split))
    if not len(chosen):
        message = f"There are no scores by {metric} on {split}. Choose a metric and a split of the study."
        raise InputError(message)
    return chosen


def select_variant(scores: pd.DataFrame, selector: Mapping[str, Any]) -> pd.DataFrame:
    """Select the rows of the one variant that a selector means.

    Parameters
    ----------
    scores : pandas.DataFrame
        Any table with the columns ``model`` and those of the grid, such as the scores or the summary of a study.
    selector : mapping
        ``model`` and as many values of its grid as tell its variants apart; 0 and 0.0 are one value.

    Returns
    -------
    pandas.DataFrame
        Rows of `scores` in their order.

    Raises
    ------
    InputError
        When no variant has these values, or several have.

    Examples
    --------
    >>> scores = pd.DataFrame({"model": ["dna", "dna"], "order": ["1", "3"], "value": [0.3, 0.4]})
    >>> select_variant(scores, {"model": "dna", "order": 3})["value"].tolist()
    [0.4]
    """
    columns = ["model", *grid_columns(scores)]
    chosen = with_values(scores, selector)
    variants = chosen[columns].drop_duplicates()
    if len(variants) == 1:
        return chosen
    wanted = ", ".join(f"{key}: {value}" for key, value in selector.items())
    if not len(variants):
        same_model = scores[scores["model"] == str(selector.get("model"))]
        known = (same_model if len(same_model) else scores)[columns].drop_duplicates()
        message = f"No variant has {{{wanted}}}. There are {_list_variants(known)}. Choose one of them."
        raise InputError(message)
    differing = [column for column in columns if variants[column].nunique() > 1]
    message = (
        f"{len(variants)} variants have {{{wanted}}}: {_list_variants(variants)}. "
        f"Tell them apart by {', '.join(differing)}."
    )
    raise InputError(message)


def with_values(scores: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    """Keep the rows that have these values of the grid (or of ``model``).

    Raises
    ------
    InputError
        When a key is in no grid.
    """
    for key, value in values.items():
        check_column(scores, key)
        texts = [text for text in scores[key].unique() if same_value(text, value)]
        scores = scores[scores[key].isin(texts)]
    return scores


def check_column(scores: pd.DataFrame, key: str) -> None:
    """Raise an InputError unless a key is ``model`` or a key of the grids."""
    columns = ["model", *grid_columns(scores)]
    if key not in columns:
        message = f"{key!r} is no key of the models' grids. Choose from: {', '.join(columns)}."
        raise InputError(message)


def same_value(text: Any, value: Any) -> bool:
    """Compare a grid value as scores.tsv has it with that of a config: 0 and 0.0 are one.

    Examples
    --------
    >>> same_value("0.0", 0), same_value("", 0), same_value("flip", "flip")
    (True, False, True)
    """
    try:
        return float(text) == float(value)
    except (TypeError, ValueError):
        return str(text) == str(value)


def preferred_splits(split: str) -> list[str]:
    """List a split and, if there is one, the split that stands in for it."""
    return [split, *([STAND_IN[split]] if split in STAND_IN else [])]


def _on_first_split(scores: pd.DataFrame, splits: Sequence[str]) -> pd.DataFrame:
    """Keep, of each model, the rows on the first of the splits that it was scored on."""
    preferred = {
        model: next((split for split in splits if split in set(part)), None)
        for model, part in scores.groupby("model")["split"]
    }
    return scores[scores["split"] == scores["model"].map(preferred).astype("str")]


def _list_variants(variants: pd.DataFrame) -> str:
    return list_some(map(_variant_text, variants.to_dict("records")), separator="; ")


def _variant_text(variant: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in variant.items() if value != "")
