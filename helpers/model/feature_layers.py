"""Keras layers without weights that make features of DNA for linear models: counts of k-mers, scores of motifs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from helpers.model.layer_base import ArgumentLayer, Shape, register, require


def canonical_kmers(k: int) -> np.ndarray:
    """Give each k-mer a number that it shares with its reverse complement.

    Parameters
    ----------
    k : int
        Length of the k-mers.

    Returns
    -------
    numpy.ndarray of int32, shape (4**k,)
        Number of each k-mer, counted in alphabetical order of the first of each pair; from 0.

    Examples
    --------
    >>> canonical_kmers(1)  # A and T, C and G
    array([0, 1, 1, 0], dtype=int32)
    """
    codes = np.arange(4**k)
    other_strand = codes[::-1].reshape((4,) * k).transpose().ravel()
    return np.unique(np.minimum(codes, other_strand), return_inverse=True)[1].astype(np.int32)


@register
class KmerCounts(ArgumentLayer):
    """Count k-mers in windows, a k-mer and its reverse complement together.

    Parameters
    ----------
    k : int
        Length of the k-mers, 1 to 7.

    Notes
    -----
    Input: codes of order k, shape ``(windows, positions)``. Output: counts, shape ``(windows, canonical k-mers)``, in
    the order of `canonical_kmers`. Each position counts once, also when its k-mer is its own reverse complement;
    positions with an unknown base count nowhere. A window and its reverse complement have the same counts.

    Examples
    --------
    >>> KmerCounts(1)(np.array([[0, 3, 1, 4]], dtype="uint8")).numpy()  # A, T, C, N
    array([[2., 1.]], dtype=float32)
    """

    arguments = ("k",)

    def __init__(self, k: int, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})  # 16 bits cannot count beyond 256
        require(1 <= k <= 7, "k is the length of the k-mers, 1 to 7.", k=k)
        self.k = k
        numbers = canonical_kmers(k)
        self._size = int(numbers.max()) + 1
        self._numbers = np.append(numbers, np.int32(self._size))  # the last for unknown k-mers

    def call(self, codes: Any) -> Any:
        """Count in codes (windows, positions); one number a window and position is all the memory that it takes."""
        codes, windows = ops.cast(codes, "int32"), ops.shape(codes)[0]
        known = ops.logical_and(codes >= 0, codes < 4**self.k)
        numbers = ops.take(self._numbers, ops.where(known, codes, 4**self.k), axis=0)
        places = numbers + (self._size + 1) * ops.arange(windows, dtype="int32")[:, None]
        counts = ops.segment_sum(
            ops.reshape(ops.ones_like(places, dtype=self.compute_dtype), (-1,)),
            ops.reshape(places, (-1,)),
            num_segments=windows * (self._size + 1),
        )
        return ops.reshape(counts, (-1, self._size + 1))[:, : self._size]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (windows, canonical k-mers)."""
        return (input_shape[0], self._size)


@register
class MotifScores(ArgumentLayer):
    """Score motifs in windows: the best place of each, on either strand.

    Parameters
    ----------
    names : sequence of str
        One for each motif, of which the outputs are in this order.
    matrices : sequence of array of float, each of shape (length, 4)
        What each base, A, C, G or T, adds to the score at each position of the motif; kept in the layer's config.

    Notes
    -----
    Input: one-hot codes of order 1, shape ``(windows, positions, 1, 4)``. Output: shape ``(windows, motifs)``, the
    maximum over both strands and all places at which the whole motif lies in the window, of the sum over the motif. An
    unknown base adds nothing. A window and its reverse complement have the same scores.

    Examples
    --------
    >>> from helpers.model.layers import OneHotCodes
    >>> scores = MotifScores(["AC"], [[[2, -1, -1, -1], [-1, 2, -1, -1]]])
    >>> scores(OneHotCodes(1)(np.array([[0, 0, 1, 0], [2, 2, 3, 2], [0, 4, 4, 2]], dtype="uint8"))).numpy()  # GT is AC
    array([[4.],
           [4.],
           [2.]], dtype=float32)
    """

    arguments = ("names", "matrices")

    def __init__(self, names: Sequence[str], matrices: Sequence[Any], **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        arrays = [np.asarray(matrix, dtype=np.float32) for matrix in matrices]
        shapes = [array.shape for array in arrays]
        fit = all(len(shape) == 2 and shape[0] > 0 and shape[1] == 4 for shape in shapes)
        require(len(shapes) > 0 and fit, "matrices have the shape (length, 4).", shapes=shapes)
        require(len(names) == len(shapes), "Each matrix has a name.", names=list(names), matrices=len(shapes))
        self.names, self.matrices = list(names), [array.tolist() for array in arrays]
        self._lengths = np.array([len(array) for array in arrays])
        longest = self._lengths.max()
        both = [array[:: 1 - 2 * turned, :: 1 - 2 * turned] for turned in (0, 1) for array in arrays]
        padded = [np.pad(array, ((0, longest - len(array)), (0, 0))) for array in both]
        self._kernel = np.stack(padded, axis=-1)  # (longest, 4, motifs of the forward, then of the other strand)

    def build(self, input_shape: Shape) -> None:
        """Find the places at which each motif lies in the window."""
        valid = len(input_shape) == 4 and tuple(input_shape[2:]) == (1, 4) and input_shape[1] is not None
        require(valid, "The input has the axes (windows, positions, 1, 4).", shape=tuple(input_shape))
        positions, longest = input_shape[1], self._lengths.max()
        require(positions >= longest, "A motif is longer than the windows.", longest=int(longest), positions=positions)
        starts = np.arange(positions - self._lengths.min() + 1)
        outside = starts[:, None] + np.tile(self._lengths, 2) > positions
        self._outside = np.where(outside, -np.inf, 0).astype(np.float32)

    def call(self, inputs: Any) -> Any:
        """Score a one-hot encoding."""
        beyond = int(self._lengths.max() - self._lengths.min())
        padded = ops.pad(ops.squeeze(inputs, 2), ((0, 0), (0, beyond), (0, 0)))
        sums = ops.conv(padded, ops.cast(self._kernel, self.compute_dtype), padding="valid")
        sums = ops.add(sums, ops.cast(self._outside, self.compute_dtype))
        return ops.maximum(*ops.split(ops.max(sums, axis=1), 2, axis=-1))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (windows, motifs)."""
        return (input_shape[0], len(self.names))
