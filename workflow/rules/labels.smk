# Chapter 4: what is true of the windows.
# Needs the windows and the tracks of the output; makes one bit for each label, or the signal of each window, and a table of
# what there is to learn and to score in each split. Hundreds of tracks are labelled in batches, one job each.


rule label_regions:
    """Label all windows by a batch of tracks: 1 where a window overlaps a feature of the track as far as asked, else 0."""
    input:
        regions="results/{run}/{study}/regions/all.bed",
        tracks=lambda wildcards: resources(label_batch(wildcards)),
    output:
        "results/{run}/{study}/data/labels/part-{part}.h5",
    log:
        "results/{run}/logs/{study}/data/labels/part-{part}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/data/labels/part-{part}.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("label_regions"),
        names=label_batch,
        overlap=lambda wildcards: study_of(wildcards)["output"]["overlap"],
    script:
        "../scripts/label_regions.py"


rule join_labels:
    """Put the labels of all batches side by side."""
    input:
        label_parts,
    output:
        "results/{run}/{study}/data/labels/all.h5",
    log:
        "results/{run}/logs/{study}/data/labels/all.log",
    benchmark:
        "results/{run}/benchmarks/{study}/data/labels/all.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code_of("join_labels"),
    script:
        "../scripts/join_labels.py"


rule describe_targets:
    """Count what there is to learn, to score and to draw in each split; stop where there is nothing."""
    input:
        regions="results/{run}/{study}/regions/all.bed",
        train="results/{run}/{study}/regions/{folder}train.bed",
        validation="results/{run}/{study}/regions/{folder}validation.bed",
        test="results/{run}/{study}/regions/{folder}test.bed",
        targets=target_stores,
    output:
        "results/{run}/{study}/regions/{folder}targets.tsv",
    log:
        "results/{run}/logs/{study}/regions/{folder}targets.log",
    benchmark:
        "results/{run}/benchmarks/{study}/regions/{folder}targets.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code_of("describe_targets"),
        output=lambda wildcards: {key: study_of(wildcards)["output"][key] for key in ("kind", "tracks")},
        drawn=lambda wildcards: drawn_regions(wildcards.study),
    script:
        "../scripts/describe_targets.py"
