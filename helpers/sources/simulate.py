"""Simulate a small genome with JunD-like binding and two DNase experiments, in the formats of the real data.

It takes the place of the downloads, so that everything after them can be run and judged without any: what was planted
is known and stands in truth.tsv. ``python -m helpers.sources.simulate FOLDER --seed 1`` writes

- genome.fa, genome.fa.fai: contigs with runs of unknown bases and soft-masked stretches;
- jund_peaks.narrowPeak.gz: one peak around each bound site;
- dnase_roadmap.bam, dnase_encode.bam with their .bai: reads that begin where DNase I cut;
- blacklist.bed.gz: regions with artificial pile-ups of reads;
- jund_motif.meme: the planted motif, as far as single positions tell it (MEME minimal text);
- truth.tsv: what was planted (chrom, start, end, kind, strand): each motif of the kinds bound, closed_site, open_decoy
  and closed_decoy, and without strand each open_region, dnase_roadmap_only and dnase_encode_only;
- jund_motifs.bed.gz: the motifs of true sites alone, bound and closed;
- snvs.vcf.gz, snvs.vcf.gz.tbi: SNVs that break motifs of bound sites, and as many beside them that do not.

A site is *bound* if it is a true site in chromatin that is open in both experiments. True sites in closed chromatin,
decoys, open regions without a site and what one experiment alone shows as open are not; so sequence, chromatin and the
comparison of the two experiments each tell a part.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.sources.simulate_genome import SITE_KINDS, Genome, motif_probabilities, simulate_genome
from helpers.sources.simulate_reads import Experiment, simulate_bam
from helpers.sources.simulate_variants import draw_variants, write_variants
from helpers.sources.simulated_files import (
    on_contigs,
    random_streams,
    run_command,
    write_fasta,
    write_motifs,
    write_table,
)
from helpers.sources.simulation import EXPERIMENTS, Simulation


def simulate(out_dir: str | os.PathLike[str], parameters: Simulation, *, seed: int) -> None:
    """Write the simulated files, each under its name only when it is complete.

    Parameters
    ----------
    out_dir : str or path-like
        Folder for the files named in `helpers.sources.simulation.FILES`; made if it is missing.
    parameters : Simulation
    seed : int
        The same seed and parameters give the same bases, regions, reads and variants. Genome, peaks, each experiment
        and variants draw from streams of their own: a parameter of the reads leaves the genome as it was.

    Raises
    ------
    InputError
        When the seed is no whole number from 0 on.
    """
    folder = Path(out_dir)
    genome_rng, peaks_rng, *read_rngs, variants_rng = random_streams(seed, 3 + len(EXPERIMENTS))
    genome, elements, motifs = simulate_genome(parameters, genome_rng)
    write_fasta(folder / "genome.fa", genome)
    peaks = _draw_peaks(elements[elements["kind"] == "bound"], parameters.peak_width, peaks_rng)
    _write_regions(folder, genome, elements, motifs, peaks=peaks)
    true_sites = int((~motifs["kind"].str.endswith("decoy")).sum())
    write_motifs(folder / "jund_motif.meme", ["JunD"], [motif_probabilities()], [true_sites])
    options = {"count": parameters.variants, "dependence": parameters.dependence}
    variants = draw_variants(genome, elements, motifs, **options, rng=variants_rng)
    write_variants(folder / "snvs.vcf.gz", genome, variants)
    for number, (name, rng) in enumerate(zip(EXPERIMENTS, read_rngs, strict=True)):
        experiment = Experiment(
            name,
            parameters.reads[number],
            parameters.open_share[number],
            parameters.cut_offset[number],
            parameters.cut_bias[number],
        )
        path = folder / f"{name}.bam"
        simulate_bam(path, genome, elements, experiment=experiment, parameters=parameters, rng=rng)


def _write_regions(
    folder: Path, genome: Genome, elements: pd.DataFrame, motifs: pd.DataFrame, *, peaks: pd.DataFrame
) -> None:
    """Write peaks, blacklist, truth, and the motifs of true sites."""
    artefact = elements["kind"] == "artefact"
    without_motif = elements[~artefact & ~elements["kind"].isin(SITE_KINDS)].assign(strand=".")
    truth = pd.concat([motifs, without_motif]).sort_values("start", kind="stable")
    write_table(folder / "jund_peaks.narrowPeak.gz", on_contigs(peaks, genome))
    write_table(folder / "blacklist.bed.gz", on_contigs(elements[artefact], genome)[["chrom", "start", "end", "kind"]])
    columns = ["chrom", "start", "end", "kind", "strand"]
    write_table(folder / "truth.tsv", on_contigs(truth, genome)[columns], header=True)
    sites = on_contigs(motifs[~motifs["kind"].str.endswith("decoy")], genome).assign(score=0)
    write_table(folder / "jund_motifs.bed.gz", sites[["chrom", "start", "end", "kind", "score", "strand"]])


def _draw_peaks(bound: pd.DataFrame, peak_width: tuple[int, int], rng: np.random.Generator) -> pd.DataFrame:
    """Draw the columns of narrowPeak (with `contig` for chrom), one peak around the centre of each bound element."""
    count = len(bound)
    width = rng.integers(peak_width[0], peak_width[1] + 1, count)
    centre = bound["centre"].to_numpy()
    start = centre - (width * rng.uniform(0.4, 0.6, count)).astype(np.int64)
    signal = np.round(20 * bound["strength"].to_numpy() * np.exp(rng.normal(0, 0.3, count)), 3)
    return pd.DataFrame(
        {
            "contig": bound["contig"].to_numpy(),
            "start": start,
            "end": start + width,
            "name": [f"jund_peak_{number}" for number in range(1, count + 1)],
            "score": np.clip(10 * signal, 100, 1000).astype(np.int64),
            "strand": ".",
            "signal": signal,
            "p": np.round(signal / 2, 3),
            "q": np.round(signal / 3, 3),
            "summit": centre - start + rng.integers(-10, 11, count),
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    run_command(
        simulate,
        Simulation,
        module="helpers.sources.simulate",
        description=__doc__.split("\n")[0],
        arguments=arguments,
    )


if __name__ == "__main__":
    main()
