"""Check every file of a config before any work: ``python -m helpers.preflight --config my.yaml``.

The same checks as the workflow's, for all studies at once, without running it. Prints for each study the table of
contigs and lengths and what was found; ends with one error, or says that all is well.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from helpers.config import complete_config
from helpers.data.checks import StudyChecks, inspect_study
from helpers.data.contig_table import format_contigs
from helpers.data.findings import format_findings, raise_on_errors
from helpers.errors import InputError
from helpers.references import check_references, resolve_outputs
from helpers.sheet import file_path, is_remote, missing_files, read_tracks
from helpers.sources.worlds import check_simulated
from helpers.study import all_splits, track_uses

HOME = Path(__file__).resolve().parents[1]
DEMO = HOME / "config/config.yaml"
SCHEMA = HOME / "workflow/schemas/config.schema.yaml"


def read_config(path: str | Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Read, check and complete a config and its sheet of tracks, as the workflow does.

    Parameters
    ----------
    path : path
        YAML.

    Returns
    -------
    config : dict
        With the schema's defaults.
    tracks : pandas.DataFrame
        See `helpers.sheet.read_tracks`.

    Raises
    ------
    InputError
        For a config that cannot be read, and for all that the workflow finds wrong in it before its first job. Files
        are not looked at.
    """
    try:
        written = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"The config {path} cannot be read: {error}. Correct its path or its text."
        raise InputError(msg) from error
    if not isinstance(written, Mapping):
        msg = f"The config {path} holds no keys. Start from a copy of {DEMO}."
        raise InputError(msg)
    config = complete_config(written, yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    tracks = read_tracks(config["tracks"], HOME)
    config = resolve_outputs(config, tracks)
    check_references(config, tracks)
    check_simulated(tracks, config["simulation"])
    return config, tracks


def check_config(config: Mapping[str, Any], tracks: pd.DataFrame) -> Iterator[tuple[str, StudyChecks]]:
    """Check the files of every study of a config.

    Parameters
    ----------
    config, tracks
        As `read_config` gives them. Relative paths start from the working directory.

    Yields
    ------
    name : str
        A study.
    checks : StudyChecks
    """
    rows = {row["track"]: row for row in tracks.to_dict("records")}
    paths = {name: file_path(row, config["run"]) for name, row in rows.items()}
    later = {
        paths[name]: "downloads" if is_remote(row) else "simulates" for name, row in rows.items() if not row["path"]
    }
    for name, study in config["studies"].items():
        genome = config["genomes"][study["genome"]]
        used = [
            {"track": track, "type": rows[track]["type"], "path": paths[track], **uses}
            for track, uses in track_uses(study).items()
        ]
        yield (
            name,
            inspect_study(
                paths[genome["fasta"]],
                genome["chromosomes"],
                used,
                paths[genome["blacklist"]] if "blacklist" in genome else None,
                splits=all_splits(study, genome["chromosomes"]),
                later=later,
            ),
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line; a mistake is one message and status 1."""
    parser = argparse.ArgumentParser(prog="python -m helpers.preflight", description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=DEMO, help="config of the workflow; the demo's by default")
    options = parser.parse_args(arguments)
    try:
        found = []
        config, tracks = read_config(options.config)
        for name, checks in check_config(config, tracks):
            found.append(checks.findings)
            _print_study(name, checks)
        findings = pd.concat(found).drop_duplicates()  # studies may share files
        raise_on_errors(findings[findings["status"] == "error"])  # warnings are printed above
        missing_files(tracks)  # of the sheet, that no study uses: the workflow would refuse them
    except InputError as error:
        sys.exit(f"ERROR: {error}")
    counts = findings["status"].value_counts()
    notes = {"warning": "warning(s)", "later": "file(s) that the workflow has yet to make"}
    rest = ", ".join(f"{counts[status]} {words}" for status, words in notes.items() if status in counts)
    print(f"All checks passed{', with ' + rest if rest else ''}.")


def _print_study(name: str, checks: StudyChecks) -> None:
    print(f"Study {name}\n")
    if len(checks.contigs.columns) > 2:
        print(format_contigs(checks.contigs) + "\n")
    findings = checks.findings
    told_more = findings["file"].map(findings["file"].value_counts()) > 1
    there = (findings["check"] == "file") & (findings["status"] == "ok")
    print(format_findings(findings[(findings["status"] != "error") & ~(there & told_more)]) + "\n")


if __name__ == "__main__":
    main()
