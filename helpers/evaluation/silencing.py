"""What a network's first filters do: its output with each of them, less its output without."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from helpers.evaluation.attribution_target import Target
from helpers.evaluation.scans import Scan
from helpers.model.batches import JangguSequence
from helpers.model.training import predict

_AT_ONCE = 256  # windows


def silence_filters(model: keras.Model, scan: Scan, inputs: Mapping[str, Any], strongest: int) -> np.ndarray:
    """Compute how much each first filter adds to the outputs of the windows that have the highest.

    Parameters
    ----------
    model : keras.Model
        Left unchanged.
    scan : Scan
        Of the model.
    inputs : mapping of str to dataset
        Of the same windows; those that the model does not read are left out.
    strongest : int
        Number of windows: those with the highest mean over outputs.

    Returns
    -------
    numpy.ndarray of float64, shape (filters, outputs)
        Mean over windows of the output less that with the filter's activation set to 0, on the scale before the last
        activation.
    """
    linear = Target(model).linear
    used = {name: inputs[name] for name in linear.input}
    levels = predict(linear, used).mean(axis=1)
    rows = np.sort(np.argsort(-levels, kind="stable")[:strongest])
    chosen = {name: dataset.take(rows) for name, dataset in used.items()}
    below, above = _split_at(linear, scan)
    total = np.zeros((scan.filters, linear.output.shape[1]))
    for (batch,) in JangguSequence(chosen, batch_size=_AT_ONCE, codes=True):
        scanned, others = below.predict_on_batch(batch), [batch[name] for name in linear.input if name != scan.input]
        intact = above.predict_on_batch([scanned, *others])
        for number in range(scan.filters):
            silent = scanned.copy()
            silent[..., number :: scan.filters] = 0  # where strands are not merged, both
            total[number] += (intact - above.predict_on_batch([silent, *others])).sum(axis=0, dtype=float)
    return total / len(rows)


def _split_at(linear: keras.Model, scan: Scan) -> tuple[keras.Model, keras.Model]:
    """Cut a network behind its first filters; what lies above reads their output, and then the other inputs."""
    scanned = linear.get_layer(scan.layer.name).output
    others = [tensor for name, tensor in linear.input.items() if name != scan.input]
    return keras.Model(linear.input, scanned), keras.Model([scanned, *others], linear.output)
