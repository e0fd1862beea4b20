"""Features, such as peaks, in the bins of windows: is there one, and how high is its score."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.collapse import Collapser, check_collapser, collapse_bases, collapse_overlaps
from helpers.data.hits import SortedIntervals
from helpers.data.indexer import Windows
from helpers.data.intervals import merge_intervals
from helpers.data.window_bins import bin_edges, turn_minus
from helpers.errors import InputError

_BINS_AT_ONCE = 1 << 22


def bin_features(
    windows: Windows,
    tables: Sequence[pd.DataFrame],
    *,
    n_bins: int = 1,
    resolution: int | None = None,
    scored: bool = False,
    overlap: str | float = "any",
    collapser: Collapser = "max",
) -> np.ndarray:
    """Measure features in the bins of windows, whatever the strand of the features.

    Parameters
    ----------
    windows : Windows, length n
        In any order; may overlap and reach beyond their contig.
    tables : sequence of pandas.DataFrame
        Region tables, one a condition, in any order; features may overlap.
    n_bins, resolution : int
        Bins per window and their length in bp, from the window's start on. The last bin ends with the window; bins
        behind its end are 0. Without a resolution the window is one bin.
    scored : bool, default False
        Whether features count with their score; otherwise a base is covered or not, however often.
    overlap : 'any', or float in (0, 1]
        What counts as overlap: one base, or at least this fraction of the bin covered by all features of a table
        together, whatever their scores. Other bins are 0.
    collapser : {'max', 'mean', 'sum'} or callable, default 'max'
        'max' is the highest score of the features that a bin overlaps. 'sum' and 'mean' are taken over the bases of the
        bin, 0 where no feature lies; where features overlap, a base has the sum, or the mean, of their scores. A
        function is called as in `collapse_bases`; a base has the highest score of its features, or 0.

    Returns
    -------
    numpy.ndarray, shape (n, n_bins, tables)
        uint8 for the maximum of plain coverage (1 where a bin overlaps features), else float32; 0 where nothing
        overlaps. Bins of a window on the minus strand come from right to left.

    Raises
    ------
    InputError
        For another overlap or collapser.

    Examples
    --------
    >>> windows = Windows(np.array(["chr1"], dtype=object), np.array([0]), np.array([30]), np.array(["."]))
    >>> peaks = pd.DataFrame({"chrom": ["chr1"], "start": [8], "end": [25], "score": [3.0]})
    >>> bin_features(windows, [peaks], n_bins=3, resolution=10, overlap=0.5)[0, :, 0]
    array([0, 1, 1], dtype=uint8)
    """
    check_overlap(overlap)
    check_collapser(collapser)
    plain = collapser == "max" and not scored
    if not scored and not plain:
        tables = [_merge(table) for table in tables]
    elif collapser in ("sum", "mean"):
        tables = [_flatten(table, collapser) for table in tables]
    values = np.zeros((len(windows.starts), n_bins, len(tables)), dtype=np.uint8 if plain else np.float32)
    for part in _parts(windows, n_bins, by_base=callable(collapser)):
        some = Windows(*(column[part] for column in windows))
        edges = bin_edges(some, n_bins, resolution)
        bins = SortedIntervals(some.chroms.repeat(n_bins), edges[:, :-1].ravel(), edges[:, 1:].ravel())
        lengths = np.diff(edges, axis=1).ravel()
        for number, table in enumerate(tables):
            rows = _overlapped(bins, lengths, table, overlap)
            found = np.zeros(len(bins), dtype=values.dtype)
            if plain:
                found[rows] = 1
            elif callable(collapser):
                found[rows] = _call_on_bases(some, table, n_bins, resolution, collapser).ravel()[rows]
            else:
                found[rows] = _collapse_scores(bins, lengths, table, collapser)[rows]
            values[part, :, number] = found.reshape(-1, n_bins)
    turn_minus(values[:, :, None, :], windows, resolution)
    return values


def _parts(windows: Windows, n_bins: int, *, by_base: bool) -> Iterator[slice]:
    """Cut windows into parts whose bins, or bases, fit into memory."""
    longest = int((windows.ends - windows.starts).max(initial=1))
    at_once = max(_BINS_AT_ONCE // (longest if by_base else n_bins), 1)
    return (slice(first, first + at_once) for first in range(0, len(windows.starts), at_once))


def check_overlap(overlap: str | float) -> None:
    """Raise InputError unless this is 'any' or a fraction above 0, up to 1."""
    is_fraction = isinstance(overlap, int | float | np.floating) and not isinstance(overlap, bool) and 0 < overlap <= 1
    if overlap != "any" and not is_fraction:
        msg = f"overlap must be 'any' or a fraction above 0, up to 1. Received: overlap={overlap!r}."
        raise InputError(msg)


def _merge(table: pd.DataFrame) -> pd.DataFrame:
    """Join features that overlap, with score 1."""
    return _by_contig(table, lambda starts, ends, scores: (*merge_intervals(starts, ends), 1.0))


def _flatten(table: pd.DataFrame, collapser: str) -> pd.DataFrame:
    """Cut scored features at each other's ends, so that each base has one score."""
    return _by_contig(table, lambda starts, ends, scores: collapse_overlaps(starts, ends, scores, collapser))


def _by_contig(table: pd.DataFrame, change: Callable[..., tuple[Any, ...]]) -> pd.DataFrame:
    """Change the features of each contig: from starts, ends and scores to others."""
    parts = [table[["chrom", "start", "end", "score"]].iloc[:0]]
    for chrom, part in table.groupby("chrom", sort=False):
        columns = change(*(part[name].to_numpy() for name in ("start", "end", "score")))
        parts.append(pd.DataFrame(dict(zip(("start", "end", "score"), columns, strict=True))).assign(chrom=chrom))
    return pd.concat(parts, ignore_index=True)


def _overlapped(bins: SortedIntervals, lengths: np.ndarray, table: pd.DataFrame, overlap: str | float) -> np.ndarray:
    """Give the bins that features of a table overlap."""
    rows, covered = bins.covered(table)
    return rows if overlap == "any" else rows[covered / lengths[rows] >= overlap]


def _collapse_scores(bins: SortedIntervals, lengths: np.ndarray, table: pd.DataFrame, collapser: str) -> np.ndarray:
    """Collapse the scores in each bin; 0 where there is no feature."""
    rows, numbers, shared = bins.pairs(table)
    scores = table["score"].to_numpy()[numbers]
    if collapser == "max":
        highest = np.full(len(bins), -np.inf)
        np.maximum.at(highest, rows, scores)
        return np.where(np.isneginf(highest), 0, highest)
    total = np.bincount(rows, weights=scores * shared, minlength=len(bins))
    return total / np.maximum(lengths, 1) if collapser == "mean" else total


def _call_on_bases(
    windows: Windows, table: pd.DataFrame, n_bins: int, resolution: int | None, collapser: Callable[..., Any]
) -> np.ndarray:
    """Collapse by a function, shape (windows, n_bins), windows of one length together."""
    values = np.zeros((len(windows.starts), n_bins))
    lengths = windows.ends - windows.starts
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        starts = (windows.starts[rows, None] + np.arange(length)).ravel()
        bases = SortedIntervals(windows.chroms[rows].repeat(length), starts, starts + 1)
        scores = _collapse_scores(bases, np.ones(1), table, "max").reshape(len(rows), length, 1)
        collapsed = collapse_bases(scores, resolution or length, collapser)[..., 0]
        values[rows, : collapsed.shape[1]] = collapsed
    return values
