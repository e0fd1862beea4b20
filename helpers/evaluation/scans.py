"""The first filters of a network: which layer scans which sequence, and how long the pieces are that a filter sees."""

from collections.abc import Mapping
from typing import NamedTuple

import keras
from keras import layers

from helpers.errors import InputError
from helpers.model.layers import DnaConv2D, OneHotCodes

_SCAN, _ONE_HOT = "_scan", "_onehot"  # ends of the names of layers


class Scan(NamedTuple):
    """The first filters that read a sequence.

    Attributes
    ----------
    input : str
        Name of the sequence among the model's inputs.
    one_hot : OneHotCodes
    layer : DnaConv2D or keras.layers.Conv1D
        Reads what `one_hot` gives.
    width : int
        Of the filters, in k-mers.
    filters : int
        Their number.
    """

    input: str
    one_hot: OneHotCodes
    layer: keras.layers.Layer
    width: int
    filters: int

    @property
    def span(self) -> int:
        """Bases that a filter sees: its width, and of the last k-mer what follows its first base."""
        return self.width + self.one_hot.order - 1


def find_scans(model: keras.Model) -> list[Scan]:
    """Find the first filters of a network of `helpers.model.architectures`.

    Parameters
    ----------
    model : keras.Model
        With named inputs, and layers ``..._onehot`` (`OneHotCodes`) of one of them and ``..._scan`` (`DnaConv2D` or
        `Conv1D`) of the same prefix.

    Returns
    -------
    list of Scan
        One for each sequence that is scanned.

    Raises
    ------
    InputError
        When there is none; when filters are padded, strided or dilated, or their strands stay apart, or one sequence
        is scanned twice.
    """
    named = {layer.name: layer for layer in model.layers}
    inputs = model.input if isinstance(model.input, Mapping) else {}
    scans = []
    for name, layer in named.items():
        one_hot = named.get(f"{name.removesuffix(_SCAN)}{_ONE_HOT}") if name.endswith(_SCAN) else None
        if isinstance(one_hot, OneHotCodes) and isinstance(layer, DnaConv2D | layers.Conv1D):
            convolution = _convolution(layer)
            _check_plain(name, layer, convolution)
            sources = [key for key, tensor in inputs.items() if tensor is one_hot.input]
            scans += [Scan(key, one_hot, layer, convolution.kernel_size[0], convolution.filters) for key in sources]
    for scan in scans:
        if sum(scan.input == other.input for other in scans) > 1:
            msg = f"The network {model.name!r} scans the sequence {scan.input!r} twice. Give each scan an input."
            raise InputError(msg)
    if not scans:
        msg = f"The network {model.name!r} has no first filters that scan a sequence. Name other models at motifs."
        raise InputError(msg)
    return scans


def _convolution(layer: keras.layers.Layer) -> keras.layers.Layer:
    return layer.forward_layer if isinstance(layer, DnaConv2D) else layer


def _check_plain(name: str, layer: keras.layers.Layer, convolution: keras.layers.Layer) -> None:
    settings = (convolution.padding, convolution.strides[0], convolution.dilation_rate[0])
    if settings != ("valid", 1, 1):
        msg = f"{name}: filters are turned into motifs without padding, strides and dilation. Received: padding, "
        msg += f"strides, dilation_rate = {settings}. Build the network without them."
        raise InputError(msg)
    if isinstance(layer, DnaConv2D) and layer.merge_mode is None:
        msg = f"{name}: its strands stay apart, merge_mode=None. Build the network with 'max', 'ave' or 'concat'."
        raise InputError(msg)
