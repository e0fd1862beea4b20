"""The report of the paper's run: Snakemake's own, of files as that run leaves them."""

import base64
import contextlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.paper_cases import Case, Job
from benchmarks.paper_sizes import CONFIG, ROOT, dry_run, listed_jobs
from benchmarks.paper_tables import JOBS, scores_of

_SMALLEST = 229  # outputs of the study of many; four times as many are nearly all
_COLLECT, _COMPARE, _PLOT = (
    JOBS[name, what, "scores"][1]
    for name, what in (("collect_scores", ""), ("compare_models", "many outputs"), ("plot_boxes", ""))
)


def _write_config(folder: Path, outputs: int) -> Path:
    """Write the paper's config with so many of its features, evenly taken."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    paper, features = (ROOT / path for path in config["tracks"])
    sheet = pd.read_csv(features, sep="\t", dtype=str, keep_default_na=False, comment="#")
    taken = np.linspace(0, len(sheet) - 1, outputs).astype(int)
    sheet.iloc[taken].to_csv(folder / "features.tsv", sep="\t", index=False)
    config["tracks"] = [str(paper), str(folder / "features.tsv")]
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder / "config.yaml"


def _keep_record(folder: Path, rule: str, paths: list[str]) -> None:
    """Write what Snakemake keeps of a job that has ended, as far as its report reads it."""
    times = {"starttime": 1e9, "endtime": 1e9 + 1, "job_hash": hash(paths[0])}
    record = {"rule": rule, "input": [], "params": [], "code": "", "record_format_version": 6, **times}
    record |= {"conda_env": None, "container_img_url": None, "incomplete": False}
    (folder / ".snakemake/metadata").mkdir(parents=True, exist_ok=True)
    for path in paths:
        name = base64.urlsafe_b64encode(path.encode()).decode()
        (folder / ".snakemake/metadata" / name).write_text(json.dumps(record), encoding="utf-8")


def _make_finished(folder: Path, size: int) -> None:
    """Write the outputs of a run: scores, comparisons and figures of all features; what else there is, empty."""
    from helpers.evaluation.provenance import collect_provenance, write_provenance

    config, scores = _write_config(folder, size), scores_of(size)
    for rule, paths in listed_jobs(dry_run(config)):
        _keep_record(folder, rule, paths)
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()
    drawn, results = folder / "drawn", folder / "results/paper"
    drawn.mkdir()
    _COLLECT.prepare(drawn, scores)
    shutil.copy(_COLLECT.work(drawn, scores) / "summary.tsv", results / "deepsea/summary.tsv")
    shutil.copy(_COMPARE.work(drawn, scores), results / "deepsea/comparisons.tsv")
    figure = _PLOT.work(drawn, scores).with_suffix(".png")
    for path in results.glob("figures/*.png"):
        shutil.copy(figure, path)
    inputs = {path.name: path for path in sorted((folder / "resources").rglob("*.narrowPeak.gz"))}
    described = {"seeds": {"seed": 1}, "inputs": inputs, "workflow": ROOT}
    read = yaml.safe_load(config.read_text(encoding="utf-8"))
    write_provenance(
        collect_provenance(read, backend="tensorflow", device="cpu", **described), results / "provenance.json"
    )


def _bind(folder: Path, size: int) -> Path:
    """Do what the rule's script does, in this process."""
    from snakemake.cli import main

    os.chdir(folder)
    command = ["everything", "--report", "report.html", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", "config.yaml", "--cores", "1", "--nolock", "--quiet", "all"]
    with contextlib.suppress(SystemExit):
        main([*command, "--profile", "none", "--workflow-profile", "none"])
    return folder / "report.html"


REPORT = Job(_make_finished, _bind)


def report_case() -> Case:
    """Give what is measured of `make_report`."""
    return Case("make_report", "", "outputs", (_SMALLEST, 2 * _SMALLEST, 4 * _SMALLEST), REPORT.measure)
