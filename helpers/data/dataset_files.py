"""Open a dataset of any class from the file that `Dataset.save` wrote."""

import os

from helpers.data.coverage import Cover
from helpers.data.dataset import DATASET, Dataset
from helpers.data.mapped import MappedFile
from helpers.data.sequence import Bioseq
from helpers.errors import InputError

_CLASSES: dict[str, type[Dataset]] = {kind.__name__: kind for kind in (Bioseq, Cover)}


def open_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Open a dataset that `Dataset.save` wrote; values are memory-mapped, nothing is read until it is asked for.

    Parameters
    ----------
    path : path

    Returns
    -------
    Bioseq or Cover
        With the name, the windows in their order, the conditions and the fitted normalizers that it had.

    Raises
    ------
    InputError
        When the file is missing, damaged, of another kind or of another format version.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from helpers.data import Cover, GenomicIndexer
    >>> windows = GenomicIndexer.create_from_region("chr1", 0, 4, "+", binsize=2)
    >>> scores = Cover.create_from_array("scores", np.array([[0.5], [2.0]]), windows)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scores.save(f"{folder}/scores.h5")
    ...     open_dataset(f"{folder}/scores.h5")[:].ravel()
    array([0.5, 2. ], dtype=float32)
    """
    name = MappedFile(path, DATASET).header["class"]
    if name not in _CLASSES:
        msg = f"{path} holds a {name}, which this program does not know. It knows {', '.join(_CLASSES)}."
        raise InputError(msg)
    return _CLASSES[name].open(path)
