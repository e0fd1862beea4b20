import logging
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from helpers.errors import InputError
from helpers.evaluation.metrics import METRICS, SCORE_COLUMNS, auprc, auroc, pearson_r, score_predictions
from helpers.evaluation.predictions import Predictions
from helpers.evaluation.ranking import count_windows, rank_windows


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def slow_auprc(target, prediction):
    """Average precision from its definition: one threshold per distinct prediction."""
    area, recall = 0.0, 0.0
    for threshold in sorted(set(prediction.tolist()), reverse=True):
        called = prediction >= threshold
        reached = target[called].sum() / target.sum()
        area += (reached - recall) * target[called].mean()
        recall = reached
    return area


def slow_auroc(target, prediction):
    """Count pairs."""
    pairs = [(p > n) + (p == n) / 2 for p in prediction[target == 1] for n in prediction[target == 0]]
    return np.mean(pairs)


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
@pytest.mark.parametrize("prevalence", [0.02, 0.5, 0.98])
def test_ranking_metrics_against_sklearn_and_loops_with_ties(rng, levels, prevalence):
    target = rng.random(200) < prevalence
    target[:2] = [True, False]
    prediction = (rng.integers(0, levels, 200) / levels + 0.2 * target).astype(np.float32)
    for ours, theirs, slow in (
        (auprc, oracle.average_precision_score, slow_auprc),
        (auroc, oracle.roc_auc_score, slow_auroc),
    ):
        value = ours(target.astype(np.float32), prediction)
        assert value == pytest.approx(theirs(target, prediction), abs=1e-12)
        assert value == pytest.approx(slow(target, prediction), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=25))
def test_ranking_metrics_on_any_small_input(pairs):
    target = np.array([label for label, _ in pairs])
    prediction = np.array([value for _, value in pairs], dtype=float)
    if target.all() or not target.any():
        assert np.isnan(auprc(target, prediction))
        assert np.isnan(auroc(target, prediction))
    else:
        assert auprc(target, prediction) == pytest.approx(slow_auprc(target, prediction), abs=1e-12)
        assert auroc(target, prediction) == pytest.approx(slow_auroc(target, prediction), abs=1e-12)


def test_order_of_windows_does_not_matter(rng):
    target, prediction = rng.random(300) < 0.1, rng.integers(0, 20, 300).astype(float)
    shuffled = rng.permutation(300)
    for metric in (auprc, auroc):
        assert metric(target, prediction) == metric(target[shuffled], prediction[shuffled])


def test_perfect_and_reversed_ranking():
    target = np.array([1, 1, 0, 0])
    assert auprc(target, np.array([4.0, 3, 2, 1])) == 1
    assert auroc(target, np.array([4.0, 3, 2, 1])) == 1
    assert auroc(target, np.array([1.0, 2, 3, 4])) == 0


def test_signal_metrics_against_scipy_and_sklearn(rng):
    target = rng.normal(1000, 1, 500).astype(np.float32)
    prediction = (0.5 * target + rng.normal(size=500)).astype(np.float32)
    double = target.astype(float), prediction.astype(float)
    assert pearson_r(target, prediction) == pytest.approx(stats.pearsonr(*double).statistic, abs=1e-9)
    assert METRICS["mae"](target, prediction) == pytest.approx(oracle.mean_absolute_error(*double), rel=1e-12)
    assert METRICS["mse"](target, prediction) == pytest.approx(oracle.mean_squared_error(*double), rel=1e-12)


def test_constant_in_single_precision_has_no_correlation():
    assert np.isnan(pearson_r(np.full(1000, 0.1, np.float32), np.arange(1000, dtype=np.float32)))
    assert np.isnan(pearson_r(np.arange(1000, dtype=np.float32), np.full(1000, 0.1, np.float32)))
    assert np.isnan(pearson_r(np.ones(1), np.ones(1)))


@pytest.mark.parametrize("metric", METRICS)
def test_no_windows_is_undefined(metric):
    assert np.isnan(METRICS[metric](np.zeros(0, np.float32), np.zeros(0, np.float32)))


@pytest.mark.parametrize("metric", [auprc, auroc])
def test_targets_that_are_no_labels(metric):
    with pytest.raises(InputError, match=r"a target is 0\.5.*pearson_r"):
        metric(np.array([0, 1, 0.5]), np.zeros(3))


def predictions(target, prediction, outputs=("jund",)):
    starts = np.arange(len(target)) * 200
    regions = pd.DataFrame({"chrom": "chr3", "start": starts, "end": starts + 200, "strand": "."})
    return Predictions(regions, target, prediction, list(outputs))


def test_table_of_scores(rng):
    target = (rng.random((50, 2)) < 0.3).astype(float)
    prediction = rng.random((50, 2))
    both = predictions(target, prediction, ["a", "b"])
    table = score_predictions({"validation": both, "test": both}, ["auprc", "auroc"])
    assert tuple(table.columns) == SCORE_COLUMNS
    assert table[["split", "output", "metric"]].iloc[:4].to_numpy().tolist() == [
        ["validation", "a", "auprc"],
        ["validation", "a", "auroc"],
        ["validation", "b", "auprc"],
        ["validation", "b", "auroc"],
    ]
    row = table[(table.split == "test") & (table.output == "b") & (table.metric == "auroc")].iloc[0]
    expected = oracle.roc_auc_score(both.target[:, 1], both.prediction[:, 1])
    assert row.value == pytest.approx(expected, abs=1e-12)
    assert (row.n, row.n_positive, row.prevalence) == (50, target[:, 1].sum(), target[:, 1].mean())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), max_size=25))
def test_windows_are_counted_as_they_would_be_ranked(pairs):
    """The quick count behind a score and the ranking behind a bootstrap are one thing."""
    target = np.array([label for label, _ in pairs], dtype=bool)
    prediction = np.array([value for _, value in pairs], dtype=np.float32)
    ranking = rank_windows(target, prediction)
    expected = np.bincount(ranking.row, minlength=3 * ranking.n_groups + 1)
    assert count_windows(target, prediction).ravel().tolist() == expected.tolist()


def test_many_outputs_against_sklearn(rng):
    """More outputs than are copied at once, one of one class."""
    n, outputs = 300, [f"o{i}" for i in range(70)]
    target = rng.random((n, 70)) < rng.random(70)
    target[:, 40] = False
    prediction = rng.random((n, 70)).round(2).astype(np.float32)
    table = score_predictions({"test": predictions(target, prediction, outputs)}, ["auroc", "mse", "auprc"])
    assert len(table) == 3 * 70
    oracles = {"auroc": oracle.roc_auc_score, "mse": oracle.mean_squared_error, "auprc": oracle.average_precision_score}
    for row in table.itertuples():
        column = outputs.index(row.output)
        assert (row.n, row.n_positive) == (n, target[:, column].sum())
        if row.output == "o40" and row.metric != "mse":
            assert np.isnan(row.value)
        else:
            expected = oracles[row.metric](target[:, column].astype(float), prediction[:, column].astype(float))
            assert row.value == pytest.approx(expected, abs=1e-12)


def test_one_class_gives_missing_values_and_one_line_in_the_log(caplog):
    target = np.zeros((5, 30))
    target[:2, 0], target[:, 1] = 1, 1
    said = np.arange(150.0).reshape(5, 30)
    with caplog.at_level(logging.WARNING):
        table = score_predictions(
            {"test": predictions(target, said, [f"o{i}" for i in range(30)])}, ["auprc", "auroc", "mae"]
        )
    assert table["value"].isna().sum() == 2 * 29
    assert table["n_positive"].tolist()[:9:3] == [2, 5, 0]
    [message] = caplog.messages
    assert message.startswith("58 of 90 scores are undefined and stay empty. all windows are positive: ")
    assert "auprc of test/o1, auroc of test/o1; all windows are negative: auprc of test/o2, auroc of test/o2" in message
    assert message.endswith("and 36 more")


def test_defined_scores_leave_no_line_in_the_log(caplog):
    with caplog.at_level(logging.WARNING):
        score_predictions({"test": predictions(np.array([0, 1]), np.arange(2.0))}, list(METRICS))
    assert not caplog.messages


def test_constant_prediction_and_no_windows_are_said(caplog):
    splits = {"test": predictions(np.arange(5.0), np.ones(5)), "validation": predictions(np.zeros(0), np.zeros(0))}
    with caplog.at_level(logging.WARNING):
        table = score_predictions(splits, ["pearson_r", "mae"])
    assert table["value"].isna().tolist() == [True, False, True, True]
    assert "the target or the prediction is constant: pearson_r of test/jund" in caplog.text
    assert "no windows: pearson_r of validation/jund, mae of validation/jund" in caplog.text


def test_signals_have_no_positives():
    table = score_predictions({"test": predictions(np.arange(5.0), np.arange(5.0))}, ["pearson_r"])
    assert table["value"].tolist() == [1.0]
    assert table[["n_positive", "prevalence"]].isna().all(axis=None)


def test_unknown_metric_is_named():
    with pytest.raises(InputError, match=r"Unknown metric 'auc'\. Choose from auprc"):
        score_predictions({}, ["auprc", "auc"])


def test_scoring_needs_neither_keras_nor_matplotlib():
    code = (
        "import sys, helpers.evaluation.comparisons, helpers.evaluation.feature_effects, helpers.evaluation.published;"
        "heavy = {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_drawing_is_found_where_it_is_asked_for():
    import helpers.evaluation

    assert helpers.evaluation.plotGenomeTrack.__module__ == "helpers.evaluation.tracks"
    assert "plotGenomeTrack" in dir(helpers.evaluation)
    with pytest.raises(AttributeError, match="no attribute 'plotNothing'"):
        helpers.evaluation.plotNothing  # noqa: B018
