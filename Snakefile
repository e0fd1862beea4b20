# Janggu's use cases as one workflow: from public or own files to trained models, scores, figures, tracks and a report.
# Paths: resources/ holds input files, results/{run}/{study}/ what a study makes; docs/architecture.md explains the rest.
from shlex import quote

from snakemake.utils import min_version

min_version("9.16")

# Jobs find this package, and no other of that name, wherever they run.
shell.prefix(f"export PYTHONPATH={quote(str(workflow.current_basedir))}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; ")


# The demo, when no config was given: --configfile merges, so it must not be loaded beneath another.
if "studies" not in config:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/lookups.smk"
include: "workflow/rules/readings.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/outcomes.smk"
include: "workflow/rules/inspection.smk"
include: "workflow/rules/views.smk"
include: "workflow/rules/simulation.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/regions.smk"
include: "workflow/rules/datasets.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/motif.smk"
include: "workflow/rules/attribution.smk"
include: "workflow/rules/filters.smk"
include: "workflow/rules/variants.smk"
include: "workflow/rules/loci.smk"
include: "workflow/rules/hub.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/feature_figures.smk"
include: "workflow/rules/studies.smk"


rule all:
    default_target: True
    input:
        everything(),
        f"results/{config['run']}/report.html",
