"""Whether datasets that are read side by side present the same windows: window i of one beside window i of another."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.data.indexer import GenomicIndexer
from helpers.errors import InputError


def check_same_windows(datasets: Mapping[str, Any]) -> None:
    """Raise InputError unless window i of all datasets overlap, for each i.

    Parameters
    ----------
    datasets : mapping of str to dataset, wrapper or array
        By names for messages, all of one length. Those without windows are left out.

    Notes
    -----
    Windows may differ in length, but overlap without their flanks. Labels of other windows, or in another order, would
    be learned without a sign that anything is wrong.
    """
    found = [(name, getattr(dataset, "gindexer", None)) for name, dataset in datasets.items()]
    known = [(name, windows) for name, windows in found if windows is not None]
    for name, windows in known[1:]:
        first_name, first = known[0]
        rows = np.flatnonzero(_lie_apart(first, windows))
        if len(rows):
            places = [f"{region.chrom}:{region.start}-{region.end}" for region in (first[rows[0]], windows[rows[0]])]
            msg = (
                f"{len(rows)} of {len(first)} windows of {first_name} and {name} do not overlap; the first is window "
                f"{rows[0]}, {places[0]} and {places[1]}. Give both the same regions, bin size and random_state."
            )
            raise InputError(msg)


def _lie_apart(windows: GenomicIndexer, others: GenomicIndexer) -> np.ndarray:
    """Say which windows do not overlap those of another indexer, flanks left out, shape (windows,)."""
    codes = {name: code for code, name in enumerate(windows.chrom_names)}
    translated = np.array([codes.get(name, -1) for name in others.chrom_names], dtype=np.int64)
    rows, other_rows = windows.order, others.order
    return (
        (translated[others.chrom_codes[other_rows]] != windows.chrom_codes[rows])
        | (windows.starts[rows] >= others.ends[other_rows])
        | (windows.ends[rows] <= others.starts[other_rows])
    )
