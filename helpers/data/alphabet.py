"""Letters of DNA and of proteins as numbers."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from helpers.errors import InputError

NOT_A_LETTER = 255


@dataclass(frozen=True)
class Alphabet:
    """Letters, numbered 0, 1, 2, ... in alphabetical order.

    Parameters
    ----------
    name : str
        What users call it.
    letters : str
        Capital letters with a number of their own.
    others : str
        Capital letters and symbols that may stand in a file as well; they are unknown.
    same : str
        Pairs of a letter and the one that it is read as.
    has_strands : bool
        Whether there is a reverse complement. Then letter i pairs with the i-th from the end.

    Examples
    --------
    >>> DNA.letters, DNA.unknown, DNA.max_order, PROTEIN.max_order
    ('ACGT', 4, 7, 3)
    """

    name: str
    letters: str
    others: str
    same: str = ""
    has_strands: bool = False

    @property
    def unknown(self) -> int:
        """Number of what is none of the letters."""
        return len(self.letters)

    @property
    def max_order(self) -> int:
        """Length of the longest k-mers whose numbers, and one more for unknown, fit into 16 bits."""
        return max(order for order in range(1, 16) if len(self.letters) ** order < 1 << 16)

    @cached_property
    def strict(self) -> bytes:
        """Number of each byte; NOT_A_LETTER for those that no sequence has."""
        codes = bytearray([NOT_A_LETTER]) * 256
        numbers = dict.fromkeys(self.others, self.unknown) | {letter: i for i, letter in enumerate(self.letters)}
        numbers |= {letter: numbers[other] for letter, other in zip(self.same[::2], self.same[1::2], strict=True)}
        for letter, number in numbers.items():
            codes[ord(letter)] = codes[ord(letter.lower())] = number
        return bytes(codes)

    @cached_property
    def lenient(self) -> bytes:
        """Number of each byte; unknown for those that no sequence has."""
        return self.strict.replace(bytes([NOT_A_LETTER]), bytes([self.unknown]))

    def kmers(self, order: int) -> list[str]:
        """Give all k-mers in the order of their numbers, the first letter most significant."""
        return ["".join(letters) for letters in product(self.letters, repeat=order)]


DNA = Alphabet("dna", "ACGT", "NRYSWKMBDHVX*-.?", same="UT", has_strands=True)
PROTEIN = Alphabet("protein", "ACDEFGHIKLMNPQRSTVWY", "BJOUXZ*-.?")


def alphabet_of(seqtype: str) -> Alphabet:
    """Give the alphabet of a kind of sequence, 'dna' or 'protein'.

    Raises
    ------
    InputError
        For another kind.
    """
    for alphabet in (DNA, PROTEIN):
        if seqtype == alphabet.name:
            return alphabet
    msg = f"seqtype is 'dna' or 'protein'. Received: seqtype={seqtype!r}."
    raise InputError(msg)


def encode_letters(letters: bytes | np.ndarray, alphabet: Alphabet = DNA) -> np.ndarray:
    """Encode the letters of a sequence, one number each.

    Parameters
    ----------
    letters : bytes, or numpy.ndarray of uint8
        ASCII letters, upper or lower case.
    alphabet : Alphabet, default DNA
        0, 1, 2, 3 for A, C, G, T (U is T), or 0 to 19 for the amino acids ACDEFGHIKLMNPQRSTVWY.

    Returns
    -------
    numpy.ndarray of uint8, shape of `letters`
        Anything else is ``alphabet.unknown``: 4 for DNA, 20 for proteins.

    Examples
    --------
    >>> encode_letters(b"ACgtN")
    array([0, 1, 2, 3, 4], dtype=uint8)
    >>> encode_letters(b"MAX*", PROTEIN)
    array([10,  0, 20, 20], dtype=uint8)
    """
    if isinstance(letters, np.ndarray):
        return np.frombuffer(alphabet.lenient, dtype=np.uint8)[letters]
    return np.frombuffer(bytearray(letters.translate(alphabet.lenient)), dtype=np.uint8)
