"""Files that no run may lose: each has a second name for as long as its jobs run.

Snakemake removes what a job makes before the job starts, and again when it fails. A download that finds its file gone
looks for it under the second name, a hard link, which takes no room.
"""

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from helpers.errors import InputError, list_some


def kept_path(path: str | os.PathLike[str]) -> Path:
    """Give the second name of a file.

    Examples
    --------
    >>> kept_path("resources/hg38/dnase.bam").as_posix()
    'resources/hg38/.dnase.bam.kept'
    """
    return Path(path).with_name(f".{Path(path).name}.kept")


def keep_files(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Give each file that stands its second name; a warning names those whose folders take none."""
    refused = []
    for path in map(Path, paths):
        try:
            if path.is_file() and not _is_kept(path):
                kept_path(path).unlink(missing_ok=True)
                os.link(path, kept_path(path), follow_symlinks=False)
        except OSError as error:
            refused.append(f"{path} ({error.strerror})")
    if refused:
        logging.getLogger(__name__).warning("a download that fails removes its older file: %s", list_some(refused))


def release_files(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Give up the second names of files that stand; a file that does not stand is kept under its second one."""
    for path in map(Path, paths):
        if path.is_file():
            kept_path(path).unlink(missing_ok=True)


def take_back(path: str | os.PathLike[str], is_wanted: Callable[[Path], bool]) -> bool:
    """Tell whether the wanted file stands; one that is gone comes back if it is found under its second name.

    Parameters
    ----------
    path : path
    is_wanted : function
        Whether the file of this name, if there is one, is the wanted one.

    Raises
    ------
    InputError
        When it is found, but gets no name.
    """
    if is_wanted(Path(path)):
        return True
    if os.path.lexists(path) or not is_wanted(kept_path(path)):
        return False
    try:
        os.link(kept_path(path), path, follow_symlinks=False)
    except OSError as error:
        message = f"{path} is kept as {kept_path(path)}, and cannot come back: {error.strerror}. Rename it yourself."
        raise InputError(message) from error
    return True


def kept_note(path: str | os.PathLike[str]) -> str:
    """Say in a sentence, to stand behind an error, where the older file is; empty when there is none."""
    kept = kept_path(path)
    return f" The older file is kept: {kept}." if kept.is_file() and not os.path.lexists(path) else ""


def _is_kept(path: Path) -> bool:
    kept = kept_path(path)
    return os.path.lexists(kept) and os.path.samestat(path.lstat(), kept.lstat())
