from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.figures import find_ceiling, plot_score_figure
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tables import read_table

    params = snakemake.params
    ceilings = next(map(read_table, snakemake.input.ceiling), None)
    figure = plot_score_figure(
        read_table(snakemake.input[0]),
        params.figure,
        chromosomes=params.chromosomes,
        note=params.note,
        ceiling=None if ceilings is None else find_ceiling(ceilings, params.figure),
    )
    save_figure(figure, snakemake.output.svg.removesuffix(".svg"))
