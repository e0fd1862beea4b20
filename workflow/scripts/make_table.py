from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.summary_tables import make_table
    from helpers.evaluation.tables import read_table, write_table

    settings = snakemake.params.table
    table = make_table(
        read_table(snakemake.input.scores),
        models=settings["models"],
        metric=settings["metric"],
        split=settings["split"],
        ceilings=next((read_table(path) for path in snakemake.input.ceilings), None),
    )
    write_table(table, snakemake.output[0])
