"""The workflow as a user runs it: every config as a dry run, and a small run from simulation to report."""

import json
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pyBigWig
import pytest
import yaml

from helpers.sheet import read_tracks

ROOT = Path(__file__).resolve().parents[1]
GRID = "order dropout normalize augment k"
SCORES = f"study model {GRID} fold replicate split output metric value n n_positive prevalence"
COMPARISONS = (
    "study contrast model_a variant_a model_b variant_b split output metric n delta relative ci_low ci_high test p"
)


def touch_local_files(config, folder):
    """Put empty files where a sheet expects local ones: enough for a dry run."""
    tracks = read_tracks(config["tracks"], ROOT)
    for path in tracks["path"][(tracks["path"] != "") & ~tracks["path"].map(os.path.isabs)]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_dry_run_of_every_config(path, tmp_path, run_workflow):
    config = yaml.safe_load(path.read_text())
    touch_local_files(config, tmp_path)
    done = run_workflow(tmp_path, config, "-n", "-q", "rules")
    assert done.returncode == 0, done.stdout
    assert "train_model" in done.stdout


def test_the_demo_is_not_beneath_another_config(tmp_path, run_workflow):
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    done = run_workflow(tmp_path, config, "-n", "-q", "progress")
    assert done.returncode == 0, done.stdout
    assert "results/paper/" in done.stdout
    assert "results/demo" not in done.stdout
    assert "resources/demo" not in done.stdout


def test_the_paper_trains_as_often_as_the_paper_did(tmp_path, run_workflow):
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    done = run_workflow(tmp_path, config, "-n", "-q", "progress")
    outputs = [line for line in done.stdout.splitlines() if line.strip().startswith("output: ")]
    trained = Counter(re.findall(r"results/paper/(\w+)/models/(\w+)/\S+/model\.keras", "\n".join(outputs)))
    assert trained == {
        **{("jund", "dna"): 30, ("jund", "dnase"): 30, ("jund", "joint"): 5, ("jund", "kmer"): 1, ("jund", "pwm"): 1},
        **{("deepsea", "deepsea"): 12, ("deepsea", "danq"): 12, ("deepsea", "kmer"): 1},
        **{("cage", "dna"): 63, ("cage", "chromatin"): 21, ("cage", "joint"): 63, ("cage", "kmer"): 21},
    }
    labelling = [line for line in outputs if "/data/labels/part-" in line]
    assert len(labelling) == 1 + 19  # 919 files in batches of 50
    assert sum("resources/hg19/" in line for line in outputs) == 919 + 2


def test_a_target_without_its_study_is_a_clear_error(tmp_path, run_workflow, micro_config):
    config = micro_config()
    config["studies"] = {"jund": config["studies"]["jund"]}
    done = run_workflow(tmp_path, config, "cage", "-n")
    assert done.returncode == 1
    assert "no study 'cage'; its studies: jund" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory, run_workflow, micro_config):
    """A folder in which the micro configuration ran to its end on two cores."""
    folder = tmp_path_factory.mktemp("finished")
    done = run_workflow(folder, micro_config(), "--cores", "2")
    assert done.returncode == 0, done.stdout[-8000:]
    return folder


def test_everything_of_the_contract_is_there(finished):
    results = finished / "results/micro"
    expected = [
        "provenance.json",
        "report.html",
        "jund/checks.tsv",
        "jund/contigs.tsv",
        *(f"jund/regions/{name}.bed" for name in ("all", "dropped", "train", "validation", "test")),
        *(f"jund/{table}.tsv" for table in ("scores", "summary", "comparisons")),
        "jund/motif/dna.tsv",
        *(f"{study}/{table}.tsv" for study in ("deepsea", "cage") for table in ("scores", "summary", "comparisons")),
        *(f"cage/regions/fold-chr2/{name}" for name in ("train.bed", "validation.bed", "test.bed", "targets.tsv")),
        "deepsea/tracks/target_TF_D1.bw",
        "deepsea/tracks/deepsea_order~1_window~300_strands~forward_Histone_1.bw",
        "cage/tracks/joint_order~2_dropout~0.2_cage.bw",
        *("cage/ceiling.tsv", "tables/table1.tsv", "tables/published.tsv", "hub/hub.txt"),
        *(
            f"figures/{name}.{ending}"
            for name in ("fig2a", "fig2c", "fig2d", "fig3a", "fig3e", "figS1", "figStrand", "fig4", "folds")
            for ending in ("svg", "png")
        ),
        *(f"figures/{study}_training.png" for study in ("jund", "deepsea", "cage")),
        "jund/tracks/dna_order~2_dropout~0.2_jund_peaks.bw",
        "jund/tracks/joint_default_jund_peaks.bw",
        *(
            f"jund/models/dna/order~2_dropout~0.2/fold-all/rep-0/{name}"
            for name in ("model.keras", "history.tsv", "predictions.h5", "scores.tsv")
        ),
    ]
    assert [path for path in expected if not (results / path).stat().st_size] == []
    working = list((results / "logs").rglob("*.log"))
    timed = list((results / "benchmarks").rglob("*.tsv"))
    assert len(working) == len(timed) >= 100


def test_scores_state_positives_and_prevalence(finished):
    scores = pd.read_csv(finished / "results/micro/jund/scores.tsv", sep="\t")
    assert list(scores.columns) == SCORES.split()
    labels = pd.read_csv(finished / "results/micro/jund/regions/test.bed", sep="\t", header=None)
    test = scores[scores["split"] == "test"]
    assert (test["n"] == len(labels)).all()
    assert (test["prevalence"] * test["n"]).round().tolist() == test["n_positive"].tolist()
    assert set(scores["model"][scores["split"] == "test_swapped"]) == {"dnase", "joint"}


def test_comparisons_have_the_columns_of_the_contract(finished):
    comparisons = pd.read_csv(finished / "results/micro/jund/comparisons.tsv", sep="\t")
    assert list(comparisons.columns) == COMPARISONS.split()
    assert {"joint vs dna", "joint vs dnase", "dna vs kmer"} <= set(comparisons["contrast"])
    assert (comparisons["ci_low"] <= comparisons["ci_high"]).all()


def test_comparisons_over_outputs_are_made_by_class_and_group(finished):
    comparisons = pd.read_csv(finished / "results/micro/deepsea/comparisons.tsv", sep="\t")
    assert list(comparisons.columns) == COMPARISONS.split()
    rows = comparisons[(comparisons["contrast"] == "window: 500 vs 300") & (comparisons["split"] == "test")]
    sets = ["all outputs", "class TF", "class DNase", "class Histone", "group dependent", "group independent"]
    assert sorted(rows["output"]) == sorted(sets)
    scores = pd.read_csv(finished / "results/micro/deepsea/scores.tsv", sep="\t")
    scores = scores[(scores["model"] == "deepsea") & (scores["split"] == "test") & (scores["strands"] == "both")]
    values = scores.pivot_table(index="output", columns="window", values="value")
    marks = values[values.index.str.startswith("Histone")].dropna()
    row = rows.set_index("output").loc["class Histone"]
    assert row["n"] == len(marks)
    assert row["delta"] == pytest.approx((marks[500] - marks[300]).mean())


def read_windows(path):
    return pd.read_csv(path, sep="\t", header=None, names=["chrom", "start", "end", "name", "score", "strand"])


@pytest.mark.parametrize(
    ("study", "folders", "reach"),
    [("jund", [""], 450), ("deepsea", [""], 150), ("cage", ["fold-chr2/", "fold-chr3/"], 400)],
)
def test_windows_of_two_splits_never_overlap_flanks_included(finished, study, folders, reach):
    """Compare every window of a split with every window of another."""
    regions = finished / f"results/micro/{study}/regions"
    for folder in folders:
        splits = {name: read_windows(regions / f"{folder}{name}.bed") for name in ("train", "validation", "test")}
        for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
            pairs = splits[first].merge(splits[second], on="chrom")
            assert not (
                (pairs["start_x"] - reach < pairs["end_y"] + reach)
                & (pairs["start_y"] - reach < pairs["end_x"] + reach)
            ).any()
        overlapping = read_windows(regions / f"{folder}overlapping.bed")
        everything = read_windows(regions / "all.bed")
        assert sum(map(len, splits.values())) + len(overlapping) <= len(everything)
        if study == "deepsea":
            assert len(splits["validation"]) == 60
            assert overlapping["name"].str.contains("train: overlaps validation").all()
            assert len(overlapping) > 0
            assert sum(map(len, splits.values())) + len(overlapping) == len(everything)


def test_folds_are_jobs_and_table_1_is_over_them(finished):
    results = finished / "results/micro"
    scores = pd.read_csv(results / "cage/scores.tsv", sep="\t")
    assert set(scores["fold"]) == {"chr2", "chr3"}
    table = pd.read_csv(results / "tables/table1.tsv", sep="\t")
    joint = scores[(scores["model"] == "joint") & (scores["split"] == "test") & (scores["metric"] == "pearson_r")][
        "value"
    ]
    row = table[table["model"] == "joint"].iloc[0]
    assert (row["n"], row["mean"], row["se"]) == (2, pytest.approx(joint.mean()), pytest.approx(joint.sem()))
    ceiling = pd.read_csv(results / "cage/ceiling.tsv", sep="\t")["ceiling"].item()
    assert table["ceiling"].tolist() == [ceiling] * len(table)
    folds = {
        line.split("\t")[0] for line in (results / "cage/regions/fold-chr3/validation.bed").read_text().splitlines()
    }
    assert folds == {"chr3"}


def test_published_statements_without_an_answer_say_why(finished):
    table = pd.read_csv(finished / "results/micro/tables/published.tsv", sep="\t")
    unanswered = table[table["ours"].isna()]
    assert len(table) > len(unanswered) > 0
    assert unanswered.iloc[:, -1].notna().all()


def test_tracks_hold_probabilities_on_the_test_chromosome_only(finished):
    with pyBigWig.open(str(finished / "results/micro/jund/tracks/joint_default_jund_peaks.bw")) as track:
        assert track.chroms()["chr3"] == 60000
        assert track.intervals("chr1") is None
        values = [value for _, _, value in track.intervals("chr3")]
    assert 0 <= min(values) <= max(values) <= 1


def test_the_report_is_one_page_with_figures_and_captions(finished):
    page = (finished / "results/micro/report.html").read_text()
    assert "fig2a" in page
    assert "dashed line is the prevalence" in page
    assert 'src="http' not in page


def test_provenance_names_inputs_versions_and_devices(finished):
    provenance = json.loads((finished / "results/micro/provenance.json").read_text())
    named = {"genome", "blacklist", "jund_peaks", "dnase_encode", "TF_D1", "cage", "cage_h3k4me3", "genes"}
    assert named < set(provenance["inputs"])
    assert all(len(entry["md5"]) == 32 for entry in provenance["inputs"].values())
    assert "device: cpu" in json.dumps(provenance["device"])
    assert provenance["config"]["studies"]["jund"]["training"]["learning_rate"] == 0.001


def test_the_first_line_of_each_log_of_a_network_names_its_device(finished):
    logs = finished / "results/micro/logs"
    named = [*logs.rglob("train.log"), *logs.rglob("attributions.log")]
    assert len(named) > 20
    assert {path.read_text().partition(" (")[0] for path in named} == {"device: cpu"}


def test_a_second_run_finds_nothing_to_do(finished, run_workflow, micro_config):
    done = run_workflow(finished, micro_config())
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_a_change_of_the_config_reruns_what_depends_on_it(finished, run_workflow, micro_config):
    config = micro_config()
    config["studies"]["jund"]["metrics"] = ["auprc"]
    config["studies"]["jund"]["figures"]["fig2a"]["metric"] = "auprc"
    done = run_workflow(finished, config, "-n", "-q", "reason")
    assert "score_predictions" in done.stdout
    assert "train_model" not in done.stdout
    config["device"], config["studies"]["cage"]["device"] = "cpu", "gpu"
    done = run_workflow(finished, config, "-n", "-q", "reason")
    assert "train_model" not in done.stdout, "models may have been trained on another machine"
    config["studies"]["jund"]["training"]["epochs"] = 2
    done = run_workflow(finished, config, "-n", "-q", "reason")
    assert "train_model" in done.stdout
    assert "count_coverage" not in done.stdout


def test_killed_in_the_middle_and_continued_on_another_number_of_cores_the_scores_are_the_same(
    finished, tmp_path, run_workflow, start_workflow, snakemake_command, micro_config
):
    config = micro_config()
    config["studies"] = {"jund": config["studies"]["jund"]}
    command = snakemake_command(tmp_path, config, "--cores", "1")
    with start_workflow(command, tmp_path, tmp_path / "first.txt") as process:
        deadline = time.monotonic() + 300
        models = tmp_path / "results/micro/logs/jund/models"
        while process.poll() is None and time.monotonic() < deadline and len(list(models.rglob("train.log"))) < 2:
            time.sleep(0.2)
        assert process.poll() is None, (tmp_path / "first.txt").read_text()[-4000:]
        time.sleep(1)
        os.killpg(process.pid, signal.SIGKILL)
    assert not (tmp_path / "results/micro/jund/scores.tsv").exists()
    assert run_workflow(tmp_path, config, "--unlock").returncode == 0
    done = run_workflow(tmp_path, config, "--rerun-incomplete", "--cores", "1")
    assert done.returncode == 0, done.stdout[-8000:]
    for table in ("scores.tsv", "comparisons.tsv"):
        again, first = (folder / "results/micro/jund" / table for folder in (tmp_path, finished))
        assert again.read_bytes() == first.read_bytes()
