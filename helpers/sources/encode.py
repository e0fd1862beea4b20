"""What ENCODE's portal says of a file: size, checksum, assembly, and whether it still stands by it."""

import logging
import re
from typing import NamedTuple

from helpers.sources.failures import Manner, Refused
from helpers.sources.transfer import fetch_json

STANDING = ("released", "in progress")


class EncodeFile(NamedTuple):
    """A file in ENCODE.

    Attributes
    ----------
    accession : str
    status : str
        Such as released, archived (there is a better one) or revoked (wrong).
    assembly : str or None
        ENCODE's name of it, such as GRCh38.
    md5 : str
    size : int
        Bytes.
    """

    accession: str
    status: str
    assembly: str | None
    md5: str
    size: int


def look_up(accession: str, manner: Manner) -> EncodeFile:
    """Ask the portal about a file; a status other than released is logged as a warning.

    Parameters
    ----------
    accession : str
        ENCFF….
    manner : Manner
        Its `portal` is asked.

    Raises
    ------
    Refused
        When the portal does not answer, or not with size and checksum.
    """
    url = f"{manner.portal}/files/{accession}/?format=json"
    try:
        found = fetch_json(url, manner)
    except Refused as error:
        message = f"{url}: {error}"
        raise Refused(message) from error
    found = found if isinstance(found, dict) else {}
    md5, size = found.get("md5sum"), found.get("file_size")
    if not re.fullmatch(r"[0-9a-f]{32}", str(md5)) or not isinstance(size, int):
        message = f"{url}: the answer has no md5sum and file_size"
        raise Refused(message)
    status = str(found.get("status", "not said"))
    if status not in STANDING:
        logging.warning("ENCODE says of %s: %s. See %s/files/%s/", accession, status, manner.portal, accession)
    return EncodeFile(accession, status, found.get("assembly"), md5, size)
