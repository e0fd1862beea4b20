"""Region tables: made from columns, taken from the tables and lists of other libraries, checked row by row.

``helpers.data.regions`` says what a region table is.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.errors import InputError

REGION_COLUMNS = ("chrom", "start", "end", "name", "score", "strand")
MAX_POSITION = 10**12  # bp; beyond any contig, and far enough from the end of int64 for sums of many contigs
_DEFAULTS = {"chrom": "", "start": 0, "end": 0, "name": ".", "score": 0.0, "strand": "."}
_STRANDS = {"+": "+", "-": "-", ".": ".", "": ".", "?": ".", "*": "."}
_FOREIGN_NAMES = {
    "Chromosome": "chrom",
    "Start": "start",
    "End": "end",
    "Name": "name",
    "Score": "score",
    "Strand": "strand",
}


class Region(NamedTuple):
    """One region: 0-based, half-open, in bp. A start below 0 lies before the contig's first base."""

    chrom: str
    start: int
    end: int
    strand: str = "."


def is_region(chrom: Any, start: Any, end: Any, strand: Any) -> bool:
    """Say whether this is a region that needs no further check; a table of one row takes a hundred times longer."""
    whole = all(type(value) is int or isinstance(value, np.integer) for value in (start, end))
    named = isinstance(chrom, str) and chrom != ""
    return named and whole and 0 <= start < end <= MAX_POSITION and strand in ("+", "-", ".")


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


def empty_table(columns: Iterable[str] = (), kinds: Iterable[type] = ()) -> pd.DataFrame:
    """Make a region table without rows, with further columns of the given kinds."""
    more = {name: pd.Series(dtype=kind) for name, kind in zip(columns, kinds, strict=True)}
    return region_table([], [], [], **more)


def take_table(source: Any) -> pd.DataFrame:
    """Take regions from a DataFrame, a PyRanges or a list of regions, none of which is changed.

    Parameters
    ----------
    source : pandas.DataFrame, PyRanges, or sequence of regions
        See `helpers.data.region_files.read_regions`.

    Returns
    -------
    pandas.DataFrame
        Region table; further columns are kept.

    Raises
    ------
    InputError
        For another kind of source, a missing or doubled column, and what `complete_table` refuses.
    """
    frame = source.as_df() if callable(getattr(source, "as_df", None)) else source
    if isinstance(frame, list | tuple):
        frame = _frame_of_regions(frame)
    if not isinstance(frame, pd.DataFrame):
        kinds = "a path, a pandas.DataFrame, a PyRanges, a BedTool or a list of regions"
        msg = f"Regions must be {kinds}. Received: {type(source).__name__}."
        raise InputError(msg)
    if frame.shape == (0, 0):
        return empty_table()
    frame = pd.DataFrame(frame).rename(columns=_FOREIGN_NAMES).reset_index(drop=True)
    _check_columns(frame)
    return complete_table(frame, "table of regions, row {}".format, lambda row: " ".join(map(str, frame.iloc[row])))


def _frame_of_regions(regions: Sequence[Any]) -> pd.DataFrame:
    """Make a table of tuples (chrom, start, end[, strand]) or of objects with these attributes."""
    rows = [_row_of(region, number) for number, region in enumerate(regions)]
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"]) if rows else pd.DataFrame()


def _row_of(region: Any, number: int) -> tuple[Any, int, int, Any]:
    if all(hasattr(region, name) for name in REGION_COLUMNS[:3]):
        values = (region.chrom, region.start, region.end, getattr(region, "strand", "."))
    else:
        values = (*region, ".")[:4] if isinstance(region, tuple | list) and len(region) in (3, 4) else ()
    if not values or not all(isinstance(value, int | np.integer) for value in values[1:3]):
        msg = f"list of regions, item {number}: give (chrom, start, end) or (chrom, start, end, strand). "
        msg += f"Received: {region!r}."
        raise InputError(msg)
    if max(abs(int(value)) for value in values[1:3]) > MAX_POSITION:  # before a number falls out of int64
        msg = f"list of regions, item {number}: a position beyond any contig. Received: {region!r}. Correct it."
        raise InputError(msg)
    return values


def _check_columns(frame: pd.DataFrame) -> None:
    """Raise InputError unless chrom, start and end are there once, the latter two as whole numbers."""
    found = ", ".join(map(str, frame))
    missing = [name for name in REGION_COLUMNS[:3] if name not in frame]
    if missing:
        msg = f"Table of regions without column {', '.join(missing)}. Received: {found}. Rename its columns."
        raise InputError(msg)
    if not frame.columns.is_unique:
        twice = ", ".join(map(str, frame.columns[frame.columns.duplicated()].unique()))
        msg = f"Table of regions with column {twice} twice. Received: {found}. Rename or remove one."
        raise InputError(msg)
    for name in ("start", "end"):
        if len(frame) and (frame[name].dtype.kind not in "iu" or frame[name].isna().any()):
            kind = "missing values" if frame[name].isna().any() else frame[name].dtype
            msg = f"Table of regions: {name} must hold whole numbers. Received: {kind}. Convert it: .astype('int64')."
            raise InputError(msg)


def complete_table(table: pd.DataFrame, at: Callable[[int], str], shown: Callable[[int], str]) -> pd.DataFrame:
    """Give a table the six columns in their order and kinds, and check what they hold.

    Parameters
    ----------
    table : pandas.DataFrame
        With chrom, start and end (whole numbers), and any of the other columns; its index is 0, 1, 2, ...
    at, shown : callable of int
        Say, for an error, where a row stands and what it holds.

    Returns
    -------
    pandas.DataFrame
        Region table with the further columns of `table`.

    Raises
    ------
    InputError
        For the first row that is no region.
    """
    regions = pd.DataFrame({name: table.get(name, default) for name, default in _DEFAULTS.items()}, index=table.index)
    blank = regions["score"].isna() | regions["score"].isin([".", ""])
    scores = pd.to_numeric(pd.Series(np.where(blank, 0.0, regions["score"])), errors="coerce").astype(np.float64)
    for problem, wrong in (
        ("chrom is missing", regions["chrom"].isna() | (regions["chrom"] == "")),
        ("start is negative", regions["start"] < 0),
        ("start must be smaller than end", regions["start"] >= regions["end"]),
        ("end lies beyond any contig", regions["end"] > MAX_POSITION),
        ("score must be a finite number", ~np.isfinite(scores)),
        ("strand must be +, - or .", regions["strand"].notna() & ~regions["strand"].isin(_STRANDS)),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            msg = f"{at(row)}: {problem}. Received: {shown(row)}. Correct or remove the region."
            raise InputError(msg)
    regions["chrom"] = regions["chrom"].astype(str)
    regions["name"] = _as_text(regions["name"], default=".")
    regions["score"] = scores
    codes, found = pd.factorize(regions["strand"])
    regions["strand"] = pd.Series(np.array([*map(_STRANDS.get, found), "."], dtype=object)[codes]).astype(str)
    regions = regions.astype({"start": np.int64, "end": np.int64})
    more = [name for name in table if name not in REGION_COLUMNS]
    return pd.concat([regions, table[more]], axis=1) if more else regions


def _as_text(values: pd.Series, *, default: str) -> pd.Series:
    blank = values.isna() | (values == "")
    return pd.Series(np.where(blank, default, values.astype(object)) if blank.any() else values).astype(str)
