"""Which alignments count, where, and in which bins: the rules of counting, apart from files.

An alignment becomes segments of the reference: one base (5' end, midpoint) or all that it covers. Segments are added to
bins along stretches of the genome, see `helpers.data.count_bins`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import pysam

from helpers.data.alignments import Alignments, find_blocks, find_ends
from helpers.data.count_bins import Bins
from helpers.errors import InputError

COUNTS = ("five_prime", "midpoint", "span", "fragment")
MATES = ("both", "first", "second")
REASONS = (
    "unmapped",
    "secondary",
    "supplementary",
    "qc_fail",
    "duplicate",
    "excluded_flag",
    "missing_flag",
    "other_mate",
    "low_mapq",
    "not_proper_pair",
    "no_cigar",
    "other_contig",
    "outside",
)
EXCLUDE_FLAGS = pysam.FSECONDARY | pysam.FSUPPLEMENTARY | pysam.FQCFAIL
_NAMED_FLAGS = {
    "secondary": pysam.FSECONDARY,
    "supplementary": pysam.FSUPPLEMENTARY,
    "qc_fail": pysam.FQCFAIL,
}
_KEPT = -1


@dataclass(frozen=True)
class CountRule:
    """Which alignments count, and where.

    Parameters
    ----------
    count : {'five_prime', 'midpoint', 'span', 'fragment'}, default 'five_prime'
        What an alignment adds:

        - ``five_prime``: 1 at its 5' end as sequenced, the first aligned base of a forward read, the last of a reverse
          read. Soft-clipped bases are no part of an alignment.
        - ``midpoint``: 1 in the middle of the fragment; of two middle bases at the right one.
        - ``span``: 1 at each base that the read covers, deletions included and introns (CIGAR N) not, as
          ``samtools depth -J`` counts (``bedtools genomecov -split`` leaves deletions out). Mates that overlap both
          count.
        - ``fragment``: 1 at each base of the fragment.

        The fragment of a proper pair reaches from the 5' end of its first mate as far as its length (SAM's TLEN); it
        counts once, on the strand of the first mate, whose flags and mapping quality decide. Other pairs are left out.
        The fragment of an unpaired read reaches from its first to its last aligned base, introns included.
    mates : {'both', 'first', 'second'}, default 'both'
        Which reads of a pair count. Unpaired reads are first mates. A fragment needs both.
    min_mapq : int, default 0
        Alignments of lower mapping quality are left out, in 0 to 255.
    keep_duplicates : bool, default True
        Count reads marked as duplicates too: many 5' ends at one base are signal in DNase-, ATAC- and CAGE-seq.
    require_flags : int, default 0
        SAM flags that an alignment must all have; 2 is proper pairs only.
    exclude_flags : int, default 2816
        SAM flags of which an alignment must have none; secondary (256), QC fail (512) and supplementary (2048) by
        default. Unmapped reads never count, and duplicates have `keep_duplicates`.
    shift : pair of int, default (0, 0)
        Added to the positions of forward and of reverse reads, in bp of the reference; (4, -4) for ATAC-seq. The shift
        of a reverse read counts from its last aligned base; where a tool counts from one base further, its -5 is -4
        here. Fragments are not shifted.
    stranded : bool, default True
        Count forward and reverse reads apart.

    Raises
    ------
    InputError
        For a value out of range, or parameters that contradict one another.
    """

    count: str = "five_prime"
    mates: str = "both"
    min_mapq: int = 0
    keep_duplicates: bool = True
    require_flags: int = 0
    exclude_flags: int = EXCLUDE_FLAGS
    shift: tuple[int, int] = (0, 0)
    stranded: bool = True

    def __post_init__(self):
        shift = tuple(self.shift) if isinstance(self.shift, Iterable) else (self.shift,)
        plain = {name: getattr(self, name) for name in ("min_mapq", "require_flags", "exclude_flags")}
        plain = {name: int(value) if _is_whole(value) else value for name, value in plain.items()}
        plain["shift"] = tuple(int(value) if _is_whole(value) else value for value in shift)
        for name, value in plain.items():  # numpy's numbers could not be stored as JSON
            object.__setattr__(self, name, value)
        for problem, msg in self._problems():
            if problem:
                raise InputError(msg)

    @property
    def whole_fragments(self) -> bool:
        """Whether a pair counts as one fragment."""
        return self.count in ("midpoint", "fragment")

    @property
    def single_bases(self) -> bool:
        """Whether an alignment counts at one base."""
        return self.count in ("five_prime", "midpoint")

    def _problems(self) -> list[tuple[bool, str]]:
        flags = f"require_flags={self.require_flags!r}, exclude_flags={self.exclude_flags!r}"
        whole = all(_is_whole(value) and 0 <= value < 1 << 16 for value in (self.require_flags, self.exclude_flags))
        both = whole and self.require_flags & (self.exclude_flags | pysam.FUNMAP)
        is_shift = len(self.shift) == 2 and all(map(_is_whole, self.shift))
        fragments = f"count={self.count!r} takes a pair as one fragment"
        return [
            (self.count not in COUNTS, f"count is one of {', '.join(COUNTS)}. Received: count={self.count!r}."),
            (self.mates not in MATES, f"mates is one of {', '.join(MATES)}. Received: mates={self.mates!r}."),
            *(
                (not isinstance(value, bool | np.bool_), f"{name} is True or False. Received: {name}={value!r}.")
                for name, value in (("stranded", self.stranded), ("keep_duplicates", self.keep_duplicates))
            ),
            (
                not (_is_whole(self.min_mapq) and 0 <= self.min_mapq <= 255),
                f"min_mapq is a mapping quality, 0 to 255. Received: min_mapq={self.min_mapq!r}.",
            ),
            (
                not is_shift,
                f"shift is a pair of bp, for forward and for reverse reads. Received: shift={self.shift!r}.",
            ),
            (not whole, f"SAM flags are whole numbers from 0 to 65535. Received: {flags}."),
            (bool(both), f"No alignment counts that must have a flag that it must not have. Received: {flags}."),
            (
                whole and bool(self.exclude_flags & pysam.FDUP),
                f"Duplicates have a parameter of their own: keep_duplicates=False. Received: {flags}.",
            ),
            (
                whole and bool(self.require_flags & pysam.FDUP) and not self.keep_duplicates,
                f"No alignment counts: keep_duplicates=False, and duplicates are asked for. Received: {flags}.",
            ),
            (
                self.whole_fragments and self.mates != "both",
                f"{fragments}. Received: mates={self.mates!r}. Use mates='both', or count='five_prime' or 'span'.",
            ),
            (
                self.whole_fragments and self.shift != (0, 0),
                f"{fragments}, and shift moves reads. Received: shift={self.shift!r}. Leave shift out, or count reads.",
            ),
        ]

    def reasons_by_flag(self) -> np.ndarray:
        """Tell why an alignment of each SAM flag is left out.

        Returns
        -------
        numpy.ndarray of int8, shape (65536,)
            An index of `REASONS`, or -1.
        """
        flags = np.arange(1 << 16)
        excluded = {name: flags & bit & self.exclude_flags != 0 for name, bit in _NAMED_FLAGS.items()}
        hits = excluded | {
            "unmapped": flags & pysam.FUNMAP != 0,
            "duplicate": (flags & pysam.FDUP != 0) & (not self.keep_duplicates),
            "excluded_flag": flags & self.exclude_flags != 0,
            "missing_flag": flags & self.require_flags != self.require_flags,
            "other_mate": self._other_mates(flags),
        }
        reasons = np.full(len(flags), _KEPT, dtype=np.int8)
        for name in reversed(REASONS):  # the first reason is written last
            if name in hits:
                reasons[hits[name]] = REASONS.index(name)
        return reasons

    def _other_mates(self, flags: np.ndarray) -> np.ndarray:
        second = (flags & pysam.FPAIRED != 0) & (flags & pysam.FREAD2 != 0)
        if self.mates == "second":
            return ~second
        return second & (self.mates == "first" or self.whole_fragments)


RULE_NAMES = tuple(field.name for field in fields(CountRule))


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


class Segments(NamedTuple):
    """What alignments add to.

    Attributes
    ----------
    owners : numpy.ndarray of int, shape (segments,)
        Row of the alignment in its batch. An alignment of several blocks has several segments.
    starts, ends : numpy.ndarray of int64, shape (segments,)
        In bp of the contig; may reach over its ends.
    """

    owners: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def take(self, which: np.ndarray) -> "Segments":
        """Take some, by a mask or by their indices."""
        return Segments(self.owners[which], self.starts[which], self.ends[which])


Place = Callable[[Alignments, Segments], tuple[Segments, np.ndarray]]


def count_batch(
    alignments: Alignments, bins: Bins, rule: CountRule, reasons_by_flag: np.ndarray, place: Place
) -> np.ndarray:
    """Add a batch of alignments to bins.

    Parameters
    ----------
    alignments : Alignments
    bins : Bins
    rule : CountRule
    reasons_by_flag : numpy.ndarray
        `CountRule.reasons_by_flag` of the rule.
    place : callable
        Gives segments, repeated where they lie in several stretches, and the stretch of each, -1 for none.

    Returns
    -------
    numpy.ndarray of int64, shape (1 + reasons,)
        Alignments that count, and those left out by each of `REASONS`.
    """
    flags = alignments.fields["flag"]
    reasons = reasons_by_flag[flags]
    segments, stretches = place(alignments, find_segments(alignments, reasons, rule))
    known = stretches >= 0
    if not known.all():
        reasons[segments.owners[~known]] = REASONS.index("other_contig")
        segments, stretches = segments.take(known), stretches[known]
    reverse = flags[segments.owners] & pysam.FREVERSE != 0
    inside = bins.add(stretches, segments.starts, segments.ends, reverse)
    if not inside.all():
        reasons[segments.owners[~inside]] = REASONS.index("outside")
        reasons[segments.owners[inside]] = _KEPT  # an alignment counts when one of its segments does
    return np.bincount(reasons + 1, minlength=len(REASONS) + 1)


def find_segments(alignments: Alignments, reasons: np.ndarray, rule: CountRule) -> Segments:
    """Find the segments of those alignments of a batch that count.

    Parameters
    ----------
    alignments : Alignments
    reasons : numpy.ndarray of int8, shape (alignments,)
        Index in `REASONS` of why an alignment is left out, or -1. Filled in where the mapping quality is low, and where
        a segment cannot be found.
    rule : CountRule
    """
    if rule.min_mapq:
        reasons[(alignments.fields["mapq"] < rule.min_mapq) & (reasons == _KEPT)] = REASONS.index("low_mapq")
    if rule.whole_fragments:
        reasons[_without_fragment(alignments.fields) & (reasons == _KEPT)] = REASONS.index("not_proper_pair")
    rows = np.flatnonzero(reasons == _KEPT)
    owners, starts, ends = {"five_prime": _five_primes, "span": _spans}.get(rule.count, _fragments)(alignments, rows)
    reasons[rows] = REASONS.index("no_cigar")
    reasons[owners] = _KEPT
    if rule.count == "midpoint":
        starts = starts + (ends - starts) // 2
        ends = starts + 1
    if any(rule.shift):
        reverse = alignments.fields["flag"][owners] & pysam.FREVERSE != 0
        by = np.where(reverse, rule.shift[1], rule.shift[0])
        starts, ends = starts + by, ends + by
    return Segments(owners, starts, ends)


def _without_fragment(fields: np.ndarray) -> np.ndarray:
    """Say which alignments are of a pair that is not proper, or whose length is unknown."""
    paired, proper = fields["flag"] & pysam.FPAIRED != 0, fields["flag"] & pysam.FPROPER_PAIR != 0
    return paired & ~(proper & (fields["mate_contig"] == fields["contig"]) & (fields["length"] != 0))


def _five_primes(alignments: Alignments, rows: np.ndarray) -> Segments:
    starts = alignments.fields["start"][rows].astype(np.int64)
    reverse = np.flatnonzero(alignments.fields["flag"][rows] & pysam.FREVERSE)
    ends, known = find_ends(alignments, rows[reverse])
    starts[reverse] = ends - 1
    if not known.all():
        rows, starts = np.delete(rows, reverse[~known]), np.delete(starts, reverse[~known])
    return Segments(rows, starts, starts + 1)


def _spans(alignments: Alignments, rows: np.ndarray) -> Segments:
    owners, starts, ends = find_blocks(alignments, rows)
    return Segments(rows[owners], starts, ends)


def _fragments(alignments: Alignments, rows: np.ndarray) -> Segments:
    """Give the fragments of pairs, seen from the first mate, and the extent of unpaired reads."""
    ends, known = find_ends(alignments, rows)
    rows, ends = rows[known], ends[known]
    starts = alignments.fields["start"][rows].astype(np.int64)
    lengths = np.abs(alignments.fields["length"][rows].astype(np.int64))
    pair, reverse = (alignments.fields["flag"][rows] & bit != 0 for bit in (pysam.FPAIRED, pysam.FREVERSE))
    first, last = np.where(pair & reverse, ends - lengths, starts), np.where(pair & ~reverse, starts + lengths, ends)
    return Segments(rows, first, last)
