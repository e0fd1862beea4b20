"""A results folder with a hub of small tracks, and a reader of hubs that knows only their rules."""

from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
import pandas as pd
from small_files import write_fasta

from helpers.data.export import predictions_to_bigwig
from helpers.data.two_bit import fasta_to_two_bit
from helpers.evaluation.hub import HubGenome, HubStudy, HubTrack, write_hub

SIZES = {"chr1": 40_000, "chr2": 25_003}
VARIANTS = ({"order": 1, "dropout": 0}, {"order": 3, "dropout": 0.2})


def write_track(path, seed, low=0.0, high=1.0):
    """Write windows of 200 bp that overlap by half, on the first contig alone, one of them as high as can be."""
    rng = np.random.default_rng(seed)
    starts = np.arange(0, SIZES["chr1"] - 199, 100)
    values = np.where(rng.random(len(starts)) < 0.1, rng.uniform(low, high, len(starts)), 0)
    values[[40, 41, 120, 121]] = high, high, low, low
    regions = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + 200})
    path.parent.mkdir(parents=True, exist_ok=True)
    predictions_to_bigwig(path, regions, values, SIZES)
    return path


def make_hub(root):
    """Write two studies of labels on a genome that browsers do not know, and one of a signal on hg38, and their hub."""
    rng = np.random.default_rng(0)
    letters = {name: "".join(rng.choice(list("ACGTacgt"), size)) for name, size in SIZES.items()}
    fasta_to_two_bit(write_fasta(root / "genome.fa", **letters), root / "hub/demo/demo.2bit")
    studies = []
    for study, genome, outputs, ends in (
        ("jund", "demo", ["peaks"], (0, 1)),
        ("profiles", "demo", ["K562.CTCF", "K562-CTCF", "DNase"], (0, 1)),
        ("cage", "human", ["cage"], (-1.5, 2.25)),
    ):
        folder = root / study / "tracks"
        tracks = [HubTrack(write_track(folder / f"target_{name}.bw", 1, *ends), name) for name in outputs]
        for model, color in (("dna", "#0072B2"), ("joint", "#009E73")):
            for values in VARIANTS if model == "dna" else [{}]:
                variant = "_".join(f"{key}~{value}" for key, value in values.items()) or "default"
                for seed, name in enumerate(outputs):
                    path = write_track(folder / f"{model}_{variant}_{name}.bw", 10 + seed, *ends)
                    tracks.append(HubTrack(path, name, model, values, color))
        studies.append(HubStudy(study, genome, tracks, (0, 1) if study == "jund" else None))
    genomes = [HubGenome("demo", two_bit=root / "hub/demo/demo.2bit"), HubGenome("human", "hg38")]
    write_hub(root / "hub", genomes, studies, name="demo", note="simulated data")
    return studies


def read_stanzas(path):
    """Read settings: one a line, a stanza ends at an empty line."""
    stanzas = [[line.split(" ", 1) for line in text.splitlines()] for text in path.read_text().split("\n\n") if text]
    for stanza in stanzas:
        assert all(len(line) == 2 and line[1].strip() for line in stanza), stanza
        assert len({key for key, _ in stanza}) == len(stanza), "a setting comes twice"
    return [dict(stanza) for stanza in stanzas]


def follow(path, address):
    """Find the file that an address in another file means, as a browser does on a web server."""
    assert not urlsplit(address).scheme
    assert not address.startswith("/")
    return Path(unquote(urlsplit(urljoin(path.absolute().as_uri(), address)).path))
