"""Jobs of the paper's run that read predictions and scores: scoring, comparing, drawing, exporting."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.paper_cases import Job
from benchmarks.paper_sizes import CHR3, FEATURES, ROOT, paper_studies

RUNS = 10  # compared window by window, of two variants
_METRICS = ("auprc", "auroc")
_SPLITS = ("validation", "test")


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
    _predict(folder / "predictions.h5", size // FEATURES, FEATURES, 2)


def _score(folder: Path, size: int) -> Path:
    from helpers.evaluation.metrics import score_predictions
    from helpers.evaluation.predictions import read_predictions
    from helpers.evaluation.tables import write_table

    write_table(score_predictions(read_predictions(folder / "predictions.h5"), _METRICS), folder / "a.tsv")
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
        compare_study(model_runs(runs, paths), contrasts, study="jund", metrics=list(_METRICS)), folder / "a.tsv"
    )
    return folder / "a.tsv"


def _profile_runs() -> list[dict[str, Any]]:
    """Give the runs of the study of many outputs, as the rules hand them to the scripts."""
    from helpers import study as plans

    study = paper_studies()["deepsea"]
    grids = {name: plans.variants(model) for name, model in study["models"].items()}
    return [{**run._asdict(), "values": grids[run.model][run.variant]} for run in plans.runs(study)]


def _features(outputs: int) -> list[dict[str, str]]:
    kinds = [("Histone", ""), ("DNase", ""), ("TF", "modifier")]
    return [
        {"track": str(n), "class": kinds[n % 3][0], "group": kinds[n % 3][1], "condition": ""} for n in range(outputs)
    ]


def scores_of(outputs: int) -> int:
    """Give the number of scores of so many outputs in all runs."""
    return outputs * len(_profile_runs()) * len(_SPLITS) * len(_METRICS)


def _outputs_of(scores: int) -> int:
    return scores // scores_of(1)


def _make_tables(folder: Path, size: int) -> None:
    """Write a table of scores of each run."""
    from helpers.evaluation.metrics import SCORE_COLUMNS
    from helpers.evaluation.tables import write_table

    outputs = _outputs_of(size)
    places = [(split, str(n), metric) for split in _SPLITS for n in range(outputs) for metric in _METRICS]
    for number in range(len(_profile_runs())):
        table = pd.DataFrame(places, columns=list(SCORE_COLUMNS[:3]))
        table["value"] = np.random.default_rng(number).random(len(table))
        table = table.assign(n=227_512, n_positive=22_751, prevalence=0.1)
        write_table(table, folder / f"{number}.tsv")


def _collect(folder: Path, size: int) -> Path:
    from helpers.evaluation.comparisons import collect_scores, model_runs, summarize
    from helpers.evaluation.tables import read_table, write_table

    given = _profile_runs()
    runs = model_runs(given, [folder / f"{number}.tsv" for number in range(len(given))])
    scores = collect_scores([(run, read_table(run.path)) for run in runs], study="deepsea")
    (folder / "made").mkdir()
    write_table(scores, folder / "made/scores.tsv")
    write_table(summarize(scores), folder / "made/summary.tsv")
    return folder / "made"


def _make_scores(folder: Path, size: int) -> None:
    _make_tables(folder, size)
    _collect(folder, size)


def _compare_outputs(folder: Path, size: int) -> Path:
    from helpers import study as plans
    from helpers.evaluation.contrasts import StudyModel, list_contrasts
    from helpers.evaluation.feature_effects import class_table, compare_features
    from helpers.evaluation.tables import read_table, write_table

    models = paper_studies()["deepsea"]["models"].items()
    contrasts = list_contrasts(
        StudyModel(name, list(plans.variants(model).values()), model["architecture"]) for name, model in models
    )
    scores, classes = read_table(folder / "made/scores.tsv"), class_table(_features(_outputs_of(size)))
    table = compare_features(scores, contrasts, classes=classes, study="deepsea", metrics=list(_METRICS))
    write_table(table, folder / "a.tsv")
    return folder / "a.tsv"


def _compare_published(folder: Path, size: int) -> Path:
    from helpers.evaluation.feature_effects import class_table
    from helpers.evaluation.published import compare_published, read_published
    from helpers.evaluation.tables import read_table, write_table

    statements = read_published(ROOT / "config/published.tsv")
    scores = {"deepsea": read_table(folder / "made/scores.tsv")}
    classes = class_table(_features(_outputs_of(size)))
    write_table(compare_published(statements[statements["study"] == "deepsea"], scores, classes), folder / "a.tsv")
    return folder / "a.tsv"


def _plot(folder: Path, size: int, *, figure: str) -> Path:
    from helpers.evaluation.figures import plot_feature_figure
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tables import read_table

    features = pd.DataFrame(_features(_outputs_of(size))).set_index("track")
    drawn = {"features": features, "chromosomes": {"test": ["chr8", "chr9"]}}
    settings = paper_studies()["deepsea"]["figures"][figure]
    save_figure(plot_feature_figure(read_table(folder / "made/scores.tsv"), settings, **drawn), folder / "figure")
    return folder / "figure.svg"


def _make_exported(folder: Path, size: int) -> None:
    _predict(folder / "predictions.h5", size, 1, 2)


def _export(folder: Path, size: int) -> Path:
    from helpers.data.export import predictions_to_bigwig
    from helpers.evaluation.prediction_columns import mean_column

    mean = mean_column([folder / "predictions.h5"], "test", "0")
    predictions_to_bigwig(folder / "track.bw", mean.regions, mean.values, {"chr3": CHR3})
    return folder / "track.bw"


JOBS = {
    ("score_predictions", "", "labels"): (3_676_000, Job(_make_scored, _score)),
    ("collect_scores", "", "scores"): (20_000, Job(_make_tables, _collect)),
    ("compare_models", "", "windows of all runs"): (100_000, Job(_make_compared, _compare)),
    ("compare_models", "many outputs", "scores"): (20_000, Job(_make_scores, _compare_outputs)),
    ("compare_published", "", "scores"): (20_000, Job(_make_scores, _compare_published)),
    ("plot_boxes", "", "scores"): (20_000, Job(_make_scores, partial(_plot, figure="figS1"))),
    ("export_track", "", "windows"): (50_000, Job(_make_exported, _export)),
}
