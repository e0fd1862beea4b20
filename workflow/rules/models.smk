# Chapter 5: training and prediction. Every replicate of every variant is a job of one thread, so that a laptop runs
# two side by side and a cluster all of them; the thread count is fixed, because another would change the weights.
# Needs datasets and labels; makes models/{model}/{variant}/fold-{fold}/rep-{replicate}/.


rule train_model:
    """Train one replicate of a variant with early stopping, keep its best weights, and predict the held-out splits.

    Prediction belongs to this job because a process of its own would cost ten times as much as the prediction. Where an
    input is swapped in the test phase, the test split is predicted a second time.
    """
    input:
        targets=split_file("results/{run}/{study}/regions/{folder}targets.tsv"),
        windows="results/{run}/{study}/regions/all.bed",
        train=split_file("results/{run}/{study}/regions/{folder}train.bed"),
        validation=split_file("results/{run}/{study}/regions/{folder}validation.bed"),
        test=split_file("results/{run}/{study}/regions/{folder}test.bed"),
        datasets=dataset_files,
        outputs=target_files,
    output:
        model="results/{run}/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/model.keras",
        history="results/{run}/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/history.tsv",
        predictions="results/{run}/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/predictions.h5",
    log:
        "results/{run}/logs/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/train.log",
    benchmark:
        "results/{run}/benchmarks/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/train.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
        gpu=lambda wildcards: int(device_of(wildcards) == "gpu"),
        device=device_number,
    params:
        code=code_of("train_model"),
        plan=variant_plan,
        output=output_plan,
        training=lambda wildcards: plans.training_settings(study_of(wildcards), wildcards.model),
        scored=lambda wildcards: plans.scored_splits(study_of(wildcards), wildcards.model),
        binsize=lambda wildcards: study_of(wildcards)["regions"]["binsize"],
        seed=lambda wildcards: plans.run_seed(config["seed"], *wildcards),
        backend=config["backend"],
        precision=config["precision"],
    script:
        "../scripts/train_model.py"


rule score_predictions:
    """Score a run's predictions on each split: every metric with the number of windows, positives and the prevalence."""
    input:
        "results/{run}/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/predictions.h5",
    output:
        "results/{run}/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/scores.tsv",
    log:
        "results/{run}/logs/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/score.log",
    benchmark:
        "results/{run}/benchmarks/{study}/models/{model}/{variant}/fold-{fold}/rep-{replicate}/score.tsv"
    group:
        "scores"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code_of("score_predictions"),
        metrics=lambda wildcards: study_of(wildcards)["metrics"],
    script:
        "../scripts/score_predictions.py"
