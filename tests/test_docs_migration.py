"""The table of old names: every public name of the old library is either kept or stands in it."""

import re

import pytest
from docs_project import ROOT

import helpers.data
import helpers.evaluation
import helpers.model

PAGE = (ROOT / "docs/differences.md").read_text()
KEPT = {*helpers.data.__all__, *helpers.model.__all__, *helpers.evaluation.__all__}
LAYERS = "DnaConv2D Complement Reverse LocalAveragePooling2D"
MODEL = "Janggu create_model input_attribution predict_variant_effect model_from_json model_from_yaml"
DECORATORS = "inputlayer outputdense outputconv"
EXPORTERS = "ExportBed ExportBigwig ExportClustermap ExportJson ExportScorePlot ExportTsne ExportTsv"
NORMALIZERS = "LogTransform ZScore ZScoreLog PercentileTrimming RegionLengthNormalization"
OLD = {  # every public name of version 0.10.2; many stand in several modules
    "janggu": f"{MODEL} {DECORATORS} Scorer {LAYERS} {EXPORTERS} __version__",
    "janggu.Janggu": "create create_by_name compile summary get_config save fit predict evaluate "
    "predict_variant_effect",
    "janggu.model": MODEL,
    "janggu.layers": LAYERS,
    "janggu.evaluation": "Scorer get_scorer",
    "janggu.losses": "binary_crossentropy_mv categorical_crossentropy_mv",
    "janggu.data": "Dataset Bioseq Cover Array GenomicIndexer GenomicArray create_genomic_array JangguSequence "
    "VariantStreamer ReduceDim SqueezeDim Transpose NanToNumConverter RandomOrientation RandomShift RandomSignalScale "
    f"{NORMALIZERS} normalize_garray_tpm Track LineTrack HeatTrack SeqTrack plotGenomeTrack "
    "check_gindexer_compatibility view subset split_train_test split_train_test_",
    "janggu.data.data": "Dataset JangguSequence",
    "janggu.data.genomicarray": f"{NORMALIZERS} get_normalizer get_collapser create_sha256_cache",
    "janggu.utils": f"{EXPORTERS} trim_bed get_genome_size get_genome_size_from_regions sequences_from_fasta "
    "sequence_padding seq2ind as_onehot complement_permmatrix NMAP PMAP NOLETTER",
    "janggu.janggutrim": "main trim_bed",
}
COMMANDS = ("janggu -path -port", "python -m janggu", "janggu-trim -divby")


def rows():
    """The table: (old names, what is written instead)."""
    for line in PAGE.splitlines():
        if found := re.fullmatch(r"\| \| (`janggu.*?) \| (.*) \|", line):
            yield re.findall(r"`([^`]+)`", found[1]), found[2]


def listed():
    return [name for names, _ in rows() for name in names]


@pytest.mark.parametrize("module", OLD)
def test_every_old_name_is_kept_or_listed(module):
    """Under any of the modules that had it, as some names stood in several."""
    answered = KEPT | {name.rsplit(".", 1)[-1] for name in listed()}
    assert set(OLD[module].split()) - answered == set()


def test_every_old_command_is_listed():
    assert set(COMMANDS) <= set(listed())


def test_a_listed_name_was_one_of_the_old_ones():
    known = {f"{module}.{name}" for module, names in OLD.items() for name in names.split()}
    known |= {name.removeprefix("janggu.") for name in known} | {*COMMANDS, "janggu/resources"}
    assert set(listed()) - known == set()


def test_a_name_that_was_left_out_says_what_to_do_or_why():
    reasons = [answer for _, answer in rows() if answer.startswith("left out")]
    assert len(reasons) > 5
    assert all(len(reason.removeprefix("left out").split()) > 3 for reason in reasons)


def test_a_name_is_listed_once_and_has_an_answer():
    assert len(set(listed())) == len(listed()) > 15
    assert all(answer.strip(" -") for _, answer in rows())


def test_a_kept_name_of_the_top_level_says_so():
    answers = {name: answer for names, answer in rows() for name in names}
    for name in ("input_attribution", "predict_variant_effect"):
        assert f"`{name}`" in answers[f"janggu.{name}"]
