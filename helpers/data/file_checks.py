"""Pre-flight of bigWig, motif, variant and region files: they are there, whole, and inside the genome's contigs."""

import math
import os
import re
import shlex
import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.data.assemblies import name_assembly, pair_names, rename_advice
from helpers.data.bigwig_header import read_bigwig_header
from helpers.data.findings import Finding, failed
from helpers.data.motifs import read_motifs
from helpers.data.promoters import is_gene
from helpers.data.region_files import read_region_lines
from helpers.data.variants import read_variant_header, read_variants
from helpers.errors import InputError, list_some

_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BIGWIG = 0x888FFC26.to_bytes(4, "little")  # the first bytes of a little-endian file
_VARIANTS = 1000  # alleles of a VCF file that are looked at


class RegionFile(NamedTuple):
    """What a region file holds, by contig: number of regions, and where the last one ends (bp)."""

    counts: dict[str, int]
    ends: dict[str, int]


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
    try:
        problem = _file_problem(path, key)
    except OSError as error:  # a folder that may not be entered, a name that is too long
        problem = f"The file cannot be read ({error.strerror}). Correct the path of {key}, or its permissions."
    return [Finding("file", str(path), "error" if problem else "ok", problem or key)]


def _file_problem(path: Path, key: str) -> str:
    if not path.exists():
        nearest = next(parent for parent in path.absolute().parents if parent.exists())
        return f"There is no such file; {nearest} exists. Correct the path of {key}, or put the file there."
    if not path.is_file():
        return f"This is not a file. Correct the path of {key}."
    if not os.access(path, os.R_OK):
        return f"The file cannot be read. Give permission: `chmod +r {shlex.quote(str(path))}`."
    if path.stat().st_size == 0:
        return f"The file of {key} is empty. Download or make it again."
    return ""


def is_cut_short(path: str | os.PathLike) -> bool:
    """Tell whether a bgzipped file lacks its end mark; False for one that is not bgzipped."""
    with open(path, "rb") as file:
        bgzipped = file.read(16)[12:16] == _BGZF_END[12:16]
        file.seek(-min(len(_BGZF_END), Path(path).stat().st_size), os.SEEK_END)
        return bgzipped and file.read() != _BGZF_END


def check_bigwig(
    path: str | os.PathLike, key: str = "track", *, used: Iterable[str] = ()
) -> tuple[list[Finding], dict[str, int] | None]:
    """Check that a bigWig file is whole and holds values, and take the lengths of its contigs.

    Parameters
    ----------
    path : path
        bigWig file.
    key : str
        What names the file, for messages.
    used : iterable of str
        Contigs in use; a listed one without values makes a warning.

    Returns
    -------
    findings : list of Finding
    sizes : dict of str to int, or None
        Length in bp by contig; None when the file cannot be read.

    Notes
    -----
    Header, contigs, index, end mark and 16 blocks of values are read, not all values. That some are NaN shows in the
    sum over all bases, which the file holds.
    """
    findings = check_file(path, key)
    if failed(findings):
        return findings, None
    try:
        sizes, filled = read_bigwig_header(path)
    except InputError as error:
        return [*findings, Finding("bigwig", str(path), "error", str(error))], None
    if not filled:
        message = "The file holds no values. Download or make it again."
        return [*findings, Finding("bigwig", str(path), "error", message)], sizes
    bare = [chrom for chrom in used if chrom in sizes and chrom not in filled]
    if bare:
        message = f"No values on {list_some(bare)}, in use. Check that the file is complete."
        findings.append(Finding("bigwig", str(path), "warning", message))
    found = f"{len(sizes)} contigs, {len(filled)} of them with values"
    if _holds_nan(path):
        message = "Some values are NaN: these bases are read as no data. Check that it is so."
        findings.append(Finding("bigwig", str(path), "warning", message))
    return [*findings, Finding("bigwig", str(path), "ok", found)], sizes


def _holds_nan(path: str | os.PathLike) -> bool:
    """Tell whether the sum of all values, which a bigWig file of version 2 or later holds, is NaN."""
    with open(path, "rb") as file:
        order = "<" if file.read(4) == _BIGWIG else ">"
        file.seek(44)
        (offset,) = struct.unpack(f"{order}Q", file.read(8))
        if not 0 < offset < Path(path).stat().st_size:
            return False
        file.seek(offset + 24)  # behind the number of bases with values, the least and the greatest value
        total = file.read(8)
    return len(total) == 8 and math.isnan(struct.unpack(f"{order}d", total)[0])


def check_motifs(path: str | os.PathLike, key: str = "track", *, window: int | None = None) -> list[Finding]:
    """Check that a file of motifs can be read, and that they fit into the windows that are scanned for them.

    Parameters
    ----------
    path : path
        MEME minimal format, see `helpers.data.motifs.read_motifs`.
    key : str
        What names the file, for messages.
    window : int, optional
        bp of the shortest window; without, the lengths of motifs are not looked at.

    Returns
    -------
    list of Finding
    """
    findings = check_file(path, key)
    if failed(findings):
        return findings
    try:
        lengths = {motif.name: len(motif.probabilities) for motif in read_motifs(path)}
    except InputError as error:
        return [*findings, Finding("motifs", str(path), "error", str(error))]
    longer = [f"{name} ({length} bp)" for name, length in lengths.items() if window is not None and length > window]
    if longer:
        message = f"Longer than the windows of {window} bp: {list_some(longer)}. Scan longer windows"
        return [*findings, Finding("motifs", str(path), "error", f"{message}, or remove these motifs.")]
    found = f"{len(lengths)} motif{'s' if len(lengths) > 1 else ''} of {min(lengths.values())}"
    return [*findings, Finding("motifs", str(path), "ok", f"{found} to {max(lengths.values())} bp")]


def check_variants(path: str | os.PathLike, key: str = "track") -> tuple[list[Finding], dict[str, int | None] | None]:
    """Check that a VCF or BCF file can be read, and take its contigs.

    Parameters
    ----------
    path : path
        Variants, plain or compressed.
    key : str
        What names the file, for messages.

    Returns
    -------
    findings : list of Finding
    sizes : dict of str to int or None, or None
        Length in bp by contig of the header, None for one whose length it lacks; None when the file cannot be read.

    Notes
    -----
    The header, the end mark of a bgzipped file and the first 1,000 alleles are read.
    """
    findings = check_file(path, key)
    if failed(findings):
        return findings, None
    try:
        sizes, problem = _read_variants(path)
    except InputError as error:
        return [*findings, Finding("variants", str(path), "error", str(error))], None
    if problem:
        return [*findings, Finding("variants", str(path), "error", problem)], sizes
    return [*findings, Finding("variants", str(path), "ok", f"{len(sizes)} contigs")], sizes


def _read_variants(path: str | os.PathLike) -> tuple[dict[str, int | None], str]:
    """Read contigs and some records; return what is wrong with the records."""
    sizes = _sizes_in_header(read_variant_header(path))
    for variants in islice(read_variants(path, batch_size=_VARIANTS), 1):
        for row, (chrom, start, ref) in enumerate(zip(variants.chroms, variants.starts, variants.refs, strict=True)):
            length = sizes.setdefault(chrom, None)
            if length is not None and start + len(ref) > length:
                place = f"record {variants.records[row] + 1}, {chrom}:{start + 1}"
                return sizes, f"{place}: lies beyond the contig's end at {length}. Use the file of the assembly."
    return sizes, ""


def _sizes_in_header(lines: Iterable[str]) -> dict[str, int | None]:
    """Give the contigs that the header of a VCF file names, and their lengths in bp where it has them."""
    sizes = {}
    for line in lines:
        name, length = (re.search(rf"^##contig=<(?:.*,)?{key}=([^,>]+)", line) for key in ("ID", "length"))
        if name:
            sizes[name[1]] = int(length[1]) if length and length[1].isdecimal() else None
    return sizes


def check_regions_file(
    path: str | os.PathLike,
    sizes: Mapping[str, int] | None,
    used: Iterable[str],
    *,
    key: str = "track",
    needed: bool = True,
    gene_type: str | None = None,
) -> tuple[list[Finding], RegionFile | None]:
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
    gene_type : str, optional
        Look at the genes of this type alone, see `helpers.data.promoters.is_gene`: promoters are made of them. Other
        records of the file are not read, see `helpers.data.regions.read_regions`.

    Returns
    -------
    findings : list of Finding
    contents : RegionFile or None
        None when the file cannot be read, or holds no such genes.
    """
    if not needed and Path(path).is_file() and Path(path).stat().st_size == 0:
        return [Finding("file", str(path), "ok", f"{key}, without regions")], RegionFile({}, {})
    findings = check_file(path, key)
    if failed(findings):
        return findings, None
    try:
        regions, lines = read_region_lines(path, feature=None if gene_type is None else "gene")
        if gene_type is not None:
            genes = is_gene(regions, gene_type)
            regions, lines = regions[genes].reset_index(drop=True), lines[genes]
    except InputError as error:
        return [*findings, Finding("regions", str(path), "error", str(error))], None
    by_chrom = regions.groupby("chrom", sort=False)["end"]
    contents = RegionFile(by_chrom.size().to_dict(), by_chrom.max().to_dict())
    problems = (
        [] if sizes is None else list(_region_problems(path, regions, lines, contents, sizes, list(used), needed))
    )
    found = "regions" if gene_type is None else f"genes of type {gene_type}"
    problems = problems or [("ok", f"{len(regions)} {found} on {len(contents.counts)} contigs")]
    return findings + [Finding("regions", str(path), status, message) for status, message in problems], contents


def _region_problems(
    path: str | os.PathLike,
    regions: pd.DataFrame,
    lines: np.ndarray,
    contents: RegionFile,
    sizes: Mapping[str, int],
    used: list[str],
    needed: bool,
) -> Iterator[tuple[str, str]]:
    """Compare the regions of a file with the genome's contigs."""
    present = contents.counts
    pairs = pair_names([chrom for chrom in used if chrom not in present], set(present) - set(sizes))
    if pairs:
        yield "error", rename_advice(path, pairs)
        return
    if needed and used and not any(chrom in present for chrom in used):
        found = f"its regions lie on {list_some(present)}" if present else "it holds no regions"
        yield "error", f"No region lies on a contig in use ({list_some(used)}): {found}. Use another file."
    beyond = _regions_beyond(regions, lines, sizes, used)
    if beyond:
        yield "error", beyond
    other = [f"{chrom} ({count})" for chrom, count in present.items() if chrom not in used]
    if other:
        lacking = [chrom for chrom in present if chrom not in used and chrom not in sizes]
        note = f" The genome lacks {list_some(lacking)}." if lacking else ""
        yield "warning", f"Regions on contigs that are not in use are left out: {list_some(other)}.{note}"


def _regions_beyond(regions: pd.DataFrame, lines: np.ndarray, sizes: Mapping[str, int], used: list[str]) -> str | None:
    """Say which regions end beyond their contig."""
    lengths = regions["chrom"].map({chrom: sizes[chrom] for chrom in used if chrom in sizes}).astype(float)
    beyond = np.flatnonzero(regions["end"] > lengths)
    if not len(beyond):
        return None
    row, assembly = beyond[0], name_assembly(sizes)
    region = "{chrom}:{start}-{end}".format(**regions.loc[row])
    size = f"{regions.loc[row, 'chrom']} ends at {int(lengths[row])}" + (f" in {assembly}" if assembly else "")
    where = f"the first {region} in line {lines[row]}; {size}"
    message = f"{len(beyond)} of {len(regions)} regions end beyond their contig, {where}"
    return f"{message}. Use the file of the genome's assembly, or remove these lines."
