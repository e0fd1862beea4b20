"""Is what was planted found, and is nothing found where nothing was planted? On as many simulations as one likes.

``python -m benchmarks.claims --seeds 1 2 3`` runs the studies of the demo for each seed (of the simulations, the
weights and the batches), JunD's also on two simulations without what is looked for, and prints every interval with what
it should be. The slow tests do the same for the seed of the demo. ``--only NAME`` runs some of the simulations.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
ABOVE, AROUND, NOT_ABOVE = "above 0", "around 0", "not above 0"
MARGIN = 0.3  # half of what a longer window gave Histone on seeds 1 and 2: "not above 0" ends below it
_HOLDS = {
    ABOVE: lambda low, high: low > 0,
    AROUND: lambda low, high: low <= 0 <= high,
    NOT_ABOVE: lambda low, high: low <= 0 and high < MARGIN,
}


class Claim(NamedTuple):
    """What the intervals of a contrast should be: above 0 (found), around 0 or not above it (nothing there to find).

    `output` is the output, or the class or group of outputs; every one by default.
    """

    contrast: str
    split: str
    should: str
    output: str | None = None

    def holds(self, row: pd.Series) -> bool:
        """Tell whether an interval is as it should be."""
        return bool(_HOLDS[self.should](row["ci_low"], row["ci_high"]))


class Experiment(NamedTuple):
    """A study on a simulation, the models to train (name → values of the grid's keys that are left), and the claims.

    All models of the study are trained when `models` is None.
    """

    name: str
    study: str
    metric: str
    simulation: Mapping[str, Any]
    models: Mapping[str, Mapping[str, list]] | None
    claims: tuple[Claim, ...]


_LOOKS = ("figures", "attribution", "motifs", "variants", "loci")  # sections that name models which may be left out
_ORDERS = {"dna": {"order": [1, 3]}}
_NORMALIZATIONS = ("normalize: tpm vs none", "normalize: zscorelog vs none")
_LONGER = "window: 900 vs 300"
EXPERIMENTS = (
    Experiment(
        "planted",
        "jund",
        "auprc",
        {},
        {**_ORDERS, "dnase": {}, "joint": {}},
        (
            Claim("order: 3 vs 1", "test", ABOVE),
            *(Claim(contrast, "test_swapped", ABOVE) for contrast in _NORMALIZATIONS),
            Claim("joint vs dna", "test_swapped", ABOVE),
            Claim("joint vs dnase", "test_swapped", ABOVE),
        ),
    ),
    Experiment(
        "independent bases",
        "jund",
        "auprc",
        {"dependence": False},
        _ORDERS,
        (Claim("order: 3 vs 1", "test", AROUND),),
    ),
    Experiment(
        "equal experiments",
        "jund",
        "auprc",
        {"reads": [300_000, 300_000], "open_share": [0.4, 0.4], "cut_offset": [50.0, 50.0], "cut_bias": [0.3, 0.3]},
        {"dnase": {}},
        tuple(Claim(contrast, "test_swapped", AROUND) for contrast in _NORMALIZATIONS),
    ),
    Experiment(
        "chromatin features",
        "deepsea",
        "auprc",
        {},
        None,
        (
            Claim("order: 3 vs 1", "test", ABOVE, "group dependent"),
            Claim(_LONGER, "test", ABOVE, "class Histone"),
            Claim(_LONGER, "test", NOT_ABOVE, "class TF"),
            Claim(_LONGER, "test", NOT_ABOVE, "class DNase"),
        ),
    ),
    Experiment(
        "promoters",
        "cage",
        "pearson_r",
        {},
        None,
        (Claim("joint vs chromatin", "test", ABOVE), Claim("joint vs dna", "test", ABOVE)),
    ),
)


def experiment_config(experiment: Experiment, seed: int | None = None) -> dict[str, Any]:
    """Give the demo's config with one study and its models, without figures and without what looks into models."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["seed"] = config["seed"] if seed is None else seed
    config["simulation"] = dict(experiment.simulation)
    study = config["studies"][experiment.study]
    study = {key: value for key, value in study.items() if key not in _LOOKS}
    if experiment.models is not None:
        study["models"] = {name: _restricted(study["models"][name], left) for name, left in experiment.models.items()}
    return config | {"studies": {experiment.study: study}}


def run_experiment(experiment: Experiment, folder: Path, seed: int | None = None) -> pd.DataFrame:
    """Run a study of the demo on a simulation.

    Parameters
    ----------
    experiment : Experiment
    folder : pathlib.Path
        Empty; everything is made in it.
    seed : int, optional
        Instead of the demo's.

    Returns
    -------
    pandas.DataFrame
        The rows of comparisons.tsv with the experiment's metric.

    Raises
    ------
    RuntimeError
        With the end of the workflow's output, when it fails.
    """
    config = experiment_config(experiment, seed)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    target = f"results/demo/{experiment.study}/comparisons.tsv"
    command = [sys.executable, "-m", "snakemake", target, "--cores", "2", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-6000:])
    table = pd.read_csv(folder / target, sep="\t")
    return table[table["metric"] == experiment.metric]


def _restricted(model: Mapping[str, Any], left: Mapping[str, list]) -> dict[str, Any]:
    grids = [{**grid, **left} for grid in model.get("variants", [])]
    return {**model, "variants": grids} if grids else dict(model)


def judge(experiment: Experiment, table: pd.DataFrame) -> Iterator[tuple[Claim, pd.Series]]:
    """Give each claim with each row of the table that it speaks of."""
    for claim in experiment.claims:
        rows = table[(table["contrast"] == claim.contrast) & (table["split"] == claim.split)]
        rows = rows if claim.output is None else rows[rows["output"] == claim.output]
        if rows.empty:
            message = f"{experiment.name}: comparisons.tsv has no row of {claim.contrast!r} on {claim.split}."
            raise RuntimeError(message)
        for _, row in rows.iterrows():
            yield claim, row


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--only", nargs="+", choices=[experiment.name for experiment in EXPERIMENTS])
    parser.add_argument("--keep", type=Path, help="folder for what is made; default: one that is removed at the end")
    options = parser.parse_args()
    columns = ("seed", "simulation", "contrast", "output", "model", "variant")
    print(*columns, "delta", "ci_low", "ci_high", "p", "should", "holds", sep="\t")
    for seed in options.seeds:
        for experiment in (one for one in EXPERIMENTS if one.name in (options.only or [one.name])):
            with tempfile.TemporaryDirectory() as temporary:
                folder = (options.keep or Path(temporary)) / f"{experiment.name.replace(' ', '_')}_{seed}"
                folder.mkdir(parents=True, exist_ok=True)
                for claim, row in judge(experiment, run_experiment(experiment, folder, seed)):
                    numbers = [f"{row[name]:.3f}" for name in ("delta", "ci_low", "ci_high", "p")]
                    where = claim.contrast, row["output"], row["model_a"], row["variant_a"], *numbers
                    outcome = claim.should, "yes" if claim.holds(row) else "NO"
                    print(seed, experiment.name, *where, *outcome, sep="\t", flush=True)


if __name__ == "__main__":
    main()
