"""Regions of interest: the windows of a study, from peaks, bins or genes, and what was left out of them."""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers.data.overlaps import overlaps_any
from helpers.data.promoters import find_promoters
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
        Kind ``promoters``: of genes of a GTF or GFF file, those of ``gene_type`` (protein_coding by default), the
        `binsize` bp upstream of their start, see `helpers.data.promoters.find_promoters`; likewise without those that
        touch the blacklist. Regions overlap where promoters of neighbours do.
    blacklist : pandas.DataFrame, optional
        Region table of what must not be used.

    Returns
    -------
    pandas.DataFrame
        Sorted region table; every region is ``binsize`` long.

    Raises
    ------
    InputError
        For another kind, regions beyond the end of their contig, bins of another length, and what `find_promoters`
        refuses.
    """
    if settings["kind"] == "promoters":
        return _promoters(regions, sizes, settings, blacklist)
    used = select_chroms(regions, sizes)
    logger.info("%d of %d regions lie on the %d contigs in use", len(used), len(regions), len(sizes))
    if settings["kind"] == "peaks":
        lengths = {name: settings[name] for name in ("extend", "binsize")}
        bins, counts = bins_around_peaks(used, sizes, blacklist=blacklist, **lengths)
        logger.info("%s", ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items()))
        return bins
    if settings["kind"] != "bins":
        kinds = "peaks, bins or promoters"
        msg = f"Regions are of kind {kinds}. Received: kind={settings['kind']!r}. Correct the study's regions."
        raise InputError(msg)
    return _whole_bins(used, sizes, settings["binsize"], blacklist)


def dropped_regions(
    regions: pd.DataFrame, sizes: Mapping[str, int], settings: Mapping[str, Any], kept: pd.DataFrame
) -> pd.DataFrame:
    """Return what `make_regions` left out: parts on the blacklist, parts too short for a whole bin of the grid, genes.

    Parameters
    ----------
    regions, sizes, settings
        As in `make_regions`.
    kept : pandas.DataFrame
        Its result.

    Returns
    -------
    pandas.DataFrame
        Sorted region table; with `kept` it covers the (for peaks, extended) regions on the contigs in use. For
        promoters: those on the blacklist, and the genes without one, on contigs that are not in use too; each gene of
        the type is in either table once, and the name says why it is here.
    """
    if settings["kind"] == "promoters":
        return _dropped_genes(regions, sizes, settings, kept)
    used = select_chroms(regions, sizes)
    if settings["kind"] == "peaks":
        used = extend_regions(merge_regions(used), settings["extend"], sizes)
    return sort_regions(subtract_regions(merge_regions(used), kept), sizes)


def _promoters(
    genes: pd.DataFrame, sizes: Mapping[str, int], settings: Mapping[str, Any], blacklist: pd.DataFrame | None
) -> pd.DataFrame:
    choice = _gene_choice(settings)
    found, left_out = find_promoters(genes, sizes, **choice)
    promoters = _off_blacklist(sort_regions(found, sizes), blacklist)
    counts = {
        f"genes of type {choice['gene_type']}": len(found) + len(left_out),
        **{f"left out ({reason})": count for reason, count in left_out["reason"].value_counts().items()},
        "left out (promoter on the blacklist)": len(found) - len(promoters),
        "promoters": len(promoters),
    }
    logger.info("%s", ", ".join(f"{name}: {count}" for name, count in counts.items()))
    return promoters


def _dropped_genes(
    genes: pd.DataFrame, sizes: Mapping[str, int], settings: Mapping[str, Any], kept: pd.DataFrame
) -> pd.DataFrame:
    found, left_out = find_promoters(genes, sizes, **_gene_choice(settings))
    places, those_kept = (pd.MultiIndex.from_frame(table[["chrom", "start", "end"]]) for table in (found, kept))
    blacklisted = found[~places.isin(those_kept)].assign(reason="promoter on the blacklist")
    dropped = pd.concat([blacklisted, left_out], ignore_index=True)
    dropped["name"] += ": " + dropped.pop("reason")
    return sort_regions(dropped, [*sizes, *sorted(set(dropped["chrom"]) - set(sizes))])


def _gene_choice(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"length": settings["binsize"], "gene_type": settings.get("gene_type", "protein_coding")}


def _whole_bins(
    regions: pd.DataFrame, sizes: Mapping[str, int], binsize: int, blacklist: pd.DataFrame | None
) -> pd.DataFrame:
    bins = sort_regions(extend_regions(regions, 0, sizes), sizes)
    wrong = bins[bins["end"] - bins["start"] != binsize]
    if len(wrong):
        chrom, start, end = wrong.iloc[0][["chrom", "start", "end"]]
        msg = f"{len(wrong)} bins are not {binsize} bp long, the first {chrom}:{start}-{end}. Correct binsize or file."
        raise InputError(msg)
    return _off_blacklist(bins, blacklist)


def _off_blacklist(regions: pd.DataFrame, blacklist: pd.DataFrame | None) -> pd.DataFrame:
    return regions if blacklist is None else regions[~overlaps_any(regions, blacklist)].reset_index(drop=True)


def _total_bp(regions: pd.DataFrame) -> int:
    return int((regions["end"] - regions["start"]).sum())
