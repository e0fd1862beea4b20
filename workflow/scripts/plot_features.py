from helpers.jobs import logged

with logged(snakemake.log[0]):
    import pandas as pd

    from helpers.evaluation.figures import plot_feature_figure
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tables import read_table

    params = snakemake.params
    figure = plot_feature_figure(
        read_table(snakemake.input[0]),
        params.figure,
        features=pd.DataFrame(params.features).set_index("track"),
        chromosomes=params.chromosomes,
        note=params.note,
    )
    save_figure(figure, snakemake.output.svg.removesuffix(".svg"))
