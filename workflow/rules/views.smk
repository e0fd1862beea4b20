# Look-ups of what shows loci: the figures of kind `locus`, and the page for the browser.


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
    """Every (input, track) of a study's coverage inputs that have a resolution in bp."""
    inputs = STUDIES[study]["inputs"]
    along = {name: part for name, part in inputs.items() if part.get("resolution") != plans.WHOLE}
    return [(name, track) for name, settings in along.items() for track in settings.get("tracks", [])]


def coverage_names(study):
    return [TRACKS.at[track, "condition"] or track for _, track in coverage_tracks(study)]


def coverage_stores(study):
    return [f"results/{RUN}/{study}/data/{name}/{track}.h5" for name, track in coverage_tracks(study)]


def locus_coverage_names(wildcards):
    return coverage_names(FIGURES[wildcards.figure][0])


def locus_coverage(wildcards):
    return coverage_stores(FIGURES[wildcards.figure][0])


def locus_attributions(wildcards):
    """The attributions of which a locus shows a logo."""
    study, figure = FIGURES[wildcards.figure]
    if "attribution" not in figure:
        return []
    (values,) = chosen_variants(figure["attribution"], STUDIES[study])
    return f"results/{RUN}/{study}/attribution/{figure['attribution']['model']}/{plans.variant_name(values)}/attributions.h5"


def page_variant(wildcards):
    """The model and the variant that a page of loci shows, as wildcards."""
    selector = study_of(wildcards)["loci"]["of"]
    (values,) = chosen_variants(selector, study_of(wildcards))
    names = {"model": selector["model"], "variant": plans.variant_name(values)}
    return SimpleNamespace(**{**dict(wildcards.items()), **names})


def page_title(wildcards):
    shown = page_variant(wildcards)
    return f"{shown.study}: {shown.model}" + (f" {shown.variant}" if shown.variant != "default" else "")


def page_peaks(wildcards):
    """The peaks that are predicted; none where signals are."""
    output = study_of(wildcards)["output"]
    return [resource(track) for track in output["tracks"]] if output["kind"] == "peaks" else []


def page_predictions(wildcards):
    return replicate_predictions(page_variant(wildcards))


def page_attributions(wildcards):
    return own_attributions(page_variant(wildcards))


def page_effects(wildcards):
    """The effects of variants on the predictions that a page shows, if they are scored."""
    shown = page_variant(wildcards)
    if not is_inspected(shown.study, "variants", shown.model, shown.variant):
        return []
    return f"results/{RUN}/{shown.study}/variants/{shown.model}/{shown.variant}/effects.tsv.gz"
