"""Random orientation: both axes together, one half of the samples, stored values never touched."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.coverage import Cover
from helpers.data.sequence import Bioseq
from helpers.data.storage import GenomeArray
from helpers.data.transforms import RandomOrientation, flip_orientation
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
    generator = RandomOrientation(cover, seed=np.random.default_rng(5))
    np.testing.assert_array_equal(generator[:], draws[0])
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


def test_the_wrapper_has_the_face_of_its_dataset(cover):
    flips = RandomOrientation(cover, seed=0)
    assert (flips.name, flips.shape, flips.ndim, len(flips)) == ("dnase", cover.shape, 4, 40)
    assert flips.conditions == cover.conditions
    assert flips.gindexer is cover.gindexer
    assert repr(flips) == f"RandomOrientation({cover!r})"
    with pytest.raises(AttributeError):
        _ = flips.codes


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
    with pytest.raises(InputError, match="'dna' is a sequence"):
        RandomOrientation(dna)


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
