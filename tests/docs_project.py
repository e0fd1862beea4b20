"""What the pages of docs/ tell a reader to write and to run, laid out in a folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
OWN_DATA = (ROOT / "docs/own-data.md").read_text()
LINKED = ("Snakefile", "workflow", "helpers", "config", "profiles", "envs")
FILES = {
    "genome.fa": "genome.fa",
    "peaks.narrowPeak.gz": "jund_peaks.narrowPeak.gz",
    "dnase.bam": "dnase_encode.bam",
    "dnase.bam.bai": "dnase_encode.bam.bai",
}


def blocks(page, language):
    """Give the fenced blocks of a language: (what stands behind it, text)."""
    return re.findall(rf"^```{language} ?([^\n]*)\n(.*?)^```$", page, flags=re.M | re.S)


def lay_out(folder, simulated):
    """Put the workflow (by links), the page's files and simulated data where the page of own data has them."""
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "data").mkdir()
    for name, source in FILES.items():
        shutil.copy(simulated / source, folder / "data" / name)
    for options, text in blocks(OWN_DATA, r"\w+"):
        if options.startswith("file="):
            path = folder / options.removeprefix("file=")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    (folder / "outer.yaml").write_text(yaml.safe_dump({"genomics": read_config(folder)}))
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/activate").write_text(f"export PATH='{Path(sys.executable).parent}':$PATH\n")
    return folder


def read_config(folder):
    return yaml.safe_load((folder / "my.yaml").read_text())


def shell(folder, script, **variables):
    """Run lines of bash in a folder: what they printed, and how they ended."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        ["bash", "-e", "-c", f". .venv/bin/activate\n{script}"],
        cwd=folder,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
