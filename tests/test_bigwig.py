import numpy as np
import pandas as pd
import pyBigWig
import pytest

from helpers.data.collapse import collapse_overlaps
from helpers.data.export import predictions_to_bigwig
from helpers.errors import InputError

SIZES = {"chr2": 1000, "chr1": 700, "chrEmpty": 50}


@pytest.fixture
def rng():
    return np.random.default_rng(2)


def table(rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


def per_base(regions, values, sizes):
    """Average base by base, in a loop."""
    total = {chrom: np.zeros(size) for chrom, size in sizes.items()}
    depth = {chrom: np.zeros(size) for chrom, size in sizes.items()}
    for (chrom, start, end), value in zip(
        regions[["chrom", "start", "end"]].itertuples(index=False), values, strict=True
    ):
        for base in range(max(start, 0), min(end, sizes[chrom])):
            if not np.isnan(value):
                total[chrom][base] += value
                depth[chrom][base] += 1
    with np.errstate(invalid="ignore"):
        return {chrom: total[chrom] / depth[chrom] for chrom in sizes}


def read_back(path, sizes):
    with pyBigWig.open(str(path)) as track:
        assert list(track.chroms().items()) == list(sizes.items())
        return {chrom: np.array(track.values(chrom, 0, size)) for chrom, size in sizes.items()}


def assert_track(path, regions, values, sizes=SIZES):
    expected = per_base(regions, values, sizes)
    for chrom, found in read_back(path, sizes).items():
        np.testing.assert_allclose(found, expected[chrom], rtol=1e-6, equal_nan=True)


@pytest.mark.parametrize("seed", range(8))
def test_any_windows_against_a_loop(tmp_path, seed):
    rng = np.random.default_rng(seed)
    n = 60
    starts = rng.integers(-20, 690, n)
    regions = table({"chrom": rng.choice(["chr1", "chr2"], n), "start": starts, "end": starts + rng.integers(1, 90, n)})
    values = rng.normal(size=n)
    values[::7] = np.nan
    predictions_to_bigwig(tmp_path / "p.bw", regions, values, SIZES)
    assert_track(tmp_path / "p.bw", regions, values)


def test_bins_side_by_side_stay_bins(tmp_path, rng):
    starts = np.arange(0, 1000, 200)
    regions = table({"chrom": "chr2", "start": starts, "end": starts + 200}).sample(frac=1, random_state=0)
    values = rng.random(5)
    predictions_to_bigwig(tmp_path / "p.bw", regions, values, SIZES)
    with pyBigWig.open(str(tmp_path / "p.bw")) as track:
        found = track.intervals("chr2")
    assert [(start, end) for start, end, _ in found] == [(s, s + 200) for s in starts]
    np.testing.assert_array_equal([v for _, _, v in found], values[np.argsort(regions["start"])].astype(np.float32))


def test_sliding_windows(tmp_path, rng):
    starts = np.arange(0, 600, 50)
    regions = table({"chrom": "chr1", "start": starts, "end": starts + 200})
    values = rng.random(len(starts))
    predictions_to_bigwig(tmp_path / "p.bw", regions, values, SIZES)
    assert_track(tmp_path / "p.bw", regions, values)


def test_window_past_the_end_of_its_contig_is_cut(tmp_path):
    regions = table([("chr1", 600, 900), ("chr1", 700, 900), ("chr1", -100, 0)])
    predictions_to_bigwig(tmp_path / "p.bw", regions, np.array([1.0, 2.0, 3.0]), SIZES)
    with pyBigWig.open(str(tmp_path / "p.bw")) as track:
        assert track.intervals("chr1") == ((600, 700, 1.0),)


@pytest.mark.parametrize("values", [[], [np.nan]])
def test_nothing_to_write_gives_an_empty_track(tmp_path, values):
    regions = table([("chr1", 0, 200)] * len(values))
    predictions_to_bigwig(tmp_path / "p.bw", regions, np.array(values), SIZES)
    assert all(np.isnan(found).all() for found in read_back(tmp_path / "p.bw", SIZES).values())


def test_column_of_predictions_is_taken(tmp_path):
    regions = table([("chr1", 0, 200)])
    predictions_to_bigwig(tmp_path / "p.bw", regions, np.array([[0.25]], dtype=np.float32), SIZES)
    assert read_back(tmp_path / "p.bw", SIZES)["chr1"][10] == 0.25


def test_unknown_contig_is_named_and_leaves_no_file(tmp_path):
    with pytest.raises(InputError, match="Windows lie on 3, which the genome does not have. It has chr2"):
        predictions_to_bigwig(tmp_path / "p.bw", table([("3", 0, 200)]), np.ones(1), SIZES)
    assert list(tmp_path.iterdir()) == []


def test_one_value_per_window(tmp_path):
    with pytest.raises(InputError, match="2 values for 1 windows"):
        predictions_to_bigwig(tmp_path / "p.bw", table([("chr1", 0, 200)]), np.ones(2), SIZES)


def test_averages_are_exact_where_sums_would_cancel():
    """A huge value beside small ones: sums that are added and subtracted would lose the small ones."""
    _, _, values = collapse_overlaps(np.array([0, 5, 20]), np.array([10, 15, 30]), np.array([1e17, 1.0, 0.3]))
    assert values[2] == 1.0
    assert values[3] == 0.3


def test_same_track_same_bytes(tmp_path, rng):
    regions, values = table([("chr1", 0, 200), ("chr1", 100, 300)]), rng.random(2)
    for name in ("a.bw", "b.bw"):
        predictions_to_bigwig(tmp_path / name, regions, values, SIZES)
    assert (tmp_path / "a.bw").read_bytes() == (tmp_path / "b.bw").read_bytes()
