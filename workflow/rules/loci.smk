# Chapter 7e: a page to look at loci in a browser. Needs predictions, tracks and what looked inside the models; makes loci/.


rule fetch_igv:
    """Download igv.js, the program that draws the page of loci, once."""
    output:
        IGV,
    log:
        f"results/{RUN}/logs/igv.log",
    benchmark:
        f"results/{RUN}/benchmarks/igv.tsv"
    priority: 2  # so that a registry that cannot be reached is told before any training
    retries: 0  # the command tries again by itself
    localrule: True
    conda:
        "../../envs/data.yaml"
    resources:
        offline=lambda wildcards: "--offline" if config["offline"] else "",
    params:
        version=igv.VERSION,
        package=igv.PACKAGE,
        program=igv.PROGRAM,
    shell:
        "python -m helpers.sources.igv {output:q} --version={params.version:q} --package={params.package:q}"
        " --program={params.program:q} {resources.offline} 2> {log:q}"


rule make_loci_page:
    """Make a page of the best predictions, the worst errors and the strongest variants, with everything that it shows inside."""
    input:
        predictions=page_predictions,
        sequence=sequence_of,
        peaks=page_peaks,
        coverage=lambda wildcards: coverage_stores(wildcards.study),
        attributions=page_attributions,
        effects=page_effects,
        igv=IGV,
    output:
        report(
            "results/{run}/{study}/loci/index.html",
            caption="../report/loci.rst",
            category="{study}",
            labels={"what": "loci of {study}", "kind": "page"},
        ),
    log:
        "results/{run}/logs/{study}/loci.log",
    benchmark:
        "results/{run}/benchmarks/{study}/loci.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code_of("make_loci_page"),
        study=page_title,
        labels=lambda wildcards: study_of(wildcards)["output"]["kind"] == "peaks",
        outputs=lambda wildcards: study_of(wildcards)["output"]["tracks"],
        coverage=lambda wildcards: coverage_names(wildcards.study),
        settings=section_of("loci", "top", "wrong", "variants"),
        note=config["note"],
    script:
        "../scripts/make_loci_page.py"
