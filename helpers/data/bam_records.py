"""Alignments of a whole BAM file as columns, without an object for each: decompressed blocks, read as arrays.

A record begins with its length, so records are a chain. Writers that use htslib begin each block with a record: then
the chains of all blocks are walked side by side. A chain that ends exactly where the next block begins proves that this
block begins with a record; where it does not (Picard's files, reads longer than a block), one chain is walked. Both
ways find the same records. The format is that of the SAM specification, section 4.2.
"""

import os
import struct
from collections.abc import Iterator

import numpy as np

from helpers.data.bgzf import BlockReader
from helpers.data.intervals import expand_counts

RECORD = np.dtype(
    [
        ("size", "<u4"),  # bytes behind this number
        ("contig", "<i4"),
        ("start", "<i4"),
        ("name_length", "u1"),
        ("mapq", "u1"),
        ("bin", "<u2"),
        ("n_operations", "<u2"),
        ("flag", "<u2"),
        ("bases", "<i4"),
        ("mate_contig", "<i4"),
        ("mate_start", "<i4"),
        ("length", "<i4"),
    ]
)
BLOCKS_AT_ONCE = 256  # 16 MiB; with the columns of their alignments about 60 MB
_MOST_BYTES = (1 << 31) - 1  # of a record
_SIZES = {"A": 1, "c": 1, "C": 1, "s": 2, "S": 2, "i": 4, "I": 4, "f": 4}  # of the values of a tag, in bytes
_SOFT_CLIP, _SKIP = 4, 3


class BamRecords:
    """Records of a BAM file; see `helpers.data.alignments.Alignments`.

    Parameters
    ----------
    buffer : numpy.ndarray of uint8
        Decompressed bytes, with some to spare behind the last record.
    offsets : numpy.ndarray of int64, shape (records,)
        Where records begin.
    """

    def __init__(self, buffer: np.ndarray, offsets: np.ndarray):
        self._buffer, self._offsets = buffer, offsets
        self.fields = _sliding(buffer, np.dtype((np.void, RECORD.itemsize)))[offsets].view(RECORD)

    def cigars(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Alignments`."""
        counts = self.fields["n_operations"][rows].astype(np.int64)
        first = self._offsets[rows] + RECORD.itemsize + self.fields["name_length"][rows]
        if (counts != 1).any():
            groups, nth = expand_counts(counts)
            first = first[groups] + 4 * nth
        operations = _sliding(self._buffer, np.dtype("<u4"))[first]
        return self._with_long_cigars(rows, operations, counts)

    def _with_long_cigars(
        self, rows: np.ndarray, operations: np.ndarray, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put the CIGAR of tag CG, if there is one, in place of the two operations that stand for it.

        More than 65,535 operations do not fit into a record: it holds a clip of the whole read and a skip instead.
        """
        pairs = np.flatnonzero(counts == 2)
        if not len(pairs):
            return operations, counts
        first = (np.cumsum(counts) - counts)[pairs]
        clipped = operations[first] == self.fields["bases"][rows[pairs]].astype(np.int64) << 4 | _SOFT_CLIP
        stand_ins = pairs[clipped & (operations[first + 1] & 15 == _SKIP)]
        if not len(stand_ins):
            return operations, counts
        cigars = np.split(operations, np.cumsum(counts)[:-1])
        for place in stand_ins:
            cigars[place] = self._long_cigar(rows[place], cigars[place])
        return np.concatenate(cigars), np.array([len(cigar) for cigar in cigars])

    def _long_cigar(self, row: int, otherwise: np.ndarray) -> np.ndarray:
        """Find the tag CG of a record."""
        record, begins = self.fields[row], int(self._offsets[row])
        bases, ends = int(record["bases"]), begins + 4 + int(record["size"])
        position = begins + RECORD.itemsize + int(record["name_length"]) + 8 + (bases + 1) // 2 + bases
        while position + 4 < ends:
            tag, kind = bytes(self._buffer[position : position + 2]), chr(self._buffer[position + 2])
            position += 3
            if kind == "B":
                each = _SIZES.get(chr(self._buffer[position]), 1)
                number = int.from_bytes(bytes(self._buffer[position + 1 : position + 5]), "little")
                position += 5
                if tag == b"CG":
                    return np.frombuffer(self._buffer[position : position + 4 * number].tobytes(), dtype="<u4")
                position += number * each
            elif kind in "ZH":
                position += int(np.argmin(self._buffer[position:ends])) + 1  # up to the zero byte
            else:
                position += _SIZES.get(kind, 1)
        return otherwise


def read_records(path: str | os.PathLike[str], first: int, n_contigs: int) -> Iterator[BamRecords]:
    """Read all alignments of a BAM file, batch by batch.

    Parameters
    ----------
    path : path
    first : int
        BGZF's virtual offset of the first alignment: ``pysam.AlignmentFile.tell()`` behind the header.
    n_contigs : int
        Contigs of the header.

    Yields
    ------
    BamRecords
        Valid until the next one. Not in the order of the file.

    Raises
    ------
    OSError
        When the file is truncated or damaged.
    """
    with open(path, "rb", buffering=1 << 20) as file:
        file.seek(first >> 16)
        reader = BlockReader(file, BLOCKS_AT_ONCE)
        tail, begin = np.zeros(0, dtype=np.uint8), first & 0xFFFF
        in_step = True
        while True:
            buffer, read, starts = reader.read(tail)
            if not starts:
                break
            chains = np.unique([begin, *(start for start in starts if start > begin)])
            found = _walk_chains(buffer, read, chains) if in_step else None
            in_step = found is not None
            offsets, end = found or _walk_chain(buffer, read, begin)
            if len(offsets):
                yield _checked(BamRecords(buffer, offsets), n_contigs)
            tail, begin = buffer[end:read], 0
        if len(tail) > begin:
            msg = "it ends within an alignment"
            raise OSError(msg)


def _walk_chains(buffer: np.ndarray, read: int, begins: np.ndarray) -> tuple[np.ndarray, int] | None:
    """Walk the chain of each block, all in step; None unless each ends where the next begins.

    Returns
    -------
    offsets : numpy.ndarray of int64
        Where records begin, sorted.
    end : int
        Where the last record, which is not complete, begins.
    """
    sizes = _sliding(buffer, np.dtype("<u4"))
    places, stops, chains = begins, np.append(begins[1:], read), np.arange(len(begins))
    ends, steps = begins.copy(), []
    while len(places):
        following = places + sizes[places]
        following += 4
        inside = following <= stops
        if np.count_nonzero(inside) < len(inside):
            ends[chains[~inside]] = places[~inside]
            places, following, stops, chains = places[inside], following[inside], stops[inside], chains[inside]
        steps.append(places)
        places = following
    if (ends[:-1] != begins[1:]).any():
        return None
    return np.sort(np.concatenate(steps)), int(ends[-1])


def _walk_chain(buffer: np.ndarray, read: int, begin: int) -> tuple[np.ndarray, int]:
    """Walk one chain; see `_walk_chains`."""
    size_at, view = struct.Struct("<I").unpack_from, memoryview(buffer)
    offsets, place = [], begin
    while place + 4 <= read:
        size = size_at(view, place)[0]
        if place + 4 + size > read:
            if size > _MOST_BYTES:
                msg = "an alignment of more than 2 GiB"
                raise OSError(msg)
            break
        offsets.append(place)
        place += 4 + size
    return np.array(offsets, dtype=np.int64), place


def _checked(records: BamRecords, n_contigs: int) -> BamRecords:
    """Raise OSError for records that cannot be."""
    fields = records.fields
    least = RECORD.itemsize - 4 + fields["name_length"] + 4 * fields["n_operations"].astype(np.uint32)
    if (fields["size"] < least).any() or fields["contig"].max() >= n_contigs or fields["contig"].min() < -1:
        msg = "an alignment with impossible fields"
        raise OSError(msg)
    return records


def _sliding(buffer: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """View what begins at each byte, aligned or not."""
    return np.ndarray((len(buffer) - dtype.itemsize + 1,), dtype, buffer=buffer, strides=(1,))
