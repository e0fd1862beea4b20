"""Fit the linear baseline: logistic or ridge regression on standardised k-mer counts, its penalty chosen on validation.

The fit ends as weights of the Keras model `kmer_linear`, so that saving and prediction are those of every other model.
"""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from helpers.errors import InputError
from helpers.model.batches import JangguSequence
from helpers.model.training import predict

# Of half the squared length of the coefficients, against the mean loss of a window; the strongest first.
PENALTIES = tuple(float(f"{10**exponent:.3g}") for exponent in np.arange(1, -5.1, -0.5))
HISTORY_COLUMNS = ("output", "penalty", "loss", "val_loss", "converged", "chosen")
_MAX_ITERATIONS = 5000
_logger = logging.getLogger(__name__)


class _Fit(NamedTuple):
    coefficients: np.ndarray
    intercept: float
    converged: bool = True

    def scores(self, features: np.ndarray) -> np.ndarray:
        return features @ self.coefficients + self.intercept


def fit_kmer_linear(
    model: keras.Model,
    training: JangguSequence,
    validation: JangguSequence,
    *,
    loss: str,
    penalties: Sequence[float] = PENALTIES,
) -> pd.DataFrame:
    """Fit a `kmer_linear` model, each unit of its output by itself.

    Parameters
    ----------
    model : keras.Model
        Made by `helpers.model.architectures.kmer_linear`; its weights are set.
    training, validation : JangguSequence
        With outputs, without weights of samples.
    loss : {'binary_crossentropy', 'mae', 'mse'}
        'binary_crossentropy' fits a logistic regression, the others a ridge regression; the penalty is chosen by the
        validation loss.
    penalties : sequence of float
        Of half the squared length of the coefficients of the standardised counts, against the mean loss of a window
        (for ridge regression, half the squared error).

    Returns
    -------
    pandas.DataFrame
        One row for each output and penalty: output (number), penalty, loss, val_loss, converged, and chosen, true for
        the lowest validation loss among the penalties that converged.

    Raises
    ------
    InputError
        When the loss does not fit the activation of the output, samples have weights, the labels of an output are all
        the same, or no penalty converged.
    """
    unit = model.layers[-1]
    _check(loss, unit, training, validation)
    counter = keras.Model(model.input, unit.input)
    counts, held_out = (predict(counter, batches).astype(np.float64) for batches in (training, validation))
    mean, scale = counts.mean(axis=0), counts.std(axis=0)
    scale[scale == 0] = 1  # a k-mer that is as frequent everywhere
    for features in (counts, held_out):
        features -= mean
        features /= scale
    targets, held_out_targets = training.targets().astype(np.float64), validation.targets().astype(np.float64)
    chosen, tables = [], []
    with threadpool_limits(1):  # another number of threads adds up in another order
        fits_of_output = _PATHS[loss](counts, targets, penalties)
        for output, fits in enumerate(fits_of_output):
            parts = [(counts, targets[:, output]), (held_out, held_out_targets[:, output])]
            table = pd.DataFrame([_row(fit, parts, loss) for fit in fits]).assign(
                output=output, penalty=list(penalties)
            )
            chosen.append(fits[_choose(table)])
            tables.append(table)
    coefficients = np.stack([fit.coefficients for fit in chosen], axis=1) / scale[:, None]
    unit.set_weights([coefficients, np.array([fit.intercept for fit in chosen]) - mean @ coefficients])
    return pd.concat(tables, ignore_index=True)[list(HISTORY_COLUMNS)]


def _check(loss: str, unit: Any, training: JangguSequence, validation: JangguSequence) -> None:
    activation = "sigmoid" if loss == "binary_crossentropy" else "linear"
    if loss not in _PATHS or keras.activations.serialize(unit.activation) != activation:
        received = keras.activations.serialize(unit.activation)
        msg = f"training: loss: {loss!r} does not fit an output with the activation {received!r}. "
        msg += "Use binary_crossentropy with sigmoid, or mae or mse with linear."
        raise InputError(msg)
    if training.sample_weights is not None or validation.sample_weights is not None:
        msg = "The linear model takes no weights of samples. Leave `sample_weights` out."
        raise InputError(msg)


def _logistic_path(features: np.ndarray, targets: np.ndarray, penalties: Sequence[float]) -> Iterator[list[_Fit]]:
    """Yield, for each output, the logistic regression for each penalty, each started at the one before."""
    from sklearn.linear_model import LogisticRegression  # slow to import; jobs that train networks do without

    for output, labels in enumerate(targets.T):
        if len(np.unique(labels)) != 2:
            msg = f"Output {output} has {np.unique(labels).tolist()} as labels in training; both 0 and 1 are needed."
            raise InputError(msg)
        regression = LogisticRegression(tol=1e-6, max_iter=_MAX_ITERATIONS, warm_start=True)
        yield [_fit_logistic(regression.set_params(C=1 / (p * len(labels))), features, labels) for p in penalties]


def _fit_logistic(regression: Any, features: np.ndarray, labels: np.ndarray) -> _Fit:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "lbfgs failed to converge")  # read off the number of iterations
        regression.fit(features, labels)
    converged = bool(regression.n_iter_[0] < _MAX_ITERATIONS)
    return _Fit(regression.coef_[0].copy(), float(regression.intercept_[0]), converged)


def _ridge_path(features: np.ndarray, targets: np.ndarray, penalties: Sequence[float]) -> Iterator[list[_Fit]]:
    """Yield, for each output, the ridge regression for each penalty, all from one decomposition."""
    values, vectors = np.linalg.eigh(features.T @ features / len(features))
    for column in targets.T:
        projected = vectors.T @ (features.T @ (column - column.mean()) / len(features))
        yield [_Fit(vectors @ (projected / (values + p)), float(column.mean())) for p in penalties]


_PATHS: dict[str, Callable[..., Iterator[list[_Fit]]]] = {
    "binary_crossentropy": _logistic_path,
    "mae": _ridge_path,
    "mse": _ridge_path,
}
_LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "binary_crossentropy": lambda target, score: np.logaddexp(0, score) - target * score,
    "mae": lambda target, score: np.abs(target - score),
    "mse": lambda target, score: (target - score) ** 2,
}


def _row(fit: _Fit, parts: Sequence[tuple[np.ndarray, np.ndarray]], loss: str) -> dict[str, float | bool]:
    losses = [float(np.mean(_LOSSES[loss](target, fit.scores(features)))) for features, target in parts]
    return {"loss": losses[0], "val_loss": losses[1], "converged": fit.converged}


def _choose(table: pd.DataFrame) -> int:
    """Mark the best converged row as chosen, log it, and return its number."""
    output, candidates = table.at[0, "output"], table.index[table["converged"]]
    if len(candidates) < len(table):
        _logger.warning("output %d: %d penalties did not converge", output, len(table) - len(candidates))
    if len(candidates) == 0:
        msg = f"The regression of output {output} converged with none of {table['penalty'].tolist()}. Use larger ones."
        raise InputError(msg)
    best = int(table.loc[candidates, "val_loss"].idxmin())
    table["chosen"] = table.index == best
    row = table.loc[best]
    text = "output %d: penalty %g out of %g to %g, loss %.5f, val_loss %.5f"
    _logger.info(text, output, row["penalty"], *table["penalty"].iloc[[0, -1]], row["loss"], row["val_loss"])
    return best
