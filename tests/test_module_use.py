"""The workflow as a module of another one: its rules under a prefix of their own, its config under a key."""

import re
import subprocess
import sys

import pytest
import yaml
from docs_project import ROOT, lay_out, read_config

OUTER = """configfile: "outer.yaml"


module genomics:
    snakefile:
        "{root}/Snakefile"
    config:
        config["inner"]{prefix}


use rule * from genomics as genomics_*


rule count_windows:
    default_target: True
    input:
        "results/my/binding/regions/all.bed",
    output:
        "windows.txt",
    shell:
        "wc -l < {{input}} > {{output}}"
"""


def write_outer(folder, config, prefix=""):
    (folder / "Snakefile").write_text(OUTER.format(root=ROOT, prefix=prefix))
    (folder / "outer.yaml").write_text(yaml.safe_dump({"inner": config, "studies": {"of": "the outer workflow"}}))


def snakemake(folder, *arguments):
    command = [sys.executable, "-m", "snakemake", *arguments, "--workflow-profile", "none"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("prefix", "place"), [("", ""), ('\n    prefix:\n        "inner"', "inner/")])
def test_a_study_is_a_target_of_the_outer_workflow(tmp_path, micro_config, prefix, place):
    """With simulated tracks, also below a prefix: all paths of jobs move together."""
    write_outer(tmp_path, micro_config(), prefix)
    done = snakemake(tmp_path, "genomics_jund", "-n")
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.M))
    assert jobs["genomics_train_model"] == "5"
    assert {name for name in jobs if not name.startswith("genomics_")} == {"total"}
    outputs = re.findall(r"^ +output: (.*)$", done.stdout, flags=re.M)
    assert len(outputs) > 20
    paths = [path for line in outputs for path in line.split(", ")]
    assert {path.split("results/")[0] for path in paths if "results/" in path} == {place}


def test_jobs_of_the_module_run_with_local_files_from_another_folder(tmp_path, micro_resources):
    """Scripts, the package and the sheet are found; the outer workflow uses what they make."""
    lay_out(tmp_path, micro_resources)
    (tmp_path / "elsewhere").mkdir()
    for name in ("my.tracks.tsv", "data"):
        (tmp_path / "elsewhere" / name).symlink_to(tmp_path / name)
    write_outer(tmp_path / "elsewhere", read_config(tmp_path))
    done = snakemake(tmp_path / "elsewhere", "--cores", "1", "--quiet", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    windows = (tmp_path / "elsewhere/results/my/binding/regions/all.bed").read_text().splitlines()
    assert int((tmp_path / "elsewhere/windows.txt").read_text()) == len(windows) > 100


def test_a_mistake_in_the_inner_config_names_its_key(tmp_path, micro_config):
    config = micro_config()
    config["studies"]["jund"]["replicate"] = 1
    write_outer(tmp_path, config)
    done = snakemake(tmp_path, "genomics_jund", "-n")
    assert done.returncode == 1
    assert "studies.jund: unknown key 'replicate'. Did you mean 'replicates'?" in done.stdout + done.stderr
