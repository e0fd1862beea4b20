"""The profiles for clusters on a real SLURM of one node: every job through sbatch, one cancelled in the middle."""

import os
import re
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "profiles"
QUICK = ["--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "10"]


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def wait_for(condition, process, log, minutes):
    """The first true value of a condition, while a process runs."""
    deadline = time.monotonic() + 60 * minutes
    while not (value := condition()):
        assert process.poll() is None, log.read_text()[-6000:]
        assert time.monotonic() < deadline, log.read_text()[-6000:]
        time.sleep(0.5)
    return value


def running_job(rule):
    """The id of a running job of a rule, which the plugin names with the wildcards in the comment of a job."""
    lines = said("squeue", "--noheader", "--states=RUNNING", "--format=%A %k").splitlines()
    return next(line.split()[0] for line in lines if rule in line)


def submitted_jobs():
    """What SLURM remembers of every job of this cluster."""
    lines = said("scontrol", "--oneliner", "show", "job").splitlines()
    return [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines if "JobId=" in line]


def memory(job):
    """Memory that a job asked for, in MB."""
    value, unit = re.fullmatch(r"([\d.]+)([MG])", job["MinMemoryNode"]).groups()
    return float(value) * {"M": 1, "G": 1024}[unit]


@pytest.mark.slow
def test_the_demos_jund_study_passes_through_sbatch_and_survives_a_cancelled_job(
    cluster, tmp_path, snakemake_command, run_workflow, start_workflow
):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    (tmp_path / "cluster").mkdir()
    (tmp_path / "laptop").mkdir()
    profile = ["--workflow-profile", str(PROFILES / "slurm"), "--cores", "4"]
    command = snakemake_command(tmp_path / "cluster", config, "jund", *profile, *QUICK)
    log = tmp_path / "log.txt"
    before = len(submitted_jobs())
    with start_workflow(command, tmp_path / "cluster", log) as process:
        try:
            training = tmp_path / "cluster/results/demo/logs/jund/models/joint/default/fold-all/rep-0/train.log"
            wait_for(training.exists, process, log, minutes=40)
            cancelled = running_job("train_model_wildcards_demo_jund_joint")
            said("scancel", cancelled)
            process.wait(timeout=60 * 60)
        finally:
            process.kill()
    assert process.returncode == 0, log.read_text()[-6000:]
    jobs = submitted_jobs()[before:]
    states = Counter(job["JobState"] for job in jobs)
    assert states == {"COMPLETED": len(jobs) - 1, "CANCELLED": 1}
    (first,) = [job for job in jobs if job["JobState"] == "CANCELLED"]
    assert first["JobId"] == cancelled
    again = [job for job in jobs if job["Comment"] == first["Comment"] and job is not first]
    assert [memory(job) / memory(first) for job in again] == [2], "once more, with twice the memory"
    done = re.search(r"(\d+) of \1 steps \(100%\) done", log.read_text())
    assert len(jobs) < int(done[1]), "small jobs share a submission"

    laptop = run_workflow(tmp_path / "laptop", config, "results/demo/jund/scores.tsv", "--cores", "2")
    assert laptop.returncode == 0, laptop.stdout[-6000:]
    here, there = (tmp_path / place / "results/demo/jund/scores.tsv" for place in ("laptop", "cluster"))
    assert len(pd.read_csv(there, sep="\t")) > 0
    assert there.read_bytes() == here.read_bytes()


@pytest.mark.slow
def test_another_scheduler_is_three_commands(cluster, tmp_path, run_workflow, micro_config):
    config = micro_config()
    config["studies"] = {"jund": config["studies"]["jund"]}
    before = len(submitted_jobs())
    target = "results/micro/jund/regions/train.bed"
    profile = ["--workflow-profile", str(PROFILES / "generic"), "--cores", "4", "--latency-wait", "10"]
    done = run_workflow(tmp_path, config, target, *profile)
    assert done.returncode == 0, done.stdout[-6000:]
    assert (tmp_path / target).stat().st_size > 0
    names = [job["JobName"] for job in submitted_jobs()[before:]]
    assert sorted(names) == ["check_inputs", "encode_genome", "make_regions", "simulate_binding", "split_regions"]


@pytest.mark.slow
def test_quick_trainings_share_submissions_as_the_page_says(cluster, tmp_path, run_workflow, micro_config):
    (told,) = re.findall(r"```yaml\n(groups:\n.*?)```", (ROOT / "docs/cluster.md").read_text(), re.DOTALL)
    told, mine = yaml.safe_load(told), tmp_path / "mine"
    shutil.copytree(PROFILES / "generic", mine)
    profile = yaml.safe_load((mine / "config.yaml").read_text())
    profile |= told | {"group-components": profile["group-components"] | told["group-components"]}
    (mine / "config.yaml").write_text(yaml.safe_dump(profile))
    config = micro_config()
    study = config["studies"]["jund"]
    config["studies"] = {"three": study | {"replicates": 3}, "one": study | {"device": "cpu", "figures": {}}}
    before = len(submitted_jobs())
    done = run_workflow(
        *(tmp_path, config, "results/micro/three/scores.tsv", "results/micro/one/scores.tsv"),
        *("--workflow-profile", str(mine), "--cores", "4", "--latency-wait", "10"),
    )
    assert done.returncode == 0, done.stdout[-6000:]
    (trainings,) = re.findall(r"^train_model +(\d+)$", done.stdout, re.MULTILINE)
    assert int(trainings) == (3 + 1) * len(study["models"])
    jobs = submitted_jobs()[before:]
    names = Counter(job["JobName"] for job in jobs)
    assert "train_model" not in names
    assert 1 < names["GROUP"] < int(trainings), "normalizers, trainings and scores, each in groups"
    assert 4 * 3000 in {memory(job) for job in jobs if job["JobName"] == "GROUP"}


@pytest.mark.slow
def test_the_status_of_jobs_in_the_words_of_snakemake(cluster, tmp_path):
    def status(job):
        return said(PROFILES / "generic/status.sh", job).strip()

    def submit(command):
        return said("sbatch", "--parsable", "--mem=100", "--output=/dev/null", f"--wrap={command}").strip()

    sleeping, good, bad = submit("sleep 300"), submit("true"), submit("false")
    waiting = submit(f"sleep 300; : {tmp_path}")
    said("scontrol", "hold", waiting)
    deadline = time.monotonic() + 60
    while "running" in (status(good), status(bad)) and time.monotonic() < deadline:
        time.sleep(1)
    assert [status(job) for job in (sleeping, waiting, good, bad)] == ["running", "running", "success", "failed"]
    said("scancel", sleeping, waiting)
    while "running" in (status(sleeping), status(waiting)) and time.monotonic() < deadline:
        time.sleep(1)
    assert [status(job) for job in (sleeping, waiting, "99999")] == ["failed"] * 3


@pytest.mark.slow
def test_the_status_is_unknown_but_not_failed_while_the_scheduler_is_silent(tmp_path):
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact slurm' >&2\nexit 1\n")
    (tmp_path / "scontrol").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    answer = subprocess.run([PROFILES / "generic/status.sh", "1"], capture_output=True, text=True, check=True, env=path)
    assert answer.stdout == "running\n"
