"""DNA as numbers: FASTA files to codes of bases and k-mers, and `Bioseq`, the sequence of windows.

A base is stored as one byte: A, C, G, T are 0, 1, 2, 3 (upper or lower case), anything else and what lies outside the
contig is `UNKNOWN`. A k-mer is the base-4 number of its letters, the first letter most significant; a k-mer that
touches an unknown base is unknown, ``4**order``.
"""

import os
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

import h5py
import numpy as np

from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.dataset import Dataset, Parts, Spans, as_region, as_rows
from helpers.data.fasta import UNKNOWN, read_fasta
from helpers.data.fasta import encode_fasta as encode_fasta
from helpers.data.fasta import encode_letters as encode_letters
from helpers.data.fasta import fasta_sizes as fasta_sizes
from helpers.data.fasta import read_fasta_contigs as read_fasta_contigs
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer
from helpers.data.regions import read_regions
from helpers.data.storage import GenomeArray
from helpers.data.stores import check_storage, parts_of_store, store_from_parts
from helpers.errors import InputError

LETTERS = "ACGT"
MAX_ORDER = 7
_MAX_TABLE_ORDER = 3  # above this a table of one-hot rows falls out of the cache of the processor


def kmer_codes(codes: np.ndarray, order: int) -> np.ndarray:
    """Encode the k-mer that starts at each base.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (n, length)
        Bases, 0 to 3 for A, C, G, T; anything above is unknown.
    order : int
        Length of the k-mers, 1 to 7.

    Returns
    -------
    numpy.ndarray, shape (n, length - order + 1)
        uint8 up to order 3, else uint16. ``4**order`` where the k-mer touches an unknown base.

    Raises
    ------
    InputError
        When the order is out of range or longer than the sequences.

    Examples
    --------
    >>> kmer_codes(np.array([[0, 1, 2, 3, 4]], dtype=np.uint8), 2)  # AC CG GT T? of ACGTN
    array([[ 1,  6, 11, 16]], dtype=uint8)
    """
    _check_order(order, codes.shape[1])
    length = codes.shape[1] - order + 1
    kmers = codes[:, :length].astype(np.uint8 if order <= 3 else np.uint16)
    for position in range(1, order):
        kmers *= 4  # ten times faster than a shift
        kmers += codes[:, position : position + length]
    with_unknown = np.flatnonzero(codes.max(axis=1, initial=0) >= UNKNOWN)
    if len(with_unknown):
        unknown = codes[with_unknown] >= UNKNOWN
        touched = np.logical_or.reduce([unknown[:, position : position + length] for position in range(order)])
        kmers[with_unknown] = np.where(touched, kmers.dtype.type(4**order), kmers[with_unknown])
    return kmers


def reverse_complement_codes(codes: np.ndarray, order: int) -> np.ndarray:
    """Read k-mer codes from the other strand.

    Parameters
    ----------
    codes : numpy.ndarray of uint, shape (n, positions)
        As `kmer_codes` gives them.
    order : int
        Length of the k-mers.

    Returns
    -------
    numpy.ndarray, shape (n, positions), of the dtype of `codes`
        Positions reversed, each k-mer replaced by its reverse complement; unknown stays unknown.

    Examples
    --------
    >>> reverse_complement_codes(np.array([[0, 1, 4]], dtype=np.uint8), 1)  # ACN -> NGT
    array([[4, 2, 3]], dtype=uint8)
    """
    return _reverse_complement_table(order)[codes[:, ::-1]].astype(codes.dtype, copy=False)


def one_hot(codes: np.ndarray, order: int) -> np.ndarray:
    """Expand k-mer codes to one channel a k-mer.

    Parameters
    ----------
    codes : numpy.ndarray of uint, shape (n, positions)
        As `kmer_codes` gives them.
    order : int
        Length of the k-mers.

    Returns
    -------
    numpy.ndarray of int8, shape (n, positions, 1, 4**order)
        1 in the channel of the k-mer; unknown k-mers are 0 in all channels.

    Examples
    --------
    >>> one_hot(np.array([[2, 4]], dtype=np.uint8), 1)[0, :, 0]
    array([[0, 0, 1, 0],
           [0, 0, 0, 0]], dtype=int8)
    """
    channels = 4**order
    if order <= _MAX_TABLE_ORDER:
        table = _one_hot_table(order)
        hot = table.take(codes, mode="clip").view(np.int8)
    else:
        hot = np.zeros(codes.size * channels, dtype=np.int8)
        known = np.flatnonzero(codes.ravel() < channels)
        hot[known * channels + codes.ravel()[known]] = 1
    return hot.reshape(*codes.shape, 1, channels)


@cache
def _one_hot_table(order: int) -> np.ndarray:
    """Give one item of 4**order bytes for each code, the last for unknown, so that expanding copies whole items."""
    channels = 4**order
    rows = np.zeros((channels + 1, channels), dtype=np.int8)
    np.fill_diagonal(rows, 1)
    return rows.reshape(-1).view({4: np.uint32, 16: np.complex128}.get(channels, np.dtype((np.void, channels))))


@cache
def _reverse_complement_table(order: int) -> np.ndarray:
    codes = np.arange(4**order)
    turned = np.zeros_like(codes)
    for position in range(order):
        turned = turned * 4 + 3 - (codes >> 2 * position & 3)
    return np.append(turned, 4**order).astype(np.uint16)


def _check_order(order: int, length: int) -> None:
    if not (isinstance(order, int | np.integer) and 1 <= order <= MAX_ORDER):
        msg = f"order is the length of the k-mers, 1 to {MAX_ORDER}. Received: order={order!r}."
        raise InputError(msg)
    if order > length:
        msg = f"Windows of {length} bp hold no {order}-mer. Received: order={order}. Make the windows longer."
        raise InputError(msg)


class Bioseq(Dataset):
    """The sequence of windows, one-hot or as codes, one strand.

    Parameters
    ----------
    name : str
        Binds the dataset to the model's input of that name.
    genome : GenomeArray of uint8, shape (bases,)
        Codes of bases.
    gindexer : GenomicIndexer, optional
        The windows.
    order : int, default 1
        Length of the k-mers, 1 to 7.

    Attributes
    ----------
    shape : tuple
        ``(windows, binsize + 2 * flank - order + 1, 1, 4**order)``.
    conditions : list of str
        The k-mer of each channel, in alphabetical order.
    genome : GenomeArray
    order : int

    Raises
    ------
    InputError
        For an order out of range, windows on contigs that the genome lacks, or windows shorter than the order.

    Notes
    -----
    A window on the minus strand is the reverse complement. Bases outside the contig are unknown and stay where they
    are, so that a window's centre is its centre. A window shorter than the others (the rest at a region's end) is
    followed by unknown bases, in reading direction on either strand.

    One-hot windows of order 3 take 64 bytes a base: batches of 64 to 256 windows of 1 kb stay in the cache of the
    processor, above that writing to memory takes most of the time. Models read `codes`, 1 byte a base.

    Examples
    --------
    >>> genome = GenomeArray.from_contigs({"chr1": encode_letters(b"ACGTTTGN")})
    >>> regions = GenomicIndexer.create_from_region("chr1", 0, 8, "+", binsize=4, stepsize=4)
    >>> dna = Bioseq("dna", genome, regions)
    >>> dna.shape, dna.codes(-1)
    ((2, 4, 1, 4), array([[3, 3, 2, 4]], dtype=uint8))
    >>> dna.codes(("chr1", 0, 4, "-"))
    array([[0, 1, 2, 3]], dtype=uint8)
    """

    def __init__(self, name: str, genome: GenomeArray, gindexer: GenomicIndexer | None = None, *, order: int = 1):
        _check_order(order, MAX_ORDER)
        self.genome, self.order = genome, int(order)
        self._contigs = np.zeros(0, dtype=np.int64)
        super().__init__(name, gindexer)

    @classmethod
    def create_from_refgenome(
        cls,
        name: str,
        refgenome: str | os.PathLike[str] | GenomeArray,
        roi: Any = None,
        binsize: int | None = None,
        stepsize: int | None = None,
        flank: int = 0,
        order: int = 1,
        *,
        storage: str = "ndarray",
        cache: Cache = False,
        random_state: int | None = None,
        zero_padding: bool = True,
        store_whole_genome: bool = True,
    ) -> "Bioseq":
        """Make a dataset of a reference genome.

        Parameters
        ----------
        name : str
            See the class.
        refgenome : path or GenomeArray
            FASTA file (plain, gzip or bgzip; read into memory, 1 byte a base) or what `encode_fasta` wrote (memory
            mapped).
        roi : path, table or other regions, optional
            Regions to cut into windows, see `read_regions`. Without, set `gindexer` later or ask for regions.
        binsize, stepsize, flank : int
            Window length, distance of window starts, and bases added on both sides, in bp; see `GenomicIndexer`.
        order : int, default 1
            Length of the k-mers, 1 to 7.
        storage : {'ndarray', 'hdf5'}
            'ndarray': in memory, or memory mapped when it comes from a file or the cache. 'hdf5' is always memory
            mapped and needs `cache`, or a `refgenome` that `encode_fasta` wrote. A sequence is never 'sparse'.
        cache : bool or path, default False
            Keep the codes of a FASTA file, and find them by its contents the next time; see `helpers.data.cache`.
        random_state : int, optional
            Seed of a random order of the windows.
        zero_padding : bool, default True
            Keep shorter windows at the ends of regions.
        store_whole_genome : bool, default True
            Keep all contigs of a FASTA file, or only those of `roi`.

        Returns
        -------
        Bioseq
            Of length 0 when `roi` has no region.

        Raises
        ------
        InputError
            For a bad file, bad regions, or regions on contigs that the genome lacks.
        """
        regions = None if roi is None else read_regions(roi)
        if regions is None and not store_whole_genome:
            msg = "store_whole_genome=False keeps the contigs of `roi`. Give `roi`."
            raise InputError(msg)
        chroms = None if store_whole_genome else list(dict.fromkeys(regions["chrom"]))
        gindexer = None
        if regions is not None:
            gindexer = GenomicIndexer.create_from_file(
                regions, binsize, stepsize, flank, zero_padding, random_state=random_state
            )
        return cls(name, _open_genome(refgenome, chroms, storage, cache), gindexer, order=order)

    @property
    def conditions(self) -> list[str]:
        """The k-mer of each channel."""
        return ["".join(letters) for letters in product(LETTERS, repeat=self.order)]

    def codes(self, key: Any) -> np.ndarray:
        """Read windows as k-mer codes, which is what models take.

        Parameters
        ----------
        key : int, slice, sequence of int, boolean mask or region
            See `Dataset`.

        Returns
        -------
        numpy.ndarray, shape (selected, binsize + 2 * flank - order + 1)
            uint8 up to order 3, else uint16; unknown k-mers are ``4**order``.
        """
        region = as_region(key)
        if region is None:
            windows = self._windows()
            spans = Spans.of_windows(windows, as_rows(key, len(windows)))
            ids, length = self._contigs[spans.codes], _length_of(windows)
        else:
            spans, length = Spans.of_region(region), region.end - region.start
            ids = self.genome.contig_ids(spans.names)
        letters = self._letters(ids, spans, length)
        return letters if self.order == 1 else kmer_codes(letters, self.order)

    def _read(self, key: Any) -> np.ndarray:
        return one_hot(self.codes(key), self.order)

    def _letters(self, ids: np.ndarray, spans: Spans, length: int) -> np.ndarray:
        """Read bases, shape (n, length); shorter spans begin at the left, in reading direction."""
        letters = self.genome.gather(ids, np.where(spans.reverse, spans.ends - length, spans.starts), length, UNKNOWN)
        if spans.reverse.any():
            turned = letters[spans.reverse, ::-1]
            letters[spans.reverse] = np.minimum(turned ^ 3, UNKNOWN)  # 0 1 2 3 4 -> 3 2 1 0 4
        lengths = spans.ends - spans.starts
        if (lengths < length).any():
            letters[np.arange(length) >= lengths[:, None]] = UNKNOWN
        return letters

    def _sample_shape(self, gindexer: GenomicIndexer) -> tuple[int, int, int]:
        return _length_of(gindexer) - self.order + 1, 1, 4**self.order

    def _stores(self) -> list[GenomeStore]:
        return [self.genome]

    def _parts(self) -> Parts:
        header, arrays = parts_of_store(self.genome, "genome/")
        return Parts({"order": self.order, "genome": header}, arrays)

    @classmethod
    def _from_parts(cls, name: str, gindexer: GenomicIndexer | None, parts: Parts) -> "Bioseq":
        genome = store_from_parts(parts.header["genome"], parts.arrays, "genome/")
        return cls(name, genome, gindexer, order=parts.header["order"])

    def _check_windows(self, gindexer: GenomicIndexer) -> None:
        _check_order(self.order, _length_of(gindexer))
        self._contigs = self.genome.contig_ids(gindexer.chrom_names)


def _length_of(gindexer: GenomicIndexer) -> int:
    if gindexer.binsize is None:
        msg = "Sequence windows need one length. Received: binsize=None. Give the windows a binsize."
        raise InputError(msg)
    return gindexer.binsize + 2 * gindexer.flank


def _open_genome(
    refgenome: str | os.PathLike[str] | GenomeArray, chroms: Sequence[str] | None, storage: str, cache: Cache
) -> GenomeStore:
    if storage == "sparse":
        msg = "A sequence has a letter at each base: storage='sparse' would take more room. Use 'ndarray' or 'hdf5'."
        raise InputError(msg)
    if isinstance(refgenome, GenomeStore):
        check_storage(storage, in_file=refgenome.path is not None)
        genome = refgenome
    elif os.path.isfile(refgenome) and h5py.is_hdf5(refgenome):
        check_storage(storage, in_file=True)
        genome = GenomeArray.open(refgenome)
    else:
        recipe = Recipe("sequence", [refgenome], {"chroms": chroms})
        attrs = {"source": os.path.basename(refgenome)}
        genome = load_store(lambda: read_fasta(refgenome, chroms), recipe, attrs, storage=storage, cache=cache)
    if genome.dtype != np.uint8 or genome.item_shape:
        msg = f"{genome.place} holds no sequence ({genome.dtype}). Give a FASTA file or what encode_fasta wrote."
        raise InputError(msg)
    return genome
