"""Region files as tools write them and as they arrive damaged; regions of other libraries; the trim command."""

import collections
import gzip
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.data import trim
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
