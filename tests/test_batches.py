"""Batches: every window once, in an order that the seed fixes, whatever reads them."""

import numpy as np
import pytest

from helpers.data.transforms import RandomOrientation, flip_orientation
from helpers.errors import InputError
from helpers.model.batches import JangguSequence


class Codes:
    """A stand-in for a sequence dataset: models read its codes."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def codes(self, rows):
        return self.values[rows]

    def __len__(self):
        return len(self.values)


def make(windows=10, **settings):
    values = np.arange(windows * 2, dtype=np.uint8).reshape(windows, 2)
    return JangguSequence(Codes("dna", values), {"bound": np.arange(windows)}, **settings)


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


def test_named_datasets_bind_to_their_names():
    inputs = [Codes("dna", np.zeros((2, 3))), Codes("rna", np.zeros((2, 3)))]
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
    with pytest.raises(InputError, match="one value for each window and output"):
        JangguSequence({"dna": np.zeros((2, 3))}, {"bound": np.zeros((2, 5, 1, 1))})[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"inputs": {"dna": np.zeros((3, 2))}, "outputs": {"bound": np.zeros(4)}}, "input dna: 3, output bound: 4"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "outputs": {"b": np.zeros(3)}, "sample_weights": [1]}, "weights: 1"),
        ({"inputs": {"dna": np.zeros((0, 2))}}, "at least one. Received: input dna: 0"),
        ({"inputs": {}}, "no inputs"),
        ({"inputs": np.zeros((3, 2))}, r"each dataset needs a name of its own; received \[None\]"),
        ({"inputs": [Codes("dna", [1]), Codes("dna", [1])]}, "name of its own"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "as_dict": False}, "needs as_dict=True"),
        ({"inputs": {"dna": np.zeros((3, 2))}, "batch_size": 0}, "batch_size: 0"),
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
