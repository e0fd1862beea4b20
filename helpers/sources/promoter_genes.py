"""Where simulated genes lie, and how an annotation tells of them.

A slot holds a single gene, two genes back to back (divergent), or two genes one behind the other (close). The genes of
a slot share its chromatin.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from helpers.sources.promoter_simulation import PROMOTER, PromoterSimulation
from helpers.sources.simulate_genome import Genome

OTHER_TYPES = ("lncRNA", "processed_pseudogene")
DISTANCES = {"divergent": (150, 400), "close": (250, 450)}  # bp between the two TSS of a slot, smallest and largest
EDGE_GENE, STRAY_GENE = "SIMG_EDGE", "SIMG_STRAY"
STRAY_CONTIG = "chrUn_absent"
_EDGE_TSS = 120  # bp from the contig's start: less than a promoter
_SHORTEST_GENE = 200  # bp
_ODD_LENGTH = 600  # bp, of the genes at a contig's edge and on an absent contig


def lay_out_genes(
    unknown: list[np.ndarray], offsets: np.ndarray, parameters: PromoterSimulation, rng: np.random.Generator
) -> pd.DataFrame:
    """Put genes into the slots that are free of unknown bases.

    Parameters
    ----------
    unknown : list of numpy.ndarray of bool, shape (bases,)
        For each contig, where its bases are unknown.
    offsets : numpy.ndarray of int
        Where each contig starts in the genome's flat array.
    parameters : PromoterSimulation
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        One row a gene in the order of the genome: `contig` (number), `slot` (number), `tss` (position of the first
        transcribed base), `start`, `end` (positions in `Genome.codes`), `strand`, `kind` (single, divergent, close),
        `gene_type`.
    """
    parts = [_lay_out_contig(mask, parameters, rng).assign(contig=contig) for contig, mask in enumerate(unknown)]
    genes = pd.concat(parts, ignore_index=True)
    genes["slot"] = (genes["contig"].to_numpy() * (genes["slot"].max() + 1) + genes["slot"]).rank(method="dense")
    genes["slot"] = genes["slot"].astype(np.int64) - 1
    genes["tss"] += offsets[genes["contig"]]
    reach = rng.integers(_SHORTEST_GENE, parameters.slot // 4, len(genes))
    forward = (genes["strand"] == "+").to_numpy()
    tss = genes["tss"].to_numpy()
    genes["start"], genes["end"] = np.where(forward, [tss, tss + reach], [tss + 1 - reach, tss + 1])
    other = rng.random(len(genes)) < parameters.other_genes
    genes["gene_type"] = np.where(other, rng.choice(OTHER_TYPES, len(genes)), "protein_coding")
    return genes.sort_values("start", kind="stable", ignore_index=True)


def _lay_out_contig(unknown: np.ndarray, parameters: PromoterSimulation, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a contig's genes: `slot`, `kind`, `tss` (on the contig) and `strand`."""
    slot = parameters.slot
    starts = np.arange(0, unknown.size - slot, slot)
    numbers = np.flatnonzero(~np.logical_or.reduceat(unknown, starts))  # the last slot reaches to the end: it drops out
    kinds = np.full(len(numbers), "single", dtype=object)
    counts = [int(np.ceil(getattr(parameters, kind) * len(numbers))) for kind in DISTANCES]
    free = rng.permutation(len(numbers))[: sum(counts)]
    kinds[free] = np.repeat(list(DISTANCES), counts)[: len(free)]
    centres = starts[numbers] + slot // 2 + rng.integers(-slot // 10, slot // 10 + 1, len(numbers))
    strands = rng.choice(["+", "-"], len(numbers))
    columns = {"slot": numbers, "kind": kinds, "tss": centres, "strand": strands}
    first = pd.DataFrame(columns)
    second = first[first["kind"] != "single"].copy()
    lowest, highest = np.array([DISTANCES[kind] for kind in second["kind"]]).reshape(-1, 2).T
    distance = rng.integers(lowest, highest + 1)
    divergent = (second["kind"] == "divergent").to_numpy()
    first.loc[second.index[divergent], "strand"] = "-"
    second.loc[divergent, "strand"] = "+"
    first.loc[second.index, "tss"] -= distance // 2
    second["tss"] += distance - distance // 2
    return pd.concat([first, second])


def promoter_zones(genes: pd.DataFrame, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Give starts and ends of the promoters, upstream of the TSS, and of `reach` bp on both sides of them."""
    forward = (genes["strand"] == "+").to_numpy()
    tss = genes["tss"].to_numpy()
    start = np.where(forward, tss - PROMOTER, tss + 1)
    return start - reach, start + PROMOTER + reach


def gene_names(genes: pd.DataFrame) -> list[str]:
    """Name genes by their number in the order of the genome."""
    return [f"SIMG{number:06}" for number in range(1, len(genes) + 1)]


def annotation(genes: pd.DataFrame, genome: Genome, *, stray: bool) -> str:
    """Write genes as GTF: coordinates from 1 on, both ends included.

    Parameters
    ----------
    genes : pandas.DataFrame
        As `lay_out_genes` returns them.
    genome : Genome
    stray : bool
        Add a gene on a contig that the genome lacks.

    Returns
    -------
    str
        Records of genes, transcripts and exons. The promoter of the first gene, which is nowhere expressed, reaches
        over its contig's start.
    """
    contigs = list(genome.sizes)
    lines = ["##description: simulated genes\n##provider: helpers.sources.simulate_promoters\n##format: gtf\n"]
    edge = (contigs[0], _EDGE_TSS, _EDGE_TSS + _ODD_LENGTH, "+")
    lines += _records(*edge, {"gene_id": EDGE_GENE, "gene_type": "protein_coding"})
    offsets = genome.offsets
    columns = (genes[name].tolist() for name in ("contig", "start", "end", "strand", "gene_type"))
    for name, contig, start, end, strand, gene_type in zip(gene_names(genes), *columns, strict=True):
        place = (contigs[contig], start - int(offsets[contig]), end - int(offsets[contig]), strand)
        lines += _records(*place, {"gene_id": name, "gene_type": gene_type})
    if stray:
        place = (STRAY_CONTIG, 5000, 5000 + _ODD_LENGTH, "+")
        lines += _records(*place, {"gene_id": STRAY_GENE, "gene_type": "protein_coding"})
    return "".join(lines)


def _records(chrom: str, start: int, end: int, strand: str, names: dict[str, str]) -> Iterator[str]:
    """Yield the lines of a gene with two transcripts, the second inside the first; positions 0-based, half-open."""
    middle, intron = (start + end) // 2, (end - start) // 8
    halves = [(start, middle - intron), (middle + intron, end)][:: 1 if strand == "+" else -1]
    records = [("gene", (start, end), "", "")]
    for transcript, exons in (("T1", halves), ("T2", halves[1:])):
        name = f' transcript_id "{names["gene_id"]}.{transcript}";'
        records.append(("transcript", (min(exons)[0], max(exons)[1]), name, ""))
        records += [("exon", exon, name, f" exon_number {number};") for number, exon in enumerate(exons, 1)]
    written = " ".join(f'{key} "{value}";' for key, value in names.items())
    for feature, (first, after), transcript, number in records:
        columns = (chrom, "SIMULATED", feature, first + 1, after, ".", strand, ".", f"{written}{transcript}{number}")
        yield "\t".join(map(str, columns)) + "\n"
