# Look-ups of the rules that read what the runs left behind: comparisons, tables, figures.


MANY_OUTPUTS = 10  # with more, models are compared over outputs, from their scores, not window by window


def run_table(wildcards):
    """The runs of a study with their grid values, in the order of `run_paths`."""
    models = STUDIES[wildcards.study]["models"]
    return [
        {**run._asdict(), "values": plans.variants(models[run.model])[run.variant]}
        for run in plans.runs(STUDIES[wildcards.study])
    ]


def networks(study):
    """The models of a study that are trained by epochs."""
    return [name for name, model in STUDIES[study]["models"].items() if model["architecture"] not in BASELINES]


def network_runs(wildcards):
    return [run for run in run_table(wildcards) if run["model"] in networks(wildcards.study)]


def held_out(study):
    """The chromosomes of validation and test; of validation those of all folds."""
    parts = plans.held_out(STUDIES[study])
    return {split: list(dict.fromkeys(map(plans.part_chromosome, entries))) for split, entries in parts.items()}


def features(study):
    """The outputs of a study with what the sheet says of them."""
    columns = ["class", "group", "condition"]
    return [
        {"track": track, **{name: TRACKS.at[track, name] for name in columns}}
        for track in STUDIES[study]["output"]["tracks"]
    ]


def compared_predictions(wildcards):
    """Predictions of every run, where models are compared window by window."""
    few = len(study_of(wildcards)["output"]["tracks"]) <= MANY_OUTPUTS
    return run_paths(wildcards.study, "predictions.h5") if few else []


def compared_models(wildcards):
    """The models of a study as `helpers.evaluation.contrasts.StudyModel` takes them."""
    study = study_of(wildcards)
    models = []
    for name, model in study["models"].items():
        values = list(plans.variants(model).values())
        parts = [plans.part_values(study, name, one) for one in values] if model["architecture"] == "joint" else None
        models.append({"name": name, "variants": values, "architecture": model["architecture"], "parts": parts})
    return models


def test_regions(wildcards):
    """The test windows, which are those of every fold."""
    folder = plans.fold_folder(plans.folds(study_of(wildcards))[0])
    return f"results/{wildcards.run}/{wildcards.study}/regions/{folder}test.bed"


def summed_output(wildcards):
    """What a study predicts, as it was summed."""
    return {key: study_of(wildcards)["output"][key] for key in ("kind", "tracks")} | {
        "stores": target_stores(wildcards)
    }


def table_ceilings(wildcards):
    study, table = TABLES[wildcards.table]
    return ceiling_paths(study) if table["metric"] == "pearson_r" else []


def published_sheet():
    """The sheet of published statements, from the working directory or beside the workflow."""
    path = config.get("published")
    return [] if path is None else [path if Path(path).exists() else str(HOME / path)]


def figures_of_kind(kind):
    return [name for name, (_, figure) in FIGURES.items() if figure["kind"] == kind]


def figure_settings(wildcards):
    return FIGURES[wildcards.figure][1]


def figure_features(wildcards):
    return features(FIGURES[wildcards.figure][0])


def figure_chromosomes(wildcards):
    return held_out(FIGURES[wildcards.figure][0])


def figure_normalization(wildcards):
    """How the signals were normalized that a figure shows."""
    return STUDIES[FIGURES[wildcards.figure][0]]["output"]["normalize"]


def figure_scores(wildcards):
    return f"results/{wildcards.run}/{FIGURES[wildcards.figure][0]}/scores.tsv"


def figure_ceiling(wildcards):
    """The noise ceiling of the study of a figure of correlations."""
    study, figure = FIGURES[wildcards.figure]
    return ceiling_paths(study) if figure["metric"] == "pearson_r" else []


def selected_predictions(wildcards):
    """Predictions of every run of the variant that a figure picks."""
    study, figure = FIGURES[wildcards.figure]
    (values,) = chosen_variants(figure["of"], STUDIES[study])
    part = f"/models/{figure['of']['model']}/{plans.variant_name(values)}/"
    return [path for path in run_paths(study, "predictions.h5") if part in path]


def fold_predictions(wildcards):
    """Predictions of one run of each fold: all runs of a fold hold the same targets."""
    runs = plans.runs(STUDIES[wildcards.study])
    paths = run_paths(wildcards.study, "predictions.h5")
    first = runs[0]._replace(fold="")
    return [path for run, path in zip(runs, paths, strict=True) if run._replace(fold="") == first]


def motif_flank(wildcards):
    """bp on both sides of a bin that the model's sequence input sees."""
    settings = study_of(wildcards)
    return settings["inputs"][settings["models"][wildcards.model]["inputs"][0]]["flank"]
