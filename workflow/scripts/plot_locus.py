from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.coverage import Cover
    from helpers.data.regions import parse_region
    from helpers.evaluation.attribution_logos import attribution_tracks, zoom_on_strongest
    from helpers.evaluation.plots import plot_locus
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tracks import IntervalTrack, LineTrack

    inputs, params = snakemake.input, snakemake.params
    predictions = [
        LineTrack(path, label=f"predicted ({name})", ylim=(0, 1))
        for name, path in zip(params.predictions, inputs.tracks, strict=True)
    ]
    peaks = [IntervalTrack(path, label=name) for name, path in zip(params.outputs, inputs.labels, strict=True)]
    coverage = [
        LineTrack(Cover.create_from_store(name, [path], conditions=[name]), label=name)
        for name, path in zip(params.coverage, inputs.coverage, strict=True)
    ]
    tracks, zoom = [*predictions, *peaks, *coverage], None
    region = parse_region(params.figure["region"])[:3]
    if "attribution" in params.figure:
        attributed = attribution_tracks(inputs.attributions, region, name=params.figure["attribution"]["model"])
        tracks, zoom = [*tracks, *attributed], zoom_on_strongest(attributed, region, params.figure["logo"])
    figure = plot_locus(tracks, *region, note=params.note, zoom=zoom)
    save_figure(figure, snakemake.output.svg.removesuffix(".svg"))
