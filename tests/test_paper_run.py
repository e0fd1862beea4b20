"""The estimate of the paper's run: lines as numpy fits them, jobs as counted elsewhere, no rule forgotten."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

from benchmarks.paper_costs import GPU_RATES, job_amounts, rule_rows, training_rows, training_seconds
from benchmarks.paper_fits import Fit, Line, fit_costs, fit_line, measure_cases
from benchmarks.paper_rates import JOBS, NETWORKS, Case, Cost, cases, peak_bytes
from benchmarks.paper_run import NOT_MEASURED, SECONDS, write_page
from benchmarks.paper_sizes import count_jobs, paper_studies, study_windows, trained_networks, workflow_rules

ROOT = Path(__file__).resolve().parents[1]
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


@pytest.mark.parametrize("rule", [rule for rule, _ in JOBS])
def test_the_work_of_every_rule_is_done(rule, tmp_path):
    job = next(job for (name, _), (_, job) in JOBS.items() if name == rule)
    job.prepare(tmp_path, 10_000)
    assert job.work(tmp_path, 10_000).stat().st_size > 100


def test_labels_are_joined_whole(tmp_path):
    from helpers.data.labels import load_labels

    job = next(job for (name, _), (_, job) in JOBS.items() if name == "join_labels")
    job.prepare(tmp_path, 919 * 7)
    assert load_labels(job.work(tmp_path, 919 * 7)).shape == (7, 919)


def test_a_process_of_its_own_counts_only_its_own_memory():
    job = next(job for (name, _), (_, job) in JOBS.items() if name == "export_track")
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
    assert trained["jund", "dnase"].cpu == pytest.approx(30 * (30 * 1 + seen / 1e6) / 3600)
    assert trained["jund", "dna"].gpu == pytest.approx(30 * seen / GPU_RATES["jund_dna"] / 3600)
    values = 919 * (windows["deepsea"].validation + windows["deepsea"].test)
    assert trained["deepsea", "danq"].memory == pytest.approx(2e9 + 8 * values)  # of 2000 bp


def test_a_page_sums_its_rows():
    jobs = Counter({("train_model", "jund"): 67, ("encode_genome", ""): 2, ("label_regions", "deepsea"): 19})
    jobs["score_predictions", "deepsea"] = 25
    page = write_page(made_up(), jobs, 1234)
    rows = cells(page, COSTS)
    total = [row for row in rows if row[0] == "in all"][-1]
    assert int(total[2].replace(",", "")) == sum(int(row[2].replace(",", "")) for row in rows if row[0] != "in all")
    assert "JunD: 1,234 peaks" in page
    assert "{" not in page


def test_the_page_has_the_jobs_of_the_run():
    counts = {(row[0], row[1]): row[2] for row in cells(PAGE, COSTS)}
    for name, study in paper_studies().items():
        for model, number in Counter(model for model, _ in trained_networks(study)).items():
            assert counts[f"`train_model`, {model}", name] == str(number)
    assert counts["`label_regions`", "deepsea"] == "19"
    assert counts["`label_regions`", "jund"] == "1"
    assert "`train_model` (24) of the baselines" in PAGE.replace("\n", " ")


def test_every_rule_is_on_the_page():
    assert len(workflow_rules()) > 40
    assert [rule for rule in workflow_rules() if f"`{rule}`" not in PAGE] == []
    assert set(SECONDS) | set(NOT_MEASURED) <= set(workflow_rules())


def test_the_fits_on_the_page_are_those_of_its_sizes():
    rows = cells(PAGE, FITS)
    assert len(rows) == len(list(cases())) == len(JOBS) + 1 + len(NETWORKS)
    for _, _, pairs, line, r2, _ in rows:
        points = np.array([[float(n.replace(",", "")) for n in pair.split(": ")] for pair in pairs.split(", ")])
        assert len(points) == 3
        assert (points[1:, 0] >= 2 * points[:-1, 0]).all()
        each = float(re.search(r"\+ (\S+)$", line)[1]) / 1e6
        assert each == pytest.approx(np.polyfit(*points.T, 1)[0], rel=0.02)
        assert float(r2) == pytest.approx(np.corrcoef(points.T)[0, 1] ** 2, abs=0.01)
