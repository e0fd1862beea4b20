"""The whole workflow killed ten times and more, at random moments: what it makes in the end is the same."""

import os
import random
import signal
import time

import pytest

KILLS = 10
TABLES = [f"results/micro/jund/{table}.tsv" for table in ("scores", "summary", "comparisons")]


def started_jobs(folder):
    """How many different jobs have ever started: each opens its log first, and logs outlive a kill."""
    return len(list((folder / "results/micro/logs").rglob("*.log")))


def kill_when(folder, started, jobs, seconds):
    """Kill a started command and its process group some seconds after so many jobs have started; count the started."""
    with started as process:
        deadline = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < deadline and started_jobs(folder) < jobs:
            time.sleep(0.05)
        time.sleep(seconds)
        assert process.poll() is None, (folder / "killed.txt").read_text()[-4000:]
        os.killpg(process.pid, signal.SIGKILL)
    return started_jobs(folder)


@pytest.mark.slow
def test_killed_at_ten_random_moments_and_continued_the_scores_are_the_same(
    tmp_path, snakemake_command, run_workflow, start_workflow, micro_config
):
    """Moments are drawn over the whole run; each run goes on with one core or with two."""
    rng = random.Random()
    config = micro_config()
    config["studies"] = {"jund": config["studies"]["jund"]}
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    undisturbed.mkdir()
    killed.mkdir()
    done = run_workflow(undisturbed, config, *TABLES)
    assert done.returncode == 0, done.stdout[-6000:]
    total = started_jobs(undisturbed)

    moments = [(jobs, rng.uniform(0, 2)) for jobs in sorted(rng.sample(range(1, total - 4), KILLS))]
    reached = []
    for jobs, seconds in moments:
        command = snakemake_command(killed, config, *TABLES, "--cores", rng.choice("12"))
        reached.append(kill_when(killed, start_workflow(command, killed, killed / "killed.txt"), jobs, seconds))
        assert run_workflow(killed, config, "--unlock").returncode == 0
    done = run_workflow(killed, config, *TABLES)
    assert done.returncode == 0, (moments, reached, done.stdout[-6000:])
    for table in TABLES:
        assert (killed / table).read_bytes() == (undisturbed / table).read_bytes(), (moments, reached, table)
