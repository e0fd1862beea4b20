"""Does attribution find what should matter? Rank the bases of expected intervals among the others of their windows."""

import numpy as np
import pandas as pd

from helpers.data.overlaps import overlaps_any
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, bins_of
from helpers.evaluation.metrics import auroc

COLUMNS = ("input", "output", "windows", "inside", "outside", "auroc", "auroc_se", "top_inside", "top_expected")


def rank_bases(attributions: Attributions, intervals: pd.DataFrame) -> pd.DataFrame:
    """Compare the attribution of bases inside expected intervals with that of the other bases of the same windows.

    Parameters
    ----------
    attributions : Attributions
        With a sequence.
    intervals : pandas.DataFrame
        Region table, such as motif sites; the strand does not count.

    Returns
    -------
    pandas.DataFrame
        One row for each sequence and output: ``windows`` with bases inside and bases outside, flanks included; number
        of bases ``inside`` and ``outside`` in these; ``auroc``, the chance that a base inside has a larger absolute
        attribution than one outside of its window, ties counted half, mean over windows, and its standard error
        ``auroc_se``; ``top_inside``, the share of windows whose base of the largest absolute attribution lies inside,
        and ``top_expected``, what it would be if all bases were alike, the mean share of bases inside. Without such a
        window the last four are NaN.

    Raises
    ------
    InputError
        When no input is a sequence.

    Notes
    -----
    Overlapping windows see the same site several times, so that the standard error is too small there. Of bases tied
    for the largest, each counts alike. Bases that the model does not see (N, beyond the contig) have no attribution.
    """
    if not attributions.sequences:
        msg = f"Attributions of bases need a sequence. Received: {', '.join(attributions.inputs)}. Use another model."
        raise InputError(msg)
    rows = []
    for name in attributions.sequences:
        length = next(iter(attributions.values.values()))[name].shape[1]
        inside = _mark(attributions.regions_of(name), length, intervals)
        chosen = np.flatnonzero(inside.any(axis=1) & ~inside.all(axis=1))
        for output in attributions.outputs:
            height = np.abs(attributions.values[output][name].sum(axis=2, dtype=np.float64))
            row = {"input": name, "output": output}
            rows.append(row | _statistics(height[chosen], inside[chosen]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _mark(regions: pd.DataFrame, length: int, intervals: pd.DataFrame) -> np.ndarray:
    """Say of each base of each window whether it lies in an interval, shape (windows, bases)."""
    bins = bins_of(regions, length, 1)
    return overlaps_any(bins, intervals).reshape(len(regions), length)


def _statistics(height: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    n = len(height)
    areas = np.array([auroc(marked, own) for marked, own in zip(inside, height, strict=True)])
    tops = [marked[own == own.max()].mean() for marked, own in zip(inside, height, strict=True)]
    numbers = {"windows": n, "inside": int(inside.sum()), "outside": int((~inside).sum())}
    if not n:
        return numbers
    error = areas.std(ddof=1) / np.sqrt(n) if n > 1 else float("nan")
    means = {"auroc": areas.mean(), "auroc_se": error, "top_inside": np.mean(tops)}
    return numbers | means | {"top_expected": inside.mean()}
