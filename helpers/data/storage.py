"""Arrays over a genome: one flat array, memory-mapped from disk, and windows cut out of it.

All contigs lie behind one another in one array ``values`` of shape (positions, ...). A position is a base (encoded
sequence) or a bin (coverage). Windows of many regions are copied at once; what lies outside the contig is filled.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from helpers.errors import InputError
from helpers.files import atomic_path

FORMAT = "helpers genome array"
FORMAT_VERSION = 1
ALIGNMENT = 64  # bytes; the values start at a multiple of this in the file


class GenomeArray:
    """Values along the contigs of a genome, in memory or memory-mapped.

    Parameters
    ----------
    values : numpy.ndarray, shape (positions, ...)
        The contigs behind one another; not copied. Must be C-contiguous.
    lengths : mapping of str to int
        Number of positions of each contig, in the order in which they lie in `values`.
    attrs : mapping, optional
        Anything that JSON can hold, such as the resolution in bp.

    Attributes
    ----------
    contigs : dict of str to (int, int)
        Offset and length of each contig, in positions.
    attrs : dict
        As given, or as stored in the file.
    path : pathlib.Path or None
        The file behind a memory map.

    Raises
    ------
    InputError
        When the lengths do not add up to the positions of `values`.

    Notes
    -----
    A memory-mapped array pickles as its path and opens the file again at the first use, so that worker processes share
    one copy of the values through the page cache of the system.

    Examples
    --------
    >>> genome = GenomeArray.from_contigs({"chr1": np.arange(5), "chr2": np.arange(3)})
    >>> genome.gather(["chr2", "chr1"], [1, -2], 4, fill=-1)
    array([[ 1,  2, -1, -1],
           [-1, -1,  0,  1]])
    """

    def __init__(self, values: np.ndarray, lengths: Mapping[str, int], attrs: Mapping[str, Any] | None = None):
        values = np.asarray(values)
        if sum(lengths.values()) != len(values):
            msg = f"The contigs have {sum(lengths.values())} positions in all, the array has {len(values)}."
            raise InputError(msg)
        self._values: np.ndarray | None = np.ascontiguousarray(values)
        self._set_lengths(lengths)
        self.attrs: dict[str, Any] = dict(attrs or {})
        self.path: Path | None = None

    def _set_lengths(self, lengths: Mapping[str, int]) -> None:
        sizes = np.fromiter(lengths.values(), dtype=np.int64, count=len(lengths))
        self._lengths = sizes
        self._offsets = np.cumsum(sizes) - sizes
        self._ids = {name: index for index, name in enumerate(lengths)}
        self.contigs = {
            name: (int(offset), int(size)) for name, offset, size in zip(lengths, self._offsets, sizes, strict=True)
        }

    @classmethod
    def from_contigs(cls, arrays: Mapping[str, np.ndarray], attrs: Mapping[str, Any] | None = None) -> "GenomeArray":
        """Put one array per contig, each of shape (positions, ...), behind one another in memory (a copy)."""
        if not arrays:
            msg = "There is no contig. Give at least one array."
            raise InputError(msg)
        return cls(np.concatenate(list(arrays.values())), {name: len(array) for name, array in arrays.items()}, attrs)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "GenomeArray":
        """Map a file of `write_contigs` into memory, read only; only what is used is ever read.

        Parameters
        ----------
        path : path
            File written by `write_contigs` (`encode_fasta`, `store_bam_coverage`).

        Raises
        ------
        InputError
            When the file is missing, damaged, of another kind or of another format version.
        """
        path = Path(path).absolute()
        header, values = _map_file(path)
        opened = cls(values, header["lengths"], header["attrs"])
        opened.path = path
        return opened

    @property
    def values(self) -> np.ndarray:
        """The contigs behind one another, shape (positions, ...); read only when memory-mapped."""
        if self._values is None:
            header, values = _map_file(self.path)
            if header["lengths"] != self.sizes:
                msg = f"{self.path} holds other contigs than when it was first opened. Open it again."
                raise InputError(msg)
            self._values = values
        return self._values

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each contig in positions."""
        return {name: length for name, (_, length) in self.contigs.items()}

    @property
    def place(self) -> str:
        """Name of the file, for messages."""
        return "the array" if self.path is None else str(self.path)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self.path is not None:
            state["_values"] = None
        return state

    def contig(self, name: str) -> np.ndarray:
        """Give the values of one contig, shape (positions, ...), as a view.

        Raises
        ------
        InputError
            When there is no contig of that name.
        """
        self.contig_ids([name])
        offset, length = self.contigs[name]
        return self.values[offset : offset + length]

    def contig_ids(self, chroms: Sequence[str] | np.ndarray) -> np.ndarray:
        """Find the numbers of contigs, once, for `gather`.

        Parameters
        ----------
        chroms : sequence of str, length n
            Contig names; an array of integers is taken to be numbers already.

        Returns
        -------
        numpy.ndarray of int64, shape (n,)

        Raises
        ------
        InputError
            When a name is unknown; the message lists all that are.
        """
        if isinstance(chroms, np.ndarray) and chroms.dtype.kind in "iu":
            return chroms.astype(np.int64, copy=False)
        ids = np.fromiter((self._ids.get(name, -1) for name in chroms), dtype=np.int64, count=len(chroms))
        if (ids < 0).any():
            unknown = sorted({str(name) for name, index in zip(chroms, ids, strict=True) if index < 0})
            msg = (
                f"Contigs that {self.place} does not have: {_some(unknown)}. It has {_some(list(self.contigs))}. "
                "Use the names of one assembly everywhere, or leave these contigs out."
            )
            raise InputError(msg)
        return ids

    def gather(
        self, chroms: Sequence[str] | np.ndarray, starts: Sequence[int] | np.ndarray, length: int, fill: float = 0
    ) -> np.ndarray:
        """Copy windows of one length from anywhere in the genome.

        Parameters
        ----------
        chroms : sequence of str or array of int from `contig_ids`, length n
        starts : array of int, shape (n,)
            First position of each window in its contig; may be negative or past the end.
        length : int
            Positions per window.
        fill : number
            Value of positions outside the contig. They stay where they are: a window that starts 2 positions before its
            contig begins with two `fill`.

        Returns
        -------
        numpy.ndarray, shape (n, length, ...)
            A new array of the stored dtype.
        """
        if length < 1:
            msg = f"A window needs at least one position. Received: length={length}."
            raise InputError(msg)
        ids = self.contig_ids(chroms)
        starts = np.asarray(starts, dtype=np.int64)
        first = self._offsets[ids] + starts
        outside = (starts < 0) | (starts > self._lengths[ids] - length)
        if not outside.any():
            return self._cut(first, length)
        windows = np.empty((len(starts), length, *self.values.shape[1:]), dtype=self.values.dtype)
        windows[~outside] = self._cut(first[~outside], length)
        windows[outside] = self._cut_over_ends(ids[outside], starts[outside], length, fill)
        return windows

    def _cut(self, first: np.ndarray, length: int) -> np.ndarray:
        """Copy windows that lie inside: each is one item of a void type that slides over the values, one memcpy."""
        values = self.values
        if not len(first):
            return np.empty((0, length, *values.shape[1:]), dtype=values.dtype)
        step = values.strides[0]
        item = np.dtype((np.void, length * step))
        sliding = np.ndarray((len(values) - length + 1,), item, buffer=values, strides=(step,))
        return sliding[first].view(values.dtype).reshape(len(first), length, *values.shape[1:])

    def _cut_over_ends(self, ids: np.ndarray, starts: np.ndarray, length: int, fill: float) -> np.ndarray:
        """Copy windows that hang over an end of their contig, position by position."""
        positions = starts[:, None] + np.arange(length)
        inside = (positions >= 0) & (positions < self._lengths[ids, None])
        windows = np.full((*positions.shape, *self.values.shape[1:]), fill, dtype=self.values.dtype)
        windows[inside] = self.values[(self._offsets[ids, None] + positions)[inside]]
        return windows


def write_contigs(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]],
    attrs: Mapping[str, Any] | None = None,
) -> None:
    """Write one array per contig to a file that `GenomeArray.open` maps into memory.

    Parameters
    ----------
    path : path
        The file appears when it is complete.
    arrays : mapping or iterable of (name, numpy.ndarray), each of shape (positions, ...)
        All of one dtype and one shape behind the first axis. An iterable is held in memory until it is written.
    attrs : mapping, optional
        Stored as JSON beside the values.

    Raises
    ------
    InputError
        No contig, a contig twice, or contigs of different dtype or shape.

    Notes
    -----
    HDF5: one contiguous dataset ``values``; attributes ``format``, ``format_version``, ``contigs`` (JSON list),
    ``lengths`` (JSON list, positions) and ``attrs`` (JSON object).
    """
    pairs = list(arrays.items()) if isinstance(arrays, Mapping) else list(arrays)
    lengths = _lengths_of(pairs)
    first = pairs[0][1]
    shape = (sum(lengths.values()), *first.shape[1:])
    with (
        atomic_path(path) as temporary,
        h5py.File(temporary, "w", alignment_threshold=1, alignment_interval=ALIGNMENT) as file,
    ):
        values = file.create_dataset("values", shape=shape, dtype=first.dtype, fill_time="never")
        offset = 0
        for _, array in pairs:
            values[offset : offset + len(array)] = array
            offset += len(array)
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["contigs"] = json.dumps(list(lengths))
        file.attrs["lengths"] = json.dumps(list(lengths.values()))
        file.attrs["attrs"] = json.dumps(dict(attrs or {}))


def _lengths_of(pairs: list[tuple[str, np.ndarray]]) -> dict[str, int]:
    if not pairs:
        msg = "There is no contig to write. Give at least one array."
        raise InputError(msg)
    kinds = {(array.dtype, array.shape[1:]) for _, array in pairs}
    if len(kinds) > 1:
        msg = f"The contigs differ in dtype or shape: {sorted(map(str, kinds))}. Give arrays of one kind."
        raise InputError(msg)
    lengths = {name: len(array) for name, array in pairs}
    if len(lengths) < len(pairs):
        twice = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1})
        msg = f"Contigs that come twice: {_some(twice)}. Contig names must be unique."
        raise InputError(msg)
    return lengths


def _map_file(path: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Read the header and map the values."""
    if not path.is_file():
        msg = f"{path} does not exist. Check the path, or make the file with encode_fasta or store_bam_coverage."
        raise InputError(msg)
    try:
        with h5py.File(path, "r") as file:
            header = _header(file, path)
            dataset = file["values"]
            shape, dtype, offset = dataset.shape, dataset.dtype, dataset.id.get_offset()
    except OSError as error:
        msg = f"{path} is not a genome array, or it is damaged ({error}). Make it again from the FASTA or BAM file."
        raise InputError(msg) from error
    if offset is None:
        return header, np.zeros(shape, dtype=dtype)
    return header, np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape))


def _header(file: h5py.File, path: Path) -> dict[str, Any]:
    if file.attrs.get("format") != FORMAT:
        msg = f"{path} is an HDF5 file but not a genome array. Give a file made by encode_fasta or store_bam_coverage."
        raise InputError(msg)
    version = int(file.attrs["format_version"])
    if version != FORMAT_VERSION:
        msg = (
            f"{path} has format version {version}, this program reads version {FORMAT_VERSION}. Remove the file and "
            "make it again from the FASTA or BAM file."
        )
        raise InputError(msg)
    names, lengths = json.loads(file.attrs["contigs"]), json.loads(file.attrs["lengths"])
    return {"lengths": dict(zip(names, lengths, strict=True)), "attrs": json.loads(file.attrs["attrs"])}


def _some(names: Sequence[str], most: int = 8) -> str:
    """List names, shortened."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
