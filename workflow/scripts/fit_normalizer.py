from helpers.jobs import logged

with logged(snakemake.log[0]):
    import logging

    from helpers.data.normalization import fit_normalizer, save_normalizer
    from helpers.data.regions import read_regions
    from helpers.data.rows import locate_rows
    from helpers.data.storage import GenomeArray
    from helpers.data.window_signal import fit_signal_normalizer, load_signal

    wildcards, fit_on = snakemake.wildcards, snakemake.params.fit_on
    training = read_regions(snakemake.input.regions) if fit_on == "train" else None
    if snakemake.params.whole:
        windows = read_regions(snakemake.input.windows)
        normalizer = fit_signal_normalizer(
            wildcards.normalizer,
            load_signal(snakemake.input.store),
            locate_rows(windows if training is None else training, windows),
            track=wildcards.track,
            where="all windows" if training is None else f"the training windows of fold {wildcards.fold}",
        )
    else:
        coverage = GenomeArray.open(snakemake.input.store)
        normalizer = fit_normalizer(
            wildcards.normalizer,
            coverage,
            training,
            resolution=coverage.attrs["resolution"],
            flank=snakemake.params.flank,
        )
    logging.info("fitted on %s: %s", fit_on, normalizer.to_dict())
    save_normalizer(normalizer, snakemake.output[0])
