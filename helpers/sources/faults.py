"""A first look at a downloaded file: whether it is what its name says, and whole."""

import os
from pathlib import Path

GZIP_MAGIC = bytes.fromhex("1f8b")
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BIGWIG = 0x888FFC26
_HEAD = 512  # bytes
_PAGE = (b"<!doctype html", b"<html")
_MAGIC = {  # how files of these names begin
    **dict.fromkeys((".gz", ".bam"), (GZIP_MAGIC,)),
    ".bigWig": (_BIGWIG.to_bytes(4, "little"), _BIGWIG.to_bytes(4, "big")),
}


def is_page(head: bytes) -> bool:
    """Tell from its first bytes whether a file is a web page, such as one to log in; no file of data begins so."""
    return head.lstrip().lower().startswith(_PAGE)


def find_fault(path: str | os.PathLike[str], name: str | os.PathLike[str]) -> str | None:
    """Say what is wrong with a downloaded file at first sight.

    Parameters
    ----------
    path : path
        The file.
    name : path
        The name that it will have, whose ending says what it has to be.

    Returns
    -------
    str or None
        Whether it is empty, a web page, of another kind, or lacks the end mark of bgzip; None when nothing is wrong.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
        file.seek(-min(len(head), len(_BGZIP_END)), os.SEEK_END)
        tail = file.read()
    if not head:
        return "the file is empty"
    if is_page(head):
        return "the server sent a web page instead of the file"
    ending = Path(name).suffix
    if ending in _MAGIC and not head.startswith(_MAGIC[ending]):
        return f"this is no {ending} file: it begins with {head[:4]!r}"
    bgzipped = ending == ".bam" or (head.startswith(GZIP_MAGIC) and head[12:16] == _BGZIP_END[12:16])
    if bgzipped and tail != _BGZIP_END:
        return "the file lacks the end mark of bgzip, so it is cut short"
    return None
