"""Reading the sheet of tracks: one row a file, every mistake named at once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.addresses import ADDRESS, ADDRESS_FORMS, USER_PROBLEM, full_address, web_address, without_user
from helpers.errors import InputError, list_some
from helpers.kept import kept_path
from helpers.record import Wanted, is_recorded
from helpers.texts import text_problem

TRACK_COLUMNS = (
    *("track", "type", "assembly", "path", "url", "mirrors", "md5", "sha256", "size"),
    *("condition", "class", "group", "lab", "cell", "target"),
)
TRACK_TYPES = ("fasta", "bed", "narrowPeak", "broadPeak", "gtf", "bam", "bigWig", "vcf", "meme")
_ARCHIVES = (".tar.gz", ".tgz")
_UNREAD = (  # endings of files that no reader takes
    *(".tar", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip", ".7z", ".rar", ".bz2", ".xz", ".zst", ".2bit"),
)


def read_tracks(paths: str | Path | Sequence[str | Path], home: str | Path = ".") -> pd.DataFrame:
    """Read the sheet of tracks, or several sheets as one.

    Parameters
    ----------
    paths : path or sequence of path
        Tab-separated, with a header; columns out of `TRACK_COLUMNS`, of which ``track`` and ``type`` and one of
        ``path`` and ``url`` are needed. Lines that start with ``#`` are comments.
    home : path
        Folder in which sheets and local files are looked for when they are not found from the working directory.

    Returns
    -------
    pandas.DataFrame of str, indexed by track
        All of `TRACK_COLUMNS` (empty text where a sheet has none) and ``line``, the line in its sheet.

    Raises
    ------
    InputError
        When a sheet does not exist, with every wrong row of a sheet, or for a track that stands in two sheets.
    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    sheets = [_read_sheet(path if Path(path).exists() else Path(home) / path) for path in listed]
    tracks = pd.concat(sheets)
    tracks["path"] = [_found(path, Path(home)) for path in tracks["path"]]
    twice = tracks.index[tracks.index.duplicated()]
    if len(twice):
        message = f"tracks: {list_some(twice, 8)} stand in more than one of the sheets {', '.join(map(str, listed))}."
        raise InputError(message)
    return tracks


def _found(path: str, home: Path) -> str:
    """Give the path of a local file: as it is written, or where it stands beside the workflow."""
    elsewhere = path and not Path(path).exists() and (home / path).is_file()
    return str(home / path) if elsewhere else path


def _read_sheet(path: str | Path) -> pd.DataFrame:
    path = Path(path)
    if not path.is_file():
        message = f"tracks: the sheet {str(path)!r} does not exist. Correct 'tracks' in the config."
        raise InputError(message)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = (
            f"{path}: the sheet is not written in UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8 text."
        )
        raise InputError(message) from error
    rows = [
        (number, line.split("\t"))
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]
    if not rows:
        message = f"{path}: the sheet is empty; it needs a header and a row for each file."
        raise InputError(message)
    header = rows[0][1]
    problems = [
        f"unknown column {name!r}; allowed: {', '.join(TRACK_COLUMNS)}" for name in set(header) - {*TRACK_COLUMNS}
    ]
    problems += [f"column {name!r} stands twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    problems += [f"missing column {name!r}" for name in ("track", "type") if name not in header]
    if problems:
        raise InputError(f"{path}, line {rows[0][0]}: " + "; ".join(problems))
    empty = dict.fromkeys(TRACK_COLUMNS, "")
    records = [empty | dict(zip(header, fields, strict=False)) | {"line": number} for number, fields in rows[1:]]
    sheet = pd.DataFrame(records, columns=[*TRACK_COLUMNS, "line"])
    problems = [
        f"line {number}: {len(fields)} fields under {len(header)} columns; look for a tab too many"
        for number, fields in rows[1:]
        if len(fields) > len(header)
    ]
    problems += [
        f"line {record['line']}: {problem}" for record in sheet.to_dict("records") for problem in _row_problems(record)
    ]
    problems += [f"track {name!r} stands in more than one row" for name in sheet["track"][sheet["track"].duplicated()]]
    if problems:
        raise InputError(f"{path} has mistakes:\n" + "\n".join(f"  {problem}" for problem in problems))
    return sheet.set_index("track", drop=False)


def _row_problems(row: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", row["track"]):
        yield f"track {row['track']!r} is not a name (a letter, then letters, digits, _, . or -)"
    if row["track"].endswith(".windows"):
        yield f"track {row['track']!r} ends in '.windows', as files of the workflow do; choose another name"
    if row["type"] not in TRACK_TYPES:
        yield f"type {row['type']!r} is not allowed; allowed: {', '.join(TRACK_TYPES)}"
    if bool(row["path"]) == bool(row["url"]):
        yield f"track {row['track']!r} needs either a path or a url"
    yield from _address_problems(row)
    yield from _ending_problems(row)
    for name, digits in (("md5", 32), ("sha256", 64)):
        if row[name] and not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", row[name]):
            yield f"{name} {row[name]!r} is not {digits} hexadecimal digits"
    if row["size"] and not re.fullmatch(r"[0-9]+", row["size"]):
        yield f"size {row['size']!r} is not a number of bytes"
    for name in TRACK_COLUMNS:
        if problem := text_problem(row[name]):
            yield f"{name} {row[name]!r} {problem}"


def _address_problems(row: Mapping[str, Any]) -> Iterator[str]:
    if is_remote(row):
        for address in addresses(row):
            if without_user(address) != address:
                yield f"url {without_user(address)!r} {USER_PROBLEM}"
            elif " " in address:
                yield f"url {address!r} holds a space; write it as https://…, with %20 for the space"
            elif not re.fullmatch(ADDRESS, address):
                yield f"url {address!r} is not {ADDRESS_FORMS} or simulated:FILE"
            elif re.fullmatch(r"encode:\w+", address):
                yield f"url {address!r}: files of type {row['type']!r} need their ending, as in {address}.txt.gz"
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", row["assembly"]):
            yield f"assembly {row['assembly']!r}: a download needs one: a letter or digit, then more, '.', '_' or '-'"
        return
    if row["url"] and not re.fullmatch(r"simulated:(\w+/)?[\w.-]+", row["url"]):
        yield f"url {row['url']!r} is not simulated: followed by a file name, perhaps in a folder"
    if row["mirrors"]:
        yield f"mirrors {row['mirrors']!r} stand beside no url"


def _ending_problems(row: Mapping[str, Any]) -> Iterator[str]:
    """Refuse files that are packed or written in a way that nothing reads."""
    unread = _UNREAD if is_remote(row) else (*_ARCHIVES, *_UNREAD)
    for address in addresses(row) if is_remote(row) else [row["path"]]:
        if endings := [ending for ending in unread if _ends(address, ending)]:
            kind = max(endings, key=len)
            yield f"{without_user(address)!r} is a {kind} file; unpack or convert it, and give the {row['type']} file"


def addresses(row: Mapping[str, Any]) -> list[str]:
    """List the addresses of a row's file, in the order in which they are tried: its url, then its mirrors."""
    return [full_address(address, row["type"]) for address in (row["url"], *row["mirrors"].split())]


def is_remote(row: Mapping[str, Any]) -> bool:
    """Tell whether a row's file is downloaded, not local and not simulated."""
    return row["url"] != "" and not row["url"].startswith("simulated:")


def is_archive(row: Mapping[str, Any]) -> bool:
    """Tell whether a row's file is downloaded as the one member of an archive."""
    return is_remote(row) and _ends(row["url"], *_ARCHIVES)


def _ends(address: str, *endings: str) -> bool:
    """Tell whether an address ends so, with its query (``get?file=a.bed.gz``) or without (``a.bed.gz?download=1``)."""
    address = address.lower()
    return address.endswith(endings) or re.split("[?#]", address)[0].endswith(endings)


def file_path(row: Mapping[str, Any], run: str) -> str:
    """Give the path of a row's file: local as it is, simulated by run, downloaded by assembly."""
    if row["path"]:
        return row["path"]
    if not is_remote(row):
        return f"resources/{run}/{row['url'].removeprefix('simulated:')}"
    compressed = ".gz" if _ends(addresses(row)[0], "gz") and not is_archive(row) else ""
    return f"resources/{row['assembly']}/{row['track']}.{row['type']}{compressed}"


def missing_files(tracks: pd.DataFrame) -> None:
    """Check that every local file of the sheet exists.

    Raises
    ------
    InputError
        One message with every missing file and its line in the sheet.
    """
    local = tracks[tracks["path"] != ""]
    lines = [
        f"track {row['track']!r} (line {row['line']} of the sheet): {row['path']}"
        for row in local.to_dict("records")
        if not Path(row["path"]).is_file()
    ]
    if lines:
        raise InputError(
            "files of the sheet of tracks do not exist:\n"
            + "\n".join(f"  {line}" for line in lines)
            + "\nCorrect the paths; relative ones start from the working directory."
        )


def missing_downloads(
    tracks: pd.DataFrame, run: str, others: Mapping[str, Callable[[Path], bool]] | None = None
) -> None:
    """Check that every file that would be downloaded is there already, for a run without a network.

    A file that stands is there; one that is kept under its second name is when it is the wanted one.

    Parameters
    ----------
    tracks : pandas.DataFrame
        Rows of the sheet that the run uses.
    run : str
        Name of the run.
    others : mapping of path to function, optional
        Further files that the run would download, and whether a file is the wanted one.

    Raises
    ------
    InputError
        One message with every missing file and where it is to be had.
    """
    rows = [row for row in tracks.to_dict("records") if is_remote(row)]
    lines = [
        f"{file_path(row, run)}: {' or '.join(addresses(row))}"
        for row in rows
        if _is_gone(file_path(row, run), partial(_is_wanted, row, run))
    ]
    others = others or {}
    lines += [f"{path}: made by a run that is not offline" for path, wanted in others.items() if _is_gone(path, wanted)]
    if lines:
        raise InputError(
            f"offline: {len(lines)} files are missing, and nothing is downloaded:\n"
            + "\n".join(f"  {line}" for line in lines)
            + "\nPut them there, or take 'offline' out of the config."
        )


def _is_gone(path: str, is_wanted: Callable[[Path], bool]) -> bool:
    """Tell whether a download is not there, nor kept from a run that failed."""
    return not (Path(path).is_file() or is_wanted(kept_path(path)))


def _is_wanted(row: Mapping[str, Any], run: str, path: Path) -> bool:
    """Tell whether a file is what the record of a row's download describes, and that download the wanted one."""
    wanted = Wanted(int(row["size"]) if row["size"] else None, row["md5"], row["sha256"])
    urls = [web_address(address) for address in addresses(row)]
    return is_recorded(path, file_path(row, run), urls=urls, wanted=wanted.known)
