"""Open the datasets that a model reads, for the windows of a split."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers.data.coverage import Cover
from helpers.data.labels import Labels, load_labels
from helpers.data.normalization import load_normalizer
from helpers.data.regions import read_regions
from helpers.data.sequence import Bioseq


class Split(NamedTuple):
    """The windows of a split as a model sees them.

    Attributes
    ----------
    regions : pandas.DataFrame
        One window each.
    inputs : mapping of str to dataset
        By the names of the model's inputs.
    targets : Labels, shape (windows, outputs)
        Indexed and converted as an array.
    outputs : list of str
        Names of the columns of `targets`.
    """

    regions: pd.DataFrame
    inputs: Mapping[str, Any]
    targets: Labels
    outputs: list[str]


def open_split(
    readings: Mapping[str, Mapping[str, Any]], split: str, files: Mapping[str, str | os.PathLike[str]], *, binsize: int
) -> Split:
    """Open the windows of a split: their regions, the model's inputs, and their labels.

    Parameters
    ----------
    readings, binsize
        As in `open_inputs`.
    split : str
        Name of the split; with ``_swapped`` at its end, the tracks of swapped inputs are read in reverse order.
    files : mapping
        Paths of the regions (``test``) and of the labels (``test_labels``) of the split.
    """
    source = split.removesuffix("_swapped")
    windows, known = read_regions(files[source]), load_labels(files[f"{source}_labels"])
    inputs = open_inputs(readings, windows, binsize=binsize, swapped=split != source)
    return Split(windows, inputs, known, known.outputs)


def open_inputs(
    readings: Mapping[str, Mapping[str, Any]],
    regions: pd.DataFrame,
    *,
    binsize: int,
    swapped: bool = False,
) -> dict[str, Bioseq | Cover]:
    """Open every input of a model.

    Parameters
    ----------
    readings : mapping
        Name of the input → how to read it: ``kind`` (sequence or coverage), ``stores`` (paths), ``flank`` (bp), and
        ``order``, or ``tracks`` (names), ``normalizers`` (paths, one for each track) and ``swap``.
    regions : pandas.DataFrame
        One window each, all `binsize` long.
    binsize : int
        bp.
    swapped : bool
        Read the tracks of inputs with ``swap`` in reverse order; each keeps the normalizer of its own file.

    Returns
    -------
    dict
        Name → `Bioseq` or `Cover`, one item for each region, in order.
    """
    settings = {"regions": regions, "binsize": binsize}
    opened = {}
    for name, reading in readings.items():
        if reading["kind"] == "sequence":
            opened[name] = _open_sequence(name, reading, **settings)
        else:
            opened[name] = _open_coverage(name, reading, swapped and reading["swap"], **settings)
    return opened


def _open_sequence(name: str, reading: Mapping[str, Any], *, regions: pd.DataFrame, binsize: int) -> Bioseq:
    return Bioseq.create_from_refgenome(
        name, reading["stores"][0], roi=regions, binsize=binsize, flank=reading["flank"], order=reading["order"]
    )


def _open_coverage(
    name: str, reading: Mapping[str, Any], swapped: bool, *, regions: pd.DataFrame, binsize: int
) -> Cover:
    step = -1 if swapped else 1
    return Cover.create_from_store(
        name,
        reading["stores"][::step],
        roi=regions,
        conditions=reading["tracks"][::step],
        binsize=binsize,
        flank=reading["flank"],
        normalizers=[load_normalizer(path) for path in reading["normalizers"][::step]],
    )
