"""Scores of all runs of a study, their summary, and by how much models differ in each output.

Scores of all runs become one table, its summary over replicates and folds another, and the contrasts between models
(order 3 against order 1, joint against its parts, every net against counting k-mers) a third.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.bootstrap import BlockResamples, bootstrap_metric, fingerprint_windows, resample_blocks
from helpers.evaluation.contrasts import STAND_IN, Contrast, match_splits, variant_key
from helpers.evaluation.effects import Sampled, compare
from helpers.evaluation.metrics import METRICS, SCORE_COLUMNS, check_metrics
from helpers.evaluation.predictions import Predictions, read_predictions

SUMMARY_COLUMNS = ("n", "mean", "se", "median", "min", "max")
_SIDES = ("study", "contrast", "model_a", "variant_a", "model_b", "variant_b")
_OUTCOME = ("n", "delta", "relative", "ci_low", "ci_high", "test", "p")
COMPARISON_COLUMNS = (*_SIDES, "split", "output", "metric", *_OUTCOME)
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
    """Compare models of a study in each of its outputs; each file of predictions is read once.

    Parameters
    ----------
    runs : iterable of ModelRun
        All runs; those that no contrast names are not read.
    contrasts : sequence of Contrast
        Of `helpers.evaluation.contrasts.list_contrasts`. A contrast is made on each split that both sides were scored
        on; a model without swapped inputs stands on ``test_swapped`` with its ``test`` predictions, and the column
        ``test`` says so.
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
    named = {variant_key(*side) for c in contrasts for side in ((c.model_a, c.variant_a), (c.model_b, c.variant_b))}
    used = [run for run in runs if variant_key(run.model, run.variant) in named]
    names = {variant_key(run.model, run.variant): run.variant_name for run in used}
    settings = {"block_size": block_size, "n_resamples": n_resamples, "seed": seed}
    samples = _sample_runs(used, metrics, settings)
    rows = [
        {"study": study, "contrast": c.name, "model_a": c.model_a, "model_b": c.model_b, **row}
        | {"variant_a": names[key_a], "variant_b": names[key_b]}
        for c in contrasts
        for key_a, key_b in [(variant_key(c.model_a, c.variant_a), variant_key(c.model_b, c.variant_b))]
        for row in _contrast_rows(samples.get(key_a, {}), samples.get(key_b, {}))
    ]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _run_columns(run: ModelRun, keys: list[str], study: str) -> dict[str, Any]:
    grid = {key: str(run.variant[key]) if key in run.variant else "" for key in keys}
    return {"study": study, "model": run.model, **grid, "fold": run.fold, "replicate": run.replicate}


def _sample_runs(runs: Iterable[ModelRun], metrics: Sequence[str], settings: Mapping[str, int]) -> dict:
    """Sample each run: variant key → (split, output, metric) → fold → replicates."""
    samples: dict[tuple, dict] = {}
    windows: dict[tuple[str, str], int] = {}
    resamples: dict[int, BlockResamples] = {}
    for run in runs:
        of_variant = samples.setdefault(variant_key(run.model, run.variant), {})
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
    for (split, output, metric), side_a, side_b, remark in match_splits(a, b):
        row = compare(side_a, side_b)
        yield {"split": split, "output": output, "metric": metric, **row, "test": row["test"] + remark}
