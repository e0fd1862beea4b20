"""What is attributed: the value before a model's last activation, as a function of one-hot sequences and coverage."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from helpers.errors import InputError, list_some
from helpers.model.bodies import InputSpec
from helpers.model.feature_layers import KmerCounts
from helpers.model.layers import OneHotCodes

_ACTIVATIONS = tuple(
    getattr(keras.layers, name) for name in ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")
)
_WITH_ACTIVATION = tuple(  # layers that end in their activation
    getattr(keras.layers, name)
    for name in ("Dense", "EinsumDense", *(f"{kind}Conv{n}D" for kind in ("", "Separable") for n in (1, 2)))
)


class Target:
    """The value before the last activation of a model, for each unit of its outputs.

    Parameters
    ----------
    model : keras.Model
        Its sequences enter as codes through `OneHotCodes`, or one-hot as floats; its outputs come from layers with an
        activation (`Dense`, a convolution), from a layer that is one, or from any other layer. Left unchanged; one of
        mixed precision is computed in single precision.

    Attributes
    ----------
    inputs : dict of str to KerasTensor
        Of the model, by name.
    linear : keras.Model
        From the inputs by name to shape (windows, units): the values of all outputs side by side.
    units : list of str
        Name of each: that of its output, numbered where an output has several.

    Raises
    ------
    InputError
        For what is no model, or one whose last layer is a model of its own.
    """

    def __init__(self, model: keras.Model):
        if not isinstance(model, keras.Model):
            msg = f"What is attributed is a keras.Model. Received: {model!r:.80}. Load it first."
            raise InputError(msg)
        model = _in_single_precision(model)
        self.inputs = _inputs_of(model)
        found = [(tensor, _before_activation(tensor, name)) for name, tensor in _outputs_of(model).items()]
        flat = [keras.layers.Flatten()(value) if len(value.shape) != 2 else value for _, value in found]
        values = flat[0] if len(flat) == 1 else keras.layers.Concatenate()(flat)
        self.linear = keras.Model(self.inputs, values)
        sizes = {name: value.shape[1] for name, value in zip(_outputs_of(model), flat, strict=True)}
        self.units = [
            name if size == 1 else f"{name}_{number}" for name, size in sizes.items() for number in range(size)
        ]

    def order_of(self, name: str) -> int | None:
        """Give the order of the codes that an input takes; None where no layer of ours tells."""
        counted = [layer.k for layer in self._reading(name, KmerCounts)]
        return next(iter([layer.order for layer in self._reading(name, OneHotCodes)] + counted), None)

    def differentiable(self) -> "Differentiable":
        """Cut the model behind its codes.

        Raises
        ------
        InputError
            When whole numbers reach the output other than through `OneHotCodes`.
        """
        sources, tensors = [], []
        for name, tensor in self.inputs.items():
            expanded = [layer.output for layer in self._reading(name, OneHotCodes)]
            if not expanded and not _is_float(tensor):
                raise InputError(_no_gradient(name))
            sources += [name] * max(len(expanded), 1)
            tensors += expanded or [tensor]
        try:
            return Differentiable(keras.Model(tensors, self.linear.output), sources)
        except ValueError as error:
            raise InputError(_no_gradient(", ".join(self.inputs))) from error

    def _reading(self, name: str, kind: type[keras.layers.Layer]) -> list[Any]:
        """Find the layers of a kind that read an input."""
        layers = [layer for layer in self.linear.layers if isinstance(layer, kind)]
        return [layer for layer in layers if layer.input is self.inputs[name]]


class Differentiable:
    """A model from one-hot sequences and coverage to the values of its units.

    Parameters
    ----------
    model : keras.Model
        Of a list of tensors.
    sources : sequence of str
        Name of the input that each of them holds.
    """

    def __init__(self, model: keras.Model, sources: Sequence[str]):
        self.model, self.sources = model, list(sources)

    def __call__(self, points: Mapping[str, Any]) -> Any:
        """Compute (windows, units) from tensors by name of the input."""
        return self.model([points[name] for name in self.sources], training=False)


def input_specs(target: Target, datasets: Mapping[str, Any]) -> dict[str, InputSpec]:
    """Describe the inputs of a model from its layers and from what it is given.

    Parameters
    ----------
    target : Target
    datasets : mapping of str to dataset or numpy.ndarray
        By name of the input.

    Returns
    -------
    dict of str to InputSpec
        In the order of the model. A `Bioseq`, and whole numbers for a layer `OneHotCodes` or `KmerCounts`, are
        sequences; all else is coverage.

    Raises
    ------
    InputError
        When inputs are missing or unknown, or a dataset does not fit the model.
    """
    if set(datasets) != set(target.inputs):
        given, needed = ", ".join(map(str, datasets)), ", ".join(target.inputs)
        msg = f"The model reads the inputs {needed}. Received: {given}. Give a dataset of that name for each."
        raise InputError(msg)
    return {name: _spec(target, name, datasets[name]) for name in target.inputs}


def _spec(target: Target, name: str, dataset: Any) -> InputSpec:
    if not hasattr(dataset, "shape"):
        msg = f"Input {name!r} is a dataset or a NumPy array. Received: {dataset!r:.80}. Give one of these."
        raise InputError(msg)
    needed, order = tuple(target.inputs[name].shape[1:]), target.order_of(name)
    spec = InputSpec.of(dataset)
    if order is not None and spec.kind != "sequence":
        spec = InputSpec(tuple(dataset.shape[1:]), "sequence", order)
    if spec.kind != "sequence" and not _is_float(target.inputs[name]):
        msg = f"Input {name!r} of the model takes whole numbers. Give a Bioseq, which knows the order of its k-mers."
        raise InputError(msg)
    shape = spec.shape
    if spec.kind == "sequence" and len(needed) > 1:
        shape = (*spec.shape, 1, 4**spec.order)
    fits = len(shape) == len(needed) and all(size in (None, own) for size, own in zip(needed, shape, strict=True))
    if not fits or (order or spec.order) != spec.order:
        wanted = f"{needed}" if order is None else f"{needed} of order {order}"
        msg = f"Input {name!r} of the model has the shape {wanted}. Received: {shape} of order {spec.order}. "
        raise InputError(msg + "Give the dataset that the model was trained for.")
    return spec


def _is_float(tensor: Any) -> bool:
    return keras.backend.is_float_dtype(tensor.dtype)


def _inputs_of(model: keras.Model) -> dict[str, Any]:
    given = _structure(model, "input")
    return dict(given) if isinstance(given, Mapping) else {tensor.name: tensor for tensor in model.inputs}


def _outputs_of(model: keras.Model) -> dict[str, Any]:
    given = _structure(model, "output")
    if isinstance(given, Mapping):
        return dict(given)
    return {tensor._keras_history.operation.name: tensor for tensor in model.outputs}


def _in_single_precision(model: keras.Model) -> keras.Model:
    """Copy a model of which layers compute with 16 bits, too few for differences, into one that does not."""
    if not any(layer.compute_dtype in ("float16", "bfloat16") for layer in model.layers):
        return model
    copy = keras.models.clone_model(
        model, clone_function=lambda layer: type(layer).from_config(_single_policies(layer.get_config()))
    )
    copy.set_weights(model.get_weights())
    return copy


def _single_policies(config: Any) -> Any:
    """Replace the precision of a layer, and of the layers that it wraps."""
    if isinstance(config, list):
        return [_single_policies(part) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return {**config, "config": {"name": "float32"}}
    return {key: _single_policies(part) for key, part in config.items()}


def _structure(model: keras.Model, side: str) -> Any:
    """Give the inputs or outputs as the model takes or gives them; a `Sequential` has lists."""
    return getattr(model, f"{side}s" if isinstance(model, keras.Sequential) else side)


def before_sigmoids(model: keras.Model) -> tuple[keras.Model, list[bool]]:
    """Give a model that says log odds where another says probabilities, and what the other says elsewhere.

    Parameters
    ----------
    model : keras.Model
        Left unchanged.

    Returns
    -------
    keras.Model
        From the inputs by name to shape (windows, units): all outputs side by side.
    list of bool
        Of each unit, whether its last activation is a sigmoid.
    """
    values, units = [], []
    for name, tensor in _outputs_of(model).items():
        sigmoid = _ends_in_sigmoid(tensor)
        value = _before_activation(tensor, name) if sigmoid else tensor
        values.append(keras.layers.Flatten()(value) if len(value.shape) != 2 else value)
        units += [sigmoid] * values[-1].shape[1]
    together = values[0] if len(values) == 1 else keras.layers.Concatenate()(values)
    return keras.Model(_inputs_of(model), together), units


def _ends_in_sigmoid(tensor: Any) -> bool:
    layer = tensor._keras_history.operation
    twofold = isinstance(layer, (*_WITH_ACTIVATION, keras.layers.Activation))
    return twofold and getattr(layer, "activation", None) is keras.activations.sigmoid


def _before_activation(tensor: Any, name: str) -> Any:
    """Give the value that the last activation was applied to."""
    layer = tensor._keras_history.operation
    if isinstance(layer, keras.Model):
        msg = f"Output {name!r} comes from a model inside the model, {layer.name!r}. Give that model, or flatten them."
        raise InputError(msg)
    if isinstance(layer, _ACTIVATIONS):
        return layer.input
    linear = getattr(layer, "activation", None) in (None, keras.activations.linear)
    if linear or not isinstance(layer, _WITH_ACTIVATION):  # of a recurrent layer the activation is not the last
        return tensor
    twin = type(layer).from_config({**layer.get_config(), "activation": "linear", "name": f"{layer.name}_value"})
    value = twin(layer.input)
    twin.set_weights(layer.get_weights())
    return value


def _no_gradient(name: str) -> str:
    return (
        f"The model reads whole numbers ({name}) other than through OneHotCodes, and these have no gradient. Use "
        "method='mutagenesis'."
    )


def check_same_models(targets: Sequence[Target]) -> None:
    """Raise InputError unless there are models and all read and say the same, as replicates do."""
    if not targets:
        msg = "There is no model to attribute. Give at least one."
        raise InputError(msg)
    forms = [_form(target) for target in targets]
    for number, form in enumerate(forms):
        if form != forms[0]:
            msg = f"Model {number} reads or predicts other things than model 0: {form} and {forms[0]}. Give replicates."
            raise InputError(msg)


def _form(target: Target) -> tuple[dict[str, tuple[Any, ...]], int]:
    inputs = {name: (*tensor.shape[1:], f"order {target.order_of(name)}") for name, tensor in target.inputs.items()}
    return inputs, len(target.units)


def unit_weights(outputs: Mapping[str, int | Sequence[int]] | None, units: Sequence[str]) -> dict[str, np.ndarray]:
    """Give the weight of each unit in each output that is attributed.

    Parameters
    ----------
    outputs : mapping of str to int or sequence of int, optional
        Name to the number of a unit, or of several whose values are summed. By default each unit by its name.
    units : sequence of str

    Returns
    -------
    dict of str to numpy.ndarray of float32, shape (units,)

    Examples
    --------
    >>> unit_weights({"jund": 0, "all": [0, 1]}, ["tf_0", "tf_1"])
    {'jund': array([1., 0.], dtype=float32), 'all': array([1., 1.], dtype=float32)}
    """
    chosen = {name: number for number, name in enumerate(units)} if outputs is None else dict(outputs)
    if not chosen:
        msg = f"There is no output to attribute. Name one of {list_some(units)} with its number, or leave outputs out."
        raise InputError(msg)
    weights = {}
    for name, numbers in chosen.items():
        numbers = np.atleast_1d(numbers)
        if numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() >= len(units):
            msg = f"Output {name!r} is unit {numbers.tolist()}, but the model has {len(units)}, from 0. Correct it."
            raise InputError(msg)
        weights[name] = np.isin(np.arange(len(units)), numbers).astype(np.float32)
    return weights
