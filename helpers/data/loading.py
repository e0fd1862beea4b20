"""What the constructors of `Cover` share: sources, windows, whole contigs or windows alone, normalizers; and arrays."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from helpers.data.cache import Cache, Recipe
from helpers.data.chain import as_normalizer
from helpers.data.contigs import check_sizes
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import fit_normalizer
from helpers.data.normalizers import Normalizer
from helpers.data.row_normalization import normalize_rows
from helpers.data.signal import Rows, Tracks, resolution_of
from helpers.data.stored_rows import StoredRows, lay_out, load_rows
from helpers.data.window_bins import lie_on_bins
from helpers.errors import InputError, list_some

_LOG = logging.getLogger(__name__)


def as_list(sources: Any, argument: str) -> list[Any]:
    """Make a list of one or more sources, or raise InputError when there is none."""
    sources = list(sources) if isinstance(sources, list | tuple) else [sources]
    if not sources:
        msg = f"{argument} is empty. Give at least one."
        raise InputError(msg)
    return sources


def names_of(paths: Sequence[str | os.PathLike[str]]) -> str:
    """Name files in a few words."""
    return list_some([Path(path).name for path in paths], 3)


def tile(
    roi: Any, binsize: int | None, stepsize: int | None, flank: int, *, resolution: int | None = 1, **settings: Any
) -> GenomicIndexer | None:
    """Cut regions into windows; None gives None. Without resolution and bin size each region is one window."""
    if roi is None:
        return None
    collapse = resolution is None and binsize is None
    return GenomicIndexer.create_from_file(roi, binsize, stepsize, flank, collapse=collapse, **settings)


def keep_whole_contigs(windows: GenomicIndexer | None, resolution: int | None, wanted: bool | None) -> bool:
    """Decide whether signal is kept for whole contigs, or refuse what cannot be; see `Cover.create_from_bam`."""
    if windows is None and (resolution is None or wanted is False):
        msg = "Without `roi` there are no windows to keep. Give `roi`, or keep whole contigs in bins of a resolution."
        raise InputError(msg)
    if resolution is None and wanted:
        msg = "Whole contigs are kept in bins. Received: resolution=None. Give a bin length in bp, or `roi` alone."
        raise InputError(msg)
    if wanted is not None or windows is None:
        return wanted is not False
    on_bins = lie_on_bins(windows, resolution)
    if resolution is not None and not on_bins:
        _LOG.info("Windows are not whole bins of %d bp of the genome: only their values are kept.", resolution)
    return on_bins


def fitted(normalizer: Any, array: GenomeStore) -> Normalizer:
    """Give the normalizer of a track, in any form that a user may give: fitted on it, unless it is fitted already."""
    normalizer = as_normalizer(normalizer)
    return normalizer if normalizer.fitted else fit_normalizer(normalizer, array, resolution=array.attrs["resolution"])


def fitted_tracks(arrays: list[GenomeStore], normalizer: Any, resolution: int, fill: float = 0) -> Tracks:
    """Make tracks of arrays, with a normalizer fitted on each."""
    return Tracks(arrays, [fitted(normalizer, array) for array in arrays], resolution, fill)


def fitted_rows(rows: Rows, normalizer: Any, windows: GenomicIndexer, sources: Sequence[str]) -> Rows:
    """Normalize values of windows, 4 bytes each in memory; without a normalizer they stay as they are."""
    return rows if normalizer is None else normalize_rows(rows, windows, as_normalizer(normalizer), sources=sources)


def array_rows(
    array: Any,
    windows: GenomicIndexer,
    *,
    resolution: int | None,
    padding: float,
    sizes: Mapping[str, int] | None,
    storage: str,
    cache: Cache,
) -> Rows:
    """Take values of windows from an array or an HDF5 dataset, see `Cover.create_from_array`."""
    if sizes is not None:
        check_sizes(sizes)
    if not isinstance(padding, int | float | np.number):
        msg = f"padding_value is a number, which may be NaN. Received: padding_value={padding!r}."
        raise InputError(msg)
    stored = isinstance(array, h5py.Dataset)
    if stored and not array:
        msg = "The file of the HDF5 dataset is closed. Open it, then make the Cover."
        raise InputError(msg)
    array = array if stored else np.asarray(array)
    if array.ndim not in (2, 4) or array.dtype.kind not in "buif":
        shapes = "(windows, conditions) or (windows, positions, strands, conditions)"
        msg = f"Give numbers of shape {shapes}. Received: {array.shape}, {array.dtype}."
        raise InputError(msg)
    if not stored and array.ndim == 2:
        array = array[:, None, None, :]
    values = StoredRows(array) if stored else array
    if storage != "ndarray" or cache:
        dense = values[np.arange(len(values))] if stored else array
        recipe = Recipe("array", (), {"values": dense})
        values = load_rows(lambda: lay_out(dense), recipe, storage=storage, cache=cache, source="array")
    return Rows(values, resolution_of(windows, values.shape[1], resolution), padding, sizes)
