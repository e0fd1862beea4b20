"""Download one file and let it stand under its name only when its size and checksum are right.

Run as ``python -m helpers.sources.download URL DESTINATION [--md5 SUM] [--size BYTES] [--unpack]``; with ``--unpack``
the URL is that of a tar archive, which size and checksum are about, and its one file becomes the destination.
"""

import argparse
import hashlib
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from helpers.errors import InputError
from helpers.files import atomic_path
from helpers.sources.extract import extract_member

CHUNK = 1 << 20  # bytes read at once
TIMEOUT = (10, 60)  # seconds to connect, and between two pieces
REPORT_EVERY = 10.0  # seconds between two lines of progress


def download(url: str, destination: str | Path, *, md5: str | None = None, size: int | None = None) -> None:
    """Download a file over HTTP(S).

    Parameters
    ----------
    url : str
        Redirects are followed.
    destination : path
        Written only when the file is complete and right.
    md5 : str, optional
        Expected checksum, hexadecimal.
    size : int, optional
        Expected size in bytes.

    Raises
    ------
    InputError
        When the server refuses or breaks off, or when size or checksum differ; nothing is left behind.
    """
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}) as response:
            response.raise_for_status()
            offered = response.headers.get("Content-Length")
            expected = size if size is not None else int(offered) if offered else None
            with atomic_path(destination) as part:
                found = _receive(response, part, expected)
                _verify(url, found, (expected, md5 and md5.lower()))
    except (requests.RequestException, OSError) as error:
        message = f"{url}: download failed: {error}. Check the url in the sheet of tracks, and try again."
        raise InputError(message) from error


def download_member(url: str, destination: str | Path, **expected: Any) -> None:
    """Download a tar archive and keep its one file.

    Parameters
    ----------
    url : str
    destination : path
        Of the file.
    **expected
        ``md5`` and ``size`` of the archive, as in `download`.

    Raises
    ------
    InputError
        As `download`, and when the archive does not hold one file.
    """
    folder = Path(destination).parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpack-") as temporary:
        archive = Path(temporary) / "archive.tar"
        download(url, archive, **expected)
        try:
            extract_member(archive, destination)
        except InputError as error:
            message = str(error).replace(str(archive), url)
            raise InputError(message) from error


def _receive(response: requests.Response, part: Path, expected: int | None) -> tuple[int, str]:
    """Write the body to a file; return its size in bytes and its MD5 sum."""
    digest, received = hashlib.md5(usedforsecurity=False), 0
    start = last = time.monotonic()
    with part.open("wb") as file:
        for block in response.iter_content(CHUNK):
            file.write(block)
            digest.update(block)
            received += len(block)
            if time.monotonic() - last > REPORT_EVERY:
                last = time.monotonic()
                logging.info(_progress(received, expected, last - start))
    return received, digest.hexdigest()


def _progress(received: int, expected: int | None, seconds: float) -> str:
    rate = received / seconds
    text = f"{received / 1e6:.0f} MB at {rate / 1e6:.1f} MB/s"
    return text if not expected else f"{text}, {(expected - received) / rate:.0f} s left of {expected / 1e6:.0f} MB"


def _verify(url: str, found: tuple[int, str], wanted: tuple[int | None, str | None]) -> None:
    for what, got, right in zip(("size", "md5"), found, wanted, strict=True):
        if right is not None and got != right:
            message = (
                f"{url}: the downloaded file has {what} {got} instead of {right}."
                f" Try again, or correct {what} in the sheet of tracks if the file has changed."
            )
            raise InputError(message)


def main(arguments: Sequence[str] | None = None) -> None:
    """Download from the command line; a failure is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m helpers.sources.download", description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("destination", type=Path)
    parser.add_argument("--md5", default=None)
    parser.add_argument("--size", type=lambda text: int(text) if text else None, default=None)
    parser.add_argument("--unpack", action="store_true")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        fetch = download_member if options.unpack else download
        fetch(options.url, options.destination, md5=options.md5 or None, size=options.size)
    except InputError as error:
        sys.exit(f"ERROR: {error}")


if __name__ == "__main__":
    main()
