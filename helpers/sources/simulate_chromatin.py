"""Simulate a small genome and chromatin profiles along it, in the formats of the real data, with planted rules.

``python -m helpers.sources.simulate_chromatin FOLDER --seed 1`` writes

- genome.fa, genome.fa.fai: contigs with runs of unknown bases and soft-masked stretches;
- {feature}.narrowPeak.gz: the peaks of each feature;
- bins.bed.gz: the bins on the 200-bp grid of which peaks of any one feature cover at least half;
- motifs.meme: the motifs of factors and marks;
- truth.tsv: what was planted (chrom, start, end, feature, kind, strand): words of the kinds site, decoy and anchor, and
  without strand the regions of the kinds peak, missed (the rule holds, but no peak is reported) and spurious.

The rules: a factor (TF) binds its sites, not its decoys. Chromatin is open (DNase) where the sites of two factors stand
in one element. A mark (Histone) covers a domain around each of its anchors, most of whose bins lie 200 bp or more from
the anchor. Nothing else in the sequence tells anything.
"""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.sources.chromatin import BIN, ChromatinSimulation
from helpers.sources.motif_patterns import (
    LENGTH,
    Patterns,
    draw_patterns,
    draw_words,
    plant_words,
    remove_other_words,
)
from helpers.sources.simulate_genome import UNKNOWN, Genome, draw_bases, draw_stretches, draw_unknown
from helpers.sources.simulated_files import (
    on_contigs,
    random_streams,
    run_command,
    write_fasta,
    write_motifs,
    write_table,
)

SPACING = 20  # bp from one word of an element or anchor to the next
_SHIFT = 4  # bp, largest distance of a word from its place
_SIGNAL_SPREAD = 0.4  # standard deviation of the log signal of peaks


def simulate_chromatin(out_dir: str | os.PathLike[str], parameters: ChromatinSimulation, *, seed: int) -> None:
    """Write the simulated files, each under its name only when it is complete.

    Parameters
    ----------
    out_dir : str or path-like
        Folder for the files named in `ChromatinSimulation.files`; made if it is missing.
    parameters : ChromatinSimulation
    seed : int
        The same seed and parameters give the same bases and peaks. Peaks draw from a stream of their own: their
        parameters leave the genome as it was.

    Raises
    ------
    InputError
        When the seed is no whole number from 0 on.
    """
    folder = Path(out_dir)
    genome_rng, peaks_rng = random_streams(seed, 2)
    genome, words, causes, patterns = plant_chromatin(parameters, genome_rng)
    peaks = _draw_peaks(causes, genome, parameters, peaks_rng)
    reported = peaks[peaks["kind"] != "missed"]
    write_fasta(folder / "genome.fa", genome)
    for feature in parameters.features:
        table = _narrow_peaks(on_contigs(reported[reported["feature"] == feature.name], genome))
        write_table(folder / f"{feature.name}.narrowPeak.gz", table)
    write_table(folder / "bins.bed.gz", on_contigs(covered_bins(reported, genome), genome))
    truth = pd.concat([words, peaks.assign(strand=".")]).sort_values("start", kind="stable")
    columns = ["chrom", "start", "end", "feature", "kind", "strand"]
    write_table(folder / "truth.tsv", on_contigs(truth, genome)[columns], header=True)
    counts = words.loc[words["kind"] != "decoy", "feature"].value_counts()
    sites = [counts.get(name, 0) for name in patterns.names]
    write_motifs(folder / "motifs.meme", patterns.names, patterns.probabilities(), sites)


def plant_chromatin(
    parameters: ChromatinSimulation, rng: np.random.Generator
) -> tuple[Genome, pd.DataFrame, pd.DataFrame, Patterns]:
    """Draw a genome and plant elements and anchors.

    Parameters
    ----------
    parameters : ChromatinSimulation
    rng : numpy.random.Generator

    Returns
    -------
    Genome
    words : pandas.DataFrame
        One row for each planted word: `contig` (number), `start`, `end` (positions in `Genome.codes`), `feature`,
        `kind` (site, decoy, anchor) and `strand`. Nowhere else in the genome stands a word of any motif.
    causes : pandas.DataFrame
        One row for each place from which a peak follows: `contig`, `centre` and `feature`.
    patterns : Patterns
        Of the factors and marks, in the order of the features.
    """
    sizes = dict(parameters.chromosomes)
    unknown = [draw_unknown(length, rng) for length in sizes.values()]
    slots = pd.concat([_fill_slots(contig, parameters, rng) for contig in unknown], keys=range(len(sizes)))
    slots = slots.reset_index(level=0, names="contig").reset_index(drop=True)
    everywhere = np.concatenate(unknown)
    codes = np.where(everywhere, np.uint8(UNKNOWN), draw_bases(everywhere.size, rng))
    genome = Genome(sizes, codes, draw_stretches(codes.size, parameters.soft_masked, rng) & ~everywhere)
    slots["centre"] += genome.offsets[slots["contig"]]
    words = _lay_out_words(slots, parameters, rng)
    causes = _find_causes(words, parameters)
    named = {feature.name: feature.group == "dependent" for feature in parameters.features if feature.kind != "DNase"}
    patterns = draw_patterns(list(named), np.array(list(named.values())), rng)
    numbers = words["feature"].map(patterns.names.index).to_numpy()
    letters = draw_words(patterns, numbers, (words["kind"] == "decoy").to_numpy(), rng)
    plant_words(codes, letters, words["start"].to_numpy(), (words["strand"] == "-").to_numpy())
    remove_other_words(codes, patterns, words["start"].to_numpy(), rng)
    return genome, words.drop(columns="slot"), causes, patterns


def _fill_slots(unknown: np.ndarray, parameters: ChromatinSimulation, rng: np.random.Generator) -> pd.DataFrame:
    """Give slots of a contig that are free of unknown bases an element or an anchor, in a bin drawn at random."""
    slot = parameters.slot
    starts = np.arange(0, unknown.size - slot, slot)
    known = ~np.logical_or.reduceat(unknown, starts)  # the last slot reaches to the end, so it drops out
    starts = rng.permutation(starts[known])
    elements, anchors = (int(np.ceil(share * len(starts))) for share in (parameters.elements, parameters.anchors))
    starts = starts[: elements + anchors]
    bins = starts + BIN * rng.integers(0, slot // BIN, len(starts))
    centres = bins + BIN // 2 + rng.integers(-parameters.jitter, parameters.jitter + 1, len(starts))
    anchor = np.arange(len(starts)) >= elements
    return pd.DataFrame({"centre": centres, "anchor": anchor})


def _lay_out_words(slots: pd.DataFrame, parameters: ChromatinSimulation, rng: np.random.Generator) -> pd.DataFrame:
    """Give each element the words of different factors, and each anchor the copies of a mark's word."""
    elements, anchors = slots[~slots["anchor"]], slots[slots["anchor"]]
    marks = [feature.name for feature in parameters.features if feature.kind == "Histone"]
    factors, site = _choose_factors(len(elements), parameters, rng)
    parts = [_place_words(elements, factors, np.where(site, "site", "decoy"), rng)]
    if marks:
        chosen = np.resize(marks, len(anchors))[:, None].repeat(parameters.copies, axis=1)
        parts.append(_place_words(anchors, chosen, np.full(chosen.shape, "anchor"), rng))
    return pd.concat(parts).sort_values("start", kind="stable", ignore_index=True)


def _choose_factors(
    count: int, parameters: ChromatinSimulation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the factors of each element, and which of their words are sites; both of shape (elements, spots)."""
    factors = [feature for feature in parameters.features if feature.kind == "TF"]
    names, spots = [factor.name for factor in factors], parameters.spots
    opened = [feature.motifs for feature in parameters.features if feature.kind == "DNase"]
    ranks, site = rng.random((count, len(names))), rng.random((count, spots)) < parameters.sites
    if opened:
        paired = rng.permutation(count)[: round(parameters.paired * count)]
        partners = np.array([[names.index(motif) for motif in motifs] for motifs in opened])
        ranks[paired[:, None], partners[np.arange(len(paired)) % len(opened)]] -= 1
        site[paired, :2] = True
    chosen = np.argsort(ranks, axis=1)[:, :spots]
    site |= np.array([factor.group == "independent" for factor in factors])[chosen]
    turned = (np.arange(spots) - rng.integers(0, spots - 1, count)[:, None]) % spots  # partners stay side by side
    return np.take_along_axis(np.array(names)[chosen], turned, axis=1), np.take_along_axis(site, turned, axis=1)


def _place_words(
    slots: pd.DataFrame, features: np.ndarray, kinds: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Place each slot's words around its centre, each on a strand of its own; arrays of shape (slots, words)."""
    count = features.shape[1]
    place = np.round((np.arange(count) - (count - 1) / 2) * SPACING).astype(np.int64) - LENGTH // 2
    start = slots["centre"].to_numpy()[:, None] + place + rng.integers(-_SHIFT, _SHIFT + 1, features.shape)
    columns = {
        "slot": slots.index.to_numpy().repeat(count),
        "contig": slots["contig"].to_numpy().repeat(count),
        "start": start.ravel(),
        "end": start.ravel() + LENGTH,
        "feature": features.ravel(),
        "kind": kinds.ravel(),
        "strand": rng.choice(["+", "-"], features.size),
    }
    return pd.DataFrame(columns)


def _find_causes(words: pd.DataFrame, parameters: ChromatinSimulation) -> pd.DataFrame:
    """Apply the rules: where all words that a feature needs stand in one slot, their middle is a cause."""
    needed = words[words["kind"] != "decoy"].assign(centre=lambda table: table["start"] + LENGTH // 2)
    causes = []
    for feature in parameters.features:
        found = needed[needed["feature"].isin(feature.motifs)].groupby("slot")
        cause = found.agg(contig=("contig", "first"), centre=("centre", "mean"), motifs=("feature", "nunique"))
        causes.append(cause[cause.pop("motifs") == len(feature.motifs)].assign(feature=feature.name))
    return pd.concat(causes, ignore_index=True)


def _draw_peaks(
    causes: pd.DataFrame, genome: Genome, parameters: ChromatinSimulation, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw a region around each cause, missed or reported, and spurious ones anywhere; by feature and start."""
    known = np.flatnonzero(genome.codes != UNKNOWN)
    parts = []
    for feature in parameters.features:
        cause = causes[causes["feature"] == feature.name]
        kind = np.where(rng.random(len(cause)) < parameters.missed, "missed", "peak")
        centre = rng.choice(known, round(parameters.spurious * len(cause)))
        contig = np.searchsorted(genome.offsets, centre, side="right") - 1
        spurious = pd.DataFrame({"contig": contig, "centre": centre, "kind": "spurious"})
        regions = pd.concat([cause.assign(kind=kind), spurious], ignore_index=True).assign(feature=feature.name)
        widths = parameters.domain_width if feature.kind == "Histone" else parameters.peak_width
        parts.append(_widen(regions, widths, genome, rng).sort_values("start", kind="stable"))
    return pd.concat(parts, ignore_index=True)


def _widen(regions: pd.DataFrame, widths: tuple[int, int], genome: Genome, rng: np.random.Generator) -> pd.DataFrame:
    """Turn centres into regions within their contig, with a signal and a summit near the centre."""
    contig, centre = regions["contig"].to_numpy(int), regions["centre"].to_numpy().astype(np.int64)
    width = rng.integers(widths[0], widths[1] + 1, len(regions))
    start = np.maximum(centre - width // 2, genome.offsets[contig])
    end = np.minimum(centre - width // 2 + width, genome.offsets[contig + 1])
    signal = np.round(10 * np.exp(rng.normal(0, _SIGNAL_SPREAD, len(regions))), 3)
    summit = np.clip(centre + rng.integers(-10, 11, len(regions)), start, end - 1) - start
    return regions.drop(columns="centre").assign(start=start, end=end, signal=signal, summit=summit)


def _narrow_peaks(peaks: pd.DataFrame) -> pd.DataFrame:
    """Give peaks of one feature the columns of narrowPeak."""
    signal = peaks["signal"]
    return pd.DataFrame(
        {
            **peaks[["chrom", "start", "end"]],
            "name": peaks["feature"] + "_peak_" + pd.Series(range(1, len(peaks) + 1), peaks.index, dtype=str),
            "score": np.clip(20 * signal, 100, 1000).astype(np.int64),
            "strand": ".",
            "signal": signal,
            "p": np.round(signal / 2, 3),
            "q": np.round(signal / 3, 3),
            "summit": peaks["summit"],
        }
    )


def covered_bins(peaks: pd.DataFrame, genome: Genome) -> pd.DataFrame:
    """List the whole bins of the grid of which the peaks of any one feature cover at least half.

    Parameters
    ----------
    peaks : pandas.DataFrame
        `feature`, and `start` and `end` in `Genome.codes`.
    genome : Genome

    Returns
    -------
    pandas.DataFrame
        `contig`, `start` and `end`, sorted.
    """
    grids = [np.arange(start, end - BIN + 1, BIN) for start, end in itertools.pairwise(genome.offsets)]
    bins = pd.concat([pd.DataFrame({"contig": number, "start": grid}) for number, grid in enumerate(grids)])
    starts = bins["start"].to_numpy()
    half = np.zeros(len(bins), bool)
    for _, table in peaks.groupby("feature", sort=False):
        edges = np.zeros(genome.codes.size + 1, np.int32)
        np.add.at(edges, table["start"].to_numpy(), 1)
        np.add.at(edges, table["end"].to_numpy(), -1)
        covered = np.concatenate([[0], np.cumsum(np.cumsum(edges[:-1]) > 0)])
        half |= 2 * (covered[starts + BIN] - covered[starts]) >= BIN
    return bins[half].assign(end=starts[half] + BIN)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    run_command(
        simulate_chromatin,
        ChromatinSimulation,
        module="helpers.sources.simulate_chromatin",
        description=__doc__.split("\n")[0],
        arguments=arguments,
    )


if __name__ == "__main__":
    main()
