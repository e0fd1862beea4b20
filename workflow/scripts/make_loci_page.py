from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions
    from helpers.data.storage import GenomeArray
    from helpers.evaluation import loci, loci_page
    from helpers.evaluation import loci_tracks as tracks
    from helpers.evaluation.attribution_files import read_attributions

    inputs, params = snakemake.input, snakemake.params
    outputs = list(params.outputs)[: loci_page.MOST_OUTPUTS]
    genome = GenomeArray.open(inputs.sequence)
    windows = loci.mean_predictions(inputs.predictions, outputs)
    effects = loci.read_effect_table(inputs.effects, outputs) if inputs.effects else None
    numbers = {name: params.settings[name] for name in ("top", "wrong", "variants")}
    chosen = loci.choose_loci(windows, effects, labels=params.labels, **numbers)
    views = tracks.locus_views(chosen, genome.sizes)
    near = tracks.join_views(views)

    drawn = list(tracks.window_tracks(windows, near))
    for output, path in zip(outputs, inputs.peaks, strict=False):
        drawn.append(tracks.region_track("peaks", read_regions(path), near, output))
    if inputs.attributions:
        attributions = read_attributions(inputs.attributions)
        drawn += [track for output in outputs for track in tracks.attribution_tracks(attributions, near, output)]
    if effects is not None:
        drawn += [tracks.variant_track(effects, near, output) for output in outputs]
    for name, path in zip(params.coverage, inputs.coverage, strict=True):
        drawn.append(tracks.coverage_track(name, path, near))

    shown = "" if len(outputs) == len(params.outputs) else f"the first {len(outputs)} of {len(params.outputs)} outputs"
    note = "; ".join(filter(None, [params.note, shown]))
    sequence = tracks.sequence_text(genome, near)
    page = loci_page.LociPage(params.study, note, chosen, views, loci.kind_names(labels=params.labels), sequence, drawn)
    loci_page.write_loci_page(snakemake.output[0], page, inputs.igv)
