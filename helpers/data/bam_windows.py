"""Alignments to counts in bins that begin with each window: for windows off the grid, or of different lengths."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pysam

from helpers.data.alignments import READS_AT_ONCE, Alignments, PysamAlignments, has_fresh_index, open_alignments
from helpers.data.bam import read_all, wanted_lengths
from helpers.data.count_bins import Bins, check_most
from helpers.data.counting import CountRule, Segments, count_batch
from helpers.data.indexer import Windows
from helpers.data.intervals import expand_counts, merge_intervals
from helpers.data.window_bins import bin_edges, check_resolution, turn_minus

BASES_AT_ONCE = 1 << 22  # of the genome, counted before the next windows


class _Axis(NamedTuple):
    """All contigs of a file behind one another, one base apart so that their ends do not touch."""

    names: tuple[str, ...]
    sizes: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of_file(cls, file: pysam.AlignmentFile) -> "_Axis":
        sizes = np.array(file.lengths, dtype=np.int64)
        return cls(file.references, sizes, np.cumsum(sizes + 1) - sizes - 1)


def count_bam_windows(
    path: str | os.PathLike[str],
    windows: Windows,
    *,
    n_bins: int,
    resolution: int | None,
    reference: str | os.PathLike[str] | None = None,
    **rule: Any,
) -> np.ndarray:
    """Count the alignments of windows, in bins that begin with the window.

    Parameters
    ----------
    path : path
        BAM or CRAM file. With an index (.bai, .csi, .crai) only what the windows touch is read; without, and for
        fragments, which may span a window that neither mate touches, the whole file. An index that is older than the
        file is left aside.
    windows : Windows
        With flank. They may overlap, and hang over the ends of contigs, where there are no counts.
    n_bins : int
        Bins of a window.
    resolution : int or None
        Bin length in bp; the last bin of a window may be shorter. None is one bin, whatever the window's length.
    reference, **rule
        As in `helpers.data.bam.count_bam`.

    Returns
    -------
    numpy.ndarray of uint32, shape (windows, n_bins, strands)
        As the windows see them: positions and strands of minus windows are reversed. Bins behind the end of a shorter
        window are 0. A bin holds the sum over its bases that lie in the window.

    Raises
    ------
    InputError
        As `count_bam`.

    Notes
    -----
    Memory, beside the counts, is about 100 MB where an index is used, and 24 bytes for each base that the windows cover
    (50 for ``span`` and ``fragment``) where it is not.
    """
    rule = CountRule(**rule)
    if resolution is not None:
        check_resolution(resolution)
    with open_alignments(path, reference) as file:
        wanted_lengths(path, file, list(dict.fromkeys(windows.chroms)) or None)
        axis = _Axis.of_file(file)
        contigs = np.array([file.get_tid(name) for name in windows.chroms], dtype=np.int64)
        inside = np.clip(bin_edges(windows, n_bins, resolution), 0, axis.sizes[contigs][:, None])
        edges = axis.offsets[contigs][:, None] + inside
        counts = np.zeros((len(contigs), n_bins, 2 if rule.stranded else 1), dtype=np.uint32)
        by_index = not rule.whole_fragments and has_fresh_index(path, file)
        for rows in _group(edges, BASES_AT_ONCE if by_index else None):
            counts[rows] = _count_group(path, file, axis, edges[rows], rule, by_index=by_index)
    turn_minus(counts, windows, resolution)
    return counts


def _group(edges: np.ndarray, most: int | None) -> list[np.ndarray]:
    """Group windows that lie together, so that those of a group cover at most `most` bases, or one window."""
    order = np.argsort(edges[:, 0], kind="stable")
    starts, reach = edges[order, 0], np.maximum.accumulate(edges[order, -1])
    if most is None or not len(order):
        return [order] if len(order) else []
    covered = np.cumsum(reach - np.maximum(starts, np.r_[starts[0], reach[:-1]]).clip(max=reach))
    return np.split(order, np.flatnonzero(np.diff(covered // most)) + 1)


def _count_group(
    path: str | os.PathLike[str],
    file: pysam.AlignmentFile,
    axis: _Axis,
    edges: np.ndarray,
    rule: CountRule,
    *,
    by_index: bool,
) -> np.ndarray:
    """Count base by base what windows cover, then sum up their bins: shape (windows, n_bins, strands)."""
    filled = edges[:, 0] < edges[:, -1]
    starts, ends = merge_intervals(edges[filled, 0], edges[filled, -1])
    values = np.zeros((len(edges), edges.shape[1] - 1, 2 if rule.stranded else 1), dtype=np.int64)
    if not len(starts):
        return values
    bins = Bins(starts, ends, 1, stranded=rule.stranded, single_bases=rule.single_bases)
    reasons = rule.reasons_by_flag()
    if by_index:
        for alignments, stretches in _fetch(file, axis, (starts, ends), max(map(abs, rule.shift))):
            count_batch(alignments, bins, rule, reasons, _PlaceFetched(axis, stretches))
    else:
        for alignments in read_all(path, file):
            count_batch(alignments, bins, rule, reasons, _PlaceAnywhere(axis, starts, ends))
    totals = bins.totals()
    below = np.zeros((len(totals) + 1, totals.shape[1]), dtype=np.int64)
    np.cumsum(totals, axis=0, out=below[1:])
    stretches = np.searchsorted(starts, edges[filled, 0], side="right") - 1
    values[filled] = np.diff(below[edges[filled] + (bins.offsets - starts)[stretches][:, None]], axis=1)
    check_most(int(values.max(initial=0)))
    return values


def _fetch(
    file: pysam.AlignmentFile, axis: _Axis, stretches: tuple[np.ndarray, np.ndarray], margin: int
) -> Iterator[tuple[Alignments, np.ndarray]]:
    """Read by the index what lies within `margin` bp of stretches, batch by batch, with the stretch of each read."""
    starts, ends = stretches
    contigs = np.searchsorted(axis.offsets, starts, side="right") - 1
    first, last = starts - axis.offsets[contigs] - margin, ends - axis.offsets[contigs] + margin
    first, last = np.maximum(first, 0), np.minimum(last, axis.sizes[contigs])
    reads, of = [], []
    for number, (contig, begin, end) in enumerate(zip(contigs.tolist(), first.tolist(), last.tolist(), strict=True)):
        for read in file.fetch(axis.names[contig], begin, end):
            reads.append(read)
            of.append(number)
            if len(reads) == READS_AT_ONCE:
                yield PysamAlignments(reads), np.array(of)
                reads, of = [], []
    if reads:
        yield PysamAlignments(reads), np.array(of)


class _PlaceFetched(NamedTuple):
    """Let a read count in the stretch for which it was read, so that one that was read twice does not count twice."""

    axis: _Axis
    stretches: np.ndarray

    def __call__(self, alignments: Alignments, segments: Segments) -> tuple[Segments, np.ndarray]:
        offsets = self.axis.offsets[alignments.fields["contig"][segments.owners]]
        placed = Segments(segments.owners, segments.starts + offsets, segments.ends + offsets)
        return placed, self.stretches[segments.owners]


class _PlaceAnywhere(NamedTuple):
    """Let a read count in all stretches that it overlaps."""

    axis: _Axis
    starts: np.ndarray
    ends: np.ndarray

    def __call__(self, alignments: Alignments, segments: Segments) -> tuple[Segments, np.ndarray]:
        contigs = alignments.fields["contig"][segments.owners]
        offsets = self.axis.offsets[contigs]
        starts = segments.starts.clip(min=0) + offsets
        ends = np.minimum(segments.ends, self.axis.sizes[contigs]) + offsets
        first = np.searchsorted(self.ends, starts, side="right")
        after = np.searchsorted(self.starts, ends, side="left")
        which, nth = expand_counts(np.where((starts < ends) & (contigs >= 0), np.maximum(after - first, 0), 0))
        return Segments(segments.owners[which], starts[which], ends[which]), first[which] + nth
