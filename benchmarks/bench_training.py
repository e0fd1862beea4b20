"""Time the networks on one thread: windows per CPU second in training and prediction, and what starting costs.

Run from the repository's root: ``python -m benchmarks.bench_training [windows]``. Codes and coverage are random, as
speed does not depend on them. Each network runs in a process of its own, like a job of the workflow. DeepSEA and DanQ
have the paper's sizes and 919 outputs, and are timed on a fiftieth of the windows. Beside them stands what a user of
Keras would write by hand: one strand, one-hot arrays, `model.fit`.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A network to time; sequences have an order and a window in bp, coverage a shape."""

    architecture: str
    order: int = 0
    window: int = 500
    shape: tuple[int, ...] = ()
    outputs: int = 1
    share: float = 1  # of the windows
    by_hand: bool = False


PROFILES = {"window": 1000, "outputs": 919, "share": 0.02}
CASES = {
    "jund dna, order 1": Case("jund_dna", 1),
    "jund dna, order 2": Case("jund_dna", 2),
    "jund dna, order 3": Case("jund_dna", 3),
    "jund dnase": Case("jund_dnase", shape=(22, 2, 2)),
    "cage dna, order 1": Case("cage_dna", 1, 900),
    "cage dna, by hand": Case("cage_dna", 1, 900, by_hand=True),
    "cage dna, order 3": Case("cage_dna", 3, 900),
    "cage chromatin": Case("cage_chromatin", shape=(1, 1, 2)),
    "deepsea, order 1": Case("deepsea", 1, **PROFILES),
    "deepsea, by hand": Case("deepsea", 1, by_hand=True, **PROFILES),
    "deepsea, order 3": Case("deepsea", 3, **PROFILES),
    "danq, order 1": Case("danq", 1, **PROFILES),
    "danq, by hand": Case("danq", 1, by_hand=True, **PROFILES),
    "danq, order 3": Case("danq", 3, **PROFILES),
}
BATCH = 64


def cpu_seconds(action: Callable[[], object]) -> float:
    """Run something and return the CPU seconds that it took, those of all threads."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def start() -> None:
    """Load the backend, as a job does first."""
    from helpers.backend import select_backend

    select_backend("tensorflow", threads=1, seed=1, device="cpu")


def loss_of(case: Case) -> str:
    """Give the loss that the paper trains with."""
    return "mae" if case.architecture.startswith("cage") else "binary_crossentropy"


def random_windows(case: Case, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return codes or coverage, and labels."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, (windows, case.outputs)).astype(np.uint8)
    if case.order:
        return rng.integers(0, 4**case.order, (windows, case.window - case.order + 1)).astype(np.uint8), labels
    return rng.normal(size=(windows, *case.shape)).astype(np.float32), labels


def ours(case: Case, values: np.ndarray, labels: np.ndarray) -> tuple[Callable[[int], Any], Callable[[], Any]]:
    """Return how a job of the workflow trains, for a number of epochs, and predicts."""
    from helpers.model.architectures import InputSpec, OutputSpec, build_model
    from helpers.model.batches import JangguSequence
    from helpers.model.training import predict, train

    spec = InputSpec(values.shape[1:], "sequence" if case.order else "coverage", case.order or 1)
    output = OutputSpec("bound", case.outputs, "linear" if loss_of(case) == "mae" else "sigmoid")
    model = build_model(case.architecture, {"input": spec}, output)
    batches, few = (
        JangguSequence({"input": values[:size]}, {"bound": labels[:size]}, batch_size=BATCH, shuffle=True, seed=1)
        for size in (len(values), BATCH)
    )
    settings = {"loss": loss_of(case), "patience": 1000}
    return lambda epochs: train(model, batches, few, epochs=epochs, **settings), lambda: predict(model, batches)


def by_hand(case: Case, values: np.ndarray, labels: np.ndarray) -> tuple[Callable[[int], Any], Callable[[], Any]]:
    """Return the same for plain Keras: order 1, one strand, one-hot arrays made beforehand."""
    import keras

    hot, activation = np.eye(4, dtype=np.float32)[values], "linear" if loss_of(case) == "mae" else "sigmoid"
    output = keras.layers.Dense(case.outputs, activation=activation)
    model = keras.Sequential([keras.Input(hot.shape[1:]), *layers_by_hand(case.architecture), output])
    model.compile(keras.optimizers.Adam(amsgrad=True), loss_of(case))
    settings = {"batch_size": BATCH, "verbose": 0}
    return lambda epochs: model.fit(hot, labels, epochs=epochs, **settings), lambda: model.predict(hot, **settings)


def layers_by_hand(architecture: str) -> list[Any]:
    """Write the hidden layers of a network of the paper as they are in its text."""
    from keras import layers

    if architecture == "cage_dna":
        return [
            *(layers.Dropout(0.2), layers.Conv1D(10, 15, activation="relu"), layers.MaxPooling1D(5)),
            *(layers.BatchNormalization(), layers.Conv1D(8, 5, activation="relu"), layers.GlobalMaxPooling1D()),
            layers.BatchNormalization(),
        ]
    if architecture == "deepsea":
        return [
            *(layers.Conv1D(320, 8, activation="relu"), layers.MaxPooling1D(4), layers.Dropout(0.2)),
            *(layers.Conv1D(480, 8, activation="relu"), layers.MaxPooling1D(4), layers.Dropout(0.2)),
            *(layers.Conv1D(960, 8, activation="relu"), layers.Dropout(0.5), layers.Flatten()),
            layers.Dense(925, activation="relu"),
        ]
    return [
        *(layers.Conv1D(320, 26, activation="relu"), layers.MaxPooling1D(13), layers.Dropout(0.2)),
        *(layers.Bidirectional(layers.LSTM(320, return_sequences=True)), layers.Dropout(0.5), layers.Flatten()),
        layers.Dense(925, activation="relu"),
    ]


def time_network(name: str, windows: int) -> str:
    """Train one network in this process and report its rates."""
    started, case = cpu_seconds(start), CASES[name]
    windows, epochs = max(BATCH, int(windows * case.share)), 8 if case.share == 1 else 3
    values, labels = random_windows(case, windows)
    make = by_hand if case.by_hand else ours
    (train, predict), (train_other, _) = (make(case, values, labels) for _ in range(2))
    first = cpu_seconds(lambda: train(1))
    epoch = (cpu_seconds(lambda: train_other(1 + epochs)) - first) / epochs
    predict()  # traces the network
    predicted = cpu_seconds(predict)
    return (
        f"{name:18s} training {windows / epoch:8.1f} and prediction {windows / predicted:8.1f} windows per CPU s; "
        f"start {started:.1f} CPU s, tracing {max(first - epoch, 0):.1f} CPU s\n"
    )


def main(windows: int = 6400) -> None:
    """Time all networks."""
    for name in CASES:
        command = [sys.executable, "-m", "benchmarks.bench_training", str(windows), name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        sys.stdout.write(done.stdout)
        sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.stdout.write(time_network(sys.argv[2], int(sys.argv[1])))
    else:
        main(*map(int, sys.argv[1:]))
