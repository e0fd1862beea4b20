"""Genome arrays: windows over contig ends, memory maps, files that are not ours."""

import json
import pickle

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.mapped import ALIGNMENT
from helpers.data.storage import GenomeArray, write_contigs
from helpers.errors import InputError

CONTIGS = {"chr1": np.arange(1, 8), "chr2": np.arange(11, 14), "chr3": np.arange(21, 41)}


def slow_gather(contigs, chroms, starts, length, fill):
    """Position by position, from each contig alone."""
    windows = []
    for chrom, start in zip(chroms, starts, strict=True):
        contig = contigs[chrom]
        empty = np.full(contig.shape[1:], fill, dtype=contig.dtype)
        windows.append([contig[p] if 0 <= p < len(contig) else empty for p in range(start, start + length)])
    return np.array(windows, dtype=next(iter(contigs.values())).dtype)


@st.composite
def genomes_and_windows(draw):
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    tail = draw(st.sampled_from([(), (1,), (2,), (2, 3)]))
    dtype = draw(st.sampled_from([np.uint8, np.uint32, np.float32, np.int64]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    contigs = {f"c{i}": rng.integers(1, 200, (n, *tail)).astype(dtype) for i, n in enumerate(lengths)}
    length = draw(st.integers(1, 15))
    windows = draw(st.lists(st.tuples(st.sampled_from(list(contigs)), st.integers(-30, 30)), min_size=1, max_size=8))
    return contigs, [chrom for chrom, _ in windows], [start for _, start in windows], length


@settings(max_examples=150, deadline=None)
@given(genomes_and_windows())
def test_gather_agrees_with_a_slow_loop_wherever_windows_lie(case):
    contigs, chroms, starts, length = case
    gathered = GenomeArray.from_contigs(contigs).gather(chroms, starts, length, fill=7)
    expected = slow_gather(contigs, chroms, starts, length, fill=7)
    assert gathered.dtype == expected.dtype
    np.testing.assert_array_equal(gathered, expected)


def test_a_window_over_an_end_keeps_its_positions():
    genome = GenomeArray.from_contigs(CONTIGS)
    np.testing.assert_array_equal(genome.gather(["chr2"], [-2], 4), [[0, 0, 11, 12]])
    np.testing.assert_array_equal(genome.gather(["chr2"], [1], 4), [[12, 13, 0, 0]])
    np.testing.assert_array_equal(genome.gather(["chr2"], [-1], 5), [[0, 11, 12, 13, 0]])
    np.testing.assert_array_equal(genome.gather(["chr1", "chr2"], [7, -4], 4), np.zeros((2, 4)))


def test_gather_takes_contig_numbers_and_gives_a_copy():
    genome = GenomeArray.from_contigs(CONTIGS)
    ids = genome.contig_ids(np.array(["chr3", "chr1"], dtype=object))
    assert ids.tolist() == [2, 0]
    windows = genome.gather(ids, np.array([0, 0]), 3)
    windows[:] = -1
    np.testing.assert_array_equal(genome.contig("chr3")[:3], [21, 22, 23])
    assert genome.gather(ids[:0], np.zeros(0, dtype=int), 3).shape == (0, 3)


def test_unknown_contigs_and_empty_windows_are_refused():
    genome = GenomeArray.from_contigs(CONTIGS)
    with pytest.raises(InputError, match=r"does not have: 1, X\. It has chr1, chr2, chr3"):
        genome.gather(["chr1", "X", "1", "X"], [0, 0, 0, 0], 2)
    with pytest.raises(InputError, match="chrM"):
        genome.contig("chrM")
    with pytest.raises(InputError, match="length=0"):
        genome.gather(["chr1"], [0], 0)
    with pytest.raises(InputError, match="7 positions in all, the array has 5"):
        GenomeArray(np.zeros(5), {"a": 3, "b": 4})


def test_a_written_array_is_mapped_contiguous_aligned_and_read_only(tmp_path):
    path = tmp_path / "deep" / "genome.h5"
    write_contigs(path, CONTIGS, {"resolution": 50})
    genome = GenomeArray.open(path)
    assert genome.attrs == {"resolution": 50}
    assert genome.contigs == {"chr1": (0, 7), "chr2": (7, 3), "chr3": (10, 20)}
    np.testing.assert_array_equal(genome.values, np.concatenate(list(CONTIGS.values())))
    with pytest.raises(ValueError, match="read-only"):
        genome.values[0] = 1
    with h5py.File(path) as file:
        assert file["values"].chunks is None
        assert file["values"].id.get_offset() % ALIGNMENT == 0
        assert json.loads(file.attrs["contigs"]) == list(CONTIGS)
        assert json.loads(file.attrs["lengths"]) == [7, 3, 20]
        assert file.attrs["format_version"] == 1


def test_mapped_and_in_memory_arrays_give_the_same_windows(tmp_path):
    rng = np.random.default_rng(0)
    contigs = {f"c{i}": rng.integers(0, 9, (n, 2)).astype(np.uint32) for i, n in enumerate((50, 7, 300))}
    write_contigs(tmp_path / "a.h5", iter(contigs.items()))
    chroms, starts = rng.choice(list(contigs), 200), rng.integers(-20, 310, 200)
    mapped, inside = GenomeArray.open(tmp_path / "a.h5"), GenomeArray.from_contigs(contigs)
    np.testing.assert_array_equal(mapped.gather(chroms, starts, 10), inside.gather(chroms, starts, 10))


def test_assemblies_of_many_scaffolds_and_empty_contigs_can_be_stored(tmp_path):
    contigs = {f"scaffold_{number:08d}": np.full(number % 2, number, dtype=np.int32) for number in range(6000)}
    write_contigs(tmp_path / "a.h5", contigs)
    genome = GenomeArray.open(tmp_path / "a.h5")
    assert list(genome.sizes) == list(contigs)
    assert genome.gather(["scaffold_00005999"], [0], 2).tolist() == [[5999, 0]]
    write_contigs(tmp_path / "b.h5", {"empty": np.zeros(0, dtype=np.uint8)})
    assert GenomeArray.open(tmp_path / "b.h5").gather(["empty"], [0], 2, fill=4).tolist() == [[4, 4]]


def test_a_mapped_array_pickles_as_its_path(tmp_path):
    write_contigs(tmp_path / "a.h5", {"chr1": np.arange(100_000)})
    genome = GenomeArray.open(tmp_path / "a.h5")
    pickled = pickle.dumps(genome)
    assert len(pickled) < 2000
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(again.gather(["chr1"], [5], 3), [[5, 6, 7]])
    inside = pickle.loads(pickle.dumps(GenomeArray.from_contigs(CONTIGS)))
    np.testing.assert_array_equal(inside.contig("chr2"), CONTIGS["chr2"])


def test_a_file_that_changed_behind_a_pickle_is_noticed(tmp_path):
    write_contigs(tmp_path / "a.h5", {"chr1": np.arange(10)})
    pickled = pickle.dumps(GenomeArray.open(tmp_path / "a.h5"))
    write_contigs(tmp_path / "a.h5", {"chr1": np.arange(11)})
    with pytest.raises(InputError, match="something other than when it was first opened"):
        pickle.loads(pickled).gather(["chr1"], [0], 2)
    (tmp_path / "a.h5").unlink()
    with pytest.raises(InputError, match="does not exist"):
        pickle.loads(pickled).gather(["chr1"], [0], 2)


def test_an_open_array_survives_that_its_file_is_replaced(tmp_path):
    write_contigs(tmp_path / "a.h5", {"chr1": np.arange(10)})
    genome = GenomeArray.open(tmp_path / "a.h5")
    write_contigs(tmp_path / "a.h5", {"chr1": np.arange(10) + 50})
    assert genome.gather(["chr1"], [0], 2).tolist() == [[0, 1]]


def test_files_that_are_not_ours_say_so(tmp_path):
    path = tmp_path / "a.h5"
    with pytest.raises(InputError, match=r"a\.h5 does not exist"):
        GenomeArray.open(path)
    path.write_text("chr1\t0\t100\n")
    with pytest.raises(InputError, match="not a genome array, or it is damaged"):
        GenomeArray.open(path)
    with h5py.File(path, "w") as file:
        file["values"] = np.arange(5)
    with pytest.raises(InputError, match="HDF5 file but not a genome array"):
        GenomeArray.open(path)


def test_another_format_version_says_what_to_do(tmp_path):
    path = tmp_path / "a.h5"
    write_contigs(path, CONTIGS)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(InputError, match="format version 99, this program reads version 1.*make it again"):
        GenomeArray.open(path)


def test_a_truncated_file_says_so(tmp_path):
    path = tmp_path / "a.h5"
    write_contigs(path, {"chr1": np.arange(10_000)})
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(InputError, match="damaged"):
        GenomeArray.open(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "no contig"),
        ([("a", np.arange(3)), ("b", np.arange(3)), ("a", np.arange(2))], "come twice: a"),
        ({"a": np.arange(3), "b": np.arange(3.0)}, "differ in dtype or shape"),
        ({"a": np.zeros((3, 1)), "b": np.zeros((3, 2))}, "differ in dtype or shape"),
    ],
)
def test_contigs_that_do_not_fit_together_leave_no_file(tmp_path, arrays, message):
    with pytest.raises(InputError, match=message):
        write_contigs(tmp_path / "a.h5", arrays)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_older_file(tmp_path):
    path = tmp_path / "a.h5"
    write_contigs(path, CONTIGS)
    with pytest.raises(TypeError):
        write_contigs(path, {"chr1": np.arange(3)}, {"not": {"json": object()}})
    assert GenomeArray.open(path).sizes == {"chr1": 7, "chr2": 3, "chr3": 20}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.h5"]


def test_from_contigs_needs_a_contig():
    with pytest.raises(InputError, match="no contig"):
        GenomeArray.from_contigs({})
