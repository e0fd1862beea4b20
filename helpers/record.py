"""What is recorded of a download beside its file, and whether a file is the one that is wanted."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.files import atomic_path

_CHUNK = 1 << 20  # bytes hashed at once


@dataclass(frozen=True)
class Wanted:
    """What is known of a file before it comes: size in bytes, checksums (hexadecimal), name of its assembly."""

    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    sha512: str | None = None
    assembly: str | None = None

    @property
    def checksums(self) -> dict[str, str]:
        """Those that are known, by algorithm, in lower case."""
        found = {"md5": self.md5, "sha256": self.sha256, "sha512": self.sha512}
        return {name: value.lower() for name, value in found.items() if value}

    @property
    def known(self) -> dict[str, int | str]:
        """Size and checksums that are known, by name."""
        return ({} if self.size is None else {"size": self.size}) | self.checksums


def hash_file(path: str | os.PathLike[str], algorithms: Iterable[str]) -> dict[str, str]:
    """Give checksums of a file, hexadecimal, by algorithm; the file is read once, in pieces."""
    digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with open(path, "rb") as file:
        while block := file.read(_CHUNK):
            for digest in digests.values():
                digest.update(block)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def source_path(destination: str | os.PathLike[str]) -> Path:
    """Give the path of what is recorded of a download."""
    return Path(f"{os.fspath(destination)}.source.json")


def write_record(destination: str | os.PathLike[str], source: Mapping[str, Any]) -> None:
    """Record where a file came from."""
    with atomic_path(source_path(destination)) as temporary:
        temporary.write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")


def is_recorded(
    path: Path, destination: str | os.PathLike[str], *, urls: Sequence[str], wanted: Mapping[str, int | str]
) -> bool:
    """Tell whether a file is what the record of a download describes, and that download the wanted one.

    Parameters
    ----------
    path : path
        The file, which is read for its MD5 sum when all else fits.
    destination : path
        Where it was downloaded to; the record lies there.
    urls : sequence of str
        Where the file may have come from.
    wanted : mapping
        Size and checksums that what was downloaded has to have had, by name.
    """
    try:
        source = json.loads(source_path(destination).read_text(encoding="utf-8"))
        right = source["url"] in urls and all(source.get(name) == value for name, value in wanted.items())
        same = right and path.is_file() and path.stat().st_size == source["file"]["size"]
        return same and hash_file(path, ["md5"])["md5"] == source["file"]["md5"]
    except (OSError, ValueError, TypeError, KeyError):  # no record, or none of ours
        return False
