# What the chapters share: the checked config, the sheet of tracks, and what wildcards may be.
# The thinking is in helpers.config and helpers.study, where it is tested.
import json
import re
from pathlib import Path
from types import SimpleNamespace

import yaml
from snakemake.exceptions import WorkflowError

from helpers import kept, sheet
from helpers import study as plans
from helpers.backend import DEVICES
from helpers.config import complete_config
from helpers.errors import InputError
from helpers.fingerprint import code_hash
from helpers.model_references import chosen_variants, inspected_variants
from helpers.networks import BASELINES
from helpers.references import check_references, resolve_outputs
from helpers.sources import igv
from helpers.sources.worlds import check_simulated, world_files, world_parameters

IGV = "resources/igv/igv.min.js"  # draws the page of loci
HOME = Path(workflow.current_basedir).parents[1]


def load_config():
    """Check and complete the config in place, and read its sheet; a mistake ends the run with one message."""
    schema = yaml.safe_load((HOME / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    try:
        config.update(complete_config(config, schema))
        tracks = sheet.read_tracks(config["tracks"], HOME)
        config.update(resolve_outputs(config, tracks))
        check_references(config, tracks)
        check_simulated(tracks, config["simulation"])
        sheet.missing_files(tracks)
        if config["offline"]:
            needed = {IGV: igv.is_program} if any("loci" in study for study in config["studies"].values()) else {}
            sheet.missing_downloads(tracks.loc[plans.config_tracks(config)], config["run"], needed)
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return tracks


TRACKS = load_config()
STUDIES = config["studies"]
RUN = config["run"]


def simulation_parameters(world):
    """The parameters of one of the simulations, for its command line."""
    return json.dumps(world_parameters(config["simulation"], world))


def simulated_files(world):
    """The names of the files that one of the simulations writes."""
    return world_files(config["simulation"], world)


def any_of(names):
    """A wildcard constraint that takes these names and no other."""
    return "|".join(map(re.escape, sorted(set(names)))) or "(?!)"


wildcard_constraints:
    run=RUN,
    study=any_of(STUDIES),
    genome=any_of(config["genomes"]),
    input=any_of([plans.TARGETS, *(name for study in STUDIES.values() for name in study["inputs"])]),
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
    part=r"\d+",
