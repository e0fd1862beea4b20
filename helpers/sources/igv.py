"""igv.js, the program that draws the page of loci in a browser: one version of it, known by its checksum."""

import base64
import os

from helpers.errors import InputError
from helpers.sources.download import download_member

VERSION = "3.8.10"
REGISTRY = "https://registry.npmjs.org"
VARIABLE = "npm_config_registry"  # by which npm, too, is told of another registry
INTEGRITY = "foqT9SJHoKvVXl7euYUsOy7XMs1nTrPeJMQbGRp7qWU7a6HzF345FER/nHUTdsL5cumaoAe19gDmJYsEHO08rw=="  # SHA-512
MEMBER = "package/dist/igv.min.js"


def fetch_igv(destination: str | os.PathLike[str]) -> None:
    """Download igv.js from the npm registry, or from the one that the variable ``npm_config_registry`` names.

    Parameters
    ----------
    destination : path
        The program (1.5 MB, MIT licence); written only when the whole package has the right checksum.

    Raises
    ------
    InputError
        When the registry cannot be reached or lacks this version, or sends another package; nothing is left behind.
    """
    registry = os.environ.get(VARIABLE, REGISTRY).rstrip("/")
    url = f"{registry}/igv/-/igv-{VERSION}.tgz"
    sha512 = base64.b64decode(INTEGRITY).hex()
    fix = f"set the variable {VARIABLE} to a registry that can be reached, or take 'loci' out of the config"
    try:
        download_member(url, destination, member=MEMBER, sha512=sha512, fix=fix)
    except InputError as error:
        message = f"The page of loci needs igv.js {VERSION}, once. {error}"
        raise InputError(message) from error
