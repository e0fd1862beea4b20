"""Bodies of networks: from input tensors to the top hidden layer, which is named ``top_`` and a prefix."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from helpers.data.motifs import read_motifs
from helpers.errors import InputError
from helpers.model.feature_layers import KmerCounts, MotifScores
from helpers.model.layers import DnaConv2D, OneHotCodes

Tensors = Sequence[keras.KerasTensor]


@dataclass(frozen=True)
class InputSpec:
    """What an input looks like.

    Attributes
    ----------
    shape : tuple of int
        Of one window: ``(codes,)`` for a sequence, ``(positions, strands, conditions)`` for coverage.
    kind : {'sequence', 'coverage'}
    order : int
        Length of the k-mers of a sequence; 1 for coverage.
    """

    shape: tuple[int, ...]
    kind: str
    order: int = 1

    @classmethod
    def of(cls, dataset: Any) -> "InputSpec":
        """Describe a dataset: a sequence if it has codes (`Bioseq`), else coverage (`Cover`, wrappers, arrays)."""
        if callable(getattr(dataset, "codes", None)):
            return cls((dataset.shape[1],), "sequence", dataset.order)
        return cls(tuple(dataset.shape[1:]), "coverage")


Specs = Sequence[InputSpec]


def two_convolutions(inputs: Tensors, specs: Specs, prefix: str, **params: Any) -> keras.KerasTensor:
    """Scan DNA with dropout on it, and once more what was found; keep the maximum of each filter."""
    x = _scan_dna(inputs[0], specs[0], prefix, params)
    x = layers.Conv1D(params["top_filters"], params["top_width"], activation="relu")(layers.BatchNormalization()(x))
    return layers.BatchNormalization(name=f"top_{prefix}")(layers.GlobalMaxPooling1D()(x))


def _scan_dna(codes: keras.KerasTensor, spec: InputSpec, prefix: str, params: Mapping[str, Any]) -> keras.KerasTensor:
    """Scan k-mer codes with filters over both strands or one, ReLU, and pool: (windows, positions, filters)."""
    positions = (spec.shape[0] - params["width"] + 1) // params["pool"]
    x = OneHotCodes(spec.order, params.get("dropout", 0), name=f"{prefix}_onehot")(codes)
    if params["strands"] == "both":
        conv = layers.Conv2D(params["filters"], (params["width"], 1), activation="relu")
        x = DnaConv2D(conv, pool_size=params["pool"], name=f"{prefix}_scan")(x)
        return layers.Reshape((positions, params["filters"]))(x)
    x = layers.Reshape((spec.shape[0], 4**spec.order))(x)
    x = layers.Conv1D(params["filters"], params["width"], activation="relu", name=f"{prefix}_scan")(x)
    return layers.MaxPooling1D(params["pool"])(x)


def jund_dnase(inputs: Tensors, specs: Specs, prefix: str, **params: Any) -> keras.KerasTensor:
    """Scan positions and strands of coverage together, then positions; keep the maximum of each filter."""
    positions, strands, _ = specs[0].shape
    scanned = positions - params["width"] + 1
    kernel = (params["width"], strands)
    x = layers.Conv2D(params["filters"], kernel, activation="relu", name=f"{prefix}_scan")(inputs[0])
    x = layers.MaxPooling1D(params["pool"])(layers.Reshape((scanned, params["filters"]))(x))
    x = layers.Conv1D(params["top_filters"], params["top_width"], activation="relu")(x)
    return layers.BatchNormalization(name=f"top_{prefix}")(layers.GlobalMaxPooling1D()(x))


def deepsea(inputs: Tensors, specs: Specs, prefix: str, **params: Any) -> keras.KerasTensor:
    """Scan DNA and twice more what was found; a dense layer sees all positions."""
    x = layers.Dropout(params["hidden_dropout"])(_scan_dna(inputs[0], specs[0], prefix, params))
    x = layers.Conv1D(params["middle_filters"], params["middle_width"], activation="relu")(x)
    x = layers.Dropout(params["hidden_dropout"])(layers.MaxPooling1D(params["middle_pool"])(x))
    x = layers.Conv1D(params["top_filters"], params["top_width"], activation="relu")(x)
    return _dense(layers.Dropout(params["top_dropout"])(x), prefix, params)


def danq(inputs: Tensors, specs: Specs, prefix: str, **params: Any) -> keras.KerasTensor:
    """Scan DNA, and read what was found along the sequence in both directions; a dense layer sees all positions."""
    x = layers.Dropout(params["hidden_dropout"])(_scan_dna(inputs[0], specs[0], prefix, params))
    recurrent = layers.LSTM(params["lstm_units"], return_sequences=True, dtype="float32")  # JAX has no other on a GPU
    x = layers.Bidirectional(recurrent, dtype="float32")(x)
    return _dense(layers.Dropout(params["top_dropout"])(x), prefix, params)


def _dense(x: keras.KerasTensor, prefix: str, params: Mapping[str, Any]) -> keras.KerasTensor:
    return layers.Dense(params["units"], activation="relu", name=f"top_{prefix}")(layers.Flatten()(x))


def cage_chromatin(inputs: Tensors, specs: Specs, prefix: str, **params: Any) -> keras.KerasTensor:
    """Put all values of coverage side by side and standardise them by batch."""
    return layers.BatchNormalization(name=f"top_{prefix}")(layers.Flatten()(inputs[0]))


def kmer_linear(inputs: Tensors, specs: Specs, prefix: str, **params: Any) -> keras.KerasTensor:
    """Count k-mers."""
    return KmerCounts(params["k"], name=f"top_{prefix}")(inputs[0])


def pwm_scan(inputs: Tensors, specs: Specs, prefix: str, **params: Any) -> keras.KerasTensor:
    """Score motifs, each at its best place."""
    motifs, positions = read_motifs(params["motifs"]), specs[0].shape[0]
    for motif in motifs:
        if len(motif.probabilities) > positions:
            longer = f"motif {motif.name} is {len(motif.probabilities)} bp long, the window {positions} bp"
            msg = f"{params['motifs']}: {longer}. Give the input a longer flank, or remove the motif."
            raise InputError(msg)
    names, matrices = [motif.name for motif in motifs], [motif.log_odds() for motif in motifs]
    hot = OneHotCodes(1, name=f"{prefix}_onehot")(inputs[0])
    return MotifScores(names, matrices, name=f"top_{prefix}")(hot)


BODIES: dict[str, Callable[..., keras.KerasTensor]] = {
    "jund_dna": two_convolutions,
    "jund_dnase": jund_dnase,
    "deepsea": deepsea,
    "danq": danq,
    "cage_dna": two_convolutions,
    "cage_chromatin": cage_chromatin,
    "kmer_linear": kmer_linear,
    "pwm_scan": pwm_scan,
}
