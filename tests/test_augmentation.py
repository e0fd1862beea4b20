"""Random wrappers: the distributions that they promise, seeds that repeat them, stored values never touched."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.data.array import Array
from helpers.data.augmentation import (
    RandomOrientation,
    RandomShift,
    RandomSignalScale,
    draws_at,
    flip_orientation,
    shift_positions,
)
from helpers.data.coverage import Cover
from helpers.data.sequence import Bioseq
from helpers.data.storage import GenomeArray
from helpers.data.transforms import ReduceDim, Transpose
from helpers.errors import InputError

WINDOWS = pd.DataFrame({"chrom": "chr1", "start": np.arange(0, 400, 10), "end": np.arange(10, 410, 10)})


@pytest.fixture
def cover():
    counts = GenomeArray.from_contigs({"chr1": np.arange(800).reshape(400, 2)}, {"resolution": 1})
    return Cover.create_from_store("dnase", [counts, counts], WINDOWS, binsize=10)


def is_flipped(batch, original):
    """Tell which samples are flipped; anything but whole flips of positions and strands is a mistake."""
    flipped = []
    for sample, before in zip(batch, original, strict=True):
        turned = before[::-1, ::-1]
        assert (sample == before).all() or (sample == turned).all()
        flipped.append(bool((sample == turned).all()))
    return np.array(flipped)


def test_half_of_the_samples_are_flipped_as_a_whole(cover):
    flips = RandomOrientation(cover, seed=1)
    original = cover[:]
    found = np.concatenate([is_flipped(flips[:], original) for _ in range(50)])
    assert abs(found.mean() - 0.5) < 0.05  # 2,000 coins
    assert flips[:].dtype == np.float32
    assert flips[:].shape == original.shape


def test_each_access_draws_anew_and_a_seed_repeats_the_draws(cover):
    first, second, other = (RandomOrientation(cover, seed=seed) for seed in (5, 5, 6))
    draws = [first[:] for _ in range(3)]
    assert not (draws[0] == draws[1]).all()
    for draw in draws:
        np.testing.assert_array_equal(second[:], draw)
    assert not (other[:] == draws[0]).all()
    assert not (RandomOrientation(cover)[:] == RandomOrientation(cover)[:]).all()


def test_stored_values_are_never_touched(cover):
    array = np.arange(40 * 5 * 2.0).reshape(40, 5, 2, 1)
    for dataset in (cover, array, Cover.create_from_array("a", array, cover.gindexer)):
        before = np.array(dataset[:])
        flips = RandomOrientation(dataset, seed=0)
        for key in (slice(None), 3, -1, [1, 2], np.arange(40) % 2 == 0):
            flips[key][:] = -1
        np.testing.assert_array_equal(np.array(dataset[:]), before)


def test_index_forms_give_batches_also_of_plain_arrays(cover):
    array = np.random.default_rng(0).normal(size=(40, 3, 2, 1))
    flips = RandomOrientation(array, seed=0)
    is_flipped(flips[-1], array[[-1]])
    is_flipped(flips[np.int64(7)], array[[7]])
    is_flipped(flips[-3:], array[-3:])
    assert len(flips) == 40
    with pytest.raises(IndexError):
        flips[40]
    assert sum(1 for _ in RandomOrientation(cover)) == 40


def test_regions_are_never_flipped(cover):
    flips = RandomOrientation(cover, seed=0)
    for _ in range(10):
        np.testing.assert_array_equal(flips["chr1", 3, 9], cover["chr1", 3, 9])


def test_a_wrapper_pickles_and_goes_on_drawing(cover):
    flips = RandomOrientation(cover, seed=3)
    again = pickle.loads(pickle.dumps(flips))
    np.testing.assert_array_equal(again[:], flips[:])


def test_sequences_are_refused():
    dna = Bioseq("dna", GenomeArray.from_contigs({"chr1": np.zeros(5, dtype=np.uint8)}))
    for dataset in (dna, Transpose(dna, (0, 3, 2, 1)), RandomShift(dna, 1)):
        with pytest.raises(InputError, match="'dna' is a sequence"):
            RandomOrientation(dataset)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 2), st.integers(0, 99))
def test_flipping_twice_is_no_flip(samples, positions, strands, seed):
    rng = np.random.default_rng(seed)
    batch = rng.normal(size=(samples, positions, strands, 3))
    which = rng.random(samples) < 0.5
    once = flip_orientation(batch, which)
    np.testing.assert_array_equal(flip_orientation(once, which), batch)
    for sample in range(samples):
        expected = batch[sample, ::-1, ::-1] if which[sample] else batch[sample]
        np.testing.assert_array_equal(once[sample], expected)


def test_factors_are_uniform_around_one_for_each_sample_and_condition():
    for deviance in (0.1, 0.5, 1.0):
        scaled = RandomSignalScale(np.ones((4000, 3, 2, 2)), deviance, seed=1)[:]
        factors = scaled[:, 0, 0]
        np.testing.assert_array_equal(scaled, np.broadcast_to(factors[:, None, None], scaled.shape))
        for condition in range(2):
            uniform = stats.uniform(1 - deviance, 2 * deviance)
            assert stats.kstest(factors[:, condition], uniform.cdf).pvalue > 1e-3
        assert abs(np.corrcoef(factors.T)[0, 1]) < 0.06, "conditions are drawn apart"
    np.testing.assert_array_equal(RandomSignalScale(np.ones((3, 2)), 0)[:], np.ones((3, 2)))
    assert RandomSignalScale(np.ones(5, dtype=np.uint8), 0.5, seed=0)[:].dtype == np.float32
    for deviance in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError, match="deviance is 0 to 1"):
            RandomSignalScale(np.ones((2, 2)), deviance)


def slow_shift(sample, shift):
    moved = np.zeros_like(sample)
    for position in range(len(sample)):
        if 0 <= position + shift < len(sample):
            moved[position + shift] = sample[position]
    return moved


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-7, 7), min_size=0, max_size=6), st.integers(1, 5), st.integers(0, 9))
def test_shifting_moves_values_and_leaves_zeros(shifts, positions, seed):
    batch = np.random.default_rng(seed).normal(size=(len(shifts), positions, 2, 3))
    before = batch.copy()
    moved = shift_positions(batch, np.array(shifts, dtype=int))
    np.testing.assert_array_equal(batch, before)
    assert moved.shape == batch.shape
    for sample, original, shift in zip(moved, batch, shifts, strict=True):
        np.testing.assert_array_equal(sample, slow_shift(original, shift))


def test_shifts_are_uniform_and_both_ends_are_drawn():
    values = np.broadcast_to(np.arange(1, 6), (5000, 5))
    seen, numbers = np.unique(RandomShift(values, 2, seed=3)[:], axis=0, return_counts=True)
    assert seen.tolist() == [[0, 0, 1, 2, 3], [0, 1, 2, 3, 4], [1, 2, 3, 4, 5], [2, 3, 4, 5, 0], [3, 4, 5, 0, 0]]
    assert stats.chisquare(numbers).pvalue > 1e-3
    together = RandomShift(values, 2, batchwise=True, seed=3)
    drawn = [np.unique(together[:50], axis=0) for _ in range(60)]
    assert {len(rows) for rows in drawn} == {1}
    assert len({tuple(rows[0]) for rows in drawn}) == 5
    np.testing.assert_array_equal(RandomShift(values, 0)[:], values)
    for shift in (-1, 1.5, True):
        with pytest.raises(InputError, match="shift is a number of positions"):
            RandomShift(values, shift)
    with pytest.raises(InputError, match="needs the axes windows, positions. Received: 1"):
        RandomShift(np.arange(3), 1)


@pytest.mark.parametrize("wrap", [RandomOrientation, lambda data: RandomSignalScale(data, 0.5)])
def test_no_access_changes_a_named_array(wrap):
    array = np.arange(40 * 5 * 2.0).reshape(40, 5, 2, 1)
    before = array.copy()
    for dataset in (array, Array("a", array)):
        wrapped = wrap(RandomShift(wrap(dataset), 2))
        for key in (3, -1, slice(0, 9), [1, 2]):
            for _ in range(5):
                wrapped[key][:] = -7
    np.testing.assert_array_equal(array, before)


def test_nested_wrappers_of_one_seed_draw_apart():
    values = np.broadcast_to(np.arange(1.0, 7).reshape(1, 3, 2, 1), (3000, 3, 2, 1))
    twice = is_flipped(RandomOrientation(RandomOrientation(values, seed=4), seed=4)[:], values)
    assert 0.45 < twice.mean() < 0.55, "not flipped back by the same draws"
    both = RandomSignalScale(RandomOrientation(values, seed=4), 0.5, seed=4)[:]
    flipped, factor = both[:, 0, 0, 0] > both[:, -1, -1, 0], both.sum(axis=(1, 2, 3)) / 21
    assert abs(np.corrcoef(flipped, factor)[0, 1]) < 0.06


def test_a_place_fixes_the_draws_whoever_asks_in_whatever_order(cover):
    nested = ReduceDim(RandomShift(RandomOrientation(cover), 3), axis=2)
    direct = nested[:]
    draws = {epoch: draws_at(nested, [7], [epoch, 0])[:] for epoch in (0, 1)}
    assert not np.array_equal(draws[0], draws[1])
    for epoch in (1, 0, 0):
        np.testing.assert_array_equal(draws_at(nested, [7], [epoch, 0])[:], draws[epoch])
    assert not np.array_equal(draws_at(nested, [8], [0, 0])[:], draws[0]), "entropy stands in for a seed"
    seeded = RandomOrientation(cover, seed=1)
    np.testing.assert_array_equal(draws_at(seeded, [7], [0])[:], draws_at(seeded, [8], [0])[:])
    assert draws_at(cover, [7], [0]) is cover
    assert direct.shape == nested.shape


def test_a_copy_goes_on_where_the_original_stood(cover):
    flips = RandomOrientation(cover, seed=3)
    flips[:]
    copies = [copy.copy(flips), copy.deepcopy(flips), pickle.loads(pickle.dumps(flips))]
    expected = flips[:]
    for other in copies:
        np.testing.assert_array_equal(other[:], expected)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "a"])
def test_seeds_are_whole_numbers(cover, seed):
    with pytest.raises(InputError, match="seed is a whole number"):
        RandomOrientation(cover, seed=seed)
