"""Normalize coverage that is there already: tracks as they are read, values of windows at once."""

from typing import Any

import pandas as pd

from helpers.data.chain import Chain, as_normalizer
from helpers.data.coverage import Cover
from helpers.data.normalization import fit_normalizer
from helpers.data.normalizers import Identity, Normalizer
from helpers.data.overlaps import overlaps_any
from helpers.data.regions import read_regions
from helpers.data.row_normalization import normalize_rows
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
        For anything but a Cover, an unknown normalizer, regions without values, or values from which nothing can be
        learned.

    Notes
    -----
    TPM and RegionLengthNormalization divide a value by the bases that it stands for: the resolution or, for one value
    a window, the length of that window with its flanks.

    Examples
    --------
    >>> import numpy as np
    >>> from helpers.data.indexer import GenomicIndexer
    >>> genes = GenomicIndexer(None, collapse=True)
    >>> genes = genes.add_interval("chr1", 0, 10, "+").add_interval("chr1", 10, 35, "+")
    >>> counts = Cover.create_from_array("expression", np.array([[3.0], [4.0]]), genes)
    >>> normalize(counts, "tpm")[:].ravel().round().tolist()
    [652174.0, 347826.0]
    """
    if not isinstance(cover, Cover):
        msg = f"normalize takes a Cover. Received: {cover!r:.80}. Normalize the Cover first, then wrap it."
        raise InputError(msg)
    normalizer = as_normalizer(normalizer)
    table = None if regions is None else read_regions(regions)
    signal = cover._signal
    if isinstance(signal, Rows):
        return _normalize_rows(cover, normalizer, table)
    fitted = []
    for array, before in zip(signal.arrays, signal.normalizers, strict=True):
        whole = normalizer if isinstance(before, Identity) else Chain([before, normalizer])
        fitted.append(whole if whole.fitted else fit_normalizer(whole, array, table, resolution=signal.resolution))
    return _with_signal(cover, Tracks(signal.arrays, fitted, signal.resolution, signal.fill))


def _normalize_rows(cover: Cover, normalizer: Normalizer, regions: pd.DataFrame | None) -> Cover:
    chosen = None
    if regions is not None:
        chosen = overlaps_any(cover.gindexer.to_regions(), regions)
        if not chosen.any():
            msg = f"No window of {cover.name!r} overlaps the regions to fit on. Give regions of the same genome."
            raise InputError(msg)
    sources = [f"{cover.name!r}, {condition}" for condition in cover.conditions]
    return _with_signal(
        cover, normalize_rows(cover._signal, cover.gindexer, normalizer, sources=sources, chosen=chosen)
    )


def _with_signal(cover: Cover, signal: Tracks | Rows) -> Cover:
    return Cover(cover.name, signal, cover.gindexer, conditions=cover.conditions)
