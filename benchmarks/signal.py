"""Rows on signal and labels: bigWig files, features of many tracks, predictions as tracks."""

import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
from isal import isal_zlib

from benchmarks.generated import CHROM, RESOLUTION, Sizes, bed_paths, label_bins
from benchmarks.harness import Peer, Row, Wanted, Work
from benchmarks.windows import batch_work, shuffled_batches
from helpers.data.bigwig_signal import load_bigwig_track
from helpers.data.export import predictions_to_bigwig
from helpers.data.labels import label_regions, load_labels, save_labels

_LABELS = 919 * 2_000_000  # that the wanted figures of labels are about
_BATCH_WINDOWS = 40_960
_WHY_BIGWIG = "the result is small; what the reader holds at once is of a fixed size, whatever the genome's"


def rows(sizes: Sizes) -> list[Row]:
    """Give the rows of this topic."""
    labels = sizes.tracks * sizes.bins
    return [
        Row(
            f"bigWig -> means of {RESOLUTION} bp",
            partial(bench_bigwig, n_bases=sizes.bases),
            (
                Wanted("seconds", "CPU s/60 Mb", most=0.6, per=sizes.bases / 60e6),
                Wanted("peak", "x the result", most=2, per=sizes.bases / RESOLUTION * 4),
            ),
            ("signal.bw",),
            _WHY_BIGWIG,
        ),
        Row(
            f"{sizes.tracks} BED files x {sizes.bins / 1e6:g} M bins -> labels",
            partial(bench_labels, sizes=sizes),
            (
                Wanted("seconds", "CPU s (919 x 2 M)", most=60, per=labels / _LABELS),
                Wanted("size", "MB (919 x 2 M)", most=250, per=1e6 * labels / _LABELS),
                Wanted("peak", "x the result", per=-(-sizes.tracks // 8) * sizes.bins),
            ),
            ("bed",),
        ),
        *(
            Row(
                f"labels of {sizes.tracks} tracks, batch {batch}",
                partial(bench_label_batches, batch=batch),
                (Wanted("rate", "M windows/s", per=1e6),),
                ("labels.h5",),
            )
            for batch in (64, 1024)
        ),
        Row(
            "predictions -> bigWig",
            partial(bench_writing, sizes=sizes),
            (Wanted("rate", "M bins/s", least=2, per=1e6),),
        ),
    ]


def bench_bigwig(folder: Path, *, n_bases: int) -> Work:
    """Read a bigWig as means of bins."""
    path, sizes = folder / "signal.bw", {CHROM: n_bases}

    def by_bases() -> np.ndarray:
        with pyBigWig.open(str(path)) as track:
            bases = track.values(CHROM, 0, n_bases // RESOLUTION * RESOLUTION, numpy=True)
            return np.nan_to_num(bases).reshape(-1, RESOLUTION).mean(axis=1)

    rule = {"resolution": RESOLUTION, "collapser": "mean", "nan_to_num": True}
    limits = {"decompress": partial(_decompress_bigwig, path)}
    return Work(partial(load_bigwig_track, [path], sizes, **rule), 1, limits, {"pyBigWig, by base": Peer(by_bases, 1)})


def bench_labels(folder: Path, *, sizes: Sizes) -> Work:
    """Label bins by the features of many tracks, and store the labels."""
    bins, paths, written = label_bins(sizes), bed_paths(folder, sizes.tracks), folder / "made_labels.h5"
    names = [str(number) for number in range(sizes.tracks)]
    some = paths[:20]

    def parse() -> None:
        for path in some:
            pd.read_csv(path, sep="\t", header=None)

    peers = {"pandas.read_csv alone": Peer(parse, len(some))}
    import pyranges

    def by_pyranges() -> None:
        columns = {"chrom": "Chromosome", "start": "Start", "end": "End"}
        ranges = pyranges.PyRanges(bins.rename(columns=columns)[["Chromosome", "Start", "End"]])
        for path in some[:2]:
            ranges.count_overlaps(pyranges.read_bed(str(path)))

    peers["pyranges"] = Peer(by_pyranges, 2)
    packed = np.ones((sizes.bins, -(-sizes.tracks // 8)), dtype=np.uint8)
    work = lambda: save_labels(label_regions(bins, paths, names), written)  # noqa: E731
    return Work(work, sizes.tracks, {"copy": packed.copy}, peers, lambda: written.stat().st_size)


def bench_label_batches(folder: Path, *, batch: int) -> Work:
    """Read labels of shuffled windows."""
    labels = load_labels(folder / "labels.h5")
    return batch_work(labels.__getitem__, shuffled_batches(len(labels), batch, _BATCH_WINDOWS))


def bench_writing(folder: Path, *, sizes: Sizes) -> Work:
    """Write predictions of touching bins."""
    bins, genome = label_bins(sizes), {CHROM: sizes.bins * 200}
    values = np.random.default_rng(2).random(len(bins))
    raw = [part.tobytes() for part in np.array_split(values.astype(np.float32), -(-len(values) // 1024))]
    chroms = [CHROM] * len(bins)
    starts, ends = bins["start"].tolist(), bins["end"].tolist()

    def one_entry_each() -> None:
        with pyBigWig.open(str(folder / "peer.bw"), "w") as track:
            track.addHeader(list(genome.items()))
            track.addEntries(chroms, starts, ends=ends, values=values.tolist())

    return Work(
        lambda: predictions_to_bigwig(folder / "predictions.bw", bins, values, genome),
        len(bins),
        {"compress": lambda: [zlib.compress(part) is None for part in raw]},
        {"pyBigWig, interval by interval": Peer(one_entry_each, len(bins))},
    )


def _decompress_bigwig(path: Path) -> int:
    """Decompress all blocks of data of a bigWig file, and give their size in bytes."""
    content = memoryview(path.read_bytes())
    place, end = (int.from_bytes(content[offset : offset + 8], "little") for offset in (16, 24))
    n_blocks = int.from_bytes(content[place : place + 8], "little")
    place, total = place + 8, 0
    for _ in range(n_blocks):
        block = isal_zlib.decompressobj()
        total += len(block.decompress(content[place : min(place + (1 << 16), end)]))
        place = min(place + (1 << 16), end) - len(block.unused_data)
    return total
