"""What several topics share: shuffled batches of windows, and a peer that may be installed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.harness import Peer, Work

Read = Callable[[np.ndarray], object]
_FEW = 4096  # windows that slow peers read


def shuffled_batches(n_windows: int, batch: int, most: int | None = None) -> list[np.ndarray]:
    """Give batches of window numbers in random order, `most` windows at most; a rest that fills none is left out."""
    order = np.random.default_rng(1).permutation(n_windows)[:most]
    batch = min(batch, len(order))
    return [order[start : start + batch] for start in range(0, len(order) - batch + 1, batch)]


def batch_work(
    read: Read, batches: Sequence[np.ndarray], peers: Mapping[str, Read] | None = None, *, in_place: bool = False
) -> Work:
    """Make the work of reading batches, limited by copying as many bytes.

    Parameters
    ----------
    read : callable
    batches : sequence of numpy.ndarray
    peers : mapping of str to callable
        As `read`; they read fewer batches, and must give the same.
    in_place : bool
        Show also how fast as many bytes are copied to memory that is used again.

    Raises
    ------
    AssertionError
        When a peer gives other numbers.
    """
    first = read(batches[0])
    for name, other in (peers or {}).items():
        _check_same(first, other(batches[0]), name)
    sample = np.ones_like(first)  # ones: a copy of untouched zeros would cost nothing
    again = sample.copy()
    limits: dict[str, Callable[[], object]] = {"copy": lambda: _for_each(lambda _: sample.copy(), batches)}
    if in_place:
        limits["copy to used memory"] = lambda: _for_each(lambda _: np.copyto(again, sample), batches)
    few = batches[: max(_FEW // len(batches[0]), 1)]
    others = {name: Peer(_all_of(other, few), _windows_in(few)) for name, other in (peers or {}).items()}
    return Work(_all_of(read, batches), _windows_in(batches), limits, others)


def optional(name: str) -> Any:
    """Import a module if it is installed, else give None."""
    return import_module(name) if find_spec(name) else None


def slices(values: np.ndarray, starts: np.ndarray, length: int) -> Iterator[np.ndarray]:
    """Cut windows one by one."""
    return (values[start : start + length] for start in starts.tolist())


def _check_same(ours: np.ndarray, theirs: np.ndarray, name: str) -> None:
    """Raise AssertionError unless two readers give the same numbers, whatever their axes of length 1."""
    np.testing.assert_allclose(np.squeeze(theirs), np.squeeze(ours), rtol=1e-5, err_msg=f"{name} gives something else")


def _all_of(read: Read, batches: Sequence[np.ndarray]) -> Callable[[], object]:
    return lambda: _for_each(read, batches)


def _for_each(read: Read, batches: Sequence[np.ndarray]) -> None:
    for rows in batches:
        read(rows)


def _windows_in(batches: Sequence[np.ndarray]) -> int:
    return sum(map(len, batches))
