"""What normalizers are: functions of counts, element by element, some of which learn from counts first.

A normalizer belongs to a track (a file): it is fitted on counts of that track and keeps what it learned in attributes
that end in ``_``. Statistics are over positions and strands together, summed in float64. ``helpers.data.normalization``
fits, stores and names them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from helpers.errors import InputError


class Normalizer(ABC):
    """A function of counts, element by element, whose parameters are fitted on a track.

    Attributes
    ----------
    kind : str
        Name in `NORMALIZERS`.
    uses_regions : bool
        Whether `fit_normalizer` restricts the fit to its regions.
    per_length : bool
        Whether values of windows of different lengths are divided by these first, see `normalize`.
    """

    kind: ClassVar[str]
    uses_regions: ClassVar[bool] = True
    per_length: ClassVar[bool] = False
    _settings: ClassVar[tuple[str, ...]] = ()
    _state: ClassVar[tuple[str, ...]] = ()

    def fit(
        self, counts: Iterable[np.ndarray], *, source: str = "the track", length: float | None = None
    ) -> "Normalizer":
        """Learn from counts.

        Parameters
        ----------
        counts : iterable of numpy.ndarray, each of shape (positions, strands) or any other
            Read once; every element counts once.
        source : str
            Name of the track, for messages.
        length : float, optional
            Bases in bp that a count stands for: the resolution.

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

    @abstractmethod
    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""

    @property
    def fitted(self) -> bool:
        """Whether all that must be learned is known."""
        return all(getattr(self, f"{name}_") is not None for name in self._state)

    def to_dict(self) -> dict[str, Any]:
        """Give kind and learned numbers, fit for JSON."""
        settings = {name: getattr(self, name) for name in self._settings}
        return {"kind": self.kind} | settings | {name: getattr(self, f"{name}_") for name in self._state}

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
    """The natural logarithm of (count + 1); NaN stays NaN.

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

    In bins of one length this length cancels: a value is count / sum of all counts × 10⁶. Counts of windows of
    different lengths, such as genes, are divided by these first (`normalize`).

    Parameters
    ----------
    total : float, optional
        Sum of all counts (of windows: of all counts per bp), when it is known already.

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
    per_length = True
    _state = ("total",)

    def __init__(self, total: float | None = None):
        self.total_ = total

    def fit(self, counts: Iterable[np.ndarray], *, source: str = "the track", length: float | None = None) -> "TPM":
        """Sum the counts of a track; see `Normalizer.fit`."""
        total = float(sum(block.sum(dtype=np.float64) for block in counts))
        if not 0 < total < np.inf:
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

    def fit(self, counts: Iterable[np.ndarray], *, source: str = "the track", length: float | None = None) -> "ZScore":
        """Learn mean and standard deviation; see `Normalizer.fit`."""
        n, mean, squares = _moments(self._transform(block, np.float64) for block in counts)
        if not np.isfinite(squares):
            msg = f"{source} holds NaN or infinite values: it has no mean. Replace them first, or leave the track out."
            raise InputError(msg)
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


class RegionLengthNormalization(Normalizer):
    """Counts per bp: divided by the bases that each stands for, which is the resolution, or the length of the window.

    Parameters
    ----------
    length : float, optional
        Bases in bp that a count stands for, when known; `fit_normalizer` takes the resolution. It is 1 for values of
        windows, which `normalize` divides by the length of each window, flanks included.

    Examples
    --------
    >>> RegionLengthNormalization(50)(np.array([100]))
    array([2.], dtype=float32)
    """

    kind = "binsizenorm"
    per_length = True
    _state = ("length",)

    def __init__(self, length: float | None = None):
        self.length_ = length

    def fit(
        self, counts: Iterable[np.ndarray], *, source: str = "the track", length: float | None = None
    ) -> "RegionLengthNormalization":
        """Keep the length; the counts are left unread."""
        if length is None:
            msg = "RegionLengthNormalization divides by the bases that a count stands for. Give length, in bp."
            raise InputError(msg)
        self.length_ = float(length)
        return self

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        self._check_fitted()
        return np.divide(counts, np.float32(self.length_), dtype=np.float32)


def _log(counts: np.ndarray, dtype: type) -> np.ndarray:
    counts = np.asarray(counts)
    if counts.dtype.kind in "if" and (counts <= -1).any():
        least = np.nanmin(counts)
        msg = f"ln(x + 1) needs values above -1. Received: {least}. Use another normalization for this track."
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
        with np.errstate(invalid="ignore"):  # infinite values make NaN
            squares += float(np.square(block - block_mean).sum()) + difference**2 * n * block.size / total
        mean += float(difference) * block.size / total
        n = total
    return n, mean, squares
