"""How large the paper's run is: jobs from a dry run, windows from the literature, and what had to be assumed."""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from helpers import study as plans
from helpers.config import complete_config
from helpers.networks import BASELINES

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config/paper.yaml"
CHR1, CHR2, CHR3, GENOME = 248_956_422, 242_193_529, 198_295_559, 3_088_269_832  # bp, hg38: chr1 to chr22, X and Y
FASTA = 3_209_286_105  # bp of hg38.fa with its other contigs
READS = 75_000_000
PEAKS = 15_000
GENES = 19_940
BINS, TEST_BINS, VALIDATION_BINS, FEATURES = 2_608_000, 227_512, 4_000, 919
RECORDS, GENE_LINES = 40_000, 2_700_000  # peaks in a file, lines of GENCODE 29
DOWNLOADS = {"FASTA": (2, 0.95e9), "BAM": (4, 3e9), "bigWig": (1, 1e9), "other": (922, 1e6)}  # files, bytes each
ASSUMPTIONS = (  # formatted with the number of peaks
    "JunD: {peaks:,} peaks in ENCFF446WOD, a number that we do not know (`--peaks`); their regions do not"
    " overlap, so that each gives 101 windows of 200 bp. Validation (chr2) and test (chr3) have their share of the"
    " genome's length.",
    f"DeepSEA: {BINS:,} bins (521.6 Mb), {TEST_BINS:,} of them test and {VALIDATION_BINS:,} validation, as in Zhou"
    " and Troyanskaya 2015 (doi:10.1038/nmeth.3547).",
    f"CAGE: {GENES:,} protein-coding genes in GENCODE 29; chr1 (test) and, on average, each of the other 21 folds"
    " have their share of the genome's length.",
    f"{READS:,} reads in each BAM file. Downloads: 0.95 GB a genome, 3 GB a BAM file, 1 GB a bigWig file, 1 MB"
    " each other file; the sheet has no sizes. `sum_signal` of the bigWig file costs as much as of a BAM file.",
    f"{RECORDS:,} peaks in each of DeepSEA's {FEATURES} files, {GENE_LINES:,} lines in GENCODE 29. Of alignments and of"
    " bigWig files `check_inputs` looks at a part that does not grow; it is not counted. `describe_targets` of signals"
    " costs as much as of labels.",
    "All epochs of the config are trained; early stopping makes the run shorter. To predict a window costs as"
    " much as to train it.",
    "A joint network costs the sum of its parts. `deepsea` and `danq` cost in proportion to the window and to the"
    " strands scanned; order 2 lies halfway between 1 and 3; their memory and files are in proportion to the"
    " window. Every training starts as that of the smallest network does.",
    "Linear baselines predict a window at the cost of fitting it, and 919 outputs cost 919/32 of 32, which are fitted"
    " side by side. They were measured on random sequences, in which one 5-mer decides of each output.",
    "Memory of `encode_genome`, `count_coverage`, `sum_signal` and, of coverage, `fit_normalizer` is that of chr1."
    " Training holds targets and predictions of the validation and test windows beside the network.",
    "`make_report` was measured on all jobs of the run, with 229 to 916 of DeepSEA's features: their tables, their"
    " provenance and figures of all studies, which the page embeds; tables of the other studies, which are short, were"
    " empty.",
    "GPU: the rates of an H100 with JAX in [benchmarks.md](benchmarks.md); orders 2 and 3 of `deepsea` and `danq`"
    " in the proportion of the CPU; `cage_chromatin`, which was not measured there, as `jund_dnase`. JAX"
    " compiles each training for 8 to 45 s more.",
)
_RULE = r"^(?:rule|checkpoint|use rule \w+ as) (\w+)(?: with)?:"


class Windows(NamedTuple):
    """Windows of a study, in each fold."""

    train: int
    validation: int
    test: int
    tests: int = 1  # times that the test windows are predicted
    outputs: int = 1

    @property
    def total(self) -> int:
        """All windows."""
        return self.train + self.validation + self.test


def study_windows(peaks: int = PEAKS) -> dict[str, Windows]:
    """Give the windows of the three studies, for a number of JunD peaks."""

    def share(total: int, validation: float, test: float, tests: int = 1) -> Windows:
        parts = round(total * validation / GENOME), round(total * test / GENOME)
        return Windows(total - sum(parts), *parts, tests)

    return {
        "jund": share(101 * peaks, CHR2, CHR3, 2),
        "deepsea": Windows(BINS - TEST_BINS - VALIDATION_BINS, VALIDATION_BINS, TEST_BINS, outputs=FEATURES),
        "cage": share(GENES, (GENOME - CHR1) / 21, CHR1),
    }


def paper_studies() -> dict[str, Any]:
    """Read the studies of the paper's config, completed."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    return complete_config(yaml.safe_load(CONFIG.read_text(encoding="utf-8")), schema)["studies"]


def trained_networks(study: dict[str, Any]) -> list[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """Give for each run that trains a network the name of its model, and the architectures and values it is made of."""
    found = []
    for run in plans.runs(study):
        model = study["models"][run.model]
        if model["architecture"] in BASELINES:
            continue
        values = plans.variants(model)[run.variant]
        parts = [(model["architecture"], values)]
        if model["architecture"] == "joint":
            chosen = plans.part_values(study, run.model, values)
            parts = [(study["models"][part]["architecture"], given) for part, given in chosen.items()]
        found.append((run.model, parts))
    return found


class Baseline(NamedTuple):
    """A linear baseline of a study: its jobs, and the training windows that it is fitted on at most, None for all."""

    model: str
    architecture: str
    jobs: int
    windows: int | None


def fitted_baselines(study: dict[str, Any]) -> list[Baseline]:
    """Give the linear baselines of a study."""
    jobs = Counter(run.model for run in plans.runs(study))
    return [
        Baseline(name, model["architecture"], jobs[name], plans.training_settings(study, name).get("windows"))
        for name, model in study["models"].items()
        if model["architecture"] in BASELINES
    ]


def dry_run(config: Path = CONFIG) -> str:
    """Ask Snakemake what a run would do, in an empty folder, with the report."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "-n", "-q", "progress", "-s", str(ROOT / "Snakefile")]
        command += ["--directory", folder, "--configfile", str(config)]
        return subprocess.run(
            command, check=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ).stdout


def listed_jobs(text: str) -> Iterator[tuple[str, list[str]]]:
    """Give the rule and the outputs of each job of a dry run; targets have none and are left out."""
    rule = ""
    for line in text.splitlines():
        if found := re.match(r"\s*(?:local)?(?:rule|checkpoint) (\w+):$", line):
            rule = found[1]
        elif rule and (found := re.match(r"\s*output: (.+)$", line)):
            yield rule, found[1].split(", ")
            rule = ""


def count_jobs(text: str) -> Counter[tuple[str, str]]:
    """Count the jobs of a dry run by rule and study; the study is empty where a job is of all studies."""
    jobs: Counter[tuple[str, str]] = Counter()
    for rule, outputs in listed_jobs(text):
        study = re.match(r"results/paper/(jund|deepsea|cage)/", outputs[0])
        jobs[rule, study[1] if study else ""] += 1
    return jobs


def workflow_rules() -> list[str]:
    """Give the names of all rules that make files."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    targets = {"everything", "figures", "report", "jund", "deepsea", "cage"}
    return [name for name in re.findall(_RULE, text, re.MULTILINE) if name not in targets]
