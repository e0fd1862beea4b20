from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.export import predictions_to_bigwig
    from helpers.data.regions import read_chrom_sizes
    from helpers.evaluation.prediction_columns import mean_column

    mean = mean_column(snakemake.input.predictions, "test", snakemake.wildcards.track)
    predictions_to_bigwig(snakemake.output[0], mean.regions, mean.values, read_chrom_sizes(snakemake.input.sizes))
