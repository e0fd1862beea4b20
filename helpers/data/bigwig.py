"""bigWig files: signal collapsed into bins, and tracks written."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pybigtools
import pyBigWig

from helpers.data.collapse import Collapser, collapse_bases
from helpers.errors import InputError
from helpers.files import atomic_path

_BINS_AT_ONCE = 1 << 15
_BASES_AT_ONCE = 1 << 20
_BASES_OF_A_READER = 1 << 21
_KNOWN_ENDINGS = (".bw", ".bigwig", ".bigWig")  # of any other file, the reader wants the open file
_SHORT_RUN = 64  # bins; shorter runs of equal neighbours are written as intervals


class BigWig:
    """A bigWig file open for reading; close it, or use it in a ``with`` statement.

    Parameters
    ----------
    path : path
        bigWig file, whatever its name.
    nan_to_num : bool, default True
        Whether bases without data hold 0. Otherwise only bases with data count, and a bin without any is NaN.

    Attributes
    ----------
    sizes : dict of str to int
        Contigs of the file and their lengths in bp. Some programs name only contigs that hold data.

    Raises
    ------
    InputError
        For a file that is missing, unreadable or no bigWig.

    References
    ----------
    Huey, Abdennur, Bioinformatics 40 (2024), doi:10.1093/bioinformatics/btae350 (pybigtools).
    """

    def __init__(self, path: str | os.PathLike[str], *, nan_to_num: bool = True):
        if not isinstance(path, str | os.PathLike):
            msg = f"Signal is the path of a bigWig file, or a list of paths. Received: {path!r:.80}."
            raise InputError(msg)
        self.path, self._keep = Path(path), not nan_to_num
        self._bases_read = 0
        self._reader = self._open()
        self.sizes: dict[str, int] = dict(self._reader.chroms())

    def _open(self) -> Any:
        file = None
        try:
            file = self.path.open("rb")
            reader = pybigtools.open(os.fspath(self.path) if self.path.name.endswith(_KNOWN_ENDINGS) else file)
            if not reader.is_bigwig:
                msg = f"{self.path} is a bigBed file. Give a bigWig; features go to Cover.create_from_bed, as BED."
                raise InputError(msg)
        except OSError as error:
            msg = f"{self.path}: cannot read the file ({error.strerror or error}). Check the path and its permissions."
            raise InputError(msg) from error
        except BaseException as error:
            file.close()
            if isinstance(error, InputError) or not _is_damage(error):
                raise
            msg = f"{self.path} is no bigWig file, or it is cut short ({error}). Give a bigWig, or download it again."
            raise InputError(msg) from error
        self._file = file
        return reader

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._file.close()

    def __enter__(self) -> "BigWig":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def collapse(
        self, chrom: str, start: int, end: int, resolution: int | None = None, collapser: Collapser = "mean"
    ) -> np.ndarray:
        """Collapse a stretch of a contig into bins.

        Parameters
        ----------
        chrom : str
            A contig that the file does not name has no data.
        start, end : int
            The stretch in bp, 0-based, half-open; may reach beyond the contig, where there is no data.
        resolution : int, optional
            Bin length in bp, from `start` on; the last bin may be shorter. By default the stretch is one bin.
        collapser : {'mean', 'sum', 'max'} or callable
            The mean divides by the bases of the bin that lie on the contig; without `nan_to_num` by those with data. A
            function is called as in `collapse_bases`, with 0 (or NaN without `nan_to_num`) at bases without data.

        Returns
        -------
        numpy.ndarray of float64, shape (ceil((end - start) / resolution),)
            Bins wholly outside the contig are 0, or NaN without `nan_to_num`.
        """
        resolution = resolution or end - start
        size = self.sizes.get(chrom, 0)
        if start >= 0 and end <= size and (end - start) % resolution == 0:
            return self._equal_bins(chrom, start, end, resolution, collapser)
        n_bins = -(-(end - start) // resolution)
        edges = np.clip(np.minimum(start + resolution * np.arange(n_bins + 1), end), 0, size)
        lengths = np.diff(edges)
        values = np.full(n_bins, np.nan if self._keep else 0.0)
        borders = np.r_[0, np.flatnonzero(np.diff(lengths)) + 1, n_bins]
        for first, after in zip(borders[:-1], borders[1:], strict=True):
            if lengths[first]:
                stretch = (int(edges[first]), int(edges[after]), int(lengths[first]))
                values[first:after] = self._equal_bins(chrom, *stretch, collapser)
        return values

    def collapse_contig(self, chrom: str, size: int, resolution: int, collapser: Collapser, out: np.ndarray) -> None:
        """Collapse a contig of `size` bp into `out`, shape (ceil(size / resolution),), piece by piece.

        The reader keeps all that it has read; it is opened anew now and then, so that little memory is needed.
        """
        at_once = min(_BINS_AT_ONCE, max(_BASES_AT_ONCE // resolution, 1)) if callable(collapser) else _BINS_AT_ONCE
        for first in range(0, len(out), at_once):
            start, end = first * resolution, min((first + at_once) * resolution, size)
            if self._bases_read + end - start > _BASES_OF_A_READER:
                self.close()
                self._reader, self._bases_read = self._open(), 0
            self._bases_read += end - start
            out[first : first + at_once] = self.collapse(chrom, start, end, resolution, collapser)

    def _equal_bins(self, chrom: str, start: int, end: int, resolution: int, collapser: Collapser) -> np.ndarray:
        """Collapse bins of one length that lie on the contig."""
        if resolution == 1 or callable(collapser):
            return self._from_bases(chrom, start, end, resolution, collapser)
        bins = {"bins": (end - start) // resolution, "exact": True}
        total = self._values(chrom, start, end, summary="sum", uncovered=0.0, **bins)
        if np.isnan(total).any():  # the file holds NaN as a value: no data, too
            return self._from_bases(chrom, start, end, resolution, collapser)
        if not self._keep:
            if collapser == "max":
                return self._values(chrom, start, end, summary="max", uncovered=0.0, **bins)
            return total / resolution if collapser == "mean" else total
        if collapser == "max":
            return self._values(chrom, start, end, summary="max", **bins)
        n_covered = self._values(chrom, start, end, summary="bases_covered", fillna=0.0, **bins)
        total[n_covered == 0] = np.nan
        return total / np.maximum(n_covered, 1) if collapser == "mean" else total

    def _from_bases(self, chrom: str, start: int, end: int, resolution: int, collapser: Collapser) -> np.ndarray:
        bases = self._values(chrom, start, end).reshape(1, -1, 1)
        if self._keep and isinstance(collapser, str):
            return _collapse_covered(bases, resolution, collapser).ravel()
        if not self._keep:
            bases[np.isnan(bases)] = 0
        return collapse_bases(bases, resolution, collapser).ravel()

    def _values(self, chrom: str, start: int, end: int, *, fillna: float | None = None, **options: Any) -> np.ndarray:
        try:
            return self._reader.values(chrom, start, end, fillna=fillna, **options)
        except BaseException as error:
            if not _is_damage(error):
                raise
            msg = f"{self.path}: the data of {chrom}:{start}-{end} are damaged ({error}). Download or make it again."
            raise InputError(msg) from error


def _is_damage(error: BaseException) -> bool:
    """Say whether the reader stumbled over the file; its inner error has no class that could be imported."""
    return isinstance(error, pybigtools.BBIReadError | ValueError) or type(error).__name__ == "PanicException"


def _collapse_covered(bases: np.ndarray, resolution: int, collapser: str) -> np.ndarray:
    """Collapse the bases that hold data; a bin without any is NaN."""
    covered = ~np.isnan(bases)
    n_covered = collapse_bases(covered, resolution, "sum")
    if collapser == "max":
        values = collapse_bases(np.where(covered, bases, -np.inf), resolution, "max")
    else:
        values = collapse_bases(np.where(covered, bases, 0), resolution, "sum")
        values = values / np.maximum(n_covered, 1) if collapser == "mean" else values
    return np.where(n_covered > 0, values, np.nan)


def write_bigwig(
    path: str | os.PathLike[str],
    sizes: Mapping[str, int],
    pieces: Iterable[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    """Write a bigWig track.

    Parameters
    ----------
    path : path
        The file to write; it appears when it is complete.
    sizes : mapping of str to int
        Length in bp of every contig; all are named in the header, in this order.
    pieces : iterable of (contig, starts, ends, values)
        At most one item for each contig, in the order of `sizes`: sorted pieces in bp, 0-based, half-open, without
        overlap and inside the contig, and their values (single precision), each of shape (pieces,). NaN is left out.
    """
    with atomic_path(path) as temporary:
        track = pyBigWig.open(str(temporary), "w")
        track.addHeader([(chrom, int(size)) for chrom, size in sizes.items()])
        for chrom, starts, ends, values in pieces:
            kept = ~np.isnan(values)
            if not kept.all():
                starts, ends, values = starts[kept], ends[kept], values[kept]
            _add_contig(track, chrom, starts, ends, values)
        track.close()


def _add_contig(track: Any, chrom: str, starts: np.ndarray, ends: np.ndarray, values: np.ndarray) -> None:
    """Add long runs of touching pieces of one length at fixed steps, which is fast, and anything else as intervals."""
    if not len(starts):
        return
    lengths, values = ends - starts, values.astype(np.float32)
    breaks = np.flatnonzero((starts[1:] != ends[:-1]) | (lengths[1:] != lengths[:-1])) + 1
    borders = np.r_[0, breaks, len(starts)]
    long = np.diff(borders) >= _SHORT_RUN
    parts = np.flatnonzero(np.r_[True, long[1:] | long[:-1]])  # neighbouring short runs are written together
    for first, after, is_long in zip(borders[parts], np.r_[borders[parts[1:]], len(starts)], long[parts], strict=True):
        if is_long:
            span = int(lengths[first])
            track.addEntries(chrom, int(starts[first]), values=values[first:after], span=span, step=span)
        else:
            part = slice(first, after)
            track.addEntries(np.full(after - first, chrom), starts[part], ends=ends[part], values=values[part])
