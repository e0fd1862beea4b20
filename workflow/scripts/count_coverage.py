from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.bam import store_bam_coverage

    settings = snakemake.params.settings
    store_bam_coverage(
        snakemake.input.alignments,
        snakemake.output[0],
        resolution=settings["resolution"],
        chroms=snakemake.params.chromosomes,
        min_mapq=settings["min_mapq"],
        mates=settings["mates"],
        shift=(settings["shift"]["plus"], settings["shift"]["minus"]),
        stranded=settings["stranded"],
        keep_duplicates=settings["duplicates"],
    )
