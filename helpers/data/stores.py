"""The kinds of storage: one function that keeps values along a genome as asked for, one that opens what it wrote."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from helpers.data.genome_store import GenomeStore
from helpers.data.mapped import Kept, MappedFile
from helpers.data.sparse import SparseArray
from helpers.data.storage import GenomeArray, write_contigs
from helpers.errors import InputError

STORAGES = ("ndarray", "sparse", "hdf5")
Contigs = GenomeArray | Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]]
_LAYOUTS: dict[str, type[GenomeStore]] = {"dense": GenomeArray, "sparse": SparseArray}


def store_contigs(
    contigs: Contigs,
    attrs: Mapping[str, Any] | None = None,
    *,
    storage: str = "ndarray",
    path: str | os.PathLike[str] | None = None,
    fill: float = 0,
) -> GenomeStore:
    """Keep values along a genome, in the kind of storage asked for.

    Parameters
    ----------
    contigs : mapping or iterable of (name, numpy.ndarray), each of shape (positions, ...), or GenomeArray
        All of one dtype and one shape behind the first axis. With storage 'sparse', only one contig of an iterable is
        in memory at a time. A `GenomeArray` is not copied.
    attrs : mapping, optional
        Anything that JSON can hold, such as the resolution in bp; put over those of a `GenomeArray`.
    storage : {'ndarray', 'sparse', 'hdf5'}
        'ndarray' keeps all positions in one array, 'sparse' those that differ from `fill`. 'hdf5' is 'ndarray' in a
        file.
    path : path, optional
        File to write; the values are then read from it through a memory map, whatever the storage.
    fill : number, default 0
        Most frequent value, of positions that 'sparse' does not keep.

    Returns
    -------
    GenomeArray or SparseArray

    Raises
    ------
    InputError
        For another storage, 'hdf5' without a path, or contigs that do not fit together.

    Examples
    --------
    >>> store_contigs({"chr1": np.array([0, 0, 3])}, storage="sparse").contig("chr1")
    array([0, 0, 3])
    """
    check_storage(storage, in_file=path is not None)
    if isinstance(contigs, GenomeArray):
        dense, attrs = contigs, contigs.attrs | dict(attrs or {})
        contigs = {name: dense.contig(name) for name in dense.contigs}
        if storage == "ndarray" and path is None:
            return GenomeArray(dense.values, dense.sizes, attrs)
    if storage == "sparse":
        sparse = SparseArray.from_contigs(contigs, attrs, fill=fill)
        if path is None:
            return sparse
        sparse.write(path)
        return SparseArray.open(path)
    if path is None:
        return GenomeArray.from_contigs(contigs, attrs)
    write_contigs(path, contigs, attrs)
    return GenomeArray.open(path)


def open_store(path: str | os.PathLike[str]) -> GenomeStore:
    """Map a file of values along a genome into memory, sparse or not.

    Raises
    ------
    InputError
        When the file is missing, damaged, of another kind or of another format version.
    """
    kinds = {kind.format: kind for kind in _LAYOUTS.values()}
    file = MappedFile(path, *kinds)
    return kinds[file.format].from_parts(file.header, file.mapped())


def check_storage(storage: str, *, in_file: bool) -> None:
    """Raise InputError for an unknown storage, or one that needs a file where there is none."""
    if storage not in STORAGES:
        msg = f"storage is one of {', '.join(STORAGES)}. Received: storage={storage!r}."
        raise InputError(msg)
    if storage == "hdf5" and not in_file:
        msg = (
            "storage='hdf5' reads values from a file and must know where to keep it. Give cache=True, or cache='folder'"
            ", or use storage='ndarray', which keeps them in memory."
        )
        raise InputError(msg)


def parts_of_store(store: GenomeStore, prefix: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Give header and arrays of a store as a part of a larger file; names of arrays begin with `prefix`."""
    layout = next(name for name, kind in _LAYOUTS.items() if isinstance(store, kind))
    arrays = {f"{prefix}{name}": array for name, array in store.arrays().items()}
    return {"layout": layout} | store.header(), arrays


def store_from_parts(header: Mapping[str, Any], arrays: Kept, prefix: str) -> GenomeStore:
    """Make a store of what `parts_of_store` gave and a file kept."""
    return _LAYOUTS[header["layout"]].from_parts(header, arrays.under(prefix))
