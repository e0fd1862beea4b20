# Chapter 3: the datasets that the models read.
# Needs the genome and the signals; makes one encoding of the genome for every order, one table of counts for each track,
# or the signal of each window, and the statistics of each normalization. Windows are cut out of these files in training;
# nothing is stored twice.


rule encode_genome:
    """Store the genome as one byte per base, all contigs of the file, and the lengths of those in use."""
    input:
        lambda wildcards: resource(config["genomes"][wildcards.genome]["fasta"]),
    output:
        store="results/{run}/genomes/{genome}/sequence.h5",
        sizes="results/{run}/genomes/{genome}/chrom.sizes",
    log:
        "results/{run}/logs/genomes/{genome}/sequence.log",
    benchmark:
        "results/{run}/benchmarks/genomes/{genome}/sequence.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code_of("encode_genome"),
        chromosomes=lambda wildcards: config["genomes"][wildcards.genome]["chromosomes"],
    script:
        "../scripts/encode_genome.py"


rule count_coverage:
    """Count a track's alignments (5' ends, midpoints or all bases) per strand in bins of the input's resolution."""
    input:
        checks=ancient("results/{run}/{study}/checks.tsv"),
        alignments=lambda wildcards: resource(wildcards.track),
    output:
        "results/{run}/{study}/data/{input}/{track}.h5",
    log:
        "results/{run}/logs/{study}/data/{input}/{track}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/data/{input}/{track}.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("count_coverage"),
        settings=counting_settings,
        chromosomes=lambda wildcards: genome_of(wildcards)["chromosomes"],
    script:
        "../scripts/count_coverage.py"


rule sum_signal:
    """Sum a track's alignments or its signal over each window and its flanks, for an input or for what is predicted."""
    input:
        regions="results/{run}/{study}/regions/all.bed",
        track=lambda wildcards: resource(wildcards.track),
        index=lambda wildcards: resources([wildcards.track])[1:],
        sizes=sizes_of,
    output:
        "results/{run}/{study}/data/{input}/{track}.windows.h5",
    log:
        "results/{run}/logs/{study}/data/{input}/{track}.windows.log",
    benchmark:
        "results/{run}/benchmarks/{study}/data/{input}/{track}.windows.tsv"
    priority: 1
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("sum_signal"),
        type=lambda wildcards: TRACKS.at[wildcards.track, "type"],
        settings=summing_settings,
    script:
        "../scripts/sum_signal.py"


rule fit_normalizer:
    """Fit a normalization to a track, on the training regions or on everything stored, and keep its statistics."""
    input:
        store=normalized_store,
        windows="results/{run}/{study}/regions/all.bed",
        regions=split_file("results/{run}/{study}/regions/{folder}train.bed"),
    output:
        "results/{run}/{study}/data/{input}/{track}.{normalizer}.fold-{fold}.json",
    log:
        "results/{run}/logs/{study}/data/{input}/{track}.{normalizer}.fold-{fold}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/data/{input}/{track}.{normalizer}.fold-{fold}.tsv"
    wildcard_constraints:
        normalizer="none|tpm|zscorelog",
    priority: 1
    group:
        "normalizers"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("fit_normalizer"),
        fit_on=lambda wildcards: study_of(wildcards)["normalize"]["fit_on"],
        flank=lambda wildcards: 0 if is_whole(wildcards) else input_settings(wildcards)["flank"],
        whole=is_whole,
    script:
        "../scripts/fit_normalizer.py"
