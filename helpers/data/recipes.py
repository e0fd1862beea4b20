"""What values are made of: written in one way only, for keys, and compared in words."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from helpers.errors import InputError


class Recipe(NamedTuple):
    """What values are made of.

    Attributes
    ----------
    what : str
        Kind of values, such as "counts"; letters, digits, "-" and "_".
    files : sequence of path
        Files whose contents matter; their names and places do not.
    parameters : mapping of str to anything that JSON can hold, or numpy.ndarray
        All else that changes the values. The order of a mapping does not count: give lists where order matters.
    """

    what: str
    files: Sequence[str | os.PathLike[str]]
    parameters: Mapping[str, Any]

    @property
    def description(self) -> str:
        """Name it in messages, such as "counts of a.bam"."""
        files = ", ".join(Path(path).name for path in self.files)
        return f"{self.what} of {files}" if files else self.what


def canonical(value: Any, name: str = "") -> Any:
    """Turn a parameter into what JSON writes in one way only, whole: nothing is abbreviated.

    Parameters
    ----------
    value
    name : str, optional
        Of the parameter, for messages.

    Raises
    ------
    InputError
        For anything but None, bool, numbers, str, lists, tuples, mappings of str, and arrays of numbers.

    Examples
    --------
    >>> canonical({"shift": (4, np.int64(-5)), "chroms": None})
    {'shift': [4, -5], 'chroms': None}
    """
    if isinstance(value, np.generic):
        return canonical(value.item(), name)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [canonical(item, name) for item in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {"dtype of array": value.dtype.str, "shape": list(value.shape), "sha256": digest}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: canonical(item, f"{name}.{key}" if name else key) for key, item in value.items()}
    msg = (
        f"A {type(value).__name__} cannot be part of the key of a cache. Received: {name or 'value'}={value!r}. Give "
        "numbers, text, lists, mappings or arrays, or use cache=False."
    )
    raise InputError(msg)


def canonical_text(record: Mapping[str, Any]) -> str:
    """Write what `canonical` gave in the only way."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say what differs between two records of the cache, one text a difference; empty when nothing does."""
    changes = []
    before = dict(zip(old["paths"], old["files"], strict=True))
    for path, digest in zip(new["paths"], new["files"], strict=True):
        if path in before and before[path] != digest:
            changes.append(f"the contents of {path} changed (SHA-256 {before[path][:12]} to {digest[:12]})")
        elif path not in before and digest not in old["files"]:
            changes.append(f"{path} was added")
    kept = set(new["paths"]), set(new["files"])
    gone = [path for path, digest in before.items() if path not in kept[0] and digest not in kept[1]]
    changes += [f"{path} was left out" for path in gone]
    if not changes and old["files"] != new["files"]:
        changes.append("the files come in another order or number")
    for part, title in (("parameters", ""), ("storage", "storage: "), ("versions", "version of the ")):
        for name in sorted({*old[part], *new[part]}):
            if canonical_text({"": old[part].get(name)}) != canonical_text({"": new[part].get(name)}):
                changes.append(f"{title}{name} changed{_from_to(old[part].get(name), new[part].get(name))}")
    return changes


def _from_to(old: Any, new: Any) -> str:
    """Say from what to what, for long lists at the first place that differs."""
    if isinstance(old, list) and isinstance(new, list) and len(repr(old)) + len(repr(new)) > 120:
        index = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        first = [_shown(items[index]) if index < len(items) else "nothing" for items in (old, new)]
        return f" (from {len(old)} to {len(new)} items; item {index} from {first[0]} to {first[1]})"
    return f" from {_shown(old)} to {_shown(new)}"


def _shown(value: Any, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
