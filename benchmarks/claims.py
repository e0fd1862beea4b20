"""Is what was planted found, and is nothing found where nothing was planted? On as many simulations as one likes.

``python -m benchmarks.claims --seeds 1 2 3`` runs the JunD study of the demo for each seed (of the simulation, the
weights and the batches) on three simulations, and prints every interval with what it should be. The slow tests do the
same for the seed of the demo. A seed takes about ten minutes on two cores.
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
METRIC = "auprc"


class Claim(NamedTuple):
    """What the intervals of a contrast should be: above 0 (found), or around 0 (nothing there)."""

    contrast: str
    split: str
    found: bool

    def holds(self, row: pd.Series) -> bool:
        """Tell whether an interval is as it should be."""
        return bool(row["ci_low"] > 0 if self.found else row["ci_low"] <= 0 <= row["ci_high"])


class Experiment(NamedTuple):
    """A simulation, the models that are trained on it (name → values of the grid's keys that are left), the claims."""

    name: str
    simulation: Mapping[str, Any]
    models: Mapping[str, Mapping[str, list]]
    claims: tuple[Claim, ...]


_ORDERS = {"dna": {"order": [1, 3]}}
_NORMALIZATIONS = ("normalize: tpm vs none", "normalize: zscorelog vs none")
EXPERIMENTS = (
    Experiment(
        "planted",
        {},
        {**_ORDERS, "dnase": {}, "joint": {}},
        (
            Claim("order: 3 vs 1", "test", True),
            *(Claim(contrast, "test_swapped", True) for contrast in _NORMALIZATIONS),
            Claim("joint vs dna", "test_swapped", True),
            Claim("joint vs dnase", "test_swapped", True),
        ),
    ),
    Experiment("independent bases", {"dependence": False}, _ORDERS, (Claim("order: 3 vs 1", "test", False),)),
    Experiment(
        "equal experiments",
        {"reads": [300_000, 300_000], "open_share": [0.4, 0.4], "cut_offset": [50.0, 50.0], "cut_bias": [0.3, 0.3]},
        {"dnase": {}},
        tuple(Claim(contrast, "test_swapped", False) for contrast in _NORMALIZATIONS),
    ),
)


def run_experiment(experiment: Experiment, folder: Path, seed: int | None = None) -> pd.DataFrame:
    """Run the demo's study on a simulation.

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
        The rows of comparisons.tsv with the metric `METRIC`.

    Raises
    ------
    RuntimeError
        With the end of the workflow's output, when it fails.
    """
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["seed"] = config["seed"] if seed is None else seed
    config["simulation"] = dict(experiment.simulation)
    study = config["studies"]["jund"]
    study["figures"] = {}
    study["models"] = {name: _restricted(study["models"][name], left) for name, left in experiment.models.items()}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    target = "results/demo/jund/comparisons.tsv"
    command = [sys.executable, "-m", "snakemake", target, "--cores", "2", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-6000:])
    table = pd.read_csv(folder / target, sep="\t")
    return table[table["metric"] == METRIC]


def _restricted(model: Mapping[str, Any], left: Mapping[str, list]) -> dict[str, Any]:
    grids = [{**grid, **left} for grid in model.get("variants", [])]
    return {**model, "variants": grids} if grids else dict(model)


def judge(experiment: Experiment, table: pd.DataFrame) -> Iterator[tuple[Claim, pd.Series]]:
    """Give each claim with each row of the table that it speaks of."""
    for claim in experiment.claims:
        rows = table[(table["contrast"] == claim.contrast) & (table["split"] == claim.split)]
        if rows.empty:
            message = f"{experiment.name}: comparisons.tsv has no row of {claim.contrast!r} on {claim.split}."
            raise RuntimeError(message)
        for _, row in rows.iterrows():
            yield claim, row


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--keep", type=Path, help="folder for what is made; default: one that is removed at the end")
    options = parser.parse_args()
    print("seed", "simulation", "contrast", "variant", "delta", "ci_low", "ci_high", "should", "holds", sep="\t")
    for seed in options.seeds:
        for experiment in EXPERIMENTS:
            with tempfile.TemporaryDirectory() as temporary:
                folder = (options.keep or Path(temporary)) / f"{experiment.name.replace(' ', '_')}_{seed}"
                folder.mkdir(parents=True, exist_ok=True)
                for claim, row in judge(experiment, run_experiment(experiment, folder, seed)):
                    numbers = [f"{row[name]:.3f}" for name in ("delta", "ci_low", "ci_high")]
                    should = "above 0" if claim.found else "around 0"
                    where = claim.contrast, row["variant_a"], *numbers, should, "yes" if claim.holds(row) else "NO"
                    print(seed, experiment.name, *where, sep="\t", flush=True)


if __name__ == "__main__":
    main()
