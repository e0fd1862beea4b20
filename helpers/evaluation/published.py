"""What a paper published, beside what a run of this workflow says of the same."""

import os
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.metrics import METRICS
from helpers.evaluation.score_selection import select_metric, select_variant
from helpers.evaluation.summary_tables import unit_values

STATEMENT_COLUMNS = (
    *("statement", "source", "study", "quantity", "model_a", "variant_a", "model_b", "variant_b"),
    *("metric", "split", "class", "output", "threshold", "published"),
)
PUBLISHED_COLUMNS = (*STATEMENT_COLUMNS, "ours", "n", "note")

Statistic = Callable[[np.ndarray, float], float]


def _standard_error(values: np.ndarray, _: float) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


_LEVELS: dict[str, Statistic] = {
    "median": lambda values, _: np.median(values),
    "mean": lambda values, _: np.mean(values),
    "smallest": lambda values, _: np.min(values),
    "largest": lambda values, _: np.max(values),
}
_SHARES: dict[str, Statistic] = {
    "count_at_least": lambda values, threshold: np.count_nonzero(values >= threshold),
    "share_at_least": lambda values, threshold: np.mean(values >= threshold),
}
_OF_VALUES = _LEVELS | {"se": _standard_error}
_OF_DIFFERENCES = {f"{name}_difference": statistic for name, statistic in _LEVELS.items()} | _SHARES
_OF_RELATIVES = {f"{name}_relative": statistic for name, statistic in {**_LEVELS, **_SHARES}.items()}
QUANTITIES = (*_OF_VALUES, *_OF_DIFFERENCES, *_OF_RELATIVES)
_OF_MIDDLES = ("median", "mean")  # what unpaired replicates can be compared by
_UNDEFINED = "no score is defined"


def read_published(path: str | os.PathLike) -> pd.DataFrame:
    """Read a sheet of published statements.

    Parameters
    ----------
    path : path
        TSV with `STATEMENT_COLUMNS`. ``quantity`` is one of `QUANTITIES`: a statistic of a's scores, of the differences
        a - b, or of these relative to b. ``variant_a`` and ``variant_b`` name as many values of a grid as tell its
        variants apart (``order~3_dropout~0.2``). ``class`` and ``output`` (a name, or a pattern such as ``*Pol3*``)
        choose outputs, all where they are empty. ``threshold`` belongs to quantities that count. ``published`` is a
        number, or a statement such as ``> 0``.

    Returns
    -------
    pandas.DataFrame
        All columns text.

    Raises
    ------
    InputError
        With every row that is wrong, by its line.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        message = f"Cannot read the published statements in {path}: {error}. Give a table of tab-separated columns."
        raise InputError(message) from error
    if tuple(table.columns) != STATEMENT_COLUMNS:
        message = f"{path} needs the columns {', '.join(STATEMENT_COLUMNS)}. It has: {', '.join(table.columns)}."
        raise InputError(message)
    problems = [
        f"{path}, line {line}: {problem}"
        for line, row in enumerate(table.to_dict("records"), start=2)
        for problem in _problems(row)
    ]
    if problems:
        raise InputError("\n".join(problems))
    return table


def compare_published(
    statements: pd.DataFrame, scores: Mapping[str, pd.DataFrame], classes: pd.DataFrame
) -> pd.DataFrame:
    """Set published statements beside what a run says of the same.

    Parameters
    ----------
    statements : pandas.DataFrame
        Of `read_published`.
    scores : dict of str to pandas.DataFrame
        scores.tsv of each study of the run.
    classes : pandas.DataFrame
        Indexed by output; column class.

    Returns
    -------
    pandas.DataFrame
        `PUBLISHED_COLUMNS`, the statements in their order. ``ours`` is the quantity and ``n`` the number of values that
        it is a statistic of: in a study with several outputs one for each output, its mean over replicates and then
        folds; in a study with one output one for each fold, or each replicate where there is one fold. Differences are
        between the same outputs or folds; replicates have no partners, so theirs are differences between medians or
        means. Undefined scores are left out, and so are ratios to a b that is not above 0. Where there is nothing to
        compare, ``note`` says why.
    """
    rows: dict[int, dict[str, Any]] = {}
    for (study, metric, split), part in statements.groupby(["study", "metric", "split"], sort=False):
        chosen, note = _study_scores(scores, study, metric=metric, split=split)
        for number, statement in zip(part.index, part.to_dict("records"), strict=True):
            outcome = {"note": note} if chosen is None else _evaluate(statement, chosen, classes)
            rows[number] = statement | outcome
    table = pd.DataFrame([rows[number] for number in statements.index], columns=list(PUBLISHED_COLUMNS))
    return table.astype({"ours": float, "n": "Int64"}).fillna({"note": ""})


def _problems(row: Mapping[str, str]) -> list[str]:
    quantity = row["quantity"]
    if quantity not in QUANTITIES:
        return [f"quantity {quantity!r} is unknown; choose from {', '.join(QUANTITIES)}."]
    paired, counts = quantity not in _OF_VALUES, quantity.startswith(tuple(_SHARES))
    problems = []
    if row["metric"] not in METRICS:
        problems.append(f"metric {row['metric']!r} is unknown; choose from {', '.join(METRICS)}.")
    if not row["model_a"] or bool(row["model_b"]) != paired:
        problems.append(f"{quantity} needs model_a {'and' if paired else 'and no'} model_b.")
    if not row["study"] or not row["split"]:
        problems.append("study and split are needed.")
    if counts and not re.fullmatch(r"-?\d+(\.\d+)?", row["threshold"]):
        problems.append(f"{quantity} needs a number as threshold. Received: {row['threshold']!r}.")
    if not counts and row["threshold"]:
        problems.append(f"{quantity} takes no threshold. Received: {row['threshold']!r}.")
    return problems


def _study_scores(
    scores: Mapping[str, pd.DataFrame], study: str, *, metric: str, split: str
) -> tuple[pd.DataFrame | None, str]:
    if study not in scores:
        return None, f"the run has no study {study!r}"
    try:
        return select_metric(scores[study], metric=metric, split=split), ""
    except InputError as error:
        return None, str(error)


class _Side(NamedTuple):
    """Scores of one side, by output, or by fold or replicate where the study has one output; and a remark on them."""

    values: pd.Series
    unit: str
    remark: str


def _evaluate(statement: Mapping[str, str], scores: pd.DataFrame, classes: pd.DataFrame) -> dict[str, Any]:
    """Compute a quantity from the scores of one study by one metric on one split."""
    quantity = statement["quantity"]
    try:
        sides = [_side(scores, statement, side, classes) for side in ("a", "b") if statement[f"model_{side}"]]
    except InputError as error:
        return {"note": str(error)}
    remark = "; ".join(side.remark for side in sides if side.remark)
    if quantity in _OF_VALUES:
        return _outcome(_OF_VALUES[quantity], sides[0].values, remark=remark)
    a, b = (side.values for side in sides)
    if sides[0].unit == "replicate":
        return _unpaired(quantity, a.dropna(), b.dropna(), remark=remark)
    threshold = float(statement["threshold"] or 0)
    if quantity in _OF_RELATIVES:
        return _outcome(_OF_RELATIVES[quantity], (a - b) / b.where(b > 0), threshold, remark=remark)
    return _outcome(_OF_DIFFERENCES[quantity], a - b, threshold, remark=remark)


def _side(scores: pd.DataFrame, statement: Mapping[str, str], side: str, classes: pd.DataFrame) -> _Side:
    model = statement[f"model_{side}"]
    several = scores["output"].nunique() > 1
    chosen = select_variant(scores, {"model": model, **variant_values(statement[f"variant_{side}"])})
    split = chosen["split"].iloc[0]
    remark = f"{model} scored on {split}, it has no inputs to swap" if split != statement["split"] else ""
    chosen = chosen[chosen["output"].isin(_outputs(statement, chosen["output"].unique(), classes))]
    unit, values = unit_values(chosen, ["output"])
    if several:
        return _Side(values.groupby("output", sort=False)["value"].mean(), "output", remark)
    return _Side(values.set_index(unit)["value"], unit, remark)


def variant_values(name: str) -> dict[str, str]:
    """Take the name of a variant apart: ``order~3_dropout~0.2``; empty or ``default`` names no values.

    Examples
    --------
    >>> variant_values("order~3_dropout~0.2"), variant_values("default")
    ({'order': '3', 'dropout': '0.2'}, {})
    """
    if name in ("", "default"):
        return {}
    pairs = [part.partition("~") for part in re.split(r"_(?=[^_~]+~)", name)]
    wrong = [key for key, mark, value in pairs if not (mark and value)]
    if wrong:
        message = f"{name!r} names no variant: {wrong[0]!r} has no value. Write key~value, joined by _."
        raise InputError(message)
    return {key: value for key, _, value in pairs}


def _outputs(statement: Mapping[str, str], outputs: np.ndarray, classes: pd.DataFrame) -> list[str]:
    chosen = [name for name in outputs if fnmatchcase(name, statement["output"] or "*")]
    if statement["class"]:
        of_class = set(classes.index[classes["class"] == statement["class"]])
        chosen = [name for name in chosen if name in of_class]
    if not chosen:
        wanted = " of class ".join(part for part in (statement["output"] or "any", statement["class"]) if part)
        message = f"the study has no output {wanted}"
        raise InputError(message)
    return chosen


def _unpaired(quantity: str, a: pd.Series, b: pd.Series, *, remark: str) -> dict[str, Any]:
    """Compare two groups of replicates, which have no partners, by their medians or means."""
    statistic = quantity.removesuffix("_difference").removesuffix("_relative")
    if statistic not in _OF_MIDDLES:
        return {"note": f"{quantity} needs pairs: several outputs or folds"}
    if not len(a) or not len(b):
        return {"n": 0, "note": _UNDEFINED}
    middle_a, middle_b = (float(_LEVELS[statistic](side.to_numpy(), 0)) for side in (a, b))
    difference = middle_a - middle_b
    if quantity in _OF_RELATIVES:
        difference = difference / middle_b if middle_b > 0 else np.nan
    return {"ours": difference, "n": min(len(a), len(b)), "note": remark}


def _outcome(statistic: Statistic, values: pd.Series, threshold: float = 0, *, remark: str) -> dict[str, Any]:
    defined = values.dropna().to_numpy()
    if not len(defined):
        return {"n": 0, "note": _UNDEFINED}
    return {"ours": float(statistic(defined, threshold)), "n": len(defined), "note": remark}
