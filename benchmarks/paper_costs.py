"""Estimate what the rules of the paper's run cost, from the fits and the sizes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from benchmarks.paper_fits import Fit
from benchmarks.paper_networks import FITTED
from benchmarks.paper_rates import BASES_PER_READ
from benchmarks.paper_sizes import (
    CHR1,
    DOWNLOADS,
    FASTA,
    FEATURES,
    GENE_LINES,
    GENOME,
    READS,
    RECORDS,
    Windows,
    fitted_baselines,
    paper_studies,
    trained_networks,
)
from benchmarks.paper_windows import PER_PEAK

GPU_RATES = {  # windows per second in training, docs/benchmarks.md, JAX, fed
    "jund_dna": 55_990,
    "jund_dnase": 54_397,
    "cage_dna": 55_266,
    "cage_chromatin": 54_397,
    "deepsea": 16_908,
    "danq": 9_288,
}
METRICS = 2  # of each study
PROFILES = ("deepsea", "danq")
PROFILE_BATCH, PROFILE_WINDOW = 128, 1000
_HOUR = 3600


class Row(NamedTuple):
    """What all jobs of a rule cost in a study.

    Attributes
    ----------
    rule, study, what : str
        The last is the model, for trainings.
    jobs : int
    cpu, gpu : float
        Hours of all jobs; of rules that train, either or.
    memory : float
        Bytes that a job holds at most.
    disk : float
        Bytes that all jobs write.
    """

    rule: str
    study: str
    what: str
    jobs: int
    cpu: float
    gpu: float
    memory: float
    disk: float


class Amount(NamedTuple):
    """Size of a job, in the unit of its rule's fit, and the sizes that decide its memory and its result.

    Attributes
    ----------
    size : float
    held, written : float, optional
        Where they are others.
    """

    size: float
    held: float | None = None
    written: float | None = None


def job_amounts(windows: Mapping[str, Windows], jobs: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], Amount]:
    """Give the size of a job for each fit and study; trainings have `training_rows` and `baseline_rows`.

    A rule of several fits, such as ``check_inputs, genome`` and ``check_inputs, genes``, costs the sum of them.
    """
    deepsea, cage = windows["deepsea"], windows["cage"]
    peaks, scores = windows["jund"].total // PER_PEAK, _scores(deepsea, jobs["train_model", "deepsea"])
    amounts = {
        ("encode_genome", ""): Amount(FASTA, CHR1),
        ("index_alignments", ""): Amount(READS),
        ("record_provenance", ""): Amount(sum(number * size for number, size in DOWNLOADS.values())),
        ("compare_published", ""): scores,
        ("plot_boxes", ""): scores,
        ("make_report", ""): Amount(FEATURES),
        ("count_coverage", "jund"): Amount(READS, CHR1 / BASES_PER_READ),
        ("sum_signal", "cage"): Amount(READS, CHR1 / BASES_PER_READ),
        ("attribute_inputs", "jund"): Amount(1000 * 5, 1000),
        ("find_motifs", "jund"): Amount(2000),
        ("check_inputs, regions", "jund"): Amount(peaks),
        ("check_inputs, regions", "deepsea"): Amount(FEATURES * RECORDS + deepsea.total, deepsea.total),
        ("check_inputs, genes", "cage"): Amount(GENE_LINES),
        ("make_regions, peaks", "jund"): Amount(windows["jund"].total),
        ("make_regions, bins", "deepsea"): Amount(deepsea.total),
        ("make_regions, promoters", "cage"): Amount(GENE_LINES),
        ("fit_normalizer, coverage", "jund"): Amount(GENOME, CHR1),
        ("fit_normalizer, windows", "cage"): Amount(cage.total),
        ("measure_ceiling", "cage"): Amount(cage.test),
    }
    for study, each in windows.items():
        amounts |= {(name, study): amount for name, amount in _study_amounts(study, each, jobs).items()}
    return amounts


def _study_amounts(study: str, each: Windows, jobs: Mapping[tuple[str, str], int]) -> dict[str, Amount]:
    """Give the sizes of what is done in every study."""
    predicted, runs = each.validation + each.test * each.tests, jobs["train_model", study]
    scores = _scores(each, runs)
    variants = jobs["export_track", study] / max(jobs["export_target", study], 1)
    amounts = {
        "check_inputs, genome": Amount(FASTA, CHR1),
        "split_regions": Amount(each.total),
        f"describe_targets, {each.outputs} output{'s' * (each.outputs > 1)}": Amount(each.total),
        "label_regions": Amount(each.total * each.outputs / max(jobs["label_regions", study], 1)),
        "join_labels": Amount(each.total * each.outputs),
        "score_predictions": Amount(predicted * each.outputs),
        "collect_scores": scores,
        "export_track": Amount(each.test * runs / max(variants, 1), written=each.test),
        "export_target": Amount(each.test),
    }
    if each.outputs == 1:
        return amounts | {"compare_models": Amount(runs * each.test * each.tests)}
    return amounts | {"compare_models, many outputs": scores}


def _scores(each: Windows, runs: int) -> Amount:
    return Amount(runs * (1 + each.tests) * each.outputs * METRICS)


def rule_rows(fits: Mapping[str, Fit], windows: Mapping[str, Windows], jobs: Counter[tuple[str, str]]) -> list[Row]:
    """Estimate the rules that train nothing."""
    costs: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    for (name, study), amount in job_amounts(windows, jobs).items():
        fit = fits["export_track" if name == "export_target" else name]
        held, kept = (amount.size if other is None else other for other in amount[1:])
        written = fit.written.at(kept) if name != "score_predictions" else 0.0  # it is train_model that writes
        costs[name.split(", ")[0], study].append((fit.seconds.at(amount.size), fit.peak.at(held), written))
    rows = []
    for (rule, study), parts in costs.items():
        number = jobs[rule, study]
        seconds, held, written = zip(*parts, strict=True)
        cpu = number * sum(seconds) / _HOUR
        rows += [Row(rule, study, "", number, cpu, 0.0, max(held), number * sum(written))] * (number > 0)
    return rows


def _scale(architecture: str, values: Mapping[str, Any]) -> tuple[float, float]:
    """Give how much larger a network is than the one measured, and how much more it computes for a window."""
    if architecture not in PROFILES:
        return 1.0, 1.0
    larger = values["window"] / PROFILE_WINDOW
    return larger, larger * (0.5 if values["strands"] == "forward" else 1.0)


def _mean_of_orders(fits: Mapping[str, Fit], architecture: str, order: int) -> tuple[float, float]:
    """Give CPU seconds of a call and of a window; of an order that was not measured, those halfway between 1 and 3."""
    known = fits.get(f"train_model, {architecture}, order {order}") or fits.get(f"train_model, {architecture}")
    if known:
        return max(known.seconds.start, 0.0), known.seconds.each
    low, high = (_mean_of_orders(fits, architecture, one) for one in (1, 3))
    return (low[0] + high[0]) / 2, (low[1] + high[1]) / 2


def training_seconds(
    fits: Mapping[str, Fit], architecture: str, values: Mapping[str, Any], windows: float, epochs: int
) -> tuple[float, float]:
    """Give the CPU seconds and the GPU seconds of a training that sees so many windows in all its epochs."""
    order = values.get("order", 0)
    call, window = _mean_of_orders(fits, architecture, order)
    larger, work = _scale(architecture, values)
    calls = windows / PROFILE_BATCH if architecture in PROFILES else epochs
    slower = window / _mean_of_orders(fits, architecture, 1)[1] if architecture in PROFILES else 1.0
    return calls * call * larger + windows * window * work, windows / GPU_RATES[architecture] * work * slower


def _largest_order(fits: Mapping[str, Fit], architecture: str) -> Fit:
    """Give the fit of the largest order that was measured."""
    names = [name for name in fits if name.split(", ")[:2] == ["train_model", architecture]]
    return fits[max(names)]


def training_rows(fits: Mapping[str, Fit], windows: Mapping[str, Windows]) -> list[Row]:
    """Estimate the trainings, model by model."""
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for name, study in paper_studies().items():
        each, epochs = windows[name], study["training"]["epochs"]
        seen = epochs * (each.train + each.validation) + each.validation + each.test * each.tests
        for model, parts in trained_networks(study):
            spent = [training_seconds(fits, architecture, values, seen, epochs) for architecture, values in parts]
            largest = [(_largest_order(fits, one), _scale(one, values)[0]) for one, values in parts]
            values = (each.validation + each.test * each.tests) * each.outputs
            memory = max(fit.peak.at(0) * larger for fit, larger in largest) + 8 * values
            disk = sum(fit.written.at(0) * larger for fit, larger in largest)
            disk += fits["score_predictions"].written.at(values)
            cpu, gpu = (sum(side) / _HOUR for side in zip(*spent, strict=True))
            cpu += fits["train_model, start"].seconds.at(1) / _HOUR
            rows[name, model].append(Row("train_model", name, model, 1, cpu, gpu, memory, disk))
    return [join_rows(each) for each in rows.values()]


def baseline_rows(fits: Mapping[str, Fit], windows: Mapping[str, Windows]) -> list[Row]:
    """Estimate the linear baselines, model by model; all their cost is that of a CPU."""
    rows = []
    for name, study in paper_studies().items():
        each = windows[name]
        predicted = each.validation + each.test * each.tests
        for model, architecture, jobs, most in fitted_baselines(study):
            fit = fits[f"train_model, {architecture}, {name}"]
            fitted = min(each.train, most or each.train) + each.validation
            blocks = max(each.outputs / FITTED, 1)
            cpu = jobs * fit.seconds.at((fitted + predicted) * blocks) / _HOUR
            memory = fit.peak.at(fitted) + (4 * fitted + 8 * predicted) * each.outputs
            disk = fit.written.at(0) * blocks + fits["score_predictions"].written.at(predicted * each.outputs)
            rows.append(Row("train_model", name, model, jobs, cpu, 0.0, memory, jobs * disk))
    return rows


def join_rows(rows: list[Row]) -> Row:
    """Sum rows of one name: the most memory, the sum of all else."""
    summed = (sum(getattr(row, name) for row in rows) for name in ("jobs", "cpu", "gpu"))
    memory, disk = max(row.memory for row in rows), sum(row.disk for row in rows)
    return Row(*rows[0][:3], *summed, memory, disk)


def download_row(jobs: Counter[tuple[str, str]]) -> Row:
    """Give the files that are downloaded; their CPU time was not measured."""
    disk = sum(number * size for number, size in DOWNLOADS.values())
    return Row("download_track", "", "", jobs["download_track", ""], 0.0, 0.0, 0.0, disk)


def totals(rows: Iterable[Row]) -> list[Row]:
    """Sum the rows of each study, and all."""
    rows = list(rows)
    each = [[row for row in rows if row.study == study] for study in ("jund", "deepsea", "cage")]
    named = [("in all", one[0].study, "", *join_rows(one)[3:]) for one in each]
    return [Row(*one) for one in [*named, ("in all", "", "", *join_rows(rows)[3:])]]
