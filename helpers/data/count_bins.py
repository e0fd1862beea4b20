"""Counts in bins along stretches of a genome: whole contigs, or only what some windows cover."""

import numpy as np

from helpers.errors import InputError

_MOST = np.iinfo(np.uint32).max


class Bins:
    """Counts in bins along stretches of the genome.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int64, shape (stretches,)
        In bp of their contigs; bins begin at the start, the last one may be shorter.
    resolution : int
        Bin length in bp.
    stranded : bool
        Whether there are two strands.
    single_bases : bool
        Whether all segments will be of one base.

    Notes
    -----
    Single bases are counted in 4 bytes a bin and strand. Longer segments are kept as the differences between
    neighbouring bins, 8 bytes, and summed up by `totals`.

    Examples
    --------
    >>> bins = Bins(np.array([0]), np.array([12]), 5, stranded=False, single_bases=False)
    >>> bins.add(np.array([0]), np.array([3]), np.array([14]), np.array([False]))
    array([ True])
    >>> bins.totals()[: bins.lengths[0], 0]
    array([2, 5, 2])
    """

    def __init__(self, starts: np.ndarray, ends: np.ndarray, resolution: int, *, stranded: bool, single_bases: bool):
        self._starts, self._ends, self._resolution = starts, ends, resolution
        self._strands = 2 if stranded else 1
        self._single = single_bases
        self.lengths = -(-(ends - starts) // resolution)
        spare = 0 if self._single else 1  # a bin behind each stretch, where what reaches its end is taken off again
        self.offsets = np.cumsum(self.lengths + spare) - self.lengths - spare
        n_bins = int((self.lengths + spare).sum()) + spare
        self._flat = np.zeros(n_bins * self._strands, dtype=np.uint32 if self._single else np.int64)
        self._added = 0

    def add(self, stretches: np.ndarray, starts: np.ndarray, ends: np.ndarray, reverse: np.ndarray) -> np.ndarray:
        """Add segments.

        Parameters
        ----------
        stretches : numpy.ndarray of int, shape (n,)
            In which each segment counts.
        starts, ends : numpy.ndarray of int64, shape (n,)
            In bp of the contig; what lies outside the stretch does not count.
        reverse : numpy.ndarray of bool, shape (n,)
            Whether it lies on strand 1.

        Returns
        -------
        numpy.ndarray of bool, shape (n,)
            Which of them lie, at least in part, inside.

        Raises
        ------
        InputError
            When more is counted than 32 bits hold.
        """
        low, high = self._starts[stretches], self._ends[stretches]
        inside = (starts < high) & (ends > low)
        if not inside.all():
            stretches, starts, ends, reverse = stretches[inside], starts[inside], ends[inside], reverse[inside]
            low, high = low[inside], high[inside]
        strands = reverse if self._strands == 2 else 0
        first = self.offsets[stretches]
        if self._single:
            self._added += len(starts)
            check_most(self._added)
            places = (first + (starts - low) // self._resolution) * self._strands + strands
            np.add.at(self._flat, places, np.uint32(1))  # a plain 1 is 40 times slower: another dtype
        else:
            self._add_edges(first, np.maximum(starts, low) - low, strands, 1)
            self._add_edges(first, np.minimum(ends, high) - low, strands, -1)
        return inside

    def _add_edges(self, first: np.ndarray, edges: np.ndarray, strands: np.ndarray | int, sign: int) -> None:
        """Change, from an edge on, what neighbouring bins differ by: in its own bin by the bases behind the edge."""
        bins, bases = np.divmod(edges, self._resolution)
        places = (first + bins) * self._strands + strands
        np.add.at(self._flat, places, sign * (self._resolution - bases))
        if self._resolution > 1:
            np.add.at(self._flat, places + self._strands, sign * bases)

    def totals(self) -> np.ndarray:
        """Give the counts of all stretches, to be cut by `offsets` and `lengths`; nothing can be added after.

        Returns
        -------
        numpy.ndarray of uint32 or int64, shape (bins, strands)
        """
        flat = self._flat.reshape(-1, self._strands)
        if not self._single:
            np.cumsum(flat, axis=0, out=flat)
            check_most(int(flat.max(initial=0)))
        return flat


def check_most(most: int) -> None:
    """Raise InputError for a count that 32 bits do not hold."""
    if most > _MOST:
        msg = f"Counts reach {most}, more than 32 bits hold ({_MOST}). Use a finer resolution, or fewer reads."
        raise InputError(msg)
