"""Motifs of DNA: from and to files in MEME minimal format, their scores, their information and their consensus."""

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from helpers.data.contigs import read_text
from helpers.errors import InputError
from helpers.files import atomic_path

LETTERS = "ACGT"
PSEUDOCOUNT = 0.1  # sites, spread as the background is
_DEFAULT_SITES = 20.0  # where a file does not say; MEME's own default
_TOLERANCE = 0.01  # of a sum of probabilities that were rounded
_ENDS_MATRIX = re.compile(r"\s*$|URL|--")
_UNIFORM = (0.25, 0.25, 0.25, 0.25)
_DECIMALS = 6
_ONE_BASE, _TWICE = 0.5, 2  # one letter stands for a base above a half that is at least twice as frequent as the next
_TWO_BASES = 0.75  # a letter stands for two bases that are together above this
_AMBIGUOUS = {"AC": "M", "AG": "R", "AT": "W", "CG": "S", "CT": "Y", "GT": "K"}

Line = tuple[int, str]  # number in the file, from 1; text


@dataclass(frozen=True)
class Motif:
    """A motif: how probable each base is at each of its positions.

    Attributes
    ----------
    name : str
    alternate_name : str
        '' where the file gives none.
    probabilities : numpy.ndarray of float64, shape (length, 4)
        Of A, C, G, T; each row sums to 1.
    n_sites : float
        Number of sites that the probabilities were counted on; 20 where the file does not say.
    background : numpy.ndarray of float64, shape (4,)
        Of A, C, G, T anywhere, as the file says; 0.25 each where it does not.
    """

    name: str
    alternate_name: str
    probabilities: np.ndarray = field(repr=False)
    n_sites: float
    background: np.ndarray = field(repr=False)

    def log_odds(self, pseudocount: float = PSEUDOCOUNT) -> np.ndarray:
        """Score each base at each position: the logarithm to base 2 of its probability over the background's.

        Parameters
        ----------
        pseudocount : float, default 0.1
            Above 0. So many sites that look like the background are added to those of the motif, which keeps the score
            of a base that was never seen finite.

        Returns
        -------
        numpy.ndarray of float64, shape (length, 4)
            In bits.

        Raises
        ------
        InputError
            For another pseudocount.

        Examples
        --------
        >>> motif = Motif("a", "", np.array([[1.0, 0, 0, 0]]), 20, np.full(4, 0.25))
        >>> motif.log_odds().round(2)
        array([[ 1.99, -7.65, -7.65, -7.65]])
        """
        if not pseudocount > 0:
            msg = f"A pseudocount is a number of sites above 0. Received: pseudocount={pseudocount!r}."
            raise InputError(msg)
        counts = self.n_sites * self.probabilities + pseudocount * self.background
        return np.log2(counts / (self.n_sites + pseudocount) / self.background)

    def information(self) -> np.ndarray:
        """Compute the information of each position, against bases that are all as frequent.

        Returns
        -------
        numpy.ndarray of float64, shape (length,)
            In bits, 0 to 2; not corrected for the number of sites.

        Examples
        --------
        >>> Motif("a", "", np.array([[1, 0, 0, 0], [0.5, 0, 0.5, 0], [0.25] * 4]), 20, np.full(4, 0.25)).information()
        array([2., 1., 0.])
        """
        logarithms = np.log2(self.probabilities, out=np.zeros_like(self.probabilities), where=self.probabilities > 0)
        return 2 + (self.probabilities * logarithms).sum(axis=1)

    def consensus(self) -> str:
        """Write the motif in letters.

        Returns
        -------
        str
            At each position the base above 0.5 that is at least twice as frequent as the next; else the letter
            of IUPAC for the two most frequent bases, if they are above 0.75 together; else N.

        References
        ----------
        Cavener, Nucleic Acids Research 15 (1987), https://doi.org/10.1093/nar/15.4.1353

        Examples
        --------
        >>> rows = [[0.9, 0.1, 0, 0], [0.5, 0, 0.5, 0], [0.25, 0.25, 0.25, 0.25]]
        >>> Motif("a", "", np.array(rows), 20, np.full(4, 0.25)).consensus()
        'ARN'
        """
        return "".join(_consensus_letter(row) for row in self.probabilities)


def _consensus_letter(row: np.ndarray) -> str:
    first, second = np.argsort(-row, kind="stable")[:2]
    if row[first] > _ONE_BASE and row[first] >= _TWICE * row[second]:
        return LETTERS[first]
    pair = "".join(sorted(LETTERS[first] + LETTERS[second]))
    return _AMBIGUOUS[pair] if row[first] + row[second] > _TWO_BASES else "N"


def write_motifs(path: str | os.PathLike[str], motifs: Sequence[Motif]) -> None:
    """Write motifs as MEME minimal text, which `read_motifs` and the MEME suite read.

    Parameters
    ----------
    path : path
        Appears when it is complete.
    motifs : sequence of Motif
        With the same background, as a file has one. Without any, the file has a header alone, which `read_motifs`
        refuses.

    Raises
    ------
    InputError
        For names that are empty, hold white space or come twice, and motifs of different backgrounds.
    """
    _check_writable(path, motifs)
    background = motifs[0].background if motifs else np.array(_UNIFORM)
    frequencies = " ".join(f"{letter} {share:.{_DECIMALS}f}" for letter, share in zip(LETTERS, background, strict=True))
    lines = ["MEME version 4", "", f"ALPHABET= {LETTERS}", "", "strands: + -", ""]
    lines += ["Background letter frequencies", frequencies, ""]
    for motif in motifs:
        size = f"w= {len(motif.probabilities)} nsites= {motif.n_sites:.12g} E= 0"
        lines += [
            f"MOTIF {motif.name} {motif.alternate_name}".rstrip(),
            f"letter-probability matrix: alength= 4 {size}",
        ]
        lines += [" ".join(f"{chance:.{_DECIMALS}f}" for chance in row) for row in motif.probabilities] + [""]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def _check_writable(path: str | os.PathLike[str], motifs: Sequence[Motif]) -> None:
    names = [motif.name for motif in motifs]
    for motif in motifs:
        for name in (motif.name, motif.alternate_name or "-"):
            if name.split() != [name]:
                msg = f"{path}: a motif's name is one word. Received: {name!r}. Rename it."
                raise InputError(msg)
        if names.count(motif.name) > 1:
            msg = f"{path}: there are {names.count(motif.name)} motifs {motif.name}. Rename all but one."
            raise InputError(msg)
        if not np.allclose(motif.background, motifs[0].background):
            msg = f"{path}: motifs {names[0]} and {motif.name} have different backgrounds. Write a file for each."
            raise InputError(msg)


def read_motifs(path: str | os.PathLike[str]) -> list[Motif]:
    """Read motifs from a file in MEME minimal format.

    Parameters
    ----------
    path : path
        Text, plain or gzipped: ``MEME version``, ``ALPHABET= ACGT``, the letter frequencies of the background (both
        may be missing), and for each motif ``MOTIF name [alternate name]`` and its ``letter-probability matrix:``.
        The output of MEME itself has these lines, too. All others are left out.

    Returns
    -------
    list of Motif
        In the order of the file.

    Raises
    ------
    InputError
        For a file that is missing, no such text or without motifs; with the line, for another alphabet, rows that are
        no probabilities or another number than ``w=`` says, and names that come twice.
    """
    lines = list(enumerate(read_text(path).decode(errors="replace").split("\n"), 1))
    starts = [place for place, (_, text) in enumerate(lines) if text.split()[:1] == ["MOTIF"]]
    header = lines[: starts[0]] if starts else lines
    if not any(text.startswith("MEME version") for _, text in header):
        msg = f"{path}: there is no line 'MEME version'. Give motifs in MEME minimal format."
        raise InputError(msg)
    if not starts:
        msg = f"{path}: there is no motif, no line that begins with MOTIF. Give a file with motifs."
        raise InputError(msg)
    _check_alphabet(path, header)
    background = _read_background(path, header)
    motifs = [
        _read_motif(path, lines[first:last], background) for first, last in itertools.pairwise([*starts, len(lines)])
    ]
    for place, motif in enumerate(motifs):
        if any(motif.name == other.name for other in motifs[:place]):
            raise _wrong(path, lines[starts[place]], f"a second motif {motif.name}", "Rename or remove one of the two")
    return motifs


def _wrong(path: str | os.PathLike[str], line: Line, problem: str, remedy: str) -> InputError:
    return InputError(f"{path}, line {line[0]}: {problem}. Received: {line[1].strip()[:60]!r}. {remedy}.")


def _check_alphabet(path: str | os.PathLike[str], header: Sequence[Line]) -> None:
    for line in header:
        if line[1].startswith("ALPHABET") and line[1].removeprefix("ALPHABET").strip(" =\t") != LETTERS:
            raise _wrong(path, line, "the alphabet is not that of DNA", f"Motifs are read with ALPHABET= {LETTERS}")


def _read_background(path: str | os.PathLike[str], header: Sequence[Line]) -> np.ndarray:
    """Read the frequencies that stand, on one line or several, below their heading; 0.25 each without a heading."""
    for place, line in enumerate(header):
        if line[1].startswith("Background letter frequencies"):
            words = " ".join(text for _, text in header[place + 1 :]).split()[:8]
            values = _as_numbers(words[1::2])
            if words[::2] != list(LETTERS) or not _are_probabilities(values) or min(values) == 0:
                remedy = "Give 'A 0.3 C 0.2 G 0.2 T 0.3' below it: above 0, with the sum 1"
                raise _wrong(path, line, f"the background is not read: {' '.join(words) or 'nothing'}", remedy)
            return np.array(values) / sum(values)
    return np.array(_UNIFORM)


def _read_motif(path: str | os.PathLike[str], lines: Sequence[Line], background: np.ndarray) -> Motif:
    """Read the lines from one MOTIF to the next."""
    names = lines[0][1].split()[1:3]
    matrices = [place for place, (_, text) in enumerate(lines) if text.startswith("letter-probability matrix:")]
    if not names or len(matrices) != 1:
        problem = "a motif has a name and one letter-probability matrix"
        raise _wrong(path, lines[0], f"{problem}; here are {len(matrices)}", "Complete the motif, or remove it")
    head, below = lines[matrices[0]], lines[matrices[0] + 1 :]
    n_sites = _number_after(path, head, "nsites", _DEFAULT_SITES)
    rows = list(itertools.takewhile(lambda line: not _ENDS_MATRIX.match(line[1]), below))
    length = _number_after(path, head, "w", max(len(rows), 1))
    if len(rows) != length:
        raise _wrong(path, head, f"{len(rows)} rows follow", "Correct w=, or the rows")
    probabilities = np.array([_read_row(path, line) for line in rows])
    return Motif(names[0], "".join(names[1:]), probabilities, n_sites, background)


def _number_after(path: str | os.PathLike[str], line: Line, key: str, default: float) -> float:
    """Read the number behind ``key=``."""
    found = re.search(rf"\b{key}=\s*(\S*)", line[1])
    values = _as_numbers([found[1]]) if found else [default]
    if not values or not values[0] > 0 or np.isinf(values[0]):
        raise _wrong(path, line, f"{key}= is not above 0", f"Correct {key}=, or leave it out")
    return values[0]


def _read_row(path: str | os.PathLike[str], line: Line) -> np.ndarray:
    values = _as_numbers(line[1].split())
    if not _are_probabilities(values):
        raise _wrong(path, line, "a row is four probabilities with the sum 1", "Correct the row")
    return np.array(values) / sum(values)


def _are_probabilities(values: Sequence[float]) -> bool:
    return len(values) == 4 and all(0 <= value <= 1 for value in values) and abs(sum(values) - 1) <= _TOLERANCE


def _as_numbers(words: Sequence[str]) -> list[float]:
    """Read words as numbers; give nothing when one is not."""
    numeric = all(re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word) for word in words)
    return [float(word) for word in words] if numeric else []
