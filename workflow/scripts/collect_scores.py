from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.evaluation.comparisons import collect_scores, model_runs, summarize
    from helpers.evaluation.tables import read_table, write_table

    runs = model_runs(snakemake.params.runs, snakemake.input)
    scores = collect_scores([(run, read_table(run.path)) for run in runs], study=snakemake.wildcards.study)
    write_table(scores, snakemake.output.scores)
    write_table(summarize(scores), snakemake.output.summary)
