"""Time the JunD networks on one thread: windows per CPU second in training and prediction, and what starting costs.

Run from the repository's root: ``python -m benchmarks.bench_training [windows]``. Codes and coverage are random, as
speed does not depend on them. Each network runs in a process of its own, like a job of the workflow.
"""

import subprocess
import sys
import time
from collections.abc import Callable

NETWORKS = {
    "dna, order 1": ("jund_dna", {"order": 1}),
    "dna, order 2": ("jund_dna", {"order": 2}),
    "dna, order 3": ("jund_dna", {"order": 3}),
    "dnase": ("jund_dnase", {}),
}
EPOCHS = 8


def cpu_seconds(action: Callable[[], object]) -> float:
    """Run something and return the CPU seconds that it took, those of all threads."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def start() -> None:
    """Load the backend, as a job does first."""
    from helpers.backend import select_backend

    select_backend("tensorflow", threads=1, seed=1, device="cpu")


def time_network(name: str, windows: int) -> str:
    """Train one network in this process and report its rates."""
    started = cpu_seconds(start)
    import numpy as np

    from helpers.model.architectures import InputSpec, OutputSpec, build_model
    from helpers.model.batches import JangguSequence
    from helpers.model.training import predict, train

    architecture, params = NETWORKS[name]
    rng, order = np.random.default_rng(1), params.get("order")
    if order:
        values = rng.integers(0, 4**order, (windows, 501 - order)).astype(np.uint8)
        spec = InputSpec(values.shape[1:], "sequence", order)
    else:
        values = rng.normal(size=(windows, 22, 2, 2)).astype(np.float32)
        spec = InputSpec(values.shape[1:], "coverage")
    batches, few = (
        JangguSequence({"input": values[:size]}, {"bound": np.arange(size) % 2}, batch_size=64, shuffle=True, seed=1)
        for size in (windows, 64)
    )
    model, other = (build_model(architecture, {"input": spec}, OutputSpec("bound"), params) for _ in range(2))
    settings = {"loss": "binary_crossentropy", "patience": EPOCHS}
    first = cpu_seconds(lambda: train(model, batches, few, epochs=1, **settings))
    epoch = (cpu_seconds(lambda: train(other, batches, few, epochs=1 + EPOCHS, **settings)) - first) / EPOCHS
    predicted = cpu_seconds(lambda: predict(model, batches))
    return (
        f"{name:12s} training {windows / epoch:7.0f} and prediction {windows / predicted:7.0f} windows per CPU s; "
        f"start {started:.1f} CPU s, tracing {first - epoch:.1f} CPU s\n"
    )


def main(windows: int = 6400) -> None:
    """Time all networks."""
    for name in NETWORKS:
        command = [sys.executable, "-m", "benchmarks.bench_training", str(windows), name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        sys.stdout.write(done.stdout)
        sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.stdout.write(time_network(sys.argv[2], int(sys.argv[1])))
    else:
        main(*map(int, sys.argv[1:]))
