"""What is right where Janggu 0.10.2 is wrong, each on an example for which Janggu is known to give another value.

W1 to W29 number its known errors; docs/differences.md tells users of them in the same numbers.
"""

import copy
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_files import (
    FIRST,
    MATE_REVERSE,
    PAIRED,
    PROPER,
    REVERSE,
    SECOND,
    write_bam,
    write_bed,
    write_bigwig,
    write_fasta,
)

from helpers.data import (
    TPM,
    Array,
    Bioseq,
    Cover,
    GenomicIndexer,
    NanToNumConverter,
    PercentileTrimming,
    RandomOrientation,
    RandomShift,
    RandomSignalScale,
    ReduceDim,
    RegionLengthNormalization,
    SqueezeDim,
    ZScore,
    normalize,
    split_train_test,
    subset,
    view,
)
from helpers.data.storage import GenomeArray
from helpers.data.stores import store_contigs
from helpers.errors import InputError
from helpers.evaluation import VariantStreamer, input_attribution, predict_variant_effect, read_effects

ROOT = Path(__file__).resolve().parents[1]
RNG = np.random.default_rng(5)
ACROSS = (PAIRED | PROPER | MATE_REVERSE | FIRST, PAIRED | PROPER | REVERSE | SECOND)  # flags of a pair


def region_table(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])


def letters_of(one_hot):
    """Spell a one-hot sequence of order 1; - is a row of zeros."""
    return "".join("ACGT"[row.argmax()] if row.any() else "-" for row in one_hot[:, 0])


def kmers_of(dna, row=0):
    """Spell the k-mers of a window; -- is a row of zeros."""
    hot = dna[row][0, :, 0]
    return " ".join(dna.conditions[one.argmax()] if one.any() else "-" * dna.order for one in hot)


def positions_of(values):
    """Give the positions, strands and conditions of what is not 0 in a batch of one, each with its value."""
    return {tuple(place): values[0][tuple(place)] for place in np.argwhere(values[0]).tolist()}


# ---- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "binsize", "stepsize", "windows"),
    [
        (25, 5, 10, ["100-105", "110-115", "120-125"]),
        (28, 5, 10, ["100-105", "110-115", "120-125"]),
        (4, 10, 5, ["100-104"]),
        (4, 10, 1, ["100-104"]),
        (7, 10, 5, ["100-107"]),
        (25, 10, 10, ["100-110", "110-120", "120-125"]),
        (25, 10, 5, ["100-110", "105-115", "110-120", "115-125"]),
        (27, 10, 5, ["100-110", "105-115", "110-120", "115-125", "120-127"]),
    ],
)
def test_windows_stay_within_their_region_and_within_the_bin_size(length, binsize, stepsize, windows):
    """W9: short regions were moved to the left or dropped; a step longer than the bin gave a window longer than it."""
    indexer = GenomicIndexer.create_from_region("c", 100, 100 + length, "+", binsize, stepsize)
    assert indexer.tostr() == [f"c:{window}" for window in windows]


def test_without_padding_full_windows_are_kept():
    """W9: the full window 120-125 was dropped."""
    indexer = GenomicIndexer.create_from_region("c", 100, 125, "+", 5, 10, zero_padding=False)
    assert indexer.tostr() == ["c:100-105", "c:110-115", "c:120-125"]
    assert not len(GenomicIndexer.create_from_region("c", 100, 104, "+", 10, 5, zero_padding=False))


def test_windows_with_a_flank_keep_their_centre():
    """W8: starts below 0 were cut off, 0-310 instead of -100-310, so that the centre moved."""
    indexer = GenomicIndexer.create_from_region("c", 100, 125, "+", 10, 10, flank=200)
    assert indexer.tostr() == ["c:-100-310", "c:-90-320", "c:-80-325"]


def test_indices_by_region_count_as_the_windows_are_presented():
    """W23: positions in the file were given, which mean other windows when the order is random."""
    indexer = GenomicIndexer.create_from_file(region_table(("c", 0, 50, "+")), 10, random_state=3)
    assert [window.start for window in indexer] == [30, 40, 10, 0, 20]
    found = indexer.idx_by_region(start=25, end=45)
    assert sorted(indexer[int(index)].start for index in found) == [20, 30, 40]
    assert indexer[found[0]].start == 30  # an integer of numpy


def test_windows_are_indexed_by_integers_of_numpy_and_slices():
    indexer = GenomicIndexer.create_from_region("c", 0, 50, "+", 10)
    assert indexer[np.int64(-1)].start == 40
    assert [window.start for window in indexer[-2:]] == [30, 40]


def test_no_contigs_to_include_are_no_windows():
    indexer = GenomicIndexer.create_from_region("c", 0, 50, "+", 10)
    assert len(indexer.filter_by_region(include=[])) == 0


def test_a_region_without_bases_is_an_error():
    """It became a region of one base."""
    with pytest.raises(InputError, match="5 5"):
        GenomicIndexer.create_from_file(region_table(("c", 5, 5, "+")), 10)


def test_windows_are_kept_as_arrays():
    """They were lists."""
    indexer = GenomicIndexer.create_from_region("c", 0, 50, "+", 10)
    for column in (indexer.chrs, indexer.starts, indexer.ends, indexer.strand):
        assert isinstance(column, np.ndarray)
        assert column.shape == (5,)


def test_a_table_without_strands_is_left_as_it_is():
    """A column of strands was added to the caller's table."""
    table = pd.DataFrame({"chrom": ["c"], "start": [0], "end": [50]})
    assert GenomicIndexer.create_from_file(table, 10).strand.tolist() == ["."] * 5
    assert list(table.columns) == ["chrom", "start", "end"]


# ---- sequence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(("strand", "letters"), [("+", "---ACGT-AC"), ("-", "GT-ACGT---")])
def test_sequence_over_the_start_of_a_contig_keeps_its_place(tmp_path, stored, strand, letters):
    """W8: ACGT-AC---, and on the minus strand different letters in different storages."""
    fasta, roi = write_fasta(tmp_path / "a.fa", c="ACGTNACGTr"), region_table(("c", 0, 4, strand))
    dna = Bioseq.create_from_refgenome("dna", fasta, roi, flank=3, store_whole_genome=stored)
    assert letters_of(dna[0][0]) == letters


@pytest.mark.parametrize("stored", [True, False])
def test_the_rest_of_a_region_is_followed_by_unknown_bases_on_both_strands(tmp_path, stored):
    """W8: one storage gave -GT- for the last window on the minus strand, the other GT--."""
    fasta, roi = write_fasta(tmp_path / "a.fa", c="ACGTACGTAC"), region_table(("c", 0, 10, "+"), ("c", 0, 10, "-"))
    dna = Bioseq.create_from_refgenome("dna", fasta, roi, binsize=4, store_whole_genome=stored)
    assert [letters_of(window[0]) for window in dna] == ["ACGT", "ACGT", "AC--", "ACGT", "ACGT", "GT--"]


def test_a_region_of_four_parts_has_its_strand(tmp_path):
    """W15: the strand of (chrom, start, end, strand) was ignored."""
    dna = Bioseq.create_from_refgenome("dna", write_fasta(tmp_path / "a.fa", c="AACCGGTTTN"))
    assert letters_of(dna["c", 0, 5][0]) == "AACCG"
    assert letters_of(dna["c", 0, 5, "-"][0]) == "CGGTT"
    assert letters_of(dna["c", -2, 3, "-"][0]) == "GTT--"


@pytest.mark.parametrize("order", [1, 2, 6, 7])
def test_what_lies_outside_the_contig_is_all_zeros_in_every_order(tmp_path, order):
    """W16: of order 7 it became one of the k-mers."""
    fasta, roi = write_fasta(tmp_path / "a.fa", c="ACGTTGCAAC"), region_table(("c", 0, 10, "+"), ("c", 0, 10, "-"))
    dna = Bioseq.create_from_refgenome("dna", fasta, roi, flank=5, order=order)
    known = [first >= 5 and first + order <= 15 for first in range(20 - order + 1)]
    assert dna[:].sum(axis=(2, 3)).tolist() == [known, known]


def test_an_order_that_does_not_fit_is_refused(tmp_path):
    """W16: numbers of 8-mers did not fit into the type that held them."""
    fasta = write_fasta(tmp_path / "a.fa", c="ACGTTGCAACGT")
    with pytest.raises(InputError, match="1 to 7"):
        Bioseq.create_from_refgenome("dna", fasta, region_table(("c", 0, 12, "+")), order=8)


def test_regions_are_read_on_the_contigs_that_are_kept(tmp_path):
    """A sequence that was kept for its windows alone refused any region."""
    fasta = write_fasta(tmp_path / "a.fa", c="ACGTACGTAC", d="ACGT")
    dna = Bioseq.create_from_refgenome("dna", fasta, region_table(("c", 0, 4, "+")), store_whole_genome=False)
    assert letters_of(dna["c", 3, 9][0]) == "TACGTA"
    with pytest.raises(InputError, match="d"):
        dna["d", 0, 4]


def test_unknown_letters_leave_the_alphabet_as_it_is(tmp_path):
    """W29: after a genome with N, the alphabet of the process had five letters."""
    roi = region_table(("c", 0, 10, "+"))
    unknown = Bioseq.create_from_refgenome("n", write_fasta(tmp_path / "n.fa", c="ACGTNACGTr"), roi, order=2)
    assert kmers_of(unknown) == "AC CG GT -- -- AC CG GT --"
    known = Bioseq.create_from_refgenome("dna", write_fasta(tmp_path / "a.fa", c="ACGTTACGTA"), roi)
    assert (known.conditions, known.shape) == (["A", "C", "G", "T"], (1, 10, 1, 4))
    assert letters_of(known[0][0]) == "ACGTTACGTA"


def test_sequences_that_differ_in_the_middle_differ(tmp_path):
    """W20: the cache took two long sequences with the same ends for one."""
    ends = "ACGT" * 30
    one, other = (Bioseq.create_from_seq("dna", [("a", ends + letter + ends)]) for letter in "AC")
    assert (one[:] != other[:]).sum() == 2


def test_the_cache_tells_genomes_and_regions_apart(tmp_path):
    """W20: the regions of a long table, and long sequences, were compared by their abbreviated text."""
    letters = "".join(RNG.choice(list("ACGT"), 6000))
    fasta = write_fasta(tmp_path / "a.fa", c=letters)
    starts = np.arange(0, 5000, 50)
    rows = pd.DataFrame({"chrom": "c", "start": starts, "end": starts + 50})
    moved = rows.assign(start=np.where(rows.index == 50, rows["start"] + 7, rows["start"]))
    moved["end"] = moved["start"] + 50
    settings = {"cache": tmp_path / "cache", "store_whole_genome": False}
    for roi in (rows, moved, rows):
        dna = Bioseq.create_from_refgenome("dna", fasta, roi, **settings)
        start = roi["start"][50]
        assert letters_of(dna[50][0]) == letters[start : start + 50]
    changed = letters[:3000] + ("A" if letters[3000] != "A" else "C") + letters[3001:]
    write_fasta(tmp_path / "a.fa", c=changed)
    assert letters_of(Bioseq.create_from_refgenome("dna", fasta, rows, **settings)[60][0]) == changed[3000:3050]


# ---- alignments ------------------------------------------------------------------------------------------------------


def counted(tmp_path, *reads, size=100, strand="+", **settings):
    """Count reads on one contig, read as one window."""
    bam = write_bam(tmp_path / "a.bam", {"c": size}, *reads)
    settings = {"roi": region_table(("c", 0, size, strand))} | settings
    return Cover.create_from_bam("cover", bam, **settings)


@pytest.mark.parametrize("stored", [True, False])
def test_a_reverse_read_counts_at_its_last_base(tmp_path, stored):
    """W6: 20-30 on the reverse strand counted at 30, behind the read; a read that ends with the contig was lost."""
    reads = [("c", 20, 30, 0), ("c", 20, 30, REVERSE), ("c", 90, 100, REVERSE)]
    cover = counted(tmp_path, *reads, store_whole_genome=stored)
    assert positions_of(cover[0]) == {(20, 0, 0): 1, (29, 1, 0): 1, (99, 1, 0): 1}


def test_mates_count_at_both_ends_of_their_fragment(tmp_path):
    """W6: the reverse mate counted at 60."""
    cover = counted(tmp_path, ("c", 20, 30, ACROSS[0], 50, 40), ("c", 50, 60, ACROSS[1], 20, -40))
    assert positions_of(cover[0]) == {(20, 0, 0): 1, (59, 1, 0): 1}


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="needs bedtools")
def test_ends_are_those_of_bedtools(tmp_path):
    """W6: by another program."""
    reads = [("c", start, start + 7, REVERSE * (start % 2)) for start in (0, 1, 1, 20, 33, 93)]
    cover = counted(tmp_path, *reads)
    for strand, sign in enumerate("+-"):
        command = ["bedtools", "genomecov", "-d", "-5", "-strand", sign, "-ibam", str(tmp_path / "a.bam")]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert cover[0][0, :, strand, 0].tolist() == [int(line.split()[2]) for line in said.splitlines()]


@pytest.mark.parametrize(("length", "middle"), [(40, 40), (41, 40)])
def test_a_pair_counts_once_in_the_middle_of_its_fragment(tmp_path, length, middle):
    end = 20 + length
    reads = [("c", 20, 30, ACROSS[0], end - 10, length), ("c", end - 10, end, ACROSS[1], 20, -length)]
    assert positions_of(counted(tmp_path, *reads, count="midpoint")[0]) == {(middle, 0, 0): 1}


def test_what_is_no_read_of_its_own_does_not_count(tmp_path):
    """W7: secondary and supplementary alignments and those of failed quality counted. Duplicates count, as there."""
    flags = {"plain": 0, "secondary": 256, "failed": 512, "duplicate": 1024, "supplementary": 2048}
    reads = [("c", 10 * number, 10 * number + 5, flag) for number, flag in enumerate(flags.values())]
    assert set(positions_of(counted(tmp_path, *reads)[0])) == {(0, 0, 0), (30, 0, 0)}
    assert set(positions_of(counted(tmp_path, *reads, keep_duplicates=False)[0])) == {(0, 0, 0)}


def test_both_mates_of_a_pair_that_is_not_proper_count(tmp_path):
    """They were left out; require_flags leaves them out."""
    reads = [("c", 20, 30, PAIRED | FIRST, 50, 0), ("c", 50, 60, PAIRED | SECOND | REVERSE, 20, 0), ("c", 70, 75, 0)]
    assert set(positions_of(counted(tmp_path, *reads)[0])) == {(20, 0, 0), (59, 1, 0), (70, 0, 0)}
    assert positions_of(counted(tmp_path, *reads, require_flags=PROPER)[0]) == {}


def test_statistics_come_from_whole_contigs_each_base_once(tmp_path):
    """They came from the windows, so that bases in two windows counted twice and the others not at all."""
    reads = [("c", start, start + 5, 0) for start in (3, 3, 7, 20)]
    windows = region_table(("c", 0, 20, "+"), ("c", 10, 30, "+"))
    cover = counted(tmp_path, *reads, roi=windows, stranded=False, normalizer=ZScore())
    assert cover.normalizers[0].mean_ == pytest.approx(4 / 100)
    chosen = normalize(counted(tmp_path, *reads, roi=windows, stranded=False), ZScore(), windows)
    assert chosen.normalizers[0].mean_ == pytest.approx(4 / 30)


def test_a_file_needs_no_index(tmp_path):
    """It did."""
    cover = counted(tmp_path, ("c", 20, 30, REVERSE))
    plain = Cover.create_from_bam("cover", tmp_path / "a.unsorted.bam", region_table(("c", 0, 100, "+")))
    np.testing.assert_array_equal(plain[:], cover[:])


def test_many_reads_at_one_base_are_all_counted(tmp_path):
    """W24: 200 reads were -56 in eight bits."""
    assert positions_of(counted(tmp_path, *[("c", 5, 15, 0)] * 200)[0]) == {(5, 0, 0): 200}


@pytest.mark.parametrize("stored", [True, False])
def test_windows_beyond_the_end_of_a_contig_hold_no_counts_there(tmp_path, stored):
    """A window that reached far beyond the end was an error."""
    cover = counted(tmp_path, ("c", 95, 100, 0), roi=region_table(("c", 90, 190, "+")), store_whole_genome=stored)
    assert positions_of(cover[0]) == {(5, 0, 0): 1}


def test_equal_windows_and_windows_of_both_strands_have_values_of_their_own(tmp_path):
    """W22: windows of one place shared one row."""
    windows = region_table(("c", 0, 10, "+"), ("c", 0, 10, "-"), ("c", 0, 10, "+"))
    indexer = GenomicIndexer.create_from_file(windows, 10)
    values = np.array([[1.0], [2.0], [3.0]])
    cover = Cover.create_from_array("scores", values, indexer)
    np.testing.assert_array_equal(cover[:][:, 0, 0], values)
    reads = [("c", 2, 6, 0), ("c", 2, 6, 0), ("c", 5, 9, REVERSE)]
    kept = counted(tmp_path, *reads, roi=windows, store_whole_genome=False, size=50)
    forward, reverse = {(2, 0, 0): 2, (8, 1, 0): 1}, {(1, 0, 0): 1, (7, 1, 0): 2}
    assert [positions_of(window) for window in kept] == [forward, reverse, forward]


# ---- bigWig ----------------------------------------------------------------------------------------------------------


def summed(tmp_path, values, *rows, size=100, **settings):
    """Read one bigWig track of one contig with the sum as collapser."""
    path = write_bigwig(tmp_path / "a.bw", {"c": size}, c=values)
    return Cover.create_from_bigwig("signal", path, region_table(*rows), collapser="sum", **settings)


@pytest.mark.parametrize("stored", [None, False])
def test_a_shorter_last_bin_holds_its_own_bases_alone(tmp_path, stored):
    """W5: it was filled up with the first bases of the window, 10 26 22."""
    values = range(1, 11)
    cover = summed(tmp_path, values, ("c", 0, 10, "+"), binsize=10, resolution=4, store_whole_genome=stored)
    assert cover[0].ravel().tolist() == [10, 26, 19]


def test_the_last_bin_of_a_contig_holds_its_own_bases_alone(tmp_path):
    """W5: it held 15 from the contig's beginning."""
    cover = summed(tmp_path, [1.5] * 20, ("c", 0, 30, "+"), size=25, resolution=10, store_whole_genome=True)
    assert cover[0].ravel().tolist() == [15, 15, 0]


def test_a_bin_longer_than_the_window_counts_each_base_once(tmp_path):
    """W5: 30, each base twice."""
    assert summed(tmp_path, range(1, 6), ("c", 0, 5, "+"), resolution=10)[0].ravel().tolist() == [15]


def test_a_function_collapses_each_bin(tmp_path):
    """It was called on all bins at once: 55 in both."""
    path = write_bigwig(tmp_path / "a.bw", {"c": 10}, c=range(1, 11))
    roi = region_table(("c", 0, 10, "+"))
    cover = Cover.create_from_bigwig("signal", path, roi, resolution=5, collapser=np.sum)
    assert cover[0].ravel().tolist() == [15, 40]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(("strand", "values"), [("+", "0001234567"), ("-", "7654321000")])
def test_signal_over_the_start_of_a_contig_keeps_its_place(tmp_path, stored, strand, values):
    """W8: 1234567000, and on the minus strand different in different storages."""
    cover = summed(tmp_path, range(1, 11), ("c", 0, 4, strand), flank=3, store_whole_genome=stored)
    assert "".join(str(int(value)) for value in cover[0].ravel()) == values


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(("strand", "values"), [("+", [15, 15, 40]), ("-", [40, 15, 15])])
def test_a_region_on_the_minus_strand_is_the_plus_strand_reversed(tmp_path, stored, strand, values):
    """W27: 40 40 15 for whole contigs, cut off on the wrong side."""
    cover = summed(tmp_path, range(1, 11), ("c", 0, 10, "+"), resolution=5, store_whole_genome=stored)
    assert cover["c", 3, 6, strand].ravel().tolist() == values


def test_regions_are_read_over_windows_shorter_than_the_others(tmp_path):
    """A region that reached into the short window at a region's end was an error."""
    rows, settings = [("c", 0, 25, "+")], {"binsize": 10, "resolution": 5, "store_whole_genome": False}
    cover = summed(tmp_path, range(1, 41), *rows, **settings)
    assert cover["c", 13, 25].ravel().tolist() == [65] * 2 + [90] * 5 + [115] * 5
    assert cover["c", 23, 25, "-"].ravel().tolist() == [115, 115]


@pytest.mark.parametrize("keep", [True, False])
def test_bases_without_data_are_left_out_when_they_are_kept_apart(tmp_path, keep):
    """One base without data made the whole bin NaN."""
    path = write_bigwig(tmp_path / "a.bw", {"c": 20}, c=[4] * 5)
    roi = region_table(("c", 0, 20, "+"))
    cover = Cover.create_from_bigwig("signal", path, roi, resolution=10, nan_to_num=keep)
    np.testing.assert_array_equal(cover[0].ravel(), [2, 0] if keep else [4, np.nan])
    np.testing.assert_array_equal(NanToNumConverter(cover)[0].ravel(), [2, 0] if keep else [4, 0])


def test_one_value_a_window_needs_no_whole_contigs(tmp_path):
    """resolution=None with store_whole_genome=True ended in a KeyError."""
    rows = [("c", 0, 10, "+"), ("c", 10, 25, "+")]
    assert summed(tmp_path, range(1, 21), *rows, resolution=None)[:].ravel().tolist() == [55, 155]
    with pytest.raises(InputError, match="resolution=None"):
        summed(tmp_path, range(1, 21), *rows, resolution=None, store_whole_genome=True)
    with pytest.raises(InputError, match="resolution=None"):
        counted(tmp_path, ("c", 3, 8, 0), roi=region_table(*rows), resolution=None, store_whole_genome=True)
    for kept in ({}, {"storage": "sparse"}, {"storage": "hdf5", "cache": tmp_path}):
        cover = counted(tmp_path, ("c", 3, 8, 0), roi=region_table(*rows), resolution=None, **kept)
        assert cover[:].sum(axis=(1, 2, 3)).tolist() == [1, 0]


def test_a_region_on_an_unknown_contig_is_an_error_not_zeros(tmp_path):
    """W28: what did not fit vanished without a word."""
    with pytest.raises(InputError, match="other"):
        summed(tmp_path, range(1, 21), ("other", 0, 10, "+"))
    with pytest.raises(InputError, match="other"):
        counted(tmp_path, ("c", 3, 8, 0), roi=region_table(("other", 0, 10, "+")))
    indexer = GenomicIndexer.create_from_region("other", 0, 10, "+", 10)
    with pytest.raises(InputError, match="other"):
        Cover.create_from_array("scores", np.ones((1, 1)), indexer, genomesize={"c": 100})


# ---- features --------------------------------------------------------------------------------------------------------

FEATURES = [("c", 2, 6, "x", 3), ("c", 4, 12, "y", 7), ("c", 28, 33, "x", 0)]
TENS = region_table(("c", 0, 30, "+"))


@pytest.fixture
def features(tmp_path):
    return write_bed(tmp_path / "b.bed", *FEATURES)


def labelled(bed, roi=TENS, binsize=10, **settings):
    return Cover.create_from_bed("labels", bed, roi, binsize=binsize, **settings)


def test_features_in_the_last_flank_of_a_contig_count():
    """W10: they were lost, for arrays ended with the last region, flanks apart."""
    features = region_table(("c", 28, 33, "+"))
    cover = labelled(features, region_table(("c", 20, 26, "+")), None, flank=3, resolution=1)
    assert positions_of(cover[0]) == {(11, 0, 0): 1}
    assert labelled(features, region_table(("c", 20, 26, "+")), None, flank=3)[:].ravel().tolist() == [1]


def test_categories_of_score_0_or_of_the_first_name_overlap_as_all_others(features):
    """W11: category 0 and score 0 never overlapped by a fraction."""
    scores = labelled(features, mode="score_category", overlap=0.2)
    assert scores.conditions == ["0", "3", "7"]
    assert scores[:][:, 0, 0].tolist() == [[0, 1, 1], [0, 0, 1], [1, 0, 0]]
    names = labelled(features, mode="name_category", overlap=0.2)
    assert names[:][:, 0, 0].tolist() == [[1, 1], [0, 1], [1, 0]]


@pytest.mark.parametrize("end", [12, 13])
def test_the_window_is_what_features_must_cover(end):
    """W11: whole contigs were tested in tiles from position 0: the second bin of 5-15 was 0 where it should be 1."""
    features, roi = region_table(("c", 5, end, "+")), region_table(("c", 5, 15, "+"))
    assert labelled(features, roi, overlap=0.5)[:].ravel().tolist() == [1]
    assert labelled(features, roi, overlap=0.5, resolution=5)[:].ravel().tolist() == [1, int(end == 13)]


def test_each_category_must_cover_by_itself():
    """W11: features of all categories were added up."""
    rows = [("c", 0, 3, "x", 1), ("c", 3, 6, "y", 1)]
    table = pd.DataFrame(rows, columns=["chrom", "start", "end", "name", "score"])
    assert labelled(table, mode="name_category", overlap=0.5)[0].ravel().tolist() == [0, 0]
    assert labelled(table, overlap=0.5)[0].ravel().tolist() == [1]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_overlapping_features_are_collapsed_whatever_their_order(tmp_path, order):
    """W12: the last line won."""
    bed = write_bed(tmp_path / "b.bed", *FEATURES[order])
    assert labelled(bed, mode="score", resolution=1)[0].ravel().tolist() == [0, 0, 3, 3, 7, 7, 7, 7, 7, 7]
    assert labelled(bed, mode="score")[:].ravel().tolist() == [7, 7, 0]
    assert labelled(bed, mode="name_category")[:][:, 0, 0].tolist() == [[1, 1], [0, 1], [1, 0]]
    bases = labelled(bed, mode="name_category", resolution=1)[0][0, 3:7, 0].tolist()
    assert bases == [[1, 0], [1, 1], [1, 1], [0, 1]]


def test_negative_and_broken_scores_are_scores(tmp_path):
    """Negative scores were lost beside uncovered bases, and 1.5 was an error."""
    bed = write_bed(tmp_path / "b.bed", ("c", 2, 6, "x", -3), ("c", 12, 16, "x", 1.5))
    assert labelled(bed, mode="score")[:].ravel().tolist() == [-3, 1.5, 0]


def test_categories_are_in_the_order_of_their_numbers(tmp_path):
    rows = [("c", 10 * number, 10 * number + 5, f"state{score}", score) for number, score in enumerate((10, 2, 1))]
    bed = write_bed(tmp_path / "b.bed", *rows)
    assert labelled(bed, mode="score_category").conditions == ["1", "2", "10"]
    assert labelled(bed, mode="name_category").conditions == ["state1", "state2", "state10"]


def test_categories_of_several_files_are_taken_together(tmp_path):
    """Several files were an error unless their categories were named."""
    beds = [write_bed(tmp_path / f"{row[3]}.bed", row) for row in FEATURES[:2]]
    cover = labelled(beds, mode="name_category")
    assert (cover.conditions, cover[0].ravel().tolist()) == (["x", "y"], [1, 1])


def test_one_category_and_no_feature_at_all_give_labels(tmp_path):
    """Both were an IndexError."""
    one, none = write_bed(tmp_path / "one.bed", FEATURES[0]), write_bed(tmp_path / "none.bed")
    cover = labelled(one, mode="name_category")
    assert (cover.conditions, cover[:].ravel().tolist()) == (["x"], [1, 0, 0])
    assert labelled(none)[:].ravel().tolist() == [0, 0, 0]
    assert labelled(none, mode="name_category", conditions=["x", "y"]).shape == (3, 1, 1, 2)
    with pytest.raises(InputError, match="no features"):
        labelled(none, mode="name_category")


def test_sizes_of_the_genome_are_used_for_features(features):
    """genomesize was a TypeError, or it was ignored."""
    whole = Cover.create_from_bed("labels", features, genomesize={"c": 40, "d": 20}, resolution=10)
    assert whole["c", 25, 40].ravel().tolist() == [1] * 15
    assert whole["d", 0, 20].ravel().tolist() == [0] * 20
    assert labelled(features, genomesize={"c": 40, "d": 20})["d", 0, 3].ravel().tolist() == [0] * 3
    with pytest.raises(InputError, match="genomesize"):
        labelled(features, genomesize={"d": 20})


def test_an_unknown_mode_is_an_error(features):
    """It gave zeros."""
    with pytest.raises(InputError, match="mode"):
        labelled(features, mode="scores")


# ---- arrays ----------------------------------------------------------------------------------------------------------


def test_the_strands_of_an_array_are_kept_and_minus_windows_read_back_as_given():
    """W13: strands were summed, and windows on the minus strand came back reversed."""
    windows = region_table(("c", 0, 10, "+"), ("c", 10, 20, "-"))
    values = np.arange(2 * 5 * 2 * 3.0).reshape(2, 5, 2, 3)
    cover = Cover.create_from_array("scores", values, GenomicIndexer.create_from_file(windows, 10))
    assert cover.resolution == 2
    np.testing.assert_array_equal(cover[:], values)
    by_base = values[1, ::-1, ::-1].repeat(2, axis=0)  # from left to right, the plus strand first
    np.testing.assert_array_equal(cover["c", 10, 20][0], by_base)


@pytest.mark.parametrize(("binsize", "n_conditions"), [(10, 2), (10, 20), (200, 1)])
def test_two_axes_are_one_value_a_window_whatever_the_number_of_conditions(binsize, n_conditions):
    """W13: the resolution was taken from the number of conditions: (3, 2) became (3, 2, 1, 2) and (3, 10, 1, 20)."""
    indexer = GenomicIndexer.create_from_region("c", 0, 3 * binsize, "+", binsize)
    values = np.arange(3.0 * n_conditions).reshape(3, n_conditions)
    cover = Cover.create_from_array("scores", values, indexer)
    assert (cover.shape, cover.resolution) == ((3, 1, 1, n_conditions), None)
    np.testing.assert_array_equal(cover["c", 0, 3 * binsize][0, ::binsize, 0], values)


def test_each_padding_value_is_used():
    """W20: the cache gave an older padding value."""
    indexer = GenomicIndexer.create_from_region("c", 0, 10, "+", 10)
    for padding in (0, np.nan, -1):
        cover = Cover.create_from_array("scores", np.ones((1, 1)), indexer, padding_value=padding)
        np.testing.assert_array_equal(cover["c", 9, 12].ravel(), [1, padding, padding])


def test_overlapping_windows_in_any_order_are_exported(tmp_path):
    """Windows that overlap or are not sorted were an error of the writer."""
    windows = region_table(("c", 10, 20, "+"), ("c", 0, 10, "+"), ("c", 5, 15, "+"))
    values = np.array([[4.0], [1.0], [2.0]])
    cover = Cover.create_from_array("scores", values, GenomicIndexer.create_from_file(windows, 10))
    (path,) = cover.export_to_bigwig(tmp_path)
    again = Cover.create_from_bigwig("again", path, region_table(("c", 0, 20, "+")))
    assert again[0].ravel().tolist() == [1] * 5 + [1.5] * 5 + [3] * 5 + [4] * 5
    assert cover["c", 0, 20].ravel().tolist() == again[0].ravel().tolist()


def test_strands_are_exported_apart(tmp_path):
    """They were summed."""
    values = np.array([[[[1.0], [2.0]]], [[[3.0], [4.0]]]])
    windows = GenomicIndexer.create_from_file(region_table(("c", 0, 10, "+"), ("c", 10, 20, "-")), 10)
    paths = Cover.create_from_array("scores", values, windows, conditions=["x"]).export_to_bigwig(tmp_path / "new")
    assert [path.name for path in paths] == ["scores.x.plus.bigwig", "scores.x.minus.bigwig"]
    again = Cover.create_from_bigwig("again", [tuple(paths)], region_table(("c", 0, 20, "+")), resolution=10)
    assert again[0][0, :, :, 0].tolist() == [[1, 2], [4, 3]]


# ---- storage, normalizers and the cache ------------------------------------------------------------------------------


def test_sparse_storage_keeps_negative_values_and_nan():
    """W14: both were read back as 0."""
    values = np.array([0, -2, np.nan, 0, 3], dtype=np.float32)
    stores = [store_contigs({"c": values[:, None]}, {"resolution": 1}, storage=kind) for kind in ("sparse", "ndarray")]
    for store in stores:
        cover = Cover.create_from_store("signal", [store], region_table(("c", 0, 5, "+")))
        np.testing.assert_array_equal(cover[0].ravel(), values)


@pytest.mark.parametrize("normalizer", ["zscore", "tpm", "zscorelog"])
def test_sparse_storage_is_normalized_as_any_other(tmp_path, normalizer):
    """W14: normalizers were ignored."""
    reads = [("c", start, start + 5, 0) for start in (3, 3, 7, 20)]
    dense, sparse = (
        counted(tmp_path, *reads, normalizer=normalizer, storage=storage) for storage in ("ndarray", "sparse")
    )
    np.testing.assert_array_equal(dense[:], sparse[:])
    assert not np.array_equal(sparse[:], counted(tmp_path, *reads, storage="sparse")[:])


def test_an_unknown_normalizer_is_an_error_in_every_storage(tmp_path):
    """W14: it raised nothing in sparse storage."""
    for storage in ("ndarray", "sparse"):
        with pytest.raises(InputError, match="rpkm"):
            counted(tmp_path, ("c", 3, 8, 0), normalizer="rpkm", storage=storage)


@pytest.mark.parametrize("stored", [True, False])
def test_counts_are_divided_by_the_bases_of_their_bin(tmp_path, stored):
    """W25: by the resolution, or by the length of the window, as it was stored."""
    reads = [("c", start, start + 5, 0) for start in (0, 3, 7, 7, 20)]
    settings = {"resolution": 10, "normalizer": "binsizenorm", "stranded": False, "binsize": 50, "flank": 10}
    settings["roi"] = region_table(("c", 10, 60, "+"))
    cover = counted(tmp_path, *reads, store_whole_genome=stored, **settings)
    np.testing.assert_allclose(cover[0].ravel(), [0.4, 0, 0.1, 0, 0, 0, 0])


def test_one_value_a_window_is_divided_by_the_length_of_the_window(tmp_path):
    """W25: TPM of genes needs lengths of genes."""
    roi = region_table(("c", 0, 10, "+"), ("c", 10, 35, "+"))
    reads = [("c", start, start + 5, 0) for start in (0, 1, 9, 10, 20, 20, 34)]
    settings = {"roi": roi, "resolution": None, "stranded": False}
    assert counted(tmp_path, *reads, **settings)[:].ravel().tolist() == [3, 4]
    cover = counted(tmp_path, *reads, normalizer=TPM(), **settings)
    assert cover[:].ravel().round().tolist() == [652174, 347826]
    lengths = counted(tmp_path, *reads, normalizer=RegionLengthNormalization(), **settings)
    np.testing.assert_allclose(lengths[:].ravel(), [3 / 10, 4 / 25], rtol=1e-6)


def test_a_percentile_is_of_both_strands_and_of_each_condition(tmp_path):
    """W25: each strand had its own in windows, several conditions were an error, and so were contigs of two lengths."""
    sizes, rng = {"c": 60, "d": 40}, np.random.default_rng(1)
    bams = []
    for name, top in (("one", 9), ("other", 30)):
        ends = {chrom: rng.integers(0, top, (size, 2)) for chrom, size in sizes.items()}
        spots = [(chrom, base, strand) for chrom in sizes for base in range(sizes[chrom]) for strand in (0, 1)]
        reads = [(c, b, b + 1, REVERSE * s) for c, b, s in spots for _ in range(ends[c][b, s])]
        bams.append(write_bam(tmp_path / f"{name}.bam", sizes, *reads))
    roi = region_table(("c", 0, 60, "+"), ("d", 0, 40, "+"))
    settings = {"roi": roi, "binsize": 20, "resolution": 1}
    raw = Cover.create_from_bam("raw", bams, **settings)[:]
    caps = np.percentile(raw, 90, axis=(0, 1, 2))
    assert caps[0] != caps[1]
    for stored in (True, False):
        normalizer = PercentileTrimming(90)
        cover = Cover.create_from_bam("cut", bams, normalizer=normalizer, store_whole_genome=stored, **settings)
        np.testing.assert_allclose(cover[:], np.minimum(raw, caps), rtol=1e-6)


def test_statistics_are_known_whatever_the_cache_had(tmp_path):
    """W20: on a hit in hdf5 storage a ZScore stayed without mean and standard deviation."""
    reads = [("c", start, start + 5, 0) for start in (3, 3, 7, 20)]
    first, hit, plain = (
        counted(tmp_path, *reads, normalizer=ZScore(), **settings)
        for settings in (*[{"storage": "hdf5", "cache": tmp_path / "cache"}] * 2, {})
    )
    assert "made anew" in first.explain()
    assert "found in the cache" in hit.explain()
    assert first.normalizers == hit.normalizers == plain.normalizers
    assert hit.normalizers[0].mean_ == pytest.approx(4 / 200)
    np.testing.assert_array_equal(hit[:], plain[:])


def test_an_interrupted_load_leaves_nothing_in_the_cache(tmp_path):
    """W20: a file left half written was taken for a whole one."""
    bam = write_bam(tmp_path / "a.bam", {"c": 100}, *[("c", 5, 15, 0)] * 3)
    whole = (tmp_path / "a.bam").read_bytes()
    settings = {"roi": region_table(("c", 0, 100, "+")), "storage": "hdf5", "cache": tmp_path / "cache"}
    (tmp_path / "a.bam").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError):
        Cover.create_from_bam("cover", bam, **settings)
    assert not list((tmp_path / "cache").rglob("*.h5"))
    (tmp_path / "a.bam").write_bytes(whole)
    assert positions_of(Cover.create_from_bam("cover", bam, **settings)[0]) == {(5, 0, 0): 3}


def test_a_function_normalizes_by_what_it_gives(tmp_path):
    """It was given an object to change in place."""
    cover = counted(tmp_path, *[("c", 3, 8, 0)] * 4, normalizer=[np.sqrt, lambda values: 3 * values])
    assert positions_of(cover[0]) == {(3, 0, 0): 6}


def test_a_normalizer_is_left_as_it_was_given(tmp_path):
    """A ZScore kept what it learned and was silently used again; here the dataset keeps it."""
    given = ZScore()
    cover = counted(tmp_path, ("c", 3, 8, 0), normalizer=given)
    assert not given.fitted
    again = counted(tmp_path, ("c", 60, 70, 0), ("c", 60, 70, 0), normalizer=cover.normalizers[0])
    assert again.normalizers == cover.normalizers


# ---- wrappers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deviance", [0.1, 0.5, 1])
def test_factors_lie_evenly_around_one(deviance):
    """W2: deviance .1 gave -3.5 to 1.5, and 1 gave 1 to 1.5."""
    factors = RandomSignalScale(np.ones((20000, 3, 2, 2)), deviance, seed=1)[:]
    assert (factors == factors[:, :1, :1]).all()
    factors = factors[:, 0, 0].ravel()
    assert 1 - deviance <= factors.min() < 1 - 0.99 * deviance
    assert 1 + 0.99 * deviance < factors.max() <= 1 + deviance
    assert factors.mean() == pytest.approx(1, abs=0.02 * deviance)
    assert factors.std() == pytest.approx(deviance / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("key", [3, slice(None), [3, 4], np.int64(3)])
@pytest.mark.parametrize("wrap", [lambda data: RandomShift(data, 2, seed=1), lambda data: RandomOrientation(data, 1)])
def test_what_is_wrapped_is_never_changed(wrap, key):
    """W3: an array was overwritten through its views; twenty accesses left zeros."""
    values = np.arange(1, 5 * 6 * 2 * 1 + 1.0).reshape(5, 6, 2, 1)
    for inner in (values.copy(), Array("a", values.copy())):
        wrapped = wrap(inner)
        for _ in range(20):
            wrapped[key]
        np.testing.assert_array_equal(inner[:], values)


def test_all_shifts_are_equally_likely():
    """W4: +2 was never drawn."""
    values = np.tile(np.arange(1, 6), (10000, 1))
    drawn = ["".join(map(str, row)) for row in RandomShift(values, shift=2, seed=3)[:]]
    outcomes, numbers = np.unique(drawn, return_counts=True)
    assert outcomes.tolist() == ["00123", "01234", "12345", "23450", "34500"]
    assert abs(numbers - 2000).max() < 200  # five standard deviations
    assert (RandomShift(values, shift=0)[:3] == values[:3]).all()


def test_an_orientation_is_no_reverse_complement(tmp_path):
    """A sequence was reversed without its complement."""
    dna = Bioseq.create_from_refgenome(
        "dna", write_fasta(tmp_path / "a.fa", c="ACGTTG"), region_table(("c", 0, 6, "+"))
    )
    with pytest.raises(InputError, match="reverse complement|sequence"):
        RandomOrientation(dna)


def test_draws_are_those_of_a_seed_and_leave_the_global_generator_alone():
    """All randomness came from numpy's global generator."""
    values = np.arange(60.0).reshape(10, 3, 2, 1)
    before = np.random.get_state()[1].copy()
    first, second = (RandomOrientation(values, seed=7)[:] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


def test_wrappers_are_indexed_from_the_end_and_keep_the_window_axis():
    """w[-1] was empty, and an item of SqueezeDim lost its first axis."""
    values = np.arange(10.0).reshape(5, 1, 1, 2)
    np.testing.assert_array_equal(ReduceDim(values)[-1], values[-1:, 0, 0])
    assert SqueezeDim(values)[0].shape == (1, 2)
    assert SqueezeDim(values[:1]).shape == (1, 2)
    assert ReduceDim(values, axis=2).shape == (5, 1, 2)


def test_attributes_that_are_not_there_are_not_there():
    """hasattr(dataset, "gindexer") raised a ValueError."""
    assert not hasattr(ReduceDim(Array("a", np.ones((3, 2, 1, 1)))), "gindexer")
    assert not hasattr(Array("a", np.ones(3)), "gindexer")
    counts = GenomeArray.from_contigs({"c": np.ones((5, 1), dtype=np.uint32)}, {"resolution": 1})
    assert Cover.create_from_store("cover", [counts]).gindexer is None


def test_an_array_has_the_shape_of_its_data():
    assert Array("a", np.ones(3)).shape == (3,)
    with pytest.raises(InputError, match="one name"):
        Array("a", np.ones((3, 2)), conditions=["x"])
    with pytest.raises(TypeError, match="name"):
        Array(3, np.ones(3))


# ---- use -------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sequence", "counts", "cached counts", "signal", "labels", "array"])
def dataset(request, tmp_path):
    """Ten windows of each kind of dataset, five a contig."""
    sizes = {"c": 50, "d": 50}
    roi = region_table(("c", 0, 50, "+"), ("d", 0, 50, "-"))
    if request.param == "sequence":
        contigs = {name: "".join(RNG.choice(list("ACGT"), 50)) for name in sizes}
        return Bioseq.create_from_refgenome("x", write_fasta(tmp_path / "a.fa", **contigs), roi, binsize=10)
    if "counts" in request.param:
        reads = [(chrom, base, base + 1, 0) for chrom in sizes for base in RNG.integers(0, 50, 60).tolist()]
        cache = {"storage": "hdf5", "cache": tmp_path / "cache"} if request.param == "cached counts" else {}
        return Cover.create_from_bam("x", write_bam(tmp_path / "a.bam", sizes, *reads), roi, binsize=10, **cache)
    if request.param == "signal":
        path = write_bigwig(tmp_path / "a.bw", sizes, c=RNG.random(50), d=RNG.random(50))
        return Cover.create_from_bigwig("x", path, roi, binsize=10)
    if request.param == "labels":
        return Cover.create_from_bed("x", region_table(("c", 5, 28, "."), ("d", 1, 2, ".")), roi, binsize=10)
    return Cover.create_from_array("x", RNG.random((10, 2)), GenomicIndexer.create_from_file(roi, 10))


def test_datasets_are_indexed_as_numpy_indexes(dataset):
    """Integers of numpy were refused, ds[-2:] had two rows too many, ds[:0] had all, and ds[::-1] none."""
    whole = dataset[:]
    assert whole.shape == dataset.shape == (10, *dataset.shape[1:])
    assert whole.dtype == (np.int8 if isinstance(dataset, Bioseq) else np.float32)
    for key in (
        slice(-2, None),
        slice(0),
        slice(None, None, -1),
        slice(100),
        [1, -1],
        np.array([3, 1]),
        whole[:, 0, 0, 0] > 0,
    ):
        np.testing.assert_array_equal(dataset[key], whole[key])
    for index in (3, -1, np.int64(4), np.uint8(2)):
        np.testing.assert_array_equal(dataset[index], whole[[int(index)]])
    np.testing.assert_array_equal(np.asarray(dataset), whole)
    assert [window.shape[0] for window in dataset] == [1] * 10


def test_datasets_pickle_and_copy(dataset):
    """Those in files, and those with a named collapser, could not be pickled."""
    for other in (pickle.loads(pickle.dumps(dataset)), copy.deepcopy(dataset), copy.copy(dataset)):
        np.testing.assert_array_equal(other[:], dataset[:])


def test_a_contig_that_is_not_there_is_an_error(dataset):
    """An unknown contig gave an empty dataset."""
    assert len(subset(dataset, include_regions="d")) == 5
    with pytest.raises(InputError, match="chr3"):
        subset(dataset, include_regions="chr3")
    with pytest.raises(InputError, match="chr3"):
        split_train_test(dataset, "chr3")


def test_a_view_of_values_of_windows_is_refused_at_once(features):
    """Unknown windows were a KeyError when they were read."""
    with pytest.raises(InputError, match="belong to its windows"):
        view(labelled(features), region_table(("c", 3, 13, "+")))


def test_batches_hold_what_was_given_and_are_shuffled_from_the_first_epoch_on():
    """A batch always had three parts, and the first epoch was in order."""
    from helpers.model import JangguSequence

    batches = JangguSequence(Array("x", np.arange(100)), batch_size=100, shuffle=True, seed=1)
    assert len(batches[0]) == 1
    (inputs,) = batches[0]
    assert sorted(inputs["x"]) == list(range(100)) != inputs["x"].tolist()


def test_a_split_keeps_the_names_of_a_dictionary(dataset):
    """A dictionary became two lists."""
    train, test = split_train_test({"x": dataset, "y": ReduceDim(dataset)}, "d")
    assert {name: len(part) for name, part in train.items()} == {"x": 5, "y": 5}
    assert isinstance(test["y"], ReduceDim)


@pytest.mark.parametrize(
    "create", [Bioseq.create_from_refgenome, Cover.create_from_bam, Cover.create_from_bigwig, Cover.create_from_bed]
)
def test_a_name_is_checked_before_anything_is_read(create):
    """It was checked after everything had been loaded."""
    with pytest.raises(TypeError, match="name"):
        create(3, "missing", TENS)


def test_a_dataset_is_fed_to_keras_as_it_is(dataset):
    """Keras found no adapter for the datasets of Janggu in TensorFlow 2."""
    import keras

    import helpers.model  # noqa: F401

    inputs = keras.Input(dataset.shape[1:])
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
    model.compile("sgd", "mse")
    history = model.fit(dataset, ReduceDim(dataset, axis=(1, 2, 3)), epochs=1, batch_size=5, verbose=0).history
    assert np.isfinite(history["loss"][0])
    np.testing.assert_array_equal(model.predict(dataset, verbose=0), model.predict(dataset[:], verbose=0))


def test_both_strands_follow_the_kernel_after_training_and_after_reloading(tmp_path):
    """W1: the reverse strand kept its first weights, so that a reloaded model predicted otherwise."""
    import keras

    from helpers.model import DnaConv2D

    keras.utils.set_random_seed(1)
    x = np.eye(4, dtype="float32")[RNG.integers(0, 4, (16, 12))][:, :, None]
    inputs = keras.Input((12, 1, 4))
    scan = DnaConv2D(keras.layers.Conv2D(3, (5, 1)), merge_mode=None)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(keras.layers.Concatenate()(scan(inputs)))))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    before = scan.get_weights()[0]
    model.fit(x, np.arange(16.0)[:, None] / 16, epochs=1, verbose=0)
    kernel, bias = scan.get_weights()
    assert abs(kernel - before).max() > 1e-4
    turned = kernel[::-1, 0, ::-1]
    expected = np.stack([np.tensordot(x[:, at : at + 5, 0], turned, ([1, 2], [0, 1])) for at in range(8)], axis=1)
    np.testing.assert_allclose(np.asarray(scan(x)[1])[:, :, 0], expected + bias, atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


def test_importing_leaves_the_environment_and_the_log_as_they_are():
    """JANGGU_OUTPUT was set, and the root logger was sent to a file."""
    code = "import logging, os, helpers.data; print('JANGGU_OUTPUT' in os.environ, logging.getLogger().handlers)"
    environment = {name: value for name, value in os.environ.items() if name != "JANGGU_OUTPUT"}
    settings = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "check": True}
    done = subprocess.run([sys.executable, "-c", code], **settings)
    assert done.stdout == "False []\n"


@pytest.mark.parametrize("argument", ["overwrite", "datatags", "template_extension"])
def test_arguments_that_do_nothing_are_refused(tmp_path, argument):
    """They were taken and had no effect."""
    with pytest.raises(InputError, match=argument):
        counted(tmp_path, ("c", 3, 8, 0), **{argument: 1})


# ---- variants and attribution ----------------------------------------------------------------------------------------


def variants_in(folder, *records, letters="ACGTNACGTA"):
    """Write a genome of one contig and variants (position from 1, reference, alternative); return their paths."""
    fasta, vcf = folder / "genome.fa", folder / "a.vcf"
    fasta.write_text(f">c\n{letters}\n")
    lines = [f"c\t{position}\t.\t{ref}\t{alt}\t.\t.\t." for position, ref, alt in records]
    header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    vcf.write_text(header + "\n".join(lines) + "\n")
    return fasta, vcf


def streamed(fasta, vcf, binsize=3, batch_size=2, **options):
    return list(VariantStreamer(fasta, vcf, binsize, batch_size, **options).flow())


def test_an_unknown_base_is_no_reference_allele(tmp_path):
    """W17: N was taken for A."""
    batches = streamed(*variants_in(tmp_path, (5, "A", "C"), (6, "A", "C")))
    assert [int(place) for batch in batches for place in batch[2]] == [5]


def test_strands_of_variants_behind_one_with_two_features_are_their_own(tmp_path):
    """W18: they were those of the variants before."""
    fasta, vcf = variants_in(tmp_path, (2, "C", "T"), (7, "C", "T"))
    features = region_table(["c", 1, 2, "+"], ["c", 0, 3, "+"], ["c", 6, 7, "-"])
    (batch,) = streamed(fasta, vcf, annotation=features)
    assert [letters_of(window) for window in batch[5]] == ["ACG", "CGT"]
    assert [letters_of(window) for window in batch[6]] == ["ATG", "CAT"]


def test_indels_and_several_alternatives_are_scored_and_no_batch_is_empty(tmp_path):
    """They were left out in silence, and a last batch was empty."""
    batches = streamed(*variants_in(tmp_path, (2, "CG", "C"), (7, "C", "T,G")), binsize=5, batch_size=3)
    assert [len(batch[0]) for batch in batches] == [3]
    assert [letters_of(window) for window in batches[0][6]] == ["-ACT-", "-ATGT", "-AGGT"]


def linear_network(weights, activation="linear"):
    """A network that adds up a weight for each letter at each place."""
    import keras

    dna = keras.Input((*weights.shape[:1], 1, 4), name="dna")
    model = keras.Model({"dna": dna}, {"y": keras.layers.Dense(1, activation, name="y")(keras.layers.Flatten()(dna))})
    model.set_weights([weights.reshape(-1, 1), np.zeros(1)])
    return model


def test_effects_are_log_odds_ratios_in_single_precision(tmp_path):
    """W26: the log of a ratio of probabilities, both of them rounded to half precision."""
    weights = np.zeros((3, 4), dtype="float32")
    weights[1] = [-12, 3, 0, 2]
    fasta, vcf = variants_in(tmp_path, (2, "C", "T"), letters="ACGAACGTA")
    path, _ = predict_variant_effect(linear_network(weights, "sigmoid"), fasta, vcf, ["y"], tmp_path)
    _, effects, _ = read_effects(path)
    other_strand = np.array([1 / (1 + np.exp(0)), 1 / (1 + np.exp(12))])  # G, A
    odds = [(p + q) / (2 - p - q) for p, q in zip(1 / (1 + np.exp(-np.array([3.0, 2.0]))), other_strand, strict=True)]
    assert effects.logit_difference.dtype == np.float32
    np.testing.assert_allclose(effects.logit_difference[0, 0], np.log(odds[1] / odds[0]), rtol=1e-5)


def test_attributions_keep_their_sign_and_lie_on_the_genome(tmp_path):
    """W19: they were absolute values, in the direction of the window."""
    weights = np.arange(12, dtype="float32").reshape(3, 4) - 5.5
    fasta, _ = variants_in(tmp_path, (2, "C", "T"), letters="ACGTTACG")
    windows = region_table(["c", 0, 3, "+"], ["c", 4, 7, "-"])
    dna = Bioseq.create_from_refgenome("dna", fasta, roi=windows, binsize=3)
    (plus,) = input_attribution(linear_network(weights), dna, "c", 0, 3)
    assert [plus[0][0, place, 0, letter] for place, letter in enumerate([0, 1, 2])] == [-5.5, -0.5, 4.5]
    (minus,) = input_attribution(linear_network(weights), dna, "c", 4, 7)  # the model reads GTA
    assert [minus[0][0, place, 0, letter] for place, letter in enumerate([3, 0, 1])] == [2.5, 1.5, -3.5]
