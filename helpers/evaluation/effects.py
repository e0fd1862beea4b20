"""By how much two groups of runs differ in a metric, and how sure that is.

Two things are random: which stretches of the test chromosomes there are to be scored (the same for both groups, so
differences are paired), and where each training began. The interval adds the variances of both.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from helpers.errors import InputError
from helpers.evaluation.rank_test import mann_whitney

LEVEL = 0.95  # of the intervals


class Sampled(NamedTuple):
    """A metric of one run on all windows, and on each resample of their blocks.

    Attributes
    ----------
    value : float
    resamples : numpy.ndarray of float, shape (resamples,)
    n_blocks : int
        Number of blocks that were resampled.
    """

    value: float
    resamples: np.ndarray
    n_blocks: int


class Component(NamedTuple):
    """A variance of an estimate from one source, and the degrees of freedom it was itself estimated with."""

    variance: float
    freedom: int


Side = Mapping[str, Sequence[Sampled]]


def compare(a: Side, b: Side) -> dict[str, Any]:
    """Compare two variants by one metric.

    Parameters
    ----------
    a, b : dict of str to sequence of Sampled
        Replicates by fold; both over the same folds and resamples.

    Returns
    -------
    dict
        n : replicates of a in a fold (the smallest number), or the number of folds when there are several.
        delta : mean over replicates of a minus that of b; over several folds the mean of these differences.
        relative : delta / that of b.
        ci_low, ci_high : the 95 % interval of delta by `interval`, from the variance over resamples of blocks and the
        squared standard error of each side's replicates, or of the differences of folds; missing without resamples. A
        side with one replicate adds nothing, and the column `test` says so.
        test, p : exact two-sided Mann-Whitney test over replicates, with the smallest p that so many replicates can
        reach; over several folds the standard error of the mean difference, and no p, since folds share training data.

    Raises
    ------
    InputError
        When the folds of the two differ.
    """
    if not a or set(a) != set(b):
        message = f"Both sides need the same folds. Received: {sorted(a)} and {sorted(b)}. Finish the missing runs."
        raise InputError(message)
    levels = _levels(a), _levels(b)
    differences = levels[0] - levels[1]
    delta, reference = float(differences.mean()), float(levels[1].mean())
    several = len(differences) > 1
    outcome = _compare_folds(differences) if several else _compare_replicates(*a.values(), *b.values())
    blocks = _blocks_component(a, b)
    low, high = interval(delta, [blocks, *outcome.components]) if blocks else (np.nan, np.nan)
    return {
        "n": len(differences) if several else min(map(len, a.values())),
        "delta": delta,
        "relative": delta / reference if reference else np.nan,
        "ci_low": low,
        "ci_high": high,
        "test": outcome.test,
        "p": outcome.p,
    }


def interval(estimate: float, components: Sequence[Component], level: float = LEVEL) -> tuple[float, float]:
    """Give the interval of an estimate whose variance is the sum of independent, themselves estimated, variances.

    Parameters
    ----------
    estimate : float
    components : sequence of Component
    level : float
        Share of such intervals that shall cover the true value.

    Returns
    -------
    tuple of float
        Estimate minus and plus the quantile of Student's t times the standard error; the degrees of freedom are those
        of Satterthwaite. Without variance both ends are the estimate.

    References
    ----------
    Satterthwaite (1946), An approximate distribution of estimates of variance components, Biometrics Bulletin 2,
    110-114. https://doi.org/10.2307/3002019

    Examples
    --------
    >>> low, high = interval(1.0, [Component(0.01, 4)])  # a mean of 5 values with standard error 0.1
    >>> round(low, 3), round(high, 3)
    (0.722, 1.278)
    """
    varying = [component for component in components if component.variance > 0]
    if not varying:
        return estimate, estimate
    total = sum(component.variance for component in varying)
    freedom = total**2 / sum(component.variance**2 / component.freedom for component in varying)
    reach = float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(total))
    return estimate - reach, estimate + reach


class _Outcome(NamedTuple):
    test: str
    p: float
    components: list[Component]


def _compare_folds(differences: np.ndarray) -> _Outcome:
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    components = [Component(float(error**2), len(differences) - 1)]
    return _Outcome(f"folds: mean difference, SE {error:.3g}", float("nan"), components)


def _compare_replicates(a: Sequence[Sampled], b: Sequence[Sampled]) -> _Outcome:
    sides = {"a": np.array([run.value for run in a]), "b": np.array([run.value for run in b])}
    ranks = mann_whitney(*sides.values())
    test = f"mann-whitney exact{', ties' * ranks.ties} (smallest p {ranks.smallest_p:.2g})"
    components = []
    for name, values in sides.items():
        if len(values) > 1:
            components.append(Component(float(values.var(ddof=1) / len(values)), len(values) - 1))
        else:
            test += f"; {name} has one replicate, the interval leaves out how replicates of it vary"
    return _Outcome(test, ranks.p, components)


def _blocks_component(a: Side, b: Side) -> Component | None:
    """Variance of the difference over resamples of blocks; none without resamples on which it is defined."""
    spread = (_resampled_levels(a) - _resampled_levels(b)).mean(axis=0)
    spread = spread[~np.isnan(spread)]
    n_blocks = min(run.n_blocks for fold in a.values() for run in fold)
    return Component(float(spread.var(ddof=1)), max(n_blocks - 1, 1)) if len(spread) > 1 else None


def _levels(side: Side) -> np.ndarray:
    """Mean over replicates in each fold, shape (folds,)."""
    return np.array([np.mean([run.value for run in side[fold]]) for fold in sorted(side)])


def _resampled_levels(side: Side) -> np.ndarray:
    """Mean over replicates in each fold, shape (folds, resamples)."""
    return np.stack([np.mean([run.resamples for run in side[fold]], axis=0) for fold in sorted(side)])
