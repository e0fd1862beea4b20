"""Arrays over a genome: one flat array, in memory or memory-mapped, and windows cut out of it."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.data.genome_store import GenomeStore, check_contigs, check_length, contig_header, lengths_in
from helpers.data.mapped import Format, Kept, Mapped, write_arrays
from helpers.errors import InputError

_REMEDY = "encode_fasta, store_bam_coverage and write_contigs write such files"
_LARGEST_ITEM = np.iinfo(np.int32).max  # bytes, of a void type


class GenomeArray(GenomeStore):
    """Values along the contigs of a genome, every position kept, in memory or memory-mapped.

    Parameters
    ----------
    values : numpy.ndarray or Mapped, shape (positions, ...)
        The contigs behind one another; not copied. Must be C-contiguous.
    lengths : mapping of str to int
        Number of positions of each contig, in the order in which they lie in `values`.
    attrs : mapping, optional
        Anything that JSON can hold, such as the resolution in bp.

    Attributes
    ----------
    contigs, attrs, made
        See `GenomeStore`.

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

    format = Format("genome array", 1, _REMEDY)

    def __init__(self, values: np.ndarray | Mapped, lengths: Mapping[str, int], attrs: Mapping[str, Any] | None = None):
        super().__init__(values if isinstance(values, Mapped) else np.ascontiguousarray(values), lengths, attrs)
        if self.n_positions != len(self.values):
            msg = f"The contigs have {self.n_positions} positions in all, the array has {len(self.values)}."
            raise InputError(msg)

    @classmethod
    def from_contigs(
        cls,
        arrays: Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]],
        attrs: Mapping[str, Any] | None = None,
    ) -> "GenomeArray":
        """Put one array per contig, each of shape (positions, ...), behind one another in memory (a copy).

        Raises
        ------
        InputError
            No contig, a contig twice, or contigs of different dtype or shape.
        """
        lengths, pieces = check_contigs(arrays)
        return cls(np.concatenate(pieces), lengths, attrs)

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Kept) -> "GenomeArray":
        """Make an array of what `header` and `arrays` gave and a file kept."""
        return cls(arrays["values"], lengths_in(header), header["attrs"])

    def header(self) -> dict[str, Any]:
        """Give what a file keeps beside the values."""
        return contig_header(self.sizes, self.attrs)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give the array that a file keeps."""
        return {"values": self.values}

    def block(self, start: int, stop: int) -> np.ndarray:
        """Give the values of a stretch of the axis on which all contigs lie, as a view."""
        return self.values[start:stop]

    def gather(
        self, chroms: Sequence[str] | np.ndarray, starts: Sequence[int] | np.ndarray, length: int, fill: float = 0
    ) -> np.ndarray:
        """Copy windows of one length from anywhere in the genome; see `GenomeStore.gather`."""
        check_length(length)
        ids = self.contig_ids(chroms)
        starts = np.asarray(starts, dtype=np.int64)
        first = self._offsets[ids] + starts
        outside = (starts < 0) | (starts > self._lengths[ids] - length)
        if not outside.any():
            return self._cut(first, length)
        windows = np.empty((len(starts), length, *self.item_shape), dtype=self.dtype)
        windows[~outside] = self._cut(first[~outside], length)
        windows[outside] = self._cut_over_ends(ids[outside], starts[outside], length, fill)
        return windows

    def cut_out(self, starts: np.ndarray, length: int, name: str, attrs: Mapping[str, Any]) -> "GenomeArray":
        """Copy stretches of the axis on which all contigs lie, as a store of one contig."""
        values = self._cut(starts, length)
        return GenomeArray(values.reshape(-1, *self.item_shape), {name: len(starts) * length}, attrs)

    def _cut(self, first: np.ndarray, length: int) -> np.ndarray:
        """Copy windows that lie inside: each is one item of a void type that slides over the values, one memcpy."""
        values = self.values
        if not len(first):
            return np.empty((0, length, *values.shape[1:]), dtype=values.dtype)
        step = values.strides[0]
        if length * step > _LARGEST_ITEM:
            return np.stack([values[start : start + length] for start in first.tolist()])
        item = np.dtype((np.void, length * step))
        sliding = np.ndarray((len(values) - length + 1,), item, buffer=values, strides=(step,))
        return sliding[first].view(values.dtype).reshape(len(first), length, *values.shape[1:])

    def _cut_over_ends(self, ids: np.ndarray, starts: np.ndarray, length: int, fill: float) -> np.ndarray:
        """Copy windows that hang over an end of their contig, position by position."""
        positions = starts[:, None] + np.arange(length)
        inside = (positions >= 0) & (positions < self._lengths[ids, None])
        windows = np.full((*positions.shape, *self.item_shape), fill, dtype=self.dtype)
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
    lengths, pieces = check_contigs(arrays)
    write_arrays(path, GenomeArray.format, contig_header(lengths, attrs), {"values": pieces})
