"""Values along a genome of which most are the same: only positions that differ from a fill value are kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.data.genome_store import GenomeStore, check_contigs, check_length, contig_header, lengths_in
from helpers.data.intervals import expand_counts
from helpers.data.mapped import Format, Kept, Mapped, values_of
from helpers.errors import InputError

_REMEDY = "SparseArray.write writes such files"
_PER_BLOCK = 8  # stored positions of a block of the index, on average


class SparseArray(GenomeStore):
    """Values along the contigs of a genome, kept where they differ from `fill`; read as a `GenomeArray` is.

    Parameters
    ----------
    positions : numpy.ndarray or Mapped of uint32 or int64, shape (stored,)
        Ascending positions on the axis on which all contigs lie behind one another.
    values : numpy.ndarray or Mapped, shape (stored, ...)
        All values of each of these positions.
    lengths : mapping of str to int
        Number of positions of each contig.
    attrs : mapping, optional
        Anything that JSON can hold, such as the resolution in bp.
    fill : number, default 0
        Value of all other positions.
    ranks : numpy.ndarray or Mapped, optional
        What `arrays` gives of the same array, an index that is counted otherwise.

    Attributes
    ----------
    contigs, attrs, made
        See `GenomeStore`.
    fill : numpy scalar

    Raises
    ------
    InputError
        When positions and values differ in number.

    Notes
    -----
    A position is kept when the bits of any of its values differ from those of `fill`: negative numbers, NaN, infinite
    numbers and -0.0 come back as they were. It takes its values, 4 bytes for the position (8 in genomes above 4 Gb)
    and about 1 for the index: float32 on two strands takes less room than in a `GenomeArray` where less than three
    fifths of the positions differ.

    Examples
    --------
    >>> sparse = SparseArray.from_contigs({"chr1": np.array([0, 0, -7, 0]), "chr2": np.array([0, 5])})
    >>> sparse.gather(["chr2", "chr1"], [0, 1], 3, fill=9)
    array([[ 0,  5,  9],
           [ 0, -7,  0]])
    >>> sparse.n_stored
    2
    """

    format = Format("sparse genome array", 1, _REMEDY)

    def __init__(
        self,
        positions: np.ndarray | Mapped,
        values: np.ndarray | Mapped,
        lengths: Mapping[str, int],
        attrs: Mapping[str, Any] | None = None,
        *,
        fill: float = 0,
        ranks: np.ndarray | Mapped | None = None,
    ):
        super().__init__(values, lengths, attrs)
        self._positions = positions
        if len(self.positions) != len(self.values):
            msg = f"Give one position for each value. Received: {len(self.positions)} for {len(self.values)} values."
            raise InputError(msg)
        self.fill = self.dtype.type(fill)
        self._block_bits = max(4, (_PER_BLOCK * self.n_positions // max(self.n_stored, 1)).bit_length() - 1)
        self._ranks = self._count_ranks() if ranks is None else ranks

    @classmethod
    def from_contigs(
        cls,
        arrays: Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]],
        attrs: Mapping[str, Any] | None = None,
        *,
        fill: float = 0,
    ) -> "SparseArray":
        """Keep what differs from `fill` of one array per contig, each of shape (positions, ...).

        Parameters
        ----------
        arrays : mapping or iterable of (name, numpy.ndarray)
            All of one dtype and one shape behind the first axis. Of an iterable, one contig is in memory at a time.
        attrs, fill
            See the class.

        Raises
        ------
        InputError
            No contig, a contig twice, or contigs of different dtype or shape.
        """
        kept, pieces, sizes, offset = [], [], [], 0
        for name, array in arrays.items() if isinstance(arrays, Mapping) else arrays:
            rows = np.flatnonzero(_differs(array, fill))
            kept.append((name, array[rows]))
            pieces.append(rows + offset)
            sizes.append(len(array))
            offset += len(array)
        lengths, values = check_contigs(kept)
        positions = np.concatenate(pieces).astype(_position_type(offset))
        return cls(positions, np.concatenate(values), dict(zip(lengths, sizes, strict=True)), attrs, fill=fill)

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Kept) -> "SparseArray":
        """Make an array of what `header` and `arrays` gave and a file kept."""
        settings = {"attrs": header["attrs"], "fill": header["fill"], "ranks": arrays["ranks"]}
        return cls(arrays["positions"], arrays["values"], lengths_in(header), **settings)

    @property
    def positions(self) -> np.ndarray:
        """Ascending positions that are kept, shape (stored,)."""
        return values_of(self._positions)

    @property
    def n_stored(self) -> int:
        """Number of positions that are kept."""
        return len(self.positions)

    def header(self) -> dict[str, Any]:
        """Give what a file keeps beside positions and values."""
        return contig_header(self.sizes, self.attrs) | {"fill": self.fill.item()}

    def arrays(self) -> dict[str, np.ndarray]:
        """Give the arrays that a file keeps."""
        return {"positions": self.positions, "values": self.values, "ranks": values_of(self._ranks)}

    def block(self, start: int, stop: int) -> np.ndarray:
        """Give the values of a stretch of the axis on which all contigs lie, written out."""
        first, last = self._rank(np.array([start, stop], dtype=self.positions.dtype))
        block = np.full((stop - start, *self.item_shape), self.fill, dtype=self.dtype)
        block[self.positions[first:last].astype(np.int64) - start] = self.values[first:last]
        return block

    def gather(
        self, chroms: Sequence[str] | np.ndarray, starts: Sequence[int] | np.ndarray, length: int, fill: float = 0
    ) -> np.ndarray:
        """Copy windows of one length from anywhere in the genome; see `GenomeStore.gather`."""
        check_length(length)
        ids = self.contig_ids(chroms)
        starts = np.asarray(starts, dtype=np.int64)
        offsets, sizes = self._offsets[ids], self._lengths[ids]
        left = (offsets + np.clip(starts, 0, sizes)).astype(self.positions.dtype)
        right = (offsets + np.clip(starts + length, 0, sizes)).astype(self.positions.dtype)
        windows = np.full((len(ids), length, *self.item_shape), self.fill, dtype=self.dtype)
        self._write_stored(windows, left, right, offsets + starts)
        self._fill_outside(windows, starts, sizes, fill)
        return windows

    def cut_out(self, starts: np.ndarray, length: int, name: str, attrs: Mapping[str, Any]) -> "SparseArray":
        """Copy stretches of the axis on which all contigs lie, as a store of one contig; nothing is written out."""
        first, last = self._rank(np.stack([starts, starts + length]).astype(self.positions.dtype))
        stretch, nth = expand_counts(last - first)
        stored = first[stretch] + nth
        n_positions = len(starts) * length
        positions = self.positions[stored].astype(np.int64) - starts[stretch] + stretch * length
        positions = positions.astype(_position_type(n_positions))
        return SparseArray(positions, self.values[stored], {name: n_positions}, attrs, fill=self.fill)

    def _write_stored(self, windows: np.ndarray, left: np.ndarray, right: np.ndarray, origin: np.ndarray) -> None:
        """Write what is stored from `left` to `right` into windows whose first position is `origin`."""
        first, last = self._rank(np.stack([left, right]))
        most = int((last - first).max(initial=0))
        if not most:
            return
        # As many stored positions for each window as the fullest one has: copied at once, the surplus is masked.
        first = np.minimum(first, self.n_stored - most)  # so that none runs over the end
        positions = _runs(self.positions, first, most)
        inside = (positions >= left[:, None]) & (positions < right[:, None])
        shift = np.arange(len(windows)) * windows.shape[1] - origin
        rows, values = positions + shift[:, None], _runs(_items(self.values, axes=1), first, most)
        if not inside.all():
            rows, values = rows[inside], values[inside]
        _items(windows, axes=2).reshape(-1)[rows] = values

    def _count_ranks(self) -> np.ndarray:
        """Count what is stored below the first position of each block."""
        edges = np.arange((self.n_positions >> self._block_bits) + 2) << self._block_bits
        edges = np.minimum(edges, self.n_positions).astype(self.positions.dtype)  # another dtype would copy them all
        return np.searchsorted(self.positions, edges).astype(np.uint32 if self.n_stored < 1 << 32 else np.int64)

    def _rank(self, positions: np.ndarray) -> np.ndarray:
        """Count what is stored below positions, any shape and the dtype of the stored ones.

        As `numpy.searchsorted`, five times faster for shuffled positions: an index of blocks leaves a few to compare.
        """
        ranks, block = values_of(self._ranks), positions >> self._block_bits
        low, high = ranks[block].astype(np.int64), ranks[block + 1].astype(np.int64)
        while (unknown := low < high).any():
            middle = (low + high) >> 1
            below = unknown & (self.positions.take(middle, mode="clip") < positions)
            low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
        return low

    def _fill_outside(self, windows: np.ndarray, starts: np.ndarray, sizes: np.ndarray, fill: float) -> None:
        outside = np.flatnonzero((starts < 0) | (starts > sizes - windows.shape[1]))
        if len(outside):
            positions = starts[outside, None] + np.arange(windows.shape[1])
            beyond = (positions < 0) | (positions >= sizes[outside, None])
            part = windows[outside]
            part[beyond] = fill
            windows[outside] = part


def _position_type(n_positions: int) -> type[np.integer]:
    return np.uint32 if n_positions < 1 << 32 else np.int64


def _differs(array: np.ndarray, fill: float) -> np.ndarray:
    """Say for each position whether the bits of any value differ from those of `fill`, shape (positions,)."""
    array = np.ascontiguousarray(array)
    bits = np.dtype(f"u{array.dtype.itemsize}") if array.dtype.itemsize in (1, 2, 4, 8) else array.dtype
    different = array.view(bits) != np.array(fill, dtype=array.dtype).view(bits)
    return different.any(axis=tuple(range(1, array.ndim)))


def _items(array: np.ndarray, axes: int) -> np.ndarray:
    """View all values of a position as one item, so that it is copied at once."""
    n_bytes = array.dtype.itemsize * int(np.prod(array.shape[axes:]))
    return np.ndarray(array.shape[:axes], np.dtype((np.void, n_bytes)), buffer=array)


def _runs(array: np.ndarray, first: np.ndarray, length: int) -> np.ndarray:
    """Copy stretches of one length, shape (n, length); each is one item of a void type, one memcpy."""
    item = np.dtype((np.void, length * array.itemsize))
    sliding = np.ndarray((len(array) - length + 1,), item, buffer=array, strides=array.strides)
    return sliding[first].view(array.dtype).reshape(len(first), length)
