"""Hashes of the contents of files, remembered as long as the file system shows that a file did not change."""

import hashlib
import json
import os
import time
from pathlib import Path

from helpers.errors import InputError
from helpers.files import atomic_path

_SETTLED_NS = 2_000_000_000  # a file changed less than this before it was read may change again without a new time


def hash_file(path: str | os.PathLike[str], folder: Path) -> str:
    """Give the SHA-256 of a file's contents.

    Parameters
    ----------
    path : path
    folder : pathlib.Path
        Where hashes are remembered, one small file for each path. It need not exist; one that cannot be written to is
        not used.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InputError
        When the file is missing or cannot be read, or changes while it is read.

    Notes
    -----
    A remembered hash is used when device, inode, size, and the times of the last change of contents and of the inode
    are what they were, to the nanosecond. The time of the inode moves with every write, even by a program that
    sets back the time of the contents. A hash is not remembered when the file had changed within two seconds
    before it was read: a second write could leave both times as they are.
    """
    path = Path(path).absolute()
    memory = folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()}.json"
    try:
        state = _state(path)
        remembered = _remembered(memory)
        if remembered is not None and remembered["state"] == state:
            return remembered["sha256"]
        began = time.time_ns()
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        changed = _state(path) != state
    except OSError as error:
        msg = f"{path}: cannot read the file ({error.strerror or error}). Check the path and its permissions."
        raise InputError(msg) from error
    if changed:
        msg = f"{path} changes while it is read. Wait until it is complete."
        raise InputError(msg)
    if began - max(state["mtime_ns"], state["ctime_ns"]) > _SETTLED_NS:
        _remember(memory, {"path": str(path), "state": state, "sha256": digest})
    return digest


def _state(path: Path) -> dict[str, int]:
    status = os.stat(path)
    names = ("dev", "ino", "size", "mtime_ns", "ctime_ns")
    return {name: getattr(status, f"st_{name}") for name in names}


def _remembered(memory: Path) -> dict | None:
    try:
        remembered = json.loads(memory.read_text(encoding="utf-8"))
        return remembered if set(remembered) == {"path", "state", "sha256"} else None
    except (OSError, ValueError, TypeError):
        return None


def _remember(memory: Path, entry: dict) -> None:
    try:
        with atomic_path(memory) as temporary:
            temporary.write_text(json.dumps(entry), encoding="utf-8")
    except OSError:
        return
