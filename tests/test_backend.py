"""Selecting a backend: what is refused, and what a fresh process then runs on."""

import importlib.util
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


def keras_on(name, device="cpu"):
    zeros = SimpleNamespace(device=SimpleNamespace(type=device))
    return SimpleNamespace(
        backend=SimpleNamespace(backend=lambda: name),
        utils=SimpleNamespace(set_random_seed=lambda seed: None),
        config=SimpleNamespace(set_dtype_policy=lambda precision: None),
        ops=SimpleNamespace(zeros=lambda shape: zeros),
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "theano"}, "backend: 'theano' is not allowed; allowed: tensorflow, jax, torch"),
        ({"name": "tensorflow", "device": "tpu"}, "device: 'tpu' is not allowed; allowed: auto, cpu, gpu"),
        ({"name": "tensorflow", "precision": "half"}, "precision: 'half' is not allowed; allowed: float32, mixed_bfl"),
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
print(select_backend("tensorflow", threads=2, device="cpu", precision="mixed_bfloat16"))
layer = keras.layers.Dense(1)
print(keras.config.dtype_policy().name, layer.compute_dtype, layer.variable_dtype)
tensorflow.ones(1)
select_backend("tensorflow", threads=1)
"""


def test_a_fresh_process_runs_as_selected():
    done = run_python(CODE.format(device="cpu"), KERAS_BACKEND="torch")
    first, drawn, loaded, running, second, mixed, dtypes = done.stdout.splitlines()
    assert first.startswith("device: cpu (tensorflow 2.")
    assert first.endswith(", 2 threads)")
    assert float(drawn) == random.Random(3).random()
    assert loaded == "[]", "Keras starts without what it does not need"
    assert running == "tensorflow 2"
    assert second.startswith("device: ")
    assert mixed == first.replace("2 threads)", "2 threads, mixed_bfloat16)")
    assert dtypes == "mixed_bfloat16 bfloat16 float32"
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
    with pytest.raises(InputError, match="device: tensorflow finds no GPU.*auto or cpu.*and-cuda"):
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
    names = ("NPROC", "XLA_FLAGS", "JAX_PLATFORMS", "XLA_PYTHON_CLIENT_PREALLOCATE", "KERAS_TORCH_DEVICE")
    for name in (*names, "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return os.environ


def jax_on(platform, kind):
    first = SimpleNamespace(platform=platform, device_kind=kind)
    return SimpleNamespace(devices=lambda: [first], __version__="0.9.1")


def test_jax_gets_its_threads_and_device_before_it_is_imported(monkeypatch, environment):
    installed(monkeypatch, jax=jax_on("cpu", "cpu"), keras=keras_on("jax"))
    assert select_backend("jax", threads=1, device="cpu") == "device: cpu (jax 0.9, 1 thread)"
    assert environment["KERAS_BACKEND"] == "jax"
    assert environment["NPROC"] == "1"
    assert environment["JAX_PLATFORMS"] == "cpu"
    assert environment["XLA_FLAGS"] == "--xla_cpu_multi_thread_eigen=false"
    assert environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    with pytest.raises(InputError, match="no GPU"):
        select_backend("jax", device="gpu")


def test_jax_on_a_gpu_says_so_and_does_not_pretend_to_be_on_the_cpu(monkeypatch, environment):
    installed(monkeypatch, jax=jax_on("gpu", "Card"), keras=keras_on("jax"))
    assert select_backend("jax", threads=2, device="gpu") == "device: gpu Card (jax 0.9, 2 threads)"
    assert select_backend("jax", precision="mixed_float16") == "device: gpu Card (jax 0.9, 1 thread, mixed_float16)"
    with pytest.raises(InputError, match="computes on gpu in this process already, not on cpu"):
        select_backend("jax", device="cpu")


def torch_with(threads, *, found):
    cuda = SimpleNamespace(is_available=lambda: found, get_device_name=lambda number: "Card")
    return SimpleNamespace(set_num_threads=threads.append, cuda=cuda, __version__="2.9.0+cpu")


def test_torch_gets_its_threads_and_device(monkeypatch, environment):
    threads = []
    installed(monkeypatch, torch=torch_with(threads, found=True), keras=keras_on("torch", "cuda"))
    assert select_backend("torch", threads=3, device="gpu") == "device: gpu Card (torch 2.9, 3 threads)"
    assert environment["KERAS_TORCH_DEVICE"] == "cuda"
    with pytest.raises(InputError, match="computes on cuda in this process already, not on cpu"):
        select_backend("torch", device="cpu")
    installed(monkeypatch, keras=keras_on("torch", "cpu"))
    assert select_backend("torch", device="cpu") == "device: cpu (torch 2.9, 1 thread)"
    assert environment["KERAS_TORCH_DEVICE"] == "cpu"
    with pytest.raises(InputError, match="computes on cpu in this process already, not on gpu"):
        select_backend("torch", device="gpu")
    installed(monkeypatch, torch=torch_with(threads, found=False))
    with pytest.raises(InputError, match="no GPU"):
        select_backend("torch", device="gpu")
    assert threads == [3, 1]


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_another_backend_that_is_installed_computes_where_it_says(name):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    code = f"""
from helpers.backend import select_backend
print(select_backend("{name}", device="cpu", precision="mixed_bfloat16"))
import keras
print(keras.ops.convert_to_numpy(keras.ops.ones(2)).sum(), keras.backend.backend(), keras.layers.Dense(1).compute_dtype)
"""
    first, second = run_python(code).stdout.splitlines()
    assert first.startswith(f"device: cpu ({name} ")
    assert first.endswith(", 1 thread, mixed_bfloat16)")
    assert second == f"2.0 {name} bfloat16"
