"""Bytes from a web server into a part file: resumed where possible, tried again where that may help."""

import logging
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3

from helpers.addresses import without_user
from helpers.sources.failures import Broken, Manner, Refused, persist
from helpers.sources.faults import is_page
from helpers.sources.part_file import PartFile
from helpers.sources.slots import host_slot
from helpers.sources.trust import open_session

BLOCK = 1 << 16  # bytes read at once, at most
REPORT_EVERY = 10.0  # seconds between two lines of progress
_GIVEN = (200, 203, 206)  # HTTP statuses of answers that hold the file, or a part of it
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # HTTP statuses after which another try may help
_PACKED = ("gz", ".bam")  # some servers call the compression of such files an encoding
_DIGITS = re.compile(r"[0-9]+")
_PLACE = re.compile(r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)")  # of a part in the whole: Content-Range


def fetch_bytes(url: str, part: PartFile, *, size: int | None, checked: bool, manner: Manner) -> None:
    """Bring a part file to its full length.

    Parameters
    ----------
    url : str
        HTTP(S); redirects are followed, anew with each try.
    part : PartFile
        Entered. Its bytes are continued when the server says that its file is still the same, or when `checked`; they
        are dropped when others come in their place, not before.
    size : int, optional
        Expected bytes.
    checked : bool
        Whether the whole is compared with a checksum afterwards.
    manner : Manner

    Raises
    ------
    Refused
        When the server does not give the file, or another length, or the file cannot be written.
    """

    def arrived() -> int:
        return part.size if part.notes.get("url") == url else 0

    with open_session() as session:
        persist(lambda: _try(session, url, part, size, checked, manner), manner, arrived)


def fetch_json(url: str, manner: Manner) -> Any:
    """Ask a server for an object in JSON.

    Raises
    ------
    Refused
        When it does not give one.
    """

    def ask() -> Any:
        with host_slot(url, manner.slots, manner.per_host), _named_failures(), open_session() as session:
            response = session.get(url, headers={"Accept": "application/json"}, timeout=manner.timeout)
            _check_status(response)
            return response.json()

    return persist(ask, manner)


def _may_resume(part: PartFile, url: str, checked: bool) -> bool:
    """Tell whether bytes that come may be put behind those that are there."""
    same = part.notes.get("url") == url and _validator(part.notes) is not None
    return same or (checked and part.notes != {})


def _validator(notes: dict[str, Any]) -> str | None:
    """Give what tells one version of a file from the next: a strong ETag, or the time of the last change."""
    etag = notes.get("etag")
    return etag if etag and not etag.startswith("W/") else notes.get("modified")


def _try(session: requests.Session, url: str, part: PartFile, size: int | None, checked: bool, manner: Manner) -> None:
    expected = size if size is not None else part.notes.get("total")
    resumes = _may_resume(part, url, checked) and (expected is None or part.size <= expected)
    first = part.size if resumes else 0
    if first and first == expected:
        return
    headers = {"Accept-Encoding": "identity"}
    if first:
        headers["Range"] = f"bytes={first}-"
        if part.notes["url"] == url and _validator(part.notes):
            headers["If-Range"] = _validator(part.notes)
    with (
        host_slot(url, manner.slots, manner.per_host),
        _named_failures(),
        session.get(url, headers=headers, stream=True, timeout=manner.timeout) as response,
    ):
        if response.status_code == 416:
            part.drop()
            message = "the server's file is shorter than what has arrived of it"
            raise Broken(message)
        _check_status(response)
        place, notes = _check_answer(response, url, part, first, size)
        _receive(response, part, place, notes, size)


def _check_answer(
    response: requests.Response, url: str, part: PartFile, first: int, size: int | None
) -> tuple[int, dict[str, Any]]:
    """Check that bytes have room and begin the file, or continue it at `first`; give where they begin, and notes."""
    _check_encoding(response, url, part)
    place, remaining, total = _measure(response)
    notes = _describe(response, url, total)
    if place not in (0, first) or (place and not _is_same_version(part.notes, notes)):
        part.drop()
        message = "the server's file is another one than at the last try"
        raise Broken(message)
    if size is not None and total is not None and total != size:
        message = f"the server offers a size of {total} bytes instead of {size}"
        raise Refused(message)
    free = shutil.disk_usage(part.path.parent).free + (0 if place else part.size)
    if remaining is not None and remaining > free:
        message = f"there is no room for it: {remaining} bytes are to come, {free} are free. Make room"
        raise Refused(message)
    if place and part.notes["url"] == url:
        notes |= {key: value for key, value in part.notes.items() if value is not None}
    return place, notes


def _check_encoding(response: requests.Response, url: str, part: PartFile) -> None:
    encoding = response.headers.get("Content-Encoding", "identity")
    names = (url, urlsplit(response.url).path, part.destination.name)
    if encoding != "identity" and not any(name.endswith(_PACKED) for name in names):
        message = f"the server sends the file in another encoding ({encoding})"
        raise Refused(message)


def _measure(response: requests.Response) -> tuple[int, int | None, int | None]:
    """Give where in the file the bytes of an answer begin, how many they are, and those of the file, if it says so."""
    length = response.headers.get("Content-Length", "")
    remaining = int(length) if _DIGITS.fullmatch(length) else None
    if response.status_code != 206:
        return 0, remaining, remaining
    place = _PLACE.fullmatch(response.headers.get("Content-Range", ""))
    if place is None:
        message = "the server does not say which part of the file it sends"
        raise Broken(message)
    return int(place[1]), remaining, None if place[2] == "*" else int(place[2])


def _describe(response: requests.Response, url: str, total: int | None) -> dict[str, Any]:
    """Note where bytes come from; without what of the final URL may be secret, its query and its user."""
    final = urlunsplit(urlsplit(without_user(response.url))._replace(query="", fragment=""))
    etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    return {"url": url, "final": final, "etag": etag, "modified": modified, "total": total}


def _is_same_version(known: dict[str, Any], notes: dict[str, Any]) -> bool:
    """Tell whether nothing speaks against one version of one URL; of two URLs a checksum tells in the end."""
    if known["url"] != notes["url"]:
        return True
    return all(None in (known[key], notes[key]) or known[key] == notes[key] for key in ("etag", "modified", "total"))


def _receive(response: requests.Response, part: PartFile, place: int, notes: dict[str, Any], size: int | None) -> None:
    """Write the body as it is sent, not unpacked, to the part file, from `place` on."""
    block = _read(response)
    if place == 0 and is_page(block):
        message = "the server sent a web page instead of the file"
        raise Refused(message)
    if place:
        part.go_on(notes)
    else:
        part.begin(notes)
    first, start = part.size, time.monotonic()
    last = start
    while block:
        part.append(block)
        if size is not None and part.size > size:
            part.drop()
            message = f"the server sends more than the {size} bytes that the file has"
            raise Refused(message)
        if time.monotonic() - last > REPORT_EVERY:
            last = time.monotonic()
            logging.info(describe_progress(part.size, notes["total"], (part.size - first) / (last - start)))
        block = _read(response)
    if notes["total"] is not None and part.size < notes["total"]:
        message = f"the connection ended after {part.size} of {notes['total']} bytes"
        raise Broken(message)


def _read(response: requests.Response) -> bytes:
    return response.raw.read1(BLOCK, decode_content=False)


def describe_progress(received: int, expected: int | None, rate: float) -> str:
    """Say how far a download is.

    Parameters
    ----------
    received, expected : int
        Bytes; `expected` may be None.
    rate : float
        Bytes per second.

    Examples
    --------
    >>> describe_progress(30_000_000, 90_000_000, 2e6)
    '30 MB at 2.0 MB/s, 30 s left of 90 MB'
    """
    text = f"{received / 1e6:.0f} MB at {rate / 1e6:.1f} MB/s"
    return text if not expected else f"{text}, {(expected - received) / rate:.0f} s left of {expected / 1e6:.0f} MB"


def _check_status(response: requests.Response) -> None:
    """Raise for an answer that does not hold the file."""
    if response.status_code in _GIVEN:
        return
    message = f"the server answers {response.status_code} {response.reason}"
    if response.status_code in _PASSING:
        raise Broken(message, _asked_wait(response.headers.get("Retry-After")))
    if response.status_code == 401:
        message += "; user and password of this server go into ~/.netrc"
    raise Refused(message)


def _asked_wait(header: str | None) -> float | None:
    """Give the seconds that a header Retry-After asks for, in either of its forms; None without a valid one.

    Examples
    --------
    >>> _asked_wait("120"), _asked_wait("Thu, 01 Jan 1970 00:00:00 GMT"), _asked_wait("soon")
    (120.0, 0.0, None)
    """
    if header is None:
        return None
    if _DIGITS.fullmatch(header.strip()):
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


@contextmanager
def _named_failures() -> Iterator[None]:
    """Turn what the network raises into one of our two kinds of failures."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise Broken(_reason(error)) from error
        message = (
            f"the server's certificate is not trusted ({_reason(error)}). If it is right, such as that of a proxy,"
            " set the variable REQUESTS_CA_BUNDLE to a file of the certificates that you trust"
        )
        raise Refused(message) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        if isinstance(error, ValueError | requests.TooManyRedirects):  # a wrong URL, or an answer that is no JSON
            raise Refused(_reason(error)) from error
        raise Broken(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Give the innermost reason that a message of requests wraps."""
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    if isinstance(inner, urllib3.exceptions.ProtocolError):
        return str(inner.args[-1])
    return str(getattr(inner, "reason", inner))
