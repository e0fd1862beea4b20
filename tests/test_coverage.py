"""Coverage and labels of windows against loops over single bases: ends of contigs, strands, bins."""

import pickle

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.bam import store_bam_coverage
from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import TPM, Identity, LogTransform, ZScoreLog, fit_normalizer
from helpers.data.regions import Region
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

SIZES = {"chr1": 1025, "chr2": 300, "empty": 70}
TRACKS = ("first", "second")


def region_table(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])


# In the middle, on both strands and twice, over both ends, wholly outside, on a contig without reads; unsorted.
WINDOWS = region_table(
    ("chr2", 100, 200, "+"),
    ("chr1", 400, 500, "-"),
    ("chr1", 400, 500, "+"),
    ("chr1", 450, 550, "."),
    ("chr1", 0, 100, "+"),
    ("chr1", 0, 100, "-"),
    ("chr1", 950, 1050, "+"),
    ("chr1", 950, 1050, "-"),
    ("chr2", 200, 300, "-"),
    ("chr2", 250, 350, "-"),
    ("chr1", 3000, 3100, "+"),
    ("empty", 0, 100, "-"),
    ("chr1", 400, 500, "-"),
)


@pytest.fixture(scope="module")
def bases():
    """Reads that begin at each base, (bases, strands), for each track."""
    rng = np.random.default_rng(2)
    return {
        track: {
            "chr1": rng.poisson(depth, (1025, 2)),
            "chr2": rng.poisson(depth, (300, 2)),
            "empty": np.zeros((70, 2), dtype=int),
        }
        for track, depth in zip(TRACKS, (0.3, 1.2), strict=True)
    }


@pytest.fixture(scope="module")
def bam_paths(bases, tmp_path_factory):
    """A BAM file for each track with one-base reads, so that both ends of a read are its only base."""
    folder = tmp_path_factory.mktemp("bam")
    header = {"SQ": [{"SN": name, "LN": length} for name, length in SIZES.items()]}
    for track, contigs in bases.items():
        with pysam.AlignmentFile(str(folder / f"{track}.bam"), "wb", header=header) as file:
            for name, counts in contigs.items():
                for position, strand in np.argwhere(counts):
                    read = pysam.AlignedSegment(file.header)
                    read.query_name, read.flag, read.cigarstring = "r", 16 * int(strand), "1M"
                    read.reference_id, read.reference_start = file.get_tid(name), int(position)
                    read.mapping_quality = 30
                    for _ in range(counts[position, strand]):
                        file.write(read)
    return [folder / f"{track}.bam" for track in TRACKS]


@pytest.fixture(scope="module")
def stores(bam_paths, tmp_path_factory):
    """Stored counts of each track at 1, 25 and 50 bp."""
    folder = tmp_path_factory.mktemp("stores")
    for path in bam_paths:
        for resolution in (1, 25, 50):
            store_bam_coverage(path, folder / f"{path.stem}.{resolution}.h5", resolution=resolution)
    return lambda resolution: [folder / f"{track}.{resolution}.h5" for track in TRACKS]


def slow_window(bases, chrom, start, end, strand, resolution):
    """Sum base by base what lies inside the contig, bin by bin; (positions, strands, conditions)."""
    window = np.zeros(((end - start) // resolution, 2, len(bases)))
    for condition, contigs in enumerate(bases.values()):
        for base in range(start, end):
            if 0 <= base < len(contigs[chrom]):
                window[(base - start) // resolution, :, condition] += contigs[chrom][base]
    return window[::-1, ::-1] if strand == "-" else window


def slow_windows(bases, windows, flank, resolution):
    return np.stack(
        [
            slow_window(bases, chrom, start - flank, end + flank, strand, resolution)
            for chrom, start, end, strand in windows.itertuples(index=False)
        ]
    )


# ---- counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [1, 25, 50])
@pytest.mark.parametrize("flank", [0, 50, 150])
def test_windows_agree_with_a_loop_over_bases(bases, stores, resolution, flank):
    cover = Cover.create_from_store("dnase", stores(resolution), WINDOWS, binsize=100, flank=flank)
    expected = slow_windows(bases, WINDOWS, flank, resolution)
    assert cover.shape == expected.shape == (13, (100 + 2 * flank) // resolution, 2, 2)
    assert cover.ndim == 4
    assert cover.resolution == resolution
    assert cover.conditions == ["first", "second"]
    assert cover[:].dtype == np.float32
    np.testing.assert_array_equal(cover[:], expected)


def test_a_window_over_an_end_keeps_its_centre(stores, bases):
    window = region_table(("chr1", 0, 50, "+"), ("chr1", 0, 50, "-"))
    cover = Cover.create_from_store("dnase", stores(1)[:1], window, binsize=50, flank=30)
    contig = bases["first"]["chr1"]
    np.testing.assert_array_equal(cover[0][0, 30:, :, 0], contig[:80])
    np.testing.assert_array_equal(cover[0][0, :30, :, 0], 0)
    np.testing.assert_array_equal(cover[1][0, :80, :, 0], contig[79::-1, ::-1])
    np.testing.assert_array_equal(cover[1][0, 80:, :, 0], 0)


def test_bam_files_and_their_stores_give_the_same(bam_paths, stores):
    stored = Cover.create_from_store("dnase", stores(50), WINDOWS, binsize=100, flank=50)
    counted = Cover.create_from_bam("dnase", bam_paths, WINDOWS, binsize=100, flank=50, resolution=50)
    np.testing.assert_array_equal(counted[:], stored[:])
    assert counted.conditions == stored.conditions
    region = ("chr1", -20, 1040, "-")
    np.testing.assert_array_equal(counted[region], stored[region])


def test_unstranded_coverage_is_the_sum_of_the_strands(bam_paths, bases):
    cover = Cover.create_from_bam(
        "dnase", bam_paths, WINDOWS, binsize=100, resolution=25, stranded=False, conditions=["a", "b"]
    )
    assert cover.shape == (13, 4, 1, 2)
    assert cover.conditions == ["a", "b"]
    np.testing.assert_array_equal(cover[:], slow_windows(bases, WINDOWS, 0, 25).sum(axis=2, keepdims=True))


def test_one_file_and_a_quality_threshold(bam_paths):
    cover = Cover.create_from_bam("dnase", bam_paths[0], WINDOWS, binsize=100, resolution=50, min_mapq=31)
    assert cover.shape == (13, 2, 2, 1)
    assert cover[:].sum() == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(-6, 24), st.sampled_from("+-.")), min_size=1),
    st.integers(1, 5),
    st.integers(0, 3),
)
def test_any_windows_on_the_grid_agree_with_the_loop(bases, stores, places, bins, flank_bins):
    length, flank = 50 * bins, 50 * flank_bins
    windows = region_table(*((chrom, 50 * max(place, 0), 50 * max(place, 0) + length, s) for chrom, place, s in places))
    cover = Cover.create_from_store("dnase", stores(50), windows, binsize=length, flank=flank)
    np.testing.assert_array_equal(cover[:], slow_windows(bases, windows, flank, 50))


@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_rest_of_a_region_is_followed_by_zeros_in_reading_direction(bases, stores, strand):
    # Two whole windows of 100 bp and 50 bp that remain, two bins of 25 bp.
    cover = Cover.create_from_store("dnase", stores(25), region_table(("chr1", 100, 350, strand)), binsize=100)
    assert cover.shape == (3, 4, 2, 2)
    np.testing.assert_array_equal(cover[0][0], slow_window(bases, "chr1", 100, 200, strand, 25))
    np.testing.assert_array_equal(cover[2][0, :2], slow_window(bases, "chr1", 300, 350, strand, 25))
    np.testing.assert_array_equal(cover[2][0, 2:], 0)
    whole = Cover.create_from_store(
        "dnase", stores(25), region_table(("chr1", 100, 350, strand)), binsize=100, zero_padding=False
    )
    assert len(whole) == 2


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_bin_that_a_short_window_touches_counts_whole(bases, stores, strand):
    # 300-340 remains: the bins 300-325 and 325-350.
    cover = Cover.create_from_store("dnase", stores(25), region_table(("chr1", 200, 340, strand)), binsize=100)
    np.testing.assert_array_equal(cover[1][0, :2], slow_window(bases, "chr1", 300, 350, strand, 25))
    np.testing.assert_array_equal(cover[1][0, 2:], 0)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_overlapping_steps(bases, stores, strand):
    cover = Cover.create_from_store("dnase", stores(25), region_table(("chr1", 100, 300, strand)), None, 100, 50)
    assert cover.gindexer.starts.tolist() == [100, 150, 200]
    for row, start in enumerate((100, 150, 200)):
        np.testing.assert_array_equal(cover[row][0], slow_window(bases, "chr1", start, start + 100, strand, 25))


@pytest.mark.parametrize(
    ("windows", "settings", "message"),
    [
        (("chr1", 110, 210, "+"), {"binsize": 100}, r"1 of 1 windows do not begin.*chr1:110-210\. Trim the regions"),
        (("chr1", 100, 200, "+"), {"binsize": 100, "flank": 20}, "binsize=100, flank=20 for resolution=50"),
        (("chr1", 100, 200, "+"), {"binsize": 100, "flank": 25}, "do not begin, with their flank of 25 bp"),
        (("chr1", 100, 200, "+"), {"binsize": 90}, "multiples of the resolution long"),
        (("chrX", 100, 200, "+"), {"binsize": 100}, "does not have: chrX"),
    ],
)
def test_windows_that_do_not_fit_the_bins_are_refused(stores, windows, settings, message):
    with pytest.raises(InputError, match=message):
        Cover.create_from_store("dnase", stores(50), region_table(windows), **settings)


def test_no_regions_give_no_windows(stores):
    cover = Cover.create_from_store("dnase", stores(50), WINDOWS[:0], binsize=100, flank=50)
    assert cover.shape == cover[:].shape == (0, 4, 2, 2)


def test_all_forms_of_an_index_give_what_numpy_gives(stores):
    cover = Cover.create_from_store("dnase", stores(50), WINDOWS, binsize=100)
    whole = cover[:]
    mask = np.arange(13) % 4 == 1
    for key in (
        *(slice(-2, None), slice(None, 0), slice(None, None, -1), slice(3, 99), slice(1, 9, 3), mask, [3, 1, 1, -1]),
        *(mask.tolist(), np.array([2, 5], dtype=np.uint16)),
    ):
        np.testing.assert_array_equal(cover[key], whole[key])
    for key in (0, -1, np.int64(3), np.uint8(2)):
        np.testing.assert_array_equal(cover[key], whole[[int(key)]])
    assert cover[[]].shape == (0, 2, 2, 2)
    for key in (13, -14, [0, 13], 1.5, np.ones(3, dtype=bool), None, (1, 2), ()):
        with pytest.raises(IndexError):
            cover[key]
    np.testing.assert_array_equal(np.asarray(cover), whole)


def test_random_state_permutes_the_windows_alone(stores):
    plain = Cover.create_from_store("dnase", stores(50), WINDOWS, binsize=100)
    mixed = Cover.create_from_store("dnase", stores(50), WINDOWS, binsize=100, random_state=3)
    np.testing.assert_array_equal(mixed[:], plain[mixed.gindexer.order])
    assert mixed.gindexer.order.tolist() != list(range(13))


def test_reading_never_changes_what_is_stored(bam_paths):
    cover = Cover.create_from_bam("dnase", bam_paths, WINDOWS, binsize=100)
    before = cover[:]
    changed = cover[:]
    changed[:] = -1
    cover["chr1", 0, 10][:] = -1
    np.testing.assert_array_equal(cover[:], before)


# ---- regions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [1, 25, 50])
@pytest.mark.parametrize("strand", ["+", "-", "."])
@pytest.mark.parametrize(
    ("start", "end"),
    [(100, 200), (103, 161), (-7, 30), (1010, 1040), (1024, 1026), (1030, 1060), (-9, -2), (-30, 1100)],
)
def test_regions_are_read_base_by_base(bases, stores, resolution, strand, start, end):
    cover = Cover.create_from_store("dnase", stores(resolution))
    expected = np.zeros((end - start, 2, 2))
    for condition, contigs in enumerate(bases.values()):
        contig = contigs["chr1"]
        for base in range(max(start, 0), min(end, len(contig))):
            first = base // resolution * resolution
            expected[base - start, :, condition] = contig[first : first + resolution].sum(axis=0)
    if strand == "-":
        expected = expected[::-1, ::-1]
    np.testing.assert_array_equal(cover["chr1", start, end, strand], expected[None])
    np.testing.assert_array_equal(cover[Region("chr1", start, end, strand)], expected[None])


def test_regions_on_other_contigs_are_refused(stores):
    with pytest.raises(InputError, match="does not have: chrX"):
        Cover.create_from_store("dnase", stores(50))["chrX", 0, 10]


# ---- normalizers, conditions, files ----------------------------------------------------------------------------------


def test_each_track_keeps_its_own_normalizer_when_tracks_are_swapped(bases, stores):
    paths = stores(50)
    fitted = [fit_normalizer("zscorelog", GenomeArray.open(path), resolution=50) for path in paths]
    straight = Cover.create_from_store("x", paths, WINDOWS, binsize=100, normalizers=fitted)
    swapped = Cover.create_from_store("x", paths[::-1], WINDOWS, binsize=100, normalizers=fitted[::-1])
    np.testing.assert_array_equal(straight[:], swapped[:][..., ::-1])
    expected = slow_windows(bases, WINDOWS, 0, 50)
    for condition, normalizer in enumerate(fitted):
        exact = (np.log(expected[..., condition] + 1) - normalizer.mean_) / normalizer.std_
        np.testing.assert_allclose(straight[:][..., condition], exact, rtol=1e-5, atol=1e-5)


def test_positions_outside_the_contig_are_normalized_as_zero_counts(stores):
    normalizers = [ZScoreLog(1.0, 0.5), TPM(10.0)]
    cover = Cover.create_from_store("x", stores(50), WINDOWS, binsize=100, flank=50, normalizers=normalizers)
    outside = cover[10][0]  # far behind the end of chr1
    np.testing.assert_array_equal(outside[..., 0], np.float32(-2))
    np.testing.assert_array_equal(outside[..., 1], 0)
    np.testing.assert_array_equal(cover["chr1", 1030, 1035][0, :, :, 0], np.float32(-2))
    short = Cover.create_from_store(
        "x", stores(50), region_table(("chr1", 0, 150, "-")), None, 100, normalizers=normalizers
    )
    np.testing.assert_array_equal(short[1][0, 1, :, 0], np.float32(-2))


@pytest.mark.parametrize("normalizer", ["zscorelog", ZScoreLog(), "tpm", None, Identity(), LogTransform()])
def test_normalizers_of_bam_files_are_fitted_track_by_track(bam_paths, bases, normalizer):
    cover = Cover.create_from_bam("x", bam_paths, WINDOWS, binsize=100, resolution=50, normalizer=normalizer)
    plain = Cover.create_from_bam("x", bam_paths, WINDOWS, binsize=100, resolution=50)
    for condition, path in enumerate(bam_paths):
        alone = Cover.create_from_bam("x", path, WINDOWS, binsize=100, resolution=50, normalizer=normalizer)
        np.testing.assert_array_equal(cover[:][..., condition], alone[:][..., 0])
    if isinstance(normalizer, ZScoreLog):
        assert not normalizer.fitted
    if normalizer == "tpm":
        total = np.array([sum(contig.sum() for contig in contigs.values()) for contigs in bases.values()])
        np.testing.assert_allclose(cover[:], plain[:] * 1e6 / total, rtol=1e-6)


def test_a_fitted_normalizer_is_used_as_it_is(bam_paths):
    cover = Cover.create_from_bam("x", bam_paths, WINDOWS, binsize=100, resolution=50, normalizer=TPM(1e6))
    plain = Cover.create_from_bam("x", bam_paths, WINDOWS, binsize=100, resolution=50)
    np.testing.assert_array_equal(cover[:], plain[:])


def test_genomesize_chooses_the_contigs_and_must_agree(bam_paths):
    cover = Cover.create_from_bam("x", bam_paths, genomesize={"chr2": 300})
    assert cover["chr2", 0, 300].sum() > 0
    with pytest.raises(InputError, match="does not have: chr1"):
        cover["chr1", 0, 10]
    with pytest.raises(InputError, match=r"chr2 of 300 bp, genomesize says 301"):
        Cover.create_from_bam("x", bam_paths, genomesize={"chr2": 301})
    with pytest.raises(InputError, match="none of the contigs chr7"):
        Cover.create_from_bam("x", bam_paths, genomesize={"chr7": 300})
    with pytest.raises(InputError, match="storage='zarr'"):
        Cover.create_from_bam("x", bam_paths, storage="zarr")
    for normalizer in ([], TPM, 3):
        with pytest.raises(InputError, match="normalizer"):
            Cover.create_from_bam("x", bam_paths, normalizer=normalizer)
    with pytest.raises(InputError, match="bamfiles is empty"):
        Cover.create_from_bam("x", [])


def test_windows_can_be_set_later_and_are_checked_then(stores):
    cover = Cover.create_from_store("x", stores(50))
    with pytest.raises(InputError, match="has no windows"):
        cover[0]
    cover.gindexer = GenomicIndexer.create_from_file(WINDOWS, 100)
    before = cover[:]
    with pytest.raises(InputError, match="do not begin"):
        cover.gindexer = GenomicIndexer.create_from_region("chr1", 10, 110, "+", 100)
    np.testing.assert_array_equal(cover[:], before)


def test_stores_that_do_not_fit_together_are_refused(stores, tmp_path):
    with pytest.raises(InputError, match="Stores need one resolution"):
        Cover.create_from_store("x", [stores(50)[0], stores(25)[1]])
    with pytest.raises(InputError, match="Stores need one resolution"):
        Cover.create_from_store("x", [GenomeArray.from_contigs({"chr1": np.zeros((5, 2))})])
    with pytest.raises(InputError, match="one normalizer for each store"):
        Cover.create_from_store("x", stores(50), normalizers=[Identity()])
    with pytest.raises(InputError, match="normalizer"):
        Cover.create_from_store("x", stores(50), normalizers=[TPM, "tpm"])
    with pytest.raises(InputError, match="one name for each of the 2 conditions"):
        Cover.create_from_store("x", stores(50), conditions=["a"])
    with pytest.raises(InputError, match="stores is empty"):
        Cover.create_from_store("x", [])
    with pytest.raises(InputError, match="does not exist"):
        Cover.create_from_store("x", [tmp_path / "none.h5"])


def test_a_dataset_pickles_as_paths_and_reads_on(stores):
    normalizers = [ZScoreLog(1.0, 0.5), Identity()]
    cover = Cover.create_from_store("x", stores(1), WINDOWS, binsize=100, normalizers=normalizers)
    pickled = pickle.dumps(cover)
    assert len(pickled) < 6000
    np.testing.assert_array_equal(pickle.loads(pickled)[:], cover[:])


# ---- labels of BED files ---------------------------------------------------------------------------------------------

FEATURES = {
    "a": [("chr1", 20, 60, 3.0), ("chr1", 40, 120, 7.0), ("chr1", 200, 201, 5.0), ("chr2", 290, 300, -2.0)],
    "b": [("chr1", 99, 100, 1.0), ("chrX", 0, 500, 9.0), ("chr1", 1000, 1025, 2.5), ("chr1", 1010, 1025, -4.0)],
}
BED_WINDOWS = region_table(
    ("chr1", 100, 200, "+"),
    ("chr1", 0, 100, "-"),
    ("chr1", 0, 100, "+"),
    ("chr1", 50, 150, "-"),
    ("chr2", 250, 350, "-"),
    ("chr1", 1000, 1100, "+"),
    ("empty", 0, 100, "+"),
    ("chr1", 200, 300, "+"),
    ("chr1", 100, 200, "-"),
)


@pytest.fixture
def bed_paths(tmp_path):
    for name, rows in FEATURES.items():
        lines = (f"{chrom}\t{start}\t{end}\tpeak\t{score}\t.\n" for chrom, start, end, score in rows)
        (tmp_path / f"{name}.bed").write_text("".join(lines))
    return [tmp_path / f"{name}.bed" for name in FEATURES]


def slow_label(features, chrom, start, end, mode, overlap):
    """Look at each base of a bin, then at each feature."""
    covered, scores = 0, []
    for base in range(start, end):
        covered += any(chrom == c and s <= base < e for c, s, e, _ in features)
    for c, s, e, score in features:
        if chrom == c and max(s, start) < min(e, end):
            scores.append(score)
    enough = covered > 0 if overlap == "any" else end > start and covered / (end - start) >= overlap
    if not enough:
        return 0
    return 1 if mode == "binary" else max(scores)


def slow_labels(windows, flank, resolution, mode, overlap):
    labels = []
    for chrom, start, end, strand in windows.itertuples(index=False):
        start, end = start - flank, end + flank
        step = resolution or end - start
        bins = [(left, min(left + step, end)) for left in range(start, end, step)]
        window = [
            [slow_label(rows, chrom, left, right, mode, overlap) for rows in FEATURES.values()] for left, right in bins
        ]
        labels.append(window[::-1] if strand == "-" else window)
    return np.array(labels, dtype=np.float32)[:, :, None, :]


@pytest.mark.parametrize("mode", ["binary", "score"])
@pytest.mark.parametrize("overlap", ["any", 0.01, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("resolution", [None, 1, 25, 100, 30])
@pytest.mark.parametrize("flank", [0, 30])
def test_labels_agree_with_a_loop_over_bases(bed_paths, mode, overlap, resolution, flank):
    settings = {"resolution": resolution, "flank": flank, "mode": mode, "overlap": overlap}
    cover = Cover.create_from_bed("labels", bed_paths, BED_WINDOWS, binsize=100, **settings)
    expected = slow_labels(BED_WINDOWS, flank, resolution, mode, overlap)
    assert cover.shape == expected.shape
    assert cover.conditions == ["a", "b"]
    assert cover[:].dtype == np.float32
    np.testing.assert_array_equal(cover[:], expected)


def test_touching_is_not_overlapping_and_one_base_is(bed_paths):
    windows = region_table(("chr1", 98, 99, "+"), ("chr1", 99, 100, "+"), ("chr1", 100, 101, "+"))
    cover = Cover.create_from_bed("labels", bed_paths[1], windows, binsize=1)
    assert cover[:].ravel().tolist() == [0, 1, 0]


def test_the_half_that_a_feature_covers_counts():
    features = region_table(("chr1", 0, 100, "."))
    windows = region_table(("chr1", 0, 200, "."), ("chr1", 1, 201, "."))
    cover = Cover.create_from_bed("labels", features, windows, binsize=200, overlap=0.5)
    assert cover[:].ravel().tolist() == [1, 0]


def test_features_in_the_right_flank_of_the_last_region_count():
    # Region 20-26, flank 3, a feature from 28 on.
    features = region_table(("c", 28, 33, "."))
    cover = Cover.create_from_bed(
        "labels", features, region_table(("c", 20, 26, ".")), binsize=6, resolution=1, flank=3
    )
    assert cover[:].ravel().tolist() == [0] * 11 + [1]


def test_regions_of_any_length_give_one_value_each():
    regions = region_table(("chr1", 0, 10, "+"), ("chr1", 15, 100, "-"), ("chr2", 0, 5, "+"))
    cover = Cover.create_from_bed("labels", region_table(("chr1", 30, 40, ".")), regions)
    assert cover.shape == (3, 1, 1, 1)
    assert cover[:].ravel().tolist() == [0, 1, 0]
    assert cover["chr1", 8, 17].ravel().tolist() == [0] * 7 + [1, 1]


def test_scores_of_features_that_only_touch_do_not_count():
    features = region_table(("c", 2, 4, "."), ("c", 10, 14, "."), ("c", 95, 101, "."), ("c", 100, 102, "."))
    regions = region_table(("c", 0, 10, "."), ("c", 15, 100, "."), ("c", 14, 15, "."))
    cover = Cover.create_from_bed("x", features.assign(score=[1.0, 9.0, 2.0, 8.0]), regions, mode="score")
    assert cover[:].ravel().tolist() == [1, 2, 0]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_bins_behind_a_short_window_are_zero(strand):
    features = region_table(("c", 100, 1000, "."))
    region = region_table(("c", 110, 145, strand))
    cover = Cover.create_from_bed("labels", features, region, binsize=20, resolution=5)
    assert cover[:][:, :, 0, 0].tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_random_state_keeps_labels_and_windows_together(bed_paths):
    plain = Cover.create_from_bed("labels", bed_paths, BED_WINDOWS, binsize=100, resolution=25)
    mixed = Cover.create_from_bed("labels", bed_paths, BED_WINDOWS, binsize=100, resolution=25, random_state=1)
    np.testing.assert_array_equal(mixed[:], plain[mixed.gindexer.order])
    assert mixed.gindexer.order.tolist() != list(range(9))


def test_empty_files_and_empty_regions_give_zeros_and_no_windows(bed_paths, tmp_path):
    (tmp_path / "none.bed").write_text("")
    cover = Cover.create_from_bed("labels", [tmp_path / "none.bed", bed_paths[0]], BED_WINDOWS, binsize=100)
    assert cover[:][..., 0].sum() == 0
    assert cover[:][..., 1].sum() > 0
    for resolution in (None, 50):
        empty = Cover.create_from_bed("labels", bed_paths, BED_WINDOWS[:0], binsize=100, resolution=resolution)
        assert empty.shape == empty[:].shape == (0, 1 if resolution is None else 2, 1, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "bedgraph"}, "mode='bedgraph'"),
        ({"overlap": 0}, "overlap=0"),
        ({"overlap": 1.2}, "overlap=1.2"),
        ({"overlap": "half"}, "overlap='half'"),
        ({"resolution": 0}, "resolution=0"),
        ({"conditions": ["x"]}, "one name for each"),
    ],
)
def test_labels_out_of_range_are_refused(bed_paths, settings, message):
    with pytest.raises(InputError, match=message):
        Cover.create_from_bed("labels", bed_paths, BED_WINDOWS, binsize=100, **settings)


def test_scores_are_demanded_where_they_are_asked_for(tmp_path):
    (tmp_path / "a.bed").write_text("chr1\t0\t100\n")
    with pytest.raises(InputError, match=r"a\.bed has no score other than 0"):
        Cover.create_from_bed("labels", tmp_path / "a.bed", BED_WINDOWS, binsize=100, mode="score")


@pytest.mark.parametrize("strand", ["+", "-", "."])
def test_regions_of_labels_are_read_base_by_base(bed_paths, strand):
    windows = region_table(("chr1", 0, 100, "+"), ("chr1", 100, 200, "-"), ("chr1", 200, 230, "-"))
    cover = Cover.create_from_bed("labels", bed_paths, windows, binsize=100, resolution=1)
    expected = np.zeros((150, 1, 2))
    for base in range(90, 240):
        for condition, rows in enumerate(FEATURES.values()):
            covered = any(chrom == "chr1" and start <= base < end for chrom, start, end, _ in rows)
            expected[base - 90, 0, condition] = covered and base < 230
    np.testing.assert_array_equal(cover["chr1", 90, 240, strand][0], expected[::-1] if strand == "-" else expected)


# ---- arrays ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def array_windows():
    table = region_table(("chr1", 0, 20, "+"), ("chr1", 20, 40, "-"), ("chr1", 30, 50, "."), ("chr2", 0, 20, "-"))
    return GenomicIndexer.create_from_file(table, 20)


def test_an_array_is_given_back_unchanged(array_windows):
    array = np.random.default_rng(0).normal(size=(4, 5, 2, 3)).astype(np.float32)
    cover = Cover.create_from_array("p", array, array_windows)
    np.testing.assert_array_equal(cover[:], array)
    assert cover.shape == (4, 5, 2, 3)
    assert cover.resolution == 4
    assert cover.conditions == ["Cond_0", "Cond_1", "Cond_2"]
    cover[:][:] = 0
    np.testing.assert_array_equal(cover[[1, -1]], array[[1, -1]])


def test_rows_of_an_array_belong_to_the_presented_order(array_windows):
    mixed = GenomicIndexer.create_from_file(array_windows.to_regions(), 20, random_state=4)
    array = np.arange(4.0)[:, None]
    cover = Cover.create_from_array("p", array, mixed)
    np.testing.assert_array_equal(cover[:].ravel(), array.ravel())
    for row, (chrom, start, end, _) in enumerate(mixed):
        assert row in cover[chrom, start, end].ravel()


def test_two_axes_are_one_value_a_window(array_windows):
    array = np.arange(12.0).reshape(4, 3)
    cover = Cover.create_from_array("p", array, array_windows, conditions=list("abc"))
    assert cover.shape == (4, 1, 1, 3)
    assert cover.resolution is None
    np.testing.assert_array_equal(cover[:].reshape(4, 3), array)


def test_regions_of_an_array_are_the_mean_of_its_windows(array_windows):
    array = np.arange(4 * 4 * 2.0).reshape(4, 4, 2, 1)  # bins of 5 bp
    cover = Cover.create_from_array("p", array, array_windows, padding_value=np.nan)
    base = np.full((60, 2, 2), np.nan)  # the last axis: which of two windows
    base[0:20, :, 0] = array[0].repeat(5, axis=0)[..., 0]
    base[20:40, :, 0] = array[1, ::-1, ::-1].repeat(5, axis=0)[..., 0]
    base[30:50, :, 1] = array[2].repeat(5, axis=0)[..., 0]
    expected = np.full((60, 2), np.nan)
    expected[:50] = np.nanmean(base[:50], axis=2)
    np.testing.assert_array_equal(cover["chr1", 0, 60][0, ..., 0], expected)
    np.testing.assert_array_equal(cover["chr1", 3, 47, "-"][0, ..., 0], expected[3:47][::-1, ::-1])
    np.testing.assert_array_equal(cover["chr1", -5, 5][0, :5, 0, 0], np.full(5, np.nan))


def test_regions_without_a_window_are_padding_on_known_contigs(array_windows):
    array = np.ones((4, 1))
    sizes = {"chr1": 100, "chr2": 100, "chr3": 50}
    cover = Cover.create_from_array("p", array, array_windows, genomesize=sizes, padding_value=7)
    assert cover["chr3", 0, 3].ravel().tolist() == [7, 7, 7]
    with pytest.raises(InputError, match="No window lies on contig chr4"):
        cover["chr4", 0, 3]
    with pytest.raises(InputError, match="genomesize lacks contigs of the windows: chr2"):
        Cover.create_from_array("p", array, array_windows, genomesize={"chr1": 100})


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        ((3, 5, 1, 1), {}, "Received: 3 values for 4 windows"),
        ((4, 3, 1, 1), {}, "3 positions do not fit windows of 20 bp"),
        ((4, 5, 1, 1), {"resolution": 5}, "5 positions do not fit windows of 20 bp.*resolution=5"),
        ((4, 40, 1, 1), {}, "40 positions do not fit"),
        ((4, 0, 1, 1), {}, "0 positions do not fit"),
        ((4,), {}, r"Received: \(4,\)"),
        ((4, 5, 2), {}, r"Received: \(4, 5, 2\)"),
        ((4, 2), {"conditions": ["a"]}, "one name for each of the 2 conditions"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(array_windows, shape, settings, message):
    with pytest.raises(InputError, match=message):
        Cover.create_from_array("p", np.zeros(shape), array_windows, **settings)


def test_values_of_windows_stay_with_their_windows(array_windows):
    cover = Cover.create_from_array("p", np.zeros((4, 1)), array_windows)
    with pytest.raises(InputError, match="belong to its windows"):
        cover.gindexer = array_windows


def test_a_name_must_be_a_str(array_windows):
    with pytest.raises(TypeError, match="name of a dataset is a str"):
        Cover.create_from_array(None, np.zeros((4, 1)), array_windows)
    assert repr(Cover.create_from_array("p", np.zeros((4, 1)), array_windows)) == "Cover('p', shape=(4, 1, 1, 1))"
