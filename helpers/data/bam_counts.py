"""Counts of a BAM file, kept in the storage asked for, from the file or from the cache."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.data.bam import bam_sizes, count_bam
from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.genome_store import GenomeStore
from helpers.errors import InputError


def load_counts(
    path: str | os.PathLike[str],
    genomesize: Mapping[str, int] | None = None,
    *,
    storage: str = "ndarray",
    cache: Cache = False,
    **rule: Any,
) -> GenomeStore:
    """Count a BAM file, or find its counts in the cache.

    Parameters
    ----------
    path : path
        BAM file.
    genomesize : mapping of str to int, optional
        Contig lengths in bp with which those of the file must agree.
    storage, cache
        See `helpers.data.cache.load_store`.
    **rule
        Parameters of `count_bam`.

    Returns
    -------
    GenomeArray or SparseArray of uint32, shape (bins, strands)
        With ``source``, ``resolution`` and ``sizes`` (bp) in its `attrs`.

    Raises
    ------
    InputError
        As `count_bam` and `load_store`, or for a contig of another length.
    """
    attrs = {"source": Path(path).name, "resolution": rule["resolution"], "sizes": _agreed_sizes(path, genomesize)}
    recipe = Recipe("counts", [path], rule)
    return load_store(lambda: count_bam(path, **rule)[0], recipe, attrs, storage=storage, cache=cache)


def _agreed_sizes(path: str | os.PathLike[str], genomesize: Mapping[str, int] | None) -> dict[str, int]:
    """Read contig lengths of a BAM file and compare them with those given."""
    sizes = bam_sizes(path)
    for name, size in (genomesize or {}).items():
        if sizes.get(name, size) != size:
            msg = f"{path} has {name} of {sizes[name]} bp, genomesize says {size}. Use one assembly for both."
            raise InputError(msg)
    return sizes
