"""Numbers that Janggu's own tests state, on files made alike: users who come from there find them again.

Where a number differs it is said why; docs/differences.md has the reasons.
"""

import numpy as np
import pandas as pd
import pytest
from small_files import REVERSE, write_bam, write_bed, write_bigwig, write_fasta

from helpers.data import (
    TPM,
    Bioseq,
    Cover,
    GenomicIndexer,
    RegionLengthNormalization,
    ZScore,
    read_regions,
    split_train_test,
    view,
)
from helpers.data.trim import trim_file

SIZES = {"chr1": 30000, "chr2": 30000}
BOTH = [("chr1", 15000, 25000, ".", 0, "+"), ("chr2", 15000, 25000, ".", 0, "-")]  # 50 windows of 200 bp each
SCORED = [
    ("chr1", 15600, 15800, "state1", 1),
    ("chr1", 15800, 16000, "state2", 5),
    ("chr2", 15600, 15800, "state1", 2),
    ("chr2", 15800, 16000, "state2", 4),
]


@pytest.fixture
def roi(tmp_path):
    return write_bed(tmp_path / "roi.bed", *BOTH)


@pytest.fixture
def fasta(tmp_path):
    rng = np.random.default_rng(1)
    letters = {name: "".join(rng.choice(list("ACGT"), size)) for name, size in SIZES.items()}
    letters["chr1"] = letters["chr1"][:15000] + "ATTGTGGTGA" + letters["chr1"][15010:]
    letters["chr2"] = letters["chr2"][:15000] + "ggggaagcaa" + letters["chr2"][15010:]
    return write_fasta(tmp_path / "genome.fa", **letters)


def spell(one_hot):
    return "".join("ACGT"[row.argmax()] for row in one_hot[:, 0])


# ---- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("binsize", "stepsize", "padding", "number", "last"),
    [
        (200, 200, True, 100, ("chr2", 24800, 25000)),
        (200, 50, True, 394, ("chr2", 24800, 25000)),
        (3000, 3000, False, 6, ("chr2", 21000, 24000)),
        (3000, 3000, True, 8, ("chr2", 24000, 25000)),
    ],
)
def test_regions_are_cut_into_windows(roi, binsize, stepsize, padding, number, last):
    windows = GenomicIndexer.create_from_file(roi, binsize, stepsize, zero_padding=padding)
    assert len(windows) == number
    assert windows[0] == ("chr1", 15000, 15000 + binsize, "+")
    assert windows[-1] == (*last, "-")


@pytest.mark.parametrize(
    ("binsize", "stepsize", "padding", "number"),
    [(200, 200, True, 4), (180, 20, True, 8), (210, 20, False, 0), (210, 20, True, 4)],
)
def test_regions_of_one_length_are_cut_into_windows(tmp_path, binsize, stepsize, padding, number):
    bed = write_bed(tmp_path / "a.bed", *(("chr1", 15000 + 200 * row, 15200 + 200 * row) for row in range(4)))
    assert len(GenomicIndexer.create_from_file(bed, binsize, stepsize, zero_padding=padding)) == number


@pytest.mark.parametrize(("resolution", "positions"), [(10, 30), (3, 100), (100, 3)])
@pytest.mark.parametrize(("padding", "number"), [(True, 68), (False, 66)])
def test_uneven_regions_give_windows_of_one_shape(tmp_path, resolution, positions, padding, number):
    rows = [("chr1", 15000, 25012), ("chr2", 15000, 25111)]
    bed, track = write_bed(tmp_path / "a.bed", *rows), write_bigwig(tmp_path / "a.bw", SIZES, chr1=[1], chr2=[1])
    settings = {"binsize": 300, "stepsize": 300, "resolution": resolution, "zero_padding": padding}
    cover = Cover.create_from_bigwig("signal", track, bed, **settings)
    assert cover.shape == (number, positions, 1, 1)
    assert cover[:].shape == cover.shape


@pytest.mark.parametrize(("start", "end", "starts"), [(5, 10, [4, 6, 8]), (5, 11, [4, 6, 8, 10]), (6, 10, [6, 8])])
def test_windows_are_filtered_by_range(start, end, starts):
    windows = GenomicIndexer.create_from_region("chr1", 0, 18, ".", 2)
    found = windows.filter_by_region(include="chr1", start=start, end=end)
    assert found.starts.tolist() == starts
    assert len(windows.filter_by_region(include="chr1", start=20, end=30)) == 0


def test_regions_are_trimmed_to_multiples(tmp_path):
    """Janggu writes 1-4 as 5-0; here it has no line, and is counted."""
    bed = write_bed(tmp_path / "a.bed", ("chr1", 0, 18), ("chr1", 1, 4))
    assert trim_file(bed, tmp_path / "out.bed", divisible_by=5) == (1, 1)
    assert read_regions(tmp_path / "out.bed")[["start", "end"]].values.tolist() == [[0, 15]]


# ---- sequence --------------------------------------------------------------------------------------------------------


def test_sequence_of_whole_regions_of_a_gtf(tmp_path, fasta):
    gtf = tmp_path / "a.gtf"
    gtf.write_text("".join(f"chr{n}\t.\tgene\t15001\t25000\t.\t{strand}\t.\t.\n" for n, strand in ((1, "+"), (2, "-"))))
    dna = Bioseq.create_from_refgenome("dna", fasta, gtf)
    assert (dna.shape, dna[:].sum()) == ((2, 10000, 1, 4), 20000)


def test_sequence_of_windows(roi, fasta):
    dna = Bioseq.create_from_refgenome("dna", fasta, roi, binsize=200)
    assert spell(dna[0][0])[:10] == "ATTGTGGTGA"
    assert spell(dna[-50][0])[-10:] == "TTGCTTCCCC"  # ggggaagcaa of chr2 15000, from the other strand
    pairs = Bioseq.create_from_refgenome("dna", fasta, roi, binsize=200, order=2)
    assert pairs.shape == (100, 199, 1, 16)
    assert (pairs.conditions.index("AC"), pairs.conditions.index("TG")) == (1, 14)
    assert Bioseq.create_from_refgenome("dna", fasta, order=3).conditions[6] == "ACG"


@pytest.mark.parametrize("stored", [True, False])
def test_sequence_over_the_ends_of_a_contig(fasta, stored):
    windows = [("chr1", start, start + 2, ".") for start in range(0, 18, 2)]
    dna = Bioseq.create_from_refgenome("dna", fasta, windows, flank=20, store_whole_genome=stored)
    assert dna.shape == (9, 42, 1, 4)
    assert (dna[0].sum(), dna[-1].sum()) == (22, 38)
    assert dna["chr1", 29990, 30010].sum() == 10


def test_sequences_of_a_file(tmp_path):
    letters = "".join(np.random.default_rng(2).choice(list("ACGT"), 200))
    path = write_fasta(tmp_path / "a.fa", **{f"read{number}": letters for number in range(39)})
    dna = Bioseq.create_from_seq("dna", path)
    assert (dna.shape, dna.gindexer.chrs[38]) == ((39, 200, 1, 4), "read38")


@pytest.mark.parametrize(("length", "order", "channels"), [(1000, 1, 20), (5, 1, 20), (5, 2, 400)])
def test_proteins(length, order, channels):
    proteins = [("a", "MAFS"), ("b", "MAFSMAFS"), ("c", "M")]
    dataset = Bioseq.create_from_seq("p", proteins, seqtype="protein", fixedlen=length, order=order)
    assert dataset.shape == (3, length - order + 1, 1, channels)
    if order == 1:
        assert dataset.codes(0)[0, :5].tolist() == [10, 0, 4, 15, 20]


# ---- signal ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def signal(tmp_path):
    """1044 bases of 1: 36 in window 4, twice 36 in window 52, the others far behind."""
    values = {name: np.zeros(size) for name, size in SIZES.items()}
    values["chr1"][15943:15979] = 1
    values["chr1"][20000:20936] = 1
    values["chr2"][15554:15590] = 1
    values["chr2"][15474:15510] = 1
    return write_bigwig(tmp_path / "a.bw", SIZES, **values)


@pytest.mark.parametrize("stored", [True, False])
def test_signal_of_windows(roi, signal, stored):
    cover = Cover.create_from_bigwig("signal", signal, roi, binsize=200, store_whole_genome=stored)
    assert cover[:].sum() == 1044
    assert np.flatnonzero(cover[4]).tolist() == list(range(143, 179))
    assert np.flatnonzero(cover[52]).tolist() == [*range(10, 46), *range(90, 126)]


def test_signal_survives_an_export(tmp_path, roi, signal):
    cover = Cover.create_from_bigwig("signal", signal, roi, binsize=200, resolution=50)
    assert cover[:].sum() == pytest.approx(1044 / 50)
    (path,) = cover.export_to_bigwig(tmp_path)
    assert path.name == "signal.a.bigwig"
    again = Cover.create_from_bigwig("signal", path, roi, binsize=200, resolution=50)
    np.testing.assert_array_equal(again[:], cover[:])


@pytest.mark.parametrize("stored", [None, False])
@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_rest_of_a_region_is_a_window_of_zeros(tmp_path, stored, strand):
    track = write_bigwig(tmp_path / "a.bw", {"c": 40}, c=range(1, 21))
    settings = {"binsize": 10, "resolution": 5, "collapser": "sum", "store_whole_genome": stored}
    cover = Cover.create_from_bigwig("signal", track, [("c", 0, 25, strand)], **settings)
    expected = [[15, 40], [65, 90], [0, 0]]
    assert cover[:][..., 0, 0].tolist() == [bins if strand == "+" else bins[::-1] for bins in expected]
    between_bins = Cover.create_from_bigwig("signal", track, [("c", 3, 13, "+")], **settings)
    assert between_bins[0].ravel().tolist() == [30, 55]


def test_one_value_a_window_is_spread_over_its_bases(tmp_path):
    track = write_bigwig(tmp_path / "a.bw", {"c": 40}, c=range(1, 21))
    windows = [("c", 0, 10, "+"), ("c", 10, 25, "+")]
    cover = Cover.create_from_bigwig("signal", track, windows, resolution=None, collapser="sum")
    assert cover["c", 3, 13].ravel().tolist() == [55] * 7 + [155] * 3


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("resolution", [1, 50])
def test_a_window_is_its_region_in_bins(tmp_path, roi, signal, stored, resolution):
    reads = [
        (chrom, start, start + 30, flag) for chrom in SIZES for start in range(15100, 16000, 70) for flag in (0, 16)
    ]
    settings = {"binsize": 200, "resolution": resolution}
    covers = [
        Cover.create_from_bigwig("signal", signal, roi, store_whole_genome=stored, **settings),
        Cover.create_from_bam(
            "counts", write_bam(tmp_path / "a.bam", SIZES, *reads), roi, store_whole_genome=stored, **settings
        ),
        Cover.create_from_bed("labels", write_bed(tmp_path / "s.bed", *SCORED), roi, mode="score", **settings),
    ]
    for cover in covers:
        for row in (0, 3, 4, 50, 52, 54):
            by_base = cover[row].repeat(resolution, axis=1)
            np.testing.assert_array_equal(by_base, cover[cover.gindexer[row]])
        assert cover[4].any()
        assert cover[54].any() or cover.name == "signal"


# ---- alignments ------------------------------------------------------------------------------------------------------

# Window, position in it, strand in it, as Janggu's tests state them.
READS = [(4, 179, 1), (13, 162, 0), (13, 178, 0), (52, 9, 0), (52, 89, 0), (96, 25, 1)]


@pytest.fixture
def bam(tmp_path):
    """Reads that Janggu counts at `READS`: a reverse read at the base behind its last one."""
    reads = []
    for window, position, strand in READS:
        left = 15000 + window % 50 * 200
        if window < 50:
            reads.append(("chr1", left + position - 30 * strand, left + position + 30 - 30 * strand, REVERSE * strand))
        else:  # from the right, on the other strand
            base = left + 199 - position
            flag = REVERSE * (1 - strand)
            reads.append(("chr2", base - 30 if flag else base, base if flag else base + 30, flag))
    return write_bam(tmp_path / "sample.bam", SIZES, *reads)


def test_reads_of_windows(roi, bam):
    """Forward reads are where they were, reverse reads one base upstream in the genome."""
    cover = Cover.create_from_bam("counts", bam, roi, binsize=200)
    found = [(window, position, strand) for window, position, strand, _ in np.argwhere(cover[:]).tolist()]
    assert found == [(4, 178, 1), (13, 162, 0), (13, 178, 0), (52, 10, 0), (52, 90, 0), (96, 25, 1)]
    bins = Cover.create_from_bam("counts", bam, roi, binsize=200, resolution=10)
    found = [(window, position, strand) for window, position, strand, _ in np.argwhere(bins[:]).tolist()]
    assert found == [(4, 17, 1), (13, 16, 0), (13, 17, 0), (52, 1, 0), (52, 9, 0), (96, 2, 1)]


# ---- features --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "total"),
    [({"resolution": None}, 1), ({"resolution": 50}, 1), ({"resolution": 1}, 49), ({"overlap": 0.5}, 0)],
)
def test_overlapping_windows_are_labelled(tmp_path, settings, total):
    windows = write_bed(tmp_path / "windows.bed", *(("chr1", start, start + 200) for start in range(1450, 2651, 50)))
    feature = write_bed(tmp_path / "feature.bed", ("chr1", 1451, 1500))
    cover = Cover.create_from_bed("labels", feature, windows, binsize=200, **settings)
    assert len(cover) == 25
    assert cover[0].sum() == cover[:].sum() == total


def test_modes_of_features(tmp_path, roi):
    bed = write_bed(tmp_path / "scored.bed", *SCORED)

    def labels(mode, bed=bed):
        return Cover.create_from_bed("labels", bed, roi, binsize=200, resolution=200, mode=mode)

    assert np.flatnonzero(labels("binary")[:]).tolist() == [3, 4, 53, 54]
    assert labels("score")[[4, 54]].ravel().tolist() == [5, 4]
    assert labels("categorical").conditions == ["1", "2", "4", "5"]
    assert labels("categorical")[4].ravel().tolist() == [0, 0, 0, 1]
    assert labels("name_category").conditions == ["state1", "state2"]
    assert labels("name_category")[[3, 4]][:, 0, 0].tolist() == [[1, 0], [0, 1]]
    rows = [(*row[:3], value) for row, value in zip(SCORED, (1.5, 0.5, 2, 4.5), strict=True)]
    assert labels("bedgraph", write_bed(tmp_path / "a.bedgraph", *rows))[4].item() == 0.5


@pytest.mark.parametrize(("flank", "sums"), [(20, [18] * 9), (2, [4, *[6] * 7, 4])])
def test_labels_over_the_ends_of_a_contig(flank, sums):
    region = [("chr1", 0, 18, ".")]
    cover = Cover.create_from_bed(
        "labels",
        [pd.DataFrame(region, columns=["chrom", "start", "end", "strand"])],
        region,
        binsize=2,
        resolution=1,
        flank=flank,
    )
    assert cover[:].sum(axis=(1, 2, 3)).tolist() == sums


# ---- arrays and datasets ---------------------------------------------------------------------------------------------


def test_single_bases_of_an_array_among_nothing():
    places = [656, 658, 660, 661, 662, 700]
    indexer = GenomicIndexer.create_from_file([("chr1", place, place + 1, ".") for place in places], None)
    cover = Cover.create_from_array("effects", np.zeros((6, 3)), indexer, padding_value=np.nan)
    assert cover.shape == (6, 1, 1, 3)
    assert np.flatnonzero(cover["chr1", 650, 670][0, :, 0, 0] == 0).tolist() == [6, 8, 10, 11, 12]
    assert np.isnan(cover["chr1", 650, 670]).sum() == 15 * 3


def test_a_view_and_a_split(tmp_path, roi, fasta):
    dna = Bioseq.create_from_refgenome("dna", fasta, roi, binsize=200)
    assert len(view(dna, write_bed(tmp_path / "scored.bed", *SCORED))) == 4
    assert [len(part) for part in split_train_test(dna, "chr2")] == [50, 50]


def test_batches_of_ten():
    from helpers.model import JangguSequence

    batches = JangguSequence({"x": np.ones((100, 3))}, {"y": np.ones(100)}, batch_size=10)
    assert [len(inputs["x"]) for inputs, _ in batches] == [10] * 10


def test_a_local_average():
    from helpers.model import LocalAveragePooling2D

    values = np.ones((1, 10, 1, 4), dtype="float32")
    values[0, :3, 0, 1] = 0, 1, 2
    pooled = np.asarray(LocalAveragePooling2D(3)(values))
    assert pooled.shape == (1, 8, 1, 4)
    assert pooled[0, 0, 0, 1] == 1
    assert (pooled[..., 0] == 1).all()


# ---- normalizers -----------------------------------------------------------------------------------------------------


def tracks(tmp_path, sizes, values, resolution, normalizer):
    """Whole contigs of one value each, in bins."""
    path = write_bigwig(tmp_path / "a.bw", sizes, **{name: [values[name]] * size for name, size in sizes.items()})
    roi = [(name, 0, size, ".") for name, size in sizes.items()]
    return Cover.create_from_bigwig("x", path, roi, binsize=50, resolution=resolution, normalizer=normalizer)


def test_transcripts_per_million(tmp_path):
    cover = tracks(tmp_path, {"chr1": 150, "chr2": 300}, {"chr1": 10, "chr2": 1}, 50, TPM())
    np.testing.assert_allclose(cover[:].ravel(), [277777.8] * 3 + [27777.78] * 6, rtol=1e-6)


def test_z_scores(tmp_path):
    cover = tracks(tmp_path, {"chr1": 150, "chr2": 300}, {"chr1": 1, "chr2": -1}, 1, ZScore())
    np.testing.assert_allclose(cover[:].ravel(), [1.41264] * 150 + [-0.70632] * 300, rtol=1e-5)
    assert cover[:].mean() == pytest.approx(0, abs=1e-6)
    assert cover[:].std(ddof=1) == pytest.approx(1)


def test_counts_per_base(tmp_path):
    cover = tracks(tmp_path, {"chr1": 150}, {"chr1": 10}, 50, RegionLengthNormalization())
    assert cover[:].ravel().tolist() == pytest.approx([0.2] * 3)
