"""Variants of a VCF or BCF file, read in batches: one row for each alternative allele.

Alleles stay as the file has them: nothing is moved or shortened. What can be told from the letters alone, such as a
symbolic allele, is told here; what needs the genome, in `helpers.data.variant_windows`.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pysam

from helpers.data.alphabet import DNA, encode_letters
from helpers.data.contigs import read_blocks
from helpers.errors import InputError

BATCH_SIZE = 4096  # alleles
_NO_END = b"\n\0"  # a line that no VCF file has
_START = 4096  # bytes, in which the first line ends
_COLUMNS = 8
_MOST_LETTERS = 20  # of an allele in messages
_MISSING = "."
_POSITION = re.compile("[0-9]{1,18}")  # what an int64 holds
_SYMBOLS = frozenset("<>[]*.")


class Status(IntEnum):
    """What becomes of an allele; `word` is its name in files.

    Attributes
    ----------
    SCORED
        It is compared with the reference.
    SCORED_DESPITE_MISMATCH
        The same, though its reference allele is not what the genome has.
    REFERENCE_MISMATCH
        Not compared: its reference allele is not what the genome has.
    NO_ALTERNATIVE
        The record has no alternative allele.
    SAME_AS_REFERENCE
        The alternative allele is the reference allele.
    SYMBOLIC
        ``<DEL>``, ``*``, a breakend.
    AMBIGUOUS_LETTERS
        An allele has N or another letter than A, C, G, T.
    CONTIG_NOT_IN_GENOME
        The genome has no contig of this name.
    OUTSIDE_CONTIG
        It begins before, or ends behind, its contig.
    LONGER_THAN_WINDOW
        An allele does not fit between the middle of the model's window and its 3' end.
    CONTIG_WITHOUT_COVERAGE
        The model reads coverage, of which there is none on this contig.
    """

    SCORED = 0
    SCORED_DESPITE_MISMATCH = 1
    REFERENCE_MISMATCH = 2
    NO_ALTERNATIVE = 3
    SAME_AS_REFERENCE = 4
    SYMBOLIC = 5
    AMBIGUOUS_LETTERS = 6
    CONTIG_NOT_IN_GENOME = 7
    OUTSIDE_CONTIG = 8
    LONGER_THAN_WINDOW = 9
    CONTIG_WITHOUT_COVERAGE = 10

    @property
    def word(self) -> str:
        """Name in files."""
        return self.name.lower()


class Variants(NamedTuple):
    """A batch of variants, one row for each alternative allele, in the order of the file.

    Attributes
    ----------
    chroms : list of str, length n
    starts : numpy.ndarray of int64, shape (n,)
        First base of the reference allele, 0-based; -1 for POS 0.
    names : list of str, length n
        ID of the record; '.' where it has none.
    refs, alts : list of str, length n
        Alleles in capital letters; an alternative is '.' where there is none.
    status : numpy.ndarray of uint8, shape (n,)
        A `Status` each.
    records : numpy.ndarray of int64, shape (n,)
        Row of `lines`.
    lines : list of str, length m
        The records as the file has them, without line ends.
    """

    chroms: list[str]
    starts: np.ndarray
    names: list[str]
    refs: list[str]
    alts: list[str]
    status: np.ndarray
    records: np.ndarray
    lines: list[str]

    @property
    def ref_lengths(self) -> np.ndarray:
        """Letters of the reference alleles, shape (n,)."""
        return np.fromiter(map(len, self.refs), dtype=np.int64, count=len(self.refs))

    @property
    def alt_lengths(self) -> np.ndarray:
        """Letters of the alternative alleles, shape (n,)."""
        return np.fromiter(map(len, self.alts), dtype=np.int64, count=len(self.alts))

    def texts(self, rows: np.ndarray) -> list[list[str]]:
        """Give contig, ID, reference and alternative allele of some rows, one list each."""
        columns = (self.chroms, self.names, self.refs, self.alts)
        return [[column[row] for row in rows.tolist()] for column in columns]

    def describe(self, row: int) -> str:
        """Name an allele as ``chrom:position:ref:alt``, the position 1-based as in the file; long alleles are cut."""
        ref, alt = (
            allele if len(allele) <= _MOST_LETTERS else f"{allele[:_MOST_LETTERS]}..."
            for allele in (self.refs[row], self.alts[row])
        )
        return f"{self.chroms[row]}:{self.starts[row] + 1}:{ref}:{alt}"


def read_variants(
    path: str | os.PathLike[str], *, batch_size: int = BATCH_SIZE, samples: bool = True
) -> Iterator[Variants]:
    """Read a VCF or BCF file in batches.

    Parameters
    ----------
    path : path
        VCF (plain, gzip or bgzip) or BCF; sorted or not, with an index or without.
    batch_size : int, default 4096
        Alleles at a time, some more where a record has several: it is never divided.
    samples : bool, default True
        Keep the columns of samples in `Variants.lines`.

    Yields
    ------
    Variants
        At least one row; nothing for a file without records.

    Raises
    ------
    InputError
        For a file that is missing, damaged, cut short or no VCF or BCF file, and for a line that is no record.
    """
    if batch_size < 1:
        msg = f"batch_size is a number of variants, at least 1. Received: batch_size={batch_size}."
        raise InputError(msg)
    rows, lines = [], []
    for number, line in _records(path):
        columns = line.split("\t", _COLUMNS)
        kept = line if samples or len(columns) <= _COLUMNS else "\t".join(columns[:_COLUMNS])
        chrom, start, name, ref, alts = _parse(columns, path, number)
        rows += [(chrom, start, name, ref, alt, len(lines)) for alt in alts]
        lines.append(kept)
        if len(rows) >= batch_size:
            yield _as_batch(rows, lines)
            rows, lines = [], []
    if rows:
        yield _as_batch(rows, lines)


def read_variant_header(path: str | os.PathLike[str], *, samples: bool = True) -> list[str]:
    """Read the header lines of a VCF or BCF file, the line of column names last.

    Parameters
    ----------
    path, samples
        As in `read_variants`.

    Raises
    ------
    InputError
        As `read_variants`.
    """
    if _is_bcf(path):
        with _explained(path), pysam.VariantFile(os.fspath(path)) as file:
            lines = str(file.header).splitlines()
    else:
        lines = []
        for _, line in _text_lines(path):
            if not line.startswith("#"):
                break
            lines.append(line)
    _check_header(lines[-1] if lines else "", path)
    if not samples:
        lines[-1] = "\t".join(lines[-1].split("\t")[:_COLUMNS])
    return lines


def _records(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """Give each record as a line of VCF text, behind its number in the file."""
    if _is_bcf(path):
        with _explained(path), pysam.VariantFile(os.fspath(path)) as file:
            yield from ((number, str(record).rstrip("\n")) for number, record in enumerate(file, 1))
        return
    heading = ""
    for number, line in _text_lines(path):
        if line.startswith("#"):
            heading = line
            continue
        if heading is not None:
            _check_header(heading, path)
            heading = None
        yield number, line
    if heading is not None:
        _check_header(heading, path)


def _text_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """Give the lines of text that are not blank, behind their numbers from 1."""
    number = 1
    for block in read_blocks(path, cut_at=_NO_END):
        first = block.removeprefix(b"\n")  # the line end between two blocks is at the start of the second
        number += len(block) - len(first)
        for line in first.decode(errors="replace").split("\n"):
            if line:
                yield number, line
            number += 1
        number -= 1


def _is_bcf(path: str | os.PathLike[str]) -> bool:
    """Tell from its first bytes, unpacked, whether a file is BCF."""
    start = next(read_blocks(path, cut_at=_NO_END, n_bytes=_START), b"")
    return start.startswith(b"BCF")


@contextmanager
def _explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise InputError for what goes wrong while a BCF file is read; htslib itself stays silent."""
    verbosity = pysam.set_verbosity(0)
    try:
        yield
    except (OSError, ValueError) as error:
        msg = f"{path}: the BCF file is damaged or cut short ({error}). Download or make it again."
        raise InputError(msg) from error
    finally:
        pysam.set_verbosity(verbosity)


def _check_header(line: str, path: str | os.PathLike[str]) -> None:
    if not line.startswith("#CHROM\t") or line.count("\t") < _COLUMNS - 1:
        msg = (
            f"{path}: no VCF file: no line that begins with #CHROM and names at least {_COLUMNS} columns stands before "
            f"the records. Received: {line!r:.80}. Give a VCF or BCF file with its header."
        )
        raise InputError(msg)


def _parse(
    columns: Sequence[str], path: str | os.PathLike[str], number: int
) -> tuple[str, int, str, str, Sequence[str]]:
    """Give contig, 0-based start, ID, reference allele and alternative alleles of a record."""
    if len(columns) < _COLUMNS or not _POSITION.fullmatch(columns[1]) or not columns[3]:
        received = "\t".join(columns[:5])
        msg = (
            f"{path}, line {number}: a record has at least {_COLUMNS} columns, a whole number as POS "
            f"and a reference allele. Received: {received!r:.80}. Correct the line."
        )
        raise InputError(msg)
    alts = columns[4].upper().split(",")
    return columns[0], int(columns[1]) - 1, columns[2], columns[3].upper(), [alt or _MISSING for alt in alts]


def _as_batch(rows: Sequence[tuple[str, int, str, str, str, int]], lines: list[str]) -> Variants:
    chroms, starts, names, refs, alts, records = map(list, zip(*rows, strict=True))
    status = np.zeros(len(rows), dtype=np.uint8)
    same = np.fromiter((ref == alt for ref, alt in zip(refs, alts, strict=True)), dtype=bool, count=len(rows))
    status[same] = Status.SAME_AS_REFERENCE
    for row in np.flatnonzero(_have_others(refs) | _have_others(alts)).tolist():
        status[row] = _status_of_letters(alts[row])
    starts, records = np.array(starts, dtype=np.int64), np.array(records, dtype=np.int64)
    return Variants(chroms, starts, names, refs, alts, status, records, lines)


def _have_others(alleles: Sequence[str]) -> np.ndarray:
    """Say which alleles have a letter that is not A, C, G or T, shape (alleles,)."""
    codes = encode_letters("".join(alleles).encode("ascii", errors="replace"))
    lengths = np.fromiter(map(len, alleles), dtype=np.int64, count=len(alleles))
    return np.maximum.reduceat(codes, np.cumsum(lengths) - lengths) >= DNA.unknown


def _status_of_letters(alt: str) -> Status:
    if alt == _MISSING:
        return Status.NO_ALTERNATIVE
    return Status.SYMBOLIC if _SYMBOLS & set(alt) else Status.AMBIGUOUS_LETTERS
