"""Time training on a GPU: windows per second as a job trains, and of the same step on data that lies there already.

Run from the repository's root: ``python -m benchmarks.bench_gpu jax [seconds] [windows]``, one process a backend. It
prints a row of a TSV for each network and setting as soon as it is measured; after the given seconds no other is begun.
Codes, coverage and labels are random, as speed does not depend on them; the networks have the paper's sizes.

`fed` is the rate of `helpers.model.training.train` on a `JangguSequence`, of the median epoch after the first;
`resident` that of Keras's training step (in JAX always compiled) on one batch in the memory of the device, again and
again: the limit of any feeding. `first_s` is the first epoch, most of it compilation, and `memory_MB` the peak that
training needs on the device: in PyTorch of its allocator, in JAX of the compiled step, its arguments included. `tf32`
says what of float32 is rounded to TensorFloat-32 on cards that have it.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

from benchmarks.bench_training import BATCH, Case, loss_of, random_windows

COLUMNS = ("device", "network", "batch", "precision", "tf32", "jit", "fed", "resident", "first_s", "memory_MB")
PROFILES = {"outputs": 919, "share": 0.5}
CASES = {
    "jund dna, order 3": Case("jund_dna", 3),
    "deepsea, order 1, 1000 bp": Case("deepsea", 1, 1000, **PROFILES),
    "danq, order 1, 1000 bp": Case("danq", 1, 1000, **PROFILES),
    "cage dna, order 3": Case("cage_dna", 3, 900),
    "jund dnase": Case("jund_dnase", shape=(22, 2, 2)),
    "deepsea, order 3, 2000 bp": Case("deepsea", 3, 2000, **PROFILES),
    "danq, order 3, 1000 bp": Case("danq", 3, 1000, **PROFILES),
    "jund dna, order 1": Case("jund_dna", 1),
}
LARGE = ("jund dna, order 3", "deepsea, order 1, 1000 bp", "danq, order 1, 1000 bp")
TF32 = {"jax": "yes", "torch": "convolutions"}  # what the backends do unless told otherwise
EPOCHS, BLOCKS, BLOCK_SECONDS = 4, 5, 0.25


class Setting(NamedTuple):
    """How to train a network; `exact` forbids TensorFloat-32."""

    network: str
    batch: int = BATCH
    precision: str = "float32"
    jit: str | bool = "auto"
    exact: bool = False


class Rates(NamedTuple):
    """Windows per second, seconds, and bytes (None where the backend does not tell)."""

    fed: float
    resident: float
    first: float
    memory: int | None


def settings(backend: str) -> Iterator[Setting]:
    """List what is measured, the most wanted first."""
    for network in CASES:
        for precision in ("float32", "mixed_bfloat16"):
            yield Setting(network, precision=precision)
    for network in LARGE:
        for precision in ("float32", "mixed_bfloat16"):
            yield Setting(network, 512, precision)
    for network in LARGE:
        yield Setting(network, exact=True)
    other = backend == "torch"  # JAX compiles by default, PyTorch does not
    for network in LARGE[:2] if other else LARGE[:1]:
        yield Setting(network, jit=other)


def measure(setting: Setting, windows: int) -> Rates:
    """Build a network and train it in both ways."""
    import keras

    from helpers.model.architectures import InputSpec, OutputSpec, build_model
    from helpers.model.batches import JangguSequence
    from helpers.model.training import train

    case = CASES[setting.network]
    steps = 2 if setting.jit is False else max(2, int(windows * case.share) // BATCH)
    values, labels = random_windows(case, steps * setting.batch)
    keras.backend.clear_session()
    keras.config.set_dtype_policy(setting.precision)
    spec = InputSpec(values.shape[1:], "sequence" if case.order else "coverage", case.order or 1)
    output = OutputSpec("bound", case.outputs, "linear" if loss_of(case) == "mae" else "sigmoid")
    model = build_model(case.architecture, {"input": spec}, output)
    batches, few = (
        JangguSequence(
            {"input": values[:size]}, {"bound": labels[:size]}, batch_size=setting.batch, shuffle=True, seed=1
        )
        for size in (len(values), setting.batch)
    )
    history = train(model, batches, few, loss=loss_of(case), epochs=1 + EPOCHS, patience=1000, jit=setting.jit)
    first, *others = history["seconds"]
    step, memory = {"jax": jax_step, "torch": torch_step}[keras.backend.backend()](model, batches[0])
    return Rates(len(values) / median(others), setting.batch / seconds_of(step), first, memory())


def seconds_of(step: Callable[[int], None]) -> float:
    """Return the seconds of a step, of the median block after a few steps to warm up."""
    step(2)
    times = min(500, 1 + int(BLOCK_SECONDS / timed(step, 1)))
    return median(timed(step, times) for _ in range(BLOCKS)) / times


def timed(step: Callable[[int], None], times: int) -> float:
    """Return the seconds of so many steps."""
    begun = time.perf_counter()
    step(times)
    return time.perf_counter() - begun


def jax_step(model: Any, batch: tuple) -> tuple[Callable[[int], None], Callable[[], int | None]]:
    """Compile the training step for a batch on the device: how to run it so many times, and the bytes that it needs."""
    import jax
    import keras

    parts = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables)
    state = tuple([variable.value for variable in part] for part in (*parts, model.metrics_variables))
    data = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
    compiled = jax.jit(model.train_step, donate_argnums=0).lower(state, data).compile()
    sizes = compiled.memory_analysis()

    def run(times: int) -> None:
        nonlocal state
        for _ in range(times):
            _, state = compiled(state, data)
        jax.block_until_ready(state)

    needed = sizes.argument_size_in_bytes + sizes.output_size_in_bytes - sizes.alias_size_in_bytes
    return run, lambda: needed + sizes.temp_size_in_bytes


def torch_step(model: Any, batch: tuple) -> tuple[Callable[[int], None], Callable[[], int | None]]:
    """Do the same for PyTorch, whose bytes are counted since `start_memory`, and only on a GPU."""
    import keras
    import torch

    data = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
    on_gpu = torch.cuda.is_available()

    def run(times: int) -> None:
        for _ in range(times):
            model.train_function([data])
        if on_gpu:
            torch.cuda.synchronize()

    return run, lambda: torch.cuda.max_memory_allocated() if on_gpu else None


def start_memory(backend: str) -> None:
    """Forget the peak of the network before."""
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def forbid_tf32(backend: str, forbidden: bool) -> None:
    """Compute float32 as on a CPU, or as the backend does by default."""
    if backend == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest" if forbidden else None)
    else:
        import torch

        torch.backends.cudnn.allow_tf32 = not forbidden


def row(backend: str, device: str, setting: Setting, rates: Rates) -> str:
    """Write a row of the table."""
    tf32 = "no" if setting.exact or device.startswith("cpu") else TF32[backend]
    memory = "" if rates.memory is None else f"{rates.memory / 1e6:.0f}"
    named = (device, setting.network, str(setting.batch), setting.precision, tf32, str(setting.jit).lower())
    return "\t".join((*named, f"{rates.fed:.0f}", f"{rates.resident:.0f}", f"{rates.first:.1f}", memory)) + "\n"


def main(backend: str, seconds: float = 600, windows: int = 6400) -> None:
    """Measure all settings that there is time for, each epoch with as many steps as the windows make batches of 64."""
    from helpers.backend import select_backend

    device, begun = select_backend(backend, threads=1, seed=1).removeprefix("device: "), time.monotonic()
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    for setting in settings(backend):
        if time.monotonic() - begun > seconds:
            sys.stderr.write(f"left out for want of time: {setting}\n")
            continue
        start_memory(backend)
        forbid_tf32(backend, setting.exact)
        sys.stdout.write(row(backend, device, setting, measure(setting, windows)))
        sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_gpu", description=__doc__.split("\n")[0])
    parser.add_argument("backend", choices=("jax", "torch"))
    parser.add_argument("seconds", nargs="?", type=float, default=600, help="after which no other setting is begun")
    parser.add_argument("windows", nargs="?", type=int, default=6400, help="of an epoch")
    options = parser.parse_args()
    main(options.backend, options.seconds, options.windows)
