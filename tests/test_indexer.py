"""Windows of regions against a loop that walks over each region, and the order in which they are presented."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.indexer import GenomicIndexer, Region, Windows
from helpers.data.regions import read_regions, region_table
from helpers.errors import InputError

slowly = settings(max_examples=100, deadline=None)


@st.composite
def region_lists(draw):
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, 300))
        rows.append(
            (draw(st.sampled_from(["c1", "c2"])), start, start + draw(st.integers(1, 40)), draw(st.sampled_from("+-.")))
        )
    return rows


def as_table(rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"]).astype({"start": int, "end": int})


def walk(rows, binsize, stepsize, zero_padding):
    """Lay windows one by one: full ones, then one shorter one if bases are left that no step skips by intention."""
    windows = []
    for chrom, start, end, strand in rows:
        left, reached = start, start
        while left < end:
            if left + binsize > end:
                if zero_padding and reached < end:
                    windows.append((chrom, left, end, strand))
                break
            windows.append((chrom, left, left + binsize, strand))
            reached = left + binsize
            left += stepsize
    return windows


def of_region(start, end, **arguments):
    indexer = GenomicIndexer.create_from_region("c", start, end, "+", **arguments)
    return [f"{region.start}-{region.end}" for region in indexer]


# ---- tiling ---------------------------------------------------------------------------------------------------------


@slowly
@given(region_lists(), st.integers(1, 20), st.integers(1, 25), st.integers(0, 9), st.booleans())
def test_tiling_as_a_walk(rows, binsize, stepsize, flank, zero_padding):
    indexer = GenomicIndexer.create_from_file(as_table(rows), binsize, stepsize, flank, zero_padding)
    expected = walk(rows, binsize, stepsize, zero_padding)
    arrays = (indexer.chrs, indexer.starts, indexer.ends, indexer.strand)
    assert list(zip(*(array.tolist() for array in arrays), strict=True)) == expected
    assert [tuple(region) for region in indexer] == [(c, s - flank, e + flank, d) for c, s, e, d in expected]
    assert len(indexer) == len(expected)


@slowly
@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 20), st.integers(1, 25))
def test_windows_stay_inside_their_region_and_padding_loses_no_base(start, length, binsize, stepsize):
    indexer = GenomicIndexer.create_from_region("c1", start, start + length, ".", binsize, stepsize)
    assert (indexer.starts >= start).all()
    assert (indexer.ends <= start + length).all()
    assert (indexer.ends - indexer.starts <= binsize).all()
    covered = {base for s, e in zip(indexer.starts, indexer.ends, strict=True) for base in range(s, e)}
    skipped = {start + base for base in range(length) if base % stepsize >= binsize}
    assert covered == set(range(start, start + length)) - skipped


@pytest.mark.parametrize(
    ("start", "end", "arguments", "expected"),
    [
        (100, 125, {"binsize": 10, "stepsize": 10}, "100-110 110-120 120-125"),
        (100, 125, {"binsize": 10, "stepsize": 10, "zero_padding": False}, "100-110 110-120"),
        (100, 125, {"binsize": 10, "stepsize": 5}, "100-110 105-115 110-120 115-125"),
        (100, 127, {"binsize": 10, "stepsize": 5}, "100-110 105-115 110-120 115-125 120-127"),
        (100, 125, {"binsize": 5, "stepsize": 10}, "100-105 110-115 120-125"),
        (100, 125, {"binsize": 5, "stepsize": 10, "zero_padding": False}, "100-105 110-115 120-125"),  # full: kept
        (100, 128, {"binsize": 5, "stepsize": 10}, "100-105 110-115 120-125"),  # no window longer than the bin
        (100, 123, {"binsize": 5, "stepsize": 10}, "100-105 110-115 120-123"),
        (100, 107, {"binsize": 10, "stepsize": 5}, "100-107"),
        (100, 104, {"binsize": 10, "stepsize": 5}, "100-104"),  # not before the region's start
        (100, 104, {"binsize": 10, "stepsize": 1}, "100-104"),  # not lost
        (100, 104, {"binsize": 10, "stepsize": 1, "zero_padding": False}, ""),
        (100, 125, {"binsize": 10, "stepsize": 10, "flank": 3}, "97-113 107-123 117-128"),
        (100, 125, {"binsize": 10, "stepsize": 10, "flank": 200}, "-100-310 -90-320 -80-325"),  # not clipped at 0
        (100, 125, {"binsize": None}, "100-125"),
        (100, 125, {"binsize": 10}, "100-110 110-120 120-125"),
    ],
)
def test_tiling_by_hand(start, end, arguments, expected):
    assert " ".join(of_region(start, end, **arguments)) == expected


def test_binsize_of_the_longest_region():
    regions = region_table(["c", "c"], [0, 20], [10, 50])
    indexer = GenomicIndexer.create_from_file(regions, binsize=None, stepsize=None)
    assert (indexer.binsize, indexer.stepsize) == (30, 30)
    assert indexer.tostr() == ["c:0-10", "c:20-50"]
    collapsed = GenomicIndexer.create_from_file(regions, None, None, collapse=True)
    assert (collapsed.binsize, collapsed.stepsize, collapsed.collapse) == (None, 1, True)
    assert collapsed.tostr() == ["c:0-10", "c:20-50"]


def test_one_window_for_each_contig():
    indexer = GenomicIndexer.create_from_genomesize({"c2": 70, "c10": 1_000, "c1": 3})
    assert list(indexer) == [Region("c2", 0, 70, "."), Region("c10", 0, 1_000, "."), Region("c1", 0, 3, ".")]


def test_regions_from_a_file(tmp_path):
    (tmp_path / "roi.bed").write_text("c1\t0\t20\ta\t0\t-\nc2\t5\t10\tb\t0\t.\n")
    indexer = GenomicIndexer.create_from_file(tmp_path / "roi.bed", binsize=10, stepsize=10)
    assert [tuple(region) for region in indexer] == [("c1", 0, 10, "-"), ("c1", 10, 20, "-"), ("c2", 5, 10, ".")]


def test_no_regions():
    indexer = GenomicIndexer.create_from_file(region_table([], [], []), None, None, random_state=1)
    assert len(indexer) == 0
    assert list(indexer) == indexer.tostr() == []
    assert len(indexer.idx_by_region(include="c1")) == len(indexer.filter_by_region()) == 0
    assert len(indexer.to_regions()) == 0
    assert indexer.windows([]).starts.shape == (0,)


def test_add_interval_appends():
    indexer = GenomicIndexer(binsize=10, stepsize=10, flank=1)
    assert indexer.add_interval("c2", 0, 15, "-") is indexer
    indexer.add_interval("c1", 0, 10, "+").add_interval("c2", 50, 60, ".")
    assert indexer.chrom_names == ["c2", "c1"]
    assert indexer.chrom_codes.tolist() == [0, 0, 1, 0]
    expected = [("c2", -1, 11, "-"), ("c2", 9, 16, "-"), ("c1", -1, 11, "+"), ("c2", 49, 61, ".")]
    assert [tuple(region) for region in indexer] == expected


def test_add_gindexer_cuts_windows_anew():
    other = GenomicIndexer.create_from_file([("c2", 0, 25, "-"), ("c1", 7, 12, "+")], 10, flank=3, random_state=1)
    indexer = GenomicIndexer(4, flank=1).add_interval("c1", 0, 4, ".")
    assert indexer.add_gindexer(other) is indexer
    expected = [("c1", 0, 4, ".")]
    for start, end in ((0, 10), (10, 20), (20, 25)):
        expected += [("c2", left, min(left + 4, end), "-") for left in range(start, end, 4)]
    expected += [("c1", 7, 11, "+"), ("c1", 11, 12, "+")]
    assert [(chrom, start + 1, end - 1, strand) for chrom, start, end, strand in indexer] == expected
    n_windows = len(indexer)
    assert len(indexer.add_gindexer(indexer)) == 2 * n_windows
    with pytest.raises(InputError, match="takes a GenomicIndexer. Received: list"):
        indexer.add_gindexer([("c1", 0, 4)])


@slowly
@given(region_lists(), st.integers(1, 20))
def test_one_by_one_is_all_at_once(rows, binsize):
    indexer = GenomicIndexer(binsize)
    for row in rows:
        indexer.add_interval(*row)
    assert list(indexer) == list(GenomicIndexer.create_from_file(as_table(rows), binsize))


@pytest.mark.parametrize(
    "bad", [("c1", -1, 5, "+"), ("", 1, 5, "+"), ("c1", 1.0, 5, "+"), ("c1", 1, 10**13, "+"), ("c1", 1, 5, "x")]
)
def test_a_bad_interval_is_not_added(bad):
    indexer = GenomicIndexer(5)
    with pytest.raises(InputError):
        indexer.add_interval(*bad)
    assert len(indexer) == 0


# ---- access ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[None, 3])
def indexer(request):
    regions = region_table(["c2", "c1", "c2"], [0, 100, 200], [50, 130, 220], strand=["-", "+", "."])
    return GenomicIndexer.create_from_file(regions, 10, 10, flank=2, random_state=request.param)


def test_every_way_to_index_agrees(indexer):
    n_windows, all_windows = len(indexer), list(indexer)
    assert n_windows == 10
    assert [indexer[i] for i in range(n_windows)] == all_windows
    assert [indexer[np.int32(i - n_windows)] for i in range(n_windows)] == all_windows
    mask = np.arange(n_windows) % 3 == 0
    for index in (mask, mask.tolist(), [0, 3, 6, -1], np.array([0, 3, 6, 9], dtype=np.uint8), slice(None, None, 3)):
        windows = indexer.windows(index)
        assert isinstance(windows, Windows)
        assert [Region(*row) for row in zip(*(column.tolist() for column in windows), strict=True)] == all_windows[::3]
    for part in (slice(-2, None), slice(None, None, -1), slice(3, 3), slice(0, 100)):
        assert indexer[part] == all_windows[part]
    assert indexer.windows(slice(-2, None)).starts.tolist() == [region.start for region in all_windows[-2:]]
    assert indexer.windows(4).starts.tolist() == [all_windows[4].start]
    regions = indexer.to_regions()
    assert regions["start"].tolist() == [region.start + 2 for region in all_windows]
    assert regions["strand"].tolist() == [region.strand for region in all_windows]


def test_bad_indices(indexer):
    for index in (10, -11):
        with pytest.raises(IndexError):
            indexer[index]
    for index in ([10], np.array([0.5]), np.ones(9, dtype=bool)):
        with pytest.raises(IndexError):
            indexer.windows(index)
    for index in ("c1", 1.0, True, [1], (0, 1)):
        with pytest.raises(TypeError, match="windows"):
            indexer[index]


def test_random_state_permutes_what_is_presented_not_what_is_stored():
    arguments = {"regions": region_table(["c"], [0], [50]), "binsize": 10, "stepsize": 10}
    indexer = GenomicIndexer.create_from_file(**arguments, random_state=3)
    assert [region.start for region in indexer] == [30, 40, 10, 0, 20]  # as Janggu presents it
    assert indexer.starts.tolist() == [0, 10, 20, 30, 40]
    assert indexer.starts[indexer.order].tolist() == [30, 40, 10, 0, 20]
    assert GenomicIndexer.create_from_file(**arguments).order.tolist() == [0, 1, 2, 3, 4]
    indexer.add_interval("c", 50, 60, "+")
    assert sorted(indexer.order.tolist()) == [0, 1, 2, 3, 4, 5]


def test_indices_by_region_count_as_presented(indexer):
    for criteria in (
        {"include": "c2"},
        {"include": ["c1", "c9"]},
        {"exclude": ("c2",)},
        {"include": "c2", "start": 18, "end": 42},
        {"end": 8},
        {"include": "c9"},
        {"include": []},
        {"exclude": []},
        {"include": np.array(["c1"])},
        {},
    ):
        found = indexer.idx_by_region(**criteria)
        include, exclude = criteria.get("include", ["c1", "c2"]), criteria.get("exclude", ())
        expected = [
            i
            for i, (chrom, start, end, _) in enumerate(indexer)
            if chrom in include and chrom not in exclude
            if end > criteria.get("start", -99) and start < criteria.get("end", 999)
        ]
        assert found.tolist() == expected
        part = indexer.filter_by_region(**criteria)
        assert sorted(part) == sorted(indexer[i] for i in found)
        assert (part.binsize, part.flank, part.random_state) == (10, 2, indexer.random_state)
    assert len(indexer.filter_by_region(include=iter(["c1"]))) == 3


def test_export_has_one_line_for_each_index(indexer, tmp_path):
    indexer.export_to_bed(tmp_path / "windows.bed")
    regions = read_regions(tmp_path / "windows.bed")
    expected = [(chrom, max(start, 0), end, strand) for chrom, start, end, strand in indexer]
    assert [tuple(row) for row in regions[["chrom", "start", "end", "strand"]].to_numpy(dtype=object)] == expected
    assert indexer.tostr()[0] == "{}:{}-{}".format(*indexer[0])


def test_pickled_and_back(indexer):
    again = pickle.loads(pickle.dumps(indexer))
    assert list(again) == list(indexer)
    assert again.order.tolist() == indexer.order.tolist()
    assert repr(again) == repr(indexer)
    assert "10 windows on 2 contigs" in repr(indexer)


def test_a_million_windows_are_cut_at_once():
    regions = region_table(["c1"] * 10_000, np.arange(10_000) * 30_000, np.arange(10_000) * 30_000 + 20_000)
    indexer = GenomicIndexer.create_from_file(regions, 200, 200, flank=150, random_state=1)
    assert len(indexer) == 1_000_000
    windows = indexer.windows(np.arange(0, 1_000_000, 7))
    assert (windows.ends - windows.starts == 500).all()
    assert np.unique(indexer.order).size == 1_000_000


@pytest.mark.parametrize(
    "arguments",
    [
        {"binsize": None},
        {"binsize": 0},
        {"binsize": 10.0},
        {"binsize": 10, "stepsize": -1},
        {"binsize": 10, "flank": -1},
        {"binsize": 10, "flank": 1.5},
        {"binsize": True},
        {"binsize": 10, "random_state": "x"},
        {"binsize": 10, "random_state": 2**32},
    ],
)
def test_bad_arguments(arguments):
    with pytest.raises(InputError, match="Received: "):
        GenomicIndexer(**arguments)


def test_bad_regions():
    with pytest.raises(InputError, match="start must be smaller than end"):
        GenomicIndexer(10).add_interval("c1", 9, 9, "+")
    with pytest.raises(InputError, match="strand must be"):
        GenomicIndexer.create_from_region("c1", 0, 9, "?!", binsize=5)
