"""`Cover`: counts, labels or any signal of windows, by position, strand and condition."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.data.arguments import explain_arguments
from helpers.data.bam_signal import count_rows, count_tracks
from helpers.data.cache import Cache
from helpers.data.counting import RULE_NAMES
from helpers.data.dataset import Dataset, Parts, as_region, as_rows, check_name, check_windows
from helpers.data.export import export_windows
from helpers.data.feature_modes import checked_conditions, name_conditions
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer
from helpers.data.loading import array_rows, as_list, fitted, keep_whole_contigs, tile
from helpers.data.normalization import Normalizer
from helpers.data.signal import Rows, Tracks
from helpers.data.signal_files import SignalFiles
from helpers.data.stores import open_store
from helpers.data.window_bins import check_resolution
from helpers.errors import InputError

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class Cover(SignalFiles, Dataset):
    """Signal of windows: shape ``(windows, positions, strands, conditions)``, float32.

    Make one by `create_from_bam`, `create_from_store`, `create_from_bigwig`, `create_from_bed` or `create_from_array`.

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
    it touches counts whole. bigWig signal that keeps NaN (``nan_to_num=False``) holds NaN in both places.

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

    @property
    def contigs(self) -> list[str]:
        """Names of the contigs that are kept as a whole, in all conditions; none where windows are kept."""
        return self._signal.contigs()

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
            msg = (
                f"The values of {self.name!r} belong to its windows. Make a new Cover for other windows, or one of "
                "whole contigs (store_whole_genome=True)."
            )
            raise InputError(msg)
        self._located = self._signal.locate(gindexer)

    def _origins(self) -> list[str]:
        return self._signal.origins

    def _parts(self) -> Parts:
        header, arrays = self._signal.parts()
        return Parts({"conditions": self.conditions, type(self._signal).__name__: header}, arrays)

    @classmethod
    def _from_parts(cls, name: str, gindexer: GenomicIndexer | None, parts: Parts) -> "Cover":
        kind = Tracks if "Tracks" in parts.header else Rows
        signal = kind.from_parts(Parts(parts.header[kind.__name__], parts.arrays))
        return cls(name, signal, gindexer, conditions=parts.header["conditions"])

    @classmethod
    @explain_arguments(*RULE_NAMES)
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
        resolution: int | None = 1,
        *,
        storage: str = "ndarray",
        cache: Cache = False,
        normalizer: Any = None,
        zero_padding: bool = True,
        random_state: int | None = None,
        store_whole_genome: bool | None = None,
        reference: str | os.PathLike[str] | None = None,
        **rule: Any,
    ) -> "Cover":
        """Count alignments, one condition a file: at their 5' ends, in the middle of fragments, or at all their bases.

        Parameters
        ----------
        name : str
            See the class.
        bamfiles : path or sequence of path
            BAM or CRAM files. They need neither be sorted nor have an index, which `count_bam_windows` uses if there is
            one.
        roi : path, table or other regions, optional
            Regions to cut into windows, see `read_regions`. Without, set `gindexer` later or ask for regions.
        genomesize : mapping of str to int, optional
            Contigs to count and their lengths in bp. By default those of `roi`, or all without `roi`.
        conditions : sequence of str, optional
            A name for each condition; file names without extension by default.
        min_mapq : int, default 0
            Lowest mapping quality that counts.
        binsize, stepsize, flank : int
            Window length, distance of window starts, and flank on both sides, in bp; see `GenomicIndexer`. With
            ``resolution=None`` and no bin size each region is one window, whatever its length.
        resolution : int or None, default 1
            Bin length in bp. None is one value for the whole window, flank included.
        storage : {'ndarray', 'sparse', 'hdf5'}
            All values, or those that are not 0 (not NaN, where that stands for no data); memory mapped with `cache`,
            which 'hdf5' needs, else in memory. All give the same.
        cache : bool or path, default False
            Keep the values, before normalization, and find them by the contents of files and the parameters next time;
            see `helpers.data.cache`. Whole contigs have an entry for each condition, windows one in all.
        normalizer : str, Normalizer, callable or sequence of these, optional
            Name in `helpers.data.normalization.NORMALIZERS`, unfitted normalizer, or a `Chain` of several, fitted for
            each condition on all that is stored; a fitted one is used as it is. Whole contigs are normalized when they
            are read; values of windows at once, after which they take 4 bytes each in memory, whatever the storage.
        zero_padding : bool, default True
            Keep shorter windows at the ends of regions.
        random_state : int, optional
            Seed of a random order of the windows.
        store_whole_genome : bool, optional
            True: keep whole contigs, in bins that begin with the contig; windows, which must begin and end with a bin,
            can be changed, and regions read anywhere. False: keep the values of the windows alone, in bins that begin
            with the window, wherever that is; the last bin ends with it. A normalizer then learns from these, bases of
            overlapping windows several times. By default whole contigs if all windows are whole bins of the genome.
        reference : path, optional
            FASTA file of CRAM files, see `count_bam`.
        **rule
            Which alignments count, and where: ``count``, ``mates``, ``shift``, ``stranded``, ``keep_duplicates``,
            ``require_flags``, ``exclude_flags`` of `helpers.data.counting.CountRule`.

        Returns
        -------
        Cover

        Raises
        ------
        InputError
            For bad files, regions or parameters, or windows to be stored and no `roi`.
        """
        check_name(name)
        check_resolution(resolution, or_none=True)
        paths = as_list(bamfiles, "bamfiles")
        names = name_conditions(conditions, paths)
        tiling = {"resolution": resolution, "zero_padding": zero_padding, "random_state": random_state}
        windows = tile(roi, binsize, stepsize, flank, **tiling)
        rule |= {"min_mapq": min_mapq, "reference": reference, "resolution": resolution}
        kept = {"storage": storage, "cache": cache, "normalizer": normalizer}
        counted = count_tracks if keep_whole_contigs(windows, resolution, store_whole_genome) else count_rows
        return cls(name, counted(paths, windows, genomesize, **kept, **rule), windows, conditions=names)

    @classmethod
    @explain_arguments()
    def create_from_store(
        cls,
        name: str,
        stores: Sequence[str | os.PathLike[str] | GenomeStore],
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
        stores : sequence of path, GenomeArray or SparseArray
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
        check_name(name)
        stores = as_list(stores, "stores")
        arrays = [store if isinstance(store, GenomeStore) else open_store(store) for store in stores]
        kinds = [(array.attrs.get("resolution"), *array.item_shape) for array in arrays]
        if len(set(kinds)) > 1 or len(kinds[0]) != 2 or kinds[0][0] is None:
            found = ", ".join(f"{array.place}: {kind}" for array, kind in zip(arrays, kinds, strict=True))
            msg = f"Stores need one resolution and number of strands. Received: {found}. Count the BAM files alike."
            raise InputError(msg)
        normalizers = normalizers or [None] * len(arrays)
        if len(normalizers) != len(arrays):
            msg = f"Give one normalizer for each store. Received: {len(normalizers)} for {len(arrays)} stores."
            raise InputError(msg)
        normalizers = [fitted(item, array) for item, array in zip(normalizers, arrays, strict=True)]
        windows = tile(roi, binsize, stepsize, flank, zero_padding=zero_padding, random_state=random_state)
        names = [array.attrs.get("source", f"track_{number}") for number, array in enumerate(arrays)]
        tracks = Tracks(arrays, normalizers, kinds[0][0])
        return cls(name, tracks, windows, conditions=name_conditions(conditions, names))

    @classmethod
    @explain_arguments()
    def create_from_array(
        cls,
        name: str,
        array: Any,
        gindexer: GenomicIndexer,
        genomesize: Mapping[str, int] | None = None,
        conditions: Sequence[str] | None = None,
        resolution: int | None = None,
        *,
        storage: str = "ndarray",
        cache: Cache = False,
        padding_value: float = 0.0,
    ) -> "Cover":
        """Give values to windows, such as predictions.

        Parameters
        ----------
        name : str
            See the class.
        array : numpy.ndarray or h5py.Dataset
            Of shape (windows, positions, strands, conditions) or (windows, conditions), with any number of strands, in
            the presented order of the windows, as these see it: minus windows from right to left, their own strand
            first. Indexing gives it back unchanged, as float32. Without `storage` and `cache` it is not copied: a
            dataset stays in its file, of which the rows that are asked for are read.
        gindexer : GenomicIndexer
            The windows.
        genomesize : mapping of str to int, optional
            Contig lengths in bp; windows on other contigs are refused, and regions of all these contigs can be read.
        conditions : sequence of str, optional
            ``Cond_0``, ``Cond_1``, ... by default.
        resolution : int, optional
            Bin length in bp. By default the window length (with flank) / positions; one position is one value for the
            window.
        storage, cache
            As in `create_from_bam`; an entry of the cache is found by the contents of the array.
        padding_value : float, default 0
            What regions hold where no window lies; may be NaN.

        Returns
        -------
        Cover

        Raises
        ------
        InputError
            When array, windows and resolution do not fit together.
        """
        check_windows(gindexer)
        kept = {"storage": storage, "cache": cache}
        signal = array_rows(array, gindexer, resolution=resolution, padding=padding_value, sizes=genomesize, **kept)
        number = signal.values.shape[3]
        names = [f"Cond_{index}" for index in range(number)] if conditions is None else conditions
        return cls(name, signal, gindexer, conditions=checked_conditions(names, number))

    def export_to_bigwig(
        self, output_dir: str | os.PathLike[str], genomesize: Mapping[str, int] | None = None
    ) -> list[Path]:
        """Write the signal of the windows as bigWig tracks; see `helpers.data.export.export_windows`.

        Parameters
        ----------
        output_dir : path
            Folder; made if it is missing. Files are named ``{name}.{condition}.bigwig``, and with two strands
            ``{name}.{condition}.plus.bigwig`` and ``{name}.{condition}.minus.bigwig``.
        genomesize : mapping of str to int, optional
            Contig lengths in bp; what lies beyond is cut off. By default those of the source where they are known, else
            the ends of the last windows.

        Returns
        -------
        list of pathlib.Path
            The files, in the order of conditions and strands.

        Raises
        ------
        InputError
            For windows on contigs that `genomesize` lacks, or more than two strands.
        """
        return export_windows(self, output_dir, genomesize or self._signal.contig_sizes())
