from helpers.jobs import logged

with logged(snakemake.log[0]):
    import logging

    from helpers.data.labels import join_labels

    labels = join_labels(snakemake.input, snakemake.output[0])
    logging.info("labels of %d windows by %d outputs", *labels.shape)
