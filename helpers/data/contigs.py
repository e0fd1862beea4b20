"""Contigs and their lengths: FASTA indexes and tables of chromosome sizes; text files, plain or gzipped."""

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from helpers.errors import InputError, list_some
from helpers.files import atomic_path

GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def read_chrom_sizes(path: str | os.PathLike) -> dict[str, int]:
    """Read contig lengths from a FASTA index (.fai) or a table of contig and length (.chrom.sizes).

    Parameters
    ----------
    path : path
        Tab-separated file, plain or gzipped; the first column is the contig, the second its length in bp.

    Returns
    -------
    dict of str to int
        Length in bp by contig, in the order of the file.

    Raises
    ------
    InputError
        For a missing or empty file, a line without a positive whole length, a contig that occurs twice.
    """
    sizes: dict[str, int] = {}
    for number, line in enumerate(read_text(path).decode(errors="replace").split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        chrom, *rest = line.split("\t")
        if not rest or not re.fullmatch(r"\s*0*[1-9][0-9]{0,17}\s*", rest[0], flags=re.ASCII):
            received = f"Received: {line!r}. Correct the line."
            msg = f"{path}, line {number}: expected a contig, a tab and its length in bp. {received}"
            raise InputError(msg)
        if chrom in sizes:
            msg = f"{path}, line {number}: contig {chrom} occurs twice. Remove one of the lines."
            raise InputError(msg)
        sizes[chrom] = int(rest[0])
    if not sizes:
        msg = f"{path}: the file holds no contig lengths. Write contig, tab and length in bp, or run `samtools faidx`."
        raise InputError(msg)
    return sizes


def write_chrom_sizes(sizes: Mapping[str, int], path: str | os.PathLike) -> None:
    """Write a table of contig and length, in the order given.

    Parameters
    ----------
    sizes : mapping of str to int
        Length in bp by contig.
    path : path
        Tab-separated file; it appears complete or not at all, folders are made.
    """
    with atomic_path(path) as unfinished:
        unfinished.write_text("".join(f"{chrom}\t{length}\n" for chrom, length in sizes.items()))


def check_sizes(sizes: Any) -> None:
    """Raise InputError unless these are contigs and their lengths in bp."""
    if not isinstance(sizes, Mapping):
        msg = f"genomesize is a mapping of contig to length in bp. Received: {sizes!r:.80}. Use read_chrom_sizes(path)."
        raise InputError(msg)
    wrong = [name for name, size in sizes.items() if not isinstance(size, int | np.integer) or size < 1]
    if wrong:
        msg = f"genomesize gives lengths in bp, at least 1. Received: {wrong[0]}: {sizes[wrong[0]]!r}."
        raise InputError(msg)


def agree_on_sizes(
    files: Iterable[tuple[str | os.PathLike, Mapping[str, int]]], given: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Agree on the contigs of files of one genome and their lengths in bp.

    Parameters
    ----------
    files : iterable of (path, mapping of str to int)
        What each file says.
    given : mapping of str to int, optional
        Contigs to use; not every file has to name each of them. By default all that any file names.

    Raises
    ------
    InputError
        When `given` is no mapping to lengths, two say different lengths of a contig, or a file names none of those
        that are known before it.

    Examples
    --------
    >>> agree_on_sizes([("a.bw", {"chr1": 90}), ("b.bw", {"chr1": 90, "chr2": 70})])
    {'chr1': 90, 'chr2': 70}
    """
    if given:
        check_sizes(given)
    sizes, owners = dict(given or {}), dict.fromkeys(given or {}, "genomesize")
    for path, found in files:
        for chrom, size in found.items():
            if sizes.get(chrom, size) != size:
                agreed = f"{owners[chrom]} says {sizes[chrom]}"
                msg = f"{path} has {chrom} of {size} bp, {agreed}. Use one assembly for all."
                raise InputError(msg)
        if not found or (sizes and not found.keys() & sizes.keys()):
            wanted = f"none of the contigs {list_some(sizes, 8)}" if sizes else "no contigs"
            has = f" It has {list_some(found, 8)}." if found else ""
            msg = f"{path} has {wanted}.{has} Use one assembly for all."
            raise InputError(msg)
        if not given:
            sizes |= found
            owners = dict.fromkeys(found, path) | owners
    return sizes


def read_text(path: str | os.PathLike, *, cut_at: bytes | None = None) -> bytes:
    """Read a text file whole, gunzipped if it begins as gzip does, with Unix line ends.

    Parameters
    ----------
    path : path
        Text, plain or gzipped (bgzip too), with Unix or Windows line ends.
    cut_at : bytes, optional
        What ends the text; it and all after it are left out.

    Returns
    -------
    bytes
        The text without a byte-order mark.

    Raises
    ------
    InputError
        For a file that is missing, unreadable, damaged or cut short.
    """
    path = Path(path)
    with _explained(path):
        text = path.read_bytes()
        _check_bgzip_end(path, text[:18], text[-len(_BGZF_END) :])
        text = gzip.decompress(text) if text.startswith(GZIP_MAGIC) else text
    text = _with_unix_ends(text).removeprefix(_BYTE_ORDER_MARK)
    return text.partition(cut_at)[0] if cut_at else text


def read_blocks(path: str | os.PathLike, *, cut_at: bytes, n_bytes: int = 1 << 22) -> Iterator[bytes]:
    """Read a text file as `read_text` does, a block of lines at a time.

    Parameters
    ----------
    path : path
        Text, plain or gzipped (bgzip too), with Unix or Windows line ends.
    cut_at : bytes
        A line end and how the next line begins: what ends the text, see `read_text`.
    n_bytes : int
        Bytes to read at once, unpacked, which bounds memory: a few times as much, or as the longest line (with the line
        ends of old Macs all is one line).

    Yields
    ------
    bytes
        Whole lines. The line end between two blocks is at the start of the second; together they are the text.

    Raises
    ------
    InputError
        For a file that is missing, unreadable, damaged or cut short, at the latest behind the last block.
    """
    path = Path(path)
    with _explained(path), open(path, "rb") as packed:
        head = packed.read(18)
        packed.seek(-min(len(_BGZF_END), path.stat().st_size), os.SEEK_END)
        _check_bgzip_end(path, head, packed.read())
        packed.seek(0)
        file = gzip.GzipFile(fileobj=packed) if head.startswith(GZIP_MAGIC) else packed
        text = file.read(len(_BYTE_ORDER_MARK)).removeprefix(_BYTE_ORDER_MARK)
        found = b""
        while more := file.read(n_bytes):
            if found:
                continue  # for the checksum behind it
            text += more
            end = max(text.rfind(b"\n"), 0)
            end -= text.endswith(b"\r", 0, end)  # the two bytes of Windows' line ends stay together
            block, found, _ = _with_unix_ends(text[:end]).partition(cut_at)
            yield block
            text = text[end:]
        if not found:
            yield _with_unix_ends(text).partition(cut_at)[0]


def _with_unix_ends(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Raise InputError for what goes wrong while a file is read."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        msg = f"{path}: the gzipped file is damaged or cut short ({error}). Download or compress it again."
        raise InputError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot read the file ({error.strerror or error}). Check the path and its permissions."
        raise InputError(msg) from error


def _check_bgzip_end(path: Path, head: bytes, tail: bytes) -> None:
    if lacks_bgzip_end(head, tail):
        msg = f"{path}: the file is cut short: it lacks the end mark of bgzip. Download or compress it again."
        raise InputError(msg)


def lacks_bgzip_end(head: bytes, tail: bytes) -> bool:
    """Say from its first 18 and its last 28 bytes whether a file is a bgzip file that was cut between two blocks.

    Only the end mark tells: the blocks before it unpack well.
    """
    return head.startswith(GZIP_MAGIC) and head[12:16] == _BGZF_END[12:16] and tail != _BGZF_END
