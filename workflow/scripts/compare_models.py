from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.comparisons import StudyModel, compare_study, list_contrasts, model_runs
    from helpers.evaluation.tables import write_table
    from helpers.study import expand_grids

    models = [
        StudyModel(name, expand_grids(model.get("variants", [])), model["architecture"], model.get("of"))
        for name, model in snakemake.params.models.items()
    ]
    comparisons = compare_study(
        model_runs(snakemake.params.runs, snakemake.input),
        list_contrasts(models),
        study=snakemake.wildcards.study,
        metrics=snakemake.params.metrics,
        n_resamples=snakemake.params.settings["resamples"],
        block_size=snakemake.params.settings["block_size"],
        seed=snakemake.params.seed,
    )
    write_table(comparisons, snakemake.output[0])
