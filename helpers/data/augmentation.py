"""Wrappers that present each sample changed at random, drawn anew at each access; what is stored is never touched."""

import copy
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.data.sequence import Bioseq
from helpers.data.transforms import Wrapper
from helpers.errors import InputError


def flip_orientation(batch: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Look at some samples from the other strand: positions reversed and strands swapped.

    Parameters
    ----------
    batch : numpy.ndarray, shape (n, positions, strands, ...)
        Left unchanged.
    flipped : numpy.ndarray of bool, shape (n,)
        Which samples.

    Returns
    -------
    numpy.ndarray, shape of `batch`

    Examples
    --------
    >>> flip_orientation(np.array([[[1, 2], [3, 4]]]), np.array([True]))[0]
    array([[4, 3],
           [2, 1]])
    """
    turned = batch.copy()
    turned[flipped] = batch[flipped][:, ::-1, ::-1]
    return turned


def shift_positions(batch: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Move the values of each sample along the positions; what they leave behind is 0.

    Parameters
    ----------
    batch : numpy.ndarray, shape (n, positions, ...)
        Left unchanged.
    shifts : numpy.ndarray of int, shape (n,)
        Positions to move each sample by, to higher ones; negative to lower ones.

    Returns
    -------
    numpy.ndarray, shape of `batch`
        What moves over an end is lost.

    Examples
    --------
    >>> shift_positions(np.array([[1, 2, 3], [1, 2, 3]]), np.array([1, -2]))
    array([[0, 1, 2],
           [3, 0, 0]])
    """
    moved, length = np.zeros_like(batch), batch.shape[1]
    for shift in np.unique(shifts):
        samples, kept = shifts == shift, max(length - abs(int(shift)), 0)
        source, target = (0, length - kept) if shift > 0 else (length - kept, 0)
        moved[samples, target : target + kept] = batch[samples, source : source + kept]
    return moved


class RandomWrapper(Wrapper):
    """A wrapper that draws; see the subclasses.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray
    seed : int, optional
        The same seed gives the same draws for the same accesses in the same order. By default they differ each time.
        In batches (`WindowBatches`, `JangguSequence`) draws depend on this seed, or theirs without one, and on nothing
        but the number of the epoch and of the batch.

    Notes
    -----
    A region is never changed. Nested wrappers of one seed draw independently. A copy, also a pickled one, goes on
    where the original stood.
    """

    def __init__(self, data: Any, seed: int | None = None):
        super().__init__(data)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0):
            msg = f"seed is a whole number of at least 0. Received: seed={seed!r}."
            raise InputError(msg)
        self.seed = None if seed is None else int(seed)
        self._depth = _depth(data)
        self._rng = np.random.default_rng(None if seed is None else [self.seed, self._depth])

    def __copy__(self) -> "RandomWrapper":
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._rng = copy.deepcopy(self._rng)
        return other

    def at(self, entropy: Sequence[int], place: Sequence[int]) -> "RandomWrapper":
        """Give this wrapper with a generator that a place fixes; `entropy` stands in for a seed."""
        own = entropy if self.seed is None else [self.seed]
        placed = self.around(self.data)
        placed._rng = np.random.default_rng([*own, self._depth, *place])
        return placed

    def _change(self, batch: np.ndarray) -> np.ndarray:
        return self._draw(batch, self._rng)

    def _change_region(self, batch: np.ndarray) -> np.ndarray:
        return batch

    @abstractmethod
    def _draw(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change a batch at random."""


class RandomOrientation(RandomWrapper):
    """Present each sample from the other strand with probability one half: positions reversed and strands swapped.

    Parameters
    ----------
    data : Cover, or another dataset or array with axes (windows, positions, strands, ...)
    seed : int, optional
        See `RandomWrapper`.

    Raises
    ------
    InputError
        For a `Bioseq`: a sequence from the other strand is its reverse complement, not its reverse. For fewer than
        three axes.

    Examples
    --------
    >>> flips = RandomOrientation(np.arange(8).reshape(2, 2, 2, 1), seed=2)
    >>> flips[:].ravel().tolist()
    [3, 2, 1, 0, 7, 6, 5, 4]
    >>> flips[:].ravel().tolist()
    [0, 1, 2, 3, 7, 6, 5, 4]
    """

    def __init__(self, data: Any, seed: int | None = None):
        super().__init__(data, seed)
        _check_axes(self, 3)
        if isinstance(_innermost(data), Bioseq):
            msg = f"RandomOrientation turns coverage, {data.name!r} is a sequence. Wrap a Cover."
            raise InputError(msg)

    def _draw(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return flip_orientation(batch, rng.random(len(batch)) < 0.5)


class RandomSignalScale(RandomWrapper):
    """Multiply each condition of each sample by a factor, uniform between 1 - deviance and 1 + deviance.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray
        The last axis is the condition, where there are more than one.
    deviance : float
        0 to 1.
    seed : int, optional
        See `RandomWrapper`.

    Raises
    ------
    InputError
        For a deviance out of range.

    Notes
    -----
    Factors multiply what the dataset gives, normalized values included; batches of whole numbers become float32.

    Examples
    --------
    >>> scaled = RandomSignalScale(np.ones((2, 3, 1, 1)), deviance=0.1, seed=1)
    >>> scaled[0].ravel().round(4).tolist()
    [1.0024, 1.0024, 1.0024]
    """

    def __init__(self, data: Any, deviance: float, seed: int | None = None):
        super().__init__(data, seed)
        if not isinstance(deviance, int | float | np.number) or not 0 <= deviance <= 1:
            msg = f"deviance is 0 to 1: factors lie in 1 - deviance to 1 + deviance. Received: deviance={deviance!r}."
            raise InputError(msg)
        self.deviance = deviance

    def _draw(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        conditions = batch.shape[-1] if batch.ndim > 1 else 1
        shape = (len(batch), *[1] * (batch.ndim - 2), conditions)[: max(batch.ndim, 1)]
        factors = rng.uniform(1 - self.deviance, 1 + self.deviance, shape)
        dtype = batch.dtype if batch.dtype.kind == "f" else np.float32
        return np.multiply(batch, factors.astype(dtype), dtype=dtype)


class RandomShift(RandomWrapper):
    """Move each sample along its positions by a whole number, uniform from -shift to +shift, both included.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray, axes (windows, positions, ...)
    shift : int
        Most positions (bases or bins) to move by; 0 moves nothing.
    batchwise : bool, default False
        Move all samples of an access by the same number.
    seed : int, optional
        See `RandomWrapper`.

    Raises
    ------
    InputError
        For a shift that is no whole number of at least 0, or data without positions.

    Notes
    -----
    Positions that the values leave are 0: no signal, or unknown bases in a one-hot sequence. What lies beside the
    window is not read, so that the same holds for all datasets; give the windows a flank and crop in the model where
    neighbours should move in.

    Examples
    --------
    >>> RandomShift(np.arange(1, 6).reshape(1, 5), shift=2, seed=0)[0]
    array([[0, 0, 1, 2, 3]])
    """

    def __init__(self, data: Any, shift: int, batchwise: bool = False, seed: int | None = None):
        super().__init__(data, seed)
        _check_axes(self, 2)
        if isinstance(shift, bool) or not isinstance(shift, int | np.integer) or shift < 0:
            msg = f"shift is a number of positions, at least 0. Received: shift={shift!r}."
            raise InputError(msg)
        self.shift, self.batchwise = int(shift), bool(batchwise)

    def _draw(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        shifts = rng.integers(-self.shift, self.shift, 1 if self.batchwise else len(batch), endpoint=True)
        return shift_positions(batch, np.broadcast_to(shifts, len(batch)))


def draws_at(dataset: Any, entropy: Sequence[int], place: Sequence[int]) -> Any:
    """Fix what random wrappers will draw by a place, such as epoch and batch, whoever asks in whatever order.

    Parameters
    ----------
    dataset : dataset, wrapper or numpy.ndarray
        Left unchanged.
    entropy : sequence of int
        Seed of wrappers without one of their own.
    place : sequence of int
        Mixed into the seeds.

    Returns
    -------
    dataset
        The same, with new wrappers around it where there are random ones.

    Examples
    --------
    >>> flips = RandomOrientation(np.arange(8).reshape(2, 2, 2, 1), seed=2)
    >>> [draws_at(flips, [], [epoch])[0].ravel().tolist() for epoch in (3, 0, 3)]
    [[3, 2, 1, 0], [3, 2, 1, 0], [3, 2, 1, 0]]
    """
    if not isinstance(dataset, Wrapper) or not _is_random(dataset):
        return dataset
    inner = draws_at(dataset.data, entropy, place)
    placed = dataset.at(entropy, place) if isinstance(dataset, RandomWrapper) else dataset
    return placed.around(inner)


def _is_random(dataset: Any) -> bool:
    return isinstance(dataset, RandomWrapper) or (isinstance(dataset, Wrapper) and _is_random(dataset.data))


def _depth(dataset: Any) -> int:
    """Count wrappers."""
    return 1 + _depth(dataset.data) if isinstance(dataset, Wrapper) else 0


def _innermost(dataset: Any) -> Any:
    return _innermost(dataset.data) if isinstance(dataset, Wrapper) else dataset


def _check_axes(wrapper: Wrapper, least: int) -> None:
    if wrapper.data.ndim < least:
        axes = ("windows", "positions", "strands")[:least]
        msg = f"{type(wrapper).__name__} needs the axes {', '.join(axes)}. Received: {wrapper.data.ndim} axes."
        raise InputError(msg)
