"""From a study's settings to its plan: which models, variants, splits and runs there are. Pure functions, no files.

A *variant* is a choice of values out of a model's grids (``order: 3, dropout: 0.2``); a *run* is one training of a
variant: fold and replicate. The workflow turns these into paths, `helpers.model` into networks.
"""

import itertools
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

WITHOUT_FOLDS = "all"
WHOLE = "whole"  # resolution of an input with one value a window
TARGETS = "targets"  # where the signals to predict lie, beside those of the inputs
CORES = "cores"  # instead of a track: where the study's motif stands near its sites
_INSPECTED = ("attribution", "variants")  # sections that may say where effects are expected
_READING = ("order", "window", "normalize", "augment")  # grid keys that say how an input is read

Settings = Mapping[str, Any]


class Run(NamedTuple):
    """One training of one variant of one model."""

    model: str
    variant: str
    fold: str
    replicate: int


def variant_name(values: Settings) -> str:
    """Write a variant's values as a name for paths.

    Examples
    --------
    >>> variant_name({"order": 3, "dropout": 0.2}), variant_name({})
    ('order~3_dropout~0.2', 'default')
    """
    return "_".join(f"{key}~{value}" for key, value in values.items()) or "default"


def expand_grids(grids: list[Settings]) -> list[dict[str, Any]]:
    """Return the union of grids, each the product of its lists, in the order of the config and without repeats.

    Examples
    --------
    >>> expand_grids([{"order": [1, 2]}, {"order": [2], "dropout": [0]}])
    [{'order': 1}, {'order': 2}, {'order': 2, 'dropout': 0}]
    """
    points = [dict(zip(grid, values, strict=True)) for grid in grids for values in itertools.product(*grid.values())]
    return list({variant_name(values): values for values in points}.values()) or [{}]


def variants(model: Settings) -> dict[str, dict[str, Any]]:
    """Return a model's variants: name → values."""
    return {variant_name(values): values for values in expand_grids(model.get("variants", []))}


def folds(study: Settings) -> list[str]:
    """Return the names of the folds, each its validation chromosome; a study with one split has ``all``."""
    return list(study["folds"]["validation_each"]) if "folds" in study else [WITHOUT_FOLDS]


def fold_folder(fold: str) -> str:
    """Return the folder of a fold's regions and labels, with a slash; none for a study with one split."""
    return "" if fold == WITHOUT_FOLDS else f"fold-{fold}/"


def split_parts(study: Settings, chromosomes: list[str], fold: str = WITHOUT_FOLDS) -> dict[str, list[Any]]:
    """Return what each split of a fold is made of; chromosomes that are not held out as a whole train.

    Returns
    -------
    dict
        ``train`` (names of chromosomes), ``validation`` and ``test``: each entry the name of a chromosome, or a part of
        one (``chrom``, ``start``, perhaps ``end`` and ``bins``).
    """
    split = {"validation": [fold], "test": study["folds"]["test"]} if "folds" in study else study["split"]
    held_out = {name: list(split[name]) for name in ("validation", "test")}
    whole = [entry for entries in held_out.values() for entry in entries if isinstance(entry, str)]
    return {"train": [name for name in chromosomes if name not in whole], **held_out}


def part_chromosome(entry: Any) -> str:
    """Return the chromosome of an entry of a split: its name, or that of which it is a part."""
    return entry if isinstance(entry, str) else entry["chrom"]


def split_chromosomes(study: Settings, chromosomes: list[str], fold: str = WITHOUT_FOLDS) -> dict[str, list[str]]:
    """Return the chromosomes of each split of a fold; one that is held out in part is in two of them."""
    parts = split_parts(study, chromosomes, fold)
    return {split: list(dict.fromkeys(map(part_chromosome, entries))) for split, entries in parts.items()}


def held_out(study: Settings) -> dict[str, list[Any]]:
    """Return the entries of validation and test; of validation those of all folds."""
    if "folds" in study:
        return {"validation": study["folds"]["validation_each"], "test": study["folds"]["test"]}
    return {name: study["split"][name] for name in ("validation", "test")}


def reach(study: Settings) -> int:
    """Return the largest number of bp on either side of a region that any model reads or predicts."""
    binsize = study["regions"]["binsize"]
    flanks = [part["flank"] for part in study["inputs"].values()] + [study["output"].get("flank", 0)]
    shown = [values for model in study["models"].values() for values in variants(model).values() if "window" in values]
    return max([*flanks, *((values["window"] - binsize) // 2 for values in shown)])


def runs(study: Settings) -> list[Run]:
    """Return every run of a study, replicates innermost."""
    return [
        Run(name, variant, fold, replicate)
        for name, model in study["models"].items()
        for variant in variants(model)
        for fold in folds(study)
        for replicate in range(model.get("replicates", study["replicates"]))
    ]


def run_seed(seed: int, *names: object) -> int:
    """Derive the seed of a run, the same on every machine, from the config's seed and the run's names."""
    return zlib.crc32("/".join(map(str, (seed, *names))).encode())


def training_settings(study: Settings, model: str) -> dict[str, Any]:
    """Return the study's training settings with what the model changes of them."""
    return {**study["training"], **study["models"][model].get("training", {})}


def part_values(study: Settings, model: str, values: Settings) -> dict[str, dict[str, Any]]:
    """Return the variant of each part that a variant of a joint model is made of.

    A part takes those of the joint model's values that its own grid has; those under ``of`` are fixed.

    Examples
    --------
    >>> dna = {"variants": [{"order": [1, 3]}]}
    >>> joint = {"of": {"dna": {}, "dnase": {"normalize": "tpm"}}}
    >>> part_values({"models": {"dna": dna, "dnase": {}, "joint": joint}}, "joint", {"order": 3})
    {'dna': {'order': 3}, 'dnase': {'normalize': 'tpm'}}
    """
    models = study["models"]
    known = {part: {key for own in variants(models[part]).values() for key in own} for part in models[model]["of"]}
    return {
        part: {key: value for key, value in values.items() if key in known[part]} | dict(fixed)
        for part, fixed in models[model]["of"].items()
    }


def model_plan(study: Settings, model: str, values: Settings) -> dict[str, Any]:
    """Say how to build a variant of a model and how to read its inputs.

    Parameters
    ----------
    study : mapping
        A completed study of the config.
    model : str
        Name of a model of the study.
    values : mapping
        The variant's values.

    Returns
    -------
    dict
        ``architecture``, ``params`` (for the architecture; a joint model has ``parts`` there: name → such a plan) and
        ``inputs``: name of the input → ``kind``, ``flank``, and ``order``, or ``normalize``, ``augment`` and ``whole``
        (one value a window). ``motifs`` among the params is the name of a track.
    """
    settings = study["models"][model]
    architecture = settings["architecture"]
    if architecture == "joint":
        parts = {part: model_plan(study, part, own) for part, own in part_values(study, model, values).items()}
        inputs = {name: part["inputs"][name] for part in parts.values() for name in part["inputs"]}
        return {"architecture": architecture, "params": {"parts": parts}, "inputs": inputs}
    inputs = {name: _reading(study, name, values) for name in settings["inputs"]}
    params = settings.get("params", {}) | {key: value for key, value in values.items() if key not in _READING}
    params |= {"motifs": settings["motifs"]} if "motifs" in settings else {}
    return {"architecture": architecture, "params": params, "inputs": inputs}


def _reading(study: Settings, name: str, values: Settings) -> dict[str, Any]:
    settings = study["inputs"][name]
    reading = {"kind": settings["kind"], "flank": settings["flank"]}
    if settings["kind"] == "sequence":
        if "window" in values:
            reading["flank"] = (values["window"] - study["regions"]["binsize"]) // 2
        return reading | {"order": values.get("order", values.get("k", 1))}
    reading |= {"normalize": values.get("normalize", "none"), "augment": values.get("augment", "none")}
    return reading | {"whole": settings["resolution"] == WHOLE}


def scored_splits(study: Settings, model: str) -> list[str]:
    """Return the splits on which a model is scored; ``test_swapped`` where one of its inputs is swapped there."""
    settings = study["models"][model]
    parts = settings["of"] if settings["architecture"] == "joint" else [model]
    names = [name for part in parts for name in study["models"][part]["inputs"]]
    swapped = any(study["inputs"][name].get("swap_in_test", False) for name in names)
    return ["validation", "test"] + (["test_swapped"] if swapped else [])


def study_tracks(study: Settings) -> list[str]:
    """Return the tracks that a study reads, its genome's apart, each once."""
    return list(dict.fromkeys(track for tracks in _uses(study).values() for track in tracks))


def config_tracks(config: Settings) -> list[str]:
    """Return every track that a study of a config reads, its genome's included, each once."""
    genomes = [config["genomes"][study["genome"]] for study in config["studies"].values()]
    names = [genome[key] for genome in genomes for key in ("fasta", "blacklist") if key in genome]
    names += [track for study in config["studies"].values() for track in study_tracks(study)]
    return list(dict.fromkeys(names))


def _uses(study: Settings) -> dict[str, list[str]]:
    """Return the tracks of each use: ``output`` gives labels, ``targets`` signals to predict."""
    predicted = "output" if study["output"]["kind"] == "peaks" else TARGETS
    expected = [study[section]["expected"] for section in _INSPECTED if "expected" in study.get(section, {})]
    return {
        "regions": [study["regions"]["track"]],
        predicted: study["output"]["tracks"],
        "inputs": [track for part in study["inputs"].values() for track in part.get("tracks", [])],
        "motifs": [model["motifs"] for model in study["models"].values() if "motifs" in model],
        "database": [study[name]["database"] for name in ("motifs",) if name in study],
        "variants": [study[name]["track"] for name in ("variants",) if name in study],
        "expected": [track for track in expected if track != CORES],
    }


def track_uses(study: Settings) -> dict[str, dict[str, Any]]:
    """Say what a study makes of each of its tracks.

    Returns
    -------
    dict
        Name of the track → ``uses``, a list of ``regions``, ``output``, ``targets``, ``inputs``, ``motifs`` (that a
        model scans), ``database`` (of known motifs), ``variants`` and ``expected``; ``stranded``, whether its strands
        are counted apart; where regions are promoters, their ``gene_type``; and of motifs that are scanned ``window``,
        bp of the shortest window.
    """
    named, output = _uses(study), study["output"]
    parts = [part for part in study["inputs"].values() if part["kind"] == "coverage"]
    stranded = {track for part in parts if part["stranded"] for track in part["tracks"]}
    stranded |= set(output["tracks"]) if output.get("strand") == "sense" else set()
    uses = {
        track: {"uses": [use for use, tracks in named.items() if track in tracks], "stranded": track in stranded}
        for track in study_tracks(study)
    }
    if study["regions"]["kind"] == "promoters":
        uses[study["regions"]["track"]]["gene_type"] = study["regions"]["gene_type"]
    for track in named["motifs"]:
        uses[track]["window"] = min(_scanned_windows(study, track))
    return uses


def _scanned_windows(study: Settings, track: str) -> list[int]:
    """Return the lengths of the windows, in bp, that models scan for the motifs of a track."""
    binsize = study["regions"]["binsize"]
    return [
        values.get("window", binsize + 2 * study["inputs"][name]["flank"])
        for model in study["models"].values()
        if model.get("motifs") == track
        for values in variants(model).values()
        for name in model["inputs"]
    ]


def all_splits(study: Settings, chromosomes: list[str]) -> dict[str, list[str]]:
    """Return the chromosomes of every split of every fold: ``test``, ``validation of fold chr2``; equal ones once."""
    splits: dict[tuple[str, ...], str] = {}
    for fold in folds(study):
        for split, names in split_chromosomes(study, chromosomes, fold).items():
            label = split if fold == WITHOUT_FOLDS or split == "test" else f"{split} of fold {fold}"
            splits.setdefault((split, *names), label)
    return {label: list(names) for (_, *names), label in splits.items()}
