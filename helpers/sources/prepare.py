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
from helpers.sources.faults import GZIP_MAGIC, find_fault

_CHUNK = 1 << 20  # bytes copied at once


def sort_alignments(
    path: str | os.PathLike[str], output: str | os.PathLike[str], *, name: str | os.PathLike[str] | None = None
) -> bool:
    """Write a BAM file sorted by coordinate, unless its header says that it is.

    Parameters
    ----------
    path : path
    output : path
        Appears when it is complete; may be `path`. What a process that was killed has left of it is removed.
    name : path, optional
        What a message calls the file, such as the archive that it lay in; `path` by default.

    Returns
    -------
    bool
        Whether it was sorted; if not, nothing is written.

    Raises
    ------
    InputError
        When it cannot be read, or there is no room for the sorted file.
    """
    folder = Path(output).with_name(f".{Path(output).name}.sorting")
    try:
        with pysam.AlignmentFile(os.fspath(path), check_sq=False) as alignments:
            if alignments.header.to_dict().get("HD", {}).get("SO") == "coordinate":
                return False
        logging.info("sorting %s by coordinate", path)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        pysam.sort("-o", f"{folder}/sorted.bam", "-T", f"{folder}/piece", "-O", "bam", os.fspath(path))
        os.replace(folder / "sorted.bam", output)
    except (OSError, ValueError, pysam.SamtoolsError) as error:
        what = f"{name or path} cannot be sorted: {_said(error)}"
        message = f"{what}. Make room, or remove it, so that it is downloaded again."
        raise InputError(message) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def index_alignments(path: str | os.PathLike[str], *, threads: int = 1) -> None:
    """Write the index ``PATH.bai`` of a BAM file that is sorted by coordinate.

    Parameters
    ----------
    path : path
    threads : int, default 1
        The index is the same for any number.

    Raises
    ------
    InputError
        When it is not sorted, or cannot be read.
    """
    _refuse_faults(path, "indexed")
    try:
        with atomic_path(f"{os.fspath(path)}.bai") as temporary:
            pysam.index("-@", str(threads - 1), os.fspath(path), os.fspath(temporary))  # beside the first
    except (OSError, pysam.SamtoolsError) as error:
        message = (
            f"{path} cannot be indexed: {_said(error)}. If its reads are not sorted by coordinate, although its header"
            " says so, sort it by `samtools sort` and give the sorted file as `path` in the sheet of tracks."
        )
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
    _refuse_faults(fasta, "bgzipped")
    try:
        with tempfile.TemporaryDirectory(dir=Path(output).parent, prefix=".genome-") as folder:
            packed = Path(folder) / "genome.gz"
            with _open_text(fasta) as text, pysam.BGZFile(os.fspath(packed), "wb") as file:
                shutil.copyfileobj(text, file, _CHUNK)
            pysam.faidx(os.fspath(packed))
            for ending in (".fai", ".gzi", ""):
                os.replace(f"{packed}{ending}", f"{os.fspath(output)}{ending}")
    except (OSError, EOFError, zlib.error, pysam.SamtoolsError) as error:
        message = f"{fasta} cannot be bgzipped and indexed: {_said(error)}. Download it again."
        raise InputError(message) from error


def _refuse_faults(path: str | os.PathLike[str], what: str) -> None:
    """Find what shows at first sight, because samtools takes a file that lost its last blocks for a whole one."""
    fault = find_fault(path, path) if os.path.isfile(path) else "there is no such file"
    if fault:
        message = f"{path} cannot be {what}: {fault}. Download it again."
        raise InputError(message)


def _said(error: Exception) -> str:
    """Give what samtools said, without the words that pysam puts around it; of other errors all."""
    said = str(getattr(error, "value", error))
    return " ".join(said.rpartition("stderr=")[2].split())


def _open_text(fasta: str | os.PathLike[str]) -> IO[bytes]:
    with open(fasta, "rb") as file:
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return gzip.open(fasta, "rb") if packed else open(fasta, "rb")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line; a failure is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m helpers.sources.prepare", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    index = commands.add_parser("index", help="index a sorted BAM file")
    index.add_argument("bam", type=Path)
    index.add_argument("--threads", type=int, default=1, help="of the processor (default: %(default)s)")
    genome = commands.add_parser("genome", help="bgzip and index a FASTA file")
    genome.add_argument("fasta", type=Path)
    genome.add_argument("output", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "index":
            index_alignments(options.bam, threads=options.threads)
        else:
            bgzip_genome(options.fasta, options.output)
    except InputError as error:
        sys.exit(f"ERROR: {error}")


if __name__ == "__main__":
    main()
