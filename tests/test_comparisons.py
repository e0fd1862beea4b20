import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from helpers.errors import InputError
from helpers.evaluation.bootstrap import resample_blocks
from helpers.evaluation.comparisons import (
    COMPARISON_COLUMNS,
    ModelRun,
    collect_scores,
    compare_study,
    grid_columns,
    model_runs,
    summarize,
)
from helpers.evaluation.contrasts import Contrast, StudyModel, list_contrasts
from helpers.evaluation.metrics import SCORE_COLUMNS, score_predictions
from helpers.evaluation.predictions import Predictions, write_predictions
from helpers.evaluation.tables import join_tables, read_table, write_table

GRID = [{"order": order, "dropout": dropout} for order in (1, 2, 3) for dropout in (0, 0.2)]
BOOTSTRAP = {"n_resamples": 60, "block_size": 2000, "seed": 5}
N = 400


def windows(chrom="chr3"):
    starts = np.arange(N) * 200
    return pd.DataFrame({"chrom": chrom, "start": starts, "end": starts + 200, "strand": "."})


def labels(chrom="chr3"):
    return (np.random.default_rng(len(chrom)).random(N) < 0.2).astype(float)


def predicted(strength, seed, chrom="chr3"):
    target = labels(chrom)
    noise = np.random.default_rng(seed).random(N)
    return Predictions(windows(chrom), target, noise + strength * target, ["jund"])


def name_of(variant):
    return "_".join(f"{key}~{value}" for key, value in variant.items()) or "default"


@pytest.fixture
def study(tmp_path):
    """Four models on disk: DNA by order, DNase by normalization, both together, and counting."""
    strengths = {
        ("dna", (("order", 1),)): 0.1,
        ("dna", (("order", 3),)): 0.4,
        ("dnase", (("normalize", "tpm"),)): 0.3,
        ("joint", ()): 0.8,
        ("kmer", (("k", 5),)): 0.05,
    }
    runs = []
    for (model, variant), strength in strengths.items():
        splits = ["validation", "test"] + (["test_swapped"] if model in ("dnase", "joint") else [])
        for replicate in (1, 2, 3):
            run = ModelRun(model, dict(variant), name_of(dict(variant)), "all", replicate, tmp_path / f"{len(runs)}.h5")
            parts = {split: predicted(strength, len(runs) * 7 + i, "chr3") for i, split in enumerate(splits)}
            parts["validation"] = predicted(strength, len(runs), "chr22")
            write_predictions(run.path, parts)
            runs.append(run)
    return runs


MODELS = [
    StudyModel("dna", [{"order": 1}, {"order": 3}], "jund_dna"),
    StudyModel("dnase", [{"normalize": "tpm"}], "jund_dnase"),
    StudyModel("joint", [{}], "joint", [{"dna": {"order": 3}, "dnase": {"normalize": "tpm"}}]),
    StudyModel("kmer", [{"k": 5}], "kmer_linear"),
]


@pytest.fixture
def table(study):
    return compare_study(study, list_contrasts(MODELS), study="jund", metrics=["auprc", "auroc"], **BOOTSTRAP)


def of(table, contrast, **values):
    chosen = table[table["contrast"] == contrast]
    for column, value in values.items():
        chosen = chosen[chosen[column] == value]
    return chosen


# --- a study ---------------------------------------------------------------------------------------------------------


def test_columns_and_order_of_rows(table):
    assert tuple(table.columns) == COMPARISON_COLUMNS
    assert " ".join(table.columns) == (
        "study contrast model_a variant_a model_b variant_b split output metric n delta relative ci_low ci_high test p"
    )
    assert table["contrast"].drop_duplicates().tolist() == [
        *("order: 3 vs 1", "joint vs dna", "joint vs dnase", "dna vs kmer", "dnase vs kmer", "joint vs kmer")
    ]
    assert (table["study"] == "jund").all()


def test_values_against_a_slow_way(study, table):
    """Recompute one row from scratch: scikit-learn on physically repeated windows."""
    row = of(table, "order: 3 vs 1", split="test", metric="auprc").iloc[0]
    assert (row.variant_a, row.variant_b, row.n) == ("order~3", "order~1", 3)
    drawn = resample_blocks(windows(), **BOOTSTRAP)

    def scores(order, rows):
        found = []
        for number, run in enumerate(study):
            if run.model == "dna" and run.variant["order"] == order:
                part = predicted({1: 0.1, 3: 0.4}[order], number * 7 + 1)
                found.append(average_precision_score(part.target[rows, 0], part.prediction[rows, 0]))
        return found

    everything = np.arange(N)
    a, b = scores(3, everything), scores(1, everything)
    level = np.mean(b)
    assert row.delta == pytest.approx(np.mean(a) - level, abs=1e-9)
    assert row.relative == pytest.approx(row.delta / level, abs=1e-9)
    spread = []
    for counts in drawn.counts:
        rows = np.repeat(everything, counts[drawn.blocks])
        spread.append(np.mean(scores(3, rows)) - np.mean(scores(1, rows)))
    variances = np.array([np.var(spread, ddof=1), stats.sem(a) ** 2, stats.sem(b) ** 2])
    freedom = variances.sum() ** 2 / (variances**2 / [drawn.counts.shape[1] - 1, 2, 2]).sum()
    expected = stats.t.interval(0.95, freedom, loc=row.delta, scale=np.sqrt(variances.sum()))
    assert (row.ci_low, row.ci_high) == pytest.approx(expected, abs=1e-9)


def test_planted_differences_are_found(table):
    row = of(table, "joint vs dna", split="test", metric="auroc").iloc[0]
    assert row.delta > 0.1
    assert 0 < row.ci_low < row.delta < row.ci_high
    assert row.p == 0.1


def test_splits_that_both_sides_were_scored_on(table):
    assert set(of(table, "order: 3 vs 1")["split"]) == {"validation", "test"}
    assert set(of(table, "joint vs dnase")["split"]) == {"validation", "test", "test_swapped"}
    assert not of(table, "joint vs dnase")["test"].str.contains("scored on").any()


def test_model_without_inputs_to_swap_stands_on_its_test_score(study, table):
    row = of(table, "joint vs dna", split="test_swapped", metric="auroc").iloc[0]
    assert row.test.endswith("; b scored on test, it has no inputs to swap")

    def mean(model, split, strength, variant):
        numbers = [i for i, run in enumerate(study) if run.model == model and run.variant == variant]
        parts = [predicted(strength, i * 7 + split) for i in numbers]
        return np.mean([roc_auc_score(part.target[:, 0], part.prediction[:, 0]) for part in parts])

    expected = mean("joint", 2, 0.8, {}) - mean("dna", 1, 0.4, {"order": 3})
    assert row.delta == pytest.approx(expected, abs=1e-9)


def test_same_seed_same_table(study, table):
    again = compare_study(
        reversed(study), list_contrasts(MODELS), study="jund", metrics=["auprc", "auroc"], **BOOTSTRAP
    )
    pd.testing.assert_frame_equal(again, table)


def test_a_model_against_itself_differs_by_nothing(study):
    contrast = Contrast("same", "joint", {}, "joint", {})
    row = compare_study(study, [contrast], study="s", metrics=["auprc"], **BOOTSTRAP).iloc[0]
    assert (row.delta, row.p) == (0, 1)
    assert row.ci_low == -row.ci_high < 0  # two draws of replicates would differ


def test_each_file_is_read_once_and_unused_ones_never(study, monkeypatch):
    import helpers.evaluation.comparisons as module

    read = []
    original = module.read_predictions
    monkeypatch.setattr(module, "read_predictions", lambda path: read.append(path) or original(path))
    contrasts = [c for c in list_contrasts(MODELS) if c.model_a != "joint"]
    compare_study(study, contrasts, study="s", metrics=["auroc"], **BOOTSTRAP)
    assert sorted(read) == sorted(run.path for run in study if run.model != "joint")


def test_other_windows_are_refused(study):
    write_predictions(study[4].path, {"test": predicted(0.1, 0, "chr4")})
    with pytest.raises(InputError, match=r"4\.h5 holds other windows for split 'test'"):
        compare_study(study, list_contrasts(MODELS), study="s", metrics=["auroc"], **BOOTSTRAP)


def test_folds_validate_on_different_chromosomes(tmp_path):
    runs = []
    for (model, strength), fold in itertools.product([("a", 1.0), ("b", 0.2)], ["chr10", "chr11"]):
        run = ModelRun(model, {}, "default", fold, 1, tmp_path / f"{model}{fold}.h5")
        seed = len(runs)
        parts = {"validation": predicted(strength, seed, fold), "test": predicted(strength, seed)}
        write_predictions(run.path, parts)
        runs.append(run)
    contrast = Contrast("a vs b", "a", {}, "b", {})
    result = compare_study(runs, [contrast], study="s", metrics=["auroc"], **BOOTSTRAP)
    assert result["test"].str.startswith("folds: mean difference, SE ").all()
    assert result["n"].tolist() == [2, 2]
    assert (result["ci_low"] > 0).all()


def test_several_outputs_are_compared_each_for_itself(tmp_path):
    runs, target = [], np.stack([labels(), labels("chr10")], axis=1)
    for number, (model, strength) in enumerate([("a", 1.0), ("a", 0.9), ("b", 0.2), ("b", 0.3)]):
        prediction = np.random.default_rng(number).random((N, 2)) + [strength, 0.5] * target
        run = ModelRun(model, {}, "default", "all", number, tmp_path / f"{number}.h5")
        write_predictions(run.path, {"test": Predictions(windows(), target, prediction, ["first", "second"])})
        runs.append((run, target, prediction.astype(np.float32)))
    contrast = Contrast("a vs b", "a", {}, "b", {})
    result = compare_study([run for run, *_ in runs], [contrast], study="s", metrics=["auroc"], **BOOTSTRAP)
    assert result["output"].tolist() == ["first", "second"]
    for column, delta in enumerate(result["delta"]):
        a1, a2, b1, b2 = (roc_auc_score(truth[:, column], said[:, column]) for _, truth, said in runs)
        assert delta == pytest.approx((a1 + a2 - b1 - b2) / 2, abs=1e-9)
    assert result["ci_low"][0] > 0


def test_study_whose_predictions_are_not_compared():
    contrast = Contrast("a vs b", "a", {}, "b", {})
    result = compare_study([], [contrast], study="s", metrics=["auroc"], **BOOTSTRAP)
    assert (len(result), tuple(result.columns)) == (0, COMPARISON_COLUMNS)


def test_contrast_without_runs_gives_no_row(study):
    contrast = Contrast("joint vs gone", "joint", {}, "gone", {})
    assert len(compare_study(study, [contrast], study="s", metrics=["auroc"], **BOOTSTRAP)) == 0


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def scores():
    def run(model, variant, replicate):
        return ModelRun(model, variant, name_of(variant), "all", replicate, "unused")

    runs = [run("dna", variant, r) for variant in GRID for r in (1, 2, 3)] + [run("kmer", {"k": 5}, 1)]
    tables = [(r, score_predictions({"test": predicted(0.3, i)}, ["auprc", "auroc"])) for i, r in enumerate(runs)]
    return collect_scores(tables, study="jund")


def test_columns_of_the_scores(scores):
    expected = ["study", "model", "order", "dropout", "k", "fold", "replicate", *SCORE_COLUMNS]
    assert scores.columns.tolist() == expected
    assert grid_columns(scores) == ["order", "dropout", "k"]
    counted = scores[scores["model"] == "kmer"].iloc[0]
    assert (counted.order, counted.dropout, counted.k) == ("", "", "5")
    assert len(scores) == 19 * 2


def test_summary_against_numpy(scores):
    summary = summarize(scores)
    head = ["study", "model", "order", "dropout", "k", "split", "output", "metric"]
    assert summary.columns.tolist() == [*head, "n", "mean", "se", "median", "min", "max"]
    assert len(summary) == 7 * 2
    row = summary[(summary.order == "2") & (summary.dropout == "0.2") & (summary.metric == "auroc")].iloc[0]
    values = scores[(scores.order == "2") & (scores.dropout == "0.2") & (scores.metric == "auroc")]["value"]
    assert row.n == 3
    assert row["mean"] == pytest.approx(values.mean())
    assert row.se == pytest.approx(stats.sem(values))
    assert (row["median"], row["min"], row["max"]) == (values.median(), values.min(), values.max())
    single = summary[summary["model"] == "kmer"].iloc[0]
    assert single.n == 1
    assert np.isnan(single.se)


def test_summary_of_many_outputs_against_a_loop():
    rng = np.random.default_rng(3)
    rows = itertools.product(["a", "b"], ["1", "2", ""], ["x", "y"], [0, 1, 2], [f"o{i}" for i in range(40)])
    scores = pd.DataFrame(rows, columns=["model", "order", "fold", "replicate", "output"])
    scores = scores.assign(study="s", split="test", metric="auprc", value=rng.random(len(scores)))
    scores.loc[rng.random(len(scores)) < 0.1, "value"] = np.nan
    summary = summarize(scores)
    assert len(summary) == 2 * 3 * 40
    for row in summary.sample(30, random_state=0).itertuples():
        same = (scores["model"] == row.model) & (scores["order"] == row.order) & (scores["output"] == row.output)
        values = scores["value"][same].dropna().to_numpy()
        assert row.n == len(values)
        assert [row.mean, row.se, row.median, row.min, row.max] == pytest.approx(
            [values.mean(), stats.sem(values), np.median(values), values.min(), values.max()]
        )


def test_undefined_scores_do_not_count(scores):
    scores.loc[scores.index[0], "value"] = np.nan
    assert summarize(scores)["n"].tolist()[:2] == [2, 3]


def test_tables_come_back_as_they_were_written(tmp_path, scores, table):
    for number, original in enumerate([scores, summarize(scores), table]):
        path = tmp_path / f"{number}.tsv"
        write_table(original, path)
        pd.testing.assert_frame_equal(read_table(path), original, check_dtype=False, check_exact=True)
    assert "NaN" not in (tmp_path / "2.tsv").read_text()
    assert read_table(tmp_path / "0.tsv")["order"].unique().tolist() == ["1", "2", "3", ""]


def test_training_history_comes_back_as_numbers(tmp_path):
    history = pd.DataFrame({"epoch": [1, 2], "seconds": [0.1, 0.2], "loss": [0.7, 0.6], "val_loss": [0.8, 0.1 + 0.2]})
    write_table(history, tmp_path / "history.tsv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "history.tsv"), history, check_dtype=False, check_exact=True)


def test_runs_are_joined_with_their_files():
    plans = [
        {"model": "dna", "variant": "order~3", "values": {"order": 3}, "fold": "all", "replicate": r} for r in (0, 1)
    ]
    assert model_runs(plans, ["a", "b"])[1] == ModelRun("dna", {"order": 3}, "order~3", "all", 1, "b")
    with pytest.raises(ValueError, match="zip"):
        model_runs(plans, ["a"])


@pytest.mark.parametrize("content", [None, ""])
def test_missing_or_empty_table(tmp_path, content):
    if content is not None:
        (tmp_path / "scores.tsv").write_text(content)
    with pytest.raises(InputError, match=r"Cannot read the table .*scores\.tsv"):
        read_table(tmp_path / "scores.tsv")


def test_grid_key_that_hides_a_column():
    run = ModelRun("dna", {"split": 1}, "split~1", "all", 1, "unused")
    with pytest.raises(InputError, match="cannot be named 'split'"):
        collect_scores([(run, pd.DataFrame(columns=list(SCORE_COLUMNS)))], study="s")


def test_study_without_runs():
    assert len(collect_scores([], study="s")) == 0


def test_joined_tables_keep_the_types_of_columns(table):
    empty = table.iloc[:0].astype(object)
    pd.testing.assert_frame_equal(join_tables([empty, table]), table)
    assert len(join_tables([table, table])) == 2 * len(table)
    assert join_tables([empty, empty]).columns.tolist() == table.columns.tolist()
