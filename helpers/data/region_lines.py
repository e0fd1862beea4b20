"""The lines of region files: which of them hold regions, how many columns they have, and what a wrong one says."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.data.contigs import read_blocks
from helpers.data.region_tables import REGION_COLUMNS
from helpers.errors import InputError, list_some

TEXT = ("chrom", "name", "strand", "feature", "attributes", "ref", "info")
WHOLE = ("start", "end", "summit")
_ALIASES = {"gtf": "gff", "gff2": "gff", "gff3": "gff"}
_PEAK_REST = ("signal", "p_value", "q_value")
FASTA_PART = b"\n##FASTA"  # where the sequences of a GFF3 file begin
_CHOICES = "bed, narrowPeak, broadPeak, gff, gtf or vcf"


class Format(NamedTuple):
    """A kind of region file.

    Attributes
    ----------
    columns : tuple of str
        Columns in the file's order; a file may have more, which are not read, or fewer, if `widths` allows.
    widths : tuple of int
        Least and greatest number of columns.
    used : tuple of str
        Columns read beside the six of a region table.
    kept : tuple of str
        Of these, the columns that stay in the region table.
    """

    columns: tuple[str, ...]
    widths: tuple[int, int]
    used: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


_ANY = 1 << 30
FORMATS = {
    "bed": Format(REGION_COLUMNS, (3, _ANY)),
    "narrowpeak": Format((*REGION_COLUMNS, *_PEAK_REST, "summit"), (10, 10), *[("signal", "summit")] * 2),
    "broadpeak": Format(REGION_COLUMNS + _PEAK_REST, (9, 9), *[("signal",)] * 2),
    "gff": Format(
        ("chrom", "source", "feature", "start", "end", "score", "strand", "phase", "attributes"),
        (9, 9),
        *[("feature", "attributes")] * 2,
    ),
    "vcf": Format(("chrom", "start", "name", "ref", "alt", "quality", "filter", "info"), (8, _ANY), ("ref", "info")),
}


class Lines(NamedTuple):
    """The lines of a region file that hold regions."""

    path: Path
    text: bytes
    starts: np.ndarray  # first byte of each line
    numbers: np.ndarray  # line in the file, from 1
    widths: np.ndarray  # tab-separated columns
    skipped: np.ndarray  # the other lines, from 0

    def fields(self, row: int) -> list[str]:
        """Give the columns of one line as text."""
        return _line_from(self.text, self.starts[row]).decode(errors="replace").split("\t")

    def at(self, row: int) -> str:
        """Say where a line stands."""
        return f"{self.path}, line {self.numbers[row]}"


def find_lines(path: Path, text: bytes) -> Lines:
    """Find the lines that hold regions.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    text : bytes
        The file with Unix line ends. Blank lines, and those that begin with '#' or with the word track or browser, are
        left out; a contig named track is told from a track line by the number behind it, or by nine columns.

    Returns
    -------
    Lines

    Raises
    ------
    InputError
        For bytes that no text file has.
    """
    if b"\0" in text:
        msg = f"{path}: not a text file (or one in UTF-16). Give BED, narrowPeak, broadPeak, GFF, GTF or VCF as text."
        raise InputError(msg)
    letters = np.frombuffer(text, dtype=np.uint8)
    starts = np.r_[0, np.flatnonzero(letters == ord("\n")) + 1]
    starts = starts[starts < len(letters)]
    if len(starts) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Lines(path, text, nothing, nothing, nothing, nothing)
    tabs = np.flatnonzero(letters == ord("\t"))
    widths = np.diff(np.searchsorted(tabs, np.r_[starts, len(letters)])) + 1
    first, second = letters[starts], letters[np.minimum(starts + 1, len(letters) - 1)]
    skipped = np.isin(first, np.frombuffer(b"#\n", dtype=np.uint8))
    suspect = np.isin(first, np.frombuffer(b"tb", dtype=np.uint8)) & (second == ord("r"))
    suspect |= np.isin(first, np.frombuffer(b" \t", dtype=np.uint8)) & (widths < 3)
    for line in np.flatnonzero(suspect):
        skipped[line] = _holds_no_region(_line_from(text, starts[line]))
    rows = np.flatnonzero(~skipped)
    return Lines(path, text, starts[rows], rows + 1, widths[rows], np.flatnonzero(skipped))


def find_feature(path: Path, feature: str, *, n_bytes: int = 1 << 22) -> Lines:
    """Find the lines of a GFF or GTF file that hold regions of a feature, without keeping the others in memory.

    Parameters
    ----------
    path : pathlib.Path
        GFF or GTF file, plain or gzipped.
    feature : str
        What the third of four or more columns says.
    n_bytes : int
        Bytes to read at once, see `helpers.data.contigs.read_blocks`.

    Returns
    -------
    Lines
        One at least, with their numbers in the file. Mistakes in other lines are not found.

    Raises
    ------
    InputError
        For a file that cannot be read or is no text, and for one without such lines: the message names the features
        that it has, or the first line of a wrong number of columns.
    """
    name, before, kept, numbers = feature.encode(), 0, [], []
    for block in read_blocks(path, cut_at=FASTA_PART, n_bytes=n_bytes):
        for ends, line in _lines_with_third(block, name):
            kept.append(line)
            numbers.append(before + ends + 1)
        before += block.count(b"\n")
    lines = find_lines(path, b"\n".join(kept))
    if len(lines.numbers) == 0:
        there = count_names(_features(path))
        found = f"only {there}" if there else "nor any others"
        fix = "Name another feature, or use an annotation with these records, such as those of GENCODE or Ensembl."
        msg = f"{path}: there are no records of the feature {feature}, {found}. {fix}"
        raise InputError(msg)
    return lines._replace(numbers=np.array(numbers)[lines.numbers - 1])


def _lines_with_third(block: bytes, name: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the lines with this third column and a fourth one, each behind the number of line ends before it."""
    wanted, ends, behind = b"\t%b\t" % name, 0, 0
    while (at := block.find(wanted, behind)) >= 0:
        start = block.rfind(b"\n", 0, at) + 1
        ends += block.count(b"\n", behind, start)
        line = _line_from(block, start)
        if line.split(b"\t", 3)[2:3] == [name]:
            yield ends, line
        behind = start + len(line)


def _features(path: Path) -> Iterator[str]:
    """Give the third column of each line of a GFF or GTF file that holds a region; all must have nine."""
    before = 0
    for block in read_blocks(path, cut_at=FASTA_PART):
        lines = find_lines(path, block)
        lines = lines._replace(numbers=lines.numbers + before)
        if len(lines.numbers):
            check_widths(lines, "gff")
        yield from (lines.fields(row)[2] for row in range(len(lines.numbers)))
        before += block.count(b"\n")


def count_names(names: Iterable[str]) -> str:
    """List names with the number of times that each occurs, the most frequent first; empty when there are none."""
    return list_some([f"{name} ({count})" for name, count in Counter(names).most_common()], 10)


def _holds_no_region(line: bytes) -> bool:
    words = line.split()
    is_region = line.count(b"\t") >= 8 or (len(words) > 1 and words[1].isdigit())
    return not words or (words[0] in (b"track", b"browser") and not is_region)


def _line_from(text: bytes, start: int) -> bytes:
    end = text.find(b"\n", start)
    return text[start:] if end < 0 else text[start:end]


def normalise_format(format: str) -> str:
    """Give the key of `FORMATS` that a user's name of a format means, or raise InputError."""
    kind = _ALIASES.get(format.lower(), format.lower())
    if kind not in FORMATS:
        msg = f"Unknown region format. Received: format={format!r}. Choose {_CHOICES}."
        raise InputError(msg)
    return kind


def guess_format(path: Path) -> str:
    """Give the key of `FORMATS` that a file's name says; bed where it says nothing."""
    name = path.name.lower().removesuffix(".gz").removesuffix(".bgz")
    suffix = name.rpartition(".")[2]
    kind = _ALIASES.get(suffix, suffix)
    return kind if kind in FORMATS else "bed"


def looks_like_narrow_peak(lines: Lines) -> bool:
    """Say whether the first line has ten columns, with numbers where a narrowPeak has them."""
    fields = lines.fields(0) if lines.widths[0] == 10 else []
    return (
        bool(fields)
        and all(_is_number(text, whole=False) for text in fields[6:9])
        and _is_number(fields[9], whole=True)
    )


def check_widths(lines: Lines, kind: str) -> None:
    """Raise InputError unless all lines have the same number of columns and the format allows it."""
    least, most = FORMATS[kind].widths
    first = int(lines.widths[0])
    fits = least <= first <= most
    wrong = int(np.argmax(lines.widths != first)) if fits else 0
    width = int(lines.widths[wrong])
    if fits and width == first:
        return
    fields = lines.fields(wrong)
    if width < 3 and len(" ".join(fields).split()) >= 3:
        fix = "Columns must be separated by tabs. Convert the file: tr -s ' ' '\\t' < old.bed > new.bed"
        msg = f"{lines.at(wrong)}: columns are separated by spaces. Received: {fields[0][:60]!r}. {fix}"
    elif fits:
        before = f"{first} in line {lines.numbers[0]}"
        msg = f"{lines.at(wrong)}: {width} columns, but {before}. Give all lines the same columns."
    else:
        wanted = f"{least}" if least == most else f"at least {least}"
        fix = f"Correct the file, or name its format ({_CHOICES})."
        msg = f"{lines.at(wrong)}: {width} columns, but {kind} has {wanted}, separated by tabs. {fix}"
    raise InputError(msg)


def check_numbers(values: pd.Series, lines: Lines, column: int) -> None:
    """Raise InputError at the first field that is not a number of the kind its column needs.

    Parameters
    ----------
    values : pandas.Series
        A column as pandas read it; its name says whether it must hold whole numbers.
    lines : Lines
        Where it comes from.
    column : int
        Its place in the file, from 0.
    """
    whole = values.name in WHOLE
    if values.dtype == np.int64 or (not whole and values.dtype.kind == "f"):
        return
    wanted = "a whole number" if whole else "a number"
    row = next((row for row in range(len(values)) if not _is_number(lines.fields(row)[column], whole=whole)), 0)
    fields = lines.fields(row)
    hint = " A GFF or GTF file needs that ending in its name, or format='gff'." if len(fields) == 9 else ""
    if row == 0 and not any(field.isdigit() for field in fields):
        hint = " If this is a header, begin it with '#'."
    msg = f"{lines.at(row)}: {values.name} must be {wanted}. Received: {fields[column]!r} in column {column + 1}.{hint}"
    raise InputError(msg)


def _is_number(text: str, *, whole: bool) -> bool:
    if whole:
        return re.fullmatch(r"-?[0-9]{1,18}", text) is not None
    return text in (".", "") or re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", text) is not None
