"""The file of variants written again, each record with the effects of its alleles, or why they were not scored."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pysam

from helpers.data.variants import Variants
from helpers.errors import InputError
from helpers.evaluation.variant_effects import Scored
from helpers.evaluation.variant_files import WORDS, Write, number_texts
from helpers.files import atomic_path

EFFECT, STATUS = "EFFECT", "EFFECT_STATUS"
_INFO = (
    f'##INFO=<ID={EFFECT},Number=.,Type=String,Description="Predicted effect of each scored alternative allele on each '
    'output: allele|output|prediction of the reference|prediction of the allele|difference|logit difference">',
    f'##INFO=<ID={STATUS},Number=.,Type=String,Description="Whether each alternative allele was scored, or why not">',
)
_INFO_COLUMN = 7
_INDEXES = ("tbi", "csi")  # up to this length, and beyond
_MOST_OF_TBI = 1 << 29  # bp
_LOG = logging.getLogger(__name__)


@contextmanager
def annotated_vcf(path: str | os.PathLike[str], outputs: Sequence[str], header: Sequence[str]) -> Iterator[Write]:
    """Write all records as they were, bgzipped, with the INFO fields ``EFFECT`` and ``EFFECT_STATUS``.

    Parameters
    ----------
    path : path
        Ends in .vcf.gz. It appears when the block ends well.
    outputs : sequence of str
        Names of the outputs; what INFO cannot hold is written as in URLs (a space as %20).
    header : sequence of str
        Of the file of variants, see `helpers.data.variants.read_variant_header`.

    Yields
    ------
    callable
        Takes the next `Scored` batch.

    Raises
    ------
    InputError
        For a header that has these fields already.

    Notes
    -----
    Records in order of their places get an index (.tbi, or .csi where a contig is longer than 2**29 bp) beside the
    file; others are written as they came, with a warning.
    """
    _check_fields(header, path)
    names = [quote(name, safe="/+()") for name in outputs]
    order = PlaceOrder()
    with atomic_path(path) as temporary:
        with pysam.BGZFile(os.fspath(temporary), "wb") as file:
            file.write("".join(f"{line}\n" for line in [*header[:-1], *_INFO, header[-1]]).encode())

            def write(scored: Scored) -> None:
                order.follow(scored.variants)
                file.write("".join(_annotated(scored, names)).encode())

            yield write
        for suffix in _INDEXES:
            Path(f"{path}.{suffix}").unlink(missing_ok=True)  # of an older file
    _index(path, order)


class PlaceOrder:
    """Watch whether variants come contig by contig, in rising order of their places.

    Attributes
    ----------
    kept : bool
        So far.
    last : int
        Greatest start so far, in bp.
    """

    def __init__(self) -> None:
        self.kept, self.last = True, 0
        self._seen: set[str] = set()
        self._chrom, self._start = "", -1

    def follow(self, variants: Variants) -> None:
        """Look at the next batch."""
        self.last = max(self.last, int(variants.starts.max()))
        for chrom, start in zip(variants.chroms, variants.starts.tolist(), strict=True):
            if chrom != self._chrom:
                self.kept = self.kept and chrom not in self._seen
                self._seen.add(chrom)
                self._chrom, self._start = chrom, -1
            self.kept = self.kept and start >= self._start
            self._start = start


def _index(path: str | os.PathLike[str], order: PlaceOrder) -> None:
    """Write the index of a file, if it can have one."""
    if not order.kept:
        _LOG.warning("%s is not in order of its places and gets no index. `bcftools sort` sorts it.", path)
        return
    long = order.last >= _MOST_OF_TBI
    with atomic_path(f"{path}.{_INDEXES[long]}") as index:
        pysam.tabix_index(os.fspath(path), preset="vcf", index=os.fspath(index), csi=long)


def _check_fields(header: Sequence[str], path: str | os.PathLike[str]) -> None:
    if any(line.startswith((f"##INFO=<ID={EFFECT},", f"##INFO=<ID={STATUS},")) for line in header):
        msg = (
            f"The VCF file has the INFO fields {EFFECT} or {STATUS} already, which {path} shall get. Give the file "
            f"without them: `bcftools annotate -x INFO/{EFFECT},INFO/{STATUS}` removes them."
        )
        raise InputError(msg)


def _annotated(scored: Scored, names: Sequence[str]) -> Iterator[str]:
    """Give the lines of the records with effects and status of their alleles among the INFO."""
    variants = scored.variants
    status: list[list[str]] = [[] for _ in variants.lines]
    for record, code in zip(variants.records.tolist(), variants.status.tolist(), strict=True):
        status[record].append(WORDS[code])
    for line, effects, words in zip(variants.lines, _effects_of_records(scored, names), status, strict=True):
        fields = line.split("\t", _INFO_COLUMN + 1)
        info = [] if fields[_INFO_COLUMN] in (".", "") else [fields[_INFO_COLUMN]]
        info += [f"{EFFECT}={','.join(effects)}"] if effects else []
        fields[_INFO_COLUMN] = ";".join([*info, f"{STATUS}={','.join(words)}"])
        yield "\t".join(fields) + "\n"


def _effects_of_records(scored: Scored, names: Sequence[str]) -> list[list[str]]:
    """Write the effects of each record's alleles, output by output."""
    found: list[list[str]] = [[] for _ in scored.variants.lines]
    records, alts = scored.variants.records[scored.rows].tolist(), scored.variants.texts(scored.rows)[-1]
    for output, name in enumerate(names):
        numbers = number_texts(scored.effects, output, ".")[:4]
        for record, alt, *texts in zip(records, alts, *numbers, strict=True):
            found[record].append("|".join([alt, name, *texts]))
    return found
