from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.comparisons import compare_study, model_runs
    from helpers.evaluation.contrasts import StudyModel, list_contrasts
    from helpers.evaluation.feature_effects import class_table, compare_features
    from helpers.evaluation.tables import join_tables, read_table, write_table

    params, predictions = snakemake.params, snakemake.input.predictions
    contrasts = list_contrasts(StudyModel(**model) for model in params.models)
    what = {"study": snakemake.wildcards.study, "metrics": params.metrics}
    each_output = compare_study(
        model_runs(params.runs, predictions) if predictions else [],
        contrasts,
        n_resamples=params.settings["resamples"],
        block_size=params.settings["block_size"],
        seed=params.seed,
        **what,
    )
    scores = read_table(snakemake.input.scores)
    over_outputs = compare_features(scores, contrasts, classes=class_table(params.classes), **what)
    write_table(join_tables([each_output, over_outputs]), snakemake.output[0])
