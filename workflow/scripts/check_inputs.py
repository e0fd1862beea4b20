from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.checks import inspect_study
    from helpers.data.findings import raise_on_errors
    from helpers.evaluation.tables import write_table

    tracks = [
        {**track, "path": path} for track, path in zip(snakemake.params.tracks, snakemake.input.tracks, strict=False)
    ]
    checks = inspect_study(
        snakemake.input.fasta,
        snakemake.params.chromosomes,
        tracks,
        blacklist=next(iter(snakemake.input.blacklist), None),
        splits=snakemake.params.splits,
    )
    raise_on_errors(checks.findings)
    write_table(checks.findings, snakemake.output.checks)
    write_table(checks.contigs, snakemake.output.contigs)
