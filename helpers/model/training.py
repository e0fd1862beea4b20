"""Train a model until its validation loss no longer falls, predict with it, save it and load it."""

import logging
import math
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

import helpers.model.feature_layers  # noqa: F401  (registers its layers, for loading)
import helpers.model.layers  # noqa: F401  (the same)
from helpers.errors import InputError
from helpers.files import atomic_path
from helpers.model.batches import JangguSequence

LOSSES = ("binary_crossentropy", "mae", "mse")
JIT = ("auto", True, False)
HISTORY_COLUMNS = ("epoch", "seconds", "loss", "val_loss", "best")
_STEPS_PER_EXECUTION = 16  # fewer crossings into the backend: small networks train up to 1.4 times as fast
_VALUES_AT_ONCE = 1 << 22  # of predictions whose loss is computed
_NO_NUMBER = (
    "Look for missing or infinite values in the inputs and labels, and for values far above 1 (normalize them), or "
    "lower training: learning_rate."
)
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes
    ----------
    loss : {'binary_crossentropy', 'mae', 'mse'}
    epochs : int, default 30
        At most so many.
    patience : int, default 5
        Epochs without a lower validation loss after which training ends.
    learning_rate : float, default 0.001
        Of Adam with AMSGrad.
    global_clipnorm : float, default 1
        Length to which the gradient of all weights together is cut.
    jit : {'auto', True, False}
        Compile the training step into one program: XLA in TensorFlow and JAX, `torch.compile` in PyTorch. 'auto' is
        Keras's choice: always in JAX, on a GPU in TensorFlow, never in PyTorch.

    Raises
    ------
    InputError
        With every value that is not allowed.
    """

    loss: str
    epochs: int = 30
    patience: int = 5
    learning_rate: float = 1e-3
    global_clipnorm: float = 1.0
    jit: str | bool = "auto"

    def __post_init__(self) -> None:
        problems = [] if self.loss in LOSSES else [f"loss: {self.loss!r} is unknown; allowed: {', '.join(LOSSES)}"]
        for name in ("epochs", "patience"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                problems.append(f"{name}: {value!r} is not a whole number of at least 1")
        problems += [
            f"{name}: {getattr(self, name)!r} is not above 0"
            for name in ("learning_rate", "global_clipnorm")
            if not getattr(self, name) > 0
        ]
        if self.jit not in JIT:
            problems.append(f"jit: {self.jit!r} is none of auto, true and false")
        if problems:
            raise InputError("training: " + "; ".join(problems) + ".")


def train(model: keras.Model, training: JangguSequence, validation: JangguSequence, **options: Any) -> pd.DataFrame:
    """Train a model and leave it with the weights of its best epoch.

    Parameters
    ----------
    model : keras.Model
        With one output layer. It is compiled anew: Adam with AMSGrad, gradient clipped by its global norm.
    training, validation : JangguSequence
        With outputs. The validation loss is computed over all validation windows after each epoch.
    **options
        Of `TrainingOptions`; `loss` has no default.

    Returns
    -------
    pandas.DataFrame
        One row an epoch: epoch (from 1), seconds, loss (mean over the epoch's batches, as the weights changed),
        val_loss, and best, true for the epoch whose weights the model has now.

    Raises
    ------
    InputError
        When an option is wrong, outputs are missing, or a loss is no longer finite.

    Notes
    -----
    Weights depend on the seed of Keras when the model was built (`helpers.backend.select_backend`), on the seed of
    `training`, and on a CPU on nothing else but the number of threads and the kind of processor. One line an epoch is
    logged.
    """
    settings = TrainingOptions(**options)
    sizes = (model.count_params(), len(training.output), len(validation.output))
    _logger.info("training %d parameters on %d windows, validating on %d", *sizes)
    watch = _Watch(training, validation, settings)
    model.compile(
        optimizer=_optimizer(model, settings),
        loss=settings.loss,
        steps_per_execution=_steps_per_execution(training),
        jit_compile=settings.jit,
    )
    with _no_number_named():
        model.fit(training, epochs=settings.epochs, callbacks=[watch], verbose=0, shuffle=False)
    history = pd.DataFrame(watch.rows)
    history["best"] = history["epoch"] == watch.best_epoch
    return history[list(HISTORY_COLUMNS)]


def _optimizer(model: keras.Model, settings: TrainingOptions) -> keras.optimizers.Optimizer:
    """Make Adam; where a layer computes in float16, with a loss scaled up, as small gradients would vanish.

    Keras would do that itself, but not again for a model that was loaded.
    """
    adam = keras.optimizers.Adam(settings.learning_rate, amsgrad=True, global_clipnorm=settings.global_clipnorm)
    half = any(layer.compute_dtype == "float16" for layer in model.layers)
    return keras.optimizers.LossScaleOptimizer(adam) if half else adam


def _steps_per_execution(training: JangguSequence) -> int:
    return 1 if keras.backend.backend() == "torch" else min(_STEPS_PER_EXECUTION, training.num_batches)


class _Watch(keras.callbacks.Callback):
    """Measure the validation loss after each epoch, log, stop in time, and restore the best weights."""

    def __init__(self, training: JangguSequence, validation: JangguSequence, options: TrainingOptions):
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.best_epoch, self._best_loss, self._best_weights = 0, math.inf, None
        self._size, self._options, self._validation = training.size, options, validation
        self._targets = validation.targets()

    def on_epoch_begin(self, epoch: int, logs: Mapping | None = None) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Compare the epoch with the best so far."""
        rate = self._size / (time.perf_counter() - self._started)
        losses = {"loss": float(logs["loss"]), "val_loss": self._validation_loss()}
        _check_finite(losses, epoch + 1)
        self.rows.append({"epoch": epoch + 1, "seconds": time.perf_counter() - self._started, **losses})
        if losses["val_loss"] < self._best_loss:
            self.best_epoch, self._best_loss = epoch + 1, losses["val_loss"]
            self._best_weights = self.model.get_weights()
        self.model.stop_training = epoch + 1 - self.best_epoch >= self._options.patience
        self._log(rate)

    def on_train_end(self, logs: Mapping | None = None) -> None:
        """Restore the weights of the best epoch."""
        self.model.set_weights(self._best_weights)
        _logger.info("kept the weights of epoch %d, val_loss %.5f", self.best_epoch, self._best_loss)

    def _validation_loss(self) -> float:
        loss, predicted = keras.losses.get(self._options.loss), predict(self.model, self._validation)
        at_once = max(1, _VALUES_AT_ONCE // predicted.shape[1])
        parts = [slice(first, first + at_once) for first in range(0, len(predicted), at_once)]
        losses = [keras.ops.convert_to_numpy(loss(self._targets[rows], predicted[rows])) for rows in parts]
        losses, weights = np.concatenate(losses).astype(np.float64), self._validation.sample_weights
        return float(np.mean(losses if weights is None else losses * weights))

    def _log(self, rate: float) -> None:
        row = self.rows[-1]
        left = (self._options.epochs - row["epoch"]) * row["seconds"]
        note = "best so far" if row["epoch"] == self.best_epoch else f"best {self._best_loss:.5f}"
        _logger.info(
            "epoch %d of at most %d: loss %.5f, val_loss %.5f (%s), %.0f windows a second, at most %.0f s left",
            *(row["epoch"], self._options.epochs, row["loss"], row["val_loss"], note, rate, left),
        )


def _check_finite(losses: Mapping[str, float], epoch: int) -> None:
    for name, value in losses.items():
        if not math.isfinite(value):
            msg = f"training: {name} is {value} in epoch {epoch}. {_NO_NUMBER}"
            raise InputError(msg)


@contextmanager
def _no_number_named() -> Iterator[None]:
    """Explain PyTorch's refusal of a prediction that is no number; a GPU says the same of an index outside a table."""
    try:
        yield
    except RuntimeError as error:
        on_gpu = "device-side assert" in str(error)
        if not on_gpu and "between 0 and 1" not in str(error):
            raise
        cause = "the loss is no number"
        if on_gpu:
            cause = f"either {cause}, or an index lies outside of its table, of which `device: cpu` names the operation"
        msg = f"training: {cause} (PyTorch says: {str(error).splitlines()[0]}). {_NO_NUMBER}"
        raise InputError(msg) from error


def predict(model: keras.Model, inputs: Any, *, batch_size: int = 256) -> np.ndarray:
    """Predict windows in their order.

    Parameters
    ----------
    model : keras.Model
    inputs : JangguSequence, mapping of input name to dataset or array, or the array of a model with one input
        A sequence is read in its own order, without shuffling or augmentation; its outputs are left unread.
    batch_size : int, default 256
        Windows at a time; the one-hot encoding of 256 windows of 500 bp takes 33 MB at order 3.

    Returns
    -------
    numpy.ndarray of float32, shape (windows, outputs)
    """
    batches = _input_batches(model, inputs, batch_size)
    full = min(batches.batch_size, batches.size)
    predictions = None
    for number, (batch,) in enumerate(batches):
        missing = full - len(keras.tree.flatten(batch)[0])
        # A last batch of another size would make the backend compile the network a second time.
        filled = keras.tree.map_structure(lambda rows, missing=missing: _fill(rows, missing), batch)
        predicted = np.concatenate(keras.tree.flatten(model.predict_on_batch(filled)), axis=1)
        if predictions is None:
            predictions = np.empty((batches.size, predicted.shape[1]), dtype=np.float32)
        predictions[number * full : number * full + full - missing] = predicted[: full - missing]
    return predictions


def _fill(rows: np.ndarray, missing: int) -> np.ndarray:
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)]) if missing else rows


def _input_batches(model: keras.Model, inputs: Any, batch_size: int) -> JangguSequence:
    if isinstance(inputs, JangguSequence):
        return inputs.inputs_in_order(batch_size)
    by_name = isinstance(model.input, Mapping)
    if by_name and not isinstance(inputs, Mapping):
        (name,) = model.input
        inputs = {name: inputs}
    return JangguSequence(inputs, batch_size=batch_size, as_dict=by_name, codes=True)


def save_model(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Write a model, its weights and the state of its optimizer to a file that appears when it is complete.

    Parameters
    ----------
    model : keras.Model
    path : path
        Ends in .keras.
    """
    with atomic_path(path) as temporary:
        model.save(temporary)


def load_model(path: str | os.PathLike[str], *, for_training: bool = False) -> keras.Model:
    """Read a model that `save_model` wrote.

    Parameters
    ----------
    path : path
    for_training : bool, default False
        Also restore loss and optimizer.

    Raises
    ------
    InputError
        When the file is missing or no Keras model.
    """
    if not Path(path).is_file():
        msg = f"{path}: there is no such model. Train it first, or correct the path."
        raise InputError(msg)
    try:
        return keras.saving.load_model(path, compile=for_training)
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        msg = f"{path} cannot be read as a Keras model ({error}). Remove it and train again."
        raise InputError(msg) from error
