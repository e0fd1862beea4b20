"""Fit, store and name normalizers.

A normalizer belongs to a track (a file): it is fitted on counts of that track, keeps what it learned in attributes that
end in ``_``, and can be stored as JSON. All kinds can be imported from here.
"""

import copy
import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.chain import NORMALIZERS as NORMALIZERS
from helpers.data.chain import Chain, as_normalizer, make_normalizer
from helpers.data.genome_store import GenomeStore
from helpers.data.normalizers import TPM as TPM
from helpers.data.normalizers import Identity as Identity
from helpers.data.normalizers import LogTransform as LogTransform
from helpers.data.normalizers import Normalizer
from helpers.data.normalizers import RegionLengthNormalization as RegionLengthNormalization
from helpers.data.normalizers import ZScore as ZScore
from helpers.data.normalizers import ZScoreLog as ZScoreLog
from helpers.data.percentiles import PercentileTrimming as PercentileTrimming
from helpers.errors import InputError
from helpers.files import atomic_path

FORMAT_VERSION = 1
_BINS_AT_ONCE = 1 << 22


def fit_normalizer(
    name: Any,
    coverage: GenomeStore,
    regions: pd.DataFrame | None = None,
    *,
    resolution: int,
    flank: int = 0,
) -> Normalizer:
    """Fit a normalizer on a stored track.

    Parameters
    ----------
    name : str, Normalizer, callable, or sequence of these
        One of `NORMALIZERS`, or a normalizer of which a copy is fitted. A sequence is a `Chain`, each member of which
        is fitted on what those before it give; there, one that is fitted already is kept.
    coverage : GenomeArray or SparseArray, shape (bins, strands)
        Counts of one track.
    regions : pandas.DataFrame, optional
        Region table, in bp. Each bin that a region with its flanks touches counts once, however many do; what lies
        outside the contig does not count. By default everything stored counts. TPM always uses everything stored.
    resolution : int
        Bin length in bp.
    flank : int, default 0
        Added on both sides of each region, in bp.

    Returns
    -------
    Normalizer

    Raises
    ------
    InputError
        For an unknown name, another resolution than that of `coverage`, regions on contigs that it lacks, no regions,
        or a track from which nothing can be learned.
    """
    if not isinstance(coverage, GenomeStore):
        msg = f"fit_normalizer takes a stored track. Received: {coverage!r:.80}. For a Cover, use normalize."
        raise InputError(msg)
    normalizer = copy.copy(as_normalizer(name))
    stored = coverage.attrs.get("resolution", resolution)
    if stored != resolution:
        msg = f"{coverage.place} has bins of {stored} bp. Received: resolution={resolution}. Use the same."
        raise InputError(msg)

    def blocks_for(member: Normalizer) -> Iterator[np.ndarray]:
        if regions is None or not member.uses_regions:
            return _all_blocks(coverage)
        if len(regions):
            return _blocks_in(coverage, regions, resolution, flank)
        msg = f"There is no region to fit {member.kind} on. Give regions, or None for everything stored."
        raise InputError(msg)

    source = coverage.place if "source" not in coverage.attrs else f"{coverage.attrs['source']} ({coverage.place})"
    if isinstance(normalizer, Chain):
        return normalizer.fit_in_turn(blocks_for, source=source, length=resolution)
    return normalizer.fit(blocks_for(normalizer), source=source, length=resolution)


def save_normalizer(normalizer: Normalizer, path: str | os.PathLike[str]) -> None:
    """Write a normalizer as JSON: its kind and what it learned, to the last digit.

    Raises
    ------
    InputError
        When it is not fitted, or holds a function of the user's own.
    """
    if not isinstance(normalizer, Normalizer):
        msg = f"save_normalizer writes a Normalizer. Received: {normalizer!r:.80}."
        raise InputError(msg)
    normalizer._check_fitted()
    with atomic_path(path) as temporary:
        state = {"format_version": FORMAT_VERSION} | normalizer.to_dict()
        temporary.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")


def load_normalizer(path: str | os.PathLike[str]) -> Normalizer:
    """Read what `save_normalizer` wrote.

    Raises
    ------
    InputError
        When the file is missing, is no such JSON, or has another format version.
    """
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        version = state.pop("format_version")
    except FileNotFoundError as error:
        msg = f"Normalizer {path} does not exist. Check the path, or make it with save_normalizer."
        raise InputError(msg) from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        msg = f"{path} holds no normalizer. Make it again with save_normalizer."
        raise InputError(msg) from error
    if version != FORMAT_VERSION:
        msg = f"{path} has format version {version}, this program reads {FORMAT_VERSION}. Fit the normalizer again."
        raise InputError(msg)
    return normalizer_from_dict(state)


def normalizer_from_dict(state: dict[str, Any]) -> Normalizer:
    """Make a normalizer of what its `to_dict` gave; InputError when the kind or a number is wrong."""
    learned = dict(state)
    name = learned.pop("kind", None)
    if name == Chain.kind:
        members = learned.pop("members", None)
        if learned or not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
            msg = f"The state of a chain is the list of its members. Received: {state}."
            raise InputError(msg)
        return Chain([normalizer_from_dict(member) for member in members])
    normalizer = make_normalizer(name)
    needed = {*normalizer._settings, *normalizer._state}
    if set(learned) != needed or not all(isinstance(value, int | float) for value in learned.values()):
        listed = ", ".join([*normalizer._settings, *normalizer._state]) or "empty"
        msg = f"The state of normalization {name!r} is {listed}. Received: {learned}."
        raise InputError(msg)
    return type(normalizer)(**learned)


def _all_blocks(coverage: GenomeStore) -> Iterator[np.ndarray]:
    for start, stop in _stretches(coverage.n_positions):
        yield coverage.block(start, stop)


def _blocks_in(coverage: GenomeStore, regions: pd.DataFrame, resolution: int, flank: int) -> Iterator[np.ndarray]:
    """Yield the bins that flanked regions touch, each once, contig by contig."""
    for chrom, part in regions.groupby("chrom", sort=False):
        coverage.contig_ids([chrom])
        offset, n_bins = coverage.contigs[chrom]
        starts = np.clip((part["start"].to_numpy() - flank) // resolution, 0, n_bins)
        ends = np.clip(-(-(part["end"].to_numpy() + flank) // resolution), 0, n_bins)
        depth = np.zeros(n_bins + 1, dtype=np.int32)
        np.add.at(depth, starts, np.int32(1))
        np.add.at(depth, ends, np.int32(-1))
        touched = np.cumsum(depth[:-1], dtype=np.int32) > 0
        for start, stop in _stretches(n_bins):
            yield coverage.block(offset + start, offset + stop)[touched[start:stop]]


def _stretches(n: int) -> Iterator[tuple[int, int]]:
    """Cut a range into parts that fit into memory."""
    for first in range(0, n, _BINS_AT_ONCE):
        yield first, min(first + _BINS_AT_ONCE, n)
