"""Download one file and let it stand under its name only when its size and checksums are right.

Run as ``python -m helpers.sources.download ADDRESS DESTINATION [MIRROR …]``; ``--help`` lists the options. When a
download breaks off, what has arrived stays in ``DESTINATION.part``, and the next one continues it.
``DESTINATION.source.json`` says where the file came from. With ``--unpack`` the address is that of a tar archive, which
size and checksums are about, and its one file becomes the destination.
"""

import argparse
import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.addresses import ADDRESS_FORMS, ENCODE, accession_of, web_address
from helpers.errors import InputError
from helpers.files import atomic_path
from helpers.sources.encode import look_up
from helpers.sources.extract import extract_member
from helpers.sources.failures import Manner, Refused
from helpers.sources.faults import find_fault
from helpers.sources.part_file import PartFile
from helpers.sources.transfer import fetch_bytes

_CHUNK = 1 << 20  # bytes hashed at once
_FIX = "correct its row in the sheet of tracks"
_MANNER = Manner()


@dataclass(frozen=True)
class Wanted:
    """What is known of a file before it comes: size in bytes, and checksums (hexadecimal)."""

    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    sha512: str | None = None

    @property
    def checksums(self) -> dict[str, str]:
        """Those that are known, by algorithm, in lower case."""
        return {name: value.lower() for name, value in asdict(self).items() if name != "size" and value}


def download(
    url: str,
    destination: str | Path,
    *,
    mirrors: Sequence[str] = (),
    fix: str = _FIX,
    manner: Manner = _MANNER,
    **wanted: Any,
) -> dict[str, Any]:
    """Download a file over HTTP(S).

    Parameters
    ----------
    url : str
        An address, see `helpers.addresses.web_address`. Redirects are followed. Of a file on ENCODE's portal,
        size and MD5 sum are asked for there when they are not given.
    destination : path
        Written only when the file is complete and right.
    mirrors : sequence of str
        Addresses of the same file, tried one after the other when those before fail.
    fix : str
        What a user can do when trying again does not help, for messages.
    manner : Manner
        How patient and modest to be.
    **wanted
        ``size`` in bytes, ``md5``, ``sha256``, ``sha512``, as far as they are known.

    Returns
    -------
    dict
        Where the file came from: url, final_url, date (UTC), size, md5, sha256, modified (as the server says), encode
        (what the portal says, or None).

    Raises
    ------
    InputError
        When no address gives the right file; it says why of each. What has arrived of it stays in
        ``DESTINATION.part``, from where the next try goes on, unless it is known to be wrong.
    """
    expected, problems = Wanted(**wanted), []
    try:
        with PartFile(destination) as part:
            for address in (url, *mirrors):
                try:
                    source = _download_from(web_address(address, manner.portal), part, expected, manner)
                    part.finish()
                except Refused as error:
                    problems.append(f"{address}: download failed: {error}.")
                    logging.info(problems[-1])
                else:
                    return source
    except OSError as error:
        message = f"{destination}: download failed: {error}. Make sure that files can be written and locked there."
        raise InputError(message) from error
    message = f"{' '.join(problems)} Try again, or {fix}."
    raise InputError(message)


def download_member(url: str, destination: str | Path, *, member: str | None = None, **options: Any) -> dict[str, Any]:
    """Download a tar archive and keep one file of it.

    Parameters
    ----------
    url : str
    destination : path
        Of the file.
    member : str, optional
        Its name in the archive; without, the archive holds no other file.
    **options
        As in `download`; size and checksums are those of the archive.

    Returns
    -------
    dict
        Where the archive came from, as in `download`.

    Raises
    ------
    InputError
        As `download`, and when the archive does not hold the file, or holds several.
    """
    archive = Path(destination).with_name(f"{Path(destination).name}.archive")
    source = download(url, archive, **options)
    try:
        extract_member(archive, destination, member, name=url)
    except OSError as error:
        message = f"{archive} cannot be unpacked: {error}. Make room or mend the folder, and run again: it is kept."
        raise InputError(message) from error
    except InputError:
        archive.unlink()
        raise
    archive.unlink()
    return source


def _download_from(url: str, part: PartFile, wanted: Wanted, manner: Manner) -> dict[str, Any]:
    """Complete a part file from one URL and check it; once more from its beginning if it was put together."""
    encode, wanted = _ask_encode(url, wanted, manner)
    checked = bool(wanted.checksums)
    fetch_bytes(url, part, size=wanted.size, checked=checked, manner=manner)
    source, fault = _describe(part, wanted)
    if fault and part.resumed:
        logging.info("%s: %s; starting over", url, fault)
        part.drop()
        fetch_bytes(url, part, size=wanted.size, checked=checked, manner=manner)
        source, fault = _describe(part, wanted)
    if fault:
        part.drop()
        raise Refused(fault)
    return source | {"encode": encode}


def _ask_encode(url: str, wanted: Wanted, manner: Manner) -> tuple[dict[str, Any] | None, Wanted]:
    """Ask ENCODE about one of its files, and complete what is wanted; without a checksum the answer is needed."""
    accession = accession_of(url, manner.portal)
    if accession is None:
        return None, wanted
    try:
        found = look_up(accession, manner)
    except Refused as error:
        if not wanted.checksums:
            message = f"size and checksum are not known ({error}); they can be given in the sheet"
            raise Refused(message) from error
        logging.warning("whether ENCODE still stands by %s is not known: %s", accession, error)
        return {"accession": accession, "status": "not known"}, wanted
    size = wanted.size if wanted.size is not None else found.size
    encode = {"accession": accession, "status": found.status, "assembly": found.assembly}
    return encode, replace(wanted, size=size, md5=wanted.md5 or found.md5)


def _describe(part: PartFile, wanted: Wanted) -> tuple[dict[str, Any], str | None]:
    """Describe an arrived file, and say in what it is not what was wanted, or no file of its kind."""
    hashes = hash_file(part.path, {"md5", "sha256", *wanted.checksums})
    found, notes = {"size": part.size, **hashes}, part.notes
    source = {
        **{"url": notes["url"], "final_url": notes["final"], "modified": notes["modified"]},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **{key: found[key] for key in ("size", "md5", "sha256")},
    }
    expected = ({} if wanted.size is None else {"size": wanted.size}) | wanted.checksums
    for name, right in expected.items():
        if found[name] != right:
            return source, f"the downloaded file has {name} {found[name]} instead of {right}"
    if not expected and notes["total"] is None:
        logging.warning("nothing tells whether all of %s arrived: its server does not give a length", part.destination)
    return source, find_fault(part.path, part.destination)


def hash_file(path: str | os.PathLike[str], algorithms: Iterable[str]) -> dict[str, str]:
    """Give checksums of a file, hexadecimal, by algorithm; the file is read once, in pieces."""
    digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with open(path, "rb") as file:
        while block := file.read(_CHUNK):
            for digest in digests.values():
                digest.update(block)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def source_path(destination: str | os.PathLike[str]) -> Path:
    """Give the path of what is recorded of a download."""
    return Path(f"{os.fspath(destination)}.source.json")


def main(arguments: Sequence[str] | None = None) -> None:
    """Download from the command line; a failure is one line and status 1."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if options.offline:
        sys.exit(f"ERROR: {options.destination} is missing, and offline nothing is downloaded. It is {options.url}.")
    manner = Manner(
        attempts=options.attempts, slots=options.slots, per_host=options.per_host, portal=options.encode.rstrip("/")
    )
    wanted = {"size": options.size, "md5": options.md5, "sha256": options.sha256}
    try:
        fetch = download_member if options.unpack else download
        source = fetch(options.url, options.destination, mirrors=options.mirrors, manner=manner, **wanted)
        source["sorted_here"] = options.sort and _sort(options.destination)
        with atomic_path(source_path(options.destination)) as temporary:
            temporary.write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")
    except InputError as error:
        sys.exit(f"ERROR: {error}")
    except KeyboardInterrupt:
        sys.exit(f"stopped; what has arrived of {options.destination} is kept for the next try")


def _sort(path: Path) -> bool:
    from helpers.sources.prepare import sort_alignments  # loads what few downloads need

    return sort_alignments(path)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    def number(text: str) -> int | None:
        return int(text) if text else None

    parser = argparse.ArgumentParser(prog="python -m helpers.sources.download", description=__doc__.split("\n")[0])
    parser.add_argument("url", help=ADDRESS_FORMS)
    parser.add_argument("destination", type=Path)
    parser.add_argument("mirrors", nargs="*", help="addresses of the same file elsewhere")
    parser.add_argument("--md5", default="", help="expected checksum")
    parser.add_argument("--sha256", default="", help="expected checksum")
    parser.add_argument("--size", type=number, default=None, help="expected bytes")
    parser.add_argument("--unpack", action="store_true", help="keep the one file of a tar archive")
    parser.add_argument("--sort", action="store_true", help="sort alignments by coordinate when they are not")
    parser.add_argument("--slots", type=Path, default=None, help="folder of lock files that all downloads share")
    parser.add_argument("--per-host", type=int, default=3, help="downloads at once from one host (with --slots)")
    parser.add_argument("--attempts", type=int, default=8, help="failing tries before an address is given up")
    parser.add_argument("--encode", default=ENCODE, metavar="URL", help="address of ENCODE's portal")
    parser.add_argument("--offline", action="store_true", help="stop, and say that the file is missing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
