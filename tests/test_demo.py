"""The lines that `make demo` prints while Snakemake works."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("demo", ROOT / "workflow/demo.py")
demo = importlib.util.module_from_spec(spec)
spec.loader.exec_module(demo)

JOB = """
[Sun Nov 22 10:18:30 2026]
localrule train_model:
    input: a
    output: b
    jobid: 7
    benchmark: c
    wildcards: run=demo, study=jund, model=dna, variant=order~3_dropout~0.2, fold=all, replicate=1
    resources: tmpdir=/tmp
[Sun Nov 22 10:18:31 2026]
localrule encode_genome:
    jobid: 8
    wildcards: run=demo, genome=demo
Select jobs to execute...
[Sun Nov 22 10:18:32 2026]
Finished jobid: 7 (Rule: train_model)
1 of 4 steps (25%) done
Finished jobid: 8 (Rule: encode_genome)
2 of 4 steps (50%) done
"""


def lines(text):
    return list(demo.follow(text.splitlines(keepends=True), start=0))


def test_a_line_for_each_finished_job_names_it():
    first, second = lines(JOB)
    assert first.startswith("[   1 of 4, ")
    assert first.endswith("] train_model jund dna order~3_dropout~0.2 1")
    assert second.endswith("] encode_genome demo")


def test_folds_and_batches_are_told_apart():
    assert demo.describe("run=demo, study=cage, model=dna, variant=default, fold=chr2, replicate=0") == (
        " cage dna default chr2 0"
    )
    assert demo.describe("run=demo, study=deepsea, part=1") == " deepsea 1"


def test_time_left_follows_from_the_rate():
    assert demo.progress(1, 4, 60) == "[   1 of 4, 1:00 passed, about 3:00 left] "


def test_everything_from_an_error_on_is_shown():
    failure = "Error in rule train_model:\n    log: x\nERROR: chr9 is not in the FASTA\n"
    assert lines(JOB + failure)[2:] == failure.splitlines()


def test_nothing_to_do_is_said():
    assert lines("Nothing to be done (all requested files are present and up to date).\n") == [
        "Nothing to do: all results of the demo are there and up to date."
    ]
