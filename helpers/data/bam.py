"""Alignments to counts, per strand, in bins along each contig; `CountRule` says what counts, and where."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysam

from helpers.data.alignments import Alignments, batches, open_alignments
from helpers.data.bam_records import read_records
from helpers.data.count_bins import Bins
from helpers.data.counting import REASONS, CountRule, Segments, count_batch
from helpers.data.storage import GenomeArray, write_contigs
from helpers.data.window_bins import check_resolution
from helpers.errors import InputError, list_some


@dataclass(frozen=True)
class CountSummary:
    """What became of the alignments of one file.

    Attributes
    ----------
    reads : int
        Alignments in the file.
    kept : int
        Alignments that were counted; a pair that counts as one fragment is one.
    dropped : dict of str to int
        Alignments left out, by the first reason that applies in the order of `helpers.data.counting.REASONS`:
        ``excluded_flag`` and ``missing_flag`` by `exclude_flags` and `require_flags`; ``other_mate`` also the second
        mate of a pair that counts as one fragment; ``not_proper_pair`` a pair without a fragment; ``no_cigar`` when the
        aligned bases are unknown; ``other_contig`` on a contig that was not asked for; ``outside`` over an end of its
        contig.
    """

    reads: int
    kept: int
    dropped: dict[str, int]


def bam_sizes(path: str | os.PathLike[str]) -> dict[str, int]:
    """Read the contig lengths, in bp, from the header of a BAM or CRAM file; InputError when it is none."""
    with open_alignments(path) as file:
        return dict(zip(file.references, file.lengths, strict=True))


def count_bam(
    path: str | os.PathLike[str],
    *,
    resolution: int,
    chroms: Sequence[str] | None = None,
    reference: str | os.PathLike[str] | None = None,
    **rule: Any,
) -> tuple[dict[str, np.ndarray], CountSummary]:
    """Count the alignments of a whole BAM or CRAM file, in any order, without an index.

    Parameters
    ----------
    path : path
        BAM or CRAM file.
    resolution : int
        Bin length in bp. The last bin of a contig is shorter when the resolution does not divide its length.
    chroms : sequence of str, optional
        Contigs to count, in this order. By default all of the header.
    reference : path, optional
        FASTA file with which a CRAM file was written. Only files that are not sorted need it.
    **rule
        Which alignments count, and where: the parameters of `helpers.data.counting.CountRule`.

    Returns
    -------
    counts : dict of str to numpy.ndarray of uint32, shape (ceil(contig length / resolution), strands)
        Strand 0 holds forward, strand 1 reverse reads; one strand in all when not `stranded`. A bin holds the sum over
        its bases: for ``span`` and ``fragment`` that is mean depth times bin length. Views of one array.
    summary : CountSummary

    Raises
    ------
    InputError
        When the file is missing, truncated or of another kind, when the header lacks a contig of `chroms`, when an
        argument is out of range or contradicts another, or when a count does not fit into 32 bits.

    Notes
    -----
    Memory is 4 bytes a bin and strand (12 for ``span`` and ``fragment``) and about 60 MB for reading.
    """
    counts, summary = count_genome(path, resolution=resolution, chroms=chroms, reference=reference, **rule)
    return {name: counts.contig(name) for name in counts.contigs}, summary


def count_genome(
    path: str | os.PathLike[str],
    *,
    resolution: int,
    chroms: Sequence[str] | None = None,
    reference: str | os.PathLike[str] | None = None,
    **rule: Any,
) -> tuple[GenomeArray, CountSummary]:
    """Count as `count_bam`, into one array over all contigs: uint32, shape (bins, strands)."""
    rule = CountRule(**rule)
    check_resolution(resolution)
    with open_alignments(path, reference) as file:
        lengths = wanted_lengths(path, file, chroms)
        slots = np.full(file.nreferences + 1, -1)  # the last one is for contig -1
        slots[[file.get_tid(name) for name in lengths]] = np.arange(len(lengths))
        sizes = np.fromiter(lengths.values(), dtype=np.int64, count=len(lengths))
        kind = {"stranded": rule.stranded, "single_bases": rule.single_bases}
        bins = Bins(np.zeros_like(sizes), sizes, resolution, **kind)

        def place(alignments: Alignments, segments: Segments) -> tuple[Segments, np.ndarray]:
            return segments, slots[alignments.fields["contig"][segments.owners]]

        reasons = rule.reasons_by_flag()
        tally = np.zeros(len(REASONS) + 1, dtype=np.int64)
        for alignments in read_all(path, file):
            tally += count_batch(alignments, bins, rule, reasons, place)
    counts = GenomeArray(_without_spare(bins), dict(zip(lengths, bins.lengths.tolist(), strict=True)))
    kept, *dropped = tally.tolist()
    return counts, CountSummary(int(tally.sum()), kept, dict(zip(REASONS, dropped, strict=True)))


def _without_spare(bins: Bins) -> np.ndarray:
    """Give the counts of contigs behind one another, uint32; not copied where nothing lies between them."""
    totals = bins.totals()
    if len(totals) == bins.lengths.sum() and totals.dtype == np.uint32:
        return totals
    counts = np.empty((bins.lengths.sum(), totals.shape[1]), dtype=np.uint32)
    ends = np.cumsum(bins.lengths)
    for offset, length, end in zip(bins.offsets, bins.lengths, ends, strict=True):
        counts[end - length : end] = totals[offset : offset + length]
    return counts


def store_bam_coverage(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    resolution: int,
    chroms: Sequence[str] | None = None,
    reference: str | os.PathLike[str] | None = None,
    **rule: Any,
) -> CountSummary:
    """Count a BAM or CRAM file as `count_bam` and store the counts for `GenomeArray.open` and `Cover`.

    Parameters
    ----------
    path : path
        BAM or CRAM file.
    out : path
        Genome array to write: uint32, shape (bins, strands), with ``resolution``, the contig lengths in bp (``sizes``),
        the rule of counting and the summary in its `attrs`.
    resolution, chroms, reference, **rule
        As in `count_bam`.

    Returns
    -------
    CountSummary

    Raises
    ------
    InputError
        As `count_bam`.
    """
    counts, summary = count_bam(path, resolution=resolution, chroms=chroms, reference=reference, **rule)
    sizes = bam_sizes(path)
    attrs = asdict(CountRule(**rule)) | {
        "resolution": int(resolution),
        "source": Path(path).name,
        "sizes": {name: sizes[name] for name in counts},
        "summary": asdict(summary),
    }
    write_contigs(out, counts, attrs)
    return summary


def read_all(path: str | os.PathLike[str], file: pysam.AlignmentFile) -> Iterator[Alignments]:
    """Read all alignments of a file that was just opened, batch by batch."""
    if file.is_bam:
        return read_records(path, file.tell(), file.nreferences)
    return batches(file.fetch(until_eof=True))


def wanted_lengths(
    path: str | os.PathLike[str], file: pysam.AlignmentFile, chroms: Sequence[str] | None
) -> dict[str, int]:
    """Give the length of each contig that is asked for; InputError for those that the header lacks."""
    lengths = dict(zip(file.references, file.lengths, strict=True))
    if chroms is None:
        return lengths
    if not len(chroms):
        msg = f"No contig of {path} is asked for. Name at least one, or None for all."
        raise InputError(msg)
    unknown = [name for name in chroms if name not in lengths]
    if unknown:
        msg = (
            f"The header of {path} lacks these contigs: {list_some(unknown, 8)}. It has {list_some(lengths, 8)}. "
            "Use the BAM file of the same assembly, or leave these contigs out."
        )
        raise InputError(msg)
    return {name: lengths[name] for name in chroms}
