"""FASTA files to codes of letters, one byte each, as fast as the file can be read."""

import gzip
import logging
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from helpers.data.alphabet import DNA, NOT_A_LETTER, PROTEIN, Alphabet
from helpers.data.contigs import GZIP_MAGIC, lacks_bgzip_end
from helpers.data.fasta_index import IndexMisfit, has_index, read_indexed
from helpers.data.storage import GenomeArray, write_contigs
from helpers.errors import InputError

logger = logging.getLogger(__name__)

_BLOCK = 1 << 20  # bytes read at once
_SPACES = b"\n\r\t "


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
        As `helpers.data.alphabet.encode_letters` numbers them.

    Raises
    ------
    InputError
        When the file is missing, empty, no FASTA (with the line), truncated, or holds a contig twice or without bases.
    """
    name, codes = None, bytearray()
    for piece_name, piece in read_pieces(path):
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
        Contigs to keep, in the order of the file; all by default. With an index beside the file (.fai; .gzi too for
        bgzip) no other contig is read.

    Returns
    -------
    GenomeArray of uint8, shape (bases,)

    Raises
    ------
    InputError
        As `read_fasta_contigs`, or when the file lacks contigs of `chroms`.
    """
    collected = None
    if chroms is not None and has_index(path):
        try:
            collected = _collect(_indexed_pieces(path, chroms))
        except IndexMisfit as misfit:
            logger.warning("%s.fai is left aside and the whole file is read: %s", path, misfit)
    if collected is None:
        collected = _collect(pair for pair in read_pieces(path) if chroms is None or pair[0] in chroms)
    codes, lengths = collected
    _check_found(path, chroms or (), lengths)
    return GenomeArray(np.frombuffer(codes, dtype=np.uint8), lengths, {"source": Path(path).name})


def _check_found(path: str | os.PathLike[str], wanted: Sequence[str], found: Mapping[str, int]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        msg = f"{path} lacks these contigs: {', '.join(missing)}. Use the FASTA file of the assembly that has them."
        raise InputError(msg)


def _collect(pieces: Iterable[tuple[str, bytes]]) -> tuple[bytearray, dict[str, int]]:
    codes, lengths = bytearray(), {}
    for name, piece in pieces:
        lengths[name] = lengths.get(name, 0) + len(piece)
        codes += piece
    return codes, lengths


def _indexed_pieces(path: str | os.PathLike[str], chroms: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for name, text in read_indexed(path, chroms):
        codes = text.translate(DNA.strict, _SPACES)
        if NOT_A_LETTER in codes:
            msg = f"what stands in the place of {name} is no sequence"
            raise IndexMisfit(msg)
        yield name, codes


def encode_fasta(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    chroms: Sequence[str] | None = None,
    *,
    needed: Sequence[str] = (),
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
    needed : sequence of str
        Contigs without which nothing is written.

    Returns
    -------
    dict of str to int
        Length of each contig kept, in bp.

    Raises
    ------
    InputError
        As `read_fasta`, and when a contig is missing that is needed.
    """
    genome = read_fasta(path, chroms)
    _check_found(path, needed, genome.sizes)
    write_contigs(out, {name: genome.contig(name) for name in genome.contigs}, genome.attrs)
    return genome.sizes


def fasta_sizes(path: str | os.PathLike[str]) -> dict[str, int]:
    """Measure the contigs of a FASTA file, in bp, by reading all of it; errors as in `read_fasta_contigs`."""
    sizes: dict[str, int] = {}
    for name, piece in read_pieces(path):
        sizes[name] = sizes.get(name, 0) + len(piece)
    return sizes


def read_pieces(path: str | os.PathLike[str], alphabet: Alphabet = DNA) -> Iterator[tuple[str, bytes]]:
    """Read a FASTA file in pieces: name of a contig and the codes of some of its letters, in the order of the file.

    A long contig comes in several pieces; errors as in `read_fasta_contigs`.
    """
    with _open_fasta(path) as file:
        seen, name, n_letters, line = set(), None, 0, 1
        for block in _blocks_of_lines(file, path):
            start = 0
            while start < len(block):
                if block[start : start + 1] == b">":
                    stop = (block.find(b"\n", start) + 1) or len(block)
                    _check_letters(path, name, n_letters)
                    name, n_letters = _name_of(block[start + 1 : stop], seen, path, line), 0
                else:
                    stop = _next_header(block, start)
                    codes = _encode(block[start:stop], name, path, line, alphabet)
                    n_letters += len(codes)
                    yield name, codes
                line += block.count(b"\n", start, stop)
                start = stop
        if name is None:
            msg = f"{path} is empty. Give a FASTA file."
            raise InputError(msg)
        _check_letters(path, name, n_letters)


def _open_fasta(path: str | os.PathLike[str]) -> BinaryIO:
    path = Path(path)
    if not path.is_file():
        msg = f"FASTA file {path} does not exist. Check the path."
        raise InputError(msg)
    try:
        with path.open("rb") as file:
            head = file.read(18)
            file.seek(-min(28, path.stat().st_size), os.SEEK_END)
            tail = file.read()
    except OSError as error:
        msg = f"{path}: cannot read the file ({error.strerror or error}). Check its permissions."
        raise InputError(msg) from error
    if lacks_bgzip_end(head, tail):
        msg = f"{path} is truncated: it lacks the end mark of bgzip. Download or make the file again."
        raise InputError(msg)
    return gzip.open(path, "rb") if head.startswith(GZIP_MAGIC) else path.open("rb")


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


def _encode(lines: bytes, name: str | None, path: str | os.PathLike[str], line: int, alphabet: Alphabet) -> bytes:
    codes = lines.translate(alphabet.strict, _SPACES)
    if codes and name is None:
        first = lines.lstrip().split(b"\n", 1)[0][:40].decode(errors="replace")
        line += lines[: len(lines) - len(lines.lstrip())].count(b"\n")
        msg = f"{path}, line {line}: not a FASTA file, it begins with {first!r} instead of '>name'. Give a FASTA file."
        raise InputError(msg)
    if NOT_A_LETTER in codes:
        for shift, text in enumerate(lines.split(b"\n")):
            wrong = [byte for byte in text if alphabet.strict[byte] == NOT_A_LETTER and byte not in _SPACES]
            if wrong:
                raise InputError(_not_in(alphabet, wrong[0], f"{path}, line {line + shift}"))
    return codes


def _not_in(alphabet: Alphabet, byte: int, where: str) -> str:
    protein = alphabet is DNA and PROTEIN.strict[byte] != NOT_A_LETTER
    fix = "For proteins, use Bioseq.create_from_seq(..., seqtype='protein')." if protein else "Correct the file."
    return f"{where}: {chr(byte)!r} is no letter of {alphabet.name}. {fix}"


def _check_letters(path: str | os.PathLike[str], name: str | None, n_letters: int) -> None:
    if name is not None and not n_letters:
        msg = f"{path}: contig {name} has no bases. The file may be truncated; complete it or remove the header."
        raise InputError(msg)
