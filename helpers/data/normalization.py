"""Make coverage of different tracks comparable: scale it, take logarithms, standardise.

A normalizer belongs to a track (a file): it is fitted on counts of that track, keeps what it learned in attributes that
end in ``_``, and can be stored as JSON. Statistics are sums in float64 over positions and strands together.
"""

import copy
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from helpers.data.genome_store import GenomeStore
from helpers.errors import InputError
from helpers.files import atomic_path

FORMAT_VERSION = 1
_BINS_AT_ONCE = 1 << 22


class Normalizer:
    """A function of counts, element by element, whose parameters are fitted on a track.

    Attributes
    ----------
    kind : str
        Name in `NORMALIZERS`.
    uses_regions : bool
        Whether `fit_normalizer` restricts the fit to its regions.
    """

    kind: ClassVar[str]
    uses_regions: ClassVar[bool] = True
    _state: ClassVar[tuple[str, ...]] = ()

    def fit(self, counts: Iterable[np.ndarray], *, source: str = "the track") -> "Normalizer":
        """Learn from counts.

        Parameters
        ----------
        counts : iterable of numpy.ndarray, each of shape (positions, strands) or any other
            Read once; every element counts once.
        source : str
            Name of the track, for messages.

        Returns
        -------
        Normalizer
            Itself.

        Raises
        ------
        InputError
            When there is nothing to learn from.
        """
        return self

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        raise NotImplementedError

    @property
    def fitted(self) -> bool:
        """Whether all that must be learned is known."""
        return all(getattr(self, f"{name}_") is not None for name in self._state)

    def to_dict(self) -> dict[str, Any]:
        """Give kind and learned numbers, fit for JSON."""
        return {"kind": self.kind} | {name: getattr(self, f"{name}_") for name in self._state}

    def __repr__(self) -> str:
        learned = (f"{name}={value}" for name, value in self.to_dict().items() if name != "kind")
        return f"{type(self).__name__}({', '.join(learned)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Normalizer) and self.to_dict() == other.to_dict()

    __hash__ = None

    def _check_fitted(self) -> None:
        if not self.fitted:
            msg = f"{type(self).__name__} is not fitted. Call fit() or fit_normalizer(), or load a stored one."
            raise InputError(msg)


class Identity(Normalizer):
    """Counts as they are.

    Examples
    --------
    >>> Identity()(np.array([0, 3]))
    array([0., 3.], dtype=float32)
    """

    kind = "none"

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        return np.array(counts, dtype=np.float32)


class LogTransform(Normalizer):
    """The natural logarithm of (count + 1).

    Examples
    --------
    >>> LogTransform()(np.array([0.0, np.e - 1]))
    array([0., 1.], dtype=float32)
    """

    kind = "log"

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        return _log(counts, np.float32)


class TPM(Normalizer):
    """Counts per kilobase, scaled so that those of the whole track add up to one million.

    The bin length cancels: a value is count / sum of all counts × 10⁶.

    Parameters
    ----------
    total : float, optional
        Sum of all counts, when it is known already.

    Notes
    -----
    The sum is that of everything stored, whatever the regions: it stands for the depth of sequencing.

    Examples
    --------
    >>> TPM().fit([np.array([[1, 0], [2, 1]])])(np.array([2]))
    array([500000.], dtype=float32)
    """

    kind = "tpm"
    uses_regions = False
    _state = ("total",)

    def __init__(self, total: float | None = None):
        self.total_ = total

    def fit(self, counts: Iterable[np.ndarray], *, source: str = "the track") -> "TPM":
        """Sum the counts of a track; see `Normalizer.fit`."""
        total = float(sum(block.sum(dtype=np.float64) for block in counts))
        if not total > 0:
            msg = f"The counts of {source} add up to {total:g}: TPM divides by their sum. Leave the track out."
            raise InputError(msg)
        self.total_ = total
        return self

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        self._check_fitted()
        return np.multiply(counts, np.float32(1e6 / self.total_), dtype=np.float32)


class ZScore(Normalizer):
    """Counts minus their mean, divided by their standard deviation (of N - 1).

    Parameters
    ----------
    mean, std : float, optional
        When they are known already.

    Examples
    --------
    >>> ZScore().fit([np.array([1, 2, 3])])(np.array([3, 2]))
    array([1., 0.], dtype=float32)
    """

    kind = "zscore"
    _state = ("mean", "std")

    def __init__(self, mean: float | None = None, std: float | None = None):
        self.mean_ = mean
        self.std_ = std

    def fit(self, counts: Iterable[np.ndarray], *, source: str = "the track") -> "ZScore":
        """Learn mean and standard deviation; see `Normalizer.fit`."""
        n, mean, squares = _moments(self._transform(block, np.float64) for block in counts)
        std = float(np.sqrt(squares / (n - 1))) if n > 1 else 0.0
        if not std > 0:
            msg = (
                f"All {n} counts of {source} are the same: its standard deviation is 0 and a z-score cannot be had. "
                "Check that the track has reads in the regions, or use another normalization."
            )
            raise InputError(msg)
        self.mean_, self.std_ = float(mean), std
        return self

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        self._check_fitted()
        values = self._transform(counts, np.float32)
        values -= np.float32(self.mean_)
        values /= np.float32(self.std_)
        return values

    @staticmethod
    def _transform(counts: np.ndarray, dtype: type) -> np.ndarray:
        return np.array(counts, dtype=dtype)


class ZScoreLog(ZScore):
    """The z-score of ln(count + 1).

    Parameters
    ----------
    mean, std : float, optional
        Of the logarithms, when they are known already.

    Examples
    --------
    >>> ZScoreLog().fit([np.array([0, 0, 1])])(np.array([0, 1]))
    array([-0.57735026,  1.1547005 ], dtype=float32)
    """

    kind = "zscorelog"

    @staticmethod
    def _transform(counts: np.ndarray, dtype: type) -> np.ndarray:
        return _log(counts, dtype)


NORMALIZERS: dict[str, type[Normalizer]] = {
    normalizer.kind: normalizer for normalizer in (Identity, TPM, ZScoreLog, ZScore, LogTransform)
}


def make_normalizer(name: str) -> Normalizer:
    """Make an unfitted normalizer by its name in `NORMALIZERS`; InputError for another name."""
    if name not in NORMALIZERS:
        msg = f"There is no normalization {name!r}. Choose one of {', '.join(NORMALIZERS)}."
        raise InputError(msg)
    return NORMALIZERS[name]()


def fit_normalizer(
    name: str | Normalizer,
    coverage: GenomeStore,
    regions: pd.DataFrame | None = None,
    *,
    resolution: int,
    flank: int = 0,
) -> Normalizer:
    """Fit a normalizer on a stored track.

    Parameters
    ----------
    name : str or Normalizer
        One of `NORMALIZERS`, or a normalizer of which a copy is fitted.
    coverage : GenomeArray or SparseArray, shape (bins, strands)
        Counts of one track.
    regions : pandas.DataFrame, optional
        Region table, in bp. Each bin that a region with its flanks touches counts once, however many do; what lies
        outside the contig does not count. By default everything stored counts. TPM always uses everything stored.
    resolution : int
        Bin length in bp.
    flank : int, default 0
        Added on both sides of each region, in bp.

    Returns
    -------
    Normalizer

    Raises
    ------
    InputError
        For an unknown name, another resolution than that of `coverage`, regions on contigs that it lacks, no regions,
        or a track from which nothing can be learned.
    """
    normalizer = make_normalizer(name) if isinstance(name, str) else copy.copy(name)
    stored = coverage.attrs.get("resolution", resolution)
    if stored != resolution:
        msg = f"{coverage.place} has bins of {stored} bp. Received: resolution={resolution}. Use the same."
        raise InputError(msg)
    if regions is None or not normalizer.uses_regions:
        blocks = _all_blocks(coverage)
    elif len(regions):
        blocks = _blocks_in(coverage, regions, resolution, flank)
    else:
        msg = f"There is no region to fit {normalizer.kind} on. Give regions, or None for everything stored."
        raise InputError(msg)
    source = coverage.place if "source" not in coverage.attrs else f"{coverage.attrs['source']} ({coverage.place})"
    return normalizer.fit(blocks, source=source)


def save_normalizer(normalizer: Normalizer, path: str | os.PathLike[str]) -> None:
    """Write a normalizer as JSON: its kind and what it learned, to the last digit."""
    normalizer._check_fitted()
    with atomic_path(path) as temporary:
        state = {"format_version": FORMAT_VERSION} | normalizer.to_dict()
        temporary.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")


def load_normalizer(path: str | os.PathLike[str]) -> Normalizer:
    """Read what `save_normalizer` wrote.

    Raises
    ------
    InputError
        When the file is missing, is no such JSON, or has another format version.
    """
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        version = state.pop("format_version")
    except FileNotFoundError as error:
        msg = f"Normalizer {path} does not exist. Check the path, or make it with save_normalizer."
        raise InputError(msg) from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        msg = f"{path} holds no normalizer. Make it again with save_normalizer."
        raise InputError(msg) from error
    if version != FORMAT_VERSION:
        msg = f"{path} has format version {version}, this program reads {FORMAT_VERSION}. Fit the normalizer again."
        raise InputError(msg)
    return normalizer_from_dict(state)


def normalizer_from_dict(state: dict[str, Any]) -> Normalizer:
    """Make a normalizer of what its `to_dict` gave; InputError when the kind or a number is wrong."""
    learned = dict(state)
    name = learned.pop("kind", None)
    normalizer = make_normalizer(name)
    if set(learned) != set(normalizer._state) or not all(isinstance(value, int | float) for value in learned.values()):
        msg = f"The state of normalization {name!r} is {', '.join(normalizer._state) or 'empty'}. Received: {learned}."
        raise InputError(msg)
    return type(normalizer)(**learned)


def _log(counts: np.ndarray, dtype: type) -> np.ndarray:
    counts = np.asarray(counts)
    if counts.dtype.kind in "if" and counts.size and not counts.min() > -1:
        msg = f"ln(x + 1) needs values above -1. Received: {counts.min()}. Use another normalization for this track."
        raise InputError(msg)
    return np.log1p(counts, dtype=dtype)


def _moments(blocks: Iterable[np.ndarray]) -> tuple[int, float, float]:
    """Give number, mean and sum of squared deviations, block by block without loss of precision.

    References
    ----------
    Chan, Golub, LeVeque, The American Statistician 37 (1983), doi:10.1080/00031305.1983.10483115.
    """
    n, mean, squares = 0, 0.0, 0.0
    for block in blocks:
        if not block.size:
            continue
        block_mean = block.mean()
        difference, total = block_mean - mean, n + block.size
        squares += float(np.square(block - block_mean).sum()) + difference**2 * n * block.size / total
        mean += float(difference) * block.size / total
        n = total
    return n, mean, squares


def _all_blocks(coverage: GenomeStore) -> Iterator[np.ndarray]:
    for start, stop in _stretches(coverage.n_positions):
        yield coverage.block(start, stop)


def _blocks_in(coverage: GenomeStore, regions: pd.DataFrame, resolution: int, flank: int) -> Iterator[np.ndarray]:
    """Yield the bins that flanked regions touch, each once, contig by contig."""
    for chrom, part in regions.groupby("chrom", sort=False):
        coverage.contig_ids([chrom])
        offset, n_bins = coverage.contigs[chrom]
        starts = np.clip((part["start"].to_numpy() - flank) // resolution, 0, n_bins)
        ends = np.clip(-(-(part["end"].to_numpy() + flank) // resolution), 0, n_bins)
        depth = np.zeros(n_bins + 1, dtype=np.int32)
        np.add.at(depth, starts, np.int32(1))
        np.add.at(depth, ends, np.int32(-1))
        touched = np.cumsum(depth[:-1], dtype=np.int32) > 0
        for start, stop in _stretches(n_bins):
            yield coverage.block(offset + start, offset + stop)[touched[start:stop]]


def _stretches(n: int) -> Iterator[tuple[int, int]]:
    """Cut a range into parts that fit into memory."""
    for first in range(0, n, _BINS_AT_ONCE):
        yield first, min(first + _BINS_AT_ONCE, n)
