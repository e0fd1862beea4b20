"""Rows on sequence: FASTA files, windows as codes and one-hot, a stored genome of the size of ours."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pysam

from benchmarks.generated import CHROM, Sizes, make_windows
from benchmarks.harness import Peer, Row, Wanted, Work
from benchmarks.windows import batch_work, optional, shuffled_batches
from helpers.data.alphabet import DNA
from helpers.data.sequence import Bioseq, encode_letters, read_fasta_contigs
from helpers.data.storage import GenomeArray

ONE_HOT_WINDOWS = 20_480  # of 64 kB each
_LEAST = {1: 300, 2: 200, 3: 150}  # thousand windows a CPU second
_WHY_LARGE = (
    "the result of a batch is 64 MB. malloc takes as much afresh from the system, which writes zeros to it first; "
    "compare with the copy of the same bytes. Batches up to 512 windows use the same memory again"
)


def rows(sizes: Sizes) -> list[Row]:
    """Give the rows of this topic."""
    found = [
        Row(
            "FASTA -> codes",
            bench_fasta,
            (Wanted("rate", "M bases/s", least=60, per=1e6), Wanted("peak", "bytes/base", most=2, per=sizes.bases)),
            ("genome.fa", "genome.fa.fai"),
        )
    ]
    for batch in (64, 1024):
        for strand in ("+", "both"):
            name = f"codes of 500 bp, batch {batch}{', both strands' * (strand == 'both')}"
            work = partial(bench_codes, sizes=sizes, strand=strand, batch=batch)
            found.append(Row(name, work, (Wanted("rate", "M windows/s", least=1, per=1e6),), _SEQUENCE))
    for order, least in _LEAST.items():
        for batch in (64, 256, 1024):
            work = partial(bench_one_hot, sizes=sizes, order=order, batch=batch)
            wanted = Wanted("rate", "k windows/s", least=least, per=1e3)
            why = _WHY_LARGE if (order, batch) == (3, 1024) else ""
            found.append(Row(f"one-hot int8 of 1 kb, order {order}, batch {batch}", work, (wanted,), _SEQUENCE, why))
    name = f"open the codes of {sizes.genome / 1e9:g} Gb"
    opened = (Wanted("seconds", "CPU s", most=0.5), Wanted("peak", "MB resident", most=100, per=1e6))
    read = tuple(wanted._replace(most=None) for wanted in opened)
    found.append(Row(name, bench_opening, opened, ("large.h5",)))
    found.append(Row(f"{name}, read 1024 windows", partial(bench_large, sizes=sizes), read, ("large.h5",)))
    return found


_SEQUENCE = ("genome.h5", "genome.fa", "genome.fa.fai")


def bench_fasta(folder: Path) -> Work:
    """Read a FASTA file into memory."""
    path = folder / "genome.fa"

    def by_pysam() -> np.ndarray:
        with pysam.FastaFile(str(path)) as file:
            return encode_letters(file.fetch(CHROM).encode())

    peers = {"pysam.FastaFile": by_pysam}
    if pyfaidx := optional("pyfaidx"):
        peers["pyfaidx"] = lambda: encode_letters(str(pyfaidx.Fasta(str(path))[CHROM][:]).encode())
    call = partial(lambda: list(read_fasta_contigs(path)))
    n_bases = len(next(read_fasta_contigs(path))[1])
    limits = {"read and copy": lambda: bytearray(path.read_bytes())}
    return Work(call, n_bases, limits, {name: Peer(peer, n_bases) for name, peer in peers.items()})


def bench_codes(folder: Path, *, sizes: Sizes, strand: str, batch: int) -> Work:
    """Read shuffled windows as codes of order 1."""
    windows = make_windows(sizes, strand=strand)
    dna = Bioseq.create_from_refgenome("dna", folder / "genome.h5", roi=windows, binsize=200, flank=150)
    peers = {} if strand == "both" else _letter_peers(folder, windows, flank=150)
    encoded = {name: partial(_codes_of, read) for name, read in peers.items()}
    return batch_work(dna.codes, shuffled_batches(len(dna), batch), encoded)


def bench_one_hot(folder: Path, *, sizes: Sizes, order: int, batch: int) -> Work:
    """Read shuffled windows one-hot."""
    windows = make_windows(sizes)
    dna = Bioseq.create_from_refgenome("dna", folder / "genome.h5", roi=windows, binsize=200, flank=400, order=order)
    eye = np.eye(4**order + 1, 4**order, dtype=np.int8)
    peers: dict[str, Callable[[np.ndarray], object]] = {"numpy.eye[codes]": lambda rows: eye[dna.codes(rows)]}
    seqpro = optional("seqpro")
    letters = _letter_peers(folder, windows, flank=400)
    if order == 1 and seqpro and "genvarloader" in letters:
        peers["genvarloader"] = lambda rows: seqpro.DNA.ohe(letters["genvarloader"](rows))
    return batch_work(dna.__getitem__, shuffled_batches(len(dna), batch, ONE_HOT_WINDOWS), peers, in_place=order == 3)


def bench_opening(folder: Path) -> Work:
    """Open a stored genome."""
    path = folder / "large.h5"
    return Work(
        partial(GenomeArray.open, path), 1, {"numpy.memmap": partial(np.memmap, path, dtype=np.uint8, mode="r")}
    )


def bench_large(folder: Path, *, sizes: Sizes) -> Work:
    """Open a stored genome and read windows from all over it; the pages that they lie on count as resident."""
    path, contig = folder / "large.h5", sizes.genome // 24
    rng = np.random.default_rng(7)
    names, starts = [f"chr{number}" for number in rng.integers(1, 25, 1024)], rng.integers(0, contig - 500, 1024)
    places = np.sort(rng.integers(0, path.stat().st_size - 500, 1024)).tolist()

    def plain() -> np.ndarray:
        mapped = np.memmap(path, dtype=np.uint8, mode="r")
        return np.stack([mapped[place : place + 500] for place in places])

    return Work(lambda: GenomeArray.open(path).gather(names, starts, 500, DNA.unknown), 1024, {"numpy.memmap": plain})


def _letter_peers(folder: Path, windows: pd.DataFrame, *, flank: int) -> dict[str, Callable[[np.ndarray], Any]]:
    """Give readers of letters, each from window numbers to an array of bytes, shape (windows, letters)."""
    starts = windows["start"].to_numpy() - flank
    length = 200 + 2 * flank
    file = pysam.FastaFile(str(folder / "genome.fa"))

    def by_pysam(rows: np.ndarray) -> np.ndarray:
        texts = [file.fetch(CHROM, start, start + length) for start in starts[rows].tolist()]
        return np.frombuffer("".join(texts).encode(), dtype="S1").reshape(len(rows), length)

    peers = {"pysam loop": by_pysam}
    if gvl := optional("genvarloader"):
        import polars

        table = {"chrom": [CHROM] * len(starts), "chromStart": starts, "chromEnd": starts + length}
        reference = gvl.Reference.from_path(str(folder / "genome.fa"))
        peers["genvarloader"] = gvl.RefDataset(reference, polars.DataFrame(table)).with_len(length).__getitem__
    return peers


def _codes_of(read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    letters = read(rows)
    return encode_letters(np.ascontiguousarray(letters).view(np.uint8))
