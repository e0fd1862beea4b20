"""Failures of downloads, of two kinds: those after which another try may help, and those after which it does not."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from helpers.addresses import ENCODE

Result = TypeVar("Result")
LONGEST_WAIT = 60.0  # seconds between two tries, unless the server asks for more


class Refused(Exception):  # noqa: N818
    """A source that does not give the file, however often it is asked."""


class Broken(Exception):  # noqa: N818
    """A try that failed for now; `wait` is for how many seconds the server asked, or None."""

    def __init__(self, message: str, wait: float | None = None):
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class Manner:
    """How patient a download is, and how modest.

    Attributes
    ----------
    attempts : int
        Tries that fail, one after the other and without a byte more, before a source is given up.
    delay : float
        Seconds to wait after the first of them; doubled after each, up to a minute, and spread at random.
    patience : float
        Longest wait in seconds that a server may ask for (Retry-After).
    timeout : pair of float
        Seconds to connect, and between two pieces.
    slots : path, optional
        Folder of lock files by which all processes together ask a host for few files at once; without, they do not.
    per_host : int
        Downloads at once from one host.
    portal : str
        Address of ENCODE's portal.
    """

    attempts: int = 3
    delay: float = 0.5
    patience: float = 1800.0
    timeout: tuple[float, float] = (10.0, 60.0)
    slots: Path | None = None
    per_host: int = 3
    portal: str = ENCODE


def persist(action: Callable[[], Result], manner: Manner, progress: Callable[[], int] = lambda: 0) -> Result:
    """Try until it works.

    Parameters
    ----------
    action : function
        What is tried; it raises `Broken` when another try may help.
    manner : Manner
    progress : function
        Counts the bytes so far: a try that came further than all before was not in vain, and the count of failures
        starts anew.

    Returns
    -------
    What `action` returns.

    Raises
    ------
    Refused
        When `attempts` tries failed, or the server asks for a wait that is too long.
    """
    failures, furthest = 0, progress()
    while True:
        try:
            return action()
        except Broken as error:
            failures = 1 if progress() > furthest else failures + 1
            furthest = max(furthest, progress())
            if failures >= manner.attempts:
                message = f"{error} ({failures} tries without progress)"
                raise Refused(message) from error
            wait = _waiting_time(failures, manner, error.wait)
            logging.info("%s; %d bytes so far; trying again in %.1f s", error, progress(), wait)
            time.sleep(wait)


def _waiting_time(failures: int, manner: Manner, asked: float | None) -> float:
    """Give the seconds until the next try: what the server asked for and a little more, or a growing time."""
    if asked is None:
        return min(LONGEST_WAIT, manner.delay * 2 ** (failures - 1)) * random.uniform(0.5, 1)
    if asked > manner.patience:
        message = f"the server asks to wait {asked:.0f} s"
        raise Refused(message)
    return asked + manner.delay * random.random()
