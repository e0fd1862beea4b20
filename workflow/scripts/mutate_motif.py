from helpers.jobs import logged, put_first

with logged(snakemake.log[0]):
    from helpers.backend import DEVICES, select_backend

    params = snakemake.params
    device = select_backend(params.backend, threads=snakemake.threads, device=DEVICES[snakemake.resources.device])
    put_first(snakemake.log[0], device)

    from helpers.data.regions import read_regions, select_chroms
    from helpers.evaluation.base_mutation import scan_variants, summarize_bases
    from helpers.evaluation.mutation import site_windows, summarize_mutations
    from helpers.evaluation.tables import write_table

    sites = select_chroms(read_regions(snakemake.input.sites), params.chromosomes)
    windows = site_windows(sites, snakemake.input.sequence, binsize=params.binsize, flank=params.flank)
    scans, bases = scan_variants(params.runs, snakemake.input.models, windows, params.motif, seed=params.seed)
    write_table(scans, snakemake.output.sites)
    write_table(summarize_mutations(scans, seed=params.seed), snakemake.output.summary)
    write_table(summarize_bases(bases, seed=params.seed), snakemake.output.bases)
