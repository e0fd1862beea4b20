"""Jobs of the paper's run that read or write windows: checks, regions, splits, targets, normalizers, the ceiling."""

import gzip
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.generated import CHROM, Sizes, make
from benchmarks.paper_cases import Job

BINSIZE = 200  # bp
PER_PEAK = 101  # windows: a peak of one bin, 10 kb on both sides
LINES_PER_GENE = 46  # of GENCODE
_SPACING = 25_000  # bp from peak to peak
_SMALL = 2_400_000  # bp of a genome that only says how long contigs are
_SPLITS = {"train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]}


def lay_windows(size: int) -> pd.DataFrame:
    """Lay windows side by side: a tenth on chr2, which validates, a tenth on chr3, which tests, the rest on chr1."""
    from helpers.data.regions import region_table

    counts = [size - 2 * (size // 10), size // 10, size // 10]
    starts = np.concatenate([np.arange(count) for count in counts]) * BINSIZE
    return region_table(np.repeat(["chr1", "chr2", "chr3"], counts), starts, starts + BINSIZE)


def _make_windows(folder: Path, size: int) -> None:
    from helpers.data.regions import write_regions

    windows = lay_windows(size)
    write_regions(windows, folder / "all.bed")
    for split, chroms in _SPLITS.items():
        write_regions(windows[windows["chrom"].isin(chroms)], folder / f"{split}.bed")


def _write_peaks(path: Path, starts: np.ndarray) -> None:
    """Write peaks of 200 bp as ENCODE does: ten columns, gzipped."""
    columns = {"chrom": CHROM, "start": starts, "end": starts + BINSIZE, "name": ".", "score": 1000, "strand": "."}
    columns |= {"signal": 12.345678, "p": 9.876543, "q": 7.654321, "peak": 100}
    settings = {"sep": "\t", "header": False, "index": False}
    pd.DataFrame(columns).to_csv(path, compression={"method": "gzip", "compresslevel": 1}, **settings)


def _write_genes(path: Path, lines: int) -> None:
    """Write genes as GENCODE does, with their transcripts and exons; a third of them code for proteins."""
    with gzip.open(path, "wt", compresslevel=1) as file:
        for number in range(lines // LINES_PER_GENE):
            start, kind = number * _SPACING + 5001, "lncRNA" if number % 3 else "protein_coding"
            names = f'gene_id "ENSG{number:011d}.1"; gene_type "{kind}"; gene_name "GENE{number}"; level 2;'
            more = (
                f' transcript_id "ENST{number:011d}.1"; transcript_type "{kind}"; transcript_name "GENE{number}-201";'
            )
            more += f' exon_number 1; exon_id "ENSE{number:011d}.1"; tag "basic"; havana_gene "OTTHUMG{number:011d}.2";'
            place = f"{start}\t{start + 9999}\t.\t+\t.\t{names}"
            file.write(f"{CHROM}\tHAVANA\tgene\t{place}\n")
            file.writelines([f"{CHROM}\tHAVANA\texon\t{place}{more}\n"] * (LINES_PER_GENE - 1))


def _length(size: int, per: int) -> int:
    """Give the bp of a contig that so many windows or lines need, so many to a peak or gene."""
    return (size // per + 1) * _SPACING


def _make_fasta(folder: Path, bases: int, *, packed: bool = False) -> None:
    make("genome.fa", folder, Sizes(bases=bases))
    if packed:  # as UCSC has it
        with (folder / "genome.fa").open("rb") as plain, gzip.open(folder / "genome.fa.gz", "wb", 1) as file:
            shutil.copyfileobj(plain, file)


def _make_genome(folder: Path, size: int) -> None:
    _make_fasta(folder, size, packed=True)


def _make_records(folder: Path, size: int) -> None:
    _make_fasta(folder, _SMALL)
    _write_peaks(folder / "peaks.narrowPeak.gz", np.random.default_rng(1).integers(0, _SMALL - BINSIZE, size))


def _make_genes(folder: Path, size: int) -> None:
    _make_fasta(folder, _length(size, LINES_PER_GENE))
    _write_genes(folder / "genes.gtf.gz", size)


def _check(folder: Path, size: int, *, genome: str = "genome.fa", track: str = "", kind: str = "narrowPeak") -> Path:
    from helpers.data.checks import inspect_study
    from helpers.data.findings import raise_on_errors
    from helpers.evaluation.tables import write_table

    uses = {"uses": {"regions": ["regions"]}, "gene_type": "protein_coding" if kind == "gtf" else None}
    tracks = [{"track": track, "type": kind, "path": folder / track, **uses}] if track else []
    checks = inspect_study(folder / genome, [CHROM], tracks)
    raise_on_errors(checks.findings)
    write_table(checks.findings, folder / "checks.tsv")
    return folder / "checks.tsv"


def _make_peaks(folder: Path, size: int) -> None:
    _write_peaks(folder / "peaks.narrowPeak.gz", np.arange(size // PER_PEAK) * _SPACING + 12_000)


def _make_bins(folder: Path, size: int) -> None:
    from helpers.data.regions import write_regions

    write_regions(lay_windows(size), folder / "bins.bed")


def _make_regions(folder: Path, size: int, *, track: str, per: int = 1, **settings: object) -> Path:
    from helpers.data.regions import read_regions, write_regions
    from helpers.data.roi import dropped_regions, make_regions

    sizes = dict.fromkeys(["chr1", "chr2", "chr3"], _length(size, per))
    features = read_regions(folder / track, feature="gene" if settings["kind"] == "promoters" else None)
    settings["binsize"] = BINSIZE
    regions = make_regions(features, sizes, settings)
    (folder / "made").mkdir()
    write_regions(dropped_regions(features, sizes, settings, regions), folder / "made/dropped.bed")
    write_regions(regions, folder / "made/all.bed")
    return folder / "made"


def _split(folder: Path, size: int) -> Path:
    from helpers.data.regions import read_regions, write_regions
    from helpers.data.split_checks import check_splits
    from helpers.data.splitting import split_regions

    splits, overlapping = split_regions(read_regions(folder / "all.bed"), _SPLITS, reach=450)
    check_splits(splits, _SPLITS, overlapping, fold="all")
    (folder / "made").mkdir()
    for split, table in {**splits, "overlapping": overlapping}.items():
        write_regions(table, folder / f"made/{split}.bed")
    return folder / "made"


def _make_targets(folder: Path, size: int, *, outputs: int) -> None:
    from helpers.data.labels import Labels, save_labels

    _make_windows(folder, size)
    names = [str(number) for number in range(outputs)]
    packed = np.random.default_rng(1).integers(0, 256, (size, -(-outputs // 8)), dtype=np.uint8)
    packed[:, -1] &= 0xFF << (-outputs % 8) & 0xFF  # what is behind the last output is 0
    save_labels(Labels(packed, names), folder / "labels.h5")


def _describe(folder: Path, size: int) -> Path:
    from helpers.data.regions import read_regions
    from helpers.data.rows import locate_rows
    from helpers.data.targets import check_targets, describe_targets, open_targets
    from helpers.evaluation.tables import write_table

    output, windows = {"kind": "peaks", "labels": folder / "labels.h5"}, read_regions(folder / "all.bed")
    targets = {
        split: open_targets(output, locate_rows(read_regions(folder / f"{split}.bed"), windows)) for split in _SPLITS
    }
    check_targets(targets)
    write_table(describe_targets(targets), folder / "targets.tsv")
    return folder / "targets.tsv"


def _make_signal(folder: Path, size: int) -> None:
    from helpers.data.rows import region_fingerprint
    from helpers.data.window_signal import WindowSignal, save_signal

    _make_windows(folder, size)
    counts = np.random.default_rng(1).negative_binomial(1, 0.02, (size, 1)).astype(np.uint32)
    save_signal(WindowSignal(counts, region_fingerprint(lay_windows(size)), "cage", 400, "both"), folder / "signal.h5")


def _fit_signal(folder: Path, size: int) -> Path:
    from helpers.data.normalization import save_normalizer
    from helpers.data.regions import read_regions
    from helpers.data.rows import locate_rows
    from helpers.data.window_signal import fit_signal_normalizer, load_signal

    windows = read_regions(folder / "all.bed")
    signal = load_signal(folder / "signal.h5")
    normalizer = fit_signal_normalizer("zscorelog", signal, locate_rows(windows, windows), track="cage")
    save_normalizer(normalizer, folder / "normalizer.json")
    return folder / "normalizer.json"


def _fit_coverage(folder: Path, size: int) -> Path:
    from helpers.data.normalization import fit_normalizer, save_normalizer
    from helpers.data.storage import GenomeArray

    coverage = GenomeArray.open(folder / "few.h5")
    normalizer = fit_normalizer("zscorelog", coverage, resolution=coverage.attrs["resolution"], flank=450)
    save_normalizer(normalizer, folder / "normalizer.json")
    return folder / "normalizer.json"


def _make_coverage(folder: Path, size: int) -> None:
    make("few.h5", folder, Sizes(bases=size))


def _measure_ceiling(folder: Path, size: int) -> Path:
    from helpers.data.regions import read_regions
    from helpers.data.rows import locate_rows
    from helpers.data.targets import open_targets
    from helpers.evaluation.reliability import measure_ceilings
    from helpers.evaluation.tables import write_table

    windows = read_regions(folder / "all.bed")
    output = {"kind": "coverage", "tracks": ["cage"], "stores": [folder / "signal.h5"]}
    signals = open_targets(output, locate_rows(windows, windows))
    counting = {"types": {"cage": "bam"}, "count": "five_prime", "normalize": "zscorelog"}
    write_table(measure_ceilings({"cage": signals.data[:, 0]}, split="test", seed=1, **counting), folder / "a.tsv")
    return folder / "a.tsv"


_MAKE_PEAKS = partial(_make_regions, track="peaks.narrowPeak.gz", per=PER_PEAK, kind="peaks", extend=10_000)
_MAKE_BINS = partial(_make_regions, track="bins.bed", kind="bins")
_MAKE_PROMOTERS = partial(
    _make_regions, track="genes.gtf.gz", per=LINES_PER_GENE, kind="promoters", gene_type="protein_coding"
)
JOBS = {
    ("check_inputs", "genome", "bp"): (20_000_000, Job(_make_genome, partial(_check, genome="genome.fa.gz"))),
    ("check_inputs", "regions", "records"): (250_000, Job(_make_records, partial(_check, track="peaks.narrowPeak.gz"))),
    ("check_inputs", "genes", "lines"): (50_000, Job(_make_genes, partial(_check, track="genes.gtf.gz", kind="gtf"))),
    ("make_regions", "peaks", "windows"): (100_000, Job(_make_peaks, _MAKE_PEAKS)),
    ("make_regions", "bins", "windows"): (200_000, Job(_make_bins, _MAKE_BINS)),
    ("make_regions", "promoters", "lines"): (50_000, Job(_make_genes, _MAKE_PROMOTERS)),
    ("split_regions", "", "windows"): (200_000, Job(_make_windows, _split)),
    ("describe_targets", "1 output", "windows"): (100_000, Job(partial(_make_targets, outputs=1), _describe)),
    ("describe_targets", "919 outputs", "windows"): (50_000, Job(partial(_make_targets, outputs=919), _describe)),
    ("fit_normalizer", "coverage", "bp"): (50_000_000, Job(_make_coverage, _fit_coverage)),
    ("fit_normalizer", "windows", "windows"): (50_000, Job(_make_signal, _fit_signal)),
    ("measure_ceiling", "", "windows"): (2_000, Job(_make_signal, _measure_ceiling)),
}
