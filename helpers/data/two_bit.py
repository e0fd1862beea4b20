"""Genomes as 2bit files, as genome browsers read them: two bits a base, and where bases are unknown or lower case."""

import itertools
import os
import shutil
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import BinaryIO

import numpy as np

from helpers.data.alphabet import DNA, NOT_A_LETTER, Alphabet
from helpers.data.fasta import read_pieces
from helpers.errors import InputError, list_some
from helpers.files import atomic_path

_SIGNATURE, _VERSION = 0x1A412743, 0
_LARGEST = (1 << 32) - 1  # of an offset, in bytes
_LONGEST_NAME = 255  # bytes
_UNKNOWN = 4
_BASES_AT_ONCE = 1 << 22  # a multiple of 4

# T, C, A, G are 0, 1, 2, 3 in the file
_CODES = np.array([2, 1, 3, 0, _UNKNOWN], dtype=np.uint8)[np.frombuffer(DNA.lenient, dtype=np.uint8)]


class _Letters(Alphabet):
    """The letters of DNA as they stand in a file, upper or lower case, instead of their numbers."""

    @cached_property
    def strict(self) -> bytes:
        return bytes(NOT_A_LETTER if code == NOT_A_LETTER else byte for byte, code in enumerate(DNA.strict))


_LETTERS = _Letters(DNA.name, DNA.letters, DNA.others, DNA.same, DNA.has_strands)


def write_two_bit(
    path: str | os.PathLike[str], contigs: Mapping[str, bytes] | Iterable[tuple[str, bytes]]
) -> dict[str, int]:
    """Write contigs to a 2bit file of version 0.

    Parameters
    ----------
    path : path
        The file to write; it appears when it is complete.
    contigs : mapping, or iterable of (name, letters)
        Letters are ASCII; one contig is held in memory at a time. U is T; all but A, C, G, T, U is N. Lower case is
        kept as the soft mask.

    Returns
    -------
    dict of str to int
        Length of each contig in bp, in the order of the file.

    Raises
    ------
    InputError
        When there is no contig, a contig comes twice or has no bases or a name beyond 255 bytes, or the file would
        exceed 4 GiB (about 16 Gb of bases).

    References
    ----------
    https://genome.ucsc.edu/FAQ/FAQformat.html#format7

    Examples
    --------
    >>> folder = tempfile.mkdtemp()
    >>> write_two_bit(f"{folder}/x.2bit", {"chr1": b"ACGTNNacg"})
    {'chr1': 9}
    """
    sizes: dict[str, int] = {}
    offsets = []
    with atomic_path(path) as temporary, tempfile.TemporaryFile(dir=temporary.parent) as records:
        for name, letters in contigs.items() if isinstance(contigs, Mapping) else contigs:
            _check_contig(name, letters, sizes)
            sizes[name] = len(letters)
            offsets.append(records.tell())
            _write_record(records, np.frombuffer(letters, dtype=np.uint8))
        if not sizes:
            message = f"There is no contig to write to {path}. Give at least one."
            raise InputError(message)
        index = _header(sizes, offsets)
        if len(index) + offsets[-1] > _LARGEST:
            message = f"{path} would exceed 4 GiB, which a 2bit file cannot hold. Leave contigs out."
            raise InputError(message)
        records.seek(0)
        with temporary.open("wb") as file:
            file.write(index)
            shutil.copyfileobj(records, file, 1 << 20)
    return sizes


def fasta_to_two_bit(
    fasta: str | os.PathLike[str], path: str | os.PathLike[str], chroms: Sequence[str] | None = None
) -> dict[str, int]:
    """Write a FASTA file as a 2bit file, its soft mask included.

    Parameters
    ----------
    fasta : path
        Plain, gzip or bgzip FASTA. The name of a contig is the first word of its header.
    path : path
        The 2bit file to write; it appears when it is complete.
    chroms : sequence of str, optional
        Contigs to keep, in the order of the FASTA file; all by default.

    Returns
    -------
    dict of str to int
        Length of each contig kept, in bp.

    Raises
    ------
    InputError
        As `write_two_bit` and `helpers.data.fasta.read_fasta`.
    """
    return write_two_bit(path, _contigs(fasta, chroms))


def _contigs(fasta: str | os.PathLike[str], chroms: Sequence[str] | None) -> Iterator[tuple[str, bytearray]]:
    """Read the letters of each contig of `chroms`, and complain in the end of those that are missing."""
    missing = dict.fromkeys(chroms or ())
    for name, pieces in itertools.groupby(read_pieces(fasta, _LETTERS), key=itemgetter(0)):
        if chroms is None or name in missing:
            missing.pop(name, None)
            yield name, bytearray().join(piece for _, piece in pieces)
    if missing:
        message = f"{fasta} lacks these contigs: {list_some(missing, 8)}. Use the FASTA file that has them."
        raise InputError(message)


def _check_contig(name: str, letters: bytes, sizes: Mapping[str, int]) -> None:
    if name in sizes:
        message = f"Contig {name} comes twice. Contig names must be unique."
        raise InputError(message)
    if not 0 < len(letters) <= _LARGEST:
        message = (
            f"A contig of a 2bit file has 1 to {_LARGEST} bases. Received: {name} with {len(letters)}. Leave it out."
        )
        raise InputError(message)
    if not 0 < len(name.encode()) <= _LONGEST_NAME:
        message = f"A name in a 2bit file has 1 to {_LONGEST_NAME} bytes. Received: {name!r:.80}. Rename the contig."
        raise InputError(message)


def _header(sizes: Mapping[str, int], offsets: Sequence[int]) -> bytes:
    """Pack signature, version, number of contigs, and the name and place of each."""
    names = [name.encode() for name in sizes]
    start = 16 + sum(5 + len(name) for name in names)
    entries = [
        struct.pack("<B", len(name)) + name + struct.pack("<I", min(start + offset, _LARGEST))
        for name, offset in zip(names, offsets, strict=True)
    ]
    return struct.pack("<4I", _SIGNATURE, _VERSION, len(names), 0) + b"".join(entries)


def _write_record(file: BinaryIO, letters: np.ndarray) -> None:
    """Write a contig: its length, its unknown stretches, its lower-case stretches, and its bases."""
    packed = bytearray()
    changes, last = {"unknown": [], "lower": []}, {"unknown": False, "lower": False}
    for first in range(0, len(letters), _BASES_AT_ONCE):
        part = letters[first : first + _BASES_AT_ONCE]
        codes = _CODES[part]
        lower = (part >= ord("a")) & (part <= ord("z"))
        for name, inside in (("unknown", codes == _UNKNOWN), ("lower", lower)):
            changes[name].append(np.flatnonzero(np.diff(inside, prepend=last[name])) + first)
            last[name] = inside[-1]
        packed += _pack(codes)
    file.write(struct.pack("<I", len(letters)))
    for parts in changes.values():
        file.write(_blocks(np.concatenate(parts), len(letters)))
    file.write(struct.pack("<I", 0))
    file.write(packed)


def _blocks(changes: np.ndarray, length: int) -> bytes:
    """Pack stretches, given where they begin and end in turn: their number, their starts, their lengths."""
    edges = np.append(changes, length) if len(changes) % 2 else changes
    starts, ends = edges[::2], edges[1::2]
    return struct.pack("<I", len(starts)) + b"".join(array.astype("<u4").tobytes() for array in (starts, ends - starts))


def _pack(codes: np.ndarray) -> bytes:
    """Pack four bases into a byte, the first in the highest bits; unknown bases and what lies behind the end are T."""
    fours = np.append(codes & 3, np.zeros(-len(codes) % 4, dtype=np.uint8)).reshape(-1, 4)
    return (fours[:, 0] << 6 | fours[:, 1] << 4 | fours[:, 2] << 2 | fours[:, 3]).tobytes()
