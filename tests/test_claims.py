"""What the demo shows follows from what was planted: with it, intervals lie above 0; without it, they include 0."""

import pytest

from benchmarks.claims import EXPERIMENTS, judge, run_experiment

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_the_demo_finds_what_was_planted_and_nothing_else(experiment, tmp_path):
    judged = list(judge(experiment, run_experiment(experiment, tmp_path)))
    columns = ["contrast", "variant_a", "split", "delta", "ci_low", "ci_high"]
    wrong = [row[columns].to_dict() for claim, row in judged if not claim.holds(row)]
    assert not wrong
