"""Checking what reads the results of models before anything is loaded: figures, tables, tracks, motifs to mutate."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from helpers.model_references import (
    chosen_variants,
    input_kinds,
    inspected_variants,
    model_variants,
    selector_problems,
    where_problems,
)
from helpers.naming import unknown
from helpers.networks import NETWORKS
from helpers.study import WHOLE, held_out, part_chromosome, scored_splits

_LONGEST_LOCUS = 10_000_000  # bp


def reading_problems(study: Mapping[str, Any], classes: Collection[str], key: str) -> Iterator[str]:
    """Yield a sentence for each mistake; they can be looked for only when the models are right.

    Parameters
    ----------
    study : mapping
        A completed study of the config.
    classes : collection of str
        Of its outputs.
    key : str
        Where the study stands in the config.
    """
    yield from unknown(study["tracks"].get("outputs", []), study["output"]["tracks"], f"{key}.tracks.outputs")
    if "motif" in study and not all(isinstance(entry, str) for entry in held_out(study)["test"]):
        yield f"{key}.motif: its sites lie on the test chromosomes; the test split of this study has parts of some."
    for name in study.get("motif", {}).get("models", []):
        yield from _motif_problems(name, study, f"{key}.motif.models")
    for name, table in study["tables"].items():
        yield from _models_problems(table, study, f"{key}.tables.{name}")
    for name, figure in study["figures"].items():
        yield from _FIGURES[figure["kind"]](figure, study, f"{key}.figures.{name}")
        yield from unknown([figure["class"]] if "class" in figure else [], classes, f"{key}.figures.{name}.class")


def shared_name_problems(studies: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each name of a figure or table that is taken."""
    for what, taken in (("figures", {f"{name}_training" for name in studies}), ("tables", {"published"})):
        owner: dict[str, str] = {}
        for study, settings in studies.items():
            for name in settings[what]:
                if name in taken:
                    yield f"studies.{study}.{what}.{name}: this name is taken; choose another."
                if name in owner:
                    yield f"studies.{study}.{what}.{name}: the study {owner[name]!r} has one of that name."
                owner.setdefault(name, study)


def _motif_problems(name: str, study: Mapping, key: str) -> Iterator[str]:
    if not _reads_sequence(study["models"].get(name, {})):
        allowed = ", ".join(other for other, model in study["models"].items() if _reads_sequence(model))
        yield f"{key}: {name!r} is not a model of the sequence alone; allowed: {allowed}."
    elif any("window" in values for values in model_variants(study["models"][name])):
        yield f"{key}: {name!r} has windows in its grid; name a model that reads the input's own flank."


def _reads_sequence(model: Mapping) -> bool:
    network = NETWORKS.get(model.get("architecture"))
    return network is not None and network.kind == "sequence"


def _models_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    """Find wrong models, metric, split and ``where`` of a figure or table of several models."""
    wrong = list(unknown(figure["models"], study["models"], f"{key}.models"))
    wrong += unknown([figure["metric"]], study["metrics"], f"{key}.metric")
    yield from wrong
    if wrong:
        return
    if not any(figure["split"] in scored_splits(study, name) for name in figure["models"]):
        yield f"{key}.split: none of {', '.join(figure['models'])} is scored on {figure['split']}."
    yield from where_problems(figure, study, key)


def _cell_problems(figure: Mapping, study: Mapping, axes: list[str], key: str) -> Iterator[str]:
    """Find variants that lack an axis, and pairs of variants that would share a place."""
    cells: dict[tuple, str] = {}
    for name, values in inspected_variants(figure, study):
        known = {"model": name, **values}
        missing = [axis for axis in axes if axis not in known]
        if missing:
            yield f"{key}: {', '.join(missing)} is in no grid of {name!r}."
            return
        cell = tuple(known[axis] for axis in axes)
        if cell in cells:
            yield f"{key}: {cells[cell]} and {name} {values} share one box; tell them apart by x, hue or where."
            return
        cells[cell] = f"{name} {values}"


def _replicates_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    wrong = list(_models_problems(figure, study, key))
    wrong += unknown([figure["output"]] if "output" in figure else [], study["output"]["tracks"], f"{key}.output")
    if "output" not in figure and len(study["output"]["tracks"]) > 1:
        wrong.append(f"{key}.output: name one of the {len(study['output']['tracks'])} outputs of this study.")
    axes = [figure.get("x", "model"), *([figure["hue"]] if "hue" in figure else [])]
    yield from wrong or _cell_problems(figure, study, axes, key)


def _boxes_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    axes = ["model", figure["x"], *([figure["columns"]] if "columns" in figure else [])]
    yield from list(_models_problems(figure, study, key)) or _cell_problems(figure, study, axes, key)


def _differences_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    wrong = list(_models_problems(figure, study, key))
    yield from wrong
    if wrong:
        return
    values = [known for _, known in inspected_variants(figure, study)]
    for side in ("value", "reference"):
        if not any(known.get(figure["key"]) == figure[side] for known in values):
            yield f"{key}.{side}: no variant that is shown has {figure['key']} {figure[side]!r}."
    yield from _cell_problems(figure, study, ["model", figure["x"], figure["key"]], key)


def _selector_problems(selector: Mapping, figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    yield from selector_problems(selector, study, key)
    if selector["model"] in study["models"] and figure["split"] not in scored_splits(study, selector["model"]):
        yield f"{key}: {selector['model']!r} is not scored on {figure['split']}."


def _pair_problems(first: str, second: str) -> Callable[[Mapping, Mapping, str], Iterator[str]]:
    def problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
        yield from unknown([figure["metric"]], study["metrics"], f"{key}.metric")
        for side in (first, second):
            yield from _selector_problems(figure[side], figure, study, f"{key}.{side}")

    return problems


def _regression_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    yield from _selector_problems(figure["of"], figure, study, f"{key}.of")
    yield from unknown([figure["output"]] if "output" in figure else [], study["output"]["tracks"], f"{key}.output")
    if study["output"]["kind"] != "coverage":
        yield f"{key}: a regression needs a signal; the output of this study is of kind {study['output']['kind']}."
    elif "output" not in figure and len(study["output"]["tracks"]) > 1:
        yield f"{key}.output: name one of the outputs: {', '.join(study['output']['tracks'])}."


def _locus_problems(figure: Mapping, study: Mapping, key: str) -> Iterator[str]:
    yield from unknown(figure["predictions"], study["models"], f"{key}.predictions")
    if study["output"]["kind"] != "peaks":
        yield f"{key}: a locus shows features; the output of this study is of kind {study['output']['kind']}."
    for name, part in study["inputs"].items():
        if part.get("resolution") == WHOLE:
            yield f"{key}: the input {name!r} has one value a window (resolution: {WHOLE}), nothing along a locus."
    chrom, *ends = re.fullmatch(r"([^:]+):([0-9,]+)-([0-9,]+)", figure["region"]).groups()
    start, end = (int(text.replace(",", "")) for text in ends)
    if start >= end:
        yield f"{key}.region: {figure['region']!r} does not end after its start."
    if end - start > _LONGEST_LOCUS:
        yield f"{key}.region: {figure['region']!r} is {end - start} bp long; at most {_LONGEST_LOCUS} are drawn."
    if "attribution" in figure:
        yield from _attributed_problems(figure["attribution"], study, f"{key}.attribution")
    test = map(part_chromosome, held_out(study)["test"])
    yield from unknown([chrom], test, f"{key}.region, a chromosome of the test split")


def _attributed_problems(selector: Mapping, study: Mapping, key: str) -> Iterator[str]:
    """Find a variant that is not attributed, or has no sequence to draw."""
    wrong = list(selector_problems(selector, study, key))
    yield from wrong
    if wrong:
        return
    chosen = (selector["model"], *chosen_variants(selector, study))
    if chosen not in inspected_variants(study.get("attribution", {"models": []}), study):
        yield f"{key}: {chosen[0]!r} {chosen[1]} is not attributed; add it under `attribution`."
    elif "sequence" not in input_kinds(selector["model"], study):
        yield f"{key}: {selector['model']!r} does not read the sequence."


_FIGURES: dict[str, Callable[[Mapping, Mapping, str], Iterator[str]]] = {
    "replicates": _replicates_problems,
    "locus": _locus_problems,
    "scatter": _pair_problems("x", "y"),
    "gains": _pair_problems("a", "b"),
    "boxes": _boxes_problems,
    "differences": _differences_problems,
    "regression": _regression_problems,
}
