from helpers.jobs import logged

with logged(snakemake.log[0]):
    import logging

    from helpers.data.bam import store_bam_coverage

    settings = snakemake.params.settings
    summary = store_bam_coverage(
        snakemake.input.alignments,
        snakemake.output[0],
        resolution=settings["resolution"],
        chroms=snakemake.params.chromosomes,
        count=settings["count"],
        min_mapq=settings["min_mapq"],
        mates=settings["mates"],
        shift=(settings["shift"]["plus"], settings["shift"]["minus"]),
        stranded=settings["stranded"],
        keep_duplicates=settings["duplicates"],
        require_flags=settings["require_flags"],
        exclude_flags=settings["exclude_flags"],
    )
    left_out = ", ".join(f"{number} {reason}" for reason, number in summary.dropped.items() if number) or "none"
    logging.info("%d of %d alignments counted; left out: %s", summary.kept, summary.reads, left_out)
    logging.info("reads marked as duplicates %s", "count" if settings["duplicates"] else "are left out")
