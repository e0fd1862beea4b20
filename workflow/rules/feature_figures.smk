# Chapter 8a: figures of studies with many outputs, and of predicted against observed signals.
# Needs the scores of all outputs, or predictions; makes figures as SVG and PNG.


rule plot_scatter:
    """Draw a metric of each output for one variant against another."""
    input:
        figure_scores,
    output:
        svg="results/{run}/figures/{figure}.svg",
        png=report(
            "results/{run}/figures/{figure}.png",
            caption="../report/scatter.rst",
            category="figures",
            labels={"what": "{figure}", "kind": "figure"},
        ),
    log:
        "results/{run}/logs/figures/{figure}.log",
    benchmark:
        "results/{run}/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure=any_of(figures_of_kind("scatter")),
    group:
        "figures"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("plot_features"),
        figure=figure_settings,
        features=figure_features,
        chromosomes=figure_chromosomes,
        note=config["note"],
    script:
        "../scripts/plot_features.py"


use rule plot_scatter as plot_gains with:
    output:
        svg="results/{run}/figures/{figure}.svg",
        png=report(
            "results/{run}/figures/{figure}.png",
            caption="../report/gains.rst",
            category="figures",
            labels={"what": "{figure}", "kind": "figure"},
        ),
    wildcard_constraints:
        figure=any_of(figures_of_kind("gains")),


use rule plot_scatter as plot_boxes with:
    output:
        svg="results/{run}/figures/{figure}.svg",
        png=report(
            "results/{run}/figures/{figure}.png",
            caption="../report/boxes.rst",
            category="figures",
            labels={"what": "{figure}", "kind": "figure"},
        ),
    wildcard_constraints:
        figure=any_of(figures_of_kind("boxes")),


use rule plot_scatter as plot_differences with:
    output:
        svg="results/{run}/figures/{figure}.svg",
        png=report(
            "results/{run}/figures/{figure}.png",
            caption="../report/differences.rst",
            category="figures",
            labels={"what": "{figure}", "kind": "figure"},
        ),
    wildcard_constraints:
        figure=any_of(figures_of_kind("differences")),


rule plot_regression:
    """Draw predicted against observed signals, means over folds and replicates, with the regression line."""
    input:
        selected_predictions,
    output:
        svg="results/{run}/figures/{figure}.svg",
        png=report(
            "results/{run}/figures/{figure}.png",
            caption="../report/regression.rst",
            category="figures",
            labels={"what": "{figure}", "kind": "figure"},
        ),
    log:
        "results/{run}/logs/figures/{figure}.log",
    benchmark:
        "results/{run}/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure=any_of(figures_of_kind("regression")),
    group:
        "figures"
    conda:
        "../../envs/data.yaml"
    params:
        code=code_of("plot_regression"),
        figure=figure_settings,
        features=figure_features,
        chromosomes=figure_chromosomes,
        normalize=figure_normalization,
        note=config["note"],
    script:
        "../scripts/plot_regression.py"
