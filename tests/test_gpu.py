"""On a GPU: the numbers of a CPU, a motif learned, a model that moves to the CPU, precision and compilation.

They run on the backend of Keras (``KERAS_BACKEND=jax python -m pytest -m gpu``) and skip themselves without a GPU.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.backend import select_backend
from helpers.data.sequence import kmer_codes, one_hot, reverse_complement_codes
from helpers.errors import InputError
from helpers.evaluation.metrics import auroc
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.layers import DnaConv2D
from helpers.model.training import predict, save_model, train

ROOT = Path(__file__).resolve().parents[1]
BACKEND = keras.backend.backend()


def line_of_the_log():
    """What a training's log would begin with, or nothing without a GPU."""
    try:
        return select_backend(BACKEND, device="gpu")
    except InputError:
        return ""


DEVICE = line_of_the_log()
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not DEVICE, reason=f"{BACKEND} finds no GPU")]


@contextmanager
def full_float32():
    """Forbid TensorFloat-32, whose products are right to three digits."""
    if BACKEND == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
    elif BACKEND == "torch":
        import torch

        torch.backends.cudnn.allow_tf32 = False
        yield
        torch.backends.cudnn.allow_tf32 = True
    else:
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
        yield
        tf.config.experimental.enable_tensor_float_32_execution(True)


@pytest.fixture
def mixed(request):
    """Build models in mixed precision for the time of a test."""
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def sequences(windows, *, length=200, seed=0):
    """Letters, of which the odd windows hold TGACTCA somewhere on one of the strands, and their labels."""
    rng = np.random.default_rng(seed)
    letters, labels = rng.integers(0, 4, (windows, length)).astype(np.uint8), np.arange(windows) % 2
    motif = np.array([3, 2, 0, 1, 3, 1, 0], dtype=np.uint8)
    for row in np.flatnonzero(labels):
        place = rng.integers(0, length - len(motif))
        letters[row, place : place + len(motif)] = motif if rng.random() < 0.5 else 3 - motif[::-1]
    return letters, labels


def batches(windows, *, order=1, seed=0, batch_size=64):
    letters, labels = sequences(windows, seed=seed)
    codes = letters if order == 1 else kmer_codes(letters, order)
    return JangguSequence({"dna": codes}, {"bound": labels}, batch_size=batch_size, shuffle=True, seed=1)


def network(architecture="jund_dna", *, order=1, seed=1, **params):
    keras.utils.set_random_seed(seed)
    spec = {"dna": InputSpec((201 - order,), "sequence", order)}
    return build_model(architecture, spec, OutputSpec("bound"), params)


def place_of(tensor):
    return str(tensor.device).lower()


def test_the_log_names_the_card():
    assert DEVICE.startswith("device: gpu ")
    assert place_of(keras.ops.ones(1)).startswith(("cuda", "gpu", "/job:localhost/replica:0/task:0/device:gpu"))
    if shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
        assert names[0] in DEVICE


@pytest.mark.parametrize("order", [1, 2, 3])
def test_both_strands_are_scanned_as_in_64_bits_on_the_cpu(order):
    codes = kmer_codes(np.random.default_rng(1).integers(0, 5, (3, 60)).astype(np.uint8), order)
    hot = one_hot(codes, order)
    turned = one_hot(reverse_complement_codes(codes, order), order)
    scan = DnaConv2D(keras.layers.Conv2D(7, (11, 1), kernel_initializer=keras.initializers.RandomNormal(seed=1)))
    with full_float32():
        found = keras.ops.convert_to_numpy(scan(hot.astype(np.float32)))[:, :, 0]
    kernel = keras.ops.convert_to_numpy(scan.forward_layer.kernel)[:, 0].astype(float)
    views = (np.lib.stride_tricks.sliding_window_view(x[:, :, 0].astype(float), 11, axis=1) for x in (hot, turned))
    forward, backward = (np.einsum("npcw,wcf->npf", view, kernel) for view in views)
    np.testing.assert_allclose(found, np.maximum(forward, backward[:, ::-1]), atol=1e-5)


ON_THE_CPU = """
import sys
from helpers.backend import select_backend
device = select_backend(sys.argv[1], device="cpu")
import numpy as np
from helpers.model.training import load_model, predict
np.save(sys.argv[3], predict(load_model(sys.argv[2]), np.load(sys.argv[4])))
print(device)
"""


@pytest.mark.parametrize("architecture", ["jund_dna", "danq"])
@pytest.mark.parametrize("order", [1, 3])
def test_a_model_that_was_trained_here_predicts_the_same_on_a_cpu(architecture, order, tmp_path):
    params = {} if architecture == "jund_dna" else {"filters": 16, "lstm_units": 8, "units": 16}
    model, data = network(architecture, order=order, **params), batches(128, order=order)
    train(model, data, data, loss="binary_crossentropy", epochs=1)
    save_model(model, tmp_path / "model.keras")
    np.save(tmp_path / "codes.npy", data.inputs["dna"])
    files = [str(tmp_path / name) for name in ("model.keras", "cpu.npy", "codes.npy")]
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_CPU, BACKEND, *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith(f"device: cpu ({BACKEND}"), done.stderr
    with full_float32():
        here = predict(network_again(model), data)
    on_cpu = np.load(tmp_path / "cpu.npy")
    np.testing.assert_allclose(here, on_cpu, atol=1e-4)
    np.testing.assert_allclose(predict(model, data), on_cpu, atol=5e-3)  # with TensorFloat-32


def network_again(model):
    """Copy a model, whose compiled functions would keep their precision."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def test_a_planted_motif_is_learned():
    training, held_out = batches(4000), batches(1000, seed=1)
    model = network(dropout=0.05)
    history = train(model, training, held_out, loss="binary_crossentropy", epochs=25, learning_rate=0.005)
    assert np.isfinite(history["loss"]).all()
    assert auroc(held_out.targets()[:, 0], predict(model, held_out)[:, 0]) > 0.9


@pytest.mark.parametrize("mixed", ["mixed_bfloat16", "mixed_float16"], indirect=True)
@pytest.mark.parametrize("order", [1, 3])
def test_mixed_precision_trains_to_a_finite_and_lower_loss(mixed, order):
    data = batches(1000, order=order)
    model = network(order=order, dropout=0)
    history = train(model, data, data, loss="binary_crossentropy", epochs=6, learning_rate=0.005)
    assert model.get_layer("jund_dna_scan").compute_dtype == mixed.removeprefix("mixed_")
    assert np.isfinite(history[["loss", "val_loss"]]).all(axis=None)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_a_compiled_step_learns_as_one_that_is_not():
    losses = []
    for jit in (True, False):
        model, data = network(dropout=0), batches(128)
        losses.append(train(model, data, data, loss="binary_crossentropy", epochs=2, jit=jit)["loss"])
    np.testing.assert_allclose(*losses, rtol=0.02)


NO_NUMBER = """
import sys
from helpers.backend import select_backend
select_backend(sys.argv[1], seed=1, device="gpu")
import numpy as np
from helpers.errors import InputError
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.training import train
coverage = np.full((64, 22, 2, 2), np.nan, dtype=np.float32)
data = JangguSequence({"dnase": coverage}, {"bound": np.arange(64) % 2})
model = build_model("jund_dnase", {"dnase": InputSpec((22, 2, 2), "coverage")}, OutputSpec("bound"))
try:
    train(model, data, data, loss="binary_crossentropy", epochs=2)
except InputError as error:
    print("refused:", error)
"""


def test_a_loss_that_is_no_number_is_explained():
    """In a process of its own: PyTorch cannot use the GPU afterwards."""
    command = [sys.executable, "-c", NO_NUMBER, BACKEND]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert "refused: training: " in done.stdout, done.stderr
    assert "missing or infinite values in the inputs" in done.stdout
