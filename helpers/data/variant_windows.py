"""Windows of the genome around variants, with the reference and with the alternative allele, as codes of letters.

A window of `length` bp begins ``(length - 1) // 2`` bp before the first base of the reference allele, so that an SNV
stands in its middle. What lies on its 5' side stays in place. A window keeps its length whatever the alleles: a
deletion pulls bases in from the 3' side, an insertion pushes bases out there. Outside the contig all is unknown.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from helpers.data.alphabet import DNA, encode_letters
from helpers.data.genome_store import GenomeStore
from helpers.data.variants import Status, Variants
from helpers.errors import InputError

MISMATCH = ("skip", "flag", "use")


class VariantWindows(NamedTuple):
    """Windows around a batch of variants.

    Attributes
    ----------
    variants : Variants
        All of the batch, their status completed.
    rows : numpy.ndarray of int64, shape (scored,)
        The variants that have windows.
    reference, alternative : numpy.ndarray of uint8, shape (scored, length)
        Letters on the forward strand: 0 to 3 for A, C, G, T, 4 for unknown.
    """

    variants: Variants
    rows: np.ndarray
    reference: np.ndarray
    alternative: np.ndarray


def middle_of(length: int) -> int:
    """Give the position of an SNV in a window of so many bp."""
    return (length - 1) // 2


def cut_variant_windows(
    genome: GenomeStore,
    variants: Variants,
    length: int,
    *,
    mismatch: str = "skip",
    shortest: int | None = None,
    covered: Collection[str] | None = None,
) -> VariantWindows:
    """Cut windows around variants out of a genome and write the alleles into them.

    Parameters
    ----------
    genome : GenomeStore of uint8, shape (letters,)
        Codes of letters.
    variants : Variants
        Left unchanged.
    length : int
        bp of a window.
    mismatch : {'skip', 'flag', 'use'}
        What becomes of a variant whose reference allele is not what the genome has: it gets no windows; or the genome
        as it is stands against the alternative allele; or the record's reference allele is written into the window of
        the reference as well.
    shortest : int, optional
        bp of the shortest window that a model cuts out of the middle of these; `length` by default. Either allele must
        fit between its middle and its 3' end.
    covered : collection of str, optional
        Contigs that have coverage, where a model reads some; by default none is needed.

    Returns
    -------
    VariantWindows

    Raises
    ------
    InputError
        For another `mismatch`.

    Examples
    --------
    >>> from helpers.data.storage import GenomeArray
    >>> genome = GenomeArray.from_contigs({"chr1": encode_letters(b"ACGTTTGCA")})
    >>> at = np.array([3])
    >>> deletion = Variants(["chr1"], at, ["."], ["TT"], ["T"], np.zeros(1, np.uint8), np.zeros(1, np.int64), [""])
    >>> windows = cut_variant_windows(genome, deletion, 5)  # CGTTT against CGTTG
    >>> windows.reference.tolist(), windows.alternative.tolist()
    ([[1, 2, 3, 3, 3]], [[1, 2, 3, 3, 2]])
    """
    check_mismatch(mismatch)
    contigs = {name: number for number, name in enumerate(genome.contigs)}
    ids = np.fromiter((contigs.get(name, -1) for name in variants.chroms), dtype=np.int64, count=len(variants.chroms))
    fits = (shortest or length) - middle_of(shortest or length)
    variants = variants._replace(status=_placed_status(variants, ids, np.array(list(genome.sizes.values())), fits))
    if covered is not None:
        bare = np.array([name not in covered for name in variants.chroms], dtype=bool)
        variants.status[bare & (variants.status == Status.SCORED)] = Status.CONTIG_WITHOUT_COVERAGE
    rows = np.flatnonzero(variants.status == Status.SCORED)
    reference = np.empty((len(rows), length), dtype=np.uint8)
    alternative = np.empty_like(reference)
    matches = np.empty(len(rows), dtype=bool)
    for group in _groups_of_lengths(variants, rows):
        own = rows[group]
        refs, alts = _letters(variants.refs, own), _letters(variants.alts, own)
        pulled = max(refs.shape[1] - alts.shape[1], 0)
        starts = variants.starts[own] - middle_of(length)
        letters = genome.gather(ids[own], starts, length + pulled, DNA.unknown)
        reference[group], alternative[group], matches[group] = _write_alleles(
            letters, refs, alts, length, write_reference=mismatch == "use"
        )
    variants.status[rows[~matches]] = (
        Status.REFERENCE_MISMATCH if mismatch == "skip" else Status.SCORED_DESPITE_MISMATCH
    )
    if mismatch == "skip" and not matches.all():
        rows, reference, alternative = rows[matches], reference[matches], alternative[matches]
    return VariantWindows(variants, rows, reference, alternative)


def check_mismatch(mismatch: str) -> None:
    """Raise InputError for an unknown way to treat reference alleles that the genome does not have."""
    if mismatch not in MISMATCH:
        msg = f"mismatch is one of {', '.join(MISMATCH)}. Received: mismatch={mismatch!r}."
        raise InputError(msg)


def _placed_status(variants: Variants, ids: np.ndarray, sizes: np.ndarray, fits: int) -> np.ndarray:
    """Give the status of variants by their place; what was wrong with their letters stays."""
    ref_lengths = variants.ref_lengths
    outside = (variants.starts < 0) | (variants.starts + ref_lengths > sizes[ids])
    causes = {
        Status.CONTIG_NOT_IN_GENOME: ids < 0,
        Status.OUTSIDE_CONTIG: outside,
        Status.LONGER_THAN_WINDOW: np.maximum(ref_lengths, variants.alt_lengths) > fits,
    }
    placed = np.select([*causes.values()], [*causes], default=Status.SCORED).astype(np.uint8)
    return np.where(variants.status == Status.SCORED, placed, variants.status)


def _groups_of_lengths(variants: Variants, rows: np.ndarray) -> list[np.ndarray]:
    """Give groups of positions in `rows` whose variants have alleles of the same two lengths."""
    lengths = np.stack([variants.ref_lengths[rows], variants.alt_lengths[rows]])
    if (lengths == 1).all():
        return [np.arange(len(rows))] if len(rows) else []
    _, group = np.unique(lengths, axis=1, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group.ravel()[order])) + 1)


def _letters(alleles: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """Encode alleles of one length, shape (rows, letters)."""
    return encode_letters("".join([alleles[row] for row in rows.tolist()]).encode()).reshape(len(rows), -1)


def _write_alleles(
    letters: np.ndarray, refs: np.ndarray, alts: np.ndarray, length: int, *, write_reference: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the windows of the reference and the alternative, and whether the genome has the reference allele.

    `letters` holds the genome, with as many bases behind the window as a deletion pulls in.
    """
    middle, n_ref, n_alt = middle_of(length), refs.shape[1], alts.shape[1]
    matches = (letters[:, middle : middle + n_ref] == refs).all(axis=1)
    alternative = np.empty((len(letters), length), dtype=np.uint8)
    alternative[:, :middle] = letters[:, :middle]
    alternative[:, middle : middle + n_alt] = alts
    behind = length - middle - n_alt
    alternative[:, middle + n_alt :] = letters[:, middle + n_ref : middle + n_ref + behind]
    if write_reference:
        letters[:, middle : middle + n_ref] = refs
    return letters[:, :length], alternative, matches
