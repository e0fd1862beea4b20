"""Trim coverage at an exact percentile of more values than fit into memory at once."""

from collections.abc import Iterable

import numpy as np

from helpers.data.normalizers import Normalizer
from helpers.errors import InputError


def count_values(blocks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Count how often each value comes.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of any shape
        Read once, one at a time.

    Returns
    -------
    values : numpy.ndarray, shape (distinct,)
        Ascending; NaN last.
    numbers : numpy.ndarray of int64, shape (distinct,)

    Examples
    --------
    >>> count_values([np.array([3, 1]), np.array([[3]])])
    (array([1, 3]), array([1, 2]))
    """
    values, numbers = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    for block in blocks:
        if not block.size:
            continue
        new_values, new_numbers = np.unique(block, return_counts=True)
        if not len(values):
            values, numbers = new_values, new_numbers.astype(np.int64)
            continue
        both, place = np.unique(np.concatenate([values, new_values]), return_inverse=True)
        summed = np.bincount(place, weights=np.concatenate([numbers, new_numbers]))  # exact up to 2**53
        values, numbers = both, summed.astype(np.int64)
    return values, numbers


def percentile_of(values: np.ndarray, numbers: np.ndarray, percentile: float) -> float:
    """Find a percentile, interpolated linearly as `numpy.percentile` does.

    Parameters
    ----------
    values, numbers : numpy.ndarray, shape (distinct,)
        Of `count_values`; at least one.
    percentile : float
        0 to 100.

    Examples
    --------
    >>> percentile_of(np.array([1, 3]), np.array([1, 2]), 25)
    2.0
    """
    upto = np.cumsum(numbers)
    place = (upto[-1] - 1) * percentile / 100
    below = int(np.floor(place))
    low, high = (float(values[np.searchsorted(upto, rank, side="right")]) for rank in (below, int(np.ceil(place))))
    return float(low + (high - low) * (place - below))


class PercentileTrimming(Normalizer):
    """Counts of at most a percentile of all counts, strands together; higher ones are cut down to it.

    Parameters
    ----------
    percentile : float, default 99
        Above 0, at most 100.
    cap : float, optional
        The percentile's value, when it is known already.

    Notes
    -----
    The percentile is exact, interpolated as `numpy.percentile` does. Fitting holds each distinct value once, with how
    often it came: little for counts, as much as the track itself for values that are all different.

    Examples
    --------
    >>> PercentileTrimming(75).fit([np.array([1, 2, 3, 4, 90])])(np.array([3, 90]))
    array([3., 4.], dtype=float32)
    """

    kind = "perctrim"
    _settings = ("percentile",)
    _state = ("cap",)

    def __init__(self, percentile: float = 99, cap: float | None = None):
        if not 0 < percentile <= 100:
            msg = f"percentile is above 0 and at most 100. Received: percentile={percentile}."
            raise InputError(msg)
        self.percentile, self.cap_ = percentile, cap

    def fit(
        self, counts: Iterable[np.ndarray], *, source: str = "the track", length: float | None = None
    ) -> "PercentileTrimming":
        """Find the percentile; see `Normalizer.fit`. InputError where trimming would make all counts the same."""
        values, numbers = count_values(counts)
        if not len(values) or np.isnan(values[-1]):
            problem = "holds NaN" if len(values) else "has no counts"
            msg = f"{source} {problem}: there is no percentile. Fill or leave out what is missing first."
            raise InputError(msg)
        with np.errstate(invalid="ignore"):
            cap = percentile_of(values, numbers, self.percentile)
        if not np.isfinite(cap):
            msg = f"The percentile {self.percentile:g} of {source} is infinite. Use a lower percentile."
            raise InputError(msg)
        if cap <= values[0] < values[-1]:
            msg = (
                f"The percentile {self.percentile:g} of {source} is {cap:g}, its least count: trimming would leave no "
                "signal. Use a higher percentile."
            )
            raise InputError(msg)
        self.cap_ = cap
        return self

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        self._check_fitted()
        return np.minimum(np.asarray(counts, dtype=np.float32), np.float32(self.cap_))
