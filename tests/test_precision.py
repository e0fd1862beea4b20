"""Mixed precision: what computes in 16 bits, what stays in 32, and that networks still learn, save and load."""

import keras
import numpy as np
import pytest

from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.feature_layers import KmerCounts
from helpers.model.layers import DnaConv2D, OneHotCodes
from helpers.model.training import load_model, predict, save_model, train

MIXED = {"mixed_bfloat16": 2**-8, "mixed_float16": 2**-11}  # and the spacing of their numbers above 1, halved
SMALL = {"filters": 8, "units": 16, "width": 5, "pool": 4}
CASES = {
    "jund_dna": (InputSpec((120,), "sequence", 2), {"dropout": 0, "pool": 10}),
    "jund_dnase": (InputSpec((22, 2, 2), "coverage"), {}),
    "danq": (InputSpec((60,), "sequence", 1), {**SMALL, "lstm_units": 6}),
    "deepsea": (InputSpec((160,), "sequence", 3), {**SMALL, "middle_filters": 8, "top_filters": 8, "top_width": 3}),
}


@pytest.fixture(params=MIXED)
def policy(request):
    """Build models in mixed precision for the time of a test."""
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def network(architecture, *, seed=1):
    spec, params = CASES[architecture]
    keras.utils.set_random_seed(seed)
    return build_model(architecture, {"input": spec}, OutputSpec("bound", 2), params)


def windows_for(architecture, windows=6):
    spec, _ = CASES[architecture]
    rng = np.random.default_rng(1)
    if spec.kind == "coverage":
        return rng.random((windows, *spec.shape)).astype(np.float32)
    return rng.integers(0, 4**spec.order + 1, (windows, *spec.shape)).astype(np.uint8)


@pytest.mark.parametrize("architecture", CASES)
def test_hidden_layers_compute_in_16_bits_and_the_rest_in_32(architecture, policy):
    model, inputs = network(architecture), {"input": windows_for(architecture)}
    recurrent = keras.layers.Bidirectional  # in full precision
    hidden = [layer for layer in model.layers[:-1] if layer.weights and not isinstance(layer, recurrent)]
    assert {layer.compute_dtype for layer in model.layers if isinstance(layer, recurrent)} <= {"float32"}
    assert {layer.compute_dtype for layer in hidden} == {policy.removeprefix("mixed_")}
    assert model.layers[-1].compute_dtype == "float32"
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in model.trainable_weights} == {"float32"}
    assert keras.backend.standardize_dtype(model(inputs)["bound"].dtype) == "float32"
    mixed = predict(model, inputs)
    keras.config.set_dtype_policy("float32")
    full = network(architecture)
    full.set_weights(model.get_weights())
    exact = predict(full, inputs)
    np.testing.assert_allclose(mixed, exact, atol=8 * MIXED[policy])
    assert not np.array_equal(mixed, exact)


def test_a_network_learns_is_saved_and_keeps_its_precision(tmp_path, policy):
    coverage, labels = windows_for("jund_dnase", 200), np.arange(200) % 2
    coverage[labels == 1, 8:14] += 0.7
    outputs = {"bound": np.stack([labels, 1 - labels], axis=1)}
    data = JangguSequence({"input": coverage}, outputs, batch_size=30, shuffle=True, seed=1)
    model = network("jund_dnase")
    history = train(model, data, data, loss="binary_crossentropy", epochs=15, patience=15, learning_rate=0.005)
    assert np.isfinite(history[["loss", "val_loss"]]).all(axis=None)
    assert history["loss"].iloc[-1] < 0.8 * np.log(2)
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16"), "small gradients of 16 bits with few exponents are scaled up"
    save_model(model, tmp_path / "model.keras")
    expected = predict(model, data)
    keras.config.set_dtype_policy("float32")
    loaded = load_model(tmp_path / "model.keras", for_training=True)
    for before, after in zip(model.layers[1:], loaded.layers[1:], strict=True):
        assert before.compute_dtype == after.compute_dtype
    np.testing.assert_array_equal(predict(loaded, data), expected)
    assert np.isfinite(loaded.train_on_batch(*data[0]))


def test_both_strands_are_scanned_in_16_bits(policy):
    """A power of 2 is exact in 16 bits, so that the maximum over the strands of a planted motif is known."""
    convolution = keras.layers.Conv2D(1, (3, 1), use_bias=False)
    scan = DnaConv2D(convolution)
    codes = np.full((2, 9), 3, dtype=np.uint8)
    codes[0, 4:7] = [0, 1, 2]  # ACG
    codes[1, 2:5] = [1, 2, 3]  # CGT, its reverse complement
    scan.build((None, 9, 1, 4))
    kernel = np.zeros((3, 1, 4, 1), dtype=np.float32)
    kernel[[0, 1, 2], 0, [0, 1, 2], 0] = [0.5, 1, 2]
    convolution.set_weights([kernel])
    values = scan(OneHotCodes(1)(codes))
    assert keras.backend.standardize_dtype(values.dtype) == policy.removeprefix("mixed_")
    found = keras.ops.convert_to_numpy(keras.ops.cast(values, "float32"))[:, :, 0, 0]
    assert found.max(axis=1).tolist() == [3.5, 3.5]
    assert found.argmax(axis=1).tolist() == [4, 2]


def test_dropout_of_codes_keeps_the_precision_of_the_network(policy):
    hot = OneHotCodes(2, dropout=0.5, seed=1)(np.zeros((4, 100), dtype=np.uint8), training=True)
    assert keras.backend.standardize_dtype(hot.dtype) == policy.removeprefix("mixed_")
    assert set(keras.ops.convert_to_numpy(keras.ops.cast(hot, "float32")).ravel().tolist()) == {0.0, 2.0}


def test_features_of_linear_models_are_exact(policy, tmp_path):
    """Counts above 2048 have no number of 16 bits."""
    codes = np.zeros((1, 2051), dtype=np.uint8)
    assert keras.ops.convert_to_numpy(KmerCounts(1)(codes)).tolist() == [[2051, 0]]
    (tmp_path / "motif.meme").write_text(
        "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF one\nletter-probability matrix: alength= 4 w= 2 nsites= 20\n"
        "0.7 0.1 0.1 0.1\n0.1 0.6 0.2 0.1\n"
    )
    for architecture, order, params in (
        ("kmer_linear", 2, {"k": 2}),
        ("pwm_scan", 1, {"motifs": str(tmp_path / "motif.meme")}),
    ):
        spec = {"dna": InputSpec((8,), "sequence", order)}
        predictions = []
        for precision in (policy, "float32"):
            keras.config.set_dtype_policy(precision)
            model = build_model(architecture, spec, OutputSpec("bound"), params)
            model.set_weights(
                [np.linspace(-0.1, 0.2, weight.size).reshape(weight.shape) for weight in model.get_weights()]
            )
            rng = np.random.default_rng(1)
            predictions.append(predict(model, rng.integers(0, 4**order, (20, 8)).astype(np.uint8)))
        np.testing.assert_array_equal(*predictions)
        assert len(np.unique(predictions[0])) > 1
