from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_chrom_sizes, read_regions, write_regions
    from helpers.data.roi import dropped_regions, make_regions

    lengths = read_chrom_sizes(snakemake.input.sizes)
    sizes = {name: lengths[name] for name in snakemake.params.chromosomes}
    blacklist = next((read_regions(path) for path in snakemake.input.blacklist), None)
    settings = snakemake.params.regions
    features = read_regions(snakemake.input.track, feature="gene" if settings["kind"] == "promoters" else None)
    regions = make_regions(features, sizes, settings, blacklist=blacklist)
    write_regions(dropped_regions(features, sizes, settings, regions), snakemake.output.dropped)
    write_regions(regions, snakemake.output.regions)
