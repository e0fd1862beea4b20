"""Time `jit` and `precision` in training on one thread: windows per CPU second, and CPU seconds until they run.

Run from the repository's root: ``python -m benchmarks.bench_options [epochs]``. It prints a row of a TSV for each
network and setting, each in a process of its own. Networks, codes, coverage and labels are those of `bench_training`.
`compile_s` is what tracing and compiling take: the CPU seconds of the whole training less those of its epochs.
"""

import sys
import time
from itertools import pairwise, product
from statistics import median

from benchmarks.bench_training import BATCH, CASES, Case, loss_of, random_windows
from benchmarks.harness import run_alone
from helpers.backend import select_backend
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.training import train

COLUMNS = ("network", "precision", "jit", "windows_per_cpu_s", "compile_s")
WINDOWS = {"jund dna, order 3": 1024, "jund dnase": 16_384, "deepsea, order 1": 128, "danq, order 1": 128}  # an epoch
SETTINGS = tuple(product(("float32", "mixed_bfloat16"), (False, True)))


class Clocked(JangguSequence):
    """Batches that note the CPU time before the first epoch, and after each."""

    def on_epoch_end(self) -> None:
        """Note it, and go on to the next epoch."""
        super().on_epoch_end()
        self.ends = [*getattr(self, "ends", []), time.process_time()]


def time_training(case: Case, windows: int, *, jit: bool, epochs: int) -> tuple[float, float]:
    """Train a network in this process.

    Parameters
    ----------
    case : Case
    windows : int
        Of an epoch.
    jit : bool
    epochs : int
        At least 3: the training is compiled in the first, the prediction of the validation window behind it.

    Returns
    -------
    tuple of float
        Windows per CPU second, and CPU seconds of tracing and compiling.
    """
    values, labels = random_windows(case, windows)
    spec = InputSpec(values.shape[1:], "sequence" if case.order else "coverage", case.order or 1)
    output = OutputSpec("bound", case.outputs, "linear" if loss_of(case) == "mae" else "sigmoid")
    model = build_model(case.architecture, {"input": spec}, output)
    batches = Clocked({"input": values}, {"bound": labels}, batch_size=BATCH, shuffle=True, seed=1)
    one = JangguSequence({"input": values[:1]}, {"bound": labels[:1]})
    begun = time.process_time()
    train(model, batches, one, loss=loss_of(case), epochs=epochs, patience=epochs, jit=jit)
    whole = time.process_time() - begun
    epoch = median(after - before for before, after in pairwise(batches.ends[2:]))
    return windows / epoch, max(whole - epochs * epoch, 0.0)


def measure(network: str, precision: str, jit: bool, epochs: int) -> str:
    """Time a network and write its row."""
    select_backend("tensorflow", threads=1, seed=1, device="cpu", precision=precision)
    rate, compiled = time_training(CASES[network], WINDOWS[network], jit=jit, epochs=epochs)
    return "\t".join((network, precision, str(jit).lower(), f"{rate:.1f}", f"{compiled:.1f}")) + "\n"


def main(epochs: int = 6) -> None:
    """Time all networks with all settings."""
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    for network, (precision, jit) in product(WINDOWS, SETTINGS):
        sys.stdout.write(run_alone(measure, network, precision, jit, epochs))
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
