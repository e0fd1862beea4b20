"""The signal of `Cover.create_from_bam`: whole contigs in bins on a grid, or the bins of each window."""

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from helpers.data.bam import bam_sizes, count_genome
from helpers.data.bam_windows import count_bam_windows
from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.contigs import agree_on_sizes
from helpers.data.counting import CountRule
from helpers.data.indexer import GenomicIndexer
from helpers.data.loading import fitted_rows, fitted_tracks, names_of
from helpers.data.signal import Rows, Tracks
from helpers.data.storage import GenomeArray
from helpers.data.stored_rows import lay_out, load_rows
from helpers.data.window_bins import count_bins, describe_windows


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
    sizes, parameters = _agreed_sizes(paths, genomesize), _parameters(**rule)
    arrays = []
    for path in paths:
        attrs = {"source": Path(path).name, "resolution": resolution, "sizes": sizes}
        count = functools.partial(_count_contigs, path, **rule)
        arrays.append(load_store(count, Recipe("counts", [path], parameters), attrs, storage=storage, cache=cache))
    return fitted_tracks(arrays, normalizer, resolution)


def count_rows(
    paths: Sequence[str | os.PathLike[str]],
    windows: GenomicIndexer,
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
        Their contigs must be in the files.
    resolution : int or None
        Bin length in bp; None is one value for the window.
    storage, cache
        Of the counts of all files together.

    Returns
    -------
    Rows
        Counts, or normalized values (float32, in memory).

    Raises
    ------
    InputError
        As `count_bam_windows`, or when the lengths of a contig differ.
    """
    sizes = _agreed_sizes(paths, genomesize)

    def count() -> GenomeArray:
        settings = {"n_bins": count_bins(windows, resolution), "resolution": resolution, **rule}
        return lay_out(np.stack([count_bam_windows(path, windows.windows(), **settings) for path in paths], axis=-1))

    parameters = _parameters(**rule, resolution=resolution, windows=describe_windows(windows))
    recipe = Recipe("window-counts", paths, parameters)
    counts = load_rows(count, recipe, storage=storage, cache=cache, source=names_of(paths))
    sources = [os.fspath(path) for path in paths]
    return fitted_rows(Rows(counts, resolution, sizes=sizes), normalizer, windows, sources)


def _count_contigs(path: str | os.PathLike[str], **rule: Any) -> GenomeArray:
    return count_genome(path, **rule)[0]


def _agreed_sizes(paths: Sequence[str | os.PathLike[str]], given: Mapping[str, int] | None) -> dict[str, int]:
    return agree_on_sizes(((path, bam_sizes(path)) for path in paths), given)


def _parameters(*, reference: Any = None, **rule: Any) -> dict[str, Any]:
    """Give all that counts depend on, with defaults; a reference decodes a CRAM file, but changes no count."""
    others = {name: rule.pop(name) for name in ("resolution", "chroms", "windows") if name in rule}
    return asdict(CountRule(**rule)) | others
