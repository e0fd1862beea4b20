# Chapter 1a: simulated tracks, in place of downloads; each world has a genome of its own and its planted truth.
# Needs nothing; makes resources/{run}/ for JunD binding, resources/{run}/chromatin/ and resources/{run}/promoters/.


rule simulate_binding:
    """Write the demo's genome, peaks, blacklist and two DNase experiments, with planted truth."""
    output:
        multiext("resources/{run}/", *simulated_files("binding")),
    log:
        "results/{run}/logs/resources/simulate.log",
    benchmark:
        "results/{run}/benchmarks/resources/simulate.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=module_code("helpers.sources.simulate"),
        seed=config["seed"],
        parameters=simulation_parameters("binding"),
    shell:
        "python -m helpers.sources.simulate resources/{wildcards.run:q} --seed {params.seed}"
        " --parameters {params.parameters:q} 2> {log:q}"


rule simulate_chromatin:
    """Write a genome with planted motifs and domains, and the peaks of chromatin features of three classes."""
    output:
        multiext("resources/{run}/chromatin/", *simulated_files("chromatin")),
    log:
        "results/{run}/logs/resources/simulate_chromatin.log",
    benchmark:
        "results/{run}/benchmarks/resources/simulate_chromatin.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=module_code("helpers.sources.simulate_chromatin"),
        seed=config["seed"],
        parameters=simulation_parameters("chromatin"),
    shell:
        "python -m helpers.sources.simulate_chromatin resources/{wildcards.run:q}/chromatin --seed {params.seed}"
        " --parameters {params.parameters:q} 2> {log:q}"


rule simulate_promoters:
    """Write a genome with genes, their CAGE and DNase alignments and their H3K4me3 signal."""
    output:
        multiext("resources/{run}/promoters/", *simulated_files("promoters")),
    log:
        "results/{run}/logs/resources/simulate_promoters.log",
    benchmark:
        "results/{run}/benchmarks/resources/simulate_promoters.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=module_code("helpers.sources.simulate_promoters"),
        seed=config["seed"],
        parameters=simulation_parameters("promoters"),
    shell:
        "python -m helpers.sources.simulate_promoters resources/{wildcards.run:q}/promoters --seed {params.seed}"
        " --parameters {params.parameters:q} 2> {log:q}"
