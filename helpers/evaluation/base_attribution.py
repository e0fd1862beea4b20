"""From attributions of k-mers to those of single bases, and from a window's own strand to the genome's."""

import numpy as np

from helpers.data.indexer import Windows
from helpers.data.window_bins import turn_minus


def letters_of_kmers(codes: np.ndarray, order: int) -> np.ndarray:
    """Read the bases off k-mer codes.

    Parameters
    ----------
    codes : numpy.ndarray of uint, shape (n, positions)
        As `helpers.data.kmers.kmer_codes` gives them.
    order : int
        Length of the k-mers.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, positions + order - 1)
        0 to 3 for A, C, G, T; 4 where no known k-mer covers the base, whatever it was: these codes do not tell.

    Examples
    --------
    >>> letters_of_kmers(np.array([[1, 6, 11, 16]], dtype=np.uint8), 2)  # AC CG GT T?
    array([[0, 1, 2, 3, 4]], dtype=uint8)
    """
    n, positions = codes.shape
    letters = np.full((n, positions + order - 1), 4, dtype=np.uint8)
    known, numbers = codes < 4**order, codes.astype(np.int64)
    for place in range(order):
        part = letters[:, place : place + positions]
        part[known] = (numbers[known] >> 2 * (order - 1 - place)) & 3
    return letters


def spread_kmers(values: np.ndarray, order: int) -> np.ndarray:
    """Spread what belongs to k-mers evenly over their bases; the sum stays the same.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n, positions)
    order : int

    Returns
    -------
    numpy.ndarray of float, shape (n, positions + order - 1)

    Examples
    --------
    >>> spread_kmers(np.array([[2.0, 4.0]]), 2)
    array([[1., 3., 2.]])
    """
    n, positions = values.shape
    bases = np.zeros((n, positions + order - 1), dtype=values.dtype)
    for place in range(order):
        bases[:, place : place + positions] += values
    return bases / order


def on_letters(values: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """Give each base's value to the channel of its letter.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n, bases)
    letters : numpy.ndarray of uint8, shape (n, bases)
        0 to 3 for A, C, G, T; anything above is unknown.

    Returns
    -------
    numpy.ndarray of float32, shape (n, bases, 4)
        0 in the other channels, and in all four at an unknown base.

    Examples
    --------
    >>> on_letters(np.array([[0.5, -1.0]]), np.array([[2, 4]], dtype=np.uint8))[0]
    array([[0. , 0. , 0.5, 0. ],
           [0. , 0. , 0. , 0. ]], dtype=float32)
    """
    return np.where(letters[..., None] == np.arange(4), values[..., None], 0).astype(np.float32)


def turn_to_genome(values: np.ndarray, windows: Windows, resolution: int | None) -> np.ndarray:
    """Turn windows on the minus strand so that they are read as the plus strand of the genome.

    Parameters
    ----------
    values : numpy.ndarray, shape (windows, bases, 4) or (windows, positions, strands, conditions)
        As the windows see them. Left unchanged.
    windows : Windows
        With flanks.
    resolution : int or None
        Bin length in bp, 1 for a sequence; None is one position a window.

    Returns
    -------
    numpy.ndarray, shape of `values`
        From left to right on the genome; of a sequence the letters, of coverage the strands are those of the genome.
    """
    turned = values.copy()
    turn_minus(turned, windows, resolution)  # letters A, C, G, T reversed are their complements, as strands are
    return turned
