"""Time bigWig signal, labels of many tracks and written tracks on generated data, as `bench_data.py` does.

Run from the repository's root: ``python -m benchmarks.bench_signal [--bases N] [--tracks N] [--windows N]``. The limit
is what pyBigWig needs for the same means (bigWig), reading the features alone (labels), or a copy of as many bytes.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig

from benchmarks.bench_data import LINE, report, run_alone, shuffled_batches
from helpers.data.bigwig import write_bigwig
from helpers.data.bigwig_signal import load_bigwig_track
from helpers.data.export import predictions_to_bigwig
from helpers.data.labels import label_regions, load_labels, save_labels
from helpers.data.regions import read_regions, region_table

WINDOW = 200  # bp
N_FILES = 20  # different files of features; more tracks read them again


def make_files(folder: Path, n_bases: int, n_windows: int) -> None:
    """Generate a bigWig of short intervals with gaps, and files of 20,000 features."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 50, n_bases // 30)
    gaps = np.where(rng.random(len(lengths)) < 0.2, rng.integers(1, 60, len(lengths)), 0)
    ends = np.cumsum(lengths + gaps)
    kept = ends <= n_bases
    signal = rng.poisson(2, len(ends)) * 0.5
    write_bigwig(folder / "signal.bw", {"chr1": n_bases}, [("chr1", (ends - lengths)[kept], ends[kept], signal[kept])])
    for number in range(N_FILES):
        starts = rng.integers(0, n_windows * WINDOW - 1500, 20_000)
        table = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + rng.integers(150, 1500, 20_000)})
        table.to_csv(folder / f"{number}.bed", sep="\t", header=False, index=False)


def bench_bigwig(folder: Path, n_bases: int) -> None:
    """Read a bigWig as means of 50 bp."""
    sizes = {"chr1": n_bases // 50 * 50}

    def by_bases() -> np.ndarray:
        with pyBigWig.open(str(folder / "signal.bw")) as track:
            return np.nan_to_num(track.values("chr1", 0, sizes["chr1"], numpy=True)).reshape(-1, 50).mean(axis=1)

    rule = {"resolution": 50, "collapser": "mean", "nan_to_num": True}
    report(
        "bigWig -> means of 50 bp",
        lambda: load_bigwig_track([folder / "signal.bw"], sizes, **rule),
        by_bases,
        amount=n_bases,
        unit="Mb/s",
        target=">= 100",
    )


def tile_contig(n_windows: int) -> pd.DataFrame:
    """Lay windows side by side."""
    starts = np.arange(n_windows) * WINDOW
    return region_table(["chr1"] * n_windows, starts, starts + WINDOW)


def bench_labels(folder: Path, n_windows: int, n_tracks: int) -> None:
    """Labels of many tracks, written for the line that reads them."""
    windows = tile_contig(n_windows)
    paths = [folder / f"{number % N_FILES}.bed" for number in range(n_tracks)]
    names = [str(number) for number in range(n_tracks)]
    report(
        f"labels of {n_tracks} tracks",
        lambda: save_labels(label_regions(windows, paths, names), folder / "labels.h5"),
        lambda: [read_regions(path) is None for path in paths],
        amount=n_windows * n_tracks,
        unit="M labels/s",
        target=">= 31",
    )


def bench_label_batches(folder: Path, batch: int) -> None:
    """Labels of shuffled windows."""
    labels = load_labels(folder / "labels.h5")
    batches = list(shuffled_batches(len(labels), batch))[:2000]
    sample = np.ones_like(labels[batches[0]])
    report(
        f"labels of {labels.shape[1]} tracks, batch {batch}",
        lambda: [labels[rows] is None for rows in batches],
        lambda: [sample.copy() is None for _ in batches],
        amount=len(batches) * batch,
        unit="M windows/s",
        target=">= 0.2",
    )


def bench_writing(folder: Path, n_windows: int) -> None:
    """Predictions of touching windows to a track."""
    windows = tile_contig(n_windows)
    values = np.random.default_rng(2).random(len(windows))
    report(
        "predictions -> bigWig",
        lambda: predictions_to_bigwig(folder / "p.bw", windows, values, {"chr1": n_windows * WINDOW}),
        values.copy,
        amount=len(windows),
        unit="M windows/s",
        target=">= 2",
    )


def main() -> None:
    """Generate the data, measure every line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("bases", 60_000_000), ("tracks", 100), ("windows", 2_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run_alone(make_files, folder, sizes.bases, sizes.windows)
        print(LINE.format("what (per CPU second, one thread)", "rate", "target", "limit", "peak MB"))
        run_alone(bench_bigwig, folder, sizes.bases)
        run_alone(bench_labels, folder, sizes.windows, sizes.tracks)
        for batch in (64, 128, 1024):
            run_alone(bench_label_batches, folder, batch)
        run_alone(bench_writing, folder, sizes.windows)


if __name__ == "__main__":
    main()
