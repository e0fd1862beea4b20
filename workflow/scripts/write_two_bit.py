from helpers.jobs import logged

with logged(snakemake.log[0]):
    import logging

    from helpers.data.two_bit import fasta_to_two_bit

    sizes = fasta_to_two_bit(snakemake.input[0], snakemake.output[0], snakemake.params.chromosomes)
    logging.info("%d contigs with %d bp written", len(sizes), sum(sizes.values()))
