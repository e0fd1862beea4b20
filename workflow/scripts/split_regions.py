from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions, select_chroms, write_regions
    from helpers.data.split_checks import check_splits

    regions = read_regions(snakemake.input[0])
    chromosomes = snakemake.params.chromosomes
    splits = {split: select_chroms(regions, names) for split, names in chromosomes.items()}
    check_splits(splits, chromosomes)
    for split, table in splits.items():
        write_regions(table, snakemake.output[split])
