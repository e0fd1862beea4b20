"""Attributions of a stretch of the genome as datasets, in the form that users of Janggu know."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer, Region
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, mean_over_windows
from helpers.evaluation.located_attribution import attribute_windows, layout_of


def input_attribution(
    model: Any,
    inputs: Any,
    chrom: str | None = None,
    start: int | None = None,
    end: int | None = None,
    idx: int | None = None,
    *,
    outputs: int | Sequence[int] | None = None,
    **settings: Any,
) -> list[Cover]:
    """Attribute what a model says about a stretch of the genome to its bases and its coverage.

    Parameters
    ----------
    model : keras.Model or sequence of keras.Model
        Of several, replicates of one network, the mean is attributed.
    inputs : Bioseq, Cover, sequence of these, or mapping of str to these
        The datasets that the model reads, all of the same windows. Left unchanged.
    chrom, start, end : str, int, int
        The stretch in bp, 0-based and half-open: all windows that overlap it, with the flanks of each input, are
        attributed.
    idx : int, optional
        Instead of a stretch: this window alone, with the flank of the first input, from the contig's start on.
    outputs : int or sequence of int, optional
        Units of the model whose sum is attributed; by default all.
    **settings
        Of `helpers.evaluation.attribution.AttributionSettings`: method, baseline, ...

    Returns
    -------
    list of Cover
        One for each input, named ``attr_`` and its name, with one window, the stretch, on the plus strand, base by
        base: shape ``(1, end - start, 1, 4)`` for a sequence, with the conditions A, C, G and T, and ``(1, end - start,
        strands, conditions)`` for coverage, where all bases of a bin hold the value of the bin.

    Raises
    ------
    InputError
        Without a stretch, for a stretch that no window overlaps, for other datasets, and as `attribute`.

    Notes
    -----
    Values keep their sign, coverage its strands, and minus windows are turned to the genome. A base in several windows
    holds the mean of their values, a base in none is NaN. Attributions of a window sum to the change of the value
    before the last activation; those of a stretch that windows overlap on do not sum to anything.
    """
    datasets = _by_name(inputs)
    for name, dataset in datasets.items():
        layout_of(name, dataset)
    region, rows = _select(datasets, chrom, start, end, idx)
    chosen = {name: dataset.take(rows) for name, dataset in datasets.items()}
    found = attribute_windows(model, chosen, outputs=_summed(model, outputs), **settings)
    return [_as_cover(found, name, region) for name in datasets]


def _by_name(inputs: Any) -> dict[str, Any]:
    if isinstance(inputs, Mapping):
        return dict(inputs)
    datasets = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    if not datasets:
        msg = "There is no input to attribute to. Give the datasets that the model reads."
        raise InputError(msg)
    return {getattr(dataset, "name", f"number {number}"): dataset for number, dataset in enumerate(datasets)}


def _select(
    datasets: Mapping[str, Any], chrom: str | None, start: int | None, end: int | None, idx: int | None
) -> tuple[Region, np.ndarray]:
    """Give the stretch and the windows that belong to it."""
    if idx is not None:
        count = len(next(iter(datasets.values())))
        if not -count <= idx < count:
            msg = f"There are {count} windows. Received: idx={idx}."
            raise InputError(msg)
        region = next(iter(datasets.values())).gindexer[idx]
        return Region(region.chrom, max(region.start, 0), region.end, "+"), np.array([idx])
    if chrom is None or start is None or end is None or not 0 <= start < end:
        msg = (
            f"Give chrom, 0 <= start < end, or idx. Received: chrom={chrom!r}, start={start!r}, end={end!r}, idx=None."
        )
        raise InputError(msg)
    found = [set(dataset.gindexer.idx_by_region(chrom, start=start, end=end)) for dataset in datasets.values()]
    rows = np.array(sorted(set.intersection(*found)), dtype=np.int64)
    if not len(rows):
        msg = f"No window of {', '.join(datasets)} overlaps {chrom}:{start}-{end}. Give a stretch that windows cover."
        raise InputError(msg)
    return Region(chrom, start, end, "+"), rows


def _summed(model: Any, outputs: int | Sequence[int] | None) -> dict[str, Any]:
    """Name the sum of some units, by default of all."""
    if outputs is not None:
        return {"sum": outputs}
    first = model[0] if isinstance(model, list | tuple) else model
    return {"sum": list(range(sum(int(np.prod(tensor.shape[1:])) for tensor in first.outputs)))}


def _as_cover(found: Attributions, name: str, region: Region) -> Cover:
    layout, shape = found.layouts[name], found.values["sum"][name].shape[2:]
    mean = mean_over_windows(found, "sum", name, (region.chrom, region.start, region.end))
    values = mean.reshape(1, len(mean), *(shape if layout.kind == "coverage" else (1, *shape)))
    window = GenomicIndexer.create_from_region(*region, binsize=len(mean))
    return Cover.create_from_array(
        f"attr_{name}", values, window, conditions=layout.conditions, resolution=1, padding_value=np.nan
    )
