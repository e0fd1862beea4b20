"""Normalize values that belong to windows, one condition after the other."""

import copy
from collections.abc import Sequence

import numpy as np

from helpers.data.chain import Chain
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalizers import Normalizer, RegionLengthNormalization
from helpers.data.signal import Rows


def normalize_rows(
    signal: Rows,
    windows: GenomicIndexer,
    normalizer: Normalizer,
    *,
    sources: Sequence[str],
    chosen: np.ndarray | None = None,
) -> Rows:
    """Fit a normalizer on each condition, and apply it.

    Parameters
    ----------
    signal : Rows
        Left unchanged.
    windows : GenomicIndexer
        To which the values belong.
    normalizer : Normalizer
        Of which copies are fitted; what is fitted already is used as it is.
    sources : sequence of str
        Name of each condition, for messages.
    chosen : numpy.ndarray of bool, shape (windows,), optional
        Windows that statistics are taken from; all by default. TPM always uses all.

    Returns
    -------
    Rows
        float32, with the fitted normalizers.

    Raises
    ------
    InputError
        For values from which nothing can be learned.

    Notes
    -----
    TPM and RegionLengthNormalization divide a value by the bases that it stands for: the resolution or, for one value
    a window, the length of that window with its flanks.
    """
    bounds = windows.windows()
    lengths = bounds.ends - bounds.starts if signal.resolution is None else np.full(len(windows), signal.resolution)
    given, values = signal.all_values(), np.empty(signal.values.shape, dtype=np.float32)
    chosen = np.ones(len(windows), dtype=bool) if chosen is None else chosen
    fitted = []
    for condition, source in enumerate(sources):
        values[..., condition], chain = _fit_windows(
            given[..., condition], lengths, normalizer, chosen=chosen, source=source
        )
        fitted.append(chain)
    return signal.with_values(values, fitted)


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
