"""Batches of windows for Keras, with workers that make them ahead and change nothing about them."""

from typing import Any

import keras
import numpy as np

from helpers.data.ahead import MadeAhead
from helpers.data.batches import WindowBatches, as_targets
from helpers.errors import InputError


class JangguSequence(keras.utils.PyDataset):
    """Batches of one or more datasets of the same windows, for ``model.fit(batches, shuffle=False)``.

    Parameters
    ----------
    inputs, outputs, sample_weights, batch_size, shuffle, as_dict, seed, augment, codes
        See `helpers.data.batches.WindowBatches`.
    workers : int, default 1
        Threads or processes that make batches ahead; 1 makes each batch when it is asked for. Batches are the same,
        whatever the number.
    use_multiprocessing : bool, default False
        Processes, each with a copy of the datasets (memory maps are shared), instead of threads. They are started
        afresh: a script needs ``if __name__ == "__main__":`` around what it does.
    max_queue_size : int, default 10
        Number of batches that workers make ahead.

    Attributes
    ----------
    inputs, outputs : dict
        Name to dataset; by position when ``as_dict=False``.
    batch_size, size, num_batches : int
        Windows of a batch, windows in all, batches of an epoch.
    indices : numpy.ndarray of int, shape (windows,)
        Order of the current epoch.
    epoch : int

    Raises
    ------
    InputError
        See `WindowBatches`; also for fewer than one worker.

    Notes
    -----
    ``sequence[i]`` is a tuple of inputs, outputs and weights, as far as they were given; Keras takes it as it is.
    Order and random draws depend on the seed, the epoch and the number of the batch alone. `fit` by default asks for
    batches in a random order that no seed here fixes: use ``fit(..., shuffle=False)``, and ``shuffle=True`` here.

    Keras's own workers are not used: on JAX and torch they carry batches of one epoch over into the next.

    Examples
    --------
    >>> batches = JangguSequence({"dna": np.arange(6).reshape(3, 2)}, {"bound": np.array([0, 1, 1])}, batch_size=2)
    >>> inputs, outputs = batches[1]
    >>> len(batches), inputs["dna"], outputs["bound"]
    (2, array([[4, 5]]), array([[1.]], dtype=float32))
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any = None,
        sample_weights: Any = None,
        batch_size: int = 32,
        shuffle: bool = False,
        as_dict: bool = True,
        *,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
        **settings: Any,
    ):
        super().__init__()
        if workers < 1 or max_queue_size < 1:
            msg = f"workers and max_queue_size are at least 1. Received: {workers}, {max_queue_size}."
            raise InputError(msg)
        self.batches = WindowBatches(inputs, outputs, sample_weights, batch_size, shuffle, as_dict, **settings)
        self.inputs, self.outputs = self.batches.inputs, self.batches.outputs
        self.sample_weights, self.size = self.batches.sample_weights, self.batches.size
        self.batch_size, self.shuffle, self.as_dict = self.batches.batch_size, shuffle, as_dict
        self.epoch = 0
        self._ahead = None
        if workers > 1 or use_multiprocessing:
            self._ahead = MadeAhead(self.batches, workers, max_queue_size, processes=use_multiprocessing)

    @property
    def num_batches(self) -> int:
        """Number of batches of an epoch, the last one perhaps smaller."""
        return self.batches.num_batches

    @property
    def indices(self) -> np.ndarray:
        """Order of the windows in this epoch."""
        return self.batches.order(self.epoch)

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.batch(self.epoch, index)

    def batch(self, epoch: int, index: int) -> tuple[Any, ...]:
        """Make a batch of an epoch, counted from 0; see `WindowBatches.batch`."""
        if self._ahead is None:
            return self.batches.batch(epoch, index)
        return self._ahead.batch(epoch, index)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch and its order; Keras calls this before the first epoch, too."""
        self.epoch += 1

    @property
    def output(self) -> Any:
        """The only output.

        Raises
        ------
        InputError
            Unless there is one.
        """
        if self.outputs is None or len(self.outputs) != 1:
            msg = f"One output is needed, the labels or values to learn. Received: {list(self.outputs or [])}."
            raise InputError(msg)
        return next(iter(self.outputs.values()))

    def targets(self) -> np.ndarray:
        """Return the only output for all windows in their own order, as float32 of shape (windows, outputs).

        Raises
        ------
        InputError
            Unless there is one output, with one value for each window and condition.
        """
        values = as_targets(self.output[np.arange(self.size)])
        if values.ndim != 2:
            msg = f"Outputs have one value for each window and output. Received: shape {values.shape}."
            raise InputError(msg)
        return values

    def inputs_in_order(self, batch_size: int) -> "JangguSequence":
        """Return batches of the same inputs in their own order, without outputs and augmentation."""
        inputs = self.inputs if self.as_dict else list(self.inputs.values())
        return JangguSequence(inputs, batch_size=batch_size, as_dict=self.as_dict, codes=self.batches.codes)
