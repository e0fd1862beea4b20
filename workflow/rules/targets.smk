# Which files a config asks for: the lists behind `rule all` and the targets by name.


FIGURES = {name: (study, figure) for study, settings in STUDIES.items() for name, figure in settings["figures"].items()}
TABLES = {name: (study, table) for study, settings in STUDIES.items() for name, table in settings["tables"].items()}


def exported_outputs(study):
    """Outputs with a bigWig each: those that the config names, else the first ten."""
    settings = STUDIES[study]
    return settings["tracks"].get("outputs", settings["output"]["tracks"][:10])


def ceiling_paths(study):
    return [f"results/{RUN}/{study}/ceiling.tsv"] if has_ceiling(study) else []


def track_paths(study, models=None):
    return [
        f"results/{RUN}/{study}/tracks/{name}_{variant}_{output}.bw"
        for name, model in STUDIES[study]["models"].items()
        if models is None or name in models
        for variant in plans.variants(model)
        for output in exported_outputs(study)
    ]


def target_paths(study):
    return [f"results/{RUN}/{study}/tracks/target_{output}.bw" for output in exported_outputs(study)]


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
    tables += ceiling_paths(study)
    tables += [f"results/{RUN}/tables/{name}.tsv" for name, (owner, _) in TABLES.items() if owner == study]
    return tables + track_paths(study) + target_paths(study) + inspection_paths(study) + figure_paths(study)


def has_ceiling(study):
    """Whether the noise of what a study predicts can be measured: it predicts counts of alignments."""
    output = STUDIES[study]["output"]
    return output["kind"] == "coverage" and any(TRACKS.at[track, "type"] == "bam" for track in output["tracks"])


def everything():
    """All results of a config but the report, which is made of them."""
    shared = ["provenance.json", "hub/hub.txt"] + (["tables/published.tsv"] if "published" in config else [])
    return [path for study in STUDIES for path in study_paths(study)] + [f"results/{RUN}/{name}" for name in shared]


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


def training_logs():
    """Logs of all trainings; the first line of each says which device it used."""
    paths = [path for study in STUDIES for path in run_paths(study, "train.log")]
    return [path.replace(f"results/{RUN}/", f"results/{RUN}/logs/", 1) for path in paths]


def hub_genomes():
    """The genomes of the studies, and the names by which genome browsers know them."""
    names = dict.fromkeys(settings["genome"] for settings in STUDIES.values())
    return [{"name": name, "browser": config["genomes"][name].get("browser", "")} for name in names]


def hub_two_bits():
    """Sequences of the genomes that browsers do not know."""
    return [
        f"results/{RUN}/hub/{genome['name']}/{genome['name']}.2bit" for genome in hub_genomes() if not genome["browser"]
    ]


def hub_files():
    """What a hub has beside hub.txt."""
    known = [f"{genome['browser']}/trackDb.txt" for genome in hub_genomes() if genome["browser"]]
    others = [
        f"{genome['name']}/{name}.txt"
        for genome in hub_genomes()
        if not genome["browser"]
        for name in ("trackDb", "groups")
    ]
    return ["genomes.txt", "description.html", *dict.fromkeys(known), *others]


def hub_studies():
    """The studies of a hub; labels, and what is predicted of them, lie between 0 and 1."""
    return [
        {
            "name": name,
            "genome": settings["genome"],
            "limits": [0, 1] if settings["output"]["kind"] == "peaks" else None,
        }
        for name, settings in STUDIES.items()
    ]


def hub_tracks():
    """The tracks of a hub: of each study what was observed, then what was predicted."""
    rows = []
    for study, settings in STUDIES.items():
        folder = f"results/{RUN}/{study}/tracks"
        sources = [("", "target", {})] + [
            (model, f"{model}_{variant}", values)
            for model, grids in settings["models"].items()
            for variant, values in plans.variants(grids).items()
        ]
        rows += [
            {"study": study, "output": output, "model": model, "values": values, "path": f"{folder}/{stem}_{output}.bw"}
            for model, stem, values in sources
            for output in exported_outputs(study)
        ]
    return rows
