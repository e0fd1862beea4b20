# Chapter 2: which windows, and what is true of them.
# Needs checked peaks and a blacklist; makes the ROI's bins, the split by chromosome, and the labels.
# Merge, extend, subtract, trim and tile; split; label. On demand: a track trimmed to multiples of a length.


rule make_regions:
    """Tile the merged, extended peaks minus the blacklist, on the genome's grid of the bin size."""
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
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("make_regions"),
        regions=lambda wildcards: study_of(wildcards)["regions"],
        chromosomes=lambda wildcards: genome_of(wildcards)["chromosomes"],
    script:
        "../scripts/make_regions.py"


rule split_regions:
    """Split the bins by chromosome into training, validation and test."""
    input:
        "results/{run}/{study}/regions/all.bed",
    output:
        train="results/{run}/{study}/regions/{folder}train.bed",
        validation="results/{run}/{study}/regions/{folder}validation.bed",
        test="results/{run}/{study}/regions/{folder}test.bed",
    log:
        "results/{run}/logs/{study}/regions/{folder}split.log",
    benchmark:
        "results/{run}/benchmarks/{study}/regions/{folder}split.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("split_regions"),
        chromosomes=split_chromosomes,
    script:
        "../scripts/split_regions.py"


rule label_regions:
    """Label each bin of every split: 1 where it overlaps a feature of the output's track, else 0."""
    input:
        train="results/{run}/{study}/regions/{folder}train.bed",
        validation="results/{run}/{study}/regions/{folder}validation.bed",
        test="results/{run}/{study}/regions/{folder}test.bed",
        tracks=lambda wildcards: resources(study_of(wildcards)["output"]["tracks"]),
    output:
        train="results/{run}/{study}/data/labels/{folder}train.h5",
        validation="results/{run}/{study}/data/labels/{folder}validation.h5",
        test="results/{run}/{study}/data/labels/{folder}test.h5",
    log:
        "results/{run}/logs/{study}/data/labels/{folder}labels.log",
    benchmark:
        "results/{run}/benchmarks/{study}/data/labels/{folder}labels.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("label_regions"),
        names=lambda wildcards: study_of(wildcards)["output"]["tracks"],
        overlap=lambda wildcards: study_of(wildcards)["output"]["overlap"],
    script:
        "../scripts/label_regions.py"


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
