"""Alignments to counts: where reads begin, per strand, in bins along each contig.

A read counts once, at the 5' end of its alignment as it was sequenced: `reference_start` of a forward read, the last
aligned base (`reference_end` - 1) of a reverse read. Soft-clipped bases are not part of the alignment.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pysam

from helpers.data.storage import write_contigs
from helpers.errors import InputError

MATES = ("both", "first", "second")
REASONS = (
    "unmapped",
    "secondary",
    "supplementary",
    "qc_fail",
    "duplicate",
    "other_mate",
    "low_mapq",
    "no_cigar",
    "other_contig",
    "outside",
)
_READS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class CountSummary:
    """What became of the alignments of one BAM file.

    Attributes
    ----------
    reads : int
        Alignments in the file.
    kept : int
        Alignments that were counted.
    dropped : dict of str to int
        Alignments left out, by the first reason that applies in the order of `REASONS`: ``low_mapq`` below the
        threshold, ``no_cigar`` a reverse read whose end is unknown, ``other_contig`` on a contig that was not asked
        for, ``outside`` shifted over an end of its contig.
    """

    reads: int
    kept: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class _Rule:
    """Which alignments count, and where."""

    resolution: int
    min_mapq: int = 0
    mates: str = "both"
    shift: tuple[int, int] = (0, 0)
    stranded: bool = True
    keep_duplicates: bool = True

    def __post_init__(self):
        if self.resolution < 1:
            msg = f"The resolution is a number of bp, at least 1. Received: resolution={self.resolution}."
            raise InputError(msg)
        if self.mates not in MATES:
            msg = f"mates is one of {', '.join(MATES)}. Received: mates={self.mates!r}."
            raise InputError(msg)
        if len(self.shift) != 2:
            msg = f"shift is a pair of bp, for forward and for reverse reads. Received: shift={self.shift!r}."
            raise InputError(msg)


def bam_sizes(path: str | os.PathLike[str]) -> dict[str, int]:
    """Read the contig lengths, in bp, from the header of a BAM file; InputError when it is missing or no BAM file."""
    with _open_bam(path) as bam:
        return dict(zip(bam.references, bam.lengths, strict=True))


def count_bam(
    path: str | os.PathLike[str],
    *,
    resolution: int,
    chroms: Sequence[str] | None = None,
    min_mapq: int = 0,
    mates: str = "both",
    shift: tuple[int, int] = (0, 0),
    stranded: bool = True,
    keep_duplicates: bool = True,
) -> tuple[dict[str, np.ndarray], CountSummary]:
    """Count the 5' ends of the alignments of a whole BAM file, in any order, without an index.

    Parameters
    ----------
    path : path
        BAM file.
    resolution : int
        Bin length in bp. The last bin of a contig is shorter when the resolution does not divide its length.
    chroms : sequence of str, optional
        Contigs to count, in this order. By default all of the header.
    min_mapq : int, default 0
        Alignments of lower mapping quality are left out.
    mates : {'both', 'first', 'second'}, default 'both'
        Which reads of a pair count. Unpaired reads are first mates.
    shift : pair of int, default (0, 0)
        Added to the position of forward and of reverse reads, in bp of the reference; (4, -4) for ATAC-seq.
    stranded : bool, default True
        Count forward and reverse reads apart.
    keep_duplicates : bool, default True
        Count reads marked as duplicates too: many 5' ends at one base are signal in DNase-, ATAC- and CAGE-seq.

    Returns
    -------
    counts : dict of str to numpy.ndarray of uint32, shape (ceil(contig length / resolution), strands)
        Strand 0 holds forward, strand 1 reverse reads; one strand in all when not `stranded`.
    summary : CountSummary
        Unmapped, secondary, supplementary and QC-failed alignments never count.

    Raises
    ------
    InputError
        When the file is missing, truncated or no BAM file, when the header lacks a contig of `chroms`, or when an
        argument is out of range.

    Notes
    -----
    Paired reads count whether or not they are properly paired. The shift of a reverse read counts from its last aligned
    base; where a tool counts from `reference_end`, one base further, its -5 is -4 here.
    """
    rule = _Rule(resolution, min_mapq, mates, tuple(shift), stranded, keep_duplicates)
    with _open_bam(path) as bam:
        lengths = _wanted_lengths(path, dict(zip(bam.references, bam.lengths, strict=True)), chroms)
        slots = np.full(len(bam.references) + 1, -1)  # the last one is for reference_id -1
        slots[[bam.get_tid(name) for name in lengths]] = np.arange(len(lengths))
        return _count(bam.fetch(until_eof=True), slots, lengths, rule)


def store_bam_coverage(
    path: str | os.PathLike[str], out: str | os.PathLike[str], *, resolution: int, **rule: Any
) -> CountSummary:
    """Count a BAM file as `count_bam` and store the counts for `GenomeArray.open` and `Cover.create_from_store`.

    Parameters
    ----------
    path : path
        BAM file.
    out : path
        Genome array to write: uint32, shape (bins, strands), with ``resolution`` and ``stranded``, the contig lengths
        in bp (``sizes``), the other parameters and the summary in its `attrs`.
    resolution, **rule
        As in `count_bam`.

    Returns
    -------
    CountSummary

    Raises
    ------
    InputError
        As `count_bam`.
    """
    counts, summary = count_bam(path, resolution=resolution, **rule)
    sizes = bam_sizes(path)
    rule = {name: value for name, value in rule.items() if name != "chroms"}
    attrs = asdict(_Rule(resolution, **rule)) | {
        "source": Path(path).name,
        "sizes": {name: sizes[name] for name in counts},
        "summary": asdict(summary),
    }
    write_contigs(out, counts, attrs)
    return summary


@contextmanager
def _open_bam(path: str | os.PathLike[str]) -> Iterator[pysam.AlignmentFile]:
    """Open a BAM file; whatever goes wrong while it is read becomes an InputError."""
    if not Path(path).is_file():
        msg = f"BAM file {path} does not exist. Check the path."
        raise InputError(msg)
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.AlignmentFile(os.fspath(path)) as bam:
            if not bam.is_bam:
                msg = f"{path} holds alignments but is not a BAM file. Convert it: samtools view -b -o FILE.bam {path}"
                raise InputError(msg)
            yield bam
    except OSError as error:
        msg = f"{path} is truncated or damaged ({error}). Download or make the BAM file again."
        raise InputError(msg) from error
    except InputError:
        raise
    except ValueError as error:
        msg = f"{path} is not a BAM file ({error}). Give a BAM file with a header that lists its contigs."
        raise InputError(msg) from error
    finally:
        pysam.set_verbosity(verbosity)


def _wanted_lengths(path: str | os.PathLike[str], lengths: dict[str, int], chroms: Sequence[str] | None) -> dict:
    if chroms is None:
        return lengths
    if not len(chroms):
        msg = f"No contig of {path} is asked for. Name at least one, or None for all."
        raise InputError(msg)
    unknown = [name for name in chroms if name not in lengths]
    if unknown:
        msg = (
            f"The header of {path} lacks these contigs: {', '.join(unknown)}. It has {', '.join(list(lengths)[:8])}"
            f"{' ...' if len(lengths) > 8 else ''}. Use the BAM file of the same assembly, or leave these contigs out."
        )
        raise InputError(msg)
    return {name: lengths[name] for name in chroms}


def _count(
    reads: Iterable[pysam.AlignedSegment], slots: np.ndarray, lengths: dict[str, int], rule: _Rule
) -> tuple[dict[str, np.ndarray], CountSummary]:
    """Count reads batch by batch into one flat array over all contigs."""
    sizes = np.fromiter(lengths.values(), dtype=np.int64, count=len(lengths))
    bins = -(-sizes // rule.resolution)
    offsets = np.cumsum(bins) - bins
    strands = 2 if rule.stranded else 1
    flat = np.zeros(bins.sum() * strands, dtype=np.uint32)
    dropped = [0] * len(REASONS)
    kept = 0
    ends = _five_prime_ends(reads, _reason_by_flag(rule), rule.min_mapq, dropped)
    while len(pairs := np.fromiter(islice(ends, 2 * _READS_AT_ONCE), dtype=np.int64)):
        slot, reverse, position = slots[pairs[0::2]], pairs[1::2] < 0, pairs[1::2]
        position = np.where(reverse, -position - 1 + rule.shift[1], position + rule.shift[0])
        wanted = slot >= 0
        inside = wanted & (position >= 0) & (position < sizes[slot])
        index = (offsets[slot] + position // rule.resolution) * strands + (reverse if rule.stranded else 0)
        np.add.at(flat, index[inside], np.uint32(1))  # a plain 1 is 40 times slower: another dtype
        dropped[REASONS.index("other_contig")] += int((~wanted).sum())
        dropped[REASONS.index("outside")] += int((wanted & ~inside).sum())
        kept += int(inside.sum())
    counts = flat.reshape(-1, strands)
    by_contig = {name: counts[offset : offset + n] for name, offset, n in zip(lengths, offsets, bins, strict=True)}
    return by_contig, CountSummary(kept + sum(dropped), kept, dict(zip(REASONS, dropped, strict=True)))


def _five_prime_ends(
    reads: Iterable[pysam.AlignedSegment], reason_by_flag: list[int], min_mapq: int, dropped: list[int]
) -> Iterator[int]:
    """Yield contig number and position, two integers a read; minus `reference_end` for a reverse read.

    This loop is what counting costs: one generator, as few attributes of a read as possible.
    """
    low_mapq, no_cigar = REASONS.index("low_mapq"), REASONS.index("no_cigar")
    for read in reads:
        flag = read.flag
        reason = reason_by_flag[flag]
        if reason >= 0:
            dropped[reason] += 1
        elif read.mapping_quality < min_mapq:
            dropped[low_mapq] += 1
        elif not flag & pysam.FREVERSE:
            yield read.reference_id
            yield read.reference_start
        elif (end := read.reference_end) is None:
            dropped[no_cigar] += 1
        else:
            yield read.reference_id
            yield -end


def _reason_by_flag(rule: _Rule) -> list[int]:
    """Tell for each of the 65,536 SAM flags why such an alignment is left out: an index of REASONS, or -1."""
    flags = np.arange(1 << 16)
    paired = flags & pysam.FPAIRED != 0
    second = paired & (flags & pysam.FREAD2 != 0)
    other_mate = {"both": np.zeros_like(paired), "first": second, "second": ~second}[rule.mates]
    hits = {
        "other_mate": other_mate,
        "duplicate": (flags & pysam.FDUP != 0) & (not rule.keep_duplicates),
        "qc_fail": flags & pysam.FQCFAIL != 0,
        "supplementary": flags & pysam.FSUPPLEMENTARY != 0,
        "secondary": flags & pysam.FSECONDARY != 0,
        "unmapped": flags & pysam.FUNMAP != 0,
    }
    reasons = np.full(len(flags), -1)
    for name, hit in hits.items():  # the first reason in the order of REASONS is written last
        reasons[hit] = REASONS.index(name)
    return reasons.tolist()
