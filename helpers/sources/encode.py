"""What ENCODE's portal says of a file: size, checksum, assembly, and whether it still stands by it."""

import logging
import re
from typing import NamedTuple

from helpers.errors import InputError
from helpers.sources.failures import Manner, Refused
from helpers.sources.transfer import fetch_json

STANDING = ("released", "in progress")
_ASSEMBLIES = (  # names of each, of UCSC first
    *(("hg38", "grch38"), ("hg19", "grch37"), ("mm39", "grcm39"), ("mm10", "grcm38"), ("mm9", "ncbim37")),
    *(("dm6", "bdgp6"), ("dm3", "bdgp5"), ("ce11", "wbcel235"), ("ce10", "wbcel215")),
)


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


def is_same_assembly(one: str, other: str) -> bool | None:
    """Tell whether two names are of one assembly, in any case, patches and subsets of contigs left aside.

    Returns
    -------
    bool or None
        None when the names differ and not both are known here.

    Examples
    --------
    >>> is_same_assembly("GRCh38-minimal", "hg38"), is_same_assembly("GRCh38", "hg19"), is_same_assembly("hg38", "mine")
    (True, False, None)
    """
    plain = [re.sub(r"(\.p\d+|-minimal)$", "", name.lower()) for name in (one, other)]
    places = [next((names[0] for names in _ASSEMBLIES if name in names), None) for name in plain]
    if plain[0] == plain[1]:
        return True
    return None if None in places else places[0] == places[1]


def check_assembly(found: EncodeFile, wanted: str | None, fix: str) -> None:
    """Compare the assembly that ENCODE gives with that of the sheet, where both give one.

    Parameters
    ----------
    found : EncodeFile
    wanted : str, optional
        Name of the assembly in the sheet.
    fix : str
        What a user can do, for the message.

    Raises
    ------
    InputError
        When they are two assemblies. Where this is not known, a warning is logged.
    """
    if not found.assembly or not wanted:
        return
    same = is_same_assembly(found.assembly, wanted)
    said = f"the sheet's assembly is {wanted}, that of {found.accession} is {found.assembly}, as ENCODE says"
    if same is None:
        logging.warning("%s; whether these are two names of one assembly is not known", said)
    elif not same:
        message = f"{said}. It was not downloaded from there. Give the accession of a file on {wanted}, or {fix}."
        raise InputError(message)
