from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions
    from helpers.evaluation.tables import write_table
    from helpers.evaluation.variant_files import read_effects
    from helpers.evaluation.variant_ranking import rank_variants

    places, effects, outputs = read_effects(snakemake.input.scores)
    write_table(rank_variants(places, effects, outputs, read_regions(snakemake.input.expected)), snakemake.output[0])
