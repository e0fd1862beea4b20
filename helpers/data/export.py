"""Signal of windows as genome-wide bigWig tracks, and predictions of windows too."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.bigwig import write_bigwig
from helpers.data.collapse import collapse_overlaps
from helpers.data.dataset import Dataset
from helpers.data.window_bins import turn_minus
from helpers.errors import InputError, list_some

_STRANDS = {1: [""], 2: [".plus", ".minus"]}
_VALUES_AT_ONCE = 1 << 22
_VALUES_IN_MEMORY = 1 << 27  # 0.5 GB


def export_windows(
    cover: Dataset, output_dir: str | os.PathLike[str], sizes: Mapping[str, int] | None = None
) -> list[Path]:
    """Write what the windows of a dataset hold, one bigWig file for each condition and strand of the genome.

    Parameters
    ----------
    cover : Cover
        Windows in any order. A base in several windows gets the mean of their values; NaN counts as no value. Values
        are those that the dataset gives, normalized ones included.
    output_dir : path
        Folder; made if it is missing.
    sizes : mapping of str to int, optional
        Contig lengths in bp; what lies beyond is cut off. By default (and when empty) the ends of the last windows.

    Returns
    -------
    list of pathlib.Path
        ``{name}.{condition}.bigwig``, or ``.plus.bigwig`` and ``.minus.bigwig`` with two strands.

    Raises
    ------
    InputError
        When there are no windows or more than two strands, a window lies on a contig that `sizes` lacks, or names of
        conditions make no file names of their own.
    """
    _check_names(cover)
    if len(cover.shape) != 4 or cover.shape[2] not in _STRANDS or not len(cover):
        msg = f"bigWig tracks hold windows of one or two strands. Received: shape {cover.shape} of {cover.name!r}."
        raise InputError(msg)
    regions, places = _bins_of(cover)
    sizes = dict(sizes or regions.groupby("chrom", sort=False)["end"].max())
    strands = _STRANDS[cover.shape[2]]
    at_once = max(_VALUES_IN_MEMORY // int(np.prod(cover.shape[:3])), 1)
    paths = []
    for first in range(0, len(cover.conditions), at_once):
        values = _in_place(cover, slice(first, first + at_once), places)
        for number, label in enumerate(cover.conditions[first : first + at_once]):
            for strand, ending in enumerate(strands):
                paths.append(Path(output_dir) / f"{cover.name}.{label}{ending}.bigwig")
                predictions_to_bigwig(paths[-1], regions, values[:, strand, number], sizes)
    return paths


def _check_names(cover: Dataset) -> None:
    """Raise InputError unless each condition gives a file name of its own."""
    twice = [name for name, number in Counter(cover.conditions).items() if number > 1]
    if twice:
        msg = f"Conditions of {cover.name!r} that come twice: {', '.join(twice[:8])}. Name them apart, one file each."
        raise InputError(msg)
    wrong = [name for name in (cover.name, *cover.conditions) if os.sep in name]
    if wrong:
        msg = f"{wrong[0]!r} cannot be part of a file name. Name the dataset and its conditions without {os.sep!r}."
        raise InputError(msg)


def predictions_to_bigwig(
    path: str | os.PathLike[str], regions: pd.DataFrame, values: np.ndarray, sizes: Mapping[str, int]
) -> None:
    """Write one value per window as a bigWig track; where windows overlap, a base holds the mean of their values.

    Parameters
    ----------
    path : path
        The file to write; it appears when it is complete.
    regions : pandas.DataFrame
        Windows in any order: chrom, start, end (0-based, half-open). What lies outside the contig is cut off.
    values : numpy.ndarray of float, shape (windows,)
        NaN leaves its window out. Stored in single precision.
    sizes : dict of str to int
        Length in bp of every contig; all are named in the header, in this order.

    Raises
    ------
    InputError
        When lengths differ, or a window lies on a contig that `sizes` lacks.
    """
    values = np.asarray(values).ravel()
    codes, names = pd.factorize(regions["chrom"])
    _check(len(regions), names, values, sizes)
    starts, ends = (regions[column].to_numpy(dtype=np.int64) for column in ("start", "end"))
    code_of = {name: code for code, name in enumerate(names)}
    write_bigwig(path, sizes, _pieces(codes, code_of, starts, ends, values, sizes))


def _pieces(
    codes: np.ndarray,
    code_of: Mapping[str, int],
    starts: np.ndarray,
    ends: np.ndarray,
    values: np.ndarray,
    sizes: Mapping[str, int],
) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the pieces of each contig."""
    for chrom, size in sizes.items():
        rows = np.flatnonzero((codes == code_of.get(chrom, -2)) & ~np.isnan(values))
        inside = np.maximum(starts[rows], 0), np.minimum(ends[rows], size)
        yield chrom, *collapse_overlaps(*inside, values[rows].astype(np.float64))


def _check(n_regions: int, names: Any, values: np.ndarray, sizes: Mapping[str, int]) -> None:
    if len(values) != n_regions:
        message = f"A bigWig needs one value per window, but there are {len(values)} values for {n_regions} windows."
        raise InputError(message)
    unknown = [chrom for chrom in names if chrom not in sizes]
    if unknown:
        message = (
            f"Windows lie on {list_some(unknown)}, which the genome does not have. "
            f"It has {list_some(sizes)}. Use the genome that the regions were made for."
        )
        raise InputError(message)


def _bins_of(cover: Dataset) -> tuple[pd.DataFrame, np.ndarray]:
    """Give the bins of all windows as regions, and the place of each among all positions of all windows.

    Positions behind the end of a shorter window are left out.
    """
    chroms, starts, ends, _ = cover.gindexer.windows()
    n_positions, resolution = cover.shape[1], cover.resolution
    if resolution is None:
        return pd.DataFrame({"chrom": chroms, "start": starts, "end": ends}), np.arange(len(starts))
    left = starts[:, None] + resolution * np.arange(n_positions)
    real = left < ends[:, None]
    table = {"chrom": np.broadcast_to(chroms[:, None], left.shape)[real], "start": left[real]}
    return pd.DataFrame(table | {"end": np.minimum(left + resolution, ends[:, None])[real]}), np.flatnonzero(real)


def _in_place(cover: Dataset, conditions: slice, places: np.ndarray) -> np.ndarray:
    """Read conditions, shape (bins, strands, conditions): from left to right on the genome, the plus strand first."""
    n_windows, n_positions, n_strands, n_conditions = cover.shape
    values = np.empty((*cover.shape[:3], len(cover.conditions[conditions])), dtype=np.float32)
    at_once = max(_VALUES_AT_ONCE // (n_positions * n_strands * n_conditions), 1)
    for first in range(0, n_windows, at_once):
        values[first : first + at_once] = cover[first : first + at_once][..., conditions]
    turn_minus(values, cover.gindexer.windows(), cover.resolution)
    return values.reshape(n_windows * n_positions, n_strands, -1)[places]
