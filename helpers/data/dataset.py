"""What all datasets of windows share: a name, the windows, and the forms in which a user may ask for some of them."""

import copy
from typing import Any, NamedTuple

import numpy as np

from helpers.data.indexer import GenomicIndexer
from helpers.data.regions import Region
from helpers.errors import InputError


class Spans(NamedTuple):
    """Stretches of the genome to read, one a sample, in bp, flanks included, not clipped at the contig's ends.

    Attributes
    ----------
    codes : numpy.ndarray of int, shape (n,)
        Contig of each as an index of `names`.
    starts, ends : numpy.ndarray of int64, shape (n,)
    reverse : numpy.ndarray of bool, shape (n,)
        Whether it lies on the minus strand.
    names : list of str
        Contigs.
    """

    codes: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    reverse: np.ndarray
    names: list[str]

    @classmethod
    def of_windows(cls, gindexer: GenomicIndexer, rows: np.ndarray) -> "Spans":
        """Take windows by their index in the presented order."""
        rows = gindexer.order[rows]
        return cls(
            gindexer.chrom_codes[rows],
            gindexer.starts[rows] - gindexer.flank,
            gindexer.ends[rows] + gindexer.flank,
            gindexer.strand[rows] == "-",
            gindexer.chrom_names,
        )

    @classmethod
    def of_region(cls, region: Region) -> "Spans":
        """Take one region."""
        return cls(
            np.zeros(1, dtype=np.int64),
            np.array([region.start]),
            np.array([region.end]),
            np.array([region.strand == "-"]),
            [region.chrom],
        )


class Dataset:
    """Windows of a genome that are indexed like a numpy array; the first axis is the window.

    Parameters
    ----------
    name : str
        Binds the dataset to the model's input or output of that name.
    gindexer : GenomicIndexer or None
        The windows. None until `gindexer` is set; regions can be read without.

    Attributes
    ----------
    name : str
    gindexer : GenomicIndexer or None
        A copy of what was given: set it again after changing one.
    ndim : int

    Raises
    ------
    TypeError
        When the name is no str.

    Notes
    -----
    Index forms of ``dataset[key]``, all of which give a batch (window axis first):

    - an integer, also a negative or a numpy one; a slice; a list or array of integers; a boolean mask over all windows.
      An index outside the windows is an IndexError.
    - a region ``dataset[chrom, start, end]`` or ``dataset[chrom, start, end, strand]``, also as one tuple or `Region`:
      a batch of one, whatever the windows are.
    """

    ndim = 4

    def __init__(self, name: str, gindexer: GenomicIndexer | None):
        if not isinstance(name, str):
            msg = f"The name of a dataset is a str. Received: {name!r}."
            raise TypeError(msg)
        self.name = name
        self._gindexer: GenomicIndexer | None = None
        if gindexer is not None:
            self.gindexer = gindexer

    @property
    def gindexer(self) -> GenomicIndexer | None:
        """The windows, or None."""
        return self._gindexer

    @gindexer.setter
    def gindexer(self, gindexer: GenomicIndexer) -> None:
        gindexer = copy.copy(gindexer)
        self._check_windows(gindexer)
        self._gindexer = gindexer

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Windows, positions, and two more axes."""
        return (len(self), *self._sample_shape(self._windows()))

    def with_windows(self, gindexer: GenomicIndexer) -> "Dataset":
        """Give the same dataset with other windows; what is stored is shared."""
        other = copy.copy(self)
        other.gindexer = gindexer
        return other

    def take(self, key: Any) -> "Dataset":
        """Give the same dataset with some of its windows.

        Parameters
        ----------
        key : int, slice, sequence of int, or boolean mask of shape (windows,)
            Window i of the new dataset is window ``key[i]`` of this one, whatever `random_state` was.
        """
        rows = as_rows(key, len(self))
        part = copy.copy(self)
        part._keep_rows(rows)
        part._gindexer = None
        part.gindexer = _some_windows(self._windows(), rows)
        return part

    def __len__(self) -> int:
        return len(self._windows())

    def __getitem__(self, key: Any) -> np.ndarray:
        return self._read(key)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            msg = f"Dataset {self.name!r} is read anew each time: there is no array without a copy."
            raise ValueError(msg)
        return np.asarray(self[:], dtype=dtype)

    def __repr__(self) -> str:
        shape = "no windows" if self._gindexer is None else f"shape={self.shape}"
        return f"{type(self).__name__}({self.name!r}, {shape})"

    def _windows(self) -> GenomicIndexer:
        if self._gindexer is None:
            msg = f"Dataset {self.name!r} has no windows. Give `roi` when it is made, or set its `gindexer`."
            raise InputError(msg)
        return self._gindexer

    def _keep_rows(self, rows: np.ndarray) -> None:
        """Drop the values of other windows, where values belong to windows."""

    def _check_windows(self, gindexer: GenomicIndexer) -> None:
        """Raise InputError when these windows cannot be read."""
        raise NotImplementedError

    def _sample_shape(self, gindexer: GenomicIndexer) -> tuple[int, int, int]:
        """Give the shape of one window."""
        raise NotImplementedError

    def _read(self, key: Any) -> np.ndarray:
        """Read what any index form asks for, as a batch."""
        raise NotImplementedError


def _some_windows(windows: GenomicIndexer, rows: np.ndarray) -> GenomicIndexer:
    """Give windows of an indexer in the order of `rows`; each is tiled into itself."""
    regions = windows.to_regions().iloc[rows].reset_index(drop=True)
    settings = (windows.binsize, windows.stepsize, windows.flank, windows.zero_padding, windows.collapse)
    return GenomicIndexer.create_from_file(regions, *settings)


def as_region(key: Any) -> Region | None:
    """Recognise ``(chrom, start, end[, strand])``; other keys give None.

    Raises
    ------
    InputError
        When the coordinates or the strand are impossible.

    Examples
    --------
    >>> as_region(("chr1", 5, 9))
    Region(chrom='chr1', start=5, end=9, strand='.')
    """
    if not (isinstance(key, tuple) and key and isinstance(key[0], str)):
        return None
    if len(key) in (3, 4):
        region = Region(*key)
        whole = all(isinstance(value, int | np.integer) for value in region[1:3])
        if whole and region.start < region.end and region.strand in ("+", "-", "."):
            return region
    msg = f"A region is chrom, start, end and possibly strand (+, - or .), with start < end in bp. Received: {key!r}."
    raise InputError(msg)


def as_rows(key: Any, length: int) -> np.ndarray:
    """Translate an index as numpy knows it into window numbers.

    Parameters
    ----------
    key : int, slice, sequence of int, or boolean mask of shape (length,)
    length : int
        Number of windows.

    Returns
    -------
    numpy.ndarray of int64, shape (selected,)
        Between 0 and `length` - 1.

    Raises
    ------
    IndexError
        For an index outside the windows, a mask of another length, or another kind of key.

    Examples
    --------
    >>> as_rows(slice(-2, None), 5), as_rows(-1, 5)
    (array([3, 4]), array([4]))
    """
    if isinstance(key, slice):
        return np.arange(*key.indices(length))
    rows = np.asarray(key)
    if rows.dtype.kind == "b" and rows.shape == (length,):
        return np.flatnonzero(rows)
    if isinstance(key, list | np.ndarray) and rows.shape == (0,):
        return np.zeros(0, dtype=np.int64)
    if rows.dtype.kind not in "iu" or rows.ndim > 1 or isinstance(key, tuple):
        msg = (
            "Index windows by an integer, a slice, a list of integers, a mask over all windows, or a region. "
            f"Received: {key!r} for {length} windows."
        )
        raise IndexError(msg)
    rows = np.atleast_1d(rows).astype(np.int64, copy=False)
    if rows.min() < -length or rows.max() >= length:
        beyond = rows.max() if rows.max() >= length else rows.min()
        msg = f"Index {beyond} is out of range for {length} windows."
        raise IndexError(msg)
    return np.where(rows < 0, rows + length, rows)
