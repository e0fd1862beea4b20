"""One table of contigs and lengths across all files of a study."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

OTHERS = "others"
_COLUMNS = 6  # files that are shown beside those with problems


class FileContigs(NamedTuple):
    """What one file says of contigs.

    Attributes
    ----------
    path : str
        The file.
    lengths : mapping of str to int or None
        By contig: its length in bp, or where the last region ends. None where the file does not say.
    kind : str
        'genome'; 'complete' for a file that lists all contigs; 'partial' for one that may list those with values alone;
        'regions' for one with regions.
    """

    path: str
    lengths: Mapping[str, int | None]
    kind: str


def tabulate_contigs(files: Iterable[FileContigs], used: Iterable[str]) -> pd.DataFrame:
    """Tabulate the contigs in use across files.

    Parameters
    ----------
    files : iterable of FileContigs
        The genome first, if it is known; without it nothing is compared.
    used : iterable of str
        Contigs in use.

    Returns
    -------
    pandas.DataFrame
        One row a contig in use, and a last one, ``others``, with the number of further contigs. Columns: ``contig``;
        one a file (its name; its path where two have the same name), in bp, empty where the file lacks the contig, for
        a region file the end of the last region; ``problems``: which files lack the contig, give it another length or
        have regions beyond its end.

    Examples
    --------
    >>> genome = FileContigs("hg.fa", {"chr1": 90, "chr2": 70, "chrM": 5}, "genome")
    >>> table = tabulate_contigs([genome, FileContigs("a.bam", {"chr1": 90, "chr2": 80}, "complete")], ["chr1", "chr2"])
    >>> table["contig"].tolist(), table["a.bam"].tolist(), table["problems"].tolist()
    (['chr1', 'chr2', 'others'], [90, 80, 0], ['', 'a.bam differs', ''])
    """
    files, used = list(files), list(used)
    genome = files[0].lengths if files and files[0].kind == "genome" else None
    columns: dict[str, list] = {"contig": [*used, OTHERS]}
    problems: list[list[str]] = [[] for _ in used]
    for name, file in zip(_column_names([file.path for file in files]), files, strict=True):
        others = len(set(file.lengths) - set(used))
        values = [file.lengths.get(chrom) for chrom in used]
        columns[name] = pd.array([*values, others], dtype="Int64")
        for row, chrom in enumerate(used):
            problem = _problem(file, chrom, genome)
            problems[row] += [f"{name} {problem}"] if problem else []
    return pd.DataFrame(columns | {"problems": [*map("; ".join, problems), ""]})


def format_contigs(contigs: pd.DataFrame) -> str:
    """Lay a table of `tabulate_contigs` out for reading; of many files, those with problems and the first few.

    Returns
    -------
    str
        Lines with a heading and a line that explains it. ``!`` marks what contradicts the genome.
    """
    names = list(contigs.columns[1:-1])
    wrong = [name for name in names if any(_is_wrong(name, text) for text in contigs["problems"])]
    shown = [name for name in names if name in {*wrong, *names[:_COLUMNS]}]
    rows = [["contig", *shown]]
    for record in contigs.to_dict("records"):
        cells = []
        for name in shown:
            value = "-" if pd.isna(record[name]) else str(record[name])
            cells.append(value + "!" * _is_wrong(name, record["problems"]))
        rows.append([record["contig"], *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    legend = "Lengths in bp; of region files, where the last region ends; others: how many contigs not in use. "
    legend += "-: none there. !: contradicts the genome."
    rest = len(names) - len(shown)
    return "\n".join([*lines, legend + (f" Files that agree and are not shown: {rest}." if rest else "")])


def _is_wrong(name: str, problems: str) -> bool:
    return any(problem.rpartition(" ")[0] == name for problem in problems.split("; "))


def _problem(file: FileContigs, chrom: str, genome: Mapping[str, int | None] | None) -> str:
    if genome is None or chrom not in genome:
        return "lacks" if file.kind == "genome" and chrom not in file.lengths else ""
    if chrom not in file.lengths:
        return "lacks" if file.kind == "complete" else ""
    length = file.lengths[chrom]
    if file.kind == "regions":
        return "beyond" if length is not None and length > genome[chrom] else ""
    return "differs" if length not in (None, genome[chrom]) else ""


def _column_names(paths: list[str]) -> list[str]:
    """Name columns by file, or by path where the name alone is not clear."""
    names = [Path(path).name for path in paths]
    clear = {name for name in names if names.count(name) == 1} - {"contig", "problems"}
    return [name if name in clear else os.fspath(path) for name, path in zip(names, paths, strict=True)]
