"""k-mers as numbers, one for each position: from codes of letters, on the other strand, one-hot.

A k-mer is the number that its letters' codes are the digits of (base 4 for DNA, 20 for proteins), the first letter the
most significant; a k-mer that touches an unknown letter is unknown, one above the greatest number.
"""

from functools import cache

import numpy as np

from helpers.data.alphabet import DNA, Alphabet
from helpers.errors import InputError

_MAX_TABLE_CHANNELS = 64  # above this a table of one-hot rows falls out of the cache of the processor
_SHORT_ITEM = 32  # bytes


def kmer_codes(codes: np.ndarray, order: int, alphabet: Alphabet = DNA) -> np.ndarray:
    """Encode the k-mer that starts at each letter.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (n, length)
        Letters as `encode_letters` numbers them: 0 to 3 for A, C, G, T; anything above is unknown.
    order : int
        Length of the k-mers, 1 to 7 for DNA, 1 to 3 for proteins.
    alphabet : Alphabet, default DNA

    Returns
    -------
    numpy.ndarray, shape (n, length - order + 1)
        uint8 where there are at most 255 k-mers (DNA up to order 3, proteins of order 1), else uint16.
        ``len(letters)**order`` where the k-mer touches an unknown letter.

    Raises
    ------
    InputError
        When the order is out of range or longer than the sequences.

    Examples
    --------
    >>> kmer_codes(np.array([[0, 1, 2, 3, 4]], dtype=np.uint8), 2)  # AC CG GT T? of ACGTN
    array([[ 1,  6, 11, 16]], dtype=uint8)
    """
    check_order(order, codes.shape[1], alphabet)
    n_letters, length = alphabet.unknown, codes.shape[1] - order + 1
    kmers = codes[:, :length].astype(np.uint8 if n_letters**order < 256 else np.uint16)
    for position in range(1, order):
        kmers *= n_letters  # ten times faster than a shift
        kmers += codes[:, position : position + length]
    with_unknown = np.flatnonzero(codes.max(axis=1, initial=0) >= n_letters)
    if len(with_unknown):
        unknown = codes[with_unknown] >= n_letters
        touched = np.logical_or.reduce([unknown[:, position : position + length] for position in range(order)])
        kmers[with_unknown] = np.where(touched, kmers.dtype.type(n_letters**order), kmers[with_unknown])
    return kmers


def reverse_complement_codes(codes: np.ndarray, order: int) -> np.ndarray:
    """Read k-mer codes of DNA from the other strand.

    Parameters
    ----------
    codes : numpy.ndarray of uint, shape (n, positions)
        As `kmer_codes` gives them.
    order : int
        Length of the k-mers.

    Returns
    -------
    numpy.ndarray, shape (n, positions), of the dtype of `codes`
        Positions reversed, each k-mer replaced by its reverse complement; unknown stays unknown.

    Examples
    --------
    >>> reverse_complement_codes(np.array([[0, 1, 4]], dtype=np.uint8), 1)  # ACN -> NGT
    array([[4, 2, 3]], dtype=uint8)
    """
    return _reverse_complement_table(order)[codes[:, ::-1]].astype(codes.dtype, copy=False)


def one_hot(codes: np.ndarray, order: int, alphabet: Alphabet = DNA) -> np.ndarray:
    """Expand k-mer codes to one channel a k-mer.

    Parameters
    ----------
    codes : numpy.ndarray of uint, shape (n, positions)
        As `kmer_codes` gives them.
    order : int
        Length of the k-mers.
    alphabet : Alphabet, default DNA

    Returns
    -------
    numpy.ndarray of int8, shape (n, positions, 1, len(letters)**order)
        1 in the channel of the k-mer; unknown k-mers are 0 in all channels.

    Notes
    -----
    64 bytes a base for DNA of order 3, made as fast as memory can be copied. Batches above 32 MB cost two to three
    times as much a window: the system gives fresh memory for each, where smaller ones use the same again.

    Examples
    --------
    >>> one_hot(np.array([[2, 4]], dtype=np.uint8), 1)[0, :, 0]
    array([[0, 0, 1, 0],
           [0, 0, 0, 0]], dtype=int8)
    """
    channels = alphabet.unknown**order
    if channels <= _MAX_TABLE_CHANNELS:
        hot = _look_up_pairs(codes.reshape(-1), channels)
    else:
        hot = np.zeros(codes.size * channels, dtype=np.int8)
        known = np.flatnonzero(codes.ravel() < channels)
        hot[known * channels + codes.ravel()[known]] = 1
    return hot.reshape(*codes.shape, 1, channels)


def _look_up_pairs(codes: np.ndarray, channels: int) -> np.ndarray:
    """Expand codes, shape (n,): two of one byte, read as one number, find both of their rows at once."""
    if codes.dtype != np.uint8:
        codes = np.minimum(codes, channels).astype(np.uint8)
    even = codes if codes.size % 2 == 0 else np.append(codes, codes[:1])
    table, pairs = _pair_table(channels), even.view("<u2")
    # `take` copies short items much faster, an index copies long ones faster.
    rows = table.take(pairs, mode="clip") if table.itemsize <= _SHORT_ITEM else table[pairs]
    return rows.view(np.int8)[: codes.size * channels]


@cache
def _pair_table(channels: int) -> np.ndarray:
    """Give the rows of each pair of bytes as one item, at 256 * second + first; 8 MB for 64 channels."""
    rows, one = np.zeros((256, 256, 2, channels), dtype=np.int8), np.eye(channels, dtype=np.int8)
    rows[:, :channels, 0] = one
    rows[:channels, :, 1] = one[:, None]
    size = 2 * channels
    return rows.reshape(-1).view({8: np.uint64}.get(size, np.dtype((np.void, size))))


@cache
def _reverse_complement_table(order: int) -> np.ndarray:
    codes = np.arange(4**order)
    turned = np.zeros_like(codes)
    for position in range(order):
        turned = turned * 4 + 3 - (codes >> 2 * position & 3)
    return np.append(turned, 4**order).astype(np.uint16)


def check_order(order: int, length: int, alphabet: Alphabet = DNA) -> None:
    """Raise InputError unless windows of `length` letters can be read as k-mers of this length."""
    whole = isinstance(order, int | np.integer) and not isinstance(order, bool)
    if not whole or not 1 <= order <= alphabet.max_order:
        msg = f"order is the length of the k-mers, 1 to {alphabet.max_order} for {alphabet.name}. "
        msg += f"Received: order={order!r}."
        raise InputError(msg)
    if order > length:
        msg = f"Windows of {length} bp hold no {order}-mer. Received: order={order}. Make the windows longer."
        raise InputError(msg)
