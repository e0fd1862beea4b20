"""What the demo shows follows from what was planted: without the planted cause, the interval includes 0."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow
EQUAL = {"reads": [300000, 300000], "open_share": [0.4, 0.4], "cut_offset": [50.0, 50.0], "cut_bias": [0.3, 0.3]}


@pytest.fixture(scope="module")
def compare(tmp_path_factory, run_workflow):
    """Run some models of the demo on a simulation and return comparisons.tsv."""

    def run(models, simulation):
        config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
        study = config["studies"]["jund"]
        study["models"] = {name: model for name, model in study["models"].items() if name in models}
        study["figures"] = {}
        config["simulation"] = simulation
        folder = tmp_path_factory.mktemp("claims")
        done = run_workflow(folder, config, "results/demo/jund/comparisons.tsv", "--cores", "2")
        assert done.returncode == 0, done.stdout[-6000:]
        table = pd.read_csv(folder / "results/demo/jund/comparisons.tsv", sep="\t")
        return table[table["metric"] == "auprc"]

    return run


@pytest.fixture(scope="module")
def planted(compare):
    return compare(["dna", "dnase", "joint"], {})


def rows(table, contrast, split):
    found = table[(table["contrast"] == contrast) & (table["split"] == split)]
    assert len(found)
    return found


@pytest.mark.parametrize(
    ("contrast", "split"),
    [
        ("order: 3 vs 1", "test"),
        ("normalize: tpm vs none", "test_swapped"),
        ("normalize: zscorelog vs none", "test_swapped"),
        ("joint vs dna", "test_swapped"),
        ("joint vs dnase", "test_swapped"),
    ],
)
def test_the_planted_effects_are_found(planted, contrast, split):
    assert (rows(planted, contrast, split)["ci_low"] > 0).all()


def test_without_dependence_between_bases_a_higher_order_adds_nothing(compare):
    found = rows(compare(["dna"], {"dependence": False}), "order: 3 vs 1", "test")
    assert ((found["ci_low"] <= 0) & (found["ci_high"] >= 0)).all(), found.to_string()


def test_with_equal_experiments_normalization_adds_nothing_to_the_swapped_test(compare):
    table = compare(["dnase"], EQUAL)
    for contrast in ("normalize: tpm vs none", "normalize: zscorelog vs none"):
        found = rows(table, contrast, "test_swapped")
        assert ((found["ci_low"] <= 0) & (found["ci_high"] >= 0)).all(), found.to_string()
