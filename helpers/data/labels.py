"""Labels of regions: for each output 1 where a region overlaps a feature of its track, else 0; one bit each."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from helpers.data.dataset import as_rows
from helpers.data.features import check_overlap
from helpers.data.hits import SortedIntervals
from helpers.data.region_files import read_regions
from helpers.data.rows import region_fingerprint
from helpers.errors import InputError, list_some
from helpers.files import atomic_path

FORMAT = "helpers labels"
FORMAT_VERSION = 2
_ROWS_AT_ONCE = 1 << 15


class Labels:
    """Labels of regions, kept as bits and read as uint8 by rows.

    Parameters
    ----------
    packed : numpy.ndarray of uint8, shape (regions, ceil(outputs / 8))
        As `numpy.packbits` packs the outputs of a region; not copied.
    outputs : sequence of str
        Names of the columns.
    regions : str
        Fingerprint of the regions (`helpers.data.rows.region_fingerprint`), or '' where it is unknown.
    path : pathlib.Path, optional
        The file that is mapped into memory. Such labels pickle as their path.
    rows : numpy.ndarray of int64, shape (regions,), optional
        Rows of `packed` that are read, in this order; all by default. See `take`.

    Attributes
    ----------
    shape : tuple of int
        (regions, outputs).
    dtype : numpy.dtype
        uint8.
    values : numpy.ndarray of uint8, shape (regions, outputs)
        All labels, eight times the memory.
    n_positive : numpy.ndarray of int64, shape (outputs,)
        Regions with label 1.

    Notes
    -----
    ``labels[rows]`` takes an integer, which gives a row of shape (outputs,), or a slice, a list of integers or a mask,
    which give shape (rows, outputs). numpy functions see the full array.

    Examples
    --------
    >>> labels = Labels.pack(np.array([[1, 0, 1], [0, 0, 1]]), ["a", "b", "c"])
    >>> labels[0], labels[[1, 0]].shape, labels.n_positive
    (array([1, 0, 1], dtype=uint8), (2, 3), array([1, 0, 2]))
    """

    ndim = 2
    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        packed: np.ndarray,
        outputs: Sequence[str],
        regions: str = "",
        path: Path | None = None,
        rows: np.ndarray | None = None,
    ):
        self.packed, self.outputs, self.regions, self.path = packed, [str(name) for name in outputs], regions, path
        self.rows = rows
        self.shape = (len(packed if rows is None else rows), len(self.outputs))

    @classmethod
    def pack(cls, values: np.ndarray, outputs: Sequence[str], regions: str = "") -> "Labels":
        """Pack an array of labels, shape (regions, outputs), 0 or not."""
        return cls(np.packbits(np.asarray(values) != 0, axis=1), outputs, regions)

    def take(self, key: Any) -> "Labels":
        """Give the labels of some of the regions; bits are not copied.

        Parameters
        ----------
        key : int, slice, sequence of int, or boolean mask of shape (regions,)
            Row i of the new labels is row ``key[i]`` of these.
        """
        rows = as_rows(key, len(self))
        return Labels(self.packed, self.outputs, "", self.path, rows if self.rows is None else self.rows[rows])

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return _load_rows, (self.path, self.rows)
        return Labels, (self._bits(slice(None)), self.outputs, self.regions)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read labels of rows as uint8."""
        rows = key if isinstance(key, slice) else as_rows(key, len(self))
        values = np.unpackbits(self._bits(rows), axis=1, count=self.shape[1])
        return values[0] if isinstance(key, int | np.integer) else values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            msg = "Labels are kept as bits: there is no array without a copy."
            raise ValueError(msg)
        return np.asarray(self[:], dtype=dtype)

    def __repr__(self) -> str:
        return f"Labels({self.shape[0]} regions, {self.shape[1]} outputs)"

    @property
    def values(self) -> np.ndarray:
        """All labels as uint8, shape (regions, outputs)."""
        return self[:]

    @property
    def n_positive(self) -> np.ndarray:
        """Number of regions with label 1, shape (outputs,)."""
        total = np.zeros(self.shape[1], dtype=np.int64)
        for block in _blocks(len(self)):
            total += self[block].sum(axis=0, dtype=np.int64)
        return total

    def _bits(self, rows: slice | np.ndarray) -> np.ndarray:
        return self.packed[rows if self.rows is None else self.rows[rows]]


def label_regions(
    regions: pd.DataFrame,
    tracks: Sequence[str | os.PathLike[str]],
    outputs: Sequence[str],
    *,
    overlap: str | float = "any",
) -> Labels:
    """Label regions by their overlap with the features of tracks, whatever the strand.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table in any order; regions may overlap.
    tracks : sequence of path
        One file of features for each output; a file without features gives 0.
    outputs : sequence of str
        Names of the outputs.
    overlap : "any" or float in (0, 1]
        One shared base is enough, or the fraction of the region that the features of a track, taken together, cover.

    Returns
    -------
    Labels
        One row a region, in order. The positive regions of each output are logged.

    Raises
    ------
    InputError
        For a bad file or overlap, or another number of outputs than of tracks.

    Notes
    -----
    Memory is that of the result, one bit a label, and about 50 bytes a region. Tracks are read one after another.
    """
    check_overlap(overlap)
    if len(tracks) != len(outputs):
        msg = f"Give one output for each track. Received: {len(outputs)} outputs for {len(tracks)} tracks."
        raise InputError(msg)
    starts, ends = regions["start"].to_numpy(), regions["end"].to_numpy()
    intervals = SortedIntervals(regions["chrom"], starts, ends)
    packed = np.zeros((len(regions), -(-len(outputs) // 8)), dtype=np.uint8)
    for column, (name, track) in enumerate(zip(outputs, tracks, strict=True)):
        rows, covered = intervals.covered(read_regions(track))
        if overlap != "any":
            rows = rows[covered / (ends - starts)[rows] >= overlap]
        packed[rows, column // 8] |= np.uint8(128 >> column % 8)
        logging.info("%s: %d of %d regions are positive (%s)", name, len(rows), len(regions), track)
    return Labels(packed, outputs, region_fingerprint(regions))


def join_labels(parts: Sequence[str | os.PathLike[str]], path: str | os.PathLike[str]) -> Labels:
    """Join labels of the same regions by different tracks, side by side, in a file.

    Parameters
    ----------
    parts : sequence of path
        Files of `save_labels`, in the order of the outputs.
    path : path
        As `save_labels` writes it.

    Returns
    -------
    Labels
        The file, opened.

    Raises
    ------
    InputError
        When there is nothing to join, the parts are of different regions, or an output comes twice.

    Notes
    -----
    Memory is that of a few thousand regions, whatever their number.
    """
    known = [load_labels(part) for part in parts]
    outputs = [name for part in known for name in part.outputs]
    _check_joinable(known, parts, outputs)

    def join(block: slice) -> np.ndarray:
        return np.packbits(np.concatenate([part[block] for part in known], axis=1), axis=1)

    joined = map(join, _blocks(len(known[0])))
    _write(path, joined, n_regions=len(known[0]), outputs=outputs, regions=known[0].regions)
    return load_labels(path)


def save_labels(labels: Labels, path: str | os.PathLike[str]) -> None:
    """Write labels to a file that appears when it is complete.

    Parameters
    ----------
    labels : Labels
    path : path

    Notes
    -----
    HDF5: one contiguous dataset ``packed`` (`Labels.packed`); a dataset ``outputs`` (text); attributes
    ``format``, ``format_version`` and ``regions``.
    """
    blocks = (labels._bits(block) for block in _blocks(len(labels)))
    _write(path, blocks, n_regions=len(labels), outputs=labels.outputs, regions=labels.regions)


def load_labels(path: str | os.PathLike[str]) -> Labels:
    """Open labels that `save_labels` wrote; they are mapped into memory, and only rows that are used are read.

    Raises
    ------
    InputError
        For a file that is missing, damaged, of another kind or of another format version.
    """
    path = Path(path).absolute()
    if not path.is_file():
        msg = f"{path} does not exist. Check the path, or make the file with label_regions and save_labels."
        raise InputError(msg)
    try:
        with h5py.File(path, "r") as file:
            _check_format(file, path)
            packed, outputs = file["packed"], file["outputs"].asstr()[:].tolist()
            shape, offset, regions = packed.shape, packed.id.get_offset(), str(file.attrs["regions"])
    except (OSError, KeyError) as error:
        msg = f"{path} holds no labels, or it is damaged ({error}). Make it again with label_regions."
        raise InputError(msg) from error
    if offset is None:  # no region or no output
        return Labels(np.zeros(shape, dtype=np.uint8), outputs, regions)
    mapped = np.asarray(np.memmap(path, dtype=np.uint8, mode="r", offset=offset, shape=shape))
    return Labels(mapped, outputs, regions, path)


def _load_rows(path: Path, rows: np.ndarray | None) -> Labels:
    labels = load_labels(path)
    return labels if rows is None else labels.take(rows)


def _write(
    path: str | os.PathLike[str], blocks: Iterator[np.ndarray], *, n_regions: int, outputs: list[str], regions: str
) -> None:
    """Write packed labels block by block, as they come."""
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        packed = file.create_dataset("packed", (n_regions, -(-len(outputs) // 8)), dtype=np.uint8, fill_time="never")
        for place, block in zip(_blocks(n_regions), blocks, strict=True):
            packed[place] = block
        file.create_dataset("outputs", data=np.array(outputs, dtype=object), dtype=h5py.string_dtype())
        file.attrs["regions"] = regions
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION


def _blocks(n_rows: int) -> list[slice]:
    """Cut rows into parts that fit into memory whatever the number of outputs."""
    return [slice(first, min(first + _ROWS_AT_ONCE, n_rows)) for first in range(0, n_rows, _ROWS_AT_ONCE)]


def _check_format(file: h5py.File, path: Path) -> None:
    if file.attrs.get("format") != FORMAT or int(file.attrs["format_version"]) != FORMAT_VERSION:
        found = f"{file.attrs.get('format', 'no format')} {file.attrs.get('format_version', '')}".strip()
        msg = f"{path}: expected {FORMAT!r} {FORMAT_VERSION}. Received: {found}. Make it again with label_regions."
        raise InputError(msg)


def _check_joinable(parts: Sequence[Labels], places: Sequence[Any], outputs: Sequence[str]) -> None:
    if not parts:
        msg = "There are no labels to join. Give at least one file."
        raise InputError(msg)
    for part, place in zip(parts, places, strict=True):
        if len(part) != len(parts[0]) or part.regions != parts[0].regions:
            found = f"{places[0]} ({len(parts[0])}) and {place} ({len(part)})"
            msg = f"Labels of different regions cannot be joined: {found}. Label the same regions."
            raise InputError(msg)
    twice = [name for name, number in Counter(outputs).items() if number > 1]
    if twice:
        msg = f"Outputs that come twice: {list_some(twice, 8)}. Join each batch of tracks once."
        raise InputError(msg)
