"""How uncertain a metric is because the test windows are a sample: a bootstrap over blocks of the chromosome.

Neighbouring windows are alike, so whole blocks are resampled, not windows. The draws depend on the windows and the seed
alone: all models that are scored on the same windows see the same resamples, and differences between them are paired.
"""

import hashlib
import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.metrics import RANKING_METRICS, as_labels, check_metrics
from helpers.evaluation.ranking import rank_windows, resampled

logger = logging.getLogger(__name__)

FEW_BLOCKS = 10


@dataclass(frozen=True)
class BlockResamples:
    """Which block each window is in, and how often each block was drawn.

    Attributes
    ----------
    blocks : numpy.ndarray of int, shape (windows,)
        Block of each window, from 0.
    counts : numpy.ndarray of int, shape (resamples, blocks)
        Number of times that each block was drawn; each row sums to the number of blocks.
    """

    blocks: np.ndarray
    counts: np.ndarray


def resample_blocks(regions: pd.DataFrame, *, block_size: int, n_resamples: int, seed: int) -> BlockResamples:
    """Group windows in blocks of a chromosome and draw as many blocks as there are, with replacement, many times.

    Parameters
    ----------
    regions : pandas.DataFrame
        Windows: chrom, start (0-based). A window belongs to the block that holds its start; blocks without windows
        do not exist.
    block_size : int
        Length of a block in bp.
    n_resamples : int
        Number of resamples; 0 gives none.
    seed : int
        The same seed and windows give the same draws; other windows give independent ones.
    """
    blocks, n_blocks = assign_blocks(regions, block_size)
    if 0 < n_blocks < FEW_BLOCKS and n_resamples:
        logger.warning(
            "only %d blocks of %d bp hold windows: intervals will be too narrow, choose a smaller block size",
            n_blocks,
            block_size,
        )
    if not n_blocks:
        return BlockResamples(blocks, np.zeros((n_resamples, 0), dtype=np.int64))
    rng = np.random.default_rng([seed, fingerprint_windows(regions)])
    return BlockResamples(blocks, rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=n_resamples))


def assign_blocks(regions: pd.DataFrame, block_size: int) -> tuple[np.ndarray, int]:
    """Give each window the number of its block, from 0, and count the blocks that hold windows.

    Examples
    --------
    >>> windows = pd.DataFrame({"chrom": ["chr1", "chr1", "chr2"], "start": [900, 1000, 900]})
    >>> assign_blocks(windows, 1000)
    (array([0, 1, 2]), 3)
    """
    if block_size < 1:
        message = f"block_size must be at least 1 bp. Received: {block_size}."
        raise InputError(message)
    blocks = regions.groupby([regions["chrom"], regions["start"] // block_size], sort=True).ngroup().to_numpy()
    return blocks, int(blocks.max()) + 1 if len(blocks) else 0


def fingerprint_windows(regions: pd.DataFrame) -> int:
    """Give a number that two tables of windows share only when chrom, start, end, strand and order are the same."""
    kinds = {"chrom": "str", "start": np.int64, "end": np.int64, "strand": "str"}
    hashes = pd.util.hash_pandas_object(regions[list(kinds)].astype(kinds), index=False).to_numpy()
    return int.from_bytes(hashlib.sha256(hashes.tobytes()).digest()[:8], "big")


def bootstrap_metric(
    metric: str, target: np.ndarray, prediction: np.ndarray, *, blocks: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Compute a metric on each resample of blocks of windows.

    A window counts as often as its block was drawn; the result equals that of the metric on physically repeated
    windows, ties included.

    Parameters
    ----------
    metric : str
        Name in `helpers.evaluation.metrics.METRICS`.
    target, prediction : numpy.ndarray, shape (windows,)
        Of one output.
    blocks : numpy.ndarray of int, shape (windows,)
        Block of each window, from 0.
    counts : numpy.ndarray of int, shape (resamples, blocks)
        Number of times that each block was drawn.

    Returns
    -------
    numpy.ndarray of float, shape (resamples,)
        NaN for a resample on which the metric is undefined.

    Raises
    ------
    InputError
        For an unknown metric, or targets that are no labels where the metric needs labels.
    """
    check_metrics([metric])
    if not len(counts) or not len(blocks):
        return np.full(len(counts), np.nan)
    if metric in RANKING_METRICS:
        ranking = rank_windows(as_labels(target), prediction)
        return resampled(RANKING_METRICS[metric], ranking, blocks=blocks, counts=counts)
    x, y = (np.asarray(values, dtype=np.float64) for values in (target, prediction))
    moments = _MOMENTS[metric](x, y)
    sums = np.stack([np.bincount(blocks, weights=moment, minlength=counts.shape[1]) for moment in moments])
    return _FROM_SUMS[metric](counts @ sums.T)


def _error_moments(power: int):
    return lambda x, y: (np.ones_like(x), np.abs(y - x) ** power)


def _correlation_moments(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    x, y = x - x.mean(), y - y.mean()
    return np.ones_like(x), x, y, x * x, y * y, x * y


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[:, 1] / sums[:, 0]


def _correlation(sums: np.ndarray) -> np.ndarray:
    n, x, y, xx, yy, xy = sums.T
    vary_x, vary_y = xx - x * x / n, yy - y * y / n
    constant = (vary_x <= 1e-12 * xx) | (vary_y <= 1e-12 * yy)  # but for rounding
    scale = np.sqrt(np.where(constant, 1.0, vary_x * vary_y))
    r = np.where(constant, np.nan, (xy - x * y / n) / scale)
    return np.clip(r, -1.0, 1.0)


_MOMENTS = {"mae": _error_moments(1), "mse": _error_moments(2), "pearson_r": _correlation_moments}
_FROM_SUMS = {"mae": _mean, "mse": _mean, "pearson_r": _correlation}
