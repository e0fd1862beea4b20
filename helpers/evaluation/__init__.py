"""What a trained model is worth: scores, comparisons, tracks and figures.

Drawing needs matplotlib, attribution Keras, scoring neither: names are imported when they are first used.
"""

from importlib import import_module
from typing import Any

_TRACKS = ("GeneTrack", "HeatTrack", "IntervalTrack", "LineTrack", "SeqTrack", "Stretch", "Track", "plotGenomeTrack")
_HOMES = dict.fromkeys(_TRACKS, "helpers.evaluation.tracks")
_HOMES |= {"draw_logo": "helpers.evaluation.logos", "input_attribution": "helpers.evaluation.region_attribution"}
_HOMES |= dict.fromkeys(("VariantStreamer", "predict_variant_effect"), "helpers.evaluation.variant_streamer")
_HOMES |= {"read_effects": "helpers.evaluation.variant_files", "score_variants": "helpers.evaluation.variant_scoring"}

__all__ = [  # noqa: F822 - found by __getattr__
    "GeneTrack",
    "HeatTrack",
    "IntervalTrack",
    "LineTrack",
    "SeqTrack",
    "Stretch",
    "Track",
    "VariantStreamer",
    "draw_logo",
    "input_attribution",
    "plotGenomeTrack",
    "predict_variant_effect",
    "read_effects",
    "score_variants",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
