"""Values over a stretch of a chromosome: from a bigWig, from a dataset, or from an array that lies somewhere."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.data.bigwig import BigWig
from helpers.data.dataset import as_region
from helpers.errors import InputError
from helpers.evaluation.track_panels import check_strand, is_path


class Stretch:
    """An array over one region of the genome, read as datasets are: ``stretch[chrom, start, end]``.

    Parameters
    ----------
    values : array of float, shape (positions,), (positions, conditions) or (positions, strands, conditions)
        A value for each base of the region, from left to right on the forward strand.
    region : region or str
        Where it lies: ``("chr1", 100, 200)``, a `Region` or ``"chr1:100-200"``, 0-based, half-open.
    conditions : sequence of str, optional
        Name of each condition; by default Cond_0, Cond_1, ...
    name : str, optional
        Stands left of a track.

    Raises
    ------
    InputError
        When values, region and conditions do not fit together.

    Examples
    --------
    >>> Stretch([1.0, 2.0], "chr1:4-6")["chr1", 3, 6].ravel()
    array([nan,  1.,  2.])
    """

    def __init__(self, values: Any, region: Any, conditions: Sequence[str] | None = None, name: str = ""):
        values = np.asarray(values, dtype=float)
        if values.ndim < 3:
            values = values.reshape(len(values), 1, -1) if values.ndim else values
        place = as_region(region)
        if place is None or values.ndim != 3 or len(values) != place.end - place.start:
            message = f"An array of shape {values.shape} does not fit {region!r}. Give a row for each of its bases."
            raise InputError(message)
        if conditions is not None and len(conditions) != values.shape[2]:
            message = f"{len(conditions)} names of conditions, but {values.shape[2]} conditions. Name each of them."
            raise InputError(message)
        self.values = values
        self.region = place
        self.conditions = (
            [f"Cond_{number}" for number in range(values.shape[2])] if conditions is None else [*conditions]
        )
        self.name = name

    def __getitem__(self, key: Any) -> np.ndarray:
        """Give shape (1, positions, strands, conditions), NaN outside the region."""
        wanted = as_region(key)
        values = np.full((wanted.end - wanted.start, *self.values.shape[1:]), np.nan)
        left, right = max(wanted.start, self.region.start), min(wanted.end, self.region.end)
        if wanted.chrom == self.region.chrom and left < right:
            own = self.values[left - self.region.start : right - self.region.start]
            values[left - wanted.start : right - wanted.start] = own
        return values[None]


def read_signal(data: Any, chrom: str, start: int, end: int) -> np.ndarray:
    """Read a stretch of a bigWig or a dataset.

    Parameters
    ----------
    data : path or dataset
        A bigWig file, or what gives shape (1, positions, strands, conditions) at ``data[chrom, start, end]``.
    chrom, start, end
        The stretch, in bp, 0-based, half-open.

    Returns
    -------
    numpy.ndarray of float, shape (positions, strands, conditions)
        NaN where a bigWig says nothing, and outside its contig.

    Raises
    ------
    InputError
        For a missing file, one that is no bigWig or is cut short, a chromosome that a bigWig lacks, or data that cannot
        be read by region.
    """
    if is_path(data):
        return _read_bigwig(data, chrom, start, end)[:, None, None]
    if not hasattr(data, "__getitem__") or isinstance(data, np.ndarray | list):
        fix = "Give a dataset, the path of a bigWig, or helpers.evaluation.Stretch(values, region)"
        message = f"A {type(data).__name__} does not say where its values lie. {fix}."
        raise InputError(message)
    signal = np.asarray(data[chrom, start, end], dtype=float)
    if signal.ndim != 4:
        message = f"Values of {type(data).__name__} have shape {signal.shape}, not (1, positions, strands, conditions)."
        raise InputError(message)
    return signal[0]


def take_strand(signal: np.ndarray, strand: str | None, label: str) -> np.ndarray:
    """Keep one strand of a signal, or all that there are (None).

    Parameters
    ----------
    signal : numpy.ndarray, shape (positions, strands, conditions)
    strand : {None, '+', '-'}
    label : str
        Of the track, for the message.

    Returns
    -------
    numpy.ndarray, shape (positions, strands or 1, conditions)

    Raises
    ------
    InputError
        When the strand is not one of the three, or one is wanted of a signal that does not tell two apart.
    """
    check_strand(strand)
    if strand is None:
        return signal
    if signal.shape[1] != 2:
        message = f"Track {label!r} has no strands, so strand={strand!r} cannot be taken of it. Leave strand out."
        raise InputError(message)
    return signal[:, ["+-".index(strand)]]


def runs_of_equal(values: np.ndarray) -> np.ndarray:
    """Find where values change along the first axis, NaN being equal to NaN.

    Returns
    -------
    numpy.ndarray of int
        Edges of the runs: 0, the first position of each further run, and the number of positions.

    Examples
    --------
    >>> runs_of_equal(np.array([1.0, 1.0, np.nan, np.nan, 2.0]))
    array([0, 2, 4, 5])
    """
    flat = values.reshape(len(values), -1)
    same = ((flat[1:] == flat[:-1]) | (np.isnan(flat[1:]) & np.isnan(flat[:-1]))).all(axis=1)
    return np.concatenate([[0], np.flatnonzero(~same) + 1, [len(values)]])


def _read_bigwig(path: str | os.PathLike[str], chrom: str, start: int, end: int) -> np.ndarray:
    if not Path(path).is_file():
        message = f"There is no bigWig file {path}. Make it first, or leave its track out."
        raise InputError(message)
    with BigWig(path, nan_to_num=False) as track:
        if chrom not in track.sizes:
            message = f"{path} has no chromosome {chrom!r}. It has {', '.join(list(track.sizes)[:5])} ..."
            raise InputError(message)
        return track.collapse(chrom, start, end, resolution=1)
