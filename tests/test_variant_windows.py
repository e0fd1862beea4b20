"""Windows around variants against a slow way to edit text, and how variants are counted."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_variants import as_codes, as_store, random_genome, record, slow_windows, write_vcf

from helpers.data.variant_counts import VariantCounts
from helpers.data.variant_windows import cut_variant_windows, middle_of
from helpers.data.variants import Status, read_variants
from helpers.errors import InputError

GENOME = {"chr1": "ACGTTTGCAACCGGTTANGT", "chr2": "GGGGG"}


def read(folder, *records):
    (batch,) = read_variants(write_vcf(folder / "a.vcf", records))
    return batch


def windows_of(folder, *records, length=5, genome=GENOME, **settings):
    return cut_variant_windows(as_store(genome), read(folder, *records), length, **settings)


@given(
    seed=st.integers(0, 10**6),
    length=st.integers(1, 30),
    mismatch=st.sampled_from(["skip", "flag", "use"]),
    snvs=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_windows_are_those_of_edited_text(tmp_path_factory, seed, length, mismatch, snvs):
    rng = random.Random(seed)
    genome = random_genome(seed, chr1=60, chr2=25, short=3)
    fits, expected, records = length - (length - 1) // 2, [], []
    for _ in range(40):
        chrom = rng.choice(list(genome))
        start = rng.randrange(len(genome[chrom]))
        size = 1 if snvs else rng.choice([1, 1, 2, 5])
        ref = genome[chrom][start : start + size]
        if rng.random() < 0.2 or "N" in ref:
            ref = "".join(rng.choices("ACGT", k=len(ref)))
        alt = "".join(rng.choices("ACGT", k=1 if snvs else rng.choice([1, 1, 2, 4, 9])))
        records.append(record(chrom, start + 1, ref, alt))
        same = ref == genome[chrom][start : start + len(ref)]
        if ref == alt or max(len(ref), len(alt)) > fits or (mismatch == "skip" and not same):
            continue
        status = Status.SCORED if same else Status.SCORED_DESPITE_MISMATCH
        place = (chrom, start, ref, alt, length)
        expected.append((status, slow_windows(genome, *place, write_reference=mismatch == "use")))
    batch = read(tmp_path_factory.mktemp("vcf"), *records)
    before = batch.status.copy()
    windows = cut_variant_windows(as_store(genome), batch, length, mismatch=mismatch)
    assert (batch.status == before).all()
    assert windows.variants.status[windows.rows].tolist() == [status for status, _ in expected]
    assert windows.reference.tolist() == as_codes([texts[0] for _, texts in expected])
    assert windows.alternative.tolist() == as_codes([texts[1] for _, texts in expected])
    assert windows.reference.dtype == windows.alternative.dtype == np.uint8
    assert windows.reference.shape == (len(expected), length)


@pytest.mark.parametrize(("length", "position"), [(1, 0), (2, 0), (3, 1), (10, 4), (500, 249), (501, 250)])
def test_an_snv_stands_in_the_middle(tmp_path, length, position):
    genome = random_genome(1, chr1=1000)
    genome["chr1"] = genome["chr1"][:599] + "A" + genome["chr1"][600:]
    windows = windows_of(tmp_path, record("chr1", 600, "A", "C"), length=length, genome=genome)
    assert middle_of(length) == position
    assert np.flatnonzero(windows.reference[0] != windows.alternative[0]).tolist() == [position]
    assert windows.alternative[0, position] == 1


@pytest.mark.parametrize(
    ("position", "ref", "alt", "reference", "alternative"),
    [
        (4, "T", "A", "CGTTT", "CGATT"),
        (4, "TTT", "T", "CGTTT", "CGTGC"),  # two bases gone: the next two come in from the 3' side
        (4, "T", "TA", "CGTTT", "CGTAT"),  # the last base is pushed out
        (4, "TT", "GA", "CGTTT", "CGGAT"),
        (4, "TTT", "GA", "CGTTT", "CGGAG"),
        (1, "A", "T", "NNACG", "NNTCG"),  # the contig's first base
        (20, "T", "C", "NGTNN", "NGCNN"),  # and its last one
        (19, "GT", "G", "ANGTN", "ANGNN"),  # what is pulled in lies outside
    ],
)
def test_windows_by_hand(tmp_path, position, ref, alt, reference, alternative):
    windows = windows_of(tmp_path, record("chr1", position, ref, alt))
    assert windows.reference.tolist() == as_codes([reference])
    assert windows.alternative.tolist() == as_codes([alternative])


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (record("chr3", 5, "A", "C"), "CONTIG_NOT_IN_GENOME"),
        (record("chr3", 5, "A", "CCCCCC"), "CONTIG_NOT_IN_GENOME"),
        (record("chr1", 0, "A", "C"), "OUTSIDE_CONTIG"),
        (record("chr1", 21, "A", "C"), "OUTSIDE_CONTIG"),
        (record("chr2", 5, "GG", "G"), "OUTSIDE_CONTIG"),
        (record("chr2", 6, "G", "C"), "OUTSIDE_CONTIG"),
        (record("chr1", 4, "TTTG", "T"), "LONGER_THAN_WINDOW"),
        (record("chr1", 4, "T", "TAAA"), "LONGER_THAN_WINDOW"),
        (record("chr1", 4, "G", "A"), "REFERENCE_MISMATCH"),
        (record("chr1", 18, "A", "C"), "REFERENCE_MISMATCH"),  # the genome has N there
        (record("chr1", 4, "T", "<DEL>"), "SYMBOLIC"),
        (record("chr9", 4, "T", "N"), "AMBIGUOUS_LETTERS"),
    ],
)
def test_what_is_not_scored_says_why(tmp_path, line, status):
    windows = windows_of(tmp_path, record("chr1", 4, "T", "A"), line, record("chr2", 3, "G", "C"))
    assert windows.variants.status.tolist() == [Status.SCORED, Status[status], Status.SCORED]
    assert windows.rows.tolist() == [0, 2]
    assert windows.reference.tolist() == as_codes(["CGTTT", "GGGGG"])


def test_three_ways_to_treat_a_mismatch(tmp_path):
    line = record("chr1", 4, "GT", "A")  # the genome has TT
    skipped, flagged, used = (windows_of(tmp_path, line, mismatch=way) for way in ("skip", "flag", "use"))
    assert len(skipped.rows) == 0
    assert flagged.reference.tolist() == as_codes(["CGTTT"])
    assert used.reference.tolist() == as_codes(["CGGTT"])
    assert flagged.alternative.tolist() == used.alternative.tolist() == as_codes(["CGATG"])
    assert flagged.variants.status.tolist() == used.variants.status.tolist() == [Status.SCORED_DESPITE_MISMATCH]
    with pytest.raises(InputError, match="skip, flag, use.*'drop'"):
        windows_of(tmp_path, line, mismatch="drop")


def test_the_shortest_window_decides_what_fits(tmp_path):
    line = record("chr1", 4, "T", "TAA")
    assert windows_of(tmp_path, line, length=9).rows.tolist() == [0]
    assert windows_of(tmp_path, line, length=9, shortest=5).rows.tolist() == [0]
    windows = windows_of(tmp_path, line, length=9, shortest=4)
    assert windows.variants.status.tolist() == [Status.SCORED]  # 4 bp: one before the variant, three from it on
    assert windows_of(tmp_path, line, length=9, shortest=3).variants.status.tolist() == [Status.LONGER_THAN_WINDOW]


def counted(folder, *records, length=5):
    counts = VariantCounts()
    for batch in read_variants(write_vcf(folder / "a.vcf", records), batch_size=2):
        counts.add(cut_variant_windows(as_store(GENOME), batch, length).variants)
    return counts


def test_every_status_is_counted_over_batches(tmp_path):
    lines = [record("chr1", 4, "T", "A,C,<DEL>"), record("chr7", 4, "T", "A"), record("chr1", 5, "T", "G")]
    lines += [record("chr8", 9, "T", "A"), record("chr7", 5, "T", "A"), record("chr1", 5, "A", "G")]
    counts = counted(tmp_path, *lines)
    table = counts.table()
    assert table["status"].tolist() == [status.name.lower() for status in Status]
    assert table.query("n > 0").values.tolist() == [
        ["scored", 3, "chr1:4:T:A"],
        ["reference_mismatch", 1, "chr1:5:A:G"],
        ["symbolic", 1, "chr1:4:T:<DEL>"],
        ["contig_not_in_genome", 3, "chr7, chr8"],
    ]
    assert counts.n_scored == 3
    counts.check("a.vcf", GENOME, 5)


def test_no_contig_in_the_genome_is_an_error_with_both_names(tmp_path):
    counts = counted(tmp_path, record("1", 4, "T", "A"), record("2", 4, "T", "A"), record("1", 4, "T", "<DEL>"))
    with pytest.raises(InputError, match="none of its contigs is in the genome: 1, 2; the genome has chr1, chr2"):
        counts.check("a.vcf", GENOME, 5)


def test_a_window_shorter_than_all_variants_is_an_error(tmp_path):
    counts = counted(tmp_path, record("chr1", 4, "TTTG", "T"), record("chr1", 4, "T", "AAAAA"))
    with pytest.raises(InputError, match="input of 5 bp is too short for all 2 .* chr1:4:TTTG:T"):
        counts.check("a.vcf", GENOME, 5)


def test_a_file_of_another_assembly_is_an_error(tmp_path):
    counts = counted(tmp_path, record("chr1", 4, "TTTG", "T"), record("chr1", 4, "A", "C"), record("chr1", 5, "A", "C"))
    with pytest.raises(InputError, match="none of 2 reference alleles is what the genome has, the first chr1:4:A:C"):
        counts.check("a.vcf", GENOME, 5)


def test_mostly_other_reference_alleles_are_warned_of(tmp_path, caplog):
    right, wrong = record("chr1", 4, "T", "C"), [record("chr1", 4, "A", "C"), record("chr1", 5, "A", "C")]
    counted(tmp_path, right, wrong[0]).check("a.vcf", GENOME, 5)
    assert "another assembly" not in caplog.text
    counted(tmp_path, right, *wrong).check("a.vcf", GENOME, 5)
    assert "2 reference alleles are not what the genome has, 1 are; is it of another assembly?" in caplog.text


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [record("chr1", 4, "T", "<DEL>")],
        [record("chr1", 4, "TTTG", "T"), record("chr1", 4, "T", "C")],
        [record("chr7", 4, "A", "C"), record("chr1", 4, "T", "C")],
    ],
)
def test_other_files_are_no_error(tmp_path, lines):
    counted(tmp_path, *lines).check("a.vcf", GENOME, 5)
