"""Sequences that are windows themselves: the records of FASTA files, or of a list, as one array of codes."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from helpers.data.alphabet import DNA, NOT_A_LETTER, Alphabet
from helpers.data.fasta import read_pieces
from helpers.data.storage import GenomeArray
from helpers.errors import InputError


def read_sequences(source: Any, alphabet: Alphabet = DNA, *, fixedlen: int | None = None) -> GenomeArray:
    """Read records, each of which is a contig of its own.

    Parameters
    ----------
    source : path, list of paths, or list of records
        FASTA files (plain, gzip or bgzip), read one behind the other. A record is a pair ``(id, letters)`` or an object
        with the attributes ``id`` and ``seq``.
    alphabet : Alphabet, default DNA
    fixedlen : int, optional
        Letters behind this many are left out.

    Returns
    -------
    GenomeArray of uint8, shape (letters,)
        The sequences in order, 1 byte a letter.

    Raises
    ------
    InputError
        For a bad file (see `helpers.data.fasta.read_fasta_contigs`), a record without id or letters, an id that comes
        twice, no record at all; without `fixedlen`, for sequences of different lengths.

    Examples
    --------
    >>> read_sequences([("a", "ACG"), ("b", "TTN")]).sizes
    {'a': 3, 'b': 3}
    """
    if fixedlen is not None and (type(fixedlen) is bool or not isinstance(fixedlen, int | np.integer) or fixedlen < 1):
        msg = f"fixedlen is a whole number of letters, at least 1. Received: fixedlen={fixedlen!r}."
        raise InputError(msg)
    codes, lengths = bytearray(), {}
    for name, piece in _all_pieces(source, alphabet):
        known = lengths.get(name, 0)
        piece = piece if fixedlen is None else piece[: fixedlen - known]
        codes += piece
        lengths[name] = known + len(piece)
    if not lengths:
        msg = "There is no sequence. Give a FASTA file, or a list of (id, letters)."
        raise InputError(msg)
    if fixedlen is None:
        _check_lengths(lengths)
    return GenomeArray(np.frombuffer(codes, dtype=np.uint8), lengths, {"seqtype": alphabet.name})


def _all_pieces(source: Any, alphabet: Alphabet) -> Iterator[tuple[str, bytes]]:
    """Yield ids and codes of all sources, and make sure that no id comes from two of them."""
    items = [source] if isinstance(source, str | os.PathLike) else _items_of(source)
    seen: dict[str, str] = {}
    for number, item in enumerate(items):
        where = str(item) if isinstance(item, str | os.PathLike) else f"record {number}"
        current = None
        for name, piece in _pieces_of(item, where, alphabet):
            if name != current:
                if name in seen:
                    msg = f"The id {name} comes twice: in {seen[name]} and in {where}. Rename or remove one of the two."
                    raise InputError(msg)
                seen[name] = where
                current = name
            yield name, piece


def _items_of(source: Any) -> Iterable[Any]:
    if isinstance(source, Iterable) and not isinstance(source, bytes | dict):
        return source
    msg = f"Sequences are a path, a list of paths, or a list of (id, letters). Received: {type(source).__name__}."
    raise InputError(msg)


def _pieces_of(item: Any, where: str, alphabet: Alphabet) -> Iterable[tuple[str, bytes]]:
    if isinstance(item, str | os.PathLike):
        return read_pieces(Path(item), alphabet)
    name, letters = (
        item if isinstance(item, tuple) and len(item) == 2 else (getattr(item, "id", None), getattr(item, "seq", None))
    )
    text = None if letters is None else str(letters).encode(errors="replace")  # what is not ASCII is no letter
    if not isinstance(name, str) or not name or not text:
        msg = f"{where}: give (id, letters), both of them not empty. Received: {item!r:.80}."
        raise InputError(msg)
    codes = text.translate(alphabet.strict)
    if NOT_A_LETTER in codes:
        wrong = str(letters)[codes.index(NOT_A_LETTER)]
        msg = f"{where}, {name}: {wrong!r} is no letter of {alphabet.name}. Correct it, or name the other seqtype."
        raise InputError(msg)
    return [(name, codes)]


def _check_lengths(lengths: dict[str, int]) -> None:
    first, length = next(iter(lengths.items()))
    other = next((name for name, letters in lengths.items() if letters != length), None)
    if other is not None:
        least, most = min(lengths.values()), max(lengths.values())
        msg = (
            f"Sequences of different lengths: {first} has {length} letters, {other} has {lengths[other]} (from {least} "
            f"to {most} in all). Give fixedlen={most} to pad the shorter ones at their right, or fixedlen={least} to "
            "cut the longer ones."
        )
        raise InputError(msg)
