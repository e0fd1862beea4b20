from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.metrics import score_predictions
    from helpers.evaluation.predictions import read_predictions
    from helpers.evaluation.tables import write_table

    scores = score_predictions(read_predictions(snakemake.input[0]), snakemake.params.metrics)
    write_table(scores, snakemake.output[0])
