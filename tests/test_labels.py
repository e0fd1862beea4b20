"""Labels of many tracks against slow overlaps, kept as bits, joined, and read in batches."""

import pickle
import tracemalloc

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
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
        assert (file.attrs["format"], file.attrs["format_version"]) == ("helpers labels", 2)


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
    whole, joined = label_regions(regions, tracks, names_of(tracks)), join_labels(paths, tmp_path / "all.h5")
    np.testing.assert_array_equal(joined.packed, whole.packed)
    assert (joined.outputs, joined.regions, joined.path) == (whole.outputs, whole.regions, tmp_path / "all.h5")
    assert isinstance(joined.packed.base, np.memmap)


def test_labels_of_other_regions_and_doubled_outputs_do_not_join(tmp_path, tracks):
    regions, one, two, joined = windows(), *(tmp_path / f"{name}.h5" for name in ("one", "two", "joined"))
    save_labels(label_regions(regions, tracks[:2], ["a", "b"]), one)
    shorter, shuffled = regions[:-1].reset_index(drop=True), regions[::-1].reset_index(drop=True)
    changed = [regions.assign(end=regions["end"] + 1), regions.assign(chrom="chr1"), regions.assign(strand="-")]
    for other in (shorter, shuffled, *changed):
        save_labels(label_regions(other, tracks[2:3], ["c"]), two)
        with pytest.raises(InputError, match=r"different regions cannot be joined: .*one\.h5 \(500\) and .*two\.h5"):
            join_labels([one, two], joined)
    save_labels(label_regions(regions, tracks[2:3], ["b"]), two)
    with pytest.raises(InputError, match="come twice: b"):
        join_labels([one, two], joined)
    with pytest.raises(InputError, match="no labels to join"):
        join_labels([], joined)
    assert not joined.exists()


def test_joining_takes_the_memory_of_some_rows(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.h5" for number in range(4)]
    for number, path in enumerate(paths):
        names = [f"{number}.{output}" for output in range(50)]
        save_labels(Labels(rng.integers(0, 256, (300_000, 7), dtype=np.uint8), names), path)
    tracemalloc.start()
    joined = join_labels(paths, tmp_path / "all.h5")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert joined.shape == (300_000, 200)
    assert peak < 25e6  # unpacked they are 60 MB, and 400 MB if there were ten times as many
    rows = rng.integers(0, 300_000, 500)
    np.testing.assert_array_equal(joined[rows], np.concatenate([load_labels(path)[rows] for path in paths], axis=1))


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.lists(st.booleans(), min_size=11, max_size=11), min_size=1, max_size=12), data=st.data())
def test_labels_of_chosen_rows_are_those_rows(values, data):
    values = np.array(values, dtype=np.uint8)
    labels = Labels.pack(values, list("abcdefghijk"), "fingerprint")
    rows = data.draw(st.lists(st.integers(-len(values), len(values) - 1), max_size=20))
    part = labels.take(rows)
    assert (part.shape, part.outputs, part.regions) == ((len(rows), 11), labels.outputs, "")
    np.testing.assert_array_equal(part.values, values[rows])
    np.testing.assert_array_equal(part.n_positive, values[rows].sum(axis=0))
    assert part.packed is labels.packed
    again = data.draw(st.lists(st.integers(0, max(len(rows) - 1, 0)), max_size=9 if rows else 0))
    np.testing.assert_array_equal(part.take(again)[::-1], values[rows][again][::-1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(part))[:], part[:])


def test_chosen_rows_of_a_file_stay_on_disk(tmp_path):
    values = (np.random.default_rng(0).random((50_000, 30)) < 0.2).astype(np.uint8)
    save_labels(Labels.pack(values, [f"output{number}" for number in range(30)]), tmp_path / "labels.h5")
    labels = load_labels(tmp_path / "labels.h5").take(np.arange(10_000, 40_000, 2))
    np.testing.assert_array_equal(labels[::7], values[10_000:40_000:2][::7])
    part = labels.take([5, 0])
    assert len(pickle.dumps(part)) < 700
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(part))[:], values[[10_010, 10_000]])
    save_labels(labels, tmp_path / "part.h5")
    np.testing.assert_array_equal(load_labels(tmp_path / "part.h5")[:], values[10_000:40_000:2])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    features=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=8),
    tenths=st.sampled_from([1, 3, 5, 7, 10]),
)
def test_a_fraction_is_that_of_the_bases_that_any_feature_covers(tmp_path, features, tenths):
    (tmp_path / "track.narrowPeak").write_text(
        "".join(f"chr1\t{s}\t{s + n}\t.\t0\t.\t1\t-1\t-1\t-1\n" for s, n in features)
    )
    regions = region_table(["chr1"] * 5, np.arange(5) * 10, np.arange(5) * 10 + 10, strand=["+", "-", ".", "+", "-"])
    labels = label_regions(regions, [tmp_path / "track.narrowPeak"], ["mark"], overlap=tenths / 10)
    covered = [
        sum(any(s <= base < s + n for s, n in features) for base in range(10 * w, 10 * w + 10)) for w in range(5)
    ]
    assert labels[:].ravel().tolist() == [int(number >= tenths) for number in covered]


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
    with pytest.raises(InputError, match=r"other\.h5: expected 'helpers labels' 2. Received: no format"):
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
