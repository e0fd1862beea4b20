"""What a trained model is worth: scores, comparisons, tracks and figures.

Drawing needs matplotlib, scoring does not: the names for drawing are imported when they are first used.
"""

from importlib import import_module
from typing import Any

_DRAWING = dict.fromkeys(("IntervalTrack", "LineTrack", "Track", "plotGenomeTrack"), "helpers.evaluation.tracks")

__all__ = ["IntervalTrack", "LineTrack", "Track", "plotGenomeTrack"]  # noqa: F822 - found by __getattr__


def __getattr__(name: str) -> Any:
    if name in _DRAWING:
        return getattr(import_module(_DRAWING[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted([*globals(), *_DRAWING])
