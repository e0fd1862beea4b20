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
_ONE_BLOCK = "; no interval: all windows lie in one block, choose a smaller block_size"


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
        relative : delta / that of b; missing where b is not above 0, as a correlation can be.
        ci_low, ci_high : the 95 % interval of delta by `interval`, from the variance over resamples of blocks and the
        squared standard error of each side's replicates, or of the differences of folds; missing without resamples,
        and where all windows lie in one block, which the column `test` says. A side with one replicate adds nothing,
        and the column `test` says so.
        test, p : exact two-sided Mann-Whitney test over replicates, with the smallest p that so many replicates can
        reach; over several folds the standard error of the mean difference, and no p, since folds share training data.
        A fold in which the metric of a run is undefined is left out; `n` does not count it, and `test` says so.

    Raises
    ------
    InputError
        When the folds of the two differ.
    """
    if not a or set(a) != set(b):
        message = f"Both sides need the same folds. Received: {sorted(a)} and {sorted(b)}. Finish the missing runs."
        raise InputError(message)
    n_folds = len(a)
    if n_folds > 1:
        a, b = _defined_folds(a, b)
        if not a:
            return row_of(n=0, test=f"folds: undefined in all {n_folds}")
    levels = _levels(a), _levels(b)
    differences = levels[0] - levels[1]
    outcome = _compare_folds(differences, n_folds) if n_folds > 1 else _compare_replicates(*a.values(), *b.values())
    delta = float(differences.mean())
    blocks = _blocks_component(a, b)
    return row_of(
        n=len(differences) if n_folds > 1 else min(map(len, a.values())),
        delta=delta,
        reference=float(levels[1].mean()),
        ends=interval(delta, [blocks, *outcome.components]) if blocks else (np.nan, np.nan),
        test=outcome.test + (_ONE_BLOCK if _n_blocks(a) == 1 else ""),
        p=outcome.p,
    )


def row_of(
    *,
    n: int,
    test: str,
    delta: float = np.nan,
    reference: float = np.nan,
    ends: tuple[float, float] = (np.nan, np.nan),
    p: float = np.nan,
) -> dict[str, Any]:
    """Name the outcome of a comparison as comparisons.tsv does; ``relative`` is delta / reference if above 0."""
    relative = delta / reference if reference > 0 else np.nan
    return {"n": n, "delta": delta, "relative": relative, "ci_low": ends[0], "ci_high": ends[1], "test": test, "p": p}


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


def _defined_folds(a: Side, b: Side) -> tuple[Side, Side]:
    """Keep the folds in which all runs of both sides have a value."""
    kept = [fold for fold in a if not np.isnan([run.value for run in (*a[fold], *b[fold])]).any()]
    return {fold: a[fold] for fold in kept}, {fold: b[fold] for fold in kept}


def _compare_folds(differences: np.ndarray, n_folds: int) -> _Outcome:
    test, components = "folds: mean difference, no SE from one fold", []
    if len(differences) > 1:
        error = differences.std(ddof=1) / np.sqrt(len(differences))
        test = f"folds: mean difference, SE {error:.3g}"
        components = [Component(float(error**2), len(differences) - 1)]
    if len(differences) < n_folds:
        test += f"; undefined in {n_folds - len(differences)} of {n_folds} folds"
    return _Outcome(test, float("nan"), components)


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
    """Variance of the difference over resamples of blocks; none of one block, nor where no resample defines it."""
    spread = (_resampled_levels(a) - _resampled_levels(b)).mean(axis=0)
    spread = spread[~np.isnan(spread)]
    n_blocks = _n_blocks(a)
    return Component(float(spread.var(ddof=1)), n_blocks - 1) if len(spread) > 1 and n_blocks > 1 else None


def _n_blocks(side: Side) -> int:
    return min(run.n_blocks for fold in side.values() for run in fold)


def _levels(side: Side) -> np.ndarray:
    """Mean over replicates in each fold, shape (folds,)."""
    return np.array([np.mean([run.value for run in side[fold]]) for fold in sorted(side)])


def _resampled_levels(side: Side) -> np.ndarray:
    """Mean over replicates in each fold, shape (folds, resamples)."""
    return np.stack([np.mean([run.resamples for run in side[fold]], axis=0) for fold in sorted(side)])
