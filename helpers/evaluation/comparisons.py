"""Which models of a study are compared with which, and by how much they differ.

Scores of all runs become one table, its summary over replicates and folds another, and the contrasts between models
(order 3 against order 1, joint against its parts, every net against counting k-mers) a third.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.bootstrap import BlockResamples, bootstrap_metric, fingerprint_windows, resample_blocks
from helpers.evaluation.effects import Sampled, compare
from helpers.evaluation.metrics import METRICS, SCORE_COLUMNS, check_metrics
from helpers.evaluation.predictions import Predictions, read_predictions

SUMMARY_COLUMNS = ("n", "mean", "se", "median", "min", "max")
_SIDES = ("study", "contrast", "model_a", "variant_a", "model_b", "variant_b")
_OUTCOME = ("n", "delta", "relative", "ci_low", "ci_high", "test", "p")
COMPARISON_COLUMNS = (*_SIDES, "split", "output", "metric", *_OUTCOME)
BASELINE = "kmer_linear"
STAND_IN = {"test_swapped": "test"}  # a model without inputs to swap predicts the same on both
_RUN_COLUMNS = ("study", "model", "fold", "replicate")


@dataclass(frozen=True)
class ModelRun:
    """One trained model.

    Parameters
    ----------
    model : str
        Name of the model in the config.
    variant : dict
        Its place in the model's grid; empty when the model has none.
    variant_name : str
        As in paths: ``order~3_dropout~0.2``, or ``default``.
    fold : str
        Name of the fold, ``all`` without folds.
    replicate : int
        Number of the random initialisation.
    path : path
        Its predictions.h5.
    """

    model: str
    variant: Mapping[str, Any]
    variant_name: str
    fold: str
    replicate: int
    path: str | os.PathLike


class StudyModel(NamedTuple):
    """One model of the config: its name, variants, architecture and, for a joint model, the variant of each part."""

    name: str
    variants: Sequence[Mapping[str, Any]]
    architecture: str
    parts: Mapping[str, Mapping[str, Any]] | None = None


class Contrast(NamedTuple):
    """A variant of a model (a) set against another (b)."""

    name: str
    model_a: str
    variant_a: Mapping[str, Any]
    model_b: str
    variant_b: Mapping[str, Any]


def model_runs(runs: Iterable[Mapping[str, Any]], paths: Iterable[str | os.PathLike]) -> list[ModelRun]:
    """Join runs with one file of each, in the same order.

    Parameters
    ----------
    runs : iterable of mapping
        ``model``, ``variant`` (its name), ``values`` (of its grid), ``fold`` and ``replicate`` of each run.
    paths : iterable of path
        One for each run.

    Examples
    --------
    >>> run = {"model": "dna", "variant": "order~3", "values": {"order": 3}, "fold": "all", "replicate": 0}
    >>> model_runs([run], ["predictions.h5"])[0].variant_name
    'order~3'
    """
    return [
        ModelRun(run["model"], run["values"], run["variant"], run["fold"], run["replicate"], path)
        for run, path in zip(runs, paths, strict=True)
    ]


def collect_scores(tables: Iterable[tuple[ModelRun, pd.DataFrame]], *, study: str) -> pd.DataFrame:
    """Join the scores of all runs of a study in one table.

    Parameters
    ----------
    tables : iterable of (ModelRun, pandas.DataFrame)
        Each run with its scores (split, output, metric, value, n, n_positive, prevalence), in the config's order.
    study : str
        Name of the study.

    Returns
    -------
    pandas.DataFrame
        study, model, one column for each key of the grids (text, "" where it does not apply), fold, replicate, split,
        output, metric, value, n, n_positive, prevalence.
    """
    tables = list(tables)
    keys = list(dict.fromkeys(key for run, _ in tables for key in run.variant))
    clash = set(keys) & {*_RUN_COLUMNS, *SCORE_COLUMNS}
    if clash:
        message = f"A grid key cannot be named {sorted(clash)[0]!r}: scores.tsv has a column of that name. Rename it."
        raise InputError(message)
    columns = ["study", "model", *keys, "fold", "replicate", *SCORE_COLUMNS]
    parts = [scores.assign(**_run_columns(run, keys, study))[columns] for run, scores in tables]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def summarize(scores: pd.DataFrame) -> pd.DataFrame:
    """Summarize scores over replicates and folds.

    Parameters
    ----------
    scores : pandas.DataFrame
        Of `collect_scores`.

    Returns
    -------
    pandas.DataFrame
        study, model, grid columns, split, output, metric, n (replicates times folds with a defined value), mean, se
        (standard error of the mean, missing for n < 2), median, min, max; in the order of the scores.
    """
    keys = ["study", "model", *grid_columns(scores), "split", "output", "metric"]
    values = scores.groupby(keys, sort=False, dropna=False)["value"]
    return values.agg(n="count", mean="mean", se="sem", median="median", min="min", max="max").reset_index()


def grid_columns(scores: pd.DataFrame) -> list[str]:
    """List the columns of a table of scores or a summary that hold the keys of the models' grids."""
    fixed = {*_RUN_COLUMNS, *SCORE_COLUMNS, *SUMMARY_COLUMNS}
    return [column for column in scores.columns if column not in fixed]


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
        ("order: 3 vs 1"); each joint model against the named variant of each part ("joint vs dna"); each variant of
        every other model against each variant of each `kmer_linear` model ("dna vs kmer").

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
    baselines = [model for model in models if model.architecture == BASELINE]
    nets = [model for model in models if model.architecture != BASELINE]
    against_baseline = [
        Contrast(f"{net.name} vs {baseline.name}", net.name, variant, baseline.name, counted)
        for net in nets
        for baseline in baselines
        for variant in net.variants
        for counted in baseline.variants
    ]
    return within + joint + against_baseline


def compare_study(
    runs: Iterable[ModelRun],
    contrasts: Sequence[Contrast],
    *,
    study: str,
    metrics: Sequence[str],
    n_resamples: int = 1000,
    block_size: int = 1_000_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare models of a study; each file of predictions is read once.

    Parameters
    ----------
    runs : iterable of ModelRun
        All runs; those that no contrast names are not read.
    contrasts : sequence of Contrast
        Of `list_contrasts`. A contrast is made on each split that both sides were scored on; a model without swapped
        inputs stands on ``test_swapped`` with its ``test`` predictions, and the column ``test`` says so.
    study : str
        Name of the study.
    metrics : sequence of str
        Names from `METRICS`.
    n_resamples : int
        Resamples of blocks of test windows for the interval; 0 leaves it empty.
    block_size : int
        Length of a block in bp.
    seed : int
        For the resamples, which are the same for all models on the same windows.

    Returns
    -------
    pandas.DataFrame
        One row for each contrast, split, output and metric: `COMPARISON_COLUMNS`, outcome as `compare` says.

    Raises
    ------
    InputError
        When two models were scored on different windows of a split and fold.
    """
    check_metrics(metrics)
    named = {_key(*side) for c in contrasts for side in ((c.model_a, c.variant_a), (c.model_b, c.variant_b))}
    used = [run for run in runs if _key(run.model, run.variant) in named]
    names = {_key(run.model, run.variant): run.variant_name for run in used}
    settings = {"block_size": block_size, "n_resamples": n_resamples, "seed": seed}
    samples = _sample_runs(used, metrics, settings)
    rows = [
        {"study": study, "contrast": c.name, "model_a": c.model_a, "model_b": c.model_b, **row}
        | {"variant_a": names[key_a], "variant_b": names[key_b]}
        for c in contrasts
        for key_a, key_b in [(_key(c.model_a, c.variant_a), _key(c.model_b, c.variant_b))]
        for row in _contrast_rows(samples.get(key_a, {}), samples.get(key_b, {}))
    ]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _run_columns(run: ModelRun, keys: list[str], study: str) -> dict[str, Any]:
    grid = {key: str(run.variant[key]) if key in run.variant else "" for key in keys}
    return {"study": study, "model": run.model, **grid, "fold": run.fold, "replicate": run.replicate}


def _key(model: str, variant: Mapping[str, Any]) -> tuple:
    return (model, *sorted((key, _comparable(value)) for key, value in variant.items()))


def _comparable(value: Any) -> str:
    """Write 0 and 0.0 alike, so that a part of a joint model finds its variant."""
    return str(float(value)) if isinstance(value, int | float) else str(value)


def _grid_contrasts(model: StudyModel) -> Iterator[Contrast]:
    for key in dict.fromkeys(key for variant in model.variants for key in variant):
        first = next(variant[key] for variant in model.variants if key in variant)
        for variant in model.variants:
            reference = {**variant, key: first}
            if key in variant and variant[key] != first and reference in model.variants:
                yield Contrast(f"{key}: {variant[key]} vs {first}", model.name, variant, model.name, reference)


def _part_contrasts(model: StudyModel, models: Sequence[StudyModel]) -> Iterator[Contrast]:
    known = {_key(other.name, variant): variant for other in models for variant in other.variants}
    for part, wanted in (model.parts or {}).items():
        if (key := _key(part, wanted)) in known:
            for variant in model.variants:
                yield Contrast(f"{model.name} vs {part}", model.name, variant, part, known[key])


def _sample_runs(runs: Iterable[ModelRun], metrics: Sequence[str], settings: Mapping[str, int]) -> dict:
    """Sample each run: variant key → (split, output, metric) → fold → replicates."""
    samples: dict[tuple, dict] = {}
    windows: dict[tuple[str, str], int] = {}
    resamples: dict[int, BlockResamples] = {}
    for run in runs:
        of_variant = samples.setdefault(_key(run.model, run.variant), {})
        for split, part in read_predictions(run.path).items():
            fingerprint = fingerprint_windows(part.regions)
            if windows.setdefault((STAND_IN.get(split, split), run.fold), fingerprint) != fingerprint:
                message = (
                    f"{run.path} holds other windows for split {split!r} than the other models of the study. "
                    "Predict all models on the same regions."
                )
                raise InputError(message)
            if fingerprint not in resamples:
                resamples[fingerprint] = resample_blocks(part.regions, **settings)
            for place, sampled in _sample_split(part, metrics, resamples[fingerprint]):
                of_variant.setdefault((split, *place), {}).setdefault(run.fold, []).append(sampled)
    return samples


def _sample_split(
    part: Predictions, metrics: Sequence[str], drawn: BlockResamples
) -> Iterator[tuple[tuple[str, str], Sampled]]:
    for column, output in enumerate(part.outputs):
        target, prediction = part.target[:, column], part.prediction[:, column]
        for metric in metrics:
            values = bootstrap_metric(metric, target, prediction, blocks=drawn.blocks, counts=drawn.counts)
            yield (output, metric), Sampled(METRICS[metric](target, prediction), values, drawn.counts.shape[1])


def _contrast_rows(a: Mapping[tuple, Mapping], b: Mapping[tuple, Mapping]) -> Iterator[dict[str, Any]]:
    for place in dict.fromkeys([*a, *b]):
        split, output, metric = place
        other = (STAND_IN.get(split), output, metric)
        side_a, side_b = a.get(place, a.get(other)), b.get(place, b.get(other))
        if side_a and side_b:
            row = compare(side_a, side_b)
            lacking = "a" if place not in a else "b" if place not in b else None
            if lacking:
                row["test"] += f"; {lacking} scored on {STAND_IN[split]}, it has no inputs to swap"
            yield {"split": split, "output": output, "metric": metric, **row}
