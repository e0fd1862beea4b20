"""Batches of windows, by name, in an order that a seed fixes; what any framework is fed from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.data.augmentation import draws_at
from helpers.data.same_windows import check_same_windows
from helpers.errors import InputError

Augment = Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]]
_OWN_SEED = 2  # where the draws of random wrappers begin among the streams of a seed: 0 is order, 1 augmentation


class WindowBatches:
    """Inputs, outputs and weights of the same windows, batch by batch.

    Parameters
    ----------
    inputs : dataset, list of datasets, or mapping of name to dataset
        `Bioseq`, `Cover`, `Array`, wrappers or arrays; all with windows on the first axis.
    outputs : dataset, list, or mapping, optional
        As `inputs`. Batches are float32: 1-D arrays get a second axis, and single positions and strands, as in
        ``(windows, 1, 1, conditions)``, are dropped.
    sample_weights : array of float, shape (windows,), optional
    batch_size : int, default 32
        The last batch holds what remains.
    shuffle : bool, default False
        A new order of all windows in each epoch, the first included.
    as_dict : bool, default True
        Batches are dictionaries by name, for which each dataset needs a name, for models whose inputs and outputs are
        dictionaries. Otherwise tuples in the given order, or plain arrays for a dataset that was given without a list.
    seed : int, optional
        Of order, augmentation, and random wrappers without a seed of their own.
    augment : mapping of name to callable, optional
        Changes batches of the inputs of these names: ``(batch, rng) -> batch``.
    codes : bool, default False
        Whether a `Bioseq` gives k-mer codes, for models that begin with `OneHotCodes`, or one-hot arrays.

    Attributes
    ----------
    inputs, outputs : dict
        Name to dataset; by position when ``as_dict=False``.
    size : int
        Number of windows.
    num_batches : int

    Raises
    ------
    InputError
        When lengths differ, there are no windows, a name is missing or given twice, a number is not as it should be, or
        window i of a dataset and window i of another do not overlap: they have other regions or another order.

    Notes
    -----
    A batch is a function of the seed, the number of the epoch and the number of the batch, and of nothing else: it does
    not matter which process makes it, when, and what was made before.

    Examples
    --------
    >>> batches = WindowBatches({"dna": np.arange(6).reshape(3, 2)}, {"bound": np.array([0, 1, 1])}, batch_size=2)
    >>> inputs, outputs = batches.batch(0, 1)
    >>> batches.num_batches, inputs["dna"], outputs["bound"]
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
        codes: bool = False,
    ):
        self.inputs = _by_name(inputs, as_dict, "inputs")
        self._bare = {"inputs": not isinstance(inputs, list | tuple), "outputs": not isinstance(outputs, list | tuple)}
        self.outputs = None if outputs is None else _by_name(outputs, as_dict, "outputs")
        self.sample_weights = None if sample_weights is None else _as_weights(sample_weights)
        self.size = _common_length(self.inputs, self.outputs, self.sample_weights)
        check_same_windows(_by_role(self.inputs, self.outputs))
        if self.outputs is None and self.sample_weights is not None:
            msg = "sample_weights weigh outputs, and there are none. Give `outputs`, or no weights."
            raise InputError(msg)
        _check_whole("batch_size", batch_size, least=1)
        if seed is not None:
            _check_whole("seed", seed, least=0)
        self.batch_size, self.shuffle, self.as_dict, self.codes = int(batch_size), shuffle, as_dict, codes
        self._entropy = np.random.SeedSequence(seed).entropy
        self._augment = dict(augment or {})
        _check_names(self._augment, self.inputs)
        self._order: tuple[int, np.ndarray] | None = None

    @property
    def num_batches(self) -> int:
        """Number of batches of an epoch, the last one perhaps smaller."""
        return -(-self.size // self.batch_size)

    def order(self, epoch: int) -> np.ndarray:
        """Give the windows in the order of an epoch, shape (windows,)."""
        kept = self._order
        if kept is None or kept[0] != epoch:
            rng = np.random.default_rng([self._entropy, 0, epoch])
            kept = self._order = (epoch, rng.permutation(self.size) if self.shuffle else np.arange(self.size))
        return kept[1]

    def batch(self, epoch: int, index: int) -> tuple[Any, ...]:
        """Make a batch.

        Parameters
        ----------
        epoch : int
            From 0.
        index : int
            From 0 to `num_batches` - 1; negative ones count from the end.

        Returns
        -------
        tuple
            Inputs, outputs and weights, as far as they were given.

        Raises
        ------
        IndexError
            For another index.
        """
        if not -self.num_batches <= index < self.num_batches:
            msg = f"Batch {index} is out of range for {self.num_batches} batches."
            raise IndexError(msg)
        index %= self.num_batches
        rows = self.order(epoch)[index * self.batch_size : (index + 1) * self.batch_size]
        inputs = self._read(self.inputs, rows, place=(epoch, index))
        if self._augment:
            rng = np.random.default_rng([self._entropy, 1, epoch, index])
            for name, change in self._augment.items():
                inputs[name] = change(inputs[name], rng)
        batch = [self._arrange(inputs, "inputs")]
        if self.outputs is not None:
            outputs = self._read(self.outputs, rows, place=(epoch, index), first=len(self.inputs))
            batch.append(self._arrange({name: as_targets(values) for name, values in outputs.items()}, "outputs"))
        if self.sample_weights is not None:
            batch.append(self.sample_weights[rows])
        return tuple(batch)

    def _read(
        self, datasets: Mapping[Any, Any], rows: np.ndarray, *, place: tuple[int, int], first: int = 0
    ) -> dict[Any, np.ndarray]:
        """Read rows of datasets, whose random wrappers draw by the place; `first` counts datasets read before."""
        values = {}
        for number, (name, dataset) in enumerate(datasets.items(), first):
            placed = draws_at(dataset, [self._entropy, _OWN_SEED + number], place)
            coded = self.codes and callable(getattr(dataset, "codes", None))
            values[name] = dataset.codes(rows) if coded else np.asarray(placed[rows])
        return values

    def _arrange(self, batch: dict[Any, np.ndarray], role: str) -> Any:
        if self.as_dict:
            return batch
        return batch[0] if self._bare[role] else tuple(batch.values())


def as_targets(values: np.ndarray) -> np.ndarray:
    """Give outputs as models learn them: float32, (windows, outputs) where there is one position and strand."""
    values = np.asarray(values, dtype=np.float32)
    if values.ndim == 1:
        return values[:, None]
    single = all(size == 1 for size in values.shape[1:-1])
    return values.reshape(len(values), values.shape[-1]) if single else values


def _by_name(datasets: Any, as_dict: bool, role: str) -> dict[Any, Any]:
    """Return datasets by name, or by position when the batches are lists."""
    if isinstance(datasets, Mapping | list | tuple) and not len(datasets):
        msg = f"There are no {role}. Give at least one dataset."
        raise InputError(msg)
    if isinstance(datasets, Mapping):
        if not as_dict:
            msg = f"{role}: a mapping needs as_dict=True; give a list for as_dict=False."
            raise InputError(msg)
        return {name: _readable(dataset) for name, dataset in datasets.items()}
    listed = list(datasets) if isinstance(datasets, list | tuple) else [datasets]
    if not as_dict:
        return dict(enumerate(map(_readable, listed)))
    names = [getattr(dataset, "name", None) for dataset in listed]
    if None in names or len(set(names)) < len(names):
        msg = f"{role}: each dataset needs a name of its own; received {names}. Give a mapping of name to dataset."
        raise InputError(msg)
    return dict(zip(names, listed, strict=True))


def _readable(dataset: Any) -> Any:
    """Make an array of a plain list or a table of pandas, which are not indexed by rows as arrays are."""
    return np.asarray(dataset) if isinstance(dataset, list | tuple) or hasattr(dataset, "iloc") else dataset


def _as_weights(weights: Any) -> np.ndarray:
    try:
        weights = np.asarray(weights, dtype=np.float32)
    except (TypeError, ValueError) as error:
        msg = f"sample_weights are numbers, one a window. Received: {weights!r:.80} ({error})."
        raise InputError(msg) from error
    if weights.ndim != 1:
        msg = f"sample_weights are numbers, one a window. Received: shape {weights.shape}. Give shape (windows,)."
        raise InputError(msg)
    return weights


def _check_whole(name: str, value: Any, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        msg = f"{name} is a whole number of at least {least}. Received: {name}={value!r}."
        raise InputError(msg)


def _by_role(inputs: Mapping, outputs: Mapping | None) -> dict[str, Any]:
    """Name datasets for messages."""
    named = {f"input {name}": dataset for name, dataset in inputs.items()}
    return named | {f"output {name}": dataset for name, dataset in (outputs or {}).items()}


def _common_length(inputs: Mapping, outputs: Mapping | None, weights: Sequence | None) -> int:
    sizes = {name: len(dataset) for name, dataset in _by_role(inputs, outputs).items()}
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
