"""Modes, collapsers and categories of BED features against loops over bases."""

import pickle

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.bigwig import write_bigwig
from helpers.data.coverage import Cover
from helpers.errors import InputError

MODES = ("binary", "score", "score_category", "name_category")


def region_table(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])


def feature_table(rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "name", "score"])


def slow_bin(rows, chrom, start, end, how, overlap, scored):
    """Look at each base of a bin, then at each feature; `rows` are those of one condition."""
    piles = []
    for base in range(start, end):
        piles.append([score if scored else 1 for c, s, e, _, score in rows if c == chrom and s <= base < e])
        piles[-1] = piles[-1] if scored else piles[-1][:1]
    n_covered = sum(bool(pile) for pile in piles)
    if n_covered == 0 or (overlap != "any" and n_covered / (end - start) < overlap):
        return 0
    if how == "max":
        return max(max(pile) for pile in piles if pile)
    if how == "mean":
        return sum(sum(pile) / len(pile) for pile in piles if pile) / (end - start)
    if how == "sum":
        return sum(sum(pile) for pile in piles)
    return how(np.array([max(pile) if pile else 0.0 for pile in piles])[None, :, None], axis=1).item()


def slow_cover(by_condition, windows, flank, resolution, how, overlap, scored):
    values = []
    for chrom, start, end, strand in windows.itertuples(index=False):
        start, end = start - flank, end + flank
        step = resolution or end - start
        bins = [(left, min(left + step, end)) for left in range(start, end, step)]
        window = [[slow_bin(rows, chrom, *one, how, overlap, scored) for rows in by_condition] for one in bins]
        values.append(window[::-1] if strand == "-" else window)
    return np.array(values, dtype=np.float32)[:, :, None, :]


FEATURE = st.tuples(
    st.sampled_from(["chr1", "chr2", "chrX"]),
    st.integers(0, 60),
    st.integers(1, 40),
    st.sampled_from(["enh", "prom", "state10"]),
    st.sampled_from([0.0, -3.0, 1.0, 2.0, 10.0, 2.5]),
)
WINDOW = st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 80), st.sampled_from("+-."))


@settings(max_examples=300, deadline=None)
@given(
    features=st.lists(FEATURE, min_size=1, max_size=12),
    windows=st.lists(WINDOW, min_size=1, max_size=5),
    mode=st.sampled_from(MODES),
    how=st.sampled_from(["max", "mean", "sum", np.median]),
    overlap=st.sampled_from(["any", 0.1, 0.3, 0.5, 1.0]),
    resolution=st.sampled_from([None, 1, 4, 7, 30]),
    flank=st.sampled_from([0, 3]),
)
def test_every_mode_agrees_with_a_loop_over_bases(features, windows, mode, how, overlap, resolution, flank):
    rows = [(chrom, start, start + length, name, score) for chrom, start, length, name, score in features]
    regions = region_table(*((chrom, start, start + 20, strand) for chrom, start, strand in windows))
    conditions = {
        "binary": [rows],
        "score": [rows],
        "score_category": [[row for row in rows if row[4] == score] for score in (0, 2, 10)],
        "name_category": [[row for row in rows if row[3] == name] for name in ("prom", "none", "enh")],
    }[mode]
    names = {"score_category": ["0", "2", "10"], "name_category": ["prom", "none", "enh"]}.get(mode)
    if mode == "score" and not any(row[4] for row in rows):
        return
    options = {"resolution": resolution, "flank": flank, "mode": mode, "overlap": overlap, "collapser": how}
    cover = Cover.create_from_bed("x", feature_table(rows), regions, binsize=20, conditions=names, **options)
    expected = slow_cover(conditions, regions, flank, resolution, how, overlap, mode == "score")
    np.testing.assert_allclose(cover[:], expected, rtol=1e-6)


def test_the_collapser_decides_where_features_overlap_not_the_last_line():
    features = feature_table([("c", 0, 10, "a", 7.0), ("c", 4, 10, "b", 3.0)])
    region = region_table(("c", 0, 10, "+"))
    for rows in (features, features[::-1]):
        found = {
            how: Cover.create_from_bed("x", rows, region, mode="score", collapser=how)[0].item()
            for how in ("max", "sum", "mean")
        }
        assert found == {"max": 7.0, "sum": 88.0, "mean": pytest.approx((4 * 7 + 6 * 5) / 10)}


SCORED = [("chr1", 0, 200, "state1", 1.0), ("chr1", 200, 400, "state2", 10.0), ("chr2", 0, 200, "state10", 2.0)]
TILES = region_table(("chr1", 0, 400, "+"), ("chr2", 0, 200, "+"))


def write_bed(path, rows, columns=5):
    path.write_text("".join("\t".join(f"{value}" for value in row[:columns]) + "\n" for row in rows))
    return path


def test_categories_come_in_natural_order(tmp_path):
    path = write_bed(tmp_path / "states.bed", SCORED)
    scores = Cover.create_from_bed("x", path, TILES, binsize=200, mode="score_category")
    assert scores.conditions == ["1", "2", "10"]
    assert scores[:].reshape(3, 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    names = Cover.create_from_bed("x", path, TILES, binsize=200, mode="name_category")
    assert names.conditions == ["state1", "state2", "state10"]
    assert names[:].reshape(3, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    alias = Cover.create_from_bed("x", path, TILES, binsize=200, mode="categorical")
    np.testing.assert_array_equal(alias[:], scores[:])


def test_given_categories_fix_columns_and_files_share_them(tmp_path):
    first, second = (write_bed(tmp_path / f"{n}.bed", rows) for n, rows in enumerate((SCORED[:1], SCORED[1:])))
    wanted = ["state10", "nothing", "state1"]
    cover = Cover.create_from_bed("x", [first, second], TILES, conditions=wanted, binsize=200, mode="name_category")
    assert cover.conditions == wanted
    assert cover[:].reshape(3, 3).tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    cover = Cover.create_from_bed("x", [first, second], TILES, conditions=[2, "1.0"], binsize=200, mode="categorical")
    assert cover.conditions == ["2", "1.0"]
    assert cover[:].reshape(3, 2).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_one_category_is_enough(tmp_path):
    path = write_bed(tmp_path / "one.bed", SCORED[:1])
    for mode, name in (("score_category", "1"), ("name_category", "state1")):
        cover = Cover.create_from_bed("x", path, TILES, binsize=200, mode=mode)
        assert (cover.conditions, cover[:].ravel().tolist()) == ([name], [1, 0, 0])


@pytest.mark.parametrize("mode", ["score", "score_category", "name_category"])
def test_features_without_score_or_name_are_refused(tmp_path, mode):
    path = write_bed(tmp_path / "plain.bed", SCORED, columns=3)
    with pytest.raises(InputError, match=r"plain\.bed.*mode='"):
        Cover.create_from_bed("x", path, TILES, mode=mode)


def test_features_of_score_zero_count(tmp_path):
    zero = write_bed(tmp_path / "zero.bed", [("chr1", 0, 200, "a", 0)])
    for mode, conditions in (("binary", None), ("score_category", ["0"])):
        cover = Cover.create_from_bed("x", zero, TILES, None, conditions, 200, mode=mode, overlap=0.5)
        assert cover[:].ravel().tolist() == [1, 0, 0]


def test_files_without_features_are_zero(tmp_path):
    empty = write_bed(tmp_path / "empty.bed", [])
    for mode, conditions in (("binary", None), ("score", None), ("bedgraph", None), ("name_category", ["a", "b"])):
        for how in ("max", "sum", "mean", np.median):
            cover = Cover.create_from_bed(
                "x", empty, TILES, conditions=conditions, binsize=200, resolution=30, mode=mode, collapser=how
            )
            assert cover.shape == (3, 7, 1, len(conditions or ["empty"]))
            assert not cover[:].any()
    with pytest.raises(InputError, match=r"empty\.bed: mode='name_category' finds no categories"):
        Cover.create_from_bed("x", empty, TILES, mode="name_category")


# ---- bedGraph --------------------------------------------------------------------------------------------------------


def test_a_bedgraph_holds_its_values(tmp_path):
    path = tmp_path / "signal.bedGraph"
    path.write_text("track type=bedGraph\nchr1\t0\t150\t1.5\nchr1\t150\t200\t-0.5\nchr2\t0\t200\t4.5e0\n")
    highest = Cover.create_from_bed("x", path, TILES, binsize=200, mode="bedgraph")
    assert (highest.conditions, highest[:].ravel().tolist()) == (["signal"], [1.5, 0, 4.5])
    mean = Cover.create_from_bed("x", path, TILES, binsize=200, resolution=100, mode="bedgraph", collapser="mean")
    assert mean[:].reshape(3, 2).tolist() == [[1.5, 0.5], [0, 0], [4.5, 4.5]]
    table = pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [20], "score": [3.0]})
    assert Cover.create_from_bed("x", table, TILES, binsize=200, mode="bedgraph")[0].item() == 3


def test_a_bedgraph_without_a_number_is_named_by_its_line(tmp_path):
    (tmp_path / "bad.bedgraph").write_text("# a comment\nchr1\t0\t150\t1.5\nchr1\t150\t200\tx\n")
    with pytest.raises(InputError, match=r"bad\.bedgraph, line 3: mode='bedgraph' needs a number.*'x'"):
        Cover.create_from_bed("x", tmp_path / "bad.bedgraph", TILES, mode="bedgraph")


def test_a_bedgraph_agrees_with_the_bigwig_of_the_same_values(tmp_path):
    rng = np.random.default_rng(4)
    borders = np.sort(rng.choice(np.arange(1, 4999), 400, replace=False))
    starts, ends = borders[:-1:2], borders[1::2]
    values = rng.integers(-20, 20, len(starts)) / 4
    write_bed(tmp_path / "x.bedgraph", zip(["c"] * len(starts), starts, ends, values, strict=True), columns=4)
    write_bigwig(tmp_path / "x.bw", {"c": 5000}, [("c", starts, ends, values)])
    windows = region_table(*(("c", start, start + 130, "+-."[start % 3]) for start in range(0, 4800, 117)))
    for how in ("mean", "sum", np.median):
        for resolution in (None, 1, 25):
            options = {"binsize": 130, "resolution": resolution, "collapser": how}
            bed = Cover.create_from_bed("x", tmp_path / "x.bedgraph", windows, mode="bedgraph", **options)
            bigwig = Cover.create_from_bigwig("x", tmp_path / "x.bw", windows, **options, store_whole_genome=False)
            np.testing.assert_allclose(bed[:], bigwig[:], rtol=1e-6)


# ---- whole contigs ---------------------------------------------------------------------------------------------------


def test_whole_contigs_are_labelled_by_their_sizes():
    features = feature_table([("chr1", 15, 42, "a", 2.0), ("chr2", 0, 5, "b", 3.0), ("chr9", 0, 5, "b", 9.0)])
    cover = Cover.create_from_bed("x", features, None, {"chr1": 45, "chr2": 10}, resolution=10, mode="score")
    assert cover["chr1", 0, 50].ravel().tolist() == [0] * 10 + [2] * 35 + [0] * 5
    assert cover["chr2", 4, 12, "-"].ravel().tolist() == [0, 0, 3, 3, 3, 3, 3, 3]
    with pytest.raises(InputError, match="chr9"):
        cover["chr9", 0, 5]
    with pytest.raises(InputError, match="`roi`"):
        Cover.create_from_bed("x", features, None, {"chr1": 45})


def test_contigs_longer_than_a_piece_are_labelled_whole(monkeypatch):
    monkeypatch.setattr("helpers.data.feature_signal._BINS_AT_ONCE", 3)
    features = feature_table([("c", 15, 42, "a", 2.0), ("c", 97, 98, "b", 3.0)])
    cover = Cover.create_from_bed("x", features, None, {"c": 98}, resolution=5, mode="score")
    by_bin = [0] * 3 + [2] * 6 + [0] * 10 + [3]
    assert cover["c", 0, 98].ravel().tolist() == np.repeat(by_bin, 5)[:98].tolist()


def test_windows_are_measured_in_parts(monkeypatch):
    rng = np.random.default_rng(1)
    starts = rng.integers(0, 900, 60)
    rows = [("c", int(start), int(start) + 30, "a", float(start % 7)) for start in starts]
    windows = region_table(*(("c", start, start + 40, "+-"[start % 2]) for start in range(0, 900, 13)))
    for how in ("max", "mean", np.median):
        options = {"binsize": 40, "resolution": 8, "mode": "score", "collapser": how}
        whole = Cover.create_from_bed("x", feature_table(rows), windows, **options)[:]
        with monkeypatch.context() as patch:
            patch.setattr("helpers.data.features._BINS_AT_ONCE", 64)
            np.testing.assert_array_equal(Cover.create_from_bed("x", feature_table(rows), windows, **options)[:], whole)


def test_genomesize_names_the_contigs_of_regions():
    features, windows = feature_table([("c", 0, 5, "a", 1.0)]), region_table(("c", 0, 10, "+"))
    cover = Cover.create_from_bed("x", features, windows, {"c": 100, "d": 50})
    assert cover["d", 0, 3].ravel().tolist() == [0, 0, 0]
    with pytest.raises(InputError, match="genomesize lacks contigs of the windows: c"):
        Cover.create_from_bed("x", features, windows, {"d": 50})


# ---- arrays that stay in their file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [None, (3, 2, 1, 1)])
@pytest.mark.parametrize("shape", [(9, 4, 2, 3), (9, 3)])
def test_datasets_of_hdf5_files_stay_there(tmp_path, chunks, shape):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    windows = region_table(*(("c", start, start + 20, "+-."[start % 3]) for start in range(0, 180, 20)))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        options = {} if chunks is None else {"chunks": chunks[: len(shape)], "compression": "gzip"}
        file.create_dataset("group/predictions", data=values, **options)
    gindexer = Cover.create_from_bed("w", windows, windows, binsize=20).gindexer
    plain = Cover.create_from_array("p", values, gindexer, padding_value=np.nan)
    with h5py.File(tmp_path / "x.h5") as file:
        cover = Cover.create_from_array("p", file["group/predictions"], gindexer, padding_value=np.nan)
        assert cover.shape == plain.shape
        for key in (slice(None), [5, 2, 2, 8], slice(1, 4), -1, [], values.reshape(9, -1)[:, 0] > 0):
            np.testing.assert_array_equal(cover[key], plain[key])
            assert cover[key].dtype == np.float32
        np.testing.assert_array_equal(cover["c", 5, 190, "-"], plain["c", 5, 190, "-"])
        assert len(pickle.dumps(cover)) < 5000
        copy = pickle.loads(pickle.dumps(cover))
    np.testing.assert_array_equal(copy[[3, 1]], plain[[3, 1]])


@pytest.mark.parametrize("shape", [(9,), (9, 4, 2), (9, 4, 2, 3, 1)])
def test_datasets_of_other_shapes_are_refused(tmp_path, shape):
    windows = region_table(*(("c", start, start + 20, "+") for start in range(0, 180, 20)))
    gindexer = Cover.create_from_bed("w", windows, windows, binsize=20).gindexer
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", shape=shape)
        for array in (dataset, np.zeros(shape), np.full(shape, "text")):
            with pytest.raises(InputError, match=r"Give numbers of shape .* Received: \(9"):
                Cover.create_from_array("p", array, gindexer)


@pytest.mark.parametrize("n_strands", [1, 2, 5])
def test_any_number_of_strands_is_kept(n_strands):
    windows = region_table(("c", 0, 20, "+"), ("c", 20, 40, "-"))
    gindexer = Cover.create_from_bed("w", windows, windows, binsize=20).gindexer
    array = np.random.default_rng(1).normal(size=(2, 4, n_strands, 2)).astype(np.float32)
    cover = Cover.create_from_array("p", array, gindexer)
    np.testing.assert_array_equal(cover[:], array)
    np.testing.assert_array_equal(cover["c", 20, 40, "-"][0], array[1].repeat(5, axis=0))
