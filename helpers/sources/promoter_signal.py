"""How simulated promoters are seen: CAGE and DNase-seq reads, and the signal of H3K4me3."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from helpers.sources.promoter_genes import promoter_zones
from helpers.sources.promoter_simulation import PromoterSimulation
from helpers.sources.simulate_genome import UNKNOWN, Genome, draw_stretches
from helpers.sources.simulate_reads import DUPLICATES, LOW_QUALITY, QC_FAILED, READ_LENGTH, possible_starts

CAGE_BACKGROUND = 0.05  # share of the reads that begin anywhere
IMPROPER = 0.02  # pairs too long to be proper, on top of the others, as a share of them
IMPROPER_LENGTH = (1000, 3000)  # bp, smallest and largest
SIGNAL_BIN = 25  # bp
BACKGROUND_SIGNAL, PEAK_SIGNAL = 0.3, 4.0  # fold change over the control, far from genes and at a median promoter
NAN_SHARE = 0.002  # share of the bins with signal whose value is NaN
OPEN_WIDTH = 90.0  # bp, standard deviation of the middles of DNase fragments
NUCLEOSOMES = ((-250, 100, 0.6), (200, 160, 1.0))  # of H3K4me3: bp from the TSS downstream, their spread, height
_SMOOTHNESS = 6.0  # of the noise of a bin: shape of a gamma distribution with mean 1
_LONGEST_FRAGMENT = 600  # bp
# SAM flags of the left and the right read of a pair; the left one is the first mate (in row 0) or the second.
_PAIR_FLAGS = np.array([[1 + 2 + 32 + 64, 1 + 2 + 16 + 128], [1 + 2 + 32 + 128, 1 + 2 + 16 + 64]])
_PROPER, _QC_FAIL, _DUPLICATE = 2, 512, 1024


def cage_rates(
    genome: Genome, genes: pd.DataFrame, parameters: PromoterSimulation, rng: np.random.Generator
) -> np.ndarray:
    """Compute how probable each base is as the first base of a CAGE read, for both strands.

    Parameters
    ----------
    genome : Genome
    genes : pandas.DataFrame
        As `draw_world` returns them; each is read on its own strand, around its TSS.
    parameters : PromoterSimulation
    rng : numpy.random.Generator
        Draws how far the count of each gene is from expected (`dispersion`).

    Returns
    -------
    numpy.ndarray of float64, shape (strands, bases)
        Forward strand, reverse strand; the sum is 1.
    """
    rates = possible_starts(genome.codes).astype(np.float64)
    rates *= CAGE_BACKGROUND / rates.sum()
    spread = parameters.cage_spread
    window = np.arange(-int(4 * spread), int(4 * spread) + 1)
    shape = np.exp(-0.5 * (window / max(spread, 1e-9)) ** 2)
    drawn = genes["expression"].to_numpy() * _gamma(parameters.dispersion, len(genes), rng)
    heights = (1 - CAGE_BACKGROUND) * drawn / drawn.sum()
    places = genes["tss"].to_numpy()[:, None] + window
    strands = (genes["strand"] == "-").to_numpy(dtype=np.int64)
    np.add.at(rates, (strands[:, None], places), heights[:, None] * (shape / shape.sum()))
    return rates / rates.sum()


def _gamma(variance: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw from a gamma distribution with mean 1."""
    return rng.gamma(1 / variance, variance, count) if variance else np.ones(count)


def draw_pairs(
    genome: Genome, genes: pd.DataFrame, parameters: PromoterSimulation, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw DNase-seq fragments and their two reads.

    Parameters
    ----------
    genome : Genome
    genes : pandas.DataFrame
        As `draw_world` returns them.
    parameters : PromoterSimulation
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        As `write_bam` takes them, two rows for each fragment.
    """
    wanted = parameters.dnase_pairs
    copies = round(DUPLICATES * wanted)
    proper = _draw_fragments(genome, genes, parameters, wanted - copies, rng)
    copied = proper.iloc[rng.integers(0, wanted - copies, copies)].assign(extra=_DUPLICATE)
    failed = _draw_fragments(genome, genes, parameters, round(QC_FAILED * wanted), rng).assign(extra=_QC_FAIL)
    long = _draw_fragments(genome, genes, parameters, round(IMPROPER * wanted), rng, lengths=IMPROPER_LENGTH)
    fragments = pd.concat([proper, copied, failed, long.assign(extra=-_PROPER)], ignore_index=True)
    fragments["mapq"] = np.where(rng.random(len(fragments)) < LOW_QUALITY, 0, rng.integers(20, 43, len(fragments)))
    flags = _PAIR_FLAGS[rng.integers(0, 2, len(fragments))] + fragments["extra"].to_numpy()[:, None]
    left, right = fragments["start"].to_numpy(), fragments["end"].to_numpy() - READ_LENGTH
    length = right - left + READ_LENGTH
    reads = [
        {"start": left, "mate": right, "length": length, "flag": flags[:, 0]},
        {"start": right, "mate": left, "length": -length, "flag": flags[:, 1]},
    ]
    pairs = pd.concat(
        [pd.DataFrame({**read, "mapq": fragments["mapq"], "fragment": fragments.index}) for read in reads]
    )
    return pairs.sort_values("start", kind="stable", ignore_index=True)


def _draw_fragments(
    genome: Genome,
    genes: pd.DataFrame,
    parameters: PromoterSimulation,
    count: int,
    rng: np.random.Generator,
    *,
    lengths: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Draw fragments, `start` and `end`, that touch no unknown base; those of one contig stay on it."""
    parts, missing = [], count
    unknown = np.concatenate([[0], np.cumsum(genome.codes == UNKNOWN)])
    while missing > 0:
        draws = 2 * missing + 100
        middles = _draw_middles(genome, genes, parameters, draws, rng)
        width = rng.integers(*lengths, draws) if lengths else _draw_lengths(parameters.fragment_length, draws, rng)
        start = middles - width // 2
        end = start + width
        inside = (start >= 0) & (end <= genome.codes.size)
        start, end = start[inside], end[inside]
        known = unknown[start] == unknown[end]
        parts.append(pd.DataFrame({"start": start[known], "end": end[known]})[:missing])
        missing -= len(parts[-1])
    return pd.concat(parts, ignore_index=True).assign(extra=0)


def _draw_middles(
    genome: Genome, genes: pd.DataFrame, parameters: PromoterSimulation, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw middles of fragments: in the open promoters by their strength, or anywhere."""
    strength = np.exp(parameters.open_spread * genes["dnase"].to_numpy())
    strength /= genes.groupby("slot")["tss"].transform("size").to_numpy()  # two genes of a slot are one open region
    start, end = promoter_zones(genes, 0)
    gene = np.searchsorted(np.cumsum(strength / strength.sum())[:-1], rng.random(count))
    opened = ((start + end) // 2)[gene] + np.round(rng.normal(0, OPEN_WIDTH, count)).astype(np.int64)
    return np.where(rng.random(count) < parameters.open_share, opened, rng.integers(0, genome.codes.size, count))


def _draw_lengths(fragment_length: tuple[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    drawn = np.round(rng.normal(*fragment_length, count)).astype(np.int64)
    return np.clip(drawn, READ_LENGTH, _LONGEST_FRAGMENT)


def signal_of_contigs(
    genome: Genome, genes: pd.DataFrame, parameters: PromoterSimulation, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Draw H3K4me3, contig after contig.

    Parameters
    ----------
    genome : Genome
    genes : pandas.DataFrame
        As `draw_world` returns them.
    parameters : PromoterSimulation
    rng : numpy.random.Generator

    Yields
    ------
    str
        Contig.
    starts, ends : numpy.ndarray of int64, shape (bins,)
        On the contig. Bins that hold unknown bases, and stretches at random, are left out.
    values : numpy.ndarray of float32, shape (bins,)
        Fold change over a control; a few are NaN.
    """
    for contig, (name, size) in enumerate(genome.sizes.items()):
        offset = int(genome.offsets[contig])
        bins = size // SIGNAL_BIN
        expected = np.full(bins, BACKGROUND_SIGNAL)
        _add_nucleosomes(expected, genes[genes["contig"] == contig], offset, parameters.open_spread)
        values = (expected * rng.gamma(_SMOOTHNESS, 1 / _SMOOTHNESS, bins)).astype(np.float32)
        values[rng.random(bins) < NAN_SHARE] = np.nan
        codes = genome.codes[offset : offset + bins * SIGNAL_BIN].reshape(bins, SIGNAL_BIN)
        left_out = (codes == UNKNOWN).any(axis=1)
        gaps = draw_stretches(size, parameters.signal_gaps, rng)[: bins * SIGNAL_BIN : SIGNAL_BIN]
        kept = np.flatnonzero(~left_out & ~gaps)
        yield name, kept * SIGNAL_BIN, (kept + 1) * SIGNAL_BIN, values[kept]


def _add_nucleosomes(expected: np.ndarray, genes: pd.DataFrame, offset: int, spread: float) -> None:
    """Add the marked nucleosomes on both sides of each TSS."""
    alone = 1 / genes.groupby("slot")["tss"].transform("size").to_numpy()
    strength = PEAK_SIGNAL * np.exp(spread * genes["h3k4me3"].to_numpy()) * alone
    direction = np.where(genes["strand"] == "+", 1, -1)
    for distance, width, height in NUCLEOSOMES:
        window = np.arange(-4 * width, 4 * width + 1, SIGNAL_BIN)
        centres = genes["tss"].to_numpy() - offset + direction * distance
        places = np.clip((centres[:, None] + window) // SIGNAL_BIN, 0, len(expected) - 1)
        np.add.at(expected, places, height * strength[:, None] * np.exp(-0.5 * (window / width) ** 2))
