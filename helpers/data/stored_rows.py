"""Values of windows, row by row: in any storage, or left in an HDF5 file; only rows that are asked for are read."""

import copy
import os
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.genome_store import GenomeStore
from helpers.data.storage import GenomeArray

_WINDOWS = "windows"  # the one contig of a store of rows


class KeptRows:
    """Values of windows in a store, in which they lie behind one another, window by window.

    Parameters
    ----------
    store : GenomeArray or SparseArray
        What `lay_out` gave, in any storage.

    Attributes
    ----------
    store : GenomeArray or SparseArray
    shape : tuple of int
        (windows, positions, strands, conditions).
    dtype : numpy.dtype

    Examples
    --------
    >>> rows = KeptRows(lay_out(np.arange(6).reshape(3, 1, 1, 2)))
    >>> rows[np.array([2, 0])].tolist(), rows.take(np.array([1])).shape
    ([[[[4, 5]]], [[[0, 1]]]], (1, 1, 1, 2))
    """

    def __init__(self, store: GenomeStore):
        self.store = store
        self.shape: tuple[int, ...] = tuple(store.attrs["shape"])
        self._chosen: np.ndarray | None = None  # rows of a store in a file, of which these are a part

    @property
    def dtype(self) -> np.dtype:
        """Type of one value."""
        return self.store.dtype

    @property
    def origin(self) -> str:
        """Where the values come from, in a sentence."""
        return self.store.origin

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Read rows, shape (rows, positions, strands, conditions)."""
        size = self._size
        if not len(rows) or not size:
            return np.zeros((len(rows), *self.shape[1:]), dtype=self.dtype)
        rows = rows if self._chosen is None else self._chosen[rows]
        contigs = np.zeros(len(rows), dtype=np.int64)
        return self.store.gather(contigs, rows * size, size).reshape(len(rows), *self.shape[1:])

    def take(self, rows: np.ndarray) -> "KeptRows":
        """Give some of the rows: a copy of what is in memory, a view of what is in a file."""
        if self.store.path is None:
            return KeptRows(self._cut_out(rows))
        part = copy.copy(self)
        part._chosen = rows if self._chosen is None else self._chosen[rows]
        part.shape = (len(rows), *self.shape[1:])
        return part

    def whole(self) -> GenomeStore:
        """Give a store of these rows and no others."""
        return self.store if self._chosen is None else self._cut_out(self._chosen)

    @property
    def _size(self) -> int:
        """Values of a row."""
        return int(np.prod(self.shape[1:]))

    def _cut_out(self, rows: np.ndarray) -> GenomeStore:
        attrs = self.store.attrs | {"shape": [len(rows), *self.shape[1:]]}
        return self.store.cut_out(rows * self._size, self._size, _WINDOWS, attrs)


def lay_out(values: np.ndarray, **attrs: Any) -> GenomeArray:
    """Lay values of windows behind one another, shape (windows, positions, strands, conditions); not copied."""
    attrs |= {"shape": list(values.shape)}
    return GenomeArray(values.reshape(-1), {_WINDOWS: values.size}, attrs)


def load_rows(
    build: Callable[[], GenomeArray], recipe: Recipe, *, storage: str, cache: Cache, fill: float = 0, source: str
) -> KeptRows:
    """Keep the values of windows that `build` lays out, or find them in the cache; see `load_store`."""
    return KeptRows(load_store(build, recipe, {"source": source}, storage=storage, cache=cache, fill=fill))


class StoredRows:
    """A dataset of an HDF5 file, indexed by rows in any order, with two axes in the middle where it has only two.

    Parameters
    ----------
    dataset : h5py.Dataset, shape (windows, positions, strands, conditions) or (windows, conditions)
        The file must stay as it is; it may be closed if it was open for reading. A contiguous dataset is mapped into
        memory; of a chunked one, rows are read chunk by chunk, which is slow for random rows.

    Attributes
    ----------
    shape : tuple of int
        (windows, positions, strands, conditions).
    dtype : numpy.dtype

    Notes
    -----
    It pickles as the place of the dataset, and opens the file again at the first use.
    """

    def __init__(self, dataset: h5py.Dataset):
        file = dataset.file
        file.flush()
        on_disk = os.path.isfile(file.filename) and file.driver != "core"
        self._path, self._name = os.path.abspath(file.filename), dataset.name
        self._offset = dataset.id.get_offset() if on_disk else None
        self._stored_shape, self.dtype = dataset.shape, dataset.dtype
        self.shape = self._stored_shape if dataset.ndim == 4 else (dataset.shape[0], 1, 1, dataset.shape[1])
        can_reopen = on_disk and (self._offset is not None or file.mode == "r")
        self._source: Any = None if can_reopen else dataset

    @property
    def origin(self) -> str:
        """Where the values come from, in a sentence."""
        return f"values: read from {self._path}; no cache was used."

    def __len__(self) -> int:
        return self.shape[0]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_source": None}

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Read rows, shape (rows, positions, strands, conditions)."""
        if self._source is None:
            self._source = self._open()
        if isinstance(self._source, np.ndarray) or not len(rows):
            values = self._source[rows] if len(rows) else np.empty((0, *self._stored_shape[1:]), self.dtype)
        elif (np.diff(rows) == 1).all():
            values = self._source[int(rows[0]) : int(rows[-1]) + 1]
        else:  # h5py reads ascending rows, each once
            unique, places = np.unique(rows, return_inverse=True)
            values = self._source[unique][places]
        return values.reshape(len(rows), *self.shape[1:])

    def take(self, rows: np.ndarray) -> KeptRows:
        """Read some of the rows into memory."""
        return KeptRows(lay_out(self[rows]))

    def whole(self) -> GenomeStore:
        """Read all rows into memory."""
        return lay_out(self[np.arange(len(self))])

    def _open(self) -> Any:
        if self._offset is None:
            return h5py.File(self._path, "r")[self._name]
        mapped = np.memmap(self._path, dtype=self.dtype, mode="r", offset=self._offset, shape=self._stored_shape)
        return np.asarray(mapped)
