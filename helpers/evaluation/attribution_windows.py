"""Which windows to attribute, and what the model and the data said about them."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.data.overlaps import overlaps_any
from helpers.data.regions import parse_region, read_regions
from helpers.evaluation.attribution_files import Attributions
from helpers.evaluation.prediction_columns import mean_column


class ChosenWindows(NamedTuple):
    """Windows to attribute.

    Attributes
    ----------
    regions : pandas.DataFrame
        chrom, start, end, strand, without flank, the highest prediction first.
    predictions, targets : dict of str to numpy.ndarray of float, shape (windows,)
        By output: mean over replicates, and what was observed.
    """

    regions: pd.DataFrame
    predictions: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]


def choose_windows(
    paths: Sequence[str | os.PathLike[str]],
    split: str,
    outputs: Sequence[str],
    *,
    count: int = 100,
    always: Sequence[str] = (),
) -> ChosenWindows:
    """Choose the windows of a split with the highest predictions, and those of some regions.

    Parameters
    ----------
    paths : sequence of path
        Files of predictions of replicates, which are averaged.
    split : str
    outputs : sequence of str
        Of several, the highest of a window counts.
    count : int, default 100
        Number of windows with the highest predictions, at most.
    always : sequence of str
        Regions ``chrom:start-end``; windows that overlap one of them are chosen too, whatever their prediction.

    Returns
    -------
    ChosenWindows
        Each window once: first those with the highest predictions, the highest first, then those of the regions. Ties
        in the order of the file.

    Raises
    ------
    InputError
        As `helpers.evaluation.prediction_columns.mean_column` and `helpers.data.regions.parse_region`.
    """
    predicted = {output: mean_column(paths, split, output) for output in outputs}
    windows = next(iter(predicted.values())).regions
    highest = np.max([column.values for column in predicted.values()], axis=0)
    ranked = np.argsort(-highest, kind="stable")
    needed = overlaps_any(windows, read_regions([parse_region(text) for text in always]))
    rows = np.concatenate([ranked[:count], ranked[count:][needed[ranked[count:]]]])
    return ChosenWindows(
        windows.iloc[rows].reset_index(drop=True),
        {output: column.values[rows] for output, column in predicted.items()},
        {output: mean_column(paths, split, output, kind="target").values[rows] for output in outputs},
    )


def describe_windows(chosen: ChosenWindows, attributions: Attributions) -> pd.DataFrame:
    """Tabulate the windows and how complete their attributions are.

    Parameters
    ----------
    chosen : ChosenWindows
    attributions : Attributions
        Of these windows.

    Returns
    -------
    pandas.DataFrame
        One row for each output and window: chrom, start, end, strand, output, prediction, target, and change, sum,
        error, steps of `helpers.evaluation.attribution.Attribution`.
    """
    parts = [
        attributions.windows.assign(
            output=output, prediction=chosen.predictions[output], target=chosen.targets[output]
        ).join(attributions.checks[output])
        for output in attributions.outputs
    ]
    return pd.concat(parts, ignore_index=True)
