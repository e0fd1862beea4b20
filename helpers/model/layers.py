"""Keras layers for DNA: one-hot encoding in the graph, and scanning both strands.

Tensors have four axes, ``(windows, positions, 1, channels)``; with k-mers of length k there are ``4**k`` channels, in
alphabetical order, the first letter most significant. On this order of channels the reverse complement of a k-mer is
the channel order reversed (complement) with the letters of each k-mer reversed: flips and a transposition, no table.
"""

from typing import Any

import keras
from keras import ops

from helpers.model.layer_base import ArgumentLayer, Shape, register, require

MERGE_MODES = ("max", "ave", "concat", None)
# With these, the largest activation is the activation of the largest value.
_INCREASING = {
    getattr(keras.activations, name)
    for name in ("linear", "relu", "elu", "selu", "leaky_relu", "softplus", "sigmoid", "tanh", "exponential")
}


def _order_of(channels: int | None) -> int:
    """Return the k-mer length of a number of channels; raise ValueError when it is no power of 4."""
    order = 0 if channels is None else (channels.bit_length() - 1) // 2  # whole numbers: torch.compile follows them
    valid = order >= 1 and 4**order == channels
    require(valid, "The last axis has one channel for each k-mer of DNA: 4, 16, 64, ...", channels=channels)
    return order


def _complement_kmers(x: Any, axis: int) -> Any:
    """Replace each k-mer on an axis by its reverse complement."""
    axis %= len(x.shape)
    order = _order_of(x.shape[axis])
    before, after = ops.shape(x)[:axis], ops.shape(x)[axis + 1 :]
    letters = ops.reshape(ops.flip(x, axis=axis), (*before, *(4,) * order, *after))
    turned = [*range(axis), *range(axis + order - 1, axis - 1, -1), *range(axis + order, len(x.shape) + order - 1)]
    return ops.reshape(ops.transpose(letters, turned), (*before, 4**order, *after))


@register
class OneHotCodes(ArgumentLayer):
    """Expand k-mer codes to one channel a k-mer; in training, drop positions out.

    Parameters
    ----------
    order : int
        Length of the k-mers, 1 to 7.
    dropout : float in [0, 1), default 0
        Probability, in training only, that a position is set to zero; the others become ``1 / (1 - dropout)``. As only
        one channel of a position differs from zero, this is Keras's elementwise `Dropout` of the one-hot encoding, at
        a fraction of its cost.
    seed : int, optional
        Of the dropout.

    Notes
    -----
    Input: integer codes of shape ``(windows, positions)``, 0 to ``4**order - 1``; any other code, such as ``4**order``
    for an unknown base, is zero in all channels. Output: floats of shape ``(windows, positions, 1, 4**order)``. Codes
    have no gradient: attribute to the output of this layer.

    Examples
    --------
    >>> OneHotCodes(1)(ops.convert_to_tensor([[2, 4]], "uint8")).numpy()[0, :, 0]
    array([[0., 0., 1., 0.],
           [0., 0., 0., 0.]], dtype=float32)
    """

    arguments = ("order", "dropout", "seed")

    def __init__(self, order: int, dropout: float = 0.0, *, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        require(1 <= order <= 7, "order is the length of the k-mers, 1 to 7.", order=order)
        require(0 <= dropout < 1, "dropout is a probability below 1.", dropout=dropout)
        self.order, self.dropout, self.seed = order, dropout, seed
        if dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, codes: Any, training: bool | None = None) -> Any:
        """Encode codes (windows, positions)."""
        drops = training and self.dropout > 0
        codes = codes if self.order <= 3 else ops.cast(codes, "int32")
        if drops:
            kept = keras.random.uniform(ops.shape(codes), seed=self.seed_generator) >= self.dropout
            codes = ops.where(kept, codes, ops.cast(4**self.order, codes.dtype))
        kmers = ops.cast(ops.arange(4**self.order), codes.dtype)
        hot = ops.cast(ops.equal(codes[..., None, None], kmers), self.compute_dtype)
        return hot * (1 / (1 - self.dropout)) if drops else hot

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (windows, positions, 1, 4**order)."""
        return (*input_shape, 1, 4**self.order)


@register
class Reverse(ArgumentLayer):
    """Reverse an axis, by default the positions.

    Parameters
    ----------
    axis : int, default 1
        Not 0, the windows.

    Notes
    -----
    `Reverse` and `Complement` together give the one-hot encoding of the reverse complement, for any order.
    """

    arguments = ("axis",)

    def __init__(self, axis: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        require(axis != 0, "Axis 0 holds the windows; give another.", axis=axis)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        """Reverse a tensor."""
        return ops.flip(inputs, axis=self.axis)


@register
class Complement(keras.layers.Layer):
    """Replace each k-mer by its reverse complement: for order 1, A by T and C by G.

    Notes
    -----
    Works on the last axis of a one-hot encoding, whose order it reads off the number of channels. Applied twice, it
    gives the input back.
    """

    def call(self, inputs: Any) -> Any:
        """Permute the channels of a tensor."""
        return _complement_kmers(inputs, -1)


@register
class LocalAveragePooling2D(ArgumentLayer):
    """Average each channel over a sliding window of positions.

    Parameters
    ----------
    window_size : int, default 1
        Positions to average; the window moves by one.

    Notes
    -----
    From ``(windows, positions, 1, channels)`` to ``(windows, positions - window_size + 1, 1, channels)``.
    """

    arguments = ("window_size",)

    def __init__(self, window_size: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        require(window_size >= 1, "window_size is a number of positions, at least 1.", window_size=window_size)
        self.window_size = window_size

    def build(self, input_shape: Shape) -> None:
        """Check the input's shape."""
        _check_single_strand(input_shape)

    def call(self, inputs: Any) -> Any:
        """Average a tensor."""
        return ops.average_pool(inputs, (self.window_size, 1), strides=1, padding="valid")


def _check_single_strand(shape: Shape) -> None:
    valid = len(shape) == 4 and shape[2] == 1
    require(valid, "The input has the axes (windows, positions, 1, channels).", shape=tuple(shape))


@register
class DnaConv2D(keras.layers.Layer):
    """Scan both strands of DNA with the filters of a `Conv2D`.

    Parameters
    ----------
    layer : keras.layers.Conv2D
        Kernel size ``(width, 1)``; built or not. Its weights are the only ones: the other strand is read with the
        reverse complement of its kernel, computed anew at each call, so that both strands train it.
    merge_mode : {'max', 'ave', 'concat', None}
        Element-wise maximum or mean of the two strands' activations, both along the channels (forward first), or a
        list of the two.
    pool_size : int, default 1
        Max pooling over so many positions after merging (a rest is left out), as `MaxPooling2D((pool_size, 1))`.
        With 'max' and an increasing activation it is done first, on the bare convolution: the same values, and bias,
        activation and their gradients cost almost nothing.

    Attributes
    ----------
    forward_layer : keras.layers.Conv2D

    Raises
    ------
    TypeError
        When `layer` is no `Conv2D`.
    ValueError
        For an unknown merge mode, groups, channels first, another kernel size than ``(width, 1)``, channels that are
        no power of 4, or padding or strides with which the windows of the two strands would not match.

    Notes
    -----
    Input ``(windows, positions, 1, 4**order)``, of any order. Both strands are read at the same positions of the same
    input. For the reverse complement of an input the output is reversed in its positions, and with 'concat' its halves
    are swapped (with pooling, when `pool_size` divides the positions).

    Examples
    --------
    >>> layer = DnaConv2D(keras.layers.Conv2D(10, (11, 1), activation="relu"))
    >>> layer(ops.zeros((2, 500, 1, 4))).shape
    TensorShape([2, 490, 1, 10])
    """

    def __init__(
        self, layer: keras.layers.Conv2D, merge_mode: str | None = "max", *, pool_size: int = 1, **kwargs: Any
    ):
        _check_convolution(layer)
        super().__init__(**{"dtype": layer.dtype_policy, **kwargs})
        require(merge_mode in MERGE_MODES, f"merge_mode is one of {MERGE_MODES}.", merge_mode=merge_mode)
        require(pool_size >= 1, "pool_size is a number of positions, at least 1.", pool_size=pool_size)
        self.forward_layer, self.merge_mode, self.pool_size = layer, merge_mode, pool_size

    def build(self, input_shape: Shape) -> None:
        """Build the wrapped layer."""
        _check_single_strand(input_shape)
        _order_of(input_shape[-1])
        _check_symmetry(self.forward_layer, input_shape[1])
        if not self.forward_layer.built:
            self.forward_layer.build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Scan a one-hot encoding."""
        values = self._convolve(ops.squeeze(inputs, 2))
        if self.merge_mode == "max" and self.forward_layer.activation in _INCREASING:
            merged = self._activate(ops.maximum(*ops.split(self._pool(values), 2, axis=-1)))
            return ops.expand_dims(merged, 2)
        strands = [self._activate(strand) for strand in ops.split(values, 2, axis=-1)]
        if self.merge_mode is None:
            return [ops.expand_dims(self._pool(strand), 2) for strand in strands]
        return ops.expand_dims(self._pool(self._merge(strands)), 2)

    def _convolve(self, inputs: Any) -> Any:
        """Convolve with the kernel and its reverse complement at once, channels of the forward strand first.

        With one axis of positions: the gradient of a convolution with two takes twice the time in TensorFlow.
        """
        layer = self.forward_layer
        forward = ops.squeeze(layer.kernel, 1)
        kernel = ops.concatenate([forward, _complement_kmers(ops.flip(forward, axis=0), 1)], axis=-1)
        return ops.conv(
            inputs, kernel, strides=layer.strides[0], padding=layer.padding, dilation_rate=layer.dilation_rate[0]
        )

    def _activate(self, values: Any) -> Any:
        layer = self.forward_layer
        return layer.activation(ops.add(values, layer.bias) if layer.use_bias else values)

    def _merge(self, strands: list[Any]) -> Any:
        if self.merge_mode == "max":
            return ops.maximum(*strands)
        return (strands[0] + strands[1]) / 2 if self.merge_mode == "ave" else ops.concatenate(strands, axis=-1)

    def _pool(self, values: Any) -> Any:
        return values if self.pool_size == 1 else ops.max_pool(values, self.pool_size, self.pool_size, "valid")

    def compute_output_shape(self, input_shape: Shape) -> Shape | list[Shape]:
        """Return the shape, or one for each strand when they are not merged."""
        windows, positions, _, filters = self.forward_layer.compute_output_shape(input_shape)
        positions = None if positions is None else positions // self.pool_size
        shape = (windows, positions, 1, 2 * filters if self.merge_mode == "concat" else filters)
        return [shape, shape] if self.merge_mode is None else shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the layer."""
        layer = keras.saving.serialize_keras_object(self.forward_layer)
        return {**super().get_config(), "layer": layer, "merge_mode": self.merge_mode, "pool_size": self.pool_size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DnaConv2D":
        """Make the layer from `get_config`."""
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


def _check_convolution(layer: Any) -> None:
    if not isinstance(layer, keras.layers.Conv2D):
        msg = f"DnaConv2D wraps a keras.layers.Conv2D. Received: {type(layer).__name__}."
        raise TypeError(msg)
    require(layer.kernel_size[1] == 1, "DnaConv2D needs a kernel of (width, 1).", kernel_size=layer.kernel_size)
    require(layer.data_format == "channels_last", "DnaConv2D needs channels last.", data_format=layer.data_format)
    require(layer.groups == 1, "DnaConv2D has no groups.", groups=layer.groups)
    regularizer = layer.activity_regularizer
    require(regularizer is None, "DnaConv2D has no activity regularizer.", activity_regularizer=regularizer)


def _check_symmetry(layer: keras.layers.Conv2D, positions: int | None) -> None:
    """Refuse windows of the convolution that lie elsewhere when the sequence is read from its other end."""
    stride = layer.strides[0]
    reach = (layer.kernel_size[0] - 1) * layer.dilation_rate[0] + 1
    if stride == 1:
        symmetric = layer.padding == "valid" or reach % 2 == 1
    elif positions is None:
        symmetric = False
    elif layer.padding == "valid":
        symmetric = (positions - reach) % stride == 0
    else:
        padding = (-(-positions // stride) - 1) * stride + reach - positions
        symmetric = padding >= 0 and padding % 2 == 0
    needed = (
        "The windows of the two strands do not match. Use padding='valid' or an odd width, and strides that divide the "
        "positions less the width."
    )
    require(symmetric, needed, width=reach, strides=stride, padding=layer.padding, positions=positions)
