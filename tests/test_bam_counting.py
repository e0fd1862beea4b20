"""Every rule of counting against a loop over single reads, for BAM and CRAM files, and the files that others write."""

import shutil
import subprocess

import numpy as np
import pysam
import pytest
from alignment_files import (
    DUPLICATE,
    FIRST,
    PAIRED,
    PROPER,
    REVERSE,
    SIZES,
    in_bins,
    random_reads,
    slow_bases,
    write_alignments,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.data.alignments import batches, open_alignments
from helpers.data.bam import bam_sizes, count_bam, store_bam_coverage
from helpers.data.count_bins import Bins
from helpers.data.counting import EXCLUDE_FLAGS, CountRule
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

RULES = [
    {},
    {"mates": "first", "min_mapq": 10, "shift": (4, -4)},
    {"mates": "second", "keep_duplicates": False},
    {"require_flags": PROPER, "shift": (-30, 200)},
    {"exclude_flags": 0},
    {"exclude_flags": EXCLUDE_FLAGS | 32, "require_flags": REVERSE},
    {"count": "midpoint"},
    {"count": "midpoint", "min_mapq": 60, "keep_duplicates": False},
    {"count": "span"},
    {"count": "span", "mates": "first", "shift": (-7, 11)},
    {"count": "fragment"},
    {"count": "fragment", "require_flags": PAIRED, "exclude_flags": 0},
]


def slow_counts(path, rule, resolution, **settings):
    names = {"require_flags": "require", "exclude_flags": "exclude"}
    slow = {names.get(name, name): value for name, value in rule.items() if name != "stranded"}
    bases = slow_bases(path, **slow, **settings)
    return in_bins(bases, resolution, stranded=rule.get("stranded", True))


def assert_counts(counts, expected):
    assert list(counts) == list(expected)
    for name, values in expected.items():
        assert counts[name].dtype == np.uint32
        np.testing.assert_array_equal(counts[name], values, err_msg=name)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed")
    return write_alignments(folder / "mixed.bam", random_reads(np.random.default_rng(1), 3000))


@pytest.fixture(scope="module")
def crams(tmp_path_factory):
    """The same reads as BAM, as CRAM in any order, and as sorted CRAM, with their genome."""
    folder = tmp_path_factory.mktemp("cram")
    fasta = folder / "genome.fa"
    fasta.write_text("".join(f">{name}\n{'A' * length}\n" for name, length in SIZES.items()))
    pysam.faidx(str(fasta))
    rng = np.random.default_rng(2)
    reads = [read for read in random_reads(rng, 2000) if "*" not in read["cigar"]]
    for number, start in enumerate(rng.integers(0, 900, 200).tolist()):  # a CRAM file keeps these as linked mates
        reads += pair(start, start + 60, 70, name=f"pair{number}", first_is_forward=number % 2 == 0)
    bam = write_alignments(folder / "reads.bam", reads)
    write_alignments(folder / "reads.cram", reads, "wc", reference_filename=str(fasta))
    pysam.sort("-O", "cram", "--reference", str(fasta), "-o", str(folder / "sorted.cram"), str(bam))
    return folder


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("resolution", [1, 7, 2000])
def test_each_rule_agrees_with_a_loop_over_reads(mixed, rule, resolution):
    counts, summary = count_bam(mixed, resolution=resolution, **rule)
    assert_counts(counts, slow_counts(mixed, rule, resolution))
    assert summary.reads == summary.kept + sum(summary.dropped.values()) == 3000
    both, same_summary = count_bam(mixed, resolution=resolution, stranded=False, **rule)
    assert_counts(both, {name: values.sum(axis=1, keepdims=True) for name, values in counts.items()})
    assert same_summary == summary
    assert summary.kept > 0
    if CountRule(**rule).single_bases:
        assert summary.kept == sum(int(values.sum()) for values in counts.values())


@given(
    seed=st.integers(0, 2**32 - 1),
    number=st.integers(0, 60),
    resolution=st.integers(1, 400),
    count=st.sampled_from(["five_prime", "midpoint", "span", "fragment"]),
    mates=st.sampled_from(["both", "first", "second"]),
    min_mapq=st.sampled_from([0, 10, 255]),
    keep_duplicates=st.booleans(),
    stranded=st.booleans(),
    require_flags=st.sampled_from([0, PAIRED, PROPER, REVERSE]),
    exclude_flags=st.sampled_from([EXCLUDE_FLAGS, 0, 256, 4 | 32]),
    shift=st.tuples(st.integers(-100, 100), st.integers(-100, 100)),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_files_and_rules_agree_with_a_loop_over_reads(tmp_path, seed, number, resolution, **rule):
    if rule["count"] in ("midpoint", "fragment"):
        rule |= {"mates": "both", "shift": (0, 0)}
    path = write_alignments(tmp_path / "random.bam", random_reads(np.random.default_rng(seed), number))
    counts, summary = count_bam(path, resolution=resolution, **rule)
    assert_counts(counts, slow_counts(path, rule, resolution))
    assert summary.reads == number


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_cram_files_count_as_bam_files(crams, rule):
    expected, summary = count_bam(crams / "reads.bam", resolution=5, **rule)
    assert_counts(expected, slow_counts(crams / "reads.bam", rule, 5))
    for settings_ in (
        {"path": crams / "reads.cram", "reference": crams / "genome.fa"},
        {"path": crams / "sorted.cram"},
    ):
        counts, same_summary = count_bam(resolution=5, **settings_, **rule)
        assert_counts(counts, expected)
        assert same_summary == summary
    assert bam_sizes(crams / "sorted.cram") == SIZES


def test_a_cram_file_that_needs_its_genome_says_so(crams, tmp_path, monkeypatch):
    monkeypatch.setenv("REF_PATH", str(tmp_path))
    monkeypatch.setenv("REF_CACHE", str(tmp_path))
    shutil.copy(crams / "reads.cram", tmp_path / "reads.cram")
    (crams / "genome.fa").rename(crams / "moved.fa")  # the header of the file tells where it was
    try:
        with pytest.raises(InputError, match=r"reads\.cram cannot be decoded without the genome .* as reference"):
            count_bam(tmp_path / "reads.cram", resolution=5)
        with pytest.raises(InputError, match=r"none\.fa does not exist"):
            count_bam(tmp_path / "reads.cram", resolution=5, reference=tmp_path / "none.fa")
        (tmp_path / "other.fa").write_text(">chrZ\nACGT\n")
        with pytest.raises(InputError, match=r"other\.fa is not the genome"):
            count_bam(tmp_path / "reads.cram", resolution=5, reference=tmp_path / "other.fa")
        whole = (crams / "sorted.cram").read_bytes()
        (tmp_path / "cut.cram").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=r"cut\.cram"):
            count_bam(tmp_path / "cut.cram", resolution=5)
    finally:
        (crams / "moved.fa").rename(crams / "genome.fa")


def pair(start, mate_start, length, *, first_is_forward=True, **changes):
    """Make an inward pair on chr1, 10 bp each."""
    one = {"chrom": "chr1", "start": start, "cigar": "10M", "flag": 99, "mate_chrom": "chr1", "mate_start": mate_start}
    two = one | {"start": mate_start, "flag": 147, "mate_start": start, "length": -length}
    if not first_is_forward:
        one, two = one | {"flag": 163}, two | {"flag": 83}
    return [one | {"length": length} | changes, two | changes]


@pytest.mark.parametrize("first_is_forward", [True, False])
def test_a_fragment_counts_once_on_the_strand_of_its_first_mate(tmp_path, first_is_forward):
    path = write_alignments(tmp_path / "a.bam", pair(20, 50, 40, first_is_forward=first_is_forward))
    strand = 0 if first_is_forward else 1
    middle, summary = count_bam(path, resolution=1, count="midpoint")
    assert np.argwhere(middle["chr1"]).tolist() == [[40, strand]]
    assert (summary.kept, summary.dropped["other_mate"]) == (1, 1)
    covered, _ = count_bam(path, resolution=1, count="fragment")
    assert np.flatnonzero(covered["chr1"][:, strand]).tolist() == list(range(20, 60))
    assert covered["chr1"].sum() == 40
    ends, _ = count_bam(path, resolution=1)
    assert np.argwhere(ends["chr1"]).tolist() == [[20, 0], [59, 1]]


def test_pairs_without_a_fragment_are_left_out_and_counted(tmp_path):
    reads = pair(20, 50, 0) + pair(20, 50, 40, flag=PAIRED | FIRST)[:1] + pair(20, 50, 40, mate_chrom="chr2")[:1]
    _, summary = count_bam(write_alignments(tmp_path / "a.bam", reads), resolution=1, count="fragment")
    assert summary.dropped["not_proper_pair"] == 3
    assert summary.dropped["other_mate"] == 1
    assert summary.kept == 0


def test_flags_that_are_asked_for_or_excluded_are_reasons(tmp_path):
    reads = [{"chrom": "chr1", "start": 5, "cigar": "5M", "flag": flag} for flag in (0, PAIRED, PAIRED | PROPER, 35)]
    _, summary = count_bam(write_alignments(tmp_path / "a.bam", reads), resolution=1, require_flags=2, exclude_flags=32)
    assert {name: number for name, number in summary.dropped.items() if number} == {
        "excluded_flag": 1,
        "missing_flag": 2,
    }


def test_a_span_is_summed_over_bases_whatever_the_bins(mixed):
    whole, _ = count_bam(mixed, resolution=5000, count="span")
    single, _ = count_bam(mixed, resolution=1, count="span")
    assert_counts(whole, {name: values.sum(axis=0, keepdims=True) for name, values in single.items()})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"count": "middle"}, "count='middle'"),
        ({"count": "midpoint", "mates": "first"}, "one fragment.*mates='first'"),
        ({"count": "fragment", "shift": (4, -4)}, r"shift moves reads.*shift=\(4, -4\)"),
        ({"shift": 4}, "shift is a pair"),
        ({"shift": (4, 0.5)}, "shift is a pair"),
        ({"min_mapq": -1}, "min_mapq=-1"),
        ({"min_mapq": 300}, "min_mapq=300"),
        ({"require_flags": 70000}, "require_flags=70000"),
        ({"require_flags": 256}, "must have a flag that it must not have"),
        ({"require_flags": 4}, "must have a flag that it must not have"),
        ({"exclude_flags": DUPLICATE}, "keep_duplicates=False"),
        ({"require_flags": DUPLICATE, "keep_duplicates": False}, "duplicates are asked for"),
    ],
    ids=str,
)
def test_rules_that_contradict_themselves_are_refused(mixed, rule, message):
    with pytest.raises(InputError, match=message):
        count_bam(mixed, resolution=1, **rule)
    if rule == {"shift": 4}:
        with pytest.raises(InputError, match=r"resolution=1\.5"):
            count_bam(mixed, resolution=1.5)


@pytest.mark.parametrize("count", ["five_prime", "midpoint", "span", "fragment"])
def test_a_file_without_reads_counts_nothing(tmp_path, count):
    counts, summary = count_bam(write_alignments(tmp_path / "none.bam", []), resolution=10, count=count)
    assert {name: len(values) for name, values in counts.items()} == {name: -(-n // 10) for name, n in SIZES.items()}
    assert sum(int(values.sum()) for values in counts.values()) == 0
    assert (summary.reads, summary.kept) == (0, 0)


def test_counts_above_32_bits_are_an_error_and_below_are_exact():
    def bins_with(length, times):
        bins = Bins(np.array([0]), np.array([length]), length, stranded=False, single_bases=False)
        for _ in range(times):
            bins.add(np.array([0]), np.array([0]), np.array([length]), np.array([False]))
        return bins

    assert bins_with(2**31, 1).totals()[0, 0] == 2**31
    with pytest.raises(InputError, match="4294967296, more than 32 bits"):
        bins_with(2**31, 2).totals()


def test_the_rule_is_stored_with_the_counts(mixed, tmp_path):
    store_bam_coverage(mixed, tmp_path / "counts.h5", resolution=10, count="span", require_flags=np.int64(PROPER))
    stored = GenomeArray.open(tmp_path / "counts.h5")
    assert stored.values.dtype == np.uint32
    assert (stored.attrs["count"], stored.attrs["require_flags"]) == ("span", PROPER)


def test_batches_of_pysam_hold_the_columns_of_records(mixed):
    with open_alignments(mixed) as file:
        columns = np.concatenate([batch.fields for batch in batches(file.fetch(until_eof=True))])
    with pysam.AlignmentFile(str(mixed)) as file:
        expected = [(r.flag, r.mapping_quality, r.reference_id, r.reference_start) for r in file.fetch(until_eof=True)]
    assert [tuple(row)[:4] for row in columns.tolist()] == expected


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="needs bedtools")
def test_spans_without_deletions_are_those_of_bedtools_with_split(mixed, tmp_path):
    kept = tmp_path / "kept.bam"  # bedtools leaves deletions out, and takes reads without CIGAR
    with pysam.AlignmentFile(str(mixed)) as file, pysam.AlignmentFile(str(kept), "wb", template=file) as out:
        for read in file.fetch(until_eof=True):
            if not read.flag & (EXCLUDE_FLAGS | 4) and "D" not in (read.cigarstring or "D"):
                out.write(read)
    pysam.sort("-o", str(tmp_path / "sorted.bam"), str(kept))
    counts, summary = count_bam(kept, resolution=1, count="span", stranded=False)
    assert summary.kept > 500
    done = subprocess.run(
        ["bedtools", "genomecov", "-d", "-split", "-ibam", str(tmp_path / "sorted.bam")],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in done.stdout.splitlines():
        chrom, position, depth = line.split("\t")
        assert counts[chrom][int(position) - 1, 0] == int(depth), line


def test_spans_are_the_depth_of_samtools_with_deletions(mixed, tmp_path):
    pysam.sort("-o", str(tmp_path / "sorted.bam"), str(mixed))
    counts, _ = count_bam(mixed, resolution=1, count="span", stranded=False, keep_duplicates=False, exclude_flags=768)
    depths = pysam.depth("-a", "-J", str(tmp_path / "sorted.bam"))  # supplementary alignments count here
    for line in depths.splitlines():
        chrom, position, depth = line.split("\t")
        assert counts[chrom][int(position) - 1, 0] == int(depth), line
    assert depths.count("\n") == sum(SIZES.values())


def test_second_mates_alone_are_the_rest_of_the_first(mixed):
    both, _ = count_bam(mixed, resolution=3)
    first, _ = count_bam(mixed, resolution=3, mates="first")
    second, _ = count_bam(mixed, resolution=3, mates="second")
    assert second["chr1"].sum() > 0
    assert_counts(both, {name: first[name] + second[name] for name in both})
