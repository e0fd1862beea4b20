from helpers.jobs import logged, put_first

with logged(snakemake.log[0]):
    from helpers.backend import DEVICES, select_backend

    params, settings = snakemake.params, snakemake.params.settings
    device = select_backend(params.backend, threads=snakemake.threads, device=DEVICES[snakemake.resources.device])
    put_first(snakemake.log[0], device)

    from helpers.data.inputs import open_split
    from helpers.evaluation.attribution_files import write_attributions
    from helpers.evaluation.attribution_windows import choose_windows, describe_windows
    from helpers.evaluation.located_attribution import attribute_windows
    from helpers.evaluation.tables import write_table
    from helpers.model.training import load_model

    chosen = choose_windows(
        snakemake.input.predictions, "test", params.explained, count=settings["windows"], always=params.drawn
    )
    split = open_split(
        params.plan["inputs"],
        "test",
        regions=chosen.regions,
        windows=snakemake.input.windows,
        output=params.output,
        binsize=params.binsize,
    )
    found = attribute_windows(
        [load_model(path) for path in snakemake.input.models],
        split.inputs,
        outputs={name: split.outputs.index(name) for name in params.explained},
        method=settings["method"],
        baseline=settings["baseline"],
        max_steps=settings["max_steps"],
        seed=params.seed,
    )
    write_attributions(snakemake.output.attributions, found)
    write_table(describe_windows(chosen, found), snakemake.output.windows)
