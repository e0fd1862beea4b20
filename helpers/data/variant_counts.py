"""How many variants of a file were scored, how many were not, and why; and when none can be."""

import logging
from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.data.variants import Status, Variants
from helpers.errors import InputError, list_some

COLUMNS = ("status", "n", "which")
_LOG = logging.getLogger(__name__)


class VariantCounts:
    """Count the variants of a file by their status, batch by batch.

    Attributes
    ----------
    n : numpy.ndarray of int64, shape (statuses,)
        Alleles by `Status`.

    Examples
    --------
    >>> counts = VariantCounts()
    >>> letters = [["chr9"], np.array([41]), ["."], ["A"], ["C"]]
    >>> counts.add(Variants(*letters, np.array([Status.CONTIG_NOT_IN_GENOME]), np.array([0]), [""]))
    >>> counts.table().query("n > 0").values.tolist()
    [['contig_not_in_genome', 1, 'chr9']]
    """

    def __init__(self) -> None:
        self.n = np.zeros(len(Status), dtype=np.int64)
        self._first: dict[int, str] = {}
        self._unknown: dict[str, None] = {}  # contigs, in order of appearance

    def add(self, variants: Variants) -> None:
        """Count a batch whose status is complete."""
        found = np.bincount(variants.status, minlength=len(Status))
        self.n += found
        for status in np.flatnonzero(found).tolist():
            if status not in self._first:
                self._first[status] = variants.describe(int(np.argmax(variants.status == status)))
        if found[Status.CONTIG_NOT_IN_GENOME]:
            rows = np.flatnonzero(variants.status == Status.CONTIG_NOT_IN_GENOME)
            self._unknown.update(dict.fromkeys(variants.chroms[row] for row in rows.tolist()))

    @property
    def n_scored(self) -> int:
        """Alleles that were compared with the reference."""
        return int(self.n[Status.SCORED] + self.n[Status.SCORED_DESPITE_MISMATCH])

    def table(self) -> pd.DataFrame:
        """Give a row for each status, those without variants included.

        Returns
        -------
        pandas.DataFrame
            ``status``; ``n``, alleles; ``which``, the first of them as chrom:position:ref:alt, or the contigs that the
            genome does not have.
        """
        which = [self._first.get(status, "") for status in Status]
        which[Status.CONTIG_NOT_IN_GENOME] = list_some(self._unknown, 20)
        return pd.DataFrame(dict(zip(COLUMNS, ([status.word for status in Status], self.n, which), strict=True)))

    def check(self, path: object, genome_contigs: Iterable[str], shortest: int) -> None:
        """Log the counts; raise InputError when nothing can be scored because genome or model are others.

        A warning says when most reference alleles are not what the genome has.

        Parameters
        ----------
        path : path
            Of the variants, for messages.
        genome_contigs : iterable of str
            Names of the genome's contigs.
        shortest : int
            bp of the shortest window of the model.
        """
        for row in self.table().query("n > 0").itertuples():
            _LOG.info("%s: %d variants: %s (%s)", path, row.n, row.status, row.which)
        wrong = int(self.n[Status.REFERENCE_MISMATCH] + self.n[Status.SCORED_DESPITE_MISMATCH])
        if wrong > self.n[Status.SCORED]:
            text = "%s: %d reference alleles are not what the genome has, %d are; is it of another assembly?"
            _LOG.warning(text, path, wrong, self.n[Status.SCORED])
        if self.n_scored:
            return
        if self.n[Status.REFERENCE_MISMATCH]:
            msg = (
                f"{path}: none of {wrong} reference alleles is what the genome has, the first "
                f"{self._first[Status.REFERENCE_MISMATCH]}. Use the VCF file of the same assembly, or mismatch: flag."
            )
            raise InputError(msg)
        unknown, too_long = self.n[Status.CONTIG_NOT_IN_GENOME], self.n[Status.LONGER_THAN_WINDOW]
        if unknown and unknown == self._with_letters():
            msg = (
                f"{path}: none of its contigs is in the genome: {list_some(self._unknown, 8)}; the genome has "
                f"{list_some(genome_contigs, 8)}. Use the VCF file of the same assembly, with the same names "
                "(`bcftools annotate --rename-chrs` renames contigs)."
            )
            raise InputError(msg)
        if too_long:
            msg = (
                f"{path}: no variant fits into the model's window: its input of {shortest} bp is too short for all "
                f"{too_long} that could be scored, the first {self._first[Status.LONGER_THAN_WINDOW]}. Use a model "
                "with a longer input (a wider flank), or other variants."
            )
            raise InputError(msg)

    def _with_letters(self) -> int:
        """Count the alleles whose place was looked at."""
        of_letters = (Status.NO_ALTERNATIVE, Status.SAME_AS_REFERENCE, Status.SYMBOLIC, Status.AMBIGUOUS_LETTERS)
        return int(self.n.sum() - self.n[list(of_letters)].sum())
