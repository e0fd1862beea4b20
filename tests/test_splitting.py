"""Splits against a loop over all pairs of windows: nothing seen in one split is seen in another, and no row is lost."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.regions import read_regions, region_table, write_regions
from helpers.data.split_checks import check_splits
from helpers.data.splitting import SPLITS, in_part, split_regions
from helpers.errors import InputError

CHROMS = ("c1", "c2", "c3")
slowly = settings(max_examples=200, deadline=None)


def bins(chrom, *starts, width=10):
    return region_table([chrom] * len(starts), list(starts), [start + width for start in starts])


def together(*tables):
    """Put tables behind one another, and name each row, so that it can be followed."""
    table = pd.concat(tables, ignore_index=True)
    return table.assign(name=[f"r{number}" for number in range(len(table))])


def names(table):
    return [name.split(",")[0] for name in table["name"]]


# ---- a slow way to the same splits ----------------------------------------------------------------------------------


def slow_owner(regions, parts):
    """Give the split of each region, part after part and row after row."""
    owners = {}
    for split in SPLITS:
        for part in parts[split]:
            if isinstance(part, str):
                part = {"chrom": part, "start": -1}
            inside = [
                (row.start, row.end, row.Index)
                for row in regions.itertuples()
                if row.chrom == part["chrom"]
                and row.start >= part["start"]
                and ("end" not in part or row.end <= part["end"])
            ]
            for *_, row in sorted(inside)[: part.get("bins", len(inside))]:
                owners[row] = split
    return owners


def seen(region, reach):
    """Bases that a model sees of a region, as if the contig had no ends."""
    return {(region.chrom, base) for base in range(region.start - reach, region.end + reach)}


def slow_split(regions, parts, reach):
    """Take out what sees a base that a later split sees, the last split first."""
    owners = slow_owner(regions, parts)
    bases = [seen(row, reach) for row in regions.itertuples()]
    kept = {split: [] for split in SPLITS}
    taken = {}
    for split in reversed(SPLITS):
        for row in (row for row in range(len(regions)) if owners.get(row) == split):
            later = [
                other
                for other in SPLITS[SPLITS.index(split) + 1 :]
                if any(bases[row] & bases[held_out] for held_out in kept[other])
            ]
            if later:
                taken[row] = (split, later)
        kept[split] = [row for row in range(len(regions)) if owners.get(row) == split and row not in taken]
    return kept, taken


@st.composite
def studies(draw):
    """Regions in any order, overlapping or with gaps, and parts that do not contradict each other."""
    places = draw(st.lists(st.tuples(st.sampled_from(CHROMS), st.integers(0, 60), st.integers(1, 8)), max_size=14))
    regions = region_table(
        [chrom for chrom, *_ in places],
        [start for _, start, _ in places],
        [start + width for _, start, width in places],
        name=[f"r{number}" for number in range(len(places))],
    )
    part = {"chrom": st.sampled_from(CHROMS), "start": st.integers(0, 70)}
    part = st.fixed_dictionaries(part, optional={"end": st.integers(1, 70), "bins": st.integers(1, 5)})
    held_out = st.lists(st.sampled_from(CHROMS) | part, max_size=2)
    return regions, {
        "train": draw(st.lists(st.sampled_from(CHROMS), unique=True)),
        "validation": draw(held_out),
        "test": draw(held_out),
    }


def contradicts(regions, parts):
    """Whether validation and test take the same region."""
    nothing = dict.fromkeys(SPLITS, [])
    validation, test = (slow_owner(regions, nothing | {split: parts[split]}) for split in SPLITS[1:])
    return bool(set(validation) & set(test))


@slowly
@given(studies(), st.integers(0, 12))
def test_against_all_pairs_of_windows(study, reach):
    regions, parts = study
    before = regions.copy()
    if contradicts(regions, parts):
        with pytest.raises(InputError, match="are in validation and in test, the first c"):
            split_regions(regions, parts, reach=reach)
        return
    splits, overlapping = split_regions(regions, parts, reach=reach)
    kept, taken = slow_split(regions, parts, reach)
    assert list(splits) == list(SPLITS)
    for split, rows in kept.items():
        pd.testing.assert_frame_equal(splits[split], regions.iloc[rows].reset_index(drop=True))
    told = [f"r{row}, {split}: overlaps {' and '.join(later)}" for row, (split, later) in sorted(taken.items())]
    assert overlapping["name"].tolist() == told
    assert overlapping["split"].tolist() == [taken[row][0] for row in sorted(taken)]
    pd.testing.assert_frame_equal(regions, before)


@slowly
@given(studies(), st.integers(0, 12))
def test_no_base_is_seen_by_two_splits_and_no_row_is_lost(study, reach):
    regions, parts = study
    if contradicts(regions, parts):
        return
    splits, overlapping = split_regions(regions, parts, reach=reach)
    bases = [set().union(*(seen(row, reach) for row in splits[split].itertuples())) for split in SPLITS]
    assert not bases[0] & bases[1]
    assert not bases[0] & bases[2]
    assert not bases[1] & bases[2]
    unused = [f"r{row}" for row in range(len(regions)) if row not in slow_owner(regions, parts)]
    everything = [name for table in (*splits.values(), overlapping) for name in names(table)] + unused
    assert sorted(everything) == sorted(regions["name"])


# ---- by hand --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reach", "left"),
    [(0, [0, 10, 20]), (4, [0, 10, 20]), (5, [0, 10, 20]), (6, [0, 10]), (10, [0, 10]), (11, [0]), (99, [])],
)
def test_reach_counts_on_both_sides(reach, left):
    # A gap of 10 bp lies between the last training bin and the test bin: flanks of 5 bp touch, of 6 bp overlap.
    regions = bins("c1", 0, 10, 20, 40)
    parts = {"train": ["c1"], "validation": [], "test": [{"chrom": "c1", "start": 40}]}
    splits, overlapping = split_regions(regions, parts, reach=reach)
    assert splits["train"]["start"].tolist() == left
    assert splits["test"]["start"].tolist() == [40]
    assert overlapping["start"].tolist() == [start for start in (0, 10, 20) if start not in left]
    assert set(overlapping["name"]) <= {"train: overlaps test"}


def test_part_in_the_middle_of_a_chromosome_with_gaps():
    regions = bins("c7", 0, 10, 30, 100, 130, 140, 200, 210, 300)
    part = {"chrom": "c7", "start": 30, "bins": 4}  # 30, 100, 130, 140
    splits, overlapping = split_regions(regions, {"train": ["c7"], "validation": [part], "test": []}, reach=8)
    assert splits["validation"]["start"].tolist() == [30, 100, 130, 140]
    assert splits["train"]["start"].tolist() == [0, 200, 210, 300]
    assert overlapping["start"].tolist() == [10]  # ends at 20, 10 bp before the part


def test_ends_of_a_part_count_whole_regions():
    regions = bins("c1", 29, 30, 40, 45, 50)
    assert in_part(regions, {"chrom": "c1", "start": 30, "end": 55}).tolist() == [False, True, True, True, False]
    assert in_part(regions, {"chrom": "c1", "start": 30, "end": 54}).tolist() == [False, True, True, False, False]
    assert in_part(regions, {"chrom": "c2", "start": 0}).tolist() == [False] * 5
    assert in_part(regions, {"chrom": "c1", "start": 51}).tolist() == [False] * 5
    assert in_part(regions, "c1").tolist() == [True] * 5


def test_the_first_bins_go_by_position_and_not_by_row():
    regions = bins("c1", 50, 20, 40, 20, 30)
    assert in_part(regions, {"chrom": "c1", "start": 20, "bins": 3}).tolist() == [False, True, False, True, True]
    assert in_part(regions, {"chrom": "c1", "start": 20, "bins": 1}).tolist() == [False, True, False, False, False]
    assert in_part(regions, {"chrom": "c1", "start": 20, "bins": 99}).all()
    wide = region_table(["c1"] * 3, [30, 20, 20], [40, 90, 80])
    assert in_part(wide, {"chrom": "c1", "start": 20, "bins": 2}).tolist() == [False, True, True]
    assert in_part(wide, {"chrom": "c1", "start": 20, "bins": 1}).tolist() == [False, False, True]


def test_parts_of_one_chromosome_in_validation_and_test():
    regions = bins("c1", *range(0, 200, 10))
    parts = {
        "train": ["c1"],
        "validation": [{"chrom": "c1", "start": 50, "end": 100}],
        "test": [{"chrom": "c1", "start": 100, "end": 150}],
    }
    splits, overlapping = split_regions(regions, parts, reach=5)
    assert splits["test"]["start"].tolist() == [100, 110, 120, 130, 140]
    assert splits["validation"]["start"].tolist() == [50, 60, 70, 80]  # 90 sees what 100 sees
    assert splits["train"]["start"].tolist() == [0, 10, 20, 30, 160, 170, 180, 190]
    told = dict(zip(overlapping["start"], overlapping["name"], strict=True))
    assert told == {40: "train: overlaps validation", 90: "validation: overlaps test", 150: "train: overlaps test"}


def test_what_is_taken_out_of_validation_bars_no_training_region():
    regions = bins("c1", 0, 14, 28)
    parts = {
        "train": ["c1"],
        "validation": [{"chrom": "c1", "start": 14, "bins": 1}],
        "test": [{"chrom": "c1", "start": 28}],
    }
    splits, overlapping = split_regions(regions, parts, reach=3)  # 14 sees 11-27, of which 0 sees 11 and 12
    assert splits["train"]["start"].tolist() == [0]
    assert overlapping["start"].tolist() == [14]


def test_a_training_region_between_two_splits_names_both():
    regions = bins("c1", 0, 10, 20)
    parts = {
        "train": ["c1"],
        "validation": [{"chrom": "c1", "start": 0, "bins": 1}],
        "test": [{"chrom": "c1", "start": 20}],
    }
    _, overlapping = split_regions(regions.assign(name="gene"), parts, reach=1)
    assert overlapping["name"].tolist() == ["gene, train: overlaps validation and test"]


def test_splits_by_chromosome_lose_nothing(caplog):
    regions = together(bins("c2", 90, 0), bins("c1", 0, 5, 10), bins("c3", 7), bins("c4", 1))
    parts = {"train": ["c1"], "validation": ["c2"], "test": ["c3"]}
    with caplog.at_level(logging.INFO):
        splits, overlapping = split_regions(regions, parts, reach=10_000)
    assert [names(splits[split]) for split in SPLITS] == [["r2", "r3", "r4"], ["r0", "r1"], ["r5"]]
    assert len(overlapping) == 0
    assert "train: 3, validation: 2, test: 1, of no split: 1" in caplog.text


def test_what_was_taken_out_is_counted_and_written(tmp_path, caplog):
    regions = bins("c1", *range(0, 100, 10))
    parts = {"train": ["c1"], "validation": [], "test": [{"chrom": "c1", "start": 50, "bins": 2}]}
    with caplog.at_level(logging.INFO):
        _, overlapping = split_regions(regions, parts, reach=7)
    assert "taken out of train (they overlap held-out regions, 7 bp of flanks included): 4" in caplog.text
    write_regions(overlapping, tmp_path / "overlapping.bed")
    assert read_regions(tmp_path / "overlapping.bed")["start"].tolist() == [30, 40, 70, 80]


def test_bad_arguments():
    with pytest.raises(InputError, match="Received: reach=-1"):
        split_regions(bins("c1", 0), {"train": ["c1"], "validation": [], "test": []}, reach=-1)
    parts = {"train": [], "validation": ["c1"], "test": [{"chrom": "c1", "start": 5}]}
    with pytest.raises(InputError, match="2 regions are in validation and in test, the first c1:5-15. Correct `split`"):
        split_regions(bins("c1", 0, 5, 20), parts, reach=0)


def test_no_regions_at_all():
    splits, overlapping = split_regions(region_table([], [], []), dict.fromkeys(SPLITS, ["c1"]), reach=5)
    assert [len(table) for table in (*splits.values(), overlapping)] == [0, 0, 0, 0]


def test_millions_of_bins_against_a_mask():
    rng = np.random.default_rng(1)
    starts = np.sort(rng.choice(2_000_000, 1_000_000, replace=False)) * 200
    regions = region_table(np.repeat("chr7", len(starts)), starts, starts + 200)
    part = {"chrom": "chr7", "start": 30_508_750, "bins": 4_000}
    splits, overlapping = split_regions(regions, {"train": ["chr7"], "validation": [part], "test": []}, reach=900)
    first = np.searchsorted(starts, 30_508_750)
    assert splits["validation"]["start"].tolist() == starts[first : first + 4_000].tolist()
    sees = np.zeros(400_100_000 // 100, dtype=bool)  # all borders are multiples of 100 bp
    for start in splits["validation"]["start"] // 100:
        sees[start - 9 : start + 11] = True
    rest = np.r_[starts[:first], starts[first + 4_000 :]] // 100
    barred = np.array([sees[max(start - 9, 0) : start + 11].any() for start in rest])
    assert overlapping["start"].tolist() == (rest[barred] * 100).tolist()
    assert len(splits["train"]) == 996_000 - barred.sum()


# ---- splits without regions -----------------------------------------------------------------------------------------


def problems_of(regions, parts, *, reach=0, fold=""):
    """What check_splits says of the splits, line by line."""
    splits, overlapping = split_regions(regions, parts, reach=reach)
    try:
        check_splits(splits, parts, overlapping, fold=fold)
    except InputError as error:
        return str(error).splitlines()
    return []


GOOD = {"train": ["c1"], "validation": ["c2"], "test": ["c3"]}
SOME = together(*(bins(chrom, *range(0, 100, 10)) for chrom in CHROMS))


def test_good_splits_pass():
    assert problems_of(SOME, GOOD) == []
    part = {"chrom": "c1", "start": 50, "bins": 5}
    assert problems_of(SOME, GOOD | {"validation": [part]}, reach=4) == []
    assert (
        problems_of(SOME, {"train": ["c1"], "validation": [part], "test": [{"chrom": "c1", "start": 0, "end": 20}]})
        == []
    )


def test_a_fold_without_regions_is_named():
    first, last = problems_of(SOME, GOOD | {"validation": ["c21"]}, fold="c21")
    assert first.startswith(
        "Split 'validation of fold c21' has no regions on c21. Contigs with regions: c1 (10), c3 (10)"
    )
    assert last == "Choose other contigs under `split` or `folds` in the config."


def test_a_part_beyond_the_chromosome():
    first, _ = problems_of(SOME, GOOD | {"validation": [{"chrom": "c1", "start": 1000}]})
    assert first.startswith("Split 'validation' has no regions on c1 from 1000. Contigs with regions: c1 (10)")
    first, _ = problems_of(SOME, GOOD | {"validation": ["c2", {"chrom": "c1", "start": 1000, "end": 2000}]})
    assert first == "Split 'validation' has no regions in c1 from 1000 to 2000."


def test_fewer_bins_than_asked_for():
    first, _ = problems_of(SOME, GOOD | {"validation": [{"chrom": "c1", "start": 70, "bins": 4}]})
    assert first == "Split 'validation' has 3 regions in c1 from 70 (the first 4 bins)."
    # Those taken out, because they overlap test regions, were there.
    parts = {
        "train": ["c2"],
        "validation": [{"chrom": "c1", "start": 50, "bins": 5}],
        "test": [{"chrom": "c1", "start": 0, "end": 50}],
    }
    splits, overlapping = split_regions(SOME, parts, reach=3)
    assert [len(splits["validation"]), len(overlapping)] == [4, 1]
    check_splits(splits, parts, overlapping)


def test_a_split_that_loses_all_its_regions():
    parts = {"train": ["c1"], "validation": ["c2"], "test": [{"chrom": "c1", "start": 20, "end": 80}]}
    first, _ = problems_of(SOME, parts, reach=10)
    assert first == "Split 'train' keeps none of its 4 regions; the first: r0, train: overlaps test."


def test_all_problems_are_said_at_once():
    parts = {"train": ["c1", "c3"], "validation": ["c9"], "test": ["c3"]}
    told = problems_of(SOME, parts)
    assert len(told) == 3
    assert told[0].startswith("Split 'validation' has no regions on c9.")
    assert told[1] == "c3 is in the splits train and test."
