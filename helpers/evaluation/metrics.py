"""Metrics between what was observed and what was predicted, and the table of scores of one model.

A metric that is undefined (labels of one class only, a constant signal, no windows) is NaN and said in the log; it is
never 0 and never an error.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import InputError, list_some
from helpers.evaluation.predictions import Predictions
from helpers.evaluation.ranking import average_precision, count_windows, roc_area

logger = logging.getLogger(__name__)

SCORE_COLUMNS = ("split", "output", "metric", "value", "n", "n_positive", "prevalence")
RANKING_METRICS = {"auprc": average_precision, "auroc": roc_area}  # need targets of 0 and 1
_MOST_NAMED = 20  # undefined scores, in the log
_COLUMNS_AT_ONCE = 32  # outputs copied to lie together in memory


def auprc(target: np.ndarray, prediction: np.ndarray) -> float:
    """Compute the area under the precision-recall curve as average precision.

    Parameters
    ----------
    target : numpy.ndarray, shape (windows,)
        Labels, 0 or 1.
    prediction : numpy.ndarray of float, shape (windows,)
        Higher means more likely positive; tied predictions share one threshold.

    Returns
    -------
    float
        Between 0 and 1; about the prevalence for a random ranking. NaN unless both classes occur.

    Raises
    ------
    InputError
        When a target is neither 0 nor 1.

    Examples
    --------
    >>> auprc(np.array([0, 1, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1]))
    0.5833333333333333
    """
    return float(average_precision(count_windows(as_labels(target), prediction))[0])


def auroc(target: np.ndarray, prediction: np.ndarray) -> float:
    """Compute the area under the ROC curve: the chance that a positive ranks above a negative, ties counted half.

    Parameters
    ----------
    target : numpy.ndarray, shape (windows,)
        Labels, 0 or 1.
    prediction : numpy.ndarray of float, shape (windows,)
        Higher means more likely positive.

    Returns
    -------
    float
        Between 0 and 1; 0.5 for a random ranking. NaN unless both classes occur.

    Raises
    ------
    InputError
        When a target is neither 0 nor 1.

    Examples
    --------
    >>> auroc(np.array([0, 1, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1]))
    0.5
    """
    return float(roc_area(count_windows(as_labels(target), prediction))[0])


def pearson_r(target: np.ndarray, prediction: np.ndarray) -> float:
    """Compute Pearson's correlation, in double precision; NaN when either side is constant.

    Examples
    --------
    >>> round(pearson_r(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 4.0])), 4)
    0.9286
    """
    if len(target) < 2 or np.ptp(target) == 0 or np.ptp(prediction) == 0:
        return float("nan")
    x, y = (np.asarray(values, dtype=np.float64) for values in (target, prediction))
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def mae(target: np.ndarray, prediction: np.ndarray) -> float:
    """Compute the mean absolute error, in the unit of the target; NaN without windows."""
    return float(np.mean(np.abs(_error(target, prediction)))) if len(target) else float("nan")


def mse(target: np.ndarray, prediction: np.ndarray) -> float:
    """Compute the mean squared error, in the squared unit of the target; NaN without windows."""
    return float(np.mean(np.square(_error(target, prediction)))) if len(target) else float("nan")


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "auprc": auprc,
    "auroc": auroc,
    "pearson_r": pearson_r,
    "mae": mae,
    "mse": mse,
}


def score_predictions(predictions: Mapping[str, Predictions], metrics: Iterable[str]) -> pd.DataFrame:
    """Score one model on each split and output.

    Parameters
    ----------
    predictions : dict of str to Predictions
        By split.
    metrics : iterable of str
        Names from `METRICS`.

    Returns
    -------
    pandas.DataFrame
        Columns split, output, metric, value, n (windows), n_positive and prevalence (n_positive / n). The last two are
        missing for targets that are not labels of 0 and 1. Undefined values are missing; one line of the log counts
        them and names the first.

    Raises
    ------
    InputError
        For an unknown metric, or a metric of labels asked for targets that are no labels.
    """
    names = check_metrics(metrics)
    rows = [
        {"split": split, "output": output, **row}
        for split, part in predictions.items()
        for output, target, prediction in _each_output(part)
        for row in _score_output(target, prediction, names)
    ]
    table = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    _log_undefined(table)
    return table.astype({"value": float, "n": np.int64, "n_positive": "Int64", "prevalence": float})


def check_metrics(metrics: Iterable[str]) -> list[str]:
    """Return the names as a list; raise an InputError for one that `METRICS` lacks."""
    names = list(metrics)
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        message = f"Unknown metric {unknown[0]!r}. Choose from {', '.join(METRICS)}."
        raise InputError(message)
    return names


def is_binary(target: np.ndarray) -> bool:
    """Tell whether all targets are 0 or 1."""
    target = np.asarray(target)
    return bool(((target == 0) | (target == 1)).all())


def as_labels(target: np.ndarray) -> np.ndarray:
    """Return the targets as booleans; raise an InputError when one is neither 0 nor 1."""
    target = np.asarray(target)
    if not is_binary(target):
        other = target[~np.isin(target, (0, 1))][0]
        message = (
            f"auprc and auroc need labels of 0 and 1, but a target is {other}. "
            "For a signal choose pearson_r, mae or mse under 'metrics'."
        )
        raise InputError(message)
    return target == 1


def _each_output(part: Predictions) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, targets and predictions of each output, the values next to one another in memory."""
    for first in range(0, len(part.outputs), _COLUMNS_AT_ONCE):
        columns = slice(first, first + _COLUMNS_AT_ONCE)
        together = (np.ascontiguousarray(values[:, columns].T) for values in (part.target, part.prediction))
        yield from zip(part.outputs[columns], *together, strict=True)


def _score_output(target: np.ndarray, prediction: np.ndarray, metrics: list[str]) -> Iterator[dict[str, Any]]:
    n_positive = int(np.count_nonzero(target)) if is_binary(target) else None
    prevalence = n_positive / len(target) if n_positive is not None and len(target) else None
    weights = None
    for metric in metrics:
        if metric in RANKING_METRICS:
            weights = count_windows(as_labels(target), prediction) if weights is None else weights
            value = float(RANKING_METRICS[metric](weights)[0])
        else:
            value = METRICS[metric](target, prediction)
        yield {"metric": metric, "value": value, "n": len(target), "n_positive": n_positive, "prevalence": prevalence}


def _log_undefined(table: pd.DataFrame) -> None:
    """Say in one line how many scores are undefined, and why: reason by reason, the first by name."""
    undefined = table[table["value"].isna()]
    if len(undefined):
        places = undefined["metric"] + " of " + undefined["split"] + "/" + undefined["output"]
        reasons = undefined.apply(_reason, axis=1)
        parts = [f"{reason}: {list_some(group, _MOST_NAMED)}" for reason, group in places.groupby(reasons, sort=False)]
        logger.warning("%d of %d scores are undefined and stay empty. %s", len(undefined), len(table), "; ".join(parts))


def _reason(row: pd.Series) -> str:
    if not row["n"]:
        return "no windows"
    if row["metric"] in RANKING_METRICS and row["n_positive"] in (0, row["n"]):
        return f"all windows are {'positive' if row['n_positive'] else 'negative'}"
    return "the target or the prediction is constant"


def _error(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return np.asarray(prediction, dtype=np.float64) - np.asarray(target, dtype=np.float64)
