from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.motifs import read_motifs, write_motifs
    from helpers.evaluation.attribution_files import read_attributions
    from helpers.evaluation.attribution_kmers import genomes_of
    from helpers.evaluation.modisco import attribution_patterns
    from helpers.evaluation.motif_matching import match_motifs
    from helpers.evaluation.tables import write_table

    attributions = read_attributions(snakemake.input.attributions).first(snakemake.params.windows)
    patterns = attribution_patterns(attributions, genomes_of(snakemake.params.plan["inputs"]))
    write_motifs(snakemake.output.meme, patterns)
    write_table(match_motifs(patterns, read_motifs(snakemake.input.database)), snakemake.output.matches)
