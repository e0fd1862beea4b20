"""Mistakes in a study's files, one by one: each must be found, named, and come with what to do."""

import gzip
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pysam
import pytest

from helpers.data.alignment_checks import check_alignments
from helpers.data.assemblies import check_contigs
from helpers.data.checks import check_study_inputs
from helpers.data.fasta_checks import check_fasta
from helpers.data.file_checks import check_file, check_regions_file
from helpers.data.findings import raise_on_errors
from helpers.data.regions import region_table
from helpers.data.split_checks import check_splits
from helpers.errors import InputError

SIZES = {"chr1": 40_000, "chr2": 20_000}
END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def write_fasta(path, sizes=SIZES):
    path.write_text("".join(f">{chrom} made\n{'ACGTN' * (size // 5)}\n" for chrom, size in sizes.items()))
    return path


def write_bam(path, sizes=SIZES, *, order="coordinate", index=True, reads=3_000, backwards=False):
    """Write single-end reads of random letters, so that the file has several compressed blocks."""
    rng = np.random.default_rng(1)
    header = {"HD": {"VN": "1.6"} | ({"SO": order} if order else {})}
    header["SQ"] = [{"SN": chrom, "LN": size} for chrom, size in sizes.items()]
    with pysam.AlignmentFile(os.fspath(path), "wb", header=header) as bam:
        for chrom, size in enumerate(sizes.values()):
            starts = np.sort(rng.integers(0, size - 100, reads))
            for number, start in enumerate(starts[::-1] if backwards else starts):
                read = pysam.AlignedSegment(bam.header)
                read.query_name, read.reference_id, read.reference_start = f"read{number}", chrom, int(start)
                read.query_sequence, read.cigarstring = "".join(rng.choice(list("ACGT"), 100)), "100M"
                bam.write(read)
    if index:
        pysam.index(os.fspath(path))
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_fasta(folder / "genome.fa")
    write_bam(folder / "dnase.bam")
    (folder / "peaks.bed").write_text("# peaks\nchr1\t100\t300\nchr2\t19000\t20000\n")
    (folder / "blacklist.bed").write_text("chr1\t0\t50\n")
    return folder


@pytest.fixture
def files(study, tmp_path):
    """A good study that the test may spoil."""
    shutil.copytree(study, tmp_path / "files", copy_function=shutil.copy2)
    return tmp_path / "files"


def check(files, chromosomes=("chr1", "chr2"), blacklist="blacklist.bed"):
    tracks = [
        {"track": "peaks", "type": "bed", "path": files / "peaks.bed"},
        {"track": "dnase", "type": "bam", "path": str(files / "dnase.bam")},
    ]
    return check_study_inputs(
        files / "genome.fa", chromosomes, tracks, blacklist=files / blacklist if blacklist else None
    )


def messages(findings, status="error"):
    return [finding.message for finding in findings if finding.status == status]


def errors_of(checks):
    return checks.loc[checks["status"] == "error", "message"].tolist()


# ---- a whole study --------------------------------------------------------------------------------------------------


def test_good_files_pass_and_are_listed(files, caplog):
    checks = check(files)
    assert list(checks.columns) == ["check", "file", "status", "message"]
    assert set(checks["status"]) == {"ok"}
    assert {os.path.basename(file) for file in checks["file"]} == {
        "genome.fa",
        "dnase.bam",
        "peaks.bed",
        "blacklist.bed",
    }
    raise_on_errors(checks)
    assert caplog.text == ""
    assert set(check(files, blacklist=None)["status"]) == {"ok"}


def test_all_mistakes_come_in_one_table(files):
    (files / "dnase.bam.bai").unlink()
    (files / "peaks.bed").write_text("chr1\t300\t100\n")
    (files / "blacklist.bed").unlink()
    with pytest.raises(InputError) as caught:
        raise_on_errors(check(files, ["chr1", "chr9"]))
    title, _, heading, *rows = str(caught.value).splitlines()
    assert title == "4 errors in the study's files, found before any work:"
    column = heading.index("what is wrong")
    assert all(row[column - 1] == " " and row[column] != " " for row in rows)  # aligned
    text = " ".join(" ".join(rows).split())
    for part in (
        "peaks.bed, line 1: start must be smaller than end",
        "There is no such file",
        "There is no index",
        "chr9",
    ):
        assert part in text
    assert any(f"`samtools index {files / 'dnase.bam'}`" in row for row in rows)  # in one piece, to be copied


def test_warnings_do_not_stop(files, caplog):
    (files / "peaks.bed").write_text("chr1\t100\t300\nchrUn\t1\t5\n")
    checks = check(files)
    assert checks["status"].tolist().count("warning") == 1
    with caplog.at_level(logging.WARNING):
        raise_on_errors(checks)
    assert "left out: chrUn (1)" in caplog.text


def test_an_unreadable_genome_does_not_hide_other_mistakes(files):
    (files / "genome.fa").write_text("not a FASTA file\n")
    (files / "dnase.bam.bai").unlink()
    found = errors_of(check(files))
    assert len(found) == 2
    assert "genome.fa" in found[0]
    assert "no index" in found[1]


def test_tracks_of_other_types_must_exist(files):
    tracks = [{"track": "signal", "type": "bigWig", "path": files / "absent.bw"}]
    assert "path of track signal" in errors_of(check_study_inputs(files / "genome.fa", ["chr1"], tracks))[0]


# ---- files ----------------------------------------------------------------------------------------------------------


def test_missing_file_names_key_and_nearest_folder(tmp_path):
    finding = check_file(tmp_path / "no" / "such.bed", "track peaks")[0]
    assert finding.status == "error"
    assert f"{tmp_path} exists" in finding.message
    assert "Correct the path of track peaks" in finding.message
    assert "not a file" in check_file(tmp_path, "blacklist")[0].message
    (tmp_path / "empty").touch()
    assert "is empty" in check_file(tmp_path / "empty", "blacklist")[0].message
    (tmp_path / "full").write_text("x")
    assert check_file(str(tmp_path / "full"), "blacklist") == [("file", str(tmp_path / "full"), "ok", "blacklist")]


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip", "indexed"])
def test_fasta_of_every_kind(tmp_path, kind):
    path = write_fasta(tmp_path / "genome.fa")
    if kind == "gzip":
        path = tmp_path / "genome.fa.gz"
        path.write_bytes(gzip.compress((tmp_path / "genome.fa").read_bytes()))
    elif kind == "bgzip":
        path = tmp_path / "genome.fa.gz"
        pysam.tabix_compress(str(tmp_path / "genome.fa"), str(path))
    elif kind == "indexed":
        pysam.faidx(str(path))
    findings, sizes = check_fasta(path)
    assert sizes == SIZES
    assert messages(findings, "ok")[-1] == "2 contigs, 60000 bp"


def test_old_fasta_index_is_not_trusted(tmp_path):
    path = write_fasta(tmp_path / "genome.fa")
    (tmp_path / "genome.fa.fai").write_text("chr1\t7\t0\t5\t6\n")
    os.utime(tmp_path / "genome.fa.fai", (1, 1))
    assert check_fasta(path)[1] == SIZES


@pytest.mark.parametrize(
    "content", [b"", b"ACGT\n", b">chr1\nAC\n>chr1\nAC\n", gzip.compress(b">chr1\nACGT\n" * 9, mtime=0)[:30]]
)
def test_bad_fasta(tmp_path, content):
    (tmp_path / "genome.fa").write_bytes(content)
    findings, sizes = check_fasta(tmp_path / "genome.fa")
    assert sizes is None
    assert len(messages(findings)) == 1


# ---- alignments -----------------------------------------------------------------------------------------------------


def test_good_bam(files):
    findings, sizes = check_alignments(files / "dnase.bam")
    assert messages(findings) == messages(findings, "warning") == []
    assert sizes == SIZES


def test_bam_without_index(files):
    (files / "dnase.bam.bai").unlink()
    (message,) = messages(check_alignments(files / "dnase.bam")[0])
    commands = re.findall("`([^`]*)`", message)
    assert commands[0] == f"samtools index {files / 'dnase.bam'}"
    assert shlex.split(commands[1])[0] == "python"
    subprocess.run([sys.executable, *shlex.split(commands[1])[1:]], check=True)
    assert messages(check_alignments(files / "dnase.bam")[0]) == []


def test_commands_quote_paths(tmp_path):
    path = write_bam(tmp_path / "my reads.bam", {"1": 9_000}, index=False, reads=5)
    (message,) = messages(check_alignments(path)[0])
    assert f"`samtools index '{path}'`" in message
    (finding,) = check_contigs(path, {"chr1": 9_000}, {"1": 9_000}, ["chr1"])
    assert f"""reheader -c "sed s/SN:/SN:chr/" '{path}' > 'renamed.my reads.bam'""" in finding.message


def test_bam_index_of_other_names(files):
    (files / "dnase.bam.bai").rename(files / "dnase.bai")
    assert messages(check_alignments(files / "dnase.bam")[0]) == []
    (files / "dnase.bai").unlink()
    pysam.index("-c", str(files / "dnase.bam"))
    assert messages(check_alignments(files / "dnase.bam")[0]) == []


def test_bam_with_an_older_index_is_a_warning(files):
    os.utime(files / "dnase.bam.bai", (1, 1))
    findings, _ = check_alignments(files / "dnase.bam")
    assert messages(findings) == []
    assert "dnase.bam.bai is older" in messages(findings, "warning")[0]


@pytest.mark.parametrize(
    "keep", ["no end marker", "half", "a quarter and an end marker", "part of the header", "100 bytes"]
)
def test_truncated_bam(files, capfd, keep):
    whole = (files / "dnase.bam").read_bytes()
    assert whole.endswith(END_OF_FILE)
    cut = {
        "no end marker": whole[:-28],
        "half": whole[: len(whole) // 2],
        "a quarter and an end marker": whole[: len(whole) // 4] + END_OF_FILE,
        "part of the header": whole[:20] + END_OF_FILE,
        "100 bytes": whole[:100],
    }[keep]
    (files / "dnase.bam").write_bytes(cut)
    os.utime(files / "dnase.bam", (1, 1))
    findings, _ = check_alignments(files / "dnase.bam")
    (message,) = messages(findings)
    assert "truncated or damaged" in message
    assert "Download or make it again" in message
    assert capfd.readouterr() == ("", "")  # htslib keeps quiet


def test_bam_with_the_index_of_another_file(files, tmp_path):
    write_bam(tmp_path / "small.bam", {"chr1": 40_000, "chr2": 20_000}, reads=1, index=False)
    shutil.copy(tmp_path / "small.bam", files / "dnase.bam")
    os.utime(files / "dnase.bam", (1, 1))
    assert len(messages(check_alignments(files / "dnase.bam")[0])) == 1


def test_what_is_not_bam(files):
    (files / "dnase.bam").write_text("chr1\t1\t2\n" * 30)
    (message,) = messages(check_alignments(files / "dnase.bam")[0])
    assert "not a BAM file" in message
    with pysam.AlignmentFile(str(files / "dnase.sam"), "w", header={"SQ": [{"SN": "chr1", "LN": 9}]}):
        pass
    (message,) = messages(check_alignments(files / "dnase.sam")[0])
    assert "not a BAM file" in message


@pytest.mark.parametrize(
    ("order", "backwards"), [("queryname", False), ("unsorted", True), (None, True), ("coordinate", True)]
)
def test_unsorted_bam(tmp_path, order, backwards):
    path = write_bam(tmp_path / "a.bam", order=order, index=False, reads=20, backwards=backwards)
    (message,) = messages(check_alignments(path)[0])
    assert "not sorted by coordinate" in message
    assert f"samtools sort -o sorted.bam {path}" in message


def test_sorted_bam_that_does_not_say_so(tmp_path):
    path = write_bam(tmp_path / "a.bam", order=None, reads=20)
    assert messages(check_alignments(path)[0]) == []
    (tmp_path / "a.bam.bai").unlink()
    (message,) = messages(check_alignments(path)[0])
    assert "no index" in message


def test_bam_without_reads(tmp_path):
    (message,) = messages(check_alignments(write_bam(tmp_path / "a.bam", reads=0))[0])
    assert "no mapped reads" in message


def test_verbosity_of_htslib_is_given_back(files):
    before = pysam.get_verbosity()
    check_alignments(files / "dnase.bam")
    (files / "dnase.bam").write_bytes(b"\x1f\x8b")
    check_alignments(files / "dnase.bam")
    assert pysam.get_verbosity() == before


# ---- contigs --------------------------------------------------------------------------------------------------------


def test_bam_that_calls_chr1_1(files):
    write_bam(files / "dnase.bam", {"1": 40_000, "2": 20_000})
    (message,) = errors_of(check(files))
    assert "1 where the genome says chr1, 2 where the genome says chr2" in message
    command = shlex.split(re.search("`([^`]*)`", message)[1])
    assert command[:3] == ["samtools", "reheader", "-c"]
    pysam.samtools.reheader(*command[2:5], save_stdout=str(files / command[6]))
    assert command[5:] == [">", "renamed.dnase.bam", "&&", "samtools", "index", "renamed.dnase.bam"]
    shutil.move(files / "renamed.dnase.bam", files / "dnase.bam")
    pysam.index(str(files / "dnase.bam"))
    assert errors_of(check(files)) == []


def test_genome_that_calls_chr1_1(files):
    write_fasta(files / "genome.fa", {"1": 40_000, "2": 20_000})
    errors = errors_of(check(files, ["1", "2"]))
    (bam,) = [error for error in errors if "dnase.bam" in error]
    texts = [error for error in errors if error != bam]
    assert 'sed s/SN:chr/SN:/"' in bam
    assert len(texts) == 2
    for text in texts:
        command = re.search("`([^`]*)`", text)[1]
        subprocess.run(command, shell=True, check=True, cwd=files)
    assert (files / "renamed.peaks.bed").read_text() == "# peaks\n1\t100\t300\n2\t19000\t20000\n"
    assert (files / "renamed.blacklist.bed").read_text() == "1\t0\t50\n"


def test_renaming_command_keeps_comments(files):
    (files / "peaks.bed").write_text("# 1\n1\t100\t300\n2\t5\t7\n")
    (message,) = errors_of(check(files))
    subprocess.run(re.search("`([^`]*)`", message)[1], shell=True, check=True, cwd=files)
    assert (files / "renamed.peaks.bed").read_text() == "# 1\nchr1\t100\t300\nchr2\t5\t7\n"


def test_names_that_differ_in_case(files):
    (files / "peaks.bed").write_text("Chr1\t100\t300\n")
    (message,) = errors_of(check(files))
    assert "Chr1 where the genome says chr1" in message
    assert "so that they agree" in message


def test_config_names_contigs_that_the_genome_lacks(files):
    (message,) = errors_of(check(files, ["chr1", "chrIV"]))
    assert "name chrIV, but the genome has chr1, chr2" in message
    assert errors_of(check(files, ["1", "2"]))[0].startswith(
        "The config's `chromosomes` name 1, 2, but the genome has chr1 for 1, chr2 for 2."
    )


def test_another_assembly(files):
    write_bam(files / "dnase.bam", {"chr1": 40_000, "chr2": 20_500})
    (message,) = errors_of(check(files))
    assert "chr2 is 20500 bp here, 20000 bp in the genome" in message
    assert errors_of(check(files, ["chr1"])) == []  # chr2 is not in use


def test_contigs_that_do_not_matter(files):
    write_bam(files / "dnase.bam", {"chr1": 40_000, "chr2": 20_000, "chrEBV": 1_000, "chrUn": 2_000})
    checks = check(files)
    assert errors_of(checks) == []
    (warning,) = checks.loc[checks["status"] == "warning", "message"]
    assert "The genome lacks chrEBV, chrUn" in warning


def test_bam_without_a_contig_in_use():
    findings = check_contigs("a.bam", SIZES, {"chr1": 40_000}, ["chr1", "chr2"])
    assert "The file lacks chr2, in use; it has chr1." in messages(findings)[0]
    assert messages(check_contigs("a.bam", SIZES, {"chr1": 40_000}, ["chr1"])) == []


# ---- regions --------------------------------------------------------------------------------------------------------


def test_peaks_beyond_the_end_name_the_line(files):
    (files / "peaks.bed").write_text("# x\nchr1\t5\t9\n\nchr2\t19000\t20001\nchr2\t30000\t30001\nchrUn\t5\t9\n")
    (message,) = errors_of(check(files))
    assert message.startswith("2 of 4 regions end beyond their contig, the first chr2:19000-20001 in line 4;")
    assert "chr2 ends at 20000" in message


def test_bed_with_start_after_end(files):
    (files / "peaks.bed").write_text("chr1\t5\t9\nchr1\t90\t30\n")
    (message,) = errors_of(check(files))
    assert f"{files / 'peaks.bed'}, line 2: start must be smaller than end. Received: chr1 90 30" in message


def test_peaks_on_no_contig_in_use(files):
    (files / "peaks.bed").write_text("chr7\t5\t9\n")
    (message,) = errors_of(check(files))
    assert "No region lies on a contig in use (chr1, chr2): its regions lie on chr7." in message
    (files / "peaks.bed").write_text("# none\n")
    (message,) = errors_of(check(files))
    assert "it holds no regions" in message


def test_a_blacklist_may_be_empty(files):
    for text in ("", "# none\n", "chrUn\t1\t5\n"):
        (files / "blacklist.bed").write_text(text)
        assert errors_of(check(files)) == []
    (files / "blacklist.bed").write_text("1\t1\t5\n")
    assert "named without 'chr'" in errors_of(check(files))[0]
    assert len(messages(check_regions_file(files / "absent.bed", SIZES, ["chr1"], needed=False)[0])) == 1


# ---- genes ----------------------------------------------------------------------------------------------------------


def gene(chrom, start=101, end=200, kind="protein_coding", feature="gene"):
    return f'{chrom}\tx\t{feature}\t{start}\t{end}\t.\t+\t.\tgene_id "g"; gene_type "{kind}";\n'


def check_genes(files, text, chromosomes=("chr1", "chr2"), *, splits=None, name="genes.gtf"):
    (files / name).write_text("#!genome-build x\n" + text)
    track = {"track": "genes", "type": "gtf", "path": files / name, "uses": ["regions"], "gene_type": "protein_coding"}
    return check_study_inputs(files / "genome.fa", chromosomes, [track], splits=splits)


def test_good_genes_are_counted(files):
    exons = "".join(gene("chr1", start, start + 9, feature="exon") for start in range(1, 900, 10))
    checks = check_genes(files, gene("chr1") + exons + gene("chr2") + gene("chr2", kind="lncRNA"))
    assert set(checks["status"]) == {"ok"}
    assert "2 genes of type protein_coding on 2 contigs" in checks["message"].tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (gene("chr1", feature="transcript"), "no records of the feature gene, only transcript (1)"),
        (gene("chr1", kind="lncRNA"), "No gene is of the type protein_coding: its genes are lncRNA (1)"),
        (gene("1") + gene("2"), "named without 'chr': 1 where the genome says chr1, 2 where the genome says chr2"),
        (gene("chr7"), "No region lies on a contig in use (chr1, chr2): its regions lie on chr7."),
        (gene("chr2") + gene("chr1", 39_990, 40_001), "1 of 2 regions end beyond their contig, the first chr1:39989"),
        ("", "no records of the feature gene"),
    ],
)
def test_mistakes_in_genes_are_one_error(files, text, message):
    (found,) = errors_of(check_genes(files, text, splits={"train": ["chr1"], "test": ["chr2"]}))
    assert message in found


def test_a_file_of_bins_has_no_genes(files):
    (message,) = errors_of(check_genes(files, "chr1\t0\t200\n", name="genes.bed"))
    assert "these regions have no features" in message


def test_the_line_of_a_gene_beyond_the_end_is_that_of_the_file(files):
    text = gene("chr1", feature="exon") * 3 + gene("chr2") + gene("chr2", 19_990, 20_001)
    (message,) = errors_of(check_genes(files, text, ["chr2"]))
    assert "chr2:19989-20001 in line 6; chr2 ends at 20000" in message


def test_renaming_command_keeps_a_gtf_file_whole(files):
    (message,) = errors_of(check_genes(files, gene("1") + gene("2")))
    subprocess.run(re.search("`([^`]*)`", message)[1], shell=True, check=True, cwd=files)
    assert (files / "renamed.genes.gtf").read_text() == "#!genome-build x\n" + gene("chr1") + gene("chr2")


def test_genes_on_contigs_that_the_genome_lacks_are_named(files):
    checks = check_genes(files, gene("chr1") + gene("chr2") + gene("chrUn_7") * 3, ["chr1"])
    assert errors_of(checks) == []
    (warning,) = checks.loc[checks["status"] == "warning", "message"]
    assert "not in use are left out: chr2 (1), chrUn_7 (3). The genome lacks chrUn_7." in warning


def test_splits_are_counted_in_genes(files):
    text = gene("chr1") + gene("chr2", feature="exon") * 50 + gene("chr2", kind="lncRNA")
    splits = {"train": ["chr1"], "validation of fold chr2": ["chr2"]}
    (message,) = errors_of(check_genes(files, text, splits=splits))
    assert message.startswith("Split 'validation of fold chr2' has no regions on chr2. Contigs with regions: chr1 (1).")
    assert errors_of(check_genes(files, text + gene("chr2"), splits=splits)) == []


def test_a_contig_of_which_splits_have_parts_is_in_each(files):
    splits = {"train": ["chr1", "chr2"], "validation": ["chr2"], "test": ["chr2"]}
    assert errors_of(check_genes(files, gene("chr1") + gene("chr2"), splits=splits)) == []


def test_records_that_are_no_genes_may_lie_anywhere(files):
    text = gene("chr1") + gene("chr2") + gene("chr1", 1, 90_000, feature="exon") + gene("chr9", feature="exon")
    assert set(check_genes(files, text)["status"]) == {"ok"}


def test_genes_that_are_an_output_too_are_read_once(files):
    (files / "genes.gtf").write_text(gene("chr1") + gene("chr2", feature="exon") * 30 + gene("chr2"))
    tracks = [{"track": "a", "type": "gtf", "path": files / "genes.gtf", "uses": ["output"]}]
    tracks += [{**tracks[0], "track": "b", "uses": ["regions"], "gene_type": "protein_coding"}]
    splits = {"train": ["chr1"], "test": ["chr2"]}
    checks = check_study_inputs(files / "genome.fa", ["chr1", "chr2"], tracks, splits=splits)
    assert set(checks["status"]) == {"ok"}  # no warning of few genes: the output may be of all records


# ---- splits and labels ----------------------------------------------------------------------------------------------


NONE_TAKEN = region_table([], [], [], split=[])


def test_empty_split():
    some = region_table(["chr1"] * 3 + ["chr2"], [0] * 4, [9] * 4)
    splits = {"train": some, "test": region_table([], [], []), "validation": region_table([], [], [])}
    parts = {"train": ["chr1", "chr2"], "test": ["chr3", "chrX"], "validation": ["chr4"]}
    with pytest.raises(InputError) as caught:
        check_splits(splits, parts, NONE_TAKEN)
    text = str(caught.value)
    assert "Split 'test' has no regions on chr3, chrX. Contigs with regions: chr1 (3), chr2 (1)." in text
    assert "Split 'validation' has no regions on chr4." in text
    assert "under `split` or `folds` in the config" in text


def test_contig_in_two_splits():
    some = region_table(["chr1"], [0], [9])
    splits = {"train": some, "test": some}
    with pytest.raises(InputError, match="chr1 is in the splits train and test"):
        check_splits(splits, {"train": ["chr1", "chr2"], "test": ["chr1"]}, NONE_TAKEN)
    check_splits(splits, {"train": ["chr1"], "test": ["chr2"]}, NONE_TAKEN)
    check_splits(splits, {"train": ["chr1"], "test": [{"chrom": "chr1", "start": 0}]}, NONE_TAKEN)


def test_raise_on_errors_of_a_table_by_hand():
    checks = pd.DataFrame(
        [("file", "a.bed", "error", "Absent. Run `make a  b` now.")], columns=["check", "file", "status", "message"]
    )
    with pytest.raises(InputError, match="1 error in the study's files") as caught:
        raise_on_errors(checks)
    assert str(caught.value).splitlines()[-1] == "file   a.bed  Absent. Run `make a  b` now."
