from helpers.jobs import logged

with logged(snakemake.log[0]):
    import logging

    from helpers.data.regions import write_chrom_sizes
    from helpers.data.sequence import encode_fasta

    sizes = encode_fasta(snakemake.input[0], snakemake.output.store, chroms=snakemake.params.chromosomes)
    logging.info("%d contigs with %d bp encoded", len(sizes), sum(sizes.values()))
    write_chrom_sizes(sizes, snakemake.output.sizes)
