"""Attributions of windows in a file, and as genome tracks.

The file (HDF5) holds the windows without flank in the datasets ``chrom``, ``start``, ``end`` and ``strand``, and for
each output a group with ``.checks`` (windows, columns) and, for each input, a group with ``attribution``: float32 of
shape (windows, bases, 4) for a sequence, (windows, positions, strands, conditions) for coverage, read from left to
right on the plus strand of the genome. Attributes of the group of an input say its flank, resolution and conditions.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd

from helpers.data.export import predictions_to_bigwig
from helpers.errors import InputError, list_some
from helpers.files import atomic_path

FORMAT_VERSION = 1
WINDOW_COLUMNS = ("chrom", "start", "end", "strand")
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


class InputLayout(NamedTuple):
    """What the positions and channels of an input are.

    Attributes
    ----------
    kind : {'sequence', 'coverage'}
    flank : int
        Bases on both sides of a window, in bp.
    resolution : int or None
        Length of a position in bp, 1 for a sequence; None where a window, with flank, is one position.
    conditions : list of str
        Of the last axis: A, C, G, T for a sequence.
    """

    kind: str
    flank: int
    resolution: int | None
    conditions: list[str]


@dataclass
class Attributions:
    """Attributions of windows of a genome, from left to right on its plus strand.

    Attributes
    ----------
    windows : pandas.DataFrame
        Without flank: chrom, start, end, strand (0-based, half-open).
    layouts : dict of str to InputLayout
        By input.
    values : dict of str to dict of str to numpy.ndarray of float32
        By output and input: (windows, bases, 4) for a sequence, in the channel of the plus strand's letter;
        (windows, positions, strands, conditions) for coverage, the plus strand first.
    checks : dict of str to pandas.DataFrame
        By output, see `helpers.evaluation.attribution.Attribution`.
    settings : dict
        How they were made.
    """

    windows: pd.DataFrame
    layouts: dict[str, InputLayout]
    values: dict[str, dict[str, np.ndarray]]
    checks: dict[str, pd.DataFrame]
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        table = self.windows[list(WINDOW_COLUMNS)].reset_index(drop=True)
        self.windows = table.astype({"chrom": "str", "start": np.int64, "end": np.int64, "strand": "str"})

    def __len__(self) -> int:
        return len(self.windows)

    def first(self, count: int) -> "Attributions":
        """Give the first windows alone."""
        values = {output: {name: array[:count] for name, array in own.items()} for output, own in self.values.items()}
        checks = {output: table.iloc[:count] for output, table in self.checks.items()}
        return Attributions(self.windows.iloc[:count], self.layouts, values, checks, self.settings)

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        return list(self.values)

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs."""
        return list(self.layouts)

    @property
    def sequences(self) -> list[str]:
        """Names of the inputs that are sequences."""
        return [name for name, layout in self.layouts.items() if layout.kind == "sequence"]

    @property
    def regions(self) -> pd.DataFrame:
        """The windows with the flanks of the first sequence; of the first input where there is none."""
        return self.regions_of((self.sequences or self.inputs)[0])

    def regions_of(self, name: str) -> pd.DataFrame:
        """Give the windows with the flanks of an input, not clipped at the contig's ends."""
        flank = self.layouts[name].flank
        return self.windows.assign(start=self.windows["start"] - flank, end=self.windows["end"] + flank)


def write_attributions(path: str | os.PathLike[str], attributions: Attributions) -> None:
    """Write attributions to an HDF5 file, which appears when it is complete.

    Parameters
    ----------
    path : path
    attributions : Attributions
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["outputs"] = attributions.outputs
        file.attrs["inputs"] = attributions.inputs
        file.attrs["settings"] = json.dumps(attributions.settings)
        packed = _PACKED if len(attributions) else {}
        for column in WINDOW_COLUMNS:
            values = attributions.windows[column].to_numpy()
            letters = column in ("chrom", "strand")
            file.create_dataset(column, data=np.char.encode(values.astype("U"), "utf-8") if letters else values)
        for output in attributions.outputs:
            checks = attributions.checks[output]
            table = file.create_dataset(f"{output}/.checks", data=checks.to_numpy(dtype=np.float64))
            table.attrs["columns"] = list(checks)
            for name, layout in attributions.layouts.items():
                values = np.asarray(attributions.values[output][name], dtype=np.float32)
                stored = file.create_dataset(f"{output}/{name}/attribution", data=values, **packed)
                stored.parent.attrs["layout"] = json.dumps(layout._asdict())


def read_attributions(path: str | os.PathLike[str]) -> Attributions:
    """Read a file of `write_attributions`.

    Parameters
    ----------
    path : path

    Returns
    -------
    Attributions

    Raises
    ------
    InputError
        When the file is missing, no such file, or of another format version.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        msg = f"Cannot read the attributions in {path}: {error}. Write them again (remove the file and run on)."
        raise InputError(msg) from error
    with file, _complete(path):
        version = file.attrs.get("format_version")
        if version != FORMAT_VERSION or "settings" not in file.attrs:
            msg = f"{path} holds no attributions of format version {FORMAT_VERSION} (it has {version}). Make it anew."
            raise InputError(msg)
        columns = {column: file[column][()] for column in WINDOW_COLUMNS}
        columns |= {column: np.char.decode(columns[column], "utf-8") for column in ("chrom", "strand")}
        outputs, inputs = ([str(name) for name in file.attrs[key]] for key in ("outputs", "inputs"))
        values = {output: {name: file[f"{output}/{name}/attribution"][()] for name in inputs} for output in outputs}
        checks = {output: _read_checks(file[f"{output}/.checks"]) for output in outputs}
        layouts = {name: InputLayout(**json.loads(file[f"{outputs[0]}/{name}"].attrs["layout"])) for name in inputs}
        return Attributions(pd.DataFrame(columns), layouts, values, checks, json.loads(file.attrs["settings"]))


@contextmanager
def _complete(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        msg = f"{path} lacks attributions: {error}. Write them again (remove the file and run on)."
        raise InputError(msg) from error


def _read_checks(table: h5py.Dataset) -> pd.DataFrame:
    return pd.DataFrame(table[()], columns=[str(name) for name in table.attrs["columns"]]).astype({"steps": np.int64})


def write_attribution_track(
    path: str | os.PathLike[str], attributions: Attributions, output: str, name: str, sizes: Mapping[str, int]
) -> None:
    """Write the attributions of an input to an output as bigWig: the sum over the channels of each base or bin.

    Parameters
    ----------
    path : path
    attributions : Attributions
    output, name : str
        Of the output and of the input.
    sizes : mapping of str to int
        Contig lengths in bp; what lies beyond is cut off.

    Raises
    ------
    InputError
        When there is no such output or input, or a window lies on a contig that `sizes` lacks.

    Notes
    -----
    A base in several windows holds the mean of their values, a base in none holds no value.
    """
    for key, known in ((output, attributions.outputs), (name, attributions.inputs)):
        if key not in known:
            msg = f"There are no attributions of {key!r}, only of {list_some(known)}. Attribute it, or name another."
            raise InputError(msg)
    values = attributions.values[output][name]
    sums = values.sum(axis=tuple(range(2, values.ndim)), dtype=np.float64)
    bins = bins_of(attributions.regions_of(name), sums.shape[1], attributions.layouts[name].resolution)
    inside = (bins["start"] < bins["end"]).to_numpy()
    predictions_to_bigwig(path, bins[inside], sums.ravel()[inside], sizes)


def mean_over_windows(attributions: Attributions, output: str, name: str, region: tuple[str, int, int]) -> np.ndarray:
    """Average the attributions of each base of a stretch over the windows, flanks included, that cover it.

    Parameters
    ----------
    attributions : Attributions
    output, name : str
        Of the output and of the input.
    region : (str, int, int)
        Stretch: chrom, start, end, in bp, 0-based, half-open.

    Returns
    -------
    numpy.ndarray of float64, shape (bases, channels)
        Channels are A, C, G, T, or strands by conditions of the bin that a base lies in; NaN where no window is.
    """
    chrom, start, end = region
    values, windows = attributions.values[output][name], attributions.regions_of(name)
    firsts, lasts = windows["start"].to_numpy(), windows["end"].to_numpy()
    values = values.reshape(*values.shape[:2], int(np.prod(values.shape[2:])))
    total, depth = np.zeros((end - start, values.shape[2])), np.zeros((end - start, 1))
    near = (windows["chrom"] == chrom).to_numpy() & (firsts < end) & (lasts > start)
    for row in np.flatnonzero(near):
        first, left, right = firsts[row], max(firsts[row], start), min(lasts[row], end)
        bases = np.repeat(values[row], attributions.layouts[name].resolution or lasts[row] - first, axis=0)
        total[left - start : right - start] += bases[left - first : right - first]
        depth[left - start : right - start] += 1
    return np.divide(total, depth, out=np.full_like(total, np.nan), where=depth > 0)


def bins_of(regions: pd.DataFrame, n_positions: int, resolution: int | None) -> pd.DataFrame:
    """Give the positions of windows as regions.

    Parameters
    ----------
    regions : pandas.DataFrame
        Windows with flanks.
    n_positions : int
        Positions of a window.
    resolution : int or None
        bp of a position; None is one position a window.

    Returns
    -------
    pandas.DataFrame
        chrom, start, end of ``windows * n_positions`` regions, window by window; empty (end <= start) behind the end of
        a shorter window.

    Examples
    --------
    >>> bins_of(pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [25]}), 2, 10)
      chrom  start  end
    0  chr1     10   20
    1  chr1     20   25
    """
    starts, ends = (regions[column].to_numpy(dtype=np.int64)[:, None] for column in ("start", "end"))
    length = (ends - starts).max(initial=0) if resolution is None else resolution
    left = starts + length * np.arange(n_positions)
    table = {"chrom": np.repeat(regions["chrom"].to_numpy(), n_positions), "start": left.ravel()}
    return pd.DataFrame(table | {"end": np.minimum(left + length, ends).ravel()})
