"""Estimate what the paper's run costs, rule by rule: CPU and GPU hours, memory and disk.

Run from the repository's root, after the demo (``snakemake``): ``python -m benchmarks.paper_run > docs/paper-run.md``.
Jobs are those of a dry run. The cost of a job is a line, fitted to what three sizes of generated data cost, at the size
that the job would have.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.bench_training import BATCH
from benchmarks.harness import machine
from benchmarks.paper_cases import Case, Cost
from benchmarks.paper_costs import (
    PROFILE_BATCH,
    Row,
    baseline_rows,
    download_row,
    join_rows,
    rule_rows,
    totals,
    training_rows,
)
from benchmarks.paper_fits import fit_costs, measure_cases
from benchmarks.paper_rates import cases
from benchmarks.paper_seconds import longest_jobs
from benchmarks.paper_sizes import ASSUMPTIONS, PEAKS, ROOT, count_jobs, dry_run, study_windows, workflow_rules

CORES = 16
_GB = 1e9
_PAGE = """\
# What the paper's run costs

An estimate for [config/paper.yaml](../config/paper.yaml), printed by `python -m benchmarks.paper_run` where the demo
has been run, within 13 CPU minutes. The run itself has not been done. A dry run counts {jobs:,} jobs, with
the target `all`, which does nothing itself.

## What to borrow

{advice}

## Cost of each rule

Of `train_model` either the CPU hours are spent or the GPU hours. Memory is that of the largest job.

{costs}

Seconds a job, left out (number of jobs; seconds of the longest one in the demo's run, of figures that of all):
{seconds}. They read scores, regions of a figure or attributed windows, of which this run has not many more; a figure
of as many outputs, `plot_boxes`, was measured.

Not measured, and not in the sums: the time of downloads.

Not part of this run: {absent}.

## Assumptions

{assumptions}

## Measured

Least squares through three sizes; CPU seconds from the start of the process. Networks are timed without it: an
epoch in batches of {batch}; of `deepsea` and `danq` (919 outputs, 1000 bp, both strands) one step, which in the
run has a batch of {profile_batch}. What it adds is `train_model, start`: TensorFlow is loaded, and the smallest
network built, trained for a step and saved, so many times.

{fits}

One thread of: {machine}.
"""
_ADVICE = """\
All but the networks of DeepSEA needs no GPU: {rest} CPU hours, {hours} hours on {cores} cores. Those would take
{cpu} CPU hours; one GPU like the H100 trains them in {gpu} hours, one after the other. Borrow one such GPU in a
node of {cores} cores, with {memory} GB of memory for each training at once and {disk} GB of disk. What each rule
asks a scheduler for at its first attempt is enough.

The study `deepsea` asks for a GPU itself (`device: gpu`), and stops where it finds none; the others ask for none. GPU
hours are those of JAX: `pip install '.[jax-gpu]'`, and `backend: jax` at the top of the config, which counts for all
studies. With PyTorch they are three to four times as many; TensorFlow was not measured on a GPU. CPU hours are those
of TensorFlow; JAX was not measured on a CPU."""


def _number(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.10g}" if value >= 0.01 else "< 0.01" if value > 0 else ""


def _table(titles: str, rows: Iterable[Iterable[str]]) -> str:
    lines = [titles, "|" + "---|" * (titles.count("|") - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def fits_table(measured: Mapping[str, list[Cost]], known: Iterable[Case]) -> str:
    """Write what was measured, and the lines."""
    rows = []
    for case in known:
        if case.name not in measured:
            continue
        costs, fit = measured[case.name], fit_costs(measured[case.name])
        pairs = ", ".join(f"{cost.size:,}: {cost.seconds:.4g}" for cost in costs)
        line = f"{fit.seconds.start:.2g} + {fit.seconds.each * 1e6:.3g}"
        held = f"{costs[-1].peak / _GB:.2g}"
        rows.append(
            (f"`{case.rule}`{case.name[len(case.rule) :]}", case.unit, pairs, line, f"{fit.seconds.r2:.3f}", held)
        )
    return _table("| case | size in | size: CPU s | fit: CPU s + CPU s a million | R² | memory, GB |", rows)


def cost_table(rows: Iterable[Row]) -> str:
    """Write what rules cost."""
    return _table(
        "| rule | study | jobs | CPU hours | GPU hours | memory a job, GB | disk, GB |",
        (
            (
                (f"`{row.rule}`" if "_" in row.rule else row.rule) + f", {row.what}" * bool(row.what),
                row.study,
                f"{row.jobs:,}",
                *map(_number, (row.cpu, row.gpu, row.memory / _GB, row.disk / _GB)),
            )
            for row in rows
        ),
    )


def advice(rows: Iterable[Row]) -> str:
    """Say in a paragraph what to buy or borrow."""
    rows = list(rows)
    profiles = join_rows([row for row in rows if row.study == "deepsea" and row.gpu])
    rest = join_rows([row for row in rows if row.study != "deepsea" or not row.gpu])
    memory = max(row.memory for row in rows) / _GB
    return _ADVICE.format(
        rest=_number(rest.cpu),
        hours=_number(rest.cpu / CORES),
        cores=CORES,
        cpu=_number(profiles.cpu),
        gpu=_number(profiles.gpu),
        memory=_number(memory),
        disk=_number((rest.disk + profiles.disk) / _GB),
    )


def write_page(
    measured: Mapping[str, list[Cost]],
    jobs: Counter[tuple[str, str]],
    longest: Mapping[str, float],
    peaks: int = PEAKS,
) -> str:
    """Write the page.

    Parameters
    ----------
    measured : mapping of str to list of Cost
        Of `measure_cases`: all cases.
    jobs : Counter of (str, str)
        Of `count_jobs`, the default target's, which is one job more.
    longest : mapping of str to float
        Of `longest_jobs`.
    peaks : int
        JunD peaks.
    """
    fits = {name: fit_costs(costs) for name, costs in measured.items()}
    windows = study_windows(peaks)
    rows = [download_row(jobs), *rule_rows(fits, windows, jobs)]
    rows += [*training_rows(fits, windows), *baseline_rows(fits, windows)]
    rows.sort(key=lambda row: ["", *windows].index(row.study))
    per_rule = Counter(dict.fromkeys(workflow_rules(), 0))
    for (rule, _), number in jobs.items():
        per_rule[rule] += number

    return _PAGE.format(
        jobs=jobs.total() + 1,
        advice=advice(rows),
        costs=cost_table([*rows, *totals(rows)]),
        seconds=", ".join(f"`{rule}` ({per_rule[rule]}; {seconds:.1f})" for rule, seconds in longest.items()),
        absent=", ".join(f"`{rule}`" for rule, number in sorted(per_rule.items()) if not number),
        assumptions="\n".join(f"- {text.format(peaks=peaks)}" for text in ASSUMPTIONS),
        batch=BATCH,
        profile_batch=PROFILE_BATCH,
        fits=fits_table(measured, cases()),
        machine=machine(),
    )


def main() -> None:
    """Measure what is not known yet, and print the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper_run", description=__doc__.splitlines()[0])
    default = Path(tempfile.gettempdir()) / "helpers-benchmarks" / "paper_run.json"
    parser.add_argument("--measured", type=Path, default=default, help="keeps what was measured (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", help="measure only cases whose name holds this text, print no page")
    parser.add_argument("--jobs", type=Path, help="what `snakemake -n -q progress` printed, in place of a dry run")
    demo = ROOT / "results/demo/benchmarks"
    parser.add_argument("--demo", type=Path, default=demo, help="benchmarks of the demo's run (default: %(default)s)")
    parser.add_argument("--peaks", type=int, default=PEAKS, help="JunD peaks (default: %(default)s)")
    options = parser.parse_args()
    longest = longest_jobs(options.demo) if options.only is None else {}
    measured = measure_cases(cases(), options.measured, only=options.only or "")
    if options.only is None:
        jobs = count_jobs(options.jobs.read_text(encoding="utf-8") if options.jobs else dry_run())
        sys.stdout.write(write_page(measured, jobs, longest, options.peaks))


if __name__ == "__main__":
    main()
