"""Training: best weights, early stopping, the same seed; prediction in order; models on disk."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.errors import InputError
from helpers.model import training
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.training import TrainingOptions, load_model, predict, save_model, train

ROOT = Path(__file__).resolve().parents[1]


def signal(windows=200, data=0):
    """Coverage of which the positive half is higher in its middle: (coverage, labels)."""
    rng = np.random.default_rng(data)
    labels = np.arange(windows) % 2
    coverage = rng.random((windows, 22, 2, 2)).astype(np.float32)
    coverage[labels == 1, 8:14] += 0.7
    return coverage, labels


def batches(windows=200, data=0, *, flipped=False, **settings):
    coverage, labels = signal(windows, data)
    return JangguSequence({"dnase": coverage}, {"bound": 1 - labels if flipped else labels}, **settings)


def network(seed=1, **output):
    keras.utils.set_random_seed(seed)
    return build_model("jund_dnase", {"dnase": InputSpec((22, 2, 2), "coverage")}, OutputSpec("bound", **output))


def crossentropy(labels, prediction):
    prediction = np.clip(prediction[:, 0].astype(float), 1e-7, 1 - 1e-7)
    return -np.mean(np.where(labels == 1, np.log(prediction), np.log(1 - prediction)))


def test_a_signal_is_learned_and_the_best_epoch_kept_when_the_epochs_run_out(caplog):
    caplog.set_level(logging.INFO)
    model, validation = network(), batches(data=1, batch_size=64)
    history = train(
        model, batches(batch_size=30, shuffle=True, seed=1), validation, loss="binary_crossentropy", epochs=15
    )
    assert history.columns.tolist() == ["epoch", "seconds", "loss", "val_loss", "best"]
    assert history["epoch"].tolist() == list(range(1, 16))
    assert history["loss"].iloc[-1] < 0.5 * np.log(2)  # half of what a constant prediction reaches
    best = history[history["best"]]
    assert best["val_loss"].tolist() == [history["val_loss"].min()]
    kept = crossentropy(signal(data=1)[1], predict(model, validation))
    assert kept == pytest.approx(history["val_loss"].min(), rel=1e-5)
    assert model.optimizer.amsgrad
    assert model.optimizer.global_clipnorm == 1
    lines = [record.message for record in caplog.records if record.message.startswith("epoch")]
    assert len(lines) == 15
    assert "windows a second, at most" in lines[0]
    assert "training 391 parameters on 200 windows, validating on 200" in caplog.text
    assert model.evaluate(validation, verbose=0) == pytest.approx(kept, rel=1e-5), "the loss is Keras's own"


def test_training_stops_when_validation_gets_worse_and_returns_to_the_best_weights():
    model, validation = network(), batches(data=1, flipped=True)
    history = train(model, batches(), validation, loss="binary_crossentropy", epochs=30, patience=2, learning_rate=0.01)
    assert history["best"].tolist() == [True, False, False]
    kept = crossentropy(1 - signal(data=1)[1], predict(model, validation))
    assert kept == pytest.approx(history["val_loss"].iloc[0], rel=1e-5)


def test_the_same_seed_gives_the_same_weights_in_one_process():
    results = []
    for seed in (3, 3, 4):
        keras.backend.clear_session()
        model = network(seed)
        train(model, batches(80, shuffle=True, seed=seed), batches(20), loss="binary_crossentropy", epochs=2)
        results.append(model.get_weights())
    for first, second in zip(*results[:2], strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(results[0][0], results[2][0])


CODE = """
import sys
from helpers.backend import select_backend
select_backend("tensorflow", threads=1, seed=7, device="cpu")
import numpy as np
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.training import train
rng = np.random.default_rng(0)
codes, labels = rng.integers(0, 65, (300, 498)).astype(np.uint8), rng.integers(0, 2, 300)
model = build_model("jund_dna", {"dna": InputSpec((498,), "sequence", 3)}, OutputSpec("bound"))
data = JangguSequence({"dna": codes}, {"bound": labels}, batch_size=64, shuffle=True, seed=7)
train(model, data, data, loss="binary_crossentropy", epochs=3)
sys.stdout.write(str([weights.tobytes().hex() for weights in model.get_weights()]))
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="runs on TensorFlow")
def test_the_same_seed_gives_the_same_weights_in_two_processes():
    """With dropout and the both-strand layer, bit for bit."""
    command = [sys.executable, "-c", CODE]
    first, second = (subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout for _ in range(2))
    assert len(first) > 10_000
    assert first == second


def test_values_are_regressed_with_weights_of_samples():
    coverage, labels = signal(128)
    values = {"bound": np.stack([labels * 3.0, 1 - labels], axis=1)}
    weights = np.where(labels == 1, 1.0, 0.5)
    data = JangguSequence({"dnase": coverage}, values, weights, batch_size=32, shuffle=True, seed=1)
    model = network(size=2, activation="linear")
    history = train(model, data, data, loss="mae", epochs=2)
    errors = np.abs(predict(model, data) - data.targets()).mean(axis=1)
    assert history.loc[history["best"], "val_loss"].item() == pytest.approx(np.mean(weights * errors), rel=1e-5)


def test_the_validation_loss_of_many_outputs_is_that_of_all_at_once(monkeypatch):
    """It is computed for some windows at a time."""
    coverage, labels = signal(50)
    rng = np.random.default_rng(1)
    data = JangguSequence({"dnase": coverage}, {"bound": rng.integers(0, 2, (50, 7))}, batch_size=32)
    losses = []
    for at_once in (1, 100, 1 << 22):  # 1, 14 and all 50 windows
        monkeypatch.setattr(training, "_VALUES_AT_ONCE", at_once)
        model = network(size=7)
        losses.append(train(model, data, data, loss="binary_crossentropy", epochs=1)["val_loss"].item())
    columns = zip(data.targets().T, predict(model, data).T, strict=True)
    expected = np.mean([crossentropy(target, column[:, None]) for target, column in columns])
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_a_loss_that_is_no_number_stops_training():
    coverage, labels = signal(40)
    coverage[3, 0, 0, 0] = np.nan
    data = JangguSequence({"dnase": coverage}, {"bound": labels})
    with pytest.raises(InputError, match=r"loss is (nan in epoch 1|no number \(.*\))\..*missing or infinite values"):
        train(network(), data, data, loss="binary_crossentropy")


@pytest.mark.parametrize(
    ("said", "causes"),
    [
        ("all elements of input should be between 0 and 1", "training: the loss is no number"),
        (
            "CUDA error: device-side assert triggered\nCUDA kernel errors might be reported later",
            "training: either the loss is no number, or an index lies outside of its table, .*`device: cpu` names",
        ),
    ],
)
def test_a_refusal_of_a_backend_keeps_its_words_beside_all_that_may_cause_it(said, causes):
    message = rf"{causes}.*PyTorch says: {said.splitlines()[0]}\)\. Look for"
    with pytest.raises(InputError, match=message) as caught, training._no_number_named():
        raise RuntimeError(said)
    assert "reported later" not in str(caught.value)
    assert str(caught.value.__cause__) == said


def test_any_other_trouble_of_a_backend_keeps_its_name():
    with pytest.raises(RuntimeError, match="out of memory"), training._no_number_named():
        raise RuntimeError("CUDA out of memory")


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch.compile takes a minute; see test_gpu")
def test_a_compiled_step_and_one_that_is_not_train_alike():
    losses = []
    for jit in (True, False):
        model, data = network(), batches(32, batch_size=16)
        history = train(model, data, data, loss="binary_crossentropy", epochs=2, jit=jit, learning_rate=0.01)
        assert model.jit_compile is jit
        losses.append(history[["loss", "val_loss"]])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert losses[0]["val_loss"].nunique() == 2


def test_training_needs_an_output():
    coverage, _ = signal(40)
    with pytest.raises(InputError, match="One output is needed"):
        train(network(), JangguSequence({"dnase": coverage}), batches(20), loss="mse")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "loss: 'hinge' is unknown; allowed: binary_crossentropy, mae, mse"),
        ({"loss": "mse", "epochs": 0, "patience": 1.5}, "epochs: 0 is not a whole.*; patience: 1.5"),
        ({"loss": "mse", "jit": "yes"}, "jit: 'yes' is none of auto, true and false"),
        ({"loss": "mse", "learning_rate": 0.0, "global_clipnorm": -1}, "learning_rate: 0.0 is not.*global_clipnorm"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(InputError, match=message):
        TrainingOptions(**options)


def test_windows_are_predicted_in_their_order_whatever_the_batches():
    coverage, _ = signal(50)
    model = network()
    model.get_layer("top_jund_dnase").set_weights([np.ones(5), np.zeros(5), np.zeros(5), np.ones(5)])
    expected = keras.ops.convert_to_numpy(model({"dnase": coverage})["bound"])
    assert len(np.unique(expected)) > 40
    shuffled = batches(50, shuffle=True, seed=1, batch_size=8)
    for inputs in (shuffled, {"dnase": coverage}, coverage):
        for batch_size in (7, 50, 256):
            result = predict(model, inputs, batch_size=batch_size)
            assert result.dtype == np.float32
            np.testing.assert_allclose(result, expected, rtol=1e-5)
    plain = keras.Model(list(model.input.values()), model.output["bound"])
    np.testing.assert_allclose(predict(plain, [coverage], batch_size=20), expected, rtol=1e-5)


def test_a_model_on_disk_trains_on_or_is_refused(tmp_path):
    model, data = network(), batches(40)
    train(model, data, data, loss="binary_crossentropy", epochs=1)
    path = tmp_path / "rep-0" / "model.keras"
    save_model(model, path)
    assert [file.name for file in path.parent.iterdir()] == ["model.keras"], "no temporary file is left"
    loaded = load_model(path, for_training=True)
    np.testing.assert_array_equal(predict(loaded, data), predict(model, data))
    for copy in (model, loaded):
        copy.train_on_batch(*data[0])
    np.testing.assert_allclose(predict(loaded, data), predict(model, data), atol=1e-6)
    with pytest.raises(InputError, match=r"gone.keras: there is no such model"):
        load_model(tmp_path / "gone.keras")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read as a Keras model.*train again"):
        load_model(path)


def test_a_model_file_is_whole_or_absent(tmp_path, monkeypatch):
    model = network()

    def fail(self, path):
        Path(path).write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(type(model), "save", fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(model, tmp_path / "model.keras")
    assert os.listdir(tmp_path) == []
