"""Where parts meet: what one part gives and another takes."""

import h5py
import numpy as np
import pandas as pd
import pytest
from alignment_files import write_alignments

from helpers.data import (
    Array,
    Bioseq,
    Cover,
    GenomicIndexer,
    RandomOrientation,
    RandomSignalScale,
    ReduceDim,
    Transpose,
    WindowBatches,
    fit_normalizer,
    normalize,
    save_normalizer,
    split_train_test,
    subset,
    view,
)
from helpers.data.regions import region_table
from helpers.data.sequence import encode_letters
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

SIZES = {"chr1": 400, "chr2": 300}
REGIONS = [("chr1", 0, 200, "+"), ("chr2", 100, 300, "-"), ("chr1", 200, 390, ".")]


def sequence(regions=REGIONS, **settings):
    letters = np.random.default_rng(0).choice(list(b"ACGTN"), sum(SIZES.values())).astype(np.uint8)
    genome = GenomeArray(np.frombuffer(encode_letters(letters.tobytes()), dtype=np.uint8), SIZES)
    return Bioseq.create_from_refgenome("dna", genome, regions, binsize=20, **settings)


def labels(regions=REGIONS, **settings):
    features = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [30, 120], "end": [70, 170]})
    return Cover.create_from_bed("bound", features, regions, binsize=20, **settings)


def scores(**settings):
    windows = GenomicIndexer.create_from_file(REGIONS, 20)
    return Cover.create_from_array("scores", np.ones((len(windows), 1)), windows, **settings)


def test_windows_stay_aligned_through_selection_shuffling_and_batches():
    dna, bound = sequence(flank=15, random_state=4), labels(random_state=4)
    number = Cover.create_from_array("number", np.arange(len(dna))[:, None], dna.gindexer)
    datasets = ([dna, RandomOrientation(number)], [ReduceDim(bound), number])
    train, test = split_train_test(datasets, "chr2")
    for part in (datasets, train, test, subset_of(datasets, "chr1")):
        batches = WindowBatches(*part, batch_size=6, shuffle=True, seed=2)
        for index in range(batches.num_batches):
            inputs, outputs = batches.batch(1, index)
            rows = outputs["number"][:, 0].astype(int)
            np.testing.assert_array_equal(inputs["dna"], dna[rows])
            np.testing.assert_array_equal(outputs["bound"], bound[rows][:, 0, 0])


def subset_of(datasets, chrom):
    return tuple([subset(dataset, chrom) for dataset in part] for part in datasets)


@pytest.mark.parametrize(
    ("other", "windows"),
    [
        (lambda: labels(random_state=1), r"chr1:0-20 and chr\d:"),
        (lambda: labels(random_state=2), r"chr1:0-20 and chr\d:"),
        (lambda: labels(REGIONS[::-1]), "chr1:0-20 and chr1:200-220"),
        (lambda: ReduceDim(labels(REGIONS[::-1])), "chr1:0-20 and chr1:200-220"),
        (lambda: labels([("chr3", *place[1:]) for place in REGIONS]), "chr1:0-20 and chr3:0-20"),
        (lambda: labels([("chr1", 20, 220), ("chr2", 120, 320), ("chr1", 220, 410)]), "chr1:0-20 and chr1:20-40"),
    ],
)
def test_labels_of_other_windows_or_in_another_order_are_refused(other, windows):
    other = other()
    dna = sequence()
    assert len(dna) == len(other)
    with pytest.raises(InputError, match=rf"of 30 windows of input dna and output bound do not overlap; .*{windows}"):
        WindowBatches(dna, other)


def test_windows_of_other_lengths_flanks_and_data_without_windows_are_fine():
    dna = sequence(flank=40)
    shorter = GenomicIndexer.create_from_file([(r.chrom, r.start + 45, r.start + 46) for r in dna.gindexer], 1)
    signal = Cover.create_from_array("signal", np.ones((len(dna), 1)), shorter)
    batches = WindowBatches([dna, signal], {"bound": np.ones(len(dna)), "again": [0] * len(dna)})
    assert batches.size == len(dna)
    assert batches.batch(0, 0)[1]["again"].shape == (30, 1)


def test_a_view_beside_labels_of_other_regions_is_refused():
    here = [("chr1", 100, 300, "+")]
    assert WindowBatches(view(sequence(), here), labels(here)).size == 10
    with pytest.raises(InputError, match="10 of 10 windows"):
        WindowBatches(view(sequence(), here), labels([("chr2", 100, 300, "+")]))


def test_windows_of_a_dataset_change_only_when_they_are_set():
    windows = GenomicIndexer.create_from_file(REGIONS, 20, random_state=3)
    scores = Cover.create_from_array("scores", np.arange(len(windows))[:, None], windows)
    before, places = scores[:], list(scores.gindexer)
    windows.add_interval("chr1", 0, 40, "+")
    scores.gindexer.add_interval("chr1", 0, 40, "+")  # draws the order anew: values would stand beside other windows
    scores.gindexer.flank = 7
    np.testing.assert_array_equal(scores[:], before)
    assert list(scores.gindexer) == places
    dna = sequence()
    longer = dna.gindexer.add_interval("chr2", 0, 20, "+")
    assert len(dna) == 30
    dna.gindexer = longer
    assert len(dna) == 31
    np.testing.assert_array_equal(dna[-1], dna["chr2", 0, 20])


@pytest.mark.parametrize("windows", [None, REGIONS, "regions.bed", 5])
def test_windows_of_another_kind_are_refused(windows):
    dna = sequence()
    with pytest.raises(InputError, match="gindexer is a GenomicIndexer. Received: "):
        dna.gindexer = windows
    for values in (np.ones((3, 1)), np.ones((3, 20, 1, 1))):
        with pytest.raises(InputError, match="gindexer is a GenomicIndexer. Received: "):
            Cover.create_from_array("scores", values, windows)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Array("labels", [[1], [1, 2]]), "needs samples of one shape"),
        (lambda: GenomicIndexer.create_from_genomesize("hg38"), "gsize is a mapping of contig to length"),
        (lambda: split_train_test(labels(), 5), "Contigs are a name or several. Received: 5"),
        (lambda: ReduceDim(labels(), axis="1"), "axis is a whole number or several"),
        (lambda: Transpose(labels(), 5), "axis gives each of the 4 axes once"),
        (lambda: RandomSignalScale(labels(), "much"), "deviance is 0 to 1.*'much'"),
        (lambda: Bioseq.create_from_refgenome("dna", ["a.fa"], REGIONS), "refgenome is a FASTA file"),
        (lambda: Bioseq.create_from_refgenome("dna", None, REGIONS), "refgenome is a FASTA file"),
        (
            lambda: labels(random_state=2**32),
            "random_state must be .* at most 4294967295",
        ),
        (lambda: normalize(ReduceDim(labels()), "tpm"), "normalize takes a Cover. .*then wrap it"),
        (lambda: fit_normalizer("tpm", labels(), resolution=1), "For a Cover, use normalize"),
        (lambda: save_normalizer({"kind": "tpm"}, "tpm.json"), "save_normalizer writes a Normalizer"),
        (lambda: Cover.create_from_bam("reads", None, REGIONS), "the path of a BAM or CRAM file.* Received: None"),
        (lambda: Cover.create_from_bam("reads", {"a": "a.bam"}, REGIONS), "the path of a BAM or CRAM file"),
        (lambda: Cover.create_from_bigwig("signal", [None], REGIONS), "the path of a bigWig file.* Received: None"),
        (lambda: labels(genomesize="hg38"), "genomesize is a mapping of contig to length"),
        (lambda: labels(genomesize=["chr1", "chr2"]), "genomesize is a mapping of contig to length"),
        (lambda: labels(genomesize={"chr1": 400, "chr2": "300"}), "genomesize gives lengths in bp.* chr2: '300'"),
        (lambda: labels(None, genomesize={"chr1": 0}, resolution=5), "genomesize gives lengths in bp.* chr1: 0"),
        (lambda: scores(genomesize="hg38"), "genomesize is a mapping of contig to length"),
        (lambda: scores(padding_value="x"), "padding_value is a number"),
    ],
)
def test_arguments_of_another_kind_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_numbers_of_numpy_are_numbers():
    assert labels(overlap=np.float32(0.5), random_state=np.uint32(5)).shape == (30, 1, 1, 1)
    assert RandomSignalScale(labels(), np.float16(0.5)).deviance == 0.5


def test_lengths_of_contigs_are_checked_for_alignments_and_signal(tmp_path):
    reads = write_alignments(tmp_path / "reads.bam", [])
    signal = scores().export_to_bigwig(tmp_path)
    for genomesize in ("hg38", ["chr1"], {"chr1": 0}):
        for resolution in (1, None):
            with pytest.raises(InputError, match="genomesize (is a mapping|gives lengths)"):
                Cover.create_from_bam("reads", reads, REGIONS, genomesize, resolution=resolution)
            with pytest.raises(InputError, match="genomesize (is a mapping|gives lengths)"):
                Cover.create_from_bigwig("signal", signal, REGIONS, genomesize, resolution=resolution)


def test_a_dataset_of_a_closed_file_says_so(tmp_path):
    windows = GenomicIndexer.create_from_file(REGIONS, 20)
    with h5py.File(tmp_path / "scores.h5", "w") as file:
        stored = file.create_dataset("scores", data=np.ones((len(windows), 1)))
    with pytest.raises(InputError, match="The file of the HDF5 dataset is closed"):
        Cover.create_from_array("scores", stored, windows)


def test_windows_of_another_assembly_are_told_of(caplog):
    regions = region_table(["chr1", "chr1", "chr1"], [0, 90, 100], [10, 110, 110])
    genome = GenomeArray.from_contigs({"chr1": np.zeros(100, dtype=np.uint8)})
    Bioseq("dna", genome, GenomicIndexer.create_from_file(regions, 10, 10))
    assert "2 of 4 windows lie wholly outside their contig" in caplog.text
    assert "the first is chr1:100-110, and chr1 of the array has 100 bp" in caplog.text
    caplog.clear()
    Bioseq("dna", genome, GenomicIndexer.create_from_file(regions[:1], 10, 10, flank=500))
    assert caplog.text == ""
