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


def device_of(wildcards):
    """Where a study's networks compute."""
    return study_of(wildcards).get("device", config["device"])


def device_number(wildcards):
    """Number of a study's device, as scripts get it: not a parameter, so that nothing trains again on another machine.

    A resource, and a number, because texts would have to be the same for all jobs of a group.
    """
    return DEVICES.index(device_of(wildcards))


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
