from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.sources.igv import fetch_igv

    fetch_igv(snakemake.output[0])
