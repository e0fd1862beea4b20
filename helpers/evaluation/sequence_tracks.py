"""The track of a sequence: its bases as letters, as high as their attribution."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from helpers.data.alphabet import DNA
from helpers.data.sequence import Bioseq
from helpers.errors import InputError
from helpers.evaluation.logos import draw_logo
from helpers.evaluation.style import COLORS
from helpers.evaluation.track_panels import Track, panel_points, show_no_values
from helpers.evaluation.track_signal import read_signal

MIN_LETTER_WIDTH = 2.0  # points; below, the stem of a letter is finer than a dot of a printer


class SeqTrack(Track):
    """The bases of a sequence as letters, as high as their values; see `helpers.evaluation.logos.draw_logo`.

    Where a base would be less than 2 points wide (36 bp per inch: from about 200 bp on, over two columns of a page),
    blocks in the colours of the bases stand in the place of letters. Nothing is drawn where there is no value: at bases
    that are unknown, or outside what was attributed.

    Parameters
    ----------
    data : Bioseq or Cover-like
        A `Bioseq`, whose bases have height 1; or values such as those of `input_attribution`, of shape
        (1, positions, 1, ``4**k``) at ``data[chrom, start, end]``, channels in the order of k-mers (AA, AC, ...); or a
        `Stretch` of an array (positions, 4). The value of a k-mer is spread equally over its k bases, so that the sum
        stays; k-mers that begin left of the stretch count for the bases that they reach.
    height : float
        Height of the panel.
    label : str, optional
        Stands left of the track.
    ylim : (float, float), optional
        Range of the y axis; by default that of the values.
    strand : {None, '+', '-'}
        '-' shows the complement of each base: what is read, from right to left, on the reverse strand.
    color : mapping of str to str, optional
        Colours of A, C, G and T.

    Raises
    ------
    InputError
        For a protein, values with two strands, or a number of channels that is no power of 4.
    """

    one_panel = True

    def __init__(
        self,
        data: Any,
        height: float = 3,
        *,
        label: str | None = None,
        ylim: tuple[float, float] | None = None,
        strand: str | None = None,
        color: Mapping[str, str] | None = None,
    ):
        super().__init__(data, height, label=label, color=color, strand=strand)
        self.ylim = ylim

    def plot(self, axes: list[Axes], chrom: str, start: int, end: int) -> None:
        """Draw the letters, or blocks where they would be too narrow."""
        heights = self.read(chrom, start, end)
        axis = axes[0]
        letters = panel_points(axis)[0] / (end - start) >= MIN_LETTER_WIDTH
        colors = COLORS["base"] if self.color is None else self.color
        draw_logo(axis, heights, start=start, colors=colors, letters=letters)
        if (heights < 0).any():
            axis.axhline(0, color="0.3", linewidth=0.5)
        if isinstance(self.data, Bioseq):
            axis.set_ylim(0, 1)
            show_no_values(axis)
        if self.ylim is not None:
            axis.set_ylim(self.ylim)

    def read(self, chrom: str, start: int, end: int) -> np.ndarray:
        """Read the heights of A, C, G and T, shape (positions, 4); NaN where there are none."""
        heights = _letters(self.data, chrom, start, end) if isinstance(self.data, Bioseq) else None
        if heights is None:
            heights = _spread(self.data, self.own_label, (chrom, start, end))
        return heights[:, ::-1] if self.strand == "-" else heights


def kmer_length(n_channels: int) -> int | None:
    """Give the length of the k-mers that a number of channels stands for; None where it is no power of 4.

    Examples
    --------
    >>> [kmer_length(number) for number in (4, 64, 1, 12)]
    [1, 3, None, None]
    """
    order = (n_channels.bit_length() - 1) // 2
    return order if order > 0 and n_channels == 4**order else None


def holds_kmers(data: Any) -> bool:
    """Say whether a dataset has a channel for each k-mer, in order, and is no protein."""
    conditions = list(getattr(data, "conditions", None) or [])
    order = kmer_length(len(conditions))
    return order is not None and order <= DNA.max_order and conditions == DNA.kmers(order)


def spread_kmers(values: np.ndarray, n_positions: int, offset: int = 0) -> np.ndarray:
    """Spread the values of k-mers equally over their bases.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (k-mers, 4**k)
        Value of each k-mer at each position that one begins at; NaN for none.
    n_positions : int
        Bases to give.
    offset : int
        Bases by which the first k-mer begins before the first of these.

    Returns
    -------
    numpy.ndarray of float, shape (n_positions, 4)
        Of A, C, G and T; NaN at bases that no k-mer with a value reaches. The sum is that of the k-mers, except for
        their bases outside.

    Raises
    ------
    InputError
        When the number of channels is no power of 4.

    Examples
    --------
    >>> values = np.zeros((2, 16))
    >>> values[0, 1] = 3.0  # AC
    >>> spread_kmers(values, 3)
    array([[1.5, 0. , 0. , 0. ],
           [0. , 1.5, 0. , 0. ],
           [0. , 0. , 0. , 0. ]])
    """
    order = kmer_length(values.shape[1])
    if order is None:
        message = f"{values.shape[1]} channels are not those of k-mers (4, 16, 64, ...). Give a track of a sequence."
        raise InputError(message)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0).reshape(len(values), *[4] * order)
    bases, reached = np.zeros((n_positions, 4)), np.zeros(n_positions, dtype=bool)
    for place in range(order):
        axes = tuple(axis + 1 for axis in range(order) if axis != place)
        rows = np.arange(len(values)) + place - offset
        inside = (rows >= 0) & (rows < n_positions)
        bases[rows[inside]] += filled.sum(axis=axes)[inside] / order
        reached[rows[inside]] |= known.any(axis=1)[inside]
    return np.where(reached[:, None], bases, np.nan)


def _letters(data: Bioseq, chrom: str, start: int, end: int) -> np.ndarray:
    """Give each base the height 1, unknown ones 0."""
    if data.alphabet != DNA:
        message = f"Dataset {data.name!r} is a {data.alphabet.name}; tracks show DNA. Give a Bioseq of seqtype 'dna'."
        raise InputError(message)
    return np.asarray(Bioseq(data.name, data.genome)[chrom, start, end], dtype=float)[0, :, 0]


def _spread(data: Any, label: str, region: tuple[str, int, int]) -> np.ndarray:
    """Read values of k-mers, from those on that reach into the stretch, as values of bases."""
    chrom, start, end = region
    signal = read_signal(data, chrom, start, end)
    if signal.shape[1] != 1:
        message = f"Track {label!r} has {signal.shape[1]} strands; letters have one. Draw it as a LineTrack."
        raise InputError(message)
    order = kmer_length(signal.shape[2]) or 1
    before = min(order - 1, start)
    if before:
        signal = read_signal(data, chrom, start - before, end)
    return spread_kmers(signal[:, 0], end - start, before)
