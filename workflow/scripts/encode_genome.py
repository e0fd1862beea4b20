from helpers.jobs import logged

with logged(snakemake.log[0]):
    import logging

    from helpers.data.regions import write_chrom_sizes
    from helpers.data.sequence import encode_fasta

    used = snakemake.params.chromosomes  # variants may lie on other contigs, which are encoded too
    sizes = encode_fasta(snakemake.input[0], snakemake.output.store, needed=used)
    logging.info("%d contigs with %d bp encoded", len(sizes), sum(sizes.values()))
    write_chrom_sizes({name: size for name, size in sizes.items() if name in used}, snakemake.output.sizes)
