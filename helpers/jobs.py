"""What every job of the workflow does around its work: a log that holds everything, and errors that speak to a user."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import InputError


@contextmanager
def logged(log: str | Path) -> Iterator[None]:
    """Send all output of the process to a log file; end on a user's mistake with its message alone.

    Parameters
    ----------
    log : path
        Overwritten. Native libraries and child processes write there too, because the file descriptors are redirected.

    Raises
    ------
    SystemExit
        With status 1 after an `InputError`, whose message is the log's last line. Other errors keep their traceback.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    try:
        yield
    except InputError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        sys.exit(1)


def put_first(log: str | Path, line: str) -> None:
    """Put a line before all that a job's log holds; libraries speak as soon as they are loaded.

    Parameters
    ----------
    log : path
        As given to `logged`.
    line : str
        Without its end.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    said = Path(log).read_bytes()
    os.truncate(log, 0)  # whatever writes there appends
    os.write(1, f"{line}\n".encode() + said)
