"""Records read as arrays against pysam's, however a writer cut the file into blocks, and damaged files."""

import io
import struct
import zlib

import numpy as np
import pysam
import pytest
from alignment_files import random_reads, slow_bases, write_alignments

from helpers.data import bam_records, bgzf
from helpers.data.bam import count_bam
from helpers.data.bgzf import BlockReader
from helpers.errors import InputError

END_MARK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@pytest.fixture(scope="module")
def reads_bam(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    return write_alignments(folder / "reads.bam", random_reads(np.random.default_rng(5), 4000))


def block(content, *, checksum=None):
    """Make one BGZF block."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = compressor.compress(content) + compressor.flush()
    header = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\6\0BC\2\0" + struct.pack("<H", 18 + len(body) + 8 - 1)
    footer = struct.pack("<II", zlib.crc32(content) if checksum is None else checksum, len(content))
    return header + body + footer


def recut(path, out, size):
    """Write a BAM file anew, in blocks of `size` bytes wherever records end."""
    with pysam.BGZFile(str(path)) as file:
        content = file.read()
    pieces = [block(content[start : start + size]) for start in range(0, len(content), size)]
    out.write_bytes(b"".join(pieces) + END_MARK)
    return out


def read_columns(path, names=("flag", "mapq", "contig", "start", "mate_contig", "length")):
    with pysam.AlignmentFile(str(path)) as file:
        first, n_contigs = file.tell(), file.nreferences
    batches = [batch.fields[list(names)] for batch in bam_records.read_records(path, first, n_contigs)]
    return sorted(row for batch in batches for row in batch.tolist())


def slow_columns(path):
    with pysam.AlignmentFile(str(path)) as file:
        return sorted(
            (
                read.flag,
                read.mapping_quality,
                read.reference_id,
                read.reference_start,
                read.next_reference_id,
                read.template_length,
            )
            for read in file.fetch(until_eof=True)
        )


@pytest.mark.parametrize("n_blocks", [1, 2, 256])
@pytest.mark.parametrize("size", [None, 1, 37, 1000, 60_000])
def test_records_are_found_wherever_blocks_end(reads_bam, tmp_path, monkeypatch, size, n_blocks):
    monkeypatch.setattr(bam_records, "BLOCKS_AT_ONCE", n_blocks)
    if size == 1:  # a block for each byte: fewer reads
        reads_bam = write_alignments(tmp_path / "few.bam", random_reads(np.random.default_rng(6), 20))
    path = reads_bam if size is None else recut(reads_bam, tmp_path / "cut.bam", size)
    assert read_columns(path) == slow_columns(reads_bam)


def test_chains_are_walked_in_step_where_blocks_begin_with_records(reads_bam, tmp_path, monkeypatch):
    monkeypatch.setattr(bam_records, "_walk_chain", None)  # one chain: not for files of htslib
    assert read_columns(reads_bam) == slow_columns(reads_bam)
    with pytest.raises(TypeError):
        read_columns(recut(reads_bam, tmp_path / "cut.bam", 1000))


def test_empty_blocks_are_passed_over(reads_bam, tmp_path):
    path = tmp_path / "empty_blocks.bam"
    with pysam.BGZFile(str(reads_bam)) as file:
        content = file.read()
    pieces = [block(content[start : start + 5000]) for start in range(0, len(content), 5000)]
    path.write_bytes(END_MARK.join(pieces) + END_MARK + END_MARK)
    assert read_columns(path) == slow_columns(reads_bam)


@pytest.mark.parametrize("library", [zlib, bgzf.zlib], ids=lambda library: library.__name__)
def test_blocks_are_the_bytes_that_pysam_reads(reads_bam, monkeypatch, library):
    monkeypatch.setattr(bgzf, "zlib", library)
    pieces, tail = [], np.zeros(0, dtype=np.uint8)
    with reads_bam.open("rb") as file:
        reader = BlockReader(file, n_blocks=2)
        while (read := reader.read(tail))[2]:
            buffer, end, starts = read
            assert starts[0] == len(tail)
            pieces.append(bytes(buffer[len(tail) : end]))
            tail = buffer[end - 5 : end]
    with pysam.BGZFile(str(reads_bam)) as file:
        assert b"".join(pieces) == file.read()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (block(b"abc"), "no end mark"),
        (block(b"abc", checksum=1) + END_MARK, "damaged"),
        (block(b"abc" * 500)[:-3], "not complete"),
        (block(b"abc") + b"garbage that is longer than a header", "no block begins"),
        (block(b"abc") + END_MARK[:7], "no block begins"),
        (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0XX\2\0\0\0", "no block begins"),
    ],
)
def test_damaged_blocks_are_an_error(content, message):
    reader = BlockReader(io.BytesIO(content), n_blocks=4)
    with pytest.raises(OSError, match=message):
        reader.read(np.zeros(0, dtype=np.uint8))


def damage(path, out, change):
    """Change the decompressed bytes of a BAM file; `change` gets them and where the first record begins."""
    with pysam.AlignmentFile(str(path)) as file:
        file.fetch(until_eof=True)
        voffset = file.tell()
    with pysam.BGZFile(str(path)) as file:
        content = bytearray(file.read())
    with pysam.BGZFile(str(path)) as file:
        file.seek(voffset)
        first = len(content) - len(file.read())
    change(content, first)
    pieces = [block(bytes(content[start : start + 60_000])) for start in range(0, len(content), 60_000)]
    out.write_bytes(b"".join(pieces) + END_MARK)
    return out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content, first: content.__setitem__(slice(first, first + 4), b"\xff\xff\xff\xff"), "2 GiB"),
        (lambda content, first: content.__setitem__(slice(first, first + 4), b"\x01\0\0\0"), "impossible|ends within"),
        (lambda content, first: content.__setitem__(slice(first + 4, first + 8), b"\x63\0\0\0"), "impossible fields"),
        (lambda content, first: content.__delitem__(slice(len(content) - 3, None)), "ends within an alignment"),
    ],
)
def test_damaged_records_are_an_error(tmp_path, reads_bam, change, message):
    path = damage(reads_bam, tmp_path / "bad.bam", change)
    with pytest.raises(InputError, match=rf"bad\.bam is truncated or damaged .*({message})"):
        count_bam(path, resolution=10)


@pytest.mark.parametrize("count", ["five_prime", "span", "fragment"])
def test_cigars_of_more_than_65535_operations_are_read_from_their_tag(tmp_path, count):
    path = tmp_path / "long.bam"
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr1", "LN": 500_000}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for flag, cigar in (
            (0, "1M1D1M1N" * 20_000 + "5M"),
            (16, "2M1I3N" * 30_000 + "2M"),
            (16, "10S5M"),
            (0, "4S9N"),
        ):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.flag, read.reference_id, read.reference_start = "a", flag, 0, 100
            read.cigarstring, read.mapping_quality = cigar, 9
            read.query_sequence = "A" * read.infer_query_length()
            read.set_tags([("XB", [1, 2, 3], None), ("XZ", "text"), ("XI", 7)])
            file.write(read)
    counts, summary = count_bam(path, resolution=1, count=count)
    assert summary.reads == 4
    assert summary.dropped["no_cigar"] == (1 if count == "span" else 0)  # 4S9N aligns no base
    if count == "span":
        expected = slow_bases(path, {"chr1": 500_000}, count=count)["chr1"]
    else:
        expected = np.zeros((500_000, 2), dtype=int)
        with pysam.AlignmentFile(str(path)) as file:
            for read in file.fetch(until_eof=True):
                whole = slice(read.reference_start, read.reference_end)
                end = slice(whole.stop - 1, whole.stop) if read.is_reverse else slice(whole.start, whole.start + 1)
                expected[whole if count == "fragment" else end, int(read.is_reverse)] += 1
    np.testing.assert_array_equal(counts["chr1"], expected)
