"""igv.js, the program that draws the page of loci in a browser: one version of it, known by its checksum.

Run as ``python -m helpers.sources.igv DESTINATION``; ``--help`` lists the options.
"""

import argparse
import base64
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import InputError
from helpers.kept import kept_note, take_back
from helpers.record import hash_file
from helpers.sources.download import download_member

VERSION = "3.8.10"
REGISTRY = "https://registry.npmjs.org"
VARIABLE = "npm_config_registry"  # by which npm, too, is told of another registry
PACKAGE = "foqT9SJHoKvVXl7euYUsOy7XMs1nTrPeJMQbGRp7qWU7a6HzF345FER/nHUTdsL5cumaoAe19gDmJYsEHO08rw=="  # SHA-512
PROGRAM = "87b991ae2a720978172e269dd5127c495e56df5af31144dff19c83124e2f5744"  # SHA-256 of the file that is kept
MEMBER = "package/dist/igv.min.js"


def fetch_igv(
    destination: str | os.PathLike[str],
    *,
    version: str = VERSION,
    package: str = PACKAGE,
    program: str = PROGRAM,
    offline: bool = False,
) -> None:
    """Download igv.js from the npm registry, or from the one that the variable ``npm_config_registry`` names.

    Parameters
    ----------
    destination : path
        The program (1.5 MB, MIT licence); written only when the whole package has the right checksum. If it stands
        there already, nothing is done.
    version : str
    package, program : str
        SHA-512 of the package in base64, as npm gives it, and SHA-256 of the program, hexadecimal.
    offline : bool
        Download nothing.

    Raises
    ------
    InputError
        When the registry cannot be reached or lacks this version, or sends another package, or offline; what stood
        there before stays.
    """
    if take_back(destination, lambda path: is_program(path, program)):
        logging.info("%s is there already: nothing is downloaded", destination)
        return
    registry = os.environ.get(VARIABLE, REGISTRY).rstrip("/")
    url = f"{registry}/igv/-/igv-{version}.tgz"
    fix = f"set the variable {VARIABLE} to a registry that can be reached, or take 'loci' out of the config"
    try:
        if offline:
            message = f"Offline nothing is downloaded. Copy {destination} from a run that is not offline, or {fix}."
            raise InputError(message)
        download_member(url, destination, member=MEMBER, sha512=base64.b64decode(package).hex(), fix=fix)
    except InputError as error:
        message = f"The page of loci needs igv.js {version}, once. {error}"
        raise InputError(message) from error


def is_program(path: Path, program: str = PROGRAM) -> bool:
    """Tell whether a file is the program of this SHA-256."""
    return path.is_file() and hash_file(path, ["sha256"])["sha256"] == program


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line; a failure is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m helpers.sources.igv", description=__doc__.split("\n")[0])
    parser.add_argument("destination", type=Path)
    parser.add_argument("--version", default=VERSION, help="of igv.js")
    parser.add_argument("--package", default=PACKAGE, help="SHA-512 of the package, in base64")
    parser.add_argument("--program", default=PROGRAM, help="SHA-256 of the program, hexadecimal")
    parser.add_argument("--offline", action="store_true", help="download nothing; if it is missing, this is an error")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        fetch_igv(**vars(options))
    except InputError as error:
        sys.exit(f"ERROR: {error}{kept_note(options.destination)}")


if __name__ == "__main__":
    main()
