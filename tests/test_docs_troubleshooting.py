"""The page of messages: each one is provoked, and its words are those of the page."""

import copy
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pysam
import pytest
import yaml
from docs_project import ROOT, lay_out, read_config, shell
from served_files import serving

from helpers.errors import InputError
from helpers.kept import kept_path
from helpers.preflight import main
from helpers.sources.download import main as download
from helpers.sources.igv import fetch_igv

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
MESSAGES = dict(re.findall(r"^### ([^\n]+)\n\n```text\n(.*?)^```$", PAGE, flags=re.M | re.S))
SLOW_RULE = """rule wait:
    output: "waited.txt"
    shell: "echo begun > {output}; sleep 20"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory, micro_resources):
    return lay_out(tmp_path_factory.mktemp("mistakes"), micro_resources)


@pytest.fixture
def preflight(project, monkeypatch):
    """Check the page's config with something changed, and give what is said."""
    monkeypatch.chdir(project)

    def check(keys=(), value=None, sheet=None, without=()):
        config = copy.deepcopy(read_config(project))
        part = config
        *parents, last = keys or without or ("run",)
        for key in parents:
            part = part[key]
        if keys:
            part[last] = value
        elif without:
            del part[last]
        text = (project / "my.tracks.tsv").read_text()
        (project / "spoilt.tsv").write_text(text.replace(*sheet) if sheet else text)
        config["tracks"] = "spoilt.tsv"
        (project / "spoilt.yaml").write_text(yaml.safe_dump(config))
        with pytest.raises(SystemExit) as end:
            main(["--config", "spoilt.yaml"])
        return str(end.value.code)

    return check


@pytest.fixture
def peaks(project):
    """The lines of the peaks, to be written differently: (lines, function that writes a file)."""
    lines = gzip.decompress((project / "data/peaks.narrowPeak.gz").read_bytes()).decode().splitlines(keepends=True)

    def write(changed):
        (project / "data/spoilt.bed").write_text("".join(changed))
        return "data/peaks.narrowPeak.gz", "data/spoilt.bed"

    return lines, write


def same(said, heading):
    """Tell whether the words of a message on the page come in this order; … stands for any others."""
    plain = " ".join(said.split())
    at = 0
    for part in MESSAGES[heading].split("…"):
        words = " ".join(part.split())
        at = plain.find(words, at)
        if at < 0:
            return False
        at += len(words)
    return True


STUDY = ("studies", "binding")


@pytest.mark.parametrize(
    ("heading", "keys", "value"),
    [
        ("A wrong key", (*STUDY, "training", "epoch"), 3),
        ("A wrong value", (*STUDY, "training", "batch_size"), "64"),
        ("A name that nothing has", (*STUDY, "output", "tracks"), ["peek"]),
        ("A split that is not one", (*STUDY, "split"), {"validation": ["chr2"], "test": ["chr2"]}),
        ("Bins that do not fit", (*STUDY, "inputs", "dnase", "resolution"), 30),
    ],
)
def test_values_of_the_config(preflight, heading, keys, value):
    said = preflight(keys, value)
    assert same(said, heading), said


def test_a_missing_key(preflight):
    assert same(preflight(without=(*STUDY, "metrics")), "A missing key")


def test_windows_that_are_too_short(preflight):
    regions = {"kind": "peaks", "track": "peaks", "extend": 2000, "binsize": 40}
    study = {"genome": "mine", "regions": regions, "inputs": {"dna": {"kind": "sequence"}}}
    study |= {"split": {"validation": ["chr2"], "test": ["chr3"]}, "output": {"kind": "peaks", "tracks": ["peaks"]}}
    study |= {"models": {"dna": {"architecture": "jund_dna", "inputs": ["dna"], "variants": [{"order": [1]}]}}}
    study |= {"training": {"loss": "binary_crossentropy"}, "metrics": ["auprc"]}
    assert same(preflight(STUDY, study), "Windows that are too short")


def test_a_config_that_is_no_yaml(project, monkeypatch):
    monkeypatch.chdir(project)
    (project / "tab.yaml").write_text("run: my\n\ttracks: my.tracks.tsv\n")
    with pytest.raises(SystemExit) as end:
        main(["--config", "tab.yaml"])
    assert same(end.value.code, "A config that is no YAML")


PYTHON = "CUDA_VISIBLE_DEVICES= python -c 'from helpers.backend import select_backend; select_backend({})'"


@pytest.mark.parametrize(
    ("heading", "command"),
    [
        ("A target without its study", "snakemake -n cage --configfile my.yaml"),
        ("A target that is taken for a config", "snakemake -n --configfile my.yaml binding"),
        ("No config in this folder", "mkdir elsewhere; cd elsewhere; snakemake -n --snakefile ../Snakefile"),
        pytest.param(
            *("A package that is missing", PYTHON.format('"jax"')),
            marks=pytest.mark.skipif(importlib.util.find_spec("jax") is not None, reason="JAX is installed here"),
        ),
        ("No GPU", PYTHON.format('"tensorflow", device="gpu"')),
    ],
)
def test_commands(project, heading, command):
    done = shell(project, command)
    assert done.returncode == 1
    assert same(done.stdout, heading), done.stdout


def test_files_of_the_sheet(preflight):
    assert same(preflight(sheet=("data/dnase.bam", "data/dnas.bam")), "A file that is not there")
    assert same(preflight(sheet=("\t", "    ")), "A sheet without tabs")


def test_other_names_of_contigs_and_the_command_that_renames_them(preflight, peaks, project):
    lines, write = peaks
    said = preflight(sheet=write(line.removeprefix("chr") for line in lines))
    assert same(said, "Other names of contigs")
    command = re.search("`([^`]*)`", said)[1]
    assert shell(project, command).returncode == 0
    assert (project / "renamed.spoilt.bed").read_text() == "".join(lines)


def test_chromosomes_that_the_genome_lacks(preflight, project):
    config = read_config(project)["studies"]["binding"]
    config["split"] = {"validation": ["2"], "test": ["3"]}
    genomes = {"mine": {"fasta": "genome", "chromosomes": ["1", "2", "3", "4", "5"]}}
    written = {**read_config(project), "genomes": genomes, "studies": {"binding": config}, "tracks": "my.tracks.tsv"}
    (project / "names.yaml").write_text(yaml.safe_dump(written))
    with pytest.raises(SystemExit) as end:
        main(["--config", "names.yaml"])
    assert same(end.value.code, "Chromosomes that the genome lacks")


def test_alignments(preflight, project):
    whole = (project / "data/dnase.bam").read_bytes()
    (project / "data/bare.bam").write_bytes(whole)
    (project / "data/cut.bam").write_bytes(whole[: len(whole) // 2])
    shutil.copy(project / "data/dnase.bam.bai", project / "data/cut.bam.bai")
    assert same(preflight(sheet=("data/dnase.bam", "data/bare.bam")), "No index")
    assert same(preflight(sheet=("data/dnase.bam", "data/cut.bam")), "A truncated file")


def test_regions(preflight, peaks):
    lines, write = peaks
    beyond = "chr1\t89990\t90010\tx\t0\t.\t0\t0\t0\t0\n"
    assert same(preflight(sheet=write([*lines, beyond])), "Another assembly")
    said = preflight(sheet=write(line for line in lines if not line.startswith("chr3\t")))
    assert same(said, "A split without regions")


@pytest.fixture
def site():
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    ("heading", "answers", "options"),
    [
        ("A file that the server does not have", [], ()),
        ("A wrong checksum", [200], ("--md5", "0" * 32)),
        ("A server that does not answer", [(503, {"Retry-After": "0"})] * 2, ("--attempts", "2")),
        ("A file that lacks its end", [200], ()),
    ],
)
def test_downloads(site, tmp_path, heading, answers, options):
    if 200 in answers:
        with pysam.BGZFile(str(tmp_path / "whole"), "wb") as file:
            file.write(b"chr1\t0\t1\n")
        site.files["/a.bed.gz"] = (tmp_path / "whole").read_bytes()[: None if options else -28]
    else:
        site.faults["/a.bed.gz"] = answers
    with pytest.raises(SystemExit) as end:
        download([site.url("/a.bed.gz"), str(tmp_path / "a.bed.gz"), "--row=peaks", *options])
    assert same(end.value.code, heading), end.value.code
    assert not (tmp_path / "a.bed.gz").exists()


def test_an_older_file(site, tmp_path):
    kept_path(tmp_path / "a.bed.gz").write_text("older")
    for heading, options in (("An older file that is gone", ()), ("A file that is missing offline", ("--offline",))):
        with pytest.raises(SystemExit) as end:
            download([site.url("/a.bed.gz"), str(tmp_path / "a.bed.gz"), *options])
        assert same(end.value.code, heading), end.value.code


def test_what_encode_says(site, tmp_path, caplog):
    content = b"chr1\t0\t1\n"
    about = {"status": "revoked", "assembly": "GRCh38", "md5sum": hashlib.md5(content).hexdigest(), "file_size": 9}
    site.files["/files/ENCFF123ABC/?format=json"] = json.dumps(about).encode()
    site.files["/files/ENCFF123ABC/@@download/ENCFF123ABC.bed"] = content
    command = ["encode:ENCFF123ABC.bed", str(tmp_path / "a.bed"), "--row=peaks", "--encode", site.address]
    with pytest.raises(SystemExit) as end:
        download([*command, "--assembly=hg19"])
    assert same(end.value.code, "A file of ENCODE on another assembly"), end.value.code
    caplog.clear()
    download([*command, "--assembly=hg38"])
    assert same(caplog.text, "A file that ENCODE has revoked"), caplog.text
    assert (tmp_path / "a.bed").read_bytes() == content


def test_igv(site, tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", site.address)
    with pytest.raises(InputError) as error:
        fetch_igv(tmp_path / "igv.min.js")
    assert same(f"ERROR: {error.value}", "igv.js cannot be fetched"), error.value
    with pytest.raises(InputError) as error:
        fetch_igv(tmp_path / "igv.min.js", offline=True)
    assert same(f"ERROR: {error.value}", "igv.js is missing offline"), error.value


def test_a_locked_folder_and_incomplete_files(tmp_path):
    """A run that is killed while it writes: what the next one says."""
    (tmp_path / "Snakefile").write_text(SLOW_RULE)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--workflow-profile", "none"]
    begun = subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 60
        while not (tmp_path / "waited.txt").exists() and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
    assert (tmp_path / "waited.txt").exists()
    incomplete = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert same(incomplete.stderr, "Incomplete files"), incomplete.stderr
    locked = subprocess.run([*command, "--rerun-incomplete"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert same(locked.stderr, "A locked folder"), locked.stderr
    subprocess.run([*command, "--unlock"], cwd=tmp_path, capture_output=True, check=True)
    assert list(tmp_path.glob(".snakemake/locks/*")) == []
    profile = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    assert profile["rerun-incomplete"] is True, "as the page says"


def test_every_message_of_the_page_is_provoked():
    """Each heading stands in a test above, and each section has its message."""
    text = (ROOT / "tests/test_docs_troubleshooting.py").read_text()
    headings = re.findall(r"^### (.+)$", PAGE, flags=re.M)
    assert headings == list(MESSAGES)
    assert [heading for heading in headings if f'"{heading}"' not in text] == []
    assert len(headings) >= 20


def test_words_in_another_order_are_another_message():
    assert same("There is no index (.bai or .csi).  Run\n`samtools index a.bam`", "No index")
    assert not same("There is an index (.bai or .csi). Run `samtools index a.bam`", "No index")
