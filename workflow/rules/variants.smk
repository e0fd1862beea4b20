# Chapter 7d: what variants change. Needs trained models, the sequence and a VCF file; makes variants/.


rule score_variants:
    """Predict what each variant changes, mean over strands and replicates, with the spread over the latter."""
    input:
        models=replicate_models,
        sequence=sequence_of,
        variants=lambda wildcards: resource(study_of(wildcards)["variants"]["track"]),
        datasets=in_first_fold(dataset_files),
    output:
        table="results/{run}/{study}/variants/{model}/{variant}/effects.tsv.gz",
        scores="results/{run}/{study}/variants/{model}/{variant}/effects.h5",
        vcf="results/{run}/{study}/variants/{model}/{variant}/annotated.vcf.gz",
        bed="results/{run}/{study}/variants/{model}/{variant}/variants.bed.gz",
        counts=report(
            "results/{run}/{study}/variants/{model}/{variant}/counts.tsv",
            caption="../report/variant_counts.rst",
            category="{study}",
            labels={"what": "scored variants, {model} {variant}", "kind": "table"},
        ),
    log:
        "results/{run}/logs/{study}/variants/{model}/{variant}/effects.log",
    benchmark:
        "results/{run}/benchmarks/{study}/variants/{model}/{variant}/effects.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
        gpu=lambda wildcards: int(device_of(wildcards) == "gpu"),
        device=device_number,
    params:
        code=code_of("score_variants"),
        plan=in_first_fold(variant_plan),
        settings=section_of("variants", "mismatch"),
        outputs=lambda wildcards: study_of(wildcards)["output"]["tracks"],
        binsize=lambda wildcards: study_of(wildcards)["regions"]["binsize"],
        backend=config["backend"],
    script:
        "../scripts/score_variants.py"


rule rank_variants:
    """Tell whether variants in the intervals in which they are expected to matter change predictions more than others."""
    input:
        scores="results/{run}/{study}/variants/{model}/{variant}/effects.h5",
        expected=expected_regions("variants"),
    output:
        report(
            "results/{run}/{study}/variants/{model}/{variant}/expected.tsv",
            caption="../report/expected_variants.rst",
            category="{study}",
            labels={"what": "variants where expected, {model} {variant}", "kind": "table"},
        ),
    log:
        "results/{run}/logs/{study}/variants/{model}/{variant}/expected.log",
    benchmark:
        "results/{run}/benchmarks/{study}/variants/{model}/{variant}/expected.tsv"
    group:
        "ranks"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("rank_variants"),
    script:
        "../scripts/rank_variants.py"
