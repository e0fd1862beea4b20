"""The checks from a shell, on a whole config: what is printed, and how it ends."""

import subprocess
import sys

import pytest
import yaml

from helpers.preflight import check_config, main, read_config
from helpers.sheet import file_path
from helpers.study import all_splits, track_uses


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command in a folder: (status, what it printed, its error)."""

    def run(folder, config=None):
        monkeypatch.chdir(folder)
        arguments = []
        if config is not None:
            (folder / "my.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
            arguments = ["--config", "my.yaml"]
        try:
            main(arguments)
        except SystemExit as end:
            return 1, capsys.readouterr().out, str(end.code)
        return 0, capsys.readouterr().out, ""

    return run


def test_good_files(own_files, run):
    folder, config, _ = own_files
    status, text, _ = run(folder, config)
    assert status == 0
    assert "Study jund" in text
    assert "chr1      90000" in text
    assert "0.0% paired" in text
    assert text.splitlines()[-1].startswith("All checks passed")


def test_mistakes_are_one_error_and_tables_are_printed_all_the_same(own_files, run):
    folder, config, files = own_files
    (files / "dnase_encode.bam.bai").unlink()
    (files / "blacklist.bed.gz").unlink()
    (files / "blacklist.bed").write_text("chr1\t5\t90001\n")
    sheet = folder / "tracks.tsv"
    sheet.write_text(sheet.read_text().replace("blacklist.bed.gz", "blacklist.bed"))
    status, text, error = run(folder, config)
    assert status == 1
    assert "90001!" in text
    assert error.startswith("ERROR: 2 errors in the study's files")
    assert "no index" in error
    assert "1 of 1 regions end beyond their contig" in error


def test_two_studies_say_a_shared_mistake_once(own_files, run):
    folder, config, files = own_files
    config["studies"]["again"] = config["studies"]["jund"] | {"figures": {}}
    (files / "dnase_encode.bam.bai").unlink()
    status, text, error = run(folder, config)
    assert status == 1
    assert text.count("Study ") == 2
    assert error.startswith("ERROR: 1 error in")


def test_files_that_the_workflow_makes_are_no_error(tmp_path, micro_config, run):
    config = micro_config()
    config["studies"] = {"jund": config["studies"]["jund"]}
    status, text, _ = run(tmp_path, config)
    assert status == 0
    assert text.count("not there yet; the workflow simulates it") == 8
    assert "8 file(s) that the workflow has yet to make" in text


def test_a_downloaded_file_without_its_index(tmp_path, own_files, run):
    folder, config, files = own_files
    sheet = folder / "tracks.tsv"
    url = "https://no.such.host/dnase_encode.bam"
    sheet.write_text(
        sheet.read_text().replace("assembly\tpath", "assembly\tpath\turl").replace("files/dnase_encode.bam", f"\t{url}")
    )
    (folder / "resources/demo").mkdir(parents=True)
    status, text, _ = run(folder, config)
    assert status == 0
    assert "the workflow downloads it" in text
    (files / "dnase_encode.bam").rename(folder / "resources/demo/dnase_encode.bam")
    status, text, _ = run(folder, config)
    assert status == 0
    assert "The workflow makes the index" in text


def test_mistakes_of_the_config(own_files, run):
    folder, config, files = own_files
    config["studies"]["jund"]["training"]["epoch"] = 3
    status, _, error = run(folder, config)
    assert status == 1
    assert "unknown key 'epoch'" in error
    del config["studies"]["jund"]["training"]["epoch"]
    (files / "dnase_encode.bam").unlink()
    status, text, error = run(folder, config)
    assert "There is no such file" in error
    assert "dnase_roadmap.bam" in text  # the others are checked all the same
    config["studies"]["jund"]["inputs"]["dnase"] |= {"tracks": ["dnase_roadmap"], "swap_in_test": False}
    config["studies"]["jund"]["figures"] = {}
    status, _, error = run(folder, config)
    assert status == 1
    assert "track 'dnase_encode' (line 6 of the sheet)" in error


@pytest.mark.parametrize("text", [None, "a: [", "- 1\n", "", b"\xff\xfe"])
def test_what_is_no_config(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "my.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SystemExit) as end:
        main(["--config", "my.yaml"])
    assert "ERROR: The config my.yaml" in str(end.value.code)


def test_the_command_itself(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "helpers.preflight", "--help"], capture_output=True, text=True, check=True
    )
    assert "--config" in done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "helpers.preflight", "--config", str(tmp_path / "no.yaml")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: ")
    assert "Traceback" not in done.stderr


def test_checks_of_the_library(own_files, monkeypatch):
    folder, config, _ = own_files
    monkeypatch.chdir(folder)
    (folder / "my.yaml").write_text(yaml.safe_dump(config))
    ((name, checks),) = check_config(*read_config("my.yaml"))
    assert name == "jund"
    assert "error" not in set(checks.findings["status"])
    assert len(checks.contigs) == 6


def test_uses_and_splits_of_a_study(micro_config, tmp_path):
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(micro_config()))
    config, tracks = read_config(tmp_path / "my.yaml")
    study = config["studies"]["jund"]
    assert track_uses(study) == {
        "jund_peaks": {"uses": ["regions", "output"], "stranded": False},
        "dnase_roadmap": {"uses": ["inputs"], "stranded": True},
        "dnase_encode": {"uses": ["inputs"], "stranded": True},
        "jund_motif": {"uses": ["motifs", "database"], "stranded": False, "window": 500},
        "snvs": {"uses": ["variants"], "stranded": False},
        "jund_motifs": {"uses": ["expected"], "stranded": False},
    }
    names = ["chr1", "chr2", "chr3"]
    assert all_splits(study, names) == {"train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]}
    folded = {"folds": {"validation_each": ["chr1", "chr2"], "test": ["chr3"]}}
    assert all_splits(folded, names) == {
        "train of fold chr1": ["chr2"],
        "validation of fold chr1": ["chr1"],
        "test": ["chr3"],
        "train of fold chr2": ["chr1"],
        "validation of fold chr2": ["chr2"],
    }
    assert file_path(tracks.loc["genome"], "micro") == "resources/micro/genome.fa"
    row = {"track": "dnase", "type": "bed", "assembly": "hg38", "path": "", "url": "https://x/a.bed.gz", "mirrors": ""}
    assert file_path(row, "any") == "resources/hg38/dnase.bed.gz"
    assert file_path(row | {"path": "own.bed"}, "any") == "own.bed"
