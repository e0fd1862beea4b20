"""The first filters of a network as motifs: where each of them fires, what stands there, and what it does.

A filter's motif is made of the places where it fires most: in each window the one place, on either strand, where its
activation is highest, if that is above half of its maximum over all windows. Sequences of those places are counted.

References
----------
Alipanahi et al., Nature Biotechnology 33 (2015), https://doi.org/10.1038/nbt.3300 (one place in a window)
Kelley et al., Genome Research 26 (2016), https://doi.org/10.1101/gr.200535.115 (half of the maximum)
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from keras import ops

from helpers.data.motifs import Motif
from helpers.errors import InputError
from helpers.evaluation.base_attribution import letters_of_kmers
from helpers.evaluation.scans import Scan, find_scans
from helpers.evaluation.silencing import silence_filters
from helpers.model.layers import DnaConv2D
from helpers.model.training import load_model

FIRES = 0.5  # of a filter's maximum
_VALUES_AT_ONCE = 1 << 24  # activations or channels of a batch of windows, 64 MB


class Sites(NamedTuple):
    """Where filters fire most in each window.

    Attributes
    ----------
    activation : numpy.ndarray of float32, shape (windows, filters)
        -inf in a window where each piece of the filter's length holds an unknown base.
    start : numpy.ndarray of int, shape (windows, filters)
        First base of the piece in the window.
    reverse : numpy.ndarray of bool, shape (windows, filters)
        Whether the filter fires on the other strand.
    """

    activation: np.ndarray
    start: np.ndarray
    reverse: np.ndarray

    def chosen(self) -> np.ndarray:
        """Mark the windows in which a filter fires: bool, shape (windows, filters)."""
        most = self.activation.max(axis=0, initial=-np.inf)
        return (self.activation > FIRES * most) & (most > 0)


@dataclass(frozen=True)
class Filter:
    """A first filter of one of several networks of the same kind.

    Attributes
    ----------
    name : str
        Such as ``dna_rep0_filter3``: input, number of the network, number of the filter, all from 0.
    input : str
    replicate, number : int
    strength : float
        How much the filter adds to an output before its last activation: the mean, over the windows with the highest
        outputs, of the output less that with the filter silenced. Negative when the filter lowers the output.
    output : str
        The output on which that is largest.
    max_activation : float
        Over all windows; 0 or below for a filter that never fires.
    motif : Motif or None
        None for a filter that never fires. Its background is the composition, on both strands, of the windows of the
        first sequence.
    """

    name: str
    input: str
    replicate: int
    number: int
    strength: float
    output: str
    max_activation: float
    motif: Motif | None

    @property
    def n_sites(self) -> int:
        """Windows in which it fires."""
        return 0 if self.motif is None else int(self.motif.n_sites)


def find_filters(
    paths: Sequence[str | os.PathLike[str]],
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    *,
    windows: int = 2000,
    strongest: int = 100,
) -> list[Filter]:
    """Turn the first filters of networks into motifs, strongest first.

    Parameters
    ----------
    paths : sequence of path
        Networks of the same kind, the replicates of a variant; see `find_scans`.
    inputs : mapping of str to dataset
        What they read, of the same windows: a `Bioseq` for a sequence.
    outputs : sequence of str
        Names of the outputs.
    windows : int, default 2000
        At most so many windows are scanned, evenly spaced among those given.
    strongest : int, default 100
        Windows, of those scanned, with the highest mean output, on which filters are silenced.

    Returns
    -------
    list of Filter
        By their strength without its sign, largest first, those of all networks together.

    Raises
    ------
    InputError
        Without networks or windows, or as `find_scans`.

    Notes
    -----
    Memory is bounded by the codes of the windows and one batch. Each filter costs one more pass of the strongest
    windows through what lies above the filters.
    """
    inputs = _spread(paths, inputs, windows)
    found, background = [], None
    for replicate, path in enumerate(paths):
        model = load_model(path)
        for scan in find_scans(model):
            codes = inputs[scan.input].codes(slice(None))
            bases = letters_of_kmers(codes, scan.one_hot.order)
            background = _composition(bases) if background is None else background
            changes = silence_filters(model, scan, inputs, strongest)
            found += _describe(scan, replicate, find_sites(scan, codes), bases, background, (changes, outputs))
    return sorted(found, key=lambda one: -abs(one.strength))


def _spread(paths: Sequence, inputs: Mapping[str, Any], windows: int) -> dict[str, Any]:
    total = len(next(iter(inputs.values()))) if inputs else 0
    if not paths or total == 0 or windows < 1:
        msg = f"Filters are found with a network and a window at least. Received: {len(paths)} networks, {total} "
        msg += f"windows, windows={windows}. Give both."
        raise InputError(msg)
    rows = np.unique(np.linspace(0, total - 1, min(windows, total)).round().astype(int))
    return {name: dataset.take(rows) for name, dataset in inputs.items()}


def _describe(
    scan: Scan, replicate: int, sites: Sites, bases: np.ndarray, background: np.ndarray, effects: tuple
) -> Iterator[Filter]:
    (changes, outputs), chosen = effects, sites.chosen()
    for number, change in enumerate(changes):
        name, most = f"{scan.input}_rep{replicate}_filter{number}", int(np.argmax(np.abs(change)))
        rows = np.flatnonzero(chosen[:, number])
        pieces = cut_pieces(bases[rows], sites.start[rows, number], sites.reverse[rows, number], scan.span)
        counts = (pieces[:, :, None] == np.arange(4)).sum(axis=0)
        motif = Motif(name, "", counts / len(pieces), len(pieces), background) if len(pieces) else None
        peak = float(sites.activation[:, number].max())
        yield Filter(name, scan.input, replicate, number, float(change[most]), outputs[most], peak, motif)


def filter_table(filters: Sequence[Filter], matches: pd.DataFrame) -> pd.DataFrame:
    """Describe filters, one in a row, in their order.

    Parameters
    ----------
    filters : sequence of Filter
    matches : pandas.DataFrame
        Of `helpers.evaluation.motif_matching.match_motifs`, with the filters' motifs among the queries.

    Returns
    -------
    pandas.DataFrame
        ``filter``, ``input``, ``replicate``, ``number``, ``output``, ``strength``, ``max_activation``, ``n_sites``;
        ``consensus``; ``information`` of all positions in bits; of the best match ``match`` (its name), ``strand``,
        ``correlation``, ``p``, ``q``. A filter that never fires has 0 sites, and no value from ``consensus`` on.
    """
    best = matches.drop_duplicates("query").set_index("query")
    rows = []
    for one in filters:
        row = {"filter": one.name, "input": one.input, "replicate": one.replicate, "number": one.number}
        row |= {"output": one.output, "strength": one.strength, "max_activation": one.max_activation}
        row |= {"n_sites": one.n_sites, "consensus": one.motif.consensus() if one.motif else None}
        row |= {"information": one.motif.information().sum() if one.motif else None}
        found = best.loc[one.name].to_dict() if one.name in best.index else {}
        row |= {"match": found.get("target")} | {key: found.get(key) for key in ("strand", "correlation", "p", "q")}
        rows.append(row)
    return pd.DataFrame(rows)


def find_sites(scan: Scan, codes: np.ndarray) -> Sites:
    """Find where each filter fires most in each window; between two such places, rounding decides.

    Parameters
    ----------
    scan : Scan
    codes : numpy.ndarray of uint, shape (windows, positions)
        k-mer codes of the order of `scan.one_hot`; 4**order for unknown.
    """
    activate = _activations(scan)
    channels = max(4**scan.one_hot.order, 2 * scan.filters)
    at_once = max(1, _VALUES_AT_ONCE // (codes.shape[1] * channels))
    batches = [_best(activate(part), _known_pieces(scan, part)) for part in _parts(codes, at_once)]
    activation, place = (np.concatenate(values) for values in zip(*batches, strict=True))
    positions = codes.shape[1] - scan.width + 1
    return Sites(activation, place % positions, place >= positions)


def _parts(codes: np.ndarray, at_once: int) -> Iterator[np.ndarray]:
    return (codes[first : first + at_once] for first in range(0, len(codes), at_once))


def _activations(scan: Scan) -> Callable[[np.ndarray], list[Any]]:
    """Return a function from codes to activations (windows, positions, filters), of one strand or both."""
    if isinstance(scan.layer, DnaConv2D):
        both = DnaConv2D(scan.layer.forward_layer, merge_mode=None)  # before they are merged and pooled
        return lambda codes: [ops.squeeze(strand, 2) for strand in both(scan.one_hot(codes))]
    return lambda codes: [scan.layer(ops.squeeze(scan.one_hot(codes), 2))]


def _known_pieces(scan: Scan, codes: np.ndarray) -> np.ndarray:
    """Mark the places where a filter sees known bases alone: bool, shape (windows, positions - width + 1)."""
    unknown = np.cumsum(codes >= 4**scan.one_hot.order, axis=1)
    unknown = np.pad(unknown, [(0, 0), (1, 0)])
    return unknown[:, scan.width :] == unknown[:, : -scan.width]


def _best(strands: list[Any], known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the highest activation of each filter, and its place, counted on through both strands."""
    values = ops.concatenate([ops.where(known[:, :, None], strand, -np.inf) for strand in strands], axis=1)
    return ops.convert_to_numpy(ops.max(values, axis=1)), ops.convert_to_numpy(ops.argmax(values, axis=1))


def cut_pieces(bases: np.ndarray, starts: np.ndarray, reverse: np.ndarray, span: int) -> np.ndarray:
    """Cut a piece out of each window, as its reverse complement where `reverse` is set; shape (windows, span)."""
    pieces = np.take_along_axis(bases, np.asarray(starts)[:, None] + np.arange(span), axis=1)
    return np.where(np.asarray(reverse)[:, None], 3 - pieces[:, ::-1], pieces)


def _composition(bases: np.ndarray) -> np.ndarray:
    """Give the share of A, C, G, T on both strands; one is added to each count, so that none is 0."""
    counts = np.bincount(bases.ravel(), minlength=4)[:4] + 1.0
    return (counts + counts[::-1]) / (2 * counts.sum())
