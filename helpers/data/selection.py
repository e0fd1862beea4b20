"""Choose windows of datasets: other regions, some contigs, or training and test by contig."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from helpers.data.dataset import Dataset
from helpers.data.indexer import GenomicIndexer
from helpers.data.transforms import Wrapper
from helpers.errors import InputError

Chroms = str | Iterable[str]


def view(dataset: Any, use_regions: Any) -> Any:
    """Present the same genome-wide signal in other regions.

    Parameters
    ----------
    dataset : Bioseq, Cover of tracks, or a wrapper of one
        With windows. Left unchanged.
    use_regions : path, table or other regions
        See `read_regions`; cut into windows as those of the dataset were (bin size, step, flank, padding, seed).

    Returns
    -------
    dataset
        Of the same kind, name and wrappers. It shares the stored values, nothing is read again.

    Raises
    ------
    InputError
        For a dataset without windows; for values that belong to their windows (BED labels, arrays), which have none
        elsewhere; for bad regions, or regions that do not fit the resolution or the contigs.
    """
    if isinstance(dataset, Wrapper):
        return dataset.around(view(dataset.data, use_regions))
    windows = _windows(dataset)
    settings = (windows.binsize, windows.stepsize, windows.flank, windows.zero_padding, windows.collapse)
    return dataset.with_windows(GenomicIndexer.create_from_file(use_regions, *settings, windows.random_state))


def subset(dataset: Any, include_regions: Chroms | None = None, exclude_regions: Chroms | None = None) -> Any:
    """Choose the windows on some contigs, in their order.

    Parameters
    ----------
    dataset : dataset with windows, or a wrapper of one
        Left unchanged.
    include_regions : str or iterable of str, optional
        Contigs to take; all by default.
    exclude_regions : str or iterable of str, optional
        Contigs to leave out.

    Returns
    -------
    dataset
        Of the same kind, name and wrappers; empty when all contigs are left out. Its windows keep the order in which
        the dataset presented them, so that datasets of the same windows stay aligned.

    Raises
    ------
    InputError
        Without contigs to take or leave out; for a contig on which no window lies; for a dataset without windows.
    """
    include, exclude = _as_names(include_regions), _as_names(exclude_regions)
    if include is None and exclude is None:
        msg = "subset needs contigs. Give include_regions or exclude_regions."
        raise InputError(msg)
    if isinstance(dataset, Wrapper):
        return dataset.around(subset(dataset.data, include, exclude))
    windows = _windows(dataset)
    numbers = np.bincount(windows.chrom_codes, minlength=len(windows.chrom_names))
    present = [name for name, number in zip(windows.chrom_names, numbers, strict=True) if number]
    there = set(present)
    unknown = [name for name in [*(include or ()), *(exclude or ())] if name not in there]
    if unknown:
        msg = (
            f"Dataset {dataset.name!r} has no window on {', '.join(unknown[:8])}. It has windows on "
            f"{', '.join(present[:8]) or 'no contig'}. Correct the name, or leave it out."
        )
        raise InputError(msg)
    return dataset.take(windows.idx_by_region(include=include, exclude=exclude))


def split_train_test(datasets: Any, holdout_chroms: Chroms) -> tuple[Any, Any]:
    """Split datasets by contig into what is trained on and what is held out.

    Parameters
    ----------
    datasets : dataset, wrapper, or list, tuple or mapping of these, also nested as in ``(inputs, outputs)``
        Each with windows.
    holdout_chroms : str or iterable of str
        Contigs of the test part.

    Returns
    -------
    train, test
        Each built as `datasets`: a dataset, list, tuple or dict.

    Raises
    ------
    InputError
        For a contig on which a dataset has no window, no contig, or a dataset without windows.
    """
    holdout = _as_names(holdout_chroms)
    if not holdout:
        msg = f"split_train_test needs contigs to hold out. Received: holdout_chroms={holdout_chroms!r}."
        raise InputError(msg)
    if isinstance(datasets, Mapping):
        parts = {name: split_train_test(dataset, holdout) for name, dataset in datasets.items()}
        return {name: train for name, (train, _) in parts.items()}, {name: test for name, (_, test) in parts.items()}
    if isinstance(datasets, list | tuple):
        pairs = [split_train_test(dataset, holdout) for dataset in datasets]
        kind = type(datasets)
        return kind(train for train, _ in pairs), kind(test for _, test in pairs)
    return subset(datasets, exclude_regions=holdout), subset(datasets, include_regions=holdout)


def _as_names(names: Chroms | None) -> list[str] | None:
    if names is None:
        return None
    if not isinstance(names, str | Iterable):
        msg = f"Contigs are a name or several. Received: {names!r}."
        raise InputError(msg)
    return [names] if isinstance(names, str) else list(names)


def _windows(dataset: Any) -> GenomicIndexer:
    if not isinstance(dataset, Dataset) or dataset.gindexer is None:
        msg = (
            f"{str(dataset)[:200]} has no windows, so it cannot be chosen from by region. Set its gindexer, or give "
            "an array windows with Cover.create_from_array(name, array, gindexer)."
        )
        raise InputError(msg)
    return dataset.gindexer
