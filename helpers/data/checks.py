"""Pre-flight of a study: its files agree on one genome, and its splits can be learned from and scored.

Checks of files collect findings, so that one table names everything that is wrong; `raise_on_errors` ends the run with
it. Only contigs in use matter: others are listed as warnings.
"""

import logging
import os
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.file_checks import (
    Finding,
    check_bam,
    check_fasta,
    check_file,
    check_regions_file,
    list_some,
    pair_names,
    rename_advice,
)
from helpers.errors import InputError

_SHOWN = ["check", "file", "message"]
REGION_TYPES = ("bed", "narrowPeak", "broadPeak", "gff", "gtf")

logger = logging.getLogger(__name__)


def check_study_inputs(
    genome_fasta: str | os.PathLike,
    chromosomes: Iterable[str],
    tracks: Iterable[Mapping[str, Any]],
    blacklist: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Check all files of a study, by themselves and against its genome.

    Parameters
    ----------
    genome_fasta : path
        Genome, plain, gzipped or bgzipped.
    chromosomes : iterable of str
        Contigs in use.
    tracks : iterable of mapping
        Each with ``track`` (name), ``type`` (bam, a region type, ...) and ``path``.
    blacklist : path, optional
        Regions to leave out.

    Returns
    -------
    pandas.DataFrame
        One row per finding: check, file, status ('ok', 'warning' or 'error'), message. A good file has rows too.
    """
    chromosomes, tracks = list(chromosomes), list(tracks)
    findings, sizes = check_fasta(genome_fasta)
    findings += _check_chromosomes(genome_fasta, chromosomes, sizes)
    regions = [(track["path"], f"track {track['track']}", True) for track in tracks if track["type"] in REGION_TYPES]
    regions += [] if blacklist is None else [(blacklist, "blacklist", False)]
    for path, key, needed in regions:
        findings += check_regions_file(path, sizes, chromosomes, key=key, needed=needed)
    headers = {}
    for track in tracks:
        if track["type"] == "bam":
            found, headers[os.fspath(track["path"])] = check_bam(track["path"], f"track {track['track']}")
            findings += found
        elif track["type"] not in REGION_TYPES:
            findings += check_file(track["path"], f"track {track['track']}")
    findings += check_contigs(sizes, {path: lengths for path, lengths in headers.items() if lengths}, chromosomes)
    return pd.DataFrame(findings, columns=Finding._fields)


def raise_on_errors(checks: pd.DataFrame) -> None:
    """Log the warnings of a table of findings, and end on its errors.

    Parameters
    ----------
    checks : pandas.DataFrame
        As `check_study_inputs` gives it.

    Raises
    ------
    InputError
        With all errors in one table: check, file, what is wrong and what to do.
    """
    for row in checks[checks["status"] == "warning"].itertuples():
        logger.warning("%s: %s", row.file, row.message)
    errors = checks[checks["status"] == "error"]
    if len(errors):
        title = f"{len(errors)} error{'s' * (len(errors) > 1)} in the study's files, found before any work:"
        raise InputError(title + "\n\n" + _format_table(errors))


def check_contigs(
    sizes: Mapping[str, int] | None, track_sizes: Mapping[str, Mapping[str, int]], used: Iterable[str]
) -> list[Finding]:
    """Check that tracks name and measure the contigs in use as the genome does.

    Parameters
    ----------
    sizes : mapping of str to int, or None
        Length in bp of the genome's contigs; None compares nothing.
    track_sizes : mapping of str to mapping
        Length in bp by contig, of each track by its path.
    used : iterable of str
        Contigs in use. The rest may differ; what the genome lacks makes a warning.

    Returns
    -------
    list of Finding
    """
    findings, used = [], list(used)
    for path, lengths in track_sizes.items() if sizes else ():
        wanted = [chrom for chrom in used if chrom in sizes]
        problems = _contig_problems(path, sizes, lengths, wanted)
        problems = problems or [("ok", f"{len(wanted)} contigs in use as in the genome")]
        findings += [Finding("contigs", path, status, message) for status, message in problems]
    return findings


def check_splits(splits: Mapping[str, pd.DataFrame], chromosomes: Mapping[str, Iterable[str]]) -> None:
    """Check that every split has regions and no contig of another split.

    Parameters
    ----------
    splits : mapping of str to pandas.DataFrame
        Region table of each split.
    chromosomes : mapping of str to iterable of str
        Contigs of each split.

    Raises
    ------
    InputError
        Naming every empty split and every contig that two splits share.
    """
    chromosomes = {split: list(names) for split, names in chromosomes.items()}
    counts = pd.concat([table["chrom"] for table in splits.values()]).value_counts().sort_index()
    found = list_some([f"{chrom} ({count})" for chrom, count in counts.items()], 30) or "none"
    problems = []
    for split, table in splits.items():
        if len(table) == 0:
            where = list_some(chromosomes[split], 30) or "no contig"
            problems.append(f"Split '{split}' has no regions on {where}. Contigs with regions: {found}.")
    owners: dict[str, list[str]] = {}
    for split, names in chromosomes.items():
        for chrom in dict.fromkeys(names):
            owners.setdefault(chrom, []).append(split)
    problems += [f"{chrom} is in the splits {' and '.join(own)}." for chrom, own in owners.items() if len(own) > 1]
    if problems:
        raise InputError("\n".join([*problems, "Choose other contigs under `split` in the config."]))


def check_labels(labels: Mapping[str, np.ndarray], names: Iterable[str]) -> None:
    """Check that every output has positive and negative regions in every split.

    Parameters
    ----------
    labels : mapping of str to numpy.ndarray, shape (regions, outputs)
        Labels of each split; positive above 0.
    names : iterable of str
        Name of each output.

    Raises
    ------
    InputError
        Naming split, output and counts wherever one class is missing.
    """
    problems, names = [], list(names)
    for split, values in labels.items():
        n_positive = (np.asarray(values) > 0).sum(axis=0)
        for name, positive in zip(names, n_positive.tolist(), strict=True):
            if positive in (0, len(values)):
                missing = "positive" if positive == 0 else "negative"
                counts = f"{positive} positive, {len(values) - positive} negative"
                problems.append(f"Split '{split}', output {name}: no {missing} regions ({counts}).")
    if problems:
        advice = "Choose other contigs under `split` in the config, another overlap, or other tracks as output."
        raise InputError("\n".join([list_some(problems, 20, separator="\n"), advice]))


def _check_chromosomes(
    path: str | os.PathLike, chromosomes: list[str], sizes: Mapping[str, int] | None
) -> list[Finding]:
    """Look for the contigs that the config names."""
    missing = [chrom for chrom in chromosomes if sizes and chrom not in sizes]
    if not missing:
        return []
    alike = list_some([f"{theirs} for {ours}" for ours, theirs in pair_names(missing, sizes)])
    problem = f"The config's `chromosomes` name {list_some(missing)}, but the genome has {alike or list_some(sizes)}."
    return [Finding("contigs", os.fspath(path), "error", f"{problem} Correct them, or use another FASTA file.")]


def _contig_problems(
    path: str, sizes: Mapping[str, int], lengths: Mapping[str, int], wanted: list[str]
) -> Iterable[tuple[str, str]]:
    """Compare the contigs of one file with the genome's."""
    problems = []
    missing = [chrom for chrom in wanted if chrom not in lengths]
    pairs = pair_names(missing, set(lengths) - set(sizes))
    if pairs:
        problems.append(("error", rename_advice(path, pairs)))
    elif missing:
        message = f"The file lacks {list_some(missing)}, in use; it has {list_some(lengths)}."
        problems.append(("error", f"{message} Use a file of the genome's assembly, or take them out of `chromosomes`."))
    other = [chrom for chrom in wanted if lengths.get(chrom, sizes[chrom]) != sizes[chrom]]
    if other:
        found = list_some([f"{chrom} is {lengths[chrom]} bp here, {sizes[chrom]} bp in the genome" for chrom in other])
        problems.append(("error", f"Made with another assembly: {found}. Use file and genome of one assembly."))
    extra = set(lengths) - set(sizes)
    extra -= {theirs for _, theirs in pair_names(sizes, extra)}
    if extra:
        message = f"The genome lacks {list_some(sorted(extra))}, which the file has; they are not used."
        problems.append(("warning", message))
    return problems


def _format_table(errors: pd.DataFrame) -> str:
    """Lay findings out in aligned columns; commands in backticks and line numbers are not broken."""
    widths = [max(map(len, [*errors[name], name])) for name in ("check", "file")]
    lines = []
    for check, file, message in [
        ("check", "file", "what is wrong and what to do"),
        *errors[_SHOWN].itertuples(index=False),
    ]:
        whole = re.sub(r"`[^`]*`|line \d+", lambda command: command[0].replace(" ", "\0"), message)
        parts = textwrap.wrap(whole, width=90, break_long_words=False, break_on_hyphens=False)
        heads = [(check, file)] + [("", "")] * (len(parts) - 1)
        lines += [
            f"{head[0]:{widths[0]}}  {head[1]:{widths[1]}}  {part}" for head, part in zip(heads, parts, strict=True)
        ]
    return "\n".join(line.replace("\0", " ").rstrip() for line in lines)
