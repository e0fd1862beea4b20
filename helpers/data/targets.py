"""What models learn: labels, or signals of windows; opened for a split, described, and checked before any training."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.array import Array
from helpers.data.labels import Labels, load_labels
from helpers.data.normalization import load_normalizer
from helpers.data.regions import parse_region
from helpers.data.rows import SplitRows, check_table
from helpers.data.window_signal import stack_signals
from helpers.errors import InputError, list_some

TARGET_COLUMNS = ("split", "output", "n", "n_positive", "mean", "sd")
FEW_POSITIVES = 10  # below so many positive regions a score is mostly chance

logger = logging.getLogger(__name__)

Targets = Labels | Array

_ADVICE = "Choose other contigs under `split` in the config, another overlap, or other tracks as output."


def open_targets(output: Mapping[str, Any], chosen: SplitRows) -> Targets:
    """Open the targets of a split.

    Parameters
    ----------
    output : mapping
        ``kind``. For ``peaks``: ``labels``, the path of the labels of all windows. For ``coverage``: ``tracks``
        (names), ``stores`` (path of each, see `helpers.data.window_signal`) and, unless values are wanted as they were
        summed, ``normalizers`` (path of each).
    chosen : SplitRows
        The windows of the split.

    Returns
    -------
    Labels or Array, shape (windows, outputs)
        Labels are bits in a mapped file, of which nothing is copied. Signals are float32, or float64 without
        normalizers, and `Array.conditions` names them.

    Raises
    ------
    InputError
        For a bad file, one of other windows, or a signal with two strands.
    """
    if output["kind"] == "peaks":
        labels = load_labels(output["labels"])
        check_table(labels.regions, chosen.table, output["labels"])
        return labels.take(chosen.rows)
    paths = output.get("normalizers")
    normalizers = None if paths is None else [load_normalizer(path) for path in paths]
    values = stack_signals(output["stores"], chosen, normalizers)
    if values.shape[1] != 1:
        msg = f"A target is one value a window. {output['stores'][0]} holds one for each strand. Sum it anew."
        raise InputError(msg)
    return Array("targets", values[:, 0], conditions=output["tracks"])


def outputs_of(targets: Targets) -> list[str]:
    """Name the columns of targets."""
    return list(targets.outputs if isinstance(targets, Labels) else targets.conditions)


def describe_targets(targets: Mapping[str, Targets]) -> pd.DataFrame:
    """Describe the targets of splits.

    Parameters
    ----------
    targets : mapping of str to Labels or Array
        Those of each split; signals as they were summed.

    Returns
    -------
    pandas.DataFrame
        A row for each split and output: ``split``, ``output``, ``n`` (windows), ``n_positive`` (missing for signals),
        ``mean`` and ``sd`` (of N - 1). Those of labels are of 0 and 1; **those of signals are of ln(signal + 1)**,
        missing where a signal is not above -1.

    Examples
    --------
    >>> describe_targets({"train": Labels.pack(np.array([[1], [0], [0], [1]]), ["jund"])}).values.tolist()
    [['train', 'jund', 4, 2, 0.5, 0.5773502691896257]]
    """
    tables = [_describe(values).assign(split=split) for split, values in targets.items()]
    return pd.concat(tables, ignore_index=True)[list(TARGET_COLUMNS)].astype({"n_positive": "Int64"})


def check_targets(targets: Mapping[str, Targets]) -> None:
    """Check before any training that there is something to learn, and to score.

    Parameters
    ----------
    targets : mapping of str to Labels or Array
        Those of each split; signals as they were summed.

    Raises
    ------
    InputError
        For labels: when no output has both positive and negative regions in a split. For signals: when an output is
        constant in the split ``train``.

    Notes
    -----
    What is left, an output of one class among others, few positives, a signal that is constant where it is only scored,
    is logged as a warning: metrics of such outputs are NaN, or mostly chance.
    """
    for split, values in targets.items():
        if not len(values):
            msg = f"Split '{split}' has no regions. Choose other contigs under `split` or `folds` in the config."
            raise InputError(msg)
    check_labels({split: values for split, values in targets.items() if isinstance(values, Labels)})
    for split, values in targets.items():
        if isinstance(values, Array):
            _check_signals(split, values)


def check_drawn(places: Sequence[str], windows: pd.DataFrame) -> None:
    """Check before any training that figures that draw attributions show windows that have some.

    Parameters
    ----------
    places : sequence of str
        Regions of figures, ``chrom:start-end``.
    windows : pandas.DataFrame
        Of the test split.

    Raises
    ------
    InputError
        For a place that no window overlaps, with the nearest window.
    """
    for place in places:
        region = parse_region(place)
        own = windows[windows["chrom"] == region.chrom]
        gaps = np.maximum(own["start"] - region.end + 1, region.start - own["end"] + 1)
        if (gaps <= 0).any():
            continue
        near = own.loc[gaps.idxmin()] if len(own) else windows.iloc[0]
        where = f"one lies at {near['chrom']}:{near['start']}-{near['end']}"
        msg = f"figures: region: {place} holds no window of the test split, whose attributions it could draw; {where}."
        raise InputError(msg)


def check_labels(labels: Mapping[str, Labels]) -> None:
    """Check the labels of splits, see `check_targets`; of several outputs some may have one class.

    Parameters
    ----------
    labels : mapping of str to Labels
        Those of each split.

    Raises
    ------
    InputError
        Naming split, output and counts.
    """
    problems, one_class, few = [], [], []
    for split, values in labels.items():
        positives, n = values.n_positive, len(values)
        mixed = (positives > 0) & (positives < n)
        for name, positive, both in zip(values.outputs, positives.tolist(), mixed, strict=True):
            counts = f"{positive} positive, {n - positive} negative"
            if both and positive < FEW_POSITIVES:
                few.append(f"split '{split}', output {name} ({counts})")
            elif not both:
                missing = "negative" if positive else "positive"
                message = f"Split '{split}', output {name}: no {missing} regions ({counts})."
                (one_class if mixed.any() else problems).append(message)
    if problems:
        raise InputError("\n".join([list_some(problems, 20, separator="\n"), _ADVICE]))
    if one_class:
        logger.warning("Outputs of one class, whose metrics will be NaN:\n%s", list_some(one_class, 20, "\n"))
    if few:
        logger.warning(
            "Fewer than %d positive regions, scores will be mostly chance: %s.", FEW_POSITIVES, list_some(few, 20, "; ")
        )


def _check_signals(split: str, signals: Array) -> None:
    values = signals.data
    constant = [
        f"output {name} is {values[0, column]:g} in all {len(values)} regions"
        for column, name in enumerate(signals.conditions)
        if (values[:, column] == values[0, column]).all()
    ]
    if not constant:
        return
    msg = f"Constant target in split '{split}': {list_some(constant, 8, '; ')}."
    if split == "train":
        msg += " There is nothing to learn. Check the track, the flank and the settings of counting, or leave it out."
        raise InputError(msg)
    logger.warning("%s Its correlation will be NaN.", msg)


def _describe(targets: Targets) -> pd.DataFrame:
    n = len(targets)
    if isinstance(targets, Labels):
        positives = targets.n_positive
        means = positives / (n or np.nan)
        deviations = np.sqrt(means * (1 - means) * (n / (n - 1) if n > 1 else np.nan))
    else:
        logs = pd.DataFrame(np.log1p(np.where(targets.data > -1, targets.data, np.nan)))
        means, deviations, positives = logs.mean(skipna=False), logs.std(skipna=False), pd.NA
    columns = {"output": outputs_of(targets), "n": n, "n_positive": positives, "mean": means, "sd": deviations}
    return pd.DataFrame(columns)
