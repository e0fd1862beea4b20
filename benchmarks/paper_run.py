"""Estimate what the paper's run costs, rule by rule: CPU and GPU hours, memory and disk.

Run from the repository's root: ``python -m benchmarks.paper_run > docs/paper-run.md``. Jobs are those of a dry run. The
cost of a job is a line, fitted to what three sizes of generated data cost, at the size that the job would have.
"""

import argparse
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.bench_training import BATCH
from benchmarks.harness import machine
from benchmarks.paper_costs import PROFILE_BATCH, Row, download_row, join_rows, rule_rows, totals, training_rows
from benchmarks.paper_fits import fit_costs, measure_cases
from benchmarks.paper_rates import Case, Cost, cases
from benchmarks.paper_sizes import ASSUMPTIONS, PEAKS, count_jobs, dry_run, study_windows, workflow_rules

SECONDS = (
    *("collect_scores", "compare_published", "export_attribution", "fetch_igv", "make_loci_page", "make_table"),
    *("plot_boxes", "plot_differences", "plot_gains", "plot_locus", "plot_regression", "plot_replicates"),
    *("plot_scatter", "plot_training", "record_provenance", "write_hub"),
)
NOT_MEASURED = (
    *("check_inputs", "describe_targets", "find_motifs", "fit_normalizer", "index_alignments", "make_regions"),
    *("measure_ceiling", "split_regions"),
)
CORES = 16
_GB = 1e9
_PAGE = """\
# What the paper's run costs

An estimate for [config/paper.yaml](../config/paper.yaml), printed by `python -m benchmarks.paper_run`, which
takes 6 CPU minutes. The run itself has not been done. A dry run counts {jobs:,} jobs.

## What to borrow

{advice}

## Cost of each rule

Of `train_model` either the CPU hours are spent or the GPU hours. Memory is that of the largest job.

{costs}

Seconds a job, left out (number of jobs): {seconds}.

Not measured, and not in the sums: {unmeasured}; `train_model` ({baselines}) of the baselines `kmer_linear` and
`pwm_scan`; `compare_models` of DeepSEA, which reads scores only; the time of downloads; the start of TensorFlow
in each training, some seconds.

Not part of this run: {absent}.

## Assumptions

{assumptions}

## Measured

Least squares through three sizes; CPU seconds from the start of the process. Trainings are timed without it: an
epoch in batches of {batch}; of `deepsea` and `danq` (919 outputs, 1000 bp, both strands) one step, which in the
run has a batch of {profile_batch}.

{fits}

One thread of: {machine}.
"""
_ADVICE = """\
All but the networks of DeepSEA needs no GPU: {rest} CPU hours, {hours} hours on {cores} cores. Those would take
{cpu} CPU hours; one GPU like the H100 trains them in {gpu} hours, one after the other. Borrow one such GPU in a
node of {cores} cores, with {memory} GB of memory for each training at once and {disk} GB of disk. `train_model`
asks for 8 GB and `score_predictions` (DeepSEA: {scored} GB) for 2 GB, and for more only when they are tried again;
`--set-resources train_model:mem_mb={mb} score_predictions:mem_mb={scored_mb}` spares the first try."""


def _number(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.10g}" if value >= 0.01 else "< 0.01" if value > 0 else ""


def _asked(memory: float) -> int:
    """Give MB to ask for, from GB: a quarter more, in steps of 4000."""
    return 4000 * math.ceil(memory * 1.25 / 4)


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
        pairs = ", ".join(f"{cost.size:,}: {cost.seconds:.3g}" for cost in costs)
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
    profiles = join_rows([row for row in rows if (row.rule, row.study) == ("train_model", "deepsea")])
    rest = join_rows([row for row in rows if (row.rule, row.study) != ("train_model", "deepsea")])
    memory = max(row.memory for row in rows) / _GB
    scored = max(row.memory for row in rows if row.rule == "score_predictions") / _GB
    return _ADVICE.format(
        rest=_number(rest.cpu),
        hours=_number(rest.cpu / CORES),
        cores=CORES,
        cpu=_number(profiles.cpu),
        gpu=_number(profiles.gpu),
        memory=_number(memory),
        disk=_number((rest.disk + profiles.disk) / _GB),
        mb=_asked(memory),
        scored=_number(scored),
        scored_mb=_asked(scored),
    )


def write_page(measured: Mapping[str, list[Cost]], jobs: Counter[tuple[str, str]], peaks: int = PEAKS) -> str:
    """Write the page.

    Parameters
    ----------
    measured : mapping of str to list of Cost
        Of `measure_cases`: all cases.
    jobs : Counter of (str, str)
        Of `count_jobs`.
    peaks : int
        JunD peaks.
    """
    fits = {name: fit_costs(costs) for name, costs in measured.items()}
    windows = study_windows(peaks)
    rows = [download_row(jobs), *rule_rows(fits, windows, jobs), *training_rows(fits, windows)]
    per_rule = Counter(dict.fromkeys(workflow_rules(), 0))
    for (rule, _), number in jobs.items():
        per_rule[rule] += number

    def named(rules: Iterable[str]) -> str:
        return ", ".join(f"`{rule}` ({per_rule[rule]})" for rule in rules)

    return _PAGE.format(
        jobs=jobs.total(),
        advice=advice(rows),
        costs=cost_table([*rows, *totals(rows)]),
        seconds=named(SECONDS),
        unmeasured=named(NOT_MEASURED),
        baselines=per_rule["train_model"] - sum(row.jobs for row in rows if row.rule == "train_model"),
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
    parser.add_argument("--peaks", type=int, default=PEAKS, help="JunD peaks (default: %(default)s)")
    options = parser.parse_args()
    measured = measure_cases(cases(), options.measured, only=options.only or "")
    if options.only is None:
        jobs = count_jobs(options.jobs.read_text(encoding="utf-8") if options.jobs else dry_run())
        sys.stdout.write(write_page(measured, jobs, options.peaks))


if __name__ == "__main__":
    main()
