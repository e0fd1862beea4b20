"""Time the data room on generated data: CPU seconds, rates and peak memory, each beside its physical limit.

Run from the repository's root: ``python benchmarks/bench_data.py [--bases N] [--reads N] [--windows N]``. Each line is
measured in a process of its own on one thread; its peak memory is what it needs above the imports and the mapped file.
The limit is a plain copy of the same bytes in memory, in the same process and in pieces of the same size (for BAM:
decompressing the file). Windows are shuffled; half of them lie on the minus strand where the line says so.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pysam

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.data.bam import count_bam, store_bam_coverage
from helpers.data.bgzf import BlockReader
from helpers.data.coverage import Cover
from helpers.data.normalization import fit_normalizer
from helpers.data.sequence import Bioseq, encode_fasta, read_fasta_contigs
from helpers.data.storage import GenomeArray

ROUNDS = 3  # the fastest counts: other processes only ever slow a round down
LINE = "{:46s} {:>18s} {:>9s} {:>20s} {:>8s}"


def cpu_seconds(work: Callable[[], object]) -> float:
    """Give the least CPU seconds of several rounds."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return min(seconds)


def report(
    name: str, work: Callable[[], object], limit: Callable[[], object], *, amount: int, unit: str, target: str
) -> None:
    """Measure one line and print it."""
    needed = peak_megabytes(work)
    rate, fastest = (f"{amount / cpu_seconds(part) / 1e6:.3f} {unit}" for part in (work, limit))
    print(LINE.format(name, rate, target, fastest, f"{needed:.0f}"), flush=True)


def peak_megabytes(work: Callable[[], object]) -> float:
    """Give the most memory that a piece of work held above what the process had before (Linux; else not a number)."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return float("nan")

    def kilobytes(name: str) -> int:
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(name))

    reset.write_text("5")
    before = kilobytes("VmRSS")
    work()
    return (kilobytes("VmHWM") - before) / 1e3


def shuffled_batches(n_windows: int, batch: int) -> Iterator[np.ndarray]:
    """Give batches of window numbers in random order."""
    order = np.random.default_rng(1).permutation(n_windows)
    return (order[start : start + batch] for start in range(0, n_windows - batch + 1, batch))


def bench_batches(name: str, read: Callable[[np.ndarray], np.ndarray], n_windows: int, batch: int, target: str) -> None:
    """Measure reading shuffled batches against copying as many bytes."""
    batches = list(shuffled_batches(n_windows, batch))
    sample = np.ones_like(read(batches[0]))  # ones: a copy of untouched zeros would cost nothing
    report(
        f"{name}, batch {batch}",
        lambda: [read(rows) is None for rows in batches],
        lambda: [sample.copy() is None for _ in batches],
        amount=len(batches) * batch,
        unit="M windows/s",
        target=target,
    )


def write_fasta(path: Path, n_bases: int) -> None:
    """Write one contig of random bases, some soft-masked, in lines of 60."""
    letters = np.frombuffer(b"ACGTacgt", dtype=np.uint8)[np.random.default_rng(1).integers(0, 8, n_bases // 60 * 60)]
    lines = np.full((len(letters) // 60, 61), ord("\n"), dtype=np.uint8)
    lines[:, :60] = letters.reshape(-1, 60)
    path.write_bytes(b">chr1\n" + lines.tobytes())


def write_bam(path: Path, n_bases: int, n_reads: int) -> None:
    """Write sorted reads of 36 bp on both strands."""
    rng = np.random.default_rng(2)
    starts, flags = np.sort(rng.integers(1, n_bases - 100, n_reads)), rng.integers(0, 2, n_reads) * 16
    letters = "".join("ACGT"[code] for code in rng.integers(0, 4, 2000))
    with path.with_suffix(".sam").open("w") as file:
        file.write(f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:{n_bases}\n")
        for number, (start, flag) in enumerate(zip(starts.tolist(), flags.tolist(), strict=True)):
            seq = letters[number % 1900 :][:36]
            file.write(f"read{number}\t{flag}\tchr1\t{start}\t37\t36M\t*\t0\t0\t{seq}\t{'I' * 36}\n")
    pysam.view("-b", "-o", str(path), str(path.with_suffix(".sam")), catch_stdout=False)


def make_windows(n_bases: int, n_windows: int, *, both_strands: bool = False) -> pd.DataFrame:
    """Place windows of 200 bp at random on a grid of 200 bp."""
    rng = np.random.default_rng(3)
    starts = rng.integers(10, n_bases // 200 - 10, n_windows) * 200
    strands = rng.choice(["+", "-"], n_windows) if both_strands else "+"
    return pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + 200, "strand": strands})


def make_files(folder: Path, n_bases: int, n_reads: int) -> None:
    """Generate a genome and its reads, and what is stored of them."""
    write_fasta(folder / "genome.fa", n_bases)
    write_bam(folder / "reads.bam", n_bases, n_reads)
    encode_fasta(folder / "genome.fa", folder / "genome.h5")
    store_bam_coverage(folder / "reads.bam", folder / "counts.h5", resolution=50)


def bench_fasta(folder: Path, n_bases: int) -> None:
    """FASTA to codes in memory."""
    report(
        "FASTA -> codes",
        lambda: list(read_fasta_contigs(folder / "genome.fa")),
        lambda: bytearray((folder / "genome.fa").read_bytes()),
        amount=n_bases,
        unit="Mb/s",
        target=">= 120",
    )


def bench_bam(folder: Path, n_bases: int, n_reads: int) -> None:
    """BAM to counts per 50 bp and strand, and what a loop over single reads costs."""

    def decompress() -> None:
        with (folder / "reads.bam").open("rb") as file:
            reader = BlockReader(file, n_blocks=256)
            while reader.read(np.zeros(0, dtype=np.uint8))[2]:
                pass

    def loop() -> None:
        counts = np.zeros((n_bases // 50 + 1, 2), dtype=np.uint32)
        with pysam.AlignmentFile(str(folder / "reads.bam")) as file:
            for read in file.fetch(until_eof=True):
                end = read.reference_end - 1 if read.is_reverse else read.reference_start
                counts[end // 50, int(read.is_reverse)] += 1

    lines = [(f"BAM -> {count} per 50 bp", partial(count_bam, count=count), ">= 3") for count in ("five_prime", "span")]
    for name, work, target in lines:
        work = partial(work, folder / "reads.bam", resolution=50)
        report(name, work, decompress, amount=n_reads, unit="M reads/s", target=target)
    report("BAM -> five_prime, loop of pysam", loop, decompress, amount=n_reads, unit="M reads/s", target="")


def bench_codes(folder: Path, windows: pd.DataFrame, *, name: str, batch: int) -> None:
    """Codes of 500-bp windows, order 1."""
    dna = Bioseq.create_from_refgenome("dna", folder / "genome.h5", roi=windows, binsize=200, flank=150)
    bench_batches(f"codes, 500 bp{name}", dna.codes, len(windows), batch, ">= 1")


def bench_one_hot(folder: Path, windows: pd.DataFrame, *, order: int, batch: int) -> None:
    """One-hot of 1-kb windows."""
    dna = Bioseq.create_from_refgenome("dna", folder / "genome.h5", roi=windows, binsize=200, flank=400, order=order)
    target = {1: ">= 0.3", 2: ">= 0.2", 3: ">= 0.15"}[order]
    bench_batches(f"one-hot int8, 1 kb, order {order}", dna.__getitem__, min(len(windows), 20_000), batch, target)


def bench_coverage(folder: Path, windows: pd.DataFrame, *, name: str, normalizer: str, batch: int) -> None:
    """Coverage windows of 22 bins and 2 strands of one track."""
    store = GenomeArray.open(folder / "counts.h5")
    fitted = [fit_normalizer(normalizer, store, resolution=50)]
    cover = Cover.create_from_store("x", [store], windows, binsize=200, flank=450, normalizers=fitted)
    bench_batches(f"coverage 22 x 2, {normalizer}{name}", cover.__getitem__, len(windows), batch, "> 0.8")


def run_alone(bench: Callable[..., None], *arguments: object, **settings: object) -> None:
    """Run one benchmark in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=bench, args=arguments, kwargs=settings)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def main() -> None:
    """Generate the data, measure every line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("bases", 60_000_000), ("reads", 1_500_000), ("windows", 190_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run_alone(make_files, folder, sizes.bases, sizes.reads)  # a process begins with the peak of its parent
        forward = make_windows(sizes.bases, sizes.windows)
        both = make_windows(sizes.bases, sizes.windows, both_strands=True)
        print(LINE.format("what (per CPU second, one thread)", "rate", "target", "limit", "peak MB"))
        run_alone(bench_fasta, folder, sizes.bases)
        run_alone(bench_bam, folder, sizes.bases, sizes.reads)
        for batch in (64, 1024):
            run_alone(bench_codes, folder, forward, name="", batch=batch)
            run_alone(bench_codes, folder, both, name=", both strands", batch=batch)
        for order in (1, 2, 3):
            for batch in (64, 256, 1024):
                run_alone(bench_one_hot, folder, forward, order=order, batch=batch)
        for batch in (64, 1024):
            for normalizer in ("none", "zscorelog"):
                run_alone(bench_coverage, folder, forward, name="", normalizer=normalizer, batch=batch)
            run_alone(bench_coverage, folder, both, name=", both strands", normalizer="none", batch=batch)


if __name__ == "__main__":
    main()
