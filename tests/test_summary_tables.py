"""Tables of the paper's form, against pandas and scipy."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import InputError
from helpers.evaluation.summary_tables import make_table, unit_values
from helpers.evaluation.tables import read_table, write_table

VARIANTS = [
    ("dna", "1", "0", ""),
    ("dna", "3", "0.2", ""),
    ("chromatin", "", "", "zscorelog"),
    ("joint", "1", "0", "zscorelog"),
]
FOLDS = ("chr2", "chr3", "chr4", "chr5")


def make_scores(folds=FOLDS, replicates=(0, 1), outputs=("cage",), metrics=("pearson_r", "mae")):
    rng = np.random.default_rng(1)
    places = itertools.product(VARIANTS, folds, replicates, ["validation", "test"], outputs, metrics)
    rows = [(*variant, *place) for variant, *place in places]
    columns = ["model", "order", "dropout", "normalize", "fold", "replicate", "split", "output", "metric"]
    return pd.DataFrame(rows, columns=columns).assign(study="cage", value=rng.random(len(rows)), n=50)


TABLE = {"models": ["chromatin", "dna"], "metric": "pearson_r", "split": "test"}


def test_rows_follow_the_models_and_columns_the_keys_that_differ():
    table = make_table(make_scores(), **TABLE)
    columns = ["model", "order", "dropout", "output", "unit", "n", "mean", "se", "text", "ceiling"]
    assert table.columns.tolist() == columns  # normalize has one value
    assert table[["model", "order"]].to_numpy().tolist() == [["chromatin", ""], ["dna", "1"], ["dna", "3"]]


def test_mean_and_standard_error_over_folds_against_scipy():
    scores = make_scores()
    scores.loc[(scores["fold"] == "chr2") & (scores["replicate"] == 1), "value"] += 5  # folds weigh alike
    row = make_table(scores, **TABLE).iloc[2]
    same = (scores["order"] == "3") & (scores["split"] == "test") & (scores["metric"] == "pearson_r")
    folds = [scores["value"][same & (scores["fold"] == fold)].mean() for fold in FOLDS]
    assert (row.n, row.unit) == (4, "fold")
    assert row["mean"] == pytest.approx(np.mean(folds))
    assert row.se == pytest.approx(stats.sem(folds))
    assert row.text == f"{np.mean(folds):.3f} ({stats.sem(folds):.2e})"
    assert np.isnan(row.ceiling)


def test_printed_as_the_paper_does():
    scores = make_scores(folds=("chr2", "chr3"), replicates=(0,))
    chosen = (scores["split"] == "test") & (scores["metric"] == "pearson_r") & (scores["model"] == "chromatin")
    scores.loc[chosen, "value"] = [0.777 - 2.97e-5, 0.777 + 2.97e-5]
    assert make_table(scores, **TABLE)["text"][0] == "0.777 (2.97e-05)"


def test_without_folds_replicates_are_the_units():
    scores = make_scores(folds=("all",), replicates=(0, 1, 2))
    row = make_table(scores, **TABLE).iloc[0]
    values = scores["value"][
        (scores["model"] == "chromatin") & (scores["split"] == "test") & (scores["metric"] == "pearson_r")
    ]
    assert (row.n, row.unit) == (3, "replicate")
    assert (row["mean"], row.se) == pytest.approx((values.mean(), stats.sem(values)))


def test_one_value_has_no_standard_error_and_none_no_mean():
    scores = make_scores(folds=("all",), replicates=(0,))
    scores.loc[scores["order"] == "1", "value"] = np.nan
    table = make_table(scores, **TABLE)
    assert table["n"].tolist() == [1, 0, 1]
    assert table["se"].isna().all()
    assert table["text"].tolist()[1] == ""
    assert table["text"][0] == f"{table['mean'][0]:.3f}"


def test_undefined_folds_are_left_out():
    scores = make_scores()
    scores.loc[scores["fold"] == "chr3", "value"] = np.nan
    table = make_table(scores, **TABLE)
    assert table["n"].tolist() == [3, 3, 3]
    assert table["se"].notna().all()


def test_ceilings_stand_beside_the_correlations_of_their_output():
    scores = make_scores(outputs=("cage", "cage2", "h3k4me3"))
    ceilings = pd.DataFrame({"split": "test", "output": ["cage2", "cage", "h3k4me3"], "ceiling": [0.8, 0.9, np.nan]})
    table = make_table(scores, **TABLE, ceilings=ceilings)
    assert table.groupby("output")["ceiling"].first().dropna().to_dict() == {"cage": 0.9, "cage2": 0.8}
    assert len(table) == 9
    assert make_table(scores, **{**TABLE, "split": "validation"}, ceilings=ceilings)["ceiling"].isna().all()
    assert make_table(scores, **{**TABLE, "metric": "mae"}, ceilings=ceilings)["ceiling"].isna().all()


def test_swapped_test_has_the_ceiling_of_the_test_and_test_stands_in():
    scores = make_scores()
    swapped = scores[(scores["model"] == "chromatin") & (scores["split"] == "test")].assign(split="test_swapped")
    swapped["value"] += 1
    ceilings = pd.DataFrame({"split": ["test"], "output": ["cage"], "ceiling": [0.9]})
    table = make_table(pd.concat([scores, swapped]), **{**TABLE, "split": "test_swapped"}, ceilings=ceilings)
    plain = make_table(scores, **TABLE)
    assert (table["mean"] - plain["mean"]).tolist() == pytest.approx([1, 0, 0])
    assert table["ceiling"].tolist() == [0.9] * 3


def test_missing_model_is_named():
    with pytest.raises(InputError, match="Model 'rna' has no scores by pearson_r on test"):
        make_table(make_scores(), **{**TABLE, "models": ["dna", "rna"]})


def test_table_comes_back_as_it_was_written(tmp_path):
    table = make_table(make_scores(), **TABLE)
    write_table(table, tmp_path / "table1.tsv")
    back = read_table(tmp_path / "table1.tsv")
    pd.testing.assert_frame_equal(back, table, check_dtype=False, check_exact=True)


def test_units_weigh_folds_alike():
    scores = pd.DataFrame({"m": "a", "fold": ["x", "x", "y"], "replicate": [0, 1, 0], "value": [1.0, 2.0, 5.0]})
    unit, values = unit_values(scores, ["m"])
    assert (unit, values["value"].tolist()) == ("fold", [1.5, 5.0])
