# Chapter 8: what a reader looks at.
# Needs scores, predictions and histories; makes figures as SVG and PNG, the provenance and the report.


rule plot_replicates:
    """Draw a metric of every replicate as points over box plots, with the prevalence as a dashed line."""
    input:
        figure_scores,
        ceiling=figure_ceiling,
    output:
        svg="results/{run}/figures/{figure}.svg",
        png=report(
            "results/{run}/figures/{figure}.png",
            caption="../report/replicates.rst",
            category="figures",
            labels={"what": "{figure}", "kind": "figure"},
        ),
    log:
        "results/{run}/logs/figures/{figure}.log",
    benchmark:
        "results/{run}/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure=any_of(figures_of_kind("replicates")),
    group:
        "figures"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("plot_replicates"),
        figure=figure_settings,
        chromosomes=figure_chromosomes,
        note=config["note"],
    script:
        "../scripts/plot_replicates.py"


rule plot_locus:
    """Draw a locus: predicted and true, with the coverage of every experiment."""
    input:
        tracks=locus_tracks,
        labels=locus_peaks,
        coverage=locus_coverage,
        attributions=locus_attributions,
    output:
        svg="results/{run}/figures/{figure}.svg",
        png=report(
            "results/{run}/figures/{figure}.png",
            caption="../report/locus.rst",
            category="figures",
            labels={"what": "{figure}", "kind": "figure"},
        ),
    log:
        "results/{run}/logs/figures/{figure}.log",
    benchmark:
        "results/{run}/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure=any_of(figures_of_kind("locus")),
    group:
        "figures"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("plot_locus"),
        figure=figure_settings,
        predictions=locus_names,
        outputs=lambda wildcards: STUDIES[FIGURES[wildcards.figure][0]]["output"]["tracks"],
        coverage=locus_coverage_names,
        note=config["note"],
    script:
        "../scripts/plot_locus.py"


rule plot_training:
    """Draw the training and validation loss of every run per epoch."""
    input:
        lambda wildcards: run_paths(wildcards.study, "history.tsv", networks(wildcards.study)),
    output:
        svg="results/{run}/figures/{study}_training.svg",
        png=report(
            "results/{run}/figures/{study}_training.png",
            caption="../report/training.rst",
            category="{study}",
            labels={"what": "training curves", "kind": "figure"},
        ),
    log:
        "results/{run}/logs/figures/{study}_training.log",
    benchmark:
        "results/{run}/benchmarks/figures/{study}_training.tsv"
    group:
        "figures"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("plot_training"),
        runs=network_runs,
        loss=lambda wildcards: study_of(wildcards)["training"]["loss"],
        note=config["note"],
    script:
        "../scripts/plot_training.py"


rule record_provenance:
    """Record the merged config, versions (those of training), seeds, devices and the checksum of every input file."""
    input:
        tracks=resources(plans.config_tracks(config)),
        scores=[f"results/{RUN}/{study}/scores.tsv" for study in STUDIES],
    output:
        report(
            "results/{run}/provenance.json",
            caption="../report/provenance.rst",
            category="provenance",
            labels={"what": "provenance", "kind": "table"},
        ),
    log:
        "results/{run}/logs/provenance.log",
    benchmark:
        "results/{run}/benchmarks/provenance.tsv"
    conda:
        "../../envs/model.yaml"
    resources:
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("record_provenance"),
        config=config,
        names=plans.config_tracks(config),
        training_logs=training_logs(),
    script:
        "../scripts/record_provenance.py"


rule make_report:
    """Bind figures, tables and captions into one self-contained page."""
    input:
        everything(),
    output:
        "results/{run}/report.html",
    log:
        "results/{run}/logs/report.log",
    benchmark:
        "results/{run}/benchmarks/report.tsv"
    conda:
        "../../envs/workflow.yaml"
    params:
        code=code_of("make_report"),
        config=config,
        target="everything",
    script:
        "../scripts/make_report.py"
