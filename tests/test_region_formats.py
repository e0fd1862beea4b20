"""Region files as tools write them and as they arrive damaged; regions of other libraries; the trim command."""

import collections
import gzip
import itertools
import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.data import trim
from helpers.data.contigs import read_blocks, read_text
from helpers.data.region_files import read_region_lines
from helpers.data.region_lines import find_feature
from helpers.data.regions import read_regions, region_table, trim_regions, write_regions
from helpers.errors import InputError

slowly = settings(max_examples=150, deadline=None)


def triples(regions):
    return [tuple(row) for row in regions[["chrom", "start", "end"]].to_numpy(dtype=object).tolist()]


def written(tmp_path, text, name="regions.bed"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# ---- files ----------------------------------------------------------------------------------------------------------


def test_a_contig_named_track_is_kept_in_a_gtf_file(tmp_path):
    path = written(tmp_path, 'track\tx\tgene\t5\t9\t.\t+\t.\tgene_id "a";\ntrack name=genes\n', "a.gtf")
    assert triples(read_regions(path)) == [("track", 4, 9)]


@pytest.mark.parametrize("name", ["007", "1.", "1e5", "+5", "nan", "NA", "True", "None", "1_0"])
def test_names_of_contigs_are_text_whatever_they_look_like(tmp_path, name):
    regions = read_regions(written(tmp_path, f"{name}\t1\t5\t{name}\n" * 2))
    assert regions["chrom"].tolist() == regions["name"].tolist() == [name] * 2
    feature = read_regions(written(tmp_path, f"{name}\tx\t{name}\t1\t5\t.\t+\t.\tID={name}\n", "a.gff"))
    assert feature[["chrom", "feature", "name"]].to_numpy().tolist() == [[name] * 3]


@pytest.mark.parametrize(
    "line", ["track\tname=x\tdescription=y", "track name=x", "browser\tposition\tchr1:1-5", "track", "track\t\t"]
)
def test_track_lines_hold_no_region_however_they_are_separated(tmp_path, line):
    text = f"{line}\ntrack\t5\t9\nbrowser\t1\t2\ntr\t3\t4\nbrain\t5\t6\n"
    assert triples(read_regions(written(tmp_path, text))) == [
        ("track", 5, 9),
        ("browser", 1, 2),
        ("tr", 3, 4),
        ("brain", 5, 6),
    ]


def test_ten_columns_are_a_narrow_peak_only_where_they_fit(tmp_path):
    peak = "c1\t100\t200\tp\t0\t.\t8\t1\t2\t40"
    assert read_regions(written(tmp_path, peak))["summit"].tolist() == [140]
    assert "summit" not in read_regions(written(tmp_path, peak), format="bed")
    other = read_regions(written(tmp_path, "c1\t100\t200\tp\t0\t.\t100\t200\t0,0,0\tgene"))
    assert list(other.columns) == ["chrom", "start", "end", "name", "score", "strand"]


def test_blocked_gzip_is_read_and_a_cut_one_is_refused(tmp_path):
    plain = written(tmp_path, "".join(f"c1\t{start}\t{start + 5}\n" for start in range(20_000)))
    pysam.tabix_compress(str(plain), str(tmp_path / "b.bed.gz"))
    whole = (tmp_path / "b.bed.gz").read_bytes()
    assert triples(read_regions(tmp_path / "b.bed.gz")) == triples(read_regions(plain))
    (tmp_path / "b.bed.gz").write_bytes(whole[:-28])  # whole blocks are left: without the check, rows would be lost
    with pytest.raises(InputError, match="b.bed.gz: the file is cut short: it lacks the end mark of bgzip"):
        read_regions(tmp_path / "b.bed.gz")


def test_variants_cover_their_reference_as_pysam_says(tmp_path):
    header = "##fileformat=VCFv4.2\n##contig=<ID=c1,length=900>\n"
    header += '##INFO=<ID=END,Number=1,Type=Integer,Description="end">\n##ALT=<ID=DEL,Description="deletion">\n'
    header += '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    header += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\n"
    rows = ["c1\t1\trs1\tA\tG", "c1\t5\t.\tACGT\tA,AC", "c1\t9\tsv\tN\t<DEL>"]
    infos = [".", "DP=4;XEND=7", "AF=1;END=60"]
    text = header + "".join(
        f"{row}\t.\tPASS\t.\tGT\t0/1\n".replace("PASS\t.", f"PASS\t{i}") for row, i in zip(rows, infos, strict=True)
    )
    path = written(tmp_path, text.replace("DP=4;XEND=7", "."), "a.vcf")
    regions = read_regions(path)
    with pysam.VariantFile(str(path)) as variants:
        assert triples(regions) == [(record.chrom, record.start, record.stop) for record in variants]
    assert triples(regions) == [("c1", 0, 1), ("c1", 4, 8), ("c1", 8, 60)]
    assert triples(read_regions(written(tmp_path, text, "b.vcf"))) == triples(regions)
    assert regions["name"].tolist() == ["rs1", ".", "sv"]
    assert len(regions.columns) == 6
    assert len(read_regions(written(tmp_path, header, "empty.vcf"))) == 0


@pytest.mark.parametrize(
    ("column", "value"), [("chrom", "#c1"), ("chrom", "c\t1"), ("name", "a\tb"), ("name", "a\nb"), ("name", "a\rb")]
)
def test_text_that_a_bed_file_cannot_hold_is_refused(tmp_path, column, value):
    regions = region_table(["c1"], [1], [5]).assign(**{column: value})
    with pytest.raises(InputError, match=re.escape(f"cannot hold the {column} {value!r}")):
        write_regions(regions, tmp_path / "a.bed")
    assert list(tmp_path.iterdir()) == []


FIELDS = st.one_of(
    st.sampled_from(
        ["c1", "track", "0", "5", "9", "12", "-1", "+", "-", ".", "", " ", "1.5", "nan", "inf", "1e400", "#"]
    ),
    st.integers(-5, 10**20).map(str),
    st.text(max_size=4),
)
ROWS = st.lists(st.lists(FIELDS, min_size=1, max_size=11).map("\t".join), max_size=6)


@slowly
@given(
    ROWS.map("\n".join).map(str.encode) | st.binary(max_size=80), st.sampled_from(["bed", "narrowPeak", "gtf", "vcf"])
)
@example(b"c1\t1\t5\n\xff\xfec\x00", "bed")
@example(b"c1\t1\t5\r\rc1\t7\t9", "bed")
@example(b'c1\tx\tgene\t1\t9\t.\t+\t.\t"', "gtf")
def test_any_bytes_are_regions_or_an_input_error(tmp_path_factory, data, ending):
    path = tmp_path_factory.mktemp("fuzz") / f"a.{ending}"
    path.write_bytes(data)
    try:
        regions = read_regions(path)
    except InputError:
        return
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text = text.partition(b"\n##FASTA")[0] if ending == "gtf" else text
    lines = [line for line in text.split(b"\n") if line.strip() and not line.startswith(b"#")]
    lines = [
        line
        for line in lines
        if line.split()[0] not in (b"track", b"browser")
        or (line.split()[1:2] or [b""])[0].isdigit()
        or line.count(b"\t") >= 8
    ]
    assert len(regions) == len(lines)
    assert (regions["start"] >= 0).all()
    assert (regions["start"] < regions["end"]).all()


@slowly
@given(
    st.lists(
        st.tuples(
            st.text("abc_.1 ", min_size=1, max_size=5).filter(str.strip),
            st.integers(0, 10**9),
            st.integers(1, 10**9),
            st.text("xy ,;=|", max_size=4),
            st.integers(0, 1000),
            st.sampled_from("+-."),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(3, 6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_valid_bed_files_are_read_as_written(tmp_path_factory, rows, width, newline, last, compressed, data):
    rows = [(chrom, start, start + length, *rest) for chrom, start, length, *rest in rows]
    lines = []
    for row in rows:
        noise = st.lists(st.sampled_from(["", "# c1\t1\t2", "track name=a", "  ", "browser hide all"]), max_size=2)
        lines += [*data.draw(noise), "\t".join(map(str, row[:width]))]
    text = (newline.join(lines) + newline * last).encode()
    path = tmp_path_factory.mktemp("bed") / "a.bed"
    path.write_bytes(gzip.compress(text) if compressed else text)
    regions = read_regions(path)
    expected = [(*row[:width], *(".", 0, ".")[width - 3 :]) for row in rows]
    expected = [
        (chrom, start, end, name or ".", float(score), strand) for chrom, start, end, name, score, strand in expected
    ]
    assert [tuple(row) for row in regions.to_numpy(dtype=object).tolist()] == expected


# ---- one feature of an annotation ------------------------------------------------------------------------------------


def record(feature="gene", start=5, chrom="c1", name="g"):
    return f'{chrom}\tgene\t{feature}\t{start}\t{start + 4}\t.\t+\t.\tgene_id "{name}"; note "\u00e9 gene";'


PACKED = ("plain", "gzip", "two gzip members", "bgzip")
OTHERS = [record("exon"), record("genes"), record(""), record("exon", chrom="gene"), record("transcript")]
NO_RECORDS = ["", " ", "#\tx\tgene\t1\t5\t.\t+\t.\t.", "track\tx\tgene\tname", "# gene", "browser hide\t\tgene\t"]


def packed(path, text, how):
    if how == "bgzip":
        with pysam.BGZFile(str(path), "wb") as file:
            file.write(text)
        return path
    parts = [text] if how == "gzip" else [text[: len(text) // 2], text[len(text) // 2 :]]
    path.write_bytes(text if how == "plain" else b"".join(gzip.compress(part, mtime=0) for part in parts))
    return path


def slow_gene_lines(text):
    """Give number and text of each line of genes, by a loop over all lines."""
    text = text.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").partition(b"\n##FASTA")[0]
    columns = [(number, line.split("\t")) for number, line in enumerate(text.decode().split("\n"), 1)]
    return [(number, line) for number, line in columns if line[2:3] == ["gene"] and len(line) == 9 and line[0] != "#"]


def assert_genes_as_in_the_whole(path, text, sizes):
    expected = slow_gene_lines(text)
    for n_bytes in sizes:
        blocks = list(read_blocks(path, cut_at=b"\n##FASTA", n_bytes=n_bytes))
        assert b"".join(blocks) == read_text(path, cut_at=b"\n##FASTA")
        lines = find_feature(path, "gene", n_bytes=n_bytes)
        found = [lines.fields(row) for row in range(len(lines.numbers))]
        assert list(zip(lines.numbers.tolist(), found, strict=True)) == expected
    regions, numbers = read_region_lines(path)
    is_wanted = (regions["feature"] == "gene").to_numpy()
    genes, gene_numbers = read_region_lines(path, feature="gene")
    pd.testing.assert_frame_equal(genes, regions[is_wanted].reset_index(drop=True))
    assert gene_numbers.tolist() == numbers[is_wanted].tolist() == [number for number, _ in expected]
    pd.testing.assert_frame_equal(read_regions(path, feature="gene"), genes)


@pytest.mark.parametrize("how", PACKED)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_genes_are_found_wherever_a_block_ends(tmp_path, how, end):
    lines = ["#!x", record(name="a"), *OTHERS[:2], "", record(name="b"), record(name="c"), NO_RECORDS[2], OTHERS[3]]
    lines += [record(name="d", start=50), "##FASTA", ">c1\tx\tgene\t1\t9\t.\t+\t.\tx", "ACGT" * 9, ""]
    text = b"\xef\xbb\xbf" + end.join(lines).encode()
    assert [number for number, _ in slow_gene_lines(text)] == [2, 6, 7, 10]
    assert_genes_as_in_the_whole(packed(tmp_path / "a.gff3", text, how), text, range(1, len(text) + 2))


@slowly
@given(
    st.lists(
        st.tuples(
            st.just(record()) | st.sampled_from(OTHERS) | st.sampled_from(NO_RECORDS),
            st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n"]),
        ),
        max_size=9,
    ),
    st.sampled_from(["", "##FASTA\n>c1\nACGT", "##FASTA", "###FASTA", "##FASTA of c1\r\n" + record()]),
    st.booleans(),
    st.sampled_from(PACKED),
    st.lists(st.integers(1, 900), min_size=3, max_size=3),
)
def test_genes_alone_are_those_of_the_whole_file(tmp_path_factory, lines, tail, mark, how, sizes):
    text = "".join(line + end for line, end in [*lines, (record(name="last"), "\n" * bool(tail))]) + tail
    text = b"\xef\xbb\xbf" * mark + text.encode()
    path = packed(tmp_path_factory.mktemp("gff") / "a.gff3.gz", text, how)
    assert_genes_as_in_the_whole(path, text, sizes)


@pytest.mark.parametrize("feature", ["exon", "gen", "a\tb", "a\nb", "gene\n", "."])
def test_any_text_may_be_a_feature(tmp_path, feature):
    path = written(tmp_path, "\n".join([record("gen"), record("."), record("exon"), record("a")]), "a.gtf")
    expected = [name for name in ("gen", ".", "exon") if name == feature]
    if expected:
        assert read_regions(path, feature=feature)["feature"].tolist() == expected
    else:
        with pytest.raises(InputError, match="there are no records of the feature"):
            read_regions(path, feature=feature)


def test_a_wrong_line_of_the_feature_is_named_as_in_the_whole_file(tmp_path):
    others = f"{OTHERS[0]}{' ' * 1000}\r\n" * 5000  # more than a block of 4 MiB
    text = f"# made\r\n{others}{record()}\r\n{others}\r\n"
    for wrong, message in (
        (record(start=-3), "start is negative"),
        (record().replace("\t5\t", "\t5x\t"), "start must be a whole number. Received: '5x' in column 4"),
        (record().replace("\t+\t", "\tplus\t"), "strand must be"),
        (record() + "\tx", "10 columns, but 9 in line "),
        (record().rpartition("\t")[0], "8 columns, but 9 in line "),
    ):
        path = written(tmp_path, f"{text}{wrong}\r\n{others}", "a.gtf")
        errors = []
        for options in ({}, {"feature": "gene"}):
            with pytest.raises(InputError, match=f"a.gtf, line 10004: {message}") as error:
                read_regions(path, **options)
            errors.append(str(error.value))
        assert errors[0].replace("but 9 in line 2.", "but 9 in line 5002.") == errors[1]


def test_mistakes_in_other_records_are_passed_over(tmp_path):
    wrong = [record("exon", start=-9), record("exon") + "\tx", "c1 x exon 1 5", record("exon").replace("+", "plus")]
    path = written(tmp_path, "\n".join([*wrong, record(name="a"), *wrong, record(name="b")]), "a.gtf")
    regions, lines = read_region_lines(path, feature="gene")
    assert regions["name"].tolist() == ["a", "b"]
    assert lines.tolist() == [5, 10]
    with pytest.raises(InputError, match="a.gtf, line 2: 10 columns"):
        read_regions(path)


@pytest.mark.parametrize("how", ["gzip", "bgzip"])
def test_damaged_annotations_are_refused_as_in_the_whole(tmp_path, how):
    text = "".join(record(start=start) + "\n" for start in range(1, 3000)) + "##FASTA\n>c1\n" + "ACGT\n" * 2_000_000
    whole = packed(tmp_path / "a.gff.gz", text.encode(), how).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    spoilt = [whole[:length] for length in (2, 10, 19, len(whole) // 2, len(whole) - 28, len(whole) - 1)]
    for content in (*spoilt, bytes(flipped), whole[:-8] + bytes(8) if how == "gzip" else whole[:-28], whole + b"x"):
        (tmp_path / "a.gff.gz").write_bytes(content)
        for options in ({}, {"feature": "gene"}):
            with pytest.raises(InputError, match=r"a.gff.gz: the (gzipped )?file is (damaged or )?cut short"):
                read_regions(tmp_path / "a.gff.gz", **options)


def test_what_is_no_annotation_is_said_as_in_the_whole(tmp_path):
    (tmp_path / "folder.gtf").mkdir()
    utf16 = written(tmp_path, record().encode("utf-16"), "b.gtf")
    spaced = written(tmp_path, record().replace("\t", " "), "c.gtf")
    narrow = written(tmp_path, f"#\n{record('exon')}\n{record('exon')[:-40]}\nc1\tx\tgene", "d.gtf")
    for path in (tmp_path / "absent.gtf", tmp_path / "folder.gtf", utf16, spaced, narrow):
        errors = []
        for options in ({}, {"feature": "gene"}):
            with pytest.raises(InputError, match=path.name) as error:
                read_regions(path, **options)
            errors.append(str(error.value))
        assert errors[0] == errors[1]
    padded = f"{OTHERS[0]}{' ' * 1000}\n" * 5000  # more than a block of 4 MiB
    late = written(tmp_path, f"{padded}\n{record('exon')}\tx\n", "e.gtf")
    for options in ({}, {"feature": "gene"}):
        with pytest.raises(InputError, match="e.gtf, line 5002: 10 columns, but 9 in line [1-9]"):
            read_regions(late, **options)


def test_a_file_without_the_feature_names_those_that_it_has(tmp_path):
    text = "\n".join(["#", *[OTHERS[0]] * 30_000, record("CDS"), NO_RECORDS[2], record("exon"), "##FASTA", record("x")])
    path = packed(tmp_path / "a.gff.gz", text.encode(), "gzip")
    with pytest.raises(
        InputError, match=r"a.gff.gz: there are no records of the feature gene, only exon \(30001\), CDS"
    ):
        read_regions(path, feature="gene")
    for nothing in ("", "# made\n", "##gff-version 3\n##FASTA\n" + record()):
        with pytest.raises(InputError, match="no records of the feature gene, nor any others"):
            read_regions(written(tmp_path, nothing, "b.gff"), feature="gene")
    many = written(tmp_path, "\n".join(record(f"f{number}") for number in range(12)), "c.gff")
    with pytest.raises(InputError, match=r"f9 \(1\) and 2 more"):
        read_regions(many, feature="gene")


def test_only_files_of_gff_and_gtf_have_features(tmp_path):
    for name in ("a.bed", "a.narrowPeak", "a.vcf", "a.txt"):
        path = written(tmp_path, record(), name)
        with pytest.raises(InputError, match=f"{name}: .* these regions have no features. Use a GFF or GTF"):
            read_regions(path, feature="gene")
    assert len(read_regions(path, format="gtf", feature="gene")) == 1
    with pytest.raises(InputError, match="Received: list, feature='gene'"):
        read_regions([("c1", 5, 9)], feature="gene")


def test_other_records_take_no_memory(tmp_path):
    exons = "".join(f"{record('exon', start)}{' ' * 300}\n" for start in range(3000))
    exons = exons.replace("\tgene\t", "\tx\t").encode()  # 1.1 MB
    members = [gzip.compress(exons)] * 180
    genes = [gzip.compress(f"{record(name=number)}\n".encode()) for number in range(180)]
    (tmp_path / "a.gtf.gz").write_bytes(b"".join(itertools.chain(*zip(members, genes, strict=True))))
    del members, genes
    tracemalloc.start()
    try:
        regions, lines = read_region_lines(tmp_path / "a.gtf.gz", feature="gene")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(exons) * 180 > 190e6
    assert peak < 25e6
    assert regions["name"].tolist() == [str(number) for number in range(180)]
    assert lines.tolist() == list(range(3001, 180 * 3001 + 1, 3001))


# ---- other libraries ------------------------------------------------------------------------------------------------


def test_lists_of_regions():
    Interval = collections.namedtuple("Interval", "name end start chrom strand")
    for regions in (
        [("c1", 5, 9, "-"), ("c2", 1, 4)],
        (["c1", np.int32(5), 9, "-"], Interval("x", 4, 1, "c2", ".")),
    ):
        table = read_regions(regions)
        assert triples(table) == [("c1", 5, 9), ("c2", 1, 4)]
        assert table["strand"].tolist() == ["-", "."]
    assert len(read_regions([])) == 0


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ([("c1", 1)], r"item 0: give \(chrom, start, end\)"),
        ([("c1", 1, 5), "c1:1-5"], "item 1: give .* Received: 'c1:1-5'"),
        ([("c1", 1.5, 5)], "item 0: give"),
        ([("c1", 1, 10**30)], "item 0: a position beyond any contig"),
        ([("c1", 1, 5), ("c1", 7, 5)], "row 1: start must be smaller than end"),
        ([("c1", 1, 5, "plus")], "row 0: strand must be"),
    ],
)
def test_bad_lists(regions, message):
    with pytest.raises(InputError, match=message):
        read_regions(regions)


def test_odd_tables_are_refused_with_a_word():
    frame = pd.DataFrame({"chrom": ["c1"], "start": [1], "end": [5]})
    with pytest.raises(InputError, match="column chrom twice"):
        read_regions(frame.assign(Chromosome="c1"))
    with pytest.raises(InputError, match="start must hold whole numbers. Received: missing values"):
        read_regions(frame.assign(start=pd.array([None], dtype="Int64")))
    with pytest.raises(InputError, match="end lies beyond any contig"):
        read_regions(frame.assign(end=np.array([2**64 - 1], dtype=np.uint64)))
    numbered = frame.assign(start=pd.array([1], dtype="Int64"))
    numbered[7] = "kept"
    assert read_regions(numbered)[7].tolist() == ["kept"]


def test_a_subclass_of_data_frame_is_read_and_left_alone():
    class Ranges(pd.DataFrame):  # as pyranges1 makes it
        @property
        def _constructor(self):
            return Ranges

    ranges = Ranges({"Chromosome": ["c1"], "Start": [5], "End": [9], "Strand": ["-"]})
    regions = read_regions(ranges)
    assert type(regions) is pd.DataFrame
    assert triples(regions) == [("c1", 5, 9)]
    assert list(ranges.columns) == ["Chromosome", "Start", "End", "Strand"]


def test_bed_tools_of_every_kind_of_file(tmp_path):
    pybedtools = pytest.importorskip("pybedtools")
    gtf = 'c1\tx\tgene\t5\t9\t.\t-\t.\tgene_id "a";\n'
    vcf = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nc1\t5\ta\tACG\tA\t.\t.\t.\n"
    bed = "c1\t5\t9\ta\t0\t-\nc2\t1\t4\tb\t0\t+\n"
    for text, expected in (
        (bed, [("c1", 5, 9), ("c2", 1, 4)]),
        (gtf, [("c1", 4, 9)]),
        (vcf, [("c1", 4, 7)]),
        ("", []),
    ):
        tool = pybedtools.BedTool(str(written(tmp_path, text, "made.tmp")))
        assert triples(read_regions(tool)) == expected
        if text and text != vcf:  # of a variant pybedtools gives one base, whatever its reference allele
            assert expected == [(interval.chrom, interval.start, interval.end) for interval in tool]
    tool = pybedtools.BedTool(bed, from_string=True)
    assert triples(read_regions(list(tool))) == triples(read_regions(tool))
    assert read_regions(list(tool))["strand"].tolist() == ["-", "+"]
    genes = pybedtools.BedTool(str(written(tmp_path, gtf + gtf.replace("gene", "exon"), "made.tmp")))
    assert triples(read_regions(genes, feature="gene")) == [("c1", 4, 9)]
    stream = tool.filter(lambda interval: interval.start > 1)
    assert triples(read_regions(stream)) == [("c1", 5, 9)]
    assert read_regions(pybedtools.BedTool(bed.replace("\n", "\tx\ty\tz\t5\n"), from_string=True)).shape == (2, 6)


# ---- the trim command -----------------------------------------------------------------------------------------------


def test_trim_writes_what_the_library_call_gives(tmp_path, capsys):
    source = written(tmp_path, "c2\t3\t120\ta\t7\t-\nc1\t60\t99\tb\t0\t.\nc1\t100\t200\tc\t0\t+\n")
    trim.main([str(source), str(tmp_path / "new/out.bed"), "--divisible-by", "50"])
    assert (tmp_path / "new/out.bed").read_text() == "c2\t50\t100\ta\t7\t-\nc1\t100\t200\tc\t0\t+\n"
    assert capsys.readouterr().err == "2 regions kept; dropped, without 50 bp on the grid: 1\n"
    expected, n_dropped = trim_regions(read_regions(source), 50)
    assert n_dropped == 1
    pd.testing.assert_frame_equal(read_regions(tmp_path / "new/out.bed"), expected)


def test_trim_says_what_is_wrong_without_a_traceback(tmp_path):
    for source, by, message in (("absent.bed", "5", "absent.bed: cannot read"), ("a.bed", "0", "multiple=0")):
        written(tmp_path, "c1\t1\t9\n", "a.bed")
        command = [sys.executable, "-m", "helpers.data.trim", str(tmp_path / source), str(tmp_path / "out.bed")]
        done = subprocess.run([*command, "--divisible-by", by], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("ERROR: ")
        assert message in done.stderr
        assert not (tmp_path / "out.bed").exists()


def test_a_track_is_trimmed_on_demand(own_files, run_workflow):
    folder, config, files = own_files
    done = run_workflow(folder, config, "results/own/trimmed/jund_peaks.50bp.bed")
    assert done.returncode == 0, done.stdout
    expected, _ = trim_regions(read_regions(files / "jund_peaks.narrowPeak.gz"), 50)
    assert triples(read_regions(folder / "results/own/trimmed/jund_peaks.50bp.bed")) == triples(expected)
    assert "regions kept; dropped" in (folder / "results/own/logs/trimmed/jund_peaks.50bp.log").read_text()
