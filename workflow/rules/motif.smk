# Chapter 7a: a motif that is known to matter. Needs models and sites; makes motif/, where it stands near the sites and what
# its mutation does.


rule find_cores:
    """Find where the motif stands near the sites of the first output, on all chromosomes in use."""
    input:
        sites=lambda wildcards: resource(study_of(wildcards)["output"]["tracks"][0]),
        sequence=sequence_of,
    output:
        "results/{run}/{study}/motif/cores.bed",
    log:
        "results/{run}/logs/{study}/motif/cores.log",
    benchmark:
        "results/{run}/benchmarks/{study}/motif/cores.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code_of("find_cores"),
        motif=section_of("motif", "sequence", "distance"),
        chromosomes=lambda wildcards: genome_of(wildcards)["chromosomes"],
    script:
        "../scripts/find_cores.py"


rule mutate_motif:
    """Mutate a motif where it stands at test sites, and as many bases elsewhere, and compare the predictions."""
    input:
        models=lambda wildcards: run_paths(wildcards.study, "model.keras", [wildcards.model]),
        sites=lambda wildcards: resource(study_of(wildcards)["output"]["tracks"][0]),
        sequence=sequence_of,
    output:
        summary=report(
            "results/{run}/{study}/motif/{model}.tsv",
            caption="../report/motif.rst",
            category="{study}",
            labels={"what": "mutated motif, {model}", "kind": "table"},
        ),
        bases=report(
            "results/{run}/{study}/motif/{model}.bases.tsv",
            caption="../report/motif_bases.rst",
            category="{study}",
            labels={"what": "mutated bases of the motif, {model}", "kind": "table"},
        ),
        sites="results/{run}/{study}/motif/{model}.sites.tsv",
    log:
        "results/{run}/logs/{study}/motif/{model}.log",
    benchmark:
        "results/{run}/benchmarks/{study}/motif/{model}.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=lambda wildcards: int(device_of(wildcards) == "gpu"),
        device=device_number,
    params:
        code=code_of("mutate_motif"),
        motif=section_of("motif", "sequence", "distance"),
        runs=lambda wildcards: [run for run in run_table(wildcards) if run["model"] == wildcards.model],
        flank=motif_flank,
        binsize=lambda wildcards: study_of(wildcards)["regions"]["binsize"],
        chromosomes=lambda wildcards: held_out(wildcards.study)["test"],
        seed=config["seed"],
        backend=config["backend"],
    script:
        "../scripts/mutate_motif.py"
