"""Ranks of bases inside expected intervals, against scikit-learn and plain counting."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers.data.regions import region_table
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, InputLayout
from helpers.evaluation.expected import COLUMNS, rank_bases

FLANK, LENGTH = 5, 30
WINDOWS = region_table(["chr1", "chr1", "chr2", "chr2"], [20, 60, 20, 90], [40, 80, 40, 110])
INTERVALS = region_table(["chr1", "chr1", "chr1", "chr2", "chr3"], [24, 44, 56, 0, 20], [31, 46, 59, 18, 40])


def attributions(seed=0, kind="sequence"):
    rng = np.random.default_rng(seed)
    letters = rng.integers(0, 4, (4, LENGTH))
    values = np.where(np.arange(4) == letters[..., None], rng.normal(size=(4, LENGTH, 1)), 0).round(1)
    layouts = {"dna": InputLayout(kind, FLANK, 1, list("ACGT"))}
    return Attributions(WINDOWS, layouts, {"x": {"dna": values}, "y": {"dna": -2 * values}}, {})


def marked(row):
    window = WINDOWS.iloc[row]
    places = np.arange(window["start"] - FLANK, window["end"] + FLANK)
    inside = np.zeros(LENGTH, dtype=bool)
    for interval in INTERVALS.itertuples():
        if interval.chrom == window["chrom"]:
            inside |= (interval.start <= places) & (places < interval.end)
    return inside


def test_windows_are_ranked_one_by_one():
    found = attributions()
    table = rank_bases(found, INTERVALS)
    assert list(table) == list(COLUMNS)
    assert table["output"].tolist() == ["x", "y"]
    rows = [row for row in range(4) if marked(row).any()]
    assert rows == [0, 1, 2]
    heights = [np.abs(found.values["x"]["dna"][row].sum(axis=1)) for row in rows]
    areas = [roc_auc_score(marked(row), height) for row, height in zip(rows, heights, strict=True)]
    tops = [marked(row)[height == height.max()].mean() for row, height in zip(rows, heights, strict=True)]
    for line in table.itertuples():
        assert line.windows == 3
        assert line.inside == sum(marked(row).sum() for row in rows) == 7 + 1 + 3 + 3
        assert line.outside == 3 * LENGTH - line.inside
        assert line.auroc == pytest.approx(np.mean(areas))
        assert line.auroc_se == pytest.approx(np.std(areas, ddof=1) / np.sqrt(3))
        assert line.top_inside == pytest.approx(np.mean(tops))
        assert line.top_expected == pytest.approx(line.inside / (3 * LENGTH))


def test_attribution_inside_alone_is_perfect_and_none_is_chance():
    found = attributions()
    inside = np.stack([marked(row) for row in range(4)])
    found.values["x"]["dna"] = np.where(inside[..., None], -1.0, 0.1) * np.array([1, 0, 0, 0])
    found.values["y"]["dna"] = np.zeros((4, LENGTH, 4))
    perfect, nothing = rank_bases(found, INTERVALS).itertuples()
    assert (perfect.auroc, perfect.auroc_se, perfect.top_inside) == (1, 0, 1)
    assert nothing.auroc == 0.5
    assert nothing.top_inside == pytest.approx(nothing.top_expected)


def test_without_an_interval_nothing_is_said():
    line = rank_bases(attributions(), INTERVALS.iloc[4:]).iloc[0]
    assert (line["windows"], line["inside"], line["outside"]) == (0, 0, 0)
    assert line[["auroc", "auroc_se", "top_inside", "top_expected"]].isna().all()
    one = rank_bases(attributions(), INTERVALS.iloc[3:]).iloc[0]
    assert one["windows"] == 1
    assert np.isfinite(one["auroc"])
    assert np.isnan(one["auroc_se"])


def test_coverage_has_no_bases():
    with pytest.raises(InputError, match="need a sequence. Received: dna"):
        rank_bases(attributions(kind="coverage"), INTERVALS)


def test_what_lies_behind_a_shorter_window_does_not_count():
    found = attributions()
    short = found.windows.copy()
    short.loc[0, "end"] = 30  # the window ends at 35 with its flank; 36 and on are no bases of it
    found = Attributions(short, found.layouts, found.values, {})
    (line, _) = rank_bases(found, INTERVALS).itertuples()
    inside, height = marked(0)[:20], np.abs(found.values["x"]["dna"][0].sum(axis=1))[:20]
    rows = [1, 2]
    areas = [roc_auc_score(marked(row), np.abs(found.values["x"]["dna"][row].sum(axis=1))) for row in rows]
    assert line.outside == (~inside).sum() + sum((~marked(row)).sum() for row in rows)
    assert line.auroc == pytest.approx(np.mean([roc_auc_score(inside, height), *areas]))
