from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import make_regions, read_chrom_sizes, read_regions, write_regions

    sizes = read_chrom_sizes(snakemake.input.sizes)
    blacklist = [read_regions(path) for path in snakemake.input.blacklist]
    regions = make_regions(
        read_regions(snakemake.input.track),
        {name: sizes[name] for name in snakemake.params.chromosomes},
        snakemake.params.regions,
        blacklist=next(iter(blacklist), None),
    )
    write_regions(regions, snakemake.output[0])
