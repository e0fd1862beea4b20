"""Track hubs: the text files by which a genome browser finds what was predicted and observed on a web server.

All paths in a hub are relative and lead to files below the folder that holds the hub's own: put that folder on a web
server as it is, and give a browser the address of ``hub.txt``. Genomes that browsers do not know come as assembly hubs,
with their sequence as 2bit.
"""

import html
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

import pyBigWig

from helpers.errors import InputError
from helpers.evaluation.track_db import (
    LONG_LABEL,
    SHORT_LABEL,
    HubStudy,
    HubTrack,
    Names,
    Stanza,
    fit_label,
    safe_name,
    study_stanzas,
)
from helpers.files import atomic_path

__all__ = ["HubGenome", "HubStudy", "HubTrack", "write_hub"]

NO_EMAIL = "you@example.org"  # a hub without an address is refused
_SHOWN = 10_000  # bp that an assembly hub shows first

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>Every study has two sets of tracks, both on the windows of its test split, which no model was trained on.</p>
<p><b>Observed</b>: what the models were asked to predict, a label of 0 or 1 or a signal, normalized as in training.</p>
<p><b>Predicted</b>: what each model said, mean over its trainings. One colour is one model.</p>
<p>A base that lies in several windows holds the mean of their values; a base in no window holds none.</p>
</body>
</html>
"""


@dataclass(frozen=True)
class HubGenome:
    """A genome of a hub.

    Parameters
    ----------
    name : str
        Name of the genome.
    browser : str
        The name by which genome browsers know the assembly, such as ``hg38``; empty when they do not know it.
    two_bit : path, optional
        The sequence; an assembly that browsers do not know needs it.
    """

    name: str
    browser: str = ""
    two_bit: str | os.PathLike[str] | None = None

    @property
    def folder(self) -> str:
        """Name in the hub, and of the folder there."""
        return self.browser or self.name


def write_hub(
    folder: str | os.PathLike[str],
    genomes: Sequence[HubGenome],
    studies: Sequence[HubStudy],
    *,
    name: str,
    note: str = "",
    email: str = NO_EMAIL,
) -> Path:
    """Write the text files of a track hub.

    Parameters
    ----------
    folder : path
        Holds the hub; the folder above it is what a web server shows, with all tracks and sequences.
    genomes : sequence of HubGenome
        Genomes of one assembly that browsers know share a folder.
    studies : sequence of HubStudy
        At least one, each with a track.
    name : str
        Name of the hub.
    note : str
        What readers should know of all tracks, such as ``simulated data``.
    email : str
        Whom readers can ask.

    Returns
    -------
    pathlib.Path
        ``hub.txt``. Beside it stand ``genomes.txt`` and ``description.html``, and in the folder of each genome
        ``trackDb.txt`` and, unless browsers know the assembly, ``groups.txt``.

    Raises
    ------
    InputError
        When a file is missing or lies elsewhere, a study has no track or names no genome of the hub, or the sequence of
        a genome is missing that browsers do not know.

    References
    ----------
    Raney et al., Bioinformatics 30 (2014), doi:10.1093/bioinformatics/btt637.
    https://genome.ucsc.edu/goldenPath/help/trackDb/trackDbHub.html
    """
    folder = Path(folder)
    _check_studies(genomes, studies)
    _check_genomes(genomes)
    _check_files(folder, genomes, studies)
    folders = {genome.name: genome.folder for genome in genomes}
    kept = []
    for genome in {genome.folder: genome for genome in genomes}.values():
        own = [study for study in studies if folders[study.genome] == genome.folder]
        if own:
            kept.append(_write_genome(folder, genome, own))
    _write_stanzas(folder / "genomes.txt", kept)
    title = f"{name}: observed and predicted" + (f", {note}" if note else "")
    with atomic_path(folder / "description.html") as temporary:
        temporary.write_text(_PAGE.format(title=html.escape(title)), encoding="utf-8")
    hub = {
        "hub": safe_name(name),
        "shortLabel": fit_label([name], SHORT_LABEL),
        "longLabel": fit_label([title], LONG_LABEL),
        "genomesFile": "genomes.txt",
        "email": email,
        "descriptionUrl": "description.html",
    }
    _write_stanzas(folder / "hub.txt", [hub])
    return folder / "hub.txt"


def _check_studies(genomes: Sequence[HubGenome], studies: Sequence[HubStudy]) -> None:
    names = [genome.name for genome in genomes]
    if not studies:
        message = "A hub without a study has nothing to show. Give at least one."
        raise InputError(message)
    for study in studies:
        if study.genome not in names:
            message = (
                f"Study {study.name!r} is on genome {study.genome!r}, but the hub has: {', '.join(names) or 'none'}."
            )
            raise InputError(message)
        if not study.tracks:
            message = f"Study {study.name!r} has no track to show. Leave it out of the hub, or export a track."
            raise InputError(message)


def _check_genomes(genomes: Sequence[HubGenome]) -> None:
    for genome in genomes:
        if genome.browser:
            continue
        if [other.folder for other in genomes].count(genome.folder) > 1:
            message = f"Two genomes of the hub are called {genome.folder!r}. Rename one of them."
            raise InputError(message)
        if genome.two_bit is None:
            message = f"Genome {genome.name!r} needs its sequence (2bit), or 'browser', the name that browsers know."
            raise InputError(message)


def _check_files(folder: Path, genomes: Sequence[HubGenome], studies: Sequence[HubStudy]) -> None:
    paths = [genome.two_bit for genome in genomes if not genome.browser]
    above = os.path.abspath(folder.parent)
    for path in [*paths, *(track.path for study in studies for track in study.tracks)]:
        if not Path(path).is_file():
            message = f"{path} does not exist, but the hub would name it. Make the file first."
            raise InputError(message)
        if os.path.commonpath([above, os.path.abspath(path)]) != above:
            message = f"{path} lies outside {folder.parent}, and a web server would not show it. Put the file there."
            raise InputError(message)


def _write_genome(folder: Path, genome: HubGenome, studies: Sequence[HubStudy]) -> Stanza:
    """Write the folder of a genome, and describe the genome."""
    place, names = folder / genome.folder, Names()
    groups = [names.new(study.name) for study in studies]
    stanzas = [
        stanza for study, group in zip(studies, groups, strict=True) for stanza in study_stanzas(study, group, names)
    ]
    for stanza in stanzas:
        if "bigDataUrl" in stanza:
            stanza["bigDataUrl"] = _url(stanza["bigDataUrl"], place)
    _write_stanzas(place / "trackDb.txt", stanzas)
    described = {"genome": genome.folder, "trackDb": _url(place / "trackDb.txt", folder)}
    if genome.browser:
        return described
    _write_stanzas(
        place / "groups.txt",
        [
            {"name": group, "label": study.name, "priority": str(number), "defaultIsClosed": "0"}
            for number, (study, group) in enumerate(zip(studies, groups, strict=True), start=1)
        ],
    )
    return described | {
        "groups": _url(place / "groups.txt", folder),
        "twoBitPath": _url(genome.two_bit, folder),
        "description": genome.name,
        "organism": genome.name,
        "scientificName": genome.name,
        "defaultPos": _best_place(studies[0]),
        "orderKey": "10",
        "htmlPath": "description.html",
    }


def _best_place(study: HubStudy) -> str:
    """Find where the first observed track is highest, and write it with its surroundings; positions count from 1."""
    first = next((track for track in study.tracks if not track.model), study.tracks[0])
    with pyBigWig.open(os.fspath(first.path)) as track:
        sizes = track.chroms()
        values = [(value, chrom, start, end) for chrom in sizes for start, end, value in track.intervals(chrom) or ()]
    _, chrom, start, end = max(values, key=itemgetter(0), default=(0, next(iter(sizes)), 0, 0))
    left = max(min((start + end - _SHOWN) // 2, sizes[chrom] - _SHOWN), 0)
    return f"{chrom}:{left + 1}-{min(left + _SHOWN, sizes[chrom])}"


def _url(path: str | os.PathLike[str], place: Path) -> str:
    """Give the address of a file relative to a folder."""
    return quote(Path(os.path.relpath(path, place)).as_posix())


def _write_stanzas(path: Path, stanzas: Iterable[Stanza]) -> None:
    """Write settings line by line, with an empty line behind each stanza."""
    text = "".join("".join(f"{key} {value}\n" for key, value in stanza.items()) + "\n" for stanza in stanzas)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
