"""Labels of many tracks against slow overlaps, kept as bits, joined, and read in batches."""

import pickle

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.hits import SortedIntervals
from helpers.data.labels import Labels, join_labels, label_regions, load_labels, save_labels
from helpers.data.regions import overlap_fraction, overlaps_any, read_regions, region_table
from helpers.errors import InputError

INTERVAL = st.tuples(st.sampled_from(["chr1", "chr2", "chrX"]), st.integers(0, 60), st.integers(1, 40))


def as_table(rows):
    return region_table([chrom for chrom, _, _ in rows], [s for _, s, _ in rows], [s + n for _, s, n in rows])


def slow_pairs(windows, features):
    """Every window against every feature, base by base."""
    return sorted(
        (row, number, len(set(range(s, s + n)) & set(range(start, start + length))))
        for row, (chrom, start, length) in enumerate(windows)
        for number, (other, s, n) in enumerate(features)
        if chrom == other and set(range(s, s + n)) & set(range(start, start + length))
    )


@settings(max_examples=300, deadline=None)
@given(windows=st.lists(INTERVAL, max_size=8), features=st.lists(INTERVAL, max_size=8))
def test_hits_agree_with_a_loop_over_bases(windows, features):
    table = as_table(windows)
    intervals = SortedIntervals(table["chrom"], table["start"].to_numpy(), table["end"].to_numpy())
    assert len(intervals) == len(windows)
    pairs = intervals.pairs(as_table(features))
    assert sorted(zip(*(column.tolist() for column in pairs), strict=True)) == slow_pairs(windows, features)
    rows, covered = intervals.covered(as_table(features))
    fraction = overlap_fraction(table, as_table(features))
    expected = np.round(fraction * (table["end"] - table["start"])).astype(int)
    assert sorted(rows.tolist()) == np.flatnonzero(expected).tolist()
    np.testing.assert_array_equal(covered, expected[rows])


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """19 tracks, one of them empty, one with features on unknown contigs only."""
    folder, rng = tmp_path_factory.mktemp("tracks"), np.random.default_rng(5)
    paths = []
    for number in range(19):
        n_features = 0 if number == 3 else 40
        starts = rng.integers(0, 20_000, n_features)
        chroms = rng.choice(["chr1", "chr2", "chr9"] if number != 7 else ["chr9"], n_features)
        ends = starts + rng.integers(1, 600, n_features)
        lines = (f"{chrom}\t{start}\t{end}\n" for chrom, start, end in zip(chroms, starts, ends, strict=True))
        paths.append(folder / f"{number}.bed")
        paths[-1].write_text("".join(lines))
    return paths


def windows(n=500, seed=6):
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 100, n) * 200
    return region_table(rng.choice(["chr2", "chr1", "chr3"], n), starts, starts + rng.choice([200, 200, 900], n))


def names_of(paths):
    return [path.stem for path in paths]


@pytest.mark.parametrize("overlap", ["any", 0.1, 0.5, 1.0])
def test_labels_agree_with_overlaps(tracks, overlap):
    regions = windows()
    labels = label_regions(regions, tracks, names_of(tracks), overlap=overlap)
    for column, path in enumerate(tracks):
        features = read_regions(path)
        slow = overlaps_any(regions, features) if overlap == "any" else overlap_fraction(regions, features) >= overlap
        np.testing.assert_array_equal(labels[:][:, column], slow)
    assert labels.shape == (500, 19)
    assert labels.packed.shape == (500, 3)
    np.testing.assert_array_equal(labels.n_positive, labels.values.sum(axis=0))
    assert labels.n_positive.any()


def test_the_positive_regions_are_logged(tracks, caplog):
    with caplog.at_level("INFO"):
        labels = label_regions(windows(), tracks[:1], ["dnase"])
    assert f"dnase: {labels.n_positive[0]} of 500 regions are positive" in caplog.text


@settings(max_examples=100, deadline=None)
@given(n_rows=st.integers(0, 20), n_outputs=st.integers(1, 20), seed=st.integers(0, 99))
def test_packing_and_reading_gives_the_labels_back(n_rows, n_outputs, seed):
    rng = np.random.default_rng(seed)
    values = (rng.random((n_rows, n_outputs)) < 0.4).astype(np.uint8)
    labels = Labels.pack(values, [f"o{number}" for number in range(n_outputs)])
    assert (len(labels), labels.shape, labels.ndim, labels.dtype) == (n_rows, values.shape, 2, np.uint8)
    np.testing.assert_array_equal(labels.values, values)
    np.testing.assert_array_equal(np.asarray(labels, dtype=np.float32), values)
    for key in (slice(1, None, 2), slice(None, None, -1), rng.random(n_rows) < 0.5, [], list(range(n_rows))[::-1]):
        np.testing.assert_array_equal(labels[key], values[key])
        assert labels[key].dtype == np.uint8
    if n_rows:
        np.testing.assert_array_equal(labels[-1], values[-1])
        rows = rng.integers(-n_rows, n_rows, 7)
        np.testing.assert_array_equal(labels[rows], values[rows])
    with pytest.raises(IndexError, match="out of range"):
        labels[[n_rows]]


def test_a_file_gives_the_labels_back_and_stays_on_disk(tmp_path, tracks):
    labels = label_regions(windows(), tracks, names_of(tracks))
    save_labels(labels, tmp_path / "labels.h5")
    opened = load_labels(tmp_path / "labels.h5")
    np.testing.assert_array_equal(opened.packed, labels.packed)
    assert (opened.outputs, opened.regions) == (labels.outputs, labels.regions)
    assert len(pickle.dumps(opened)) < 400
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(opened))[:], labels[:])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(labels))[:], labels[:])
    with h5py.File(tmp_path / "labels.h5") as file:
        assert (file.attrs["format"], file.attrs["format_version"]) == ("helpers labels", 1)


def test_no_regions_are_no_labels(tmp_path, tracks):
    labels = label_regions(windows(0), tracks, names_of(tracks))
    save_labels(labels, tmp_path / "labels.h5")
    assert load_labels(tmp_path / "labels.h5").shape == load_labels(tmp_path / "labels.h5")[:].shape == (0, 19)


@pytest.mark.parametrize("cuts", [(0, 19), (0, 8, 16, 19), (0, 1, 4, 11, 19)])
def test_labels_of_batches_of_tracks_join_to_those_of_all(tmp_path, tracks, cuts, monkeypatch):
    monkeypatch.setattr("helpers.data.labels._ROWS_AT_ONCE", 64)
    regions = windows()
    paths = []
    for first, after in zip(cuts[:-1], cuts[1:], strict=True):
        paths.append(tmp_path / f"{first}.h5")
        save_labels(label_regions(regions, tracks[first:after], names_of(tracks[first:after])), paths[-1])
    whole, joined = label_regions(regions, tracks, names_of(tracks)), join_labels(paths)
    np.testing.assert_array_equal(joined.packed, whole.packed)
    assert (joined.outputs, joined.regions) == (whole.outputs, whole.regions)


def test_labels_of_other_regions_and_doubled_outputs_do_not_join(tracks):
    regions = windows()
    one = label_regions(regions, tracks[:2], ["a", "b"])
    shorter, shuffled = regions[:-1].reset_index(drop=True), regions[::-1].reset_index(drop=True)
    for other in (shorter, shuffled, regions.assign(end=regions["end"] + 1), regions.assign(chrom="chr1")):
        with pytest.raises(InputError, match="different regions"):
            join_labels([one, label_regions(other, tracks[2:3], ["c"])])
    with pytest.raises(InputError, match="come twice: b"):
        join_labels([one, label_regions(regions, tracks[2:3], ["b"])])
    with pytest.raises(InputError, match="no labels to join"):
        join_labels([])


def test_bad_input_is_named(tmp_path, tracks):
    with pytest.raises(InputError, match="overlap=2"):
        label_regions(windows(), tracks[:1], ["a"], overlap=2)
    with pytest.raises(InputError, match="2 outputs for 1 tracks"):
        label_regions(windows(), tracks[:1], ["a", "b"])
    with pytest.raises(InputError, match=r"none\.h5 does not exist"):
        load_labels(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("labels")
    with pytest.raises(InputError, match=r"text\.h5 holds no labels"):
        load_labels(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["labels"] = np.zeros((3, 2))
    with pytest.raises(InputError, match=r"other\.h5: expected 'helpers labels' 1. Received: no format"):
        load_labels(tmp_path / "other.h5")


def test_an_interrupted_write_leaves_the_older_file(tmp_path):
    save_labels(Labels.pack(np.eye(3), list("abc")), tmp_path / "labels.h5")
    broken = Labels.pack(np.eye(3), list("abc"))
    broken.regions = {"not": "storable"}
    with pytest.raises(TypeError):
        save_labels(broken, tmp_path / "labels.h5")
    assert load_labels(tmp_path / "labels.h5").shape == (3, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.h5"]


def test_batches_of_many_outputs_are_rows_of_the_unpacked_bits(tmp_path):
    rng = np.random.default_rng(0)
    save_labels(Labels(rng.integers(0, 256, (100_000, 115), dtype=np.uint8), range(919)), tmp_path / "labels.h5")
    labels = load_labels(tmp_path / "labels.h5")
    assert labels.packed.nbytes == 11_500_000
    for rows in rng.integers(0, 100_000, (20, 128)):
        np.testing.assert_array_equal(labels[rows], np.unpackbits(labels.packed[rows], axis=1)[:, :919])
