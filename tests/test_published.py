"""Published statements beside ours, computed by hand from scores."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import InputError
from helpers.evaluation.feature_effects import class_table
from helpers.evaluation.published import (
    PUBLISHED_COLUMNS,
    QUANTITIES,
    STATEMENT_COLUMNS,
    compare_published,
    read_published,
    variant_values,
)
from helpers.evaluation.tables import read_table, write_table

SHEET = Path(__file__).resolve().parents[1] / "config/published.tsv"
OUTPUTS = [*(f"tf{i}Pol3" for i in range(3)), *(f"tf{i}" for i in range(3, 7)), *(f"dnase{i}" for i in range(4))]
CLASSES = class_table([{"track": name, "class": "TF" if "tf" in name else "DNase", "group": ""} for name in OUTPUTS])


def many_outputs(seed=0):
    rng = np.random.default_rng(seed)
    variants = [("danq", "1", "500"), ("danq", "3", "500"), ("danq", "3", "2000"), ("kmer", "", "")]
    places = itertools.product(variants, ["all"], [0, 1], ["validation", "test"], OUTPUTS)
    rows = [(*variant, *place) for variant, *place in places]
    table = pd.DataFrame(rows, columns=["model", "order", "window", "fold", "replicate", "split", "output"])
    return table.assign(study="deepsea", metric="auprc", value=rng.random(len(table)), n=10)


def one_output(folds=("all",), replicates=(0, 1, 2, 3, 4)):
    rng = np.random.default_rng(1)
    variants = [("dna", "1", "0"), ("dna", "3", "0.2"), ("joint", "", "")]
    splits = {"dna": ["validation", "test"], "joint": ["validation", "test", "test_swapped"]}
    rows = [
        (*variant, fold, replicate, split, "jund")
        for variant, fold, replicate in itertools.product(variants, folds, replicates)
        for split in splits[variant[0]]
    ]
    table = pd.DataFrame(rows, columns=["model", "order", "dropout", "fold", "replicate", "split", "output"])
    return table.assign(study="jund", metric="auprc", value=rng.random(len(table)), n=10)


def statement(quantity, a, b=("", ""), **changes):
    values = dict(zip(("model_a", "variant_a", "model_b", "variant_b"), (*a, *b), strict=True))
    fixed = {"statement": "s", "source": "Fig. 1", "study": "deepsea", "metric": "auprc", "split": "test"}
    return {**dict.fromkeys(STATEMENT_COLUMNS, ""), **fixed, "quantity": quantity, **values, **changes}


def ours(*statements, scores):
    return compare_published(pd.DataFrame(statements, columns=list(STATEMENT_COLUMNS)), scores, CLASSES)


def values_of(scores, model, split="test", **grid):
    chosen = scores[(scores["model"] == model) & (scores["split"] == split)]
    for key, value in grid.items():
        chosen = chosen[chosen[key] == value]
    return chosen


A, B = ("danq", "order~3_window~500"), ("danq", "order~1_window~500")


@pytest.mark.parametrize("chosen", [{}, {"class": "TF"}, {"output": "*Pol3"}, {"output": "tf*", "class": "TF"}])
def test_quantities_over_outputs_against_pandas(chosen):
    scores = many_outputs()
    a, b = (
        values_of(scores, "danq", order=order, window="500").groupby("output")["value"].mean() for order in ("3", "1")
    )
    kept = [
        name
        for name in OUTPUTS
        if ("tf" in name or not chosen.get("class")) and (name.endswith("Pol3") or chosen.get("output") != "*Pol3")
    ]
    kept = [name for name in kept if name.startswith("tf") or chosen.get("output") != "tf*"]
    a, b = a[kept], b[kept]
    difference, relative = a - b, (a - b) / b
    expected = {
        "median": a.median(),
        "mean": a.mean(),
        "se": stats.sem(a),
        "smallest": a.min(),
        "largest": a.max(),
        "median_difference": difference.median(),
        "mean_difference": difference.mean(),
        "smallest_difference": difference.min(),
        "largest_difference": difference.max(),
        "count_at_least": (difference >= 0.05).sum(),
        "share_at_least": (difference >= 0.05).mean(),
        "median_relative": relative.median(),
        "mean_relative": relative.mean(),
        "smallest_relative": relative.min(),
        "largest_relative": relative.max(),
        "count_at_least_relative": (relative >= 0.05).sum(),
        "share_at_least_relative": (relative >= 0.05).mean(),
    }
    assert set(expected) == set(QUANTITIES)
    alone = ("median", "mean", "se", "smallest", "largest")
    statements = [
        statement(name, A, ("", "") if name in alone else B, threshold="0.05" if "at_least" in name else "", **chosen)
        for name in expected
    ]
    table = ours(*statements, scores={"deepsea": scores})
    assert table["ours"].tolist() == pytest.approx(list(expected.values()))
    assert table["n"].tolist() == [len(kept)] * len(expected)
    assert (table["note"] == "").all()
    assert tuple(table.columns) == PUBLISHED_COLUMNS


def test_threshold_itself_counts():
    scores = many_outputs()
    scores["value"] = np.where(scores["order"] == "3", 0.75, 0.5)
    found = ours(
        statement("count_at_least", A, B, threshold="0.25"),
        statement("count_at_least_relative", A, B, threshold="0.5"),
        statement("count_at_least", A, B, threshold="0.26"),
        statement("count_at_least", B, A, threshold="-0.25"),
        scores={"deepsea": scores},
    )
    assert found["ours"].tolist() == [11, 11, 0, 11]


def test_a_gain_over_a_negative_score_is_no_relative_loss():
    scores = many_outputs()
    scores.loc[scores["output"].isin(OUTPUTS[:2]) & (scores["order"] == "1"), "value"] *= -1
    table = ours(
        statement("smallest_relative", A, B), statement("smallest_difference", A, B), scores={"deepsea": scores}
    )
    assert table["n"].tolist() == [len(OUTPUTS) - 2, len(OUTPUTS)]


def test_undefined_outputs_are_left_out():
    scores = many_outputs()
    scores.loc[scores["output"].isin(OUTPUTS[:2]), "value"] = np.nan
    table = ours(statement("mean_difference", A, B), scores={"deepsea": scores})
    assert table["n"].tolist() == [9]
    assert not np.isnan(table["ours"][0])
    scores["value"] = np.nan
    table = ours(statement("mean_difference", A, B), statement("mean", A), scores={"deepsea": scores})
    assert table["note"].tolist() == ["no score is defined"] * 2
    assert table["ours"].isna().all()


def test_replicates_are_compared_by_their_medians_or_means():
    scores = one_output()
    a, b = (values_of(scores, "dna", order=order)["value"] for order in ("3", "1"))
    sides = ("dna", "order~3_dropout~0.2"), ("dna", "order~1_dropout~0.0")
    table = ours(
        *(statement(name, *sides, study="jund") for name in ("median_difference", "mean_difference")),
        *(statement(name, *sides, study="jund") for name in ("median_relative", "largest_difference")),
        *(statement(name, sides[0], study="jund") for name in ("median", "smallest", "largest", "se")),
        scores={"jund": scores},
    )
    expected = [a.median() - b.median(), a.mean() - b.mean(), (a.median() - b.median()) / b.median(), np.nan]
    assert table["ours"].tolist() == pytest.approx([*expected, a.median(), a.min(), a.max(), stats.sem(a)], nan_ok=True)
    assert table["n"].tolist()[:3] == [5, 5, 5]
    assert table["note"].tolist() == ["", "", "", "largest_difference needs pairs: several outputs or folds", *[""] * 4]


def test_folds_are_pairs_after_the_mean_over_replicates():
    scores = one_output(folds=("chr2", "chr3", "chr4"), replicates=(0, 1))
    a, b = (values_of(scores, "dna", order=order).groupby("fold")["value"].mean() for order in ("3", "1"))
    sides = ("dna", "order~3"), ("dna", "order~1")
    table = ours(
        statement("median_difference", *sides, study="jund"),
        statement("largest_relative", *sides, study="jund"),
        statement("mean", sides[0], study="jund"),
        statement("se", sides[0], study="jund"),
        scores={"jund": scores},
    )
    expected = [(a - b).median(), ((a - b) / b).max(), a.mean(), stats.sem(a)]
    assert table["ours"].tolist() == pytest.approx(expected)
    assert table["n"].tolist() == [3] * 4


def test_model_without_inputs_to_swap_stands_on_its_test_scores():
    scores = one_output()
    wanted = statement(
        "median_difference", ("joint", ""), ("dna", "order~3_dropout~0.2"), study="jund", split="test_swapped"
    )
    row = ours(wanted, scores={"jund": scores}).iloc[0]
    swapped, plain = values_of(scores, "joint", "test_swapped"), values_of(scores, "dna", order="3")
    assert row.ours == pytest.approx(swapped["value"].median() - plain["value"].median())
    assert row.note == "dna scored on test, it has no inputs to swap"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"study": "cage"}, "the run has no study 'cage'"),
        ({"metric": "auroc"}, "no scores by auroc on test"),
        ({"model_a": "deepsea"}, "No variant has {model: deepsea"),
        ({"variant_a": "order~7"}, "No variant has {model: danq, order: 7}"),
        ({"variant_a": "strands~both"}, "'strands' is no key"),
        ({"variant_a": ""}, "3 variants have {model: danq}"),
        ({"variant_a": "order"}, "'order' names no variant: 'order' has no value"),
        ({"class": "Histone"}, "the study has no output any of class Histone"),
        ({"output": "*Nrsf*"}, r"the study has no output \*Nrsf\*"),
    ],
)
def test_what_the_run_lacks_is_said(changes, note):
    good = statement("mean_difference", A, B)
    table = ours(good, {**good, **changes}, good, scores={"deepsea": many_outputs()})
    assert table["note"].str.contains(note).tolist() == [False, True, False]
    assert table["ours"].isna().tolist() == [False, True, False]
    assert table["n"].isna().tolist() == [False, True, False]


def test_statements_keep_their_order_and_text(tmp_path):
    statements = [
        statement("mean", A, statement="first", published="2.97e-5"),
        statement("median", ("dna", "order~1"), statement="second", study="jund", published="> 0"),
        statement("mean", B, statement="third", split="validation", threshold=""),
    ]
    table = ours(*statements, scores={"deepsea": many_outputs(), "jund": one_output()})
    assert table["statement"].tolist() == ["first", "second", "third"]
    write_table(table, tmp_path / "published.tsv")
    back = read_table(tmp_path / "published.tsv")
    assert back["published"].tolist() == ["2.97e-5", "> 0", ""]
    pd.testing.assert_frame_equal(back, table, check_dtype=False, check_exact=True)


def test_no_statements_give_an_empty_table():
    assert tuple(ours(scores={}).columns) == PUBLISHED_COLUMNS


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("order~3_window~1000_strands~both", {"order": "3", "window": "1000", "strands": "both"}),
        ("dropout~0.2", {"dropout": "0.2"}),
        ("normalize~my_norm_k~5", {"normalize": "my_norm", "k": "5"}),
        ("default", {}),
        ("", {}),
    ],
)
def test_names_of_variants_are_taken_apart(name, values):
    assert variant_values(name) == values


# --- the sheet -------------------------------------------------------------------------------------------------------


def write_sheet(path, *statements, columns=STATEMENT_COLUMNS):
    pd.DataFrame(statements, columns=list(columns)).to_csv(path, sep="\t", index=False)
    return path


def test_sheet_is_read_as_text(tmp_path):
    path = write_sheet(tmp_path / "p.tsv", statement("count_at_least", A, B, threshold="0.10", published="213"))
    row = read_published(path).iloc[0]
    assert (row.threshold, row.published, row.output) == ("0.10", "213", "")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (statement("average", A), "line 3: quantity 'average' is unknown; choose from median"),
        (statement("mean", A, B), "line 3: mean needs model_a and no model_b"),
        (statement("mean_difference", A), "line 3: mean_difference needs model_a and model_b"),
        (statement("mean", ("", "")), "line 3: mean needs model_a"),
        (statement("count_at_least", A, B), "line 3: count_at_least needs a number as threshold. Received: ''"),
        (statement("share_at_least_relative", A, B, threshold="5 %"), "line 3: .* Received: '5 %'"),
        (statement("mean", A, threshold="1"), "line 3: mean takes no threshold. Received: '1'"),
        (statement("mean", A, metric="auc"), "line 3: metric 'auc' is unknown"),
        (statement("mean", A, split=""), "line 3: study and split are needed"),
    ],
)
def test_wrong_statements_are_named_by_line(tmp_path, wrong, problem):
    path = write_sheet(tmp_path / "p.tsv", statement("mean", A), wrong)
    with pytest.raises(InputError, match=problem):
        read_published(path)


def test_all_wrong_lines_are_named_at_once(tmp_path):
    path = write_sheet(tmp_path / "p.tsv", statement("a", A), statement("mean", A), statement("b", A))
    with pytest.raises(InputError, match=r"line 2: .*\n.*line 4: "):
        read_published(path)


def test_sheet_that_is_none(tmp_path):
    with pytest.raises(InputError, match="Cannot read the published statements"):
        read_published(tmp_path / "missing.tsv")
    (tmp_path / "empty.tsv").write_text("")
    with pytest.raises(InputError, match="Cannot read the published statements"):
        read_published(tmp_path / "empty.tsv")
    path = write_sheet(tmp_path / "p.tsv", columns=STATEMENT_COLUMNS[1:])
    with pytest.raises(InputError, match="needs the columns statement, source"):
        read_published(path)


def test_the_paper_s_statements():
    sheet = read_published(SHEET)
    assert set(sheet["study"]) == {"jund", "deepsea", "cage"}
    assert not sheet.duplicated().any()
    table1 = sheet[(sheet["source"] == "Table 1") & (sheet["quantity"] == "mean")]
    assert sorted(table1["published"]) == ["0.533", "0.559", "0.585", "0.775", "0.777", "0.783", "0.784"]
    assert {"213", "39", "0.702", "0.346", "0.083", "0.093", "2.97e-5"} <= set(sheet["published"])
    names = {*sheet["variant_a"], *sheet["variant_b"]}
    assert {key for name in names for key in variant_values(name)} == {
        *("order", "dropout", "normalize", "augment", "window", "strands")
    }


def test_the_paper_s_sheet_on_a_run_without_its_studies():
    table = compare_published(read_published(SHEET), {}, CLASSES)
    assert table["ours"].isna().all()
    assert set(table["note"]) == {f"the run has no study {name!r}" for name in ("jund", "deepsea", "cage")}
