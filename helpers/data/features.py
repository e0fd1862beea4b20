"""Features, such as peaks, in the bins of windows: is there one, and how high is its score."""

import numpy as np
import pandas as pd

from helpers.data.indexer import Windows
from helpers.data.intervals import covered_below, expand_counts, merge_intervals
from helpers.errors import InputError

MODES = ("binary", "score")


def bin_features(
    windows: Windows,
    features: pd.DataFrame,
    *,
    n_bins: int = 1,
    resolution: int | None = None,
    mode: str = "binary",
    overlap: str | float = "any",
) -> np.ndarray:
    """Measure features in the bins of windows, whatever the strand.

    Parameters
    ----------
    windows : Windows, length n
        In any order; may overlap and reach beyond their contig.
    features : pandas.DataFrame
        Region table in any order; features may overlap.
    n_bins, resolution : int
        Bins per window and their length in bp, from the window's start on. The last bin ends with the window; bins
        behind its end are 0. Without a resolution the window is one bin.
    mode : {'binary', 'score'}
        1 where a bin overlaps features, or the highest score of the features that it overlaps.
    overlap : 'any', or float in (0, 1]
        What counts as overlap: one base, or at least this fraction of the bin covered by all features together.

    Returns
    -------
    numpy.ndarray, shape (n, n_bins)
        uint8 for 'binary', float32 for 'score'; 0 where nothing overlaps. Bins of a window on the minus strand come
        from right to left.

    Raises
    ------
    InputError
        For another mode or overlap.

    Examples
    --------
    >>> windows = Windows(np.array(["chr1"], dtype=object), np.array([0]), np.array([30]), np.array(["."]))
    >>> peaks = pd.DataFrame({"chrom": ["chr1"], "start": [8], "end": [25], "score": [3.0]})
    >>> bin_features(windows, peaks, n_bins=3, resolution=10, overlap=0.5)
    array([[0, 1, 1]], dtype=uint8)
    """
    _check_options(mode, overlap)
    values = np.zeros((len(windows.starts), n_bins), dtype=np.uint8 if mode == "binary" else np.float32)
    codes, names = pd.factorize(windows.chroms)
    by_contig = dict(iter(features.groupby("chrom", sort=False)))
    for code, name in enumerate(names):
        if name not in by_contig:
            continue
        rows = np.flatnonzero(codes == code)
        found = by_contig[name]
        starts, ends = found["start"].to_numpy(), found["end"].to_numpy()
        edges = _edges(windows.starts[rows], windows.ends[rows], n_bins, resolution)
        overlapped = _overlapped(edges, starts, ends, overlap)
        if mode == "score":
            scores = _highest(edges[:, :-1].ravel(), edges[:, 1:].ravel(), (starts, ends, found["score"].to_numpy()))
            values[rows] = np.where(overlapped, scores.reshape(overlapped.shape), 0)
        else:
            values[rows] = overlapped
    return values if resolution is None else _turn_minus(values, windows, resolution)


def _check_options(mode: str, overlap: str | float) -> None:
    if mode not in MODES:
        msg = f"mode must be one of {', '.join(MODES)}. Received: mode={mode!r}."
        raise InputError(msg)
    is_fraction = isinstance(overlap, int | float) and not isinstance(overlap, bool) and 0 < overlap <= 1
    if overlap != "any" and not is_fraction:
        msg = f"overlap must be 'any' or a fraction above 0, up to 1. Received: overlap={overlap!r}."
        raise InputError(msg)


def _edges(starts: np.ndarray, ends: np.ndarray, n_bins: int, resolution: int | None) -> np.ndarray:
    """Give the borders of bins, shape (windows, n_bins + 1)."""
    if resolution is None:
        return np.stack([starts, ends], axis=1)
    return np.minimum(starts[:, None] + resolution * np.arange(n_bins + 1), ends[:, None])


def _overlapped(edges: np.ndarray, starts: np.ndarray, ends: np.ndarray, overlap: str | float) -> np.ndarray:
    below = covered_below(edges.ravel(), *merge_intervals(starts, ends)).reshape(edges.shape)
    covered, lengths = np.diff(below, axis=1), np.diff(edges, axis=1)
    if overlap == "any":
        return covered > 0
    return covered / np.maximum(lengths, 1) >= overlap


def _highest(
    bin_starts: np.ndarray, bin_ends: np.ndarray, features: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> np.ndarray:
    """Give the highest score of the features that overlap each bin, -inf where there is none."""
    starts, ends, scores = features
    order = np.argsort(bin_starts, kind="stable")
    sorted_starts = bin_starts[order]
    longest = int((bin_ends - bin_starts).max(initial=0))
    first = np.searchsorted(sorted_starts, starts - longest, side="right")
    after = np.searchsorted(sorted_starts, ends, side="left")
    feature, nth = expand_counts(np.maximum(after - first, 0))
    candidate = order[first[feature] + nth]
    real = np.minimum(bin_ends[candidate], ends[feature]) > np.maximum(bin_starts[candidate], starts[feature])
    highest = np.full(len(bin_starts), -np.inf)
    np.maximum.at(highest, candidate[real], scores[feature[real]])
    return highest


def _turn_minus(values: np.ndarray, windows: Windows, resolution: int) -> np.ndarray:
    """Reverse the bins of minus windows; bins behind the end of a shorter window stay behind."""
    n_bins = -(-(windows.ends - windows.starts) // resolution)[:, None]
    position = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    reverse = (windows.strands == "-")[:, None] & (position < n_bins)
    return np.take_along_axis(values, np.where(reverse, n_bins - 1 - position, position), axis=1)
