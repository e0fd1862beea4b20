"""The rules of the paper's run that take seconds a job, as the longest of their jobs in the demo's run did.

They read what others have summed up: scores, regions of a figure, attributed windows, of which the paper's run has few.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

_FIGURES = ("plot_differences", "plot_gains", "plot_locus", "plot_regression", "plot_replicates", "plot_scatter")
SECONDS = {  # rule: its files in results/RUN/benchmarks
    "export_attribution": "*/attribution/*/*/*.*.tsv",
    "fetch_igv": "igv.tsv",
    "make_loci_page": "*/loci.tsv",
    "make_table": "tables/*.tsv",
    **dict.fromkeys((*_FIGURES, "plot_training"), "figures/*.tsv"),
    "write_hub": "hub/hub.tsv",
}


def longest_jobs(folder: Path, patterns: Mapping[str, str] = SECONDS) -> dict[str, float]:
    """Give the seconds that the longest job of each rule took in a finished run.

    Parameters
    ----------
    folder : pathlib.Path
        ``results/RUN/benchmarks``, where Snakemake keeps what each job took.
    patterns : mapping of str to str
        Rule → its files there.

    Raises
    ------
    SystemExit
        When there is no job of a rule.
    """
    found = {rule: [_seconds(path) for path in folder.glob(pattern)] for rule, pattern in patterns.items()}
    missing = [rule for rule, seconds in found.items() if not seconds]
    if missing:
        message = (
            f"{folder} holds no job of {missing[0]}. Run the demo (`snakemake`), or give its benchmarks by --demo."
        )
        raise SystemExit(message)
    return {rule: max(seconds) for rule, seconds in found.items()}


def _seconds(path: Path) -> float:
    with path.open(encoding="utf-8", newline="") as file:
        return max(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
