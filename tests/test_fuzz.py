"""Random files: a good one passes and no row is lost; a damaged one ends in a message, never in a crash."""

import gzip
import os

import numpy as np
import pyBigWig
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.data.alignment_checks import check_alignments
from helpers.data.bigwig_header import read_bigwig_header
from helpers.data.checks import inspect_study
from helpers.data.fasta_checks import check_fasta
from helpers.data.file_checks import check_bigwig, check_regions_file, check_variants
from helpers.data.regions import read_regions
from helpers.errors import InputError

SIZES = {"chr1": 40_000, "chr2": 20_000, "chrUn_x.1": 500}
often = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seldom = settings(often, max_examples=15)  # each example starts a process


def statuses(findings):
    return [finding.status for finding in findings]


def errors(findings):
    return [finding.message for finding in findings if finding.status == "error"]


def assert_readable(findings):
    """Every finding says something, and every error more than a few words."""
    assert findings
    assert all(finding.message for finding in findings)
    assert all(len(message) > 30 for message in errors(findings))


@st.composite
def spoilt(draw, content, *, first=None):
    """The content with a few bytes changed, all or among the first."""
    spoilt = bytearray(content)
    places = draw(st.lists(st.integers(0, min(len(content), first or len(content)) - 1), min_size=1, max_size=8))
    for place in places:
        spoilt[place] = draw(st.integers(0, 255))
    return bytes(spoilt)


# ---- regions --------------------------------------------------------------------------------------------------------


@st.composite
def regions(draw):
    chrom = draw(st.sampled_from(sorted(SIZES)))
    start = draw(st.integers(0, SIZES[chrom] - 1))
    return chrom, start, draw(st.integers(start + 1, SIZES[chrom]))


NOISE = st.sampled_from(["", "# a comment", "track name=x", "browser position chr1:1-2"])


@st.composite
def bed_files(draw):
    """Rows, and the text of a file that holds them in this order between comments and blank lines."""
    rows = draw(st.lists(regions(), max_size=20))
    more = draw(st.sampled_from(["", "\tname", "\tname\t7", "\tname\t7.5\t-"]))
    lines = []
    for chrom, start, end in rows:
        lines += draw(st.lists(NOISE, max_size=2))
        lines.append(f"{chrom}\t{start}\t{end}{more}")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return rows, end.join(lines) + draw(st.sampled_from(["", end]))


@often
@given(bed_files(), st.booleans())
def test_no_row_of_a_good_bed_file_is_lost(tmp_path, file, zipped):
    rows, text = file
    path = tmp_path / ("a.bed.gz" if zipped else "a.bed")
    path.write_bytes(gzip.compress(text.encode(), 1) if zipped else text.encode())
    findings, contents = check_regions_file(path, SIZES, SIZES, needed=False)
    assert errors(findings) == []
    expected = {chrom: [end for name, _, end in rows if name == chrom] for chrom, *_ in rows}
    assert contents.counts == {chrom: len(ends) for chrom, ends in expected.items()}
    assert contents.ends == {chrom: max(ends) for chrom, ends in expected.items()}
    if rows:
        table = read_regions(path)
        assert list(table[["chrom", "start", "end"]].itertuples(index=False, name=None)) == rows


BAD_ROWS = [
    "chr1\t9\t5",
    "chr1\t5\t5",
    "chr1\t-1\t5",
    "chr1\tfive\t9",
    "chr1\t5",
    "chr1\t1.5\t9",
    "\t5\t9",
    "chr1\t5\t99999999999999999999999",
    "chr1\t30000\t40001",
]


@often
@given(st.lists(regions(), max_size=5), st.sampled_from(BAD_ROWS), st.lists(regions(), max_size=5))
def test_a_bad_row_of_a_bed_file_is_named(tmp_path, before, bad, after):
    rows = ["\t".join(map(str, row)) for row in before], ["\t".join(map(str, row)) for row in after]
    (tmp_path / "a.bed").write_text("\n".join([*rows[0], bad, *rows[1]]) + "\n")
    findings, _ = check_regions_file(tmp_path / "a.bed", SIZES, SIZES, needed=False)
    (message,) = errors(findings)
    # A file is told by its first row: where that one is too short, the next one stands out.
    allowed = {len(before) + 1} | ({2} if not before and bad.count("\t") < 2 else set())
    assert any(f"line {line}" in message for line in allowed)


TYPES = [".bed", ".bed.gz", ".narrowPeak", ".broadPeak", ".gff3", ".gtf"]
ROW = b'chr1\tx\tgene\t100\t300\t.\t+\t.\tgene_id "a";\n'


@often
@given(st.sampled_from(TYPES), st.binary(max_size=200) | spoilt(ROW * 3) | spoilt(gzip.compress(ROW * 3, mtime=0)))
def test_any_bytes_as_regions_make_a_message(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    findings, contents = check_regions_file(path, SIZES, SIZES, needed=False)
    assert_readable(findings)
    if contents is None:
        assert len(errors(findings)) == 1


# ---- FASTA ----------------------------------------------------------------------------------------------------------


@st.composite
def fasta_files(draw):
    names = draw(st.lists(st.from_regex(r"[A-Za-z0-9._-]{1,8}", fullmatch=True), min_size=1, max_size=4, unique=True))
    contigs = {name: draw(st.text("ACGTNacgtn", min_size=1, max_size=90)) for name in names}
    width = draw(st.integers(1, 60))
    lines = []
    for name, bases in contigs.items():
        lines.append(">" + name + draw(st.sampled_from(["", " a > b", "\tx"])))
        lines += [bases[start : start + width] for start in range(0, len(bases), width)]
    return {name: len(bases) for name, bases in contigs.items()}, "\n".join(lines) + "\n"


@often
@given(fasta_files(), st.sampled_from(["plain", "gzip", "indexed"]))
def test_good_fasta_files_pass(tmp_path, file, kind):
    sizes, text = file
    (tmp_path / "g.fa.fai").unlink(missing_ok=True)
    path = tmp_path / ("g.fa.gz" if kind == "gzip" else "g.fa")
    path.write_bytes(gzip.compress(text.encode(), 1) if kind == "gzip" else text.encode())
    if kind == "indexed":
        pysam.faidx(str(path))
    findings, found = check_fasta(path)
    assert set(statuses(findings)) == {"ok"}
    assert list(found.items()) == list(sizes.items())


@often
@given(fasta_files(), st.data())
def test_a_cut_fasta_file_with_its_index_is_an_error(tmp_path, file, data):
    _, text = file
    (tmp_path / "g.fa").write_text(text)
    pysam.faidx(str(tmp_path / "g.fa"))
    # The last line end may go: nothing is lost with it.
    (tmp_path / "g.fa").write_text(text[: data.draw(st.integers(0, len(text) - 2))])
    os.utime(tmp_path / "g.fa", (1, 1))
    findings, sizes = check_fasta(tmp_path / "g.fa")
    assert len(errors(findings)) == 1
    assert sizes is None


@often
@given(
    st.binary(max_size=300)
    | spoilt(b">chr1\nACGT\nAC\n>chr2\nGG\n")
    | spoilt(gzip.compress(b">a\nACGT\n" * 3, mtime=0))
)
def test_any_bytes_as_fasta_make_a_message(tmp_path, content):
    (tmp_path / "g.fa").write_bytes(content)
    findings, sizes = check_fasta(tmp_path / "g.fa")
    assert_readable(findings)
    assert (sizes is None) == bool(errors(findings))


@often
@given(spoilt(b"chr1\t6\t6\t4\t5\nchr2\t2\t20\t2\t3\n"))
def test_any_bytes_as_fasta_index_make_a_message(tmp_path, index):
    (tmp_path / "g.fa").write_bytes(b">chr1\nACGT\nAC\n>chr2\nGG\n")
    (tmp_path / "g.fa.fai").write_bytes(index)
    findings, sizes = check_fasta(tmp_path / "g.fa")
    assert_readable(findings)
    if not errors(findings):
        assert set(sizes.values()) <= {6, 2}


# ---- bigWig ---------------------------------------------------------------------------------------------------------


def write_bigwig(path, sizes, intervals):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(sizes.items()))
        for chrom, start, end, value in intervals:
            file.addEntries([chrom], [start], ends=[end], values=[float(value)])
    return path


@pytest.fixture(scope="module")
def bigwig(tmp_path_factory):
    rng = np.random.default_rng(1)
    intervals = [
        (chrom, start, start + 5, rng.random()) for chrom in ("chr1", "chr2") for start in range(0, 20_000, 7)[:2800]
    ]
    return write_bigwig(tmp_path_factory.mktemp("bigwig") / "a.bw", SIZES, intervals).read_bytes


@often
@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z0-9._-]{1,9}", fullmatch=True), st.integers(10, 2**31), min_size=1, max_size=40
    ),
    st.data(),
)
def test_contigs_of_good_bigwig_files(tmp_path, sizes, data):
    chosen = data.draw(st.sets(st.sampled_from(sorted(sizes)), min_size=1))
    filled = [chrom for chrom in sizes if chrom in chosen]  # in the order of the file
    write_bigwig(tmp_path / "a.bw", sizes, [(chrom, 0, 5, 1) for chrom in filled])
    with pyBigWig.open(str(tmp_path / "a.bw")) as file:
        expected = file.chroms()
    header = read_bigwig_header(tmp_path / "a.bw")
    assert header.sizes == expected == sizes
    assert set(header.filled) == set(filled)
    assert set(statuses(check_bigwig(tmp_path / "a.bw")[0])) == {"ok"}


@often
@given(st.data())
def test_a_cut_bigwig_file_is_an_error(tmp_path, bigwig, data):
    (tmp_path / "a.bw").write_bytes(bigwig()[: data.draw(st.integers(0, len(bigwig()) - 1))])
    findings, sizes = check_bigwig(tmp_path / "a.bw")
    assert len(errors(findings)) == 1
    assert sizes is None


@often
@given(st.data())
def test_a_damaged_bigwig_file_never_crashes(tmp_path, bigwig, data):
    content = data.draw(st.binary(max_size=100) | spoilt(bigwig(), first=700) | spoilt(bigwig()))
    (tmp_path / "a.bw").write_bytes(content)
    findings, _ = check_bigwig(tmp_path / "a.bw")
    assert_readable(findings)
    try:
        read_bigwig_header(tmp_path / "a.bw")
    except InputError:
        assert errors(findings)


# ---- alignments -----------------------------------------------------------------------------------------------------


@st.composite
def alignments(draw):
    """Reads sorted by contig and position: contig number, start, reverse."""
    lengths = list(SIZES.values())
    reads = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10**9), st.booleans()), min_size=1, max_size=60))
    return sorted((contig, start % (lengths[contig] - 50), reverse) for contig, start, reverse in reads)


def write_bam(path, reads, index=True):
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": name, "LN": size} for name, size in SIZES.items()]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as bam:
        for number, (contig, start, reverse) in enumerate(reads):
            read = pysam.AlignedSegment(bam.header)
            read.query_name, read.reference_id, read.reference_start = f"r{number}", contig, start
            read.query_sequence, read.cigarstring, read.is_reverse, read.mapping_quality = (
                "ACGTA" * 10,
                "50M",
                reverse,
                9,
            )
            bam.write(read)
    if index:
        pysam.index(str(path))
    return path


@seldom
@given(alignments())
def test_good_bam_files_pass(tmp_path, reads):
    findings, sizes = check_alignments(write_bam(tmp_path / "a.bam", reads))
    assert set(statuses(findings)) == {"ok"}
    assert sizes == SIZES


@pytest.fixture(scope="module")
def bam(tmp_path_factory):
    rng = np.random.default_rng(2)
    reads = sorted(
        (contig, int(start), bool(start % 2)) for contig in (0, 1) for start in rng.integers(0, 19_000, 3_000)
    )
    path = write_bam(tmp_path_factory.mktemp("bam") / "a.bam", reads)
    # Functions, because what a test receives is shown when it fails.
    return path.read_bytes, path.with_name("a.bam.bai").read_bytes


@seldom
@given(st.data())
def test_a_cut_bam_file_is_an_error(tmp_path, bam, data):
    content = bam[0]()
    (tmp_path / "a.bam").write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    (tmp_path / "a.bam.bai").write_bytes(bam[1]())
    findings, _ = check_alignments(tmp_path / "a.bam")
    assert len(errors(findings)) == 1
    assert_readable(findings)


@seldom
@given(st.integers(0, 10**6))
def test_a_cut_index_is_an_error(tmp_path, bam, place):
    (tmp_path / "a.bam").write_bytes(bam[0]())
    # Behind the last contig stands the number of reads without a place, which may be absent.
    (tmp_path / "a.bam.bai").write_bytes(bam[1]()[: place % (len(bam[1]()) - 8)])
    findings, _ = check_alignments(tmp_path / "a.bam")
    (message,) = errors(findings)
    assert "a.bam.bai" in message
    assert "samtools index" in message


@seldom
@given(st.data())
def test_damaged_alignments_never_crash(tmp_path, bam, data):
    which = data.draw(st.sampled_from([0, 1]))
    files = [read() for read in bam]
    files[which] = data.draw(spoilt(files[which], first=400) | spoilt(files[which]) | st.binary(max_size=100))
    (tmp_path / "a.bam").write_bytes(files[0])
    (tmp_path / "a.bam.bai").write_bytes(files[1])
    findings, _ = check_alignments(tmp_path / "a.bam")
    assert_readable(findings)


# ---- variants -------------------------------------------------------------------------------------------------------

VCF = (
    b"##fileformat=VCFv4.2\n##contig=<ID=chr1,length=40000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    + b"".join(b"chr1\t%d\t.\tA\tC\t5\tPASS\t.\n" % place for place in range(1, 9_000, 90))
)


@often
@given(st.binary(max_size=200) | spoilt(VCF, first=300) | spoilt(VCF) | spoilt(gzip.compress(VCF, mtime=0)))
def test_any_bytes_as_variants_make_a_message(tmp_path, capfd, content):
    (tmp_path / "a.vcf").write_bytes(content)
    findings, _ = check_variants(tmp_path / "a.vcf")
    assert_readable(findings)


# ---- a whole study --------------------------------------------------------------------------------------------------


@settings(seldom, max_examples=8)
@given(st.data())
def test_a_study_of_damaged_files_gives_a_table(tmp_path, bam, bigwig, data):
    contents = {
        "g.fa": b">chr1\n" + b"ACGT" * 10_000 + b"\n",
        "a.bam": bam[0](),
        "a.bam.bai": bam[1](),
        "a.bw": bigwig(),
    }
    contents |= {"a.bed": b"chr1\t5\t9\n" * 20, "a.vcf": VCF}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(data.draw(st.just(content) | spoilt(content) | spoilt(content, first=100)))
    types = {"bam": "bam", "bw": "bigWig", "bed": "bed", "vcf": "vcf"}
    tracks = [{"track": kind, "type": kind, "path": tmp_path / f"a.{suffix}"} for suffix, kind in types.items()]
    checks = inspect_study(tmp_path / "g.fa", ["chr1"], tracks, splits={"train": ["chr1"]})
    assert set(checks.findings["status"]) <= {"ok", "warning", "error"}
    assert list(checks.contigs["contig"]) == ["chr1", "others"]
