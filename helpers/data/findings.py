"""What a check finds, and how findings are listed: one row each, with what is wrong and what to do."""

import logging
import re
import textwrap
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from helpers.errors import InputError

STATUSES = ("ok", "later", "warning", "error")
_WIDTH = 100  # letters of a line of a message

logger = logging.getLogger(__name__)


class Finding(NamedTuple):
    """What one check found.

    Attributes
    ----------
    check : str
        Name of the check: file, fasta, alignments, bigwig, motifs, variants, regions, contigs or splits.
    file : str
        Path as the sheet has it.
    status : str
        'ok', 'warning', 'error', or 'later' for a file that the workflow makes and has not made yet.
    message : str
        What is wrong, with the value and where, and what to do.
    """

    check: str
    file: str
    status: str
    message: str


def failed(findings: Iterable[Finding]) -> bool:
    """Tell whether there is an error among findings."""
    return any(finding.status == "error" for finding in findings)


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Make a table of findings: check, file, status, message; the same finding stands there once."""
    return pd.DataFrame(list(dict.fromkeys(findings)), columns=Finding._fields)


def raise_on_errors(checks: pd.DataFrame) -> None:
    """Log the warnings of a table of findings, and end on its errors.

    Parameters
    ----------
    checks : pandas.DataFrame
        As `helpers.data.checks.check_study_inputs` gives it.

    Raises
    ------
    InputError
        With all errors in one table: check, file, what is wrong and what to do.
    """
    for row in checks[checks["status"] == "warning"].itertuples():
        logger.warning("%s: %s", row.file, row.message)
    errors = checks[checks["status"] == "error"]
    if len(errors):
        title = f"{len(errors)} error{'s' * (len(errors) > 1)} in the study's files, found before any work:"
        raise InputError(title + "\n\n" + format_findings(errors, ("check", "file", "message")))


def format_findings(checks: pd.DataFrame, columns: tuple[str, ...] = ("status", "check", "file", "message")) -> str:
    """Lay findings out in aligned columns; commands in backticks and line numbers are not broken.

    Parameters
    ----------
    checks : pandas.DataFrame
        Table of findings.
    columns : tuple of str
        Columns to show; the last one is wrapped.

    Returns
    -------
    str
        Lines with a heading.

    Examples
    --------
    >>> print(format_findings(findings_table([Finding("file", "a.bed", "ok", "track peaks")])))
    status  check  file   what was found
    ok      file   a.bed  track peaks
    """
    heading = "what is wrong and what to do" if "status" not in columns else "what was found"
    rows = [(*columns[:-1], heading), *checks[list(columns)].itertuples(index=False)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns) - 1)]
    lines = []
    for *heads, message in rows:
        whole = re.sub(r"`[^`]*`|line \d+", lambda command: command[0].replace(" ", "\0"), message)
        parts = textwrap.wrap(whole, width=_WIDTH, break_long_words=False, break_on_hyphens=False)
        for number, part in enumerate(parts):
            cells = [(head if number == 0 else "").ljust(width) for head, width in zip(heads, widths, strict=True)]
            lines.append("  ".join([*cells, part]).replace("\0", " ").rstrip())
    return "\n".join(lines)
