"""Checking what a completed config names: tracks, genomes, chromosomes, inputs; and all that its studies name."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from helpers.errors import InputError
from helpers.figure_references import reading_problems, shared_name_problems
from helpers.inspection_references import inspection_problems
from helpers.model_references import model_problems
from helpers.naming import REGION_TYPES, track_problems, unknown
from helpers.study import TARGETS, WHOLE, folds, part_chromosome, split_parts

_GENE_TYPES = ("gtf",)
_SIGNAL_TYPES = ("bam", "bigWig")
_RESERVED_STUDIES = (
    *("all", "everything", "figures", "report"),  # targets of the workflow
    *("benchmarks", "genomes", "hub", "logs", "tables", "trimmed"),  # folders of results beside those of studies
)
_RESERVED_INPUTS = ("labels", TARGETS)  # the name of every network's output; the folder of the signals to predict


def resolve_outputs(config: Mapping[str, Any], tracks: pd.DataFrame) -> dict[str, Any]:
    """Name the tracks of outputs that are given by their classes.

    Parameters
    ----------
    config : mapping
        Completed; left unchanged.
    tracks : pandas.DataFrame
        The sheet.

    Returns
    -------
    dict
        The config, in which ``output`` of every study has ``tracks`` instead of ``classes``; in the order of the sheet.

    Raises
    ------
    InputError
        For classes that no track has.
    """
    studies = {name: _with_tracks(name, study, tracks) for name, study in config["studies"].items()}
    return {**config, "studies": studies}


def _with_tracks(name: str, study: Mapping[str, Any], tracks: pd.DataFrame) -> Mapping[str, Any]:
    classes = study["output"].get("classes")
    if not classes:
        return study
    missing = [one for one in classes if one not in set(tracks["class"])]
    if missing:
        known = ", ".join(dict.fromkeys(one for one in tracks["class"] if one)) or "none"
        message = f"studies.{name}.output.classes: no track of the sheet is of class {missing[0]!r}; classes: {known}."
        raise InputError(message)
    others = {key: value for key, value in study["output"].items() if key != "classes"}
    return {**study, "output": {**others, "tracks": tracks.index[tracks["class"].isin(classes)].tolist()}}


def check_references(config: Mapping[str, Any], tracks: pd.DataFrame) -> None:
    """Check that what a completed config names exists: tracks of the right type, genomes, chromosomes, inputs, models.

    Parameters
    ----------
    config : mapping
        Of `resolve_outputs`.
    tracks : pandas.DataFrame
        The sheet.

    Raises
    ------
    InputError
        One message with every error.
    """
    problems: list[str] = []
    for name, genome in config["genomes"].items():
        problems += track_problems(tracks, genome["fasta"], ("fasta",), f"genomes.{name}.fasta")
        if "blacklist" in genome:
            problems += track_problems(tracks, genome["blacklist"], REGION_TYPES, f"genomes.{name}.blacklist")
    for name, study in config["studies"].items():
        if name in _RESERVED_STUDIES:
            problems.append(f"studies.{name}: a target or a folder of results has this name; choose another.")
        problems += _study_problems(study, config["genomes"], tracks, f"studies.{name}")
    problems += shared_name_problems(config["studies"])
    if problems:
        raise InputError("the config has mistakes:\n" + "\n".join(f"  {problem}" for problem in problems))


def _study_problems(study: Mapping, genomes: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    kind = study["regions"]["kind"]
    types = _GENE_TYPES if kind == "promoters" else REGION_TYPES
    yield from track_problems(tracks, study["regions"]["track"], types, f"{key}.regions.track")
    yield from _output_problems(study["output"], tracks, f"{key}.output")
    for name, part in study["inputs"].items():
        yield from _input_problems(part, tracks, f"{key}.inputs.{name}")
        yield from _resolution_problems(part, study["regions"], f"{key}.inputs.{name}")
    for name in _RESERVED_INPUTS:
        if name in study["inputs"]:
            yield f"{key}.inputs: {name!r} is the name of what models predict; choose another name."
    if study["genome"] not in genomes:
        yield f"{key}.genome: {study['genome']!r} is not under genomes; allowed: {', '.join(genomes)}."
    else:
        chromosomes = genomes[study["genome"]]["chromosomes"]
        for fold in folds(study):
            yield from _split_problems(split_parts(study, chromosomes, fold), chromosomes, f"{key}.{_split_key(study)}")
    wrong = [
        problem
        for name, model in study["models"].items()
        for problem in model_problems(name, model, study, tracks, f"{key}.models.{name}")
    ]
    classes = set(tracks["class"].reindex(study["output"]["tracks"]).dropna())
    yield from wrong or reading_problems(study, classes, key)
    yield from [] if wrong else inspection_problems(study, tracks, key)


def _output_problems(output: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    for track in output["tracks"]:
        types = REGION_TYPES if output["kind"] == "peaks" else _SIGNAL_TYPES
        wrong = list(track_problems(tracks, track, types, f"{key}.tracks"))
        yield from wrong
        if not wrong and tracks.at[track, "type"] == "bigWig" and output.get("strand") == "sense":
            yield f"{key}.strand: the bigWig track {track!r} has no strands; use both, or a BAM track."


def _input_problems(part: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    if part["kind"] == "coverage":
        whole = part["resolution"] == WHOLE
        for track in part["tracks"]:
            wrong = list(track_problems(tracks, track, _SIGNAL_TYPES, f"{key}.tracks"))
            yield from wrong
            if not wrong and tracks.at[track, "type"] == "bigWig" and not whole:
                yield (
                    f"{key}.resolution: {part['resolution']} bp; the bigWig track {track!r} gives sums of windows "
                    f"only: write resolution: {WHOLE}, or give a BAM track."
                )
            elif not wrong and tracks.at[track, "type"] == "bigWig" and part["stranded"]:
                yield f"{key}.stranded: the bigWig track {track!r} has no strands; write stranded: false."
        if part["swap_in_test"] and len(part["tracks"]) < 2:
            yield f"{key}.swap_in_test: swapping needs two tracks or more; {key}.tracks has {len(part['tracks'])}."


def _resolution_problems(part: Mapping, regions: Mapping, key: str) -> Iterator[str]:
    resolution = part.get("resolution", 1)
    if resolution == WHOLE:
        return
    if part["kind"] == "coverage" and regions["kind"] == "promoters":
        yield f"{key}.resolution: promoters lie off the grid of any resolution; write resolution: {WHOLE}."
        return
    for name, length in (("the bin size", regions["binsize"]), ("flank", part["flank"])):
        if length % resolution:
            yield f"{key}.resolution: {resolution} bp does not divide {name}, {length} bp."


def _split_key(study: Mapping) -> str:
    return "folds" if "folds" in study else "split"


def _split_problems(split: Mapping, chromosomes: list[str], key: str) -> Iterator[str]:
    named = {part: list(map(part_chromosome, split[part])) for part in ("validation", "test")}
    for part, names in named.items():
        yield from unknown(names, chromosomes, f"{key}.{part}")
    whole = {entry for part in named for entry in split[part] if isinstance(entry, str)}
    both = sorted(set(named["validation"]) & set(named["test"]) & whole)
    if both:
        yield f"{key}: {', '.join(both)} is in validation and in test."
    for part in ("validation", "test"):
        for entry in split[part]:
            if not isinstance(entry, str) and entry.get("end", entry["start"] + 1) <= entry["start"]:
                yield f"{key}.{part}: {entry['chrom']} from {entry['start']} does not end after its start."
    if not split["train"]:
        yield f"{key}: no chromosome is left for training; all of {', '.join(chromosomes)} are held out."
