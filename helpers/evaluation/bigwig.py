"""Predictions of windows as a genome-wide track."""

import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyBigWig

from helpers.errors import InputError
from helpers.files import atomic_path


def predictions_to_bigwig(
    path: str | os.PathLike, regions: pd.DataFrame, values: np.ndarray, sizes: Mapping[str, int]
) -> None:
    """Write one value per window as a bigWig track; where windows overlap, a base holds the mean of their values.

    Parameters
    ----------
    path : path
        The file to write; it appears when it is complete.
    regions : pandas.DataFrame
        Windows in any order: chrom, start, end (0-based, half-open). What lies outside the contig is cut off.
    values : numpy.ndarray of float, shape (windows,)
        NaN leaves its window out. Stored in single precision.
    sizes : dict of str to int
        Length in bp of every contig; all are named in the header, in this order.

    Raises
    ------
    InputError
        When lengths differ, or a window lies on a contig that `sizes` lacks.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    _check(regions, values, sizes)
    kept = ~np.isnan(values)
    chroms = regions["chrom"].to_numpy()[kept]
    starts, ends = (regions[column].to_numpy(dtype=np.int64)[kept] for column in ("start", "end"))
    rows_of = pd.Series(np.arange(len(chroms))).groupby(chroms).indices
    with atomic_path(path) as temporary:
        track = pyBigWig.open(str(temporary), "w")
        track.addHeader([(chrom, int(size)) for chrom, size in sizes.items()])
        for chrom, size in sizes.items():
            rows = rows_of.get(chrom, np.zeros(0, dtype=np.int64))
            runs = average_overlaps(np.maximum(starts[rows], 0), np.minimum(ends[rows], size), values[kept][rows])
            if len(runs[0]):
                track.addEntries([chrom] * len(runs[0]), runs[0], ends=runs[1], values=runs[2])
        track.close()


def average_overlaps(
    starts: np.ndarray, ends: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut overlapping windows of one contig at each other's ends and average the values over each piece.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int, shape (windows,)
        0-based, half-open, in any order; empty windows are left out.
    values : numpy.ndarray of float, shape (windows,)

    Returns
    -------
    starts, ends, values : numpy.ndarray, shape (pieces,)
        Sorted pieces without overlap; bases in no window are in no piece.

    Examples
    --------
    >>> average_overlaps(np.array([0, 50]), np.array([100, 150]), np.array([1.0, 2.0]))
    (array([  0,  50, 100]), array([ 50, 100, 150]), array([1. , 1.5, 2. ]))
    """
    windows = np.flatnonzero(ends > starts)
    order = windows[np.argsort(starts[windows], kind="stable")]
    starts, ends, values = starts[order], ends[order], values[order]
    if (starts[1:] >= ends[:-1]).all():
        return starts, ends, values
    cuts = np.unique(np.concatenate([starts, ends]))
    first = np.searchsorted(cuts, starts)
    length = np.searchsorted(cuts, ends) - first
    piece = np.repeat(first - np.cumsum(length) + length, length) + np.arange(length.sum())
    depth = np.bincount(piece, minlength=len(cuts))
    total = np.bincount(piece, weights=np.repeat(values, length), minlength=len(cuts))
    covered = np.flatnonzero(depth)
    return cuts[covered], cuts[covered + 1], total[covered] / depth[covered]


def _check(regions: pd.DataFrame, values: np.ndarray, sizes: Mapping[str, int]) -> None:
    if len(values) != len(regions):
        message = f"A bigWig needs one value per window, but there are {len(values)} values for {len(regions)} windows."
        raise InputError(message)
    unknown = [chrom for chrom in pd.unique(regions["chrom"]) if chrom not in sizes]
    if unknown:
        message = (
            f"Windows lie on {', '.join(map(str, unknown[:5]))}, which the genome does not have. "
            f"It has {', '.join(list(sizes)[:5])} ... Use the genome that the regions were made for."
        )
        raise InputError(message)
