"""Differences between groups of runs: the value, its interval and its test, against scipy and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.errors import InputError
from helpers.evaluation.effects import Component, Sampled, compare, interval


def replicates(values, resamples, n_blocks=20):
    return [Sampled(value, np.asarray(row, float), n_blocks) for value, row in zip(values, resamples, strict=True)]


def fixed(values):
    """Replicates that the choice of blocks does not change."""
    return {"all": replicates(values, np.repeat(np.array(values)[:, None], 50, axis=1))}


def ends(row):
    return row["ci_low"], row["ci_high"]


def test_difference_of_means_and_its_test():
    row = compare(fixed([0.7, 0.8, 0.9]), fixed([0.5, 0.4, 0.6, 0.55, 0.45]))
    assert (row["n"], row["delta"], row["relative"]) == (3, pytest.approx(0.3), pytest.approx(0.6))
    assert row["p"] == pytest.approx(2 / 56)
    assert row["test"] == "mann-whitney exact (smallest p 0.036)"


def test_where_only_replicates_vary_the_interval_is_welchs():
    a, b = [0.7, 0.8, 0.95], [0.5, 0.4, 0.6, 0.55, 0.45]
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert ends(compare(fixed(a), fixed(b))) == pytest.approx(tuple(expected))


def test_where_only_blocks_vary_the_interval_is_students():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.1, 500), rng.normal(0.5, 0.1, 500)
    row = compare({"all": replicates([0.8] * 3, [a] * 3)}, {"all": replicates([0.5] * 2, [b] * 2)})
    expected = stats.t.interval(0.95, 19, loc=0.3, scale=np.std(a - b, ddof=1))
    assert ends(row) == pytest.approx(expected)


def test_where_only_folds_vary_the_interval_is_that_of_pairs():
    a, b = {"chr1": 0.5, "chr2": 0.7, "chr10": 0.9}, {"chr10": 0.7, "chr2": 0.4, "chr1": 0.4}
    sides = [{fold: fixed([value])["all"] for fold, value in side.items()} for side in (a, b)]
    expected = stats.ttest_rel([a[fold] for fold in a], [b[fold] for fold in a])
    row = compare(*sides)
    assert ends(row) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert row["delta"] == pytest.approx(0.2)
    assert row["relative"] == pytest.approx(0.4)
    assert row["test"] == f"folds: mean difference, SE {stats.sem([0.1, 0.3, 0.2]):.3g}"
    assert np.isnan(row["p"])
    assert row["n"] == 3


def test_variances_of_blocks_and_replicates_add_up():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.8, 0.1, (3, 500)), rng.normal(0.5, 0.1, (4, 500))
    values = [0.7, 0.8, 0.9], [0.5, 0.4, 0.6, 0.5]
    row = compare({"all": replicates(values[0], a)}, {"all": replicates(values[1], b)})
    parts = [(np.var(a.mean(axis=0) - b.mean(axis=0), ddof=1), 19)]
    parts += [(stats.sem(group) ** 2, len(group) - 1) for group in values]
    total = sum(variance for variance, _ in parts)
    freedom = total**2 / sum(variance**2 / df for variance, df in parts)
    assert ends(row) == pytest.approx(stats.t.interval(0.95, freedom, loc=0.3, scale=np.sqrt(total)))


def test_three_against_three_says_the_smallest_p_and_has_no_interval_without_resamples():
    side = {"all": replicates([1, 2, 3], np.zeros((3, 0)))}
    row = compare(side, {"all": replicates([4, 5, 6], np.zeros((3, 0)))})
    assert (row["test"], row["p"]) == ("mann-whitney exact (smallest p 0.1)", 0.1)
    assert np.isnan(ends(row)).all()
    tied = compare(side, {"all": replicates([1, 1, 1], np.zeros((3, 0)))})
    assert tied["test"].startswith("mann-whitney exact, ties (smallest p")


def test_one_replicate_is_said_to_be_taken_as_it_is():
    row = compare(fixed([0.7, 0.8, 0.9]), fixed([0.5]))
    assert row["test"].endswith("; b has one replicate, the interval leaves out how replicates of it vary")
    assert ends(row) == pytest.approx(stats.t.interval(0.95, 2, loc=0.3, scale=stats.sem([0.7, 0.8, 0.9])))


def test_undefined_resamples_are_left_out_of_the_interval():
    a = {"all": replicates([1.0], [[1.0, np.nan, 3.0]])}
    b = {"all": replicates([0.0], [[0.0, 0.0, 0.0]])}
    row = compare(a, b)
    assert ends(row) == pytest.approx(stats.t.interval(0.95, 19, loc=1, scale=np.sqrt(2)))
    assert np.isnan(row["relative"])


def test_a_gain_over_a_negative_correlation_is_no_loss():
    row = compare(fixed([0.2, 0.4]), fixed([-0.1, -0.3]))
    assert row["delta"] == pytest.approx(0.5)
    assert np.isnan(row["relative"])


def test_equal_sides_that_never_vary_differ_by_nothing():
    row = compare(fixed([0.5, 0.5, 0.5]), fixed([0.5, 0.5, 0.5]))
    assert (row["delta"], *ends(row), row["p"]) == (0, 0, 0, 1)


@pytest.mark.parametrize("lost", [(np.nan, 0.4), (0.9, np.nan), (np.nan, np.nan)])
def test_folds_without_a_value_are_left_out_and_counted(lost):
    a, b = {"chr1": 0.5, "chr2": 0.7, "chr10": lost[0]}, {"chr1": 0.4, "chr2": 0.4, "chr10": lost[1]}
    row = compare(*({fold: fixed([value])["all"] for fold, value in side.items()} for side in (a, b)))
    kept = [{fold: fixed([side[fold]])["all"] for fold in ("chr1", "chr2")} for side in (a, b)]
    expected = compare(*kept)
    assert row["test"] == f"folds: mean difference, SE {0.1:.3g}; undefined in 1 of 3 folds"
    assert {key: row[key] for key in ("n", "delta", "relative", "ci_low", "ci_high")} == {
        key: expected[key] for key in ("n", "delta", "relative", "ci_low", "ci_high")
    }
    assert row["n"] == 2


def test_one_fold_with_a_value_has_no_standard_error():
    sides = [{"chr1": fixed([value])["all"], "chr2": fixed([np.nan])["all"]} for value in (0.5, 0.4)]
    row = compare(*sides)
    assert (row["n"], row["delta"]) == (1, pytest.approx(0.1))
    assert row["test"] == "folds: mean difference, no SE from one fold; undefined in 1 of 2 folds"


def test_without_any_value_nothing_is_known():
    nothing = {fold: fixed([np.nan])["all"] for fold in ("chr1", "chr2")}
    row = compare(nothing, nothing)
    assert (row["n"], row["test"]) == (0, "folds: undefined in all 2")
    assert np.isnan([row[key] for key in ("delta", "relative", "ci_low", "ci_high", "p")]).all()
    row = compare(fixed([np.nan, np.nan]), fixed([0.5, 0.4]))
    assert np.isnan([row[key] for key in ("delta", "relative", "ci_low", "ci_high", "p")]).all()


@pytest.mark.parametrize("other", [{}, {"chr3": replicates([1.0], [[1.0]])}])
def test_folds_must_be_the_same(other):
    with pytest.raises(InputError, match="same folds"):
        compare({"chr2": replicates([1.0], [[1.0]])}, other)


@pytest.mark.parametrize(("spread_a", "spread_b", "spread_blocks"), [(1, 1, 0.1), (3, 0.1, 0.5), (0.1, 0.1, 1)])
def test_intervals_of_three_replicates_cover_the_truth(spread_a, spread_b, spread_blocks):
    """Draw replicates and blocks around a known difference many times: 95 % of the intervals hold it, or more."""
    rng, trials, n, blocks, covered = np.random.default_rng(5), 1500, 3, 30, 0
    for _ in range(trials):
        effects = rng.normal(0, spread_blocks, blocks)  # of the difference, common to all replicates
        values = rng.normal(1, spread_a, n) + effects.mean(), rng.normal(0, spread_b, n)
        drawn = effects[rng.integers(0, blocks, (200, blocks))].mean(axis=1) - effects.mean()
        row = compare(
            {"all": replicates(values[0], values[0][:, None] + drawn, blocks)},
            {"all": replicates(values[1], np.repeat(values[1][:, None], 200, axis=1), blocks)},
        )
        covered += row["ci_low"] <= 1 <= row["ci_high"]
    assert stats.binomtest(covered, trials, 0.95).pvalue > 0.001 or covered > 0.95 * trials


@given(st.lists(st.tuples(st.floats(1e-6, 10), st.integers(1, 50)), min_size=1, max_size=4), st.floats(-5, 5))
def test_intervals_grow_with_each_source_and_lie_around_the_estimate(parts, estimate):
    components = [Component(*part) for part in parts]
    low, high = interval(estimate, components)
    assert low < estimate < high
    assert estimate - low == pytest.approx(high - estimate)
    assert interval(estimate, [*components, Component(0.0, 1)]) == (low, high)
    wider = interval(estimate, [Component(4 * c.variance, c.freedom) for c in components])
    assert wider[1] - wider[0] == pytest.approx(2 * (high - low))
