"""Where parts meet: what one part gives and another takes."""

import h5py
import numpy as np
import pandas as pd
import pytest
from alignment_files import random_reads, slow_bases, write_alignments

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
from helpers.data.bam import store_bam_coverage
from helpers.data.inputs import open_split
from helpers.data.labels import join_labels, label_regions, save_labels
from helpers.data.regions import overlaps_any, read_regions, region_table, write_regions
from helpers.data.rows import locate_rows
from helpers.data.sequence import encode_letters
from helpers.data.storage import GenomeArray, write_contigs
from helpers.data.window_signal import fit_signal_normalizer, load_signal, save_signal, sum_windows
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


# a study: from files of all windows to the splits that a model reads


BAM_SIZES = {"chr1": 1025, "chr2": 300}
FOLD = {"train": ["chr1"], "test": ["chr2"]}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Windows, labels in two parts, counts per bin and per window, and statistics of two tracks, all in files."""
    folder = tmp_path_factory.mktemp("study")
    starts = np.r_[np.arange(0, 1000, 50), np.arange(0, 300, 50)]
    windows = region_table(["chr1"] * 20 + ["chr2"] * 6, starts, starts + 50, strand=["+", "-"] * 13)
    write_regions(windows, folder / "all.bed")
    for split, chroms in FOLD.items():
        write_regions(windows[windows["chrom"].isin(chroms)], folder / f"{split}.bed")
    letters = np.random.default_rng(0).choice(list(b"ACGTN"), sum(BAM_SIZES.values())).astype(np.uint8)
    genome = GenomeArray(np.frombuffer(encode_letters(letters.tobytes()), dtype=np.uint8), BAM_SIZES)
    write_contigs(folder / "sequence.h5", {name: genome.contig(name) for name in BAM_SIZES})
    for number, name in enumerate(["cage", "dnase"]):
        write_track(folder, name, windows, number)
    for number, rows in enumerate([("chr1\t60\t170", "chr2\t10\t40"), ("chr1\t0\t900",), ("chr2\t90\t260",)]):
        (folder / f"peaks{number}.bed").write_text("".join(f"{row}\n" for row in rows))
        labels = label_regions(windows, [folder / f"peaks{number}.bed"], [f"factor{number}"])
        save_labels(labels, folder / f"part-{number}.h5")
    join_labels([folder / f"part-{number}.h5" for number in range(3)], folder / "all.h5")
    return folder


def write_track(folder, name, windows, seed):
    path = write_alignments(folder / f"{name}.bam", random_reads(np.random.default_rng(seed), 900))
    store_bam_coverage(path, folder / f"{name}.bins.h5", resolution=50, chroms=list(BAM_SIZES))
    training = locate_rows(read_regions(folder / "train.bed"), windows)
    save_normalizer(
        fit_normalizer("zscorelog", GenomeArray.open(folder / f"{name}.bins.h5"), resolution=50),
        folder / f"{name}.bins.json",
    )
    for strands in ("each", "both"):
        signal = sum_windows(path, windows, kind="bam", sizes=BAM_SIZES, flank=20, strands=strands)
        save_signal(signal, folder / f"{name}.{strands}.h5")
        fitted = fit_signal_normalizer("zscorelog", signal, training, track=name)
        save_normalizer(fitted, folder / f"{name}.{strands}.json")


def readings(folder, **changes):
    tracks = ["cage", "dnase"]
    coverage = {"kind": "coverage", "tracks": tracks, "swap": True}
    files = {
        kind: {
            "stores": [folder / f"{name}.{kind}.h5" for name in tracks],
            "normalizers": [folder / f"{name}.{kind}.json" for name in tracks],
        }
        for kind in ("bins", "each")
    }
    return {
        "dna": {"kind": "sequence", "stores": [folder / "sequence.h5"], "flank": 25, "order": 2},
        "bins": coverage | files["bins"] | {"flank": 50},
        "whole": coverage | files["each"] | {"flank": 20, "whole": True} | changes,
    }


def opened(folder, split, output=None, **changes):
    files = {"regions": folder / f"{split.removesuffix('_swapped')}.bed", "windows": folder / "all.bed"}
    output = output or {"kind": "peaks", "labels": folder / "all.h5"}
    return open_split(readings(folder, **changes), split, **files, output=output, binsize=50)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_split_reads_the_labels_and_inputs_of_its_own_windows(study, split):
    part = opened(study, split)
    regions = read_regions(study / f"{split}.bed")
    pd.testing.assert_frame_equal(part.regions, regions)
    assert part.outputs == ["factor0", "factor1", "factor2"]
    for column in range(3):
        overlapping = overlaps_any(regions, read_regions(study / f"peaks{column}.bed"))
        np.testing.assert_array_equal(part.targets[:][:, column], overlapping)
    n = len(regions)
    shapes = {name: dataset.shape for name, dataset in part.inputs.items()}
    assert shapes == {"dna": (n, 99, 1, 16), "bins": (n, 3, 2, 2), "whole": (n, 1, 2, 2)}
    batches = WindowBatches(part.inputs, {"labels": part.targets}, batch_size=4, shuffle=True, seed=1)
    rows = batches.order(0)[:4]
    inputs, outputs = batches.batch(0, 0)
    np.testing.assert_array_equal(inputs["whole"], part.inputs["whole"][rows])
    np.testing.assert_array_equal(outputs["labels"], part.targets[:][rows])
    assert outputs["labels"].dtype == inputs["whole"].dtype == np.float32


def test_signals_of_whole_windows_are_counts_normalized_by_the_training_windows(study):
    windows = read_regions(study / "all.bed")
    for condition, name in enumerate(["cage", "dnase"]):
        bases = slow_bases(study / f"{name}.bam")
        counts = []
        for _, window in windows.iterrows():
            both = bases[window["chrom"]][max(window["start"] - 20, 0) : window["end"] + 20].sum(axis=0)
            counts.append(both[::-1] if window["strand"] == "-" else both)
        logs = np.log1p(np.array(counts, dtype=np.float64))
        training = logs[windows["chrom"] == "chr1"]
        expected = ((logs - training.mean()) / training.std(ddof=1))[windows["chrom"] == "chr2"]
        whole = opened(study, "test").inputs["whole"]
        np.testing.assert_allclose(whole[:][:, 0, :, condition], expected, rtol=1e-5, atol=1e-6)
        assert whole.conditions == ["cage", "dnase"]


def test_swapped_tracks_keep_their_own_normalizers(study):
    plain, swapped = opened(study, "test"), opened(study, "test_swapped")
    for name in ("bins", "whole"):
        np.testing.assert_array_equal(swapped.inputs[name][:], plain.inputs[name][:][..., ::-1])
        assert swapped.inputs[name].conditions == ["dnase", "cage"]
    assert not np.array_equal(plain.inputs["whole"][:], swapped.inputs["whole"][:])
    np.testing.assert_array_equal(swapped.inputs["dna"][:], plain.inputs["dna"][:])
    np.testing.assert_array_equal(swapped.targets[:], plain.targets[:])
    fixed = opened(study, "test_swapped", swap=False).inputs["whole"]
    np.testing.assert_array_equal(fixed[:], plain.inputs["whole"][:])


def test_a_coverage_output_is_the_normalized_signal_of_its_own_windows(study):
    output = {
        "kind": "coverage",
        "tracks": ["cage", "dnase"],
        "stores": [study / "cage.both.h5", study / "dnase.both.h5"],
        "normalizers": [study / "cage.both.json", study / "dnase.both.json"],
    }
    part = opened(study, "test", output)
    rows = np.flatnonzero(read_regions(study / "all.bed")["chrom"] == "chr2")
    for column, name in enumerate(part.outputs):
        logs = np.log1p(load_signal(study / f"{name}.both.h5").values[:, 0].astype(np.float64))
        expected = (logs - logs[:20].mean()) / logs[:20].std(ddof=1)
        np.testing.assert_allclose(part.targets[:][:, column], expected[rows], rtol=1e-5, atol=1e-6)
    assert WindowBatches(part.inputs, {"signal": part.targets}).batch(0, 0)[1]["signal"].shape == (6, 2)


def test_whole_windows_beside_other_windows_are_refused(study):
    test, train = opened(study, "test"), opened(study, "train")
    mixed = {"dna": test.inputs["dna"], "whole": train.inputs["whole"].take(np.arange(6))}
    with pytest.raises(InputError, match="6 of 6 windows of input dna and input whole do not overlap"):
        WindowBatches(mixed)


def test_a_split_of_other_windows_than_those_that_were_labelled_is_refused(study, tmp_path):
    windows = read_regions(study / "all.bed")
    settings = {"output": {"kind": "peaks", "labels": study / "all.h5"}, "binsize": 50}
    with pytest.raises(InputError, match="1 of 1 regions are not among the 26 windows of the study"):
        open_split({}, "test", regions=region_table(["chr1"], [25], [75]), windows=windows, **settings)
    with pytest.raises(InputError, match=r"all\.h5 belongs to other windows"):
        open_split({}, "test", regions=windows[5:8], windows=windows[5:8], **settings)
    whole = {"whole": readings(study)["whole"]}
    with pytest.raises(InputError, match=r"cage\.each\.h5 belongs to other windows"):
        open_split(whole, "test", regions=windows[5:8], windows=windows[5:8], **settings)
