"""`Array`: any numpy array as a dataset with a name."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.data.dataset import check_name
from helpers.errors import InputError


class Array:
    """An array with a name, indexed as numpy indexes it; the first axis is the sample.

    Parameters
    ----------
    name : str
        Binds the dataset to the model's input or output of that name.
    array : array-like, shape (samples, ...)
        Not copied; a memory map stays one.
    conditions : sequence of str, optional
        A name for each item of the last axis.

    Attributes
    ----------
    data : numpy.ndarray
        The array, read only.
    shape, ndim, dtype
        Of the array.
    conditions : list of str or None

    Raises
    ------
    TypeError
        When the name is no str.
    InputError
        For a single number, samples of different shapes, or another number of conditions than the last axis has items.

    Notes
    -----
    It differs from a `Dataset` in two ways: it has no windows (no `gindexer`, no regions), and an integer takes the
    axis away as numpy does, where a dataset of windows gives a batch of one. What an index gives is a copy.

    Examples
    --------
    >>> labels = Array("bound", [[0, 1], [1, 1], [0, 0]], conditions=["jund", "max"])
    >>> labels.shape, labels[-1], labels[[0, 1], 1]
    ((3, 2), array([0, 0]), array([1, 1]))
    """

    def __init__(self, name: str, array: Any, conditions: Sequence[str] | None = None):
        check_name(name)
        self.name = name
        self.data = _as_array(name, array).view()
        self.data.flags.writeable = False
        if self.data.ndim == 0:
            msg = f"Array {name!r} needs samples on its first axis. Received: the single value {array!r}."
            raise InputError(msg)
        self.conditions = None if conditions is None else list(conditions)
        if conditions is not None and len(self.conditions) != self.shape[-1]:
            msg = f"Give one name for each item of the last axis of {self.shape}. Received: conditions={conditions}."
            raise InputError(msg)

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples and the axes behind."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype:
        """Kind of the values."""
        return self.data.dtype

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: Any) -> Any:
        values = self.data[key]
        return values.copy() if np.may_share_memory(values, self.data) else values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=True if copy is None else copy)

    def __repr__(self) -> str:
        return f"Array({self.name!r}, shape={self.shape})"


def _as_array(name: str, array: Any) -> np.ndarray:
    try:
        return np.asarray(array)
    except ValueError as error:
        msg = f"Array {name!r} needs samples of one shape ({error}). Pad the shorter ones."
        raise InputError(msg) from error
