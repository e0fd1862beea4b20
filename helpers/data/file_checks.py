"""Pre-flight of single files: they are there, whole, sorted, indexed, and inside the genome's contigs."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pysam

from helpers.data.contigs import read_chrom_sizes
from helpers.data.fasta import fasta_sizes
from helpers.data.region_files import read_region_lines
from helpers.errors import InputError


class Finding(NamedTuple):
    """What one check found: its name, the file, 'ok', 'warning' or 'error', and what is wrong and what to do."""

    check: str
    file: str
    status: str
    message: str


def check_file(path: str | os.PathLike, key: str) -> list[Finding]:
    """Check that a file exists, can be read and holds something.

    Parameters
    ----------
    path : path
        The file.
    key : str
        What names it, such as ``track dnase`` or ``blacklist``.

    Returns
    -------
    list of Finding
        One, 'ok' or 'error'.
    """
    path = Path(path)
    problem = ""
    if not path.exists():
        nearest = next(parent for parent in path.absolute().parents if parent.exists())
        problem = f"There is no such file; {nearest} exists. Correct the path of {key}, or put the file there."
    elif not path.is_file():
        problem = f"This is not a file. Correct the path of {key}."
    elif not os.access(path, os.R_OK):
        problem = f"The file cannot be read. Give permission: `chmod +r {shlex.quote(str(path))}`."
    elif path.stat().st_size == 0:
        problem = f"The file of {key} is empty. Download or make it again."
    return [Finding("file", str(path), "error" if problem else "ok", problem or key)]


def check_fasta(path: str | os.PathLike, key: str = "genome") -> tuple[list[Finding], dict[str, int] | None]:
    """Check that a FASTA file can be read, and take the lengths of its contigs.

    Parameters
    ----------
    path : path
        FASTA, plain, gzipped or bgzipped. An index (.fai) that is not older than the file saves reading it.
    key : str
        What names the file, for messages.

    Returns
    -------
    findings : list of Finding
    sizes : dict of str to int, or None
        Length in bp by contig; None when the file cannot be read.
    """
    findings = check_file(path, key)
    if _failed(findings):
        return findings, None
    index = Path(f"{os.fspath(path)}.fai")
    indexed = index.exists() and index.stat().st_mtime >= Path(path).stat().st_mtime
    try:
        sizes = read_chrom_sizes(index) if indexed else fasta_sizes(path)
    except InputError as error:
        return [*findings, Finding("fasta", str(path), "error", str(error))], None
    return [*findings, Finding("fasta", str(path), "ok", f"{len(sizes)} contigs, {sum(sizes.values())} bp")], sizes


def check_bam(path: str | os.PathLike, key: str = "track") -> tuple[list[Finding], dict[str, int] | None]:
    """Check that a BAM file is whole, sorted by coordinate, indexed and not empty.

    Parameters
    ----------
    path : path
        BAM file; its index (.bai or .csi) lies beside it.
    key : str
        What names the file, for messages.

    Returns
    -------
    findings : list of Finding
    sizes : dict of str to int, or None
        Length in bp by contig of the header; None when the file cannot be read.

    Notes
    -----
    The end marker, the header and the first read of the last contig are read, not all reads.
    """
    findings = check_file(path, key)
    if _failed(findings):
        return findings, None
    try:
        with _open_quietly(path) as bam:
            sizes = dict(zip(bam.references, bam.lengths, strict=True))
            problems = _bam_problems(os.fspath(path), bam)
    except (OSError, ValueError) as error:
        return [*findings, Finding("bam", str(path), "error", _unreadable(path, error))], None
    findings += [Finding("bam", str(path), status, message) for status, message in problems]
    if not problems:
        findings.append(Finding("bam", str(path), "ok", f"sorted and indexed, {len(sizes)} contigs"))
    return findings, sizes


def check_regions_file(
    path: str | os.PathLike,
    sizes: Mapping[str, int] | None,
    used: Iterable[str],
    *,
    key: str = "track",
    needed: bool = True,
) -> list[Finding]:
    """Check that a region file can be read, names contigs as the genome does and stays inside them.

    Parameters
    ----------
    path : path
        BED, narrowPeak, broadPeak, GFF or GTF, see `helpers.data.regions.read_regions`.
    sizes : mapping of str to int, or None
        Length in bp of the genome's contigs; None compares nothing.
    used : iterable of str
        Contigs in use; regions on others only make a warning.
    key : str
        What names the file, for messages.
    needed : bool
        Whether a file without regions on these contigs is an error.

    Returns
    -------
    list of Finding
    """
    if not needed and Path(path).is_file() and Path(path).stat().st_size == 0:
        return [Finding("file", str(path), "ok", f"{key}, without regions")]
    findings = check_file(path, key)
    if _failed(findings):
        return findings
    try:
        regions, lines = read_region_lines(path)
    except InputError as error:
        return [*findings, Finding("regions", str(path), "error", str(error))]
    problems = [] if sizes is None else _region_problems(path, regions, lines, sizes, list(used), needed)
    problems = problems or [("ok", f"{len(regions)} regions")]
    return findings + [Finding("regions", str(path), status, message) for status, message in problems]


def pair_names(ours: Iterable[str], theirs: Iterable[str]) -> list[tuple[str, str]]:
    """Pair contig names that differ only in case or in a leading 'chr'.

    Parameters
    ----------
    ours, theirs : iterable of str
        Contig names.

    Returns
    -------
    list of (str, str)
        Our name and theirs, in our order; names without a counterpart are left out.

    Examples
    --------
    >>> pair_names(["chr1", "chrX"], ["1", "2"])
    [('chr1', '1')]
    """
    plain = {name.lower().removeprefix("chr"): name for name in theirs}
    matches = [(name, plain.get(name.lower().removeprefix("chr"))) for name in ours]
    return [(name, match) for name, match in matches if match is not None]


def rename_advice(path: str | os.PathLike, pairs: list[tuple[str, str]]) -> str:
    """Say that a file names contigs differently, and how to rename them.

    Parameters
    ----------
    path : path
        BAM or text file with the other names.
    pairs : list of (str, str)
        The genome's name and the file's, see `pair_names`.

    Returns
    -------
    str
        Sentences with a command where a leading 'chr' is all that differs.
    """
    named = list_some([f"{theirs} where the genome says {ours}" for ours, theirs in pairs])
    add = all(ours == f"chr{theirs}" for ours, theirs in pairs)
    drop = all(theirs == f"chr{ours}" for ours, theirs in pairs)
    how = "without 'chr'" if add else "with 'chr'" if drop else "differently"
    problem = f"Contigs are named {how}: {named}."
    if not (add or drop):
        return f"{problem} Rename the contigs in this file or in the FASTA file, so that they agree."
    name, quoted = Path(path).name, shlex.quote(os.fspath(path))
    renamed = shlex.quote("renamed." + name.removesuffix(".gz"))
    if name.endswith(".bam"):
        script = "s/SN:/SN:chr/" if add else "s/SN:chr/SN:/"
        command = f'samtools reheader -c "sed {script}" {quoted} > {renamed} && samtools index {renamed}'
    else:
        script = "/^#/!s/^/chr/" if add else "s/^chr//"
        reader = "gzip -dc" if name.endswith(".gz") else "cat"
        command = f"{reader} {quoted} | sed '{script}' > {renamed}"
    return f"{problem} Rename them: `{command}`, and use that file."


def list_some(names: Iterable[str], most: int = 5, separator: str = ", ") -> str:
    """Join names, the first few of many.

    Parameters
    ----------
    names : iterable
        What is listed, in this order.
    most : int
        How many are named; the rest is counted.
    separator : str
        What stands between two names.

    Returns
    -------
    str
        Empty when there are no names.

    Examples
    --------
    >>> list_some("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    names = list(map(str, names))
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + rest


@contextmanager
def _open_quietly(path: str | os.PathLike) -> Iterator[pysam.AlignmentFile]:
    """Open alignments while htslib keeps its own messages to itself."""
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.AlignmentFile(os.fspath(path)) as alignments:
            yield alignments
    finally:
        pysam.set_verbosity(verbosity)


def _bam_problems(path: str, bam: pysam.AlignmentFile) -> list[tuple[str, str]]:
    """Check sorting, index and first reads of an open alignment file."""
    problems, quoted = [], shlex.quote(path)
    if not bam.is_bam:
        return [("error", f"This is not a BAM file. Convert it: `samtools sort -o new.bam {quoted}`.")]
    index = next((index for index in _index_paths(path) if index.exists()), None)
    order = bam.header.to_dict().get("HD", {}).get("SO", "unknown")
    if index is None and order == "unknown" and not _looks_sorted(bam):
        order = "unsorted"
    if order == "queryname" or (order == "unsorted" and index is None):
        command = f"`samtools sort -o sorted.bam {quoted} && samtools index sorted.bam`"
        problems.append(("error", f"Reads are not sorted by coordinate ({order}). Sort and index: {command}."))
    elif index is None:
        python = f"""`python -c "import pysam; pysam.index({path!r})"`"""
        problems.append(("error", f"There is no index (.bai or .csi). Run `samtools index {quoted}` or {python}."))
    elif index.stat().st_mtime < Path(path).stat().st_mtime:
        message = f"The index {index.name} is older than the file. Renew it: `samtools index {quoted}`."
        problems.append(("warning", message))
    if index is not None:
        filled = [contig.contig for contig in bam.get_index_statistics() if contig.mapped]
        if not filled:
            problems.append(("error", "The index counts no mapped reads. Use a file with aligned reads."))
        elif next(bam.fetch(filled[-1]), None) is None:
            message = (
                f"The index has reads on {filled[-1]}, but the file has none. Renew it: `samtools index {quoted}`."
            )
            problems.append(("error", message))
    return problems


def _looks_sorted(bam: pysam.AlignmentFile, n_reads: int = 10_000) -> bool:
    """Look at the order of the first reads; unaligned ones come last in a sorted file."""
    reads = islice(bam.fetch(until_eof=True), n_reads)
    places = [(read.reference_id % (bam.nreferences + 1), read.reference_start) for read in reads]
    return places == sorted(places)


def _index_paths(path: str) -> list[Path]:
    return [Path(f"{path}.bai"), Path(f"{path}.csi"), Path(path).with_suffix(".bai"), Path(path).with_suffix(".csi")]


def _unreadable(path: str | os.PathLike, error: Exception) -> str:
    with open(path, "rb") as file:
        start = file.read(4)
    if start[:2] != b"\x1f\x8b":
        return "This is not a BAM file. Correct the path, or convert it: `samtools sort -o new.bam FILE`."
    return f"The file is truncated or damaged ({error}). Download or make it again, then index it."


def _region_problems(
    path: str | os.PathLike,
    regions: pd.DataFrame,
    lines: np.ndarray,
    sizes: Mapping[str, int],
    used: list[str],
    needed: bool,
) -> list[tuple[str, str]]:
    """Compare the regions of a file with the genome's contigs."""
    names, counts = np.unique(regions["chrom"].to_numpy(dtype=object), return_counts=True)
    present = dict(zip(names.tolist(), counts.tolist(), strict=True))
    pairs = pair_names([chrom for chrom in used if chrom not in present], set(present) - set(sizes))
    if pairs:
        return [("error", rename_advice(path, pairs))]
    problems = []
    if needed and not any(chrom in present for chrom in used):
        found = f"its regions lie on {list_some(present)}" if present else "it holds no regions"
        problems.append(("error", f"No region lies on a contig in use ({list_some(used)}): {found}. Use another file."))
    lengths = regions["chrom"].map({chrom: sizes[chrom] for chrom in used if chrom in sizes}).astype(float)
    beyond = np.flatnonzero(regions["end"] > lengths)
    if len(beyond):
        row = beyond[0]
        region = "{chrom}:{start}-{end}".format(**regions.loc[row])
        size = f"{regions.loc[row, 'chrom']} ends at {int(lengths[row])}"
        where = f"the first {region} in line {lines[row]}; {size}"
        message = f"{len(beyond)} of {len(regions)} regions end beyond their contig, {where}"
        problems.append(("error", f"{message}. Use the file of the genome's assembly, or remove these lines."))
    other = [f"{chrom} ({count})" for chrom, count in present.items() if chrom not in used]
    if other:
        problems.append(("warning", f"Regions on contigs that are not in use are left out: {list_some(other)}."))
    return problems


def _failed(findings: list[Finding]) -> bool:
    return any(finding.status == "error" for finding in findings)
