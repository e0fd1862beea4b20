"""Which models of a study are compared with which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from helpers.networks import BASELINES

STAND_IN = {"test_swapped": "test"}  # a model without inputs to swap predicts the same on both

Values = Mapping[str, Any]


class StudyModel(NamedTuple):
    """One model of the config.

    Attributes
    ----------
    name : str
    variants : sequence of mapping
        The values of each variant; ``[{}]`` for a model without a grid.
    architecture : str
    parts : sequence of mapping, optional
        For a joint model: of each variant, in their order, part → the part's values.
    """

    name: str
    variants: Sequence[Values]
    architecture: str
    parts: Sequence[Mapping[str, Values]] | None = None


class Contrast(NamedTuple):
    """A variant of a model (a) set against another (b)."""

    name: str
    model_a: str
    variant_a: Values
    model_b: str
    variant_b: Values


def list_contrasts(models: Iterable[StudyModel]) -> list[Contrast]:
    """List what is compared with what in a study.

    Parameters
    ----------
    models : iterable of StudyModel, or of tuples (name, variants, architecture, parts)
        In the config's order; the first value of a grid key is the one that others are held against.

    Returns
    -------
    list of Contrast
        For each model and key of its grid, each other value against the first with all other keys equal
        ("order: 3 vs 1"); each variant of a joint model against the matching variant of each part ("joint vs dna");
        each variant of every other model against each variant of each baseline ("dna vs kmer").
        Where a value never stands beside the first with all other keys equal, because keys are tied, the only variant
        with the first value is taken, and the name says what else differs: "order: 3 vs 1 (dropout 0.2 vs 0)". Such a
        pair is listed once, under the first of its keys.

    Examples
    --------
    >>> dna = StudyModel("dna", [{"order": 1}, {"order": 3}], "jund_dna")
    >>> kmer = StudyModel("kmer", [{"k": 5}], "kmer_linear")
    >>> [contrast.name for contrast in list_contrasts([dna, kmer])]
    ['order: 3 vs 1', 'dna vs kmer', 'dna vs kmer']
    """
    models = [StudyModel(*model) for model in models]
    within = [contrast for model in models for contrast in _grid_contrasts(model)]
    joint = [contrast for model in models for contrast in _part_contrasts(model, models)]
    baselines = [model for model in models if model.architecture in BASELINES]
    nets = [model for model in models if model.architecture not in BASELINES]
    against_baseline = [
        Contrast(f"{net.name} vs {baseline.name}", net.name, variant, baseline.name, counted)
        for net in nets
        for baseline in baselines
        for variant in net.variants
        for counted in baseline.variants
    ]
    return within + joint + against_baseline


def variant_key(model: str, values: Values) -> tuple:
    """Give what two spellings of one variant share: in any order of the keys, 0 like 0.0 and like "0".

    Examples
    --------
    >>> variant_key("dna", {"order": 3, "dropout": 0}) == variant_key("dna", {"dropout": "0.0", "order": "3"})
    True
    """
    return (model, *sorted((key, _comparable(value)) for key, value in values.items()))


def match_splits(a: Mapping[tuple, Any], b: Mapping[tuple, Any]) -> Iterator[tuple[tuple, Any, Any, str]]:
    """Pair what two variants have on the same splits.

    Parameters
    ----------
    a, b : dict
        What each has, by tuples that begin with the split.

    Yields
    ------
    tuple
        Key, that of a, that of b, and a remark for the column ``test`` where one stands in with another split.

    Examples
    --------
    >>> list(match_splits({("test",): 1}, {("test",): 2, ("validation",): 3}))
    [(('test',), 1, 2, '')]
    """
    for place in dict.fromkeys([*a, *b]):
        split, *rest = place
        other = (STAND_IN.get(split), *rest)
        side_a, side_b = a.get(place, a.get(other)), b.get(place, b.get(other))
        if side_a is not None and side_b is not None:
            lacking = "a" if place not in a else "b" if place not in b else None
            remark = f"; {lacking} scored on {STAND_IN[split]}, it has no inputs to swap" if lacking else ""
            yield place, side_a, side_b, remark


def _comparable(value: Any) -> str:
    try:
        return str(float(value))
    except ValueError:
        return str(value)


def _grid_contrasts(model: StudyModel) -> Iterator[Contrast]:
    tied: list[tuple[Values, Values]] = []
    for key in dict.fromkeys(key for variant in model.variants for key in variant):
        first, *others = dict.fromkeys(variant[key] for variant in model.variants if key in variant)
        for value in others:
            with_value = [variant for variant in model.variants if key in variant and variant[key] == value]
            references = [(variant, {**variant, key: first}) for variant in with_value]
            pairs = [pair for pair in references if pair[1] in model.variants]
            if not pairs:
                pairs = [pair for pair in _tied_pairs(model, with_value, key, first) if pair not in tied]
                tied += pairs
            for variant, reference in pairs:
                yield Contrast(_grid_name(key, variant, reference), model.name, variant, model.name, reference)


def _tied_pairs(
    model: StudyModel, with_value: Iterable[Values], key: str, first: Any
) -> Iterator[tuple[Values, Values]]:
    """Pair each variant with the only one that has the first value of the key, where there is one."""
    for variant in with_value:
        alike = [other for other in model.variants if other.keys() == variant.keys() and other[key] == first]
        if len(alike) == 1:
            yield variant, alike[0]


def _grid_name(key: str, variant: Values, reference: Values) -> str:
    others = [f"{k} {variant[k]} vs {reference[k]}" for k in variant if k != key and variant[k] != reference[k]]
    return f"{key}: {variant[key]} vs {reference[key]}" + (f" ({', '.join(others)})" if others else "")


def _part_contrasts(model: StudyModel, models: Sequence[StudyModel]) -> Iterator[Contrast]:
    known = {variant_key(other.name, variant): variant for other in models for variant in other.variants}
    parts = model.parts or [{}] * len(model.variants)
    for part in dict.fromkeys(name for of_variant in parts for name in of_variant):
        for variant, of_variant in zip(model.variants, parts, strict=True):
            if part in of_variant and (key := variant_key(part, of_variant[part])) in known:
                yield Contrast(f"{model.name} vs {part}", model.name, variant, part, known[key])
