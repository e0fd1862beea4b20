"""Time attribution on one thread: windows per CPU second, beside the passes through the network that it needs.

Run from the repository's root: ``python -m benchmarks.bench_attribution [windows]``. Weights and codes are random. The
limit of a method is the network's own time for as many windows: forward and backward for each step of integrated
gradients, forward alone for each changed base of mutagenesis. Each call compiles the network anew, within its time.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

WINDOW = 500  # bp
STEPS = 32
ORDERS = (1, 2, 3)
AT_ONCE = 256


def cpu_seconds(action: Callable[[], object], rounds: int = 3) -> float:
    """Run something, once to warm up, and return the least CPU seconds of some rounds."""
    spent = []
    for _ in range(1 + rounds):
        begun = time.process_time()
        action()
        spent.append(time.process_time() - begun)
    return min(spent[1:])


def random_model(order: int) -> Any:
    """Build the paper's network for DNA, with the weights of its start."""
    from helpers.model.architectures import InputSpec, OutputSpec, build_model

    spec = InputSpec((WINDOW - order + 1,), "sequence", order)
    return build_model("jund_dna", {"dna": spec}, OutputSpec("bound"), {"dropout": 0})


def passes(model: Any, order: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return what limits both methods: passes of a batch of one-hot windows, with the gradient and without."""
    from keras import ops

    from helpers.evaluation.attribution_target import Target
    from helpers.evaluation.gradients import compile_function, value_and_gradient

    target = Target(model)
    network = target.differentiable()
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4**order, (AT_ONCE, WINDOW - order + 1)).astype(np.uint8)
    hot = np.eye(4**order, dtype=np.float32)[codes][:, :, None]

    def both(hot: Any) -> Any:
        value, gradient = value_and_gradient(lambda dna: ops.sum(network({"dna": dna})), hot)
        return value, ops.sum(gradient)  # the gradient is needed, but need not leave the backend

    compiled = compile_function(both)
    return lambda: compiled(hot), lambda: target.linear.predict_on_batch({"dna": codes})


def time_order(order: int, windows: int) -> str:
    """Time both methods for one order of k-mers."""
    from helpers.evaluation.attribution import attribute

    model = random_model(order)
    codes = np.random.default_rng(2).integers(0, 4**order, (windows, WINDOW - order + 1)).astype(np.uint8)
    settings = {"steps": STEPS, "max_steps": STEPS, "tolerance": 1.0}
    few = codes[: max(windows // 32, 1)]
    integrated = windows / cpu_seconds(lambda: attribute(model, codes, **settings))
    mutated = len(few) / cpu_seconds(lambda: attribute(model, few, method="mutagenesis"), rounds=1)
    both, forward = (AT_ONCE / cpu_seconds(action) for action in passes(model, order))
    return (
        f"order {order}: integrated gradients of {STEPS} steps {integrated:6.1f} windows per CPU s "
        f"(limit {both / STEPS:6.1f}); mutagenesis {mutated:5.2f} (limit {forward / (3 * WINDOW):5.2f})"
    )


def main(windows: int = 256) -> None:
    """Time all orders."""
    from helpers.backend import select_backend

    sys.stdout.write(select_backend("tensorflow", threads=1, seed=1, device="cpu") + "\n")
    for order in ORDERS:
        sys.stdout.write(time_order(order, windows) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
