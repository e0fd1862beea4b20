"""Labels of regions: for each output 1 where a region overlaps a feature of its track, else 0."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd

from helpers.data.region_files import read_regions
from helpers.data.regions import overlap_fraction, overlaps_any
from helpers.files import atomic_path


class Labels(NamedTuple):
    """Labels of regions, one row each.

    Attributes
    ----------
    values : numpy.ndarray of uint8, shape (regions, outputs)
    outputs : list of str
        Names of the columns.
    """

    values: np.ndarray
    outputs: list[str]


def label_regions(
    regions: pd.DataFrame, tracks: Sequence[str | Path], outputs: Sequence[str], *, overlap: str | float = "any"
) -> Labels:
    """Label regions by their overlap with the features of tracks.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table.
    tracks : sequence of path
        One file of features for each output.
    outputs : sequence of str
        Names of the outputs.
    overlap : "any" or float in (0, 1]
        One shared base is enough, or the fraction of the region that the features of a track, taken together, cover.
    """
    columns = []
    for name, track in zip(outputs, tracks, strict=True):
        features = read_regions(track)
        column = overlaps_any(regions, features) if overlap == "any" else overlap_fraction(regions, features) >= overlap
        logging.info("%s: %d of %d regions are positive (%s)", name, column.sum(), len(regions), track)
        columns.append(column)
    return Labels(np.stack(columns, axis=1).astype(np.uint8), list(outputs))


def save_labels(labels: Labels, path: str | Path) -> None:
    """Write labels as HDF5: dataset ``labels`` (regions, outputs), attribute ``outputs``."""
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.create_dataset("labels", data=labels.values)
        file.attrs["outputs"] = labels.outputs


def load_labels(path: str | Path) -> Labels:
    """Read labels that `save_labels` wrote."""
    with h5py.File(path) as file:
        return Labels(file["labels"][:], [str(name) for name in file.attrs["outputs"]])
