"""A SLURM cluster of one node for the tests of this folder; without one they are skipped, with the reason."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("one_node_slurm.sh")
PINNED = Path(__file__).with_name("requirements.txt")


def call(*arguments):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def plugins(tmp_path_factory):
    """Snakemake's plugins for clusters: those of the environment, else installed into a folder of their own."""
    if all(find_spec(f"snakemake_executor_plugin_{name}") for name in ("slurm", "cluster_generic")):
        yield
        return
    folder = tmp_path_factory.mktemp("plugins")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--target", str(folder), "--requirement", str(PINNED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"Snakemake's plugins for clusters could not be installed: {done.stderr[-300:]}")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(folder)
    yield
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="session")
def cluster(plugins):
    """A running cluster; SLURM is installed first where that is possible."""
    if os.geteuid() != 0:
        pytest.skip("only root starts a cluster")
    if Path("/etc/slurm/slurm.conf").exists():
        pytest.skip("/etc/slurm/slurm.conf is there: this machine has a cluster of its own")
    if not shutil.which("slurmctld") and (done := call("install")).returncode:
        pytest.skip(f"SLURM could not be installed: {done.stderr[-300:]}")
    with tempfile.TemporaryDirectory() as folder:  # not below tmp_path, which munge may not enter
        done = call("up", folder)
        assert done.returncode == 0, done.stderr
        yield
        call("down", folder)
