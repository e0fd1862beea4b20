"""Does attribution find what should matter? Rank the bases of expected intervals among the others of their windows."""

from collections.abc import Sequence

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
        bins = bins_of(attributions.regions_of(name), length, 1)
        inside = overlaps_any(bins, intervals).reshape(len(attributions), length)
        there = (bins["start"] < bins["end"]).to_numpy().reshape(inside.shape)  # the others lie behind short windows
        for output in attributions.outputs:
            height = np.abs(attributions.values[output][name].sum(axis=2, dtype=np.float64))
            pairs = [(marked[own], values[own]) for marked, values, own in zip(inside, height, there, strict=True)]
            row = {"input": name, "output": output}
            rows.append(row | _statistics([pair for pair in pairs if pair[0].any() and not pair[0].all()]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _statistics(windows: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Summarize windows, of each base whether it lies inside, and its height."""
    n, n_inside = len(windows), sum(int(inside.sum()) for inside, _ in windows)
    numbers = {"windows": n, "inside": n_inside, "outside": sum(len(inside) for inside, _ in windows) - n_inside}
    if not n:
        return numbers
    areas = np.array([auroc(inside, height) for inside, height in windows])
    tops = [inside[height == height.max()].mean() for inside, height in windows]
    error = areas.std(ddof=1) / np.sqrt(n) if n > 1 else float("nan")
    means = {"auroc": areas.mean(), "auroc_se": error, "top_inside": np.mean(tops)}
    return numbers | means | {"top_expected": np.mean([inside.mean() for inside, _ in windows])}
