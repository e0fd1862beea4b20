from helpers.jobs import logged

with logged(snakemake.log[0]):
    import logging

    from helpers.data.normalization import fit_normalizer, save_normalizer
    from helpers.data.regions import read_regions
    from helpers.data.storage import GenomeArray

    coverage = GenomeArray.open(snakemake.input.store)
    regions = read_regions(snakemake.input.regions) if snakemake.params.fit_on == "train" else None
    normalizer = fit_normalizer(
        snakemake.wildcards.normalizer,
        coverage,
        regions,
        resolution=coverage.attrs["resolution"],
        flank=snakemake.params.flank,
    )
    logging.info("fitted on %s: %s", snakemake.params.fit_on, normalizer.to_dict())
    save_normalizer(normalizer, snakemake.output[0])
