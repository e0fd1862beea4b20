"""Regions of interest: the windows of a study, from peaks or from bins, and what was left out of them."""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers.data.overlaps import overlaps_any
from helpers.data.regions import (
    extend_regions,
    merge_regions,
    select_chroms,
    sort_regions,
    subtract_regions,
    tile_regions,
    trim_regions,
)
from helpers.errors import InputError

logger = logging.getLogger(__name__)


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


def dropped_regions(
    regions: pd.DataFrame, sizes: Mapping[str, int], settings: Mapping[str, Any], kept: pd.DataFrame
) -> pd.DataFrame:
    """Return what `make_regions` left out: parts on the blacklist, and parts too short for a whole bin of the grid.

    Parameters
    ----------
    regions, sizes, settings
        As in `make_regions`.
    kept : pandas.DataFrame
        Its result.

    Returns
    -------
    pandas.DataFrame
        Sorted region table; with `kept` it covers the (for peaks, extended) regions on the contigs in use.
    """
    used = select_chroms(regions, sizes)
    if settings["kind"] == "peaks":
        used = extend_regions(merge_regions(used), settings["extend"], sizes)
    return sort_regions(subtract_regions(merge_regions(used), kept), sizes)


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
