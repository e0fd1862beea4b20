"""Differences over many outputs, against pandas and scipy."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.errors import InputError
from helpers.evaluation.comparisons import COMPARISON_COLUMNS
from helpers.evaluation.contrasts import Contrast, StudyModel, list_contrasts
from helpers.evaluation.feature_effects import class_table, compare_features, compare_pairs, output_sets
from helpers.evaluation.tables import read_table, write_table

OUTPUTS = [f"track{i}" for i in range(14)]
CLASSES = class_table(
    [
        {"track": name, "class": ["TF", "DNase"][i >= 8], "group": "dependent" if i in (1, 2, 9) else ""}
        for i, name in enumerate(OUTPUTS)
    ]
)
MODELS = [
    StudyModel("danq", [{"order": 1, "window": 500}, {"order": 3, "window": 500}], "danq"),
    StudyModel("kmer", [{"k": 5}], "kmer_linear"),
]


def make_scores(folds=("all",), replicates=(0, 1), outputs=OUTPUTS):
    """Scores of three variants, all values different."""
    rng = np.random.default_rng(8)
    variants = [("danq", "1", "500", ""), ("danq", "3", "500", ""), ("kmer", "", "", "5")]
    places = itertools.product(variants, folds, replicates, ["validation", "test"], outputs, ["auprc", "auroc"])
    rows = [(*variant, *place) for variant, *place in places]
    columns = ["model", "order", "window", "k", "fold", "replicate", "split", "output", "metric"]
    scores = pd.DataFrame(rows, columns=columns).assign(study="deepsea", n=100, n_positive=10, prevalence=0.1)
    return scores.assign(value=rng.random(len(scores)) + 0.2 * (scores["order"] == "3"))


def compared(scores, classes=CLASSES, metrics=("auprc", "auroc"), models=MODELS):
    return compare_features(scores, list_contrasts(models), classes=classes, study="deepsea", metrics=metrics)


def one(table, **values):
    for column, value in values.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def of_variant(scores, model, order=""):
    same = (scores["model"] == model) & (scores["order"] == order) & (scores["split"] == "test")
    return scores[same & (scores["metric"] == "auprc")]


def test_rows_and_columns():
    table = compared(make_scores())
    assert tuple(table.columns) == COMPARISON_COLUMNS
    sets = ["all outputs", "class TF", "class DNase", "group dependent"]
    assert table["output"].drop_duplicates().tolist() == sets
    assert len(table) == 3 * 2 * 2 * 4  # contrasts, splits, metrics, sets
    assert table["contrast"].drop_duplicates().tolist() == ["order: 3 vs 1", "danq vs kmer"]
    row = one(table, contrast="order: 3 vs 1", split="test", metric="auprc", output="class TF")
    assert (row.variant_a, row.variant_b, row.n) == ("order~3_window~500", "order~1_window~500", 8)


@pytest.mark.parametrize(("name", "members"), [("class TF", range(8)), ("group dependent", (1, 2, 9))])
def test_values_against_pandas_and_scipy(name, members):
    scores = make_scores()
    row = one(compared(scores), contrast="order: 3 vs 1", split="test", metric="auprc", output=name)
    a, b = (of_variant(scores, "danq", order).groupby("output")["value"].mean() for order in ("3", "1"))
    chosen = [OUTPUTS[i] for i in members]
    differences = (a - b)[chosen]
    assert row.delta == pytest.approx(differences.mean())
    assert row.relative == pytest.approx(differences.mean() / b[chosen].mean())
    assert row.p == pytest.approx(stats.wilcoxon(a[chosen], b[chosen], method="exact").pvalue)
    expected = stats.ttest_rel(a[chosen], b[chosen]).confidence_interval(0.95)
    assert (row.ci_low, row.ci_high) == pytest.approx(tuple(expected))
    assert row.test == f"wilcoxon paired over features, exact (smallest p {2 / 2 ** len(chosen):.2g})"


def test_folds_are_averaged_after_their_replicates():
    scores = make_scores(folds=("chr1", "chr2", "chr10"))
    row = one(compared(scores), contrast="danq vs kmer", split="test", variant_a="order~3_window~500", metric="auprc",
              output="all outputs")  # fmt: skip
    a, b = (
        part.groupby(["output", "fold"])["value"].mean().groupby("output").mean()
        for part in (of_variant(scores, "danq", "3"), of_variant(scores, "kmer"))
    )
    assert row.delta == pytest.approx((a - b).mean())
    assert row.p == pytest.approx(stats.wilcoxon(a - b, method="exact").pvalue)


def test_undefined_scores_leave_their_feature_out_and_are_counted():
    scores = make_scores()
    one_class = scores["output"].isin(OUTPUTS[:3])
    lost = (scores["output"] == OUTPUTS[5]) & (scores["order"] == "1") & (scores["replicate"] == 1)
    scores.loc[one_class | lost, "value"] = np.nan
    row = one(compared(scores), contrast="order: 3 vs 1", split="test", metric="auprc", output="all outputs")
    a, b = (of_variant(scores, "danq", order).groupby("output")["value"].mean() for order in ("3", "1"))
    kept = [name for i, name in enumerate(OUTPUTS) if i not in (0, 1, 2, 5)]
    assert row.n == 10
    assert row.delta == pytest.approx((a - b)[kept].mean())
    assert row.relative == pytest.approx((a - b)[kept].mean() / b[kept].mean())
    assert row.test.endswith("; 4 without a value")


def test_a_feature_that_some_folds_lack_stands_on_the_others():
    a = np.array([[0.5, np.nan], [0.6, 0.8]])
    b = np.array([[0.4, 0.9], [0.5, 0.4]])
    row = compare_pairs(a, b)
    assert (row["n"], row["delta"]) == (2, pytest.approx((0.1 + 0.25) / 2))
    assert row["relative"] == pytest.approx(0.175 / ((0.4 + 0.45) / 2))


def test_set_without_any_value():
    row = compare_pairs(np.full((3, 1), np.nan), np.ones((3, 1)))
    assert (row["n"], row["test"]) == (0, "wilcoxon paired over features: none has a value")
    assert np.isnan([row[key] for key in ("delta", "relative", "ci_low", "ci_high", "p")]).all()


def test_one_defined_feature_has_no_interval():
    row = compare_pairs(np.array([[0.5], [np.nan]]), np.array([[0.4], [0.1]]))
    assert (row["n"], row["p"]) == (1, 1)
    assert np.isnan([row["ci_low"], row["ci_high"]]).all()


def test_zeros_and_ties_are_said():
    row = compare_pairs(np.array([[1.0], [2.0], [3.0], [5.0]]), np.array([[1.0], [1.0], [2.0], [2.0]]))
    assert (
        row["test"] == "wilcoxon paired over features, exact, ties (smallest p 0.25); 1 without a difference left out"
    )
    assert (row["n"], row["delta"], row["p"]) == (4, 1.25, 0.25)
    same = compare_pairs(np.ones((3, 1)), np.ones((3, 1)))
    assert same["test"] == "wilcoxon paired over features; 3 without a difference left out"
    assert (same["delta"], same["ci_low"], same["ci_high"]) == (0, 0, 0)


def test_many_features_are_tested_by_the_normal_approximation():
    rng = np.random.default_rng(2)
    a, b = rng.random((2, 919, 1))
    row = compare_pairs(a, b)
    assert row["test"] == "wilcoxon paired over features, normal approximation"
    assert row["p"] == pytest.approx(stats.wilcoxon(*np.hstack([a, b]).T, method="asymptotic").pvalue)


def test_model_without_inputs_to_swap_stands_on_its_test_score():
    scores = make_scores()
    swapped = scores[(scores["model"] == "danq") & (scores["split"] == "test")].assign(split="test_swapped")
    swapped["value"] += 0.5
    table = compared(pd.concat([scores, swapped], ignore_index=True))
    place = {"contrast": "danq vs kmer", "metric": "auprc", "output": "all outputs", "variant_a": "order~1_window~500"}
    row, plain = one(table, split="test_swapped", **place), one(table, split="test", **place)
    assert row.delta == pytest.approx(plain.delta + 0.5)
    assert row.test == plain.test + "; b scored on test, it has no inputs to swap"


def test_same_from_a_file_as_from_memory(tmp_path):
    scores = make_scores()
    write_table(scores, tmp_path / "scores.tsv")
    pd.testing.assert_frame_equal(compared(read_table(tmp_path / "scores.tsv")), compared(scores))


def test_metrics_that_are_not_asked_for_stay_out():
    assert set(compared(make_scores(), metrics=["auroc"])["metric"]) == {"auroc"}
    with pytest.raises(InputError, match="Unknown metric 'auc'"):
        compared(make_scores(), metrics=["auc"])


def test_study_with_one_output_has_no_rows():
    table = compared(make_scores(outputs=OUTPUTS[:1]))
    assert (len(table), tuple(table.columns)) == (0, COMPARISON_COLUMNS)


def test_contrast_without_runs_gives_no_row():
    contrast = [Contrast("danq vs gone", "danq", {"order": 1, "window": 500}, "gone", {})]
    table = compare_features(make_scores(), contrast, classes=CLASSES, study="s", metrics=["auroc"])
    assert not len(table)


def test_missing_folds_are_refused():
    scores = make_scores(folds=("chr1", "chr2"))
    scores = scores[(scores["model"] != "kmer") | (scores["fold"] == "chr1")]
    with pytest.raises(InputError, match=r"same folds.*\['chr1', 'chr2'\] and \['chr1'\]"):
        compared(scores)


def test_sets_of_outputs():
    classes = class_table([{"track": "a", "class": "TF", "group": "x"}, {"track": "b", "class": "TF", "group": "x"}])
    assert list(output_sets(["a", "b"], classes)) == ["all outputs"]  # a class that holds all says nothing more
    sets = output_sets(["c", "b", "a"], classes)  # c is in no sheet
    assert {name: rows.tolist() for name, rows in sets.items()} == {
        "all outputs": [0, 1, 2],
        "class TF": [1, 2],
        "group x": [1, 2],
    }
    assert output_sets(["a", "c"], classes).keys() == {"all outputs"}  # one output is that output
    assert output_sets(["a"], classes) == {}
    assert class_table([]).empty
    again = {"track": "a", "class": "DNase", "group": ""}
    assert classes.equals(class_table([*classes.reset_index().to_dict("records"), again]))


values = st.lists(st.tuples(st.floats(0, 1), st.floats(0.125, 1)), min_size=2, max_size=12)


@settings(deadline=None)
@given(values, st.randoms(use_true_random=False))
def test_sides_change_signs_and_order_changes_nothing(pairs, random):
    a, b = np.array(pairs).T[:, :, None]
    row, swapped = compare_pairs(a, b), compare_pairs(b, a)
    assert swapped["delta"] == pytest.approx(-row["delta"], abs=1e-12)
    assert (swapped["ci_low"], swapped["ci_high"]) == pytest.approx((-row["ci_high"], -row["ci_low"]), abs=1e-12)
    assert swapped["p"] == pytest.approx(row["p"], nan_ok=True)
    assert (swapped["n"], swapped["test"]) == (row["n"], row["test"])
    order = random.sample(range(len(a)), len(a))
    shuffled = compare_pairs(a[order], b[order])
    assert shuffled["delta"] == pytest.approx(row["delta"], abs=1e-12)
    assert shuffled["p"] == pytest.approx(row["p"], nan_ok=True)


def test_student_s_interval_covers_a_mean_over_few_features_where_percentiles_do_not():
    """Skewed differences, as few features with large gains make them: why the interval is not a percentile one."""
    rng, trials, n, covered = np.random.default_rng(4), 1500, 6, np.zeros(2)
    for _ in range(trials):
        differences = rng.gamma(4, 0.25, n)  # mean 1, skewness 1
        row = compare_pairs(differences[:, None] + 1, np.ones((n, 1)))
        means = differences[rng.integers(0, n, (200, n))].mean(axis=1)
        covered += [row["ci_low"] <= 1 <= row["ci_high"], np.percentile(means, 2.5) <= 1 <= np.percentile(means, 97.5)]
    student, percentile = covered / trials
    assert student > 0.9
    assert percentile < 0.9
