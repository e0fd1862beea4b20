"""The constructors of `Cover` for files of signal and of features: bigWig, BED and bedGraph."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from helpers.data.arguments import explain_arguments
from helpers.data.chain import as_normalizer
from helpers.data.collapse import Collapser, check_collapser
from helpers.data.dataset import check_name
from helpers.data.feature_modes import name_conditions, read_conditions
from helpers.data.indexer import GenomicIndexer
from helpers.data.loading import (
    as_list,
    as_strands,
    bigwig_sizes,
    check_contigs,
    check_storage,
    checked_resolution,
    fitted,
    load_bigwig_track,
    load_bigwig_windows,
    load_feature_tracks,
    load_features,
    on_bins,
    plain_tracks,
    tile,
)
from helpers.data.row_normalization import normalize_rows
from helpers.data.signal import Rows, Tracks
from helpers.errors import InputError


class SignalFiles:
    """What `Cover` can be made of beside alignments and arrays; a part of that class."""

    @classmethod
    @explain_arguments()
    def create_from_bigwig(
        cls,
        name: str,
        bigwigfiles: Any,
        roi: Any = None,
        genomesize: Mapping[str, int] | None = None,
        conditions: Sequence[str] | None = None,
        binsize: int | None = None,
        stepsize: int | None = None,
        resolution: int | None = 1,
        flank: int = 0,
        *,
        storage: str = "ndarray",
        store_whole_genome: bool | None = None,
        collapser: Collapser = "mean",
        nan_to_num: bool = True,
        normalizer: Any = None,
        zero_padding: bool = True,
        random_state: int | None = None,
    ) -> Self:
        """Read the signal of bigWig files, collapsed into bins, one condition a file.

        Parameters
        ----------
        name, conditions, binsize, stepsize, flank, storage, zero_padding, random_state
            As in `create_from_bam`.
        bigwigfiles : path, or sequence of path or of (plus, minus)
            A pair of files is one condition with two strands, named after the first; values keep their sign.
        roi : path, table or other regions, optional
            Cut into windows. Without a resolution and a bin size each region is one window, whatever its length.
        genomesize : mapping of str to int, optional
            Contigs to read and their lengths in bp; one that a file does not name has no data there. By default those
            of `roi`, or all without `roi`, with the lengths that the files name.
        resolution : int or None, default 1
            Bin length in bp; None is one value for each window, flank included.
        store_whole_genome : bool, optional
            True: keep the contigs that windows lie on, 4 bytes a bin and strand; regions can be read anywhere on them.
            False: keep the values of the windows alone; bins then begin with the window, and the last one ends with it.
            By default whole contigs if all windows are whole bins of the genome, else the windows.
        collapser : {'mean', 'sum', 'max'} or callable, default 'mean'
            From bases to bins, see `helpers.data.bigwig.BigWig.collapse`. Bins at the end of a contig are collapsed
            from the bases that exist.
        nan_to_num : bool, default True
            Bases without data, and positions outside the contig, hold 0. False: only bases with data count, so that
            the mean is that of covered bases; NaN where there is no data at all.
        normalizer : optional
            As in `create_from_bam`; to be fitted it needs `nan_to_num`.

        Returns
        -------
        Cover

        Raises
        ------
        InputError
            For bad files, regions or parameters, files of different assemblies, or regions on contigs that neither the
            files nor `genomesize` name.
        """
        check_name(name)
        check_storage(storage)
        check_collapser(collapser)
        tracks, resolution = as_strands(as_list(bigwigfiles, "bigwigfiles")), checked_resolution(resolution)
        settings = {"zero_padding": zero_padding, "random_state": random_state}
        windows = tile(roi, binsize, stepsize, flank, collapse=resolution is None and binsize is None, **settings)
        sizes = bigwig_sizes(tracks, genomesize)
        if windows is not None:
            check_contigs(windows, sizes)
            sizes = sizes if genomesize else {chrom: sizes[chrom] for chrom in windows.chrom_names}
        names = name_conditions(conditions, [track[0] for track in tracks])
        rule = {"resolution": resolution, "collapser": collapser, "nan_to_num": nan_to_num}
        padding = 0.0 if nan_to_num else np.nan
        if _whole_contigs(windows, resolution, store_whole_genome):
            _check_fit(normalizer, nan_to_num)
            arrays = [load_bigwig_track(track, sizes, **rule) for track in tracks]
            signal = Tracks(arrays, [fitted(normalizer, array) for array in arrays], resolution, padding)
            return cls(name, signal, windows, conditions=names)
        _check_fit(normalizer, nan_to_num)
        rows = Rows(load_bigwig_windows(tracks, windows, **rule), resolution, padding, sizes)
        if normalizer is not None:
            rows = normalize_rows(rows, windows, as_normalizer(normalizer), sources=names)
        return cls(name, rows, windows, conditions=names)

    @classmethod
    @explain_arguments()
    def create_from_bed(
        cls,
        name: str,
        bedfiles: Any,
        roi: Any = None,
        genomesize: Mapping[str, int] | None = None,
        conditions: Sequence[str] | None = None,
        binsize: int | None = None,
        stepsize: int | None = None,
        resolution: int | None = None,
        flank: int = 0,
        *,
        mode: str = "binary",
        overlap: str | float = "any",
        collapser: Collapser = "max",
        zero_padding: bool = True,
        random_state: int | None = None,
    ) -> Self:
        """Label windows by the features of BED files, whatever the strand of the features.

        Parameters
        ----------
        name, zero_padding, random_state
            As in `create_from_bam`.
        bedfiles : path, table or other regions, or a list of them
            See `read_regions`. A file without features gives 0.
        roi : path, table or other regions, optional
            Cut into windows of `binsize` every `stepsize` bp; without a bin size, and with one value per window, each
            region is one window, whatever its length. Without `roi`, whole contigs are labelled in bins that begin with
            the contig; this needs `genomesize` and `resolution`.
        genomesize : mapping of str to int, optional
            Contig lengths in bp; windows on other contigs are refused, and regions of all these contigs can be read.
        mode, conditions
            One condition a file ('binary', 'score', 'bedgraph'), or one a category of score or name
            ('score_category', 'name_category'); see `helpers.data.feature_modes.read_conditions`.
        resolution : int, optional
            Bin length in bp; bins begin at the window's start, the last one may be shorter. By default one value for
            the whole window, flank included.
        flank : int, default 0
            Added on both sides of each window, in bp.
        overlap, collapser
            How much of a bin features must cover (of each condition), and how their values are collapsed; see
            `helpers.data.features.bin_features`.

        Returns
        -------
        Cover
            With one strand.

        Raises
        ------
        InputError
            For bad files or parameters, or scores or names where a file has none.
        """
        check_name(name)
        resolution = checked_resolution(resolution)
        names, tables = read_conditions(as_list(bedfiles, "bedfiles"), mode, conditions)
        rule = {"resolution": resolution, "overlap": overlap, "collapser": collapser}
        rule["scored"] = mode in ("score", "bedgraph")
        if roi is None:
            if not genomesize or resolution is None:
                msg = "Give `roi`, the regions to label; or label whole contigs by `genomesize` and `resolution`."
                raise InputError(msg)
            tracks = plain_tracks(load_feature_tracks(tables, genomesize, **rule), resolution)
            return cls(name, tracks, None, conditions=names)
        settings = {"zero_padding": zero_padding, "random_state": random_state}
        windows = tile(roi, binsize, stepsize, flank, collapse=resolution is None and binsize is None, **settings)
        signal = Rows(load_features(tables, windows, **rule), resolution, sizes=genomesize)
        return cls(name, signal, windows, conditions=names)


def _whole_contigs(windows: GenomicIndexer | None, resolution: int | None, wanted: bool | None) -> bool:
    """Decide whether signal is kept for whole contigs, or refuse what cannot be."""
    if windows is None and wanted is False:
        msg = "Without `roi` there are no windows to keep. Give `roi`, or leave out store_whole_genome=False."
        raise InputError(msg)
    if resolution is None and (wanted or windows is None):
        msg = "Whole contigs are kept in bins. Received: resolution=None. Give a bin length in bp, or `roi` alone."
        raise InputError(msg)
    if wanted is None:
        return windows is None or on_bins(windows, resolution)
    return wanted


def _check_fit(normalizer: Any, nan_to_num: bool) -> None:
    if not nan_to_num and not as_normalizer(normalizer).fitted:
        msg = f"{normalizer!r} cannot be fitted on NaN. Use nan_to_num=True, or give a fitted normalizer."
        raise InputError(msg)
