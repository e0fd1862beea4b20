"""A page of loci of two outputs on two contigs, small enough that all of it is known."""

import numpy as np
import pandas as pd

from helpers.data.regions import region_table
from helpers.data.storage import GenomeArray
from helpers.evaluation.attribution_files import Attributions, InputLayout
from helpers.evaluation.loci import choose_loci, kind_names
from helpers.evaluation.loci_page import LociPage
from helpers.evaluation.loci_tracks import (
    LocusTrack,
    attribution_tracks,
    join_views,
    locus_views,
    region_track,
    sequence_text,
    variant_track,
    window_tracks,
)
from helpers.evaluation.predictions import Predictions

HOSTILE = '</script><img src=x onerror="window.hacked=1"><!--\'&amp;'
LENGTH = 60_000  # bp of each contig


def windows(n, step=200, chroms="chr1"):
    """Windows of 200 bp, the first at 0."""
    return region_table(np.broadcast_to(chroms, n), np.arange(n) * step, np.arange(n) * step + 200)


def make_effects(differences, chroms="chr1"):
    n = len(differences)
    starts = np.arange(n) * 100
    scores = {"prediction_ref": 0.5, "prediction_alt": 0.5 + np.array(differences), "difference": differences}
    names = {"id": [f"snv{number}" for number in range(n)], "ref": "A", "alt": "G", "output": "a"}
    return pd.DataFrame({"chrom": chroms, "start": starts, "end": starts + 1, **names, **scores})


def make_page(name):
    """Make a page in which all texts hold a name."""
    outputs = [f"{name} a", f"{name} b"]
    rng = np.random.default_rng(5)
    regions = pd.concat([windows(300), windows(300, chroms="chr2")], ignore_index=True)
    target = (rng.random((600, 2)) < 0.1).astype(float)
    prediction = np.clip(target * 0.6 + rng.random((600, 2)) * 0.4, 0, 1)
    predictions = Predictions(regions, target, prediction, outputs)
    effects = make_effects(rng.normal(size=30) * 0.2, "chr2").assign(output=outputs[0], id=name.replace(" ", "_"))
    loci = choose_loci(predictions, effects, labels=True, top=3, wrong=2, variants=2)
    genome = GenomeArray.from_contigs(
        {chrom: rng.integers(0, 4, LENGTH).astype(np.uint8) for chrom in ("chr1", "chr2")}
    )
    views = locus_views(loci, genome.sizes)
    near = join_views(views)
    first = loci.iloc[:1]
    attributions = Attributions(
        windows=region_table(first["chrom"], first["start"], first["end"]),
        layouts={name: InputLayout("sequence", 100, 1, list("ACGT"))},
        values={outputs[0]: {name: rng.normal(size=(1, 400, 4))}},
        checks={},
    )
    peaks = predictions.regions[target[:, 0] == 1].assign(name=name).reset_index(drop=True)
    tracks = [
        *window_tracks(predictions, near),
        region_track(f"{name} peaks", peaks, near, outputs[0]),
        *attribution_tracks(attributions, near, outputs[0]),
        variant_track(effects, near, outputs[0]),
        LocusTrack(f"{name} reads", "signal", {"chr1": [[0, LENGTH, 3.0]], "chr2": [[0, LENGTH, 2.0]]}),
    ]
    return LociPage(name, f"{name} note", loci, views, kind_names(labels=True), sequence_text(genome, near), tracks)
