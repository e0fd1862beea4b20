"""The noise ceiling of counts, against exact sums over the Poisson law and against simulated experiments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.errors import InputError
from helpers.evaluation.reliability import (
    CEILING_COLUMNS,
    measure_ceilings,
    spearman_brown,
    split_half_reliability,
)

SETTINGS = {
    "types": {"a": "bam", "cage": "bam", "other": "bam"},
    "count": "five_prime",
    "normalize": "zscorelog",
    "split": "test",
    "seed": 3,
}


def lognormal(mean, spread, n):
    """Expectations of windows: quantiles of a log-normal law."""
    return mean * np.exp(spread * stats.norm.ppf((np.arange(n) + 0.5) / n) - spread**2 / 2)


def moments(expectations, log):
    """Mean and variance of ln(count + 1), or of the count, for each expectation: sums over the Poisson law."""
    means, variances = np.empty((2, len(expectations)))
    for i, expectation in enumerate(expectations):
        reach = 12 * np.sqrt(expectation) + 40
        counts = np.arange(max(0, int(expectation - reach)), int(expectation + reach))
        values, weights = np.log1p(counts) if log else counts, stats.poisson.pmf(counts, expectation)
        means[i] = weights @ values
        variances[i] = weights @ values**2 - means[i] ** 2
    return means, variances


def shared(expectations, log):
    """Share of the variance of counts with these expectations that other counts would show again."""
    means, variances = moments(expectations, log)
    return means.var() / (means.var() + variances.mean())


@pytest.mark.parametrize("mean", [0.3, 2, 20, 100])
@pytest.mark.parametrize("spread", [0.5, 1.5])
def test_formula_is_exact_for_counts_and_nearly_so_for_their_logarithm(mean, spread):
    """What `split_half_reliability` says of its error: halves of a Poisson count are Poisson with half its mean."""
    whole = lognormal(mean, spread, 300)
    counts = spearman_brown(shared(whole / 2, log=False))
    assert counts == pytest.approx(shared(whole, log=False), abs=1e-6)
    logs = np.sqrt(spearman_brown(shared(whole / 2, log=True)))
    error = logs - np.sqrt(shared(whole, log=True))
    assert -0.001 < error < (0.011 if mean >= 20 else 0.05)


def sampling_error(r, values):
    """Standard error of a correlation r between n values as long-tailed as these (Muirhead 1982, elliptical laws)."""
    return (1 - r**2) * np.sqrt((1 + max(stats.kurtosis(values), 0) / 3) / len(values))


@pytest.mark.parametrize(
    ("mean", "spread", "log"), [(50, 1, True), (3, 1, True), (1, 1, True), (3, 0.5, False), (50, 0.5, False)]
)
def test_ceiling_of_a_simulated_experiment(mean, spread, log):
    """A perfect model predicts the expectation of each window; its correlation with what was counted is the ceiling.

    Tolerance: 4 standard errors of that correlation and 4 of the ceiling, which hangs on the correlation of halves. The
    error of the formula for logarithms is computed exactly, and taken off.
    """
    distinct = lognormal(mean, spread, 500)
    expectations, perfect = (np.repeat(values, 20) for values in (distinct, moments(distinct, log)[0]))
    counts = np.random.default_rng(1).poisson(expectations)
    reached = np.corrcoef(perfect, np.log1p(counts) if log else counts)[0, 1]
    found = split_half_reliability(counts, log=log, rng=np.random.default_rng(2))
    halves_r, whole = shared(distinct / 2, log), np.sqrt(shared(distinct, log))
    expected = np.sqrt(spearman_brown(halves_r))
    slope = 1 / (expected * (1 + halves_r) ** 2)  # of the ceiling by the correlation of halves
    tolerance = 4 * (sampling_error(whole, perfect) + slope * sampling_error(halves_r, perfect))
    assert found.ceiling - (expected - whole) == pytest.approx(reached, abs=tolerance)
    assert tolerance < 0.1  # or the test could not fail
    if log:  # the logarithm of the expectation predicts as well as the expectation of the logarithm
        logs = np.corrcoef(np.log1p(expectations), np.log1p(counts))[0, 1]
        assert found.ceiling - (expected - whole) == pytest.approx(logs, abs=tolerance + 0.002)


def test_halves_are_what_a_loop_over_reads_makes():
    """Each read goes to one half by a coin; the mean correlation is the same within its standard error."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(lognormal(8, 1.0, 150))
    slow = []
    for _ in range(100):
        first = np.array([sum(rng.random() < 0.5 for _ in range(count)) for count in counts])
        slow.append(stats.pearsonr(np.log1p(first), np.log1p(counts - first)).statistic)
    found = split_half_reliability(counts, log=True, rng=np.random.default_rng(6))
    assert found.halves_r == pytest.approx(np.mean(slow), abs=4 * np.std(slow) * np.sqrt(2 / 100))
    assert found.reliability == pytest.approx(2 * found.halves_r / (1 + found.halves_r))
    assert found.ceiling == pytest.approx(np.sqrt(found.reliability))


@given(st.floats(0.001, 0.999))
def test_spearman_brown_undoes_its_own_halving(reliability):
    assert spearman_brown(reliability / (2 - reliability)) == pytest.approx(reliability)


def test_same_seed_same_ceiling_whatever_the_other_outputs():
    rng = np.random.default_rng(0)
    one, other = rng.poisson(lognormal(30, 1, 200)), rng.poisson(lognormal(30, 1, 200))
    alone = measure_ceilings({"cage": one}, **SETTINGS)
    both = measure_ceilings({"other": other, "cage": one}, **SETTINGS)
    assert both.iloc[1].to_dict() == alone.iloc[0].to_dict()
    assert both.loc[0, "ceiling"] != alone.loc[0, "ceiling"]
    again = measure_ceilings({"cage": one}, **{**SETTINGS, "seed": 4})
    assert again.loc[0, "halves_r"] != alone.loc[0, "halves_r"]
    assert again.loc[0, "halves_r"] == pytest.approx(alone.loc[0, "halves_r"], abs=0.02)


def test_table_of_ceilings():
    counts = np.random.default_rng(0).poisson(lognormal(30, 1, 200)).astype(float)
    table = measure_ceilings({"cage": counts}, **SETTINGS)
    assert tuple(table.columns) == CEILING_COLUMNS
    row = table.iloc[0]
    assert (row.split, row.output, row.n, row.note) == ("test", "cage", 200, "")
    assert 0 < row.halves_r < row.reliability < row.ceiling < 1


def test_logarithm_is_taken_as_the_output_is_normalized():
    counts = np.random.default_rng(0).poisson(lognormal(30, 1.5, 200))
    linear = [measure_ceilings({"a": counts}, **{**SETTINGS, "normalize": name}) for name in ("none", "tpm")]
    assert linear[0].loc[0, "ceiling"] == linear[1].loc[0, "ceiling"]
    assert linear[0].loc[0, "ceiling"] != measure_ceilings({"a": counts}, **SETTINGS).loc[0, "ceiling"]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"types": {"a": "bigWig"}}, "a bigWig holds no reads to split"),
        ({"count": "span"}, "count: span counts a read at several bases; use five_prime or midpoint"),
        ({"count": "fragment"}, "count: fragment counts a read at several bases; use five_prime or midpoint"),
        ({"normalize": "perctrim"}, "normalize: perctrim is neither a logarithm nor linear"),
    ],
)
def test_what_cannot_be_split_has_a_reason(change, note):
    row = measure_ceilings({"a": np.array([0.5, 1.5])}, **{**SETTINGS, **change}).iloc[0]
    assert (row.n, row.note) == (2, note)
    assert np.isnan([row.halves_r, row.reliability, row.ceiling]).all()


def test_few_reads_are_said():
    counts = np.random.default_rng(0).poisson(lognormal(2, 1, 500))
    note = measure_ceilings({"a": counts}, **SETTINGS).loc[0, "note"]
    assert note == f"few reads ({counts.mean():.2g} a window): the ceiling may be too high, by up to 0.05"
    assert measure_ceilings({"a": counts}, **{**SETTINGS, "normalize": "none"}).loc[0, "note"] == ""


@pytest.mark.parametrize("counts", [np.zeros(50), np.r_[np.ones(1), np.zeros(49)], np.zeros(0)])
def test_too_few_reads(counts):
    row = measure_ceilings({"a": counts}, **SETTINGS).iloc[0]
    assert row.note == "too few reads: a half of them is constant"
    assert np.isnan(row.ceiling)


def test_counts_that_do_not_vary_beyond_noise_have_no_ceiling():
    """Every window has the same 1000 reads: what one half has more the other has less."""
    row = measure_ceilings({"a": np.full(100, 1000)}, **SETTINGS).iloc[0]
    assert row.halves_r < -0.99
    assert row.note == "halves of the reads do not correlate"
    assert np.isnan([row.reliability, row.ceiling]).all()


@pytest.mark.parametrize("wrong", [-1, 0.5])
def test_values_that_are_no_counts(wrong):
    with pytest.raises(InputError, match=f"whole numbers, 0 or more, but one is {wrong}"):
        measure_ceilings({"a": np.array([1, wrong, 2])}, **SETTINGS)
