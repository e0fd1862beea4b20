"""The signal of `Cover.create_from_bam`: whole contigs in bins on a grid, or the bins of each window."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.data.bam import bam_sizes, count_bam
from helpers.data.bam_windows import count_bam_windows
from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.chain import as_normalizer
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer
from helpers.data.loading import fitted
from helpers.data.row_normalization import normalize_rows
from helpers.data.signal import Rows, Tracks
from helpers.data.window_bins import check_resolution
from helpers.errors import InputError


def count_tracks(
    paths: Sequence[str | os.PathLike[str]],
    windows: GenomicIndexer | None,
    genomesize: Mapping[str, int] | None,
    *,
    resolution: int,
    normalizer: Any = None,
    storage: str = "ndarray",
    cache: Cache = False,
    **rule: Any,
) -> Tracks:
    """Count whole contigs of each file, or find them in the cache.

    Parameters
    ----------
    paths : sequence of path
        BAM or CRAM files, one a condition.
    windows : GenomicIndexer or None
        Their contigs are counted when no `genomesize` is given; all contigs when there are no windows.
    genomesize : mapping of str to int, optional
        Contigs to count, and their lengths in bp, with which the files must agree.
    resolution : int
        Bin length in bp.
    normalizer : optional
        As in `Cover.create_from_bam`, fitted on the counts of each file.
    storage, cache
        See `helpers.data.cache.load_store`.
    **rule
        As in `count_bam`.

    Returns
    -------
    Tracks
        Of uint32, with ``source``, ``resolution`` and ``sizes`` (bp) in the attributes of each array.

    Raises
    ------
    InputError
        As `count_bam` and `load_store`, or when the lengths of a contig differ.
    """
    chroms = genomesize or (windows.chrom_names if windows else None)
    rule |= {"resolution": resolution, "chroms": chroms and list(chroms)}
    kept = {"storage": storage, "cache": cache}
    arrays = [_load_counts(path, _agreed_sizes(path, genomesize), kept, rule) for path in paths]
    return Tracks(arrays, [fitted(normalizer, array) for array in arrays], resolution)


def _load_counts(
    path: str | os.PathLike[str], sizes: Mapping[str, int], kept: Mapping[str, Any], rule: Mapping[str, Any]
) -> GenomeStore:
    attrs = {"source": Path(path).name, "resolution": rule["resolution"], "sizes": dict(sizes)}
    parameters = {name: value for name, value in rule.items() if name != "reference"}  # decodes, but changes no count
    return load_store(lambda: count_bam(path, **rule)[0], Recipe("counts", [path], parameters), attrs, **kept)


def count_rows(
    paths: Sequence[str | os.PathLike[str]],
    windows: GenomicIndexer | None,
    genomesize: Mapping[str, int] | None,
    *,
    resolution: int | None,
    normalizer: Any = None,
    storage: str = "ndarray",
    cache: Cache = False,
    **rule: Any,
) -> Rows:
    """Count each file window by window.

    Parameters
    ----------
    paths, genomesize, normalizer, **rule
        As in `count_tracks`.
    windows : GenomicIndexer
        At least their contigs must be in the files. None is an InputError.
    resolution : int or None
        Bin length in bp; None is one value for the window.
    storage, cache
        Only 'ndarray' and False.

    Returns
    -------
    Rows
        Counts, or normalized values (float32).

    Raises
    ------
    InputError
        As `count_bam_windows`, or when the lengths of a contig differ.
    """
    if windows is None:
        msg = "Windows are stored (resolution=None or store_whole_genome=False), and there are none. Give `roi`."
        raise InputError(msg)
    if storage != "ndarray" or cache:
        msg = (
            "Windows that are counted one by one are kept in memory. "
            f"Received: storage={storage!r}, cache={cache!r}. Count whole contigs, or leave these out."
        )
        raise InputError(msg)
    n_bins = 1
    if resolution is not None:
        check_resolution(resolution)
        n_bins = -(-(windows.binsize + 2 * windows.flank) // resolution)
    values = []
    for path in paths:
        _agreed_sizes(path, genomesize)
        values.append(count_bam_windows(path, windows.windows(), n_bins=n_bins, resolution=resolution, **rule))
    rows = Rows(np.stack(values, axis=-1), resolution)
    sources = [os.fspath(path) for path in paths]
    return rows if normalizer is None else normalize_rows(rows, windows, as_normalizer(normalizer), sources=sources)


def _agreed_sizes(path: str | os.PathLike[str], genomesize: Mapping[str, int] | None) -> dict[str, int]:
    """Read contig lengths of a file and compare them with those given."""
    sizes = bam_sizes(path)
    for name, size in (genomesize or {}).items():
        if sizes.get(name, size) != size:
            msg = f"{path} has {name} of {sizes[name]} bp, genomesize says {size}. Use one assembly for both."
            raise InputError(msg)
    return sizes
