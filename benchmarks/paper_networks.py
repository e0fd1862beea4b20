"""Jobs of the paper's run that load Keras: training, linear baselines, attribution, motifs of filters.

Networks are timed step by step in one process, since each would be compiled anew in three; what it costs to start a
training is measured apart. Linear baselines are fitted in a process for each size, as all other jobs.
"""

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_training import BATCH
from benchmarks.bench_training import Case as Network
from benchmarks.generated import CHROM, Sizes, make
from benchmarks.harness import run_alone
from benchmarks.paper_cases import Case, Cost, Job, peak_bytes
from benchmarks.paper_sizes import ROOT

TRACKS = 919
FITTED = 32  # outputs of a linear baseline that are fitted side by side
_REPLICATES = 5
_KMERS = 5  # bp


def _time_attribution(sizes: tuple[int, ...]) -> list[Cost]:
    return run_alone(_attribute, sizes)


def _attribute(sizes: tuple[int, ...]) -> list[Cost]:
    from benchmarks.bench_attribution import STEPS, WINDOW, random_model
    from benchmarks.bench_training import start
    from helpers.evaluation.attribution import attribute

    start()
    model = random_model(3)
    codes = np.random.default_rng(2).integers(0, 64, (max(sizes), WINDOW - 2)).astype(np.uint8)
    before, costs = time.process_time(), []
    for size in sizes:  # each call compiles the network anew, as a job does
        begun = time.process_time()
        attribute(model, codes[:size], steps=STEPS, max_steps=STEPS, tolerance=1.0)
        costs.append(Cost(size, before + time.process_time() - begun, peak_bytes(), 0))
    return costs


def _time_training(network: Network, sizes: tuple[int, ...]) -> list[Cost]:
    return run_alone(_train, network, sizes)


def _train(network: Network, sizes: tuple[int, ...]) -> list[Cost]:
    """Time an epoch for each size; of networks of many outputs one step with a batch of each size."""
    from benchmarks.bench_training import loss_of, random_windows, start
    from helpers.model.architectures import InputSpec, OutputSpec, build_model
    from helpers.model.batches import JangguSequence
    from helpers.model.training import save_model, train

    start()
    values, labels = random_windows(network, max(sizes))
    spec = InputSpec(values.shape[1:], "sequence" if network.order else "coverage", network.order or 1)
    output = OutputSpec("bound", network.outputs, "linear" if loss_of(network) == "mae" else "sigmoid")
    model = build_model(network.architecture, {"input": spec}, output)

    def batches(size: int) -> Any:
        given = {"input": values[:size]}, {"bound": labels[:size]}
        return JangguSequence(*given, batch_size=size if network.outputs > 1 else BATCH, shuffle=True, seed=1)

    train(model, batches(max(sizes)), batches(min(sizes)), epochs=1, loss=loss_of(network))
    spent = []
    for size in sizes:
        model.fit(batches(size), epochs=1, verbose=0, shuffle=False)  # a new size of batch is compiled
        begun = time.process_time()
        model.fit(batches(size), epochs=1, verbose=0, shuffle=False)
        spent.append(time.process_time() - begun)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        save_model(model, path)
        written = path.stat().st_size
    return [Cost(size, seconds, peak_bytes(), written) for size, seconds in zip(sizes, spent, strict=True)]


_PROFILES = {"window": 1000, "outputs": TRACKS}
NETWORKS = {
    "jund_dna, order 1": Network("jund_dna", 1),
    "jund_dna, order 2": Network("jund_dna", 2),
    "jund_dna, order 3": Network("jund_dna", 3),
    "jund_dnase": Network("jund_dnase", shape=(22, 2, 2)),
    "cage_dna, order 1": Network("cage_dna", 1, 900),
    "cage_dna, order 2": Network("cage_dna", 2, 900),
    "cage_dna, order 3": Network("cage_dna", 3, 900),
    "cage_chromatin": Network("cage_chromatin", shape=(1, 1, 2)),
    "deepsea, order 1": Network("deepsea", 1, **_PROFILES),
    "deepsea, order 3": Network("deepsea", 3, **_PROFILES),
    "danq, order 1": Network("danq", 1, **_PROFILES),
    "danq, order 3": Network("danq", 3, **_PROFILES),
}


def _no_files(folder: Path, size: int) -> None:
    """Write nothing."""


def _start_training(folder: Path, size: int) -> Path:
    """Load the backend, and build, train for a step and save the smallest network, so often."""
    from benchmarks.bench_training import loss_of, random_windows, start
    from helpers.model.architectures import InputSpec, OutputSpec, build_model
    from helpers.model.batches import JangguSequence
    from helpers.model.training import save_model, train

    start()
    network = NETWORKS["cage_chromatin"]
    values, labels = random_windows(network, BATCH)
    batches = JangguSequence({"input": values}, {"bound": labels}, batch_size=BATCH)
    for number in range(size):
        spec, output = InputSpec(values.shape[1:], "coverage", 1), OutputSpec("bound", activation="linear")
        model = build_model(network.architecture, {"input": spec}, output)
        train(model, batches, batches, epochs=1, loss=loss_of(network))
        save_model(model, folder / f"{number}.keras")
    return folder


def _readings(folder: Path, flank: int, order: int) -> dict[str, dict[str, Any]]:
    return {"dna": {"kind": "sequence", "stores": [folder / "genome.h5"], "flank": flank, "order": order}}


def _make_sequences(folder: Path, size: int, *, flank: int, outputs: int, signal: bool = False) -> None:
    """Write a genome, windows on it, and their targets, of which 5-mers in the windows decide; a tenth validates."""
    from helpers.data.labels import Labels, save_labels
    from helpers.data.normalization import save_normalizer
    from helpers.data.regions import region_table, write_regions
    from helpers.data.rows import SplitRows, region_fingerprint
    from helpers.data.sequence import Bioseq
    from helpers.data.window_signal import WindowSignal, fit_signal_normalizer, save_signal

    total = size + size // 10
    make("genome.h5", folder, Sizes(bases=200 * total + 2000))
    starts = 1000 + 200 * np.arange(total)
    windows = region_table(CHROM, starts, starts + 200)
    for name, table in {"all": windows, "train": windows[:size], "validation": windows[size:]}.items():
        write_regions(table, folder / f"{name}.bed")
    sequences = Bioseq.create_from_refgenome("dna", folder / "genome.h5", windows, 200, flank=flank, order=_KMERS)
    codes = sequences.codes(slice(None))
    found = np.stack([(codes == 31 * number + 7).any(axis=1) for number in range(outputs)], axis=1)
    rng, table = np.random.default_rng(1), region_fingerprint(windows)
    labels = rng.random(found.shape) < np.where(found, 0.5, 0.05)
    save_labels(Labels.pack(labels, [str(n) for n in range(outputs)], regions=table), folder / "labels.h5")
    if signal:
        values = WindowSignal(rng.poisson(5 + 50 * found[:, :1]).astype(np.uint32), table, "cage", flank, "both")
        save_signal(values, folder / "signal.h5")
        chosen = SplitRows(np.arange(total), table)
        save_normalizer(fit_signal_normalizer("zscorelog", values, chosen, track="cage"), folder / "normalizer.json")


def _fit_linear(folder: Path, size: int, *, architecture: str, flank: int, order: int, loss: str) -> Path:
    from benchmarks.bench_training import start
    from helpers.data.inputs import open_split
    from helpers.evaluation.tables import write_table
    from helpers.model.runs import build_and_fit
    from helpers.model.training import save_model

    start()
    params = {"k": order} if order > 1 else {"motifs": str(ROOT / "config/jund.meme")}
    plan = {"architecture": architecture, "params": params, "inputs": _readings(folder, flank, order)}
    output = {"kind": "peaks", "labels": folder / "labels.h5"}
    if loss == "mae":
        output = {"kind": "coverage", "tracks": ["cage"], "stores": [folder / "signal.h5"]}
        output["normalizers"] = [folder / "normalizer.json"]
    shared = {"windows": folder / "all.bed", "output": output, "binsize": 200}
    splits = [
        open_split(plan["inputs"], name, regions=folder / f"{name}.bed", **shared) for name in ("train", "validation")
    ]
    model, history = build_and_fit(plan, *splits, settings={"loss": loss, "batch_size": BATCH}, seed=1)
    (folder / "made").mkdir()
    write_table(history, folder / "made/history.tsv")
    save_model(model, folder / "made/model.keras")
    return folder / "made"


def _make_filters(folder: Path, size: int) -> None:
    from benchmarks.bench_attribution import random_model
    from benchmarks.bench_training import start
    from helpers.model.training import save_model

    start()
    _make_sequences(folder, size, flank=150, outputs=1)
    for number in range(_REPLICATES):
        save_model(random_model(3), folder / f"{number}.keras")


def _find_motifs(folder: Path, size: int) -> Path:
    from benchmarks.bench_training import start
    from helpers.data.inputs import open_split
    from helpers.data.motifs import read_motifs, write_motifs
    from helpers.evaluation.filters import filter_table, find_filters
    from helpers.evaluation.motif_matching import match_motifs
    from helpers.evaluation.motif_plots import plot_filters
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tables import write_table

    start()
    regions = {"regions": folder / "train.bed", "windows": folder / "all.bed", "binsize": 200}
    output = {"kind": "peaks", "labels": folder / "labels.h5"}
    split = open_split(_readings(folder, 150, 3), "test", output=output, **regions)
    paths = [folder / f"{number}.keras" for number in range(_REPLICATES)]
    filters = find_filters(paths, split.inputs, split.outputs, windows=size)
    motifs = [one.motif for one in filters if one.motif is not None]
    matches = match_motifs(motifs, read_motifs(ROOT / "config/jund.meme"))
    (folder / "made").mkdir()
    write_motifs(folder / "made/filters.meme", motifs)
    write_table(matches, folder / "made/matches.tsv")
    write_table(filter_table(filters, matches), folder / "made/filters.tsv")
    save_figure(plot_filters(filters, matches), folder / "made/filters")
    return folder / "made"


_JUND, _CAGE = {"flank": 150}, {"flank": 350}
_KMER = {"architecture": "kmer_linear", "order": _KMERS}
_LABELS = {"loss": "binary_crossentropy"}
LINEAR = {
    "kmer_linear, jund": Job(
        partial(_make_sequences, outputs=1, **_JUND), partial(_fit_linear, **_KMER, **_JUND, **_LABELS)
    ),
    "kmer_linear, deepsea": Job(
        partial(_make_sequences, outputs=FITTED, **_JUND), partial(_fit_linear, **_KMER, **_JUND, **_LABELS)
    ),
    "kmer_linear, cage": Job(
        partial(_make_sequences, outputs=1, signal=True, **_CAGE), partial(_fit_linear, **_KMER, **_CAGE, loss="mae")
    ),
    "pwm_scan, jund": Job(
        partial(_make_sequences, outputs=1, **_JUND),
        partial(_fit_linear, architecture="pwm_scan", order=1, **_JUND, **_LABELS),
    ),
}


def network_cases() -> Iterator[Case]:
    """Give what is measured with Keras."""
    yield Case("attribute_inputs", "", "windows", (128, 256, 512), _time_attribution)
    yield Case("find_motifs", "", "windows", (500, 1000, 2000), Job(_make_filters, _find_motifs).measure)
    yield Case("train_model", "start", "networks", (1, 2, 4), Job(_no_files, _start_training).measure)
    for name, network in NETWORKS.items():
        unit = "windows a step" if network.outputs > 1 else "windows"
        smallest = 32 if network.outputs > 1 else 1024 if network.order else 16_384
        sizes = (smallest, 2 * smallest, 4 * smallest)
        yield Case("train_model", name, unit, sizes, partial(_time_training, network))
    for name, job in LINEAR.items():
        smallest = 8000 if name.endswith("deepsea") else 40_000
        yield Case("train_model", name, "windows", (smallest, 2 * smallest, 4 * smallest), job.measure)
