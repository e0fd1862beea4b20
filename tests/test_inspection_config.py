"""Sections of a config that look inside models: what they may name, and what is said of mistakes."""

from pathlib import Path

import pytest
import yaml

from helpers.config import complete_config
from helpers.errors import InputError
from helpers.model_references import input_kinds, inspected_variants
from helpers.references import check_references, resolve_outputs
from helpers.sheet import read_tracks
from helpers.study import study_tracks, track_uses

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
DEMO = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SECTIONS = ("attribution", "motifs", "variants", "loci")


def demo_with(sections, study="jund"):
    """The completed config of the demo whose study has these sections and no other of the kind."""
    config = complete_config(DEMO, SCHEMA)
    settings = {key: value for key, value in config["studies"][study].items() if key not in SECTIONS}
    settings["figures"] = {}
    config["studies"][study] = settings | sections
    return complete_config(config, SCHEMA)


def check(config):
    tracks = read_tracks(config["tracks"], ROOT)
    check_references(resolve_outputs(config, tracks), tracks)


GOOD = {
    "attribution": {"models": ["dna", "joint", "dnase"], "where": {"dna": {"order": 3}}, "outputs": ["jund_peaks"]},
    "motifs": {"models": ["dna"], "database": "jund_motif"},
    "variants": {"track": "snvs", "models": ["dna", "joint", "kmer"], "expected": "jund_motifs"},
    "loci": {"of": {"model": "dna", "order": 3, "dropout": 0.2}, "top": 5},
}


def test_right_sections_pass_and_have_defaults():
    config = demo_with(GOOD)
    check(config)
    study = config["studies"]["jund"]
    own = study["attribution"]
    assert (own["method"], own["baseline"], own["max_steps"]) == ("integrated_gradients", "zeros", 512)
    assert (study["variants"]["mismatch"], study["motifs"]["modisco"]) == ("skip", False)
    assert [study["loci"][key] for key in ("top", "wrong", "variants")] == [5, 10, 10]


@pytest.mark.parametrize(
    ("section", "value", "words"),
    [
        ("attribution", {"models": ["kmer"]}, ["attribution.models", "'kmer'", "allowed: dna, dnase, joint"]),
        ("attribution", {"models": ["dna"], "where": {"dnase": {}}}, ["attribution.where", "'dnase'", "dna"]),
        ("attribution", {"models": ["dna"], "where": {"dna": {"order": 5}}}, ["where.dna", "no variant", "'order': 5"]),
        ("attribution", {"models": ["dna"], "outputs": ["peaks"]}, ["outputs", "'peaks'", "jund_peaks"]),
        ("attribution", {"models": ["dna"], "expected": "genome"}, ["expected", "'genome'", "fasta", "bed"]),
        (
            "attribution",
            {"models": ["dna", "dnase"], "expected": "jund_peaks"},
            ["expected", "'dnase' does not read the sequence", "dna, joint, kmer"],
        ),
        (
            "attribution",
            {"models": ["dna"], "method": "mutagenesis", "baseline": "uniform"},
            ["attribution.baseline", "mutagenesis", "use zeros or shuffled"],
        ),
        ("variants", {"models": ["dna"], "track": "snvs", "expected": "cores"}, ["variants.expected", "add `motif`"]),
        ("motifs", {"models": ["joint"], "database": "jund_motif"}, ["motifs.models", "'joint'", "allowed: dna"]),
        ("motifs", {"models": ["dna"], "database": "jund_peaks"}, ["motifs.database", "narrowPeak", "meme"]),
        (
            "motifs",
            {"models": ["dna"], "database": "jund_motif", "modisco": True},
            ["motifs.modisco", "'dna' {'order': 1, 'dropout': 0} is not attributed"],
        ),
        ("variants", {"models": ["dnase"], "track": "snvs"}, ["variants.models", "'dnase' does not read the sequence"]),
        ("variants", {"models": ["dna"], "track": "jund_peaks"}, ["variants.track", "narrowPeak", "vcf"]),
        ("variants", {"models": ["dna"], "track": "snv"}, ["variants.track", "Did you mean 'snvs'?"]),
        ("loci", {"of": {"model": "dna", "order": 3}}, ["loci.of", "picks 2 variants", "'dropout': 0.2"]),
        ("loci", {"of": {"model": "rna"}}, ["loci.of.model", "'rna'"]),
    ],
)
def test_a_wrong_name_is_told_with_what_is_allowed(section, value, words):
    with pytest.raises(InputError) as caught:
        check(demo_with({section: value}))
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"), [("method", "shap"), ("baseline", "ones"), ("windows", 0), ("max_steps", 16), ("modles", [])]
)
def test_the_schema_refuses_other_values(key, value):
    with pytest.raises(InputError, match=key):
        demo_with({"attribution": {"models": ["dna"], key: value}})


def test_a_wrong_model_is_told_where_other_sections_ask_for_it():
    wrong = {
        "attribution": {"models": ["typo"]},
        "motifs": {"models": ["dna"], "database": "jund_motif", "modisco": True},
    }
    locus = {"kind": "locus", "region": "chr3:1000-3000", "predictions": ["joint"], "attribution": {"model": "joint"}}
    with pytest.raises(InputError, match="attribution.models: 'typo' is unknown"):
        check(demo_with(wrong | {"figures": {"fig2d": locus}}))


def test_a_page_without_any_locus_is_refused():
    nothing = {"of": {"model": "joint"}, "top": 0, "wrong": 0}
    with pytest.raises(InputError, match="loci: top and wrong are 0, and there are no variants of 'joint'"):
        check(demo_with({"loci": nothing}))
    check(demo_with({"loci": nothing, "variants": {"track": "snvs", "models": ["joint"]}}))


def test_sites_of_a_motif_need_whole_test_chromosomes():
    config = demo_with({"motif": {"sequence": "TGAC", "models": ["dna"]}})
    config["studies"]["jund"]["split"]["test"] = [{"chrom": "chr3", "start": 500_000}]
    with pytest.raises(InputError, match="jund.motif: its sites lie on the test chromosomes"):
        check(config)


def test_a_region_needs_digits():
    locus = {"kind": "locus", "region": "chr3:,-5", "predictions": ["joint"]}
    with pytest.raises(InputError, match="'chr3:,-5'"):
        demo_with({"figures": {"fig2d": locus}})


def test_a_region_with_a_digit_too_many_is_told():
    figures = {"fig2d": LOCUS | {"region": "chr3:1,000-10,001,000"}}
    check(demo_with({"figures": figures}))
    figures["fig2d"]["region"] = "chr3:1,000-10,001,001"
    with pytest.raises(InputError, match=r"fig2d\.region: .* is 10000001 bp long; at most 10000000 are drawn"):
        check(demo_with({"figures": figures}))


def test_variants_are_chosen_in_the_order_of_models_and_grids():
    study = demo_with(GOOD)["studies"]["jund"]
    chosen = inspected_variants(study["attribution"], study)
    assert [name for name, _ in chosen] == ["dna"] * 2 + ["joint"] + ["dnase"] * 6
    assert all(values["order"] == 3 for name, values in chosen if name == "dna")
    assert input_kinds("joint", study) == ["sequence", "coverage"]


def test_the_tracks_of_sections_are_tracks_of_the_study_and_are_checked():
    study = demo_with(GOOD)["studies"]["jund"]
    assert {"snvs", "jund_motifs", "jund_motif"} <= set(study_tracks(study))
    uses = track_uses(study)
    assert uses["snvs"]["uses"] == ["variants"]
    assert uses["jund_motifs"]["uses"] == ["expected"]
    assert uses["jund_motif"]["uses"] == ["motifs", "database"]


def test_the_cores_of_the_motif_are_no_track():
    section = {"models": ["dna"], "expected": "cores"}
    config = demo_with({"attribution": section, "motif": {"sequence": "TGAC", "models": ["dna"]}})
    check(config)
    assert "cores" not in study_tracks(config["studies"]["jund"])


LOCUS = {"kind": "locus", "region": "chr3:1000-3000", "predictions": ["joint"]}


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ({"model": "dna", "order": 3, "dropout": 0.2}, []),
        ({"model": "rna"}, ["fig2d.attribution.model", "'rna'"]),
        ({"model": "dna", "order": 3}, ["fig2d.attribution", "picks 2 variants"]),
        ({"model": "dna", "order": 1, "dropout": 0}, ["fig2d.attribution", "is not attributed", "`attribution`"]),
        (
            {"model": "dnase", "normalize": "tpm", "augment": "flip"},
            ["fig2d.attribution", "does not read the sequence"],
        ),
    ],
)
def test_a_locus_draws_attributions_that_are_made(selector, words):
    config = demo_with({"attribution": GOOD["attribution"], "figures": {"fig2d": LOCUS | {"attribution": selector}}})
    assert config["studies"]["jund"]["figures"]["fig2d"]["logo"] == 80
    if not words:
        check(config)
        return
    with pytest.raises(InputError) as caught:
        check(config)
    assert all(word in str(caught.value) for word in words), str(caught.value)
