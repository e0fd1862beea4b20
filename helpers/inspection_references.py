"""Checking what looks inside trained models before anything is loaded: attribution, motifs, variants, loci."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from helpers.model_references import (
    chosen_variants,
    input_kinds,
    inspected_variants,
    selector_problems,
    where_problems,
)
from helpers.naming import REGION_TYPES, track_problems, unknown
from helpers.networks import BASELINES
from helpers.study import CORES


def inspection_problems(study: Mapping[str, Any], tracks: pd.DataFrame, key: str) -> Iterator[str]:
    """Yield a sentence for each mistake; they can be looked for only when the models are right.

    Parameters
    ----------
    study : mapping
        A completed study of the config.
    tracks : pandas.DataFrame
        The sheet.
    key : str
        Where the study stands in the config.
    """
    for name, problems in _SECTIONS.items():
        if name in study:
            yield from problems(study[name], study, tracks, f"{key}.{name}")


def _selection_problems(section: Mapping, study: Mapping, allowed: list[str], key: str) -> Iterator[str]:
    """Find models that a section cannot look at, and ``where`` that picks nothing."""
    wrong = list(unknown(section["models"], allowed, f"{key}.models"))
    yield from wrong
    if wrong:
        return
    yield from where_problems(section, study, key)


def _attribution_problems(section: Mapping, study: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    networks = [name for name, model in study["models"].items() if model["architecture"] not in BASELINES]
    wrong = list(_selection_problems(section, study, networks, key))
    wrong += unknown(section.get("outputs", []), study["output"]["tracks"], f"{key}.outputs")
    yield from wrong
    if (section["method"], section["baseline"]) == ("mutagenesis", "uniform"):
        yield f"{key}.baseline: no sequence is uniform, as mutagenesis needs it; use zeros or shuffled."
    yield from _expected_problems(section, study, tracks, key)
    if not wrong and "expected" in section:
        yield from _sequence_problems(section, study, f"{key}.expected")


def _motifs_problems(section: Mapping, study: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    scanning = [
        name
        for name, model in study["models"].items()
        if model["architecture"] not in ("joint", *BASELINES) and input_kinds(name, study) == ["sequence"]
    ]
    wrong = list(_selection_problems(section, study, scanning, key))
    yield from wrong
    if section["modisco"] and not wrong:
        attributed = inspected_variants(study.get("attribution", {"models": []}), study)
        for name, values in inspected_variants(section, study):
            if (name, values) not in attributed:
                yield f"{key}.modisco: {name!r} {values} is not attributed; add it under `attribution`."
    yield from track_problems(tracks, section["database"], ("meme",), f"{key}.database")


def _variants_problems(section: Mapping, study: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    wrong = list(_selection_problems(section, study, list(study["models"]), key))
    yield from wrong or _sequence_problems(section, study, f"{key}.models")
    yield from track_problems(tracks, section["track"], ("vcf",), f"{key}.track")
    yield from _expected_problems(section, study, tracks, key)


def _loci_problems(section: Mapping, study: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    wrong = list(selector_problems(section["of"], study, f"{key}.of"))
    yield from wrong
    if wrong or section["top"] or section["wrong"]:
        return
    shown = (section["of"]["model"], *chosen_variants(section["of"], study))
    if not section["variants"] or shown not in inspected_variants(study.get("variants", {"models": []}), study):
        yield f"{key}: top and wrong are 0, and there are no variants of {shown[0]!r} {shown[1]}: nothing to show."


def _expected_problems(section: Mapping, study: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    if section.get("expected") == CORES:
        if "motif" not in study:
            yield f"{key}.expected: {CORES} are those of the study's motif; add `motif`, or name a track."
    elif "expected" in section:
        yield from track_problems(tracks, section["expected"], REGION_TYPES, f"{key}.expected")


def _sequence_problems(section: Mapping, study: Mapping, key: str) -> Iterator[str]:
    for name in section["models"]:
        if "sequence" not in input_kinds(name, study):
            reading = [other for other in study["models"] if "sequence" in input_kinds(other, study)]
            yield f"{key}: {name!r} does not read the sequence; those that do: {', '.join(reading) or 'none'}."


_SECTIONS = {
    "attribution": _attribution_problems,
    "motifs": _motifs_problems,
    "variants": _variants_problems,
    "loci": _loci_problems,
}
