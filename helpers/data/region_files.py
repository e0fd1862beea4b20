"""Region tables: make them, read and write them as BED, narrowPeak, broadPeak, GFF and GTF, plain or gzipped.

``helpers.data.regions`` says what a region table is. Formats that count from 1 are converted here and nowhere else.
"""

import csv
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.data.contigs import read_text
from helpers.errors import InputError
from helpers.files import atomic_path

REGION_COLUMNS = ("chrom", "start", "end", "name", "score", "strand")
DEFAULTS = {"chrom": "", "start": 0, "end": 0, "name": ".", "score": 0.0, "strand": "."}
STRANDS = {"+": "+", "-": "-", ".": ".", "": ".", "?": ".", "*": "."}


class _Format(NamedTuple):
    """Columns of a region file in the file's order, the widths it may have and the columns kept beside the six."""

    columns: tuple[str, ...]
    widths: tuple[int, ...]
    kept: tuple[str, ...] = ()


_BED_REST = ("thick_start", "thick_end", "rgb", "block_count", "block_sizes", "block_starts")
_PEAK_REST = ("signal", "p_value", "q_value")
_FORMATS = {
    "bed": _Format(REGION_COLUMNS + _BED_REST, (3, 4, 5, 6, 7, 8, 9, 12)),
    "narrowpeak": _Format((*REGION_COLUMNS, *_PEAK_REST, "summit"), (10,), ("signal", "summit")),
    "broadpeak": _Format(REGION_COLUMNS + _PEAK_REST, (9,), ("signal",)),
    "gff": _Format(
        ("chrom", "source", "feature", "start", "end", "score", "strand", "phase", "attributes"),
        (9,),
        ("feature", "attributes"),
    ),
}
_ALIASES = {"gtf": "gff", "gff2": "gff", "gff3": "gff"}
_FOREIGN_NAMES = {
    "Chromosome": "chrom",
    "Start": "start",
    "End": "end",
    "Name": "name",
    "Score": "score",
    "Strand": "strand",
}
_TEXT = ("chrom", "name", "strand", "feature", "attributes")
_WHOLE = ("start", "end", "summit")


class Region(NamedTuple):
    """One region: 0-based, half-open, in bp. A start below 0 lies before the contig's first base."""

    chrom: str
    start: int
    end: int
    strand: str = "."


def region_table(chroms: ArrayLike, starts: ArrayLike, ends: ArrayLike, **columns: Any) -> pd.DataFrame:
    """Make a region table from columns, without checking them.

    Parameters
    ----------
    chroms, starts, ends : array-like of str, int and int, shape (regions,)
        Contig, first base and end (bp, 0-based, half-open).
    **columns : array-like of shape (regions,), or one value for all
        name, score, strand and others; '.', 0 and '.' by default.

    Returns
    -------
    pandas.DataFrame
        Region table.

    Examples
    --------
    >>> region_table(["chr1"], [5], [9], strand="-").values.tolist()
    [['chr1', 5, 9, '.', 0.0, '-']]
    """
    kinds = {"chrom": str, "start": np.int64, "end": np.int64, "name": str, "score": np.float64, "strand": str}
    values = {"chrom": chroms, "start": starts, "end": ends, "name": ".", "score": 0.0, "strand": "."} | columns
    index = pd.RangeIndex(len(np.asarray(starts)))
    table = {}
    for name, column in values.items():
        plain = column if np.isscalar(column) else np.asarray(column)
        table[name] = pd.Series(plain, index=index, dtype=kinds.get(name))
    return pd.DataFrame(table)


def read_regions(source: Any, *, format: str | None = None) -> pd.DataFrame:
    """Read regions from a file or take them from another library's table.

    Parameters
    ----------
    source : path, pandas.DataFrame, PyRanges or BedTool
        A path to BED3 to BED12, narrowPeak, broadPeak, GFF or GTF, plain or gzipped (seen from the content, not the
        name), tab-separated, with Unix or Windows line ends; or a table with the columns chrom, start, end (Chromosome,
        Start, End are understood too) and, where it has them, name, score, strand and others. The source is not
        changed.
    format : {'bed', 'narrowPeak', 'broadPeak', 'gff', 'gtf'}, optional
        Format of a file. By default it follows from the name (.narrowPeak, .broadPeak, .gff, .gff3, .gtf, each with
        .gz; everything else is BED); a BED file of ten columns is a narrowPeak.

    Returns
    -------
    pandas.DataFrame
        chrom (str), start, end (int64, 0-based, half-open), name (str, '.' where there is none), score (float, 0 where
        there is none), strand ('+', '-' or '.'), one row per region in the order of the file. narrowPeak and broadPeak
        add `signal` (float); narrowPeak adds `summit` (0-based position on the contig, -1 where none was called); GFF
        and GTF add `feature` (gene, exon, ...) and `attributes` (the text of the ninth column), and `name` is the
        ``gene_id`` or ``ID`` in it. Lines that begin with '#', 'track' or 'browser' and blank lines are skipped; an
        empty file is an empty table.

    Raises
    ------
    InputError
        Naming file and line (or row of a table), for a missing or damaged file, columns separated by spaces, a wrong or
        changing number of columns, a start or end that is not a whole number, a negative start, a start not below its
        end, an unknown strand, a score that is not a number.

    Examples
    --------
    >>> read_regions(pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [20]})).values.tolist()
    [['chr1', 10, 20, '.', 0.0, '.']]
    """
    if isinstance(source, str | os.PathLike):
        return read_region_lines(source, format=format)[0]
    if callable(getattr(source, "saveas", None)):
        path = source.fn if isinstance(source.fn, str) else source.saveas().fn
        return read_region_lines(path, format=format or source.file_type)[0]
    return _read_table(source)


def read_region_lines(path: str | os.PathLike, *, format: str | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """Read a region file together with the line that each region stands on.

    Parameters
    ----------
    path : path
        Region file, see `read_regions`.
    format : str, optional
        Format of the file, see `read_regions`.

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
    kind = _normalise_format(format) if format else _guess_format(path)
    lines = _find_lines(path, read_text(path, cut_at=b"\n##FASTA" if kind == "gff" else None))
    if len(lines.numbers) == 0:
        return _empty_table(_FORMATS[kind].kept), lines.numbers
    if kind == "bed" and not format and lines.widths[0] == 10:
        kind = "narrowpeak"
    _check_widths(lines, kind)
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
        end).
    """
    table = _read_table(regions)[list(REGION_COLUMNS)]
    if (table["score"] % 1 == 0).all():
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


class _Lines(NamedTuple):
    """The lines of a region file that hold regions."""

    path: Path
    text: bytes
    starts: np.ndarray  # first byte of each line
    numbers: np.ndarray  # line in the file, from 1
    widths: np.ndarray  # tab-separated columns
    skipped: np.ndarray  # the other lines, from 0

    def fields(self, row: int) -> list[str]:
        return _line_from(self.text, self.starts[row]).decode(errors="replace").split("\t")

    def at(self, row: int) -> str:
        return f"{self.path}, line {self.numbers[row]}"


def _find_lines(path: Path, text: bytes) -> _Lines:
    letters = np.frombuffer(text, dtype=np.uint8)
    starts = np.r_[0, np.flatnonzero(letters == ord("\n")) + 1]
    starts = starts[starts < len(letters)]
    if len(starts) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return _Lines(path, text, nothing, nothing, nothing, nothing)
    tabs = np.flatnonzero(letters == ord("\t"))
    widths = np.diff(np.searchsorted(tabs, np.r_[starts, len(letters)])) + 1
    skipped = np.isin(letters[starts], np.frombuffer(b"#\n", dtype=np.uint8))
    for line in np.flatnonzero(np.isin(letters[starts], np.frombuffer(b"tb \t", dtype=np.uint8)) & (widths < 3)):
        words = _line_from(text, starts[line]).split()
        skipped[line] = not words or words[0] in (b"track", b"browser")
    rows = np.flatnonzero(~skipped)
    return _Lines(path, text, starts[rows], rows + 1, widths[rows], np.flatnonzero(skipped))


def _line_from(text: bytes, start: int) -> bytes:
    end = text.find(b"\n", start)
    return text[start:] if end < 0 else text[start:end]


def _normalise_format(format: str) -> str:
    kind = _ALIASES.get(format.lower(), format.lower())
    if kind not in _FORMATS:
        msg = f"Unknown region format. Received: format={format!r}. Choose bed, narrowPeak, broadPeak, gff or gtf."
        raise InputError(msg)
    return kind


def _guess_format(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz").removesuffix(".bgz")
    suffix = name.rpartition(".")[2]
    kind = _ALIASES.get(suffix, suffix)
    return kind if kind in _FORMATS else "bed"


def _check_widths(lines: _Lines, kind: str) -> None:
    """Raise InputError unless all lines have the same number of columns and the format allows it."""
    first, allowed = int(lines.widths[0]), _FORMATS[kind].widths
    wrong = 0 if first not in allowed else int(np.argmax(lines.widths != first))
    width = int(lines.widths[wrong])
    if width == first and first in allowed:
        return
    fields = lines.fields(wrong)
    if width < 3 and len(" ".join(fields).split()) >= 3:
        fix = "Columns must be separated by tabs. Convert the file: tr -s ' ' '\\t' < old.bed > new.bed"
        msg = f"{lines.at(wrong)}: columns are separated by spaces. Received: {fields[0][:60]!r}. {fix}"
    elif first in allowed:
        before = f"{first} in line {lines.numbers[0]}"
        msg = f"{lines.at(wrong)}: {width} columns, but {before}. Give all lines the same columns."
    else:
        counts = " or ".join(map(str, allowed))
        fix = "Correct the file, or name its format (bed, narrowPeak, broadPeak, gff)."
        msg = f"{lines.at(wrong)}: {width} columns, but {kind} has {counts}, separated by tabs. {fix}"
    raise InputError(msg)


def _parse(lines: _Lines, kind: str) -> pd.DataFrame:
    """Turn the lines of a region file into a region table."""
    width, (columns, _, kept) = int(lines.widths[0]), _FORMATS[kind]
    used = [name for name in columns[:width] if name in REGION_COLUMNS or name in kept]
    table = pd.read_csv(
        io.BytesIO(lines.text),
        sep="\t",
        header=None,
        names=columns[:width],
        usecols=used,
        skiprows=lines.skipped.tolist(),
        skip_blank_lines=False,
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        na_values={name: [".", ""] for name in ("score", "signal") if name in used},
        dtype={name: "category" if name in ("chrom", "strand", "feature") else str for name in _TEXT if name in used},
        index_col=False,
        low_memory=False,
        encoding_errors="replace",
    )
    for name in used:
        if name not in _TEXT:
            _check_numbers(table[name], lines, columns.index(name))
    if kind == "gff":
        table["start"] -= 1
        table["name"] = table["attributes"].str.extract(r'(?:^|;)\s*(?:gene_id[ =]|ID=)"?([^";]+)', expand=False)
    regions = _complete(table, lines.at, lambda row: " ".join(lines.fields(row)[:7]))
    if "summit" in regions:
        regions["summit"] = np.where(regions["summit"] < 0, -1, regions["summit"] + regions["start"])
    return regions


def _check_numbers(values: pd.Series, lines: _Lines, column: int) -> None:
    """Raise InputError at the first field that is not a number of the kind its column needs."""
    whole = values.name in _WHOLE
    if values.dtype == np.int64 or (not whole and values.dtype.kind == "f"):
        return
    wanted = "a whole number" if whole else "a number"
    row = next((row for row in range(len(values)) if not _is_number(lines.fields(row)[column], whole=whole)), 0)
    fields = lines.fields(row)
    hint = " A GFF or GTF file needs that ending in its name, or format='gff'." if len(fields) == 9 else ""
    msg = f"{lines.at(row)}: {values.name} must be {wanted}. Received: {fields[column]!r} in column {column + 1}.{hint}"
    raise InputError(msg)


def _is_number(text: str, *, whole: bool) -> bool:
    if whole:
        return re.fullmatch(r"-?[0-9]{1,18}", text) is not None
    return text in (".", "") or re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", text) is not None


def _read_table(source: Any) -> pd.DataFrame:
    """Take regions from a DataFrame or a PyRanges."""
    frame = source.as_df() if callable(getattr(source, "as_df", None)) else source
    if not isinstance(frame, pd.DataFrame):
        msg = f"Regions must be a path, a pandas.DataFrame, a PyRanges or a BedTool. Received: {type(source).__name__}."
        raise InputError(msg)
    if frame.shape == (0, 0):
        return _empty_table()
    frame = pd.DataFrame(frame).rename(columns=_FOREIGN_NAMES).reset_index(drop=True)
    missing = [name for name in REGION_COLUMNS[:3] if name not in frame]
    if missing:
        found = ", ".join(map(str, frame))
        msg = f"Table of regions without column {', '.join(missing)}. Received: {found}. Rename its columns."
        raise InputError(msg)
    for name in ("start", "end"):
        if len(frame) and frame[name].dtype.kind not in "iu":
            kind = frame[name].dtype
            msg = f"Table of regions: {name} must hold whole numbers. Received: {kind}. Convert it: .astype('int64')."
            raise InputError(msg)
    return _complete(frame, "table of regions, row {}".format, lambda row: " ".join(map(str, frame.iloc[row])))


def _complete(table: pd.DataFrame, at: Callable[[int], str], shown: Callable[[int], str]) -> pd.DataFrame:
    """Give a table the six columns in their order and kinds, and check what they hold."""
    regions = pd.DataFrame({name: table.get(name, default) for name, default in DEFAULTS.items()}, index=table.index)
    blank = regions["score"].isna() | regions["score"].isin([".", ""])
    scores = pd.to_numeric(pd.Series(np.where(blank, 0.0, regions["score"])), errors="coerce").astype(np.float64)
    for problem, wrong in (
        ("chrom is missing", regions["chrom"].isna() | (regions["chrom"] == "")),
        ("start is negative", regions["start"] < 0),
        ("start must be smaller than end", regions["start"] >= regions["end"]),
        ("score must be a number", scores.isna()),
        ("strand must be +, - or .", regions["strand"].notna() & ~regions["strand"].isin(STRANDS)),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            msg = f"{at(row)}: {problem}. Received: {shown(row)}. Correct or remove the region."
            raise InputError(msg)
    regions["chrom"] = regions["chrom"].astype(str)
    regions["name"] = _as_text(regions["name"], default=".")
    regions["score"] = scores
    codes, found = pd.factorize(regions["strand"])
    regions["strand"] = pd.Series(np.array([*map(STRANDS.get, found), "."], dtype=object)[codes]).astype(str)
    regions = regions.astype({"start": np.int64, "end": np.int64})
    return regions.assign(**{name: table[name] for name in table if name not in REGION_COLUMNS})


def _as_text(values: pd.Series, *, default: str) -> pd.Series:
    blank = values.isna() | (values == "")
    return pd.Series(np.where(blank, default, values.astype(object)) if blank.any() else values).astype(str)


def _empty_table(kept: tuple[str, ...] = ()) -> pd.DataFrame:
    kinds = {
        name: str if name in _TEXT else np.int64 if name in _WHOLE else np.float64 for name in (*REGION_COLUMNS, *kept)
    }
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
