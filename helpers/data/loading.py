"""What the constructors of `Cover` load: the signal of bigWig files, features or arrays for windows of a genome."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from helpers.data.bigwig import BigWig
from helpers.data.chain import as_normalizer
from helpers.data.collapse import Collapser
from helpers.data.features import bin_features
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer, Windows
from helpers.data.normalization import fit_normalizer
from helpers.data.normalizers import Identity, Normalizer
from helpers.data.signal import Rows, Tracks, resolution_of
from helpers.data.storage import GenomeArray
from helpers.data.stored_rows import StoredRows
from helpers.data.window_bins import turn_minus
from helpers.errors import InputError

_BINS_AT_ONCE = 1 << 20

Track = Sequence[str | os.PathLike[str]]


def as_list(sources: Any, argument: str) -> list[Any]:
    """Make a list of one or more sources, or raise InputError when there is none."""
    sources = list(sources) if isinstance(sources, list | tuple) else [sources]
    if not sources:
        msg = f"{argument} is empty. Give at least one."
        raise InputError(msg)
    return sources


def as_strands(sources: Sequence[Any]) -> list[Track]:
    """Make of each bigWig file, or pair of files (plus, minus), the list of its strands.

    Raises
    ------
    InputError
        Unless all are single files or all are pairs.
    """
    tracks = [list(source) if isinstance(source, list | tuple) else [source] for source in sources]
    if {len(track) for track in tracks} not in ({1}, {2}):
        msg = f"Give bigWig files, or a pair of files (plus, minus) for each condition. Received: {list(sources)}."
        raise InputError(msg)
    return tracks


def bigwig_sizes(tracks: Sequence[Track], given: Mapping[str, int] | None = None) -> dict[str, int]:
    """Agree on the contigs of bigWig files and their lengths in bp.

    Parameters
    ----------
    tracks : sequence of sequence of path
        Files of each condition.
    given : mapping of str to int, optional
        Contigs to use; a contig that no file names has no data. By default all that any file names.

    Raises
    ------
    InputError
        When a file has another length for a contig, or names none of the contigs at all.
    """
    sizes, owners = dict(given or {}), dict.fromkeys(given or {}, "genomesize")
    for path in (path for track in tracks for path in track):
        with BigWig(path) as track:
            found = track.sizes
        for chrom, size in found.items():
            if sizes.get(chrom, size) != size:
                agreed = f"{owners[chrom]} says {sizes[chrom]}"
                msg = f"{path} has {chrom} of {size} bp, {agreed}. Use one assembly for all."
                raise InputError(msg)
            if given is None:
                owners.setdefault(chrom, path)
                sizes[chrom] = size
        if not set(found) & set(sizes):
            msg = f"{path} has none of the contigs {_some(sizes)}. It has {_some(found)}. Use one assembly for all."
            raise InputError(msg)
    return sizes


def check_contigs(windows: GenomicIndexer, sizes: Mapping[str, int]) -> None:
    """Raise InputError when windows lie on contigs without a size."""
    unknown = [name for name in windows.chrom_names if name not in sizes]
    if unknown:
        msg = (
            f"No bigWig file names these contigs of the regions: {_some(unknown)}. They name {_some(sizes)}. Use the "
            "same assembly, or give genomesize with them, if they merely hold no data."
        )
        raise InputError(msg)


def load_bigwig_track(
    track: Track, sizes: Mapping[str, int], *, resolution: int, collapser: Collapser, nan_to_num: bool
) -> GenomeArray:
    """Collapse whole contigs of one condition, shape (bins, strands), float32.

    Memory is that of the result, and less than 20 MB for what is read at once (8 bytes a base with a callable).
    """
    lengths = {chrom: -(-size // resolution) for chrom, size in sizes.items()}
    attrs = {"source": Path(track[0]).name, "resolution": resolution, "sizes": dict(sizes)}
    values = np.empty((sum(lengths.values()), len(track)), dtype=np.float32)
    array = GenomeArray(values, lengths, attrs)
    for strand, path in enumerate(track):
        with BigWig(path, nan_to_num=nan_to_num) as file:
            for chrom, size in sizes.items():
                file.collapse_contig(chrom, size, resolution, collapser, array.contig(chrom)[:, strand])
    return array


def load_bigwig_windows(
    tracks: Sequence[Track],
    windows: GenomicIndexer,
    *,
    resolution: int | None,
    collapser: Collapser,
    nan_to_num: bool,
) -> np.ndarray:
    """Collapse windows, wherever they begin, shape (windows, positions, strands, conditions), float32."""
    n_bins = count_bins(windows, resolution)
    chroms, starts, ends, strands = windows.windows()
    shape = (len(windows), n_bins, len(tracks[0]), len(tracks))
    values = np.full(shape, 0 if nan_to_num else np.nan, dtype=np.float32)
    for condition, track in enumerate(tracks):
        for strand, path in enumerate(track):
            with BigWig(path, nan_to_num=nan_to_num) as file:
                for row, place in enumerate(zip(chroms, starts.tolist(), ends.tolist(), strict=True)):
                    bins = file.collapse(*place, resolution, collapser)
                    values[row, : len(bins), strand, condition] = bins
    turn_minus(values, Windows(chroms, starts, ends, strands), resolution)
    return values


def load_features(
    tables: Sequence[Any], windows: GenomicIndexer, *, resolution: int | None, **options: Any
) -> np.ndarray:
    """Measure features in windows, shape (windows, positions, 1, conditions); options as in `bin_features`."""
    n_bins = count_bins(windows, resolution)
    return bin_features(windows.windows(), tables, n_bins=n_bins, resolution=resolution, **options)[:, :, None, :]


def load_feature_tracks(
    tables: Sequence[Any], sizes: Mapping[str, int], *, resolution: int, **options: Any
) -> list[GenomeArray]:
    """Measure features in the bins of whole contigs, one array of shape (bins, 1) a condition."""
    contigs: list[dict[str, np.ndarray]] = [{} for _ in tables]
    for chrom, size in sizes.items():
        starts = np.arange(0, size, _BINS_AT_ONCE * resolution)
        ends = np.minimum(starts + _BINS_AT_ONCE * resolution, size)
        n_bins = -(-int(ends[0]) // resolution)
        pieces = Windows(np.full(len(starts), chrom, dtype=object), starts, ends, np.full(len(starts), "."))
        local = [table[table["chrom"] == chrom] for table in tables]
        values = bin_features(pieces, local, n_bins=n_bins, resolution=resolution, **options)
        values = values.reshape(-1, 1, len(tables))[: -(-size // resolution)]
        for condition, arrays in enumerate(contigs):
            arrays[chrom] = values[..., condition]
    attrs = {"resolution": resolution, "sizes": dict(sizes)}
    return [GenomeArray.from_contigs(arrays, attrs) for arrays in contigs]


def plain_tracks(arrays: list[GenomeArray], resolution: int) -> Tracks:
    """Make tracks of arrays as they are."""
    return Tracks(arrays, [Identity()] * len(arrays), resolution)


def array_rows(
    array: Any,
    windows: GenomicIndexer,
    *,
    resolution: int | None,
    padding: float,
    sizes: Mapping[str, int] | None,
) -> Rows:
    """Take values of windows from an array or an HDF5 dataset, see `Cover.create_from_array`."""
    stored = isinstance(array, h5py.Dataset)
    array = array if stored else np.asarray(array)
    if array.ndim not in (2, 4) or array.dtype.kind not in "buif":
        shapes = "(windows, conditions) or (windows, positions, strands, conditions)"
        msg = f"Give numbers of shape {shapes}. Received: {array.shape}, {array.dtype}."
        raise InputError(msg)
    if not stored and array.ndim == 2:
        array = array[:, None, None, :]
    values = StoredRows(array) if stored else array
    return Rows(values, resolution_of(windows, values.shape[1], resolution), padding, sizes)


def tile(roi: Any, binsize: int | None, stepsize: int | None, flank: int, **settings: Any) -> GenomicIndexer | None:
    """Cut regions into windows; None gives None."""
    return None if roi is None else GenomicIndexer.create_from_file(roi, binsize, stepsize, flank, **settings)


def count_bins(windows: GenomicIndexer, resolution: int | None) -> int:
    """Count the positions of a window, flank included; the last may be shorter."""
    return 1 if resolution is None else -(-(windows.binsize + 2 * windows.flank) // resolution)


def on_bins(windows: GenomicIndexer, resolution: int | None) -> bool:
    """Say whether all windows, with flank, are whole bins of the genome."""
    if resolution is None or windows.binsize is None or (windows.binsize + 2 * windows.flank) % resolution:
        return False
    return not ((windows.starts - windows.flank) % resolution).any()


def checked_resolution(resolution: int | None) -> int | None:
    """Give a resolution in bp, or None, or raise InputError."""
    whole = isinstance(resolution, int | np.integer) and not isinstance(resolution, bool)
    if resolution is None or (whole and resolution >= 1):
        return resolution
    msg = f"The resolution is a number of bp, at least 1, or None. Received: resolution={resolution!r}."
    raise InputError(msg)


def check_storage(storage: str) -> None:
    """Raise InputError for an unknown kind of storage."""
    if storage != "ndarray":
        msg = f"storage must be 'ndarray'. Received: storage={storage!r}."
        raise InputError(msg)


def fitted(normalizer: Any, array: GenomeStore) -> Normalizer:
    """Give the normalizer of a track, in any form that a user may give: fitted on it, unless it is fitted already."""
    normalizer = as_normalizer(normalizer)
    return normalizer if normalizer.fitted else fit_normalizer(normalizer, array, resolution=array.attrs["resolution"])


def _some(names: Any) -> str:
    names = list(names)
    return ", ".join(map(str, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
