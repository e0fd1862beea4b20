"""What the page of loci draws: of every track only what lies around the loci, as numbers that go into the page."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from helpers.data.collapse import collapse_overlaps
from helpers.data.coverage import Cover
from helpers.data.genome_store import GenomeStore
from helpers.data.regions import merge_regions, overlaps_any, region_table
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, mean_over_windows
from helpers.evaluation.loci import change_name
from helpers.evaluation.predictions import Predictions
from helpers.evaluation.style import PALETTE

BLUE, _, GREEN, VERMILLION, PURPLE, _, GREY, _ = PALETTE
_GAP = 5000  # bp; igv.js asks for sequence of three screens at once, and takes the first stretch that it touches

_READABLE = re.compile(r"(?!all$)[!-9;-~]+", re.IGNORECASE)  # "all" means the whole genome there


@dataclass(frozen=True)
class LocusTrack:
    """A track of the page.

    Parameters
    ----------
    name : str
        Stands at the track.
    kind : {'signal', 'letters', 'regions'}
        Bars, bases at their height, or boxes.
    features : dict of str to list
        By contig. signal: ``[start, end, value]``; letters: ``[start, [value of each base]]``; regions: ``[start, end,
        name, colour]``. In bp, 0-based, half-open.
    output : str
        The output that it belongs to; empty for all.
    color : str
    height : int
        Pixels.
    limits : (float, float), optional
        Of the values; by default those of what is seen.
    """

    name: str
    kind: Literal["signal", "letters", "regions"]
    features: Mapping[str, list[list[Any]]]
    output: str = ""
    color: str = GREY
    height: int = 50
    limits: tuple[float, float] | None = field(default=None)


def locus_views(loci: pd.DataFrame, sizes: Mapping[str, int], around: int = 1000) -> pd.DataFrame:
    """Give the stretch that is seen of each locus: the locus and `around` bp on both sides, within its contig.

    Parameters
    ----------
    loci : pandas.DataFrame
        Table of `helpers.evaluation.loci.choose_loci`.
    sizes : mapping of str to int
        Length of each contig in bp.

    Returns
    -------
    pandas.DataFrame
        Region table in the order of the loci.

    Raises
    ------
    InputError
        For a contig that the genome lacks, or whose name igv.js cannot read.
    """
    chroms = sorted(set(loci["chrom"]))
    for wrong, why in (
        ([name for name in chroms if name not in sizes], "is not in the genome"),
        ([name for name in chroms if not _READABLE.fullmatch(name)], "has a name that igv.js cannot read"),
    ):
        if wrong:
            message = f"Loci lie on {wrong[0]!r}, which {why}. Leave it out of the test split and of the variants."
            raise InputError(message)
    lengths = loci["chrom"].map(dict(sizes)).to_numpy(dtype=np.int64)
    starts = np.maximum(loci["start"].to_numpy(dtype=np.int64) - around, 0)
    return region_table(loci["chrom"], starts, np.minimum(loci["end"].to_numpy(dtype=np.int64) + around, lengths))


def join_views(views: pd.DataFrame) -> pd.DataFrame:
    """Join views, and what lies between near ones, to stretches without overlap, sorted."""
    return merge_regions(views, distance=_GAP)


def sequence_text(genome: GenomeStore, stretches: pd.DataFrame) -> str:
    """Write the sequence of stretches as FASTA; the header says where each lies (from 1) and how long its contig is."""
    letters = np.frombuffer(b"ACGTN", dtype=np.uint8)
    parts = []
    for region in stretches.itertuples():
        header = f">{region.chrom}:{region.start + 1}-{region.end} @len={genome.sizes[region.chrom]}"
        sequence = letters[genome.contig(region.chrom)[region.start : region.end]].tobytes().decode()
        parts.append(f"{header}\n{sequence}\n")
    return "".join(parts)


def window_tracks(predictions: Predictions, stretches: pd.DataFrame) -> Iterator[LocusTrack]:
    """Make two tracks of an output, predicted and observed, of one scale; overlapping windows are averaged."""
    near = overlaps_any(predictions.regions, stretches)
    regions = predictions.regions[near]
    for number, output in enumerate(predictions.outputs):
        predicted, observed = (
            matrix[near, number].astype(np.float64) for matrix in (predictions.prediction, predictions.target)
        )
        limits = _limits(np.concatenate([predicted, observed]))
        yield LocusTrack("predicted", "signal", _window_signal(regions, predicted), output, BLUE, limits=limits)
        yield LocusTrack("observed", "signal", _window_signal(regions, observed), output, GREY, limits=limits)


def region_track(name: str, regions: pd.DataFrame, stretches: pd.DataFrame, output: str = "") -> LocusTrack:
    """Make a track of boxes, such as peaks."""
    near = regions[overlaps_any(regions, stretches)]
    features: dict[str, list[list[Any]]] = {}
    for region in near.itertuples():
        features.setdefault(region.chrom, []).append(
            [region.start, region.end, "" if region.name == "." else region.name, GREY]
        )
    return LocusTrack(name, "regions", features, output, GREY, height=45)


def variant_track(effects: pd.DataFrame, stretches: pd.DataFrame, output: str) -> LocusTrack:
    """Make a track of variants; those that raise the output are blue, those that lower it vermillion."""
    own = effects[effects["output"] == output]
    features: dict[str, list[list[Any]]] = {}
    for variant in own[overlaps_any(own, stretches)].itertuples():
        color = BLUE if variant.difference > 0 else VERMILLION if variant.difference < 0 else GREY
        size = f" {variant.difference:+.2g}" if np.isfinite(variant.difference) else ""
        name = change_name(variant.ref, variant.alt) + size
        features.setdefault(variant.chrom, []).append([variant.start, variant.end, name, color])
    return LocusTrack("variants", "regions", features, output, BLUE, height=75)


def coverage_track(name: str, store: str | os.PathLike[str], stretches: pd.DataFrame) -> LocusTrack:
    """Make a track of counts, both strands together, of a store; contigs that it lacks are empty."""
    cover = Cover.create_from_store(name, [store], conditions=[name])
    features: dict[str, list[list[Any]]] = {}
    covered = stretches[stretches["chrom"].isin(cover.contigs)]
    for chrom, start, end in _places(covered):
        values = np.asarray(cover[chrom, start, end], dtype=np.float64)[0, :, :, 0].sum(axis=1)
        features.setdefault(chrom, []).extend(_runs(values, start))
    return LocusTrack(name, "signal", features, color=VERMILLION)


def attribution_tracks(attributions: Attributions, stretches: pd.DataFrame, output: str) -> Iterator[LocusTrack]:
    """Make a track of each input's attribution to an output; overlapping windows are averaged base by base.

    Parameters
    ----------
    attributions : helpers.evaluation.attribution_files.Attributions
        All that a base, or a bin, has is summed; each base of a bin is drawn at the bin's sum.
    stretches : pandas.DataFrame
        Table of `join_views`.
    output : str
        An output without attributions has no track.
    """
    for name in attributions.values.get(output, {}):
        sequence = attributions.layouts[name].kind == "sequence"
        features: dict[str, list[list[Any]]] = {}
        for chrom, start, end in _places(stretches):
            mean = mean_over_windows(attributions, output, name, (chrom, start, end)).sum(axis=1)
            features.setdefault(chrom, []).extend(_letters(mean, start) if sequence else _runs(mean, start))
        kind = "letters" if sequence else "signal"
        yield LocusTrack(f"attribution of {name}", kind, features, output, PURPLE, height=100 if sequence else 50)


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Give 0 and 1 where all values lie there, else the lowest and highest, 0 included."""
    if ((values >= 0) & (values <= 1)).all():
        return 0.0, 1.0
    return _short(min(values.min(), 0)), _short(max(values.max(), 0))


def _window_signal(regions: pd.DataFrame, values: np.ndarray) -> dict[str, list[list[Any]]]:
    """Average windows where they overlap, contig by contig."""
    features = {}
    for chrom, rows in regions.assign(value=values).groupby("chrom", sort=False):
        columns = (rows[name].to_numpy() for name in ("start", "end", "value"))
        features[chrom] = _signal(*collapse_overlaps(*columns))
    return features


def _places(stretches: pd.DataFrame) -> Iterator[tuple[str, int, int]]:
    yield from zip(stretches["chrom"], map(int, stretches["start"]), map(int, stretches["end"]), strict=True)


def _runs(values: np.ndarray, start: int) -> list[list[Any]]:
    """Join bases of one value that lie side by side; bases of 0 and NaN are left out."""
    edges = np.flatnonzero(np.r_[True, values[1:] != values[:-1], True])
    starts, ends = edges[:-1], edges[1:]
    kept = np.isfinite(values[starts]) & (values[starts] != 0)
    return _signal(starts[kept] + start, ends[kept] + start, values[starts[kept]])


def _letters(values: np.ndarray, start: int) -> list[list[Any]]:
    """Give each run of bases that have a value."""
    known = np.r_[False, np.isfinite(values), False]
    edges = np.flatnonzero(known[1:] != known[:-1])
    return [
        [int(left + start), [_short(value) for value in values[left:right]]]
        for left, right in zip(edges[::2], edges[1::2], strict=True)
    ]


def _signal(starts: np.ndarray, ends: np.ndarray, values: np.ndarray) -> list[list[Any]]:
    return [
        [int(start), int(end), _short(value)]
        for start, end, value in zip(starts, ends, values, strict=True)
        if np.isfinite(value)
    ]


def _short(value: float) -> float:
    """Keep four digits: more cannot be seen, and would make the page large."""
    return float(f"{value:.4g}")
