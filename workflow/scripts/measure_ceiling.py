from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions
    from helpers.data.rows import locate_rows
    from helpers.data.targets import open_targets
    from helpers.evaluation.reliability import measure_ceilings
    from helpers.evaluation.tables import write_table

    params, inputs = snakemake.params, snakemake.input
    rows = locate_rows(read_regions(inputs.test), read_regions(inputs.windows))
    signals = open_targets(params.output, rows)
    ceilings = measure_ceilings(
        dict(zip(signals.conditions, signals.data.T, strict=True)),
        types=params.types,
        count=params.counting,
        normalize=params.normalize,
        split="test",
        seed=params.seed,
    )
    write_table(ceilings, snakemake.output[0])
