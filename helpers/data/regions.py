"""Regions of a genome: tables of intervals with names, and the arithmetic on them.

A region table is a pandas.DataFrame with the columns ``chrom`` (str), ``start``, ``end`` (int64), ``name`` (str),
``score`` (float), ``strand`` ('+', '-' or '.') and possibly more, numbered 0, 1, 2, ... Coordinates are in bp,
**0-based and half-open**: the first base of a contig is ``[0, 1)``; ``[0, 5)`` and ``[5, 9)`` touch and do not overlap.
Every function of the package keeps this rule; files that count from 1 are converted in ``helpers.data.region_files``,
whose readers and writers can be imported from here too. No function changes its arguments.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.contigs import read_chrom_sizes as read_chrom_sizes
from helpers.data.contigs import write_chrom_sizes as write_chrom_sizes
from helpers.data.intervals import merge_intervals, subtract_intervals, tile_intervals
from helpers.data.overlaps import ContigAxis, overlaps_any
from helpers.data.overlaps import overlap_fraction as overlap_fraction
from helpers.data.region_files import REGION_COLUMNS as REGION_COLUMNS
from helpers.data.region_files import Region as Region
from helpers.data.region_files import read_regions as read_regions
from helpers.data.region_files import region_table as region_table
from helpers.data.region_files import write_regions as write_regions
from helpers.errors import InputError

logger = logging.getLogger(__name__)


def parse_region(text: str) -> Region:
    """Read ``chrom:start-end``, 0-based and half-open; commas in the numbers are allowed.

    Raises
    ------
    InputError
        For any other text, or an end that is not after the start.

    Examples
    --------
    >>> parse_region("chr3:2,353,000-2,357,000")
    Region(chrom='chr3', start=2353000, end=2357000, strand='.')
    """
    found = re.fullmatch(r"([^:]+):([0-9,]+)-([0-9,]+)", text)
    start, end = (int(number.replace(",", "")) for number in found.groups()[1:]) if found else (0, 0)
    if start >= end:
        msg = f"{text!r} is no region. Write chrom:start-end, 0-based, with the end after the start."
        raise InputError(msg)
    return Region(found[1], start, end)


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


def bins_around_peaks(
    peaks: pd.DataFrame, sizes: Mapping[str, int], *, extend: int, binsize: int, blacklist: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Cut the neighbourhood of peaks into bins on the genome-wide grid.

    Peaks are merged, extended on both sides, merged again, freed of the blacklist, trimmed to the grid of the bin size
    (start up, end down), and cut into bins.

    Parameters
    ----------
    peaks : pandas.DataFrame
        Region table in any order.
    sizes : mapping of str to int
        Length of each contig in bp; its order is the order of the contigs in the result.
    extend : int
        Bases to add on each side of a peak, clipped at the contig's ends.
    binsize : int
        Bin length in bp.
    blacklist : pandas.DataFrame, optional
        Region table of what must not be used.

    Returns
    -------
    bins : pandas.DataFrame
        Sorted region table of bins that do not overlap, each of `binsize` bp, without names.
    counts : dict of str to int
        peaks; merged (regions after merging and extending); after_blacklist (pieces left of them); dropped_pieces and
        dropped_bp (pieces without a whole bin); trimmed_bp (lost at the edges of the others); bins.

    Raises
    ------
    InputError
        For peaks on contigs without a length or beyond their contig's end.
    """
    _check_lengths(binsize=binsize)
    merged = merge_regions(extend_regions(merge_regions(peaks), extend, sizes))
    pieces = merged if blacklist is None else subtract_regions(merged, blacklist)
    kept, n_dropped = trim_regions(pieces, binsize)
    dropped_bp = _total_bp(pieces[pieces["end"] // binsize <= -(-pieces["start"] // binsize)])
    bins = tile_regions(sort_regions(kept, sizes), binsize)
    counts = {
        "peaks": len(peaks),
        "merged": len(merged),
        "after_blacklist": len(pieces),
        "dropped_pieces": n_dropped,
        "dropped_bp": dropped_bp,
        "trimmed_bp": _total_bp(pieces) - dropped_bp - _total_bp(kept),
        "bins": len(bins),
    }
    return bins, counts


def make_regions(
    regions: pd.DataFrame,
    sizes: Mapping[str, int],
    settings: Mapping[str, Any],
    *,
    blacklist: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Make a study's regions of interest from the regions of a file, and log how many are kept.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table; what lies on contigs without a size is left out.
    sizes : mapping of str to int
        Length in bp of the contigs in use, in their order.
    settings : mapping
        ``kind`` and ``binsize`` (bp). Kind ``peaks``: bins around them, see `bins_around_peaks`, with ``extend`` (bp).
        Kind ``bins``: the regions themselves, each `binsize` long, sorted, without those that touch the blacklist.
    blacklist : pandas.DataFrame, optional
        Region table of what must not be used.

    Returns
    -------
    pandas.DataFrame
        Sorted region table; every region is ``binsize`` long.

    Raises
    ------
    InputError
        For another kind, regions beyond the end of their contig, bins of another length.
    """
    used = select_chroms(regions, sizes)
    logger.info("%d of %d regions lie on the %d contigs in use", len(used), len(regions), len(sizes))
    if settings["kind"] == "peaks":
        lengths = {name: settings[name] for name in ("extend", "binsize")}
        bins, counts = bins_around_peaks(used, sizes, blacklist=blacklist, **lengths)
        logger.info("%s", ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items()))
        return bins
    if settings["kind"] != "bins":
        msg = f"Regions are of kind peaks or bins. Received: kind={settings['kind']!r}. Correct the study's regions."
        raise InputError(msg)
    return _whole_bins(used, sizes, settings["binsize"], blacklist)


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


def _whole_bins(
    regions: pd.DataFrame, sizes: Mapping[str, int], binsize: int, blacklist: pd.DataFrame | None
) -> pd.DataFrame:
    bins = sort_regions(extend_regions(regions, 0, sizes), sizes)
    wrong = bins[bins["end"] - bins["start"] != binsize]
    if len(wrong):
        chrom, start, end = wrong.iloc[0][["chrom", "start", "end"]]
        msg = f"{len(wrong)} bins are not {binsize} bp long, the first {chrom}:{start}-{end}. Correct binsize or file."
        raise InputError(msg)
    return bins if blacklist is None else bins[~overlaps_any(bins, blacklist)].reset_index(drop=True)


def _total_bp(regions: pd.DataFrame) -> int:
    return int((regions["end"] - regions["start"]).sum())


def _check_lengths(**lengths: int) -> None:
    for name, value in lengths.items():
        if value < 1:
            msg = f"{name} must be at least 1 bp. Received: {name}={value}."
            raise InputError(msg)
