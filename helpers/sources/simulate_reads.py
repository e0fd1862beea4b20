"""Simulated DNase-seq: where each strand is cut, and the reads that begin there; reads as an indexed BAM file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pysam

from helpers.files import atomic_path
from helpers.sources.simulate_genome import LETTERS, OPEN_KINDS, UNKNOWN, Genome
from helpers.sources.simulation import Simulation

READ_LENGTH = 36  # bp
PILE_UP_SHARE = 0.02  # share of the reads that lie in artefact pile-ups
WAVE_BLOCK = 10_000  # bp over which the background rate is constant
WAVE_SPREAD = 0.4  # standard deviation of the log background rate
EXPERIMENT_SPREAD = 0.25  # standard deviation of the log strength of open regions, drawn for each experiment
DUPLICATES, LOW_QUALITY = 0.03, 0.03  # shares of the reads: marked as duplicates; with mapping quality 0
SECONDARY, QC_FAILED, UNMAPPED = 0.02, 0.01, 0.02  # alignments on top of these, as shares of the reads
_REVERSE, _UNMAPPED, _SECONDARY, _QC_FAILED, _DUPLICATE = 16, 4, 256, 512, 1024  # SAM flags
# Preference of DNase I for the base before the cut (rows A, C, G, T) and the base after it, from -1 to 1.
_CUT_PREFERENCE = np.array(
    [[0.2, -0.6, 0.1, -0.3], [0.3, -0.8, 0.5, 0.1], [-0.2, -1.0, -0.4, -0.5], [0.9, 0.0, 1.0, 0.4]]
)


@dataclass(frozen=True)
class Experiment:
    """One DNase experiment: its name, with which its reads' names begin, and its share of `Simulation`'s parameters."""

    name: str
    reads: int
    open_share: float
    cut_offset: float
    cut_bias: float


def simulate_bam(
    path: Path,
    genome: Genome,
    elements: pd.DataFrame,
    *,
    experiment: Experiment,
    parameters: Simulation,
    rng: np.random.Generator,
) -> None:
    """Draw the reads of an experiment and write them sorted, with an index beside them.

    Parameters
    ----------
    path : pathlib.Path
        BAM file to write; the index is `path` + ".bai".
    genome, elements
        As `simulate_genome` returns them.
    experiment : Experiment
    parameters : Simulation
    rng : numpy.random.Generator
    """
    rates = cut_rates(genome, elements, experiment=experiment, parameters=parameters, rng=rng)
    alignments = draw_alignments(rates, experiment.reads, rng)
    unmapped = LETTERS[rng.integers(0, 4, (round(UNMAPPED * experiment.reads), READ_LENGTH))]
    write_bam(path, genome, alignments, [letters.tobytes().decode() for letters in unmapped], name=experiment.name)


def cut_rates(
    genome: Genome,
    elements: pd.DataFrame,
    *,
    experiment: Experiment,
    parameters: Simulation,
    rng: np.random.Generator,
) -> np.ndarray:
    """Compute how probable each base is as the first base of a read, for both strands.

    Returns
    -------
    numpy.ndarray of float64, shape (strands, bases)
        Forward strand, reverse strand; the sum is 1. It is 0 wherever the read would touch an unknown base.
    """
    allowed = possible_starts(genome.codes) * _cut_bias(genome.codes, experiment.cut_bias)
    blocks = -(-genome.codes.size // WAVE_BLOCK)
    wave = np.exp(rng.normal(0, WAVE_SPREAD, blocks)).repeat(WAVE_BLOCK)[: genome.codes.size]
    open_profile = _open_profile(genome.codes.size, elements, experiment, parameters, rng)
    rates = np.zeros(allowed.shape)
    for share, profile in (
        (1 - PILE_UP_SHARE - experiment.open_share, wave),
        (experiment.open_share, open_profile),
        (PILE_UP_SHARE, _pile_ups(genome.codes.size, elements, rng)),
    ):
        part = allowed * profile
        rates += part * (share / part.sum()) if part.any() else 0
    return rates / rates.sum()


def possible_starts(codes: np.ndarray) -> np.ndarray:
    """Tell where a read's first base may lie so that all its bases are known; bool, shape (strands, bases)."""
    unknown = np.concatenate([[0], np.cumsum(codes == UNKNOWN)])
    clear = unknown[READ_LENGTH:] == unknown[:-READ_LENGTH]
    possible = np.zeros((2, codes.size), bool)
    possible[0, : clear.size] = clear
    possible[1, READ_LENGTH - 1 :] = clear
    return possible


def _cut_bias(codes: np.ndarray, strength: float) -> np.ndarray:
    """Compute the factor of the two bases at the cut; float64, shape (strands, bases)."""
    preference = np.zeros((UNKNOWN + 1, UNKNOWN + 1))
    preference[:UNKNOWN, :UNKNOWN] = _CUT_PREFERENCE
    complement = np.array([3, 2, 1, 0, UNKNOWN])[codes]
    forward = preference[np.roll(codes, 1), codes]
    reverse = preference[np.roll(complement, -1), complement]
    return np.exp(strength * np.stack([forward, reverse]))


def _open_profile(
    length: int, elements: pd.DataFrame, experiment: Experiment, parameters: Simulation, rng: np.random.Generator
) -> np.ndarray:
    """Add up the open regions, forward cuts before the centre and reverse cuts behind it; shape (strands, bases)."""
    opened = elements[elements["kind"].isin([*OPEN_KINDS, f"{experiment.name}_only"])]
    offset = experiment.cut_offset
    strength = opened["strength"].to_numpy() * np.exp(rng.normal(0, EXPERIMENT_SPREAD, len(opened)))
    reach = int(offset + 4 * parameters.open_width)
    window = np.arange(-reach, reach + 1)
    positions = np.clip(opened["centre"].to_numpy()[:, None] + window, 0, length - 1)
    profile = np.zeros((2, length))
    for strand, summit in enumerate((-offset, offset)):
        shape = np.exp(-0.5 * ((window - summit) / parameters.open_width) ** 2)
        np.add.at(profile[strand], positions, strength[:, None] * shape)
    return profile


def _pile_ups(length: int, elements: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Give each artefact region spikes at random positions; float64, shape (strands, bases)."""
    profile = np.zeros((2, length))
    for start, end in elements.loc[elements["kind"] == "artefact", ["start", "end"]].to_numpy():
        profile[:, start:end] = rng.exponential(1.0, (2, end - start)) ** 4
    return profile


def draw_alignments(rates: np.ndarray, reads: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw single reads, with the kinds of alignments that filters must see.

    Parameters
    ----------
    rates : numpy.ndarray of float64, shape (strands, bases)
        How probable each base is as the first of a read; the sum is 1.
    reads : int
        Primary mapped alignments, duplicates among them; secondary and QC-failed ones come on top.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        `start` (leftmost base in the genome's flat array), `flag` (of SAM), `mapq`; sorted by start.
    """
    cumulative = np.cumsum(rates.ravel())
    extra = {_SECONDARY: round(SECONDARY * reads), _QC_FAILED: round(QC_FAILED * reads)}
    copies = min(round(DUPLICATES * reads), reads - 1)
    drawn = reads - copies + sum(extra.values())
    cuts = np.searchsorted(cumulative, rng.random(drawn) * cumulative[-1], side="right")
    strand, first = np.divmod(cuts, rates.shape[1])
    flag = np.repeat([0, *extra], [reads - copies, *extra.values()]) + _REVERSE * strand
    alignments = pd.DataFrame({"start": first - strand * (READ_LENGTH - 1), "flag": flag})
    duplicates = alignments.iloc[rng.integers(0, reads - copies, copies)]
    alignments = pd.concat([alignments, duplicates.assign(flag=duplicates["flag"] + _DUPLICATE)], ignore_index=True)
    alignments["mapq"] = np.where(rng.random(len(alignments)) < LOW_QUALITY, 0, rng.integers(20, 43, len(alignments)))
    return alignments.sort_values("start", kind="stable", ignore_index=True)


def write_bam(path: Path, genome: Genome, alignments: pd.DataFrame, unmapped: Sequence[str] = (), *, name: str) -> None:
    """Write alignments in their order, then unmapped reads, and an index beside the file.

    Parameters
    ----------
    path : pathlib.Path
        The index is `path` + ".bai".
    genome : Genome
        Reads have its bases.
    alignments : pandas.DataFrame
        `start` (in the genome's flat array, ascending), `flag` (of SAM), `mapq`; of pairs also `mate` (start of the
        mate on the same contig), `length` (of the fragment, negative for its right read) and `fragment` (number that
        both reads have in their name).
    unmapped : sequence of str
        Their bases.
    name : str
        With which the names of the reads begin.
    """
    with atomic_path(path) as temporary:
        _write_alignments(temporary, genome, alignments, unmapped, name=name)
    with atomic_path(Path(f"{path}.bai")) as temporary:
        pysam.index(str(path), str(temporary))


def _write_alignments(
    path: Path, genome: Genome, alignments: pd.DataFrame, unmapped: Sequence[str], *, name: str
) -> None:
    header = pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "coordinate"},
            "SQ": [{"SN": contig, "LN": int(size)} for contig, size in genome.sizes.items()],
            "PG": [{"ID": "simulate", "PN": "helpers.sources.simulate"}],
        }
    )
    read = pysam.AlignedSegment(header)  # one object, filled anew for each line: a new one each doubles the time
    quality = pysam.qualitystring_to_array("I" * READ_LENGTH)
    pairs = _pairs(genome, alignments) if "mate" in alignments else None
    with pysam.AlignmentFile(str(path), "wb", header=header) as bam:
        for number, (sequence, contig, start, flag, mapq) in enumerate(_lines(genome, alignments, unmapped)):
            read.query_name = f"{name}.{number}"
            read.query_sequence = sequence
            read.query_qualities = quality
            read.cigartuples = None if flag == _UNMAPPED else [(0, READ_LENGTH)]
            read.flag, read.reference_id, read.reference_start, read.mapping_quality = flag, contig, start, mapq
            if pairs:
                fragment, read.next_reference_start, read.template_length = next(pairs)
                read.query_name, read.next_reference_id = f"{name}.{fragment}", contig
            bam.write(read)


def _pairs(genome: Genome, alignments: pd.DataFrame) -> Iterator[tuple[int, int, int]]:
    """Yield number of the fragment, start of the mate in its contig, and length of the fragment, of each alignment."""
    mates = alignments["mate"].to_numpy()
    contigs = np.searchsorted(genome.offsets, mates, side="right") - 1
    columns = (alignments["fragment"], mates - genome.offsets[contigs], alignments["length"])
    return zip(*(column.tolist() for column in columns), strict=True)


def _lines(
    genome: Genome, alignments: pd.DataFrame, unmapped: Sequence[str]
) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield sequence, contig, start in the contig, flag and mapping quality of each line of the file."""
    letters = genome.letters().tobytes().decode()
    starts = alignments["start"].to_numpy()
    contigs = np.searchsorted(genome.offsets, starts, side="right") - 1
    sequences = (letters[start : start + READ_LENGTH] for start in starts.tolist())
    columns = (contigs, starts - genome.offsets[contigs], alignments["flag"].to_numpy(), alignments["mapq"].to_numpy())
    yield from zip(sequences, *(column.tolist() for column in columns), strict=True)
    yield from ((sequence, -1, -1, _UNMAPPED, 0) for sequence in unmapped)
