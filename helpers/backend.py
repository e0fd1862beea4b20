"""Choose the library that computes under Keras, its threads, precision and seed, and say on which device it runs.

Keras reads its backend once, when it is imported; so this module imports neither Keras nor a backend until
`select_backend` is called.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from helpers.errors import InputError

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow's C++ part when it is loaded

DEVICES = ("auto", "cpu", "gpu")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
BACKENDS = {"tensorflow": "pip install .", "jax": "pip install '.[jax]'", "torch": "pip install '.[torch]'"}
_GPU_BUILDS = {
    "tensorflow": "pip uninstall -y tensorflow-cpu, then pip install 'tensorflow[and-cuda]>=2.18,<2.22'",
    "jax": "pip install '.[jax-gpu]'",
    "torch": "pip install '.[torch]'",
}


def select_backend(
    name: str, *, threads: int = 1, seed: int | None = None, device: str = "auto", precision: str = "float32"
) -> str:
    """Select the backend of Keras for this process, before Keras is imported.

    Parameters
    ----------
    name : {'tensorflow', 'jax', 'torch'}
        The library that computes.
    threads : int, default 1
        Processor threads. On one thread the same seed gives the same weights; another number gives others.
    seed : int, optional
        Of everything random in Keras, the backend, numpy and Python.
    device : {'auto', 'cpu', 'gpu'}
        'auto' takes the GPU if there is one; of several, the first.
    precision : {'float32', 'mixed_bfloat16', 'mixed_float16'}
        Of what hidden layers compute in models that are built from now on. With the mixed ones they compute in 16 bits
        and keep their weights in float32. A saved model keeps the precision that it was built with.

    Returns
    -------
    str
        What runs, for the log, such as ``device: cpu (tensorflow 2.21, 1 thread)``; with its precision, if mixed.

    Raises
    ------
    InputError
        When the backend is unknown or not installed, Keras already runs on another one or on another device,
        TensorFlow has computed already with other threads, or ``device='gpu'`` and there is none.

    Notes
    -----
    On a GPU, float32 is what the backend makes of it: JAX and TensorFlow round the factors of products to 10 bits
    (TensorFloat-32) where the card can, PyTorch only those of convolutions.
    """
    _check_choice("backend", name, tuple(BACKENDS))
    _check_choice("device", device, DEVICES)
    _check_choice("precision", precision, PRECISIONS)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        msg = f"threads: {threads!r} is not a number of threads; give a whole number of at least 1."
        raise InputError(msg)
    if importlib.util.find_spec(name) is None:
        msg = f"backend: {name} is not installed. Install it from the folder of the repository: {BACKENDS[name]}"
        raise InputError(msg)
    _check_running(name)
    os.environ["KERAS_BACKEND"] = name
    with _quick_start():
        place = {"tensorflow": _start_tensorflow, "jax": _start_jax, "torch": _start_torch}[name](threads, device)
        keras = importlib.import_module("keras")
    keras.config.set_dtype_policy(precision)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    version = ".".join(sys.modules[name].__version__.split(".")[:2])
    mixed = "" if precision == "float32" else f", {precision}"
    return f"device: {place} ({name} {version}, {threads} thread{'s' if threads > 1 else ''}{mixed})"


def _check_choice(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        msg = f"{key}: {value!r} is not allowed; allowed: {', '.join(allowed)}."
        raise InputError(msg)


def _check_running(name: str) -> None:
    keras = sys.modules.get("keras")
    if keras is not None and keras.backend.backend() != name:
        msg = (
            f"backend: Keras runs on {keras.backend.backend()} in this process already, {name!r} cannot be selected. "
            f"Call select_backend before importing keras or helpers.model, or set KERAS_BACKEND={name}."
        )
        raise InputError(msg)


@contextmanager
def _quick_start() -> Iterator[None]:
    """Keep Keras from importing matplotlib and scikit-learn, unless they are loaded already.

    It imports them where they are installed, for features that no job uses, which takes a third of the start of a job.
    Both can be imported as usual afterwards.
    """
    hidden = [name for name in ("matplotlib", "sklearn") if "keras" not in sys.modules and name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _check_gpu(name: str, device: str, found: bool) -> None:
    if device == "gpu" and not found:
        msg = f"device: {name} finds no GPU on this machine. Set device to auto or cpu, or install its build for GPUs: "
        msg += f"{_GPU_BUILDS[name]}."
        raise InputError(msg)


def _check_place(device: str, used: str) -> None:
    if device != "auto" and (device == "cpu") != (used == "cpu"):
        msg = f"device: the backend computes on {used} in this process already, not on {device}. Select it first."
        raise InputError(msg)


def _start_tensorflow(threads: int, device: str) -> str:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    _check_gpu("tensorflow", device, bool(gpus))
    used = [] if device == "cpu" else gpus[:1]
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.set_visible_devices(used, "GPU")
        for gpu in used:
            tf.config.experimental.set_memory_growth(gpu, True)  # several jobs may share it
    except RuntimeError as error:
        msg = (
            f"TensorFlow has computed already: threads ({threads}) and device cannot be set. Call select_backend first."
        )
        raise InputError(msg) from error
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "") for gpu in used]
    return f"gpu {names[0]}".strip() if used else "cpu"


def _start_jax(threads: int, device: str) -> str:
    os.environ["NPROC"] = str(threads)  # the size of the thread pool of XLA on the CPU
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # several jobs may share a GPU
    if threads == 1:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    if device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    first = jax.devices()[0]
    _check_gpu("jax", device, first.platform == "gpu")
    _check_place(device, first.platform)
    return "cpu" if first.platform == "cpu" else f"{first.platform} {first.device_kind}"


def _start_torch(threads: int, device: str) -> str:
    import torch

    found = torch.cuda.is_available()
    _check_gpu("torch", device, found)
    used = "cuda" if found and device != "cpu" else "cpu"
    if "keras" in sys.modules:
        used = sys.modules["keras"].ops.zeros(()).device.type
        _check_place(device, used)
    os.environ["KERAS_TORCH_DEVICE"] = used
    torch.set_num_threads(threads)
    return f"gpu {torch.cuda.get_device_name(0)}" if used == "cuda" else used
