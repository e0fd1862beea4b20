"""2bit files against a slow reader written from the description of the format, and against py2bit."""

import gzip
import struct
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_files import write_fasta

from helpers.data import two_bit
from helpers.data.fasta import read_fasta
from helpers.data.two_bit import fasta_to_two_bit, write_two_bit
from helpers.errors import InputError


def read_two_bit(path):
    """Read a file field by field and base by base: name → letters, with N and lower case where the blocks say so."""
    content = path.read_bytes()
    place = 0

    def numbers(count):
        nonlocal place
        place += 4 * count
        return struct.unpack_from(f"<{count}I", content, place - 4 * count)

    signature, version, n_contigs, reserved = numbers(4)
    assert (signature, version, reserved) == (0x1A412743, 0, 0)
    index = {}
    for _ in range(n_contigs):
        length = content[place]
        name = content[place + 1 : place + 1 + length].decode()
        place += 1 + length
        (index[name],) = numbers(1)
    contigs = {}
    for name, offset in index.items():
        place = offset
        (size,) = numbers(1)
        blocks = []
        for _ in ("unknown", "lower"):
            (count,) = numbers(1)
            blocks.append(list(zip(numbers(count), numbers(count), strict=True)))
        assert numbers(1) == (0,)
        letters = ["TCAG"[content[place + base // 4] >> (6 - 2 * (base % 4)) & 3] for base in range(size)]
        place += -(-size // 4)
        for start, length in blocks[0]:
            letters[start : start + length] = "N" * length
        for start, length in blocks[1]:
            letters[start : start + length] = "".join(letters[start : start + length]).lower()
        contigs[name] = "".join(letters)
        ends = [sum(block) for block in blocks[0]]
        assert all(end < start for end, (start, _) in zip(ends, blocks[0][1:], strict=False)), "blocks that touch"
    assert place == len(content)
    return contigs


def as_stored(letters):
    """What a 2bit file can hold of letters: A, C, G, T and N, in upper and lower case."""
    table = {"U": "T", "u": "t"} | {letter: letter for letter in "ACGTacgt"}
    return "".join(table.get(letter, "n" if letter.islower() else "N") for letter in letters)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 9])
def test_any_number_of_bases_fills_its_bytes(tmp_path, length):
    letters = "GATTACAGG"[:length]
    assert write_two_bit(tmp_path / "x.2bit", {"c": letters.encode()}) == {"c": length}
    assert read_two_bit(tmp_path / "x.2bit") == {"c": letters}


def test_bytes_are_those_of_the_description(tmp_path):
    write_two_bit(tmp_path / "x.2bit", {"ab": b"TCAGnN", "c": b"G"})
    record = struct.pack("<I", 6) + struct.pack("<3I", 1, 4, 2) + struct.pack("<3I", 1, 4, 1) + bytes(4)
    first = 16 + 7 + 6
    expected = struct.pack("<4I", 0x1A412743, 0, 2, 0)
    expected += b"\x02ab" + struct.pack("<I", first) + b"\x01c" + struct.pack("<I", first + len(record) + 2)
    expected += record + bytes([0b00011011, 0]) + struct.pack("<4I", 1, 0, 0, 0) + bytes([0b11000000])
    assert (tmp_path / "x.2bit").read_bytes() == expected


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.text("abcXY_.12", min_size=1, max_size=5), st.text("ACGTacgtNnUuRr-", min_size=1, max_size=60)),
    st.sampled_from([4, 8, 1 << 22]),
)
def test_any_letters_come_back_however_many_are_taken_at_once(tmp_path_factory, contigs, at_once):
    path = tmp_path_factory.mktemp("any") / "x.2bit"
    if not contigs:
        with pytest.raises(InputError, match="no contig to write"):
            write_two_bit(path, contigs)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_bit, "_BASES_AT_ONCE", at_once)
        write_two_bit(path, ((name, letters.encode()) for name, letters in contigs.items()))
    assert read_two_bit(path) == {name: as_stored(letters) for name, letters in contigs.items()}


def test_py2bit_reads_the_same(tmp_path):
    py2bit = pytest.importorskip("py2bit")
    rng = np.random.default_rng(3)
    runs = ["".join(rng.choice(list(kind), rng.integers(1, 90))) for kind in ["ACGT", "acgt", "N", "n"] * 40]
    contigs = {"chr1": "".join(runs), "chr2": "".join(runs[::-1]), "chrM": "acgtN"}
    write_two_bit(tmp_path / "x.2bit", {name: letters.encode() for name, letters in contigs.items()})
    with py2bit.open(str(tmp_path / "x.2bit"), True) as file:
        assert file.chroms() == {name: len(letters) for name, letters in contigs.items()}
        for name, letters in contigs.items():
            assert file.sequence(name) == as_stored(letters).replace("n", "N")
            assert file.sequence(name, 1, 4) == as_stored(letters)[1:4].replace("n", "N")
            groups = [(lower, len(list(run))) for lower, run in groupby(letters, str.islower)]
            ends = np.cumsum([length for _, length in groups])
            soft = [(int(end) - n, int(end)) for (lower, n), end in zip(groups, ends, strict=True) if lower]
            assert file.softMaskedBlocks(name) == soft


@pytest.mark.parametrize("ending", ["fa", "fa.gz"])
def test_a_fasta_file_keeps_its_lower_case_and_agrees_with_the_stored_codes(tmp_path, ending):
    rng = np.random.default_rng(5)
    letters = {name: "".join(rng.choice(list("ACGTacgtNnRY"), 333)) for name in ("chr1", "chr2", "chr3")}
    text = "".join(
        f">{name} of a test\n" + "".join(f"{line[at : at + 50]}\r\n" for at in range(0, len(line), 50))
        for name, line in letters.items()
    )
    path = tmp_path / f"genome.{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    sizes = fasta_to_two_bit(path, tmp_path / "all.2bit")
    assert sizes == dict.fromkeys(letters, 333)
    found = read_two_bit(tmp_path / "all.2bit")
    assert found == {name: as_stored(line) for name, line in letters.items()}
    codes = read_fasta(path)
    assert {name: ["ACGTN"[code] for code in codes.contig(name)] for name in letters} == {
        name: list(line.upper()) for name, line in found.items()
    }
    fasta_to_two_bit(path, tmp_path / "two.2bit", ["chr3", "chr1"])
    assert list(read_two_bit(tmp_path / "two.2bit").items()) == [(name, found[name]) for name in ("chr1", "chr3")]


def test_mistakes_are_named_and_leave_no_file(tmp_path, monkeypatch):
    fasta = write_fasta(tmp_path / "g.fa", c1="ACGT", c2="AC!T")
    with pytest.raises(InputError, match=r"g.fa, line 4: '!' is no letter"):
        fasta_to_two_bit(fasta, tmp_path / "x.2bit")
    write_fasta(tmp_path / "g.fa", c1="ACGT")
    with pytest.raises(InputError, match=r"g.fa lacks these contigs: c2, c3\. Use"):
        fasta_to_two_bit(fasta, tmp_path / "x.2bit", ["c2", "c1", "c3"])
    for contigs, message in (
        ([("c", b"A"), ("c", b"C")], "Contig c comes twice"),
        ([("c", b"")], "1 to 4294967295 bases. Received: c with 0"),
        ([("é" * 128, b"A")], "1 to 255 bytes"),
        ([("", b"A")], "1 to 255 bytes. Received: ''"),
    ):
        with pytest.raises(InputError, match=message):
            write_two_bit(tmp_path / "x.2bit", contigs)
    monkeypatch.setattr(two_bit, "_LARGEST", 40)
    with pytest.raises(InputError, match=r"x\.2bit would exceed 4 GiB"):
        write_two_bit(tmp_path / "x.2bit", {"a": b"ACGT", "b": b"ACGT"})
    assert [path.name for path in tmp_path.iterdir()] == ["g.fa"]
