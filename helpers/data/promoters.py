"""Promoters: the bases upstream of each gene's start, and the genes that have none, with the reason."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.data.region_lines import count_names
from helpers.data.region_tables import REGION_COLUMNS
from helpers.data.regions import extend_regions
from helpers.errors import InputError

TYPE_KEYS = ("gene_type", "gene_biotype", "biotype")  # of GENCODE; of Ensembl's GTF; of its GFF3
_OTHER_KEYS = r'^(?:(?:[^";]|"[^"]*")*;)*?\s*'  # whole attributes before a key, quoted semicolons among them
_ANNOTATION = "Use an annotation with gene records, such as those of GENCODE or Ensembl, as GTF or GFF"


def find_promoters(
    genes: pd.DataFrame, sizes: Mapping[str, int], *, length: int, gene_type: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the promoter of each gene: the bases upstream of its transcription start.

    Parameters
    ----------
    genes : pandas.DataFrame
        Region table of a GTF or GFF file, with `feature` and `attributes`, in any order, see
        `helpers.data.regions.read_regions`, whose ``feature="gene"`` reads what is needed. Records of other features
        than ``gene`` are passed over.
    sizes : mapping of str to int
        Length in bp of the contigs in use.
    length : int
        Bases upstream of the start, bp: ``[start - length, start)`` of a gene on the plus strand,
        ``[end, end + length)`` of one on the minus strand.
    gene_type : str
        Genes to take, such as protein_coding, see `is_gene`.

    Returns
    -------
    promoters : pandas.DataFrame
        Region table, one row a gene in the order of the file, each of `length` bp, with the gene's name, score and
        strand. Promoters of neighbours may overlap or be equal.
    left_out : pandas.DataFrame
        Region table of the genes of this type without a promoter, in the order of the file, and `reason`: the contig
        is not in use, the gene has no strand, or its promoter reaches past an end of the contig.

    Raises
    ------
    InputError
        For a length below 1 bp, what `is_gene` refuses, and a gene beyond the end of its contig.

    Examples
    --------
    >>> from helpers.data.regions import region_table
    >>> genes = region_table(["chr1", "chr1"], [500, 500], [900, 900], name=["a", "b"], strand=["+", "-"])
    >>> genes = genes.assign(feature="gene", attributes='gene_type "protein_coding";')
    >>> find_promoters(genes, {"chr1": 2000}, length=200, gene_type="protein_coding")[0][["start", "end"]].values
    array([[ 300,  500],
           [ 900, 1100]])
    """
    if length < 1:
        msg = f"A promoter has at least 1 bp. Received: length={length}. Correct binsize of the study's regions."
        raise InputError(msg)
    genes = genes.loc[is_gene(genes, gene_type), list(REGION_COLUMNS)].reset_index(drop=True)
    used, forward = genes["chrom"].isin(list(sizes)), genes["strand"] == "+"
    extend_regions(genes[used], 0, sizes)  # refuses genes beyond the end of their contig
    starts = np.where(forward, genes["start"] - length, genes["end"])
    inside = (starts >= 0) & (starts + length <= genes["chrom"].map(dict(sizes)))
    causes = {
        "contig not in use": ~used,
        "gene without a strand": genes["strand"] == ".",
        "promoter past the end of the contig": ~inside,
    }
    reasons = np.select([*causes.values()], [*causes], default="").astype(object)
    whole = reasons == ""
    promoters = genes.assign(start=starts, end=starts + length)[whole].reset_index(drop=True)
    return promoters, genes[~whole].reset_index(drop=True).assign(reason=reasons[~whole])


def is_gene(regions: pd.DataFrame, gene_type: str) -> np.ndarray:
    """Say of each record of a GTF or GFF file whether it is a gene of a type.

    Parameters
    ----------
    regions : pandas.DataFrame
        Region table with `feature` and `attributes`.
    gene_type : str
        Value of the attribute gene_type (GENCODE), gene_biotype (Ensembl) or biotype (Ensembl's GFF3); the first of
        these that a record has counts.

    Returns
    -------
    numpy.ndarray of bool, shape (regions,)
        True for records of the feature ``gene`` and of this type, one at least.

    Raises
    ------
    InputError
        For a table that is not of a GTF or GFF file, has no records of the feature ``gene``, or none of this type; the
        message names the features, or the types, that there are.
    """
    if "feature" not in regions or "attributes" not in regions:
        msg = f"Promoters are made of genes, and these regions have no features. {_ANNOTATION}."
        raise InputError(msg)
    found = (regions["feature"] == "gene").to_numpy(copy=True)
    if not found.any():
        there = f"only {count_names(regions['feature'])}" if len(regions) else "nor any others"
        msg = f"There are no records of the feature gene, {there}. {_ANNOTATION}."
        raise InputError(msg)
    types = _gene_types(regions.loc[found, "attributes"])
    found[found] = (types == gene_type).to_numpy()
    if not found.any():
        has = count_names(types.dropna())
        there = f"its genes are {has}" if has else f"its genes have none of the attributes {', '.join(TYPE_KEYS)}"
        msg = f"No gene is of the type {gene_type}: {there}. Correct gene_type of the study's regions, or the file."
        raise InputError(msg)
    return found


def _gene_types(attributes: pd.Series) -> pd.Series:
    """Give the type of each gene, missing where it has none."""
    types = pd.Series(np.nan, index=attributes.index, dtype=object)
    for key in TYPE_KEYS:
        found = attributes.str.extract(rf'{_OTHER_KEYS}{key}(?:\s*=\s*|\s+)"?([^";]+)', expand=False).str.strip()
        types = types.where(types.notna(), found)
    return types
