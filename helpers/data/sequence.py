"""`Bioseq`, the sequence of windows: of a genome, or of sequences that are windows themselves.

A letter is stored as one byte, see `helpers.data.alphabet`: A, C, G, T are 0, 1, 2, 3 (upper or lower case), anything
else and what lies outside the contig is unknown. `helpers.data.kmers` says how k-mers are numbered. What reads FASTA
files and makes k-mers can be imported from here too.
"""

import os
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from helpers.data.alphabet import DNA, Alphabet, alphabet_of
from helpers.data.alphabet import encode_letters as encode_letters
from helpers.data.arguments import explain_arguments
from helpers.data.cache import Cache, Recipe, load_store
from helpers.data.dataset import Dataset, Parts, Spans, as_region, as_rows, check_name
from helpers.data.fasta import encode_fasta as encode_fasta
from helpers.data.fasta import fasta_sizes as fasta_sizes
from helpers.data.fasta import read_fasta
from helpers.data.fasta import read_fasta_contigs as read_fasta_contigs
from helpers.data.genome_store import GenomeStore
from helpers.data.indexer import GenomicIndexer
from helpers.data.kmers import check_order, one_hot
from helpers.data.kmers import kmer_codes as kmer_codes
from helpers.data.kmers import reverse_complement_codes as reverse_complement_codes
from helpers.data.regions import read_regions, region_table
from helpers.data.sequence_files import read_sequences
from helpers.data.storage import GenomeArray
from helpers.data.stores import check_storage, parts_of_store, store_from_parts
from helpers.data.window_bins import warn_of_windows_outside
from helpers.errors import InputError


class Bioseq(Dataset):
    """The sequence of windows, one-hot or as codes, one strand.

    Parameters
    ----------
    name : str
        Binds the dataset to the model's input of that name.
    genome : GenomeArray of uint8, shape (letters,)
        Codes of letters.
    gindexer : GenomicIndexer, optional
        The windows.
    order : int, default 1
        Length of the k-mers, 1 to 7; for proteins 1 to 3.
    alphabet : Alphabet, default DNA
        What the codes mean.

    Attributes
    ----------
    shape : tuple
        ``(windows, binsize + 2 * flank - order + 1, 1, 4**order)``; ``20**order`` for proteins.
    conditions : list of str
        The k-mer of each channel, in alphabetical order.
    genome : GenomeArray
    order : int
    alphabet : Alphabet

    Raises
    ------
    InputError
        For an order out of range, windows on contigs that the genome lacks, windows shorter than the order, or windows
        on the minus strand of a protein.

    Notes
    -----
    A window on the minus strand is the reverse complement. Bases outside the contig are unknown and stay where they
    are, so that a window's centre is its centre. A window shorter than the others (the rest at a region's end) is
    followed by unknown bases, in reading direction on either strand.

    One-hot windows of order 3 take 64 bytes a base; models read `codes`, 1 byte a base.

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

    def __init__(
        self,
        name: str,
        genome: GenomeArray,
        gindexer: GenomicIndexer | None = None,
        *,
        order: int = 1,
        alphabet: Alphabet = DNA,
    ):
        check_order(order, alphabet.max_order, alphabet)
        self.genome, self.order, self.alphabet = genome, int(order), alphabet
        self._contigs = np.zeros(0, dtype=np.int64)
        super().__init__(name, gindexer)

    @classmethod
    @explain_arguments()
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
        zero_padding: bool = True,
        random_state: int | None = None,
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
        zero_padding : bool, default True
            Keep shorter windows at the ends of regions.
        random_state : int, optional
            Seed of a random order of the windows.
        store_whole_genome : bool, default True
            Keep all contigs of a FASTA file, or only those of `roi`; with an index beside the file (.fai; .gzi too for
            bgzip) no other contig is read then.

        Returns
        -------
        Bioseq
            Of length 0 when `roi` has no region.

        Raises
        ------
        InputError
            For a bad file, bad regions, or regions on contigs that the genome lacks.
        """
        check_name(name)
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

    @classmethod
    @explain_arguments()
    def create_from_seq(
        cls, name: str, fastafile: Any, *, seqtype: str = "dna", order: int = 1, fixedlen: int | None = None
    ) -> "Bioseq":
        """Make a dataset of sequences, each of them one window.

        Parameters
        ----------
        name : str
            See the class.
        fastafile : path, list of paths, or list of records
            FASTA files (plain, gzip or bgzip), read one behind the other; or pairs ``(id, letters)``, or objects with
            the attributes ``id`` and ``seq``.
        seqtype : {'dna', 'protein'}
            Letters ACGT, or ACDEFGHIKLMNPQRSTVWY; all others (N, X, gaps, stops) are unknown.
        order : int, default 1
            Length of the k-mers, 1 to 7; for proteins 1 to 3.
        fixedlen : int, optional
            Length to which sequences are cut, or padded with unknown letters, at their right.

        Returns
        -------
        Bioseq
            One window for each sequence, in order; its id is the contig, from 0 to its length on '+'.

        Raises
        ------
        InputError
            For a bad file, an id that comes twice, or, without `fixedlen`, sequences of different lengths.

        Notes
        -----
        There is no cache: some 70 million letters are read in a second, into 1 byte each. `save` keeps a dataset.

        Examples
        --------
        >>> proteins = Bioseq.create_from_seq("p", [("a", "MAGIC"), ("b", "MX")], seqtype="protein", fixedlen=3)
        >>> proteins.shape, proteins.codes(slice(None)).tolist()
        ((2, 3, 1, 20), [[10, 0, 5], [10, 20, 20]])
        >>> proteins.gindexer[1]
        Region(chrom='b', start=0, end=3, strand='+')
        """
        check_name(name)
        alphabet = alphabet_of(seqtype)
        sequences = read_sequences(fastafile, alphabet, fixedlen=fixedlen)
        names = list(sequences.contigs)
        length = int(fixedlen or next(iter(sequences.sizes.values())))
        windows = GenomicIndexer.create_from_file(region_table(names, [0] * len(names), length, strand="+"), length)
        return cls(name, sequences, windows, order=order, alphabet=alphabet)

    @property
    def conditions(self) -> list[str]:
        """The k-mer of each channel."""
        return self.alphabet.kmers(self.order)

    def codes(self, key: Any) -> np.ndarray:
        """Read windows as k-mer codes, which is what models take.

        Parameters
        ----------
        key : int, slice, sequence of int, boolean mask or region
            See `Dataset`.

        Returns
        -------
        numpy.ndarray, shape (selected, binsize + 2 * flank - order + 1)
            uint8 up to order 3 (proteins: order 1), else uint16; unknown k-mers are ``4**order`` (``20**order``).
        """
        region = as_region(key)
        if region is None:
            windows = self._windows()
            spans = Spans.of_windows(windows, as_rows(key, len(windows)))
            ids, length = self._contigs[spans.codes], _length_of(windows)
        else:
            spans, length = Spans.of_region(region), region.end - region.start
            self._check_strands(np.array([region.strand]))
            ids = self.genome.contig_ids(spans.names)
        letters = self._letters(ids, spans, length)
        return letters if self.order == 1 else kmer_codes(letters, self.order, self.alphabet)

    def _read(self, key: Any) -> np.ndarray:
        return one_hot(self.codes(key), self.order, self.alphabet)

    def _letters(self, ids: np.ndarray, spans: Spans, length: int) -> np.ndarray:
        """Read letters, shape (n, length); shorter spans begin at the left, in reading direction."""
        unknown = self.alphabet.unknown
        letters = self.genome.gather(ids, np.where(spans.reverse, spans.ends - length, spans.starts), length, unknown)
        if spans.reverse.any():
            turned = letters[spans.reverse, ::-1]
            letters[spans.reverse] = np.minimum(turned ^ 3, unknown)  # 0 1 2 3 4 -> 3 2 1 0 4
        lengths = spans.ends - spans.starts
        if (lengths < length).any():
            letters[np.arange(length) >= lengths[:, None]] = unknown
        return letters

    def _sample_shape(self, gindexer: GenomicIndexer) -> tuple[int, int, int]:
        return _length_of(gindexer) - self.order + 1, 1, self.alphabet.unknown**self.order

    def _keep_rows(self, rows: np.ndarray) -> None:
        """Do nothing: no value belongs to a window."""

    def _origins(self) -> list[str]:
        return [self.genome.origin]

    def _parts(self) -> Parts:
        header, arrays = parts_of_store(self.genome, "genome/")
        return Parts({"order": self.order, "alphabet": self.alphabet.name, "genome": header}, arrays)

    @classmethod
    def _from_parts(cls, name: str, gindexer: GenomicIndexer | None, parts: Parts) -> "Bioseq":
        genome = store_from_parts(parts.header["genome"], parts.arrays, "genome/")
        alphabet = alphabet_of(parts.header["alphabet"])
        return cls(name, genome, gindexer, order=parts.header["order"], alphabet=alphabet)

    def _check_windows(self, gindexer: GenomicIndexer) -> None:
        check_order(self.order, _length_of(gindexer), self.alphabet)
        self._check_strands(gindexer.strand)
        self._contigs = self.genome.contig_ids(gindexer.chrom_names)
        warn_of_windows_outside(gindexer, self.genome.sizes, self.genome.place)

    def _check_strands(self, strands: np.ndarray) -> None:
        if not self.alphabet.has_strands and (strands == "-").any():
            msg = f"Dataset {self.name!r}: a {self.alphabet.name} has no minus strand. Give windows on '+' or '.'."
            raise InputError(msg)


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
    if not isinstance(refgenome, str | os.PathLike | GenomeStore):
        msg = f"refgenome is a FASTA file or what encode_fasta wrote. Received: {refgenome!r:.80}."
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
