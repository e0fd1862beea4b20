"""Batches: every window once, in an order that the seed fixes, whatever reads them."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest

from helpers.data.array import Array
from helpers.data.augmentation import RandomOrientation, RandomShift, RandomSignalScale, flip_orientation
from helpers.data.batches import WindowBatches
from helpers.data.coverage import Cover
from helpers.data.sequence import Bioseq, encode_letters
from helpers.data.storage import GenomeArray
from helpers.data.transforms import ReduceDim, Transpose
from helpers.errors import InputError
from helpers.model.batches import JangguSequence


def make(windows=10, **settings):
    values = np.arange(windows * 2, dtype=np.uint8).reshape(windows, 2)
    return JangguSequence(Array("dna", values), {"bound": np.arange(windows)}, **settings)


def epoch(batches):
    """The labels of an epoch in their order, which are the window numbers."""
    return np.concatenate([outputs["bound"][:, 0] for _, outputs in batches]).astype(int).tolist()


def test_batches_hold_every_window_once_and_the_last_what_remains():
    batches = make(batch_size=4)
    assert len(batches) == batches.num_batches == 3
    assert [len(inputs["dna"]) for inputs, _ in batches] == [4, 4, 2]
    assert epoch(batches) == list(range(10))
    inputs, outputs = batches[-1]
    assert inputs["dna"].tolist() == [[16, 17], [18, 19]]
    assert inputs["dna"].dtype == np.uint8
    assert outputs["bound"].dtype == np.float32
    with pytest.raises(IndexError, match="Batch 3 is out of range for 3"):
        batches[3]


def test_all_windows_are_permuted_before_the_first_epoch_and_after_each():
    batches, same = (make(windows=40, batch_size=8, shuffle=True, seed=5) for _ in range(2))
    orders = []
    for _ in range(3):
        orders.append(epoch(batches))
        assert orders[-1] == epoch(same)
        assert sorted(orders[-1]) == list(range(40))
        batches.on_epoch_end()
        same.on_epoch_end()
    assert len({tuple(order) for order in [*orders, range(40)]}) == 4
    assert sorted(orders[0][:8]) != sorted(orders[1][:8]), "windows change their batch, not batches their place"
    assert epoch(make(windows=40, shuffle=True, seed=6)) != orders[0]
    assert epoch(make(windows=40, shuffle=True)) != epoch(make(windows=40, shuffle=True)), "no seed, no repetition"


def test_inputs_and_labels_stay_together_when_shuffled():
    batches = make(windows=30, batch_size=7, shuffle=True, seed=1)
    for inputs, outputs in batches:
        np.testing.assert_array_equal(inputs["dna"][:, 0], 2 * outputs["bound"][:, 0])


def test_augmentation_depends_on_seed_epoch_and_batch_alone():
    coverage = np.random.default_rng(0).random((12, 4, 2, 1)).astype(np.float32)

    def flip(batch, rng):
        return flip_orientation(batch, rng.random(len(batch)) < 0.5)

    def make_flipped():
        return JangguSequence({"dnase": coverage}, batch_size=4, seed=3, augment={"dnase": flip})

    forward, backward = make_flipped(), make_flipped()
    first = [forward[number][0]["dnase"] for number in range(3)]
    again = [backward[number][0]["dnase"] for number in (2, 1, 0)][::-1]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(np.concatenate(first), coverage)
    forward.on_epoch_end()
    assert not np.array_equal(first, [forward[number][0]["dnase"] for number in range(3)])
    (plain,) = forward.inputs_in_order(12)[0]
    np.testing.assert_array_equal(plain["dnase"], coverage)


def test_a_wrapped_dataset_is_read_as_it_is():
    coverage = np.arange(48, dtype=np.float32).reshape(6, 4, 2, 1)
    batches, same = (
        JangguSequence({"dnase": RandomOrientation(coverage, seed=2)}, {"bound": np.zeros(6)}) for _ in range(2)
    )
    np.testing.assert_array_equal(batches[0][0]["dnase"], same[0][0]["dnase"])


def test_lists_come_as_tuples_in_their_order():
    batches = JangguSequence([np.arange(3), np.arange(3) * 2], [np.arange(3)], batch_size=2, as_dict=False)
    (first, second), (target,) = batches[1]
    assert (first.tolist(), second.tolist(), target.tolist()) == ([2], [4], [[2.0]])
    bare = JangguSequence(np.arange(3), np.arange(3), batch_size=2, as_dict=False)
    assert [values.tolist() for values in bare[1]] == [[2], [[2.0]]]


def test_named_datasets_bind_to_their_names():
    inputs = [Array("dna", np.zeros((2, 3))), Array("rna", np.zeros((2, 3)))]
    batches = JangguSequence(inputs)
    assert list(batches[0][0]) == ["dna", "rna"]
    assert len(batches[0]) == 1, "no outputs, no weights"


def test_weights_follow_their_windows():
    weights = np.arange(10) / 10
    inputs, outputs, weighed = make(sample_weights=weights, shuffle=True, seed=1)[0]
    np.testing.assert_allclose(weighed, outputs["bound"][:, 0] / 10, rtol=1e-6)


def test_outputs_have_a_row_for_each_window_and_a_column_for_each_output():
    for labels, expected in (
        (np.array([0, 1]), [[0.0], [1.0]]),
        (np.array([[0, 1], [1, 1]], dtype=np.uint8), [[0.0, 1.0], [1.0, 1.0]]),
        (np.array([3.0, 4.0]).reshape(2, 1, 1, 1), [[3.0], [4.0]]),
    ):
        batches = JangguSequence({"dna": np.zeros((2, 3))}, {"bound": labels})
        assert batches[0][1]["bound"].tolist() == expected
        assert batches.targets().tolist() == expected
    profiles = JangguSequence({"dna": np.zeros((2, 3))}, {"bound": np.zeros((2, 5, 1, 1))})
    assert profiles[0][1]["bound"].shape == (2, 5, 1, 1), "values by position stay as they are"
    with pytest.raises(InputError, match="one value for each window and output"):
        profiles.targets()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"inputs": {"dna": np.zeros((3, 2))}, "outputs": {"bound": np.zeros(4)}}, "input dna: 3, output bound: 4"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "outputs": {"b": np.zeros(3)}, "sample_weights": [1]}, "weights: 1"),
        ({"inputs": {"dna": np.zeros((0, 2))}}, "at least one. Received: input dna: 0"),
        ({"inputs": {}}, "no inputs"),
        ({"inputs": np.zeros((3, 2))}, r"each dataset needs a name of its own; received \[None\]"),
        ({"inputs": [Array("dna", [1]), Array("dna", [1])]}, "name of its own"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "as_dict": False}, "needs as_dict=True"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "batch_size": 0}, "batch_size=0"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "workers": 0}, "workers and max_queue_size are at least 1"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "augment": {"dnase": None}}, "'dnase' is no input"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "sample_weights": np.ones(3)}, "sample_weights weigh outputs"),
    ],
)
def test_mistakes_are_named(settings, message):
    with pytest.raises(InputError, match=message):
        JangguSequence(**settings)


def test_targets_need_one_output():
    with pytest.raises(InputError, match=r"One output is needed.*\[\]"):
        JangguSequence({"dna": np.zeros((3, 2))}).targets()


LETTERS = "".join(np.random.default_rng(0).choice(list("ACGTN"), 400))
WINDOWS = pd.DataFrame({"chrom": "chr1", "start": np.arange(0, 380, 10)}).assign(end=lambda table: table.start + 20)


def genome_batches(**settings):
    """A sequence, augmented coverage and labels of the same windows."""
    genome = GenomeArray.from_contigs({"chr1": encode_letters(LETTERS.encode())})
    counts = GenomeArray.from_contigs({"chr1": np.arange(800).reshape(400, 2)}, {"resolution": 1})
    dna = Bioseq.create_from_refgenome("dna", genome, WINDOWS, binsize=20, order=2)
    dnase = Cover.create_from_store("dnase", [counts], WINDOWS, binsize=20)
    augmented = ReduceDim(RandomSignalScale(RandomShift(RandomOrientation(dnase), 3), 0.1), axis=2)
    labels = Array("bound", np.arange(len(WINDOWS)))
    settings = {"batch_size": 7, "shuffle": True, "seed": 4} | settings
    return JangguSequence([dna, augmented], labels, labels[:] / 10, **settings)


def epochs(batches, number=3):
    """All batches of some epochs, flat."""
    found = []
    for _ in range(number):
        for inputs, outputs, weights in batches:
            found += [inputs["dna"], inputs["dnase"], outputs["bound"], weights]
        batches.on_epoch_end()
    return found


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_a_sequence_is_one_hot_as_the_dataset_or_codes():
    hot, codes = genome_batches()[0][0]["dna"], genome_batches(codes=True)[0][0]["dna"]
    dna = genome_batches().inputs["dna"]
    rows = genome_batches().indices[:7]
    np.testing.assert_array_equal(hot, dna[rows])
    np.testing.assert_array_equal(codes, dna.codes(rows))
    assert (hot.shape, codes.shape) == ((7, 19, 1, 16), (7, 19))
    wrapped = WindowBatches(Transpose(dna, (0, 3, 2, 1)), batch_size=2, codes=True)
    assert wrapped.batch(0, 0)[0]["dna"].shape == (2, 16, 1, 19), "a wrapper is read as it is"


@pytest.mark.parametrize("workers", [{"workers": 3}, {"workers": 2, "use_multiprocessing": True}])
def test_workers_change_nothing_about_batches(workers):
    expected = epochs(genome_batches())
    assert_same(epochs(genome_batches(**workers, max_queue_size=3)), expected)
    ahead = genome_batches(**workers)
    for index in (4, 0, 1, 3, -1):
        inputs, outputs, _ = ahead[index]
        np.testing.assert_array_equal(outputs["bound"], expected[4 * (index % 6) + 2])
        np.testing.assert_array_equal(inputs["dnase"], expected[4 * (index % 6) + 1])
    again = pickle.loads(pickle.dumps(ahead))
    assert_same(epochs(again), expected)


def test_two_readers_at_once_get_the_batches_of_one():
    ahead, expected = genome_batches(workers=2, max_queue_size=2), genome_batches()
    places = [(epoch, index) for epoch in range(4) for index in range(6)] * 5
    with ThreadPoolExecutor(4) as readers:
        for place, (inputs, _, _) in zip(places, readers.map(lambda place: ahead.batch(*place), places), strict=True):
            np.testing.assert_array_equal(inputs["dnase"], expected.batch(*place)[0]["dnase"])


def test_seeds_of_wrappers_hold_whatever_the_seed_of_the_batches():
    coverage = np.random.default_rng(0).random((12, 4, 2, 1))

    def read(seed, *wrapped):
        batches = JangguSequence({str(number): dataset for number, dataset in enumerate(wrapped)}, seed=seed)
        return list(batches[0][0].values())

    (first,), (second,) = read(1, RandomOrientation(coverage, seed=2)), read(3, RandomOrientation(coverage, seed=2))
    np.testing.assert_array_equal(first, second)
    unseeded, other = read(1, RandomOrientation(coverage), RandomOrientation(coverage))
    np.testing.assert_array_equal(unseeded, read(1, RandomOrientation(coverage))[0])
    assert not np.array_equal(unseeded, other), "inputs draw apart"
    assert not np.array_equal(unseeded, read(2, RandomOrientation(coverage))[0])


def test_a_mistake_in_a_worker_reaches_the_user():
    batches = JangguSequence({"x": np.ones((4, 2))}, augment={"x": lambda batch, rng: batch / 0}, workers=2)
    with pytest.raises(RuntimeWarning, match="divide by zero"):
        batches[0]
    unsent = JangguSequence(
        {"x": np.ones((4, 2))}, augment={"x": lambda batch, rng: batch}, workers=2, use_multiprocessing=True
    )
    with pytest.raises(InputError, match="sends the datasets to processes; something in them cannot be sent"):
        unsent[0]


def fitted_weights(shuffle_batches=False, **settings):
    keras.utils.set_random_seed(0)
    dna, dnase = keras.Input((19, 1, 16), name="dna"), keras.Input((20, 1), name="dnase")
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(dna), keras.layers.Flatten()(dnase)])
    outputs = {"bound": keras.layers.Dense(1, name="bound", use_bias=False)(joined)}
    model = keras.Model({"dna": dna, "dnase": dnase}, outputs)
    model.compile(keras.optimizers.SGD(1e-9), "mse", metrics={"bound": ["mae"]})
    history = model.fit(genome_batches(**settings), epochs=3, verbose=0, shuffle=shuffle_batches)
    return model.get_weights()[0], history.history["loss"]


def test_models_learn_the_same_with_any_number_of_workers():
    weights, losses = fitted_weights()
    for workers in ({"workers": 2}, {"workers": 2, "use_multiprocessing": True}):
        others, other_losses = fitted_weights(**workers)
        np.testing.assert_array_equal(others, weights)
        assert other_losses == losses
    assert not np.array_equal(fitted_weights(seed=5)[0], weights)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is a whole number of at least 1. Received: batch_size=0"),
        ({"batch_size": 2.5}, "Received: batch_size=2.5"),
        ({"batch_size": None}, "Received: batch_size=None"),
        ({"seed": -1}, "seed is a whole number of at least 0. Received: seed=-1"),
        ({"seed": "a"}, "Received: seed='a'"),
        ({"sample_weights": ["a"] * 10}, "sample_weights are numbers, one a window"),
        ({"sample_weights": {"bound": np.ones(10)}}, "sample_weights are numbers, one a window"),
        ({"sample_weights": np.ones((10, 1))}, r"Received: shape \(10, 1\)"),
    ],
)
def test_bad_numbers_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        make(**settings)


def test_no_input_at_all_is_refused():
    for nothing in ([], {}):
        with pytest.raises(InputError, match="There are no inputs"):
            WindowBatches(nothing, {"bound": np.ones(3)})


def test_tables_and_lists_are_read_by_rows():
    table = pd.DataFrame({"a": range(6), "b": range(6)}, index=list("uvwxyz"))
    batches = WindowBatches({"x": table}, {"y": table["a"], "z": list(range(6))}, batch_size=4)
    inputs, outputs = batches.batch(0, 1)
    assert inputs["x"].tolist() == [[4, 4], [5, 5]]
    assert outputs["y"].tolist() == outputs["z"].tolist() == [[4], [5]]
