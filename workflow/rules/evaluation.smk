# Chapter 6: what the runs say together.
# Needs every run's scores and predictions; makes scores.tsv, summary.tsv, comparisons.tsv, ceiling.tsv and the tables of
# the paper's form.


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
    """Compare variants and models: difference, its interval over loci and replicates or over outputs, exact test."""
    input:
        scores="results/{run}/{study}/scores.tsv",
        predictions=compared_predictions,
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
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("compare_models"),
        runs=run_table,
        models=compared_models,
        classes=lambda wildcards: features(wildcards.study),
        metrics=lambda wildcards: study_of(wildcards)["metrics"],
        settings=lambda wildcards: study_of(wildcards)["comparisons"],
        seed=config["seed"],
    script:
        "../scripts/compare_models.py"


rule measure_ceiling:
    """Measure how far noise lets any prediction of counts go: the reliability of random halves of the alignments."""
    input:
        windows="results/{run}/{study}/regions/all.bed",
        test=test_regions,
        targets=target_stores,
    output:
        report(
            "results/{run}/{study}/ceiling.tsv",
            caption="../report/ceiling.rst",
            category="{study}",
            labels={"what": "noise ceiling", "kind": "table"},
        ),
    log:
        "results/{run}/logs/{study}/ceiling.log",
    benchmark:
        "results/{run}/benchmarks/{study}/ceiling.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("measure_ceiling"),
        output=summed_output,
        types=lambda wildcards: {name: TRACKS.at[name, "type"] for name in study_of(wildcards)["output"]["tracks"]},
        counting=lambda wildcards: study_of(wildcards)["output"]["count"],
        normalize=lambda wildcards: study_of(wildcards)["output"]["normalize"],
        seed=config["seed"],
    script:
        "../scripts/measure_ceiling.py"


rule make_table:
    """Tabulate variants: mean and standard error of a metric over folds, beside the noise ceiling."""
    input:
        scores=lambda wildcards: f"results/{wildcards.run}/{TABLES[wildcards.table][0]}/scores.tsv",
        ceilings=table_ceilings,
    output:
        report(
            "results/{run}/tables/{table}.tsv",
            caption="../report/table.rst",
            category="tables",
            labels={"what": "{table}", "kind": "table"},
        ),
    log:
        "results/{run}/logs/tables/{table}.log",
    benchmark:
        "results/{run}/benchmarks/tables/{table}.tsv"
    wildcard_constraints:
        table=any_of(TABLES),
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("make_table"),
        table=lambda wildcards: TABLES[wildcards.table][1],
    script:
        "../scripts/make_table.py"


rule compare_published:
    """Set what this run says beside what the paper says, statement by statement."""
    input:
        published=published_sheet(),
        scores=[f"results/{RUN}/{study}/scores.tsv" for study in STUDIES],
    output:
        report(
            "results/{run}/tables/published.tsv",
            caption="../report/published.rst",
            category="tables",
            labels={"what": "published statements", "kind": "table"},
        ),
    log:
        "results/{run}/logs/tables/published.log",
    benchmark:
        "results/{run}/benchmarks/tables/published.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("compare_published"),
        studies=list(STUDIES),
        classes=[feature for study in STUDIES for feature in features(study)],
    script:
        "../scripts/compare_published.py"
