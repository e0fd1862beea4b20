"""Networks by name: from what the inputs look like, and a few numbers, to an uncompiled Keras model.

Each architecture is a *body*, which turns input tensors into its top hidden layer, and an output layer. A joint model
takes the bodies of several architectures and puts one output layer on top of all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from helpers.errors import InputError
from helpers.model.layers import DnaConv2D, KmerCounts, OneHotCodes
from helpers.networks import NETWORKS, complete_params, shortest_input


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


@dataclass(frozen=True)
class OutputSpec:
    """The output layer: its name, number of units, and activation ('sigmoid' for labels, 'linear' for values)."""

    name: str
    size: int = 1
    activation: str = "sigmoid"


Tensors = Sequence[keras.KerasTensor]


def _jund_dna(inputs: Tensors, specs: Sequence[InputSpec], prefix: str, **params: Any) -> keras.KerasTensor:
    (spec,) = specs
    positions = (spec.shape[0] - params["width"] + 1) // params["pool"]
    x = OneHotCodes(spec.order, params["dropout"], name=f"{prefix}_onehot")(inputs[0])
    if params["strands"] == "both":
        conv = layers.Conv2D(params["filters"], (params["width"], 1), activation="relu")
        x = DnaConv2D(conv, pool_size=params["pool"], name=f"{prefix}_scan")(x)
    else:
        x = layers.Reshape((spec.shape[0], 4**spec.order))(x)
        x = layers.Conv1D(params["filters"], params["width"], activation="relu", name=f"{prefix}_scan")(x)
        x = layers.MaxPooling1D(params["pool"])(x)
    x = layers.BatchNormalization()(layers.Reshape((positions, params["filters"]))(x))
    x = layers.Conv1D(params["top_filters"], params["top_width"], activation="relu")(x)
    return layers.BatchNormalization(name=f"top_{prefix}")(layers.GlobalMaxPooling1D()(x))


def _jund_dnase(inputs: Tensors, specs: Sequence[InputSpec], prefix: str, **params: Any) -> keras.KerasTensor:
    (spec,) = specs
    positions, strands, _ = spec.shape
    scanned = positions - params["width"] + 1
    kernel = (params["width"], strands)
    x = layers.Conv2D(params["filters"], kernel, activation="relu", name=f"{prefix}_scan")(inputs[0])
    x = layers.MaxPooling1D(params["pool"])(layers.Reshape((scanned, params["filters"]))(x))
    x = layers.Conv1D(params["top_filters"], params["top_width"], activation="relu")(x)
    return layers.BatchNormalization(name=f"top_{prefix}")(layers.GlobalMaxPooling1D()(x))


def _kmer_linear(inputs: Tensors, specs: Sequence[InputSpec], prefix: str, **params: Any) -> keras.KerasTensor:
    return KmerCounts(params["k"], name=f"top_{prefix}")(inputs[0])


_BODIES = {"jund_dna": _jund_dna, "jund_dnase": _jund_dnase, "kmer_linear": _kmer_linear}


def jund_dna(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build the paper's network for JunD binding from DNA.

    Dropout on the one-hot input, filters over both strands (maximum of the two), max pooling, batch norm, convolution,
    global max pooling, batch norm, output.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One sequence.
    output : OutputSpec
    **params
        ``order`` (that of the input), ``dropout`` 0.2, ``strands`` both or forward, ``filters`` 10 of ``width`` 11,
        ``pool`` 30, ``top_filters`` 8 of ``top_width`` 3.

    Raises
    ------
    InputError
        For an unknown parameter, a value out of bounds, another kind of input, or windows that are too short.
    """
    return _single("jund_dna", inputs, output, params)


def jund_dnase(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build the paper's network for JunD binding from DNase-seq.

    Convolution over positions and both strands, max pooling, convolution, global max pooling, batch norm, output.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One coverage; its conditions are channels.
    output : OutputSpec
    **params
        ``filters`` 10 of ``width`` 5, ``pool`` 2, ``top_filters`` 5 of ``top_width`` 3.

    Raises
    ------
    InputError
        As `jund_dna`.
    """
    return _single("jund_dnase", inputs, output, params)


def kmer_linear(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build a linear model of the k-mer counts of both strands; `helpers.model.linear` finds its weights.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One sequence.
    output : OutputSpec
    **params
        ``k``, the length of the k-mers: the order of the input.

    Raises
    ------
    InputError
        As `jund_dna`.
    """
    return _single("kmer_linear", inputs, output, params)


def joint(inputs: Mapping[str, InputSpec], output: OutputSpec, *, parts: Mapping[str, Any]) -> keras.Model:
    """Join architectures: their top hidden layers side by side under one output layer, all trained from scratch.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        Of all parts.
    output : OutputSpec
    parts : mapping
        Name of the part → ``(architecture, params, names of its inputs)``.

    Raises
    ------
    InputError
        When there are fewer than two parts, an input is unknown or used by none, or as the architectures do.
    """
    used = {name for _, _, names in parts.values() for name in names}
    if len(parts) < 2 or used != set(inputs):
        msg = (
            f"parts: a joint model has at least two parts, which read all inputs. Received: parts {', '.join(parts)} "
            f"reading {', '.join(sorted(used))} of the inputs {', '.join(sorted(inputs))}."
        )
        raise InputError(msg)
    tensors = _input_layers(inputs)
    tops = [
        _build_body(architecture, {name: inputs[name] for name in names}, tensors, prefix=part, params=params)
        for part, (architecture, params, names) in parts.items()
    ]
    return _finish("joint", tensors, layers.Concatenate(name="top_joint")(tops), output)


ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    "jund_dna": jund_dna,
    "jund_dnase": jund_dnase,
    "joint": joint,
    "kmer_linear": kmer_linear,
}


def build_model(
    architecture: str, inputs: Mapping[str, InputSpec], output: OutputSpec, params: Mapping[str, Any] | None = None
) -> keras.Model:
    """Build a model by the name of its architecture.

    Parameters
    ----------
    architecture : str
        A name in `ARCHITECTURES`.
    inputs : mapping of str to InputSpec
    output : OutputSpec
    params : mapping, optional
        Parameters that differ from the architecture's defaults; for 'joint', ``parts``.

    Returns
    -------
    keras.Model
        Uncompiled, with input and output layers of the given names. Its top hidden layer is named ``top_...``.

    Raises
    ------
    InputError
        For an unknown architecture, and as the architecture does.

    Examples
    --------
    >>> spec = InputSpec((498,), "sequence", order=3)
    >>> model = build_model("jund_dna", {"dna": spec}, OutputSpec("jund"), {"dropout": 0})
    >>> [(name, tensor.shape) for name, tensor in {**model.input, **model.output}.items()]
    [('dna', (None, 498)), ('jund', (None, 1))]
    """
    if architecture not in ARCHITECTURES:
        msg = f"architecture: {architecture!r} is unknown; allowed: {', '.join(ARCHITECTURES)}."
        raise InputError(msg)
    return ARCHITECTURES[architecture](inputs, output, **(params or {}))


def _single(architecture: str, inputs: Mapping[str, InputSpec], output: OutputSpec, params: Mapping) -> keras.Model:
    tensors = _input_layers(inputs)
    top = _build_body(architecture, inputs, tensors, prefix=architecture, params=params)
    return _finish(architecture, tensors, top, output)


def _input_layers(inputs: Mapping[str, InputSpec]) -> dict[str, keras.KerasTensor]:
    return {name: keras.Input(spec.shape, name=name, dtype=_dtype(spec)) for name, spec in inputs.items()}


def _dtype(spec: InputSpec) -> str:
    if spec.kind != "sequence":
        return "float32"
    return "uint8" if spec.order <= 3 else "uint16"


def _build_body(
    architecture: str,
    specs: Mapping[str, InputSpec],
    tensors: Mapping[str, keras.KerasTensor],
    *,
    prefix: str,
    params: Mapping[str, Any],
) -> keras.KerasTensor:
    """Check inputs and parameters, and build the hidden layers; their names begin with the prefix."""
    completed = complete_params(architecture, params, order=next(iter(specs.values())).order)
    kind = NETWORKS[architecture].kind
    kinds = [spec.kind for spec in specs.values()]
    if kinds != [kind]:
        msg = f"{architecture} takes one {kind} input. Received: {', '.join(kinds)} ({', '.join(specs)})."
        raise InputError(msg)
    needed = shortest_input(architecture, completed)
    for name, spec in specs.items():
        if spec.shape[0] < needed:
            too_short = f"input {name!r} of shape {spec.shape} is too short; its filters need {needed} positions"
            msg = f"{architecture}: {too_short}. Make the windows longer."
            raise InputError(msg)
    return _BODIES[architecture]([tensors[name] for name in specs], list(specs.values()), prefix, **completed)


def _finish(name: str, tensors: Mapping, top: keras.KerasTensor, output: OutputSpec) -> keras.Model:
    if output.name in tensors:
        msg = f"An input and the output share the name {output.name!r}. Rename one of them."
        raise InputError(msg)
    unit = layers.Dense(output.size, activation=output.activation, name=output.name)
    return keras.Model(dict(tensors), {output.name: unit(top)}, name=name)
