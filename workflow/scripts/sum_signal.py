from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_chrom_sizes, read_regions
    from helpers.data.window_signal import save_signal, sum_windows

    settings = snakemake.params.settings
    rule = {
        "count": settings["count"],
        "mates": settings["mates"],
        "min_mapq": settings["min_mapq"],
        "shift": (settings["shift"]["plus"], settings["shift"]["minus"]),
        "keep_duplicates": settings["duplicates"],
        "require_flags": settings["require_flags"],
        "exclude_flags": settings["exclude_flags"],
    }
    signal = sum_windows(
        snakemake.input.track,
        read_regions(snakemake.input.regions),
        kind=snakemake.params.type,
        sizes=read_chrom_sizes(snakemake.input.sizes),
        flank=settings["flank"],
        strands=settings["strands"],
        rule=rule,
    )
    save_signal(signal, snakemake.output[0])
