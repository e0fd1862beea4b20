"""Overlaps of region tables: which windows features touch, and how much of them they cover."""

import numpy as np
import pandas as pd

from helpers.data.intervals import covered_below, merge_intervals


def overlaps_any(windows: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """Say of each window whether it shares at least one base with any feature, whatever the strand.

    Parameters
    ----------
    windows, features : pandas.DataFrame
        Region tables in any order; features may overlap each other, windows may reach beyond the contig.

    Returns
    -------
    numpy.ndarray of bool, shape (windows,)
        Touching is not overlapping.

    Examples
    --------
    >>> from helpers.data.regions import region_table
    >>> windows = region_table(["chr1", "chr1", "chr2"], [0, 200, 0], [200, 400, 200])
    >>> overlaps_any(windows, region_table(["chr1"], [399], [500]))
    array([False,  True, False])
    """
    return _covered(windows, features) > 0


def overlap_fraction(windows: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """Measure the fraction of each window that features cover, whatever the strand.

    Parameters
    ----------
    windows, features : pandas.DataFrame
        Region tables in any order; a base that several features cover counts once.

    Returns
    -------
    numpy.ndarray of float64, shape (windows,)
        Covered bases / window length, between 0 and 1.

    Examples
    --------
    >>> from helpers.data.regions import region_table
    >>> overlap_fraction(region_table(["chr1"], [0], [200]), region_table(["chr1", "chr1"], [0, 20], [30, 50]))
    array([0.25])
    """
    return _covered(windows, features) / (windows["end"] - windows["start"]).to_numpy()


class ContigAxis:
    """One axis on which the contigs of region tables lie side by side, more than `gap` bp apart.

    Parameters
    ----------
    *tables : pandas.DataFrame
        Region tables whose contigs get a place.
    gap : int
        bp between the last position of a contig and the first of the next one.

    Attributes
    ----------
    names : numpy.ndarray of object (str), shape (contigs,)
        Contigs in alphabetical order.
    """

    def __init__(self, *tables: pd.DataFrame, gap: int = 0):
        self.names = np.array(sorted(set().union(*(pd.unique(table["chrom"]) for table in tables))), dtype=object)
        filled = [table for table in tables if len(table)]
        self._lowest = min((int(table["start"].min()) for table in filled), default=0)
        self._span = max((int(table["end"].max()) for table in filled), default=0) - self._lowest + gap + 1

    def place(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Give starts and ends on the axis, each of shape (regions,), of the regions of a table."""
        offsets = pd.Index(self.names).get_indexer(table["chrom"]) * self._span - self._lowest
        return table["start"].to_numpy() + offsets, table["end"].to_numpy() + offsets

    def regions(self, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give contigs (as indices into `names`), starts and ends in bp of intervals on the axis."""
        codes = starts // self._span
        offsets = codes * self._span - self._lowest
        return codes, starts - offsets, ends - offsets


def _covered(windows: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    axis = ContigAxis(windows, features)
    starts, ends = axis.place(windows)
    merged = merge_intervals(*axis.place(features))
    return covered_below(ends, *merged) - covered_below(starts, *merged)
