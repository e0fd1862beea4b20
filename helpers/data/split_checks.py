"""Splits that can be learned from and scored: none empty, none with one class, none with few positives."""

import logging
import os
from collections.abc import Iterable, Mapping

import pandas as pd

from helpers.data.findings import Finding
from helpers.data.labels import Labels
from helpers.errors import InputError, list_some

FEW_POSITIVES = 10  # below so many positive regions a score is mostly chance

logger = logging.getLogger(__name__)

_CHOOSE_CONTIGS = "Choose other contigs under `split` in the config"


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
    problems = [
        _empty_split(split, chromosomes[split], counts.to_dict()) for split, table in splits.items() if len(table) == 0
    ]
    owners: dict[str, list[str]] = {}
    for split, names in chromosomes.items():
        for chrom in dict.fromkeys(names):
            owners.setdefault(chrom, []).append(split)
    problems += [f"{chrom} is in the splits {' and '.join(own)}." for chrom, own in owners.items() if len(own) > 1]
    if problems:
        raise InputError("\n".join([*problems, f"{_CHOOSE_CONTIGS}."]))


def check_labels(labels: Mapping[str, Labels]) -> None:
    """Check that every output has positive and negative regions in every split; few positives are logged.

    Parameters
    ----------
    labels : mapping of str to Labels
        Those of each split.

    Raises
    ------
    InputError
        Naming split, output and counts wherever one class is missing.
    """
    problems, few = [], []
    for split, values in labels.items():
        for name, positive in zip(values.outputs, values.n_positive.tolist(), strict=True):
            counts = f"{positive} positive, {len(values) - positive} negative"
            if positive in (0, len(values)):
                missing = "positive" if positive == 0 else "negative"
                problems.append(f"Split '{split}', output {name}: no {missing} regions ({counts}).")
            elif positive < FEW_POSITIVES:
                few.append(f"split '{split}', output {name} ({counts})")
    if problems:
        advice = f"{_CHOOSE_CONTIGS}, another overlap, or other tracks as output."
        raise InputError("\n".join([list_some(problems, 20, separator="\n"), advice]))
    if few:
        logger.warning(
            "Fewer than %d positive regions, scores will be mostly chance: %s.", FEW_POSITIVES, list_some(few, 20, "; ")
        )


def check_split_counts(
    path: str | os.PathLike,
    counts: Mapping[str, int],
    splits: Mapping[str, Iterable[str]],
    *,
    regions: bool,
    outputs: Iterable[str] = (),
) -> list[Finding]:
    """Check before any work that a region file has something for every split.

    Parameters
    ----------
    path : path
        The file.
    counts : mapping of str to int
        Number of its regions by contig.
    splits : mapping of str to iterable of str
        Contigs of each split.
    regions : bool
        Whether the study's regions are made of this file.
    outputs : iterable of str
        Outputs that are positive where this file has a region.

    Returns
    -------
    list of Finding
        Errors and warnings; none when all is well. Only what is sure is said: a split may still lose its regions to the
        blacklist, see `check_splits` and `check_labels`.
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
                message += f"{list_some(chroms, 30)}. {_CHOOSE_CONTIGS}, or other tracks as output."
                found.append(("error", message))
            elif n_regions < FEW_POSITIVES:
                few.setdefault(output, []).append(f"{n_regions} on the contigs of split '{split}'")
    for output, counted in few.items():
        message = f"Output {output} has few regions: {list_some(counted)}. Scores there will be mostly chance."
        found.append(("warning", f"{message} {_CHOOSE_CONTIGS}, or expect wide intervals."))
    return [Finding("splits", os.fspath(path), status, message) for status, message in found]


def _empty_split(split: str, chroms: list[str], counts: Mapping[str, int]) -> str:
    there = list_some([f"{chrom} ({count})" for chrom, count in counts.items()], 30) or "none"
    return f"Split '{split}' has no regions on {list_some(chroms, 30) or 'no contig'}. Contigs with regions: {there}."
