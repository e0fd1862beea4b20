"""Wrappers against numpy on the whole array: any nesting, any index, shapes that tell the truth."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.array import Array
from helpers.data.augmentation import RandomOrientation, RandomShift, RandomSignalScale
from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.sequence import Bioseq, encode_letters
from helpers.data.storage import GenomeArray
from helpers.data.transforms import NanToNumConverter, ReduceDim, SqueezeDim, Transpose
from helpers.errors import InputError

WINDOWS = pd.DataFrame({"chrom": "chr1", "start": np.arange(0, 200, 10), "end": np.arange(10, 210, 10)})


@pytest.fixture
def cover():
    counts = GenomeArray.from_contigs({"chr1": np.arange(400).reshape(200, 2)}, {"resolution": 1})
    return Cover.create_from_store("dnase", [counts, counts], WINDOWS, binsize=10, conditions=["a", "b"])


@pytest.fixture
def dna():
    letters = np.random.default_rng(0).choice(list(b"ACGTN"), 200).astype(np.uint8)
    genome = GenomeArray.from_contigs({"chr1": encode_letters(letters.tobytes())})
    return Bioseq.create_from_refgenome("dna", genome, WINDOWS, binsize=10)


def least(batch, axis):
    return np.min(batch, axis=axis, initial=9)


WRAPPERS = [
    (lambda data: ReduceDim(data), lambda array: array.sum(axis=(1, 2))),
    (lambda data: ReduceDim(data, "mean", axis=-2), lambda array: array.mean(axis=2)),
    (lambda data: ReduceDim(data, "max", axis=1), lambda array: array.max(axis=1)),
    (
        lambda data: ReduceDim(ReduceDim(data, least, axis=[3]), least, axis=1),
        lambda array: least(least(array, 3), 1),
    ),
    (lambda data: Transpose(data, (0, 3, 2, 1)), lambda array: array.transpose(0, 3, 2, 1)),
    (lambda data: Transpose(data, [0, -1, 1, 2]), lambda array: array.transpose(0, 3, 1, 2)),
    (lambda data: NanToNumConverter(data), lambda array: array),
    (lambda data: SqueezeDim(ReduceDim(data, axis=(1, 2))), lambda array: array.sum(axis=(1, 2))),
    (lambda data: Transpose(ReduceDim(data, axis=2), axis=(0, 2, 1)), lambda array: array.sum(axis=2).swapaxes(1, 2)),
]
KEYS = [0, -1, np.int64(3), slice(None), slice(-3, None), slice(1, 9, 3), [5, 2, 2, -1], np.arange(20) % 3 == 0, []]


@pytest.mark.parametrize(("wrap", "oracle"), WRAPPERS)
@pytest.mark.parametrize("kind", ["cover", "dna", "Array", "ndarray"])
def test_wrappers_do_what_numpy_does_for_any_index(cover, dna, wrap, oracle, kind):
    inner = {"cover": cover, "dna": dna, "Array": Array("x", cover[:]), "ndarray": cover[:]}[kind]
    expected = oracle(np.array(inner[:]))
    wrapped = wrap(inner)
    assert wrapped.shape == expected.shape
    assert (wrapped.ndim, len(wrapped)) == (expected.ndim, len(expected))
    np.testing.assert_array_equal(np.asarray(wrapped), expected)
    for key in KEYS:
        rows = np.atleast_1d(np.arange(20)[key] if np.ndim(key) == 0 or len(key) else np.zeros(0, dtype=int))
        np.testing.assert_array_equal(wrapped[key], expected[rows])
    with pytest.raises(IndexError):
        wrapped[20]
    assert sum(1 for _ in wrapped) == 20
    for other in (copy.copy(wrapped), copy.deepcopy(wrapped), pickle.loads(pickle.dumps(wrapped))):
        np.testing.assert_array_equal(other[:], expected)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=4, max_size=4),
    st.lists(st.sampled_from(["reduce", "squeeze", "transpose", "nan", "scale", "shift"]), max_size=4),
    st.randoms(use_true_random=False),
)
def test_shapes_are_those_of_batches_for_any_nesting(shape, kinds, random):
    data = NanToNumConverter(np.random.default_rng(0).normal(size=shape))
    for kind in kinds:
        axes = list(range(1, data.ndim))
        if kind == "reduce" and axes:
            axis = random.choice(axes)
            data = ReduceDim(data, axis=axis - data.ndim if random.random() < 0.5 else (axis,))
        elif kind == "squeeze":
            data = SqueezeDim(data)
        elif kind == "transpose":
            random.shuffle(axes)
            data = Transpose(data, [0, *axes])
        elif kind == "shift" and axes:
            data = RandomShift(data, 2)
        else:
            data = NanToNumConverter(data) if kind == "nan" else RandomSignalScale(data, 0.5)
    assert data[:].shape == data.shape
    assert data[0].shape == (1, *data.shape[1:])


def test_wrappers_have_the_face_of_what_they_hold(cover):
    for wrapped in (ReduceDim(cover), SqueezeDim(Transpose(cover, (0, 3, 2, 1))), RandomOrientation(cover)):
        assert wrapped.name == "dnase"
        assert wrapped.conditions == ["a", "b"]
        assert list(wrapped.gindexer) == list(cover.gindexer)
        assert not hasattr(wrapped, "codes")
    assert ReduceDim(cover).data is cover
    assert repr(SqueezeDim(ReduceDim(cover))) == f"SqueezeDim(ReduceDim({cover!r}))"
    bare = ReduceDim(np.ones((2, 3, 1, 1)))
    assert [hasattr(bare, name) for name in ("name", "conditions", "gindexer")] == [False] * 3
    assert repr(bare) == "ReduceDim(array(2, 3, 1, 1))"
    named = ReduceDim(Array("x", np.ones((2, 3, 1, 1))))
    assert (named.name, named.conditions, hasattr(named, "gindexer")) == ("x", None, False)


def test_other_windows_leave_the_wrapped_dataset_as_it_is(cover):
    wrapped = SqueezeDim(ReduceDim(cover))
    wrapped.gindexer = GenomicIndexer.create_from_file(WINDOWS[:3], 10)
    assert (len(wrapped), len(cover)) == (3, 20)
    np.testing.assert_array_equal(wrapped[:], cover[:3].sum(axis=(1, 2)))


def test_regions_are_changed_like_batches(cover, dna):
    np.testing.assert_array_equal(ReduceDim(cover, axis=2)["chr1", 3, 9, "-"], cover["chr1", 3, 9, "-"].sum(axis=2))
    assert Transpose(dna, (0, 3, 2, 1))["chr1", 3, 9].shape == (1, 4, 1, 6)
    with pytest.raises(InputError, match="holds an array, which has no regions"):
        ReduceDim(np.ones((2, 3, 1, 1)))["chr1", 3, 9]


def test_missing_values_are_filled_in_a_copy():
    values = np.array([[np.nan, np.inf, -np.inf, 2.0]])
    filled = NanToNumConverter(values)[:]
    assert filled.tolist() == [[0.0, np.finfo(float).max, np.finfo(float).min, 2.0]]
    assert np.isnan(values[0, 0])


@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (lambda data: ReduceDim(data, "median"), "aggregator must be sum, mean, max or a function. Received: 'median'"),
        (lambda data: ReduceDim(data, axis=0), "axis is 1 to 3"),
        (lambda data: ReduceDim(data, axis=(1, -3)), "each once"),
        (lambda data: ReduceDim(data, axis=4), "Received: axis=4 for 4 axes"),
        (lambda data: SqueezeDim(data, axis=-4), "axis is 1 to 3"),
        (lambda data: SqueezeDim(data, axis=1)[:], "axis 1 of shape .20, 10, 2, 2.. Use ReduceDim"),
        (lambda data: Transpose(data, (0, 1, 2)), "each of the 4 axes once"),
        (lambda data: Transpose(data, (1, 0, 2, 3)), r"0 .the window. first. Received: axis=.1, 0, 2, 3."),
        (lambda data: RandomOrientation(ReduceDim(data)), "needs the axes windows, positions, strands"),
    ],
)
def test_mistakes_are_named(cover, wrap, message):
    with pytest.raises(InputError, match=message):
        wrap(cover)


def test_only_datasets_are_wrapped():
    with pytest.raises(TypeError, match="wraps a dataset or an array. Received: 'x'"):
        ReduceDim("x")


def test_an_array_is_indexed_as_numpy_does_and_gives_copies():
    values = np.arange(24.0).reshape(6, 2, 2)
    array = Array("x", values, conditions=["a", "b"])
    for key in (0, -1, slice(1, 3), [4, 1], values[:, 0, 0] > 8, (slice(None), 1), (..., 0), (0, 1, 1)):
        np.testing.assert_array_equal(array[key], values[key])
    array[1:3][:] = -1
    np.asarray(array)[:] = -1
    assert values.min() == 0
    with pytest.raises(ValueError, match="read-only"):
        array.data[0] = 1
    assert values.flags.writeable
    assert (array.shape, array.ndim, array.dtype, len(array)) == ((6, 2, 2), 3, np.float64, 6)
    assert Array("y", [1, 2, 3]).shape == (3,)
    assert repr(array) == "Array('x', shape=(6, 2, 2))"
    assert not hasattr(array, "gindexer")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array))[:], values)
    for other in (copy.copy(array), copy.deepcopy(array)):
        np.testing.assert_array_equal(other[:], values)


def test_mistakes_in_arrays_are_named():
    with pytest.raises(TypeError, match="The name of a dataset is a str. Received: 3"):
        Array(3, np.ones(2))
    with pytest.raises(InputError, match="single value 3"):
        Array("x", 3)
    with pytest.raises(InputError, match="one name for each item of the last axis of .2, 3."):
        Array("x", np.ones((2, 3)), conditions=["a"])
