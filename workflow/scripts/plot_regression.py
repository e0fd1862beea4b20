from helpers.jobs import logged

with logged(snakemake.log[0]):
    import pandas as pd

    from helpers.evaluation.figures import plot_regression_figure
    from helpers.evaluation.predictions import read_predictions
    from helpers.evaluation.style import save_figure

    params = snakemake.params
    split = params.figure["split"]
    figure = plot_regression_figure(
        [read_predictions(path, [split])[split] for path in snakemake.input],
        params.figure,
        features=pd.DataFrame(params.features).set_index("track"),
        chromosomes=params.chromosomes,
        normalize=params.normalize,
        note=params.note,
    )
    save_figure(figure, snakemake.output.svg.removesuffix(".svg"))
