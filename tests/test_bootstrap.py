import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from helpers.errors import InputError
from helpers.evaluation.bootstrap import assign_blocks, bootstrap_metric, fingerprint_windows, resample_blocks
from helpers.evaluation.metrics import METRICS
from helpers.evaluation.rank_test import MOST_EXACT, mann_whitney, signed_rank


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def windows(n, chrom="chr3", size=200):
    starts = np.arange(n) * size
    return pd.DataFrame({"chrom": chrom, "start": starts, "end": starts + size, "strand": "."})


def test_blocks_follow_chrom_and_start():
    regions = pd.concat([windows(10), windows(5, "chr2")], ignore_index=True).sample(frac=1, random_state=0)
    blocks, n_blocks = assign_blocks(regions, 500)
    assert n_blocks == len(set(blocks)) == 4 + 2
    keys = regions["chrom"] + ":" + (regions["start"] // 500).astype(str)
    assert pd.Series(blocks).groupby(keys.to_numpy()).nunique().eq(1).all()


def test_block_size_must_be_positive():
    with pytest.raises(InputError, match="block_size must be at least 1 bp. Received: 0"):
        assign_blocks(windows(3), 0)


def test_draws_are_the_same_for_the_same_windows_and_seed():
    settings = {"block_size": 1000, "n_resamples": 50, "seed": 3}
    one, again = (resample_blocks(windows(100), **settings) for _ in range(2))
    np.testing.assert_array_equal(one.counts, again.counts)
    assert (one.counts.sum(axis=1) == 20).all()
    other_seed = resample_blocks(windows(100), **{**settings, "seed": 4})
    elsewhere = resample_blocks(windows(100, "chr2"), **settings)
    assert (one.counts != other_seed.counts).any()
    assert (one.counts != elsewhere.counts).any()


def test_fingerprint_sees_order_place_and_strand():
    regions = windows(5)
    changed = [regions.iloc[::-1], regions.assign(strand="-"), regions.assign(end=regions["end"] + 1)]
    assert len({fingerprint_windows(table) for table in [regions, *changed]}) == 4
    assert fingerprint_windows(regions.set_index(pd.Index(range(5, 10)))) == fingerprint_windows(regions)


def test_few_blocks_are_said(caplog):
    resample_blocks(windows(10), block_size=1000, n_resamples=5, seed=0)
    assert "only 2 blocks of 1000 bp" in caplog.text


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("levels", [3, 10**6])
def test_every_resample_equals_the_metric_on_repeated_windows(rng, metric, levels):
    n = 150
    target = (rng.random(n) < 0.2).astype(np.float32)
    prediction = ((rng.integers(0, levels, n) + levels * 0.3 * target) / levels).astype(np.float32)
    blocks = rng.integers(0, 12, n)
    counts = rng.multinomial(12, np.full(12, 1 / 12), size=40)
    values = bootstrap_metric(metric, target, prediction, blocks=blocks, counts=counts)
    for value, drawn in zip(values, counts, strict=True):
        rows = np.repeat(np.arange(n), drawn[blocks])
        assert value == pytest.approx(METRICS[metric](target[rows], prediction[rows]), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("metric", "weighted"), [("auprc", oracle.average_precision_score), ("auroc", oracle.roc_auc_score)]
)
def test_weights_as_sklearn_understands_them(rng, metric, weighted):
    target, prediction = rng.random(300) < 0.3, rng.integers(0, 40, 300).astype(float)
    blocks = np.arange(300) // 10
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=20)
    values = bootstrap_metric(metric, target, prediction, blocks=blocks, counts=counts)
    expected = [weighted(target, prediction, sample_weight=drawn[blocks]) for drawn in counts]
    np.testing.assert_allclose(values, expected, atol=1e-12)


@pytest.mark.parametrize("metric", ["auprc", "auroc"])
def test_resample_without_a_positive_is_undefined(metric):
    target, blocks = np.array([1, 0, 0, 0]), np.array([0, 0, 1, 1])
    counts = np.array([[2, 0], [0, 2], [1, 1]])
    values = bootstrap_metric(metric, target, np.arange(4.0), blocks=blocks, counts=counts)
    assert np.isnan(values).tolist() == [False, True, False]


def test_constant_resample_has_no_correlation():
    target, prediction = np.array([0.1, 0.1, 0.3, 0.7]), np.array([0.3, 0.9, 0.2, 0.1])
    blocks, counts = np.array([0, 0, 1, 1]), np.array([[2, 0], [1, 1]])
    values = bootstrap_metric("pearson_r", target, prediction, blocks=blocks, counts=counts)
    assert np.isnan(values).tolist() == [True, False]


@pytest.mark.parametrize("metric", METRICS)
def test_no_resamples_or_no_windows(metric):
    none = bootstrap_metric(
        metric, np.array([0, 1]), np.zeros(2), blocks=np.array([0, 1]), counts=np.zeros((0, 2), int)
    )
    assert none.shape == (0,)
    drawn = resample_blocks(windows(0), block_size=1000, n_resamples=4, seed=0)
    empty = bootstrap_metric(metric, np.zeros(0), np.zeros(0), blocks=drawn.blocks, counts=drawn.counts)
    assert np.isnan(empty).all()
    assert empty.shape == (4,)


def test_unknown_metric():
    with pytest.raises(InputError, match="Unknown metric 'f1'"):
        bootstrap_metric("f1", np.zeros(2), np.zeros(2), blocks=np.zeros(2, int), counts=np.ones((1, 1), int))


def test_interval_covers_the_truth_of_dependent_windows(rng):
    """Windows that repeat their neighbours: blocks give the right width, single windows one that is too narrow."""
    covered = []
    for seed in range(60):
        signal = np.repeat(rng.normal(size=50), 20)
        drawn = resample_blocks(windows(1000), block_size=4000, n_resamples=200, seed=seed)
        values = bootstrap_metric("mse", np.zeros(1000), signal, blocks=drawn.blocks, counts=drawn.counts)
        low, high = np.percentile(values, [2.5, 97.5])
        covered.append(low < 1 < high)
    assert np.mean(covered) > 0.8


def test_resamples_of_many_windows_lie_around_the_metric(rng):
    target = rng.random(100_000) < 0.02
    prediction = rng.random(100_000) + target
    drawn = resample_blocks(windows(100_000), block_size=100_000, n_resamples=1000, seed=0)
    values = bootstrap_metric("auprc", target, prediction, blocks=drawn.blocks, counts=drawn.counts)
    assert values.mean() == pytest.approx(oracle.average_precision_score(target, prediction), abs=3 * values.std())
    assert values.std() < 0.05


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (5, 5), (3, 7)])
def test_rank_test_equals_scipy_exact_without_ties(rng, n, m):
    for _ in range(10):
        a, b = rng.normal(size=n) + 1, rng.normal(size=m)
        expected = stats.mannwhitneyu(a, b, method="exact").pvalue
        assert mann_whitney(a, b).p == pytest.approx(expected, abs=1e-12)


def test_rank_test_with_ties_equals_all_permutations(rng):
    for _ in range(10):
        a, b = rng.integers(0, 3, 4).astype(float), rng.integers(0, 3, 5).astype(float)
        outcome = mann_whitney(a, b)
        ranks = stats.rankdata(np.concatenate([a, b]))
        expected = stats.permutation_test(
            (ranks[:4], ranks[4:]),
            lambda x, y: abs(x.sum() - 4 * 5),
            n_resamples=np.inf,
            alternative="greater",
        ).pvalue
        assert outcome.ties
        assert outcome.p == pytest.approx(expected, abs=1e-12)


def test_smallest_p_is_what_full_separation_reaches():
    assert mann_whitney(np.array([3.0, 4, 5]), np.array([0.0, 1, 2])) == (0.1, 0.1, False)
    assert mann_whitney(np.array([1.0, 1, 1]), np.array([1.0, 1, 1])) == (1.0, 1.0, True)
    assert mann_whitney(np.arange(5.0), np.arange(5.0) + 10).p == pytest.approx(2 / 252)


def test_rank_test_leaves_out_missing_values():
    assert mann_whitney(np.array([3.0, 4, 5, np.nan]), np.array([0.0, 1, 2])).p == 0.1
    assert np.isnan(mann_whitney(np.array([np.nan]), np.array([1.0])).p)


@pytest.mark.parametrize("n", [1, 2, 5, 12, MOST_EXACT])
def test_signed_rank_equals_scipy_exact_without_ties(rng, n):
    for _ in range(10):
        differences = rng.normal(0.3, 1, n)
        found = signed_rank(differences)
        assert found.p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue, rel=1e-9)
        assert found.smallest_p == pytest.approx(stats.wilcoxon(np.arange(1.0, n + 1), method="exact").pvalue)
        assert not found.ties


def test_signed_rank_of_many_equals_scipy_with_and_without_ties(rng):
    for decimals in (8, 1):
        differences = rng.normal(0.1, 1, 3 * MOST_EXACT).round(decimals)
        found = signed_rank(differences)
        assert found.p == pytest.approx(stats.wilcoxon(differences, method="asymptotic").pvalue, rel=1e-9)
        assert np.isnan(found.smallest_p)
        assert found.ties == (decimals == 1)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_signed_rank_with_ties_equals_all_ways_to_give_signs(values):
    values = np.array(values, dtype=float)
    nonzero = values[values != 0]
    found = signed_rank(values)
    if not len(nonzero):
        assert np.isnan(found.p)
        return
    ranks = stats.rankdata(np.abs(nonzero))
    sums = [ranks @ np.array(signs) for signs in itertools.product([1, -1], repeat=len(ranks))]
    observed = ranks @ np.sign(nonzero)
    assert found.p == pytest.approx(np.mean([abs(total) >= abs(observed) - 1e-9 for total in sums]))
    assert found.ties == (len(set(np.abs(nonzero))) < len(nonzero))
    assert signed_rank(-values).p == found.p


def test_signed_rank_leaves_out_zeros_and_missing_values():
    assert signed_rank(np.array([0.0, np.nan, 1, 2, 3, 4, 0.0])) == (0.125, 0.125, False)
    assert np.isnan(signed_rank(np.zeros(3)).p)
    assert np.isnan(signed_rank(np.zeros(0)).p)
