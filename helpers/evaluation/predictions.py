"""Predictions of one trained model: the windows, what was true and what the model said, one group per split.

The file (HDF5) holds a group for each split, and in it the datasets ``chrom``, ``start``, ``end``, ``strand`` (one
value per window) and ``target``, ``prediction`` of shape (windows, outputs).
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import h5py
import numpy as np
import pandas as pd

from helpers.errors import InputError, list_some
from helpers.files import atomic_path

FORMAT_VERSION = 1
WINDOW_COLUMNS = ("chrom", "start", "end", "strand")
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


@dataclass
class Predictions:
    """Targets and predictions of the windows of one split.

    Parameters
    ----------
    regions : pandas.DataFrame
        The windows without flank: chrom, start, end, strand (0-based, half-open); further columns are dropped.
    target : numpy.ndarray of float32, shape (windows, outputs)
        What was observed: a label of 0 or 1, or a signal. Shape (windows,) is taken as one output.
    prediction : numpy.ndarray of float32, shape (windows, outputs)
        What the model said.
    outputs : list of str
        Names of the outputs.

    Raises
    ------
    InputError
        When shapes do not fit together, or a target or prediction is not finite.
    """

    regions: pd.DataFrame
    target: np.ndarray
    prediction: np.ndarray
    outputs: list[str]

    def __post_init__(self):
        self.regions = _window_table(self.regions)
        self.outputs = [str(name) for name in self.outputs]
        self.target = self._matrix("target", self.target)
        self.prediction = self._matrix("prediction", self.prediction)

    def __len__(self) -> int:
        return len(self.regions)

    def _matrix(self, name: str, values: np.ndarray) -> np.ndarray:
        values = np.asarray(values, dtype=np.float32)
        values = values[:, None] if values.ndim == 1 else values
        expected = (len(self.regions), len(self.outputs))
        if values.shape != expected:
            message = (
                f"{name} must have the shape (windows, outputs) = {expected}, but it is {values.shape}. "
                f"Give one row per window and one column for each of {list_some(self.outputs)}."
            )
            raise InputError(message)
        finite = np.isfinite(values)
        if not finite.all():
            bad = np.argwhere(~finite)
            message = (
                f"{name} of output {self.outputs[bad[0, 1]]!r} is {values[tuple(bad[0])]} at "
                f"{_window_name(self.regions, bad[0, 0])} ({len(bad)} such values in all). Look for non-finite values "
                "in the inputs, or lower the learning rate."
            )
            raise InputError(message)
        return values


def write_predictions(path: str | os.PathLike, predictions: Mapping[str, Predictions]) -> None:
    """Write the predictions of one model, all splits, to one HDF5 file; it appears when it is complete.

    Parameters
    ----------
    path : path
        The file to write.
    predictions : dict of str to Predictions
        By split: validation, test, test_swapped.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["splits"] = list(predictions)
        for split, part in predictions.items():
            _write_split(file.create_group(split), part)


def read_predictions(path: str | os.PathLike, splits: Iterable[str] | None = None) -> dict[str, Predictions]:
    """Read predictions by split, in the order in which they were written.

    Parameters
    ----------
    path : path
        A file of `write_predictions`.
    splits : iterable of str, optional
        The splits to read; all by default.

    Raises
    ------
    InputError
        When the file is missing, is no such file, or lacks a split.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        message = f"Cannot read the predictions in {path}: {error}. Write them again (remove the file and run on)."
        raise InputError(message) from error
    with file:
        if file.attrs.get("format_version") != FORMAT_VERSION:
            message = (
                f"{path} has format version {file.attrs.get('format_version')}, expected {FORMAT_VERSION}. "
                "Remove it and run on: it will be written anew."
            )
            raise InputError(message)
        stored = [str(split) for split in file.attrs["splits"]]
        wanted = stored if splits is None else list(splits)
        missing = [split for split in wanted if split not in stored]
        if missing:
            message = f"{path} holds no split {missing[0]!r}. It holds: {', '.join(stored)}."
            raise InputError(message)
        return {split: _read_split(file[split]) for split in wanted}


def _window_table(regions: pd.DataFrame) -> pd.DataFrame:
    missing = [column for column in WINDOW_COLUMNS if column not in regions]
    if missing:
        message = f"The table of windows has no column {missing[0]!r}. It needs {', '.join(WINDOW_COLUMNS)}."
        raise InputError(message)
    table = regions[list(WINDOW_COLUMNS)].reset_index(drop=True)
    return table.astype({"chrom": "str", "start": np.int64, "end": np.int64, "strand": "str"})


def _window_name(regions: pd.DataFrame, row: int) -> str:
    window = regions.iloc[row]
    return f"{window.chrom}:{window.start}-{window.end}"


def _write_split(group: h5py.Group, part: Predictions) -> None:
    group.attrs["outputs"] = part.outputs
    packed = _PACKED if len(part) else {}
    for column in WINDOW_COLUMNS:
        values = part.regions[column].to_numpy()
        letters = column in ("chrom", "strand")
        group.create_dataset(column, data=_letters(values) if letters else values, **packed)
    group.create_dataset("target", data=part.target, **packed)
    group.create_dataset("prediction", data=part.prediction)


def _letters(values: np.ndarray) -> np.ndarray:
    encoded = np.char.encode(values.astype("U"), "utf-8") if len(values) else np.zeros(0, dtype="S1")
    return encoded


def _read_split(group: h5py.Group) -> Predictions:
    columns = {column: group[column][()] for column in WINDOW_COLUMNS}
    columns |= {column: np.char.decode(columns[column], "utf-8") for column in ("chrom", "strand")}
    outputs = [str(name) for name in group.attrs["outputs"]]
    return Predictions(pd.DataFrame(columns), group["target"][()], group["prediction"][()], outputs)
