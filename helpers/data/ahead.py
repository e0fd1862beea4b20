"""Workers that make batches ahead."""

import multiprocessing
import pickle
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from helpers.data.batches import WindowBatches
from helpers.errors import InputError


class MadeAhead:
    """Batches that threads or processes make ahead of the one that is asked for.

    Parameters
    ----------
    batches : WindowBatches
    workers : int
        Number of threads or processes; they start with the first batch.
    most : int
        Number of batches to make ahead.
    processes : bool
        Processes, started afresh, each with a copy of `batches`, or threads.
    """

    def __init__(self, batches: WindowBatches, workers: int, most: int, *, processes: bool):
        self._batches, self._workers, self._most, self._processes = batches, workers, most, processes
        self._reset()

    def _reset(self) -> None:
        self._executor: Executor | None = None
        self._made: dict[tuple[int, int], Future] = {}
        self._next = (-1, -1)
        self._lock = threading.Lock()  # a framework may read the end of one epoch and the begin of the next at once

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_executor", "_made", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def batch(self, epoch: int, index: int) -> tuple[Any, ...]:
        """Give a batch, as `WindowBatches.batch` does; when it is asked for in turn, the following ones are begun."""
        with self._lock:
            in_turn = index == 0 or (epoch, index) == self._next
            future = self._take(epoch, index) if in_turn else None
        return self._batches.batch(epoch, index) if future is None else future.result()

    def _take(self, epoch: int, index: int) -> Future:
        """Begin this batch and the following ones, as far as they are not yet, and take this one out."""
        self._made = {place: future for place, future in self._made.items() if place[0] == epoch and place[1] >= index}
        for later in range(index, min(index + self._most, self._batches.num_batches)):
            if (epoch, later) not in self._made:
                self._made[epoch, later] = self._submit(epoch, later)
        self._next = (epoch, index + 1)
        return self._made.pop((epoch, index))

    def _submit(self, epoch: int, index: int) -> Future:
        if self._executor is None:
            self._executor = self._start()
        make = _make_in_worker if self._processes else self._batches.batch
        return self._executor.submit(make, epoch, index)

    def _start(self) -> Executor:
        if not self._processes:
            return ThreadPoolExecutor(self._workers)
        _check_pickles(self._batches)
        # A process that is forked while a backend runs threads may stop for ever; fresh ones cannot.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, initializer=_keep_batches, initargs=(self._batches,))


_worker_batches: WindowBatches | None = None


def _keep_batches(batches: WindowBatches) -> None:
    global _worker_batches
    _worker_batches = batches


def _make_in_worker(epoch: int, index: int) -> tuple[Any, ...]:
    return _worker_batches.batch(epoch, index)


def _check_pickles(batches: WindowBatches) -> None:
    try:
        pickle.dumps(batches)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        msg = (
            f"use_multiprocessing=True sends the datasets to processes; something in them cannot be sent ({error}). "
            "Define functions at the top of a module, or use threads."
        )
        raise InputError(msg) from error
