"""Signal of windows written as bigWig tracks, against base-by-base means, and read back."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest

from helpers.data.bigwig import write_bigwig
from helpers.data.coverage import Cover
from helpers.data.export import predictions_to_bigwig
from helpers.data.indexer import GenomicIndexer
from helpers.errors import InputError

SIZES = {"chr1": 140, "chr2": 90}
WINDOWS = pd.DataFrame(
    [
        ("chr2", 0, 40, "-"),
        ("chr1", 20, 60, "+"),
        ("chr1", 40, 80, "-"),
        ("chr1", 110, 150, "+"),
        ("chr1", 0, 25, "-"),  # shorter than the others
    ],
    columns=["chrom", "start", "end", "strand"],
)


def read_track(path):
    with pyBigWig.open(str(path)) as track:
        return {chrom: np.array(track.values(chrom, 0, size)) for chrom, size in track.chroms().items()}


def make_cover(n_strands, flank=0, n_bins=4, n_conditions=2, seed=1):
    windows = GenomicIndexer.create_from_file(WINDOWS, 40, flank=flank)
    values = np.random.default_rng(seed).integers(0, 40, (5, n_bins, n_strands, n_conditions)) / 4
    return Cover.create_from_array("p", values, windows, genomesize=SIZES, conditions=["a", "b"][:n_conditions])


def slow_tracks(cover, condition, strand):
    """Lay every bin of every window over its bases, one by one, and average."""
    total = {chrom: np.zeros(size) for chrom, size in SIZES.items()}
    depth = {chrom: np.zeros(size) for chrom, size in SIZES.items()}
    for row, (chrom, start, end, own) in enumerate(cover.gindexer):
        for base in range(start, end):
            resolution = cover.resolution or end - start
            place = (base - start) // resolution
            n_bins = -(-(end - start) // resolution)
            if own == "-":
                place = n_bins - 1 - place
            if 0 <= base < SIZES[chrom]:
                its_strand = cover.shape[2] - 1 - strand if own == "-" else strand
                total[chrom][base] += cover[row][0, place, its_strand, condition]
                depth[chrom][base] += 1
    with np.errstate(invalid="ignore"):
        return {chrom: total[chrom] / depth[chrom] for chrom in SIZES}


@pytest.mark.parametrize("n_strands", [1, 2])
@pytest.mark.parametrize(("n_bins", "flank"), [(1, 0), (4, 0), (40, 0), (5, 5)])
def test_windows_become_tracks_by_condition_and_strand(tmp_path, n_strands, n_bins, flank):
    cover = make_cover(n_strands, flank, n_bins)
    paths = cover.export_to_bigwig(tmp_path / "out")
    strands = [""] if n_strands == 1 else [".plus", ".minus"]
    assert [path.name for path in paths] == [f"p.{name}{strand}.bigwig" for name in "ab" for strand in strands]
    for number, path in enumerate(paths):
        expected = slow_tracks(cover, number // n_strands, number % n_strands)
        for chrom, found in read_track(path).items():
            np.testing.assert_allclose(found, expected[chrom], rtol=1e-6, equal_nan=True)


def test_parts_of_the_windows_and_conditions_make_the_same_tracks(tmp_path, monkeypatch):
    cover = make_cover(2)
    whole = [path.read_bytes() for path in cover.export_to_bigwig(tmp_path / "whole")]
    monkeypatch.setattr("helpers.data.export._VALUES_AT_ONCE", 20)
    monkeypatch.setattr("helpers.data.export._VALUES_IN_MEMORY", 1)
    assert [path.read_bytes() for path in cover.export_to_bigwig(tmp_path / "parts")] == whole


def test_what_is_written_is_read_back(tmp_path):
    windows = GenomicIndexer.create_from_region("chr1", 0, 140, "-", 20)
    values = np.random.default_rng(3).normal(size=(7, 4, 2, 1)).astype(np.float32)
    cover = Cover.create_from_array("p", values, windows, genomesize=SIZES)
    plus, minus = cover.export_to_bigwig(tmp_path)
    regions = windows.to_regions()
    again = Cover.create_from_bigwig("p", [(plus, minus)], regions, SIZES, binsize=20, resolution=5)
    np.testing.assert_allclose(again[:], values, rtol=1e-6)


def test_contig_lengths_come_from_where_they_are_known(tmp_path):
    windows = GenomicIndexer.create_from_region("chr1", 0, 40, "+", 20)
    plain = Cover.create_from_array("p", np.ones((2, 1)), windows)
    for sizes, expected in ((None, {"chr1": 40}), ({"chr1": 90, "chr2": 7}, {"chr1": 90, "chr2": 7})):
        (path,) = plain.export_to_bigwig(tmp_path, sizes)
        with pyBigWig.open(str(path)) as track:
            assert track.chroms() == expected
    with pytest.raises(InputError, match="Windows lie on chr1"):
        plain.export_to_bigwig(tmp_path, {"chr2": 7})
    again = Cover.create_from_bigwig("q", path, windows.to_regions(), resolution=20)
    (path,) = again.export_to_bigwig(tmp_path)
    with pyBigWig.open(str(path)) as track:
        assert track.chroms() == {"chr1": 90}


def test_what_no_track_can_hold_is_refused(tmp_path):
    with pytest.raises(InputError, match="one or two strands.*3, 2"):
        make_cover(3).export_to_bigwig(tmp_path)
    empty = Cover.create_from_bed("e", WINDOWS, WINDOWS[:0], binsize=40)
    with pytest.raises(InputError, match="one or two strands"):
        empty.export_to_bigwig(tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_runs_of_any_length_and_gaps_are_written(tmp_path, seed):
    """Touching pieces of one length, long and short runs, gaps, other lengths and NaN, as they come."""
    rng = np.random.default_rng(seed)
    lengths = np.repeat(rng.choice([5, 5, 5, 8], 60), rng.integers(1, 200, 60))
    gaps = np.where(rng.random(len(lengths)) < 0.01, 3, 0)
    ends = np.cumsum(lengths + gaps)
    starts = ends - lengths
    values = rng.integers(-50, 50, len(starts)) / 8
    values[rng.random(len(values)) < 0.005] = np.nan
    size = int(ends[-1]) + 3
    write_bigwig(tmp_path / "x.bw", {"c": size, "d": 5}, [("c", starts, ends, values)])
    expected = np.full(size, np.nan)
    for start, end, value in zip(starts, ends, values, strict=True):
        expected[start:end] = value
    np.testing.assert_array_equal(read_track(tmp_path / "x.bw")["c"], expected)
    assert np.isnan(read_track(tmp_path / "x.bw")["d"]).all()


def test_half_a_million_touching_windows_are_written(tmp_path):
    n = 500_000
    starts = np.arange(n) * 50
    regions = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + 50})
    predictions_to_bigwig(tmp_path / "p.bw", regions, np.random.default_rng(0).random(n), {"chr1": n * 50})
    with pyBigWig.open(str(tmp_path / "p.bw")) as track:
        assert track.header()["nBasesCovered"] == n * 50


def test_each_condition_needs_a_file_of_its_own(tmp_path):
    windows = GenomicIndexer.create_from_file(WINDOWS, 40)
    for conditions, message in ((["a", "b", "a"], "that come twice: a"), (["a", "b", "c/d"], "'c/d' cannot be part")):
        cover = Cover.create_from_array("x", np.ones((5, 3)), windows, conditions=conditions)
        with pytest.raises(InputError, match=message):
            cover.export_to_bigwig(tmp_path)
    assert list(tmp_path.iterdir()) == []
