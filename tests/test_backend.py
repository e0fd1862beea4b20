"""Selecting a backend: what is refused, and what a fresh process then runs on."""

import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers import backend
from helpers.backend import select_backend
from helpers.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


def run_python(code, **environment):
    """Run code in a fresh process and return its output and its errors."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def installed(monkeypatch, **modules):
    """Let modules look installed and imported."""
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: object())


def keras_on(name):
    return SimpleNamespace(
        backend=SimpleNamespace(backend=lambda: name), utils=SimpleNamespace(set_random_seed=lambda seed: None)
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "theano"}, "backend: 'theano' is not allowed; allowed: tensorflow, jax, torch"),
        ({"name": "tensorflow", "device": "tpu"}, "device: 'tpu' is not allowed; allowed: auto, cpu, gpu"),
        ({"name": "tensorflow", "threads": 0}, "threads: 0"),
        ({"name": "tensorflow", "threads": 1.5}, r"threads: 1\.5"),
        ({"name": "tensorflow", "threads": True}, "threads: True"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(InputError, match=message):
        select_backend(**settings)


def test_a_missing_backend_is_answered_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"torch is not installed.*pip install '\.\[torch\]'"):
        select_backend("torch")


def test_another_backend_that_runs_already_is_an_error(monkeypatch):
    installed(monkeypatch, keras=keras_on("tensorflow"))
    with pytest.raises(InputError, match="Keras runs on tensorflow in this process already, 'jax'"):
        select_backend("jax")


CODE = """
import random, sys
from helpers.backend import select_backend
print(select_backend("tensorflow", threads=2, seed=3, device={device!r}))
print(random.random())
print(sorted({{"matplotlib", "sklearn"}} & set(sys.modules)))
import keras, matplotlib, sklearn, tensorflow
print(keras.backend.backend(), tensorflow.config.threading.get_intra_op_parallelism_threads())
print(select_backend("tensorflow", threads=2))
tensorflow.ones(1)
select_backend("tensorflow", threads=1)
"""


def test_a_fresh_process_runs_as_selected():
    done = run_python(CODE.format(device="cpu"), KERAS_BACKEND="torch")
    first, drawn, loaded, running, second = done.stdout.splitlines()
    assert first.startswith("device: cpu (tensorflow 2.")
    assert first.endswith(", 2 threads)")
    assert float(drawn) == random.Random(3).random()
    assert loaded == "[]", "Keras starts without what it does not need"
    assert running == "tensorflow 2"
    assert second.startswith("device: ")
    assert "TensorFlow has computed already: threads (1) and device cannot be set" in done.stderr


def tensorflow_with(gpus, calls):
    """A stand-in for TensorFlow that notes what is set."""
    threading = SimpleNamespace(
        set_intra_op_parallelism_threads=lambda threads: calls.append(("intra", threads)),
        set_inter_op_parallelism_threads=lambda threads: calls.append(("inter", threads)),
    )
    experimental = SimpleNamespace(
        set_memory_growth=lambda gpu, grows: calls.append((gpu, grows)),
        get_device_details=lambda gpu: {"device_name": "Card"},
    )
    config = SimpleNamespace(
        threading=threading,
        experimental=experimental,
        list_physical_devices=lambda kind: gpus,
        set_visible_devices=lambda used, kind: calls.append(("visible", used)),
    )
    return SimpleNamespace(config=config, __version__="2.21.0")


def test_a_gpu_is_used_when_there_is_one_and_never_replaced_silently(monkeypatch):
    calls = []
    installed(monkeypatch, tensorflow=tensorflow_with([], calls), keras=keras_on("tensorflow"))
    with pytest.raises(InputError, match="device: the backend finds no GPU.*auto or cpu"):
        select_backend("tensorflow", device="gpu")
    assert calls == []
    installed(monkeypatch, tensorflow=tensorflow_with(["gpu0", "gpu1"], calls))
    assert select_backend("tensorflow") == "device: gpu Card (tensorflow 2.21, 1 thread)"
    assert calls == [("intra", 1), ("inter", 1), ("visible", ["gpu0"]), ("gpu0", True)]
    assert select_backend("tensorflow", device="cpu") == "device: cpu (tensorflow 2.21, 1 thread)"
    assert calls[-1] == ("visible", [])


@pytest.fixture
def environment(monkeypatch):
    """Restore what selecting a backend sets."""
    for name in ("NPROC", "XLA_FLAGS", "JAX_PLATFORMS", "KERAS_TORCH_DEVICE", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return os.environ


def test_jax_gets_its_threads_and_device_before_it_is_imported(monkeypatch, environment):
    cpu = SimpleNamespace(platform="cpu", device_kind="cpu")
    installed(monkeypatch, jax=SimpleNamespace(devices=lambda: [cpu], __version__="0.9.1"), keras=keras_on("jax"))
    assert select_backend("jax", threads=1, device="cpu") == "device: cpu (jax 0.9, 1 thread)"
    assert environment["KERAS_BACKEND"] == "jax"
    assert environment["NPROC"] == "1"
    assert environment["JAX_PLATFORMS"] == "cpu"
    assert environment["XLA_FLAGS"] == "--xla_cpu_multi_thread_eigen=false"
    with pytest.raises(InputError, match="no GPU"):
        select_backend("jax", device="gpu")


def test_torch_gets_its_threads_and_device(monkeypatch, environment):
    threads = []
    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda number: "Card")
    torch = SimpleNamespace(set_num_threads=threads.append, cuda=cuda, __version__="2.9.0+cpu")
    installed(monkeypatch, torch=torch, keras=keras_on("torch"))
    assert select_backend("torch", threads=3) == "device: gpu Card (torch 2.9, 3 threads)"
    assert select_backend("torch", device="cpu") == "device: cpu (torch 2.9, 1 thread)"
    assert environment["KERAS_TORCH_DEVICE"] == "cpu"
    assert threads == [3, 1]
