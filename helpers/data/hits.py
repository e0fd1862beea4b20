"""Which of many intervals features touch, and on how many bases; the intervals are sorted once for all features."""

import numpy as np
import pandas as pd

from helpers.data.intervals import covered_below, expand_counts, merge_intervals


class SortedIntervals:
    """Intervals of a genome, sorted on one axis on which the contigs lie side by side.

    Parameters
    ----------
    chroms : array of str, shape (intervals,)
    starts, ends : numpy.ndarray of int, shape (intervals,)
        bp, 0-based, half-open, in any order; may overlap, be empty or reach beyond their contig.

    Examples
    --------
    >>> windows = SortedIntervals(np.array(["chr1", "chr1"]), np.array([0, 200]), np.array([200, 400]))
    >>> windows.covered(pd.DataFrame({"chrom": ["chr1"], "start": [390], "end": [500]}))
    (array([1]), array([10]))
    """

    def __init__(self, chroms: np.ndarray, starts: np.ndarray, ends: np.ndarray):
        codes, names = pd.factorize(np.asarray(chroms))
        self._names = pd.Index(names)
        self._lowest, self._highest = int(starts.min(initial=0)), int(ends.max(initial=0))
        self._span = self._highest - self._lowest + 1
        offsets = codes.astype(np.int64) * self._span - self._lowest
        starts, ends = starts + offsets, ends + offsets
        self._order = None if (starts[1:] >= starts[:-1]).all() else np.argsort(starts, kind="stable")
        self._starts = starts if self._order is None else starts[self._order]
        self._ends = ends if self._order is None else ends[self._order]
        self._reach = np.maximum.accumulate(self._ends)

    def __len__(self) -> int:
        return len(self._starts)

    def covered(self, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Measure how much of the intervals features cover, whatever the strand.

        Parameters
        ----------
        features : pandas.DataFrame
            Region table in any order; bases that several features cover count once.

        Returns
        -------
        rows : numpy.ndarray of int64, shape (touched,)
            Intervals that share at least one base with a feature, each once, in no particular order.
        covered : numpy.ndarray of int64, shape (touched,)
            Shared bases.
        """
        starts, ends, _ = self._place(features)
        starts, ends = merge_intervals(starts, ends)
        first, after = self._candidates(starts, ends)
        first, after = merge_intervals(first[after > first], after[after > first])
        group, nth = expand_counts(after - first)
        place = first[group] + nth
        covered = covered_below(self._ends[place], starts, ends) - covered_below(self._starts[place], starts, ends)
        touched = covered > 0
        return self._rows(place[touched]), covered[touched]

    def pairs(self, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """List all pairs of an interval and a feature that share bases.

        Returns
        -------
        rows, numbers, shared : numpy.ndarray of int64, shape (pairs,)
            Interval, feature (row of the table), and bases that they share.
        """
        starts, ends, numbers = self._place(features)
        first, after = self._candidates(starts, ends)
        feature, nth = expand_counts(np.maximum(after - first, 0))
        place = first[feature] + nth
        shared = np.minimum(self._ends[place], ends[feature]) - np.maximum(self._starts[place], starts[feature])
        real = shared > 0
        return self._rows(place[real]), numbers[feature[real]], shared[real]

    def _place(self, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Put features on the axis and cut off what lies beyond all intervals; those without a place are left out."""
        codes, names = pd.factorize(features["chrom"])
        codes = self._names.get_indexer(pd.Index(names))[codes] if len(codes) else np.zeros(0, dtype=np.int64)
        starts = np.maximum(features["start"].to_numpy(), self._lowest)
        ends = np.minimum(features["end"].to_numpy(), self._highest)
        numbers = np.flatnonzero((codes >= 0) & (starts < ends))
        offsets = codes[numbers].astype(np.int64) * self._span - self._lowest
        return starts[numbers] + offsets, ends[numbers] + offsets, numbers

    def _candidates(self, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the range of sorted intervals that holds all that an interval of the axis touches, and perhaps more."""
        return np.searchsorted(self._reach, starts, side="right"), np.searchsorted(self._starts, ends, side="left")

    def _rows(self, place: np.ndarray) -> np.ndarray:
        return place if self._order is None else self._order[place]
