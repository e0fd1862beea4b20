from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.labels import label_regions, save_labels
    from helpers.data.regions import read_regions

    regions = read_regions(snakemake.input.regions)
    labels = label_regions(regions, snakemake.input.tracks, snakemake.params.names, overlap=snakemake.params.overlap)
    save_labels(labels, snakemake.output[0])
