# Chapter 7c: what a model looks for. Needs trained models, known motifs and, for k-mers and patterns, attributions; makes
# motifs/.


rule find_motifs:
    """Read off the test windows what the filters of the first layer look for, and match it with known motifs."""
    input:
        models=replicate_models,
        windows="results/{run}/{study}/regions/all.bed",
        test=test_regions,
        datasets=in_first_fold(dataset_files),
        outputs=in_first_fold(target_files),
        database=lambda wildcards: resource(study_of(wildcards)["motifs"]["database"]),
        attributions=own_attributions,
    output:
        meme="results/{run}/{study}/motifs/{model}/{variant}/filters.meme",
        table=report(
            "results/{run}/{study}/motifs/{model}/{variant}/filters.tsv",
            caption="../report/filters.rst",
            category="{study}",
            labels={"what": "filters, {model} {variant}", "kind": "table"},
        ),
        matches="results/{run}/{study}/motifs/{model}/{variant}/matches.tsv",
        kmers="results/{run}/{study}/motifs/{model}/{variant}/kmers.tsv",
        svg="results/{run}/{study}/motifs/{model}/{variant}/filters.svg",
        png=report(
            "results/{run}/{study}/motifs/{model}/{variant}/filters.png",
            caption="../report/filters.rst",
            category="{study}",
            labels={"what": "filters, {model} {variant}", "kind": "figure"},
        ),
    log:
        "results/{run}/logs/{study}/motifs/{model}/{variant}/filters.log",
    benchmark:
        "results/{run}/benchmarks/{study}/motifs/{model}/{variant}/filters.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=lambda wildcards: int(device_of(wildcards) == "gpu"),
        device=device_number,
    params:
        code=code_of("find_motifs"),
        plan=in_first_fold(variant_plan),
        output=in_first_fold(output_plan),
        binsize=lambda wildcards: study_of(wildcards)["regions"]["binsize"],
        settings=section_of("motifs", "windows"),
        attributed=attributed_windows,
        note=config["note"],
        backend=config["backend"],
    script:
        "../scripts/find_motifs.py"


rule find_patterns:
    """Group the stretches of high attribution into patterns by TF-MoDISco, and match them with known motifs."""
    input:
        attributions=own_attributions,
        sequence=sequence_of,
        database=lambda wildcards: resource(study_of(wildcards)["motifs"]["database"]),
    output:
        meme="results/{run}/{study}/motifs/{model}/{variant}/patterns.meme",
        matches="results/{run}/{study}/motifs/{model}/{variant}/patterns.tsv",
    log:
        "results/{run}/logs/{study}/motifs/{model}/{variant}/patterns.log",
    benchmark:
        "results/{run}/benchmarks/{study}/motifs/{model}/{variant}/patterns.tsv"
    conda:
        "../../envs/model.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("find_patterns"),
        windows=attributed_windows,
        plan=in_first_fold(variant_plan),
    script:
        "../scripts/find_patterns.py"
