"""The tables of a study (scores, summary, comparisons, training histories), read back as they were written."""

import os
from collections.abc import Sequence

import pandas as pd

from helpers.errors import InputError
from helpers.files import atomic_path

_FLOATS = frozenset(
    ["value", "prevalence", "mean", "se", "median", "min", "max", "delta", "relative", "ci_low", "ci_high", "p"]
    + ["loss", "seconds", "sd", "halves_r", "reliability", "ceiling", "ours"]
)
_COUNTS = frozenset(["n", "n_positive", "replicate", "epoch"])


def write_table(table: pd.DataFrame, path: str | os.PathLike) -> None:
    """Write a table as TSV, whole or not at all; missing values become empty, floats keep all their digits."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, lineterminator="\n")


def read_table(path: str | os.PathLike) -> pd.DataFrame:
    """Read a table of `write_table`.

    Returns
    -------
    pandas.DataFrame
        Metrics, statistics and losses (``loss``, ``val_...``) are float (NaN where empty), counts, replicates and
        epochs whole, all else, the values of the grid included, text ("" where empty): 3 stays "3" in a column that
        does not apply to all models.

    Raises
    ------
    InputError
        When the file is missing or empty.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, pd.errors.EmptyDataError) as error:
        message = f"Cannot read the table {path}: {error}. Make it again."
        raise InputError(message) from error
    for column in table.columns:
        if column in _FLOATS | _COUNTS or column.startswith("val_"):
            values = [float(text) if text else None for text in table[column]]
            table[column] = pd.Series(values, dtype="float64").astype("Int64" if column in _COUNTS else "float64")
    return table


def join_tables(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of the same columns below one another; those without rows change no type of the others' columns."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
