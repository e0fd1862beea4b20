# Chapter 2: which windows.
# Needs checked peaks, bins or genes, and a blacklist; makes the windows and their splits, none of which touches another.
# Merge, extend, subtract, trim and tile, or go upstream of genes; split. On demand: a track trimmed to multiples of a length.


rule make_regions:
    """Make the windows: bins around peaks or given bins, minus the blacklist, or promoters upstream of genes."""
    input:
        checks=ancient("results/{run}/{study}/checks.tsv"),
        track=lambda wildcards: resource(study_of(wildcards)["regions"]["track"]),
        blacklist=blacklist_of,
        sizes=sizes_of,
    output:
        regions="results/{run}/{study}/regions/all.bed",
        dropped="results/{run}/{study}/regions/dropped.bed",
    log:
        "results/{run}/logs/{study}/regions/all.log",
    benchmark:
        "results/{run}/benchmarks/{study}/regions/all.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("make_regions"),
        regions=lambda wildcards: study_of(wildcards)["regions"],
        chromosomes=lambda wildcards: genome_of(wildcards)["chromosomes"],
    script:
        "../scripts/make_regions.py"


rule split_regions:
    """Split the windows into training, validation and test; those that reach into a held-out window are put aside."""
    input:
        "results/{run}/{study}/regions/all.bed",
    output:
        train="results/{run}/{study}/regions/{folder}train.bed",
        validation="results/{run}/{study}/regions/{folder}validation.bed",
        test="results/{run}/{study}/regions/{folder}test.bed",
        overlapping="results/{run}/{study}/regions/{folder}overlapping.bed",
    log:
        "results/{run}/logs/{study}/regions/{folder}split.log",
    benchmark:
        "results/{run}/benchmarks/{study}/regions/{folder}split.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("split_regions"),
        parts=split_parts,
        reach=lambda wildcards: plans.reach(study_of(wildcards)),
    script:
        "../scripts/split_regions.py"


rule trim_track:
    """Trim the intervals of a track to multiples of some bp, starts up and ends down, when asked for by path."""
    input:
        lambda wildcards: resource(wildcards.track),
    output:
        "results/{run}/trimmed/{track}.{multiple}bp.bed",
    log:
        "results/{run}/logs/trimmed/{track}.{multiple}bp.log",
    benchmark:
        "results/{run}/benchmarks/trimmed/{track}.{multiple}bp.tsv"
    wildcard_constraints:
        multiple=r"[1-9]\d*",
    conda:
        "../../envs/data.yaml"
    params:
        code=module_code("helpers.data.trim"),
    shell:
        "python -m helpers.data.trim {input:q} {output:q} --divisible-by {wildcards.multiple} 2> {log:q}"
