from helpers.jobs import logged

with logged(snakemake.log[0]):
    import pandas as pd

    from helpers.evaluation.plots import plot_training_curves
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tables import read_table

    histories = pd.concat(
        [
            read_table(path).assign(**{key: run[key] for key in ("model", "variant", "fold", "replicate")})
            for run, path in zip(snakemake.params.runs, snakemake.input, strict=True)
        ]
    )
    figure = plot_training_curves(histories, note=snakemake.params.note, loss=snakemake.params.loss)
    save_figure(figure, snakemake.output.svg.removesuffix(".svg"))
