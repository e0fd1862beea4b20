"""Reads a little of an alignment file, in a process of its own: damaged files can crash the native reader.

Run by `helpers.data.alignment_checks` as a plain script; it imports nothing of this package. Writes one JSON object a
line as it goes, so that what stands last tells how far it came: header, index, sample.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice

import pysam

WINDOW = 1 << 14  # bp; an index finds the first read of each such window at once
PLACES = 24  # in each of which up to READS reads are looked at
READS = 500
FIRST_READS = 10_000  # whose order is looked at where there is no index
SECONDS = 0.6  # after which no further place is opened
_ONLY_NEEDED = [b"required_fields=0x1f"]  # name, flag, contig, position, quality: a CRAM file needs no reference then
_KINDS = ("forward", "paired", "duplicate", "mapq_0")


def probe(path: str, wanted: list[str]) -> Iterator[dict]:
    """Yield what the header, the index and some reads say; a failure ends it with its message."""
    step = "header"
    options = _ONLY_NEEDED if _is_cram(path) else None
    try:
        # Opened by number, not by name, and so without its index: a damaged one can crash the reader at once.
        with open(path, "rb") as file, pysam.AlignmentFile(file.fileno(), format_options=options) as alignments:
            kind = "BAM" if alignments.is_bam else "CRAM" if alignments.is_cram else "SAM"
            sizes = dict(zip(alignments.references, alignments.lengths, strict=True))
            order = alignments.header.to_dict().get("HD", {}).get("SO", "unknown")
        yield {"kind": kind, "sizes": sizes, "order": order}
        step = "index"
        with pysam.AlignmentFile(path, format_options=options) as alignments:
            if kind != "SAM" and alignments.has_index():
                mapped = _mapped(alignments) if kind == "BAM" else None
                yield {"mapped": mapped}
                step = "reads"
                yield {"sample": _sample(alignments, sizes, mapped, wanted)}
            elif kind != "SAM":
                step = "reads"
                yield {"in_order": _looks_sorted(alignments)}
    except (OSError, ValueError, NotImplementedError, KeyError) as error:
        yield {"failed": step, "reason": str(error)}


def _is_cram(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"CRAM"


def _mapped(alignments: pysam.AlignmentFile) -> dict[str, int]:
    """Count the mapped reads of each contig that has some, as the index holds them."""
    return {contig.contig: contig.mapped for contig in alignments.get_index_statistics() if contig.mapped}


def _looks_sorted(alignments: pysam.AlignmentFile) -> bool:
    """Look at the order of the first reads; unaligned ones come last in a sorted file."""
    reads = islice(alignments.fetch(until_eof=True), FIRST_READS)
    places = [(read.reference_id % (alignments.nreferences + 1), read.reference_start) for read in reads]
    return places == sorted(places)


def _sample(
    alignments: pysam.AlignmentFile, sizes: dict[str, int], mapped: dict[str, int] | None, wanted: list[str]
) -> dict:
    """Count kinds of reads in places spread over the contigs, and find contigs whose reads are not where expected."""
    filled = list(sizes if mapped is None else mapped)
    # Without counts of reads, the first read of each contig; with them, of the last contig: a cut file lacks it.
    empty = [chrom for chrom in (filled if mapped is None else filled[-1:]) if not _first(alignments, chrom)]
    chosen = [chrom for chrom in wanted if chrom in filled and chrom not in empty] or filled[:1]
    counts = dict.fromkeys(("reads", "places", *_KINDS), 0)
    end = time.monotonic() + SECONDS
    for chrom, start in _places(chosen, sizes):
        if time.monotonic() > end:
            break
        found = counts["reads"]
        for read in islice(alignments.fetch(chrom, start), READS):
            if not read.flag & (pysam.FUNMAP | pysam.FSECONDARY | pysam.FSUPPLEMENTARY):
                _count(read, counts)
        counts["places"] += counts["reads"] > found
    return counts | {"empty": empty}


def _first(alignments: pysam.AlignmentFile, chrom: str) -> bool:
    return next(alignments.fetch(chrom), None) is not None


def _places(chroms: list[str], sizes: dict[str, int]) -> list[tuple[str, int]]:
    """Spread places over the contigs, one after the other, at beginnings of windows; each once."""
    chroms = chroms[:: -(-len(chroms) // PLACES)] if chroms else []
    rounds = -(-PLACES // max(len(chroms), 1))
    starts = [(chrom, (sizes[chrom] * turn // rounds) // WINDOW * WINDOW) for turn in range(rounds) for chrom in chroms]
    return list(dict.fromkeys(starts))[:PLACES]


def _count(read: pysam.AlignedSegment, counts: dict[str, int]) -> None:
    is_kind = (not read.is_reverse, read.is_paired, read.is_duplicate, read.mapping_quality == 0)
    counts["reads"] += 1
    for kind, hit in zip(_KINDS, is_kind, strict=True):
        counts[kind] += hit


def main() -> None:
    """Probe the file of the first argument, on the contigs that standard input lists as JSON."""
    pysam.set_verbosity(0)
    for fact in probe(sys.argv[1], json.load(sys.stdin)):
        print(json.dumps(fact), flush=True)
        if "failed" in fact:
            break
    os._exit(0)  # what a failure left behind in the native reader can crash it on the way out


if __name__ == "__main__":
    main()
