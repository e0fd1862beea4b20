"""Signal of bigWig files against loops over bases and pyBigWig: no data, short bins, ends of contigs, strands."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.bigwig import BigWig, write_bigwig
from helpers.data.collapse import collapse_bases
from helpers.data.coverage import Cover
from helpers.data.normalization import ZScore
from helpers.errors import InputError

SIZES = {"chr1": 1025, "chr2": 300, "empty": 70}
RULES = [(how, keep) for how in ("mean", "sum", "max") for keep in (False, True)]


def region_table(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])


def draw_bases(seed):
    """Values in quarters, also negative, and half of the bases without data."""
    rng = np.random.default_rng(seed)
    bases = {}
    for chrom, size in SIZES.items():
        values = rng.integers(-8, 9, size) / 4
        values[np.repeat(rng.random(size // 7 + 1) < 0.5, 7)[:size]] = np.nan
        bases[chrom] = values if chrom != "empty" else np.full(size, np.nan)
    return bases


def write_bases(path, bases, *, explicit_nan=False):
    track = pyBigWig.open(str(path), "w")
    track.addHeader(list(SIZES.items()))
    for chrom, values in bases.items():
        kept = np.arange(len(values)) if explicit_nan else np.flatnonzero(~np.isnan(values))
        if len(kept):
            track.addEntries(np.full(len(kept), chrom), kept, ends=kept + 1, values=values[kept])
    track.close()


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bigwig")
    bases = {"a": draw_bases(1), "b": draw_bases(2)}
    for name, values in bases.items():
        write_bases(folder / f"{name}.bw", values)
    return folder, bases


def slow_bin(bases, chrom, start, end, how, keep):
    """Collapse the bases of a bin one by one."""
    values = [bases[chrom][base] for base in range(start, end) if 0 <= base < SIZES[chrom]]
    values = [value if keep or not np.isnan(value) else 0.0 for value in values]
    values = [value for value in values if not np.isnan(value)]
    if not values:
        return np.nan if keep else 0.0
    return {"mean": sum(values) / len(values), "sum": sum(values), "max": max(values)}[how]


def slow_window(bases, region, resolution, how, keep):
    chrom, start, end, strand = region
    step = resolution or end - start
    bins = [slow_bin(bases, chrom, left, min(left + step, end), how, keep) for left in range(start, end, step)]
    return np.array(bins[::-1] if strand == "-" else bins, dtype=np.float32)


@pytest.mark.parametrize(("how", "keep"), RULES)
@settings(max_examples=60, deadline=None)
@given(chrom=st.sampled_from(list(SIZES)), start=st.integers(-60, 1100), length=st.integers(1, 300), data=st.data())
def test_any_stretch_against_a_loop(tracks, how, keep, chrom, start, length, data):
    folder, bases = tracks
    resolution = data.draw(st.one_of(st.none(), st.integers(1, length + 5)))
    with BigWig(folder / "a.bw", nan_to_num=not keep) as track:
        found = track.collapse(chrom, start, start + length, resolution, how)
    expected = slow_window(bases["a"], (chrom, start, start + length, "+"), resolution, how, keep)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("how", "keep"), RULES)
@pytest.mark.parametrize("resolution", [1, 10, 25, 50, 1025, 2000])
def test_whole_contigs_against_a_loop(tracks, how, keep, resolution):
    folder, bases = tracks
    cover = Cover.create_from_bigwig(
        "signal", folder / "a.bw", resolution=resolution, collapser=how, nan_to_num=not keep
    )
    for chrom, size in SIZES.items():
        expected = slow_window(bases["a"], (chrom, 0, size, "+"), resolution, how, keep).repeat(resolution)[:size]
        np.testing.assert_allclose(cover[chrom, 0, size].ravel(), expected, rtol=1e-6)


@pytest.mark.parametrize("explicit_nan", [False, True])
@pytest.mark.parametrize(("how", "keep"), RULES)
def test_nan_in_the_file_is_no_data(tmp_path, explicit_nan, how, keep):
    bases = draw_bases(3)
    write_bases(tmp_path / "x.bw", bases, explicit_nan=explicit_nan)
    cover = Cover.create_from_bigwig(
        "x", tmp_path / "x.bw", region_table(("chr1", 0, 1000, "+")), resolution=50, collapser=how, nan_to_num=not keep
    )
    expected = slow_window(bases, ("chr1", 0, 1000, "+"), 50, how, keep)
    np.testing.assert_allclose(cover[:].ravel(), expected, rtol=1e-6)


def test_pybigwig_says_the_same(tracks):
    folder, _ = tracks
    with pyBigWig.open(str(folder / "b.bw")) as track, BigWig(folder / "b.bw", nan_to_num=False) as ours:
        for start in range(0, 900, 90):
            theirs = track.stats("chr1", start, start + 90, type="mean", exact=True)
            expected = np.array(theirs, dtype=float)
            np.testing.assert_allclose(ours.collapse("chr1", start, start + 90), expected, rtol=1e-5)


# In the middle, unaligned, over both ends, wholly outside, on a contig without data, on both strands; unsorted.
WINDOWS = region_table(
    ("chr2", 100, 200, "+"),
    ("chr1", 403, 503, "-"),
    ("chr1", 403, 503, "+"),
    ("chr1", 0, 100, "-"),
    ("chr1", 950, 1050, "+"),
    ("chr1", 950, 1050, "-"),
    ("chr1", 3000, 3100, "+"),
    ("empty", 0, 100, "-"),
)


@pytest.mark.parametrize(("how", "keep"), RULES)
@pytest.mark.parametrize("resolution", [None, 1, 10, 30, 100])
@pytest.mark.parametrize("flank", [0, 15])
@pytest.mark.parametrize("whole", [None, False])
def test_windows_agree_with_a_loop_over_bases(tracks, how, keep, resolution, flank, whole):
    folder, bases = tracks
    cover = Cover.create_from_bigwig(
        "signal",
        [folder / "a.bw", folder / "b.bw"],
        WINDOWS,
        binsize=100,
        flank=flank,
        resolution=resolution,
        collapser=how,
        nan_to_num=not keep,
        store_whole_genome=whole,
    )
    assert cover.conditions == ["a", "b"]
    for row, (chrom, start, end, strand) in enumerate(WINDOWS.itertuples(index=False)):
        for condition, track in enumerate("ab"):
            place = (chrom, start - flank, end + flank, strand)
            expected = slow_window(bases[track], place, resolution, how, keep)
            np.testing.assert_allclose(cover[row][0, :, 0, condition], expected, rtol=1e-6)
    assert cover[:].dtype == np.float32
    assert cover[:].shape == cover.shape


def test_windows_on_bins_are_the_same_from_contigs_and_from_windows(tracks):
    folder, _ = tracks
    windows = region_table(("chr1", 100, 200, "+"), ("chr1", 900, 1000, "-"), ("chr2", 250, 350, "+"))
    options = {"binsize": 100, "resolution": 25, "flank": 50}
    whole, alone = (
        Cover.create_from_bigwig("x", folder / "a.bw", windows, store_whole_genome=kept, **options)
        for kept in (True, False)
    )
    np.testing.assert_array_equal(whole[:], alone[:])
    np.testing.assert_array_equal(whole["chr1", 103, 181, "-"], alone["chr1", 103, 181, "-"])


def test_regions_of_any_length_give_one_value_each(tracks):
    folder, bases = tracks
    regions = region_table(("chr1", 5, 17, "+"), ("chr2", 100, 300, "-"), ("chr1", 1000, 1025, "."))
    cover = Cover.create_from_bigwig("x", folder / "a.bw", regions, resolution=None, collapser="sum")
    expected = [slow_bin(bases["a"], *region[:3], "sum", False) for region in regions.itertuples(index=False)]
    assert cover.shape == (3, 1, 1, 1)
    np.testing.assert_allclose(cover[:].ravel(), expected)
    assert set(cover["chr1", 0, 20].ravel()[5:17]) == {np.float32(expected[0])}


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("resolution", [5, 20])
@pytest.mark.parametrize("keep", [False, True])
def test_a_short_window_is_followed_by_no_data(tracks, strand, resolution, keep):
    folder, bases = tracks
    region = region_table(("chr1", 111, 146, strand))
    cover = Cover.create_from_bigwig(
        "x", folder / "a.bw", region, binsize=20, resolution=resolution, nan_to_num=not keep
    )
    expected = slow_window(bases["a"], ("chr1", 131, 146, strand), resolution, "mean", keep)
    np.testing.assert_allclose(cover[1].ravel()[: len(expected)], expected, rtol=1e-6)
    behind = cover[1].ravel()[len(expected) :]
    np.testing.assert_array_equal(behind, np.full(len(behind), np.nan if keep else 0))


@pytest.mark.parametrize("reading", [{"resolution": 10}, {"resolution": 10, "flank": 3}, {"resolution": None}])
def test_a_pair_of_files_is_two_strands(tracks, reading):
    folder, bases = tracks
    windows = region_table(("chr1", 100, 200, "+"), ("chr1", 100, 200, "-"))
    cover = Cover.create_from_bigwig("cage", [(folder / "a.bw", folder / "b.bw")], windows, binsize=100, **reading)
    assert cover.shape[2:] == (2, 1)
    assert cover.conditions == ["a"]
    flank = reading.get("flank", 0)
    for strand, track in enumerate("ab"):
        place = ("chr1", 100 - flank, 200 + flank)
        forward = slow_window(bases[track], (*place, "+"), reading["resolution"], "mean", False)
        np.testing.assert_allclose(cover[0][0, :, strand, 0], forward, rtol=1e-6)
        np.testing.assert_allclose(cover[1][0, :, 1 - strand, 0], forward[::-1], rtol=1e-6)


@pytest.mark.parametrize("strand", ["+", "-", "."])
def test_regions_are_read_base_by_base(tracks, strand):
    folder, bases = tracks
    cover = Cover.create_from_bigwig("x", folder / "a.bw", resolution=10, nan_to_num=False)
    expected = np.full(1040, np.nan)
    expected[:1025] = slow_window(bases["a"], ("chr1", 0, 1025, "+"), 10, "mean", True).repeat(10)[:1025]
    for start, end in ((3, 27), (1013, 1040), (999, 1000)):
        part = expected[start:end]
        found = cover["chr1", start, end, strand].ravel()
        np.testing.assert_allclose(found, part[::-1] if strand == "-" else part, rtol=1e-6)
    assert np.isnan(cover["chr1", -4, 0]).all()


# ---- functions as collapsers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [None, 1, 7, 50])
@pytest.mark.parametrize("whole", [None, False])
def test_a_function_sees_the_bases_of_each_bin(tracks, resolution, whole):
    folder, bases = tracks
    windows = region_table(("chr1", 0, 350, "-"), ("chr1", 700, 1025, "+"))
    cover = Cover.create_from_bigwig(
        "x", folder / "a.bw", windows, binsize=350, resolution=resolution, collapser=np.median, store_whole_genome=whole
    )
    filled = np.nan_to_num(bases["a"]["chr1"])
    for row, (start, end) in enumerate(((0, 350), (700, 1025))):
        step = resolution or end - start
        expected = [np.median(filled[left : min(left + step, end)]) for left in range(start, end, step)]
        found = cover[row].ravel()[: len(expected)]
        np.testing.assert_allclose(found, expected[::-1] if row == 0 else expected)


@pytest.mark.parametrize(
    ("collapser", "message"),
    [
        ("median", "mean, sum, max"),
        (3, "collapser=3"),
        (lambda values: values.sum(axis=1), "collapser\\(values, axis=1\\)"),
        (lambda values, axis: values, "It returned \\(2, 3, 1\\)"),
        (lambda values, axis: np.sum(values), "It returned \\(\\)"),
    ],
)
def test_functions_that_do_not_collapse_are_refused(tracks, collapser, message):
    with pytest.raises(InputError, match=message):
        Cover.create_from_bigwig("x", tracks[0] / "a.bw", resolution=10, collapser=collapser)


def test_the_rest_of_a_stretch_is_collapsed_from_its_own_bases():
    values = np.arange(1.0, 11.0).reshape(1, 10, 1)
    assert collapse_bases(values, 4, "sum").ravel().tolist() == [10, 26, 19]
    assert collapse_bases(values, 4, "mean").ravel().tolist() == [2.5, 6.5, 9.5]
    assert collapse_bases(values, 30, "sum").ravel().tolist() == [55]
    assert collapse_bases(values[:, :0], 4, "sum").shape == (1, 0, 1)


# ---- contigs and bad files -------------------------------------------------------------------------------------------


def write_one(path, sizes, *entries):
    track = pyBigWig.open(str(path), "w")
    track.addHeader(list(sizes.items()))
    for chrom, start, end, value in entries:
        track.addEntries([chrom], [start], ends=[end], values=[value])
    track.close()
    return path


def test_contigs_that_a_file_lacks_hold_no_data_only_where_they_are_known(tmp_path):
    first = write_one(tmp_path / "first.bw", {"chr1": 100}, ("chr1", 0, 50, 2.0))
    both = write_one(tmp_path / "both.bw", {"chr1": 100, "chr2": 80}, ("chr2", 0, 80, 3.0))
    windows = region_table(("chr1", 0, 40, "+"), ("chr2", 0, 40, "+"))
    cover = Cover.create_from_bigwig("x", [first, both], windows, resolution=40)
    assert cover[:].reshape(2, 2).tolist() == [[2, 0], [0, 3]]
    with pytest.raises(InputError, match="No bigWig file names these contigs of the regions: chr2.*genomesize"):
        Cover.create_from_bigwig("x", first, windows, resolution=40)
    cover = Cover.create_from_bigwig("x", first, windows, {"chr1": 100, "chr2": 80}, resolution=40)
    assert cover[:].ravel().tolist() == [2, 0]


def test_files_of_different_assemblies_are_refused(tmp_path):
    first = write_one(tmp_path / "first.bw", {"chr1": 100}, ("chr1", 0, 50, 2.0))
    other = write_one(tmp_path / "other.bw", {"chr1": 90}, ("chr1", 0, 50, 2.0))
    ensembl = write_one(tmp_path / "ensembl.bw", {"1": 100}, ("1", 0, 50, 2.0))
    with pytest.raises(InputError, match=r"other\.bw has chr1 of 90 bp, .*first\.bw says 100"):
        Cover.create_from_bigwig("x", [first, other])
    with pytest.raises(InputError, match=r"ensembl\.bw has none of the contigs chr1. It has 1"):
        Cover.create_from_bigwig("x", ensembl, genomesize={"chr1": 100})
    with pytest.raises(InputError, match="genomesize says 120"):
        Cover.create_from_bigwig("x", first, genomesize={"chr1": 120})


def test_a_file_of_any_name_is_read(tracks, tmp_path):
    folder, _ = tracks
    expected = Cover.create_from_bigwig("x", folder / "a.bw", resolution=50)["chr1", 0, 1025]
    for name in ("ENCFF000ABC", "a.BW", "a.bigWig", "a.bigwig"):
        (tmp_path / name).write_bytes((folder / "a.bw").read_bytes())
        cover = Cover.create_from_bigwig("x", tmp_path / name, resolution=50)
        np.testing.assert_array_equal(cover["chr1", 0, 1025], expected)


def test_bad_files_are_named(tracks, tmp_path):
    folder, _ = tracks
    for name in ("text.bw", "text"):
        (tmp_path / name).write_text("chr1\t0\t10\n" * 30)
        with pytest.raises(InputError, match=f"{name} is no bigWig file"):
            Cover.create_from_bigwig("x", tmp_path / name)
    (tmp_path / "empty.bw").write_text("")
    with pytest.raises(InputError, match=r"empty\.bw is no bigWig file"):
        Cover.create_from_bigwig("x", tmp_path / "empty.bw")
    with pytest.raises(InputError, match=r"none\.bw: cannot read the file"):
        Cover.create_from_bigwig("x", tmp_path / "none.bw")
    whole = (folder / "a.bw").read_bytes()
    (tmp_path / "cut.bw").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(InputError, match=r"cut\.bw"):
        Cover.create_from_bigwig("x", tmp_path / "cut.bw")
    with pytest.raises(InputError, match="bigwigfiles is empty"):
        Cover.create_from_bigwig("x", [])


def test_damaged_blocks_are_named(tmp_path):
    values = np.random.default_rng(0).random(20_000)
    write_bigwig(tmp_path / "x.bw", {"c": 20_000}, [("c", np.arange(20_000), np.arange(1, 20_001), values)])
    damaged = bytearray((tmp_path / "x.bw").read_bytes())
    damaged[20_000:21_000] = bytes(1000)
    (tmp_path / "y.bw").write_bytes(bytes(damaged))
    with pytest.raises(InputError, match=r"y\.bw: the data of c:0-20000 are damaged"):
        Cover.create_from_bigwig("x", tmp_path / "y.bw", resolution=50)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 0}, "resolution=0"),
        ({"resolution": 2.5}, "resolution=2.5"),
        ({"resolution": None}, "no windows to keep"),
        ({"resolution": None, "roi": WINDOWS, "store_whole_genome": True}, "Whole contigs are kept in bins"),
        ({"store_whole_genome": False}, "no windows to keep"),
        ({"storage": "parquet"}, "storage='parquet'"),
        ({"conditions": ["a", "b"]}, "one name for each of the 1"),
        ({"nan_to_num": False, "normalizer": "zscore"}, "cannot be fitted on NaN"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tracks, options, message):
    with pytest.raises(InputError, match=message):
        Cover.create_from_bigwig("x", tracks[0] / "a.bw", **options)


def test_pairs_and_single_files_do_not_mix(tracks):
    folder, _ = tracks
    with pytest.raises(InputError, match="a pair of files"):
        Cover.create_from_bigwig("x", [folder / "a.bw", (folder / "a.bw", folder / "b.bw")])


def test_normalizers_are_fitted_on_each_track(tracks):
    folder, bases = tracks
    windows = region_table(("chr1", 0, 100, "+"))
    cover = Cover.create_from_bigwig("x", folder / "a.bw", windows, resolution=1, normalizer=ZScore())
    filled = np.nan_to_num(bases["a"]["chr1"])
    expected = (filled[:100] - filled.mean()) / filled.std(ddof=1)
    np.testing.assert_allclose(cover[:].ravel(), expected, rtol=1e-5, atol=1e-5)


def test_normalizers_of_values_of_windows_are_fitted_on_these(tracks):
    folder, bases = tracks
    windows = region_table(*(("chr1", start, end, "+") for start, end in ((3, 19), (20, 50), (51, 99))))
    filled = np.nan_to_num(bases["a"]["chr1"])
    means = np.array([filled[start:end].mean() for start, end in ((3, 19), (20, 50), (51, 99))])
    cover = Cover.create_from_bigwig("x", folder / "a.bw", windows, resolution=None, normalizer="zscore")
    expected = (means - means.mean()) / means.std(ddof=1)
    np.testing.assert_allclose(cover[:].ravel(), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="All 1 counts of a are the same"):
        Cover.create_from_bigwig("x", folder / "a.bw", windows[:1], resolution=None, normalizer="zscore")


def test_no_regions_give_no_windows_and_pickles_are_complete(tracks):
    folder, _ = tracks
    for resolution in (None, 10):
        empty = Cover.create_from_bigwig("x", folder / "a.bw", WINDOWS[:0], binsize=100, resolution=resolution)
        assert empty[:].shape == empty.shape == (0, 10 if resolution else 1, 1, 1)
    cover = Cover.create_from_bigwig("x", folder / "a.bw", WINDOWS, resolution=None)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cover))[:], cover[:])


def test_a_whole_file_is_read_in_little_memory(tmp_path):
    n = 2_000_000
    write_bigwig(tmp_path / "x.bw", {"c": n * 5}, [("c", np.arange(n) * 5, np.arange(n) * 5 + 3, np.arange(n) % 7.0)])
    tracemalloc.start()
    cover = Cover.create_from_bigwig("x", tmp_path / "x.bw", resolution=50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * cover._signal.arrays[0].values.nbytes + 5e5
    window = (np.arange(10) % 7.0 * 3).sum() / 50
    assert cover["c", 0, 1].item() == np.float32(window)
