"""One-hot rows of codes in any number, of any integer type and alphabet, against a loop."""

import numpy as np
import pytest

from helpers.data.alphabet import DNA, PROTEIN
from helpers.data.kmers import one_hot


def loop(codes, channels):
    hot = np.zeros((*codes.shape, 1, channels), dtype=np.int8)
    for place in np.ndindex(codes.shape):
        if codes[place] < channels:
            hot[(*place, 0, int(codes[place]))] = 1
    return hot


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
@pytest.mark.parametrize("shape", [(3, 7), (1, 1), (2, 8), (0, 5), (5, 0)], ids=str)
@pytest.mark.parametrize(("order", "alphabet"), [(1, DNA), (2, DNA), (3, DNA), (4, DNA), (1, PROTEIN), (2, PROTEIN)])
def test_one_hot_of_any_number_of_codes(order, alphabet, shape, dtype):
    channels = alphabet.unknown**order
    most = min(channels + 3, 1000 if dtype != np.uint8 else 256)  # the unknown one, and numbers that no k-mer has
    codes = np.random.default_rng(1).integers(0, most, shape).astype(dtype)
    given = codes.copy()
    hot = one_hot(codes, order, alphabet)
    assert hot.dtype == np.int8
    np.testing.assert_array_equal(hot, loop(codes, channels))
    np.testing.assert_array_equal(codes, given)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_one_hot_of_every_pair_of_neighbours(order):
    codes = np.stack(np.indices((256, 256)).astype(np.uint8), axis=-1).reshape(-1, 2)
    np.testing.assert_array_equal(one_hot(codes, order)[:, :, 0], codes[..., None] == np.arange(4**order))


def test_one_hot_of_a_part_of_an_array():
    codes = np.arange(60, dtype=np.uint8).reshape(6, 10)
    np.testing.assert_array_equal(one_hot(codes[::-2, 1:8], 3), loop(codes[::-2, 1:8], 64))
    odd = codes.reshape(-1)[1:9].reshape(2, 4)  # begins at an odd address
    np.testing.assert_array_equal(one_hot(odd, 3), loop(odd, 64))


def test_two_results_share_no_memory():
    codes = np.zeros((1, 3), dtype=np.uint8)
    first = one_hot(codes, 3)
    first[:] = 7
    assert one_hot(codes, 3).sum() == 3
