"""Gradients for each backend of Keras: one small function that differentiates, one that compiles."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def value_and_gradient(function: Callable[[Any], Any], tensor: Any) -> tuple[Any, Any]:
    """Differentiate a function of a tensor; for use inside a function that `compile_function` compiles.

    Parameters
    ----------
    function : callable
        From a tensor, or a structure of tensors, to a scalar tensor, made of `keras.ops` and Keras models.
    tensor : tensor or structure of tensors
        Of floats.

    Returns
    -------
    tuple
        The scalar, and its gradient in the structure of `tensor`: 0 for tensors that it does not depend on.
    """
    return _BACKENDS[keras.backend.backend()][0](function, tensor)


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors; what is compiled takes and gives NumPy arrays.

    Parameters
    ----------
    function : callable
        From tensors, or structures of tensors, to a structure of tensors.

    Returns
    -------
    callable
        Compiled once for each shape and dtype of its arguments; on torch it runs as it is.

    Examples
    --------
    >>> import numpy as np
    >>> square = compile_function(lambda x: value_and_gradient(lambda y: ops.sum(y**2), x))
    >>> value, gradient = square(np.array([1.0, 3.0], dtype="float32"))
    >>> float(value), gradient.tolist()
    (10.0, [2.0, 6.0])
    """
    compiled = _BACKENDS[keras.backend.backend()][1](function)
    return lambda *arrays: keras.tree.map_structure(ops.convert_to_numpy, compiled(*arrays))


def _tensorflow_gradient(function: Callable[[Any], Any], tensor: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensor)
        value = function(tensor)
    return value, tape.gradient(value, tensor, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _tensorflow_compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    import tensorflow as tf

    return tf.function(function)


def _jax_gradient(function: Callable[[Any], Any], tensor: Any) -> tuple[Any, Any]:
    import jax

    return jax.value_and_grad(function)(tensor)


def _jax_compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    import jax

    return jax.jit(function)


def _torch_gradient(function: Callable[[Any], Any], tensor: Any) -> tuple[Any, Any]:
    import torch

    with torch.enable_grad():
        leaves = keras.tree.map_structure(lambda part: part.detach().requires_grad_(True), tensor)
        value = function(leaves)
        flat = keras.tree.flatten(leaves)
        found = torch.autograd.grad(value, flat, allow_unused=True, materialize_grads=True)
    return value.detach(), keras.tree.pack_sequence_as(leaves, list(found))


def _torch_compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    def run(*arrays: Any) -> Any:
        with torch.no_grad():
            return function(*keras.tree.map_structure(ops.convert_to_tensor, arrays))

    return run


_BACKENDS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "tensorflow": (_tensorflow_gradient, _tensorflow_compiled),
    "jax": (_jax_gradient, _jax_compiled),
    "torch": (_torch_gradient, _torch_compiled),
}
