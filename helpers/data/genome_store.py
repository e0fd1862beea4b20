"""What is common to all ways of keeping values along the contigs of a genome.

All contigs lie behind one another on one axis of positions. A position is a base (encoded sequence) or a bin
(coverage). Windows of many regions are copied at once; what lies outside the contig is filled.
"""

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from helpers.data.mapped import Format, Kept, Mapped, MappedFile, values_of, write_arrays
from helpers.errors import InputError, list_some


class GenomeStore(ABC):
    """What datasets and normalizers use of values along a genome, however they are kept.

    Parameters
    ----------
    values : numpy.ndarray or Mapped, shape (stored, ...)
        What is kept, position by position.
    lengths : mapping of str to int
        Number of positions of each contig, in the order in which they lie behind one another.
    attrs : mapping, optional
        Anything that JSON can hold, such as the resolution in bp.

    Attributes
    ----------
    contigs : dict of str to (int, int)
        Offset and length of each contig, in positions.
    attrs : dict
        As given, or as stored in the file.
    made : str
        What the cache says about where the values come from; empty without a cache.
    """

    format: ClassVar[Format]

    def __init__(self, values: np.ndarray | Mapped, lengths: Mapping[str, int], attrs: Mapping[str, Any] | None = None):
        self._values = values
        sizes = np.fromiter(lengths.values(), dtype=np.int64, count=len(lengths))
        self._lengths = sizes
        self._offsets = np.cumsum(sizes) - sizes
        self._ids = {name: index for index, name in enumerate(lengths)}
        self.contigs = {
            name: (int(offset), int(size)) for name, offset, size in zip(lengths, self._offsets, sizes, strict=True)
        }
        self.attrs: dict[str, Any] = dict(attrs or {})
        self.made = ""

    @property
    def values(self) -> np.ndarray:
        """What is kept, shape (stored, ...); read only when memory-mapped."""
        return values_of(self._values)

    @property
    def dtype(self) -> np.dtype:
        """Type of one value."""
        return self.values.dtype

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of the values of one position, such as ``(strands,)``."""
        return self.values.shape[1:]

    @property
    def path(self) -> Path | None:
        """The file behind a memory map, or None."""
        return self._values.file.path if isinstance(self._values, Mapped) else None

    @abstractmethod
    def block(self, start: int, stop: int) -> np.ndarray:
        """Give the values of a stretch of the axis on which all contigs lie, shape (stop - start, ...), to be read."""

    @abstractmethod
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

    @abstractmethod
    def cut_out(self, starts: np.ndarray, length: int, name: str, attrs: Mapping[str, Any]) -> "GenomeStore":
        """Copy stretches of the axis on which all contigs lie, behind one another, as a store of one contig, `name`.

        Parameters
        ----------
        starts : numpy.ndarray of int64, shape (n,)
            First position of each stretch; all of it lies on the axis.
        length : int
            Positions of a stretch.
        """

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """Give what a file keeps beside the arrays, fit for JSON."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Give the arrays that a file keeps, by name."""

    @classmethod
    @abstractmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Kept) -> "GenomeStore":
        """Make a store of what `header` and `arrays` gave and a file kept."""

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write to a file that `open` maps into memory; it appears when it is complete."""
        arrays = {name: [array] for name, array in self.arrays().items()}
        write_arrays(path, self.format, self.header(), arrays)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "GenomeStore":
        """Map a file into memory, read only; only what is used is ever read.

        Parameters
        ----------
        path : path
            File written by `write`; a `GenomeArray` also by `write_contigs`, `encode_fasta`, `store_bam_coverage`.

        Raises
        ------
        InputError
            When the file is missing, damaged, of another kind or of another format version.
        """
        file = MappedFile(path, cls.format)
        return cls.from_parts(file.header, file.mapped())

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each contig in positions."""
        return {name: length for name, (_, length) in self.contigs.items()}

    @property
    def n_positions(self) -> int:
        """Positions of all contigs together."""
        return int(self._lengths.sum())

    @property
    def place(self) -> str:
        """Name of the file, for messages."""
        return "the array" if self.path is None else str(self.path)

    @property
    def origin(self) -> str:
        """Where the values come from, in a sentence."""
        source = self.attrs.get("source", "values")
        where = "" if self.path is None else f"read from {self.path}; "
        return self.made or f"{source}: {where}no cache was used."

    def contig(self, name: str) -> np.ndarray:
        """Give the values of one contig, shape (positions, ...), to be read.

        Raises
        ------
        InputError
            When there is no contig of that name.
        """
        self.contig_ids([name])
        offset, length = self.contigs[name]
        return self.block(offset, offset + length)

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
                f"Contigs that {self.place} does not have: {list_some(unknown, 8)}. It has "
                f"{list_some(self.contigs, 8)}. Use the names of one assembly everywhere, or leave these contigs out."
            )
            raise InputError(msg)
        return ids


def check_contigs(
    arrays: Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]],
) -> tuple[dict[str, int], list[np.ndarray]]:
    """Give the lengths by name and the arrays of contigs that fit together; InputError for others."""
    pairs = list(arrays.items()) if isinstance(arrays, Mapping) else list(arrays)
    if not pairs:
        msg = "There is no contig to keep. Give at least one array."
        raise InputError(msg)
    kinds = {(array.dtype, array.shape[1:]) for _, array in pairs}
    if len(kinds) > 1:
        msg = f"The contigs differ in dtype or shape: {sorted(map(str, kinds))}. Give arrays of one kind."
        raise InputError(msg)
    lengths = {name: len(array) for name, array in pairs}
    if len(lengths) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = sorted(name for name, count in counts.items() if count > 1)
        msg = f"Contigs that come twice: {list_some(twice, 8)}. Contig names must be unique."
        raise InputError(msg)
    return lengths, [array for _, array in pairs]


def contig_header(lengths: Mapping[str, int], attrs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what a file says about contigs: lists, so that their order is kept."""
    return {"contigs": list(lengths), "lengths": list(lengths.values()), "attrs": dict(attrs or {})}


def lengths_in(header: Mapping[str, Any]) -> dict[str, int]:
    """Read the length of each contig out of `contig_header`."""
    return dict(zip(header["contigs"], header["lengths"], strict=True))


def check_length(length: int) -> None:
    """Raise InputError for a window without positions."""
    if length < 1:
        msg = f"A window needs at least one position. Received: length={length}."
        raise InputError(msg)
