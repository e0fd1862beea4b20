from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.coverage import Cover
    from helpers.data.regions import parse_region, read_regions
    from helpers.evaluation.plots import plot_locus
    from helpers.evaluation.style import save_figure
    from helpers.evaluation.tracks import IntervalTrack, LineTrack

    inputs, params = snakemake.input, snakemake.params
    predictions = [
        LineTrack(path, label=f"predicted ({name})", ylim=(0, 1))
        for name, path in zip(params.predictions, inputs.tracks, strict=True)
    ]
    peaks = [
        IntervalTrack(read_regions(path), label=name) for name, path in zip(params.outputs, inputs.labels, strict=True)
    ]
    coverage = [
        LineTrack(Cover.create_from_store(name, [path], conditions=[name]), label=name)
        for name, path in zip(params.coverage, inputs.coverage, strict=True)
    ]
    tracks = [*predictions, *peaks, *coverage]
    region = parse_region(params.figure["region"])
    figure = plot_locus(tracks, region.chrom, region.start, region.end, note=params.note)
    save_figure(figure, snakemake.output.svg.removesuffix(".svg"))
