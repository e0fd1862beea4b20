"""The bins of windows: how many, where they begin, and how windows on the minus strand see them."""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.data.indexer import GenomicIndexer, Windows
from helpers.errors import InputError

_LOG = logging.getLogger(__name__)


def check_resolution(resolution: Any, *, or_none: bool = False) -> None:
    """Raise InputError unless the bin length is a whole number of at least 1 bp, or None where that is allowed."""
    if resolution is None and or_none:
        return
    if isinstance(resolution, bool) or not isinstance(resolution, int | np.integer) or resolution < 1:
        allowed = "at least 1, or None" if or_none else "at least 1"
        msg = f"The resolution is a number of bp, {allowed}. Received: resolution={resolution!r}."
        raise InputError(msg)


def count_bins(windows: GenomicIndexer, resolution: int | None) -> int:
    """Count the positions of a window, flank included; the last may be shorter. Without a resolution there is one."""
    return 1 if resolution is None else -(-(windows.binsize + 2 * windows.flank) // resolution)


def lie_on_bins(windows: GenomicIndexer, resolution: int | None) -> bool:
    """Say whether all windows, with flank, are whole bins of the genome, whose bins begin with the contig."""
    if resolution is None or windows.binsize is None or (windows.binsize + 2 * windows.flank) % resolution:
        return False
    return not ((windows.starts - windows.flank) % resolution).any()


def describe_windows(windows: GenomicIndexer) -> str:
    """Give a text that differs when any window, flank included, its strand, or their order differ, for keys of a cache.

    Examples
    --------
    >>> describe_windows(GenomicIndexer.create_from_region("chr1", 0, 40, "+", binsize=10))[:18]
    '4 windows, SHA-256'
    """
    _, starts, ends, strands = windows.windows()
    digest = hashlib.sha256("\n".join(windows.chrom_names).encode())
    for column in (windows.chrom_codes[windows.order], starts, ends):
        digest.update(np.ascontiguousarray(column, dtype="<i8"))
    digest.update(strands.astype("S1").tobytes())
    return f"{len(windows)} windows, SHA-256 {digest.hexdigest()}"


def bin_edges(windows: Windows, n_bins: int, resolution: int | None) -> np.ndarray:
    """Give the borders of bins on the contig, which end with the window.

    Parameters
    ----------
    windows : Windows, length n
    n_bins : int
        Bins of a window.
    resolution : int or None
        Bin length in bp, from the window's start on; None is one bin.

    Returns
    -------
    numpy.ndarray of int64, shape (n, n_bins + 1)

    Examples
    --------
    >>> windows = Windows(np.array(["chr1"], dtype=object), np.array([5]), np.array([12]), np.array(["+"]))
    >>> bin_edges(windows, 3, 4)
    array([[ 5,  9, 12, 12]])
    """
    if resolution is None:
        return np.stack([windows.starts, windows.ends], axis=1)
    return np.minimum(windows.starts[:, None] + resolution * np.arange(n_bins + 1), windows.ends[:, None])


def turn_minus(values: np.ndarray, windows: Windows, resolution: int | None) -> None:
    """Reverse positions and strands of minus windows in place; positions behind a shorter window stay behind.

    Parameters
    ----------
    values : numpy.ndarray, shape (windows, positions, strands, ...)
        From left to right on the genome; changed.
    windows : Windows
    resolution : int or None
        Bin length in bp; None is one position a window.
    """
    minus = np.flatnonzero(windows.strands == "-")
    lengths = (windows.ends - windows.starts)[minus]
    n_bins = -(-lengths // resolution) if resolution else np.ones_like(lengths)
    for length in np.unique(n_bins):
        rows = minus[n_bins == length]
        values[rows, :length] = values[rows, :length][:, ::-1, ::-1]


def warn_of_windows_outside(windows: GenomicIndexer, sizes: Mapping[str, int], place: str) -> None:
    """Log a warning of windows that lie, without their flanks, wholly outside their contig: they hold nothing.

    Parameters
    ----------
    windows : GenomicIndexer
    sizes : mapping of str to int
        Lengths of contigs in bp; others are not checked.
    place : str
        Where the lengths come from, for the message.
    """
    lengths = np.array([sizes.get(name, np.iinfo(np.int64).max) for name in windows.chrom_names], dtype=np.int64)
    outside = np.flatnonzero((windows.ends <= 0) | (windows.starts >= lengths[windows.chrom_codes]))
    if len(outside):
        chrom, start, end = (values[outside[0]] for values in (windows.chrs, windows.starts, windows.ends))
        _LOG.warning(
            "%d of %d windows lie wholly outside their contig and hold nothing; the first is %s:%d-%d, and %s of %s "
            "has %s bp. Are the regions of another assembly?",
            *(len(outside), len(windows), chrom, start, end, chrom, place, sizes.get(chrom, "unknown")),
        )
