"""Where the values of windows come from: tracks over the genome, cut into windows, or values given window by window."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from helpers.data.dataset import Parts, Spans
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import normalizer_from_dict
from helpers.data.normalizers import Normalizer
from helpers.data.regions import Region
from helpers.data.stored_rows import KeptRows, StoredRows, lay_out
from helpers.data.stores import parts_of_store, store_from_parts
from helpers.data.window_bins import warn_of_windows_outside
from helpers.errors import InputError, list_some


class Tracks(NamedTuple):
    """Tracks over the genome in bins, one a condition.

    Attributes
    ----------
    arrays : list of GenomeArray or SparseArray, each of shape (bins, strands)
        One for each condition; ``attrs["sizes"]`` holds contig lengths in bp where they are known.
    normalizers : list of Normalizer
        One for each condition; from counts to float32, element by element.
    resolution : int
        Bin length in bp.
    fill : float
        What lies outside a contig, and behind the end of a window shorter than the others, before normalization.
    """

    arrays: list[GenomeStore]
    normalizers: list[Normalizer]
    resolution: int
    fill: float = 0

    def locate(self, windows: GenomicIndexer) -> list[np.ndarray]:
        """Find the contigs of windows in each array.

        Raises
        ------
        InputError
            When a contig is unknown, or when windows with flank do not begin and end where bins do.
        """
        if windows.binsize is None or (windows.binsize + 2 * windows.flank) % self.resolution:
            msg = (
                f"Windows must be multiples of the resolution long. Received: binsize={windows.binsize}, "
                f"flank={windows.flank} for resolution={self.resolution}. Change binsize or flank."
            )
            raise InputError(msg)
        unaligned = np.flatnonzero((windows.starts - windows.flank) % self.resolution)
        if len(unaligned):
            first = unaligned[0]
            msg = (
                f"{len(unaligned)} of {len(windows)} windows do not begin, with their flank of {windows.flank} bp, at "
                f"a multiple of the resolution, {self.resolution} bp; the first is {windows.chrs[first]}:"
                f"{windows.starts[first]}-{windows.ends[first]}. Trim the regions (trim_regions) or change the flank."
            )
            raise InputError(msg)
        located = [array.contig_ids(windows.chrom_names) for array in self.arrays]
        for array in self.arrays:
            warn_of_windows_outside(windows, array.attrs.get("sizes", {}), array.place)
        return located

    def contigs(self) -> list[str]:
        """Name the contigs that every condition has."""
        return [name for name in self.arrays[0].contigs if all(name in array.contigs for array in self.arrays)]

    def contig_sizes(self) -> dict[str, int]:
        """Give the lengths of contigs in bp, as far as they are known."""
        return dict(self.arrays[0].attrs.get("sizes", {}))

    def sample_shape(self, windows: GenomicIndexer) -> tuple[int, int, int]:
        """Give positions, strands and conditions of a window."""
        positions = (windows.binsize + 2 * windows.flank) // self.resolution
        return positions, self.arrays[0].item_shape[0], len(self.arrays)

    @property
    def origins(self) -> list[str]:
        """Where the values come from, in a sentence for each condition."""
        return [array.origin for array in self.arrays]

    def of_rows(self, rows: np.ndarray) -> "Tracks":
        """Give what windows `rows` are read from: all of it."""
        return self

    def read(self, windows: GenomicIndexer, rows: np.ndarray, located: list[np.ndarray]) -> np.ndarray:
        """Read windows, shape (n, positions, strands, conditions), float32; `located` is what `locate` gave."""
        spans = Spans.of_windows(windows, rows)
        shape = self.sample_shape(windows)
        first = spans.starts // self.resolution
        n_bins = -(-spans.ends // self.resolution) - first
        first = np.where(spans.reverse, first + n_bins - shape[0], first)
        reverse = np.flatnonzero(spans.reverse)
        shorter = (n_bins < shape[0]).any()
        values = np.empty((len(rows), *shape), dtype=np.float32)
        for condition, (array, normalize, ids) in enumerate(zip(self.arrays, self.normalizers, located, strict=True)):
            counts = array.gather(ids[spans.codes], first, shape[0], self.fill)
            if len(reverse):
                counts[reverse] = counts[reverse, ::-1, ::-1]
            if shorter:
                counts[np.arange(shape[0]) >= n_bins[:, None]] = self.fill
            values[..., condition] = normalize(counts)
        return values

    def read_region(self, region: Region, windows: GenomicIndexer | None) -> np.ndarray:
        """Read any region base by base, shape (1, bp, strands, conditions), float32; windows do not matter."""
        first = region.start // self.resolution
        n_bins = -(-region.end // self.resolution) - first
        bases = slice(region.start - first * self.resolution, region.end - first * self.resolution)
        values = []
        for array, normalize in zip(self.arrays, self.normalizers, strict=True):
            counts = array.gather([region.chrom], [first], n_bins, self.fill).repeat(self.resolution, axis=1)[:, bases]
            size = array.attrs.get("sizes", {}).get(region.chrom)
            if size is not None:  # the last bin of a contig may be shorter
                counts[:, max(size - region.start, 0) :] = self.fill
            values.append(normalize(counts))
        values = np.stack(values, axis=-1)
        return values[:, ::-1, ::-1] if region.strand == "-" else values

    def parts(self) -> Parts:
        """Give what a file keeps; InputError for a normalizer with a function in it."""
        stored = [parts_of_store(array, f"tracks/{number}/") for number, array in enumerate(self.arrays)]
        header = {
            "resolution": self.resolution,
            "fill": float(self.fill),
            "normalizers": [normalizer.to_dict() for normalizer in self.normalizers],
            "tracks": [header for header, _ in stored],
        }
        return Parts(header, {name: array for _, arrays in stored for name, array in arrays.items()})

    @classmethod
    def from_parts(cls, parts: Parts) -> "Tracks":
        """Make tracks of what `parts` gave and a file kept."""
        headers = parts.header["tracks"]
        arrays = [store_from_parts(header, parts.arrays, f"tracks/{number}/") for number, header in enumerate(headers)]
        normalizers = [normalizer_from_dict(state) for state in parts.header["normalizers"]]
        return cls(arrays, normalizers, parts.header["resolution"], parts.header["fill"])


class Rows:
    """Values of windows, in the presented order, as the windows see them: minus windows from right to left.

    Parameters
    ----------
    values : numpy.ndarray, KeptRows or StoredRows, shape (windows, positions, strands, conditions)
    resolution : int or None
        Bin length in bp; None is one value for a window.
    padding : float
        Value of bases that no window covers.
    sizes : mapping of str to int, optional
        Contig lengths in bp, where they are known.
    normalizers : sequence of Normalizer
        By what each condition was normalized, where it was.
    origins : sequence of str
        Where the values come from, in sentences; those of `values` by default.
    """

    def __init__(
        self,
        values: np.ndarray | KeptRows | StoredRows,
        resolution: int | None,
        padding: float = 0.0,
        sizes: Mapping[str, int] | None = None,
        normalizers: Sequence[Normalizer] = (),
        origins: Sequence[str] = (),
    ):
        self.values = KeptRows(lay_out(values)) if isinstance(values, np.ndarray) else values
        self.resolution, self.padding, self.sizes = resolution, padding, sizes
        self.normalizers, self._origins = tuple(normalizers), tuple(origins)

    @property
    def origins(self) -> list[str]:
        """Where the values come from, in sentences."""
        return list(self._origins) or [self.values.origin]

    def all_values(self) -> np.ndarray:
        """Read all values, shape (windows, positions, strands, conditions)."""
        return self.values[np.arange(len(self.values))]

    def locate(self, windows: GenomicIndexer) -> None:
        """Raise InputError when there are more or fewer windows than rows, or windows on unknown contigs."""
        if len(windows) != len(self.values):
            msg = f"Give as many values as windows. Received: {len(self.values)} values for {len(windows)} windows."
            raise InputError(msg)
        unknown = [name for name in windows.chrom_names if self.sizes is not None and name not in self.sizes]
        if unknown:
            msg = f"genomesize lacks contigs of the windows: {list_some(unknown, 8)}. Use sizes of the same assembly."
            raise InputError(msg)

    def contigs(self) -> list[str]:
        """Name the contigs that are kept as a whole: none."""
        return []

    def contig_sizes(self) -> dict[str, int]:
        """Give the lengths of contigs in bp, as far as they are known."""
        return dict(self.sizes or {})

    def sample_shape(self, windows: GenomicIndexer) -> tuple[int, int, int]:
        """Give positions, strands and conditions of a window."""
        return self.values.shape[1:]

    def of_rows(self, rows: np.ndarray) -> "Rows":
        """Give the values of windows `rows` alone."""
        return self.with_values(self.values.take(rows), self.normalizers)

    def with_values(self, values: np.ndarray | KeptRows, normalizers: Sequence[Normalizer]) -> "Rows":
        """Give rows with other values, made by `normalizers`."""
        return Rows(values, self.resolution, self.padding, self.sizes, normalizers, self.origins)

    def read(self, windows: GenomicIndexer, rows: np.ndarray, located: None) -> np.ndarray:
        """Read windows, shape (n, positions, strands, conditions), as float32."""
        return self.values[rows].astype(np.float32, copy=False)

    def read_region(self, region: Region, windows: GenomicIndexer) -> np.ndarray:
        """Read a region base by base, shape (1, bp, strands, conditions): the mean of the windows that cover a base."""
        if region.chrom not in windows.chrom_names and region.chrom not in (self.sizes or ()):
            there = list_some(windows.chrom_names, 8)
            msg = f"No window lies on contig {region.chrom}. Ask for regions on {there}."
            raise InputError(msg)
        total = np.zeros((region.end - region.start, *self.values.shape[2:]))
        depth = np.zeros((region.end - region.start, 1, 1))
        rows = _touching(windows, region)
        for values, window in zip(self.values[rows], map(windows.__getitem__, rows.tolist()), strict=True):
            left, right = max(window.start, region.start), min(window.end, region.end)
            bases = self._bases(values, window)[left - window.start : right - window.start]
            total[left - region.start : right - region.start] += bases
            depth[left - region.start : right - region.start] += 1
        values = np.where(depth > 0, total / np.maximum(depth, 1), self.padding)[None].astype(np.float32)
        return values[:, ::-1, ::-1] if region.strand == "-" else values

    def parts(self) -> Parts:
        """Give what a file keeps."""
        sizes = None if self.sizes is None else {name: int(size) for name, size in self.sizes.items()}
        header = {"resolution": self.resolution, "padding": float(self.padding), "sizes": sizes}
        header["normalizers"] = [normalizer.to_dict() for normalizer in self.normalizers]
        header["values"], arrays = parts_of_store(self.values.whole(), "")
        return Parts(header, arrays)

    @classmethod
    def from_parts(cls, parts: Parts) -> "Rows":
        """Make rows of what `parts` gave and a file kept."""
        normalizers = [normalizer_from_dict(state) for state in parts.header["normalizers"]]
        values = KeptRows(store_from_parts(parts.header["values"], parts.arrays, ""))
        return cls(**parts.header | {"normalizers": normalizers, "values": values})

    def _bases(self, values: np.ndarray, window: Region) -> np.ndarray:
        """Spread the values of a window over its bases, from left to right on the genome."""
        length = window.end - window.start
        resolution = self.resolution or length
        n_bins = -(-length // resolution)
        if window.strand == "-":
            return values[:n_bins][::-1, ::-1].repeat(resolution, axis=0)[:length]
        return values[:n_bins].repeat(resolution, axis=0)[:length]


def _touching(windows: GenomicIndexer, region: Region) -> np.ndarray:
    """Give the windows, by their index in the presented order, that reach with their flank into a region."""
    if region.chrom not in windows.chrom_names:
        return np.zeros(0, dtype=np.int64)
    found = windows.chrom_codes == windows.chrom_names.index(region.chrom)
    found &= windows.starts - windows.flank < region.end
    found &= windows.ends + windows.flank > region.start
    return np.flatnonzero(found if windows.random_state is None else found[windows.order])


def resolution_of(windows: GenomicIndexer, positions: int, resolution: int | None) -> int | None:
    """Give the bin length of values of windows, in bp; None for one value of the whole window.

    Parameters
    ----------
    windows : GenomicIndexer
    positions : int
        Values per window, strand and condition.
    resolution : int, optional
        Bin length in bp if it is known.

    Raises
    ------
    InputError
        When positions times resolution is not the window length with flank.
    """
    if resolution is None and positions == 1:
        return None
    length = 0 if windows.binsize is None else windows.binsize + 2 * windows.flank
    inferred = length // max(positions, 1)
    if not inferred or inferred * positions != length or resolution not in (None, inferred):
        msg = (
            f"{positions} positions do not fit windows of {length or 'different'} bp (with flank). "
            f"Received: resolution={resolution}. Positions times resolution is the window length."
        )
        raise InputError(msg)
    return inferred
