"""One HTML file that shows loci in a genome browser, without a server and without a network.

The program that draws (igv.js), the loci and all that is drawn of them stand in the file itself. A content security
policy in it lets a browser run only these two programs, by their hash, and load nothing from anywhere.
"""

import base64
import hashlib
import html
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.loci_tracks import LocusTrack
from helpers.evaluation.style import COLORS
from helpers.files import atomic_path

MOST_OUTPUTS = 10  # a page holds the tracks of each
_UNKNOWN = "#999999"  # colour of N
_TEMPLATE = Path(__file__).with_suffix(".html")
_PROGRAM = Path(__file__).with_suffix(".js")


@dataclass(frozen=True)
class LociPage:
    """What a page holds.

    Parameters
    ----------
    title : str
    note : str
        Stands below the title; may be empty.
    loci : pandas.DataFrame
        Table of `helpers.evaluation.loci.choose_loci`.
    views : pandas.DataFrame
        What is seen of each, in the same order: table of `helpers.evaluation.loci_tracks.locus_views`.
    kinds : mapping of str to str
        Heading of each kind of locus, in their order.
    sequence : str
        FASTA of `helpers.evaluation.loci_tracks.sequence_text`.
    tracks : sequence of LocusTrack
        In the order in which they are drawn.
    """

    title: str
    note: str
    loci: pd.DataFrame
    views: pd.DataFrame
    kinds: Mapping[str, str]
    sequence: str
    tracks: Sequence[LocusTrack]


def write_loci_page(path: str | os.PathLike[str], page: LociPage, igv: str | os.PathLike[str]) -> None:
    """Write a page of loci; it appears when it is complete.

    Parameters
    ----------
    path : path
        HTML file.
    page : LociPage
    igv : path
        igv.js, as `helpers.sources.igv.fetch_igv` brings it.

    Raises
    ------
    InputError
        When there is no locus, or igv.js cannot be read or stand in a page.
    """
    if page.loci.empty:
        message = f"{path}: there is no locus to show. Set top, wrong or variants above 0, or leave the page out."
        raise InputError(message)
    igv_code = _read_igv(igv)
    program = _PROGRAM.read_text(encoding="utf-8")
    parts = {
        "title": html.escape(page.title),
        "note": html.escape(page.note),
        "policy": _policy(igv_code, program),
        "contents": embed_json(_contents(page)),
        "igv": igv_code,
        "program": program,
    }
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _TEMPLATE.read_text(encoding="utf-8"))
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def embed_json(value: Any) -> str:
    r"""Write JSON that can stand within a script element, whatever its texts hold.

    Examples
    --------
    >>> embed_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _contents(page: LociPage) -> dict[str, Any]:
    loci = [
        {name: _plain(value) for name, value in locus.items()} | {"view": [int(start), int(end)]}
        for locus, start, end in zip(page.loci.to_dict("records"), page.views["start"], page.views["end"], strict=True)
    ]
    outputs = list(dict.fromkeys(page.loci["output"]))
    tracks = [asdict(track) for track in page.tracks]
    drawn = {"sequence": page.sequence, "tracks": tracks, "colors": {**COLORS["base"], "N": _UNKNOWN}}
    return {"loci": loci, "outputs": outputs, "kinds": dict(page.kinds), **drawn}


def _plain(value: Any) -> Any:
    """Turn numpy's numbers into those of JSON; what is not finite is null."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _policy(*programs: str) -> str:
    """Allow these programs, by their hash, styles and images within the page, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(program.encode()).digest()).decode() for program in programs]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _read_igv(path: str | os.PathLike[str]) -> str:
    try:
        code = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read as igv.js: {error}. Remove it and run on: it is fetched anew."
        raise InputError(message) from error
    code = re.sub(r"\n//# sourceMappingURL=\S*\s*$", "\n", code)
    if re.search(r"</script|<!--", code, flags=re.IGNORECASE):
        message = f"{path} holds '</script' or '<!--', with which no page can hold it. Take another version of igv.js."
        raise InputError(message)
    return code
