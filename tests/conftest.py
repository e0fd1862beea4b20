"""What several tests share: the workflow run as a user runs it, on a small simulated data set."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
MICRO = yaml.safe_load((ROOT / "tests/micro.yaml").read_text())


@pytest.fixture(scope="session")
def micro_config():
    """The config of the smallest complete run, a fresh copy for each test."""
    return lambda: yaml.safe_load((ROOT / "tests/micro.yaml").read_text())


@pytest.fixture(scope="session")
def snakemake_command():
    """Write a config into a folder and return the command that runs the workflow there."""
    return write_command


def write_command(folder, config, *arguments):
    (folder / "my.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "my.yaml")]
    return command if "--cores" in arguments or "-n" in arguments else [*command, "--cores", "1"]


@pytest.fixture(scope="session")
def workflow_environment():
    """The variables with which a user runs the workflow: the environment of these tests is active."""

    def variables():
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        return kept | {"PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"}

    return variables


@pytest.fixture(scope="session")
def run_workflow(workflow_environment):
    """Run the workflow in a folder of its own, as from the command line, and return what it said."""

    def run(folder, config, *arguments):
        return subprocess.run(
            write_command(folder, config, *arguments),
            cwd=folder,
            env=workflow_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def start_workflow(workflow_environment):
    """Start a command in a process group of its own, all that it says in a file; to be used by ``with``."""

    @contextmanager
    def start(command, folder, log):
        with (
            log.open("w") as said,
            subprocess.Popen(
                command, cwd=folder, env=workflow_environment(), stdout=said, stderr=said, start_new_session=True
            ) as process,
        ):
            yield process

    return start


@pytest.fixture(scope="session")
def micro_resources(tmp_path_factory):
    """The files of the micro simulation of binding, made once; copy them before changing one."""
    from helpers.sources.simulate import simulate
    from helpers.sources.simulation import Simulation
    from helpers.sources.worlds import world_parameters

    folder = tmp_path_factory.mktemp("micro")
    simulate(folder, Simulation.from_dict(world_parameters(MICRO["simulation"], "binding")), seed=MICRO["seed"])
    return folder


@pytest.fixture
def own_files(tmp_path, micro_resources, micro_config):
    """A study on local files: (folder, config, its files by name), all free to be spoilt."""
    shutil.copytree(micro_resources, tmp_path / "files")
    types = {
        "genome": "fasta",
        "blacklist": "bed",
        "jund_peaks": "narrowPeak",
        "dnase_roadmap": "bam",
        "dnase_encode": "bam",
        "jund_motif": "meme",
        "jund_motifs": "bed",
        "snvs": "vcf",
    }
    names = {"genome": "genome.fa", "blacklist": "blacklist.bed.gz", "jund_peaks": "jund_peaks.narrowPeak.gz"}
    names |= {"jund_motif": "jund_motif.meme", "jund_motifs": "jund_motifs.bed.gz", "snvs": "snvs.vcf.gz"}
    rows = ["track\ttype\tassembly\tpath"]
    rows += [f"{track}\t{kind}\tdemo\tfiles/{names.get(track, f'{track}.bam')}" for track, kind in types.items()]
    (tmp_path / "tracks.tsv").write_text("\n".join(rows) + "\n")
    config = micro_config()
    config["run"] = "own"
    config["tracks"] = "tracks.tsv"
    del config["simulation"], config["published"]
    config["studies"] = {"jund": config["studies"]["jund"]}
    config["genomes"] = {"demo": config["genomes"]["demo"]}
    return tmp_path, config, tmp_path / "files"
