"""Region files, read and written: BED, narrowPeak, broadPeak, GFF, GTF and VCF, plain or gzipped.

``helpers.data.regions`` says what a region table is. Formats that count from 1 are converted here and nowhere else.
"""

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.contigs import read_text
from helpers.data.region_lines import (
    FASTA_PART,
    FORMATS,
    TEXT,
    WHOLE,
    Lines,
    check_numbers,
    check_widths,
    find_feature,
    find_lines,
    guess_format,
    looks_like_narrow_peak,
    normalise_format,
)
from helpers.data.region_tables import REGION_COLUMNS, complete_table, empty_table, take_table
from helpers.errors import InputError
from helpers.files import atomic_path


def read_regions(source: Any, *, format: str | None = None, feature: str | None = None) -> pd.DataFrame:
    r"""Read regions from a file, or take them from another library's table or list.

    Parameters
    ----------
    source : path, pandas.DataFrame, PyRanges, BedTool, or sequence of regions
        A path to BED3 or wider, narrowPeak, broadPeak, GFF, GTF or VCF, plain or gzipped (seen from the content, not
        the name), tab-separated, with Unix or Windows line ends. Or a table with the columns chrom, start, end
        (Chromosome, Start, End are understood too) and, where it has them, name, score, strand and others. Or a list of
        tuples ``(chrom, start, end[, strand])`` or of objects with these attributes, such as those of a BedTool. The
        source is not changed.
    format : {'bed', 'narrowPeak', 'broadPeak', 'gff', 'gtf', 'vcf'}, optional
        Format of a file. By default it follows from the name (.narrowPeak, .broadPeak, .gff, .gff3, .gtf, .vcf, each
        with .gz or .bgz; everything else is BED); a BED file of ten columns that fit is a narrowPeak.
    feature : str, optional
        Read the records of this feature alone, such as gene, of a GFF or GTF file. The others take no memory, and a
        mistake in them is not found.

    Returns
    -------
    pandas.DataFrame
        chrom (str), start, end (int64, 0-based, half-open), name (str, '.' where there is none), score (float, 0 where
        there is none), strand ('+', '-' or '.'), one row per region in the order of the file. narrowPeak and broadPeak
        add `signal` (float); narrowPeak adds `summit` (0-based position on the contig, -1 where none was called); GFF
        and GTF add `feature` (gene, exon, ...) and `attributes` (the text of the ninth column), and `name` is the
        ``gene_id`` or ``ID`` in it. Columns of a BED file beyond the sixth (thick, colour, blocks) are not read. A
        record of a VCF covers the bases of its REF, or reaches to the ``END`` in its INFO. Lines that begin with '#',
        'track' or 'browser' and blank lines are skipped; an empty file is an empty table.

    Raises
    ------
    InputError
        Naming file and line (or row of a table), for a missing or damaged file, columns separated by spaces, a wrong or
        changing number of columns, a start or end that is not a whole number, a negative start, a start not below its
        end, an end beyond 10^12, an unknown strand, a score that is not a finite number. With `feature`, for a file
        that has no such records, naming the features that it has, and for a source that has no features.

    Notes
    -----
    A file is read whole: at most about ten times its unpacked size in memory. With `feature`, it is that of the records
    of this feature, and some blocks of 4 MiB.

    Examples
    --------
    >>> read_regions(pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [20]})).values.tolist()
    [['chr1', 10, 20, '.', 0.0, '.']]
    >>> read_regions([("chr1", 10, 20, "-")])["strand"].tolist()
    ['-']
    """
    if isinstance(source, str | os.PathLike):
        return read_region_lines(source, format=format, feature=feature)[0]
    if callable(getattr(source, "saveas", None)):
        return _read_bed_tool(source, format, feature)
    if feature is not None:
        received = f"Received: {type(source).__name__}, feature={feature!r}"
        msg = f"The records of a feature are read from a file. {received}. Select rows of a table yourself."
        raise InputError(msg)
    return take_table(source)


def read_region_lines(
    path: str | os.PathLike, *, format: str | None = None, feature: str | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Read a region file together with the line that each region stands on.

    Parameters
    ----------
    path : path
        Region file, see `read_regions`.
    format, feature : str, optional
        Format of the file, and the records to read, see `read_regions`.

    Returns
    -------
    regions : pandas.DataFrame
        See `read_regions`.
    lines : numpy.ndarray of int64, shape (regions,)
        Line in the file, counted from 1 with comments and blank lines included.

    Raises
    ------
    InputError
        See `read_regions`.
    """
    path = Path(path)
    kind = normalise_format(format) if format else guess_format(path)
    if feature is None:
        lines = find_lines(path, read_text(path, cut_at=FASTA_PART if kind == "gff" else None))
    elif kind == "gff":
        lines = find_feature(path, feature)
    else:
        fix = "Use a GFF or GTF file; it needs that ending in its name, or format='gff'"
        msg = f"{path}: the records of the feature {feature} are wanted, and these regions have no features. {fix}."
        raise InputError(msg)
    if len(lines.numbers) == 0:
        kept = FORMATS[kind].kept
        kinds = [str if name in TEXT else np.int64 if name in WHOLE else np.float64 for name in kept]
        return empty_table(kept, kinds), lines.numbers
    if kind == "bed" and not format and looks_like_narrow_peak(lines):
        kind = "narrowpeak"
    check_widths(lines, kind)
    return _parse(lines, kind), lines.numbers


def write_regions(regions: pd.DataFrame, path: str | os.PathLike) -> None:
    """Write regions as BED6, in the order of the table.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table; missing name, score and strand are written as '.', 0 and '.'; further columns are left out.
    path : path
        BED file to write, gzipped if the name ends in .gz. It appears complete or not at all; folders are made.

    Raises
    ------
    InputError
        For a table without chrom, start or end, or with a region that BED cannot hold (negative start, start not below
        end, a tab or line end in its contig or name, a contig that begins with '#').
    """
    table = take_table(regions)[list(REGION_COLUMNS)]
    _check_writable(table)
    if (table["score"] % 1 == 0).all() and (table["score"].abs() < 2**53).all():
        table = table.astype({"score": np.int64})
    compression = {"method": "gzip", "mtime": 0} if str(path).endswith(".gz") else None
    with atomic_path(path) as unfinished:
        table.to_csv(
            unfinished,
            sep="\t",
            header=False,
            index=False,
            quoting=csv.QUOTE_NONE,
            lineterminator="\n",
            compression=compression,
        )


def _check_writable(table: pd.DataFrame) -> None:
    """Raise InputError for text that would read as something else."""
    for column in ("chrom", "name"):
        for value in pd.unique(table[column]):
            if set(value) & set("\t\r\n") or (column == "chrom" and value.startswith("#")):
                msg = f"A BED file cannot hold the {column} {value!r}. Rename it."
                raise InputError(msg)


def _read_bed_tool(tool: Any, format: str | None, feature: str | None) -> pd.DataFrame:
    """Read the file of a BedTool; one that streams is written first.

    Its name may say nothing about its format; pybedtools takes some wide BED files for GFF.
    """
    tool = tool if isinstance(tool.fn, str) else tool.saveas()
    known = tool.file_type if tool.file_type in ("gff", "vcf") else None
    if known == "gff" and tool.field_count() != 9:
        known = None
    return read_region_lines(tool.fn, format=format or known, feature=feature)[0]


def _parse(lines: Lines, kind: str) -> pd.DataFrame:
    """Turn the lines of a region file into a region table."""
    form = FORMATS[kind]
    columns = form.columns[: lines.widths[0]]
    used = [name for name in columns if name in REGION_COLUMNS or name in form.used]
    table = pd.read_csv(
        io.BytesIO(lines.text),
        sep="\t",
        header=None,
        names=used,
        usecols=[columns.index(name) for name in used],
        skiprows=lines.skipped.tolist(),
        skip_blank_lines=False,
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        na_values={name: [".", ""] for name in ("score", "signal") if name in used},
        dtype={name: object for name in TEXT if name in used},  # a category would make the contig 007 the contig 7
        index_col=False,
        low_memory=False,
        encoding_errors="replace",
    )
    for name in used:
        if name not in TEXT:
            check_numbers(table[name], lines, columns.index(name))
    if kind in ("gff", "vcf"):
        table["start"] -= 1
    if kind == "gff":
        table["name"] = table["attributes"].str.extract(r'(?:^|;)\s*(?:gene_id[ =]|ID=)"?([^";]+)', expand=False)
    if kind == "vcf":
        table = _place_variants(table)
    table = table.astype({name: str for name in form.kept if name in TEXT})
    regions = complete_table(table, lines.at, lambda row: " ".join(lines.fields(row)[:7]))
    if "summit" in regions:
        regions["summit"] = np.where(regions["summit"] < 0, -1, regions["summit"] + regions["start"])
    return regions


def _place_variants(table: pd.DataFrame) -> pd.DataFrame:
    """Give variants the end of their reference allele, or the END of their INFO."""
    said = table["info"].str.extract(r"(?:^|;)END=([0-9]{1,18})(?:;|$)", expand=False).astype(float)
    ends = np.where(said.isna(), table["start"] + table["ref"].str.len(), said.fillna(0)).astype(np.int64)
    return table.assign(end=ends).drop(columns=["ref", "info"])
