"""Which models are compared with which."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.evaluation.contrasts import Contrast, StudyModel, list_contrasts, match_splits, variant_key
from helpers.networks import BASELINES
from helpers.study import expand_grids

GRID = expand_grids([{"order": [1, 2, 3], "dropout": [0, 0.2]}])
TIED = expand_grids([{"order": [1], "dropout": [0]}, {"order": [2, 3], "dropout": [0.2]}])
MODELS = [
    StudyModel("dna", [{"order": 1}, {"order": 3}], "jund_dna"),
    StudyModel("dnase", [{"normalize": "tpm"}], "jund_dnase"),
    StudyModel("joint", [{}], "joint", [{"dna": {"order": 3}, "dnase": {"normalize": "tpm"}}]),
    StudyModel("kmer", [{"k": 5}], "kmer_linear"),
]


def names(*models):
    return [contrast.name for contrast in list_contrasts(models)]


def test_contrasts_within_a_grid_hold_all_other_keys():
    found = list_contrasts([StudyModel("dna", GRID, "jund_dna")])
    assert all(c.model_a == c.model_b == "dna" for c in found)
    assert [c.name for c in found] == ["order: 2 vs 1"] * 2 + ["order: 3 vs 1"] * 2 + ["dropout: 0.2 vs 0"] * 3
    for contrast in found:
        key = contrast.name.split(":")[0]
        assert {k: v for k, v in contrast.variant_a.items() if k != key} == {
            k: v for k, v in contrast.variant_b.items() if k != key
        }
        assert contrast.variant_b[key] == GRID[0][key]


def test_tied_keys_are_compared_once_and_named_by_all_that_differs():
    found = list_contrasts([StudyModel("dna", TIED, "cage_dna")])
    assert found == [
        Contrast("order: 2 vs 1 (dropout 0.2 vs 0)", "dna", TIED[1], "dna", TIED[0]),
        Contrast("order: 3 vs 1 (dropout 0.2 vs 0)", "dna", TIED[2], "dna", TIED[0]),
    ]


def test_value_with_a_partner_of_its_own_takes_no_tied_one():
    """Order 3 stands beside order 1 at 500 bp, so that its other variants are not held against it."""
    variants = expand_grids([{"order": [1, 3], "window": [500]}, {"order": [3], "window": [2000]}])
    assert names(StudyModel("danq", variants, "danq")) == ["order: 3 vs 1", "window: 2000 vs 500"]


def test_tied_variant_needs_exactly_one_with_the_first_value():
    variants = [{"order": 1, "dropout": 0}, {"order": 1, "dropout": 0.1}, {"order": 3, "dropout": 0.2}]
    assert names(StudyModel("dna", variants, "jund_dna")) == [
        "dropout: 0.1 vs 0",
        "dropout: 0.2 vs 0 (order 3 vs 1)",
    ]


def test_variants_of_other_keys_are_no_partners():
    variants = [{"order": 1, "dropout": 0}, {"order": 3, "dropout": 0.2}, {"order": 3}]
    found = list_contrasts([("dna", variants, "jund_dna", None)])
    assert [(c.variant_a, c.variant_b) for c in found] == [(variants[1], variants[0])]


def test_the_paper_s_24_chromatin_models():
    grids = [
        {"order": [1, 2, 3], "window": [500, 1000, 2000], "strands": ["both"]},
        {"order": [1, 2, 3], "window": [1000], "strands": ["forward"]},
    ]
    found = names(StudyModel("danq", expand_grids(grids), "danq"))
    assert {name: found.count(name) for name in found} == {
        "order: 2 vs 1": 4,
        "order: 3 vs 1": 4,
        "window: 1000 vs 500": 3,
        "window: 2000 vs 500": 3,
        "strands: forward vs both": 3,
    }


def test_joint_against_its_parts_and_everything_against_counting():
    found = list_contrasts(MODELS)
    assert [c.name for c in found] == [
        "order: 3 vs 1",
        "joint vs dna",
        "joint vs dnase",
        "dna vs kmer",
        "dna vs kmer",
        "dnase vs kmer",
        "joint vs kmer",
    ]
    assert found[1] == Contrast("joint vs dna", "joint", {}, "dna", {"order": 3})


def test_each_joint_variant_against_the_matching_variant_of_each_part():
    parts = [{"dna": variant, "chromatin": {}} for variant in TIED]
    models = [
        StudyModel("dna", TIED, "cage_dna"),
        StudyModel("chromatin", [{}], "cage_chromatin"),
        StudyModel("joint", TIED, "joint", parts),
    ]
    found = [c for c in list_contrasts(models) if c.name.startswith("joint vs")]
    assert found == [Contrast("joint vs dna", "joint", variant, "dna", variant) for variant in TIED] + [
        Contrast("joint vs chromatin", "joint", variant, "chromatin", {}) for variant in TIED
    ]


def test_part_that_is_no_variant_of_its_model_is_no_contrast():
    models = [MODELS[0], StudyModel("joint", [{}], "joint", [{"dna": {"order": 7}}])]
    assert "joint vs dna" not in names(*models)


def test_parts_belong_to_variants_one_to_one():
    with pytest.raises(ValueError, match="zip"):
        list_contrasts([MODELS[0], StudyModel("joint", [{}, {}], "joint", [{"dna": {"order": 3}}])])


def test_every_net_against_every_baseline_and_no_baseline_against_another():
    baselines = [StudyModel(name, [{}], name) for name in BASELINES]
    found = names(StudyModel("dna", [{}], "jund_dna"), *baselines)
    assert found == [f"dna vs {name}" for name in BASELINES]
    assert "pwm_scan" in BASELINES


@given(st.permutations(range(6)))
def test_contrasts_do_not_hang_on_the_order_of_variants_but_for_the_first(order):
    variants = [GRID[0], *(GRID[i] for i in order if i)]
    expected = {(c.name, str(c.variant_a)) for c in list_contrasts([StudyModel("dna", GRID, "jund_dna")])}
    assert {(c.name, str(c.variant_a)) for c in list_contrasts([StudyModel("dna", variants, "jund_dna")])} == expected


def test_variants_are_the_same_in_any_spelling():
    written = variant_key("dna", {"dropout": "0.20", "order": "3", "normalize": "tpm"})
    assert variant_key("dna", {"normalize": "tpm", "order": np.int64(3), "dropout": 0.2}) == written
    assert variant_key("dna", {"order": 3, "dropout": 0.2}) != written
    assert variant_key("rna", {"order": 3}) != variant_key("dna", {"order": 3})


def test_test_stands_in_for_the_swapped_test_and_nothing_else():
    a = {("test", "auprc"): 1, ("test_swapped", "auprc"): 2}
    b = {("validation", "auprc"): 3, ("test", "auprc"): 4}
    assert list(match_splits(a, b)) == [
        (("test", "auprc"), 1, 4, ""),
        (("test_swapped", "auprc"), 2, 4, "; b scored on test, it has no inputs to swap"),
    ]
    assert list(match_splits(b, a))[1][3] == "; a scored on test, it has no inputs to swap"
