"""Variants of a simulated genome: SNVs that break planted motifs, and as many beside them that do not.

The two kinds are drawn as pairs: for each SNV that breaks a motif, another one in the same site changes the same base
to the same other base, outside all motifs, as nearly as far from the site's centre as such a base stands there.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pysam

from helpers.files import atomic_path
from helpers.sources.simulate_genome import CORE_COLUMNS, LETTERS, PAIR_COLUMNS, UNKNOWN, Genome, find_motifs
from helpers.sources.simulated_files import on_contigs
from helpers.sources.simulation import MOTIF_LENGTH

_OTHERS = np.array([100, 110, 120])  # bp from a site's centre to the other variants: beyond its motifs, in its slot
_INDEL = 3  # bp inserted or deleted
_INFO = (
    '##INFO=<ID=KIND,Number=1,Type=String,Description="breaks: an SNV that breaks a motif of a bound site. '
    'neutral: an SNV beside the motifs of a bound site. other: no SNV with one alternative">'
)
_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")


def draw_variants(
    genome: Genome,
    elements: pd.DataFrame,
    motifs: pd.DataFrame,
    *,
    count: int,
    dependence: bool,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw variants at bound sites.

    Parameters
    ----------
    genome, elements, motifs
        As `helpers.sources.simulate_genome.simulate_genome` returns them.
    count : int
        SNVs at most, half of them of each kind; fewer where the bound sites have no more bases that make a pair.
    dependence : bool
        True: SNVs that break a motif change as often its core, to any base, as a pair, to what decoys have. False: all
        change the core, since no pair is wrong.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        In the order of the genome: `contig` (number), `start` and `end` of the reference allele (positions in
        `Genome.codes`), `ref` and `alt` (letters, alternatives separated by commas) and `kind`: 'breaks', 'neutral',
        or 'other' of one SNV with two alternatives, one insertion and one deletion. Each motif is broken once before
        one is broken twice; no position is changed twice.
    """
    bound = elements.loc[elements["kind"] == "bound", "centre"].to_numpy()
    starts = motifs.loc[motifs["kind"] == "bound", "start"].to_numpy()
    free = genome.codes != UNKNOWN
    free[motifs["start"].to_numpy()[:, None] + np.arange(MOTIF_LENGTH)] = False
    breaks = _draw_breaks(genome.codes, starts, dependence, rng)
    breaks["centre"] = bound.repeat(len(starts) // len(bound))[breaks.pop("motif")]
    snvs = _draw_pairs(genome.codes, breaks, free, pairs=count // 2, rng=rng)
    variants = pd.concat([snvs, _draw_others(genome.codes, rng.choice(bound), rng)])
    variants = variants.sort_values("start", kind="stable", ignore_index=True)
    variants["contig"] = np.searchsorted(genome.offsets, variants["start"], side="right") - 1
    return variants.assign(end=variants["start"] + variants["ref"].str.len())


def _draw_breaks(codes: np.ndarray, starts: np.ndarray, dependence: bool, rng: np.random.Generator) -> pd.DataFrame:
    """Draw SNVs that break motifs, in rounds of one for each: motif (row), start, ref and alt (base codes)."""
    core = np.tile(np.arange(MOTIF_LENGTH)[CORE_COLUMNS], (len(starts), 1))  # the same on both strands, as are pairs
    pairs = PAIR_COLUMNS + rng.integers(0, 2, (len(starts), len(PAIR_COLUMNS)))
    columns = rng.permuted(np.hstack([core, pairs]) if dependence else core, axis=1)
    order = rng.permutation(len(starts))
    motif, column = np.tile(order, columns.shape[1]), columns[order].T.ravel()
    ref = codes[starts[motif] + column]
    other, partner = (ref + rng.integers(1, 4, ref.size, np.uint8)) % 4, ref ^ 2  # A and G, C and T are partners
    alt = np.where(np.isin(column, core[:1]), other, partner)
    return pd.DataFrame({"motif": motif, "start": starts[motif] + column, "ref": ref, "alt": alt})


def _draw_pairs(
    codes: np.ndarray, breaks: pd.DataFrame, free: np.ndarray, *, pairs: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Find a neutral SNV for each one that breaks a motif, until there are enough pairs: start, ref, alt, kind.

    Bases that are taken are marked in `free`.
    """
    reach = MOTIF_LENGTH + int((breaks["start"] - breaks["centre"]).abs().max())
    rows: list[tuple[int, int, int, str]] = []
    for start, ref, alt, centre in breaks[["start", "ref", "alt", "centre"]].itertuples(index=False):
        if len(rows) >= 2 * pairs:
            break
        around = centre + rng.permutation(np.arange(-reach, reach + 1))
        around = around[free[around] & (codes[around] == ref)]
        nearest = around[np.argsort(np.abs(np.abs(around - centre) - abs(start - centre)), kind="stable")]
        neutral = next((position for position in nearest if not _makes_motif(codes, position, alt)), None)
        if neutral is not None:
            free[neutral] = False
            rows += [(start, ref, alt, "breaks"), (neutral, ref, alt, "neutral")]
    snvs = pd.DataFrame(rows, columns=["start", "ref", "alt", "kind"])
    return snvs.assign(**{allele: _as_text(snvs[allele]) for allele in ("ref", "alt")})


def _makes_motif(codes: np.ndarray, position: int, alt: int) -> bool:
    """Tell whether a motif, of sites or decoys, would hold this base if it were `alt`."""
    around = codes[position - MOTIF_LENGTH + 1 : position + MOTIF_LENGTH].copy()
    around[MOTIF_LENGTH - 1] = alt
    return len(find_motifs(around)) > 0


def _draw_others(codes: np.ndarray, centre: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw an SNV with two alternatives, an insertion and a deletion beside a site: start, ref, alt, kind."""
    starts = centre + _OTHERS
    first, before, _ = codes[starts]
    changed = _as_text((first + rng.permutation(3)[:2] + 1) % 4)
    inserted = "".join(_as_text(np.append(before, rng.integers(0, 4, _INDEL))))
    deleted = "".join(_as_text(codes[starts[2] : starts[2] + _INDEL + 1]))
    ref = [*_as_text(codes[starts[:2]]), deleted]
    return pd.DataFrame({"start": starts, "ref": ref, "alt": [",".join(changed), inserted, deleted[0]]}).assign(
        kind="other"
    )


def _as_text(codes: np.ndarray) -> list[str]:
    return list(LETTERS[np.asarray(codes, dtype=np.uint8)].tobytes().decode())


def write_variants(path: Path, genome: Genome, variants: pd.DataFrame) -> None:
    """Write variants as VCF, compressed with bgzip, and its tabix index beside it.

    Parameters
    ----------
    path : pathlib.Path
        Ends in .vcf.gz; the index is `path` + ".tbi".
    genome : Genome
    variants : pandas.DataFrame
        As `draw_variants` returns them.
    """
    lines = ["##fileformat=VCFv4.2", "##source=helpers.sources.simulate", _INFO]
    lines += [f"##contig=<ID={contig},length={size}>" for contig, size in genome.sizes.items()]
    lines.append("\t".join(_COLUMNS))
    for number, row in enumerate(on_contigs(variants, genome).itertuples(), 1):
        lines.append(f"{row.chrom}\t{row.start + 1}\tvariant_{number}\t{row.ref}\t{row.alt}\t.\tPASS\tKIND={row.kind}")
    with atomic_path(path) as temporary, pysam.BGZFile(str(temporary), "wb") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    with atomic_path(Path(f"{path}.tbi")) as temporary:
        pysam.tabix_index(str(path), preset="vcf", index=str(temporary))
