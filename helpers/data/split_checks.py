"""Splits that can be learned from and scored: none empty, none with one class, none with few positives."""

import logging
import os
from collections.abc import Iterable, Mapping

import pandas as pd

from helpers.data.findings import Finding
from helpers.data.splitting import Part, in_part, whole_contigs
from helpers.data.targets import FEW_POSITIVES
from helpers.errors import InputError, list_some

logger = logging.getLogger(__name__)

_CHOOSE_CONTIGS = "Choose other contigs under `split` or `folds` in the config"


def check_splits(
    splits: Mapping[str, pd.DataFrame],
    parts: Mapping[str, Iterable[Part]],
    overlapping: pd.DataFrame,
    *,
    fold: str = "",
) -> None:
    """Check that every split has regions, those of each of its parts, and no whole contig of another split.

    Parameters
    ----------
    splits, overlapping
        As `helpers.data.splitting.split_regions` gives them.
    parts : mapping of str to iterable of str or mapping
        Parts of each split, see there.
    fold : str
        Name of the fold, for messages.

    Raises
    ------
    InputError
        Naming every empty split, every part without regions or with fewer bins than asked for, and every contig that
        two splits have as a whole. A contig of one split of which another has a part is no mistake.
    """
    parts = {split: list(entries) for split, entries in parts.items()}
    counts = pd.concat([*(table["chrom"] for table in splits.values()), overlapping["chrom"]]).value_counts()
    problems, owners = [], {}
    for split, table in splits.items():
        label = f"{split} of fold {fold}" if fold else split
        taken = overlapping[overlapping["split"] == split]
        if len(table) + len(taken):
            problems += _missing_regions(label, table, taken, parts[split])
        else:
            problems.append(_empty_split(label, map(_describe, parts[split]), counts.sort_index().to_dict()))
        for chrom in dict.fromkeys(whole_contigs(parts[split])):
            owners.setdefault(chrom, []).append(split)
    problems += [f"{chrom} is in the splits {' and '.join(own)}." for chrom, own in owners.items() if len(own) > 1]
    if problems:
        raise InputError("\n".join([*problems, f"{_CHOOSE_CONTIGS}."]))


def check_split_counts(
    path: str | os.PathLike,
    counts: Mapping[str, int],
    splits: Mapping[str, Iterable[str]],
    *,
    regions: bool,
    outputs: Iterable[str] = (),
    others: bool = False,
) -> list[Finding]:
    """Check before any work that a region file has something for every split.

    Parameters
    ----------
    path : path
        The file.
    counts : mapping of str to int
        Number of its regions by contig.
    splits : mapping of str to iterable of str
        Contigs of each split; one of which splits have parts is in each of them.
    regions : bool
        Whether the study's regions are made of this file.
    outputs : iterable of str
        Outputs that are positive where this file has a region.
    others : bool
        Whether the study has outputs besides these; then one without regions in a split is no error.

    Returns
    -------
    list of Finding
        Errors and warnings; none when all is well. Only what is sure is said: a split may still lose its regions to the
        blacklist, see `check_splits` and `helpers.data.targets.check_targets`.
    """
    found, splits = [], {split: list(chroms) for split, chroms in splits.items()}
    counts = {chrom: count for chrom, count in counts.items() if any(chrom in chroms for chroms in splits.values())}
    few: dict[str, list[str]] = {}
    for split, chroms in splits.items():
        n_regions = sum(counts.get(chrom, 0) for chrom in chroms)
        if regions and not n_regions:
            found.append(("error", f"{_empty_split(split, chroms, counts)} {_CHOOSE_CONTIGS}."))
            continue
        for output in outputs:
            if not n_regions:
                message = f"Split '{split}', output {output}: no positive regions, for the file has none on "
                message += f"{list_some(chroms, 30)}."
                if others:
                    found.append(("warning", f"{message} Metrics of it are missing there."))
                else:
                    found.append(("error", f"{message} {_CHOOSE_CONTIGS}, or other tracks as output."))
            elif n_regions < FEW_POSITIVES:
                few.setdefault(output, []).append(f"{n_regions} on the contigs of split '{split}'")
    for output, counted in few.items():
        message = f"Output {output} has few regions: {list_some(counted)}. Scores there will be mostly chance."
        found.append(("warning", f"{message} {_CHOOSE_CONTIGS}, or expect wide intervals."))
    return [Finding("splits", os.fspath(path), status, message) for status, message in found]


def _empty_split(split: str, parts: Iterable[str], counts: Mapping[str, int]) -> str:
    there = list_some([f"{chrom} ({count})" for chrom, count in counts.items()], 30) or "none"
    return f"Split '{split}' has no regions on {list_some(parts, 30) or 'no contig'}. Contigs with regions: {there}."


def _missing_regions(split: str, kept: pd.DataFrame, taken: pd.DataFrame, parts: list[Part]) -> list[str]:
    """Say what is missing in a split that had regions: all of them, or those of some part of a contig."""
    problems, regions = [], pd.concat([kept, taken], ignore_index=True)
    if not len(kept):
        problems.append(f"Split '{split}' keeps none of its {len(taken)} regions; the first: {taken['name'].iloc[0]}.")
    for part in parts:
        if isinstance(part, str):
            continue
        found, wanted = int(in_part(regions, part).sum()), part.get("bins") or 1
        if found < wanted:
            problems.append(f"Split '{split}' has {found or 'no'} regions in {_describe(part)}.")
    return problems


def _describe(part: Part) -> str:
    """Write a part of a split for a message."""
    if isinstance(part, str):
        return part
    end = f" to {part['end']}" if part.get("end") is not None else ""
    first = f" (the first {part['bins']} bins)" if part.get("bins") is not None else ""
    return f"{part['chrom']} from {part['start']}{end}{first}"
