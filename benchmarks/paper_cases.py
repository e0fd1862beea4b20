"""What is measured for the paper's run: a piece of work, done for three growing sizes, each in a process of its own.

CPU seconds are those of the process from its start, with the loading of libraries; memory is the most that it held.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import run_alone


class Cost(NamedTuple):
    """What one size cost.

    Attributes
    ----------
    size : int
    seconds : float
        CPU seconds.
    peak : int
        Most bytes held.
    written : int
        Bytes of the result.
    """

    size: int
    seconds: float
    peak: int
    written: int


class Case(NamedTuple):
    """What is measured.

    Attributes
    ----------
    rule : str
    what : str
        Of several cases of a rule, which.
    unit : str
        Of the sizes.
    sizes : tuple of int
    measure : callable
        Gives the costs of all sizes.
    """

    rule: str
    what: str
    unit: str
    sizes: tuple[int, ...]
    measure: Callable[[tuple[int, ...]], list[Cost]]

    @property
    def name(self) -> str:
        """Name of the fit."""
        return f"{self.rule}, {self.what}" if self.what else self.rule


class Job(NamedTuple):
    """How the files of a rule are made and its work done, both in a folder for a size.

    The latter gives its result, a file or a folder of files.
    """

    prepare: Callable[[Path, int], None]
    work: Callable[[Path, int], Path]

    def measure(self, sizes: tuple[int, ...]) -> list[Cost]:
        """Do the work for each size, in a fresh process each."""
        costs = []
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                run_alone(self.prepare, Path(folder), size)
                costs.append(run_alone(_cost, self.work, Path(folder), size))
        return costs


def _cost(work: Callable[[Path, int], Path], folder: Path, size: int) -> Cost:
    result = work(folder, size)
    files = [path for path in result.rglob("*") if path.is_file()] if result.is_dir() else [result]
    return Cost(size, time.process_time(), peak_bytes(), sum(path.stat().st_size for path in files))


def peak_bytes() -> int:
    """Give the most bytes that this process held; getrusage would count those of the process that started it, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
