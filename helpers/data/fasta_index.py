"""Single contigs of a FASTA file by its index (.fai; .gzi for bgzip), without reading the rest."""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from helpers.data.contigs import GZIP_MAGIC

_BLOCK = 1 << 20  # bytes read at once
_MAX_HEADER = 1 << 12  # bytes
_LINE_ENDS = b"\r\n"


class IndexMisfit(Exception):
    """The index is not one of this file: the file has to be read whole."""


class _Entry(NamedTuple):
    """One line of a .fai: bases of the contig, its first byte, and bases and bytes of a line."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int

    @property
    def n_bytes(self) -> int:
        """Bytes from the first base to the last, line ends between them included."""
        return self.length + (self.length - 1) // self.line_bases * (self.line_bytes - self.line_bases)

    @property
    def is_possible(self) -> bool:
        """Whether a FASTA file can have such a contig; a last line alone may lack its line end."""
        ended = self.line_bytes > self.line_bases or (self.line_bytes == self.line_bases >= self.length)
        return min(self.length, self.offset, self.line_bases) > 0 and ended


def has_index(path: str | os.PathLike[str]) -> bool:
    """Say whether a .fai lies beside a file."""
    return os.path.isfile(f"{os.fspath(path)}.fai")


def read_indexed(path: str | os.PathLike[str], chroms: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Read contigs by the index of their file.

    Parameters
    ----------
    path : path
        Plain or bgzip FASTA with an index.
    chroms : sequence of str
        Contigs to read.

    Yields
    ------
    name : str
        A contig, in the order of the file, as often as needed.
    text : bytes
        Some of its letters and line ends.

    Raises
    ------
    IndexMisfit
        When the index lacks a contig or is not one of this file. Header, length and end of each contig are verified,
        the latter two behind its last text, so that an old index leads to no wrong base.
    """
    path = Path(path)
    try:
        entries = _read_fai(Path(f"{path}.fai"))
        places = [(entries[name].offset, name) for name in set(chroms)]
        for _, name in sorted(places):
            for text in _texts(path, name, entries[name]):
                yield name, text
    except (KeyError, ValueError, OSError, EOFError, zlib.error) as error:
        raise IndexMisfit(str(error)) from error


def _read_fai(index: Path) -> dict[str, _Entry]:
    entries = {}
    for line in index.read_text().splitlines():
        name, *numbers = line.split("\t")
        entry = _Entry(*map(int, numbers[:4])) if len(numbers) >= 4 else None
        if entry is None or not entry.is_possible or name in entries:
            msg = f"no place of a contig, or of one that has a place: {line!r}"
            raise IndexMisfit(msg)
        entries[name] = entry
    return entries


def _texts(path: Path, name: str, entry: _Entry) -> Iterator[bytes]:
    before = min(entry.offset, _MAX_HEADER)
    with ExitStack() as stack:
        file = _open_at(path, entry.offset - before, stack)
        header = file.read(before)
        last = header.rstrip(_LINE_ENDS).rpartition(b"\n")[2]
        if not header.endswith(b"\n") or last[:1] != b">" or last[1:].split()[:1] != [name.encode()]:
            msg = f"no header of {name} at byte {entry.offset}"
            raise IndexMisfit(msg)
        n_bases, left = 0, entry.n_bytes
        while left and (text := file.read(min(left, _BLOCK))):
            left -= len(text)
            n_bases += len(text) - sum(text.count(end) for end in _LINE_ENDS)
            yield text
        behind = file.read(1 + entry.line_bytes - entry.line_bases)
        if n_bases != entry.length or behind[:1] not in _LINE_ENDS or behind.strip(_LINE_ENDS) not in (b"", b">"):
            msg = f"{name} has not {entry.length} bases in lines of {entry.line_bases}"
            raise IndexMisfit(msg)


def _open_at(path: Path, offset: int, stack: ExitStack) -> BinaryIO:
    """Open a file at a byte of its text; that of a bgzip file is found by its .gzi."""
    file = stack.enter_context(path.open("rb"))
    if file.read(2) != GZIP_MAGIC:
        file.seek(offset)
        return file
    packed, unpacked = _block_of(Path(f"{path}.gzi"), offset)
    file.seek(packed)
    text = stack.enter_context(gzip.GzipFile(fileobj=file))
    text.seek(offset - unpacked)
    return text


def _block_of(index: Path, offset: int) -> tuple[int, int]:
    """Give packed and unpacked place of the block in which a byte of the text lies."""
    numbers = np.frombuffer(index.read_bytes(), dtype="<u8")
    if not len(numbers) or len(numbers) != 1 + 2 * int(numbers[0]):
        msg = f"{index.name} is cut short"
        raise IndexMisfit(msg)
    places = numbers[1:].reshape(-1, 2)
    found = int(np.searchsorted(places[:, 1], offset, side="right")) - 1
    return (0, 0) if found < 0 else (int(places[found, 0]), int(places[found, 1]))
