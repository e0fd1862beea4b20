"""Download one file and let it stand under its name only when its size and checksums are right.

Run as ``python -m helpers.sources.download ADDRESS DESTINATION [--mirrors …]``; ``--help`` lists the options. When a
download breaks off, what has arrived stays in ``DESTINATION.part``, and the next one continues it.
``DESTINATION.source.json`` says where the file came from, and what size and MD5 sum it has. With ``--unpack`` the
address is that of a tar archive, which size and checksums are about, and its one file becomes the destination.
A file that stands there and is the wanted one, as that record says, is left alone.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.addresses import ADDRESS_FORMS, ENCODE, accession_of, web_address, without_user
from helpers.errors import InputError
from helpers.kept import kept_note, kept_path, take_back
from helpers.sources.encode import check_assembly, look_up
from helpers.sources.extract import extract_member
from helpers.sources.failures import Manner, Refused
from helpers.sources.faults import find_fault
from helpers.sources.part_file import PartFile
from helpers.sources.record import Wanted, hash_file, is_recorded, write_record
from helpers.sources.transfer import fetch_bytes

_FIX = "correct its row in the sheet of tracks"
_MANNER = Manner()


def download(
    url: str,
    destination: str | Path,
    *,
    mirrors: Sequence[str] = (),
    fix: str = _FIX,
    manner: Manner = _MANNER,
    place: Callable[[PartFile], None] = PartFile.finish,
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
    place : function
        Makes the destination of the part file when that is complete and right; by default gives it its name.
    **wanted
        ``size`` in bytes, ``md5``, ``sha256``, ``sha512``, ``assembly``, as far as they are known.

    Returns
    -------
    dict
        Where the file came from: url, final_url, date (UTC), size, md5, sha256, modified (as the server says), encode
        (what the portal says, or None).

    Raises
    ------
    InputError
        When no address gives the right file; it says why of each. What has arrived of it stays in
        ``DESTINATION.part``, from where the next try goes on, unless it is known to be wrong. Before anything arrives,
        when ENCODE says that the file is of another assembly.
    """
    try:
        with PartFile(destination) as part:
            source = _first_right((url, *mirrors), part, Wanted(**wanted), manner, fix)
            place(part)
    except OSError as error:
        message = f"{destination}: download failed: {error}. Make sure that files can be written and locked there."
        raise InputError(message) from error
    return source


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
        As of `download`, and sorted_here, whether it was sorted.

    Raises
    ------
    InputError
        As `download`, and when the file cannot be sorted: what has arrived stays in ``DESTINATION.part``.
    """
    from helpers.sources.prepare import sort_alignments  # loads what few downloads need

    found = {"sorted_here": False}

    def sort(part: PartFile) -> None:
        if sort_alignments(part.path, destination):
            part.drop()
            found["sorted_here"] = True
        else:
            part.finish()

    return download(url, destination, place=sort, **options) | found


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
        As `download`, and when the archive does not hold the file, or holds several. When there is no room for the
        file, the archive stays in ``DESTINATION.archive.part``, and the next try goes on from there.
    """

    def unpack(part: PartFile) -> None:
        try:
            extract_member(part.path, destination, member, name=without_user(url))
        except OSError as error:
            message = f"{part.path} cannot be unpacked: {error}. Make room, and run again: it is kept."
            raise InputError(message) from error
        except InputError:
            part.drop()
            raise
        part.drop()

    archive = Path(destination).with_name(f"{Path(destination).name}.archive")
    return download(url, archive, place=unpack, **options)


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
        write_record(options.destination, _fetch(options))
        kept_path(options.destination).unlink(missing_ok=True)
    except InputError as error:
        sys.exit(f"ERROR: {error}{kept_note(options.destination)}")
    except OSError as error:
        sys.exit(f"ERROR: {options.destination} arrived, but not its record: {error}. Make room or mend the folder.")
    except KeyboardInterrupt:
        sys.exit(f"stopped; what has arrived of {options.destination} is kept for the next try")


def _is_wanted(path: Path, options: argparse.Namespace) -> bool:
    """Tell whether a file is what the destination's record describes, from one of these addresses, with these sums."""
    urls = [web_address(address, options.portal) for address in (options.url, *options.mirrors)]
    wanted = Wanted(options.size, options.md5, options.sha256)
    return is_recorded(path, options.destination, urls=urls, wanted=wanted.known)


def _fetch(options: argparse.Namespace) -> dict[str, Any]:
    """Download as the options say, and add size and MD5 sum of the file as it stands in the end."""
    fetch = download_member if options.unpack else download_alignments if options.sort else download
    row = f"the row of {options.row} in the sheet of tracks" if options.row else "its row in the sheet of tracks"
    source = fetch(
        options.url,
        options.destination,
        mirrors=options.mirrors,
        fix=f"correct {row}",
        manner=Manner(attempts=options.attempts, slots=options.slots, per_host=options.per_host, portal=options.portal),
        **{name: getattr(options, name) for name in ("size", "md5", "sha256", "assembly")},
    )
    sorted_here = source.pop("sorted_here", False)
    if options.unpack and options.sort:
        from helpers.sources.prepare import sort_alignments  # loads what few downloads need

        sorted_here = sort_alignments(options.destination, options.destination)
    if options.unpack or sorted_here:
        found = {"size": options.destination.stat().st_size, **hash_file(options.destination, ["md5"])}
    else:
        found = {key: source[key] for key in ("size", "md5")}
    return source | {"sorted_here": sorted_here, "file": found}


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
