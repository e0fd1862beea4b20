"""Run the workflow on the embedded demo, with one line for each finished job; `make demo` calls this.

Everything else is Snakemake's: arguments are passed on, and a failure is shown with the log of the failed job.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path("results/demo")
COMMAND = [sys.executable, "-m", "snakemake", "--cores", "all", "--quiet", "host", "reason"]
PARTS = (
    *("study", "model", "variant", "fold", "replicate", "input", "track", "normalizer", "split", "part"),
    *("figure", "table", "genome"),
)


def main() -> int:
    """Run Snakemake; return its exit status."""
    start = time.monotonic()
    with subprocess.Popen(
        [*COMMAND, *sys.argv[1:]], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in follow(process.stdout, start):
            print(line, flush=True)
    if process.returncode != 0 and locked(ROOT):
        print("If no other run is at work here: .venv/bin/snakemake --unlock, then make demo again; it continues.")
    if process.returncode == 0:
        print(f"Done in {clock(time.monotonic() - start)}. Open {RESULTS}/report.html; tables: {RESULTS}/*/*.tsv.")
    return process.returncode


def follow(lines: Iterable[str], start: float) -> Iterator[str]:
    """Turn Snakemake's messages into a line for each finished job, and pass on everything from an error on."""
    jobs: dict[str, str] = {}
    finished = None
    failed = False
    for line in map(str.rstrip, lines):
        if failed or re.match(r"(\w*Error|\w*Exception|Error in rule|LockException)", line):
            failed = True
            yield line
        elif "Nothing to be done" in line:
            yield "Nothing to do: all results of the demo are there and up to date."
        elif found := re.match(r"(?:local)?(?:rule|checkpoint) (\w+):", line):
            jobs["new"] = found[1]
        elif found := re.match(r" +jobid: (\d+)", line):
            jobs[found[1]] = jobs.pop("new", "job")
            last = found[1]
        elif found := re.match(r" +wildcards: (.*)", line):
            jobs[last] += describe(found[1])
        elif found := re.match(r"Finished jobid: (\d+)", line):
            finished = jobs.pop(found[1], "job")
        elif (found := re.match(r"(\d+) of (\d+) steps", line)) and finished:
            yield progress(int(found[1]), int(found[2]), time.monotonic() - start) + finished
            finished = None


def locked(folder: Path) -> bool:
    """Tell whether a run that was killed, or one at work, holds the folder."""
    return any((folder / ".snakemake/locks").glob("*"))


def describe(wildcards: str) -> str:
    """Name a job by the wildcards that tell it apart: ``variant=default, replicate=2`` → `` default 2``."""
    values = dict(part.split("=", 1) for part in wildcards.split(", ") if "=" in part)
    shown = [values[part] for part in PARTS if part in values and (part, values[part]) != ("fold", "all")]
    return "".join(f" {value}" for value in shown)


def progress(done: int, total: int, seconds: float) -> str:
    """Write how far the run is, and how long it takes at this rate."""
    left = seconds / done * (total - done)
    return f"[{done:>4} of {total}, {clock(seconds)} passed, about {clock(left)} left] "


def clock(seconds: float) -> str:
    """Write seconds as minutes and seconds.

    Examples
    --------
    >>> clock(125.4)
    '2:05'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
