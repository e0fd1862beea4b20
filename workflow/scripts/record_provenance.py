from helpers.jobs import logged

with logged(snakemake.log[0]):
    from pathlib import Path

    from helpers.evaluation.provenance import collect_provenance, device_lines, write_provenance

    config = snakemake.params.config
    provenance = collect_provenance(
        config,
        seeds={"seed": config["seed"]},
        inputs=dict(zip(snakemake.params.names, snakemake.input.tracks, strict=False)),
        backend=config["backend"],
        device=device_lines(snakemake.params.training_logs),
        workflow=Path(__file__).parents[2],
    )
    write_provenance(provenance, snakemake.output[0])
