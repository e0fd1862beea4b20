# Look-ups from wildcards to settings and paths; the chapters' rules ask these.


def code_of(script):
    """Hash of the code that a script's results depend on."""
    return code_hash(HOME / "workflow/scripts" / f"{script}.py")


def module_code(module):
    """Hash of the code that a command `python -m module` depends on."""
    return code_hash(HOME / f"{module.replace('.', '/')}.py")


def is_remote(track):
    """Whether a track's file is downloaded."""
    return sheet.is_remote(TRACKS.loc[track])


def resource(track):
    """Path of a track's file: local as it is, simulated by run, downloaded by assembly."""
    return sheet.file_path(TRACKS.loc[track], RUN)


def resources(names):
    """Files of tracks, with the indexes that the workflow makes itself."""
    indexes = [
        f"{resource(name)}.bai" for name in names if TRACKS.at[name, "type"] == "bam" and not TRACKS.at[name, "path"]
    ]
    return [resource(name) for name in names] + indexes


def study_of(wildcards):
    return STUDIES[wildcards.study]


def genome_of(wildcards):
    return config["genomes"][study_of(wildcards)["genome"]]


def blacklist_of(wildcards):
    """The genome's blacklist as a list, empty without one."""
    return [resource(genome_of(wildcards)["blacklist"])] if "blacklist" in genome_of(wildcards) else []


def sequence_of(wildcards):
    return f"results/{wildcards.run}/genomes/{study_of(wildcards)['genome']}/sequence.h5"


def sizes_of(wildcards):
    return f"results/{wildcards.run}/genomes/{study_of(wildcards)['genome']}/chrom.sizes"


def split_file(template):
    """Input function for a file of one split of the run's fold: `{folder}` stands for the fold's folder."""

    def path(wildcards):
        folder = plans.fold_folder(wildcards.fold)
        return template.format(run=wildcards.run, study=wildcards.study, folder=folder)

    return path


def input_settings(wildcards):
    return study_of(wildcards)["inputs"][wildcards.input]


LABELS_AT_ONCE = 50  # tracks of one labelling job
COUNTING = ("count", "min_mapq", "mates", "duplicates", "shift", "require_flags", "exclude_flags")


def counting_settings(wildcards):
    """Settings of an input that change its counts."""
    return {key: input_settings(wildcards)[key] for key in ("resolution", "stranded", *COUNTING)}


def summing_settings(wildcards):
    """Settings that change the signal of windows, of an input or of what is predicted."""
    study, targets = study_of(wildcards), wildcards.input == plans.TARGETS
    settings = study["output"] if targets else study["inputs"][wildcards.input]
    strands = settings["strand"] if targets else "each" if settings["stranded"] else "both"
    return {key: settings[key] for key in ("flank", *COUNTING)} | {"strands": strands}


def is_whole(wildcards):
    """Whether an input has one value a window, as everything has that is predicted."""
    return wildcards.input == plans.TARGETS or input_settings(wildcards)["resolution"] == plans.WHOLE


def signal_files(wildcards, name, tracks, normalize, whole):
    """The stores of an input's tracks, or of the signals to predict, and their normalizers."""
    folder = f"results/{wildcards.run}/{wildcards.study}/data/{name}"
    return {
        "stores": [f"{folder}/{track}{'.windows' if whole else ''}.h5" for track in tracks],
        "normalizers": [f"{folder}/{track}.{normalize}.fold-{wildcards.fold}.json" for track in tracks],
    }


def variant_plan(wildcards):
    """How to build a variant and read its inputs, with the paths of the datasets."""
    study = study_of(wildcards)
    values = plans.variants(study["models"][wildcards.model])[wildcards.variant]
    plan = plans.model_plan(study, wildcards.model, values)
    if "motifs" in plan["params"]:
        plan["params"]["motifs"] = resource(plan["params"]["motifs"])
    for name, reading in plan["inputs"].items():
        if reading["kind"] == "sequence":
            reading["stores"] = [sequence_of(wildcards)]
        else:
            settings = study["inputs"][name]
            reading["swap"], reading["tracks"] = settings["swap_in_test"], settings["tracks"]
            reading.update(signal_files(wildcards, name, settings["tracks"], reading["normalize"], reading["whole"]))
    return plan


def output_plan(wildcards):
    """What a study predicts, with the paths of the labels or of the signals."""
    output, folder = study_of(wildcards)["output"], f"results/{wildcards.run}/{wildcards.study}/data"
    plan = {"kind": output["kind"], "tracks": output["tracks"]}
    if output["kind"] == "peaks":
        return plan | {"labels": f"{folder}/labels/all.h5"}
    files = signal_files(wildcards, plans.TARGETS, output["tracks"], output["normalize"], whole=True)
    return plan | {"strand": output["strand"], **files}


def dataset_files(wildcards):
    """Every dataset file that a variant reads; of a scan also its motifs."""
    plan = variant_plan(wildcards)
    files = [path for part in plan["inputs"].values() for path in (*part["stores"], *part.get("normalizers", []))]
    return files + [plan["params"][key] for key in ("motifs",) if key in plan["params"]]


def normalized_store(wildcards):
    """The store to which a normalization is fitted."""
    folder = f"results/{wildcards.run}/{wildcards.study}/data/{wildcards.input}"
    return f"{folder}/{wildcards.track}{'.windows' if is_whole(wildcards) else ''}.h5"


def label_batches(study):
    """The outputs of a study in batches, each labelled by one job."""
    tracks = STUDIES[study]["output"]["tracks"]
    return [tracks[first : first + LABELS_AT_ONCE] for first in range(0, len(tracks), LABELS_AT_ONCE)]


def label_batch(wildcards):
    return label_batches(wildcards.study)[int(wildcards.part)]


def label_parts(wildcards):
    parts = range(len(label_batches(wildcards.study)))
    return [f"results/{wildcards.run}/{wildcards.study}/data/labels/part-{part}.h5" for part in parts]


def target_stores(wildcards):
    """The labels, or the signals to predict, of all windows."""
    study, folder = study_of(wildcards), f"results/{wildcards.run}/{wildcards.study}/data"
    if study["output"]["kind"] == "peaks":
        return [f"{folder}/labels/all.h5"]
    return [f"{folder}/{plans.TARGETS}/{track}.windows.h5" for track in study["output"]["tracks"]]


def target_files(wildcards):
    """The labels, or the signals to predict and their normalizers."""
    plan = output_plan(wildcards)
    return [plan["labels"]] if "labels" in plan else plan["stores"] + plan["normalizers"]


def run_paths(study, name, models=None):
    """Paths of one file of every run of a study, or of some of its models."""
    return [
        f"results/{RUN}/{study}/models/{run.model}/{run.variant}/fold-{run.fold}/rep-{run.replicate}/{name}"
        for run in plans.runs(STUDIES[study])
        if models is None or run.model in models
    ]


def replicate_paths(wildcards, name="predictions.h5"):
    """Paths of one file of every run of one variant."""
    part = f"/models/{wildcards.model}/{wildcards.variant}/"
    return [path for path in run_paths(wildcards.study, name) if part in path]


def fold_of(wildcards):
    """The fold whose regions lie in a folder."""
    return next(fold for fold in plans.folds(study_of(wildcards)) if plans.fold_folder(fold) == wildcards.folder)


def split_parts(wildcards):
    """What each split in a folder of regions is made of."""
    return plans.split_parts(study_of(wildcards), genome_of(wildcards)["chromosomes"], fold_of(wildcards))
