"""What is done to files after their download: alignments are sorted and indexed, a genome is bgzipped and indexed.

Run as ``python -m helpers.sources.prepare genome FASTA OUTPUT`` or ``python -m helpers.sources.prepare index BAM``.
"""

import argparse
import gzip
import logging
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pysam

from helpers.errors import InputError
from helpers.files import atomic_path
from helpers.sources.faults import GZIP_MAGIC

_CHUNK = 1 << 20  # bytes copied at once


def sort_alignments(path: str | os.PathLike[str]) -> bool:
    """Sort a BAM file by coordinate in its place, unless its header says that it is.

    Parameters
    ----------
    path : path
        Read twice when it is sorted; the sorted file takes its name when it is complete.

    Returns
    -------
    bool
        Whether it was sorted here.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        with pysam.AlignmentFile(os.fspath(path), check_sq=False) as alignments:
            if alignments.header.to_dict().get("HD", {}).get("SO") == "coordinate":
                return False
        logging.info("sorting %s by coordinate", path)
        pieces = tempfile.TemporaryDirectory(dir=Path(path).parent, prefix=".sort-")
        with pieces as folder, atomic_path(path) as temporary:
            options = ("-o", os.fspath(temporary), "-T", f"{folder}/piece", "-O", "bam")
            pysam.sort(*options, os.fspath(path))
    except (OSError, ValueError, pysam.SamtoolsError) as error:
        message = f"{path} cannot be sorted: {error}. Download it again."
        raise InputError(message) from error
    return True


def index_alignments(path: str | os.PathLike[str]) -> None:
    """Write the index ``PATH.bai`` of a BAM file that is sorted by coordinate.

    Raises
    ------
    InputError
        When it is not sorted, or cannot be read.
    """
    try:
        with atomic_path(f"{os.fspath(path)}.bai") as temporary:
            pysam.index(os.fspath(path), os.fspath(temporary))
    except (OSError, pysam.SamtoolsError) as error:
        message = f"{path} cannot be indexed: {error}. Remove it, so that it is downloaded and sorted again."
        raise InputError(message) from error


def bgzip_genome(fasta: str | os.PathLike[str], output: str | os.PathLike[str]) -> None:
    """Write a genome bgzipped, with the indexes (``.fai``, ``.gzi``) by which programs read single contigs.

    Parameters
    ----------
    fasta : path
        Plain, gzipped or bgzipped.
    output : path
        The bgzipped copy; it appears after its indexes.

    Raises
    ------
    InputError
        When the genome cannot be read or indexed.
    """
    try:
        with tempfile.TemporaryDirectory(dir=Path(output).parent, prefix=".genome-") as folder:
            packed = Path(folder) / "genome.gz"
            with _open_text(fasta) as text, pysam.BGZFile(os.fspath(packed), "wb") as file:
                shutil.copyfileobj(text, file, _CHUNK)
            pysam.faidx(os.fspath(packed))
            for ending in (".fai", ".gzi", ""):
                os.replace(f"{packed}{ending}", f"{os.fspath(output)}{ending}")
    except (OSError, EOFError, zlib.error, pysam.SamtoolsError) as error:
        message = f"{fasta} cannot be bgzipped and indexed: {error}. Download it again."
        raise InputError(message) from error


def _open_text(fasta: str | os.PathLike[str]) -> IO[bytes]:
    with open(fasta, "rb") as file:
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return gzip.open(fasta, "rb") if packed else open(fasta, "rb")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line; a failure is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m helpers.sources.prepare", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("index", help="index a sorted BAM file").add_argument("bam", type=Path)
    genome = commands.add_parser("genome", help="bgzip and index a FASTA file")
    genome.add_argument("fasta", type=Path)
    genome.add_argument("output", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "index":
            index_alignments(options.bam)
        else:
            bgzip_genome(options.fasta, options.output)
    except InputError as error:
        sys.exit(f"ERROR: {error}")


if __name__ == "__main__":
    main()
