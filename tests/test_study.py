"""The plan of a study: variants, runs, seeds and how each variant reads its inputs."""

from pathlib import Path

import yaml

from helpers import study as plans
from helpers.config import complete_config
from helpers.networks import BASELINES

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
PAPER = complete_config(yaml.safe_load((ROOT / "config/paper.yaml").read_text()), SCHEMA)["studies"]
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
    assert counts == {"dna": 18, "dnase": 18, "joint": 3, "kmer": 1, "pwm": 1}
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
        "inputs": {"dna": {"kind": "sequence", "flank": 150, "order": 2}},
    }
    joint = plans.model_plan(JUND, "joint", {})
    assert joint["inputs"] == {
        "dna": {"kind": "sequence", "flank": 150, "order": 3},
        "dnase": {"kind": "coverage", "flank": 450, "normalize": "zscorelog", "augment": "flip", "whole": False},
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


def test_the_paper_trains_as_often_as_the_paper_did():
    counts = {
        study: sum(settings["models"][run.model]["architecture"] not in BASELINES for run in plans.runs(settings))
        for study, settings in PAPER.items()
    }
    assert counts == {"jund": 30 + 30 + 5, "deepsea": 24, "cage": 147}


def test_a_window_of_the_grid_sets_the_flank_and_the_farthest_reach_counts():
    plan = plans.model_plan(PAPER["deepsea"], "danq", {"order": 2, "window": 2000, "strands": "both"})
    assert plan["inputs"] == {"dna": {"kind": "sequence", "flank": 900, "order": 2}}
    assert plan["params"] == {"strands": "both"}
    assert plans.reach(PAPER["deepsea"]) == 900
    assert plans.reach(PAPER["cage"]) == 400
    assert plans.reach(PAPER["jund"]) == 450


def test_a_joint_variant_is_made_of_the_variants_of_its_parts():
    values = {"order": 2, "dropout": 0.2}
    assert plans.part_values(PAPER["cage"], "joint", values) == {"dna": values, "chromatin": {"normalize": "zscorelog"}}
    plan = plans.model_plan(PAPER["cage"], "joint", values)
    assert plan["params"]["parts"]["dna"]["params"] == {"dropout": 0.2}
    assert plan["inputs"]["chromatin"]["whole"] is True


def test_a_chromosome_that_is_held_out_in_part_trains_too():
    study = {"split": {"validation": [{"chrom": "chr7", "start": 100, "bins": 3}], "test": ["chr8"]}}
    assert plans.split_chromosomes(study, ["chr1", "chr7", "chr8"]) == {
        "train": ["chr1", "chr7"],
        "validation": ["chr7"],
        "test": ["chr8"],
    }
    assert plans.split_parts(study, ["chr1", "chr7", "chr8"])["validation"] == study["split"]["validation"]
    assert plans.held_out(study) == study["split"]


def test_uses_of_tracks_tell_labels_from_signals():
    uses = plans.track_uses(PAPER["cage"])
    assert uses["genes"] == {"uses": ["regions"], "stranded": False, "gene_type": "protein_coding"}
    assert uses["cage_hepg2"] == {"uses": ["targets"], "stranded": False}
    assert plans.track_uses(PAPER["jund"])["jund_peaks"]["uses"] == ["regions", "output"]
    assert plans.track_uses(PAPER["jund"])["jund_motif"]["uses"] == ["motifs", "database"]
