"""How well a signal of counted reads could be predicted at all: its split-half reliability, and what follows from it.

What was counted is noisy: the same experiment with other reads would give other counts. Two halves of the reads, drawn
at random, are two such experiments of half the depth. What they share is what any model could predict.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.metrics import pearson_r
from helpers.study import run_seed

CEILING_COLUMNS = ("split", "output", "n", "halves_r", "reliability", "ceiling", "note")
SINGLE_BASES = ("five_prime", "midpoint")  # ways of counting by which an alignment counts once in a window at most
_LINEAR, _LOG = ("none", "tpm"), ("zscorelog",)  # normalizers; a z-score leaves correlations as they are
_THINNINGS = 100
_FEW_READS = 20  # a window, below which Spearman and Brown's formula is off by more than 0.011


class Reliability(NamedTuple):
    """How reliable a signal is.

    Attributes
    ----------
    halves_r : float
        Mean correlation of two halves of the reads; NaN when the signal is constant.
    reliability : float
        Share of the variance of the whole signal that other reads of the same experiment would show again.
    ceiling : float
        Correlation with the signal that a perfect prediction of its expectation reaches: the root of the reliability.
    """

    halves_r: float
    reliability: float
    ceiling: float


def split_half_reliability(
    counts: np.ndarray, *, log: bool, rng: np.random.Generator, n_splits: int = _THINNINGS
) -> Reliability:
    """Measure the reliability of counts in windows, from two halves of the reads of each.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (windows,)
        Reads of each window, each counted once.
    log : bool
        Whether the signal is ln(count + 1), or the count.
    rng : numpy.random.Generator
        Draws the halves: a read is in the first with probability 1/2, so that a window's first half is binomial.
    n_splits : int
        Number of times that reads are split; correlations are averaged over them.

    Returns
    -------
    Reliability
        Without reliability and ceiling (NaN) when halves do not correlate positively.

    Raises
    ------
    InputError
        When counts are negative or no whole numbers.

    Notes
    -----
    The noise is that of counting reads of one experiment. That of repeating the experiment is not in it, nor the
    dependence of reads on each other (duplicates, both mates of a fragment), so the true ceiling is lower. Windows that
    overlap are split apart from one another, which changes no correlation on average.

    Halves have half the depth. For counts the formula that corrects for it is exact when reads fall at random (a
    Poisson law); for their logarithm the noise of few reads does not fall in proportion to depth, and the ceiling comes
    out too high, by at most 0.05 for expectations that are log-normal over windows, and by at most 0.011 where their
    mean is 20 or more.

    References
    ----------
    Spearman (1910), Correlation calculated from faulty data, British Journal of Psychology 3, 271-295.
    https://doi.org/10.1111/j.2044-8295.1910.tb00206.x
    Brown (1910), Some experimental results in the correlation of mental abilities, British Journal of Psychology 3,
    296-322. https://doi.org/10.1111/j.2044-8295.1910.tb00207.x

    Examples
    --------
    >>> split_half_reliability(np.array([0, 0, 1000, 1000]), log=True, rng=np.random.default_rng(1)).ceiling > 0.999
    True
    """
    whole = np.asarray(counts).astype(np.int64)
    if (whole != counts).any() or (whole < 0).any():
        wrong = np.asarray(counts)[(whole != counts) | (whole < 0)][0]
        message = f"Reads can be split where counts are whole numbers, 0 or more, but one is {wrong}. Count alignments."
        raise InputError(message)
    correlations = [_halves_r(whole, rng.binomial(whole, 0.5), log=log) for _ in range(n_splits)]
    halves_r = float(np.mean(correlations))
    reliability = spearman_brown(halves_r)
    return Reliability(halves_r, reliability, float(np.sqrt(reliability)))


def spearman_brown(halves_r: float) -> float:
    """Give the reliability of a whole from the correlation of its halves; NaN unless that is positive.

    Examples
    --------
    >>> spearman_brown(0.5)
    0.6666666666666666
    """
    return 2 * halves_r / (1 + halves_r) if halves_r > 0 else float("nan")


def measure_ceilings(
    signals: Mapping[str, np.ndarray], *, types: Mapping[str, str], count: str, normalize: str, split: str, seed: int
) -> pd.DataFrame:
    """Measure the reliability of each output of a study.

    Parameters
    ----------
    signals : dict of str to numpy.ndarray, shape (windows,)
        Of each output: its signal in the windows of the split, as it was summed, not normalized.
    types : dict of str to str
        Of each output: the type of its track in the sheet; reads can be split of ``bam`` alone.
    count : str
        How alignments were counted: ``five_prime``, ``midpoint``, ``span`` or ``fragment``.
    normalize : str
        How the output is normalized.
    split : str
        Name of the split.
    seed : int

    Returns
    -------
    pandas.DataFrame
        `CEILING_COLUMNS`: n windows, `Reliability`, and a note that says why there is none, or what to beware of.
    """
    rows = []
    for output, signal in signals.items():
        found, note = Reliability(np.nan, np.nan, np.nan), _refusal(types[output], count, normalize)
        if not note:
            rng = np.random.default_rng(run_seed(seed, "ceiling", split, output))
            found = split_half_reliability(signal, log=normalize in _LOG, rng=rng)
            note = _remark(found, signal, normalize)
        rows.append({"split": split, "output": output, "n": len(signal), **found._asdict(), "note": note})
    return pd.DataFrame(rows, columns=list(CEILING_COLUMNS))


def _halves_r(counts: np.ndarray, half: np.ndarray, *, log: bool) -> float:
    halves = (half, counts - half)
    return pearson_r(*(map(np.log1p, halves) if log else halves))


def _refusal(kind: str, count: str, normalize: str) -> str:
    if kind != "bam":
        return f"a {kind} holds no reads to split"
    if count not in SINGLE_BASES:
        return f"count: {count} counts a read at several bases; use {' or '.join(SINGLE_BASES)}"
    if normalize not in (*_LINEAR, *_LOG):
        return f"normalize: {normalize} is neither a logarithm nor linear"
    return ""


def _remark(found: Reliability, signal: np.ndarray, normalize: str) -> str:
    if np.isnan(found.halves_r):
        return "too few reads: a half of them is constant"
    if np.isnan(found.ceiling):
        return "halves of the reads do not correlate"
    mean = float(np.mean(signal))
    if normalize in _LOG and mean < _FEW_READS:
        return f"few reads ({mean:.2g} a window): the ceiling may be too high, by up to 0.05"
    return ""
