# Look-ups of the rules that look inside trained models: attribution, motifs, variants.


def inspected_folders(study, section):
    """The folders models/{model}/{variant} of what a section of a study looks at, without `models/`."""
    settings = STUDIES[study]
    if section not in settings:
        return []
    return [
        f"{model}/{plans.variant_name(values)}" for model, values in inspected_variants(settings[section], settings)
    ]


def section_of(name, *keys):
    """Params function for those keys of a section of the study's settings that change a result."""

    def section(wildcards):
        return {key: study_of(wildcards)[name][key] for key in keys}

    return section


def attributed_outputs(study):
    """The outputs that are attributed: those that the config names, else those that are exported."""
    return STUDIES[study]["attribution"].get("outputs", exported_outputs(study))


def expected_regions(section):
    """Input function for the intervals in which effects are expected."""

    def path(wildcards):
        expected = study_of(wildcards)[section]["expected"]
        return f"results/{RUN}/{wildcards.study}/motif/cores.bed" if expected == plans.CORES else resource(expected)

    return path


def attributed_windows(wildcards):
    """How many windows are attributed because their prediction is high; 0 in a study without attributions."""
    return study_of(wildcards).get("attribution", {}).get("windows", 0)


def drawn_regions(study, model=None, variant=None):
    """The regions of figures that draw attributions, of any variant or of one: the windows there are attributed too."""
    settings = STUDIES[study]
    figures = [figure for figure in settings["figures"].values() if "attribution" in figure]
    return [
        figure["region"]
        for figure in figures
        if model in (None, figure["attribution"]["model"])
        and variant in (None, *map(plans.variant_name, chosen_variants(figure["attribution"], settings)))
    ]


def in_first_fold(look_up):
    """A look-up for the first fold: its models are those that are looked into, with the normalizers that they know."""

    def first(wildcards):
        fold = plans.folds(study_of(wildcards))[0]
        return look_up(SimpleNamespace(**{**dict(wildcards.items()), "fold": fold}))

    return first


def first_fold_paths(wildcards, name):
    """Paths of one file of every replicate of a variant in the first fold."""
    part = f"/fold-{plans.folds(study_of(wildcards))[0]}/"
    return [path for path in replicate_paths(wildcards, name) if part in path]


def replicate_models(wildcards):
    return first_fold_paths(wildcards, "model.keras")


def replicate_predictions(wildcards):
    return first_fold_paths(wildcards, "predictions.h5")


def is_inspected(study, section, model, variant):
    return f"{model}/{variant}" in inspected_folders(study, section)


def own_attributions(wildcards):
    """The attributions of a variant, if there are any."""
    if not is_inspected(wildcards.study, "attribution", wildcards.model, wildcards.variant):
        return []
    return f"results/{RUN}/{wildcards.study}/attribution/{wildcards.model}/{wildcards.variant}/attributions.h5"


def attribution_paths(study):
    """Everything that attribution makes in a study."""
    if "attribution" not in STUDIES[study]:
        return []
    section, names = STUDIES[study]["attribution"], ["windows.tsv"]
    names += ["expected.tsv"] if "expected" in section else []
    paths = [
        f"results/{RUN}/{study}/attribution/{folder}/{name}"
        for folder in inspected_folders(study, "attribution")
        for name in names
    ]
    return paths + attribution_tracks(study)


def attribution_tracks(study):
    """bigWig tracks of attributions: for each variant, input and output."""
    settings = STUDIES[study]
    return [
        f"results/{RUN}/{study}/attribution/{model}/{plans.variant_name(values)}/{name}.{output}.bw"
        for model, values in inspected_variants(settings["attribution"], settings)
        for name in plans.model_plan(settings, model, values)["inputs"]
        for output in attributed_outputs(study)
    ]


def variant_paths(study):
    names = ["counts.tsv", "effects.tsv.gz", "effects.h5", "annotated.vcf.gz", "variants.bed.gz"]
    names += ["expected.tsv"] if "expected" in STUDIES[study].get("variants", {}) else []
    folders = inspected_folders(study, "variants")
    return [f"results/{RUN}/{study}/variants/{folder}/{name}" for folder in folders for name in names]


def motif_paths(study):
    names = ["filters.meme", "filters.tsv", "matches.tsv", "kmers.tsv", "filters.svg", "filters.png"]
    names += ["patterns.meme", "patterns.tsv"] if STUDIES[study].get("motifs", {}).get("modisco") else []
    folders = inspected_folders(study, "motifs")
    return [f"results/{RUN}/{study}/motifs/{folder}/{name}" for folder in folders for name in names]


def locus_page(study):
    return [f"results/{RUN}/{study}/loci/index.html"] if "loci" in STUDIES[study] else []


def inspection_paths(study):
    """Everything that looks inside the models of a study."""
    return attribution_paths(study) + variant_paths(study) + motif_paths(study) + locus_page(study)
