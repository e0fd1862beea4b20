from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.feature_effects import class_table
    from helpers.evaluation.published import compare_published, read_published
    from helpers.evaluation.tables import read_table, write_table

    scores = {
        study: read_table(path) for study, path in zip(snakemake.params.studies, snakemake.input.scores, strict=True)
    }
    (sheet,) = snakemake.input.published
    statements = read_published(sheet)
    write_table(compare_published(statements, scores, class_table(snakemake.params.classes)), snakemake.output[0])
