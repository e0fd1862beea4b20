"""Which loci are worth a look: where a model is right, where it is wrong, and which variants matter most to it."""

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.prediction_columns import mean_column
from helpers.evaluation.predictions import Predictions

LOCUS_COLUMNS = (
    "kind",
    "chrom",
    "start",
    "end",
    "output",
    "rank",
    "prediction",
    "target",
    "reference",
    "label",
)
KINDS = ("right", "too_high", "too_low", "variant")
_SCORES = ("prediction_ref", "prediction_alt", "difference")
EFFECT_COLUMNS = ("chrom", "start", "end", "id", "ref", "alt", "output", *_SCORES)
_ROWS_AT_ONCE = 1_000_000


def choose_loci(
    predictions: Predictions,
    effects: pd.DataFrame | None = None,
    *,
    labels: bool,
    top: int = 10,
    wrong: int = 10,
    variants: int = 10,
    apart: int = 1000,
) -> pd.DataFrame:
    """Choose loci to look at, of each output by itself.

    Parameters
    ----------
    predictions : Predictions
        Windows without flank, with what was observed and predicted.
    effects : pandas.DataFrame, optional
        Effects of variants, a row for each variant and output: `EFFECT_COLUMNS`, start and end 0-based, half-open.
    labels : bool
        Whether the targets are labels, 0 or 1, or a signal.
    top : int
        Windows that are high in both: of labels the positives with the highest prediction; of a signal the windows
        whose lower value of the two, predicted and observed, is highest.
    wrong : int
        Windows predicted too high, and as many predicted too low: the negatives with the highest prediction and the
        positives with the lowest; of a signal the windows whose prediction is farthest above and below the target.
    variants : int
        Variants with the largest absolute difference.
    apart : int
        bp that must lie between two loci of one output and kind. Of windows nearer to each other, such as those of one
        peak, the first in this order stands for all; of equal ones the first in the table.

    Returns
    -------
    pandas.DataFrame
        kind : right, too_high, too_low or variant, in this order within an output, best (or worst) first.
        chrom, start, end : the window, or the bases of the reference allele (bp, 0-based, half-open).
        output : its name.
        rank : of the prediction among all windows, of the absolute difference among all variants; 1 is the highest.
        prediction, target : of the window; of a variant the score of its alternative allele, and NaN.
        reference : of a variant the score of its reference allele, else NaN.
        label : of a variant its id and alleles, else empty.

    Raises
    ------
    InputError
        When a number is negative or the table of effects lacks a column.

    Notes
    -----
    Fewer are given where there are fewer. Variants without a finite difference are never chosen.
    """
    _check_numbers(top=top, wrong=wrong, variants=variants, apart=apart)
    found = []
    for number, output in enumerate(predictions.outputs):
        values = predictions.regions.assign(
            output=output,
            prediction=predictions.prediction[:, number].astype(np.float64),
            target=predictions.target[:, number].astype(np.float64),
            reference=np.nan,
            label="",
        )
        found += _choose_windows(values, top, wrong, apart, labels=labels)
        if effects is not None:
            found.append(_choose_variants(effects[effects["output"] == output], variants, apart))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(LOCUS_COLUMNS))


def mean_predictions(
    paths: Sequence[str | os.PathLike[str]], outputs: Sequence[str], split: str = "test"
) -> Predictions:
    """Average the predictions of replicates.

    Parameters
    ----------
    paths : sequence of path
        Files of `helpers.evaluation.predictions.write_predictions`, with the same windows.
    outputs : sequence of str
        The outputs to read; of many outputs the others take no memory.
    split : str
        Name of the split.

    Raises
    ------
    InputError
        As `helpers.evaluation.prediction_columns.mean_column`; without outputs too.
    """
    if not outputs:
        message = "No output to show. Name at least one."
        raise InputError(message)
    predicted = [mean_column(paths, split, output) for output in outputs]
    observed = [mean_column(paths[:1], split, output, kind="target").values for output in outputs]
    values = np.stack([column.values for column in predicted], axis=1)
    return Predictions(predicted[0].regions, np.stack(observed, axis=1), values, list(outputs))


def read_effect_table(path: str | os.PathLike[str], outputs: Iterable[str]) -> pd.DataFrame:
    """Read the effects of variants on some outputs, `EFFECT_COLUMNS`, from a table (TSV, plain or gzip).

    Raises
    ------
    InputError
        When the file cannot be read or lacks a column.
    """
    kinds = dict.fromkeys(_SCORES, float) | {"start": np.int64, "end": np.int64}
    kinds = {name: kinds.get(name, str) for name in EFFECT_COLUMNS}
    outputs = list(outputs)
    try:
        pieces = pd.read_csv(
            path,
            sep="\t",
            usecols=list(kinds),
            dtype=kinds,
            keep_default_na=False,
            na_values={name: [""] for name, kind in kinds.items() if kind is float},
            chunksize=_ROWS_AT_ONCE,
        )
        with pieces:
            return pd.concat([piece[piece["output"].isin(outputs)] for piece in pieces], ignore_index=True)
    except (OSError, ValueError, EOFError) as error:
        message = f"{path} is no table of the effects of variants: {error}. Remove it and run on: it is made anew."
        raise InputError(message) from error


def kind_names(*, labels: bool) -> dict[str, str]:
    """Say in words what each kind of locus is, in their order: of labels, or of a signal."""
    if labels:
        words = ("Predicted and observed", "Predicted, not observed", "Observed, not predicted")
    else:
        words = ("Predicted and observed high", "Predicted too high", "Predicted too low")
    return dict(zip(KINDS, (*words, "Variants with the largest effects"), strict=True))


def change_name(ref: str, alt: str, most: int = 12) -> str:
    """Write a change of alleles; of long ones the first letters and the length.

    Examples
    --------
    >>> change_name("A", "G"), change_name("A" * 40, "A")
    ('A>G', 'AAAAAAAAA… (40)>A')
    """
    return ">".join(allele if len(allele) <= most else f"{allele[:9]}… ({len(allele)})" for allele in (ref, alt))


def _choose_windows(values: pd.DataFrame, top: int, wrong: int, apart: int, *, labels: bool) -> Iterator[pd.DataFrame]:
    predicted, target = (values[name].to_numpy() for name in ("prediction", "target"))
    values = values.assign(rank=_ranks(predicted))
    if labels:
        right, excess = predicted, predicted
        candidates = {"right": target == 1, "too_high": target == 0, "too_low": target == 1}
    else:
        right, excess = np.minimum(predicted, target), predicted - target
        candidates = {"right": np.ones(len(values), dtype=bool), "too_high": excess > 0, "too_low": excess < 0}
    orders = {"right": (right, top), "too_high": (excess, wrong), "too_low": (-excess, wrong)}
    for kind, (score, most) in orders.items():
        rows = _best_apart(values, np.where(candidates[kind], score, -np.inf), most, apart)
        yield values.iloc[rows].assign(kind=kind)[list(LOCUS_COLUMNS)]


def _choose_variants(effects: pd.DataFrame, most: int, apart: int) -> pd.DataFrame:
    size = np.abs(effects["difference"].to_numpy(dtype=np.float64))
    score = np.where(np.isfinite(size), size, -np.inf)
    rows = _best_apart(effects, score, most, apart)
    chosen = effects.iloc[rows].rename(columns={"prediction_alt": "prediction", "prediction_ref": "reference"})
    names = [name if name not in ("", ".") else "" for name in chosen["id"]]
    alleles = zip(names, chosen["ref"], chosen["alt"], strict=True)
    label = [f"{name} {change_name(ref, alt)}".strip() for name, ref, alt in alleles]
    chosen = chosen.assign(kind="variant", rank=_ranks(score)[rows], target=np.nan, label=label)
    return chosen[list(LOCUS_COLUMNS)]


def _best_apart(regions: pd.DataFrame, score: np.ndarray, most: int, apart: int) -> np.ndarray:
    """Take the highest scores one after the other, each time leaving out all regions less than `apart` bp away."""
    score = score.astype(np.float64)
    codes, _ = pd.factorize(regions["chrom"])
    starts, ends = regions["start"].to_numpy(), regions["end"].to_numpy()
    rows: list[int] = []
    while len(rows) < min(most, len(score)):
        best = int(np.argmax(score))
        if score[best] == -np.inf:
            break
        rows.append(best)
        near = (starts < ends[best] + apart) & (ends > starts[best] - apart)
        score[near & (codes == codes[best])] = -np.inf
        score[best] = -np.inf
    return np.array(rows, dtype=np.int64)


def _ranks(score: np.ndarray) -> np.ndarray:
    """Give 1 to the highest; equal scores share the lowest rank."""
    return 1 + len(score) - np.searchsorted(np.sort(score), score, side="right")


def _check_numbers(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 0:
            message = f"{name} counts from 0 up. Received: {name}={number}. Set it to 0 for none."
            raise InputError(message)
