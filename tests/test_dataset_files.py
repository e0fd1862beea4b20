"""Datasets of each storage: forms of access, files of their own, other processes."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pysam
import pytest

from helpers.data import Bioseq, Cover, GenomicIndexer, open_dataset
from helpers.data.dataset import Dataset
from helpers.data.mapped import MappedFile, write_arrays
from helpers.data.normalization import Identity, ZScoreLog
from helpers.data.regions import Region
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"chr1": 1000, "chr2": 330}
WINDOWS = pd.DataFrame(
    {
        "chrom": ["chr1", "chr2", "chr1", "chr1", "chr2", "chr1"],
        "start": [100, 250, 0, 900, 0, 150],
        "end": [200, 350, 100, 1000, 100, 250],
        "strand": ["+", "-", "-", ".", "+", "-"],
    }
)
KINDS = ("dna", "dna_hdf5", "counts", "counts_sparse", "counts_hdf5", "labels", "scores")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A FASTA file and a BAM file of the same two contigs, and a folder for a cache."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(5)
    letters = {name: "".join(rng.choice(list("ACGTN"), size)) for name, size in SIZES.items()}
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in letters.items()))
    header = {"SQ": [{"SN": name, "LN": size} for name, size in SIZES.items()]}
    with pysam.AlignmentFile(str(folder / "reads.bam"), "wb", header=header) as file:
        for contig, size in enumerate(SIZES.values()):
            for position in rng.integers(0, size - 20, 300):
                read = pysam.AlignedSegment(file.header)
                read.query_name, read.flag, read.cigarstring = "r", int(rng.choice([0, 16])), "20M"
                read.reference_id, read.reference_start, read.mapping_quality = contig, int(position), 30
                file.write(read)
    (folder / "peaks.bed").write_text("chr1\t120\t130\nchr2\t0\t40\n")
    return folder


@pytest.fixture(scope="module")
def make(files):
    """Make a dataset of each class and storage."""
    tiling = {"roi": WINDOWS, "binsize": 100, "random_state": 3}
    fasta, bam, cache = files / "genome.fa", files / "reads.bam", files / "cache"
    counting = tiling | {"resolution": 25, "flank": 50, "normalizer": "zscorelog"}
    scores = np.random.default_rng(1).normal(size=(6, 4, 1, 2)).astype(np.float32)
    makers = {
        "dna": lambda: Bioseq.create_from_refgenome("x", fasta, order=2, **tiling),
        "dna_hdf5": lambda: Bioseq.create_from_refgenome("x", fasta, order=2, storage="hdf5", cache=cache, **tiling),
        "counts": lambda: Cover.create_from_bam("x", bam, **counting),
        "counts_sparse": lambda: Cover.create_from_bam("x", [bam, bam], storage="sparse", **counting),
        "counts_hdf5": lambda: Cover.create_from_bam("x", bam, storage="hdf5", cache=cache, **counting),
        "labels": lambda: Cover.create_from_bed("x", files / "peaks.bed", resolution=20, **tiling),
        "scores": lambda: Cover.create_from_array(
            "x", scores, GenomicIndexer.create_from_file(WINDOWS, 100, random_state=3), conditions=["a", "b"]
        ),
    }
    return lambda kind: makers[kind]()


# ---- forms of access -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_an_index_gives_what_numpy_gives(make, kind):
    dataset = make(kind)
    whole = dataset[:]
    mask = np.array([True, False, False, True, True, False])
    assert dataset.shape == whole.shape
    assert (len(dataset), dataset.ndim) == (6, 4)
    for key in (slice(None, None, -2), slice(1, 5, 3), slice(-2, None), slice(0, 0), slice(4, 99), mask, mask.tolist()):
        np.testing.assert_array_equal(dataset[key], whole[key])
    for key in ([5, 0, 0, -1], np.array([2, 3], dtype=np.uint8), range(1, 4), range(0), [], pd.Series([4, 1])):
        np.testing.assert_array_equal(dataset[key], whole[np.array(key, dtype=int)])
    for key in (0, -6, 5, np.int64(-1), np.uint16(3), np.array(2)):
        np.testing.assert_array_equal(dataset[key], whole[[int(key)]])
    for key in (6, -7, np.int64(6), [0, 6], [0, -7], np.ones(5, dtype=bool), 1.0, None, True, (0, 1), ()):
        with pytest.raises(IndexError):
            dataset[key]


@pytest.mark.parametrize("kind", KINDS)
def test_iteration_gives_batches_of_one_and_ends(make, kind):
    dataset = make(kind)
    batches = list(dataset)
    assert [len(batch) for batch in batches] == [1] * 6
    np.testing.assert_array_equal(np.concatenate(batches), dataset[:])
    assert next(iter(dataset)).shape == dataset[0].shape
    np.testing.assert_array_equal(np.asarray(dataset), dataset[:])
    assert np.asarray(dataset, dtype=np.float64).dtype == np.float64
    assert np.array(dataset, copy=True).shape == dataset.shape


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "end", "strand"), [(90, 210, "."), (120, 130, "-"), (0, 2, "+"), (950, 1003, "-")])
def test_regions_in_every_form_are_the_same_region(make, kind, start, end, strand):
    dataset = make(kind)
    expected = dataset["chr1", start, end, strand]
    assert len(expected) == 1
    interval = SimpleNamespace(chrom="chr1", start=start, end=end, strand=strand)
    texts = [f"chr1:{start}-{end}:{strand}", f"chr1:{start:,}-{end:,}:{strand}"]
    if strand == ".":
        texts.append(f"chr1:{start}-{end}")
        np.testing.assert_array_equal(dataset["chr1", start, end], expected)
    for key in (Region("chr1", start, end, strand), ("chr1", np.int64(start), end, strand), interval, *texts):
        np.testing.assert_array_equal(dataset[key], expected)


def test_text_counts_from_zero_and_leaves_the_end_out(make):
    whole = make("dna")["chr1", 0, 50]
    np.testing.assert_array_equal(make("dna")["chr1:0-5"], whole[:, :4])
    np.testing.assert_array_equal(make("counts")["chr1:10-11"], make("counts")["chr1", 0, 50][:, 10:11])


@pytest.mark.parametrize(
    "key",
    [
        "chr1",
        "",
        "chr1:5",
        "chr1:5-5",
        "chr1:9-5",
        "chr1:1,00-2,000",
        "chr1:1-5:x",
        "chr1:1-5-",
        ("chr1", 5),
        ("chr1",),
    ],
)
@pytest.mark.parametrize("kind", ["dna", "counts", "scores"])
def test_impossible_regions_are_refused(make, kind, key):
    with pytest.raises(InputError, match=r"is no region|A region is chrom"):
        make(kind)[key]


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_dataset_opens_as_it_was(make, kind, tmp_path):
    dataset = make(kind)
    dataset.save(tmp_path / "folder" / "x.h5")
    for opened in (open_dataset(tmp_path / "folder" / "x.h5"), type(dataset).open(tmp_path / "folder" / "x.h5")):
        assert type(opened) is type(dataset)
        assert (opened.name, opened.shape, opened.conditions) == ("x", dataset.shape, dataset.conditions)
        np.testing.assert_array_equal(opened[:], dataset[:])
        np.testing.assert_array_equal(opened["chr1:90-210:-"], dataset["chr1:90-210:-"])
        assert list(opened.gindexer) == list(dataset.gindexer)
        assert opened.gindexer.random_state == 3
        assert getattr(opened, "resolution", None) == getattr(dataset, "resolution", None)
    assert [entry.name for entry in (tmp_path / "folder").iterdir()] == ["x.h5"]
    opened.save(tmp_path / "folder" / "x.h5")  # over the file that it is read from
    np.testing.assert_array_equal(opened[:], dataset[:])
    np.testing.assert_array_equal(open_dataset(tmp_path / "folder" / "x.h5")[:], dataset[:])


def test_a_dataset_without_windows_can_be_kept(files, tmp_path):
    dna = Bioseq.create_from_refgenome("dna", files / "genome.fa")
    dna.save(tmp_path / "dna.h5")
    opened = open_dataset(tmp_path / "dna.h5")
    assert opened.gindexer is None
    np.testing.assert_array_equal(opened["chr2:0-30"], dna["chr2:0-30"])
    opened.gindexer = GenomicIndexer.create_from_file(WINDOWS, 50)
    assert opened.shape == (12, 50, 1, 4)


def test_no_windows_are_kept_as_no_windows(files, tmp_path):
    Bioseq.create_from_refgenome("dna", files / "genome.fa", WINDOWS[:0], binsize=50).save(tmp_path / "dna.h5")
    assert open_dataset(tmp_path / "dna.h5").shape == (0, 50, 1, 4)


def test_windows_of_any_length_padding_and_sizes_are_kept(tmp_path):
    regions = pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [0, 50], "end": [30, 60]})
    windows = GenomicIndexer.create_from_file(regions, None, collapse=True)
    settings = {"padding_value": np.nan, "genomesize": {"chr1": np.int64(100), "chr9": 10}}
    scores = Cover.create_from_array("scores", np.array([[1.0], [2.0]]), windows, **settings)
    scores.save(tmp_path / "x.h5")
    opened = open_dataset(tmp_path / "x.h5")
    np.testing.assert_array_equal(opened["chr1:28-52"], scores["chr1:28-52"])
    assert np.isnan(opened["chr9:0-5"]).all()
    assert opened.gindexer.binsize is None


def test_normalizers_are_kept_to_the_last_digit_and_functions_are_refused(tmp_path):
    counts = GenomeArray.from_contigs({"chr1": np.arange(40.0).reshape(20, 2)}, {"resolution": 5})
    cover = Cover.create_from_store("x", [counts, counts], normalizers=[ZScoreLog(1 / 3, 0.1), Identity()])
    cover.save(tmp_path / "x.h5")
    np.testing.assert_array_equal(open_dataset(tmp_path / "x.h5")["chr1:0-100"], cover["chr1:0-100"])
    with pytest.raises(InputError, match="The function sqrt cannot be stored"):
        Cover.create_from_store("x", [counts], normalizers=[np.sqrt]).save(tmp_path / "y.h5")
    assert not (tmp_path / "y.h5").exists()


def test_other_files_versions_and_classes_say_what_they_are(make, tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(InputError, match="does not exist"):
        open_dataset(path)
    GenomeArray.from_contigs({"a": np.arange(3)}).write(path)
    with pytest.raises(InputError, match="is a helpers genome array but not a dataset"):
        open_dataset(path)
    path.write_text("no")
    with pytest.raises(InputError, match="not a dataset, or it is damaged"):
        open_dataset(path)
    make("dna").save(path)
    with pytest.raises(InputError, match="holds a Bioseq, not a Cover"):
        Cover.open(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged"):
        open_dataset(path)
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(InputError, match="format version 2, this program reads version 1"):
        open_dataset(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 1
        file.attrs["class"] = json.dumps("Protein")
    with pytest.raises(InputError, match="holds a Protein, which this program does not know. It knows Bioseq, Cover"):
        open_dataset(path)


def test_a_file_without_an_array_or_with_chunks_is_damaged(make, tmp_path):
    path = tmp_path / "x.h5"
    make("scores").save(path)
    with h5py.File(path, "r+") as file:
        del file["parts/values"]
    with pytest.raises(InputError, match=r"x\.h5 is damaged: it lacks values"):
        open_dataset(path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("parts/values", data=np.zeros((6, 4, 1, 2)), chunks=(1, 4, 1, 2))
    with pytest.raises(InputError, match="not contiguous"):
        open_dataset(path)


# ---- copies and other processes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("saved", [False, True])
def test_copies_and_another_process_read_the_same(make, kind, saved, tmp_path):
    dataset = make(kind)
    if saved:
        dataset.save(tmp_path / "x.h5")
        dataset = open_dataset(tmp_path / "x.h5")
    keys = [[3, 0, 3], "chr1:90-210:-"]
    np.testing.assert_array_equal(copy.deepcopy(dataset)[:], dataset[:])
    np.testing.assert_array_equal(copy.copy(dataset)[:], dataset[:])
    (tmp_path / "x.pickle").write_bytes(pickle.dumps((dataset, keys)))
    code = (
        "import pickle, sys, numpy as np; dataset, keys = pickle.load(open('x.pickle', 'rb'));"
        "np.savez('x.npz', *(dataset[key] for key in keys))"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment)
    with np.load(tmp_path / "x.npz") as read:
        for key, array in zip(keys, read.values(), strict=True):
            np.testing.assert_array_equal(array, dataset[key])


def test_a_large_dataset_of_a_file_pickles_small_and_opens_at_once(tmp_path):
    genome = GenomeArray(np.zeros(5_000_000, dtype=np.uint8), {"chr1": 5_000_000})
    Bioseq("dna", genome).save(tmp_path / "x.h5")
    opened = open_dataset(tmp_path / "x.h5")
    assert len(pickle.dumps(opened)) < 3000
    scores = Cover.create_from_array(
        "s", np.zeros((1, 100_000, 1, 1)), GenomicIndexer.create_from_region("chr1", 0, 100_000, "+", 100_000)
    )
    scores.save(tmp_path / "s.h5")
    assert len(pickle.dumps(open_dataset(tmp_path / "s.h5"))) < 4000


def test_three_gigabases_open_without_being_read(tmp_path):
    """The file is sparse: only its header and its last byte are on the disk."""
    size = 3_100_000_000
    format_, header = GenomeArray.format, {"contigs": ["chr1"], "lengths": [size], "attrs": {}}
    write_arrays(tmp_path / "g.h5", format_, header | {"more": 1}, {"values": [np.zeros(1, dtype=np.uint8)]})
    with h5py.File(tmp_path / "g.h5", "r+") as file:
        del file["values"]
        file.create_dataset("values", shape=(size,), dtype="u1", fill_time="never")[-1] = 2
    code = (
        "import resource; from helpers.data import Bioseq;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "dna = Bioseq.create_from_refgenome('dna', 'g.h5');"
        f"last = int(dna.codes(('chr1', {size - 1}, {size}))[0, 0]);"
        "print(last, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment, capture_output=True, text=True
    )
    last, kilobytes = done.stdout.split()
    assert int(last) == 2
    assert int(kilobytes) < 100_000


def test_a_mapping_is_shared_by_copies_and_notices_another_file(tmp_path):
    GenomeArray.from_contigs({"a": np.arange(3)}).write(tmp_path / "a.h5")
    file = MappedFile(tmp_path / "a.h5", GenomeArray.format)
    assert copy.deepcopy(file) is file
    pickled = pickle.dumps(file)
    GenomeArray.from_contigs({"b": np.arange(3)}).write(tmp_path / "a.h5")
    assert file.array("values").tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="something other than when it was first opened"):
        pickle.loads(pickled).array("values")


def test_a_dataset_class_must_say_how_it_reads():
    with pytest.raises(TypeError, match="abstract"):
        Dataset("x", None)
