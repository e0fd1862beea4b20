"""A cache of values along a genome, keyed on what they are made of, which can say why an entry had to be made.

The key is the SHA-256 of contents of files, parameters and versions. An entry is two files: ``KEY.h5`` holds the
values, ``KEY.json`` the recipe that the key was made of, by which `explain` compares. Both appear when they are
complete: two processes that make the same entry at once both succeed, and the last one's file stays. Nothing is ever
removed; a folder of the cache may be removed at any time.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from helpers.data.content_hash import hash_file
from helpers.data.genome_store import GenomeStore
from helpers.data.recipes import Recipe, canonical, canonical_text, changes_between
from helpers.data.stores import Contigs, check_storage, open_store, store_contigs
from helpers.errors import InputError
from helpers.files import atomic_path

FORMAT_VERSION = 1  # of recipes and keys
CODE_VERSION = 1  # raise it when the same files and parameters give other values than before
Cache = bool | str | os.PathLike[str]
_LOG = logging.getLogger(__name__)


def load_store(
    build: Callable[[], Contigs],
    recipe: Recipe,
    attrs: Mapping[str, Any] | None = None,
    *,
    storage: str = "ndarray",
    cache: Cache = False,
    fill: float = 0,
) -> GenomeStore:
    """Keep values along a genome, or find them in the cache.

    Parameters
    ----------
    build : callable
        Makes the contigs, see `store_contigs`; called when they are not in the cache.
    recipe : Recipe
        All that the values depend on.
    attrs : mapping, optional
        Put over those of `build` and of the cache, such as the name of the file.
    storage, fill
        See `store_contigs`.
    cache : bool or path
        False keeps nothing; True uses `cache_folder`; a path is a folder to use.

    Returns
    -------
    GenomeArray or SparseArray
        Memory-mapped with a cache. Its `made` says where it comes from.

    Raises
    ------
    InputError
        For a missing file, a storage that is not known or needs a cache, a parameter that cannot be part of a key, or a
        folder that cannot be written to.
    """
    folder = cache_folder(cache)
    check_storage(storage, in_file=folder is not None)
    if folder is None:
        return store_contigs(build(), attrs, storage=storage, fill=fill)
    entry = _Entry.of(recipe, folder, "sparse" if storage == "sparse" else "dense", fill)
    found = entry.open()
    if isinstance(found, GenomeStore):
        store, made = found, entry.found()
    else:
        made = entry.why(found)
        _LOG.info("%s", made)
        contigs = build()
        store = entry.write(lambda path: store_contigs(contigs, attrs, storage=storage, path=path, fill=fill))
    store.attrs |= dict(attrs or {})
    store.made = made
    return store


def explain(recipe: Recipe, *, storage: str = "ndarray", cache: Cache = True, fill: float = 0) -> str:
    """Say whether values are in the cache, or else why they must be made.

    Parameters
    ----------
    recipe, storage, cache, fill
        As in `load_store`.

    Returns
    -------
    str
        One line: which file or which parameter changed, from what to what, compared with the entry that is most alike.
    """
    folder = cache_folder(cache)
    if folder is None:
        return f"{recipe.description}: not looked up, for cache=False."
    entry = _Entry.of(recipe, folder, "sparse" if storage == "sparse" else "dense", fill)
    found = entry.open()
    return entry.found() if isinstance(found, GenomeStore) else entry.why(found)


def cache_folder(cache: Cache) -> Path | None:
    """Give the folder of a cache.

    Parameters
    ----------
    cache : bool or path
        False is none. True is ``datasets`` in the folder that the environment variable JANGGU_OUTPUT names at the time
        of the call, or else ``janggu-workflow`` in ``XDG_CACHE_HOME``, by default ``~/.cache``. A path is the folder.

    Raises
    ------
    InputError
        For anything else.
    """
    if cache is None or cache is False:
        return None
    if isinstance(cache, str | os.PathLike) and os.fspath(cache):
        return Path(cache).expanduser().absolute()
    if cache is not True:
        msg = f"cache is True, False or a folder. Received: cache={cache!r}."
        raise InputError(msg)
    if os.environ.get("JANGGU_OUTPUT"):
        return Path(os.environ["JANGGU_OUTPUT"]).expanduser().absolute() / "datasets"
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser().absolute() / "janggu-workflow"


class _Entry(NamedTuple):
    """One place of the cache."""

    recipe: Recipe
    record: dict[str, Any]
    key: str
    folder: Path

    @classmethod
    def of(cls, recipe: Recipe, cache: Path, layout: str, fill: float) -> "_Entry":
        """Hash the files and make the key."""
        hashes = [hash_file(path, cache / "hashes") for path in recipe.files]
        record = {
            "what": recipe.what,
            "files": hashes,
            "parameters": canonical(dict(recipe.parameters)),
            "storage": {"layout": layout} | ({"fill": canonical(fill)} if layout == "sparse" else {}),
            "versions": {"format": FORMAT_VERSION, "code": CODE_VERSION},
        }
        key = hashlib.sha256(canonical_text(record).encode()).hexdigest()
        record["paths"] = [str(Path(path).absolute()) for path in recipe.files]
        return cls(recipe, record, key, cache / recipe.what)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.key}.h5"

    def open(self) -> GenomeStore | str | None:
        """Open the entry; what is wrong with it in words, or None when there is none."""
        if not self.path.is_file():
            return None
        try:
            return open_store(self.path)
        except InputError as error:
            return str(error)

    def write(self, store: Callable[[Path], GenomeStore]) -> GenomeStore:
        """Make the entry and its record."""
        try:
            with atomic_path(self.path) as temporary:
                store(temporary)
                self._check_files()
            with atomic_path(self.path.with_suffix(".json")) as temporary:
                temporary.write_text(canonical_text(self.record), encoding="utf-8")
        except OSError as error:
            msg = (
                f"Cannot write to the cache {self.folder} ({error}). Set JANGGU_OUTPUT to a folder with space that you "
                "can write to, give cache='folder', or cache=False."
            )
            raise InputError(msg) from error
        return open_store(self.path)

    def _check_files(self) -> None:
        """Raise InputError when a file is no longer what its hash says: the values may be of the later contents."""
        for path, digest in zip(self.recipe.files, self.record["files"], strict=True):
            if hash_file(path, self.folder.parent / "hashes") != digest:
                msg = f"{path} changed while it was read. Wait until it is complete, then try again."
                raise InputError(msg)

    def found(self) -> str:
        return f"{self.recipe.description}: found in the cache, {self.path}."

    def why(self, damage: str | None) -> str:
        """Say why the entry must be made."""
        begin = f"{self.recipe.description}: made anew"
        if damage is not None:
            return f"{begin}, because its entry in the cache cannot be read: {damage}"
        records = [record for record in _records(self.folder) if self._is_akin(record)]
        if not records:
            return f"{begin}, because the cache {self.folder} has no entry for it."
        changes = min((changes_between(record, self.record) for record in records), key=len)
        reason = "; ".join(changes) or "its entry was removed from the cache"
        return f"{begin}, because {reason}."

    def _is_akin(self, record: Mapping[str, Any]) -> bool:
        if not self.record["files"]:
            return not record["files"]
        same_path = set(record["paths"]) & set(self.record["paths"])
        return bool(same_path or set(record["files"]) & set(self.record["files"]))


def _records(folder: Path) -> list[dict[str, Any]]:
    """Read the records of all entries, the youngest first; one that another process removes or damaged is left out."""
    records = []
    for path in folder.glob("[!.]*.json"):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            complete = {"paths", "files", "parameters", "storage", "versions"} <= set(record)
            if complete:
                records.append((path.stat().st_mtime_ns, record))
        except (OSError, ValueError, TypeError):
            continue
    return [record for _, record in sorted(records, key=lambda item: -item[0])]
