"""Values of windows that stay in an HDF5 file: only the rows that are asked for are read."""

import os
from typing import Any

import h5py
import numpy as np


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

    def _open(self) -> Any:
        if self._offset is None:
            return h5py.File(self._path, "r")[self._name]
        mapped = np.memmap(self._path, dtype=self.dtype, mode="r", offset=self._offset, shape=self._stored_shape)
        return np.asarray(mapped)
