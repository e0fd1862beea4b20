"""Models: batches of windows, layers for both strands, architectures by name, training, and a linear baseline."""

from helpers import backend as _backend  # noqa: F401  (sets the default backend before Keras is imported)
