"""What the demo shows follows from what was planted: with it, intervals lie above 0; without it, they include 0."""

import pytest

from benchmarks.claims import EXPERIMENTS, judge, run_experiment

pytestmark = pytest.mark.slow

# Planted, and not found at the demo's seed: docs/claims.md marks it.
MISSED = [("order: 3 vs 1", "group dependent", "deepsea", "order~3_window~900_strands~both")]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_the_demo_finds_what_was_planted_and_nothing_else(experiment, tmp_path):
    judged = list(judge(experiment, run_experiment(experiment, tmp_path)))
    places = ["contrast", "output", "model_a", "variant_a"]
    wrong = [row for claim, row in judged if not claim.holds(row)]
    assert [row.to_dict() for row in wrong if tuple(row[places]) not in MISSED] == []
