"""Download one file and let it stand under its name only when its size and checksums are right.

Run as ``python -m helpers.sources.download ADDRESS DESTINATION [--mirrors …]``; ``--help`` lists the options. When a
download breaks off, what has arrived stays in ``DESTINATION.part``, and the next one continues it.
``DESTINATION.source.json`` says where the file came from, and what size and MD5 sum it has. With ``--unpack`` the
address is that of a tar archive, which size and checksums are about, and its one file becomes the destination.
A file that stands there and is the wanted one, as that record says, is left alone.
"""

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from helpers.addresses import ADDRESS_FORMS, ENCODE, accession_of, web_address, without_user
from helpers.errors import InputError
from helpers.kept import kept_note, take_back
from helpers.record import Wanted, hash_file, is_recorded, write_record
from helpers.sources.encode import check_assembly, look_up
from helpers.sources.extract import extract_member
from helpers.sources.failures import Manner, Refused
from helpers.sources.faults import find_fault
from helpers.sources.part_file import PartFile
from helpers.sources.transfer import fetch_bytes

_FIX = "correct its row in the sheet of tracks"
_MANNER = Manner()
_Step = Callable[[PartFile, Path, Path], bool]  # makes of a file another, and tells whether it did


def download(
    url: str,
    destination: str | Path,
    *,
    mirrors: Sequence[str] = (),
    fix: str = _FIX,
    manner: Manner = _MANNER,
    place: Callable[[PartFile, dict[str, Any]], dict[str, Any]] | None = None,
    **wanted: Any,
) -> dict[str, Any]:
    """Download a file over HTTP(S), and record where it came from.

    Parameters
    ----------
    url : str
        An address, see `helpers.addresses.web_address`. Redirects are followed. Of a file on ENCODE's portal,
        size and MD5 sum are asked for there when they are not given.
    destination : path
        Written only when the file is complete and right; its record is written before.
    mirrors : sequence of str
        Addresses of the same file, tried one after the other when those before fail.
    fix : str
        What a user can do when trying again does not help, for messages.
    manner : Manner
        How patient and modest to be.
    place : function, optional
        Makes record and destination of the part file when that is complete and right, from where it came;
        gives back the record. By default the part file becomes the destination.
    **wanted
        ``size`` in bytes, ``md5``, ``sha256``, ``sha512``, ``assembly``, as far as they are known.

    Returns
    -------
    dict
        The record: url, final_url, date (UTC), size, md5, sha256, modified (as the server says), encode (what the
        portal says, or None), sorted_here, and file, with size and md5 of the destination.

    Raises
    ------
    InputError
        When no address gives the right file; it says why of each. What has arrived of it stays in
        ``DESTINATION.part``, from where the next try goes on, unless it is known to be wrong. Before anything arrives,
        when ENCODE says that the file is of another assembly. When record or file cannot be written, all that arrived
        stays.
    """
    try:
        with PartFile(destination) as part:
            source = _first_right((url, *mirrors), part, Wanted(**wanted), manner, fix)
            return place(part, source) if place else _place(Path(destination), (), part, source)
    except OSError as error:
        message = f"{destination}: download failed: {error}. Make sure that files can be written and locked there."
        raise InputError(message) from error


def download_alignments(url: str, destination: str | Path, **options: Any) -> dict[str, Any]:
    """Download a BAM file, and sort it by coordinate unless its header says that it is sorted.

    Parameters
    ----------
    url : str
    destination : path
        Written only when the file is complete, right and sorted.
    **options
        As in `download`; size and checksums are those of the file that arrives.

    Returns
    -------
    dict
        The record, as of `download`; sorted_here tells whether it was sorted.

    Raises
    ------
    InputError
        As `download`, and when the file cannot be sorted: what has arrived stays in ``DESTINATION.part``.
    """
    return download(url, destination, place=partial(_place, Path(destination), (_sort,)), **options)


def download_member(
    url: str, destination: str | Path, *, member: str | None = None, sort: bool = False, **options: Any
) -> dict[str, Any]:
    """Download a tar archive and keep one file of it.

    Parameters
    ----------
    url : str
    destination : path
        Of the file.
    member : str, optional
        Its name in the archive; without, the archive holds no other file.
    sort : bool
        Sort it, a BAM file, as in `download_alignments`.
    **options
        As in `download`; size and checksums are those of the archive.

    Returns
    -------
    dict
        The record, as of `download`.

    Raises
    ------
    InputError
        As `download`, and when the archive does not hold the file, or holds several. When there is no room for the
        file, the archive stays in ``DESTINATION.archive.part``, and the next try goes on from there.
    """

    def unpack(part: PartFile, path: Path, output: Path) -> bool:
        try:
            extract_member(path, output, member, name=without_user(url))
        except InputError:
            part.drop()
            raise
        return True

    archive = Path(destination).with_name(f"{Path(destination).name}.archive")
    steps = (unpack, _sort) if sort else (unpack,)
    return download(url, archive, place=partial(_place, Path(destination), steps), **options)


def _sort(part: PartFile, path: Path, output: Path) -> bool:
    from helpers.sources.prepare import sort_alignments  # loads what few downloads need

    return sort_alignments(path, output, name=part.path)


def _place(destination: Path, steps: Sequence[_Step], part: PartFile, source: dict[str, Any]) -> dict[str, Any]:
    """Make the destination in steps of a part file that is complete and right; its record stands before it does."""
    folder = destination.with_name(f".{destination.name}.making")
    shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
    made, record = part.path, source | {"sorted_here": False}
    try:
        for number, step in enumerate(steps):
            output = folder / str(number) / destination.name
            output.parent.mkdir(parents=True)
            if step(part, made, output):
                made, record["sorted_here"] = output, step is _sort
        sums = {"md5": source["md5"]} if made == part.path else hash_file(made, ["md5"])
        record["file"] = {"size": made.stat().st_size, **sums}
        write_record(destination, record)
        if made == part.path:
            part.finish()
        else:
            os.replace(made, destination)
            part.drop()
    except OSError as error:
        kept = f"all of it has arrived, and is kept in {part.path}"
        message = f"{destination} or its record cannot be written: {error}. Make room or mend the folder: {kept}."
        raise InputError(message) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return record


def _first_right(addresses: Iterable[str], part: PartFile, wanted: Wanted, manner: Manner, fix: str) -> dict[str, Any]:
    """Complete a part file from the first address that gives the right file."""
    problems = []
    for address in addresses:
        try:
            return _download_from(web_address(address, manner.portal), part, wanted, manner, fix)
        except Refused as error:
            problems.append(f"{without_user(address)}: download failed: {error}.")
            logging.info(problems[-1])
    message = f"{' '.join(problems)} Try again, or {fix}."
    raise InputError(message)


def _download_from(url: str, part: PartFile, wanted: Wanted, manner: Manner, fix: str) -> dict[str, Any]:
    """Complete a part file from one URL and check it; once more from its beginning if it was put together."""
    encode, wanted = _ask_encode(url, wanted, manner, fix)
    checked = bool(wanted.checksums)
    fetch_bytes(url, part, size=wanted.size, checked=checked, manner=manner)
    source, fault = _describe(part, wanted)
    if fault and part.resumed:
        logging.info("%s: %s; starting over", without_user(url), fault)
        part.drop()
        fetch_bytes(url, part, size=wanted.size, checked=checked, manner=manner)
        source, fault = _describe(part, wanted)
    if fault:
        part.drop()
        raise Refused(fault)
    return source | {"encode": encode}


def _ask_encode(url: str, wanted: Wanted, manner: Manner, fix: str) -> tuple[dict[str, Any] | None, Wanted]:
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
    check_assembly(found, wanted.assembly, fix)
    size = wanted.size if wanted.size is not None else found.size
    encode = {"accession": accession, "status": found.status, "assembly": found.assembly}
    return encode, replace(wanted, size=size, md5=wanted.md5 or found.md5)


def _describe(part: PartFile, wanted: Wanted) -> tuple[dict[str, Any], str | None]:
    """Describe an arrived file, and say in what it is no file of its kind, or not what was wanted."""
    hashes = hash_file(part.path, {"md5", "sha256", *wanted.checksums})
    found, notes = {"size": part.size, **hashes}, part.notes
    source = {
        **{"url": without_user(notes["url"]), "final_url": notes["final"], "modified": notes["modified"]},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **{key: found[key] for key in ("size", "md5", "sha256")},
    }
    if fault := find_fault(part.path, part.destination):
        return source, fault
    for name, right in wanted.known.items():
        if found[name] != right:
            return source, f"the downloaded file has {name} {found[name]} instead of {right}"
    if not wanted.known and notes["total"] is None:
        logging.warning("nothing tells whether all of %s arrived: its server does not give a length", part.destination)
    return source, None


def main(arguments: Sequence[str] | None = None) -> None:
    """Download from the command line; a failure is one line and status 1."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        if take_back(options.destination, lambda path: _is_wanted(path, options)):
            logging.info("%s is there already: nothing is downloaded", options.destination)
            return
        if options.offline:
            state = "is another file" if options.destination.is_file() else "is missing"
            message = f"{options.destination} {state}, and offline nothing is downloaded. It is {options.url}."
            raise InputError(message)
        _fetch(options)
    except InputError as error:
        sys.exit(f"ERROR: {error}{kept_note(options.destination)}")
    except KeyboardInterrupt:
        if not _is_wanted(options.destination, options):  # a file that stands is no failure: Snakemake would remove it
            sys.exit(f"stopped; what has arrived of {options.destination} is kept for the next try")


def _is_wanted(path: Path, options: argparse.Namespace) -> bool:
    """Tell whether a file is what the destination's record describes, from one of these addresses, with these sums."""
    urls = [web_address(address, options.portal) for address in (options.url, *options.mirrors)]
    wanted = Wanted(options.size, options.md5, options.sha256)
    return is_recorded(path, options.destination, urls=urls, wanted=wanted.known)


def _fetch(options: argparse.Namespace) -> None:
    """Download as the options say."""
    row = f"the row of {options.row} in the sheet of tracks" if options.row else "its row in the sheet of tracks"
    known: dict[str, Any] = {name: getattr(options, name) for name in ("size", "md5", "sha256", "assembly")}
    fetch = download_alignments if options.sort else download
    if options.unpack:
        fetch = partial(download_member, sort=options.sort)
    fetch(
        options.url,
        options.destination,
        mirrors=options.mirrors,
        fix=f"correct {row}",
        manner=Manner(attempts=options.attempts, slots=options.slots, per_host=options.per_host, portal=options.portal),
        **known,
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    def number(text: str) -> int | None:
        return int(text) if text else None

    parser = argparse.ArgumentParser(prog="python -m helpers.sources.download", description=__doc__.split("\n")[0])
    parser.add_argument("url", help=ADDRESS_FORMS)
    parser.add_argument("destination", type=Path)
    parser.add_argument("--mirrors", type=str.split, default=[], help="addresses of the same file, between spaces")
    parser.add_argument("--md5", default="", help="expected checksum")
    parser.add_argument("--sha256", default="", help="expected checksum")
    parser.add_argument("--size", type=number, default=None, help="expected bytes")
    parser.add_argument("--assembly", default="", help="expected assembly, compared with that of ENCODE's files")
    parser.add_argument("--row", default="", metavar="TRACK", help="name of its row in the sheet, for messages")
    parser.add_argument("--unpack", action="store_true", help="keep the one file of a tar archive")
    parser.add_argument("--sort", action="store_true", help="sort alignments by coordinate when they are not")
    parser.add_argument("--slots", type=Path, default=None, help="folder of lock files that all downloads share")
    parser.add_argument("--per-host", type=int, default=3, help="downloads at once from one host (with --slots)")
    parser.add_argument("--attempts", type=int, default=8, help="failing tries before an address is given up")
    portal = {"dest": "portal", "metavar": "URL", "type": lambda text: text.rstrip("/"), "default": ENCODE}
    parser.add_argument("--encode", **portal, help="address of ENCODE's portal")
    parser.add_argument("--offline", action="store_true", help="download nothing; a file that is missing is an error")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
