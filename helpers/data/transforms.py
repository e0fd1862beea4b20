"""Wrappers that change what a dataset presents and never what it stores."""

from typing import Any

import numpy as np

from helpers.data.dataset import as_region, as_rows
from helpers.data.sequence import Bioseq
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


class RandomOrientation:
    """Present each sample from the other strand with probability one half, drawn anew at each access.

    Parameters
    ----------
    dataset : Cover, or array-like with axes (windows, positions, strands, conditions)
        What is wrapped; never changed.
    seed : int or numpy.random.Generator, optional
        The same seed gives the same flips for the same accesses in the same order. By default they differ each time.

    Attributes
    ----------
    dataset : the wrapped dataset; `name`, `shape`, `conditions`, `gindexer` and others are its own.

    Raises
    ------
    InputError
        For a `Bioseq`: a sequence from the other strand is its reverse complement, not its reverse.

    Notes
    -----
    Indexing takes the forms of the dataset and always gives a batch. A region is never flipped.

    Examples
    --------
    >>> coverage = np.arange(8).reshape(2, 2, 2, 1)
    >>> flips = RandomOrientation(coverage, seed=1)
    >>> flips[:].ravel().tolist()
    [0, 1, 2, 3, 4, 5, 6, 7]
    >>> flips[:].ravel().tolist()
    [3, 2, 1, 0, 4, 5, 6, 7]
    """

    def __init__(self, dataset: Any, seed: int | np.random.Generator | None = None):
        if isinstance(dataset, Bioseq):
            msg = f"RandomOrientation turns coverage, {dataset.name!r} is a sequence. Wrap a Cover."
            raise InputError(msg)
        self.dataset = dataset
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: Any) -> np.ndarray:
        region = as_region(key)
        if region is not None:
            return self.dataset[region]
        batch = self.dataset[as_rows(key, len(self))]
        return flip_orientation(batch, self._rng.random(len(batch)) < 0.5)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "dataset":
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __repr__(self) -> str:
        return f"RandomOrientation({self.dataset!r})"
