"""Simulate genes with CAGE, DNase-seq and H3K4me3 at their promoters, in the formats of the real data.

``python -m helpers.sources.simulate_promoters FOLDER --seed 1`` writes

- genome.fa, genome.fa.fai: contigs with runs of unknown bases and soft-masked stretches;
- genes.gtf.gz: genes, protein-coding and others, some of them back to back or close together, one at its contig's edge;
- cage.bam with its .bai: reads that begin at the TSS, on the strand of the gene;
- dnase.bam with its .bai: read pairs of fragments in open chromatin;
- h3k4me3.bw: fold change over a control, with stretches without data and a few values NaN;
- motifs.bed.gz: every motif of the genome, with its kind as name;
- truth.tsv: for each gene, but that at the edge, what was planted: chrom, start, end, tss (0-based), strand, gene_id,
  gene_type, kind; the motifs of each kind that act on it; sequence and chromatin (standard deviation 1), dnase and
  h3k4me3 (chromatin as they read it), and cage (expected reads).

Expression follows from chromatin and from motifs, DNase and H3K4me3 from chromatin with noise, see
`PromoterSimulation`. So chromatin tells most, sequence a part of its own, and both together more.
"""

import gzip
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig

from helpers.files import atomic_path
from helpers.sources.promoter_genes import annotation, gene_names, lay_out_genes, promoter_zones
from helpers.sources.promoter_motifs import EFFECTS, draw_kinds, find_motifs, plant_motifs
from helpers.sources.promoter_signal import CAGE_BACKGROUND, cage_rates, draw_pairs, signal_of_contigs
from helpers.sources.promoter_simulation import PromoterSimulation
from helpers.sources.promoter_world import draw_world
from helpers.sources.simulate_genome import UNKNOWN, Genome, draw_bases, draw_stretches, draw_unknown
from helpers.sources.simulate_reads import draw_alignments, write_bam
from helpers.sources.simulated_files import on_contigs, random_streams, run_command, write_fasta, write_table


def simulate_promoters(out_dir: str | os.PathLike[str], parameters: PromoterSimulation, *, seed: int) -> None:
    """Write the simulated files, each under its name only when it is complete.

    Parameters
    ----------
    out_dir : str or path-like
        Folder for the files named in `helpers.sources.promoter_simulation.FILES`; made if it is missing.
    parameters : PromoterSimulation
    seed : int
        The same seed and parameters give the same files. Genome with its genes, expression, and each reading draw
        from streams of their own: a parameter of the reads leaves the genome as it was.

    Raises
    ------
    InputError
        When the seed is no whole number from 0 on.
    """
    folder = Path(out_dir)
    genome_rng, world_rng, cage_rng, dnase_rng, signal_rng = random_streams(seed, 5)
    genome, genes = _simulate_genome(parameters, genome_rng)
    motifs = find_motifs(genome.codes)
    genes = draw_world(genes, motifs, parameters, world_rng)
    write_fasta(folder / "genome.fa", genome)
    with atomic_path(folder / "genes.gtf.gz") as temporary:
        gtf = annotation(genes, genome, stray=parameters.stray_gene)
        temporary.write_bytes(gzip.compress(gtf.encode(), mtime=0))
    _write_truth(folder, genome, genes, motifs, reads=parameters.cage_reads)
    rates = cage_rates(genome, genes, parameters, cage_rng)
    write_bam(folder / "cage.bam", genome, draw_alignments(rates, parameters.cage_reads, cage_rng), name="cage")
    write_bam(folder / "dnase.bam", genome, draw_pairs(genome, genes, parameters, dnase_rng), name="dnase")
    _write_bigwig(folder / "h3k4me3.bw", genome, signal_of_contigs(genome, genes, parameters, signal_rng))


def _simulate_genome(parameters: PromoterSimulation, rng: np.random.Generator) -> tuple[Genome, pd.DataFrame]:
    """Draw a genome, lay out its genes and plant their motifs."""
    sizes = dict(parameters.chromosomes)
    unknown = [draw_unknown(length, rng) for length in sizes.values()]
    everywhere = np.concatenate(unknown)
    codes = np.where(everywhere, np.uint8(UNKNOWN), draw_bases(everywhere.size, rng))
    genome = Genome(sizes, codes, draw_stretches(codes.size, parameters.soft_masked, rng) & ~everywhere)
    genes = lay_out_genes(unknown, genome.offsets, parameters, rng)
    kinds = draw_kinds(len(genes), parameters.motif_share, parameters.copies, rng)
    plant_motifs(codes, *promoter_zones(genes, parameters.motif_reach), kinds, rng)
    return genome, genes


def _write_truth(folder: Path, genome: Genome, genes: pd.DataFrame, motifs: pd.DataFrame, *, reads: int) -> None:
    """Write motifs, and the table of genes."""
    contigs = np.searchsorted(genome.offsets, motifs["start"], side="right") - 1
    sites = on_contigs(motifs.assign(contig=contigs, score=0), genome)
    write_table(folder / "motifs.bed.gz", sites[["chrom", "start", "end", "kind", "score", "strand"]])
    expression = genes["expression"].to_numpy()
    readings = ["sequence", "chromatin", "dnase", "h3k4me3", "cage"]
    truth = genes.assign(
        gene_id=gene_names(genes),
        tss=genes["tss"].to_numpy() - genome.offsets[genes["contig"]],
        cage=(1 - CAGE_BACKGROUND) * reads * expression / expression.sum(),
    )
    truth[readings] = truth[readings].round(4)
    columns = ["chrom", "start", "end", "tss", "strand", "gene_id", "gene_type", "kind", *EFFECTS, *readings]
    write_table(folder / "truth.tsv", on_contigs(truth, genome)[columns], header=True)


def _write_bigwig(path: Path, genome: Genome, pieces: Iterable[tuple[str, np.ndarray, np.ndarray, np.ndarray]]) -> None:
    with atomic_path(path) as temporary, pyBigWig.open(str(temporary), "w") as track:
        track.addHeader([(name, int(size)) for name, size in genome.sizes.items()])
        for name, starts, ends, values in pieces:
            if len(starts):
                track.addEntries(np.full(len(starts), name), starts, ends=ends, values=values)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    run_command(
        simulate_promoters,
        PromoterSimulation,
        module="helpers.sources.simulate_promoters",
        description=__doc__.split("\n")[0],
        arguments=arguments,
    )


if __name__ == "__main__":
    main()
