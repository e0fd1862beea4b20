"""Shuffles keep dinucleotides and ends, and draw all such sequences alike."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from helpers.data.sequence import encode_letters
from helpers.data.shuffling import shuffle_dinucleotides


def pairs(row):
    return Counter(zip(row[:-1].tolist(), row[1:].tolist(), strict=True))


def stretches(row):
    """Where the stretches of known bases lie."""
    places = np.flatnonzero(row < 4)
    return [group for group in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(group)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("ACGTN", min_size=40, max_size=40), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_each_stretch_keeps_its_dinucleotides_and_its_ends(texts, seed):
    codes = np.stack([encode_letters(text.encode()) for text in texts])
    before = codes.copy()
    shuffled = shuffle_dinucleotides(codes, np.random.default_rng(seed))
    assert (codes == before).all()
    assert shuffled.dtype == np.uint8
    for row, other in zip(codes, shuffled, strict=True):
        assert ((row > 3) == (other > 3)).all()
        assert pairs(row) == pairs(other)
        for group in stretches(row):
            assert pairs(row[group]) == pairs(other[group])
            assert (row[group[[0, -1]]] == other[group[[0, -1]]]).all()


@pytest.mark.parametrize("text", ["ACAGCAAC", "AACAAAAAG", "TTATCTATT", "ACGTCATGA"])
def test_all_sequences_of_the_same_dinucleotides_are_drawn_alike(text):
    codes = encode_letters(text.encode())
    inner = itertools.permutations(codes[1:-1].tolist())
    possible = {(codes[0], *middle, codes[-1]) for middle in inner}
    possible = sorted(row for row in possible if pairs(np.array(row)) == pairs(codes))
    shuffled = shuffle_dinucleotides(np.tile(codes, (4000, 1)), np.random.default_rng(3))
    found = Counter(map(tuple, shuffled.tolist()))
    assert sorted(found) == possible
    assert chisquare([found[row] for row in possible]).pvalue > 0.001


def test_a_low_complexity_sequence_is_no_trap():
    codes = encode_letters(b"A" * 499 + b"T")[None]
    assert (shuffle_dinucleotides(codes, np.random.default_rng(1)) == codes).all()


def test_long_sequences_lose_their_order():
    codes = np.random.default_rng(2).integers(0, 4, (20, 500)).astype(np.uint8)
    shuffled = shuffle_dinucleotides(codes, np.random.default_rng(4))
    assert 0.2 < (shuffled == codes).mean() < 0.3


def test_the_seed_decides():
    codes = np.random.default_rng(2).integers(0, 5, (5, 60)).astype(np.uint8)
    first, again, other = (shuffle_dinucleotides(codes, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("text", ["", "A", "NN", "ACG", "NACGN"])
def test_short_and_unknown_sequences_stay(text):
    codes = encode_letters(text.encode())[None]
    assert (shuffle_dinucleotides(codes, np.random.default_rng(0)) == codes).all()
