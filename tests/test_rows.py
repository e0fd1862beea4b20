"""Regions of a split found among all windows, against a loop with a dictionary."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.regions import read_regions, region_table, write_regions
from helpers.data.rows import find_rows, locate_rows, region_fingerprint
from helpers.errors import InputError

PLACE = st.tuples(
    st.sampled_from(["chr1", "chr10", "chrX"]), st.integers(0, 6), st.integers(1, 3), st.sampled_from("+-.")
)


def as_table(places):
    starts = [start for _, start, _, _ in places]
    ends = [start + length for _, start, length, _ in places]
    return region_table([chrom for chrom, *_ in places], starts, ends, strand=[place[-1] for place in places])


@settings(max_examples=150, deadline=None)
@given(windows=st.lists(PLACE, max_size=30), data=st.data())
def test_rows_are_those_that_a_dictionary_finds(windows, data):
    chosen = data.draw(st.lists(st.sampled_from(windows), max_size=20)) if windows else []
    first = {}
    for row, place in enumerate(windows):
        first.setdefault(place, row)
    rows = find_rows(as_table(chosen), as_table(windows))
    assert rows.tolist() == [first[place] for place in chosen]
    assert rows.dtype == np.int64
    missing = data.draw(PLACE)
    if missing not in windows:
        with pytest.raises(InputError, match=rf"1 of {len(chosen) + 1} regions are not among the {len(windows)}"):
            find_rows(as_table([*chosen, missing]), as_table(windows))


def test_rows_of_a_split_on_disk_are_those_of_its_windows(tmp_path):
    rng = np.random.default_rng(3)
    starts = np.sort(rng.choice(5000, 900, replace=False)).reshape(3, 300) * 200
    windows = region_table(np.repeat(["chr2", "chr10", "chr1"], 300), starts.ravel(), starts.ravel() + 200)
    write_regions(windows, tmp_path / "all.bed")
    for chroms in (["chr10"], ["chr1", "chr2"], ["chr4"]):
        write_regions(windows[windows["chrom"].isin(chroms)], tmp_path / "split.bed")
        located = locate_rows(read_regions(tmp_path / "split.bed"), read_regions(tmp_path / "all.bed"))
        assert located.rows.tolist() == np.flatnonzero(windows["chrom"].isin(chroms)).tolist()
        assert located.table == region_fingerprint(windows)


@pytest.mark.parametrize(
    "other",
    [("chr2", 5, 4, "+"), ("chr1", 6, 4, "+"), ("chr1", 5, 5, "+"), ("chr1", 4, 5, "+"), ("chr1", 5, 4, "-")],
)
def test_a_region_that_differs_anywhere_is_not_found_and_has_another_fingerprint(other):
    windows = as_table([("chr1", 5, 4, "+"), ("chr1", 5, 4, ".")])
    with pytest.raises(InputError, match=rf"the first is {other[0]}:{other[1]}-{other[1] + other[2]}, strand"):
        find_rows(as_table([other]), windows)
    changed = as_table([other, ("chr1", 5, 4, ".")])
    assert region_fingerprint(changed) != region_fingerprint(windows)
    assert region_fingerprint(windows[::-1]) != region_fingerprint(windows) == region_fingerprint(windows.copy())


def test_positions_as_large_as_files_may_hold_are_found():
    places = [(f"chr{number}", start, 1 + number, "-") for number in range(400) for start in (0, 10**12 - 500)]
    rows = np.random.default_rng(0).permutation(len(places))
    assert find_rows(as_table([places[row] for row in rows]), as_table(places)).tolist() == rows.tolist()
