"""What all datasets of windows share: a name, the windows, indexing as numpy does, and a file of their own."""

import copy
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from helpers.data.indexer import GenomicIndexer
from helpers.data.keys import as_region as as_region
from helpers.data.keys import as_rows as as_rows
from helpers.data.mapped import Format, MappedFile, write_arrays
from helpers.data.regions import Region
from helpers.errors import InputError

DATASET = Format("dataset", 1, "Dataset.save writes such files")
_WINDOW_SETTINGS = ("binsize", "stepsize", "flank", "zero_padding", "collapse", "random_state")


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


class Parts(NamedTuple):
    """What a file keeps of a dataset.

    Attributes
    ----------
    header : dict
        Fit for JSON.
    arrays : dict of str to numpy.ndarray, or to Mapped when it comes from a file
    """

    header: dict[str, Any]
    arrays: Mapping[str, Any]


class Dataset(ABC):
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
        A copy of what the dataset reads: set it again after changing one.
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
    - a region ``dataset[chrom, start, end]`` or ``dataset[chrom, start, end, strand]``, also as one tuple, `Region` or
      interval of pybedtools, or as text ``"chr1:1,000-2,000"`` or ``"chr1:1000-2000:-"``: a batch of one, whatever the
      windows are. Text counts as numbers do, 0-based and half-open: ``"chr1:0-5"`` is the first 5 bases.

    Iterating gives the windows one by one, as batches of one; ``numpy.asarray`` gives all of them.

    A dataset pickles. What lies in files pickles as their paths, so that worker processes share one copy.
    """

    ndim = 4

    def __init__(self, name: str, gindexer: GenomicIndexer | None):
        check_name(name)
        self.name = name
        self._gindexer: GenomicIndexer | None = None
        if gindexer is not None:
            self.gindexer = gindexer

    @property
    def gindexer(self) -> GenomicIndexer | None:
        """A copy of the windows, or None."""
        return copy.copy(self._gindexer)

    @gindexer.setter
    def gindexer(self, gindexer: GenomicIndexer) -> None:
        check_windows(gindexer)
        gindexer = copy.copy(gindexer)
        self._check_windows(gindexer)
        _ = gindexer.order  # drawn once, for all copies
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

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._read(row) for row in range(len(self)))

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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all of the dataset to one file: windows in their order, values, conditions, normalizers, name.

        Parameters
        ----------
        path : path
            The file appears when it is complete. `helpers.data.open_dataset` or `open` of the class opens it.

        Raises
        ------
        InputError
            When a normalizer is a function, which a file cannot keep.

        Notes
        -----
        HDF5 with the format name "helpers dataset" and a format version. All contigs are written, whatever the windows.
        """
        header, arrays = self._parts()
        header = {"class": type(self).__name__, "name": self.name, "windows": None, "parts": header}
        arrays = {f"parts/{name}": array for name, array in arrays.items()}
        if self._gindexer is not None:
            header["windows"], windows = _parts_of_windows(self._gindexer)
            arrays |= {f"windows/{name}": array for name, array in windows.items()}
        write_arrays(path, DATASET, header, {name: [array] for name, array in arrays.items()})

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Dataset":
        """Open a file of `save`; values are memory-mapped.

        Raises
        ------
        InputError
            When the file is missing, damaged, of another kind, of another format version, or holds another class.
        """
        file = MappedFile(path, DATASET)
        if file.header["class"] != cls.__name__:
            msg = f"{path} holds a {file.header['class']}, not a {cls.__name__}. Open it with open_dataset."
            raise InputError(msg)
        windows = file.header["windows"]
        gindexer = None if windows is None else _windows_from_parts(Parts(windows, file.mapped("windows/")))
        return cls._from_parts(file.header["name"], gindexer, Parts(file.header["parts"], file.mapped("parts/")))

    def explain(self) -> str:
        """Say where the values come from: for each file, whether the cache had them, or else why they were made."""
        return "\n".join(self._origins())

    @abstractmethod
    def _origins(self) -> list[str]:
        """Say where values come from, in one sentence for each file or store."""

    @abstractmethod
    def _parts(self) -> Parts:
        """Give what a file keeps, name and windows apart."""

    @classmethod
    @abstractmethod
    def _from_parts(cls, name: str, gindexer: GenomicIndexer | None, parts: Parts) -> "Dataset":
        """Make a dataset of what `_parts` gave."""

    @abstractmethod
    def _keep_rows(self, rows: np.ndarray) -> None:
        """Drop the values of other windows, where values belong to windows."""

    @abstractmethod
    def _check_windows(self, gindexer: GenomicIndexer) -> None:
        """Raise InputError when these windows cannot be read."""

    @abstractmethod
    def _sample_shape(self, gindexer: GenomicIndexer) -> tuple[int, int, int]:
        """Give the shape of one window."""

    @abstractmethod
    def _read(self, key: Any) -> np.ndarray:
        """Read what any index form asks for, as a batch."""


def check_name(name: Any) -> None:
    """Raise TypeError unless the name of a dataset is a str; constructors call it before they read anything."""
    if not isinstance(name, str):
        msg = f"The name of a dataset is a str. Received: {name!r}."
        raise TypeError(msg)


def check_windows(gindexer: Any) -> None:
    """Raise InputError for anything but a GenomicIndexer."""
    if not isinstance(gindexer, GenomicIndexer):
        msg = (
            f"gindexer is a GenomicIndexer. Received: {gindexer!r:.80}. Make one: GenomicIndexer.create_from_file(...)."
        )
        raise InputError(msg)


def _parts_of_windows(gindexer: GenomicIndexer) -> Parts:
    header = {name: getattr(gindexer, name) for name in _WINDOW_SETTINGS} | {"chrom_names": gindexer.chrom_names}
    arrays = {name: getattr(gindexer, name) for name in ("chrom_codes", "starts", "ends", "order")}
    return Parts(header, arrays | {"strand": gindexer.strand.astype("S1")})


def _some_windows(windows: GenomicIndexer, rows: np.ndarray) -> GenomicIndexer:
    """Give windows of an indexer in the order of `rows`; each is tiled into itself."""
    regions = windows.to_regions().iloc[rows].reset_index(drop=True)
    settings = (windows.binsize, windows.stepsize, windows.flank, windows.zero_padding, windows.collapse)
    return GenomicIndexer.create_from_file(regions, *settings)


def _windows_from_parts(parts: Parts) -> GenomicIndexer:
    gindexer = GenomicIndexer(**{name: parts.header[name] for name in _WINDOW_SETTINGS})
    gindexer.chrom_names = parts.header["chrom_names"]
    gindexer.strand = parts.arrays["strand"].values.astype("U1")
    gindexer.chrom_codes, gindexer.starts, gindexer.ends, gindexer._order = (
        parts.arrays[name].values for name in ("chrom_codes", "starts", "ends", "order")
    )
    return gindexer
