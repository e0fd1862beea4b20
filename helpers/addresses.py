"""Addresses of the sheet of tracks, and what is asked on the web for them: ENCODE accessions, S3 buckets, URLs."""

import re
from urllib.parse import quote

from helpers.errors import InputError

ENCODE = "https://www.encodeproject.org"
_ACCESSION = "ENCFF[0-9A-Z]{6}"
ADDRESS = rf"https?://\S+|encode:{_ACCESSION}(\.[A-Za-z0-9.]+)?|s3://[a-z0-9][a-z0-9.-]+/\S+"
ADDRESS_FORMS = "https://…, http://…, s3://bucket/key or encode:ENCFF…"
USER_PROBLEM = (
    "is given with a user name or password, which would stand in logs. Take it out, and write into ~/.netrc:"
    " machine HOST login USER password PASSWORD"
)
_BED = ".bed.gz"
_ENDINGS = {  # of ENCODE's files by type of track
    **dict.fromkeys(("bed", "narrowPeak", "broadPeak"), _BED),
    **{"fasta": ".fasta.gz", "gtf": ".gtf.gz", "vcf": ".vcf.gz", "bam": ".bam", "bigWig": ".bigWig"},
}


def full_address(address: str, kind: str) -> str:
    """Append to an ENCODE accession the ending of its file, where it has none.

    Parameters
    ----------
    address : str
    kind : str
        Type of the track, in the sheet.

    Returns
    -------
    str
        Any other address as it is.

    Examples
    --------
    >>> full_address("encode:ENCFF446WOD", "narrowPeak")
    'encode:ENCFF446WOD.bed.gz'
    """
    return address + _ENDINGS.get(kind, "") if re.fullmatch(f"encode:{_ACCESSION}", address) else address


def web_address(address: str, portal: str = ENCODE) -> str:
    """Give the URL at which the file of an address is asked for.

    Parameters
    ----------
    address : str
        A URL, which stays as it is; ``s3://bucket/key`` of a public bucket; ``encode:`` with accession and ending.
    portal : str
        Address of ENCODE's portal.

    Raises
    ------
    InputError
        For anything else, also for a URL with user and password: these are for ``~/.netrc``.

    Examples
    --------
    >>> web_address("encode:ENCFF446WOD.bed.gz")
    'https://www.encodeproject.org/files/ENCFF446WOD/@@download/ENCFF446WOD.bed.gz'
    >>> web_address("s3://encode-public/2017/a b.bam")
    'https://encode-public.s3.amazonaws.com/2017/a%20b.bam'
    """
    if without_user(address) != address:
        message = f"{without_user(address)!r} {USER_PROBLEM}."
        raise InputError(message)
    if re.match(r"https?://[^/\s]", address):
        return address
    if found := re.fullmatch(r"encode:(\w+)(\.[\w.]+)", address):
        return f"{portal}/files/{found[1]}/@@download/{found[1]}{found[2]}"
    if found := re.fullmatch(r"s3://([^/\s]+)/(.+)", address):
        bucket, key = found[1], quote(found[2], safe="/~")
        # The certificate of S3 does not cover names of buckets with dots.
        return (
            f"https://s3.amazonaws.com/{bucket}/{key}" if "." in bucket else f"https://{bucket}.s3.amazonaws.com/{key}"
        )
    message = f"{address!r} is no address of a file. Give {ADDRESS_FORMS}."
    raise InputError(message)


def without_user(address: str) -> str:
    """Give an address without the user and password that it may hold, for messages and records.

    Examples
    --------
    >>> without_user("https://me:secret@example.org/a@b.bed?c@d")
    'https://example.org/a@b.bed?c@d'
    """
    return re.sub(r"^(https?://)[^/?#]*@", r"\1", address)


def accession_of(url: str, portal: str = ENCODE) -> str | None:
    """Find the accession in a URL of ENCODE's portal; None in any other.

    Examples
    --------
    >>> accession_of("https://www.encodeproject.org/files/ENCFF446WOD/@@download/ENCFF446WOD.bed.gz")
    'ENCFF446WOD'
    """
    host = r"https?://(?:www\.)?encodeproject\.org" if portal == ENCODE else re.escape(portal)
    found = re.match(host + r"/files/(ENCFF\w+)/", url)
    return found[1] if found else None
