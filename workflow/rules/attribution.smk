# Chapter 7b: why a model predicts what it predicts. Needs trained models and their datasets; makes attribution/.
# All replicates of a variant are averaged; of a study with folds those of the first.


rule attribute_inputs:
    """Attribute the predictions of test windows to bases and to bins of coverage, with the error of completeness."""
    input:
        models=replicate_models,
        windows="results/{run}/{study}/regions/all.bed",
        test=test_regions,
        datasets=in_first_fold(dataset_files),
        outputs=in_first_fold(target_files),
        predictions=replicate_predictions,
    output:
        attributions="results/{run}/{study}/attribution/{model}/{variant}/attributions.h5",
        windows=report(
            "results/{run}/{study}/attribution/{model}/{variant}/windows.tsv",
            caption="../report/attribution.rst",
            category="{study}",
            labels={"what": "attributed windows, {model} {variant}", "kind": "table"},
        ),
    log:
        "results/{run}/logs/{study}/attribution/{model}/{variant}/attributions.log",
    benchmark:
        "results/{run}/benchmarks/{study}/attribution/{model}/{variant}/attributions.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=lambda wildcards: int(device_of(wildcards) == "gpu"),
        device=device_number,
    params:
        code=code_of("attribute_inputs"),
        plan=in_first_fold(variant_plan),
        output=in_first_fold(output_plan),
        binsize=lambda wildcards: study_of(wildcards)["regions"]["binsize"],
        settings=section_of("attribution", "method", "baseline", "max_steps", "windows"),
        explained=lambda wildcards: attributed_outputs(wildcards.study),
        drawn=lambda wildcards: drawn_regions(wildcards.study, wildcards.model, wildcards.variant),
        seed=config["seed"],
        backend=config["backend"],
    script:
        "../scripts/attribute_inputs.py"


rule export_attribution:
    """Write the attributions of an input to an output as a bigWig track, overlapping windows averaged."""
    input:
        attributions="results/{run}/{study}/attribution/{model}/{variant}/attributions.h5",
        sizes=sizes_of,
    output:
        "results/{run}/{study}/attribution/{model}/{variant}/{input}.{track}.bw",
    log:
        "results/{run}/logs/{study}/attribution/{model}/{variant}/{input}.{track}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/attribution/{model}/{variant}/{input}.{track}.tsv"
    group:
        "tracks"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("export_attribution"),
    script:
        "../scripts/export_attribution.py"


rule rank_bases:
    """Tell how attributions rank the bases of the intervals in which they are expected to peak."""
    input:
        attributions="results/{run}/{study}/attribution/{model}/{variant}/attributions.h5",
        expected=expected_regions("attribution"),
    output:
        report(
            "results/{run}/{study}/attribution/{model}/{variant}/expected.tsv",
            caption="../report/expected_bases.rst",
            category="{study}",
            labels={"what": "attribution where expected, {model} {variant}", "kind": "table"},
        ),
    log:
        "results/{run}/logs/{study}/attribution/{model}/{variant}/expected.log",
    benchmark:
        "results/{run}/benchmarks/{study}/attribution/{model}/{variant}/expected.tsv"
    group:
        "ranks"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("rank_bases"),
        windows=attributed_windows,
    script:
        "../scripts/rank_bases.py"
