"""Regions against slow loops over single bases, against pyranges, and against files as people write them."""

import gzip
import logging
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.regions import (
    REGION_COLUMNS,
    Region,
    extend_regions,
    merge_regions,
    overlap_fraction,
    overlaps_any,
    parse_region,
    read_chrom_sizes,
    read_regions,
    region_table,
    select_chroms,
    sort_regions,
    subtract_regions,
    tile_regions,
    trim_regions,
    write_chrom_sizes,
    write_regions,
)
from helpers.data.roi import bins_around_peaks, dropped_regions, make_regions
from helpers.errors import InputError

SIZES = {"c2": 40, "c1": 60, "c10": 33}  # not in alphabetical order
slowly = settings(max_examples=100, deadline=None)


@st.composite
def region_tables(draw, max_regions=12, chroms=tuple(SIZES)):
    """Unsorted regions: nested, adjacent, equal, at contig ends, on any or no contig."""
    rows = []
    for chrom in draw(st.lists(st.sampled_from(chroms), max_size=max_regions)):
        start = draw(st.integers(0, SIZES[chrom] - 1))
        end = draw(st.integers(start + 1, SIZES[chrom]))
        rows.append((chrom, start, end, draw(st.sampled_from("+-."))))
    chroms, starts, ends, strands = zip(*rows, strict=True) if rows else ([], [], [], [])
    return region_table(chroms, starts, ends, name=[f"r{i}" for i in range(len(rows))], strand=list(strands))


def triples(regions):
    return [tuple(row) for row in regions[["chrom", "start", "end"]].to_numpy(dtype=object).tolist()]


def bases(regions):
    return {(chrom, base) for chrom, start, end in triples(regions) for base in range(start, end)}


def runs(covered):
    """Join neighbouring bases to (chrom, start, end), base by base."""
    found = []
    for chrom, base in sorted(covered):
        if found and found[-1][0] == chrom and found[-1][2] == base:
            found[-1] = (chrom, found[-1][1], base + 1)
        else:
            found.append((chrom, base, base + 1))
    return found


def is_region_table(table):
    kinds = [table[name].dtype for name in ("start", "end", "score")]
    text = all(isinstance(value, str) for name in ("chrom", "name", "strand") for value in table[name])
    return text and kinds == [np.int64, np.int64, np.float64] and isinstance(table.index, pd.RangeIndex)


# ---- arithmetic -----------------------------------------------------------------------------------------------------


@slowly
@given(region_tables(), st.integers(0, 6))
def test_merge_joins_what_lies_close(regions, distance):
    joined = []
    for chrom, start, end in runs(bases(regions)):
        if joined and joined[-1][0] == chrom and start - joined[-1][2] <= distance:
            start = joined.pop()[1]
        joined.append((chrom, start, end))
    before = regions.copy()
    merged = merge_regions(regions, distance)
    assert triples(merged) == joined
    assert is_region_table(merged)
    pd.testing.assert_frame_equal(regions, before)


@slowly
@given(region_tables(), st.integers(0, 70))
def test_extend_stops_at_contig_ends(regions, by):
    extended = extend_regions(regions, by, SIZES)
    for (chrom, start, end), grown in zip(triples(regions), triples(extended), strict=True):
        reached = [base for base in range(SIZES[chrom]) if start - by <= base < end + by]
        assert grown == (chrom, reached[0], reached[-1] + 1)
    assert extended["strand"].tolist() == regions["strand"].tolist()


@slowly
@given(region_tables(), region_tables())
def test_subtract_cuts_each_region_by_itself(regions, minus):
    pieces = subtract_regions(regions, minus)
    expected = []
    for index in range(len(regions)):
        region = regions.iloc[[index]]
        expected += [(*piece, *region.iloc[0][["name", "strand"]]) for piece in runs(bases(region) - bases(minus))]
    found = pieces[["chrom", "start", "end", "name", "strand"]].to_numpy(dtype=object).tolist()
    assert [tuple(row) for row in found] == expected
    assert is_region_table(pieces)


@slowly
@given(region_tables(), st.integers(1, 9))
def test_trim_keeps_whole_grid_cells(regions, multiple):
    expected = []
    for chrom, start, end in triples(regions):
        cells = [cell for cell in range(0, 70, multiple) if start <= cell and cell + multiple <= end]
        expected += [(chrom, cells[0], cells[-1] + multiple)] if cells else []
    trimmed, n_dropped = trim_regions(regions, multiple)
    assert triples(trimmed) == expected
    assert n_dropped == len(regions) - len(expected)


@slowly
@given(region_tables(), st.integers(1, 12), st.integers(1, 15))
def test_tile_lays_full_windows(regions, binsize, stepsize):
    expected = []
    for index, (chrom, start, end) in enumerate(triples(regions)):
        while start + binsize <= end:
            expected.append((chrom, start, start + binsize, f"r{index}", regions["strand"][index]))
            start += stepsize
    tiled = tile_regions(regions, binsize, stepsize)
    found = tiled[["chrom", "start", "end", "name", "strand"]].to_numpy(dtype=object).tolist()
    assert [tuple(row) for row in found] == expected
    assert is_region_table(tiled)


@slowly
@given(region_tables(), region_tables())
def test_overlaps_count_shared_bases(windows, features):
    shared = [len(bases(windows.iloc[[index]]) & bases(features)) for index in range(len(windows))]
    lengths = (windows["end"] - windows["start"]).tolist()
    assert overlaps_any(windows, features).tolist() == [n > 0 for n in shared]
    fractions = [n / length for n, length in zip(shared, lengths, strict=True)]
    np.testing.assert_allclose(overlap_fraction(windows, features), fractions)


@slowly
@given(region_tables(), region_tables(max_regions=4), st.integers(0, 8), st.integers(1, 7))
def test_bins_are_the_allowed_grid_cells(peaks, blacklist, extend, binsize):
    near = {
        (chrom, base)
        for chrom, start, end in triples(peaks)
        for base in range(max(start - extend, 0), min(end + extend, SIZES[chrom]))
    }
    allowed = near - bases(blacklist)
    expected = [
        (chrom, cell, cell + binsize)
        for chrom in SIZES
        for cell in range(0, SIZES[chrom] - binsize + 1, binsize)
        if all((chrom, base) in allowed for base in range(cell, cell + binsize))
    ]
    bins, counts = bins_around_peaks(peaks, SIZES, extend=extend, binsize=binsize, blacklist=blacklist)
    assert triples(bins) == expected
    short = [run for run in runs(allowed) if run[2] // binsize <= -(-run[1] // binsize)]
    assert counts == {
        "peaks": len(peaks),
        "merged": len(runs(near)),
        "after_blacklist": len(runs(allowed)),
        "dropped_pieces": len(short),
        "dropped_bp": sum(end - start for _, start, end in short),
        "trimmed_bp": len(allowed) - sum(end - start for _, start, end in short) - binsize * len(expected),
        "bins": len(expected),
    }


def test_bins_by_hand():
    peaks = region_table(["chr1", "chr1"], [1000, 1150], [1200, 1300])  # merged: 1000-1300, extended: 500-1800
    blacklist = region_table(["chr1"], [1210], [1250])  # pieces 500-1210 and 1250-1800, trimmed 600-1200 and 1400-1800
    bins, counts = bins_around_peaks(peaks, {"chr1": 5000}, extend=500, binsize=200, blacklist=blacklist)
    assert bins["start"].tolist() == [600, 800, 1000, 1400, 1600]
    assert (bins["end"] - bins["start"] == 200).all()
    assert counts["trimmed_bp"] == 100 + 10 + 150
    assert counts["dropped_pieces"] == 0


def test_touching_is_not_overlapping_but_merges():
    left, right = region_table(["c1"], [0], [5]), region_table(["c1"], [5], [9])
    assert not overlaps_any(left, right)[0]
    assert overlap_fraction(right, left)[0] == 0
    assert triples(merge_regions(pd.concat([right, left]))) == [("c1", 0, 9)]
    assert triples(subtract_regions(left, right)) == [("c1", 0, 5)]


def test_contigs_do_not_touch_each_other():
    end_of_one = region_table(["c1"], [50], [60])
    start_of_next = region_table(["c10"], [0], [10])
    both = pd.concat([end_of_one, start_of_next], ignore_index=True)
    assert len(merge_regions(both, distance=1000)) == 2
    assert not overlaps_any(end_of_one, start_of_next).any()


def test_windows_may_reach_beyond_the_contig():
    windows = region_table(["c1", "c1", "c2"], [-10, 55, -10], [10, 75, 10])
    features = region_table(["c1", "c1"], [0, 55], [5, 60])
    np.testing.assert_allclose(overlap_fraction(windows, features), [0.25, 0.25, 0])


@pytest.mark.parametrize("missing", ["both", "left", "right"])
def test_empty_tables(missing):
    empty, some = region_table([], [], []), region_table(["c1"], [3], [30])
    left, right = (empty if missing in ("both", side) else some for side in ("left", "right"))
    assert overlaps_any(left, right).tolist() == [False] * len(left)
    assert overlap_fraction(left, right).tolist() == [0.0] * len(left)
    assert triples(subtract_regions(left, right)) == triples(left)
    for table in (merge_regions(empty), tile_regions(empty, 5), trim_regions(empty, 5)[0], sort_regions(empty)):
        assert len(table) == 0
        assert list(table.columns) == list(REGION_COLUMNS)
    bins, counts = bins_around_peaks(empty, SIZES, extend=5, binsize=5, blacklist=some)
    assert len(bins) == 0
    assert set(counts.values()) == {0}


def test_sort_follows_the_order_asked_for():
    regions = region_table(["c10", "c2", "c1", "c1", "c1"], [0, 0, 9, 5, 5], [4, 4, 12, 9, 7], name=list("abcde"))
    assert "".join(sort_regions(regions)["name"]) == "edcab"
    assert "".join(sort_regions(regions, SIZES)["name"]) == "bedca"
    with pytest.raises(InputError, match="c10, c2"):
        sort_regions(regions, ["c1"])


def test_select_chroms_keeps_the_order_of_the_table():
    regions = region_table(["c2", "c1", "c2"], [5, 0, 1], [9, 4, 4])
    assert triples(select_chroms(regions, ["absent", "c2"])) == [("c2", 5, 9), ("c2", 1, 4)]


def test_extra_columns_follow_their_region():
    regions = region_table(["c1"], [0], [10], summit=[7], strand="-")
    assert tile_regions(regions, 5)["summit"].tolist() == [7, 7]
    assert subtract_regions(regions, region_table(["c1"], [2], [3]))["summit"].tolist() == [7, 7]


def test_bad_arguments():
    regions = region_table(["c1", "c3"], [0, 0], [10, 10])
    with pytest.raises(InputError, match="c3"):
        extend_regions(regions, 5, SIZES)
    with pytest.raises(InputError, match=r"c1:50-61 .*c1 has 60 bp"):
        extend_regions(region_table(["c1", "c1"], [0, 50], [10, 61]), 5, SIZES)
    with pytest.raises(InputError, match="by=-1"):
        extend_regions(regions, -1, SIZES)
    with pytest.raises(InputError, match="distance=-1"):
        merge_regions(regions, -1)
    with pytest.raises(InputError, match="binsize=0"):
        tile_regions(regions, 0)
    with pytest.raises(InputError, match="stepsize=-2"):
        tile_regions(regions, 5, -2)
    for multiple in (0, 2.5, True):
        with pytest.raises(InputError, match=f"multiple={multiple}"):
            trim_regions(regions, multiple)


def test_a_million_windows_against_a_mask():
    rng, length = np.random.default_rng(3), 10_000_000
    starts = rng.integers(0, length - 1_000, 50_000)
    features = region_table("c1", starts, starts + rng.integers(1, 1_000, len(starts)))
    windows = region_table("c1", *(np.arange(1_000_000) * 10 + shift for shift in (0, 200)))[::-1]
    mask = np.zeros(length + 200, dtype=bool)
    for start, end in zip(features["start"], features["end"], strict=True):
        mask[start:end] = True
    below = np.r_[0, np.cumsum(mask)]
    expected = (below[windows["end"]] - below[windows["start"]]) / 200
    fractions = overlap_fraction(windows, features)
    np.testing.assert_array_equal(fractions, expected)
    np.testing.assert_array_equal(overlaps_any(windows, features), expected > 0)


def test_line_numbers_of_a_long_file(tmp_path):
    rows = [f"c1\t{start}\t{start + 5}\n" for start in range(100_000)]
    rows.insert(50_000, "# half\n")
    path = written(tmp_path, "".join([*rows, "c1\t9\tx\n"]))
    with pytest.raises(InputError, match=", line 100002: end must be a whole number"):
        read_regions(path)


# ---- against pyranges -----------------------------------------------------------------------------------------------


def random_regions(rng, n, sizes):
    chroms = rng.choice(list(sizes), n)
    starts = rng.integers(0, 9_000, n)
    return region_table(chroms, starts, starts + rng.integers(1, 300, n))


@pytest.mark.filterwarnings("ignore:::pyranges")
def test_as_pyranges_does():
    pyranges = pytest.importorskip("pyranges")
    rng = np.random.default_rng(1)
    sizes = {"chr1": 10_000, "chr2": 10_000, "chr3": 10_000}
    left = random_regions(rng, 300, sizes)
    right = random_regions(rng, 60, {"chr1": 10_000, "chr2": 10_000})
    theirs = {"chrom": "Chromosome", "start": "Start", "end": "End"}
    left_ranges, right_ranges = (pyranges.PyRanges(t[list(theirs)].rename(columns=theirs)) for t in (left, right))

    assert triples(merge_regions(left)) == triples(sort_regions(read_regions(left_ranges.merge())))
    pieces = read_regions(left_ranges.subtract(right_ranges))
    assert triples(sort_regions(subtract_regions(left, right))) == triples(sort_regions(pieces))
    covered = left_ranges.coverage(right_ranges).as_df().rename(columns={v: k for k, v in theirs.items()})
    ours = left.assign(fraction=overlap_fraction(left, right), any=overlaps_any(left, right))
    keys = ["chrom", "start", "end"]
    ours, covered = (table.astype({"chrom": str}).sort_values(keys) for table in (ours, covered))
    np.testing.assert_allclose(ours["fraction"], covered["FractionOverlaps"])
    np.testing.assert_array_equal(ours["any"], covered["NumberOverlaps"] > 0)


# ---- region tables of other libraries -------------------------------------------------------------------------------


def test_data_frame_is_completed_and_left_alone():
    frame = pd.DataFrame({"start": [5], "end": [9], "chrom": ["c1"], "score": ["."], "group": ["a"]}, index=[7])
    before = frame.copy()
    regions = read_regions(frame)
    assert list(regions.columns) == [*REGION_COLUMNS, "group"]
    assert regions.to_numpy(dtype=object).tolist() == [["c1", 5, 9, ".", 0.0, ".", "a"]]
    assert is_region_table(regions)
    pd.testing.assert_frame_equal(frame, before)


def test_names_and_scores_of_any_kind():
    frame = pd.DataFrame({"chrom": [1, 2], "start": [5, 6], "end": [9, 9]})
    columns = {"name": [[np.nan, np.nan], [7, 8], ["a", None], ["", "b"]], "score": [[".", "2"], [1, 2], [np.nan, 2.5]]}
    names = [read_regions(frame.assign(name=name))["name"].tolist() for name in columns["name"]]
    assert names == [[".", "."], ["7", "8"], ["a", "."], [".", "b"]]
    scores = [read_regions(frame.assign(score=score))["score"].tolist() for score in columns["score"]]
    assert scores == [[0, 2], [1, 2], [0, 2.5]]
    assert read_regions(frame.assign(strand=[None, "-"]))["strand"].tolist() == [".", "-"]
    assert read_regions(frame)["chrom"].tolist() == ["1", "2"]


def test_columns_of_pyranges_and_empty_tables():
    class Ranges:
        def as_df(self):
            return pd.DataFrame({"Chromosome": pd.Categorical(["c1"]), "Start": [5], "End": [9], "Strand": ["-"]})

    assert read_regions(Ranges())[["chrom", "strand"]].to_numpy().tolist() == [["c1", "-"]]
    for empty in (pd.DataFrame(), pd.DataFrame({"chrom": [], "start": [], "end": []})):
        regions = read_regions(empty)
        assert len(regions) == 0
        assert is_region_table(regions)


def test_bed_tools_are_read_from_their_file(tmp_path):
    path = tmp_path / "made.tmp"

    class Tool:
        file_type = "gff"
        fn = str(path)

        def saveas(self):
            return self

        def field_count(self):
            return 9

    path.write_text("c1\tx\tgene\t5\t9\t.\t+\t.\tID=a\n")
    assert triples(read_regions(Tool())) == [("c1", 4, 9)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"start": [1]}, "without column chrom, end"),
        ({"chrom": ["c1"], "start": [1.5], "end": [4]}, "start must hold whole numbers. Received: float64"),
        ({"chrom": ["c1", "c1"], "start": [1, 9], "end": [4, 9]}, "row 1: start must be smaller than end"),
        ({"chrom": ["c1", None], "start": [1, 1], "end": [4, 4]}, "row 1: chrom is missing"),
        ({"chrom": ["c1"], "start": [-1], "end": [4]}, "row 0: start is negative"),
        ({"chrom": ["c1"], "start": [1], "end": [4], "strand": ["x"]}, "row 0: strand must be"),
        ({"chrom": ["c1"], "start": [1], "end": [4], "score": ["high"]}, "row 0: score must be a finite number"),
    ],
)
def test_bad_tables(columns, message):
    with pytest.raises(InputError, match=message):
        read_regions(pd.DataFrame(columns))


def test_other_kinds_of_source_are_refused():
    for source in (7, None, {"chrom": ["c1"]}, region_table):
        with pytest.raises(InputError, match=f"Received: {type(source).__name__}"):
            read_regions(source)


# ---- files ----------------------------------------------------------------------------------------------------------


def written(tmp_path, text, name="regions.bed", *, compressed=False):
    path = tmp_path / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if compressed else data)
    return path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_bed_as_people_write_it(tmp_path, compressed, newline, last):
    lines = ["# made by hand", "browser position c1", "track name=x description='a b'", "", "c1\t5\t9\tNA\t3.5\t-"]
    lines += ["  ", "track", "#c1\t1\t2", 'tig1\t0\t8\t"q\t.\t+', "chrom\t2\t3\t\t\t"]
    text = newline.join(lines) + newline * last
    regions = read_regions(written(tmp_path, text, compressed=compressed))
    assert regions.to_numpy(dtype=object).tolist() == [
        ["c1", 5, 9, "NA", 3.5, "-"],
        ["tig1", 0, 8, '"q', 0.0, "+"],
        ["chrom", 2, 3, ".", 0.0, "."],
    ]
    assert is_region_table(regions)


@pytest.mark.parametrize("width", [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14])
def test_bed_of_every_width(tmp_path, width):
    fields = ["1", "5", "9", "a", "7", "-", "5", "9", "0,0,0", "1", "4,", "0,", "x", "y"]
    regions = read_regions(written(tmp_path, "\t".join(fields[:width]) + "\n"))
    full = ["1", 5, 9, "a", 7.0, "-"]
    assert regions.to_numpy(dtype=object).tolist() == [full[:width] + ["1", 5, 9, ".", 0.0, "."][width:]]
    assert isinstance(regions["chrom"][0], str)


def test_empty_files(tmp_path):
    for name, text in (("a.bed", ""), ("b.bed", "# nothing\n\n"), ("c.narrowPeak", ""), ("d.gtf", "#!x\n")):
        regions = read_regions(written(tmp_path, text, name))
        assert len(regions) == 0
        assert is_region_table(regions)
    assert list(read_regions(tmp_path / "c.narrowPeak").columns[6:]) == ["signal", "summit"]


@pytest.mark.parametrize("name", ["a.narrowPeak", "a.narrowpeak.gz", "ENCFF000AAA.bed.gz"])
def test_narrow_peak(tmp_path, name):
    text = "c1\t100\t200\tp1\t1000\t.\t12.5\t3\t2\t40\nc1\t300\t400\tp2\t900\t.\t8\t-1\t-1\t-1\n"
    regions = read_regions(written(tmp_path, text, name, compressed=name.endswith("gz")))
    assert regions["summit"].tolist() == [140, -1]
    assert regions["signal"].tolist() == [12.5, 8]
    assert regions["score"].tolist() == [1000, 900]


def test_broad_peak(tmp_path):
    path = written(tmp_path, "c1\t100\t200\tp1\t1000\t.\t12.5\t3\t2\n", "a.broadPeak")
    assert read_regions(path)["signal"].tolist() == [12.5]
    path = written(tmp_path, "c1\t100\t200\tp1\t1000\t.\t12.5\t3\t2\n", "a.txt")
    assert read_regions(path, format="broadPeak")["signal"].tolist() == [12.5]


def test_gtf_and_gff_count_from_one(tmp_path):
    gtf = '#!x\nc1\tsgd\tgene\t1\t1\t.\t+\t.\tgene_id "Y1"; gene_biotype "a; b";\n'
    gtf += 'c1\tsgd\texon\t3\t7\t2.5\t-\t0\tnone "x"\n'
    regions = read_regions(written(tmp_path, gtf, "a.gtf.gz", compressed=True))
    assert triples(regions) == [("c1", 0, 1), ("c1", 2, 7)]
    assert regions["name"].tolist() == ["Y1", "."]
    assert regions["feature"].tolist() == ["gene", "exon"]
    assert regions["score"].tolist() == [0, 2.5]
    assert regions["attributes"][0] == 'gene_id "Y1"; gene_biotype "a; b";'
    gff = "##gff-version 3\nc1\tx\tgene\t5\t9\t.\t?\t.\tID=g1;gene_id=Y1\n##FASTA\n>c1\nACGT\n"
    regions = read_regions(written(tmp_path, gff, "a.gff3"))
    assert regions[["start", "end", "name", "strand"]].to_numpy(dtype=object).tolist() == [[4, 9, "g1", "."]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c1\t9\t5", r", line 5: start must be smaller than end. Received: c1 9 5"),
        ("c1\t9\t9", r", line 5: start must be smaller than end. Received: c1 9 9"),
        ("c1\t-4\t9", r", line 5: start is negative. Received: c1 -4 9"),
        ("\t4\t9", r", line 5: chrom is missing"),
        ("c1\t1.0\t9", r", line 5: start must be a whole number. Received: '1.0' in column 2"),
        ("c1\t1e3\t9000", r", line 5: start must be a whole number. Received: '1e3'"),
        ("c1\t4\tnine", r", line 5: end must be a whole number. Received: 'nine' in column 3"),
        ("c1\t4\t1_000", r", line 5: end must be a whole number. Received: '1_000'"),
        ("c1\t4\t99999999999999999999", r", line 5: end must be a whole number"),
        ("c1\t4\t", r", line 5: end must be a whole number. Received: ''"),
        ("c1\tTrue\t5", r", line 5: start must be a whole number. Received: 'True'"),
        ("c1\t4", r", line 5: 2 columns, but 3 in line 3"),
        ("c1\t4\t9\ta", r", line 5: 4 columns, but 3 in line 3"),
        ("c1 4 9", r", line 5: columns are separated by spaces. .* tr -s"),
        ("c1\t4 9", r", line 5: columns are separated by spaces"),
    ],
)
def test_errors_name_file_and_line(tmp_path, line, message):
    path = written(tmp_path, f"# one\n\nc1\t1\t5\ntrack x\n{line}\nc1\t2\t6\n")
    with pytest.raises(InputError, match=f"{path}{message}"):
        read_regions(path)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("c1 5 9\n", "a.bed", r"a.bed, line 1: columns are separated by spaces. Received: 'c1 5 9'"),
        ("c1\t5\n", "a.bed", r"a.bed, line 1: 2 columns, but bed has at least 3"),
        ("c1\t5\t9\ta\tinf\t+\n", "a.bed", r"a.bed, line 1: score must be a finite number. Received: c1 5 9 a inf"),
        ("chrom\tstart\tend\nc1\t5\t9\n", "a.bed", r"a.bed, line 1: start must .* header, begin it with '#'"),
        ("c1\t5\t9999999999999\n", "a.bed", r"a.bed, line 1: end lies beyond any contig. Received: c1 5 9999"),
        ("c1\t5\ta\tACG\t.\n", "a.vcf", r"a.vcf, line 1: 5 columns, but vcf has at least 8"),
        ("BAM\1\0\t\0", "a.bed", r"a.bed: not a text file"),
        ("c1\t5\t9\n", "a.narrowPeak", r"a.narrowPeak, line 1: 3 columns, but narrowpeak has 10"),
        ("c1\t5\t9\n", "a.gtf", r"a.gtf, line 1: 3 columns, but gff has 9"),
        ("c1\tx\tgene\t5\t9\t.\t+\t.\tID=a\n", "a.txt", r"start must be a whole number. .* format='gff'"),
        (
            "c1\tx\tgene\t9\t5\t.\t+\t.\tID=a\n",
            "a.gff",
            r"a.gff, line 1: start must be smaller than end. Received: c1 x gene 9 5 . ",
        ),
        ("c1\tx\tgene\t0\t5\t.\t+\t.\tID=a\n", "a.gff", r"a.gff, line 1: start is negative"),
        ("c1\t5\t9\ta\thigh\t+\n", "a.bed", r"a.bed, line 1: score must be a number. Received: 'high'"),
        ("c1\t5\t9\ta\tnan\t+\n", "a.bed", r"a.bed, line 1: score must be a number. Received: "),
        ("c1\t5\t9\ta\t0\tplus\n", "a.bed", r"a.bed, line 1: strand must be \+, - or .. Received: c1 5 9 a 0 plus"),
    ],
)
def test_errors_of_formats(tmp_path, text, name, message):
    with pytest.raises(InputError, match=message):
        read_regions(written(tmp_path, text, name))


def test_unknown_format(tmp_path):
    with pytest.raises(InputError, match="format='bigbed'"):
        read_regions(written(tmp_path, "c1\t1\t2\n"), format="bigbed")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="absent.bed: cannot read the file"):
        read_regions(tmp_path / "absent.bed")
    with pytest.raises(InputError, match="cannot read the file"):
        read_regions(tmp_path)
    whole = gzip.compress(b"c1\t1\t2\n" * 1000)
    for damaged in (whole[: len(whole) // 2], whole[:-4], b"\x1f\x8bnot gzip at all"):
        (tmp_path / "cut.bed.gz").write_bytes(damaged)
        with pytest.raises(InputError, match="cut.bed.gz: the gzipped file is damaged or cut short"):
            read_regions(tmp_path / "cut.bed.gz")


@slowly
@given(region_tables(), st.booleans())
def test_write_and_read_give_back_the_table(tmp_path_factory, regions, compressed):
    path = tmp_path_factory.mktemp("round") / "new" / f"regions.bed{'.gz' * compressed}"
    write_regions(regions, path)
    pd.testing.assert_frame_equal(read_regions(path), regions, check_dtype=False)
    assert path.read_bytes().startswith(b"\x1f\x8b") == (compressed)


def test_write_is_plain_bed6(tmp_path):
    regions = region_table(["c1", "c2"], [5, 1], [9, 3], score=[1.0, 2.0], strand=["-", "."], summit=[6, 2])
    write_regions(regions, tmp_path / "a.bed")
    assert (tmp_path / "a.bed").read_text() == "c1\t5\t9\t.\t1\t-\nc2\t1\t3\t.\t2\t.\n"
    write_regions(regions.assign(score=[0.25, 1e-20]), tmp_path / "b.bed")
    assert read_regions(tmp_path / "b.bed")["score"].tolist() == [0.25, 1e-20]
    with pytest.raises(InputError, match="row 0: start is negative"):
        write_regions(region_table(["c1"], [-1], [4]), tmp_path / "a.bed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bed", "b.bed"]


def test_chrom_sizes(tmp_path):
    write_chrom_sizes(SIZES, tmp_path / "new" / "genome.chrom.sizes")
    assert list(read_chrom_sizes(tmp_path / "new" / "genome.chrom.sizes").items()) == list(SIZES.items())
    path = written(tmp_path, "# x\r\nc1\t60\t4\t60\t61\r\n\r\nc2\t40\t70\t60\t61\r\n", "genome.fa.fai")
    assert read_chrom_sizes(path) == {"c1": 60, "c2": 40}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no contig lengths"),
        ("c1 60\n", ", line 1: expected a contig, a tab and its length"),
        ("c1\t60\nc2\tx\n", ", line 2: expected"),
        ("c1\t0\n", ", line 1: expected"),
        ("c1\t60\nc1\t70\n", ", line 2: contig c1 occurs twice"),
        ("c1\t" + "9" * 5000, ", line 1: expected"),
        ("c1\t\u0663\n", ", line 1: expected"),
    ],
)
def test_bad_chrom_sizes(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_chrom_sizes(written(tmp_path, text, "sizes"))


# ---- a study's regions ----------------------------------------------------------------------------------------------


def test_make_regions_around_peaks(caplog):
    peaks = region_table(["c1", "c2", "elsewhere"], [20, 10, 0], [25, 12, 9])
    settings_ = {"kind": "peaks", "track": "x", "extend": 10, "binsize": 10}
    with caplog.at_level(logging.INFO):
        regions = make_regions(peaks, {"c2": 40, "c1": 60}, settings_, blacklist=region_table(["c2"], [0], [5]))
    assert triples(regions) == [("c2", 10, 20), ("c1", 10, 20), ("c1", 20, 30)]
    assert "2 of 3 regions lie on the 2 contigs in use" in caplog.text
    assert "dropped pieces: 0" in caplog.text


def test_make_regions_of_bins():
    bins = region_table(["c1", "c2", "c1"], [20, 10, 0], [30, 20, 10], name=list("abc"))
    bins_settings = {"kind": "bins", "binsize": 10}
    regions = make_regions(bins, SIZES, bins_settings, blacklist=region_table(["c1"], [29], [31]))
    assert regions["name"].tolist() == ["b", "c"]
    with pytest.raises(InputError, match="3 bins are not 20 bp long, the first c2:10-20"):
        make_regions(bins, SIZES, {"kind": "bins", "binsize": 20})
    with pytest.raises(InputError, match="of kind peaks, bins or promoters. Received: kind='tiles'"):
        make_regions(bins, SIZES, {"kind": "tiles", "binsize": 20})


def test_a_region_is_read_from_text_with_or_without_commas():
    assert parse_region("chr3:2,353,000-2,357,000") == Region("chr3", 2_353_000, 2_357_000)
    assert parse_region("chrI:0-1") == Region("chrI", 0, 1)
    assert parse_region("HLA-A*01:01:5-9") == Region("HLA-A*01:01", 5, 9)


@pytest.mark.parametrize(
    "text", ["chr3", "chr3:5", "chr3:9-9", "chr3:9-5", "chr3:-5-9", "chr3:a-b", "chr3:,-5", "chr3:1-,"]
)
def test_other_text_is_no_region(text):
    with pytest.raises(InputError, match=re.escape(repr(text))):
        parse_region(text)


@slowly
@given(region_tables(), region_tables(), st.integers(0, 20), st.integers(1, 9))
def test_kept_and_dropped_cover_the_extended_peaks_and_do_not_overlap(peaks, blacklist, extend, binsize):
    settings = {"kind": "peaks", "extend": extend, "binsize": binsize}
    kept = make_regions(peaks, SIZES, settings, blacklist=blacklist)
    dropped = dropped_regions(peaks, SIZES, settings, kept)
    for chrom, size in SIZES.items():
        parts = []
        for table in (extend_regions(peaks, extend, SIZES), kept, dropped):
            covered = np.zeros(size, dtype=int)
            for start, end in table.loc[table["chrom"] == chrom, ["start", "end"]].itertuples(index=False):
                covered[start:end] += 1
            parts.append(covered)
        assert ((parts[0] > 0) == (parts[1] + parts[2] > 0)).all()
        assert (parts[1] + parts[2] <= 1).all()
