import getpass
import hashlib
import json
import shutil
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
from served_files import CONTENT, serving

from helpers.errors import InputError
from helpers.evaluation.provenance import (
    collect_provenance,
    describe_file,
    device_lines,
    git_commit,
    package_versions,
    write_provenance,
)
from helpers.sources.download import main as download


@pytest.fixture
def inputs(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_bytes(b">chr1\n" + b"ACGT" * 700_000)
    return {"genome": path}


def collect(inputs, **changes):
    arguments = {"seeds": {"study": 1}, "inputs": inputs, "backend": "tensorflow", "device": "cpu (1 thread)"}
    return collect_provenance({"run": "demo", "seed": 1}, **{**arguments, **changes})


def test_inputs_have_size_and_checksum(inputs):
    found = collect(inputs)["inputs"]["genome"]
    content = inputs["genome"].read_bytes()
    assert found == {"path": str(inputs["genome"]), "size": len(content), "md5": hashlib.md5(content).hexdigest()}


def test_missing_input_is_named(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read the input .*gone\.bam: No such file"):
        collect({"reads": tmp_path / "gone.bam"})


def test_versions_of_what_is_installed():
    assert package_versions(["numpy", "no-such-distribution"]) == {"numpy": np.__version__}


def test_written_as_plain_json_with_the_same_bytes(tmp_path, inputs):
    provenance = collect({**inputs})
    for name in ("one.json", "two.json"):
        write_provenance(provenance, tmp_path / name)
    assert json.loads((tmp_path / "one.json").read_text()) == provenance
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert provenance["config"] == {"run": "demo", "seed": 1}
    assert provenance["device"] == "cpu (1 thread)"


def test_paths_in_the_config_are_written_as_text(tmp_path):
    provenance = collect_provenance({"fasta": Path("a.fa")}, seeds={}, inputs={}, backend="jax", device="cpu")
    write_provenance(provenance, tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text())["config"] == {"fasta": "a.fa"}


def test_neither_host_nor_user_are_recorded(tmp_path):
    text = json.dumps(collect({}, workflow=tmp_path))
    assert socket.gethostname() not in text
    assert str(Path.home()) not in text
    assert f"/{getpass.getuser()}/" not in text


def test_trainings_are_counted_by_device(tmp_path):
    for number, text in enumerate(
        ["noise\ndevice: cpu (1 thread)\nepoch 1\n", "device: cpu (1 thread)\n", "nothing\n"]
    ):
        (tmp_path / f"{number}.log").write_text(text)
    logs = [tmp_path / f"{number}.log" for number in range(4)]
    assert device_lines(logs) == {"device: cpu (1 thread)": 2, "device: not recorded": 2}


def test_folder_without_git_has_no_commit(tmp_path, monkeypatch):
    assert git_commit(tmp_path) is None
    assert git_commit(tmp_path / "gone") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(tmp_path) is None


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_commit_and_changes(tmp_path, monkeypatch):
    for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "a@example.org")

    def git(*arguments):
        command = ["git", "-C", str(tmp_path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "Snakefile").write_text("rule all:\n")
    git("add", "Snakefile")
    git("commit", "-m", "first")
    commit = git("rev-parse", "HEAD")
    assert git_commit(tmp_path) == commit
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "scores.tsv").write_text("not tracked")
    assert git_commit(tmp_path) == commit
    (tmp_path / "Snakefile").write_text("rule other:\n")
    assert git_commit(tmp_path) == f"{commit}+changes"
    assert git_commit(tmp_path / "results") is None


@pytest.fixture
def downloaded(tmp_path):
    """A file with the record of its download."""
    content = b"chr1\t0\t1\n"
    found = {"size": len(content), "md5": hashlib.md5(content).hexdigest()}
    source = {"url": "https://example.org/a.bed", "md5": "of what arrived", "encode": {"status": "revoked"}}
    (tmp_path / "a.bed").write_bytes(content)
    (tmp_path / "a.bed.source.json").write_text(json.dumps(source | {"file": found}))
    return tmp_path / "a.bed", source, found


def test_a_downloaded_file_has_its_source(downloaded):
    path, source, found = downloaded
    assert describe_file(path) == {"path": str(path), **found, "source": source}


@pytest.mark.parametrize("content", [b"chr2\t0\t1\n", b"chr1\t0\t1\n\n", b""])
def test_a_file_that_replaced_a_downloaded_one_does_not_inherit_its_source(downloaded, content):
    path = downloaded[0]
    path.write_bytes(content)
    assert describe_file(path)["source"] == "replaced after download"


@pytest.mark.parametrize("text", ["{", "[1, 2]", "7", "\udcff"])
def test_a_record_that_cannot_be_read_is_named(downloaded, text):
    path = downloaded[0]
    Path(f"{path}.source.json").write_text(text, errors="surrogateescape")
    with pytest.raises(InputError, match=r"a\.bed\.source\.json cannot be read: .*Remove it"):
        describe_file(path)


def test_the_record_of_the_command_is_that_of_the_file(tmp_path):
    with serving() as site:
        site.files["/a.bin"] = CONTENT
        download([site.url("/a.bin"), str(tmp_path / "a.bin")])
        assert describe_file(tmp_path / "a.bin")["source"]["url"] == site.url("/a.bin")
    (tmp_path / "a.bin").write_bytes(CONTENT[1:])
    assert describe_file(tmp_path / "a.bin")["source"] == "replaced after download"
