"""The signal of `Cover.create_from_bed`: features in the bins of windows, or of whole contigs."""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.feature_modes import check_mode, has_categories, name_conditions, read_conditions
from helpers.data.features import bin_features
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer, Windows
from helpers.data.loading import names_of
from helpers.data.region_files import read_regions
from helpers.data.storage import GenomeArray
from helpers.data.stored_rows import KeptRows, lay_out, load_rows
from helpers.data.window_bins import count_bins, describe_windows

_BINS_AT_ONCE = 1 << 20
_VALUES_AT_ONCE = 1 << 28  # of whole contigs, for several conditions, so that bins are sorted once for all of them


class Features:
    """Files or tables of features, and what they stand for.

    Parameters
    ----------
    sources : sequence of path, table or other regions
    mode, conditions
        See `helpers.data.feature_modes.read_conditions`.
    """

    def __init__(self, sources: Sequence[Any], mode: str, conditions: Sequence[str] | None):
        self._sources = [source if _is_path(source) else read_regions(source) for source in sources]
        self._mode, self._conditions = check_mode(mode), conditions
        self._names = None if has_categories(self._mode) else name_conditions(conditions, self._sources)

    def load_windows(
        self, windows: GenomicIndexer, *, resolution: int | None, storage: str, cache: Cache, **options: Any
    ) -> tuple[list[str], KeptRows]:
        """Measure features in windows, or find them in the cache.

        Parameters
        ----------
        windows : GenomicIndexer
        resolution : int or None
            Bin length in bp; None is one bin.
        storage, cache
            See `helpers.data.cache.load_store`.
        **options
            As in `bin_features`.

        Returns
        -------
        names : list of str
            Conditions.
        values : KeptRows, shape (windows, positions, 1, conditions)
            While they are made, they are in memory, 1 byte a value where features are marked, else 4.
        """

        def measure() -> GenomeArray:
            names, tables = read_conditions(self._sources, self._mode, self._conditions)
            n_bins = count_bins(windows, resolution)
            values = bin_features(windows.windows(), tables, n_bins=n_bins, resolution=resolution, **options)
            return lay_out(values[:, :, None, :], conditions=names)

        rule = options | {"resolution": resolution, "windows": describe_windows(windows)}
        if self._names is None:
            rule["conditions"] = self._conditions
        recipe = self._recipe("window-labels", self._sources, rule)
        rows = load_rows(measure, recipe, storage=storage, cache=cache, source=names_of(recipe.files) or "tables")
        return self._names or rows.store.attrs["conditions"], rows

    def load_contigs(
        self, sizes: Mapping[str, int], *, resolution: int, storage: str, cache: Cache, **options: Any
    ) -> tuple[list[str], list[GenomeStore]]:
        """Measure features in the bins of whole contigs, one array of shape (bins, 1) a condition, or find them.

        As `load_windows`; `sizes` are the lengths of contigs in bp.
        """
        rule = options | {"resolution": resolution}
        attrs = {"resolution": resolution, "sizes": dict(sizes)}
        names, recipes, readers = self._by_condition(rule | {"sizes": dict(sizes)})
        at_once = max(_VALUES_AT_ONCE // max(sum(-(-size // resolution) for size in sizes.values()), 1), 1)
        arrays: list[GenomeStore] = []
        for first in range(0, len(names), at_once):
            group = slice(first, first + at_once)
            measured = functools.cache(functools.partial(_measure_contigs, readers[group], sizes, **rule))
            for number, recipe in enumerate(recipes[group]):
                build = functools.partial(_item_of, measured, number)
                said = attrs | {"source": names_of(recipe.files) or "tables"}
                arrays.append(load_store(build, recipe, said, storage=storage, cache=cache))
        return names, arrays

    def _by_condition(
        self, rule: Mapping[str, Any]
    ) -> tuple[list[str], list[Recipe], list[Callable[[], pd.DataFrame]]]:
        """Give name, recipe and reader of each condition; a file is read when it is needed, for categories at once."""
        if self._names is not None:
            recipes = [self._recipe("labels", [source], rule) for source in self._sources]
            return self._names, recipes, [functools.partial(_read, source, self._mode) for source in self._sources]
        names, tables = read_conditions(self._sources, self._mode, self._conditions)
        recipes = [self._recipe("labels", self._sources, {**rule, "category": name}) for name in names]
        return names, recipes, [functools.partial(_given, table) for table in tables]

    def _recipe(self, what: str, sources: Sequence[Any], rule: Mapping[str, Any]) -> Recipe:
        files = [source for source in sources if _is_path(source)]
        tables = [None if _is_path(source) else _contents(source) for source in sources]
        return Recipe(what, files, {**rule, "mode": self._mode, "tables": tables})


def _is_path(source: Any) -> bool:
    return isinstance(source, str | os.PathLike)


def _read(source: Any, mode: str) -> pd.DataFrame:
    return read_conditions([source], mode)[1][0]


def _given(table: pd.DataFrame) -> pd.DataFrame:
    return table


def _item_of(measured: Callable[[], list[Any]], number: int) -> Any:
    return measured()[number]


def _contents(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Give the columns of a table that labels depend on, fit for the key of a cache."""
    texts = {name: np.array(table[name].tolist(), dtype=str) for name in ("chrom", "name")}
    return texts | {name: table[name].to_numpy() for name in ("start", "end", "score")}


def _measure_contigs(
    readers: Sequence[Callable[[], pd.DataFrame]], sizes: Mapping[str, int], *, resolution: int, **options: Any
) -> list[dict[str, np.ndarray]]:
    """Measure features in the bins of whole contigs, piece by piece: arrays by contig, for each condition."""
    tables = [read() for read in readers]
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
    return contigs
