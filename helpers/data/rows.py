"""Where the regions of a split stand in the table of all windows of a study, to which labels and signals belong."""

import hashlib
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import InputError


class SplitRows(NamedTuple):
    """Rows of a table of windows.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (regions,)
        In the order of the split's regions.
    table : str
        Fingerprint of the table, see `region_fingerprint`.
    """

    rows: np.ndarray
    table: str


def locate_rows(regions: pd.DataFrame, windows: pd.DataFrame) -> SplitRows:
    """Find regions in the table of windows, see `find_rows`, and keep which table it was."""
    return SplitRows(find_rows(regions, windows), region_fingerprint(windows))


def find_rows(regions: pd.DataFrame, windows: pd.DataFrame) -> np.ndarray:
    """Find each region in a table of windows by its contig, start, end and strand.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table in any order; a region may come several times.
    windows : pandas.DataFrame
        Region table in any order. Of windows that come several times the first is found.

    Returns
    -------
    numpy.ndarray of int64, shape (regions,)
        Row of each region in `windows`.

    Raises
    ------
    InputError
        For regions that the table lacks.

    Examples
    --------
    >>> from helpers.data.regions import region_table
    >>> windows = region_table(["chr1", "chr1", "chr2"], [0, 5, 0], [5, 10, 5], strand=["+", "-", "+"])
    >>> find_rows(windows[1:], windows)
    array([1, 2])
    """
    both = pd.concat([table[["chrom", "start", "end", "strand"]] for table in (regions, windows)])
    wanted, keys = np.split(_keys(both), [len(regions)])
    order = None if (keys[1:] >= keys[:-1]).all() else np.argsort(keys, kind="stable")
    keys = keys if order is None else keys[order]
    places = np.searchsorted(keys, wanted)
    found = places < len(keys)
    found[found] = keys[places[found]] == wanted[found]
    if not found.all():
        missing = regions.iloc[np.flatnonzero(~found)[0]]
        msg = (
            f"{(~found).sum()} of {len(regions)} regions are not among the {len(windows)} windows of the study, the "
            f"first is {missing['chrom']}:{missing['start']}-{missing['end']}, strand {missing['strand']}. Split the "
            "windows themselves, and make what belongs to them again."
        )
        raise InputError(msg)
    return places if order is None else order[places]


def region_fingerprint(regions: pd.DataFrame) -> str:
    """Give a text that differs when contig, start, end or strand of any region, or their order, differ."""
    codes, names = pd.factorize(regions["chrom"])
    digest = hashlib.sha256("\n".join(map(str, names)).encode())
    for column in (codes, regions["start"], regions["end"], _strand_codes(regions)):
        digest.update(np.ascontiguousarray(column, dtype="<i8"))
    return digest.hexdigest()


def check_table(found: str, wanted: str, place: object) -> None:
    """Raise InputError unless what `place` holds belongs to the windows of a fingerprint; '' is not known."""
    if found and found != wanted:
        msg = f"{place} belongs to other windows than those of this study. Remove the file and make it again."
        raise InputError(msg)


def _keys(regions: pd.DataFrame) -> np.ndarray:
    """Give a number for each region, equal for equal regions, which ascends with the start within a group of them."""
    starts = regions["start"].to_numpy()
    lengths, distinct = pd.factorize(regions["end"].to_numpy() - starts)
    contigs, _ = pd.factorize(regions["chrom"])
    groups, _ = pd.factorize((contigs * len(distinct) + lengths) * 3 + _strand_codes(regions))
    lowest, highest = starts.min(initial=0), starts.max(initial=0)
    return groups * (highest - lowest + 1) + starts - lowest


def _strand_codes(regions: pd.DataFrame) -> np.ndarray:
    codes, names = pd.factorize(regions["strand"])
    return pd.Index(["+", "-", "."]).get_indexer(names)[codes]
