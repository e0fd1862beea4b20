"""Batches of windows for Keras: inputs, outputs and weights of a data set, by name, in an order that a seed fixes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from helpers.errors import InputError

Augment = Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]]


class JangguSequence(keras.utils.PyDataset):
    """Batches of one or more data sets of the same windows.

    Parameters
    ----------
    inputs : dataset, list of datasets, or mapping of name to dataset
        `Bioseq` (batches are k-mer codes), `Cover` or its wrappers, or arrays; all with windows on the first axis.
    outputs : dataset, list, or mapping, optional
        As `inputs`. Batches are float32 of shape ``(windows, outputs)``: 1-D arrays get the second axis, and single
        positions and strands, as in ``(windows, 1, 1, conditions)``, are dropped.
    sample_weights : array of float, shape (windows,), optional
    batch_size : int, default 32
        The last batch holds what remains.
    shuffle : bool, default False
        Draw a new order of all windows before the first and after each epoch.
    as_dict : bool, default True
        Batches are dictionaries by name, for which each dataset needs a name, for models whose inputs and outputs are
        dictionaries; or tuples in the given order.
    seed : int, optional
        Of order and augmentation; they depend on nothing but the seed, the epoch and the batch's number.
    augment : mapping of name to callable, optional
        Changes batches of the inputs of these names: ``(batch, rng) -> batch``.
    **kwargs
        Of `keras.utils.PyDataset`.

    Attributes
    ----------
    inputs, outputs : dict
        Name to dataset; by position when ``as_dict=False``.
    batch_size : int
    shuffle : bool
    indices : numpy.ndarray of int, shape (windows,)
        Order of the current epoch.
    epoch : int

    Raises
    ------
    InputError
        When lengths differ, there are no windows, a name is missing or given twice, or the batch size is below 1.

    Notes
    -----
    ``sequence[i]`` is a tuple of inputs, outputs and weights, as far as they were given; Keras takes it as it is.

    Examples
    --------
    >>> batches = JangguSequence({"dna": np.arange(6).reshape(3, 2)}, {"bound": np.array([0, 1, 1])}, batch_size=2)
    >>> inputs, outputs = batches[1]
    >>> len(batches), inputs["dna"], outputs["bound"]
    (2, array([[4, 5]]), array([[1.]], dtype=float32))
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any = None,
        sample_weights: Any = None,
        batch_size: int = 32,
        shuffle: bool = False,
        as_dict: bool = True,
        *,
        seed: int | None = None,
        augment: Augment | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.inputs = _by_name(inputs, as_dict, "inputs")
        self.outputs = None if outputs is None else _by_name(outputs, as_dict, "outputs")
        self.sample_weights = None if sample_weights is None else np.asarray(sample_weights, dtype=np.float32)
        self.size = _common_length(self.inputs, self.outputs, self.sample_weights)
        if self.outputs is None and self.sample_weights is not None:
            msg = "sample_weights weigh outputs, and there are none. Give `outputs`, or no weights."
            raise InputError(msg)
        if batch_size < 1:
            msg = f"batch_size: {batch_size!r} is not a number of windows; give at least 1."
            raise InputError(msg)
        self.batch_size, self.shuffle, self.as_dict = int(batch_size), shuffle, as_dict
        self._entropy = np.random.SeedSequence(seed).entropy
        self._augment = dict(augment or {})
        _check_names(self._augment, self.inputs)
        self._read_inputs = {name: _reader(dataset) for name, dataset in self.inputs.items()}
        self.epoch = 0
        self.indices = self._draw_order()

    @property
    def num_batches(self) -> int:
        """Number of batches of an epoch, the last one perhaps smaller."""
        return -(-self.size // self.batch_size)

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        if not -len(self) <= index < len(self):
            msg = f"Batch {index} is out of range for {len(self)} batches."
            raise IndexError(msg)
        index %= len(self)
        rows = self.indices[index * self.batch_size : (index + 1) * self.batch_size]
        inputs = {name: read(rows) for name, read in self._read_inputs.items()}
        if self._augment:
            rng = np.random.default_rng([self._entropy, 1, self.epoch, index])
            for name, change in self._augment.items():
                inputs[name] = change(inputs[name], rng)
        batch = [self._arrange(inputs)]
        if self.outputs is not None:
            batch.append(self._arrange({name: _targets(dataset, rows) for name, dataset in self.outputs.items()}))
        if self.sample_weights is not None:
            batch.append(self.sample_weights[rows])
        return tuple(batch)

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch; Keras calls this before the first epoch, too."""
        self.epoch += 1
        self.indices = self._draw_order()

    @property
    def output(self) -> Any:
        """The only output.

        Raises
        ------
        InputError
            Unless there is one.
        """
        if self.outputs is None or len(self.outputs) != 1:
            msg = f"One output is needed, the labels or values to learn. Received: {list(self.outputs or [])}."
            raise InputError(msg)
        return next(iter(self.outputs.values()))

    def targets(self) -> np.ndarray:
        """Return the only output for all windows in their own order, as float32 of shape (windows, outputs)."""
        return _targets(self.output, np.arange(self.size))

    def inputs_in_order(self, batch_size: int) -> "JangguSequence":
        """Return batches of the same inputs in their own order, without outputs and augmentation."""
        inputs = self.inputs if self.as_dict else list(self.inputs.values())
        return JangguSequence(inputs, batch_size=batch_size, as_dict=self.as_dict)

    def _draw_order(self) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.size)
        return np.random.default_rng([self._entropy, 0, self.epoch]).permutation(self.size)

    def _arrange(self, batch: dict[Any, np.ndarray]) -> Any:
        return batch if self.as_dict else tuple(batch.values())


def _by_name(datasets: Any, as_dict: bool, role: str) -> dict[Any, Any]:
    """Return datasets by name, or by position when the batches are lists."""
    if isinstance(datasets, Mapping):
        if not as_dict:
            msg = f"{role}: a mapping needs as_dict=True; give a list for as_dict=False."
            raise InputError(msg)
        return dict(datasets)
    listed = list(datasets) if isinstance(datasets, list | tuple) else [datasets]
    if not as_dict:
        return dict(enumerate(listed))
    names = [getattr(dataset, "name", None) for dataset in listed]
    if None in names or len(set(names)) < len(names):
        msg = f"{role}: each dataset needs a name of its own; received {names}. Give a mapping of name to dataset."
        raise InputError(msg)
    return dict(zip(names, listed, strict=True))


def _common_length(inputs: Mapping, outputs: Mapping | None, weights: Sequence | None) -> int:
    sizes = {f"input {name}": len(dataset) for name, dataset in inputs.items()}
    sizes |= {f"output {name}": len(dataset) for name, dataset in (outputs or {}).items()}
    sizes |= {} if weights is None else {"sample_weights": len(weights)}
    if len(set(sizes.values())) != 1 or 0 in sizes.values():
        listed = ", ".join(f"{name}: {size}" for name, size in sizes.items()) or "no inputs"
        msg = f"Inputs, outputs and weights need the same number of windows, at least one. Received: {listed}."
        raise InputError(msg)
    return next(iter(sizes.values()))


def _check_names(augment: Mapping, inputs: Mapping) -> None:
    unknown = [name for name in augment if name not in inputs]
    if unknown:
        msg = f"augment: {unknown[0]!r} is no input; the inputs are {', '.join(map(str, inputs))}."
        raise InputError(msg)


def _reader(dataset: Any) -> Callable[[np.ndarray], np.ndarray]:
    codes = getattr(dataset, "codes", None)
    return codes if callable(codes) else lambda rows: np.asarray(dataset[rows])


def _targets(dataset: Any, rows: np.ndarray) -> np.ndarray:
    values = np.asarray(dataset[rows], dtype=np.float32)
    if values.ndim == 1:
        return values[:, None]
    if any(size != 1 for size in values.shape[1:-1]):
        msg = f"Outputs have one value for each window and output. Received: shape {values.shape} for a batch."
        raise InputError(msg)
    return values.reshape(len(values), values.shape[-1])
