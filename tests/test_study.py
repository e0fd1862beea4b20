"""The plan of a study: variants, runs, seeds and how each variant reads its inputs."""

from pathlib import Path

import yaml

from helpers import study as plans
from helpers.config import complete_config

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
JUND = complete_config(yaml.safe_load((ROOT / "config/config.yaml").read_text()), SCHEMA)["studies"]["jund"]


def test_grids_are_products_their_union_has_no_repeats_and_keeps_the_order():
    grids = [{"order": [1, 3], "dropout": [0, 0.2]}, {"order": [3], "dropout": [0.2]}, {"order": [2]}]
    names = list(plans.variants({"variants": grids}))
    assert names == [
        "order~1_dropout~0",
        "order~1_dropout~0.2",
        "order~3_dropout~0",
        "order~3_dropout~0.2",
        "order~2",
    ]
    assert plans.variants({}) == {"default": {}}


def test_the_runs_of_the_demo():
    runs = plans.runs(JUND)
    counts = {name: sum(run.model == name for run in runs) for name in JUND["models"]}
    assert counts == {"dna": 18, "dnase": 18, "joint": 3, "kmer": 1}
    assert len(set(runs)) == len(runs)
    assert runs[:2] == [("dna", "order~1_dropout~0", "all", 0), ("dna", "order~1_dropout~0", "all", 1)]


def test_seeds_differ_between_runs_and_follow_the_config():
    seeds = {plans.run_seed(1, *run) for run in plans.runs(JUND)}
    assert len(seeds) == len(plans.runs(JUND))
    assert plans.run_seed(1, "dna", 0) == plans.run_seed(1, "dna", 0) != plans.run_seed(2, "dna", 0)


def test_all_other_chromosomes_train():
    split = plans.split_chromosomes(
        {"split": {"validation": ["chr2"], "test": ["chr3"]}}, ["chr1", "chr2", "chr3", "chrX"]
    )
    assert split == {"train": ["chr1", "chrX"], "validation": ["chr2"], "test": ["chr3"]}


def test_plans_separate_reading_from_architecture():
    assert plans.model_plan(JUND, "dna", {"order": 2, "dropout": 0.2}) == {
        "architecture": "jund_dna",
        "params": {"dropout": 0.2},
        "inputs": {"dna": {"kind": "sequence", "order": 2}},
    }
    joint = plans.model_plan(JUND, "joint", {})
    assert joint["inputs"] == {
        "dna": {"kind": "sequence", "order": 3},
        "dnase": {"kind": "coverage", "normalize": "zscorelog", "augment": "flip"},
    }
    assert joint["params"]["parts"]["dna"]["params"] == {"dropout": 0.2}
    assert plans.model_plan(JUND, "kmer", {"k": 5})["inputs"]["dna"]["order"] == 5


def test_only_models_that_read_swapped_tracks_are_scored_on_them():
    assert plans.scored_splits(JUND, "dna") == ["validation", "test"]
    assert (
        plans.scored_splits(JUND, "dnase")
        == plans.scored_splits(JUND, "joint")
        == ["validation", "test", "test_swapped"]
    )


def test_a_model_changes_the_training_settings_it_names():
    study = {"training": {"epochs": 30, "batch_size": 64}, "models": {"dna": {"training": {"epochs": 3}}, "dnase": {}}}
    assert plans.training_settings(study, "dna") == {"epochs": 3, "batch_size": 64}
    assert plans.training_settings(study, "dnase") == study["training"]


def test_each_fold_validates_on_its_chromosome_and_never_trains_on_what_is_held_out():
    study = {"folds": {"validation_each": ["chr2", "chr3"], "test": ["chr1"]}}
    chromosomes = ["chr1", "chr2", "chr3", "chrX"]
    assert plans.folds(study) == ["chr2", "chr3"]
    assert plans.fold_folder("chr2") == "fold-chr2/"
    split = plans.split_chromosomes(study, chromosomes, "chr3")
    assert split == {"train": ["chr2", "chrX"], "validation": ["chr3"], "test": ["chr1"]}
    assert plans.folds(JUND) == ["all"]
    assert plans.fold_folder("all") == ""
