"""At most so many downloads at once from one host, counted over all processes that share a folder of lock files."""

import fcntl
import logging
import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

_PAUSE = 0.3  # seconds between two looks for a free slot, on average


@contextmanager
def host_slot(url: str, folder: str | os.PathLike[str] | None, most: int) -> Iterator[None]:
    """Hold one of a host's slots while the block runs; wait for one when all are taken.

    Parameters
    ----------
    url : str
        Its host and port are what is counted.
    folder : path, or None
        Where the lock files lie, one a slot; made when it is missing. None: nothing is counted.
    most : int
        Slots of each host.

    Notes
    -----
    A slot is a lock of the system on an open file: when a process ends, however it ends, its slot is free.
    """
    if folder is None:
        yield
        return
    host = re.sub(r"[^A-Za-z0-9.-]", "_", urlsplit(url).netloc.rpartition("@")[2])
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = [Path(folder) / f"{host}.{number}" for number in range(most)]
    with _first_free(paths, host):
        yield


def _first_free(paths: list[Path], host: str) -> IO[bytes]:
    """Open and lock one of the files."""
    told = False
    while True:
        for path in random.sample(paths, len(paths)):
            if (file := lock(path)) is not None:
                return file
        if not told:
            logging.info("waiting: %d downloads from %s run", len(paths), host)
            told = True
        time.sleep(_PAUSE * random.uniform(0.5, 1.5))


def lock(path: Path) -> IO[bytes] | None:
    """Open a file to append to it, and lock it; None when another process holds it."""
    file = path.open("ab", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
