"""What all simulations write and how they are called: FASTA with its index, tables, seeds, the command line."""

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.files import atomic_path
from helpers.sources.simulate_genome import Genome

LINE = 60  # bases in a line of FASTA


def random_streams(seed: int, count: int) -> list[np.random.Generator]:
    """Give independent generators, so that what one of them draws leaves the others as they were.

    Parameters
    ----------
    seed : int
    count : int
        The first generators of a larger count are those of a smaller one.

    Raises
    ------
    InputError
        When the seed is no whole number from 0 on.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        message = f"the simulation's seed must be a whole number from 0 on. Received: {seed!r}"
        raise InputError(message)
    return [np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(count)]


def write_fasta(path: Path, genome: Genome) -> None:
    """Write a genome, and its index beside it.

    Parameters
    ----------
    path : pathlib.Path
        The index is `path` + ".fai".
    genome : Genome
    """
    letters = genome.letters() | (genome.soft.astype(np.uint8) << 5)  # bit 5 makes an ASCII letter lower case
    index = []
    with atomic_path(path) as temporary, temporary.open("wb") as fasta:
        for (contig, size), offset in zip(genome.sizes.items(), genome.offsets[:-1], strict=True):
            fasta.write(f">{contig}\n".encode())
            index.append(f"{contig}\t{size}\t{fasta.tell()}\t{LINE}\t{LINE + 1}\n")
            fasta.write(_wrap(letters[offset : offset + size]))
    with atomic_path(path.with_name(f"{path.name}.fai")) as temporary:
        temporary.write_text("".join(index))


def _wrap(letters: np.ndarray) -> bytes:
    """Break letters into lines; the last one ends with a line break too."""
    full = letters.size // LINE
    lines = np.full((full, LINE + 1), ord("\n"), np.uint8)
    lines[:, :LINE] = letters[: full * LINE].reshape(full, LINE)
    rest = letters[full * LINE :].tobytes()
    return lines.tobytes() + (rest + b"\n" if rest else b"")


def write_motifs(path: Path, names: Sequence[str], matrices: Sequence[np.ndarray], sites: Sequence[int]) -> None:
    """Write motifs as MEME minimal text.

    Parameters
    ----------
    path : pathlib.Path
    names : sequence of str
    matrices : sequence of numpy.ndarray of float, shape (positions, letters)
        Probability of A, C, G, T at each position of each motif.
    sites : sequence of int
        How many sites of each were planted.
    """
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    for name, matrix, number in zip(names, matrices, sites, strict=True):
        lines += [f"MOTIF {name}", f"letter-probability matrix: alength= 4 w= {len(matrix)} nsites= {number} E= 0"]
        lines += [" ".join(f"{chance:.6f}" for chance in row) for row in matrix] + [""]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def write_table(path: Path, table: pd.DataFrame, *, header: bool = False) -> None:
    """Write tab-separated text, compressed without a time stamp if the name ends in .gz.

    Parameters
    ----------
    path : pathlib.Path
    table : pandas.DataFrame
    header : bool, default False
        Begin with the names of the columns.
    """
    text = table.to_csv(sep="\t", header=header, index=False).encode()
    with atomic_path(path) as temporary:
        temporary.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def on_contigs(regions: pd.DataFrame, genome: Genome) -> pd.DataFrame:
    """Turn positions in a genome's flat array into positions on its contigs.

    Parameters
    ----------
    regions : pandas.DataFrame
        `contig` (number), `start` and `end` in `Genome.codes`; other columns are kept.
    genome : Genome

    Returns
    -------
    pandas.DataFrame
        `chrom` (first column) in place of `contig`; `start` and `end` on the chromosome.
    """
    contigs = regions["contig"].to_numpy()
    local = regions.drop(columns="contig")
    for column in ("start", "end"):
        local[column] = regions[column].to_numpy() - genome.offsets[contigs]
    local.insert(0, "chrom", np.array(list(genome.sizes))[contigs])
    return local


def run_command(
    simulate: Callable[..., None],
    kind: type,
    *,
    module: str,
    description: str,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run a simulation's command line: ``FOLDER --seed S --parameters JSON``.

    Parameters
    ----------
    simulate : callable
        Called as ``simulate(folder, parameters, seed=seed)``.
    kind : type
        Of the parameters; its `from_dict` makes them from names and values.
    module : str
        Name under which Python runs it.
    description : str
        One line for ``--help``.
    arguments : sequence of str, optional
        Those of the process by default.

    Raises
    ------
    SystemExit
        With one line that begins with ERROR after a user's mistake.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("out_dir", help="folder to write to; made if it is missing")
    parser.add_argument("--seed", type=int, required=True, help="a whole number from 0 on")
    parser.add_argument("--parameters", default="{}", help=f"JSON object; see the fields of {kind.__module__}")
    options = parser.parse_args(arguments)
    try:
        simulate(Path(options.out_dir), kind.from_dict(_parse_object(options.parameters)), seed=options.seed)
    except (InputError, OSError) as error:
        sys.exit(f"ERROR: {error}")


def _parse_object(text: str) -> dict[str, Any]:
    try:
        parameters = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"--parameters is not JSON ({error}). Received: {text}"
        raise InputError(message) from error
    if not isinstance(parameters, dict):
        message = f"--parameters must be a JSON object of names and values. Received: {text}"
        raise InputError(message)
    return parameters
