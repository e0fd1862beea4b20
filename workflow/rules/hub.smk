# Chapter 7: what a genome browser shows.
# Needs predictions, and the FASTA of genomes that browsers do not know; makes bigWig tracks of what was predicted and
# observed, and hub/. Put results/{run} on a web server as it is, and give the browser the address of hub/hub.txt.


rule export_track:
    """Write a variant's mean prediction over replicates and folds on the test split as bigWig, overlaps averaged."""
    input:
        predictions=replicate_paths,
        sizes=sizes_of,
    output:
        "results/{run}/{study}/tracks/{model}_{variant}_{track}.bw",
    log:
        "results/{run}/logs/{study}/tracks/{model}_{variant}_{track}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/tracks/{model}_{variant}_{track}.tsv"
    group:
        "tracks"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("export_track"),
    script:
        "../scripts/export_track.py"


rule export_target:
    """Write what was observed on the test split, mean over folds, as bigWig, overlaps averaged."""
    input:
        predictions=fold_predictions,
        sizes=sizes_of,
    output:
        "results/{run}/{study}/tracks/target_{track}.bw",
    log:
        "results/{run}/logs/{study}/tracks/target_{track}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/tracks/target_{track}.tsv"
    group:
        "tracks"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("export_target"),
    script:
        "../scripts/export_target.py"


rule write_two_bit:
    """Write the chromosomes of a genome that browsers do not know as 2bit."""
    input:
        lambda wildcards: resource(config["genomes"][wildcards.genome]["fasta"]),
    output:
        "results/{run}/hub/{genome}/{genome}.2bit",
    log:
        "results/{run}/logs/hub/{genome}/two_bit.log",
    benchmark:
        "results/{run}/benchmarks/hub/{genome}/two_bit.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code_of("write_two_bit"),
        chromosomes=lambda wildcards: config["genomes"][wildcards.genome]["chromosomes"],
    script:
        "../scripts/write_two_bit.py"


rule write_hub:
    """Write the track hub of a run: every study's targets and predictions, in the colours of the figures."""
    input:
        tracks=[track["path"] for track in hub_tracks()],
        two_bits=hub_two_bits(),
    output:
        hub="results/{run}/hub/hub.txt",
        others=[f"results/{{run}}/hub/{name}" for name in hub_files()],
    log:
        "results/{run}/logs/hub/hub.log",
    benchmark:
        "results/{run}/benchmarks/hub/hub.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("write_hub"),
        genomes=hub_genomes(),
        studies=hub_studies(),
        tracks=hub_tracks(),
        note=config["note"],
    script:
        "../scripts/write_hub.py"
