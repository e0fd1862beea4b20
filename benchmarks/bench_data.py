"""Time the data room on generated data: CPU seconds and peak memory, beside what limits them and what others take.

``python -m benchmarks.bench_data`` measures everything, ``--only bigWig`` the lines with that word, ``--quick`` all of
it on little data, to see that it runs. Rates are per CPU second; windows are read in shuffled order. The columns say
what was measured, what is wanted of it, how far the median of the rounds lies above the best, the physical limit (a
copy of the same bytes, decompressing the same file) and what peers take, in the unit of the line; slow peers are run on
less data. genvarloader and pyfaidx appear where they are installed.
"""

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import coverage, sequence, signal
from benchmarks.generated import FULL, QUICK, TEMPORARY, Sizes, make
from benchmarks.harness import ROUNDS, machine, print_table, run_alone


def make_alone(name: str, folder: Path, sizes: Sizes) -> None:
    """Make a file in a process of its own, as a process begins with the memory of its parent."""
    if not (folder / name).exists():
        run_alone(make, name, folder, sizes)


def main() -> None:
    """Generate the data, measure every line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_data", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="little data and one round: figures mean nothing")
    parser.add_argument("--only", default="", metavar="TEXT", help="lines whose name holds this text")
    default = Path(tempfile.gettempdir()) / "helpers-benchmarks"
    parser.add_argument(
        "--folder", type=Path, default=default, help="keeps generated files, 2 GB (default: %(default)s)"
    )
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL
    folder = options.folder.absolute() / sizes.folder
    rows = [row for topic in (sequence, coverage, signal) for row in topic.rows(sizes)]
    rows = [row for row in rows if options.only.lower() in row.name.lower()]
    if not rows:
        parser.error(f"no line has {options.only!r} in its name")
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))
    print(machine(), flush=True)
    try:
        rounds, make_it = 1 if options.quick else ROUNDS, partial(make_alone, folder=folder, sizes=sizes)
        missed = print_table(rows, folder, make_it, rounds=rounds, judge=not options.quick)
    finally:
        for name in TEMPORARY:
            (folder / name).unlink(missing_ok=True)
    if not options.quick:
        print("All figures are as wanted." if not missed else f"{missed} figures are not as wanted.")


if __name__ == "__main__":
    main()
