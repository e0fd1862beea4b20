"""5' ends counted against a loop over single reads, with every kind of read that must or must not count."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyBigWig
import pysam
import pytest

from helpers.data import bam_records
from helpers.data.bam import bam_sizes, count_bam, store_bam_coverage
from helpers.data.counting import REASONS
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

SIZES = {"chr1": 1025, "chr2": 300, "empty": 70, "chrEBV": 120}
YEAST = Path(__file__).resolve().parents[2] / "shared/data/yeast"
PAIRED, REVERSE, FIRST, SECOND = 1, 16, 64, 128
UNMAPPED, SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY = 4, 256, 512, 1024, 2048


def write_bam(path, reads, sizes=SIZES):
    """Write reads given as (chrom, start, cigar, flag, mapq); SEQ is '*' for a cigar that ends in *."""
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": length} for name, length in sizes.items()]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for number, (chrom, start, cigar, flag, mapq) in enumerate(reads):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.flag, read.mapping_quality = f"read{number}", flag, mapq
            read.reference_id, read.reference_start = file.get_tid(chrom), start
            if cigar:
                read.cigarstring = cigar.rstrip("*")
                if not cigar.endswith("*"):
                    read.query_sequence = "A" * read.infer_query_length()
            file.write(read)
    return path


def slow_count(path, *, resolution, min_mapq=0, mates="both", shift=(0, 0), keep_duplicates=True, sizes=SIZES):
    """Count read by read, with pysam's own properties."""
    counts = {name: np.zeros((-(-length // resolution), 2), dtype=int) for name, length in sizes.items()}
    with pysam.AlignmentFile(str(path)) as file:
        for read in file.fetch(until_eof=True):
            if read.is_unmapped or read.is_secondary or read.is_supplementary or read.is_qcfail:
                continue
            if (read.is_duplicate and not keep_duplicates) or read.mapping_quality < min_mapq:
                continue
            is_second = read.is_paired and read.is_read2
            if (mates == "first" and is_second) or (mates == "second" and not is_second):
                continue
            aligned = [base for base in read.get_reference_positions() if base is not None]
            position = aligned[-1] + shift[1] if read.is_reverse else aligned[0] + shift[0]
            if read.reference_name in sizes and 0 <= position < sizes[read.reference_name]:
                counts[read.reference_name][position // resolution, int(read.is_reverse)] += 1
    return counts


def assert_same_counts(counts, expected):
    assert list(counts) == list(expected)
    for name, values in expected.items():
        assert counts[name].dtype == np.uint32
        np.testing.assert_array_equal(counts[name], values, err_msg=name)


def random_reads(seed, number=3000):
    rng = np.random.default_rng(seed)
    cigars = ["20M", "5S15M", "15M5S", "8M3D12M", "8M4I8M", "10M100N10M", "3H20M2H", "1M", "20M*", "2S5M2D5M1I5M3S"]
    flags = [0, REVERSE, UNMAPPED, SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY]
    pairs = [0, PAIRED | FIRST, PAIRED | SECOND, PAIRED | FIRST | 2, PAIRED | SECOND | 8]
    reads = []
    for _ in range(number):
        chrom = rng.choice(["chr1", "chr2", "chrEBV"])
        cigar = str(rng.choice(cigars))
        start = int(rng.integers(0, SIZES[chrom] - (120 if "N" in cigar else 26) + 1))
        flag = (
            int(rng.choice(flags, p=[0.4, 0.4] + [0.04] * 5)) | int(rng.choice(pairs)) | int(rng.choice([0, REVERSE]))
        )
        reads.append((chrom, start, cigar, flag, int(rng.choice([0, 9, 10, 60, 255]))))
    return reads


@pytest.fixture(scope="module")
def mixed_bam(tmp_path_factory):
    return write_bam(tmp_path_factory.mktemp("bam") / "mixed.bam", random_reads(1))


@pytest.mark.parametrize(
    "rule",
    [
        {"resolution": 1},
        {"resolution": 50},
        {"resolution": 2000},
        {"resolution": 7, "min_mapq": 10},
        {"resolution": 7, "min_mapq": 61},
        {"resolution": 10, "mates": "first"},
        {"resolution": 10, "mates": "second"},
        {"resolution": 1, "shift": (4, -5)},
        {"resolution": 10, "shift": (-40, 40)},
        {"resolution": 10, "keep_duplicates": False, "min_mapq": 9, "mates": "first", "shift": (4, -5)},
    ],
    ids=str,
)
def test_counts_agree_with_a_loop_over_reads(mixed_bam, rule, monkeypatch):
    monkeypatch.setattr(bam_records, "BLOCKS_AT_ONCE", 1)
    counts, summary = count_bam(mixed_bam, **rule)
    expected = slow_count(mixed_bam, **rule)
    assert_same_counts(counts, expected)
    assert summary.kept == sum(values.sum() for values in expected.values())
    assert summary.reads == summary.kept + sum(summary.dropped.values()) == 3000
    both, _ = count_bam(mixed_bam, stranded=False, **rule)
    for name, values in expected.items():
        np.testing.assert_array_equal(both[name], values.sum(axis=1, keepdims=True))


def five_prime_of(tmp_path, cigar, flag, start=100, **rule):
    path = write_bam(tmp_path / "one.bam", [("chr1", start, cigar, flag, 30)])
    counts, _ = count_bam(path, resolution=1, **rule)
    positions, strands = np.nonzero(counts["chr1"])
    return list(zip(positions.tolist(), strands.tolist(), strict=True))


@pytest.mark.parametrize(
    ("cigar", "forward", "reverse"),
    [
        ("10M", 100, 109),
        ("5S10M", 100, 109),  # soft clips are no part of the alignment
        ("10M5S", 100, 109),
        ("4H10M6H", 100, 109),
        ("4M3D6M", 100, 112),
        ("4M3I6M", 100, 109),
        ("4M200N6M", 100, 309),
        ("10M*", 100, 109),  # SEQ is *
        ("5=1X4=", 100, 109),
    ],
)
def test_the_five_prime_end_of_each_kind_of_alignment(tmp_path, cigar, forward, reverse):
    assert five_prime_of(tmp_path, cigar, 0) == [(forward, 0)]
    assert five_prime_of(tmp_path, cigar, REVERSE) == [(reverse, 1)]
    assert five_prime_of(tmp_path, cigar, 0, shift=(4, -5)) == [(forward + 4, 0)]
    assert five_prime_of(tmp_path, cigar, REVERSE, shift=(4, -5)) == [(reverse - 5, 1)]


def test_reads_at_the_ends_of_a_contig_count_in_its_first_and_last_base(tmp_path):
    assert five_prime_of(tmp_path, "25M", REVERSE, start=1000) == [(1024, 1)]
    assert five_prime_of(tmp_path, "1M", 0, start=1024) == [(1024, 0)]
    assert five_prime_of(tmp_path, "10M", 0, start=0) == [(0, 0)]


def test_the_last_bin_is_shorter_and_bins_begin_at_multiples(tmp_path):
    reads = [("chr1", start, "1M", 0, 0) for start in (0, 49, 50, 999, 1000, 1024)]
    counts, _ = count_bam(write_bam(tmp_path / "a.bam", reads), resolution=50)
    assert counts["chr1"].shape == (21, 2)  # 1025 / 50
    assert {int(place): int(counts["chr1"][place, 0]) for place in np.flatnonzero(counts["chr1"][:, 0])} == {
        0: 2,
        1: 1,
        19: 1,
        20: 2,
    }
    assert counts["empty"].shape == (2, 2)
    assert counts["empty"].sum() == 0


@pytest.mark.parametrize("shift", [(-101, 0), (925, 0)])
def test_what_is_shifted_outside_the_contig_is_dropped_and_counted(tmp_path, shift):
    reads = [("chr1", 100, "10M", 0, 0), ("chr2", 120, "10M", REVERSE, 0)]
    counts, summary = count_bam(write_bam(tmp_path / "a.bam", reads), resolution=1, shift=shift)
    assert counts["chr1"].sum() == 0
    assert summary.dropped["outside"] == 1
    inside, _ = count_bam(tmp_path / "a.bam", resolution=1, shift=(924, 0))
    assert inside["chr1"][1024, 0] == 1


def test_each_reason_is_counted_and_the_first_one_wins(tmp_path):
    flags = {
        "unmapped": UNMAPPED | SECONDARY | DUPLICATE,
        "secondary": SECONDARY | SUPPLEMENTARY,
        "supplementary": SUPPLEMENTARY | QC_FAIL,
        "qc_fail": QC_FAIL | DUPLICATE,
        "duplicate": DUPLICATE | PAIRED | SECOND,
        "other_mate": PAIRED | SECOND,
    }
    reads = [("chr1", 10, "5M", flag, 0) for flag in flags.values()]
    reads += [("chr1", 10, "5M", 0, 19), ("chr1", 10, "5M", 0, 20), ("chrEBV", 10, "5M", REVERSE, 60)]
    reads += [("chr2", 3, "5M", 0, 60), ("chr1", 10, "", REVERSE, 60)]
    path = write_bam(tmp_path / "a.bam", reads)
    counts, summary = count_bam(
        path, resolution=5, chroms=["chr2", "chr1"], min_mapq=20, mates="first", shift=(-4, 0), keep_duplicates=False
    )
    assert list(counts) == ["chr2", "chr1"]
    elsewhere = {"excluded_flag", "missing_flag", "not_proper_pair"}  # see test_bam_counting
    assert summary.dropped == {reason: int(reason not in elsewhere) for reason in REASONS}
    assert (summary.reads, summary.kept) == (11, 1)
    assert counts["chr1"][1, 0] == 1


def test_duplicates_count_by_default(tmp_path):
    path = write_bam(tmp_path / "a.bam", [("chr1", 10, "5M", DUPLICATE, 0)] * 3)
    assert count_bam(path, resolution=5)[0]["chr1"][2].tolist() == [3, 0]
    assert count_bam(path, resolution=5, keep_duplicates=False)[0]["chr1"].sum() == 0


def test_unpaired_reads_are_first_mates(tmp_path):
    path = write_bam(tmp_path / "a.bam", [("chr1", 10, "5M", 0, 0), ("chr1", 10, "5M", SECOND, 0)])
    assert count_bam(path, resolution=5, mates="first")[1].kept == 2
    assert count_bam(path, resolution=5, mates="second")[1].kept == 0


def test_order_of_reads_and_index_do_not_matter(tmp_path, mixed_bam):
    reads = random_reads(1)
    shuffled = [reads[number] for number in np.random.default_rng(0).permutation(len(reads))]
    counts, summary = count_bam(write_bam(tmp_path / "shuffled.bam", shuffled), resolution=10)
    expected, expected_summary = count_bam(mixed_bam, resolution=10)
    assert_same_counts(counts, expected)
    assert summary == expected_summary


def test_counts_do_not_overflow_small_types(tmp_path):
    path = write_bam(tmp_path / "a.bam", [("chr1", 10, "5M", 0, 0)] * 70_000)
    assert count_bam(path, resolution=50)[0]["chr1"][0, 0] == 70_000


def test_contigs_can_be_chosen_and_must_exist(mixed_bam):
    counts, summary = count_bam(mixed_bam, resolution=10, chroms=["chr2"])
    np.testing.assert_array_equal(counts["chr2"], slow_count(mixed_bam, resolution=10)["chr2"])
    assert summary.dropped["other_contig"] > 0
    with pytest.raises(InputError, match=r"mixed\.bam lacks these contigs: 1, X\. It has chr1, chr2"):
        count_bam(mixed_bam, resolution=10, chroms=["1", "chr1", "X"])
    assert bam_sizes(mixed_bam) == SIZES


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"resolution": 0}, "resolution=0"),
        ({"resolution": 1, "mates": "third"}, "mates='third'"),
        ({"resolution": 1, "shift": (4,)}, "pair of bp"),
        ({"resolution": 1, "chroms": []}, "No contig"),
    ],
)
def test_rules_out_of_range_are_refused(mixed_bam, rule, message):
    with pytest.raises(InputError, match=message):
        count_bam(mixed_bam, **rule)


def test_a_truncated_file_is_an_error_wherever_it_ends(tmp_path, mixed_bam):
    whole = mixed_bam.read_bytes()
    path = tmp_path / "cut.bam"
    for length in (len(whole) - 1, len(whole) - 28, len(whole) // 2, 60):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.bam is (truncated or damaged|not a BAM file)"):
            count_bam(path, resolution=10)


def test_a_file_with_an_end_mark_but_a_hole_is_an_error(tmp_path, mixed_bam):
    whole = mixed_bam.read_bytes()
    path = tmp_path / "hole.bam"
    path.write_bytes(whole[: len(whole) // 2] + whole[-28:])
    with pytest.raises(InputError, match=r"hole\.bam is truncated or damaged"):
        count_bam(path, resolution=10)


def test_other_files_are_an_error_and_nothing_is_written_to_the_terminal(tmp_path, mixed_bam):
    (tmp_path / "peaks.bed").write_text("chr1\t0\t100\n")
    (tmp_path / "empty.bam").write_bytes(b"")
    (tmp_path / "a.sam").write_text("@SQ\tSN:chr1\tLN:100\nr\t0\tchr1\t1\t9\t5M\t*\t0\t0\tAAAAA\t*\n")
    for name, message in (
        ("peaks.bed", "not a BAM file"),
        ("empty.bam", r"empty\.bam is "),
        ("a.sam", "samtools view -b"),
        ("none.bam", "does not exist"),
    ):
        with pytest.raises(InputError, match=message):
            count_bam(tmp_path / name, resolution=10)
    code = f"""
from helpers.data.bam import count_bam
for name in ("peaks.bed", "empty.bam"):
    try:
        count_bam(f"{tmp_path}/" + name, resolution=10)
    except ValueError:
        continue
    raise SystemExit(1)
count_bam("{mixed_bam}", resolution=10)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_stored_counts_come_back_with_what_they_mean(tmp_path, mixed_bam):
    summary = store_bam_coverage(
        mixed_bam, tmp_path / "counts.h5", resolution=50, chroms=["chr2", "chr1"], shift=(4, -5), min_mapq=10
    )
    counts, same_summary = count_bam(mixed_bam, resolution=50, chroms=["chr2", "chr1"], shift=(4, -5), min_mapq=10)
    stored = GenomeArray.open(tmp_path / "counts.h5")
    assert summary == same_summary
    assert stored.sizes == {"chr2": 6, "chr1": 21}
    for name, values in counts.items():
        np.testing.assert_array_equal(stored.contig(name), values)
    assert stored.values.dtype == np.uint32
    assert stored.attrs["resolution"] == 50
    assert stored.attrs["stranded"] is True
    assert stored.attrs["shift"] == [4, -5]
    assert stored.attrs["sizes"] == {"chr2": 300, "chr1": 1025}
    assert stored.attrs["source"] == "mixed.bam"
    assert stored.attrs["summary"]["kept"] == summary.kept


@pytest.mark.skipif(not YEAST.is_dir(), reason="needs ../shared/data/yeast")
@pytest.mark.parametrize("name", ["stripe_S288C.chr.bam"])
def test_real_reads_agree_with_a_loop(name):
    sizes = bam_sizes(YEAST / name)
    counts, summary = count_bam(YEAST / name, resolution=20, mates="first")
    assert_same_counts(counts, slow_count(YEAST / name, resolution=20, mates="first", sizes=sizes))
    with pysam.AlignmentFile(str(YEAST / name)) as file:
        flags = Counter(read.flag for read in file.fetch(until_eof=True))
    assert summary.reads == sum(flags.values())


@pytest.mark.skipif(not YEAST.is_dir(), reason="needs ../shared/data/yeast")
def test_real_cuts_agree_base_by_base_with_a_track_that_others_made():
    # The track counts cuts at start + 4 and end - 5, the end being one base behind the last: -4 from the last base.
    counts, _ = count_bam(YEAST / "atac_SRR1822137.frag2bam.bam", resolution=1, shift=(4, -4), stranded=False)
    with pyBigWig.open(str(YEAST / "atac_SRR1822137_cuts.bw")) as track:
        assert len(track.chroms()) > 1
        for chrom, length in track.chroms().items():
            values = np.nan_to_num(track.values(chrom, 0, length, numpy=True))
            np.testing.assert_array_equal(counts[chrom][:, 0], values)
