"""The windows of a dataset: regions of interest cut into bins, in the order in which datasets present them."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.data.intervals import tile_intervals
from helpers.data.region_tables import is_region
from helpers.data.regions import Region, read_regions, region_table, write_regions
from helpers.errors import InputError

__all__ = ["GenomicIndexer", "Region", "Windows"]
_MOST_SEED = 2**32 - 1


class Windows(NamedTuple):
    """Windows as arrays of one length: contig (object), start and end in bp (int64), strand ('+', '-' or '.')."""

    chroms: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    strands: np.ndarray


class GenomicIndexer:
    """Map the index of a sample to its window of the genome.

    Regions are cut into windows of `binsize` every `stepsize` bp, beginning at each region's start (never before it).
    Windows are kept in the order of the regions, as arrays of numbers without flank; `order` says in which order index
    0, 1, ... presents them.

    Parameters
    ----------
    binsize : int or None
        Window length in bp. None only with `collapse`: each region is one window, whatever its length.
    stepsize : int or None
        Distance between window starts in bp; None is `binsize` (1 where that is None). A step longer than the bin
        leaves gaps by intention.
    flank : int
        Bases added on both sides of each window when it is read; they may reach beyond the contig.
    zero_padding : bool
        Whether bases that fill no whole bin get a shorter window that ends with the region: the rest at a region's end,
        or a region shorter than `binsize`. Without it they are left out.
    collapse : bool
        Whether each region is one window when `binsize` is None.
    random_state : int, optional
        Seed of the order in which windows are presented; None keeps the order of the regions.

    Attributes
    ----------
    chrs : numpy.ndarray of object (str), shape (windows,)
        Contig of each window in the order of the regions; `chrom_names[chrom_codes]`.
    starts, ends : numpy.ndarray of int64, shape (windows,)
        Windows in bp, 0-based, half-open, without flank.
    strand : numpy.ndarray of str, shape (windows,)
        '+', '-' or '.' of the region.
    chrom_codes : numpy.ndarray of int32, shape (windows,)
        Index of the contig in `chrom_names`.
    chrom_names : list of str
        Contigs in order of appearance.
    order : numpy.ndarray of int64, shape (windows,)
        ``self[i]`` is window ``order[i]`` of the arrays above.

    Raises
    ------
    InputError
        For a bin or step below 1 bp, a negative flank, a `random_state` that is not a whole number.

    Notes
    -----
    Indices, also those that `idx_by_region` gives, always count in the presented order. Names follow Janggu's indexer.

    Examples
    --------
    >>> windows = GenomicIndexer.create_from_region("chr1", 100, 125, "+", binsize=10, stepsize=10, flank=3)
    >>> windows.tostr()
    ['chr1:97-113', 'chr1:107-123', 'chr1:117-128']
    """

    def __init__(
        self,
        binsize: int | None,
        stepsize: int | None = None,
        flank: int = 0,
        zero_padding: bool = True,
        collapse: bool = False,
        random_state: int | None = None,
    ):
        if binsize is None and not collapse:
            msg = "GenomicIndexer needs a binsize in bp. Received: None. Give one, or collapse=True for whole regions."
            raise InputError(msg)
        if stepsize is None:
            stepsize = 1 if binsize is None else binsize
        self.binsize = None if binsize is None else _whole("binsize", binsize, least=1)
        self.stepsize = _whole("stepsize", stepsize, least=1)
        self.flank = _whole("flank", flank, least=0)
        self.zero_padding = bool(zero_padding)
        self.collapse = bool(collapse)
        self.random_state = (
            None if random_state is None else _whole("random_state", random_state, least=0, most=_MOST_SEED)
        )
        self.chrom_names: list[str] = []
        self.chrom_codes = np.zeros(0, dtype=np.int32)
        self.starts = np.zeros(0, dtype=np.int64)
        self.ends = np.zeros(0, dtype=np.int64)
        self.strand = np.zeros(0, dtype="U1")
        self._order: np.ndarray | None = None

    @classmethod
    def create_from_file(
        cls,
        regions: Any,
        binsize: int | None,
        stepsize: int | None = None,
        flank: int = 0,
        zero_padding: bool = True,
        collapse: bool = False,
        random_state: int | None = None,
    ) -> "GenomicIndexer":
        """Cut the regions of a file or a table into windows.

        Parameters
        ----------
        regions : path, pandas.DataFrame, PyRanges, BedTool or sequence of regions
            See `helpers.data.regions.read_regions`.
        binsize : int or None
            Window length in bp; None is the longest region's length, or one window per region with `collapse`.
        stepsize, flank, zero_padding, collapse, random_state
            See the class.

        Returns
        -------
        GenomicIndexer
            Empty when there are no regions.

        Raises
        ------
        InputError
            For bad regions (see `read_regions`) or bad lengths (see the class).
        """
        table = read_regions(regions)
        if binsize is None and not collapse:
            binsize = int((table["end"] - table["start"]).max()) if len(table) else 1
        indexer = cls(binsize, stepsize, flank, zero_padding, collapse, random_state)
        return indexer._add(table)

    @classmethod
    def create_from_region(
        cls,
        chrom: str,
        start: int,
        end: int,
        strand: str,
        binsize: int | None,
        stepsize: int | None = None,
        flank: int = 0,
        zero_padding: bool = True,
    ) -> "GenomicIndexer":
        """Cut one region, in bp, 0-based and half-open, into windows, from left to right; see `create_from_file`."""
        return cls.create_from_file([(chrom, start, end, strand)], binsize, stepsize, flank, zero_padding)

    @classmethod
    def create_from_genomesize(cls, gsize: Mapping[str, int]) -> "GenomicIndexer":
        """Make one window of each contig.

        Parameters
        ----------
        gsize : mapping of str to int
            Length of each contig in bp.

        Returns
        -------
        GenomicIndexer
            Windows of strand '.', without flank; `binsize` is the longest contig.
        """
        if not isinstance(gsize, Mapping):
            msg = f"gsize is a mapping of contig to length in bp. Received: {gsize!r:.80}. Use read_chrom_sizes(path)."
            raise InputError(msg)
        return cls.create_from_file(region_table(list(gsize), [0] * len(gsize), list(gsize.values())), binsize=None)

    def add_interval(self, chrom: str, start: int, end: int, strand: str) -> "GenomicIndexer":
        """Append the windows of one more region, in bp, 0-based and half-open, and return this indexer.

        A `random_state` draws the order of all windows anew.
        """
        if not is_region(chrom, start, end, strand):
            return self._add(read_regions([(chrom, start, end, strand)]))
        return self._cut(np.array([chrom], dtype=object), np.array([start]), np.array([end]), np.array([strand]))

    def add_gindexer(self, other: "GenomicIndexer") -> "GenomicIndexer":
        """Append the windows of another indexer, without its flank, and return this indexer.

        They count as regions: each is cut anew into this indexer's bins. A `random_state` draws the order anew.
        """
        if not isinstance(other, GenomicIndexer):
            msg = f"add_gindexer takes a GenomicIndexer. Received: {type(other).__name__}. Use create_from_file first."
            raise InputError(msg)
        return self._add(region_table(other.chrs, other.starts, other.ends, strand=other.strand))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int | slice) -> Region | list[Region]:
        """Give window `index` with its flank, not clipped at the contig's ends; a slice gives a list of them."""
        if isinstance(index, slice):
            return list(_regions_of(self.windows(index)))
        if isinstance(index, bool | np.bool_) or not isinstance(index, int | np.integer):
            msg = f"Give one whole number or a slice, or use windows() for an array. Received: {index!r}."
            raise TypeError(msg)
        return next(_regions_of(self.windows([int(index)])))

    def __iter__(self) -> Iterator[Region]:
        return _regions_of(self.windows())

    def __repr__(self) -> str:
        sizes = f"binsize={self.binsize}, stepsize={self.stepsize}, flank={self.flank}"
        return f"GenomicIndexer({len(self)} windows on {len(self.chrom_names)} contigs, {sizes})"

    @property
    def chrs(self) -> np.ndarray:
        """Contig of each window, in the order of the regions."""
        return np.array(self.chrom_names, dtype=object)[self.chrom_codes]

    @property
    def order(self) -> np.ndarray:
        """Position in the arrays of the window that index 0, 1, ... presents."""
        if self._order is None:
            seed, n_windows = self.random_state, len(self)
            self._order = np.arange(n_windows) if seed is None else np.random.RandomState(seed).permutation(n_windows)
        return self._order

    def positions(self, index: Any = None) -> np.ndarray:
        """Translate indices as users give them into positions in `starts`, `ends`, ...

        Parameters
        ----------
        index : None, int, slice, sequence of int, or boolean mask of shape (windows,)
            Indices in the presented order; negative ones count from the end; None is all.

        Returns
        -------
        numpy.ndarray of int64, shape (selected,)
            ``order[index]``.

        Raises
        ------
        IndexError
            For an index outside the windows, a mask of another length, or numbers that are not whole.
        """
        if index is None or isinstance(index, slice):
            return self.order[index if index is not None else slice(None)]
        index = np.atleast_1d(np.asarray(index))
        return self.order[index.astype(np.int64) if index.size == 0 else index]

    def windows(self, index: Any = None) -> Windows:
        """Give windows as arrays, flank added and not clipped at the contig's ends.

        Parameters
        ----------
        index : None, int, slice, sequence of int, or boolean mask of shape (windows,)
            See `positions`.

        Returns
        -------
        Windows
            Named tuple of chroms, starts, ends, strands, each of shape (selected,).
        """
        rows = self.positions(index)
        chroms = np.array(self.chrom_names, dtype=object)[self.chrom_codes[rows]]
        return Windows(chroms, self.starts[rows] - self.flank, self.ends[rows] + self.flank, self.strand[rows])

    def to_regions(self) -> pd.DataFrame:
        """Give the windows as a region table in the presented order, without flank."""
        rows = self.order
        return region_table(self.chrs[rows], self.starts[rows], self.ends[rows], strand=self.strand[rows])

    def idx_by_region(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> np.ndarray:
        """Find the windows on some contigs, or that reach into a range.

        Parameters
        ----------
        include, exclude : str or iterable of str, optional
            Contigs to take and to leave out; all are taken by default. An empty list to take means none.
        start, end : int, optional
            Take windows that, with flank, overlap ``[start, end)`` in bp, on each contig taken.

        Returns
        -------
        numpy.ndarray of int64, shape (found,)
            Ascending indices in the presented order, fit for ``self[i]`` and for datasets.
        """
        return np.flatnonzero(self._mask(include, exclude, start, end)[self.order])

    def filter_by_region(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> "GenomicIndexer":
        """Make an indexer of the windows that `idx_by_region` finds; a `random_state` draws their order anew."""
        kept = self._mask(include, exclude, start, end)
        part = GenomicIndexer(
            self.binsize, self.stepsize, self.flank, self.zero_padding, self.collapse, self.random_state
        )
        return part._append(self.chrs[kept], self.starts[kept], self.ends[kept], self.strand[kept])

    def tostr(self) -> list[str]:
        """Name the windows.

        Returns
        -------
        list of str
            ``chrom:start-end`` of each window with its flank, in the presented order.
        """
        return [f"{chrom}:{start}-{end}" for chrom, start, end, _ in self]

    def export_to_bed(self, filename: str | os.PathLike) -> None:
        """Write the windows with their flanks as BED6, line i for index i.

        Parameters
        ----------
        filename : path
            BED file; a start below 0, which BED cannot hold, is written as 0.
        """
        chroms, starts, ends, strands = self.windows()
        write_regions(region_table(chroms, np.maximum(starts, 0), ends, strand=strands), filename)

    def _add(self, regions: pd.DataFrame) -> "GenomicIndexer":
        """Cut the regions of a table into windows and append these."""
        strands = regions["strand"].to_numpy(dtype="U1")
        starts, ends = regions["start"].to_numpy(), regions["end"].to_numpy()
        return self._cut(regions["chrom"].to_numpy(dtype=object), starts, ends, strands)

    def _cut(self, chroms: np.ndarray, starts: np.ndarray, ends: np.ndarray, strands: np.ndarray) -> "GenomicIndexer":
        """Cut regions into windows and append these."""
        parents = np.arange(len(starts))
        if self.binsize is not None:
            parents, starts, ends = tile_intervals(
                starts, ends, binsize=self.binsize, stepsize=self.stepsize, tails=self.zero_padding
            )
        return self._append(chroms[parents], starts, ends, strands[parents])

    def _append(
        self, chroms: np.ndarray, starts: np.ndarray, ends: np.ndarray, strands: np.ndarray
    ) -> "GenomicIndexer":
        codes, names = pd.factorize(np.r_[np.array(self.chrom_names, dtype=object), chroms])
        self.chrom_names, n_known = [str(name) for name in names], len(self.chrom_names)
        self.chrom_codes = np.r_[self.chrom_codes, codes[n_known:].astype(np.int32)]
        self.starts, self.ends = np.r_[self.starts, starts], np.r_[self.ends, ends]
        self.strand = np.r_[self.strand, strands]
        self._order = None
        return self

    def _mask(self, include: Any, exclude: Any, start: int | None, end: int | None) -> np.ndarray:
        """Say which windows, in the order of the regions, lie on the contigs and in the range."""
        included = set(self.chrom_names) if include is None else _as_set(include)
        excluded = _as_set(exclude)
        wanted = [name in included and name not in excluded for name in self.chrom_names]
        mask = np.array(wanted, dtype=bool)[self.chrom_codes]
        if start is not None:
            mask &= self.ends + self.flank > start
        if end is not None:
            mask &= self.starts - self.flank < end
        return mask


def _as_set(names: str | Iterable[str] | None) -> set[str]:
    return {names} if isinstance(names, str) else set(() if names is None else names)


def _regions_of(windows: Windows) -> Iterator[Region]:
    return map(Region, *(column.tolist() for column in windows))


def _whole(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        upto = "" if most is None else f" and at most {most}"
        msg = f"{name} must be a whole number of at least {least}{upto}. Received: {name}={value!r}."
        raise InputError(msg)
    return int(value)
