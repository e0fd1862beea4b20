"""The same batches for frameworks other than Keras; each is imported when it is asked for."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from helpers.data.batches import WindowBatches


def as_tf_dataset(batches: WindowBatches) -> Any:
    """Feed TensorFlow.

    Parameters
    ----------
    batches : WindowBatches or JangguSequence
        Each pass over the dataset is its next epoch.

    Returns
    -------
    tensorflow.data.Dataset
        Of batches as `batches` makes them, with the number of samples open, and prefetched.

    Notes
    -----
    Batches pass through a Python generator: a `JangguSequence` feeds ``model.fit`` faster.
    """
    import tensorflow as tf

    epochs = itertools.count()

    def generate() -> Iterator[tuple[Any, ...]]:
        epoch = next(epochs)
        return (batches.batch(epoch, index) for index in range(batches.num_batches))

    def signature(values: np.ndarray) -> Any:
        return tf.TensorSpec((None, *values.shape[1:]), values.dtype)

    signatures = tf.nest.map_structure(signature, batches.batch(0, 0))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signatures)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches.num_batches)).prefetch(tf.data.AUTOTUNE)


def as_torch_loader(batches: WindowBatches, num_workers: int = 0, **settings: Any) -> Any:
    """Feed PyTorch.

    Parameters
    ----------
    batches : WindowBatches or JangguSequence
        Each pass over the loader is its next epoch.
    num_workers : int, default 0
        Processes that make batches; these are the same, whatever the number.
    **settings
        Of `torch.utils.data.DataLoader`, such as `pin_memory`.

    Returns
    -------
    torch.utils.data.DataLoader
        Of batches as `batches` makes them, as tensors.
    """
    from torch.utils.data import DataLoader

    dataset = EpochBatches(batches)
    return DataLoader(dataset, batch_size=None, sampler=EpochOrder(dataset), num_workers=num_workers, **settings)


class EpochBatches:
    """Batches as a map: ``(epoch, index)`` to a batch, the map-style dataset of PyTorch.

    Parameters
    ----------
    batches : WindowBatches or JangguSequence

    Examples
    --------
    >>> batches = WindowBatches({"dna": np.arange(6).reshape(3, 2)}, batch_size=2)
    >>> dataset = EpochBatches(batches)
    >>> [dataset[place][0]["dna"].tolist() for place in EpochOrder(dataset)]
    [[[0, 1], [2, 3]], [[4, 5]]]
    """

    def __init__(self, batches: WindowBatches):
        self.batches = getattr(batches, "batches", batches)

    def __len__(self) -> int:
        return self.batches.num_batches

    def __getitem__(self, place: tuple[int, int]) -> tuple[Any, ...]:
        return self.batches.batch(*place)


class EpochOrder:
    """Name the batches of the next epoch each time it is iterated over, the sampler of PyTorch.

    Parameters
    ----------
    dataset : EpochBatches
    """

    def __init__(self, dataset: EpochBatches):
        self._dataset, self._epochs = dataset, itertools.count()

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch = next(self._epochs)  # with the first batch: a loader may begin to iterate twice before it asks for one
        for index in range(len(self._dataset)):
            yield epoch, index
