"""The signal of `Cover.create_from_bigwig`: whole contigs in bins on a grid, or the bins of each window."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from helpers.data.bigwig import BigWig
from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.collapse import Collapser
from helpers.data.contigs import agree_on_sizes
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer
from helpers.data.loading import names_of
from helpers.data.storage import GenomeArray
from helpers.data.stored_rows import KeptRows, lay_out, load_rows
from helpers.data.window_bins import count_bins, describe_windows, turn_minus
from helpers.errors import InputError, list_some

Track = Sequence[str | os.PathLike[str]]


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


def bigwig_sizes(
    tracks: Sequence[Track], windows: GenomicIndexer | None, given: Mapping[str, int] | None
) -> dict[str, int]:
    """Agree on the contigs to read and their lengths in bp: those given, or of the windows, or of the files.

    Raises
    ------
    InputError
        When files do not agree, or windows lie on contigs without a length.
    """
    sizes = agree_on_sizes(_sizes_of(tracks), given)
    if windows is None:
        return sizes
    unknown = [name for name in windows.chrom_names if name not in sizes]
    if unknown:
        msg = (
            f"No bigWig file names these contigs of the regions: {list_some(unknown, 8)}. They name "
            f"{list_some(sizes, 8)}. Use the same assembly, or give genomesize with them, if they merely hold no data."
        )
        raise InputError(msg)
    return sizes if given else {chrom: sizes[chrom] for chrom in windows.chrom_names}


def _sizes_of(tracks: Sequence[Track]) -> Iterator[tuple[str | os.PathLike[str], dict[str, int]]]:
    for path in (path for track in tracks for path in track):
        with BigWig(path) as file:
            yield path, file.sizes


def load_bigwig_track(
    track: Track,
    sizes: Mapping[str, int],
    *,
    resolution: int,
    collapser: Collapser,
    nan_to_num: bool,
    storage: str = "ndarray",
    cache: Cache = False,
) -> GenomeStore:
    """Collapse whole contigs of one condition, shape (bins, strands), float32, or find them in the cache.

    Memory is that of the result (with storage 'sparse' and the longest contig), and less than 20 MB for what is read at
    once (8 bytes a base with a callable).
    """
    attrs = {"source": names_of(track), "resolution": resolution, "sizes": dict(sizes)}
    rule = {"resolution": resolution, "collapser": collapser, "nan_to_num": nan_to_num}
    read = _contigs if storage == "sparse" else _whole_array
    recipe = Recipe("signal", track, rule | {"sizes": dict(sizes)})
    kept = {"storage": storage, "cache": cache, "fill": 0 if nan_to_num else np.nan}
    return load_store(lambda: read(track, sizes, **rule), recipe, attrs, **kept)


def _whole_array(track: Track, sizes: Mapping[str, int], *, resolution: int, **rule: Any) -> GenomeArray:
    """Read all contigs into one array."""
    lengths = {chrom: -(-size // resolution) for chrom, size in sizes.items()}
    array = GenomeArray(np.empty((sum(lengths.values()), len(track)), dtype=np.float32), lengths)
    for _ in _contigs(track, sizes, resolution=resolution, into=array, **rule):
        pass
    return array


def _contigs(
    track: Track,
    sizes: Mapping[str, int],
    *,
    resolution: int,
    collapser: Collapser,
    nan_to_num: bool,
    into: GenomeArray | None = None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Read contig after contig, into arrays of their own or into that of a genome."""
    with ExitStack() as stack:
        files = [stack.enter_context(BigWig(path, nan_to_num=nan_to_num)) for path in track]
        for chrom, size in sizes.items():
            shape = (-(-size // resolution), len(track))
            values = np.empty(shape, dtype=np.float32) if into is None else into.contig(chrom)
            for strand, file in enumerate(files):
                file.collapse_contig(chrom, size, resolution, collapser, values[:, strand])
            yield chrom, values


def load_bigwig_windows(
    tracks: Sequence[Track],
    windows: GenomicIndexer,
    *,
    resolution: int | None,
    collapser: Collapser,
    nan_to_num: bool,
    storage: str = "ndarray",
    cache: Cache = False,
) -> KeptRows:
    """Collapse windows, wherever they begin, shape (windows, positions, strands, conditions), float32."""
    rule = {"resolution": resolution, "collapser": collapser, "nan_to_num": nan_to_num}
    paths = [path for track in tracks for path in track]
    parameters = rule | {"windows": describe_windows(windows), "strands": len(tracks[0])}
    kept = {"storage": storage, "cache": cache, "fill": 0 if nan_to_num else np.nan, "source": names_of(paths)}
    return load_rows(
        lambda: lay_out(_read_windows(tracks, windows, **rule)), Recipe("window-signal", paths, parameters), **kept
    )


def _read_windows(
    tracks: Sequence[Track],
    windows: GenomicIndexer,
    *,
    resolution: int | None,
    collapser: Collapser,
    nan_to_num: bool,
) -> np.ndarray:
    places = windows.windows()
    shape = (len(windows), count_bins(windows, resolution), len(tracks[0]), len(tracks))
    values = np.full(shape, 0 if nan_to_num else np.nan, dtype=np.float32)
    for condition, track in enumerate(tracks):
        for strand, path in enumerate(track):
            with BigWig(path, nan_to_num=nan_to_num) as file:
                stretches = zip(places.chroms, places.starts.tolist(), places.ends.tolist(), strict=True)
                for row, stretch in enumerate(stretches):
                    bins = file.collapse(*stretch, resolution, collapser)
                    values[row, : len(bins), strand, condition] = bins
    turn_minus(values, places, resolution)
    return values
