"""Pre-flight of a FASTA file: whole, with an index that fits, and the lengths of its contigs."""

import functools
import os
import shlex
from pathlib import Path
from typing import BinaryIO

from helpers.data.assemblies import name_assembly
from helpers.data.contigs import read_chrom_sizes
from helpers.data.fasta import fasta_sizes
from helpers.data.file_checks import check_file, is_cut_short
from helpers.data.findings import Finding, failed
from helpers.errors import InputError


def check_fasta(path: str | os.PathLike, key: str = "genome") -> tuple[list[Finding], dict[str, int] | None]:
    """Check that a FASTA file can be read, and take the lengths of its contigs.

    Parameters
    ----------
    path : path
        FASTA, plain, gzipped or bgzipped. An index (.fai) that is not older than the file saves reading all of it.
    key : str
        What names the file, for messages.

    Returns
    -------
    findings : list of Finding
    sizes : dict of str to int, or None
        Length in bp by contig; None when the file cannot be read.
    """
    findings = check_file(path, key)
    if failed(findings):
        return findings, None
    index, status = Path(f"{os.fspath(path)}.fai"), Path(path).stat()
    indexed = index.exists() and index.stat().st_mtime >= status.st_mtime
    try:
        sizes = (
            _indexed_sizes(path, index) if indexed else _measure(os.fspath(path), status.st_mtime_ns, status.st_size)
        )
    except InputError as error:
        return [*findings, Finding("fasta", str(path), "error", str(error))], None
    assembly = name_assembly(sizes)
    named = f", lengths of {assembly}" if assembly else ""
    found = f"{len(sizes)} contigs, {sum(sizes.values())} bp{named}"
    return [*findings, Finding("fasta", str(path), "ok", found)], sizes


@functools.lru_cache(maxsize=8)
def _measure(path: str, changed: int, size: int) -> dict[str, int]:
    """Read a whole FASTA file once, however many studies use it; time of change and size tell it from another."""
    return fasta_sizes(path)


def _indexed_sizes(path: str | os.PathLike, index: Path) -> dict[str, int]:
    """Take lengths from an index that fits its file: each contig's name stands before its bases, and all are there."""
    sizes = read_chrom_sizes(index)
    if is_cut_short(path):
        msg = "The file is truncated: it lacks the end mark of bgzip. Download or make it again."
        raise InputError(msg)
    with open(path, "rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return sizes
        try:
            rows = [line.split("\t") for line in index.read_text().splitlines() if line.strip() and line[0] != "#"]
            fits = all(_fits(file, name, *map(int, numbers)) for name, *numbers in rows)
        except (ValueError, TypeError, OverflowError):  # not five columns, not numbers, or of no file
            fits = False
    if not fits:
        command = f"`samtools faidx {shlex.quote(str(path))}`"
        msg = f"The index {index.name} does not fit the file, or the file is cut short. Renew the index: {command}."
        raise InputError(msg)
    return sizes


def _fits(file: BinaryIO, name: str, length: int, offset: int, line_bases: int, line_bytes: int) -> bool:
    """Tell whether a contig's name stands before its first base, and a line ends with its last one."""
    if min(offset, line_bases, line_bytes) < 1:
        return False
    start = max(0, offset - 4096)
    file.seek(start)
    header = (b"\n" + file.read(offset - start)).rpartition(b"\n>")[2]
    file.seek(offset + (length - 1) // line_bases * line_bytes + (length - 1) % line_bases)
    last, after = file.read(1), file.read(1)
    return header.endswith(b"\n") and header.split()[:1] == [name.encode()] and last.isalpha() and after in b"\r\n"
