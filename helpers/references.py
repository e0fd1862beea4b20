"""Checking what a completed config names: tracks, genomes, chromosomes, inputs, models, variants, figures."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from helpers.errors import InputError
from helpers.networks import BASELINES, NETWORKS, complete_params, shortest_input
from helpers.study import expand_grids, folds, scored_splits, split_chromosomes

_REGION_TYPES = ("bed", "narrowPeak", "broadPeak")
_RESERVED_INPUT = "labels"  # the name of every network's output


def check_references(config: Mapping[str, Any], tracks: pd.DataFrame) -> None:
    """Check that what a completed config names exists: tracks of the right type, genomes, chromosomes, inputs, models.

    Raises
    ------
    InputError
        One message with every error.
    """
    problems: list[str] = []
    for name, genome in config["genomes"].items():
        problems += _track_problems(tracks, genome["fasta"], ("fasta",), f"genomes.{name}.fasta")
        if "blacklist" in genome:
            problems += _track_problems(tracks, genome["blacklist"], _REGION_TYPES, f"genomes.{name}.blacklist")
    for name, study in config["studies"].items():
        problems += _study_problems(study, config["genomes"], tracks, f"studies.{name}")
    problems += _figure_name_problems(config["studies"])
    if problems:
        raise InputError("the config has mistakes:\n" + "\n".join(f"  {problem}" for problem in problems))


def _study_problems(study: Mapping, genomes: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    yield from _track_problems(tracks, study["regions"]["track"], _REGION_TYPES, f"{key}.regions.track")
    for track in study["output"]["tracks"]:
        yield from _track_problems(tracks, track, _REGION_TYPES, f"{key}.output.tracks")
    for name, part in study["inputs"].items():
        yield from _input_problems(part, tracks, f"{key}.inputs.{name}")
        yield from _resolution_problems(part, study["regions"]["binsize"], f"{key}.inputs.{name}")
    if _RESERVED_INPUT in study["inputs"]:
        yield f"{key}.inputs: {_RESERVED_INPUT!r} is the name of the models' output; choose another name."
    if study["genome"] not in genomes:
        yield f"{key}.genome: {study['genome']!r} is not under genomes; allowed: {', '.join(genomes)}."
    else:
        chromosomes = genomes[study["genome"]]["chromosomes"]
        for fold in folds(study):
            yield from _split_problems(
                split_chromosomes(study, chromosomes, fold), chromosomes, f"{key}.{_split_key(study)}"
            )
    wrong = [
        problem
        for name, model in study["models"].items()
        for problem in _model_problems(model, study, f"{key}.models.{name}")
    ]
    yield from wrong or _reading_problems(study, key)


def _reading_problems(study: Mapping, key: str) -> Iterator[str]:
    """Find mistakes in what reads the models' results; they can be looked for only when the models are right."""
    yield from _unknown(study["tracks"].get("outputs", []), study["output"]["tracks"], f"{key}.tracks.outputs")
    for name in study.get("motif", {}).get("models", []):
        yield from _motif_problems(name, study, f"{key}.motif.models")
    for name, figure in study["figures"].items():
        check = _replicates_problems if figure["kind"] == "replicates" else _locus_problems
        models = figure["models"] if figure["kind"] == "replicates" else figure["predictions"]
        unknown = list(_unknown(models, study["models"], f"{key}.figures.{name}"))
        yield from unknown or check(figure, study, f"{key}.figures.{name}")


def _track_problems(tracks: pd.DataFrame, name: str, types: tuple[str, ...], key: str) -> Iterator[str]:
    if name not in tracks.index:
        guess = difflib.get_close_matches(name, list(tracks.index), n=1)
        yield f"{key}: track {name!r} is not in the sheet." + (f" Did you mean {guess[0]!r}?" if guess else "")
    elif tracks.at[name, "type"] not in types:
        yield f"{key}: track {name!r} is of type {tracks.at[name, 'type']}; needed: {' or '.join(types)}."


def _input_problems(part: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    if part["kind"] == "coverage":
        for track in part["tracks"]:
            yield from _track_problems(tracks, track, ("bam",), f"{key}.tracks")
        if part["swap_in_test"] and len(part["tracks"]) < 2:
            yield f"{key}.swap_in_test: swapping needs two tracks or more; {key}.tracks has {len(part['tracks'])}."


def _resolution_problems(part: Mapping, binsize: int, key: str) -> Iterator[str]:
    resolution = part.get("resolution", 1)
    for name, length in (("the bin size", binsize), ("flank", part["flank"])):
        if length % resolution:
            yield f"{key}.resolution: {resolution} bp does not divide {name}, {length} bp."


def _split_key(study: Mapping) -> str:
    return "folds" if "folds" in study else "split"


def _split_problems(split: Mapping, chromosomes: list[str], key: str) -> Iterator[str]:
    for part in ("validation", "test"):
        yield from _unknown(split[part], chromosomes, f"{key}.{part}")
    both = sorted(set(split["validation"]) & set(split["test"]))
    if both:
        yield f"{key}: {', '.join(both)} is in validation and in test."
    if not split["train"]:
        yield f"{key}: no chromosome is left for training; all of {', '.join(chromosomes)} are held out."


def _unknown(names: Iterable[str], allowed: Iterable[str], key: str) -> Iterator[str]:
    allowed = list(allowed)
    for name in names:
        if name not in allowed:
            yield f"{key}: {name!r} is unknown; allowed: {', '.join(allowed)}."


# Grid keys that act on an input; the others are parameters of an architecture.
_INPUT_KEYS = {"sequence": ("order",), "coverage": ("normalize", "augment")}
_GRID_PARAMETERS = ("dropout", "strands", "k")


def _model_problems(model: Mapping, study: Mapping, key: str) -> Iterator[str]:
    if model["architecture"] == "joint":
        for part, values in model["of"].items():
            yield from _part_problems(part, values, study["models"], f"{key}.of.{part}")
        inputs = [name for part in model["of"] for name in study["models"].get(part, {}).get("inputs", [])]
        for name in sorted({name for name in inputs if inputs.count(name) > 1}):
            yield f"{key}.of: two parts read the input {name!r}; give each part an input of its own."
        return
    yield from _unknown(model["inputs"], study["inputs"], f"{key}.inputs")
    kind = NETWORKS[model["architecture"]].kind
    for name in model["inputs"]:
        if name in study["inputs"] and study["inputs"][name]["kind"] != kind:
            found = study["inputs"][name]["kind"]
            yield f"{key}.inputs: {model['architecture']} takes a {kind} input; {name!r} is of kind {found}."
    if len(model["inputs"]) != 1:
        yield f"{key}.inputs: {model['architecture']} takes one input; received {len(model['inputs'])}."
    for grid in model.get("variants", []):
        yield from _unknown(grid, allowed_keys(model["architecture"]), f"{key}.variants")
    if model["architecture"] == "kmer_linear" and any("k" not in values for values in _variants(model)):
        yield f"{key}.variants: kmer_linear needs k, the length of the k-mers, such as [{{k: [5]}}]."
    for name in model["inputs"]:
        if study["inputs"].get(name, {}).get("kind") == kind:
            yield from _length_problems(model, study["inputs"][name], study["regions"]["binsize"], f"{key}.inputs")


def _length_problems(model: Mapping, part: Mapping, binsize: int, key: str) -> Iterator[str]:
    """Find the variants whose filters are longer than the windows of their input."""
    length = binsize + 2 * part["flank"]
    for values in _variants(model):
        order = values.get("order", values.get("k", 1))
        positions = length // part["resolution"] if part["kind"] == "coverage" else length - order + 1
        params = {name: value for name, value in values.items() if name in NETWORKS[model["architecture"]].parameters}
        needed = shortest_input(model["architecture"], complete_params(model["architecture"], params, order))
        if positions < needed:
            yield (
                f"{key}: windows of {length} bp (bin size and flanks) have {positions} positions for {dict(values)}; "
                f"the filters of {model['architecture']} need {needed}. Give the input a longer flank."
            )
            return


def _part_problems(part: str, values: Mapping, models: Mapping, key: str) -> Iterator[str]:
    no_part = ("joint", *BASELINES)
    if part not in models or models[part]["architecture"] in no_part:
        nets = [name for name, model in models.items() if model["architecture"] not in no_part]
        yield f"{key}: {part!r} is not a network of this study; allowed: {', '.join(nets)}."
    elif values not in _variants(models[part]):
        trained = "; ".join(map(str, _variants(models[part])))
        yield f"{key}: {dict(values)} is not a variant of {part!r}; its variants: {trained}."


def allowed_keys(architecture: str) -> list[str]:
    """Return the grid keys that an architecture takes, those of its input included."""
    network = NETWORKS[architecture]
    of_input = [] if "k" in network.parameters else _INPUT_KEYS[network.kind]  # k is the order of the input
    return [*of_input, *(name for name in _GRID_PARAMETERS if name in network.parameters)]


def _variants(model: Mapping) -> list[dict]:
    return expand_grids(model.get("variants", []))


def _motif_problems(name: str, study: Mapping, key: str) -> Iterator[str]:
    model = study["models"].get(name, {})
    if not _reads_sequence(model):
        allowed = ", ".join(other for other, model in study["models"].items() if _reads_sequence(model))
        yield f"{key}: {name!r} is not a model of the sequence alone; allowed: {allowed}."


def _reads_sequence(model: Mapping) -> bool:
    network = NETWORKS.get(model.get("architecture"))
    return network is not None and network.kind == "sequence"


def _replicates_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    yield from _unknown([figure["metric"]], study["metrics"], f"{key}.metric")
    if len(study["output"]["tracks"]) > 1:
        yield f"{key}: figures of replicates show one output; this study has {len(study['output']['tracks'])}."
    if not any(figure["split"] in scored_splits(study, name) for name in figure["models"]):
        yield f"{key}.split: none of {', '.join(figure['models'])} is scored on {figure['split']}."
    cells: dict[tuple, str] = {}
    axes = [figure[axis] for axis in ("x", "hue") if axis in figure]
    for name in figure["models"]:
        where = figure["where"].get(name, {})
        shown = [values for values in _variants(study["models"][name]) if where.items() <= values.items()]
        if not shown:
            yield f"{key}.where.{name}: no variant of {name!r} has {dict(where)}."
        for values in shown:
            missing = [axis for axis in axes if axis not in values]
            if missing:
                yield f"{key}: {', '.join(missing)} is in no grid of {name!r}."
                break
            cell = tuple(values[axis] for axis in axes) if "x" in figure else (name, *(values[axis] for axis in axes))
            if cell in cells:
                yield f"{key}: {cells[cell]} and {name} {values} share one box; tell them apart by x, hue or where."
                break
            cells[cell] = f"{name} {values}"


def _locus_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    chrom, start, end = re.fullmatch(r"([^:]+):([0-9,]+)-([0-9,]+)", figure["region"]).groups()
    if int(start.replace(",", "")) >= int(end.replace(",", "")):
        yield f"{key}.region: {figure['region']!r} does not end after its start."
    test = study["folds"]["test"] if "folds" in study else study["split"]["test"]
    yield from _unknown([chrom], test, f"{key}.region, a chromosome of the test split")


def _figure_name_problems(studies: Mapping) -> Iterator[str]:
    owner: dict[str, str] = {}
    for study, settings in studies.items():
        for figure in settings["figures"]:
            if figure in {f"{name}_training" for name in studies}:
                yield f"studies.{study}.figures.{figure}: this name is taken by the training curves; choose another."
            if figure in owner:
                yield f"studies.{study}.figures.{figure}: the study {owner[figure]!r} has a figure of that name."
            owner.setdefault(figure, study)
