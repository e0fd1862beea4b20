"""Fit a linear baseline: logistic or ridge regression on standardised features, its penalty chosen on validation.

The features, counts of k-mers or scores of motifs, come from the Keras model itself, and the fit ends as weights of
its output, so that saving and prediction are those of every other model.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from helpers.data.batches import as_targets
from helpers.errors import InputError, list_some
from helpers.model.batches import JangguSequence
from helpers.model.regression import logistic_fits, logistic_losses, ridge_fits
from helpers.model.training import predict

# Of half the squared length of the coefficients, against the mean loss of a window; the strongest first.
PENALTIES = tuple(float(f"{10**exponent:.3g}") for exponent in np.arange(1, -5.1, -0.5))
HISTORY_COLUMNS = ("output", "penalty", "loss", "val_loss", "converged", "chosen")
_MOST_BYTES = 16 << 30  # of the features of the training windows
_OUTPUTS_AT_ONCE = 32
_ROWS_AT_ONCE = 4096
_logger = logging.getLogger(__name__)


def fit_linear(
    model: keras.Model,
    training: JangguSequence,
    validation: JangguSequence,
    *,
    loss: str,
    penalties: Sequence[float] = PENALTIES,
    windows: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit the output of a model with fixed features, each unit by itself.

    Parameters
    ----------
    model : keras.Model
        One of `helpers.networks.BASELINES`, such as `helpers.model.architectures.kmer_linear`; the weights of its
        output are set.
    training, validation : JangguSequence
        With outputs, without weights of samples.
    loss : {'binary_crossentropy', 'mae', 'mse'}
        'binary_crossentropy' fits a logistic regression, the others a ridge regression; the penalty is chosen by the
        validation loss.
    penalties : sequence of float
        Of half the squared length of the coefficients of the standardised features, against the mean loss of a window
        (for ridge regression, half the squared error).
    windows : int, optional
        Fit on so many training windows, drawn at random, where there are more.
    seed : int, default 0
        Of this draw.

    Returns
    -------
    pandas.DataFrame
        One row for each output and penalty: output (number), penalty, loss, val_loss, converged, and chosen, true for
        the lowest validation loss among the penalties that converged. An output with the same label in all training
        windows has one row, of penalty infinity: it is predicted as a constant, (positive windows + 0.5) /
        (windows + 1).

    Raises
    ------
    InputError
        When the loss does not fit the activation of the output, samples have weights, labels are not 0 or 1 or values
        not finite, no output has both labels, no penalty converged, or the features take more than 16 GiB.

    Notes
    -----
    Features are kept as float64: 8 bytes for each, and each window of training and validation.
    """
    unit = model.layers[-1]
    _check(loss, penalties, unit, training, validation)
    rows = _draw_rows(training.size, windows, seed)
    targets, held_out = as_targets(training.output[rows]), validation.targets()
    _check_values(loss, targets, "training", rows)
    _check_values(loss, held_out, "validation", np.arange(validation.size))
    varied = _varied_outputs(loss, targets)
    counter = keras.Model(model.input, unit.input)
    with threadpool_limits(1):  # another number of threads adds up in another order
        known = _Windows(_features(counter, training, rows), targets, loss)
        unseen = _Windows(_features(counter, validation), held_out, loss)
        axes = _Axes.of(known.features)
        for part in (known, unseen):
            axes.turn(part.features)
        tables, weights = _fit_constants(known, unseen, varied)
        for block in np.array_split(np.flatnonzero(varied), -(-varied.sum() // _OUTPUTS_AT_ONCE)):
            for output, (table, column) in zip(block, _fit_block(axes, known, unseen, block, penalties), strict=True):
                tables[output], weights[:, output] = table, column
    unit.set_weights(axes.turn_back(weights))
    return pd.concat([tables[output] for output in sorted(tables)], ignore_index=True)[list(HISTORY_COLUMNS)]


def _check(
    loss: str, penalties: Sequence[float], unit: Any, training: JangguSequence, validation: JangguSequence
) -> None:
    activation = "sigmoid" if loss == "binary_crossentropy" else "linear"
    if loss not in _FITS or keras.activations.serialize(unit.activation) != activation:
        received = keras.activations.serialize(unit.activation)
        msg = f"training: loss: {loss!r} does not fit an output with the activation {received!r}. "
        msg += "Use binary_crossentropy with sigmoid, or mae or mse with linear."
        raise InputError(msg)
    if not min(penalties) > 0:
        msg = f"Penalties are numbers above 0. Received: {list(penalties)}."
        raise InputError(msg)
    if training.sample_weights is not None or validation.sample_weights is not None:
        msg = "The linear model takes no weights of samples. Leave `sample_weights` out."
        raise InputError(msg)


def _draw_rows(size: int, windows: int | None, seed: int) -> np.ndarray:
    """Return the training windows to fit on, in their order."""
    if windows is None or windows >= size:
        return np.arange(size)
    if windows < 1:
        msg = f"training: windows: {windows} is not a number of windows. Give a whole number of at least 1."
        raise InputError(msg)
    _logger.info("fitting on %d of %d training windows, drawn at random with seed %d", windows, size, seed)
    return np.sort(np.random.default_rng(seed).choice(size, windows, replace=False))


def _check_values(loss: str, values: np.ndarray, part: str, rows: np.ndarray) -> None:
    labels = loss == "binary_crossentropy"
    wrong = (values != 0) & (values != 1) if labels else ~np.isfinite(values)
    if wrong.any():
        row, output = np.argwhere(wrong)[0]
        needed = "Labels are 0 or 1" if labels else "Values are finite numbers"
        msg = f"Output {output} is {values[row, output]} in {part} window {rows[row]}. {needed}; correct it."
        raise InputError(msg)


def _varied_outputs(loss: str, targets: np.ndarray) -> np.ndarray:
    """Return which outputs can be fitted: all values, and the labels of which both occur."""
    if loss != "binary_crossentropy":
        return np.ones(targets.shape[1], dtype=bool)
    varied = targets.min(axis=0) != targets.max(axis=0)
    if not varied.any():
        found = list_some(f"output {output}: {label:g}" for output, label in enumerate(targets[0]))
        msg = f"No output has both labels, 0 and 1, in the {len(targets)} training windows ({found}). Train on others."
        raise InputError(msg)
    for output in np.flatnonzero(~varied):
        text = "output %d: all %d training windows have the label %d; it is predicted as a constant"
        _logger.warning(text, output, len(targets), targets[0, output])
    return varied


def _features(counter: keras.Model, batches: JangguSequence, rows: np.ndarray | None = None) -> np.ndarray:
    """Compute features of windows, and 1 in a last column for the intercept."""
    rows = np.arange(batches.size) if rows is None else rows
    size = 8 * len(rows) * (counter.output_shape[-1] + 1)
    _logger.info("%d features of %d windows take %.1f GB", counter.output_shape[-1], len(rows), size / 1e9)
    if size > _MOST_BYTES:
        most = len(rows) * _MOST_BYTES // size
        msg = f"The features of {len(rows)} windows take {size / 1e9:.0f} GB. Set training: windows: to at most {most}."
        raise InputError(msg)
    features = np.ones((len(rows), counter.output_shape[-1] + 1))
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        chunk = rows[first : first + _ROWS_AT_ONCE]
        inputs = {name: _read(dataset, chunk) for name, dataset in batches.inputs.items()}
        features[first : first + len(chunk), :-1] = predict(counter, inputs)
    return features


def _read(dataset: Any, rows: np.ndarray) -> np.ndarray:
    return dataset.codes(rows) if callable(getattr(dataset, "codes", None)) else np.asarray(dataset[rows])


class _Axes(NamedTuple):
    """From features to uncorrelated ones, the principal components of the standardised features."""

    mean: np.ndarray
    rotation: np.ndarray  # with the scaling
    variances: np.ndarray  # of the turned features, and 1 for the intercept

    @classmethod
    def of(cls, features: np.ndarray) -> "_Axes":
        """Find the axes of features; one that is the same everywhere gets no weight."""
        mean, products = features[:, :-1].mean(axis=0), 0
        for chunk in _chunks(features):
            centred = chunk - mean
            products += centred.T @ centred / len(features)
        spread = np.sqrt(np.diagonal(products))
        varies = spread > 1e-6 * np.abs(mean)  # what float32 tells apart
        scale = np.divide(1, spread, out=np.zeros_like(spread), where=varies)
        variances, vectors = np.linalg.eigh(products * scale[:, None] * scale)
        return cls(mean, scale[:, None] * vectors, np.append(variances.clip(0), 1))

    def turn(self, features: np.ndarray) -> None:
        """Turn features in place."""
        for chunk in _chunks(features):
            chunk[:] = (chunk - self.mean) @ self.rotation

    def turn_back(self, weights: np.ndarray) -> list[np.ndarray]:
        """Return kernel and bias for the features as they were."""
        kernel = self.rotation @ weights[:-1]
        return [kernel, weights[-1] - self.mean @ kernel]


def _chunks(features: np.ndarray) -> Iterator[np.ndarray]:
    """Yield views of features, without the intercept's, some windows at a time."""
    for first in range(0, len(features), _ROWS_AT_ONCE):
        yield features[first : first + _ROWS_AT_ONCE, :-1]


class _Windows(NamedTuple):
    """Windows and how a prediction of theirs is judged."""

    features: np.ndarray
    targets: np.ndarray
    loss: str

    def losses(self, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the mean loss of each of some outputs, by their weights."""
        scores, targets = self.features @ weights, self.targets[:, outputs]
        if self.loss == "binary_crossentropy":
            return logistic_losses(targets, scores)[0].mean(axis=0)
        errors = np.abs(targets - scores)
        return (errors if self.loss == "mae" else errors**2).mean(axis=0)


_FITS = {"binary_crossentropy": logistic_fits, "mae": ridge_fits, "mse": ridge_fits}


def _fit_constants(known: _Windows, unseen: _Windows, varied: np.ndarray) -> tuple[dict[int, pd.DataFrame], np.ndarray]:
    """Return tables of the outputs with one label, and weights of all outputs, zero for those still to be fitted."""
    outputs, size = np.flatnonzero(~varied), len(known.targets)
    weights = np.zeros((known.features.shape[1], len(varied)))
    weights[-1, outputs] = np.log(2 * size + 1) * (2 * known.targets[0, outputs] - 1)
    losses = [windows.losses(outputs, weights[:, outputs]) for windows in (known, unseen)]
    tables = {
        int(output): pd.DataFrame(
            {"output": output, "penalty": np.inf, "loss": [loss], "val_loss": [held_out], "converged": True}
        ).assign(chosen=True)
        for output, loss, held_out in zip(outputs, *losses, strict=True)
    }
    return tables, weights


def _fit_block(
    axes: _Axes, known: _Windows, unseen: _Windows, block: np.ndarray, penalties: Sequence[float]
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Fit some outputs with all penalties; yield the table and the chosen weights of each."""
    targets = known.targets[:, block].astype(np.float64)
    fits = list(_FITS[known.loss](known.features, axes.variances, targets, penalties))
    losses, held_out = (np.array([windows.losses(block, fit.weights) for fit in fits]) for windows in (known, unseen))
    for place, output in enumerate(block):
        columns = {"loss": losses[:, place], "val_loss": held_out[:, place]}
        table = pd.DataFrame({"output": output, "penalty": list(penalties), **columns})
        table["converged"] = [bool(fit.converged[place]) for fit in fits]
        best = _choose(table)
        yield table, fits[best].weights[:, place]


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
