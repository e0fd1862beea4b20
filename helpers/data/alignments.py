"""Alignments as columns, read from BAM and CRAM files by pysam, and what a CIGAR says about the reference."""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import pysam

from helpers.data.intervals import expand_counts
from helpers.errors import InputError

logger = logging.getLogger(__name__)

FIELDS = np.dtype(
    [
        ("flag", np.uint16),
        ("mapq", np.uint8),
        ("contig", np.int32),
        ("start", np.int32),
        ("mate_contig", np.int32),
        ("length", np.int32),
    ]
)
READS_AT_ONCE = 1 << 14
_INDEXES = (".bai", ".csi", ".crai")
_ON_REFERENCE = np.array([kind in "MDN=X" for kind in "MIDNSHP=XB??????"])
_IN_SPAN = np.array([kind in "MD=X" for kind in "MIDNSHP=XB??????"])
_READ_FIELDS = b"required_fields=0x1fe"  # of CRAM: no names, bases and qualities, so most files need no reference


class Alignments(Protocol):
    """A batch of alignments.

    Attributes
    ----------
    fields : structured numpy.ndarray, shape (alignments,)
        With at least the columns of `FIELDS`: SAM flag, mapping quality, number of the contig in the header (-1 for
        none), first aligned base (0-based), contig of the mate, and signed length of the fragment (TLEN).
    """

    fields: np.ndarray

    def cigars(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the CIGARs of some alignments behind one another.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)

        Returns
        -------
        operations : numpy.ndarray of uint32
            As in BAM: length << 4 | kind.
        counts : numpy.ndarray of int, shape (n,)
            Operations of each alignment; 0 without a CIGAR.
        """


class PysamAlignments:
    """Alignments that pysam has read; see `Alignments`."""

    def __init__(self, reads: list[pysam.AlignedSegment]):
        self._reads = reads
        self.fields = np.fromiter(
            (
                (
                    read.flag,
                    read.mapping_quality,
                    read.reference_id,
                    read.reference_start,
                    read.next_reference_id,
                    read.template_length,
                )
                for read in reads
            ),
            dtype=FIELDS,
            count=len(reads),
        )

    def cigars(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Alignments`."""
        cigars = [self._reads[row].cigartuples or () for row in rows.tolist()]
        operations = np.array([length << 4 | kind for cigar in cigars for kind, length in cigar], dtype=np.uint32)
        return operations, np.array([len(cigar) for cigar in cigars], dtype=np.int64)


def batches(reads: Iterable[pysam.AlignedSegment]) -> Iterator[PysamAlignments]:
    """Group what pysam reads into batches; memory is that of `READS_AT_ONCE` alignments."""
    reads = iter(reads)
    while batch := list(islice(reads, READS_AT_ONCE)):
        yield PysamAlignments(batch)


def find_ends(alignments: Alignments, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find where alignments end on the reference.

    Parameters
    ----------
    alignments : Alignments
    rows : numpy.ndarray of int, shape (n,)

    Returns
    -------
    ends : numpy.ndarray of int64, shape (n,)
        One behind the last aligned base. A CIGAR without an aligned base covers one, as htslib has it.
    known : numpy.ndarray of bool, shape (n,)
        Whether there is a CIGAR.
    """
    operations, counts = alignments.cigars(rows)
    lengths = ((operations >> 4) * _ON_REFERENCE[operations & 15]).astype(np.int64)
    if len(operations) > len(counts) or not counts.all():  # else one operation each
        below = np.concatenate([[0], np.cumsum(lengths)])
        last = np.cumsum(counts)
        lengths = below[last] - below[last - counts]
    return alignments.fields["start"][rows] + np.maximum(lengths, 1), counts > 0


def find_blocks(alignments: Alignments, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find what alignments cover on the reference: matches, mismatches and deletions, but no introns (N).

    Parameters
    ----------
    alignments : Alignments
    rows : numpy.ndarray of int, shape (n,)

    Returns
    -------
    owners : numpy.ndarray of int64, shape (blocks,)
        Which of `rows`, 0 to n - 1.
    starts, ends : numpy.ndarray of int64, shape (blocks,)
        Blocks of an alignment do not overlap; they touch where a deletion begins or ends.
    """
    operations, counts = alignments.cigars(rows)
    owners, _ = expand_counts(counts)
    lengths = ((operations >> 4) * _ON_REFERENCE[operations & 15]).astype(np.int64)
    below = np.concatenate([[0], np.cumsum(lengths)])
    first = below[np.cumsum(counts) - counts]
    starts = alignments.fields["start"][rows][owners] + below[:-1] - first[owners]
    covered = _IN_SPAN[operations & 15] & (lengths > 0)
    return owners[covered], starts[covered], (starts + lengths)[covered]


@contextmanager
def open_alignments(
    path: str | os.PathLike[str], reference: str | os.PathLike[str] | None = None
) -> Iterator[pysam.AlignmentFile]:
    """Open a BAM or CRAM file; whatever goes wrong while it is read (an OSError) becomes an InputError.

    Parameters
    ----------
    path : path
    reference : path, optional
        FASTA file with which a CRAM file was written. Only CRAM files that mix contigs in a slice need it.

    Yields
    ------
    pysam.AlignmentFile

    Raises
    ------
    InputError
        When a file is missing, truncated, damaged or of another kind.
    """
    for file in (path, *([] if reference is None else [reference])):
        if not isinstance(file, str | os.PathLike):
            msg = f"Alignments are the path of a BAM or CRAM file, or a list of paths. Received: {file!r:.80}."
            raise InputError(msg)
        if not Path(file).is_file():
            msg = f"{file} does not exist. Check the path."
            raise InputError(msg)
    verbosity = pysam.set_verbosity(0)
    settings = {} if reference is None else {"reference_filename": os.fspath(reference)}
    is_cram = False
    try:
        with pysam.AlignmentFile(os.fspath(path), format_options=_format_options(path), **settings) as file:
            is_cram = file.is_cram
            if not (file.is_bam or is_cram):
                msg = f"{path} is no BAM or CRAM file. Convert it: samtools view -b -o FILE.bam {path}"
                raise InputError(msg)
            yield file
    except InputError:
        raise
    except OSError as error:
        first = error.__context__  # closing a file after an error is an error, too
        if isinstance(first, InputError):
            raise first from None
        first = first if isinstance(first, OSError) else error
        raise InputError(_broken(path, reference, first, is_cram=is_cram)) from error
    except ValueError as error:
        msg = f"{path} is not a BAM file ({error}). Give a BAM file with a header that lists its contigs."
        raise InputError(msg) from error
    finally:
        pysam.set_verbosity(verbosity)


def has_fresh_index(path: str | os.PathLike[str], file: pysam.AlignmentFile) -> bool:
    """Say whether a file has an index, none that is older than itself: such a one may find too few reads, or none."""
    if not file.has_index():
        return False
    names = [f"{path}{ending}" for ending in _INDEXES] + [Path(path).with_suffix(ending) for ending in _INDEXES]
    changed = os.stat(path).st_mtime_ns
    old = [name for name in names if os.path.isfile(name) and os.stat(name).st_mtime_ns < changed]
    if old:
        logger.warning("%s is older than %s and left aside: all of the file is read. Index it again.", old[0], path)
    return not old


def _format_options(path: str | os.PathLike[str]) -> list[bytes]:
    with open(path, "rb") as file:
        return [_READ_FIELDS] if file.read(4) == b"CRAM" else []


def _broken(path: object, reference: object, error: OSError, *, is_cram: bool) -> str:
    if not is_cram:
        return f"{path} is truncated or damaged ({error}). Download or make the BAM file again."
    if reference is None:
        return (
            f"{path} cannot be decoded without the genome with which it was written, or it is truncated ({error}). "
            "Give that FASTA file as reference."
        )
    return f"{path} cannot be decoded ({error}): it is truncated, or {reference} is not the genome that it needs."
