"""What our Keras layers share: their arguments as attributes, their name in saved models, how they refuse."""

from typing import Any

import keras

Shape = tuple[int | None, ...]
register = keras.saving.register_keras_serializable(package="helpers")


def require(allowed: bool, needed: str, **received: Any) -> None:
    """Raise ValueError with what is needed and what was received, unless it is allowed."""
    if not allowed:
        msg = f"{needed} Received: {', '.join(f'{name}={value!r}' for name, value in received.items())}."
        raise ValueError(msg)


class ArgumentLayer(keras.layers.Layer):
    """A layer whose arguments are its attributes."""

    arguments: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the layer."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self.arguments}}
