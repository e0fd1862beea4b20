from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.figures import plot_score_figure
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tables import read_table

    figure = plot_score_figure(
        read_table(snakemake.input[0]),
        snakemake.params.figure,
        chromosomes=snakemake.params.chromosomes,
        note=snakemake.params.note,
    )
    save_figure(figure, snakemake.output.svg.removesuffix(".svg"))
