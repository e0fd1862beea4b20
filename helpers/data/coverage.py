"""`Cover`: counts, labels or any signal of windows, by position, strand and condition."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.data.bam import bam_sizes, count_bam
from helpers.data.dataset import Dataset, as_region, as_rows
from helpers.data.features import bin_features
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import Normalizer, as_normalizer, fit_normalizer
from helpers.data.regions import read_regions
from helpers.data.signal import Rows, Tracks, resolution_of
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class Cover(Dataset):
    """Signal of windows: shape ``(windows, positions, strands, conditions)``, float32.

    Make one by `create_from_bam`, `create_from_store`, `create_from_bed` or `create_from_array`.

    Parameters
    ----------
    name : str
        Binds the dataset to the model's input or output of that name.
    signal : Tracks or Rows
        Where values come from.
    gindexer : GenomicIndexer or None
        The windows.
    conditions : sequence of str
        Name of each condition.

    Attributes
    ----------
    shape : tuple
    conditions : list of str
    resolution : int or None
        Bin length in bp; None where a window has one value.

    Raises
    ------
    InputError
        For windows that do not start or end on bins, or lie on contigs that a track lacks.

    Notes
    -----
    For a window on the minus strand, positions and strands are reversed: strand 0 is always the window's own. Positions
    outside the contig stay where they are and hold 0 counts, which are normalized as any other 0. A window shorter than
    the others (the rest at a region's end) is followed by 0 counts, in reading direction on either strand; a bin that
    it touches counts whole.

    A region ``cover[chrom, start, end, strand]`` is read base by base, whatever the resolution: each base has the value
    of its bin. From values of windows (BED, array) it is the mean of the windows that cover the base.
    """

    def __init__(self, name: str, signal: Tracks | Rows, gindexer: GenomicIndexer | None, *, conditions: Sequence[str]):
        self._signal = signal
        self._located: Any = None
        self.conditions = list(conditions)
        super().__init__(name, gindexer)

    @property
    def resolution(self) -> int | None:
        """Bin length in bp; None where a window has one value."""
        return self._signal.resolution

    @property
    def normalizers(self) -> list[Normalizer]:
        """The fitted normalizer of each condition; empty for values of windows as they were given."""
        return list(self._signal.normalizers)

    def _keep_rows(self, rows: np.ndarray) -> None:
        self._signal = self._signal.of_rows(rows)

    def _read(self, key: Any) -> np.ndarray:
        region = as_region(key)
        if region is not None:
            return self._signal.read_region(region, self._gindexer)
        windows = self._windows()
        return self._signal.read(windows, as_rows(key, len(windows)), self._located)

    def _sample_shape(self, gindexer: GenomicIndexer) -> tuple[int, int, int]:
        return self._signal.sample_shape(gindexer)

    def _check_windows(self, gindexer: GenomicIndexer) -> None:
        if isinstance(self._signal, Rows) and self._gindexer is not None:
            msg = f"The values of {self.name!r} belong to its windows. Make a new Cover for other windows."
            raise InputError(msg)
        self._located = self._signal.locate(gindexer)

    @classmethod
    def create_from_bam(
        cls,
        name: str,
        bamfiles: Paths,
        roi: Any = None,
        genomesize: Mapping[str, int] | None = None,
        conditions: Sequence[str] | None = None,
        min_mapq: int = 0,
        binsize: int | None = None,
        stepsize: int | None = None,
        flank: int = 0,
        resolution: int = 1,
        *,
        storage: str = "ndarray",
        stranded: bool = True,
        mates: str = "both",
        shift: tuple[int, int] = (0, 0),
        normalizer: Any = None,
        zero_padding: bool = True,
        random_state: int | None = None,
    ) -> "Cover":
        """Count the 5' ends of alignments, one condition a file; see `helpers.data.bam.count_bam`.

        Parameters
        ----------
        name : str
            See the class.
        bamfiles : path or sequence of path
            BAM files, sorted or not; no index needed.
        roi : path, table or other regions, optional
            Regions to cut into windows, see `read_regions`. Without, set `gindexer` later or ask for regions.
        genomesize : mapping of str to int, optional
            Contigs to count and their lengths in bp. By default those of `roi`, or all without `roi`.
        conditions : sequence of str, optional
            A name for each file; file names without extension by default.
        min_mapq : int, default 0
            Lowest mapping quality that counts.
        binsize, stepsize, flank : int
            Window length, distance of window starts, and flank on both sides, in bp; see `GenomicIndexer`.
        resolution : int, default 1
            Bin length in bp.
        storage : {'ndarray'}
            Arrays over the contigs, in memory.
        stranded : bool, default True
            Two strands, or their sum.
        mates, shift
            As in `count_bam`.
        normalizer : str, Normalizer, callable or sequence of these, optional
            Name in `helpers.data.normalization.NORMALIZERS`, unfitted normalizer, or a `Chain` of several, fitted for
            each condition on all that was counted; a fitted one is used as it is.
        zero_padding : bool, default True
            Keep shorter windows at the ends of regions.
        random_state : int, optional
            Seed of a random order of the windows.

        Returns
        -------
        Cover

        Raises
        ------
        InputError
            For bad files, regions or parameters.
        """
        if storage != "ndarray":
            msg = f"storage must be 'ndarray'. Received: storage={storage!r}."
            raise InputError(msg)
        paths = _as_list(bamfiles, "bamfiles")
        windows = _tile(roi, binsize, stepsize, flank, zero_padding=zero_padding, random_state=random_state)
        chroms = genomesize or (windows.chrom_names if windows else None)
        rule = {"min_mapq": min_mapq, "stranded": stranded, "mates": mates, "shift": shift}
        arrays = []
        for path in paths:
            sizes = _agreed_sizes(path, genomesize)
            counts, _ = count_bam(path, resolution=resolution, chroms=chroms and list(chroms), **rule)
            attrs = {"source": Path(path).name, "resolution": resolution, "sizes": sizes}
            arrays.append(GenomeArray.from_contigs(counts, attrs))
        tracks = Tracks(arrays, [_fitted(normalizer, array) for array in arrays], resolution)
        return cls(name, tracks, windows, conditions=_name_conditions(conditions, paths))

    @classmethod
    def create_from_store(
        cls,
        name: str,
        stores: Sequence[str | os.PathLike[str] | GenomeArray],
        roi: Any = None,
        conditions: Sequence[str] | None = None,
        binsize: int | None = None,
        stepsize: int | None = None,
        flank: int = 0,
        *,
        normalizers: Sequence[Any] | None = None,
        zero_padding: bool = True,
        random_state: int | None = None,
    ) -> "Cover":
        """Open counts that `store_bam_coverage` wrote, one condition a file, memory mapped.

        Parameters
        ----------
        name, roi, conditions, binsize, stepsize, flank, zero_padding, random_state
            As in `create_from_bam`.
        stores : sequence of path or GenomeArray
            All of one resolution and number of strands.
        normalizers : sequence, optional
            One for each condition, in the order of `stores`, each as `normalizer` of `create_from_bam`.

        Returns
        -------
        Cover

        Raises
        ------
        InputError
            For bad files, regions or parameters, or stores that do not fit together.
        """
        stores = _as_list(stores, "stores")
        arrays = [store if isinstance(store, GenomeArray) else GenomeArray.open(store) for store in stores]
        kinds = [(array.attrs.get("resolution"), *array.values.shape[1:]) for array in arrays]
        if len(set(kinds)) > 1 or len(kinds[0]) != 2 or kinds[0][0] is None:
            found = ", ".join(f"{array.place}: {kind}" for array, kind in zip(arrays, kinds, strict=True))
            msg = f"Stores need one resolution and number of strands. Received: {found}. Count the BAM files alike."
            raise InputError(msg)
        normalizers = normalizers or [None] * len(arrays)
        if len(normalizers) != len(arrays):
            msg = f"Give one normalizer for each store. Received: {len(normalizers)} for {len(arrays)} stores."
            raise InputError(msg)
        normalizers = [_fitted(item, array) for item, array in zip(normalizers, arrays, strict=True)]
        windows = _tile(roi, binsize, stepsize, flank, zero_padding=zero_padding, random_state=random_state)
        names = [array.attrs.get("source", f"track_{number}") for number, array in enumerate(arrays)]
        tracks = Tracks(arrays, normalizers, kinds[0][0])
        return cls(name, tracks, windows, conditions=_name_conditions(conditions, names))

    @classmethod
    def create_from_bed(
        cls,
        name: str,
        bedfiles: Any,
        roi: Any,
        conditions: Sequence[str] | None = None,
        binsize: int | None = None,
        stepsize: int | None = None,
        resolution: int | None = None,
        flank: int = 0,
        *,
        mode: str = "binary",
        overlap: str | float = "any",
        zero_padding: bool = True,
        random_state: int | None = None,
    ) -> "Cover":
        """Label windows by the features of BED files, one condition a file, whatever the strand of the features.

        Parameters
        ----------
        name, conditions, zero_padding, random_state
            As in `create_from_bam`.
        bedfiles : path, table or other regions, or a list of them
            See `read_regions`.
        roi : path, table or other regions
            Cut into windows of `binsize` every `stepsize` bp; without a bin size, and with one value per window, each
            region is one window, whatever its length.
        resolution : int, optional
            Bin length in bp; bins begin at the window's start, the last one may be shorter. By default one value for
            the whole window, flank included.
        flank : int, default 0
            Added on both sides of each window, in bp.
        mode, overlap
            See `helpers.data.features.bin_features`.

        Returns
        -------
        Cover
            With one strand.

        Raises
        ------
        InputError
            For bad files or parameters, or scores in a file without any.
        """
        files = _as_list(bedfiles, "bedfiles")
        settings = {"zero_padding": zero_padding, "random_state": random_state}
        gindexer = _tile(roi, binsize, stepsize, flank, collapse=resolution is None and binsize is None, **settings)
        windows = gindexer.windows()
        n_bins = 1 if resolution is None else -(-(gindexer.binsize + 2 * flank) // _checked_resolution(resolution))
        options = {"n_bins": n_bins, "resolution": resolution, "mode": mode, "overlap": overlap}
        values = np.stack([bin_features(windows, _read_features(file, mode), **options) for file in files], axis=-1)
        values = values[:, :, None, :]
        return cls(name, Rows(values, resolution), gindexer, conditions=_name_conditions(conditions, files))

    @classmethod
    def create_from_array(
        cls,
        name: str,
        array: np.ndarray,
        gindexer: GenomicIndexer,
        genomesize: Mapping[str, int] | None = None,
        conditions: Sequence[str] | None = None,
        resolution: int | None = None,
        *,
        padding_value: float = 0.0,
    ) -> "Cover":
        """Give values to windows, such as predictions.

        Parameters
        ----------
        name : str
            See the class.
        array : numpy.ndarray, shape (windows, positions, strands, conditions) or (windows, conditions)
            In the presented order of the windows, as these see it: minus windows from right to left, their own strand
            first. Indexing gives it back unchanged.
        gindexer : GenomicIndexer
            The windows.
        genomesize : mapping of str to int, optional
            Contig lengths in bp; windows on other contigs are refused, and regions of all these contigs can be read.
        conditions : sequence of str, optional
            ``Cond_0``, ``Cond_1``, ... by default.
        resolution : int, optional
            Bin length in bp. By default the window length (with flank) / positions; one position is one value for the
            window.
        padding_value : float, default 0
            What regions hold where no window lies.

        Returns
        -------
        Cover

        Raises
        ------
        InputError
            When array, windows and resolution do not fit together.
        """
        array = np.asarray(array)
        if array.ndim not in (2, 4):
            shapes = "(windows, conditions) or (windows, positions, strands, conditions)"
            msg = f"Give values of shape {shapes}. Received: {array.shape}."
            raise InputError(msg)
        values = array[:, None, None, :] if array.ndim == 2 else array
        signal = Rows(values, resolution_of(gindexer, values.shape[1], resolution), padding_value, genomesize)
        names = [f"Cond_{number}" for number in range(values.shape[3])] if conditions is None else list(conditions)
        return cls(name, signal, gindexer, conditions=_checked_conditions(names, values.shape[3]))


def _tile(roi: Any, binsize: int | None, stepsize: int | None, flank: int, **settings: Any) -> GenomicIndexer | None:
    return None if roi is None else GenomicIndexer.create_from_file(roi, binsize, stepsize, flank, **settings)


def _as_list(sources: Any, argument: str) -> list[Any]:
    sources = list(sources) if isinstance(sources, list | tuple) else [sources]
    if not sources:
        msg = f"{argument} is empty. Give at least one."
        raise InputError(msg)
    return sources


def _name_conditions(conditions: Sequence[str] | None, sources: Sequence[Any]) -> list[str]:
    """Take the names given, or those of the files without folder and extension."""
    if conditions is not None:
        return _checked_conditions(list(conditions), len(sources))
    named = [isinstance(source, str | os.PathLike) for source in sources]
    return [
        Path(source).name.removesuffix(".gz").rsplit(".", 1)[0] if is_path else f"Cond_{number}"
        for number, (source, is_path) in enumerate(zip(sources, named, strict=True))
    ]


def _checked_conditions(conditions: list[str], number: int) -> list[str]:
    if len(conditions) != number:
        msg = f"Give one name for each of the {number} conditions. Received: conditions={conditions}."
        raise InputError(msg)
    return conditions


def _agreed_sizes(path: str | os.PathLike[str], genomesize: Mapping[str, int] | None) -> dict[str, int]:
    """Read contig lengths of a BAM file and compare them with those given."""
    sizes = bam_sizes(path)
    for name, size in (genomesize or {}).items():
        if sizes.get(name, size) != size:
            msg = f"{path} has {name} of {sizes[name]} bp, genomesize says {size}. Use one assembly for both."
            raise InputError(msg)
    return sizes


def _fitted(normalizer: Any, array: GenomeArray) -> Normalizer:
    normalizer = as_normalizer(normalizer)
    return normalizer if normalizer.fitted else fit_normalizer(normalizer, array, resolution=array.attrs["resolution"])


def _checked_resolution(resolution: int) -> int:
    if resolution < 1:
        msg = f"The resolution is a number of bp, at least 1. Received: resolution={resolution}."
        raise InputError(msg)
    return resolution


def _read_features(source: Any, mode: str) -> Any:
    features = read_regions(source)
    if mode == "score" and len(features) and not features["score"].any():
        msg = f"{source} has no score other than 0, so mode='score' would be 0 everywhere. Use mode='binary'."
        raise InputError(msg)
    return features
