"""Normalize coverage that is there already: tracks as they are read, values of windows at once."""

import copy
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.chain import Chain, as_normalizer
from helpers.data.coverage import Cover
from helpers.data.normalization import fit_normalizer
from helpers.data.normalizers import Identity, Normalizer, RegionLengthNormalization
from helpers.data.overlaps import overlaps_any
from helpers.data.regions import read_regions
from helpers.data.signal import Rows, Tracks
from helpers.errors import InputError


def normalize(cover: Cover, normalizer: Any, regions: Any = None) -> Cover:
    """Normalize each condition of a `Cover` with statistics of its own.

    Parameters
    ----------
    cover : Cover
        Left unchanged. What it presents now is what is normalized, normalized values included.
    normalizer : str, Normalizer, callable or sequence of these
        See `fit_normalizer`; a sequence is a `Chain`. One that is fitted already is used as it is.
    regions : path, table or other regions, optional
        What statistics are taken from, such as the training regions: each bin that they touch, once; of values that
        belong to windows, those of the windows that overlap them. By default everything stored; TPM always uses that.

    Returns
    -------
    Cover
        With the normalizers as its attribute `normalizers`, one a condition. Tracks are shared and normalized when
        they are read; values of windows are new.

    Raises
    ------
    InputError
        For an unknown normalizer, regions without values, or values from which nothing can be learned.

    Notes
    -----
    TPM and RegionLengthNormalization divide a value by the bases that it stands for: the resolution or, for one value
    a window, the length of that window with its flanks.

    Examples
    --------
    >>> from helpers.data.indexer import GenomicIndexer
    >>> genes = GenomicIndexer(None, collapse=True)
    >>> genes = genes.add_interval("chr1", 0, 10, "+").add_interval("chr1", 10, 35, "+")
    >>> counts = Cover.create_from_array("expression", np.array([[3.0], [4.0]]), genes)
    >>> normalize(counts, "tpm")[:].ravel().round().tolist()
    [652174.0, 347826.0]
    """
    normalizer = as_normalizer(normalizer)
    table = None if regions is None else read_regions(regions)
    signal = cover._signal
    if isinstance(signal, Rows):
        return _normalize_rows(cover, normalizer, table)
    fitted = []
    for array, before in zip(signal.arrays, signal.normalizers, strict=True):
        whole = normalizer if isinstance(before, Identity) else Chain([before, normalizer])
        fitted.append(whole if whole.fitted else fit_normalizer(whole, array, table, resolution=signal.resolution))
    return _with_signal(cover, Tracks(signal.arrays, fitted, signal.resolution))


def _normalize_rows(cover: Cover, normalizer: Normalizer, regions: pd.DataFrame | None) -> Cover:
    signal: Rows = cover._signal
    windows = cover.gindexer
    chosen = np.ones(len(windows), dtype=bool)
    if regions is not None:
        chosen = overlaps_any(windows.to_regions(), regions)
        if not chosen.any():
            msg = f"No window of {cover.name!r} overlaps the regions to fit on. Give regions of the same genome."
            raise InputError(msg)
    bounds = windows.windows()
    lengths = bounds.ends - bounds.starts if signal.resolution is None else np.full(len(windows), signal.resolution)
    values = np.empty(signal.values.shape, dtype=np.float32)
    fitted = []
    for condition, name in enumerate(cover.conditions):
        part, chain = _fit_windows(
            signal.values[..., condition], lengths, normalizer, chosen=chosen, source=f"{cover.name!r}, {name}"
        )
        values[..., condition] = part
        fitted.append(chain)
    return _with_signal(cover, signal._replace(values=values, normalizers=tuple(fitted)))


def _fit_windows(
    values: np.ndarray, lengths: np.ndarray, normalizer: Normalizer, *, chosen: np.ndarray, source: str
) -> tuple[np.ndarray, Normalizer]:
    """Fit one member after the other on values (windows, positions, strands) of one condition, and apply it."""
    members = []
    for given in normalizer.members if isinstance(normalizer, Chain) else [normalizer]:
        member = given
        if getattr(member, "per_length", False):
            values = values / lengths[:, None, None]
            member = RegionLengthNormalization(1.0) if isinstance(member, RegionLengthNormalization) else member
        if not getattr(member, "fitted", True):
            learned_from = values[chosen] if member.uses_regions else values
            member = copy.copy(member).fit([learned_from], source=source, length=1)
        values = Chain([member])(values)
        members.append(member)
    return values, Chain(members) if isinstance(normalizer, Chain) else members[0]


def _with_signal(cover: Cover, signal: Tracks | Rows) -> Cover:
    return Cover(cover.name, signal, cover.gindexer, conditions=cover.conditions)
