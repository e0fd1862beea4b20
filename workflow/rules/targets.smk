# Which files a config asks for: the lists behind `rule all` and the targets by name, and the inputs of tables and figures.


FIGURES = {name: (study, figure) for study, settings in STUDIES.items() for name, figure in settings["figures"].items()}


def run_table(wildcards):
    """The runs of a study with their grid values, in the order of `run_paths`."""
    models = STUDIES[wildcards.study]["models"]
    return [
        {**run._asdict(), "values": plans.variants(models[run.model])[run.variant]}
        for run in plans.runs(STUDIES[wildcards.study])
    ]


def networks(study):
    """The models of a study that are trained by epochs."""
    return [name for name, model in STUDIES[study]["models"].items() if model["architecture"] != "kmer_linear"]


def network_runs(wildcards):
    return [run for run in run_table(wildcards) if run["model"] in networks(wildcards.study)]


def split_chromosomes(wildcards):
    """The chromosomes of each split in a folder of regions."""
    study = study_of(wildcards)
    fold = next(fold for fold in plans.folds(study) if plans.fold_folder(fold) == wildcards.folder)
    return plans.split_chromosomes(study, genome_of(wildcards)["chromosomes"], fold)


def held_out(study):
    """The chromosomes of validation and test; of validation those of all folds."""
    settings = STUDIES[study]
    if "folds" in settings:
        return {"validation": settings["folds"]["validation_each"], "test": settings["folds"]["test"]}
    return settings["split"]


def exported_outputs(study):
    """Outputs with a bigWig each: those that the config names, else the first ten."""
    settings = STUDIES[study]
    return settings["tracks"].get("outputs", settings["output"]["tracks"][:10])


def track_paths(study, models=None):
    return [
        f"results/{RUN}/{study}/tracks/{name}_{variant}_{output}.bw"
        for name, model in STUDIES[study]["models"].items()
        if models is None or name in models
        for variant in plans.variants(model)
        for output in exported_outputs(study)
    ]


def figure_paths(study=None):
    names = [name for name, (owner, _) in FIGURES.items() if study in (None, owner)]
    names += [f"{name}_training" for name in STUDIES if study in (None, name) and networks(name)]
    return [f"results/{RUN}/figures/{name}.{ending}" for name in names for ending in ("svg", "png")]


def study_paths(study):
    """Everything that a study makes."""
    tables = [f"results/{RUN}/{study}/{name}.tsv" for name in ("scores", "summary", "comparisons")]
    tables += [
        f"results/{RUN}/{study}/motif/{model}.tsv" for model in STUDIES[study].get("motif", {}).get("models", [])
    ]
    return tables + track_paths(study) + figure_paths(study)


def everything():
    """All results of a config but the report, which is made of them."""
    return [path for study in STUDIES for path in study_paths(study)] + [f"results/{RUN}/provenance.json"]


def study_target(name):
    """Everything of a study.

    Where this config lacks the study, the sentence that says so: Snakemake reports it as the missing input of the target,
    and without a traceback, but only when that target is asked for.
    """
    return (
        study_paths(name)
        if name in STUDIES
        else [f"(this config has no study {name!r}; its studies: {', '.join(STUDIES)})"]
    )


def used_tracks():
    """Every track that a study of this config reads, its genome's included."""
    genomes = [config["genomes"][settings["genome"]] for settings in STUDIES.values()]
    names = [genome[key] for genome in genomes for key in ("fasta", "blacklist") if key in genome]
    names += [track for settings in STUDIES.values() for track in plans.study_tracks(settings)]
    return list(dict.fromkeys(names))


def training_logs():
    """Logs of all trainings; the first line of each says which device it used."""
    paths = [path for study in STUDIES for path in run_paths(study, "train.log")]
    return [path.replace(f"results/{RUN}/", f"results/{RUN}/logs/", 1) for path in paths]


def motif_flank(wildcards):
    """bp on both sides of a bin that the model's sequence input sees."""
    settings = study_of(wildcards)
    return settings["inputs"][settings["models"][wildcards.model]["inputs"][0]]["flank"]


def locus_tracks(wildcards):
    study, figure = FIGURES[wildcards.figure]
    return track_paths(study, figure["predictions"])


def locus_peaks(wildcards):
    return [resource(track) for track in STUDIES[FIGURES[wildcards.figure][0]]["output"]["tracks"]]


def locus_names(wildcards):
    """Labels of the predicted tracks of a locus."""
    study, figure = FIGURES[wildcards.figure]
    models = STUDIES[study]["models"]
    return [
        " ".join(part for part in (name, variant if variant != "default" else "", output) if part)
        for name in figure["predictions"]
        for variant in plans.variants(models[name])
        for output in exported_outputs(study)
    ]


def coverage_tracks(study):
    """Every (input, track) of a study's coverage inputs."""
    inputs = STUDIES[study]["inputs"]
    return [(name, track) for name, settings in inputs.items() for track in settings.get("tracks", [])]


def locus_coverage_names(wildcards):
    return [TRACKS.at[track, "condition"] or track for _, track in coverage_tracks(FIGURES[wildcards.figure][0])]


def locus_coverage(wildcards):
    study = FIGURES[wildcards.figure][0]
    return [f"results/{RUN}/{study}/data/{name}/{track}.h5" for name, track in coverage_tracks(study)]
