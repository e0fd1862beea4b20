# What the chapters share: the checked config, the sheet of tracks, and look-ups from wildcards to paths.
# The thinking is in helpers.config and helpers.study, where it is tested.
import json
import re
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

from helpers import sheet
from helpers import study as plans
from helpers.config import complete_config
from helpers.errors import InputError
from helpers.fingerprint import code_hash
from helpers.references import check_references
from helpers.sources.simulation import check_simulated

HOME = Path(workflow.current_basedir).parents[1]


def load_config():
    """Check and complete the config in place, and read its sheet; a mistake ends the run with one message."""
    schema = yaml.safe_load((HOME / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    try:
        config.update(complete_config(config, schema))
        path = Path(config["tracks"])
        tracks = sheet.read_tracks(path if path.exists() else HOME / path)
        check_references(config, tracks)
        check_simulated(tracks, config["simulation"])
        sheet.missing_files(tracks)
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return tracks


TRACKS = load_config()
STUDIES = config["studies"]
RUN = config["run"]


def any_of(names):
    """A wildcard constraint that takes these names and no other."""
    return "|".join(map(re.escape, sorted(set(names)))) or "(?!)"


wildcard_constraints:
    run=RUN,
    study=any_of(STUDIES),
    genome=any_of(config["genomes"]),
    input=any_of(name for study in STUDIES.values() for name in study["inputs"]),
    model=any_of(name for study in STUDIES.values() for name in study["models"]),
    variant=any_of(
        variant
        for study in STUDIES.values()
        for model in study["models"].values()
        for variant in plans.variants(model)
    ),
    track=any_of(TRACKS.index),
    split="train|validation|test",
    fold=any_of(fold for study in STUDIES.values() for fold in plans.folds(study)),
    folder="|".join(
        sorted(
            {re.escape(plans.fold_folder(fold)) or "()" for study in STUDIES.values() for fold in plans.folds(study)}
        )
    ),
    replicate=r"\d+",


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


def counting_settings(wildcards):
    """Settings of an input that change its counts."""
    keys = ("resolution", "count", "stranded", "min_mapq", "mates", "duplicates", "shift")
    keys += ("require_flags", "exclude_flags")
    return {key: input_settings(wildcards)[key] for key in keys}


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
