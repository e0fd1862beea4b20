"""Rows on coverage: BAM files to counts, windows of counts, the kinds of storage."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pysam

from benchmarks.generated import CHROM, RESOLUTION, Sizes, make_windows
from benchmarks.harness import Peer, Row, Wanted, Work
from benchmarks.windows import batch_work, optional, shuffled_batches, slices
from helpers.data.bam import count_bam
from helpers.data.bgzf import BlockReader
from helpers.data.coverage import Cover
from helpers.data.normalization import fit_normalizer
from helpers.data.storage import GenomeArray
from helpers.data.stores import open_store

FLANK = 450  # bp: 22 bins
_STORES = ("counts.h5", "few.h5")


def rows(sizes: Sizes) -> list[Row]:
    """Give the rows of this topic."""
    reads = (Wanted("rate", "M reads/s", least=3, per=1e6), Wanted("peak", "MB", per=1e6))
    found = [
        Row(f"BAM -> {count} at {RESOLUTION} bp", partial(bench_bam, count=count, loop=loop), wanted, ("reads.bam",))
        for count, loop, wanted in (("five_prime", True, reads), ("span", False, (reads[0]._replace(least=None),)))
    ]
    for normalizer, strand in (("none", "+"), ("none", "both"), ("zscorelog", "+")):
        for batch in (64, 1024):
            text = ", both strands" * (strand == "both") + f", {normalizer}" * (normalizer != "none")
            work = partial(bench_windows, sizes=sizes, normalizer=normalizer, strand=strand, batch=batch)
            wanted = (Wanted("rate", "M windows/s", least=0.5, per=1e6),)
            if normalizer != "none":
                wanted = (wanted[0]._replace(least=None),)
            found.append(Row(f"coverage 22 x 2 x 2, batch {batch}{text}", work, wanted, _STORES))
    for share, name in (("all", "counts"), ("5 %", "few")):
        work = partial(bench_storage, sizes=sizes, source=name)
        text = f"storage, {share} of the bins not 0: ndarray"
        needs = (f"{name}.h5", f"{name}.sparse.h5")
        found.append(Row(text, work, (Wanted("slowest", "x the fastest", most=10),), needs))
    return found


def bench_bam(folder: Path, *, count: str, loop: bool) -> Work:
    """Count a whole BAM file."""
    path = folder / "reads.bam"
    summary = count_bam(path, resolution=RESOLUTION, count=count)[1]

    def decompress() -> None:
        with path.open("rb") as file:
            reader = BlockReader(file, n_blocks=256)
            while reader.read(np.zeros(0, dtype=np.uint8))[2]:
                pass

    def by_pysam() -> np.ndarray:
        with pysam.AlignmentFile(str(path)) as file:
            counts = np.zeros((file.lengths[0] // RESOLUTION + 1, 2), dtype=np.uint32)
            for read in file.fetch(until_eof=True):
                end = read.reference_end - 1 if read.is_reverse else read.reference_start
                counts[end // RESOLUTION, int(read.is_reverse)] += 1
        return counts

    peers = {"pysam loop": Peer(by_pysam, summary.reads)} if loop else {}
    work = partial(count_bam, path, resolution=RESOLUTION, count=count)
    return Work(work, summary.reads, {"decompress": decompress}, peers)


def bench_windows(folder: Path, *, sizes: Sizes, normalizer: str, strand: str, batch: int) -> Work:
    """Read shuffled windows of two conditions."""
    windows = make_windows(sizes, strand=strand)
    stores = [GenomeArray.open(folder / name) for name in _STORES]
    fitted = [fit_normalizer(normalizer, store, resolution=RESOLUTION) for store in stores]
    cover = Cover.create_from_store("x", stores, windows, binsize=200, flank=FLANK, normalizers=fitted)
    peers: dict[str, Callable[[np.ndarray], Any]] = {}
    if normalizer == "none" and strand == "+":
        starts = (windows["start"].to_numpy() - FLANK) // RESOLUTION
        values = np.stack([store.values for store in stores], axis=-1).astype(np.float32)
        peers["loop of slices"] = lambda rows: np.stack(list(slices(values, starts[rows], 22)))
        if optional("genvarloader"):
            peers["genvarloader"] = _by_genvarloader(folder, stores, starts, sizes)
    return batch_work(cover.__getitem__, shuffled_batches(len(cover), batch), peers)


def bench_storage(folder: Path, *, sizes: Sizes, source: str) -> Work:
    """Read shuffled windows from memory, from a mapped file and from a sparse array."""
    windows = make_windows(sizes)
    mapped = GenomeArray.open(folder / f"{source}.h5")
    in_memory = GenomeArray(np.array(mapped.values), mapped.sizes, mapped.attrs)
    stores = {"": in_memory, "hdf5": mapped, "sparse": open_store(folder / f"{source}.sparse.h5")}
    covers = {
        name: Cover.create_from_store("x", [store], windows, binsize=200, flank=FLANK) for name, store in stores.items()
    }
    batches = shuffled_batches(len(windows), 64)
    work = {name: batch_work(cover.__getitem__, batches) for name, cover in covers.items()}
    peers = {name: Peer(work[name].call, work[name].amount) for name in ("hdf5", "sparse")}
    return Work(work[""].call, work[""].amount, work[""].limits, peers)


def _by_genvarloader(
    folder: Path, stores: list[GenomeArray], starts: np.ndarray, sizes: Sizes
) -> Callable[[np.ndarray], np.ndarray]:
    """Write the same counts for genvarloader, which reads windows by base, and give a reader of their means in bins."""
    import genvarloader
    import polars

    from helpers.data.bigwig import write_bigwig

    paths = {}
    for condition, store in enumerate(stores):
        edges = np.minimum(np.arange(len(store.values) + 1) * RESOLUTION, sizes.bases)
        for strand in range(2):
            path = folder / f"track_{condition}{strand}.bw"
            values = store.values[:, strand].astype(np.float32)
            write_bigwig(path, {CHROM: sizes.bases}, [(CHROM, edges[:-1], edges[1:], values)])
            paths[path.stem] = str(path)
    begins = starts * RESOLUTION
    table = polars.DataFrame({"chrom": [CHROM] * len(begins), "chromStart": begins, "chromEnd": begins + 1100})
    written = folder / "genvarloader"
    genvarloader.write(written, table, tracks=genvarloader.BigWigs("counts", paths), overwrite=True)
    dataset = genvarloader.Dataset.open(written).with_tracks("counts").with_len(1100)

    def read(rows: np.ndarray) -> np.ndarray:
        bases = dataset[rows]  # tracks in the order of their names: by condition, then by strand
        bins = bases.reshape(len(rows), 2, 2, 22, RESOLUTION).mean(axis=-1)
        return bins.transpose(0, 3, 2, 1)

    return read
