"""BGZF, the compression of BAM files: blocks of at most 64 KiB that are decompressed many at once.

The format is that of the SAM specification, section 4.1 (https://samtools.github.io/hts-specs/SAMv1.pdf). isal
decompresses twice as fast as zlib; each block's checksum is compared.
"""

import struct
from typing import BinaryIO

import numpy as np
from isal import isal_zlib as zlib

BLOCK_BYTES = 1 << 16  # the most that a block can hold
PADDING = 64  # bytes behind what is read, so that views of a fixed length may begin at any byte of it
_MAGIC = b"\x1f\x8b\x08\x04"  # gzip with an extra field,
_EXTRA = b"\x06\x00BC\x02\x00"  # which is the length of the block, less one; htslib takes no other
_HEADER, _FOOTER = 18, 8  # bytes


class BlockReader:
    """Read the blocks of a BGZF file from where it stands.

    Parameters
    ----------
    file : binary file
        Opened for reading, at the start of a block.
    n_blocks : int
        Blocks to read at once, which bounds memory: 64 KiB each.

    Examples
    --------
    >>> import io
    >>> end_mark = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
    >>> _, end, starts = BlockReader(io.BytesIO(end_mark), n_blocks=4).read(np.zeros(0, dtype=np.uint8))
    >>> end, starts
    (0, [0])
    """

    def __init__(self, file: BinaryIO, n_blocks: int):
        self._file = file
        self._n_blocks = n_blocks
        self._buffer = np.zeros(0, dtype=np.uint8)
        self._at_end_mark = False

    def read(self, tail: np.ndarray) -> tuple[np.ndarray, int, list[int]]:
        """Read the next blocks behind bytes that were kept.

        Parameters
        ----------
        tail : numpy.ndarray of uint8
            Bytes to put first; may be a part of what the last call gave.

        Returns
        -------
        buffer : numpy.ndarray of uint8
            Valid until the next call; at least `PADDING` bytes longer than what was read.
        end : int
            Where the bytes that were read end in it.
        starts : list of int
            Where each block begins in it. None at the end of the file.

        Raises
        ------
        OSError
            When the file is damaged or ends without the empty block that marks the end.
        """
        most = len(tail) + self._n_blocks * BLOCK_BYTES + PADDING
        buffer = self._buffer if len(self._buffer) >= most else np.zeros(most, dtype=np.uint8)
        buffer[: len(tail)] = tail.copy()
        self._buffer = buffer
        view, end, starts = memoryview(buffer), len(tail), []
        while len(starts) < self._n_blocks and (block := self._next()) is not None:
            starts.append(end)
            view[end : end + len(block)] = block
            end += len(block)
        return buffer, end, starts

    def _next(self) -> bytes | None:
        """Decompress one block; None at the end of the file."""
        header = self._file.read(_HEADER)
        if not header:
            if not self._at_end_mark:
                msg = "no end mark"
                raise OSError(msg)
            return None
        if header[:4] != _MAGIC or header[10:16] != _EXTRA:
            msg = f"no block begins at byte {self._file.tell() - len(header)}"
            raise OSError(msg)
        rest = int.from_bytes(header[16:], "little") + 1 - _HEADER
        body = self._file.read(max(rest, 0))
        if len(body) < rest or rest < _FOOTER:
            msg = f"the block that ends at byte {self._file.tell()} is not complete"
            raise OSError(msg)
        checksum, length = struct.unpack_from("<II", body, rest - _FOOTER)
        block = _decompressed(memoryview(body)[:-_FOOTER], length)
        if block is None or len(block) != length or zlib.crc32(block) != checksum:
            msg = f"the block that ends at byte {self._file.tell()} is damaged"
            raise OSError(msg)
        self._at_end_mark = length == 0
        return block


def _decompressed(compressed: memoryview, length: int) -> bytes | None:
    if length > BLOCK_BYTES:
        return None
    try:
        return zlib.decompress(compressed, -15, max(length, 1))
    except zlib.error:
        return None
