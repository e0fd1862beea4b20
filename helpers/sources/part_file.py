"""What has arrived of a download, beside its destination, and what tells whether the server's file has changed."""

import errno
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from helpers.errors import InputError
from helpers.sources.failures import Refused
from helpers.sources.slots import lock

NOTES = ("url", "final", "etag", "modified", "total")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class PartFile:
    """The file ``DESTINATION.part`` and its notes ``DESTINATION.part.json``, held by one process at a time.

    Parameters
    ----------
    destination : path
        Where the file goes when it is complete; its folder is made.

    Attributes
    ----------
    size : int
        Bytes that have arrived.
    notes : dict
        Of the file's source: url, final (after redirects), etag, modified, total (bytes, or None). Empty at first.
    resumed : bool
        Whether the bytes come from more than one answer.

    Raises
    ------
    InputError
        On entering, when another process downloads to the same destination.
    """

    def __init__(self, destination: str | os.PathLike[str]):
        self.destination = Path(destination)
        self.path = self.destination.with_name(f"{self.destination.name}.part")
        self._notes_path = self.destination.with_name(f"{self.destination.name}.part.json")
        self.size, self.notes, self.resumed = 0, {}, False

    def __enter__(self) -> Self:
        """Lock the file, and take up what an earlier process left."""
        self.destination.parent.mkdir(parents=True, exist_ok=True)
        file = lock(self.path)
        if file is None or not _is_named(file, self.path):
            message = f"{self.destination} is being downloaded by another process. Wait for it, or end it."
            raise InputError(message)
        self._file = file
        self.size = self.path.stat().st_size
        self.resumed = self.size > 0
        self.notes = self._read_notes() if self.size else {}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Keep what has arrived, unless it is nothing."""
        if self.size == 0 and _is_named(self._file, self.path):
            self._notes_path.unlink(missing_ok=True)
            self.path.unlink()
        self._file.close()

    def _read_notes(self) -> dict[str, Any]:
        try:
            notes = json.loads(self._notes_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return notes if isinstance(notes, dict) and notes.keys() == {*NOTES} else {}

    def begin(self, notes: dict[str, Any]) -> None:
        """Drop what has arrived, and note where the bytes to come are from; raises as `append`."""
        self.drop()
        self._note(notes)

    def go_on(self, notes: dict[str, Any]) -> None:
        """Keep what has arrived, and note where the bytes behind it are from; raises as `append`."""
        self.resumed = True
        if notes != self.notes:
            self._note(notes)

    def drop(self) -> None:
        """Drop what has arrived."""
        self._file.truncate(0)
        self.size, self.notes, self.resumed = 0, {}, False

    def _note(self, notes: dict[str, Any]) -> None:
        self.notes = notes
        try:
            self._notes_path.write_text(json.dumps(notes), encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error

    def append(self, block: bytes) -> None:
        """Write the next bytes.

        Raises
        ------
        Refused
            When they cannot be written, such as on a full disk. What was written before stays.
        """
        rest = memoryview(block)
        while rest:
            try:
                written = self._file.write(rest)
            except OSError as error:
                raise self._unwritable(error) from error
            self.size += written
            rest = rest[written:]

    def _unwritable(self, error: OSError) -> Refused:
        if error.errno in _FULL:
            return Refused(
                f"there is no room for it ({error.strerror}): {self.path} holds {self.size} bytes. Make room"
            )
        return Refused(f"{self.path} cannot be written ({error.strerror})")

    def finish(self) -> None:
        """Give the complete file its name."""
        os.fsync(self._file.fileno())
        os.replace(self.path, self.destination)
        self._notes_path.unlink(missing_ok=True)


def _is_named(file: IO[bytes], path: Path) -> bool:
    """Tell whether an open file is the one of that name: another process may have renamed it meanwhile."""
    return path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))
