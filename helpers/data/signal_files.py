"""The constructors of `Cover` for files of signal and of features: bigWig, BED and bedGraph."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from helpers.data.arguments import explain_arguments
from helpers.data.bigwig_signal import as_strands, bigwig_sizes, load_bigwig_track, load_bigwig_windows
from helpers.data.cache import Cache
from helpers.data.chain import as_normalizer
from helpers.data.collapse import Collapser, check_collapser
from helpers.data.contigs import check_sizes
from helpers.data.dataset import check_name
from helpers.data.feature_modes import name_conditions
from helpers.data.feature_signal import Features
from helpers.data.features import check_overlap
from helpers.data.loading import as_list, fitted_rows, fitted_tracks, keep_whole_contigs, tile
from helpers.data.signal import Rows
from helpers.data.window_bins import check_resolution
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
        cache: Cache = False,
        normalizer: Any = None,
        zero_padding: bool = True,
        random_state: int | None = None,
        store_whole_genome: bool | None = None,
        collapser: Collapser = "mean",
        nan_to_num: bool = True,
    ) -> Self:
        """Read the signal of bigWig files, collapsed into bins, one condition a file.

        Parameters
        ----------
        name, roi, conditions, binsize, stepsize, resolution, flank, zero_padding, random_state, store_whole_genome
            As in `create_from_bam`.
        bigwigfiles : path, or sequence of path or of (plus, minus)
            A pair of files is one condition with two strands, named after the first; values keep their sign.
        genomesize : mapping of str to int, optional
            Contigs to read and their lengths in bp; one that a file does not name has no data there. By default those
            of `roi`, or all without `roi`, with the lengths that the files name.
        storage, cache
            As in `create_from_bam`; 4 bytes a value, 9 for each that 'sparse' keeps. A function as collapser
            cannot be part of the key of a cache: that is an error.
        normalizer : optional
            As in `create_from_bam`; to be fitted it needs `nan_to_num`.
        collapser : {'mean', 'sum', 'max'} or callable, default 'mean'
            From bases to bins, see `helpers.data.bigwig.BigWig.collapse`. Bins at the end of a contig are collapsed
            from the bases that exist.
        nan_to_num : bool, default True
            Bases without data, and positions outside the contig, hold 0. False: only bases with data count, so that
            the mean is that of covered bases; NaN where there is no data at all.

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
        check_collapser(collapser)
        check_resolution(resolution, or_none=True)
        _check_fit(normalizer, nan_to_num)
        tracks = as_strands(as_list(bigwigfiles, "bigwigfiles"))
        names = name_conditions(conditions, [track[0] for track in tracks])
        tiling = {"resolution": resolution, "zero_padding": zero_padding, "random_state": random_state}
        windows = tile(roi, binsize, stepsize, flank, **tiling)
        whole = keep_whole_contigs(windows, resolution, store_whole_genome)
        sizes = bigwig_sizes(tracks, windows, genomesize)
        rule = {"resolution": resolution, "collapser": collapser, "nan_to_num": nan_to_num}
        rule |= {"storage": storage, "cache": cache}
        outside = 0.0 if nan_to_num else np.nan
        if whole:
            arrays = [load_bigwig_track(track, sizes, **rule) for track in tracks]
            signal = fitted_tracks(arrays, normalizer, resolution, outside)
        else:
            rows = Rows(load_bigwig_windows(tracks, windows, **rule), resolution, outside, sizes)
            signal = fitted_rows(rows, normalizer, windows, names)
        return cls(name, signal, windows, conditions=names)

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
        storage: str = "ndarray",
        cache: Cache = False,
        normalizer: Any = None,
        zero_padding: bool = True,
        random_state: int | None = None,
        store_whole_genome: bool | None = None,
        mode: str = "binary",
        overlap: str | float = "any",
        collapser: Collapser = "max",
    ) -> Self:
        """Label windows by the features of BED files, whatever the strand of the features.

        Parameters
        ----------
        name, roi, binsize, stepsize, flank, normalizer, zero_padding, random_state
            As in `create_from_bam`; without `roi`, whole contigs are labelled.
        bedfiles : path, table or other regions, or a list of them
            See `read_regions`. A file without features gives 0.
        genomesize : mapping of str to int, optional
            Contig lengths in bp; windows on other contigs are refused, and regions of all these contigs can be read.
            Whole contigs need it.
        mode, conditions
            One condition a file ('binary', 'score', 'bedgraph'), or one a category of score or name
            ('score_category', 'name_category'); see `helpers.data.feature_modes.read_conditions`.
        resolution : int, optional
            Bin length in bp, which whole contigs need. By default one value for the whole window, flank included.
        storage, cache
            As in `create_from_bam`; a mark is 1 byte, a score 4 (for each that 'sparse' keeps, 6 and 9).
        store_whole_genome : bool, optional
            As in `create_from_bam`, but by default whole contigs only without `roi`.
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
        check_resolution(resolution, or_none=True)
        check_overlap(overlap)
        check_collapser(collapser)
        if genomesize is not None:
            check_sizes(genomesize)
        features = Features(as_list(bedfiles, "bedfiles"), mode, conditions)
        tiling = {"resolution": resolution, "zero_padding": zero_padding, "random_state": random_state}
        windows = tile(roi, binsize, stepsize, flank, **tiling)
        rule = {"resolution": resolution, "overlap": overlap, "collapser": collapser}
        rule |= {"scored": mode in ("score", "bedgraph"), "storage": storage, "cache": cache}
        if roi is not None and not store_whole_genome:
            names, values = features.load_windows(windows, **rule)
            signal = fitted_rows(Rows(values, resolution, sizes=genomesize), normalizer, windows, names)
            return cls(name, signal, windows, conditions=names)
        if store_whole_genome is False or not genomesize or resolution is None:
            msg = "Give `roi`, the regions to label; or label whole contigs by `genomesize` and `resolution`."
            raise InputError(msg)
        names, arrays = features.load_contigs(genomesize, **rule)
        return cls(name, fitted_tracks(arrays, normalizer, resolution), windows, conditions=names)


def _check_fit(normalizer: Any, nan_to_num: bool) -> None:
    if not nan_to_num and not as_normalizer(normalizer).fitted:
        msg = f"{normalizer!r} cannot be fitted on NaN. Use nan_to_num=True, or give a fitted normalizer."
        raise InputError(msg)
