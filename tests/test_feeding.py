"""Datasets fed to Keras, TensorFlow, PyTorch and scikit-learn: the numbers that arrive are those of the datasets."""

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.data import Array, Bioseq, Cover, RandomOrientation, ReduceDim, SqueezeDim, WindowBatches
from helpers.data.sequence import encode_letters
from helpers.data.storage import GenomeArray
from helpers.model.batches import JangguSequence
from helpers.model.feeding import EpochBatches, EpochOrder, as_tf_dataset, as_torch_loader

WINDOWS = pd.DataFrame({"chrom": "chr1", "start": np.arange(0, 380, 10)}).assign(end=lambda table: table.start + 20)


@pytest.fixture
def dna():
    letters = "".join(np.random.default_rng(0).choice(list("ACGT"), 400))
    return Bioseq.create_from_refgenome(
        "dna", GenomeArray.from_contigs({"chr1": encode_letters(letters.encode())}), WINDOWS, binsize=20
    )


@pytest.fixture
def labels():
    return Cover.create_from_bed(
        "bound", pd.DataFrame({"chrom": ["chr1"], "start": [50], "end": [210]}), WINDOWS, binsize=20
    )


@pytest.fixture
def batches(dna, labels):
    coverage = RandomOrientation(np.arange(38 * 8.0).reshape(38, 4, 2, 1))
    return WindowBatches({"dna": dna, "x": coverage}, labels, np.arange(38), batch_size=9, shuffle=True, seed=1)


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((20, 1, 4), name="dna")
    outputs = keras.layers.Dense(1, activation="sigmoid", name="bound")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "binary_crossentropy")
    return model


def test_keras_takes_the_objects_themselves_and_sees_their_arrays(dna, labels):
    flat = SqueezeDim(labels)
    settings = {"epochs": 2, "verbose": 0, "batch_size": 8}
    given, arrays = network(), network()
    first = given.fit(dna, flat, validation_data=(dna, flat), **settings).history
    second = arrays.fit(dna[:], flat[:], validation_data=(dna[:], flat[:]), **settings).history
    assert first == second
    np.testing.assert_array_equal(given.predict(dna, verbose=0), arrays.predict(dna[:], verbose=0))
    assert given.evaluate(dna, flat, verbose=0) == arrays.evaluate(dna[:], flat[:], verbose=0)
    assert len(network().fit(dna, flat, validation_split=0.2, **settings).history["val_loss"]) == 2
    assert (
        network().fit(dna, Array("bound", flat[:]), **settings).history["loss"]
        == network().fit(dna, flat, **settings).history["loss"]
    )
    np.testing.assert_array_equal(network().predict(RandomOrientation(dna[:], seed=1), verbose=0).shape, (38, 1))


def test_keras_takes_batches_of_the_same_datasets(dna, labels):
    model = network()
    model.fit(JangguSequence(dna, labels, batch_size=8, as_dict=False), epochs=2, verbose=0, shuffle=False)
    other = network()
    other.fit(dna, SqueezeDim(labels), epochs=2, verbose=0, shuffle=False, batch_size=8)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_scikit_learn_takes_the_objects_themselves(dna, labels):
    counts, bound = SqueezeDim(ReduceDim(dna)), SqueezeDim(labels)[:].ravel()
    fitted, plain = (LogisticRegression().fit(x, bound) for x in (counts, dna[:].sum(axis=(1, 2))))
    np.testing.assert_array_equal(fitted.predict_proba(counts), plain.predict_proba(dna[:].sum(axis=(1, 2))))


def flat(batch):
    inputs, outputs, weights = batch
    return [np.asarray(values) for values in (*inputs.values(), *outputs.values(), weights)]


def assert_epochs(found, batches):
    """Compare three passes with the first three epochs."""
    for epoch in range(3):
        made = [flat(batch) for batch in found]
        assert len(made) == batches.num_batches
        for index, values in enumerate(made):
            for value, expected in zip(values, flat(batches.batch(epoch, index)), strict=True):
                assert value.dtype == expected.dtype
                np.testing.assert_array_equal(value, expected)


def test_tensorflow_gets_the_batches_epoch_by_epoch(batches):
    dataset = as_tf_dataset(batches)
    assert len(dataset) == batches.num_batches
    assert_epochs(dataset, batches)


def test_keras_takes_what_tensorflow_gets(dna, labels):
    settings = {"batch_size": 8, "shuffle": True, "seed": 1, "as_dict": False}
    dataset = as_tf_dataset(JangguSequence(dna, labels, **settings))
    history = network().fit(dataset, epochs=3, verbose=0, shuffle=False).history
    assert history["loss"][0] > history["loss"][-1]


def test_the_map_beneath_torch_gives_the_batches_epoch_by_epoch(batches):
    dataset = EpochBatches(batches)
    order = EpochOrder(dataset)
    assert len(order) == len(dataset) == batches.num_batches

    class Pass:
        def __iter__(self):
            iter(order)  # as a loader with workers does before it iterates
            return (dataset[place] for place in order)

    assert_epochs(Pass(), batches)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_torch_gets_the_batches_epoch_by_epoch(batches, num_workers):
    torch = pytest.importorskip("torch")
    loader = as_torch_loader(batches, num_workers=num_workers)
    assert all(isinstance(values, torch.Tensor) for values in next(iter(as_torch_loader(batches)))[0].values())
    assert len(loader) == batches.num_batches
    assert_epochs(loader, batches)
