"""Models: batches of windows, layers for both strands, architectures by name, training, and a linear baseline."""

from importlib import import_module
from typing import Any

from helpers import backend as _backend  # noqa: F401  (sets the default backend before Keras is imported)

_HOMES = {
    "JangguSequence": "batches",
    "as_tf_dataset": "feeding",
    "as_torch_loader": "feeding",
    "Complement": "layers",
    "DnaConv2D": "layers",
    "LocalAveragePooling2D": "layers",
    "OneHotCodes": "layers",
    "Reverse": "layers",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that reading this package does not load Keras."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
