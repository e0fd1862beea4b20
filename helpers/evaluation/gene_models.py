"""Genes or transcripts with their exons, from a GTF, a GFF or a BED file, and the rows that they are drawn in."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.data.region_lines import guess_format
from helpers.data.regions import read_regions
from helpers.errors import InputError
from helpers.evaluation.track_panels import is_path

_GENE = "gene"
_ID = {True: "gene_id", False: "transcript_id"}  # of a gene; of anything else
_NAMES = {
    True: ("gene_name", "Name", "gene_id", "ID"),
    False: ("transcript_name", "Name", "transcript_id", "ID"),
}


class GeneModels(NamedTuple):
    """Genes and their exons.

    Attributes
    ----------
    genes : pandas.DataFrame
        Region table; `name` is what is written ('' for nothing), `key` what exons call it.
    exons : pandas.DataFrame or None
        Region table with `owner`, the key of a gene; None where genes are whole boxes.
    """

    genes: pd.DataFrame
    exons: pd.DataFrame | None


def read_genes(source: Any, *, feature: str = _GENE, exons: str | None = "exon") -> GeneModels:
    """Read genes or transcripts, and their exons.

    Parameters
    ----------
    source : path or pandas.DataFrame
        GTF or GFF file, a region table of one, or a BED file or table of genes.
    feature : str
        Records that are genes: gene, transcript, mRNA.
    exons : str or None
        Records that are their exons: exon, CDS. They belong to the gene that has their gene_id (transcripts: their
        transcript_id), or else to those whose ID is their Parent, which may be several.

    Returns
    -------
    GeneModels
        Of a BED file, or without `exons`, whole genes.

    Raises
    ------
    InputError
        For a file without such records, and when no exon belongs to any of the genes.
    """
    genes = _records(source, feature)
    if "attributes" not in genes:
        return GeneModels(genes.assign(name=genes["name"].replace(".", "")), None)
    is_gene = feature == _GENE
    keys = _attribute(genes["attributes"], (_ID[is_gene], "ID"))
    names = _attribute(genes["attributes"], _NAMES[is_gene]).fillna("")
    genes = genes.assign(key=keys, name=names)
    if exons is None:
        return GeneModels(genes, None)
    parts = _owned(_records(source, exons), genes, _ID[is_gene])
    if not len(parts):
        others = "transcript or mRNA" if is_gene else "gene"
        message = (
            f"No record of {exons!r} belongs to a record of {feature!r}: it names another as its owner. Draw "
            f"feature={others}, or whole boxes with exons=None."
        )
        raise InputError(message)
    return GeneModels(genes, parts)


class GeneRows(NamedTuple):
    """Where genes and their names stand.

    Attributes
    ----------
    rows : numpy.ndarray of int, shape (genes,)
        Row of each gene, from 0.
    middles : numpy.ndarray of float, shape (genes,)
        Middle of its name, in points from the left; NaN where the name is wider than the panel.
    n_rows : int
        At least 1.
    """

    rows: np.ndarray
    middles: np.ndarray
    n_rows: int


def place_in_rows(
    lefts: np.ndarray, rights: np.ndarray, widths: np.ndarray, *, width: float, gap: float = 6.0
) -> GeneRows:
    """Place genes in as few rows as keep them and their names apart.

    Parameters
    ----------
    lefts, rights : numpy.ndarray of float, shape (genes,)
        Ends of each gene in points from the left of the panel; what lies outside the panel is not seen.
    widths : numpy.ndarray of float, shape (genes,)
        Width of each name in points, 0 for none. A name stands over the middle of what is seen, within the panel.
    width : float
        Width of the panel in points.
    gap : float
        Least distance of two genes, or names, in a row.

    Returns
    -------
    GeneRows

    Examples
    --------
    >>> lefts, rights = np.array([0.0, 10.0, 60.0]), np.array([30.0, 20.0, 90.0])
    >>> place_in_rows(lefts, rights, np.array([20.0, 20.0, 20.0]), width=100).rows
    array([0, 1, 0])
    """
    lefts, rights = np.clip(lefts, 0, width), np.clip(rights, 0, width)
    fits = widths <= width
    half = np.where(fits, widths, 0) / 2
    middles = np.clip((lefts + rights) / 2, half, width - half)
    firsts, lasts = np.minimum(lefts, middles - half), np.maximum(rights, middles + half)
    rows = np.zeros(len(lefts), dtype=np.int64)
    ends: list[float] = []
    for gene in np.argsort(firsts, kind="stable"):
        row = next((row for row, end in enumerate(ends) if end + gap <= firsts[gene]), len(ends))
        ends[row : row + 1] = [lasts[gene]]
        rows[gene] = row
    return GeneRows(rows, np.where(fits, middles, np.nan), max(1, len(ends)))


def _records(source: Any, feature: str) -> pd.DataFrame:
    """Read the records of a feature; all of what has no features."""
    if is_path(source) and guess_format(Path(source)) == "gff":
        return read_regions(source, feature=feature)
    regions = read_regions(source)
    if "feature" not in regions:
        return regions
    found = regions[regions["feature"] == feature].reset_index(drop=True)
    if not len(found):
        there = ", ".join(sorted(set(regions["feature"]))[:5])
        message = f"The table of genes has no records of {feature!r}. It has: {there}. Name one of these."
        raise InputError(message)
    return found


def _owned(parts: pd.DataFrame, genes: pd.DataFrame, own_id: str) -> pd.DataFrame:
    """Give each part of a gene the key of its gene as `owner`, once for each of several; the others are left out."""
    keys, ids = genes["key"], _attribute(genes["attributes"], ("ID",))
    named = _attribute(parts["attributes"], (own_id,))
    parents = _attribute(parts["attributes"], ("Parent",)).str.split(",")
    owned = parts.assign(owner=parents.mask(named.isin(keys.dropna()), named)).explode("owner")
    key_of = dict(zip(ids, keys, strict=True)) | {key: key for key in keys}
    key_of = {name: key for name, key in key_of.items() if isinstance(name, str)}  # a record may have no ID
    owned["owner"] = owned["owner"].map(key_of)
    return owned[owned["owner"].notna()].reset_index(drop=True)


def _attribute(texts: pd.Series, keys: tuple[str, ...]) -> pd.Series:
    """Find the first of some attributes that each record has, missing where it has none."""
    found = pd.Series(np.nan, index=texts.index, dtype=object)
    for key in keys:
        value = texts.str.extract(rf'(?:^|;)\s*{key}(?:\s*=\s*|\s+)"?([^";]+)', expand=False).str.strip()
        found = found.where(found.notna(), value)
    return found
