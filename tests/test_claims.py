"""What the demo shows follows from what was planted: with it, intervals lie above 0; without it, they include 0."""

import pytest
import yaml

from benchmarks.claims import EXPERIMENTS, ROOT, experiment_config, judge, run_experiment
from helpers.config import complete_config
from helpers.references import check_references, resolve_outputs
from helpers.sheet import read_tracks

EACH = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
# Not as they should be at the demo's seed, the second on some processors: docs/claims.md marks them.
MISSED = [
    ("chromatin features", "order: 3 vs 1", "group dependent", "deepsea", "order~3_window~900_strands~both"),
    ("equal experiments", "normalize: zscorelog vs none", "jund_peaks", "dnase", "normalize~zscorelog_augment~flip"),
]


@EACH
def test_what_is_left_of_the_demo_is_a_config(experiment):
    config = experiment_config(experiment, seed=8)
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    tracks = read_tracks(ROOT / config["tracks"])
    check_references(resolve_outputs(complete_config(config, schema), tracks), tracks)


@pytest.mark.slow
@EACH
def test_the_demo_finds_what_was_planted_and_nothing_else(experiment, tmp_path):
    judged = list(judge(experiment, run_experiment(experiment, tmp_path)))
    places = ["contrast", "output", "model_a", "variant_a"]
    wrong = [row for claim, row in judged if not claim.holds(row)]
    assert [row.to_dict() for row in wrong if (experiment.name, *row[places]) not in MISSED] == []
    if wrong:
        pytest.xfail(f"as docs/claims.md says: {[row[[*places, 'ci_low', 'ci_high']].to_dict() for row in wrong]}")
