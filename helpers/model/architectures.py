"""Networks by name: from what the inputs look like, and a few numbers, to an uncompiled Keras model.

Each architecture is a *body*, which turns input tensors into its top hidden layer, and an output layer. A joint model
takes the bodies of several architectures and puts one output layer on top of all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
from keras import layers

from helpers.errors import InputError
from helpers.model.layers import DnaConv2D, KmerCounts, OneHotCodes


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


class Number(NamedTuple):
    """A parameter that is a number: its default (None: read off the input) and its bounds."""

    default: float | None
    low: float
    high: float
    whole: bool = True

    @property
    def allowed(self) -> str:
        """Say what is allowed."""
        return f"a {'whole ' * self.whole}number from {self.low} to {self.high}"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is allowed."""
        kind = int if self.whole else (int, float)
        return isinstance(value, kind) and not isinstance(value, bool) and self.low <= value <= self.high


class Choice(NamedTuple):
    """A parameter that is one of several words; the first is the default."""

    words: tuple[str, ...]

    @property
    def default(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def allowed(self) -> str:
        """Say what is allowed."""
        return f"one of {', '.join(self.words)}"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is allowed."""
        return value in self.words


_ORDER = Number(None, 1, 7)
_SIZE = {"low": 1, "high": 100_000}

# Parameters of each architecture, with the paper's numbers as defaults.
PARAMETERS: dict[str, dict[str, Number | Choice]] = {
    "jund_dna": {
        "order": _ORDER,
        "dropout": Number(0.2, 0, 0.99, whole=False),
        "strands": Choice(("both", "forward")),
        "filters": Number(10, **_SIZE),
        "width": Number(11, **_SIZE),
        "pool": Number(30, **_SIZE),
        "top_filters": Number(8, **_SIZE),
        "top_width": Number(3, **_SIZE),
    },
    "jund_dnase": {
        "filters": Number(10, **_SIZE),
        "width": Number(5, **_SIZE),
        "pool": Number(2, **_SIZE),
        "top_filters": Number(5, **_SIZE),
        "top_width": Number(3, **_SIZE),
    },
    "kmer_linear": {"k": _ORDER},
}

Tensors = Sequence[keras.KerasTensor]


def _jund_dna(inputs: Tensors, specs: Sequence[InputSpec], prefix: str, **params: Any) -> keras.KerasTensor:
    (spec,) = specs
    positions = _after(spec.shape[0], params["width"], params["pool"])
    _after(positions, params["top_width"])
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
    scanned = _after(positions, params["width"])
    _after(_after(positions, params["width"], params["pool"]), params["top_width"])
    kernel = (params["width"], strands)
    x = layers.Conv2D(params["filters"], kernel, activation="relu", name=f"{prefix}_scan")(inputs[0])
    x = layers.MaxPooling1D(params["pool"])(layers.Reshape((scanned, params["filters"]))(x))
    x = layers.Conv1D(params["top_filters"], params["top_width"], activation="relu")(x)
    return layers.BatchNormalization(name=f"top_{prefix}")(layers.GlobalMaxPooling1D()(x))


def _kmer_linear(inputs: Tensors, specs: Sequence[InputSpec], prefix: str, **params: Any) -> keras.KerasTensor:
    return KmerCounts(params["k"], name=f"top_{prefix}")(inputs[0])


class _Body(NamedTuple):
    build: Callable[..., keras.KerasTensor]
    kind: str


_BODIES = {
    "jund_dna": _Body(_jund_dna, "sequence"),
    "jund_dnase": _Body(_jund_dnase, "coverage"),
    "kmer_linear": _Body(_kmer_linear, "sequence"),
}


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


def complete_params(architecture: str, params: Mapping[str, Any], order: int = 1) -> dict[str, Any]:
    """Check the parameters of an architecture and add its defaults.

    Parameters
    ----------
    architecture : str
        A name in `PARAMETERS`.
    params : mapping
    order : int
        Order of the input, which parameters without a default take.

    Raises
    ------
    InputError
        With every unknown name and every value out of bounds.
    """
    if architecture not in PARAMETERS:
        msg = f"architecture: {architecture!r} is unknown; allowed: {', '.join(PARAMETERS)}."
        raise InputError(msg)
    known = PARAMETERS[architecture]
    problems = [f"{name!r} is unknown" for name in params if name not in known]
    for name in set(params) & set(known):
        if not known[name].accepts(params[name]):
            problems.append(f"{name}: {params[name]!r} is not {known[name].allowed}")
        elif known[name].default is None and params[name] != order:
            problems.append(f"{name}: {params[name]} differs from the order of the input, {order}")
    if problems:
        msg = f"{architecture}: {'; '.join(sorted(problems))}. Parameters: {', '.join(known)}."
        raise InputError(msg)
    defaults = {name: order if parameter.default is None else parameter.default for name, parameter in known.items()}
    return {**defaults, **params}


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
    body = _BODIES[architecture]
    kinds = [spec.kind for spec in specs.values()]
    if kinds != [body.kind]:
        msg = f"{architecture} takes one {body.kind} input. Received: {', '.join(kinds)} ({', '.join(specs)})."
        raise InputError(msg)
    try:
        return body.build([tensors[name] for name in specs], list(specs.values()), prefix, **completed)
    except _TooShort as error:
        (name,) = specs
        msg = f"{architecture}: input {name!r} of shape {specs[name].shape} is too short for its filters: {error}"
        raise InputError(msg) from error


def _finish(name: str, tensors: Mapping, top: keras.KerasTensor, output: OutputSpec) -> keras.Model:
    if output.name in tensors:
        msg = f"An input and the output share the name {output.name!r}. Rename one of them."
        raise InputError(msg)
    unit = layers.Dense(output.size, activation=output.activation, name=output.name)
    return keras.Model(dict(tensors), {output.name: unit(top)}, name=name)


class _TooShort(ValueError):
    pass


def _after(positions: int, width: int, pool: int = 1) -> int:
    """Return the positions after a convolution without padding and a max pooling."""
    left = (positions - width + 1) // pool
    if left < 1:
        msg = f"{positions} positions for a width of {width}" + f" and a pooling of {pool}." * (pool > 1)
        raise _TooShort(msg)
    return left
