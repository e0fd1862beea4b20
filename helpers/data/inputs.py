"""Open what a model reads and learns, for the windows of a split."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import load_normalizer
from helpers.data.regions import read_regions
from helpers.data.rows import SplitRows, locate_rows
from helpers.data.sequence import Bioseq
from helpers.data.targets import Targets, open_targets, outputs_of
from helpers.data.window_signal import stack_signals

Windows = str | os.PathLike[str] | pd.DataFrame


class Split(NamedTuple):
    """The windows of a split as a model sees them.

    Attributes
    ----------
    regions : pandas.DataFrame
        One window each.
    inputs : mapping of str to dataset
        By the names of the model's inputs.
    targets : Labels or Array, shape (windows, outputs)
        Indexed and converted as an array.
    outputs : list of str
        Names of the columns of `targets`.
    """

    regions: pd.DataFrame
    inputs: Mapping[str, Any]
    targets: Targets
    outputs: list[str]


def open_split(
    readings: Mapping[str, Mapping[str, Any]],
    split: str,
    *,
    regions: Windows,
    windows: Windows,
    output: Mapping[str, Any],
    binsize: int,
) -> Split:
    """Open the windows of a split: their regions, the model's inputs, and their targets.

    Parameters
    ----------
    readings : mapping
        Name of the input → how to read it: ``kind`` (sequence or coverage), ``stores`` (paths) and ``flank`` (bp). A
        sequence has ``order``. Coverage has ``tracks`` (names), ``normalizers`` (paths, one for each track), ``swap``
        (whether tracks are read in reverse order in a swapped split; each keeps the normalizer of its own file) and
        possibly ``whole``: true where stores hold one value a window, see `helpers.data.window_signal`.
    split : str
        Name of the split; with ``_swapped`` at its end, the tracks of inputs with ``swap`` are read in reverse order.
    regions : path or pandas.DataFrame
        The windows of the split, all `binsize` long.
    windows : path or pandas.DataFrame
        All windows of the study, to which labels and signals of windows belong.
    output : mapping
        What to learn, see `helpers.data.targets.open_targets`.
    binsize : int
        bp.

    Returns
    -------
    Split
        Inputs are a `Bioseq` or a `Cover` each, one item for each region, in order. Coverage of ``whole`` windows has
        one position, shape (windows, 1, strands, tracks).

    Raises
    ------
    InputError
        For a bad file, regions that are not among the windows, or what belongs to other windows.
    """
    table = read_regions(regions)
    chosen = locate_rows(table, read_regions(windows))
    settings = {"regions": table, "binsize": binsize}
    inputs: dict[str, Bioseq | Cover] = {}
    for name, reading in readings.items():
        if reading["kind"] == "sequence":
            inputs[name] = _open_sequence(name, reading, **settings)
            continue
        turned = _turn(reading, swapped=split.endswith("_swapped") and reading["swap"])
        if reading.get("whole"):
            inputs[name] = _open_whole(name, turned, chosen, **settings)
        else:
            inputs[name] = _open_coverage(name, turned, **settings)
    targets = open_targets(output, chosen)
    return Split(table, inputs, targets, outputs_of(targets))


def _turn(reading: Mapping[str, Any], *, swapped: bool) -> dict[str, Any]:
    """Give a reading of coverage, with its tracks in reverse order where they are swapped, and its normalizers."""
    step = -1 if swapped else 1
    turned = {key: reading[key][::step] for key in ("stores", "tracks", "normalizers")}
    return {**reading, **turned, "normalizers": [load_normalizer(path) for path in turned["normalizers"]]}


def _open_sequence(name: str, reading: Mapping[str, Any], *, regions: pd.DataFrame, binsize: int) -> Bioseq:
    return Bioseq.create_from_refgenome(
        name, reading["stores"][0], roi=regions, binsize=binsize, flank=reading["flank"], order=reading["order"]
    )


def _open_coverage(name: str, reading: Mapping[str, Any], *, regions: pd.DataFrame, binsize: int) -> Cover:
    return Cover.create_from_store(
        name,
        reading["stores"],
        roi=regions,
        conditions=reading["tracks"],
        binsize=binsize,
        flank=reading["flank"],
        normalizers=reading["normalizers"],
    )


def _open_whole(
    name: str, reading: Mapping[str, Any], chosen: SplitRows, *, regions: pd.DataFrame, binsize: int
) -> Cover:
    values = stack_signals(reading["stores"], chosen, reading["normalizers"])
    windows = GenomicIndexer.create_from_file(regions, binsize, flank=reading["flank"])
    return Cover.create_from_array(name, values[:, None], windows, conditions=reading["tracks"])
