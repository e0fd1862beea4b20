from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.labels import label_regions, save_labels
    from helpers.data.regions import read_regions
    from helpers.data.split_checks import check_labels

    names, tracks, overlap = snakemake.params.names, snakemake.input.tracks, snakemake.params.overlap
    labels = {
        split: label_regions(read_regions(snakemake.input[split]), tracks, names, overlap=overlap)
        for split in ("train", "validation", "test")
    }
    check_labels(labels)
    for split, table in labels.items():
        save_labels(table, snakemake.output[split])
