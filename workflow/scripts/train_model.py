from helpers.jobs import logged, put_first

with logged(snakemake.log[0]):
    from helpers.backend import DEVICES, select_backend

    params = snakemake.params
    machine = {"threads": snakemake.threads, "device": DEVICES[snakemake.resources.device]}
    device = select_backend(params.backend, seed=params.seed, precision=params.precision, **machine)
    put_first(snakemake.log[0], device)

    from helpers.data.inputs import open_split
    from helpers.data.regions import read_regions
    from helpers.evaluation.predictions import Predictions, write_predictions
    from helpers.evaluation.tables import write_table
    from helpers.model.runs import build_and_fit
    from helpers.model.training import predict, save_model

    windows = read_regions(snakemake.input.windows)
    shared = {"windows": windows, "output": params.output, "binsize": params.binsize}
    splits = {
        name: open_split(params.plan["inputs"], name, regions=snakemake.input[name.removesuffix("_swapped")], **shared)
        for name in ["train", *params.scored]
    }
    model, history = build_and_fit(
        params.plan, splits.pop("train"), splits["validation"], settings=params.training, seed=params.seed
    )
    predictions = {
        name: Predictions(split.regions, split.targets, predict(model, split.inputs), split.outputs)
        for name, split in splits.items()
    }
    write_table(history, snakemake.output.history)
    write_predictions(snakemake.output.predictions, predictions)
    save_model(model, snakemake.output.model)
