# Chapter 1: where the files come from.
# Needs the sheet of tracks; makes resources/ and, for each study, a table of what was checked in its files.
# Download tracks; sort and index alignments; check everything before any work. Simulated tracks have a chapter of their own.
# Up to chapter 4 rules have a priority: mistakes in files, in any study or fold, are found before any model is trained.


DOWNLOADS = [*map(resource, filter(is_remote, TRACKS.index)), IGV]


# Snakemake removes what a job makes when the job starts, and when it fails.
onstart:
    kept.keep_files(DOWNLOADS)


onsuccess:
    kept.release_files(DOWNLOADS)


onerror:
    kept.release_files(DOWNLOADS)


rule download_track:
    """Download a track from its address or a mirror, verify size, checksums and assembly, unpack an archive, sort reads."""
    output:
        "resources/{assembly}/{track}.{type}",
    log:
        f"results/{RUN}/logs/resources/{{assembly}}/{{track}}.{{type}}.log",
    benchmark:
        f"results/{RUN}/benchmarks/resources/{{assembly}}/{{track}}.{{type}}.tsv"
    wildcard_constraints:
        track=any_of(filter(is_remote, TRACKS.index)),
        type=r"(fasta|bed|narrowPeak|broadPeak|gtf|bam|bigWig|vcf|meme)(\.gz)?",
    priority: 1
    retries: 0  # the command tries again by itself, as long as it can help
    localrule: True
    conda:
        "../../envs/data.yaml"
    resources:
        downloads=1,
        # What changes nothing in the file: not parameters, so that a change downloads nothing again.
        mirrors=lambda wildcards: " ".join(sheet.addresses(TRACKS.loc[wildcards.track])[1:]),
        size=lambda wildcards: TRACKS.at[wildcards.track, "size"],
        unpack=lambda wildcards: "--unpack" if sheet.is_archive(TRACKS.loc[wildcards.track]) else "",
        sort=lambda wildcards: "--sort" if wildcards.type == "bam" else "",
        offline=lambda wildcards: "--offline" if config["offline"] else "",
    params:
        url=lambda wildcards: sheet.addresses(TRACKS.loc[wildcards.track])[0],
        md5=lookup(query="track == '{track}'", within=TRACKS, cols="md5"),
        sha256=lookup(query="track == '{track}'", within=TRACKS, cols="sha256"),
    shell:
        "python -m helpers.sources.download {params.url:q} {output:q} --mirrors={resources.mirrors:q}"
        " --md5={params.md5:q} --sha256={params.sha256:q} --size={resources.size:q}"
        " --assembly={wildcards.assembly:q} --row={wildcards.track:q}"
        " {resources.unpack} {resources.sort} {resources.offline} --slots resources/.downloads 2> {log:q}"


rule index_alignments:
    """Index a downloaded BAM file."""
    input:
        "resources/{assembly}/{track}.bam",
    output:
        "resources/{assembly}/{track}.bam.bai",
    log:
        f"results/{RUN}/logs/resources/{{assembly}}/{{track}}.bam.bai.log",
    benchmark:
        f"results/{RUN}/benchmarks/resources/{{assembly}}/{{track}}.bam.bai.tsv"
    wildcard_constraints:
        track=any_of(filter(is_remote, TRACKS.index)),
    priority: 1
    conda:
        "../../envs/data.yaml"
    threads: lambda wildcards, attempt: attempt  # the one rule that can use another thread and makes the same with it
    params:
        code=module_code("helpers.sources.prepare"),
    shell:
        "python -m helpers.sources.prepare index {input:q} --threads={threads:q} 2> {log:q}"


rule index_genome:
    """Write a bgzipped copy of a downloaded genome, with its indexes, when asked for by path."""
    input:
        lambda wildcards: resource(wildcards.track),
    output:
        genome="resources/{assembly}/{track}.genome.fa.gz",
        fai="resources/{assembly}/{track}.genome.fa.gz.fai",
        gzi="resources/{assembly}/{track}.genome.fa.gz.gzi",
    log:
        f"results/{RUN}/logs/resources/{{assembly}}/{{track}}.genome.fa.gz.log",
    benchmark:
        f"results/{RUN}/benchmarks/resources/{{assembly}}/{{track}}.genome.fa.gz.tsv"
    wildcard_constraints:
        track=any_of(track for track in filter(is_remote, TRACKS.index) if TRACKS.at[track, "type"] == "fasta"),
    conda:
        "../../envs/data.yaml"
    params:
        code=module_code("helpers.sources.prepare"),
    shell:
        "python -m helpers.sources.prepare genome {input:q} {output.genome:q} 2> {log:q}"


# A checkpoint, because of https://github.com/snakemake/snakemake/issues/4166: where a job runs anew whose outputs are
# `ancient` to others, Snakemake looks at what lies behind it only when it has finished a checkpoint.
checkpoint check_inputs:
    """Check a study's files before any work: readable, indexed, whole, with contigs that agree, no split empty."""
    input:
        tracks=lambda wildcards: resources(plans.study_tracks(study_of(wildcards))),
        fasta=lambda wildcards: resource(genome_of(wildcards)["fasta"]),
        blacklist=blacklist_of,
    output:
        checks="results/{run}/{study}/checks.tsv",
        contigs="results/{run}/{study}/contigs.tsv",
    log:
        "results/{run}/logs/{study}/checks.log",
    benchmark:
        "results/{run}/benchmarks/{study}/checks.tsv"
    priority: 2
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("check_inputs"),
        chromosomes=lambda wildcards: genome_of(wildcards)["chromosomes"],
        tracks=lambda wildcards: [
            {"track": name, "type": TRACKS.at[name, "type"], **uses}
            for name, uses in plans.track_uses(study_of(wildcards)).items()
        ],
        splits=lambda wildcards: plans.all_splits(study_of(wildcards), genome_of(wildcards)["chromosomes"]),
    script:
        "../scripts/check_inputs.py"
