from helpers.jobs import logged, put_first

with logged(snakemake.log[0]):
    from helpers.backend import DEVICES, select_backend

    inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
    device = select_backend(params.backend, threads=snakemake.threads, device=DEVICES[snakemake.resources.device])
    put_first(snakemake.log[0], device)

    from helpers.data.inputs import open_split
    from helpers.data.motifs import read_motifs, write_motifs
    from helpers.evaluation.attribution_kmers import kmer_motifs, weigh_file
    from helpers.evaluation.filters import filter_table, find_filters
    from helpers.evaluation.motif_matching import match_motifs
    from helpers.evaluation.motif_plots import plot_filters
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tables import write_table

    readings, database = params.plan["inputs"], read_motifs(inputs.database)
    shared = {"windows": inputs.windows, "output": params.output, "binsize": params.binsize}
    split = open_split(readings, "test", regions=inputs.test, **shared)
    filters = find_filters(inputs.models, split.inputs, split.outputs, windows=params.settings["windows"])
    motifs = [one.motif for one in filters if one.motif is not None]
    kmers = weigh_file(inputs.get("attributions"), readings, params.attributed)
    matches = match_motifs([*motifs, *kmer_motifs(kmers)], database)
    write_motifs(outputs.meme, motifs)
    write_table(kmers, outputs.kmers)
    write_table(matches, outputs.matches)
    write_table(filter_table(filters, matches), outputs.table)
    save_figure(plot_filters(filters, matches, note=params.note), outputs.svg.removesuffix(".svg"))
