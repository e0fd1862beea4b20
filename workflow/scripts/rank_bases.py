from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions
    from helpers.evaluation.attribution_files import read_attributions
    from helpers.evaluation.expected import rank_bases
    from helpers.evaluation.tables import write_table

    attributions = read_attributions(snakemake.input.attributions).first(snakemake.params.windows)
    write_table(rank_bases(attributions, read_regions(snakemake.input.expected)), snakemake.output[0])
