from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.export import predictions_to_bigwig
    from helpers.data.regions import read_chrom_sizes
    from helpers.evaluation.predictions import mean_prediction, read_predictions

    mean = mean_prediction([read_predictions(path, ["test"])["test"] for path in snakemake.input.predictions])
    values = mean.prediction[:, mean.outputs.index(snakemake.wildcards.track)]
    predictions_to_bigwig(snakemake.output[0], mean.regions, values, read_chrom_sizes(snakemake.input.sizes))
