"""Pre-flight of bigWig, CRAM and VCF files, of strands and assemblies: each mistake found once, with what to do."""

import gzip
import os
import shutil
import struct
import subprocess

import numpy as np
import pyBigWig
import pysam
import pytest

from helpers.data.alignment_checks import check_alignments
from helpers.data.assemblies import ASSEMBLIES, check_contigs, name_assembly
from helpers.data.bigwig import BigWig
from helpers.data.bigwig_header import read_bigwig_header
from helpers.data.checks import inspect_study, study_contigs
from helpers.data.contig_table import FileContigs, format_contigs, tabulate_contigs
from helpers.data.file_checks import check_bigwig, check_regions_file, check_variants
from helpers.errors import InputError

SIZES = {"chr1": 40_000, "chr2": 20_000}


def write_bigwig(path, sizes=SIZES, filled=("chr1", "chr2")):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(sizes.items()))
        for chrom in filled:
            starts = np.arange(0, sizes[chrom] - 10, 10)
            file.addEntries(chrom, 0, values=np.arange(len(starts), dtype=float), span=10, step=10)
    return path


def write_bam(path, strand="both", sizes=SIZES, filled=None, n=600, flags=0, quality=9):
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": name, "LN": size} for name, size in sizes.items()]}
    rng = np.random.default_rng(3)
    with pysam.AlignmentFile(str(path), "wb", header=header) as bam:
        for contig, (name, size) in enumerate(sizes.items()):
            for number, start in enumerate(
                np.sort(rng.integers(0, size - 50, n if filled is None or name in filled else 0))
            ):
                read = pysam.AlignedSegment(bam.header)
                read.query_name, read.query_sequence, read.cigarstring = f"r{number}", "ACGTA" * 10, "50M"
                read.reference_id, read.reference_start, read.mapping_quality = contig, int(start), quality
                read.flag = flags | (16 if strand == "reverse" or (strand == "both" and number % 2) else 0)
                bam.write(read)
    pysam.index(str(path))
    return path


def write_cram(path, fasta):
    bam = write_bam(path.with_name("source.bam"))
    pysam.view("-C", "-T", str(fasta), "-o", str(path), str(bam), catch_stdout=False)
    pysam.index(str(path))
    return path


def messages(findings, status="error"):
    return [finding.message for finding in findings if finding.status == status]


# ---- bigWig ---------------------------------------------------------------------------------------------------------


def test_good_bigwig(tmp_path):
    findings, sizes = check_bigwig(write_bigwig(tmp_path / "a.bw"), used=["chr1"])
    assert messages(findings, "ok")[-1] == "2 contigs, 2 of them with values"
    assert len(findings) == 2
    assert sizes == SIZES


def test_bigwig_header_against_pybigwig(tmp_path):
    sizes = {f"contig{number}": 1_000 + number for number in range(1, 700)}  # a tree of several levels
    path = write_bigwig(tmp_path / "a.bw", sizes, filled=["contig1", "contig444"])
    with pyBigWig.open(str(path)) as file:
        assert read_bigwig_header(path).sizes == file.chroms() == sizes
    assert set(read_bigwig_header(path).filled) == {"contig1", "contig444"}


def test_bigwig_without_values(tmp_path):
    (message,) = messages(check_bigwig(write_bigwig(tmp_path / "a.bw", filled=()))[0])
    assert "holds no values" in message


def test_bigwig_without_values_on_a_contig_in_use(tmp_path):
    findings, _ = check_bigwig(write_bigwig(tmp_path / "a.bw", filled=["chr1"]), used=["chr1", "chr2"])
    assert messages(findings) == []
    assert "No values on chr2" in messages(findings, "warning")[0]


def test_what_is_not_bigwig(tmp_path):
    (tmp_path / "a.bw").write_text("chr1 0 10 1\n")
    (message,) = messages(check_bigwig(tmp_path / "a.bw")[0])
    assert "not a bigWig file: it begins with b'chr1'" in message
    assert "its type in the sheet" in message


def test_damaged_values_of_a_bigwig_file(tmp_path):
    path = write_bigwig(tmp_path / "a.bw")
    content = bytearray(path.read_bytes())
    with pyBigWig.open(str(path)) as file:
        assert file.header()["nBasesCovered"] > 0
    start = int.from_bytes(content[16:24], "little")  # of the values
    content[start + 40 : start + 60] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(InputError, match="truncated or damaged"):
        read_bigwig_header(path)


def write_bigwig_by_hand(path, values, order="<"):
    """Write values of chr1 from base 5 on, uncompressed, as Kent et al. lay a bigWig file out, in either byte order."""
    end, n, place = 5 + len(values), len(values), {"tree": 64, "data": 112, "block": 120}
    place["index"] = place["block"] + 24 + 4 * n
    place["summary"] = place["index"] + 48 + 36
    numbers = np.array(values, dtype=float)
    summary = [numbers.min(), numbers.max(), numbers.sum(), (numbers**2).sum()]
    header = (4, 0, place["tree"], place["data"], place["index"], 0, 0, 0, place["summary"], 0, 0)
    parts = [
        ("IHHQQQHHQQIQ", 0x888FFC26, *header),
        ("IIIIQQBBH4sII", 0x78CA8C91, 1, 4, 8, 1, 0, 1, 0, 1, b"chr1", 0, SIZES["chr1"]),
        (f"QIIIIIBBH{n}f", 1, 0, 5, end, 1, 1, 3, 0, n, *values),
        ("IIQIIIIQIIBBHIIIIQQ", 0x2468ACE0, 1, 1, 0, 5, 0, end, place["index"], 1, 0, 1, 0, 1, 0, 5, 0, end)
        + (place["block"], 24 + 4 * n),
        ("QddddI", n, *summary, 0x888FFC26),
    ]
    path.write_bytes(b"".join(struct.pack(order + kinds, *fields) for kinds, *fields in parts))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("values", [[1, np.nan, 2], [1, 0, 2], [np.nan] * 3])
def test_nan_in_a_bigwig_file_is_a_warning_and_no_data(tmp_path, values, order):
    path = write_bigwig_by_hand(tmp_path / "a.bw", values, order)
    findings, sizes = check_bigwig(path)
    assert sizes == {"chr1": 40_000}
    assert messages(findings) == []
    told = ["Some values are NaN: these bases are read as no data. Check that it is so."]
    assert messages(findings, "warning") == (told if np.isnan(values).any() else [])
    with BigWig(path) as file:
        assert file.collapse("chr1", 0, 20, 10, "sum").tolist() == [np.nansum(values), 0]


def test_nan_in_a_bigwig_file_as_programs_write_it(tmp_path):
    with pyBigWig.open(str(tmp_path / "a.bw"), "w") as file:
        file.addHeader(list(SIZES.items()))
        file.addEntries("chr2", 5, values=[1.0, np.nan, 2.0], span=1, step=1)
    (warning,) = messages(check_bigwig(tmp_path / "a.bw")[0], "warning")
    assert "Some values are NaN" in warning


@pytest.mark.parametrize("offset", [0, 10**6, 2**64 - 1])
def test_a_bigwig_file_without_a_summary(tmp_path, offset):
    content = bytearray(write_bigwig(tmp_path / "a.bw").read_bytes())
    content[44:52] = offset.to_bytes(8, "little")
    (tmp_path / "a.bw").write_bytes(content)
    assert messages(check_bigwig(tmp_path / "a.bw")[0], "warning") == []


def test_bigwig_of_another_assembly_and_of_other_names(tmp_path):
    path = write_bigwig(tmp_path / "a.bw", {"1": 40_000, "2": 20_000}, filled=["1"])
    genome = tmp_path / "g.fa"
    genome.write_text("".join(f">{chrom}\n{'ACGTN' * (size // 5)}\n" for chrom, size in SIZES.items()))
    tracks = [{"track": "signal", "type": "bigWig", "path": path}]
    checks = inspect_study(genome, ["chr1", "chr2"], tracks).findings
    (message,) = checks.loc[checks["status"] == "error", "message"]
    assert "named without 'chr'" in message
    assert "`" not in message  # no command can rename the contigs of a bigWig file in place
    write_bigwig(path, {"chr1": 41_000, "chr2": 20_000})
    checks = inspect_study(genome, ["chr1", "chr2"], tracks).findings
    (message,) = checks.loc[checks["status"] == "error", "message"]
    assert "chr1 is 41000 bp here, 40000 bp in the genome" in message


def test_a_bigwig_file_may_leave_out_contigs_without_values(tmp_path):
    findings = check_contigs("a.bw", SIZES, {"chr1": 40_000}, ["chr1", "chr2"], complete=False)
    assert [finding.status for finding in findings] == ["warning"]
    assert "nothing on chr2" in findings[0].message
    findings = check_contigs("a.bw", SIZES, {"chr7": 40_000}, ["chr1", "chr2"], complete=False)
    assert [finding.status for finding in findings] == ["error", "warning"]


# ---- CRAM -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cram(tmp_path):
    genome = tmp_path / "g.fa"
    genome.write_text("".join(f">{chrom}\n{'ACGTA' * (size // 5)}\n" for chrom, size in SIZES.items()))
    return write_cram(tmp_path / "a.cram", genome)


def test_good_cram_is_read_without_its_reference(cram):
    (cram.parent / "g.fa").unlink()
    (cram.parent / "g.fa.fai").unlink()
    findings, sizes = check_alignments(cram, used=["chr1", "chr2"])
    assert {finding.status for finding in findings} == {"ok"}
    assert sizes == SIZES
    assert "50.0% forward, 0.0% paired" in findings[-1].message


def test_cram_without_index_and_with_an_older_one(cram):
    os.utime(f"{cram}.crai", (1, 1))
    assert "a.cram.crai is older" in messages(check_alignments(cram)[0], "warning")[0]
    os.remove(f"{cram}.crai")
    (message,) = messages(check_alignments(cram)[0])
    assert "no index (.crai)" in message
    assert f"`samtools index {cram}`" in message


def test_cut_cram(cram):
    cram.write_bytes(cram.read_bytes()[:-100])
    assert "truncated or damaged" in messages(check_alignments(cram)[0])[0]


# ---- what kind of reads ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strand", ["forward", "reverse"])
def test_reads_of_one_strand(tmp_path, strand):
    path = write_bam(tmp_path / "a.bam", strand)
    findings, _ = check_alignments(path, stranded=True)
    assert messages(findings) == []
    (warning,) = messages(findings, "warning")
    assert warning.startswith("100.0% of ")
    assert f"{strand} strand" in warning
    assert "`stranded: false`" in warning
    assert messages(check_alignments(path, stranded=False)[0], "warning") == []
    assert messages(check_alignments(write_bam(tmp_path / "b.bam"), stranded=True)[0], "warning") == []
    few = write_bam(tmp_path / "few.bam", strand, n=20)
    assert messages(check_alignments(few, stranded=True)[0], "warning") == []


def test_shares_against_a_count_of_all_reads(tmp_path):
    path = write_bam(tmp_path / "a.bam", sizes={"chr1": 16_000}, n=400, flags=1 | 64 | 1024, quality=0)
    (text,) = [text for text in messages(check_alignments(path)[0], "ok") if "sampled" in text]
    with pysam.AlignmentFile(str(path)) as bam:
        forward = sum(not read.is_reverse for read in bam) / 400
    assert f"of 400 reads sampled in 1 places, {forward:.1%} forward, 100.0% paired" in text
    assert "100.0% marked as duplicates, 100.0% of mapping quality 0" in text


def test_a_contig_in_use_without_reads(tmp_path):
    findings, _ = check_alignments(write_bam(tmp_path / "a.bam", filled=["chr1"]), used=["chr1", "chr2"])
    assert messages(findings) == []
    assert "No reads on chr2, in use" in messages(findings, "warning")[0]


def test_a_missing_index_that_the_workflow_makes(tmp_path):
    path = write_bam(tmp_path / "a.bam")
    os.remove(f"{path}.bai")
    findings, _ = check_alignments(path, index_later=True)
    assert [finding.status for finding in findings] == ["ok", "later"]


def test_an_index_that_is_cut_is_named(tmp_path):
    path = write_bam(tmp_path / "a.bam")
    index = path.with_name("a.bam.bai")
    index.write_bytes(index.read_bytes()[:50])
    (message,) = messages(check_alignments(path)[0])
    assert "a.bam.bai is damaged" in message


def test_checks_run_from_any_folder(tmp_path, monkeypatch):
    write_bam(tmp_path / "a.bam")
    (tmp_path / "json.py").write_text("raise SystemExit(9)")  # the reader's process must not import what lies about
    monkeypatch.chdir(tmp_path)
    assert messages(check_alignments("a.bam")[0]) == []


# ---- variants -------------------------------------------------------------------------------------------------------

HEADER = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=40000>\n##contig=<ID=chr2>\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def test_contigs_of_variants(tmp_path):
    (tmp_path / "a.vcf").write_text(HEADER + COLUMNS + "chr1\t40000\t.\tA\tC\t.\t.\t.\n")
    findings, sizes = check_variants(tmp_path / "a.vcf")
    assert {finding.status for finding in findings} == {"ok"}
    assert sizes == {"chr1": 40_000, "chr2": None}
    (tmp_path / "a.vcf.gz").write_bytes(gzip.compress((tmp_path / "a.vcf").read_bytes()))
    assert check_variants(tmp_path / "a.vcf.gz")[1] == sizes
    pysam.tabix_compress(str(tmp_path / "a.vcf"), str(tmp_path / "b.vcf.gz"))
    assert check_variants(tmp_path / "b.vcf.gz")[1] == sizes
    assert check_contigs("a.vcf", SIZES, sizes, ["chr1", "chr2"], complete=False)[0].status == "ok"


def test_variants_beyond_the_end_and_cut_files(tmp_path):
    (tmp_path / "a.vcf").write_text(HEADER + COLUMNS + "chr1\t5\t.\tA\tC\t.\t.\t.\nchr1\t40000\t.\tAC\tC\t.\t.\t.\n")
    (message,) = messages(check_variants(tmp_path / "a.vcf")[0])
    assert "record 2, chr1:40000" in message
    assert "end at 40000" in message
    pysam.tabix_compress(str(tmp_path / "a.vcf"), str(tmp_path / "b.vcf.gz"))
    (tmp_path / "b.vcf.gz").write_bytes((tmp_path / "b.vcf.gz").read_bytes()[:-5])
    assert "end mark of bgzip" in messages(check_variants(tmp_path / "b.vcf.gz")[0])[0]
    (tmp_path / "c.vcf").write_text("chr1\t5\t7\n")
    (message,) = messages(check_variants(tmp_path / "c.vcf")[0])
    assert "no VCF file" in message


def test_renaming_the_contigs_of_variants(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.vcf").write_text(HEADER.replace("chr", "") + COLUMNS + "1\t5\t.\tA\tC\t.\t.\t.\n")
    (finding,) = check_contigs("a.vcf", SIZES, check_variants("a.vcf")[1], ["chr1", "chr2"], complete=False)
    subprocess.run(finding.message.split("`")[1], shell=True, check=True)
    assert check_variants("renamed.a.vcf")[1] == {"chr1": 40_000, "chr2": None}


# ---- genes ----------------------------------------------------------------------------------------------------------


def gene_line(chrom="chr1", start=101, kind="protein_coding", feature="gene"):
    return f'{chrom}\tx\t{feature}\t{start}\t{start + 99}\t.\t+\t.\tgene_id "g"; gene_type "{kind}";\n'


@pytest.mark.parametrize("compressed", [False, True])
def test_of_genes_other_records_are_not_read(tmp_path, compressed):
    path = tmp_path / "genes.gtf.gz"
    text = gene_line(feature="exon", start=-7) + gene_line() + gene_line("chr2", kind="lncRNA") + gene_line("chr2")
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    findings, contents = check_regions_file(path, SIZES, SIZES, gene_type="protein_coding")
    assert messages(findings, "ok")[-1] == "2 genes of type protein_coding on 2 contigs"
    assert contents == ({"chr1": 1, "chr2": 1}, {"chr1": 200, "chr2": 200})
    (message,) = messages(check_regions_file(path, SIZES, SIZES)[0])
    assert "line 1: start is negative" in message


def test_a_file_without_such_genes_says_what_it_holds(tmp_path):
    path = tmp_path / "genes.gtf"
    for text, gene_type, message in (
        (gene_line(feature="exon") * 2, "lncRNA", f"{path}: there are no records of the feature gene, only exon (2)."),
        (gene_line() * 2, "lncRNA", "No gene is of the type lncRNA: its genes are protein_coding (2)."),
        (gene_line(start=-7), "lncRNA", f"{path}, line 1: start is negative"),
    ):
        path.write_text(text)
        findings, contents = check_regions_file(path, SIZES, SIZES, gene_type=gene_type)
        assert [found.startswith(message) for found in messages(findings)] == [True]
        assert contents is None


# ---- assemblies -----------------------------------------------------------------------------------------------------

HG19 = {"chr1": 249_250_621, "chr2": 243_199_373}
HG38 = {"chr1": 248_956_422, "chr2": 242_193_529}


def test_assemblies_by_length():
    assert len({(name.lower(), length) for name, length in ASSEMBLIES.values()}) == len(ASSEMBLIES)
    assert name_assembly(HG19) == name_assembly({"1": 249_250_621}) == "hg19"
    assert name_assembly({"chr1": 195_471_971}) == "mm10"
    assert name_assembly({"chrI": 230_218}) == "sacCer3"
    assert name_assembly({"chrI": 15_072_434}) == "ce11"
    assert name_assembly({"2L": 23_513_712}) == "dm6"
    assert name_assembly({"Chr1": 30_427_671}) == "TAIR10"
    assert name_assembly({"chr2": 249_250_621}) is None


def test_another_assembly_is_named():
    (finding,) = check_contigs("a.bam", HG38, HG19, ["chr1", "chr2"])
    assert finding.status == "error"
    assert "chr1 is 249250621 bp here, 248956422 bp in the genome" in finding.message
    assert "The file's lengths are those of hg19, the genome's are those of hg38." in finding.message
    (finding,) = check_contigs("a.bam", HG38, {"chr1": 5, "chr2": 6}, ["chr2"])
    assert "of an assembly not known here, the genome's are those of hg38" in finding.message


def test_another_assembly_with_other_names_is_one_finding_and_no_renaming():
    lengths = {name.removeprefix("chr"): length for name, length in HG19.items()}
    (finding,) = check_contigs("a.bam", HG38, lengths, ["chr1", "chr2"])
    assert "1 is 249250621 bp here" in finding.message
    assert "hg19" in finding.message
    assert "reheader" not in finding.message


def test_many_contigs_named_otherwise_are_one_finding():
    sizes = {f"chr{number}": 1000 + number for number in range(25)}
    lengths = {name.removeprefix("chr"): length for name, length in sizes.items()}
    (finding,) = check_contigs("a.bam", sizes, lengths, sizes)
    assert "and 20 more" in finding.message


# ---- the table of contigs -------------------------------------------------------------------------------------------


def test_table_of_contigs_of_a_study(tmp_path):
    (tmp_path / "g.fa").write_text(">chr1\n" + "A" * 40_000 + "\n>chr2\n" + "C" * 20_000 + "\n>chr3\nACGT\n")
    write_bam(tmp_path / "a.bam", sizes={"chr1": 40_000, "chr2": 20_500, "chrEBV": 9_000})
    write_bigwig(tmp_path / "a.bw", {"chr1": 40_000}, filled=["chr1"])
    (tmp_path / "p.bed").write_text("chr1\t5\t9\nchr1\t1\t3\nchr2\t5\t20001\n")
    tracks = [
        {"track": name, "type": kind, "path": tmp_path / file}
        for name, kind, file in [("a", "bam", "a.bam"), ("b", "bigWig", "a.bw"), ("p", "bed", "p.bed")]
    ]
    table = study_contigs(tmp_path / "g.fa", ["chr1", "chr2"], tracks)
    assert list(table.columns) == ["contig", "g.fa", "a.bam", "a.bw", "p.bed", "problems"]
    assert table["contig"].tolist() == ["chr1", "chr2", "others"]
    assert table["g.fa"].tolist() == [40_000, 20_000, 1]
    assert table["a.bam"].tolist() == [40_000, 20_500, 1]
    assert table["a.bw"].isna().tolist() == [False, True, False]
    assert table["p.bed"].tolist() == [9, 20_001, 0]
    assert table["problems"].tolist() == ["", "a.bam differs; p.bed beyond", ""]
    lines = format_contigs(table).splitlines()
    assert lines[2].split() == ["chr2", "20000", "20500!", "-", "20001!"]


def test_columns_of_many_files_and_of_equal_names():
    genome = FileContigs("g.fa", {"chr1": 9}, "genome")
    files = [FileContigs(f"{number}/a.bam", {"chr1": 9 if number < 19 else 8}, "complete") for number in range(20)]
    table = tabulate_contigs([genome, *files], ["chr1", "chr2"])
    assert list(table.columns[1:3]) == ["g.fa", "0/a.bam"]
    assert table["problems"].tolist() == ["19/a.bam differs", "g.fa lacks", ""]
    text = format_contigs(table)
    assert text.splitlines()[0].split() == ["contig", "g.fa", *(f"{n}/a.bam" for n in (0, 1, 2, 3, 4, 19))]
    assert text.endswith("not shown: 14.")


def test_table_without_a_genome():
    table = tabulate_contigs([FileContigs("a.bam", {"chr1": 9}, "complete")], ["chr1"])
    assert table["problems"].tolist() == ["", ""]
    assert tabulate_contigs([], ["chr1"])["contig"].tolist() == ["chr1", "others"]


# ---- splits, once and before any work -------------------------------------------------------------------------------


def splits_of(tmp_path, text, uses, splits):
    (tmp_path / "g.fa").write_text(">chr1\n" + "A" * 40_000 + "\n>chr2\n" + "C" * 20_000 + "\n")
    (tmp_path / "p.bed").write_text(text)
    tracks = [{"track": "jund", "type": "bed", "path": tmp_path / "p.bed", "uses": uses}]
    checks = inspect_study(tmp_path / "g.fa", ["chr1", "chr2"], tracks, splits=splits).findings
    return checks[checks["check"] == "splits"]


SPLITS = {"train": ["chr1"], "test": ["chr2"]}
MANY = "".join(f"chr1\t{start}\t{start + 5}\n" for start in range(0, 500, 10))


def test_empty_split_is_said_once_for_regions_and_output(tmp_path):
    (message,) = splits_of(tmp_path, MANY, ["regions", "output"], SPLITS)["message"]
    assert message.startswith("Split 'test' has no regions on chr2. Contigs with regions: chr1 (50).")


def test_output_without_positives_in_a_split(tmp_path):
    table = splits_of(tmp_path, MANY, ["output"], SPLITS)
    assert table["status"].tolist() == ["error"]
    assert "Split 'test', output jund: no positive regions" in table["message"].iloc[0]
    assert "none on chr2" in table["message"].iloc[0]


def test_one_of_several_outputs_without_positives_in_a_split_is_no_error(tmp_path):
    splits_of(tmp_path, MANY, [], {})
    (tmp_path / "q.bed").write_text(MANY + "chr2\t1\t5\n" * 20)
    tracks = [
        {"track": name, "type": "bed", "path": tmp_path / f"{file}.bed", "uses": ["output"]}
        for name, file in (("jund", "p"), ("max", "q"))
    ]
    checks = inspect_study(tmp_path / "g.fa", ["chr1", "chr2"], tracks, splits=SPLITS).findings
    (row,) = checks[checks["check"] == "splits"].to_dict("records")
    assert row["status"] == "warning"
    assert row["message"].endswith("the file has none on chr2. Metrics of it are missing there.")


def test_few_regions_are_one_warning(tmp_path):
    table = splits_of(tmp_path, "chr1\t1\t5\nchr2\t1\t5\nchr2\t7\t9\n", ["regions", "output"], SPLITS)
    assert table["status"].tolist() == ["warning"]
    assert "1 on the contigs of split 'train', 2 on the contigs of split 'test'" in table["message"].iloc[0]
    assert len(splits_of(tmp_path, "chr1\t1\t5\nchr2\t1\t5\n", ["regions"], SPLITS)) == 0


def test_other_names_hide_no_split_and_are_said_once(tmp_path):
    splits_of(tmp_path, MANY.replace("chr", ""), ["regions", "output"], SPLITS)
    tracks = [{"track": "jund", "type": "bed", "path": tmp_path / "p.bed", "uses": ["regions", "output"]}]
    checks = inspect_study(tmp_path / "g.fa", ["chr1", "chr2"], tracks, splits=SPLITS).findings
    assert (checks["status"] == "error").sum() == 1


def test_wrong_chromosomes_of_the_config_are_said_once(tmp_path):
    splits_of(tmp_path, MANY, [], {})
    write_bam(tmp_path / "a.bam")
    tracks = [
        {"track": "jund", "type": "bed", "path": tmp_path / "p.bed", "uses": ["regions", "output"]},
        {"track": "dnase", "type": "bam", "path": tmp_path / "a.bam"},
    ]
    checks = inspect_study(tmp_path / "g.fa", ["1", "2"], tracks, splits={"train": ["1"], "test": ["2"]}).findings
    (message,) = checks.loc[checks["status"] == "error", "message"]
    assert "the genome has chr1 for 1, chr2 for 2" in message


def test_two_tracks_of_one_file_are_read_once(tmp_path):
    (tmp_path / "g.fa").write_text(">chr1\n" + "A" * 4_000 + "\n")
    (tmp_path / "p.bed").write_text("chr1\t9\t5\n")
    tracks = [{"track": name, "type": "bed", "path": tmp_path / "p.bed", "uses": ["output"]} for name in "ab"]
    checks = inspect_study(tmp_path / "g.fa", ["chr1"], tracks).findings
    assert (checks["status"] == "error").sum() == 1


# ---- size -----------------------------------------------------------------------------------------------------------


def test_a_large_bed_file_is_fine(tmp_path):
    starts = np.random.default_rng(1).integers(0, 30_000, 200_000)
    (tmp_path / "p.bed").write_text("".join(f"chr1\t{start}\t{start + 100}\n" for start in starts.tolist()))
    (tmp_path / "g.fa").write_text(">chr1\n" + "A" * 40_000 + "\n")
    tracks = [{"track": "p", "type": "bed", "path": tmp_path / "p.bed", "uses": ["regions"]}]
    checks = inspect_study(tmp_path / "g.fa", ["chr1"], tracks, splits={"train": ["chr1"]})
    assert set(checks.findings["status"]) == {"ok"}


def test_fasta_files_of_several_studies_are_read_once(tmp_path, monkeypatch):
    from helpers.data import fasta_checks

    (tmp_path / "g.fa").write_text(">chr1\nACGT\n")
    assert fasta_checks.check_fasta(tmp_path / "g.fa")[1] == {"chr1": 4}
    monkeypatch.setattr(fasta_checks, "fasta_sizes", None)
    assert fasta_checks.check_fasta(tmp_path / "g.fa")[1] == {"chr1": 4}
    shutil.copy(tmp_path / "g.fa", tmp_path / "h.fa")
    with pytest.raises(TypeError):
        fasta_checks.check_fasta(tmp_path / "h.fa")
