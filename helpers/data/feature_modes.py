"""What features of BED files stand for: one condition a file, or one for each category of score or name."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.region_files import read_region_lines, read_regions
from helpers.errors import InputError, list_some

MODES = ("binary", "score", "bedgraph", "score_category", "name_category")
_NUMBER = r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?"
_ALIASES = {"categorical": "score_category"}


def check_mode(mode: str) -> str:
    """Give the mode of this name or alias, or raise InputError."""
    known = _ALIASES.get(mode, mode)
    if known not in MODES:
        msg = f"mode must be one of {', '.join(MODES)}. Received: mode={mode!r}."
        raise InputError(msg)
    return known


def has_categories(mode: str) -> bool:
    """Say whether conditions of this mode are categories, not sources."""
    return check_mode(mode) in ("score_category", "name_category")


def read_conditions(
    sources: Sequence[Any], mode: str, conditions: Sequence[str] | None = None
) -> tuple[list[str], list[pd.DataFrame]]:
    """Read the features of each condition.

    Parameters
    ----------
    sources : sequence of path, table or other regions
        See `read_regions`. A bedGraph file is read as BED of four columns.
    mode : {'binary', 'score', 'bedgraph', 'score_category', 'name_category'}
        'binary', 'score': one condition a source. 'bedgraph': the same; the score is the number in the fourth column
        (of a table: in ``score``). 'score_category' (also called 'categorical'), 'name_category': one condition for
        each distinct score or name of all sources together.
    conditions : sequence of str, optional
        A name for each source; by default its file name without folder and extension. For categories the scores or
        names to take, in this order; features of any other are left out. By default all in natural order (2 before 10).

    Returns
    -------
    names : list of str
    tables : list of pandas.DataFrame
        Region table for each condition, possibly empty.

    Raises
    ------
    InputError
        For a bad file, an unknown mode, a wrong number of conditions, or where scores or names are asked for and none
        are there.
    """
    mode = check_mode(mode)
    if not has_categories(mode):
        return name_conditions(conditions, sources), [_read_features(source, mode) for source in sources]
    features = pd.concat([read_regions(source) for source in sources], ignore_index=True)
    if mode == "name_category":
        return _split(features, features["name"], ".", conditions, f"{_listed(sources)}: mode='name_category'")
    scores = features["score"].map("{:.15g}".format)
    wanted = None if conditions is None else [_as_score(name) for name in conditions]
    found, tables = _split(features, scores, "0", wanted, f"{_listed(sources)}: mode='score_category'")
    return [str(name) for name in conditions or found], tables


def name_conditions(conditions: Sequence[str] | None, sources: Sequence[Any]) -> list[str]:
    """Take the names given, one a source, or those of the files without folder and extension."""
    if conditions is not None:
        return checked_conditions(conditions, len(sources))
    return [
        Path(source).name.removesuffix(".gz").rsplit(".", 1)[0]
        if isinstance(source, str | os.PathLike)
        else f"Cond_{number}"
        for number, source in enumerate(sources)
    ]


def checked_conditions(conditions: Sequence[str], number: int) -> list[str]:
    """Give the names as a list, or raise InputError when there are more or fewer than `number`."""
    conditions = [conditions] if isinstance(conditions, str) else list(conditions)
    if len(conditions) != number:
        msg = f"Give one name for each of the {number} conditions. Received: conditions={conditions}."
        raise InputError(msg)
    return conditions


def _split(
    features: pd.DataFrame, categories: pd.Series, blank: str, conditions: Sequence[str] | None, place: str
) -> tuple[list[str], list[pd.DataFrame]]:
    """Give the features of each category, of the given ones or of all."""
    if conditions is None:
        names = sorted(pd.unique(categories), key=_natural)
        if names in ([], [blank]):
            msg = (
                f"{place} finds no categories: {'no features' if not names else f'all are {blank!r}'}. "
                "Name the categories in `conditions`, or use mode='binary'."
            )
            raise InputError(msg)
    else:
        names = list(conditions)
    return names, [features[categories == name].reset_index(drop=True) for name in names]


def _natural(text: str) -> list[Any]:
    """Sort numbers, also within text, by their value."""
    parts = [text] if re.fullmatch(_NUMBER, text) else re.split(r"([0-9]+)", text)
    return [(0, float(part), "") if re.fullmatch(_NUMBER, part) else (1, 0.0, part) for part in parts]


def _as_score(name: Any) -> str:
    try:
        return f"{float(name):.15g}"
    except ValueError as error:
        msg = f"Conditions of mode='score_category' are scores. Received: {name!r}. Give numbers."
        raise InputError(msg) from error


def _listed(sources: Sequence[Any]) -> str:
    names = [str(source) if isinstance(source, str | os.PathLike) else "the table" for source in sources]
    return list_some(names, 3)


def _read_features(source: Any, mode: str) -> pd.DataFrame:
    if mode == "bedgraph":
        return _read_bedgraph(source)
    features = read_regions(source)
    if mode == "score" and len(features) and not features["score"].any():
        msg = (
            f"{_listed([source])} has no score other than 0, so mode='score' would be 0 everywhere. Use mode='binary'."
        )
        raise InputError(msg)
    return features


def _read_bedgraph(source: Any) -> pd.DataFrame:
    """Read features whose score is the fourth column of a file, or the score of a table."""
    if not isinstance(source, str | os.PathLike):
        return read_regions(source)
    features, lines = read_region_lines(source, format="bed")
    values = pd.to_numeric(features["name"], errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        place = f"{source}, line {lines[wrong[0]]}"
        msg = f"{place}: mode='bedgraph' needs a number in column 4. Received: {features['name'][wrong[0]]!r}."
        raise InputError(msg)
    return features.assign(score=values)
