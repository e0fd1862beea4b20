from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_chrom_sizes
    from helpers.evaluation.attribution_files import read_attributions, write_attribution_track

    found, wildcards = read_attributions(snakemake.input.attributions), snakemake.wildcards
    sizes = read_chrom_sizes(snakemake.input.sizes)
    write_attribution_track(snakemake.output[0], found, wildcards.track, wildcards.input, sizes)
