"""The signal of windows: alignments counted, or a bigWig summed, over each window and its flanks; one track a file."""

import copy
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.bam import bam_sizes
from helpers.data.bam_windows import count_bam_windows
from helpers.data.bigwig import BigWig
from helpers.data.chain import make_normalizer
from helpers.data.contigs import agree_on_sizes
from helpers.data.indexer import GenomicIndexer, Windows
from helpers.data.mapped import Format, MappedFile, write_arrays
from helpers.data.normalizers import Normalizer, ZScore
from helpers.data.rows import SplitRows, check_table, region_fingerprint
from helpers.data.window_bins import warn_of_windows_outside
from helpers.errors import InputError

FORMAT = Format("window signal", 1, "sum_windows and save_signal write such files")
STRANDS = ("both", "sense", "each")
_WINDOWS_OF_A_READER = 1 << 14

Paths = Sequence[str | os.PathLike[str]]


@dataclass(frozen=True)
class WindowSignal:
    """The signal of one track in the windows of a study.

    Attributes
    ----------
    values : numpy.ndarray of uint32 or float64, shape (windows, strands)
        Counts, or sums of signal, of a window and its flanks; a window's own strand first.
    regions : str
        Fingerprint of the windows, see `helpers.data.rows.region_fingerprint`.
    source : str
        Name of the file.
    flank : int
        bp on both sides of a window.
    strands : {'both', 'sense', 'each'}
        See `sum_windows`.
    """

    values: np.ndarray
    regions: str
    source: str
    flank: int
    strands: str


def sum_windows(
    path: str | os.PathLike[str],
    regions: pd.DataFrame,
    *,
    kind: str,
    sizes: Mapping[str, int],
    flank: int = 0,
    strands: str = "both",
    rule: Mapping[str, Any] | None = None,
) -> WindowSignal:
    """Sum the signal of a track over each window and its flanks.

    Parameters
    ----------
    path : path
        BAM or CRAM file, or bigWig.
    regions : pandas.DataFrame
        Region table of the windows, in any order; they may overlap. What hangs over the ends of a contig holds nothing.
    kind : {'bam', 'bigWig'}
        Alignments are counted. The values of a bigWig are summed over bases, and bases without data hold 0.
    sizes : mapping of str to int
        Lengths in bp of the contigs of the genome, with which the file must agree.
    flank : int, default 0
        bp on both sides of a window.
    strands : {'both', 'sense', 'each'}, default 'both'
        Both strands together, the window's own strand alone (for a window without one the plus strand), or each for
        itself, the window's own first. A bigWig has no strands: only 'both' is possible.
    rule : mapping, optional
        Which alignments count, and where: parameters of `helpers.data.counting.CountRule`, but not ``stranded``.

    Returns
    -------
    WindowSignal
        One row a window, in order. NaN in a bigWig counts as no data; how many windows hold some is logged.

    Raises
    ------
    InputError
        For a bad file, kind or rule, a file of another assembly, strands of a bigWig, or a sum that is not finite.
    """
    if kind not in ("bam", "bigWig") or strands not in STRANDS:
        msg = f"kind is bam or bigWig, strands one of {', '.join(STRANDS)}. Received: {kind!r}, {strands!r}."
        raise InputError(msg)
    windows = GenomicIndexer.create_from_file(regions, None, flank=flank, collapse=True)
    warn_of_windows_outside(windows, sizes, "the genome")
    if kind == "bam":
        agree_on_sizes([(path, bam_sizes(path))], sizes)
        counting = {**(rule or {}), "stranded": strands != "both"}
        values = count_bam_windows(path, windows.windows(), n_bins=1, resolution=None, **counting)[:, 0]
        values = values[:, :1] if strands == "sense" else values
    else:
        values = _sum_bigwig(path, windows.windows(), sizes, strands)
    logging.info("%s: sums of %d windows with flanks of %d bp", path, len(values), flank)
    return WindowSignal(values, region_fingerprint(regions), Path(path).name, flank, strands)


def save_signal(signal: WindowSignal, path: str | os.PathLike[str]) -> None:
    """Write the signal of windows to a file that `load_signal` maps into memory; it appears when it is complete."""
    header = asdict(signal)
    write_arrays(path, FORMAT, header, {"values": [header.pop("values")]})


def load_signal(path: str | os.PathLike[str]) -> WindowSignal:
    """Open a file of `save_signal`; InputError when it is missing, damaged or of another kind."""
    file = MappedFile(path, FORMAT)
    return WindowSignal(file.mapped()["values"].values, **file.header)


def stack_signals(paths: Paths, chosen: SplitRows, normalizers: Sequence[Normalizer] | None = None) -> np.ndarray:
    """Read the signals of several tracks for some windows of a study.

    Parameters
    ----------
    paths : sequence of path
        Files of `save_signal`, one a track.
    chosen : SplitRows
        Which windows.
    normalizers : sequence of Normalizer, optional
        One for each track, fitted.

    Returns
    -------
    numpy.ndarray of float32 (float64 without normalizers), shape (windows, strands, tracks)

    Raises
    ------
    InputError
        For a bad file, one of other windows, tracks that differ in their strands, or values that a normalizer refuses.
    """
    signals = [load_signal(path) for path in paths]
    for path, signal in zip(paths, signals, strict=True):
        check_table(signal.regions, chosen.table, path)
    strands = [signal.values.shape[1] for signal in signals]
    if len(set(strands)) > 1:
        found = ", ".join(f"{signal.source}: {number}" for signal, number in zip(signals, strands, strict=True))
        msg = f"Tracks that are read together need the same number of strands. Received: {found}. Sum both strands."
        raise InputError(msg)
    shape = (len(chosen.rows), strands[0], len(signals))
    stacked = np.empty(shape, dtype=np.float64 if normalizers is None else np.float32)
    for number, signal in enumerate(signals):
        values = signal.values[chosen.rows]
        stacked[..., number] = values if normalizers is None else normalizers[number](values)
    return stacked


def fit_signal_normalizer(
    name: str, signal: WindowSignal, chosen: SplitRows, *, track: str, where: str = "all windows"
) -> Normalizer:
    """Fit a normalizer on the signal of windows.

    Parameters
    ----------
    name : str
        One of `helpers.data.normalization.NORMALIZERS`.
    signal : WindowSignal
    chosen : SplitRows
        Windows that statistics are taken from, such as those for training; each counts once, however often it comes.
        TPM always uses all.
    track, where : str
        Names of the track and of the chosen windows, for messages.

    Returns
    -------
    Normalizer

    Raises
    ------
    InputError
        For an unknown name, a signal of other windows, a track that is constant, or values that it cannot take.
    """
    check_table(signal.regions, chosen.table, track)
    if not len(chosen.rows):
        msg = f"Track {track}: there is no window among {where} to fit {name} on. Change the split of the study."
        raise InputError(msg)
    normalizer = copy.copy(make_normalizer(name))
    values = signal.values[np.unique(chosen.rows)] if normalizer.uses_regions else signal.values
    if isinstance(normalizer, ZScore) and values.min() == values.max():
        msg = (
            f"Track {track} is constant: its signal is {values.flat[0]:g} in {where} (all {len(values)}), and {name} "
            "needs values that vary. A constant target or input teaches nothing. Leave the track out, or check its "
            "file and the settings of counting."
        )
        raise InputError(msg)
    try:
        return normalizer.fit([values], source=f"track {track} in {where}", length=1)
    except InputError as error:
        msg = f"Track {track} in {where}: {error}"
        raise InputError(msg) from error


class _SummedBigWig(BigWig):
    """A bigWig that tells of NaN among its values."""

    def total(self, chrom: str, start: int, end: int) -> tuple[float, bool]:
        """Sum a stretch that may hang over the contig's ends, and say whether it holds NaN."""
        start, end = max(start, 0), min(end, self.sizes.get(chrom, 0))
        if start >= end:
            return 0.0, False
        total = float(self._values(chrom, start, end, bins=1, exact=True, summary="sum", uncovered=0.0)[0])
        if np.isnan(total):
            return float(self.collapse(chrom, start, end, collapser="sum")[0]), True
        return total, False


def _sum_bigwig(path: str | os.PathLike[str], windows: Windows, sizes: Mapping[str, int], strands: str) -> np.ndarray:
    if strands != "both":
        msg = f"{path} is a bigWig, which has no strands. Received: strands={strands!r}. Sum both strands of its track."
        raise InputError(msg)
    sums, n_nan = np.zeros((len(windows.starts), 1)), 0
    with BigWig(path) as file:
        agree_on_sizes([(path, file.sizes)], sizes)
    for first in range(0, len(sums), _WINDOWS_OF_A_READER):
        rows = slice(first, first + _WINDOWS_OF_A_READER)
        stretches = zip(windows.chroms[rows], windows.starts[rows].tolist(), windows.ends[rows].tolist(), strict=True)
        with _SummedBigWig(path) as file:  # anew for each part, for it keeps what it has read
            found = [file.total(*stretch) for stretch in stretches]
        sums[rows, 0] = [total for total, _ in found]
        n_nan += sum(holds_nan for _, holds_nan in found)
    if n_nan:
        logging.warning("%s: %d of %d windows hold NaN, which counts as no data", path, n_nan, len(sums))
    wrong = np.flatnonzero(~np.isfinite(sums[:, 0]))
    if len(wrong):
        place = f"{windows.chroms[wrong[0]]}:{windows.starts[wrong[0]]}-{windows.ends[wrong[0]]}"
        msg = f"{path}: the sum over {place} is {sums[wrong[0], 0]}. Replace the infinite values in the file."
        raise InputError(msg)
    return sums
