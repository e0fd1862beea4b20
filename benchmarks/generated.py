"""The files that benchmarks read: random, but of the size and shape of real ones; each is made once and kept."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pysam

from helpers.data.bam import store_bam_coverage
from helpers.data.bigwig import write_bigwig
from helpers.data.labels import Labels, save_labels
from helpers.data.sequence import encode_fasta
from helpers.data.storage import GenomeArray, write_contigs
from helpers.data.stores import store_contigs
from helpers.files import atomic_path

CHROM = "chr1"
RESOLUTION = 50  # bp
N_BED = 20  # different files of features; more tracks read them again
_BIN = 200  # bp, of labels
_FEATURES = 20_000  # in a file
_READ = 36  # bp
_BGZF_BYTES = 0xFF00  # of records in a block, as samtools fills them


@dataclass(frozen=True)
class Sizes:
    """How much to generate; by default what the wanted figures are about."""

    bases: int = 60_000_000
    reads: int = 7_500_000
    windows: int = 190_000
    tracks: int = 919
    bins: int = 2_000_000
    genome: int = 3_000_000_000

    @property
    def folder(self) -> str:
        """Name of a folder for files of these sizes."""
        return "-".join(map(str, (self.bases, self.reads, self.windows, self.tracks, self.bins, self.genome)))


FULL = Sizes()
QUICK = Sizes(bases=600_000, reads=20_000, windows=4_096, tracks=20, bins=20_000, genome=3_000_000)


def make(name: str, folder: Path, sizes: Sizes) -> None:
    """Make a file unless it is there; it appears when it is complete."""
    path = folder / name
    if path.exists():
        return
    for needed in NEEDS.get(name, ()):
        make(needed, folder, sizes)
    folder.mkdir(parents=True, exist_ok=True)
    if name == "bed":  # a folder
        partial = folder / "bed.partial"
        shutil.rmtree(partial, ignore_errors=True)
        make_bed(partial, sizes)
        os.replace(partial, path)
        return
    with atomic_path(path) as temporary:
        MAKERS[name](temporary, folder, sizes)


def make_windows(sizes: Sizes, *, strand: str = "+", most: int | None = None) -> pd.DataFrame:
    """Place windows of 200 bp at random on a grid of 200 bp, on strand '+', or '+' and '-' by chance ('both')."""
    rng = np.random.default_rng(3)
    n_windows = min(sizes.windows, most or sizes.windows)
    starts = rng.integers(10, sizes.bases // 200 - 10, n_windows) * 200
    strands = rng.choice(["+", "-"], n_windows) if strand == "both" else strand
    return pd.DataFrame({"chrom": CHROM, "start": starts, "end": starts + 200, "strand": strands})


def label_bins(sizes: Sizes) -> pd.DataFrame:
    """Lay bins of 200 bp side by side."""
    starts = np.arange(sizes.bins) * _BIN
    return pd.DataFrame({"chrom": CHROM, "start": starts, "end": starts + _BIN, "name": ".", "score": 0, "strand": "."})


def bed_paths(folder: Path, n_tracks: int) -> list[Path]:
    """Give files of features, each several times when there are more tracks than files."""
    return [folder / "bed" / f"{number % N_BED}.bed" for number in range(n_tracks)]


def make_fasta(path: Path, folder: Path, sizes: Sizes) -> None:
    """Write one contig of random bases, some soft-masked, in lines of 60."""
    letters = np.frombuffer(b"ACGTacgt", dtype=np.uint8)[
        np.random.default_rng(1).integers(0, 8, sizes.bases // 60 * 60)
    ]
    lines = np.full((len(letters) // 60, 61), ord("\n"), dtype=np.uint8)
    lines[:, :60] = letters.reshape(-1, 60)
    path.write_bytes(f">{CHROM}\n".encode() + lines.tobytes())


def make_index(path: Path, folder: Path, sizes: Sizes) -> None:
    """Index the FASTA file."""
    pysam.faidx(str(folder / "genome.fa"), "--fai-idx", str(path))


def make_codes(path: Path, folder: Path, sizes: Sizes) -> None:
    """Store the codes of the FASTA file."""
    encode_fasta(folder / "genome.fa", path)


def make_bam(path: Path, folder: Path, sizes: Sizes) -> None:
    """Write sorted reads on both strands, with random bases and qualities of four levels, as of a DNase experiment."""
    record = np.dtype(
        [("size", "<i4"), ("contig", "<i4"), ("start", "<i4"), ("name_length", "u1"), ("mapq", "u1"), ("bin", "<u2")]
        + [("n_cigar", "<u2"), ("flag", "<u2"), ("length", "<i4"), ("mate_contig", "<i4"), ("mate_start", "<i4")]
        + [
            ("fragment", "<i4"),
            ("name", "S12"),
            ("cigar", "<u4"),
            ("bases", "u1", _READ // 2),
            ("quality", "u1", _READ),
        ]
    )
    rng = np.random.default_rng(2)
    starts = np.sort(rng.integers(0, sizes.bases - _READ, sizes.reads))
    header = f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:{CHROM}\tLN:{sizes.bases}\n".encode()
    numbers = [len(header), header, 1, len(CHROM) + 1, CHROM.encode() + b"\0", sizes.bases]
    per_block = _BGZF_BYTES // record.itemsize
    with pysam.BGZFile(str(path), "wb") as file:
        file.write(b"BAM\1" + b"".join(n if isinstance(n, bytes) else n.to_bytes(4, "little") for n in numbers))
        file.flush()
        for first in range(0, sizes.reads, 1 << 20):
            part = starts[first : first + (1 << 20)]
            reads = np.zeros(len(part), dtype=record)
            reads["size"], reads["start"], reads["name_length"], reads["mapq"] = record.itemsize - 4, part, 12, 37
            reads["n_cigar"], reads["length"], reads["cigar"] = 1, _READ, _READ << 4
            reads["flag"], reads["mate_contig"], reads["mate_start"] = rng.integers(0, 2, len(part)) * 16, -1, -1
            reads["name"] = [b"read%07d\0" % number for number in range(first, first + len(part))]
            letters = (1 << rng.integers(0, 4, (2, len(part), _READ // 2))).astype(np.uint8)
            reads["bases"] = letters[0] << 4 | letters[1]
            reads["quality"] = rng.choice(np.array([11, 25, 37, 37, 37, 37], np.uint8), (len(part), _READ))
            for begin in range(0, len(reads), per_block):  # samtools lets no record cross the end of a block
                file.write(reads[begin : begin + per_block].tobytes())
                file.flush()


def make_counts(path: Path, folder: Path, sizes: Sizes) -> None:
    """Count the reads."""
    store_bam_coverage(folder / "reads.bam", path, resolution=RESOLUTION)


def make_few(path: Path, folder: Path, sizes: Sizes) -> None:
    """Store counts of which 5 % are not 0, as of a whole genome at this depth."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(0.05, (-(-sizes.bases // RESOLUTION), 2)).astype(np.uint32)
    write_contigs(path, {CHROM: counts}, {"resolution": RESOLUTION, "source": "few", "sizes": {CHROM: sizes.bases}})


def make_sparse(source: str) -> Callable[[Path, Path, Sizes], None]:
    """Keep a file of counts as a sparse array."""

    def make_it(path: Path, folder: Path, sizes: Sizes) -> None:
        store_contigs(GenomeArray.open(folder / source), storage="sparse", path=path)

    return make_it


def make_bigwig(path: Path, folder: Path, sizes: Sizes) -> None:
    """Write intervals of 1 to 49 bp, with gaps."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 50, sizes.bases // 30)
    gaps = np.where(rng.random(len(lengths)) < 0.2, rng.integers(1, 60, len(lengths)), 0)
    ends = np.cumsum(lengths + gaps)
    kept = ends <= sizes.bases
    signal = rng.poisson(2, len(ends)) * 0.5
    write_bigwig(path, {CHROM: sizes.bases}, [(CHROM, (ends - lengths)[kept], ends[kept], signal[kept])])


def make_bed(folder: Path, sizes: Sizes) -> None:
    """Write files of features of 150 to 1500 bp in any order, one for every hundredth bin."""
    rng = np.random.default_rng(4)
    folder.mkdir(parents=True)
    number_of = min(_FEATURES, sizes.bins // 100)
    for number in range(N_BED):
        starts = rng.integers(0, sizes.bins * _BIN - 1500, number_of)
        table = pd.DataFrame({"chrom": CHROM, "start": starts, "end": starts + rng.integers(150, 1500, number_of)})
        table.to_csv(folder / f"{number}.bed", sep="\t", header=False, index=False)


def make_labels(path: Path, folder: Path, sizes: Sizes) -> None:
    """Store random labels."""
    packed = np.random.default_rng(6).integers(0, 256, (sizes.bins, -(-sizes.tracks // 8)), dtype=np.uint8)
    save_labels(Labels(packed, [str(number) for number in range(sizes.tracks)]), path)


def make_large(path: Path, folder: Path, sizes: Sizes) -> None:
    """Store codes of a genome in 24 contigs, all A."""
    contig = np.broadcast_to(np.uint8(0), sizes.genome // 24)
    write_contigs(path, {f"chr{number}": contig for number in range(1, 25)}, {"source": "large.fa"})
    if hasattr(os, "posix_fadvise"):  # as on another day: none of it is in memory
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


MAKERS: dict[str, Callable[[Path, Path, Sizes], None]] = {
    "genome.fa": make_fasta,
    "genome.fa.fai": make_index,
    "genome.h5": make_codes,
    "reads.bam": make_bam,
    "counts.h5": make_counts,
    "counts.sparse.h5": make_sparse("counts.h5"),
    "few.h5": make_few,
    "few.sparse.h5": make_sparse("few.h5"),
    "signal.bw": make_bigwig,
    "labels.h5": make_labels,
    "large.h5": make_large,
}
NEEDS = {
    "genome.fa.fai": ("genome.fa",),
    "genome.h5": ("genome.fa",),
    "counts.h5": ("reads.bam",),
    "counts.sparse.h5": ("counts.h5",),
    "few.sparse.h5": ("few.h5",),
}
TEMPORARY = ("large.h5",)  # too large to keep
