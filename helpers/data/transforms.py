"""Wrappers that change the shape or the values of what a dataset presents, and never what it stores.

A wrapper holds a dataset (`Bioseq`, `Cover`, `Array`, a numpy array, another wrapper), reads batches of it and gives
them back changed. Wrappers that draw at random are in ``helpers.data.augmentation``.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helpers.data.dataset import as_region, as_rows
from helpers.data.indexer import GenomicIndexer
from helpers.errors import InputError

Axes = int | Sequence[int]
AGGREGATORS: dict[str, Callable[..., np.ndarray]] = {"sum": np.sum, "mean": np.mean, "max": np.max}


class Wrapper(ABC):
    """A dataset that presents another one changed; see the subclasses.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray
        The first axis is the window. Never changed.

    Attributes
    ----------
    data : the wrapped dataset.
    name, conditions, gindexer
        Those of the wrapped dataset, as far as it has them; without them, `hasattr` is False. Setting `gindexer`
        changes the windows of this wrapper and leaves the wrapped dataset as it is.
    shape : tuple
        As batches will have it, for all windows.

    Notes
    -----
    Indexing takes an integer, a slice, a list of integers, or a boolean mask, and always gives a batch, whatever is
    wrapped; a region ``(chrom, start, end[, strand])`` also, when the wrapped dataset reads regions.
    """

    def __init__(self, data: Any):
        if not hasattr(data, "__getitem__") or not hasattr(data, "ndim"):
            msg = f"{type(self).__name__} wraps a dataset or an array. Received: {data!r}."
            raise TypeError(msg)
        self.data = data

    @property
    def name(self) -> str:
        """Name of the wrapped dataset."""
        return self.data.name

    @property
    def conditions(self) -> list[str]:
        """Conditions of the wrapped dataset."""
        return self.data.conditions

    @property
    def gindexer(self) -> GenomicIndexer | None:
        """Windows of the wrapped dataset."""
        return self.data.gindexer

    @gindexer.setter
    def gindexer(self, gindexer: GenomicIndexer) -> None:
        data = copy.copy(self.data)
        data.gindexer = gindexer
        self.data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """Windows and the axes of a batch."""
        return self._shape(tuple(self.data.shape))

    @property
    def ndim(self) -> int:
        """Number of axes of a batch."""
        return len(self._shape((1,) * self.data.ndim))

    def around(self, data: Any) -> "Wrapper":
        """Put the same wrapper around another dataset."""
        other = copy.copy(self)
        other.data = data
        return other

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: Any) -> np.ndarray:
        region = as_region(key)
        if region is None:
            return self._change(np.asarray(self.data[as_rows(key, len(self))]))
        if not hasattr(self, "gindexer"):
            msg = f"{self!r} holds an array, which has no regions. Index it by the number of the window."
            raise InputError(msg)
        return self._change_region(self.data[region])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            msg = f"{type(self).__name__} is read anew each time: there is no array without a copy."
            raise ValueError(msg)
        return np.asarray(self[:], dtype=dtype)

    def __repr__(self) -> str:
        inner = f"array{self.data.shape}" if isinstance(self.data, np.ndarray) else repr(self.data)
        return f"{type(self).__name__}({inner})"

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Translate the shape of what is wrapped."""
        return shape

    @abstractmethod
    def _change(self, batch: np.ndarray) -> np.ndarray:
        """Change a batch; it belongs to the wrapper and may be written to."""

    def _change_region(self, batch: np.ndarray) -> np.ndarray:
        return self._change(batch)


class ReduceDim(Wrapper):
    """Aggregate axes away: by default ``(windows, positions, strands, conditions)`` to ``(windows, conditions)``.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray
    aggregator : {'sum', 'mean', 'max'} or callable, default 'sum'
        A callable is called as ``aggregator(batch, axis=(1, 2))`` and takes these axes away.
    axis : int or sequence of int, default (1, 2)
        Axes of a batch, not 0, which is the window; negative ones count from the end.

    Raises
    ------
    InputError
        For another aggregator or an axis that there is not.

    Examples
    --------
    >>> ReduceDim(np.ones((5, 10, 2, 3)), axis=-2).shape
    (5, 10, 3)
    """

    def __init__(self, data: Any, aggregator: str | Callable[..., np.ndarray] = "sum", axis: Axes = (1, 2)):
        super().__init__(data)
        aggregator = "sum" if aggregator is None else aggregator
        if not callable(aggregator) and aggregator not in AGGREGATORS:
            msg = f"aggregator must be {', '.join(AGGREGATORS)} or a function. Received: {aggregator!r}."
            raise InputError(msg)
        self.aggregator = aggregator
        self.axis = _checked_axes((1, 2) if axis is None else axis, data.ndim)

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(size for axis, size in enumerate(shape) if axis not in self.axis)

    def _change(self, batch: np.ndarray) -> np.ndarray:
        aggregate = self.aggregator if callable(self.aggregator) else AGGREGATORS[self.aggregator]
        return aggregate(batch, axis=self.axis)


class SqueezeDim(Wrapper):
    """Drop axes of size 1, never the window's.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray
    axis : int or sequence of int, optional
        Axes of a batch, not 0; by default all of size 1.

    Raises
    ------
    InputError
        For an axis that there is not, or, when read, one of another size than 1.

    Examples
    --------
    >>> SqueezeDim(np.ones((1, 7, 1, 3))).shape
    (1, 7, 3)
    """

    def __init__(self, data: Any, axis: Axes | None = None):
        super().__init__(data)
        self.axis = None if axis is None else _checked_axes(axis, data.ndim)

    @property
    def ndim(self) -> int:
        """Number of axes of a batch."""
        return len(self.shape)

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        dropped = [axis for axis, size in enumerate(shape) if size == 1 and axis] if self.axis is None else self.axis
        for axis in dropped:
            if shape[axis] != 1:
                msg = f"SqueezeDim drops axes of size 1. Received: axis {axis} of shape {shape}. Use ReduceDim."
                raise InputError(msg)
        return tuple(size for axis, size in enumerate(shape) if axis not in dropped)

    def _change(self, batch: np.ndarray) -> np.ndarray:
        return batch.reshape(self._shape(batch.shape))


class Transpose(Wrapper):
    """Reorder the axes.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray
    axis : sequence of int
        For each axis of a batch, the axis of the wrapped dataset that it is; the first stays 0, the window.

    Raises
    ------
    InputError
        When these are not all axes, each once, with 0 first.

    Examples
    --------
    >>> Transpose(np.ones((5, 200, 1, 4)), axis=(0, 3, 2, 1)).shape
    (5, 4, 1, 200)
    """

    def __init__(self, data: Any, axis: Sequence[int]):
        super().__init__(data)
        given = (axis,) if isinstance(axis, int) else axis
        self.axis = tuple(number + data.ndim if number < 0 else number for number in given)
        if sorted(self.axis) != list(range(data.ndim)) or self.axis[0] != 0:
            msg = f"axis gives each of the {data.ndim} axes once, 0 (the window) first. Received: axis={axis}."
            raise InputError(msg)

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(shape[axis] for axis in self.axis)

    def _change(self, batch: np.ndarray) -> np.ndarray:
        return np.transpose(batch, self.axis)


class NanToNumConverter(Wrapper):
    """Replace NaN by 0, and infinities by the largest finite number of their sign.

    Parameters
    ----------
    data : dataset, wrapper or numpy.ndarray

    Examples
    --------
    >>> NanToNumConverter(np.array([[np.nan, 1.0]]))[:]
    array([[0., 1.]])
    """

    def _change(self, batch: np.ndarray) -> np.ndarray:
        return np.nan_to_num(batch)


def _checked_axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """Give axes as positive numbers, or raise InputError."""
    given = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    if not all(isinstance(number, int | np.integer) for number in given):
        msg = f"axis is a whole number or several. Received: axis={axis!r}."
        raise InputError(msg)
    axes = tuple(int(number) + ndim if number < 0 else int(number) for number in given)
    if len(set(axes)) < len(axes) or not all(0 < number < ndim for number in axes):
        msg = f"axis is 1 to {ndim - 1}, each once (0 is the window). Received: axis={axis} for {ndim} axes."
        raise InputError(msg)
    return axes
