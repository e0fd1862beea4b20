"""The whole workflow killed ten times, at random moments: what it makes in the end is the same."""

import os
import random
import signal
import time

import pandas as pd
import pytest

KILLS = 10
RUN = "results/micro"


def started_jobs(folder, since=0.0):
    """How many different jobs have started since a time: each opens its log first, and logs outlive a kill."""
    return sum(log.stat().st_mtime >= since for log in (folder / RUN / "logs").rglob("*.log"))


def kill_after(folder, started, jobs, seconds):
    """Kill a started command and its process group some seconds after so many jobs; say whether a job was cut off."""
    since = time.time()
    with started as process:
        deadline = time.monotonic() + 600
        while process.poll() is None and time.monotonic() < deadline and started_jobs(folder, since) < jobs:
            time.sleep(0.05)
        time.sleep(seconds)
        assert process.poll() is None, (folder / "killed.txt").read_text()[-4000:]
        os.killpg(process.pid, signal.SIGKILL)
    return any((folder / ".snakemake/incomplete").iterdir())


def tables(folder):
    """All tables of a run by their path, as text, but for seconds."""
    found = {}
    for path in (folder / RUN).rglob("*.tsv"):
        name = path.relative_to(folder / RUN)
        if name.parts[0] != "benchmarks":
            found[str(name)] = pd.read_csv(path, sep="\t", dtype=str).drop(columns="seconds", errors="ignore").to_csv()
    return found


@pytest.mark.slow
def test_killed_at_ten_random_moments_and_continued_the_tables_are_the_same(
    tmp_path, snakemake_command, run_workflow, start_workflow, micro_config
):
    """Each run is killed while its jobs work, up to two seconds after some of them began; it has one core or two."""
    rng = random.Random()
    config = micro_config()
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    undisturbed.mkdir()
    killed.mkdir()
    done = run_workflow(undisturbed, config, "--cores", "2")
    assert done.returncode == 0, done.stdout[-6000:]

    total = started_jobs(undisturbed)
    ends = sorted(rng.sample(range(1, total - 4), KILLS))
    moments = [(end - begin, rng.uniform(0, 2)) for begin, end in zip([0, *ends], ends, strict=False)]
    cut_off = []
    for jobs, seconds in moments:
        command = snakemake_command(killed, config, "--cores", rng.choice("12"))
        cut_off.append(kill_after(killed, start_workflow(command, killed, killed / "killed.txt"), jobs, seconds))
        looked = run_workflow(killed, config, "-n", "--quiet")
        assert looked.returncode == 0, (moments, cut_off, looked.stdout[-6000:])
        assert run_workflow(killed, config, "--unlock").returncode == 0
    assert sum(cut_off) > KILLS // 2, "most kills fell between two jobs"
    done = run_workflow(killed, config, "--cores", "2")
    assert done.returncode == 0, (moments, done.stdout[-6000:])
    found, expected = tables(killed), tables(undisturbed)
    assert {"jund/scores.tsv", "deepsea/scores.tsv", "cage/scores.tsv"} < set(expected)
    assert set(found) == set(expected)
    assert [name for name in expected if found[name] != expected[name]] == [], moments
