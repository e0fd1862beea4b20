"""Regions of a genome: tables of intervals with names, and the arithmetic on them.

A region table is a pandas.DataFrame with the columns ``chrom`` (str), ``start``, ``end`` (int64), ``name`` (str),
``score`` (float), ``strand`` ('+', '-' or '.') and possibly more, numbered 0, 1, 2, ... Coordinates are in bp,
**0-based and half-open**: the first base of a contig is ``[0, 1)``; ``[0, 5)`` and ``[5, 9)`` touch and do not overlap.
Every function of the package keeps this rule; files that count from 1 are converted in ``helpers.data.region_files``,
whose readers and writers can be imported from here too. No function changes its arguments.
"""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from helpers.data.contigs import read_chrom_sizes as read_chrom_sizes
from helpers.data.contigs import write_chrom_sizes as write_chrom_sizes
from helpers.data.intervals import merge_intervals, subtract_intervals, tile_intervals
from helpers.data.overlaps import ContigAxis
from helpers.data.overlaps import overlap_fraction as overlap_fraction
from helpers.data.overlaps import overlaps_any as overlaps_any
from helpers.data.region_files import read_regions as read_regions
from helpers.data.region_files import write_regions as write_regions
from helpers.data.region_tables import REGION_COLUMNS as REGION_COLUMNS
from helpers.data.region_tables import Region as Region
from helpers.data.region_tables import region_table as region_table
from helpers.errors import InputError

_NUMBER = r"[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5}"


def parse_region(text: str) -> Region:
    """Read ``chrom:start-end`` or ``chrom:start-end:strand``, 0-based and half-open as everywhere.

    Parameters
    ----------
    text : str
        Numbers may have commas between thousands, contigs colons; the strand is +, - or '.', which is the default.

    Raises
    ------
    InputError
        For any other text, or an end that is not after the start.

    Examples
    --------
    >>> parse_region("chr3:2,353,000-2,357,000")
    Region(chrom='chr3', start=2353000, end=2357000, strand='.')
    >>> parse_region("chr3:0-5:-")
    Region(chrom='chr3', start=0, end=5, strand='-')
    """
    found = re.fullmatch(rf"(\S+):({_NUMBER})-({_NUMBER})(?::([-+.]))?", text)
    start, end = (int(number.replace(",", "")) for number in found.groups()[1:3]) if found else (0, 0)
    if start >= end:
        msg = f"{text!r} is no region. Write chrom:start-end[:strand], 0-based, with the end after the start."
        raise InputError(msg)
    return Region(found[1], start, end, found[4] or ".")


def select_chroms(regions: pd.DataFrame, chroms: Iterable[str]) -> pd.DataFrame:
    """Select the regions on some contigs, in the order of the table.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table.
    chroms : iterable of str
        Contigs to keep; one without regions adds nothing.

    Returns
    -------
    pandas.DataFrame
        Region table, empty where nothing is left.
    """
    return regions[regions["chrom"].isin(list(chroms))].reset_index(drop=True)


def sort_regions(regions: pd.DataFrame, chroms: Iterable[str] | None = None) -> pd.DataFrame:
    """Sort regions by contig, start and end; equal ones keep their order.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table.
    chroms : iterable of str, optional
        Order of the contigs, such as that of the genome; alphabetical (chr1, chr10, chr2) by default.

    Returns
    -------
    pandas.DataFrame
        Region table of the same rows.

    Raises
    ------
    InputError
        When `chroms` lacks a contig of the regions.
    """
    present = pd.unique(regions["chrom"])
    names = sorted(present) if chroms is None else list(dict.fromkeys(chroms))
    unknown = sorted(set(present) - set(names))
    if unknown:
        msg = f"Regions on contigs without a place in the order: {', '.join(unknown[:10])}. Select their contigs first."
        raise InputError(msg)
    rank = pd.Index(names).get_indexer(regions["chrom"])
    return regions.iloc[np.lexsort((regions["end"], regions["start"], rank))].reset_index(drop=True)


def merge_regions(regions: pd.DataFrame, distance: int = 0) -> pd.DataFrame:
    """Join regions that overlap, touch or lie at most `distance` apart, whatever their strand.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table in any order.
    distance : int
        Widest gap in bp that is closed.

    Returns
    -------
    pandas.DataFrame
        Sorted region table (contigs alphabetical) without names, scores and strands.

    Raises
    ------
    InputError
        For a negative `distance`.

    Examples
    --------
    >>> regions = region_table(["chr1", "chr1"], [4, 0], [9, 4])
    >>> merge_regions(regions)[["chrom", "start", "end"]].values.tolist()
    [['chr1', 0, 9]]
    """
    if distance < 0:
        msg = f"The distance of merged regions must be at least 0 bp. Received: distance={distance}."
        raise InputError(msg)
    axis = ContigAxis(regions, gap=distance)
    codes, starts, ends = axis.regions(*merge_intervals(*axis.place(regions), distance=distance))
    return region_table(axis.names[codes], starts, ends)


def extend_regions(regions: pd.DataFrame, by: int, sizes: Mapping[str, int]) -> pd.DataFrame:
    """Extend regions on both sides, not over the ends of their contigs.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table.
    by : int
        Bases to add on each side.
    sizes : mapping of str to int
        Length of each contig in bp.

    Returns
    -------
    pandas.DataFrame
        Region table of the same rows, clipped to ``[0, length]``.

    Raises
    ------
    InputError
        For a negative `by`, a contig without a length, a region that lies beyond its contig's ends from the start.
    """
    if by < 0:
        msg = f"Regions can only be extended by 0 or more bp. Received: by={by}."
        raise InputError(msg)
    lengths = _lengths(regions, sizes)
    starts = np.maximum(regions["start"].to_numpy() - by, 0)
    return regions.assign(start=starts, end=np.minimum(regions["end"].to_numpy() + by, lengths))


def subtract_regions(regions: pd.DataFrame, minus: pd.DataFrame) -> pd.DataFrame:
    """Cut regions out of other regions, whatever their strand.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table; each region is cut by itself.
    minus : pandas.DataFrame
        Region table of what is taken away, in any order.

    Returns
    -------
    pandas.DataFrame
        The pieces that are left, in the order of `regions`, with the name, score and strand of the region they come
        from. A region without any base left has no row.

    Examples
    --------
    >>> pieces = subtract_regions(region_table(["chr1"], [0], [9]), region_table(["chr1"], [2], [4]))
    >>> pieces[["start", "end"]].values.tolist()
    [[0, 2], [4, 9]]
    """
    axis = ContigAxis(regions, minus)
    parents, starts, ends = subtract_intervals(*axis.place(regions), *axis.place(minus))
    _, starts, ends = axis.regions(starts, ends)
    return regions.iloc[parents].reset_index(drop=True).assign(start=starts, end=ends)


def trim_regions(regions: pd.DataFrame, multiple: int) -> tuple[pd.DataFrame, int]:
    """Trim regions to a genome-wide grid: start rounded up, end rounded down to multiples.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table.
    multiple : int
        Grid spacing in bp, counted from the contig's first base.

    Returns
    -------
    regions : pandas.DataFrame
        Region table of what holds at least one grid cell.
    n_dropped : int
        Number of regions that hold none and have no row.

    Examples
    --------
    >>> trimmed, n_dropped = trim_regions(region_table(["chr1", "chr1"], [150, 901], [601, 1399]), 200)
    >>> trimmed[["start", "end"]].values.tolist(), n_dropped
    ([[200, 600], [1000, 1200]], 0)
    """
    _check_lengths(multiple=multiple)
    starts = -(-regions["start"].to_numpy() // multiple) * multiple
    ends = regions["end"].to_numpy() // multiple * multiple
    trimmed = regions.assign(start=starts, end=ends)[starts < ends].reset_index(drop=True)
    return trimmed, len(regions) - len(trimmed)


def tile_regions(regions: pd.DataFrame, binsize: int, stepsize: int | None = None) -> pd.DataFrame:
    """Cut regions into windows of one length.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table.
    binsize : int
        Window length in bp.
    stepsize : int, optional
        Distance between window starts in bp; `binsize` by default, so that windows touch.

    Returns
    -------
    pandas.DataFrame
        Full windows only, from left to right within each region, with the name, score and strand of their region. A
        region shorter than `binsize` has none.

    Examples
    --------
    >>> tile_regions(region_table(["chr1"], [0], [500]), binsize=200)[["start", "end"]].values.tolist()
    [[0, 200], [200, 400]]
    """
    stepsize = binsize if stepsize is None else stepsize
    _check_lengths(binsize=binsize, stepsize=stepsize)
    parents, starts, ends = tile_intervals(regions["start"], regions["end"], binsize=binsize, stepsize=stepsize)
    return regions.iloc[parents].reset_index(drop=True).assign(start=starts, end=ends)


def _lengths(regions: pd.DataFrame, sizes: Mapping[str, int]) -> np.ndarray:
    """Give the length of each region's contig, or raise InputError."""
    unknown = sorted(set(pd.unique(regions["chrom"])) - set(sizes))
    if unknown:
        known = ", ".join(list(sizes)[:5]) + (", ..." if len(sizes) > 5 else "")
        msg = (
            f"Regions on contigs that the genome lacks: {', '.join(unknown[:10])}. It has {known}. Rename the contigs."
        )
        raise InputError(msg)
    lengths = regions["chrom"].map(dict(sizes)).to_numpy(dtype=np.int64)
    beyond = np.flatnonzero((regions["start"] < 0) | (regions["end"] > lengths))
    if len(beyond):
        chrom, start, end = regions.iloc[beyond[0]][["chrom", "start", "end"]]
        where = f"{chrom}:{start}-{end} (of {len(beyond)}; {chrom} has {lengths[beyond[0]]} bp)"
        msg = f"Region beyond the end of its contig: {where}. Use regions and genome of one assembly."
        raise InputError(msg)
    return lengths


def _check_lengths(**lengths: int) -> None:
    for name, value in lengths.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            msg = f"{name} must be a whole number of at least 1 bp. Received: {name}={value!r}."
            raise InputError(msg)
