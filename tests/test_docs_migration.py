"""The table of old names: every public name of the old library is either kept or stands in it."""

import re

import pytest
from docs_project import ROOT

import helpers.data
import helpers.evaluation
import helpers.model

PAGE = (ROOT / "docs/differences.md").read_text()
KEPT = {*helpers.data.__all__, *helpers.model.__all__, *helpers.evaluation.__all__}
OLD = {
    "janggu": "Janggu create_model input_attribution predict_variant_effect model_from_json inputlayer outputdense "
    "outputconv Scorer",
    "janggu.layers": "DnaConv2D Complement Reverse LocalAveragePooling2D",
    "janggu.data": "Dataset Bioseq Cover Array GenomicIndexer GenomicArray create_genomic_array JangguSequence "
    "VariantStreamer ReduceDim SqueezeDim Transpose NanToNumConverter RandomOrientation RandomShift RandomSignalScale "
    "normalize_garray_tpm Track LineTrack HeatTrack SeqTrack plotGenomeTrack check_gindexer_compatibility view subset "
    "split_train_test",
    "janggu.data.genomicarray": "LogTransform ZScore ZScoreLog PercentileTrimming RegionLengthNormalization",
}


def rows():
    """The table: (old names, what is written instead)."""
    for line in PAGE.splitlines():
        if found := re.fullmatch(r"\| \| (`janggu.*?) \| (.*) \|", line):
            yield re.findall(r"`([^`]+)`", found[1]), found[2]


def listed():
    return [name for names, _ in rows() for name in names]


@pytest.mark.parametrize("module", OLD)
def test_every_old_name_is_kept_or_listed(module):
    names = OLD[module].split()
    assert [name for name in names if name not in KEPT and f"{module}.{name}" not in listed()] == []


def test_a_name_is_listed_once_and_has_an_answer():
    assert len(set(listed())) == len(listed()) > 15
    assert all(answer.strip(" -") for _, answer in rows())


def test_a_kept_name_of_the_top_level_says_so():
    answers = {name: answer for names, answer in rows() for name in names}
    for name in ("input_attribution", "predict_variant_effect"):
        assert f"`{name}`" in answers[f"janggu.{name}"]
