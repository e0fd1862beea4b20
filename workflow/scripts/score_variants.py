from helpers.jobs import logged, put_first

with logged(snakemake.log[0]):
    from helpers.backend import DEVICES, select_backend

    params = snakemake.params
    device = select_backend(params.backend, threads=snakemake.threads, device=DEVICES[snakemake.resources.device])
    put_first(snakemake.log[0], device)

    from helpers.data.storage import GenomeArray
    from helpers.evaluation.variant_effects import EffectModel
    from helpers.evaluation.variant_scoring import score_variants
    from helpers.model.training import load_model

    models = [load_model(path) for path in snakemake.input.models]
    model = EffectModel.of_plan(models, params.plan["inputs"], binsize=params.binsize, outputs=params.outputs)
    genome = GenomeArray.open(snakemake.input.sequence)
    files = dict(snakemake.output.items())
    counts = score_variants(model, genome, snakemake.input.variants, files, mismatch=params.settings["mismatch"])
    print(counts.to_string(index=False), flush=True)
