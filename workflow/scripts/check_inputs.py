from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.checks import check_study_inputs, raise_on_errors
    from helpers.evaluation.tables import write_table

    tracks = [
        {**track, "path": path} for track, path in zip(snakemake.params.tracks, snakemake.input.tracks, strict=False)
    ]
    checks = check_study_inputs(
        snakemake.input.fasta,
        snakemake.params.chromosomes,
        tracks,
        blacklist=next(iter(snakemake.input.blacklist), None),
    )
    raise_on_errors(checks)
    write_table(checks, snakemake.output[0])
