"""Mistakes of a user: each ends before training, with one message that says what and what to do."""

import gzip

import pysam
import pytest


def lines_of(path):
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def write_lines(path, lines):
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


def missing_file(config, files):
    (files / "dnase_encode.bam").unlink()


def unindexed_bam(config, files):
    (files / "dnase_encode.bam.bai").unlink()


def other_contig_names(config, files):
    with pysam.AlignmentFile(files / "dnase_encode.bam") as source:
        header = source.header.to_dict()
        for contig in header["SQ"]:
            contig["SN"] = contig["SN"].removeprefix("chr")
        with pysam.AlignmentFile(files / "renamed.bam", "wb", header=header) as target:
            for read in source:
                target.write(
                    pysam.AlignedSegment.from_dict(
                        read.to_dict() | {"ref_name": read.reference_name[3:] if read.reference_name else "*"},
                        target.header,
                    )
                )
    (files / "renamed.bam").replace(files / "dnase_encode.bam")
    pysam.index(str(files / "dnase_encode.bam"))


def peak_beyond_the_contig(config, files):
    path = files / "jund_peaks.narrowPeak.gz"
    write_lines(path, [*lines_of(path), "chr3\t59900\t60300\tlate\t0\t.\t1\t-1\t-1\t100"])


def empty_split(config, files):
    path = files / "jund_peaks.narrowPeak.gz"
    write_lines(path, [line for line in lines_of(path) if not line.startswith("chr3\t")])


def split_without_positives(config, files):
    study = config["studies"]["jund"]
    study["output"]["tracks"] = ["labels"]
    study["figures"] = {}
    path = files / "jund_peaks.narrowPeak.gz"
    write_lines(files / "labels.narrowPeak.gz", [line for line in lines_of(path) if not line.startswith("chr3\t")])
    sheet = files.parent / "tracks.tsv"
    sheet.write_text(sheet.read_text() + "labels\tnarrowPeak\tdemo\tfiles/labels.narrowPeak.gz\n")


def mistyped_key(config, files):
    config["studies"]["jund"]["training"]["epoch"] = 3


def start_after_end(config, files):
    path = files / "jund_peaks.narrowPeak.gz"
    write_lines(path, ["chr1\t500\t400\tbad\t0\t.\t1\t-1\t-1\t10", *lines_of(path)])


def truncated_bam(config, files):
    path = files / "dnase_encode.bam"
    path.write_bytes(path.read_bytes()[:-2000])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (missing_file, ["dnase_encode", "files/dnase_encode.bam", "do not exist", "line 6"]),
        (unindexed_bam, ["files/dnase_encode.bam", "index", "samtools index"]),
        (other_contig_names, ["files/dnase_encode.bam", "chr1", "without 'chr'"]),
        (peak_beyond_the_contig, ["files/jund_peaks.narrowPeak.gz", "59900", "60300", "60000"]),
        (empty_split, ["test", "chr3", "no region"]),
        (split_without_positives, ["labels", "test", "no positive"]),
        (mistyped_key, ["studies.jund.training", "'epoch'", "'epochs'"]),
        (start_after_end, ["files/jund_peaks.narrowPeak.gz", "line 1", "500", "400"]),
        (truncated_bam, ["files/dnase_encode.bam", "truncated"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_mistake_ends_before_training_with_one_message(own_files, run_workflow, spoil, words):
    folder, config, files = own_files
    spoil(config, files)
    done = run_workflow(folder, config, "jund", "--show-failed-logs")
    assert done.returncode == 1
    assert all(word in done.stdout for word in words), done.stdout
    assert "Traceback" not in done.stdout
    assert not list((folder / "results").glob("own/logs/jund/models/**/*.log"))
