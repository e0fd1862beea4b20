# Chapter 5: what the runs say together.
# Needs every run's scores and predictions; makes scores.tsv, summary.tsv, comparisons.tsv and the genome tracks.


rule collect_scores:
    """Put the scores of all runs into one table, and summarize replicates and folds."""
    input:
        lambda wildcards: run_paths(wildcards.study, "scores.tsv"),
    output:
        scores="results/{run}/{study}/scores.tsv",
        summary=report(
            "results/{run}/{study}/summary.tsv",
            caption="../report/summary.rst",
            category="{study}",
            labels={"what": "summary of scores", "kind": "table"},
        ),
    log:
        "results/{run}/logs/{study}/scores.log",
    benchmark:
        "results/{run}/benchmarks/{study}/scores.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("collect_scores"),
        runs=run_table,
    script:
        "../scripts/collect_scores.py"


rule compare_models:
    """Compare variants and models: difference, its interval over loci and replicates, exact test."""
    input:
        lambda wildcards: run_paths(wildcards.study, "predictions.h5"),
    output:
        report(
            "results/{run}/{study}/comparisons.tsv",
            caption="../report/comparisons.rst",
            category="{study}",
            labels={"what": "comparisons of models", "kind": "table"},
        ),
    log:
        "results/{run}/logs/{study}/comparisons.log",
    benchmark:
        "results/{run}/benchmarks/{study}/comparisons.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("compare_models"),
        runs=run_table,
        models=lambda wildcards: study_of(wildcards)["models"],
        metrics=lambda wildcards: study_of(wildcards)["metrics"],
        settings=lambda wildcards: study_of(wildcards)["comparisons"],
        seed=config["seed"],
    script:
        "../scripts/compare_models.py"


rule export_track:
    """Write a variant's mean prediction over replicates on the test split as bigWig, overlapping regions averaged."""
    input:
        predictions=replicate_paths,
        sizes=sizes_of,
    output:
        "results/{run}/{study}/tracks/{model}_{variant}_{track}.bw",
    log:
        "results/{run}/logs/{study}/tracks/{model}_{variant}_{track}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/tracks/{model}_{variant}_{track}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("export_track"),
    script:
        "../scripts/export_track.py"


rule mutate_motif:
    """Mutate a motif where it stands at test sites, and as many bases elsewhere, and compare the predictions."""
    input:
        models=lambda wildcards: run_paths(wildcards.study, "model.keras", [wildcards.model]),
        sites=lambda wildcards: resource(study_of(wildcards)["output"]["tracks"][0]),
        sequence=sequence_of,
    output:
        summary=report(
            "results/{run}/{study}/motif/{model}.tsv",
            caption="../report/motif.rst",
            category="{study}",
            labels={"what": "mutated motif, {model}", "kind": "table"},
        ),
        sites="results/{run}/{study}/motif/{model}.sites.tsv",
    log:
        "results/{run}/logs/{study}/motif/{model}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/motif/{model}.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    params:
        code=code_of("mutate_motif"),
        motif=lambda wildcards: study_of(wildcards)["motif"],
        runs=lambda wildcards: [run for run in run_table(wildcards) if run["model"] == wildcards.model],
        flank=motif_flank,
        binsize=lambda wildcards: study_of(wildcards)["regions"]["binsize"],
        chromosomes=lambda wildcards: held_out(wildcards.study)["test"],
        seed=config["seed"],
        backend=config["backend"],
        device=config["device"],
    script:
        "../scripts/mutate_motif.py"
