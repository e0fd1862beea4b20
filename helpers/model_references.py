"""Checking the models of a study before anything is loaded: inputs, grids, parameters, parts, windows long enough."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from helpers.errors import InputError
from helpers.naming import track_problems, unknown
from helpers.networks import BASELINES, NETWORKS, complete_params, shortest_input
from helpers.study import WHOLE, expand_grids, part_values

# Grid keys that act on an input; the others are parameters of an architecture.
_INPUT_KEYS = {"sequence": ("order", "window"), "coverage": ("normalize", "augment")}
_GRID_PARAMETERS = ("dropout", "strands", "k")
_MOTIFS = "motifs"
_ONE_POSITION = ("cage_chromatin",)  # architectures of one value a window
_TARGET = "target"  # as in tracks/target_{output}.bw


def model_problems(
    name: str, model: Mapping[str, Any], study: Mapping[str, Any], tracks: pd.DataFrame, key: str
) -> Iterator[str]:
    """Yield a sentence for each mistake in a model.

    Parameters
    ----------
    name : str
    model : mapping
        ``studies: STUDY: models: NAME`` of a completed config.
    study : mapping
    tracks : pandas.DataFrame
        The sheet.
    key : str
        Where the model stands in the config.
    """
    if name == _TARGET:
        yield f"{key}: {name!r} names the tracks of what was observed; choose another name."
    if model["architecture"] == "joint":
        yield from _joint_problems(model, study, key)
        return
    wrong = [*_input_problems(model, study, key), *_grid_problems(model, study, key)]
    wrong += _motifs_problems(model, tracks, key)
    yield from wrong or _parameter_problems(model, study, key)


def allowed_keys(architecture: str) -> list[str]:
    """Return the grid keys that an architecture takes, those of its input included."""
    network = NETWORKS[architecture]
    of_input = _INPUT_KEYS[network.kind]
    if {"k", _MOTIFS} & set(network.parameters):  # the order of the input is k; motifs are read letter by letter
        of_input = ("window",)
    return [*of_input, *(name for name in _GRID_PARAMETERS if name in network.parameters)]


def model_variants(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values of each variant of a model."""
    return expand_grids(model.get("variants", []))


def chosen_variants(selector: Mapping[str, Any], study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the variants of a model that have the values of a selector."""
    wanted = {key: value for key, value in selector.items() if key != "model"}
    return [values for values in model_variants(study["models"][selector["model"]]) if wanted.items() <= values.items()]


def inspected_variants(section: Mapping[str, Any], study: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the models and variants that a section of a study looks at.

    Parameters
    ----------
    section : mapping
        With ``models`` and perhaps ``where``, such as ``attribution``.
    study : mapping

    Returns
    -------
    list of (str, dict)
        Name of the model, values of the variant.
    """
    where = section.get("where", {})
    return [
        (name, values)
        for name in section["models"]
        if name in study["models"]  # one that is not is told by the checks of the section
        for values in chosen_variants({"model": name, **where.get(name, {})}, study)
    ]


def selector_problems(selector: Mapping[str, Any], study: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield a sentence when a selector names no model, or does not pick one of its variants."""
    wrong = list(unknown([selector["model"]], study["models"], f"{key}.model"))
    yield from wrong
    if wrong:
        return
    picked = len(chosen_variants(selector, study))
    if picked != 1:
        there = "; ".join(map(str, model_variants(study["models"][selector["model"]])))
        yield f"{key}: picks {picked} variants of {selector['model']!r}, one is needed; its variants: {there}."


def where_problems(section: Mapping[str, Any], study: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield a sentence for each entry of ``where`` that is about another model, or leaves no variant."""
    for name, where in section.get("where", {}).items():
        if name not in section["models"]:
            yield f"{key}.where: {name!r} is not among its models, {', '.join(section['models'])}."
        elif not chosen_variants({"model": name, **where}, study):
            yield f"{key}.where.{name}: no variant of {name!r} has {dict(where)}."


def input_kinds(name: str, study: Mapping[str, Any]) -> list[str]:
    """Return the kind of each input of a model: sequence or coverage; of a joint model those of its parts."""
    model = study["models"][name]
    parts = model["of"] if model["architecture"] == "joint" else [name]
    return [NETWORKS[study["models"][part]["architecture"]].kind for part in parts]


def _input_problems(model: Mapping, study: Mapping, key: str) -> Iterator[str]:
    yield from unknown(model["inputs"], study["inputs"], f"{key}.inputs")
    architecture, network = model["architecture"], NETWORKS[model["architecture"]]
    for name in model["inputs"]:
        part = study["inputs"].get(name, {"kind": network.kind})
        if part["kind"] != network.kind:
            yield f"{key}.inputs: {architecture} takes a {network.kind} input; {name!r} is of kind {part['kind']}."
        elif architecture in _ONE_POSITION and part.get("resolution", WHOLE) != WHOLE:
            yield f"{key}.inputs: {architecture} takes one value a window; write resolution: {WHOLE} for {name!r}."
    if len(model["inputs"]) != 1:
        yield f"{key}.inputs: {architecture} takes one input; received {len(model['inputs'])}."


def _grid_problems(model: Mapping, study: Mapping, key: str) -> Iterator[str]:
    architecture, binsize = model["architecture"], study["regions"]["binsize"]
    for grid in model.get("variants", []):
        yield from unknown(grid, allowed_keys(architecture), f"{key}.variants")
        both = sorted(set(grid) & set(model["params"]))
        if both:
            yield f"{key}: {', '.join(both)} stands in params and in variants; keep one of them."
        for window in grid.get("window", []):
            if window < binsize or (window - binsize) % 2:
                yield (
                    f"{key}.variants.window: {window} bp cannot lie around a bin of {binsize} bp with equal flanks; "
                    f"write {binsize} bp plus an even number."
                )
    if "k" in NETWORKS[architecture].parameters and any("k" not in values for values in model_variants(model)):
        yield f"{key}.variants: {architecture} needs k, the length of the k-mers, such as [{{k: [5]}}]."


def _motifs_problems(model: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    wanted = _MOTIFS in NETWORKS[model["architecture"]].parameters
    if wanted and _MOTIFS not in model:
        yield f"{key}: {model['architecture']} needs motifs, the name of a track of type meme."
    elif not wanted and _MOTIFS in model:
        yield f"{key}.motifs: {model['architecture']} takes no motifs; pwm_scan does."
    elif wanted:
        yield from track_problems(tracks, model[_MOTIFS], ("meme",), f"{key}.motifs")


def _parameter_problems(model: Mapping, study: Mapping, key: str) -> Iterator[str]:
    """Find wrong parameters, and variants whose filters are longer than the windows of their input."""
    architecture, (name,) = model["architecture"], model["inputs"]
    part, binsize = study["inputs"][name], study["regions"]["binsize"]
    for values in model_variants(model):
        order = values.get("order", values.get("k", 1))
        known = NETWORKS[architecture].parameters
        params = model["params"] | {key: value for key, value in values.items() if key in known}
        params |= {_MOTIFS: model[_MOTIFS]} if _MOTIFS in model else {}
        try:
            needed = shortest_input(architecture, complete_params(architecture, params, order))
        except InputError as error:
            yield f"{key}.params: {error}"
            return
        length = values.get("window", binsize + 2 * part["flank"])
        positions = _positions(part, length, order)
        if positions < needed:
            yield (
                f"{key}.inputs: windows of {length} bp (bin size and flanks) have {positions} positions for "
                f"{dict(values)}; the filters of {architecture} need {needed}. Give the input a longer flank"
                f"{', or a resolution in bp' if part.get('resolution') == WHOLE else ''}."
            )
            return


def _positions(part: Mapping, length: int, order: int) -> int:
    if part["kind"] == "sequence":
        return length - order + 1
    return 1 if part["resolution"] == WHOLE else length // part["resolution"]


def _joint_problems(model: Mapping, study: Mapping, key: str) -> Iterator[str]:
    models, no_part = study["models"], ("joint", *BASELINES)
    nets = [name for name, other in models.items() if other["architecture"] not in no_part]
    wrong = [part for part in model["of"] if part not in nets]
    for part in wrong:
        yield f"{key}.of.{part}: {part!r} is not a network of this study; allowed: {', '.join(nets)}."
    if wrong:
        return
    inputs = [name for part in model["of"] for name in models[part]["inputs"]]
    for name in sorted({name for name in inputs if inputs.count(name) > 1}):
        yield f"{key}.of: two parts read the input {name!r}; give each part an input of its own."
    taken = {name for part in model["of"] for values in model_variants(models[part]) for name in values}
    for grid in model.get("variants", []):
        yield from unknown(grid, sorted(taken), f"{key}.variants")
    joint = {"models": {**models, "joint": model}}
    reported = set()
    for values in model_variants(model):
        for part, own in part_values(joint, "joint", values).items():
            if own not in model_variants(models[part]) and part not in reported:
                reported.add(part)
                trained = "; ".join(map(str, model_variants(models[part])))
                yield f"{key}.of.{part}: {own} is not a variant of {part!r}; its variants: {trained}."
