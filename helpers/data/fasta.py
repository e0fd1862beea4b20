"""FASTA files to codes of bases, one byte each, as fast as the file can be read."""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from helpers.data.storage import GenomeArray, write_contigs
from helpers.errors import InputError

UNKNOWN = 4
_NOT_A_LETTER = 255
_BLOCK = 1 << 20  # bytes read at once
_GZIP_MAGIC = b"\x1f\x8b"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def _codes_by_byte() -> bytes:
    codes = bytearray([_NOT_A_LETTER]) * 256
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        codes[letter] = codes[letter + 32] = UNKNOWN
    for symbol in b"*-.?":
        codes[symbol] = UNKNOWN
    for code, letter in enumerate(b"ACGT"):
        codes[letter] = codes[letter + 32] = code
    return bytes(codes)


_CODES = _codes_by_byte()
_CODES_OR_UNKNOWN = _CODES.replace(bytes([_NOT_A_LETTER]), bytes([UNKNOWN]))


def encode_letters(letters: bytes | np.ndarray) -> np.ndarray:
    """Encode the letters of a sequence, one number each.

    Parameters
    ----------
    letters : bytes, or numpy.ndarray of uint8
        ASCII letters, upper or lower case.

    Returns
    -------
    numpy.ndarray of uint8, shape of `letters`
        0, 1, 2, 3 for A, C, G, T and 4 for anything else.

    Examples
    --------
    >>> encode_letters(b"ACgtN")
    array([0, 1, 2, 3, 4], dtype=uint8)
    """
    if isinstance(letters, np.ndarray):
        return np.frombuffer(_CODES_OR_UNKNOWN, dtype=np.uint8)[letters]
    return np.frombuffer(bytearray(letters.translate(_CODES_OR_UNKNOWN)), dtype=np.uint8)


def read_fasta_contigs(path: str | os.PathLike[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Read a FASTA file contig by contig.

    Parameters
    ----------
    path : path
        Plain, gzip or bgzip FASTA. The name of a contig is the first word of its header.

    Yields
    ------
    name : str
    codes : numpy.ndarray of uint8, shape (bases,)
        As `encode_letters` numbers them.

    Raises
    ------
    InputError
        When the file is missing, empty, no FASTA (with the line), truncated, or holds a contig twice or without bases.
    """
    name, codes = None, bytearray()
    for piece_name, piece in _pieces(path):
        if piece_name != name:
            if name is not None:
                yield name, np.frombuffer(codes, dtype=np.uint8)
            name, codes = piece_name, bytearray()
        codes += piece
    yield name, np.frombuffer(codes, dtype=np.uint8)


def read_fasta(path: str | os.PathLike[str], chroms: Sequence[str] | None = None) -> GenomeArray:
    """Read a FASTA file into one array in memory, 1 byte a base.

    Parameters
    ----------
    path : path
        As in `read_fasta_contigs`.
    chroms : sequence of str, optional
        Contigs to keep, in the order of the file; all by default.

    Returns
    -------
    GenomeArray of uint8, shape (bases,)

    Raises
    ------
    InputError
        As `read_fasta_contigs`, or when the file lacks contigs of `chroms`.
    """
    codes, lengths = bytearray(), {}
    for name, piece in _pieces(path):
        if chroms is None or name in chroms:
            lengths[name] = lengths.get(name, 0) + len(piece)
            codes += piece
    missing = [name for name in chroms or () if name not in lengths]
    if missing:
        msg = f"{path} lacks these contigs: {', '.join(missing)}. Use the FASTA file of the assembly that has them."
        raise InputError(msg)
    return GenomeArray(np.frombuffer(codes, dtype=np.uint8), lengths, {"source": Path(path).name})


def encode_fasta(
    path: str | os.PathLike[str], out: str | os.PathLike[str], chroms: Sequence[str] | None = None
) -> dict[str, int]:
    """Store the codes of a FASTA file for `GenomeArray.open` and `Bioseq.create_from_refgenome`.

    Parameters
    ----------
    path : path
        As in `read_fasta_contigs`.
    out : path
        Genome array to write, 1 byte a base.
    chroms : sequence of str, optional
        Contigs to keep, in the order of the file; all by default.

    Returns
    -------
    dict of str to int
        Length of each contig kept, in bp.

    Raises
    ------
    InputError
        As `read_fasta`.
    """
    genome = read_fasta(path, chroms)
    write_contigs(out, {name: genome.contig(name) for name in genome.contigs}, genome.attrs)
    return genome.sizes


def fasta_sizes(path: str | os.PathLike[str]) -> dict[str, int]:
    """Measure the contigs of a FASTA file, in bp, by reading all of it; errors as in `read_fasta_contigs`."""
    sizes: dict[str, int] = {}
    for name, piece in _pieces(path):
        sizes[name] = sizes.get(name, 0) + len(piece)
    return sizes


def _pieces(path: str | os.PathLike[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a contig and the codes of some of its bases, in the order of the file."""
    with _open_fasta(path) as file:
        seen, name, n_bases, line = set(), None, 0, 1
        for block in _blocks_of_lines(file, path):
            start = 0
            while start < len(block):
                if block[start : start + 1] == b">":
                    stop = (block.find(b"\n", start) + 1) or len(block)
                    _check_bases(path, name, n_bases)
                    name, n_bases = _name_of(block[start + 1 : stop], seen, path, line), 0
                else:
                    stop = _next_header(block, start)
                    codes = _encode(block[start:stop], name, path, line)
                    n_bases += len(codes)
                    yield name, codes
                line += block.count(b"\n", start, stop)
                start = stop
        if name is None:
            msg = f"{path} is empty. Give a FASTA file."
            raise InputError(msg)
        _check_bases(path, name, n_bases)


def _open_fasta(path: str | os.PathLike[str]) -> BinaryIO:
    path = Path(path)
    if not path.is_file():
        msg = f"FASTA file {path} does not exist. Check the path."
        raise InputError(msg)
    with path.open("rb") as file:
        head = file.read(18)
        if not head.startswith(_GZIP_MAGIC):
            return path.open("rb")
        file.seek(-min(len(_BGZF_END), path.stat().st_size), os.SEEK_END)
        if head[12:16] == _BGZF_END[12:16] and file.read() != _BGZF_END:
            msg = f"{path} is truncated: it lacks the end mark of bgzip. Download or make the file again."
            raise InputError(msg)
    return gzip.open(path, "rb")


def _blocks_of_lines(file: BinaryIO, path: str | os.PathLike[str]) -> Iterator[bytes]:
    """Read blocks that end where a line ends."""
    try:
        while block := file.read(_BLOCK):
            yield block if block.endswith(b"\n") else block + file.readline()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        msg = f"{path} is truncated or damaged ({error}). Download or make the file again."
        raise InputError(msg) from error


def _next_header(block: bytes, start: int) -> int:
    """Find where the next line begins that is a header; one byte is found much faster than two."""
    found = block.find(b">", start)
    while found > start and block[found - 1 : found] != b"\n":
        found = block.find(b">", found + 1)
    return len(block) if found < 0 else found


def _name_of(header: bytes, seen: set[str], path: str | os.PathLike[str], line: int) -> str:
    words = header.decode(errors="replace").split()
    if not words:
        msg = f"{path}, line {line}: a header without a name. Write the contig's name directly behind '>'."
        raise InputError(msg)
    if words[0] in seen:
        msg = f"{path}, line {line}: contig {words[0]} comes twice. Remove or rename one of the two."
        raise InputError(msg)
    seen.add(words[0])
    return words[0]


def _encode(lines: bytes, name: str | None, path: str | os.PathLike[str], line: int) -> bytes:
    codes = lines.translate(_CODES, b"\n\r\t ")
    if codes and name is None:
        first = lines.lstrip().split(b"\n", 1)[0][:40].decode(errors="replace")
        line += lines[: len(lines) - len(lines.lstrip())].count(b"\n")
        msg = f"{path}, line {line}: not a FASTA file, it begins with {first!r} instead of '>name'. Give a FASTA file."
        raise InputError(msg)
    if _NOT_A_LETTER in codes:
        for shift, text in enumerate(lines.split(b"\n")):
            wrong = [chr(byte) for byte in text if _CODES[byte] == _NOT_A_LETTER and byte not in b"\r\t "]
            if wrong:
                msg = f"{path}, line {line + shift}: {wrong[0]!r} in a sequence. Give a FASTA file of DNA."
                raise InputError(msg)
    return codes


def _check_bases(path: str | os.PathLike[str], name: str | None, n_bases: int) -> None:
    if name is not None and not n_bases:
        msg = f"{path}: contig {name} has no bases. The file may be truncated; complete it or remove the header."
        raise InputError(msg)
