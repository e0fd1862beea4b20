"""Pre-flight of BAM and CRAM files: whole, sorted, indexed, with reads, and what kind of reads."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.data import alignment_probe
from helpers.data.file_checks import check_file
from helpers.data.findings import Finding, failed
from helpers.errors import list_some

ONE_SIDED = 0.99  # share of sampled reads on one strand from which on a file is called one-sided
FEW_READS = 100  # below so many sampled reads nothing is said about strands
_TIMEOUT = 120  # seconds


def check_alignments(
    path: str | os.PathLike,
    key: str = "track",
    *,
    used: Iterable[str] = (),
    stranded: bool = False,
    index_later: bool = False,
) -> tuple[list[Finding], dict[str, int] | None]:
    """Check that a BAM or CRAM file is whole, sorted by coordinate, indexed and not empty, and look at its reads.

    Parameters
    ----------
    path : path
        Alignments; the index (.bai, .csi or .crai) lies beside them.
    key : str
        What names the file, for messages.
    used : iterable of str
        Contigs in use: reads are sampled there, and one without reads makes a warning. All when empty.
    stranded : bool, default False
        Whether strands are counted apart: reads of one strand alone make a warning then.
    index_later : bool, default False
        Whether the workflow makes a missing index itself.

    Returns
    -------
    findings : list of Finding
    sizes : dict of str to int, or None
        Length in bp by contig of the header; None when the file cannot be read.

    Notes
    -----
    Bounded whatever the size: the end mark, the header, the index and at most 12,000 reads in 24 places are read, in a
    process of its own, because damaged files can crash the native reader. Damage in between is found only when all
    reads are counted.
    """
    findings, used = check_file(path, key), list(used)
    if failed(findings):
        return findings, None
    facts = _probe(path, used)
    problems = list(_problems(os.fspath(path), facts, used, stranded, index_later))
    findings += [Finding("alignments", os.fspath(path), status, message) for status, message in problems]
    return findings, facts.get("sizes")


def _probe(path: str | os.PathLike, used: list[str]) -> dict[str, Any]:
    """Read header, index and some reads in a process of its own; a crash or a time-out is a failure of that step."""
    command = [sys.executable, "-P", alignment_probe.__file__, os.fspath(path)]
    reason = ""
    try:
        done = subprocess.run(
            command, input=json.dumps(used).encode(), capture_output=True, timeout=_TIMEOUT, check=False
        )
        output, reason = done.stdout, f"the reader stopped with status {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired as error:
        output, reason = error.stdout or b"", f"no answer in {_TIMEOUT} s"
    facts: dict[str, Any] = {}
    for line in output.splitlines():
        facts |= json.loads(line)
    if reason and "failed" not in facts:
        facts |= {"failed": "reads" if "mapped" in facts else "index" if "sizes" in facts else "header"}
    return facts | {"reason": reason} if reason else facts


def _problems(
    path: str, facts: Mapping[str, Any], used: list[str], stranded: bool, index_later: bool
) -> Iterator[tuple[str, str]]:
    """Judge what the probe found."""
    if facts.get("failed") == "header":
        yield "error", _unreadable(path, facts["reason"])
        return
    if facts["kind"] == "SAM":
        yield "error", f"This is not a BAM file but SAM. Convert it: {_sort_command(path)}."
        return
    index = _find_index(path)
    if index is None:
        yield _without_index(path, facts, index_later)
    elif facts.get("failed") == "index" or "mapped" not in facts:
        message = f"The index {index.name} is damaged ({facts.get('reason', 'not an index of this file')})."
        yield "error", f"{message} Make it again: {_index_command(path)}."
    elif "failed" in facts:
        message = f"The file is truncated or damaged, or {index.name} is the index of another file ({facts['reason']})."
        yield "error", f"{message} Download or make it again, then index it: {_index_command(path)}."
    else:
        yield from _read_problems(path, index, facts, used, stranded)


def _without_index(path: str, facts: Mapping[str, Any], index_later: bool) -> tuple[str, str]:
    order = facts["order"]
    if "failed" in facts:
        return "error", _unreadable(path, facts["reason"])
    if order in ("unknown", "coordinate") and not facts.get("in_order", True):  # a header may claim what is not so
        order = "unsorted"
    if order in ("queryname", "unsorted"):
        return "error", f"Reads are not sorted by coordinate ({order}). Sort and index: {_sort_command(path)}."
    if index_later:
        return "later", "The workflow makes the index."
    python = f"`python -c 'import sys, pysam; pysam.index(sys.argv[1])' {shlex.quote(path)}`"
    return (
        "error",
        f"There is no index ({' or '.join(_SUFFIXES[facts['kind']])}). Run {_index_command(path)} or {python}.",
    )


def _read_problems(
    path: str, index: Path, facts: Mapping[str, Any], used: list[str], stranded: bool
) -> Iterator[tuple[str, str]]:
    """Judge the reads of a file that can be read."""
    sample, mapped, sizes = facts["sample"], facts["mapped"], facts["sizes"]
    if mapped == {} or (mapped is None and len(sample["empty"]) == len(sizes)):
        yield "error", "The file has no mapped reads. Use a file with aligned reads."
        return
    if mapped is not None and sample["empty"]:
        message = f"The index has reads on {sample['empty'][0]}, but the file has none: it belongs to another file."
        yield "error", f"{message} Renew it: {_index_command(path)}."
        return
    if facts["order"] == "queryname":
        yield "error", f"Reads are not sorted by coordinate (queryname). Sort and index: {_sort_command(path)}."
    if index.stat().st_mtime < Path(path).stat().st_mtime:
        message = f"The index {index.name} is older than the file: they may not belong together."
        yield "warning", f"{message} Renew it: {_index_command(path)}."
    filled = set(sizes) - set(sample["empty"]) if mapped is None else set(mapped)
    bare = [chrom for chrom in used if chrom in sizes and chrom not in filled]
    if bare:
        yield "warning", f"No reads on {list_some(bare)}, in use: coverage is 0 there. Check that the file is complete."
    if stranded and sample["reads"] >= FEW_READS:
        yield from _strand_problems(sample)
    yield "ok", f"sorted and indexed, {len(sizes)} contigs; {_describe(sample)}"


def _strand_problems(sample: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    share = sample["forward"] / sample["reads"]
    if ONE_SIDED > share > 1 - ONE_SIDED:
        return
    strand, share = ("forward", share) if share > 0.5 else ("reverse", 1 - share)
    found = (
        f"{share:.1%} of {sample['reads']} sampled reads lie on the {strand} strand, but an input counts strands apart"
    )
    yield "warning", f"{found} (`stranded: true`). Set `stranded: false`, or use a file with the reads of both strands."


def _describe(sample: Mapping[str, int]) -> str:
    n_reads = sample["reads"]
    if not n_reads:
        return "no read in the places sampled"
    kinds = {
        "forward": "forward",
        "paired": "paired",
        "duplicate": "marked as duplicates",
        "mapq_0": "of mapping quality 0",
    }
    shares = [f"{sample[kind] / n_reads:.1%} {words}" for kind, words in kinds.items()]
    return f"of {n_reads} reads sampled in {sample['places']} places, {', '.join(shares)}"


_SUFFIXES = {"BAM": (".bai", ".csi"), "CRAM": (".crai",)}


def _find_index(path: str) -> Path | None:
    suffixes = [suffix for kind in _SUFFIXES.values() for suffix in kind]
    indexes = [Path(path + suffix) for suffix in suffixes] + [Path(path).with_suffix(suffix) for suffix in suffixes]
    return next((index for index in indexes if index.exists()), None)


def _index_command(path: str) -> str:
    return f"`samtools index {shlex.quote(path)}`"


def _sort_command(path: str) -> str:
    return f"`samtools sort -o sorted.bam {shlex.quote(path)} && samtools index sorted.bam`"


def _unreadable(path: str, reason: str) -> str:
    with open(path, "rb") as file:
        start = file.read(4)
    if start[:2] != b"\x1f\x8b" and start != b"CRAM":
        return (
            f"This is not a BAM file: it begins with {start!r}. Correct the path, or convert it: {_sort_command(path)}."
        )
    return f"The file is truncated or damaged ({reason}). Download or make it again, then index it."
