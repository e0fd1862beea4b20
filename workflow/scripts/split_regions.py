from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions, write_regions
    from helpers.data.split_checks import check_splits
    from helpers.data.splitting import split_regions

    regions, parts = read_regions(snakemake.input[0]), snakemake.params.parts
    splits, overlapping = split_regions(regions, parts, reach=snakemake.params.reach)
    fold = snakemake.wildcards.folder.removeprefix("fold-").removesuffix("/")
    check_splits(splits, parts, overlapping, fold=fold)
    for split, table in splits.items():
        write_regions(table, snakemake.output[split])
    write_regions(overlapping, snakemake.output.overlapping)
