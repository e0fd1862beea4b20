"""Trim a file of regions to multiples of a length, as coverage at that resolution needs them."""

import argparse
import os
import sys
from collections.abc import Sequence

from helpers.data.regions import read_regions, trim_regions, write_regions
from helpers.errors import InputError


def trim_file(source: str | os.PathLike, out: str | os.PathLike, *, divisible_by: int) -> tuple[int, int]:
    """Trim the regions of a file: starts up, ends down to multiples.

    Parameters
    ----------
    source : path
        Regions of any format that `helpers.data.regions.read_regions` knows.
    out : path
        BED6 file to write, gzipped if the name ends in .gz; in the order of `source`.
    divisible_by : int
        bp, counted from the contig's first base.

    Returns
    -------
    n_kept, n_dropped : int
        Regions written, and regions that hold no whole multiple and have no line.

    Raises
    ------
    InputError
        For a bad file or a length below 1.
    """
    trimmed, n_dropped = trim_regions(read_regions(source), divisible_by)
    write_regions(trimmed, out)
    return len(trimmed), n_dropped


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m helpers.data.trim", description=__doc__.split("\n")[0])
    parser.add_argument("source", help="BED, narrowPeak, broadPeak, GFF, GTF or VCF; may be gzipped")
    parser.add_argument("out", help="BED file to write")
    parser.add_argument("--divisible-by", type=int, required=True, metavar="BP", help="starts go up, ends down to this")
    options = parser.parse_args(arguments)
    try:
        n_kept, n_dropped = trim_file(options.source, options.out, divisible_by=options.divisible_by)
    except (InputError, OSError) as error:
        sys.exit(f"ERROR: {error}")
    sys.stderr.write(f"{n_kept} regions kept; dropped, without {options.divisible_by} bp on the grid: {n_dropped}\n")


if __name__ == "__main__":
    main()
