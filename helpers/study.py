"""From a study's settings to its plan: which models, variants, splits and runs there are. Pure functions, no files.

A *variant* is a choice of values out of a model's grids (``order: 3, dropout: 0.2``); a *run* is one training of a
variant: fold and replicate. The workflow turns these into paths, `helpers.model` into networks.
"""

import itertools
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

WITHOUT_FOLDS = "all"

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


def split_chromosomes(study: Settings, chromosomes: list[str], fold: str = WITHOUT_FOLDS) -> dict[str, list[str]]:
    """Return the chromosomes of each split of a fold; what is neither validation nor test trains."""
    split = {"validation": [fold], "test": study["folds"]["test"]} if "folds" in study else study["split"]
    held_out = {name: list(split[name]) for name in ("validation", "test")}
    train = [name for name in chromosomes if not any(name in names for names in held_out.values())]
    return {"train": train, **held_out}


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


def model_plan(study: Settings, model: str, values: Settings) -> dict[str, Any]:
    """Say how to build a variant of a model and how to read its inputs.

    Parameters
    ----------
    study : mapping
        A completed study of the config.
    model : str
        Name of a model of the study.
    values : mapping
        The variant's values; empty for a joint model.

    Returns
    -------
    dict
        ``architecture``, ``params`` (for the architecture; a joint model has ``parts`` there: name → such a plan) and
        ``inputs``: name of the input → ``order``, or ``normalize`` and ``augment``.
    """
    settings = study["models"][model]
    architecture = settings["architecture"]
    if architecture == "joint":
        parts = {part: model_plan(study, part, part_values) for part, part_values in settings["of"].items()}
        inputs = {name: part["inputs"][name] for part in parts.values() for name in part["inputs"]}
        return {"architecture": architecture, "params": {"parts": parts}, "inputs": inputs}
    inputs = {name: _reading(study["inputs"][name], values) for name in settings["inputs"]}
    params = {key: value for key, value in values.items() if key not in ("order", "normalize", "augment")}
    return {"architecture": architecture, "params": params, "inputs": inputs}


def _reading(settings: Settings, values: Settings) -> dict[str, Any]:
    if settings["kind"] == "sequence":
        return {"kind": "sequence", "order": values.get("order", values.get("k", 1))}
    return {"kind": "coverage", "normalize": values.get("normalize", "none"), "augment": values.get("augment", "none")}


def scored_splits(study: Settings, model: str) -> list[str]:
    """Return the splits on which a model is scored; ``test_swapped`` where one of its inputs is swapped there."""
    settings = study["models"][model]
    parts = settings["of"] if settings["architecture"] == "joint" else [model]
    names = [name for part in parts for name in study["models"][part]["inputs"]]
    swapped = any(study["inputs"][name].get("swap_in_test", False) for name in names)
    return ["validation", "test"] + (["test_swapped"] if swapped else [])


def study_tracks(study: Settings) -> list[str]:
    """Return the tracks that a study reads, its genome's apart, each once."""
    names = [study["regions"]["track"], *study["output"]["tracks"]]
    names += [track for part in study["inputs"].values() for track in part.get("tracks", [])]
    return list(dict.fromkeys(names))


def track_uses(study: Settings) -> dict[str, dict[str, Any]]:
    """Say what a study makes of each of its tracks.

    Returns
    -------
    dict
        Name of the track → ``uses``, a list of ``regions``, ``output`` and ``inputs``, and ``stranded``, whether an
        input counts its strands apart.
    """
    parts = [part for part in study["inputs"].values() if part["kind"] == "coverage"]
    named = {
        "regions": [study["regions"]["track"]],
        "output": study["output"]["tracks"],
        "inputs": [track for part in parts for track in part["tracks"]],
    }
    stranded = {track for part in parts if part["stranded"] for track in part["tracks"]}
    return {
        track: {"uses": [use for use, tracks in named.items() if track in tracks], "stranded": track in stranded}
        for track in study_tracks(study)
    }


def all_splits(study: Settings, chromosomes: list[str]) -> dict[str, list[str]]:
    """Return the chromosomes of every split of every fold: ``test``, ``validation of fold chr2``; equal ones once."""
    splits: dict[tuple[str, ...], str] = {}
    for fold in folds(study):
        for split, names in split_chromosomes(study, chromosomes, fold).items():
            label = split if fold == WITHOUT_FOLDS or split == "test" else f"{split} of fold {fold}"
            splits.setdefault((split, *names), label)
    return {label: list(names) for (_, *names), label in splits.items()}
