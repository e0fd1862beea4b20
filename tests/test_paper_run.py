"""The estimate of the paper's run: lines as numpy fits them, jobs as counted elsewhere, no rule forgotten."""

import json
import re
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from pathlib import Path, PurePath

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

from benchmarks.harness import run_alone
from benchmarks.paper_cases import Case, Cost, peak_bytes
from benchmarks.paper_costs import GPU_RATES, baseline_rows, job_amounts, rule_rows, training_rows, training_seconds
from benchmarks.paper_fits import Fit, Line, fit_costs, fit_line, measure_cases
from benchmarks.paper_networks import FITTED, LINEAR, NETWORKS
from benchmarks.paper_rates import JOBS, cases
from benchmarks.paper_report import REPORT
from benchmarks.paper_run import write_page
from benchmarks.paper_seconds import SECONDS, longest_jobs
from benchmarks.paper_sizes import (
    count_jobs,
    dry_run,
    fitted_baselines,
    listed_jobs,
    paper_studies,
    study_windows,
    trained_networks,
    workflow_rules,
)
from benchmarks.paper_windows import lay_windows
from helpers import study as plans

ROOT = Path(__file__).resolve().parents[1]
RULES = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
PAGE = (ROOT / "docs/paper-run.md").read_text()
DRY_RUN = """
[Thu Nov 26 19:42:24 2026]
localrule download_track:
    output: resources/hg19/a.narrowPeak.gz
    log: results/paper/logs/a.log
checkpoint check_inputs:
    input: resources/hg19/a.narrowPeak.gz
    output: results/paper/deepsea/checks.tsv, results/paper/deepsea/contigs.tsv
group job scores (jobs in lexicogr. order):
    rule score_predictions:
        input: results/paper/jund/models/dna/a/fold-all/rep-0/predictions.h5
        output: results/paper/jund/models/dna/a/fold-all/rep-0/scores.tsv
    rule score_predictions:
        input: results/paper/jund/models/dna/a/fold-all/rep-1/predictions.h5
        output: results/paper/jund/models/dna/a/fold-all/rep-1/scores.tsv
rule everything:
    input: results/paper/jund/scores.tsv
    jobid: 0
"""


def cells(page, titles):
    """The cells of the rows of the table with these titles."""
    lines = page[page.index(titles) :].splitlines()[2:]
    table = lines[: next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


COSTS, FITS = "| rule | study | jobs |", "| case | size in |"


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1e6)), min_size=3, unique_by=lambda point: point[0]))
def test_lines_are_those_of_numpy_and_scipy(points):
    sizes, costs = zip(*points, strict=True)
    line = fit_line(sizes, costs)
    np.testing.assert_allclose([line.each, line.start], np.polyfit(sizes, costs, 1), rtol=1e-6, atol=1e-4)
    if np.ptp(costs) > 1e-3:
        assert line.r2 == pytest.approx(linregress(sizes, costs).rvalue ** 2, abs=1e-6)


def test_what_never_changes_has_no_r2_and_a_start_below_zero_is_noise():
    assert np.isnan(fit_line([1, 2, 4], [3, 3, 3]).r2)
    assert Line(-5.0, 2.0, 1.0).at(10) == 20


def test_jobs_are_counted_by_rule_and_study():
    assert count_jobs(DRY_RUN) == Counter(
        {("download_track", ""): 1, ("check_inputs", "deepsea"): 1, ("score_predictions", "jund"): 2}
    )


def test_outputs_are_those_that_a_dry_run_names():
    found = dict(listed_jobs(DRY_RUN))
    assert set(found) == {"download_track", "check_inputs", "score_predictions"}
    assert found["check_inputs"] == ["results/paper/deepsea/checks.tsv", "results/paper/deepsea/contigs.tsv"]


def test_networks_are_trained_as_often_as_the_paper_did():
    counts = {name: Counter(model for model, _ in trained_networks(study)) for name, study in paper_studies().items()}
    assert counts == {
        "jund": {"dna": 30, "dnase": 30, "joint": 5},
        "deepsea": {"deepsea": 12, "danq": 12},
        "cage": {"dna": 63, "chromatin": 21, "joint": 63},
    }


def test_windows():
    windows = study_windows(peaks=1000)
    assert windows["jund"].total == 101_000
    assert windows["jund"].test == round(101_000 * 198_295_559 / 3_088_269_832)
    assert windows["deepsea"].total == 521_600_000 // 200
    assert windows["cage"].total == 19_940
    assert windows["cage"].validation * 21 + windows["cage"].test == pytest.approx(19_940, abs=21)


def test_baselines_are_fitted_as_often_as_the_config_says():
    found = {name: fitted_baselines(study) for name, study in paper_studies().items()}
    assert found == {
        "jund": [("kmer", "kmer_linear", 1, None), ("pwm", "pwm_scan", 1, None)],
        "deepsea": [("kmer", "kmer_linear", 1, 200_000)],
        "cage": [("kmer", "kmer_linear", 21, None)],
    }


def size_of(result):
    """Bytes of a file, or of each file of a folder."""
    files = [path for path in result.rglob("*") if path.is_file()] if result.is_dir() else [result]
    return sum(path.stat().st_size for path in files)


@pytest.mark.parametrize("rule", JOBS, ids=lambda key: ", ".join(filter(None, key[:2])))
def test_the_work_of_every_rule_is_done(rule, tmp_path):
    _, job = JOBS[rule]
    job.prepare(tmp_path, 10_000)
    assert size_of(job.work(tmp_path, 10_000)) > 100


@pytest.mark.slow
def test_the_report_is_bound_of_the_features_that_are_taken(tmp_path):
    run_alone(REPORT.prepare, tmp_path, 40)
    page = run_alone(REPORT.work, tmp_path, 40).read_text()
    summary = tmp_path / "results/paper/deepsea/summary.tsv"
    assert pd.read_csv(summary, sep="\t")["output"].nunique() == 40
    figure = (tmp_path / "results/paper/figures/fig3a.png").read_bytes()
    for content in (summary.read_bytes(), figure):
        assert b64encode(content).decode()[:1000] in page
    jobs = Counter(rule for rule, _ in listed_jobs(dry_run(tmp_path / "config.yaml")))
    assert jobs["train_model"] == sum(len(plans.runs(study)) for study in paper_studies().values())
    assert jobs["download_track"] == 11 + 40
    assert jobs["make_report"] == 1


WORK_OF_NETWORKS = """
import json, sys
from pathlib import Path
from benchmarks.paper_cases import Job
from benchmarks.paper_networks import network_cases
for case in network_cases():
    job = getattr(case.measure, "__self__", None)
    if isinstance(job, Job):
        folder, size = Path(sys.argv[1], case.name), 2 if case.what == "start" else 128
        folder.mkdir()
        job.prepare(folder, size)
        print("work of", json.dumps([case.name, str(job.work(folder, size))]))
"""


def test_the_work_of_networks_is_done(tmp_path):
    """In a process of its own, since it chooses a backend."""
    command = [sys.executable, "-c", WORK_OF_NETWORKS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.removeprefix("work of ") for line in done.stdout.splitlines() if line.startswith("work of ")]
    found = {name: Path(result) for name, result in map(json.loads, lines)}
    assert set(found) == {"find_motifs", "train_model, start", *(f"train_model, {name}" for name in LINEAR)}
    assert min(map(size_of, found.values())) > 10_000
    assert len(list(found["train_model, start"].iterdir())) == 2
    history = pd.read_csv(found["train_model, kmer_linear, deepsea"] / "history.tsv", sep="\t")
    assert history["output"].nunique() == FITTED


def test_labels_are_joined_whole(tmp_path):
    from helpers.data.labels import load_labels

    job = next(job for (name, *_), (_, job) in JOBS.items() if name == "join_labels")
    job.prepare(tmp_path, 919 * 7)
    assert load_labels(job.work(tmp_path, 919 * 7)).shape == (7, 919)


@pytest.mark.parametrize("what", ["peaks", "bins"])
def test_as_many_windows_are_made_as_the_size_says(what, tmp_path):
    job = JOBS["make_regions", what, "windows"][1]
    job.prepare(tmp_path, 1010)
    assert len((job.work(tmp_path, 1010) / "all.bed").read_text().splitlines()) == 1010


def test_promoters_are_those_of_a_third_of_the_genes(tmp_path):
    job = JOBS["make_regions", "promoters", "lines"][1]
    job.prepare(tmp_path, 46 * 9)
    assert len((job.work(tmp_path, 46 * 9) / "all.bed").read_text().splitlines()) == 3


def test_a_tenth_of_the_windows_validates_and_a_tenth_tests(tmp_path):
    assert lay_windows(1000)["chrom"].value_counts().to_dict() == {"chr1": 800, "chr2": 100, "chr3": 100}
    job = JOBS["split_regions", "", "windows"][1]
    job.prepare(tmp_path, 1000)
    made = job.work(tmp_path, 1000)
    counts = {path.stem: len(path.read_text().splitlines()) for path in made.iterdir()}
    assert counts == {"train": 800, "validation": 100, "test": 100, "overlapping": 0}


def test_a_process_of_its_own_counts_only_its_own_memory():
    job = JOBS["export_track", "", "windows"][1]
    held = np.ones(50_000_000)  # 400 MB, here
    (cost,) = job.measure((1000,))
    assert peak_bytes() > held.nbytes
    assert 20e6 < cost.peak < held.nbytes
    assert 0 < cost.seconds < 60


def test_what_was_measured_is_kept(tmp_path):
    asked = []

    def measure(sizes):
        asked.append(sizes)
        return [Cost(size, size * 2.0, 5, 7) for size in sizes]

    some = [Case("one", "", "bp", (1, 2, 4), measure), Case("two", "b", "bp", (3, 6, 9), measure)]
    path = tmp_path / "folder" / "costs.json"
    assert list(measure_cases(some, path, only="two")) == ["two, b"]
    found = measure_cases(some, path)
    assert asked == [(3, 6, 9), (1, 2, 4)]
    assert found == measure_cases(some, path)
    assert found["one"][2] == Cost(4, 8.0, 5, 7)
    assert fit_costs(found["one"]).seconds == Line(0.0, 2.0, 1.0)


FIXED = Line(0.0, 0.0, 1.0)
KNOWN = {
    "train_model, danq, order 1": Fit(Line(0.1, 0.01, 1.0), FIXED, FIXED),
    "train_model, danq, order 3": Fit(Line(0.3, 0.02, 1.0), FIXED, FIXED),
    "train_model, jund_dnase": Fit(Line(2.0, 0.001, 1.0), FIXED, FIXED),
}


def test_an_epoch_by_hand():
    values = {"order": 1, "window": 1000, "strands": "both"}
    assert training_seconds(KNOWN, "danq", values, 1280, 1) == pytest.approx(
        (10 * 0.1 + 12.8, 1280 / GPU_RATES["danq"])
    )
    wide = training_seconds(KNOWN, "danq", {**values, "window": 2000, "strands": "forward"}, 1280, 1)
    assert wide == pytest.approx((10 * 0.2 + 12.8, 1280 / GPU_RATES["danq"]))
    second = training_seconds(KNOWN, "danq", {**values, "order": 2}, 1280, 1)
    assert second == pytest.approx((10 * 0.2 + 1280 * 0.015, 1.5 * 1280 / GPU_RATES["danq"]))
    assert training_seconds(KNOWN, "jund_dnase", {}, 500, 1)[0] == pytest.approx(2.5)


def made_up():
    return {case.name: [Cost(size, 1 + size / 1e6, 10**9, 100) for size in case.sizes] for case in cases()}


def test_rows_by_hand():
    fits = {name: fit_costs(costs) for name, costs in made_up().items()}
    jobs = Counter({("encode_genome", ""): 2, ("export_track", "jund"): 3, ("export_target", "jund"): 1})
    jobs["train_model", "jund"] = 6
    windows = study_windows()
    rows = {(row.rule, row.study): row for row in rule_rows(fits, windows, jobs)}
    assert set(rows) == {("encode_genome", ""), ("export_track", "jund"), ("export_target", "jund")}
    assert rows["encode_genome", ""].cpu == pytest.approx(2 * (1 + 3209.286105) / 3600)
    assert job_amounts(windows, jobs)["export_track", "jund"].size == 2 * windows["jund"].test  # two replicates each
    trained = {(row.study, row.what): row for row in training_rows(fits, windows)}
    seen = 30 * (windows["jund"].train + windows["jund"].validation) + windows["jund"].validation
    seen += 2 * windows["jund"].test
    start = 1 + 1 / 1e6  # of the line of `train_model, start`, for one network
    assert trained["jund", "dnase"].cpu == pytest.approx(30 * (30 * 1 + seen / 1e6 + start) / 3600)
    assert trained["jund", "dna"].gpu == pytest.approx(30 * seen / GPU_RATES["jund_dna"] / 3600)
    values = 919 * (windows["deepsea"].validation + windows["deepsea"].test)
    assert trained["deepsea", "danq"].memory == pytest.approx(2e9 + 8 * values)  # of 2000 bp


def test_a_rule_of_several_fits_costs_their_sum_and_holds_the_most():
    measured = made_up()
    measured["check_inputs, genes"] = [Cost(size, 5 + size / 1e6, 2 * 10**9, 100) for size in (1, 2, 4)]
    fits = {name: fit_costs(costs) for name, costs in measured.items()}
    (row,) = rule_rows(fits, study_windows(), Counter({("check_inputs", "cage"): 1}))
    assert (row.rule, row.study, row.jobs) == ("check_inputs", "cage", 1)
    assert row.cpu == pytest.approx((1 + 3209.286105 + 5 + 2.7) / 3600)
    assert (row.memory, row.disk) == (pytest.approx(2e9), pytest.approx(200))


def test_baselines_by_hand():
    fits = {name: fit_costs(costs) for name, costs in made_up().items()}
    windows = study_windows()
    rows = {(row.study, row.what): row for row in baseline_rows(fits, windows)}
    assert set(rows) == {("jund", "kmer"), ("jund", "pwm"), ("deepsea", "kmer"), ("cage", "kmer")}
    each = windows["cage"]
    seen = each.train + 2 * each.validation + each.test
    assert rows["cage", "kmer"].cpu == pytest.approx(21 * (1 + seen / 1e6) / 3600)
    seen = 200_000 + 2 * 4_000 + 227_512
    assert rows["deepsea", "kmer"].cpu == pytest.approx((1 + 919 / 32 * seen / 1e6) / 3600)
    assert rows["deepsea", "kmer"].memory == pytest.approx(1e9 + 919 * (4 * 204_000 + 8 * 231_512))
    assert {row.gpu for row in rows.values()} == {0}


def test_targets_of_many_outputs_have_a_fit_of_their_own():
    amounts = job_amounts(study_windows(), Counter())
    assert ("describe_targets, 1 output", "jund") in amounts
    assert amounts["describe_targets, 919 outputs", "deepsea"].size == 2_608_000
    assert ("describe_targets, 1 output", "deepsea") not in amounts


def test_every_amount_has_a_fit():
    names = {case.name for case in cases()} | {"export_target"}  # which costs as much as export_track
    assert {name for name, _ in job_amounts(study_windows(), Counter())} <= names


def test_a_page_sums_its_rows():
    jobs = Counter({("train_model", "jund"): 67, ("encode_genome", ""): 2, ("label_regions", "deepsea"): 19})
    jobs["score_predictions", "deepsea"] = 25
    page = write_page(made_up(), jobs, {"write_hub": 1.26}, 1234)
    rows = cells(page, COSTS)
    total = [row for row in rows if row[0] == "in all"][-1]
    assert int(total[2].replace(",", "")) == sum(int(row[2].replace(",", "")) for row in rows if row[0] != "in all")
    assert "JunD: 1,234 peaks" in page
    assert "`write_hub` (0; 1.3)" in page
    assert "{" not in page


def test_the_page_has_the_jobs_of_the_run():
    counts = {(row[0], row[1]): row[2] for row in cells(PAGE, COSTS)}
    for name, study in paper_studies().items():
        for model, number in Counter(model for model, _ in trained_networks(study)).items():
            assert counts[f"`train_model`, {model}", name] == str(number)
        for baseline in fitted_baselines(study):
            assert counts[f"`train_model`, {baseline.model}", name] == str(baseline.jobs)
    assert counts["`label_regions`", "deepsea"] == "19"
    assert counts["`label_regions`", "jund"] == "1"


def test_all_jobs_of_the_dry_run_are_on_the_page():
    total = int(re.search(r"A dry run counts ([\d,]+) jobs", PAGE)[1].replace(",", ""))
    rows = sum(int(row[2].replace(",", "")) for row in cells(PAGE, COSTS) if row[0] != "in all")
    seconds = [int(re.search(rf"`{rule}` \((\d+);", PAGE)[1]) for rule in SECONDS]
    assert rows + sum(seconds) + 1 == total > 1900  # with the target itself


def test_every_rule_is_on_the_page_once():
    assert len(workflow_rules()) > 40
    measured = {re.search(r"`(\w+)`", row[0])[1] for row in cells(PAGE, COSTS) if row[0] != "in all"}
    absent = set(re.findall(r"`(\w+)`", re.search(r"^Not part of this run: (.*)$", PAGE, re.MULTILINE)[1]))
    assert sorted([*measured, *SECONDS, *absent]) == sorted(workflow_rules())


def test_the_seconds_are_those_of_the_rules_own_benchmarks():
    """Where a rule keeps what its jobs took; rules that `use` another keep it where that does."""
    base = {name: rule for rule, name in re.findall(r"^use rule (\w+) as (\w+) with:", RULES, re.MULTILINE)}
    assert base
    for rule, pattern in SECONDS.items():
        body = re.search(rf"^rule {base.get(rule, rule)}:\n(.*?)(?=^\S|\Z)", RULES, re.MULTILINE | re.DOTALL)[1]
        path = re.search(r'benchmark:\n +f?"results/\{+\w+\}+/benchmarks/(\S+)"', body)[1]
        assert PurePath(re.sub(r"\{\w+\}", "x", path)).match(pattern), rule


def test_the_longest_job_counts(tmp_path):
    for number, seconds in enumerate(("0.50", "2.25", "1.00")):
        (tmp_path / "figures").mkdir(exist_ok=True)
        (tmp_path / f"figures/fig{number}.tsv").write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t-\n")
    assert longest_jobs(tmp_path, {"plot_boxes": "figures/*.tsv"}) == {"plot_boxes": 2.25}
    with pytest.raises(SystemExit, match=r"holds no job of write_hub\. Run the demo"):
        longest_jobs(tmp_path, {"plot_boxes": "figures/*.tsv", "write_hub": "hub/hub.tsv"})


def asked(rule, resource):
    """What a rule asks for at its first attempt, or what the profile does for it."""
    body = re.search(rf"^(?:rule|checkpoint) {rule}:\n(.*?)(?=^\S|\Z)", RULES, re.MULTILINE | re.DOTALL)
    found = body and re.search(rf"^        {resource}=lambda wildcards, attempt: (\d+) \* attempt,$", body[1], re.M)
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())["default-resources"]
    return int(found[1] if found else profile[resource].split()[0])


def test_what_rules_ask_for_is_enough_at_the_first_attempt():
    """Memory with a quarter to spare; minutes on a CPU, of the networks of DeepSEA on a GPU."""
    rows = [row for row in cells(PAGE, COSTS) if row[0] != "in all" and "download_track" not in row[0]]
    assert len(rows) > 50
    for name, study, jobs, cpu, gpu, memory, _ in rows:
        rule = re.search(r"`(\w+)`", name)[1]
        hours = gpu if study == "deepsea" and gpu else cpu.removeprefix("< ")
        assert 1.25 * 1000 * float(memory) <= asked(rule, "mem_mb"), (name, study)
        assert 60 * float(hours.replace(",", "")) / int(jobs.replace(",", "")) <= asked(rule, "runtime"), (name, study)


def test_the_fits_on_the_page_are_those_of_its_sizes():
    rows = cells(PAGE, FITS)
    assert len(rows) == len(list(cases())) == len(JOBS) + 4 + len(NETWORKS) + len(LINEAR)
    for _, _, pairs, line, r2, _ in rows:
        points = np.array([[float(n.replace(",", "")) for n in pair.split(": ")] for pair in pairs.split(", ")])
        assert len(points) == 3
        assert (points[1:, 0] >= 2 * points[:-1, 0]).all()
        each = float(re.search(r"\+ (\S+)$", line)[1]) / 1e6
        assert each == pytest.approx(np.polyfit(*points.T, 1)[0], rel=0.02, abs=0.001 / points[-1, 0])
        assert float(r2) == pytest.approx(np.corrcoef(points.T)[0, 1] ** 2, abs=0.02)


def test_rates_of_the_gpu_are_those_of_the_page():
    page = (ROOT / "docs/benchmarks.md").read_text().split("## On a GPU")[1]
    fed = {name: int(rate.replace(",", "")) for name, rate in re.findall(r"^\| `(\w+)`[^|]*\| ([\d,]+) \|", page, re.M)}
    measured = {name: rate for name, rate in GPU_RATES.items() if name != "cage_chromatin"}
    assert {name: fed[name] for name in measured} == measured
    assert GPU_RATES["cage_chromatin"] == GPU_RATES["jund_dnase"], "as the page of the paper's run says"
