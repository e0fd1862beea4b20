"""What a track hub says about the tracks of a study: names, labels, colours, axes, and how they belong together.

A stanza is a mapping of settings to text: a track, or a container of tracks. A study is a super-track with two
containers, what was observed and what was predicted.
"""

import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyBigWig

SHORT_LABEL, LONG_LABEL = 17, 76  # characters

Stanza = dict[str, str]
Range = tuple[float, float]


@dataclass(frozen=True)
class HubTrack:
    """One bigWig file of a study.

    Parameters
    ----------
    path : path
        The file.
    output : str
        What is predicted or observed.
    model : str
        What predicted it; empty for what was observed.
    values : mapping
        The model's variant: key of the grid → value.
    color : str
        As ``#RRGGBB``.
    """

    path: str | os.PathLike[str]
    output: str
    model: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    color: str = "#000000"

    @property
    def variant(self) -> str:
        """The variant in words; empty without a grid."""
        return ", ".join(f"{key} {value}" for key, value in self.values.items())


@dataclass(frozen=True)
class HubStudy:
    """The tracks of one study.

    Parameters
    ----------
    name : str
        Name of the study.
    genome : str
        Name of its genome.
    tracks : sequence of HubTrack
        In the order in which they are listed. Those of the first output are shown; the others can be switched on.
    limits : (float, float), optional
        Lower and upper end of the vertical axis of all tracks. By default, for each output, what its tracks hold.
    """

    name: str
    genome: str
    tracks: Sequence[HubTrack]
    limits: Range | None = None


class Names:
    """Names that are safe in a hub, and each given once.

    Examples
    --------
    >>> names = Names()
    >>> names.new("dna", "order~3"), names.new("dna", "order 3"), names.new("5mC")
    ('dna_order_3', 'dna_order_3_2', 'x5mC')
    """

    def __init__(self):
        self._used: set[str] = set()

    def new(self, *parts: str) -> str:
        """Make a name of letters, digits and _ that begins with a letter and was not given before."""
        wanted = safe_name("_".join(filter(None, parts)))
        name, number = wanted, 1
        while name in self._used:
            number += 1
            name = f"{wanted}_{number}"
        self._used.add(name)
        return name


def safe_name(text: str) -> str:
    """Replace all but letters, digits and _, and begin with a letter.

    Examples
    --------
    >>> safe_name("order~3_dropout~0.2"), safe_name("5mC")
    ('order_3_dropout_0_2', 'x5mC')
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return name if re.match(r"[A-Za-z]", name) else f"x{name}"


def fit_label(parts: Iterable[str], most: int) -> str:
    """Join words to a label of at most so many characters; the longest parts lose their ends.

    Examples
    --------
    >>> fit_label(["dna", "3", "0.2"], 17), fit_label(["dnase", "zscorelog", "flip"], 17)
    ('dna 3 0.2', 'dnase zscore flip')
    """
    words = [" ".join(part.split()) for part in parts if part.strip()]
    while len(" ".join(words)) > most:
        longest = max(range(len(words)), key=lambda number: len(words[number]))
        words[longest] = words[longest][:-1]
    return " ".join(word.strip() for word in words)


def track_range(path: str | os.PathLike[str]) -> Range | None:
    """Find the least and the largest value of a bigWig file; None for a file without values."""
    with pyBigWig.open(os.fspath(path)) as track:
        ends = [track.stats(chrom, type=kind, exact=True)[0] for chrom in track.chroms() for kind in ("min", "max")]
    known = [value for value in ends if value is not None]
    return (min(known), max(known)) if known else None


def axis_limits(ranges: Iterable[Range | None]) -> Range:
    """Choose the ends of a vertical axis that holds these ranges and 0: whole numbers, as some browsers need them.

    Examples
    --------
    >>> axis_limits([(0.0, 1.0), None]), axis_limits([(-0.4, 2.7), (1, 3.1)]), axis_limits([])
    ((0, 1), (-1, 4), (0, 1))
    """
    values = [0.0, *(value for span in ranges if span is not None for value in span)]
    low, high = math.floor(min(values)), math.ceil(max(values))
    return (low, high) if low < high else (0, 1)


def study_stanzas(study: HubStudy, group: str, names: Names) -> list[Stanza]:
    """Describe a study.

    Parameters
    ----------
    study : HubStudy
    group : str
        A name out of `names`: of the group to which an assembly hub adds the study. No track may have it too.
    names : Names
        All names of the genome.

    Returns
    -------
    list of dict of str to str
        The super-track, and each container before its tracks. ``bigDataUrl`` is the path of the file as given.
    """
    limits = _axes(study)
    top = names.new(group, "tracks")
    stanzas = [
        {
            "track": top,
            "superTrack": "on show",
            "group": group,
            "shortLabel": fit_label([study.name], SHORT_LABEL),
            "longLabel": fit_label([f"{study.name}:", "observed and predicted on the test split"], LONG_LABEL),
        }
    ]
    for kind in ("observed", "predicted"):
        tracks = [track for track in study.tracks if bool(track.model) == (kind == "predicted")]
        if not tracks:
            continue
        tags = _tags(tracks)
        parent = names.new(group, kind)
        stanzas.append({"track": parent, "parent": top, **_container(study.name, kind, tags)})
        for track in tracks:
            name = names.new(parent, track.model, *map(str, track.values.values()), track.output)
            shown = "on" if track.output == study.tracks[0].output else "off"
            stanzas.append({"track": name, "parent": f"{parent} {shown}", **_track(study.name, track, limits, tags)})
    return stanzas


def _axes(study: HubStudy) -> dict[str, Range]:
    """Choose the axis of each output, one for all of its tracks."""
    ranges = defaultdict(list)
    for track in study.tracks:
        ranges[track.output].append(study.limits or track_range(track.path))
    return {output: study.limits or axis_limits(spans) for output, spans in ranges.items()}


def _choice(track: HubTrack) -> dict[str, str]:
    """Say what a track is, by the names of columns in which users choose tracks."""
    predicted = {"model": track.model, "variant": track.variant or "default"} if track.model else {}
    return {"output": track.output, **predicted}


def _tags(tracks: Sequence[HubTrack]) -> dict[str, dict[str, str]]:
    """Give each text of each column a name of its own."""
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    names: dict[str, Names] = defaultdict(Names)
    for track in tracks:
        for column, text in _choice(track).items():
            if text not in tags[column]:
                tags[column][text] = names[column].new(text)
    return tags


def _container(study: str, kind: str, tags: Mapping[str, Mapping[str, str]]) -> Stanza:
    """Describe what holds the tracks of a kind, and the columns by which users choose them."""
    columns = {
        f"subGroup{number}": " ".join(
            [column, column.capitalize(), *(f"{tag}={_one_word(text)}" for text, tag in texts.items())]
        )
        for number, (column, texts) in enumerate(tags.items(), start=1)
    }
    return {
        "compositeTrack": "on",
        "shortLabel": fit_label([study, kind], SHORT_LABEL),
        "longLabel": fit_label([f"{study}:", kind, "on the test split"], LONG_LABEL),
        "type": "bigWig",
        "visibility": "full",
        "autoScale": "off",
        "maxHeightPixels": "128:40:16",
        "windowingFunction": "mean",
        **columns,
        "sortOrder": " ".join(f"{column}=+" for column in tags),
    }


def _track(study: str, track: HubTrack, limits: Mapping[str, Range], tags: Mapping[str, Mapping[str, str]]) -> Stanza:
    low, high = limits[track.output]
    output = [track.output] if len(limits) > 1 else []
    values = map(str, track.values.values())
    short = [track.model, *values, *output] if track.model else output or ["observed"]
    words = ["predicted by", track.model, track.variant] if track.model else ["observed"]
    return {
        "shortLabel": fit_label(short, SHORT_LABEL),
        "longLabel": fit_label([f"{study}:", track.output, *words], LONG_LABEL),
        "type": f"bigWig {low:g} {high:g}",
        "viewLimits": f"{low:g}:{high:g}",
        "color": ",".join(str(int(track.color[at : at + 2], 16)) for at in (1, 3, 5)),
        "subGroups": " ".join(f"{column}={tags[column][text]}" for column, text in _choice(track).items()),
        "bigDataUrl": os.fspath(track.path),
    }


def _one_word(text: str) -> str:
    return re.sub(r"[\s=]+", "_", text)
