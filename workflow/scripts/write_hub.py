from helpers.jobs import logged

with logged(snakemake.log[0]):
    from pathlib import Path

    from helpers.evaluation.hub import HubGenome, HubStudy, HubTrack, write_hub
    from helpers.evaluation.style import colors_of

    params = snakemake.params
    two_bits = {Path(path).parent.name: path for path in snakemake.input.two_bits}
    genomes = [HubGenome(**genome, two_bit=two_bits.get(genome["name"])) for genome in params.genomes]
    studies = []
    for study in params.studies:
        rows = [row for row in params.tracks if row["study"] == study["name"]]
        colors = {"": "#000000", **colors_of("model", [row["model"] for row in rows if row["model"]])}
        tracks = [
            HubTrack(row["path"], row["output"], row["model"], row["values"], colors[row["model"]]) for row in rows
        ]
        studies.append(HubStudy(study["name"], study["genome"], tracks, study["limits"]))
    folder = Path(snakemake.output.hub).parent
    write_hub(folder, genomes, studies, name=snakemake.wildcards.run, note=params.note)
