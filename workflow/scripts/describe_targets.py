from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions
    from helpers.data.rows import locate_rows
    from helpers.data.targets import check_drawn, check_targets, describe_targets, open_targets
    from helpers.evaluation.tables import write_table

    stores = list(snakemake.input.targets)
    output = {**snakemake.params.output, "labels": stores[0], "stores": stores}
    windows = read_regions(snakemake.input.regions)
    targets = {
        split: open_targets(output, locate_rows(read_regions(snakemake.input[split]), windows))
        for split in ("train", "validation", "test")
    }
    check_targets(targets)
    check_drawn(snakemake.params.drawn, read_regions(snakemake.input.test))
    write_table(describe_targets(targets), snakemake.output[0])
