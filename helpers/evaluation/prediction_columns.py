"""One output out of files of predictions: its column alone is read, so that hundreds of outputs cost no memory."""

import os
from collections.abc import Sequence
from typing import Literal, NamedTuple

import h5py
import numpy as np
import pandas as pd

from helpers.errors import InputError, list_some
from helpers.evaluation.predictions import WINDOW_COLUMNS, read_predictions

Kind = Literal["prediction", "target"]


class Column(NamedTuple):
    """Values of one output.

    Attributes
    ----------
    regions : pandas.DataFrame
        The windows: chrom, start, end, strand (0-based, half-open).
    values : numpy.ndarray of float, shape (windows,)
        What a model said, or what was observed.
    """

    regions: pd.DataFrame
    values: np.ndarray


def read_column(path: str | os.PathLike, split: str, output: str, *, kind: Kind = "prediction") -> Column:
    """Read one output of one split.

    Parameters
    ----------
    path : path
        A file of `helpers.evaluation.predictions.write_predictions`.
    split, output : str
        Names of a split and of an output of the file.
    kind : {'prediction', 'target'}
        What the model said, or what was observed.

    Returns
    -------
    Column
        Values of float32.

    Raises
    ------
    InputError
        When the file is missing or no such file, or lacks the split or the output.
    """
    read_predictions(path, [])  # reads nothing, but says what is wrong with the file
    with h5py.File(path, "r") as file:
        if split not in file:
            message = f"{path} holds no split {split!r}. It holds: {', '.join(file)}."
            raise InputError(message)
        group = file[split]
        outputs = [str(name) for name in group.attrs["outputs"]]
        if output not in outputs:
            message = f"{path} holds no output {output!r}. It holds: {list_some(outputs, 8)}."
            raise InputError(message)
        windows = {name: group[name][()] for name in WINDOW_COLUMNS}
        windows |= {name: np.char.decode(windows[name], "utf-8") for name in ("chrom", "strand")}
        return Column(pd.DataFrame(windows), group[kind][:, outputs.index(output)])


def mean_column(paths: Sequence[str | os.PathLike], split: str, output: str, *, kind: Kind = "prediction") -> Column:
    """Average one output over replicates and folds, window by window.

    Parameters
    ----------
    paths : sequence of path
        At least one file; all hold the same windows of the split.
    split, output, kind
        As in `read_column`.

    Returns
    -------
    Column
        Values of float64.

    Raises
    ------
    InputError
        As `read_column`; when there is no file, or the windows differ.
    """
    if not paths:
        message = f"No predictions of {output!r} to average. Give at least one file."
        raise InputError(message)
    first = read_column(paths[0], split, output, kind=kind)
    total = first.values.astype(np.float64)
    for path in paths[1:]:
        column = read_column(path, split, output, kind=kind)
        if not column.regions.equals(first.regions):
            message = (
                f"{path} and {paths[0]} hold other windows of the split {split!r} "
                f"({len(column.regions)} and {len(first.regions)}). Average runs of one study."
            )
            raise InputError(message)
        total += column.values
    return Column(first.regions, total / len(paths))
