"""The forms in which a user may ask for windows: an index as numpy knows it, or a region."""

from typing import Any

import numpy as np

from helpers.data.regions import Region, parse_region
from helpers.errors import InputError


def as_region(key: Any) -> Region | None:
    """Recognise a region; other keys give None.

    Parameters
    ----------
    key : any
        ``(chrom, start, end[, strand])``, a `Region`, an interval with attributes of these names, or text, see
        `helpers.data.regions.parse_region`.

    Raises
    ------
    InputError
        When the coordinates or the strand are impossible.

    Examples
    --------
    >>> as_region(("chr1", 5, 9))
    Region(chrom='chr1', start=5, end=9, strand='.')
    >>> as_region("chr1:1,000-2,000:-")
    Region(chrom='chr1', start=1000, end=2000, strand='-')
    """
    if isinstance(key, str):
        return parse_region(key)
    if isinstance(key, tuple) and key and isinstance(key[0], str):
        values = key
    elif isinstance(getattr(key, "chrom", None), str) and hasattr(key, "start") and hasattr(key, "end"):
        values = (key.chrom, key.start, key.end, getattr(key, "strand", "."))
    else:
        return None
    if len(values) in (3, 4):
        region = Region(*values)
        whole = all(isinstance(value, int | np.integer) for value in region[1:3])
        if whole and region.start < region.end and region.strand in ("+", "-", "."):
            return region
    msg = f"A region is chrom, start, end and possibly strand (+, - or .), with start < end in bp. Received: {key!r}."
    raise InputError(msg)


def as_rows(key: Any, length: int) -> np.ndarray:
    """Translate an index as numpy knows it into window numbers.

    Parameters
    ----------
    key : int, slice, sequence of int, or boolean mask of shape (length,)
        Integers may be those of numpy, and negative.
    length : int
        Number of windows.

    Returns
    -------
    numpy.ndarray of int64, shape (selected,)
        Between 0 and `length` - 1.

    Raises
    ------
    IndexError
        For an index outside the windows, a mask of another length, or another kind of key.

    Examples
    --------
    >>> as_rows(slice(-2, None), 5), as_rows(-1, 5)
    (array([3, 4]), array([4]))
    """
    if isinstance(key, slice):
        return np.arange(*key.indices(length))
    rows = np.asarray(key)
    if rows.dtype.kind == "b" and rows.shape == (length,):
        return np.flatnonzero(rows)
    if rows.shape == (0,) and not isinstance(key, tuple):
        return np.zeros(0, dtype=np.int64)
    if rows.dtype.kind not in "iu" or rows.ndim > 1 or isinstance(key, tuple):
        msg = (
            "Index windows by an integer, a slice, a list of integers, a mask over all windows, or a region. "
            f"Received: {key!r} for {length} windows."
        )
        raise IndexError(msg)
    rows = np.atleast_1d(rows).astype(np.int64, copy=False)
    if rows.min() < -length or rows.max() >= length:
        beyond = rows.max() if rows.max() >= length else rows.min()
        msg = f"Index {beyond} is out of range for {length} windows."
        raise IndexError(msg)
    return np.where(rows < 0, rows + length, rows)
