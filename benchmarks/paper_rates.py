"""What a job of each costly rule costs, measured on generated data of three growing sizes.

A `Case` makes its files in one process and does the work of the rule's script in another. CPU seconds are those of this
process from its start, with the loading of libraries; memory is the most that it held. Networks are timed step by step
in one process, since each would be compiled anew in three.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.bench_training import BATCH
from benchmarks.bench_training import Case as Network
from benchmarks.generated import CHROM, Sizes, label_bins, make
from benchmarks.harness import run_alone

BASES_PER_READ = 40  # 78 million reads on a genome of 3.1 Gb
READS_PER_PROMOTER = 3760  # 75 million reads, 19,940 promoters
TRACKS = 919
BATCH_OF_TRACKS = 50  # a job of label_regions
CHR3 = 198_295_559  # bp, hg38; over which the windows of a comparison lie
RUNS = 10  # compared, of two variants
_SCORED = 100  # outputs


class Cost(NamedTuple):
    """What one size cost.

    Attributes
    ----------
    size : int
    seconds : float
        CPU seconds.
    peak : int
        Most bytes held.
    written : int
        Bytes of the result.
    """

    size: int
    seconds: float
    peak: int
    written: int


class Case(NamedTuple):
    """What is measured.

    Attributes
    ----------
    rule : str
    what : str
        Of several cases of a rule, which.
    unit : str
        Of the sizes.
    sizes : tuple of int
    measure : callable
        Gives the costs of all sizes.
    """

    rule: str
    what: str
    unit: str
    sizes: tuple[int, ...]
    measure: Callable[[tuple[int, ...]], list[Cost]]

    @property
    def name(self) -> str:
        """Name of the fit."""
        return f"{self.rule}, {self.what}" if self.what else self.rule


class Job(NamedTuple):
    """How the files of a rule are made and its work done, both in a folder for a size; the latter gives its result."""

    prepare: Callable[[Path, int], None]
    work: Callable[[Path, int], Path]

    def measure(self, sizes: tuple[int, ...]) -> list[Cost]:
        """Do the work for each size, in a fresh process each."""
        costs = []
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                run_alone(self.prepare, Path(folder), size)
                costs.append(run_alone(_cost, self.work, Path(folder), size))
        return costs


def _cost(work: Callable[[Path, int], Path], folder: Path, size: int) -> Cost:
    written = work(folder, size).stat().st_size
    return Cost(size, time.process_time(), peak_bytes(), written)


def peak_bytes() -> int:
    """Give the most bytes that this process held; getrusage would count those of the process that started it, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def _make(name: str, sizes: Callable[[int], Sizes], folder: Path, size: int) -> None:
    make(name, folder, sizes(size))


def _genome(size: int) -> Sizes:
    return Sizes(bases=size)


def _reads(size: int) -> Sizes:
    return Sizes(bases=size * BASES_PER_READ, reads=size)


def _encode(folder: Path, size: int) -> Path:
    from helpers.data.sequence import encode_fasta

    encode_fasta(folder / "genome.fa", folder / "codes.h5")
    return folder / "codes.h5"


def _count(folder: Path, size: int) -> Path:
    from helpers.data.bam import store_bam_coverage

    store_bam_coverage(folder / "reads.bam", folder / "counts.h5", resolution=50, count="five_prime")
    return folder / "counts.h5"


def _index(folder: Path, size: int) -> None:
    import pysam

    make("reads.bam", folder, _reads(size))
    pysam.index(str(folder / "reads.bam"))


def _sum(folder: Path, size: int) -> Path:
    from helpers.data.window_signal import save_signal, sum_windows

    bases = size * BASES_PER_READ
    starts = np.linspace(1000, bases - 2000, max(size // READS_PER_PROMOTER, 1)).astype(int)
    regions = pd.DataFrame({"chrom": CHROM, "start": starts, "end": starts + 200, "strand": "+"})
    signal = sum_windows(folder / "reads.bam", regions, kind="bam", sizes={CHROM: bases}, flank=400)
    save_signal(signal, folder / "signal.h5")
    return folder / "signal.h5"


def _bins(size: int) -> Sizes:
    return Sizes(tracks=BATCH_OF_TRACKS, bins=size // BATCH_OF_TRACKS)


def _label(folder: Path, size: int) -> Path:
    from benchmarks.generated import bed_paths
    from helpers.data.labels import label_regions, save_labels

    names = [str(number) for number in range(BATCH_OF_TRACKS)]
    labels = label_regions(label_bins(_bins(size)), bed_paths(folder, BATCH_OF_TRACKS), names, overlap=0.5)
    save_labels(labels, folder / "labels.h5")
    return folder / "labels.h5"


def _parts(folder: Path) -> list[Path]:
    return [folder / f"part-{first}.h5" for first in range(0, TRACKS, BATCH_OF_TRACKS)]


def _make_parts(folder: Path, size: int) -> None:
    from helpers.data.labels import Labels, save_labels

    rng = np.random.default_rng(1)
    for path, first in zip(_parts(folder), range(0, TRACKS, BATCH_OF_TRACKS), strict=True):
        names = [str(number) for number in range(first, min(first + BATCH_OF_TRACKS, TRACKS))]
        packed = rng.integers(0, 256, (size // TRACKS, -(-len(names) // 8)), dtype=np.uint8)
        packed[:, -1] &= 0xFF << (-len(names) % 8) & 0xFF  # what is behind the last output is 0
        save_labels(Labels(packed, names), path)


def _join(folder: Path, size: int) -> Path:
    from helpers.data.labels import join_labels

    join_labels(_parts(folder), folder / "all.h5")
    return folder / "all.h5"


def _predict(path: Path, windows: int, outputs: int, seed: int) -> None:
    """Write random predictions, of windows that lie over chr3 and of which a tenth is bound."""
    from helpers.evaluation.predictions import Predictions, write_predictions

    rng = np.random.default_rng(seed)
    starts = np.linspace(0, CHR3 - 400, windows).astype(int) // 200 * 200
    regions = pd.DataFrame({"chrom": "chr3", "start": starts, "end": starts + 200, "strand": "."})
    target = (np.random.default_rng(1).random((windows, outputs)) < 0.1).astype(np.float32)
    prediction = rng.random((windows, outputs), dtype=np.float32)
    names = [str(number) for number in range(outputs)]
    write_predictions(path, {"test": Predictions(regions, target, prediction, names)})


def _make_scored(folder: Path, size: int) -> None:
    _predict(folder / "predictions.h5", size // _SCORED, _SCORED, 2)


def _score(folder: Path, size: int) -> Path:
    from helpers.evaluation.metrics import score_predictions
    from helpers.evaluation.predictions import read_predictions
    from helpers.evaluation.tables import write_table

    write_table(score_predictions(read_predictions(folder / "predictions.h5"), ["auprc", "auroc"]), folder / "a.tsv")
    return folder / "predictions.h5"  # its size is that of what train_model writes


def _make_compared(folder: Path, size: int) -> None:
    for number in range(RUNS):
        _predict(folder / f"{number}.h5", size // RUNS, 1, 2 + number)


def _compare(folder: Path, size: int) -> Path:
    from helpers.evaluation.comparisons import compare_study, model_runs
    from helpers.evaluation.contrasts import StudyModel, list_contrasts
    from helpers.evaluation.tables import write_table

    runs = [
        {
            "model": "dna",
            "variant": f"order~{1 + number % 2}",
            "values": {"order": 1 + number % 2},
            "fold": "all",
            "replicate": number // 2,
        }
        for number in range(RUNS)
    ]
    contrasts = list_contrasts([StudyModel("dna", [{"order": 1}, {"order": 2}], "jund_dna")])
    paths = [folder / f"{number}.h5" for number in range(RUNS)]
    write_table(
        compare_study(model_runs(runs, paths), contrasts, study="jund", metrics=["auprc", "auroc"]), folder / "a.tsv"
    )
    return folder / "a.tsv"


def _make_exported(folder: Path, size: int) -> None:
    _predict(folder / "predictions.h5", size, 1, 2)


def _export(folder: Path, size: int) -> Path:
    from helpers.data.export import predictions_to_bigwig
    from helpers.evaluation.prediction_columns import mean_column

    mean = mean_column([folder / "predictions.h5"], "test", "0")
    predictions_to_bigwig(folder / "track.bw", mean.regions, mean.values, {"chr3": CHR3})
    return folder / "track.bw"


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
JOBS = {
    ("encode_genome", "bp"): ((20_000_000, 40_000_000, 80_000_000), Job(partial(_make, "genome.fa", _genome), _encode)),
    ("count_coverage", "reads"): ((500_000, 1_000_000, 2_000_000), Job(partial(_make, "reads.bam", _reads), _count)),
    ("sum_signal", "reads"): ((500_000, 1_000_000, 2_000_000), Job(_index, _sum)),
    ("label_regions", "labels"): ((5_000_000, 10_000_000, 20_000_000), Job(partial(_make, "bed", _bins), _label)),
    ("join_labels", "labels"): ((20_000_000, 40_000_000, 80_000_000), Job(_make_parts, _join)),
    ("score_predictions", "labels"): ((500_000, 1_000_000, 2_000_000), Job(_make_scored, _score)),
    ("compare_models", "windows of all runs"): ((100_000, 200_000, 400_000), Job(_make_compared, _compare)),
    ("export_track", "windows"): ((50_000, 100_000, 200_000), Job(_make_exported, _export)),
}


def cases() -> Iterator[Case]:
    """Give everything that is measured."""
    for (rule, unit), (sizes, job) in JOBS.items():
        yield Case(rule, "", unit, sizes, job.measure)
    yield Case("attribute_inputs", "", "windows", (128, 256, 512), _time_attribution)
    for name, network in NETWORKS.items():
        unit = "windows a step" if network.outputs > 1 else "windows"
        smallest = 32 if network.outputs > 1 else 1024 if network.order else 16_384
        sizes = (smallest, 2 * smallest, 4 * smallest)
        yield Case("train_model", name, unit, sizes, partial(_time_training, network))
