from helpers.jobs import logged

with logged(snakemake.log[0]):
    from helpers.data.regions import read_regions, write_regions
    from helpers.evaluation.cores import motif_cores

    motif, sites = snakemake.params.motif, read_regions(snakemake.input.sites)
    place = {"sites": sites, "distance": motif["distance"]}
    cores = motif_cores(snakemake.input.sequence, snakemake.params.chromosomes, motif["sequence"], **place)
    write_regions(cores, snakemake.output[0])
    print(f"{len(cores)} occurrences of {motif['sequence']} within {motif['distance']} bp of {len(sites)} sites")
