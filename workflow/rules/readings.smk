# Look-ups of the rules that make and read datasets: what is counted and summed, how a variant reads it, what it predicts.


LABELS_AT_ONCE = 50  # tracks of one labelling job
COUNTING = ("count", "min_mapq", "mates", "duplicates", "shift", "require_flags", "exclude_flags")


def input_settings(wildcards):
    return study_of(wildcards)["inputs"][wildcards.input]


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
