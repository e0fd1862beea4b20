"""Networks by name: from what the inputs look like, and a few numbers, to an uncompiled Keras model.

Each architecture is a *body*, which turns input tensors into its top hidden layer, and an output layer. A joint model
takes the bodies of several architectures and puts one output layer on top of all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from helpers.errors import InputError
from helpers.model.bodies import BODIES, InputSpec
from helpers.networks import NETWORKS, complete_params, shortest_input


@dataclass(frozen=True)
class OutputSpec:
    """The output layer: its name, number of units, and activation ('sigmoid' for labels, 'linear' for values)."""

    name: str
    size: int = 1
    activation: str = "sigmoid"


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


def deepsea(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build DeepSEA, for hundreds of chromatin features of DNA, with its first filters over both strands.

    Three convolutions without padding, each with ReLU, the first two followed by max pooling and dropout, the last by
    dropout; a dense layer with ReLU; output.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One sequence.
    output : OutputSpec
    **params
        ``order`` (that of the input), ``strands`` both or forward (of the first filters), ``filters`` 320 of ``width``
        8, ``pool`` 4, ``middle_filters`` 480 of ``middle_width`` 8, ``middle_pool`` 4, ``top_filters`` 960 of
        ``top_width`` 8, ``units`` 925; ``hidden_dropout`` 0.2 after both poolings, ``top_dropout`` 0.5.

    Raises
    ------
    InputError
        As `jund_dna`.

    References
    ----------
    Zhou and Troyanskaya, Nature Methods 12 (2015), https://doi.org/10.1038/nmeth.3547
    """
    return _single("deepsea", inputs, output, params)


def danq(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build DanQ, a convolution under a recurrent layer, with its filters over both strands.

    Convolution without padding, ReLU, max pooling, dropout, LSTM read in both directions, dropout; a dense layer with
    ReLU on all its positions; output.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One sequence.
    output : OutputSpec
    **params
        ``order`` (that of the input), ``strands`` both or forward, ``filters`` 320 of ``width`` 26, ``pool`` 13,
        ``lstm_units`` 320 for each direction, ``units`` 925; ``hidden_dropout`` 0.2 after pooling, ``top_dropout`` 0.5
        after the LSTM.

    Raises
    ------
    InputError
        As `jund_dna`.

    References
    ----------
    Quang and Xie, Nucleic Acids Research 44 (2016), https://doi.org/10.1093/nar/gkw226
    """
    return _single("danq", inputs, output, params)


def cage_dna(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build the paper's network for CAGE signal at promoters from DNA: `jund_dna` with other numbers.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One sequence.
    output : OutputSpec
    **params
        ``order`` (that of the input), ``dropout`` 0.2, ``strands`` both or forward, ``filters`` 10 of ``width`` 15,
        ``pool`` 5, ``top_filters`` 8 of ``top_width`` 5.

    Raises
    ------
    InputError
        As `jund_dna`.
    """
    return _single("cage_dna", inputs, output, params)


def cage_chromatin(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build the paper's model of CAGE signal at promoters from chromatin: batch norm and output.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One coverage; its positions, strands and conditions stand side by side.
    output : OutputSpec
    **params
        None.

    Raises
    ------
    InputError
        As `jund_dna`.
    """
    return _single("cage_chromatin", inputs, output, params)


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


def pwm_scan(inputs: Mapping[str, InputSpec], output: OutputSpec, **params: Any) -> keras.Model:
    """Build a linear model of the best scores of given motifs; `helpers.model.linear` finds its weights.

    The score of a motif (`helpers.data.motifs.Motif.log_odds`) is its maximum over both strands and all places in the
    window. The matrices are kept in the model: it is loaded without the file.

    Parameters
    ----------
    inputs : mapping of str to InputSpec
        One sequence of order 1.
    output : OutputSpec
    **params
        ``motifs``, the path of a file in MEME minimal format.

    Raises
    ------
    InputError
        As `jund_dna`, for a motif that is longer than the windows, and as `helpers.data.motifs.read_motifs`.
    """
    return _single("pwm_scan", inputs, output, params)


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
    "deepsea": deepsea,
    "danq": danq,
    "cage_dna": cage_dna,
    "cage_chromatin": cage_chromatin,
    "joint": joint,
    "kmer_linear": kmer_linear,
    "pwm_scan": pwm_scan,
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
    return BODIES[architecture]([tensors[name] for name in specs], list(specs.values()), prefix, **completed)


def _finish(name: str, tensors: Mapping, top: keras.KerasTensor, output: OutputSpec) -> keras.Model:
    if output.name in tensors:
        msg = f"An input and the output share the name {output.name!r}. Rename one of them."
        raise InputError(msg)
    # In float32 under mixed precision, too: 16 bits would round probabilities and losses to three digits.
    unit = layers.Dense(output.size, activation=output.activation, name=output.name, dtype="float32")
    return keras.Model(dict(tensors), {output.name: unit(top)}, name=name)
