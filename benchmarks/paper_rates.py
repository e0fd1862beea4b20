"""What a job of each costly rule costs, measured on generated data of three growing sizes.

Here are the jobs that read tracks; others are in modules of their own. All do what the script of their rule does.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import paper_tables, paper_windows
from benchmarks.generated import CHROM, Sizes, label_bins, make
from benchmarks.paper_cases import Case, Job
from benchmarks.paper_networks import network_cases
from benchmarks.paper_report import report_case
from benchmarks.paper_sizes import ROOT

BASES_PER_READ = 40  # 78 million reads on a genome of 3.1 Gb
READS_PER_PROMOTER = 3760  # 75 million reads, 19,940 promoters
TRACKS = 919
BATCH_OF_TRACKS = 50  # a job of label_regions


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


def _make_index(folder: Path, size: int) -> Path:
    from helpers.sources.prepare import index_alignments

    index_alignments(folder / "reads.bam")
    return folder / "reads.bam.bai"


def _make_download(folder: Path, size: int) -> None:
    (folder / "track.bam").write_bytes(np.random.default_rng(1).bytes(size))


def _record(folder: Path, size: int) -> Path:
    from helpers.evaluation.provenance import collect_provenance, write_provenance

    described = {"seeds": {"seed": 1}, "inputs": {"track": folder / "track.bam"}, "workflow": ROOT}
    provenance = collect_provenance({"run": "paper"}, backend="tensorflow", device="", **described)
    write_provenance(provenance, folder / "provenance.json")
    return folder / "provenance.json"


JOBS = {
    ("encode_genome", "", "bp"): (20_000_000, Job(partial(_make, "genome.fa", _genome), _encode)),
    ("index_alignments", "", "reads"): (500_000, Job(partial(_make, "reads.bam", _reads), _make_index)),
    ("count_coverage", "", "reads"): (500_000, Job(partial(_make, "reads.bam", _reads), _count)),
    ("sum_signal", "", "reads"): (500_000, Job(_index, _sum)),
    ("label_regions", "", "labels"): (5_000_000, Job(partial(_make, "bed", _bins), _label)),
    ("join_labels", "", "labels"): (20_000_000, Job(_make_parts, _join)),
    ("record_provenance", "", "bytes"): (100_000_000, Job(_make_download, _record)),
    **paper_windows.JOBS,
    **paper_tables.JOBS,
}


def cases() -> Iterator[Case]:
    """Give everything that is measured."""
    for (rule, what, unit), (smallest, job) in JOBS.items():
        yield Case(rule, what, unit, (smallest, 2 * smallest, 4 * smallest), job.measure)
    yield report_case()
    yield from network_cases()
