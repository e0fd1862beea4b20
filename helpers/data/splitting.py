"""Regions split into training, validation and test, so that nothing a model sees in one is seen in another.

A *part* of a split is the name of a contig, or a mapping: ``chrom``, and of its regions those that begin at ``start``
(bp, 0-based) or behind it and, where these are given, end at ``end`` or before it and are among the first ``bins``.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.overlaps import overlaps_any
from helpers.errors import InputError

Part = str | Mapping[str, Any]

SPLITS = ("train", "validation", "test")  # regions that overlap those of a later one give way to them

logger = logging.getLogger(__name__)


def split_regions(
    regions: pd.DataFrame, parts: Mapping[str, Iterable[Part]], *, reach: int
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Split regions, and take out of training and validation what comes too close to held-out regions.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table in any order; regions may overlap.
    parts : mapping of str to iterable of str or mapping
        Parts of ``train``, ``validation`` and ``test``. Of a contig of training, what another split takes does not
        train.
    reach : int
        Widest flank of anything that a model sees of a region, its inputs and targets, bp.

    Returns
    -------
    splits : dict of str to pandas.DataFrame
        Region table of each split, in the order of `regions`. Two regions of different splits do not overlap, even when
        each is extended by `reach` on both sides.
    overlapping : pandas.DataFrame
        Region table of what was taken out, in the order of `regions`: training regions that, so extended, overlap one
        of validation or test, and validation regions that overlap one of test. The name says which, after that of the
        region; `split` is where it was taken from.

    Raises
    ------
    InputError
        For a negative `reach`, and a region that both validation and test take.

    Notes
    -----
    No row is lost: splits, overlapping, and the regions of no part are all there are. They are counted in the log.

    Examples
    --------
    >>> from helpers.data.regions import region_table
    >>> regions = region_table("chr1", [0, 200, 400, 600], [200, 400, 600, 800])
    >>> parts = {"train": ["chr1"], "validation": [], "test": [{"chrom": "chr1", "start": 400}]}
    >>> splits, overlapping = split_regions(regions, parts, reach=50)
    >>> [splits[split]["start"].tolist() for split in splits], overlapping[["start", "name"]].values.tolist()
    ([[0], [], [400, 600]], [[200, 'train: overlaps test']])
    """
    if reach < 0:
        msg = f"Flanks are 0 bp or wider. Received: reach={reach}. Correct the flanks of the study's inputs and output."
        raise InputError(msg)
    owners = _owners(regions, parts)
    reasons = _overlaps_of_later(regions, owners, reach)
    clear = reasons == ""
    splits = {split: regions[clear & (owners == place)].reset_index(drop=True) for place, split in enumerate(SPLITS)}
    overlapping = regions[~clear].reset_index(drop=True)
    named = np.where(overlapping["name"] == ".", "", overlapping["name"] + ", ")
    overlapping = overlapping.assign(name=named + reasons[~clear], split=np.array(SPLITS)[owners[~clear]])
    _log_counts(len(regions), splits, overlapping, reach)
    return splits, overlapping


def in_part(regions: pd.DataFrame, part: Part) -> np.ndarray:
    """Say of each region whether it belongs to a part.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table in any order.
    part : str or mapping
        A contig, or ``chrom``, ``start`` and, where given, ``end`` and ``bins``.

    Returns
    -------
    numpy.ndarray of bool, shape (regions,)
        The first bins are those with the smallest start, then end; equal ones in the order of the table.
    """
    if isinstance(part, str):
        return (regions["chrom"] == part).to_numpy()
    belongs = ((regions["chrom"] == part["chrom"]) & (regions["start"] >= part["start"])).to_numpy(copy=True)
    if part.get("end") is not None:
        belongs &= (regions["end"] <= part["end"]).to_numpy()
    if part.get("bins") is not None:
        rows = np.flatnonzero(belongs)
        places = regions[["start", "end"]].to_numpy()[rows]
        belongs[rows[np.lexsort((places[:, 1], places[:, 0]))][part["bins"] :]] = False
    return belongs


def whole_contigs(parts: Iterable[Part]) -> list[str]:
    """Return the contigs that belong to a split as a whole."""
    return [part for part in parts if isinstance(part, str)]


def _owners(regions: pd.DataFrame, parts: Mapping[str, Iterable[Part]]) -> np.ndarray:
    """Give the place in `SPLITS` that each region belongs to, -1 for none."""
    taken = {}
    for split in SPLITS:
        entries = list(parts[split])
        taken[split] = regions["chrom"].isin(whole_contigs(entries)).to_numpy(copy=True)
        for part in entries:
            if not isinstance(part, str):
                taken[split] |= in_part(regions, part)
    twice = np.flatnonzero(taken["validation"] & taken["test"])
    if len(twice):
        first = "{chrom}:{start}-{end}".format(**regions.iloc[twice[0]])
        msg = f"{len(twice)} regions are in validation and in test, the first {first}. Correct `split` in the config."
        raise InputError(msg)
    owners = np.full(len(regions), -1, dtype=np.int8)
    for place, split in enumerate(SPLITS):
        owners[taken[split]] = place
    return owners


def _overlaps_of_later(regions: pd.DataFrame, owners: np.ndarray, reach: int) -> np.ndarray:
    """Say of each region which later splits it overlaps, flanks included; nothing where it may stay."""
    reasons = np.full(len(regions), "", dtype=object)
    places = regions[["chrom", "start", "end"]]
    for place, split in reversed(list(enumerate(SPLITS))):
        rows = np.flatnonzero(owners == place)
        for later in range(place + 1, len(SPLITS)):
            others = places[(owners == later) & (reasons == "")]  # those taken out of validation bar nothing
            wide = others.assign(start=others["start"] - 2 * reach, end=others["end"] + 2 * reach)
            near = rows[overlaps_any(places.iloc[rows], wide)]
            said = np.where(reasons[near] == "", f"{split}: overlaps ", reasons[near] + " and ")
            reasons[near] = said + SPLITS[later]
    return reasons


def _log_counts(n_regions: int, splits: Mapping[str, pd.DataFrame], overlapping: pd.DataFrame, reach: int) -> None:
    counts = {split: len(table) for split, table in splits.items()}
    for split, taken in overlapping["split"].value_counts().items():
        counts[f"taken out of {split} (they overlap held-out regions, {reach} bp of flanks included)"] = taken
    counts["of no split"] = n_regions - len(overlapping) - sum(map(len, splits.values()))
    logger.info("%s", ", ".join(f"{name}: {count}" for name, count in counts.items()))
