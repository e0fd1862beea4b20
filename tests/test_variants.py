"""Files of variants, read: every kind of file alike, one row an allele, and what the letters alone tell."""

import gzip
import random

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_variants import COLUMNS, record, write_vcf

from helpers.data.variants import Status, read_variant_header, read_variants
from helpers.errors import InputError

HEADER = [
    "##contig=<ID=chr1,length=1000>",
    "##contig=<ID=chr2>",
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="end of a symbolic allele">',
]
RECORDS = [
    record("chr1", 60, "A", "C", "rs1", "DP=3"),
    record("chr1", 10, "ac", "a", "rs2"),  # unsorted, small letters
    record("chr2", 7, "G", "T,GA,<DEL>"),
    record("chr1", 7, "G", "."),
]
EXPECTED = [
    ("chr1", 59, "rs1", "A", "C", Status.SCORED, 0),
    ("chr1", 9, "rs2", "AC", "A", Status.SCORED, 1),
    ("chr2", 6, ".", "G", "T", Status.SCORED, 2),
    ("chr2", 6, ".", "G", "GA", Status.SCORED, 2),
    ("chr2", 6, ".", "G", "<DEL>", Status.SYMBOLIC, 2),
    ("chr1", 6, ".", "G", ".", Status.NO_ALTERNATIVE, 3),
]


def rows_of(batches):
    rows, before = [], 0
    for batch in batches:
        columns = (batch.chroms, batch.starts, batch.names, batch.refs, batch.alts, batch.status, batch.records)
        assert len({len(column) for column in columns}) == 1
        rows += [(*row[:-1], row[-1] + before) for row in zip(*columns, strict=True)]
        before += len(batch.lines)
    return rows


def to_bcf(source, path):
    with pysam.VariantFile(str(source)) as file, pysam.VariantFile(str(path), "wb", header=file.header) as out:
        for line in file:
            out.write(line)
    return path


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip", "indexed", "bcf", "windows"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path, kind):
    path = write_vcf(tmp_path / "a.vcf", RECORDS, HEADER)
    if kind == "gzip":
        (tmp_path / "b.vcf.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = tmp_path / "b.vcf.gz"
    elif kind == "bgzip":
        path = write_vcf(tmp_path / "b.vcf.gz", RECORDS, HEADER)
    elif kind == "indexed":
        path = write_vcf(tmp_path / "c.vcf.gz", RECORDS[:1] * 2, HEADER)
        pysam.tabix_index(str(path), preset="vcf")
        assert rows_of(read_variants(path)) == [EXPECTED[0], (*EXPECTED[0][:-1], 1)]
        return
    elif kind == "bcf":
        path = to_bcf(path, tmp_path / "b.bcf")
    elif kind == "windows":
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert rows_of(read_variants(path)) == EXPECTED
    header = read_variant_header(path)
    assert header[0].startswith("##fileformat")
    assert header[-1] == COLUMNS
    assert set(HEADER) <= set(header)


def random_records(seed, n):
    rng = random.Random(seed)
    alleles = ["A", "C", "GT", "TTT", "ACGTAC", "<INS>", "*", "N", "a"]
    for number in range(n):
        alts = ",".join(rng.sample(alleles, rng.randint(1, 3)))
        yield record(rng.choice(["chr1", "chr2"]), rng.randint(0, 10**9), rng.choice(alleles[:5]), alts, f"id{number}")


@given(seed=st.integers(0, 10**6), n=st.integers(0, 40), size=st.integers(1, 50))
@settings(max_examples=25, deadline=None)
def test_rows_are_those_of_pysam_and_no_batch_size_changes_them(tmp_path_factory, seed, n, size):
    path = write_vcf(tmp_path_factory.mktemp("vcf") / "a.vcf", random_records(seed, n), HEADER)
    batches = list(read_variants(path, batch_size=size))
    assert all(size <= len(batch.refs) < size + 3 for batch in batches[:-1])
    assert all(len(batch.refs) for batch in batches)
    verbosity = pysam.set_verbosity(0)
    with pysam.VariantFile(str(path)) as file:
        expected = [
            (line.chrom, line.start, line.id, line.ref, alt.upper() if alt.isalpha() else alt, number)
            for number, line in enumerate(file)
            for alt in line.alts
        ]
    pysam.set_verbosity(verbosity)
    assert [(*row[:5], row[6]) for row in rows_of(batches)] == expected


@pytest.mark.parametrize(
    ("ref", "alt", "status"),
    [
        ("A", "C", "SCORED"),
        ("AC", "GT", "SCORED"),
        ("A", "ATTT", "SCORED"),
        ("acg", "a", "SCORED"),
        ("A", ".", "NO_ALTERNATIVE"),
        ("A", "", "NO_ALTERNATIVE"),
        ("N", ".", "NO_ALTERNATIVE"),
        ("A", "a", "SAME_AS_REFERENCE"),
        ("A", "<DEL>", "SYMBOLIC"),
        ("A", "<*>", "SYMBOLIC"),
        ("A", "*", "SYMBOLIC"),
        ("A", "A[chr2:5[", "SYMBOLIC"),
        ("A", "]chr2:5]A", "SYMBOLIC"),
        ("A", ".A", "SYMBOLIC"),
        ("A", "N", "AMBIGUOUS_LETTERS"),
        ("N", "A", "AMBIGUOUS_LETTERS"),
        ("N", "N", "AMBIGUOUS_LETTERS"),
        ("M", "A", "AMBIGUOUS_LETTERS"),
        ("ACR", "A", "AMBIGUOUS_LETTERS"),
        ("A", "AÅ", "AMBIGUOUS_LETTERS"),
    ],
)
def test_what_letters_tell(tmp_path, ref, alt, status):
    others = [record("chr1", 5, "ACGT", "A"), record("chr1", 5, "G", "GTTTTT")]
    path = write_vcf(tmp_path / "a.vcf", [others[0], record("chr1", 5, ref, alt), others[1]])
    (batch,) = read_variants(path)
    assert batch.status.tolist() == [Status.SCORED, Status[status], Status.SCORED]


def test_records_stay_as_they_are_and_samples_are_dropped_on_request(tmp_path):
    lines = [record("chr1", 6, "g", "t", info="DP=1;X=a b") + "\tGT:AD\t0/1:3,4\t./.:.", record("chr1", 9, "G", "C,T")]
    columns = f"{COLUMNS}\tFORMAT\tone\ttwo"
    path = write_vcf(tmp_path / "a.vcf", lines, HEADER, columns)
    (batch,) = read_variants(path)
    assert batch.lines == lines
    assert batch.records.tolist() == [0, 1, 1]
    assert read_variant_header(path)[-1] == columns
    (batch,) = read_variants(path, samples=False)
    assert batch.lines == [record("chr1", 6, "g", "t", info="DP=1;X=a b"), lines[1]]
    assert read_variant_header(path, samples=False) == read_variant_header(path)[:-1] + [COLUMNS]


def test_a_file_without_records_gives_no_batch(tmp_path):
    assert list(read_variants(write_vcf(tmp_path / "a.vcf", []))) == []
    assert list(read_variants(to_bcf(write_vcf(tmp_path / "a.vcf", [], HEADER), tmp_path / "a.bcf"))) == []


def test_many_blocks_of_text_keep_lines_and_their_numbers(tmp_path):
    lines = [record("chr1", number + 1, "A", "C", f"id{number}", "X=" + "y" * 100) for number in range(40_000)]
    path = write_vcf(tmp_path / "a.vcf", lines, HEADER)
    assert path.stat().st_size > 1 << 22  # what is read at once
    kept = [line for batch in read_variants(path) for line in batch.lines]
    assert kept == lines
    with path.open("a") as file:
        file.write("\n" + record("chr1", "x", "A", "C") + "\n")
    with pytest.raises(InputError, match=rf"line {len(lines) + len(HEADER) + 4}: .*whole number as POS"):
        list(read_variants(path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1\t5\t.\tA\tC\t.\t.", "at least 8 columns"),
        (record("chr1", "5.5", "A", "C"), "whole number as POS"),
        (record("chr1", -5, "A", "C"), "whole number as POS"),
        (record("chr1", 10**19, "A", "C"), "whole number as POS"),
        (record("chr1", "٥", "A", "C"), "whole number as POS"),
        (record("chr1", 5, "", "C"), "reference allele"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    path = write_vcf(tmp_path / "a.vcf", [RECORDS[0], line])
    with pytest.raises(InputError, match=rf"a\.vcf, line 4: .*{message}"):
        list(read_variants(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no VCF file"),
        (b"chr1\t5\t6\n", "no VCF file"),
        (b"##fileformat=VCFv4.2\nchr1\t5\t.\tA\tC\t.\t.\t.\n", "no VCF file"),
        (b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n", "no VCF file"),
        (gzip.compress(b"##fileformat=VCFv4.2\n" * 500, mtime=0)[:-20], "damaged or cut short"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path, content, message):
    (tmp_path / "a.vcf").write_bytes(content)
    for read in (lambda path: list(read_variants(path)), read_variant_header):
        with pytest.raises(InputError, match=message):
            read(tmp_path / "a.vcf")


@pytest.mark.parametrize("kind", ["vcf.gz", "bcf"])
def test_a_file_that_was_cut_short_is_refused(tmp_path, kind):
    records = [record("chr1", number + 1, *random.Random(number).sample("ACGT", 2)) for number in range(20_000)]
    path = write_vcf(tmp_path / "a.vcf.gz", records, HEADER)
    path = to_bcf(path, tmp_path / "a.bcf") if kind == "bcf" else path
    for cut in (len(path.read_bytes()) - 28, len(path.read_bytes()) // 2):  # its end mark; in the middle of a block
        (tmp_path / f"cut.{kind}").write_bytes(path.read_bytes()[:cut])
        with pytest.raises(InputError, match="cut short"):
            list(read_variants(tmp_path / f"cut.{kind}"))


def test_a_missing_file_and_an_empty_batch_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read the file"):
        list(read_variants(tmp_path / "none.vcf"))
    path = write_vcf(tmp_path / "a.vcf", RECORDS)
    with pytest.raises(InputError, match="batch_size=0"):
        next(read_variants(path, batch_size=0))


def test_alleles_are_described_as_the_file_has_them(tmp_path):
    (batch,) = read_variants(write_vcf(tmp_path / "a.vcf", [record("chr1", 5, "A" * 30, "C"), RECORDS[0]]))
    assert [batch.describe(0), batch.describe(1)] == [f"chr1:5:{'A' * 20}...:C", "chr1:60:A:C"]
    assert batch.texts(np.array([1])) == [["chr1"], ["rs1"], ["A"], ["C"]]
