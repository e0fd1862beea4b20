"""The header and the index of a bigWig file, read without trust: native readers crash on damaged ones.

The layout is that of Kent et al., Bioinformatics 2010 (doi:10.1093/bioinformatics/btq351), supplement, tables 5 to 15.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from helpers.errors import InputError

_MAGIC = 0x888FFC26
_TREE_MAGIC = 0x78CA8C91
_INDEX_MAGIC = 0x2468ACE0
_HEADER = "HHQQQHHQQIQ"  # after the magic number
_ZOOM_BYTES = 24
_BRANCH = [("first", "u4"), ("start", "u4"), ("last", "u4"), ("end", "u4"), ("offset", "u8")]
_LEAF = [*_BRANCH, ("size", "u8")]
_BLOCKS = 16  # data blocks that are decompressed, spread over the file


class BigWigHeader(NamedTuple):
    """What a bigWig file says of itself.

    Attributes
    ----------
    sizes : dict of str to int
        Length in bp by contig.
    filled : list of str
        Contigs that have values, in the order of the file.
    """

    sizes: dict[str, int]
    filled: list[str]


class _Damaged(Exception):  # noqa: N818 - an event, turned into an InputError at the edge
    """What in the file contradicts the format."""


def read_bigwig_header(path: str | os.PathLike) -> BigWigHeader:
    """Read contigs, lengths and which contigs have values, and check that the file is whole.

    Parameters
    ----------
    path : path
        bigWig file.

    Returns
    -------
    BigWigHeader

    Raises
    ------
    InputError
        When the file is no bigWig file, cut short, or damaged where it was looked at: header, contigs, index, end mark
        and 16 blocks of values. 40 bytes of memory for each block of values (512 or 1024 values) are needed.
    """
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        magic = file.read(4)
        order = {_MAGIC.to_bytes(4, "little"): "<", _MAGIC.to_bytes(4, "big"): ">"}.get(magic)
        if order is None:
            msg = f"This is not a bigWig file: it begins with {magic!r}. Correct the path, or its type in the sheet."
            raise InputError(msg)
        try:
            return _Reader(file, size, order).header()
        except (_Damaged, UnicodeDecodeError, zlib.error) as error:
            msg = f"The bigWig file is truncated or damaged ({error}). Download or make it again."
            raise InputError(msg) from error


class _Reader:
    """Reads parts of one bigWig file; a part outside the file is damage."""

    def __init__(self, file: BinaryIO, size: int, order: str):
        self._file, self._size, self._order = file, size, order

    def header(self) -> BigWigHeader:
        version, zooms, tree, values, index, *_, compressed, _ = self._unpack(4, _HEADER)
        for level in range(zooms):
            *_, level_data, level_index = self._unpack(64 + level * _ZOOM_BYTES, "IIQQ")
            self._require(max(level_data, level_index) < self._size, f"zoom level {level} lies behind the end")
        self._require(0 < version <= 10, f"version {version}")
        (end_mark,) = self._unpack(self._size - 4, "I")
        self._require(end_mark == _MAGIC, "it lacks the end mark")
        names = self._contigs(tree)
        blocks = self._blocks(index)
        known = np.isin(blocks["first"], list(names)) & np.isin(blocks["last"], list(names))
        self._require(bool(known.all()), "values on a contig that is not listed")
        self._check_blocks(blocks, compressed)
        filled = {names[number][0] for field in ("first", "last") for number in np.unique(blocks[field]).tolist()}
        sizes = dict(names.values())
        return BigWigHeader(sizes, [name for name in sizes if name in filled])

    def _contigs(self, offset: int) -> dict[int, tuple[str, int]]:
        """Read the tree of contigs: number → name, length."""
        magic, _, key_bytes, value_bytes, n_contigs, _ = self._unpack(offset, "IIIIQQ")
        self._require(magic == _TREE_MAGIC and value_bytes == 8, "the list of contigs is not where it should be")
        names: dict[int, tuple[str, int]] = {}
        pending = [offset + 32]
        while pending:
            node = pending.pop()
            is_leaf, _, count = self._unpack(node, "BBH")
            items = self._bytes(node + 4, count * (key_bytes + 8))
            for start in range(0, len(items), key_bytes + 8):
                key, rest = items[start : start + key_bytes], items[start + key_bytes : start + key_bytes + 8]
                if is_leaf:
                    number, length = struct.unpack(self._order + "II", rest)
                    names[number] = key.rstrip(b"\0").decode(), length
                else:
                    pending.append(struct.unpack(self._order + "Q", rest)[0])
            self._require(len(pending) + len(names) <= n_contigs, "the list of contigs contradicts itself")
        self._require(
            len(names) == n_contigs and all(name and length for name, length in names.values()), "its contigs"
        )
        return names

    def _blocks(self, offset: int) -> np.ndarray:
        """Read the leaves of the index: contig and bp of each block's first and last value, offset and bytes."""
        leaf, branch = (np.dtype([(name, self._order + kind) for name, kind in kinds]) for kinds in (_LEAF, _BRANCH))
        if offset == 0:  # so it stands in a file without values
            return np.empty(0, leaf)
        magic, _, n_blocks, *_ = self._unpack(offset, "IIQIIIIQII")
        self._require(magic == _INDEX_MAGIC, "the index is not where it should be")
        leaves, pending, seen = [np.empty(0, leaf)], [offset + 48], 0
        while pending:
            node = pending.pop()
            is_leaf, _, count = self._unpack(node, "BBH")
            kind = leaf if is_leaf else branch
            items = np.frombuffer(self._bytes(node + 4, count * kind.itemsize), kind)
            if is_leaf:
                leaves.append(items)
            else:
                pending += items["offset"][::-1].tolist()
            seen += count
            self._require(seen <= 2 * n_blocks + 2, "the index contradicts itself")
        blocks = np.concatenate(leaves)
        self._require(bool((blocks["offset"] + blocks["size"] <= self._size).all()), "values lie behind the end")
        return blocks

    def _check_blocks(self, blocks: np.ndarray, compressed: int) -> None:
        """Decompress some blocks of values; their checksums are checked on the way."""
        for block in blocks[np.unique(np.linspace(0, len(blocks) - 1, _BLOCKS).astype(int))] if len(blocks) else ():
            content = self._bytes(int(block["offset"]), int(block["size"]))
            content = zlib.decompress(content) if compressed else content
            self._require(len(content) >= 24, "a block of values is too short")

    def _unpack(self, offset: int, kinds: str) -> tuple:
        return struct.unpack(self._order + kinds, self._bytes(offset, struct.calcsize(self._order + kinds)))

    def _bytes(self, offset: int, n_bytes: int) -> bytes:
        self._require(offset >= 0 and offset + n_bytes <= self._size, "a part of it lies behind the end")
        self._file.seek(offset)
        return self._file.read(n_bytes)

    @staticmethod
    def _require(right: bool, problem: str) -> None:
        if not right:
            raise _Damaged(problem)
