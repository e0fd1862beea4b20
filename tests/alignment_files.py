"""Small BAM and CRAM files of every kind of read, and a loop over single reads that says what they count."""

import numpy as np
import pysam

SIZES = {"chr1": 1025, "chr2": 300, "one": 1, "empty": 70, "chrEBV": 120}
PAIRED, PROPER, UNMAPPED, REVERSE, MATE_REVERSE, FIRST, SECOND = 1, 2, 4, 16, 32, 64, 128
SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY = 256, 512, 1024, 2048
CIGARS = [
    "20M",
    "5S15M",
    "15M5S",
    "8M3D12M",
    "8M4I8M",
    "10M100N10M",
    "3H20M2H",
    "1M",
    "20M*",
    "2S5M2D5M1I5M3S",
    "5=1X4=",
]
HEADER = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": length} for name, length in SIZES.items()]}


def write_alignments(path, reads, mode="wb", **settings):
    """Write reads, each a dict of chrom, start, cigar, flag and possibly name, mapq, mate_chrom, mate_start, length."""
    with pysam.AlignmentFile(str(path), mode, header=HEADER, **settings) as file:
        for number, values in enumerate(reads):
            read = pysam.AlignedSegment(file.header)
            read.query_name = values.get("name", f"read{number}")
            read.flag, read.mapping_quality = values["flag"], values.get("mapq", 60)
            read.reference_id, read.reference_start = file.get_tid(values["chrom"]), values["start"]
            if values["cigar"]:
                read.cigarstring = values["cigar"].rstrip("*")
                if not values["cigar"].endswith("*"):
                    read.query_sequence = "A" * read.infer_query_length()
            if "mate_chrom" in values:
                read.next_reference_id = file.get_tid(values["mate_chrom"])
                read.next_reference_start = values["mate_start"]
                read.template_length = values["length"]
            file.write(read)
    return path


def random_reads(rng, number):
    """Draw reads of all kinds: paired or not, proper or not, at the ends of contigs too."""
    return [_random_read(rng) for _ in range(number)]


def _random_read(rng):
    chrom = str(rng.choice(list(SIZES), p=[0.5, 0.3, 0.1, 0.02, 0.08]))
    cigars = [cigar for cigar in CIGARS if _extent(cigar) <= SIZES[chrom]]
    cigar = str(rng.choice(cigars))
    last = SIZES[chrom] - _extent(cigar)
    start = int(rng.choice([0, last, rng.integers(0, last + 1)], p=[0.05, 0.05, 0.9]))
    flag = int(rng.choice([0, UNMAPPED, SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY], p=[0.75] + [0.05] * 5))
    flag |= int(rng.choice([0, REVERSE]))
    read = {"chrom": chrom, "start": start, "cigar": cigar, "mapq": int(rng.choice([0, 9, 10, 60, 255]))}
    if rng.random() < 0.6:
        flag |= PAIRED | int(rng.choice([FIRST, SECOND, FIRST | SECOND, 0], p=[0.48, 0.48, 0.02, 0.02]))
        flag |= int(rng.choice([0, PROPER], p=[0.2, 0.8])) | int(rng.choice([0, MATE_REVERSE]))
        mate_chrom = chrom if rng.random() < 0.9 else "chr2"
        length = int(rng.integers(1, 200)) if rng.random() < 0.95 else 0
        mate_start = int(rng.integers(0, SIZES[mate_chrom]))
        read |= {"mate_chrom": mate_chrom, "mate_start": mate_start, "length": -length if flag & REVERSE else length}
    if rng.random() < 0.02:
        read["cigar"] = ""
    return read | {"flag": flag}


def _extent(cigar):
    read = pysam.AlignedSegment()
    read.cigarstring = cigar.rstrip("*")
    return read.reference_length


def slow_bases(path, sizes=SIZES, reference=None, **rule):
    """Count base by base and read by read, by pysam's own properties: contig to array of shape (bp, 2)."""
    counts = {name: np.zeros((length, 2), dtype=int) for name, length in sizes.items()}
    settings = {} if reference is None else {"reference_filename": str(reference)}
    with pysam.AlignmentFile(str(path), **settings) as file:
        for read in file.fetch(until_eof=True):
            if read.reference_name in counts and _counts(read, **rule):
                for base in _bases(read, **rule):
                    if 0 <= base < sizes[read.reference_name]:
                        counts[read.reference_name][base, int(read.is_reverse)] += 1
    return counts


def _counts(
    read, *, count="five_prime", mates="both", min_mapq=0, keep_duplicates=True, require=0, exclude=None, shift=None
):
    if read.is_unmapped or read.mapping_quality < min_mapq or (read.is_duplicate and not keep_duplicates):
        return False
    if exclude is None and (read.is_secondary or read.is_supplementary or read.is_qcfail):
        return False
    if read.flag & (exclude or 0) or read.flag & require != require:
        return False
    second = read.is_paired and read.is_read2
    if count in ("midpoint", "fragment"):
        if read.is_paired:
            same = read.is_proper_pair and read.next_reference_id == read.reference_id
            return not second and same and read.template_length != 0 and bool(read.cigartuples)
        return bool(read.cigartuples)
    return mates == "both" or second == (mates == "second")


def _bases(read, *, count="five_prime", shift=(0, 0), **_):
    by = shift[1] if read.is_reverse else shift[0]
    if count == "five_prime":
        if not read.cigartuples:
            return [] if read.is_reverse else [read.reference_start + by]
        aligned = read.get_reference_positions()
        return [(aligned[-1] if read.is_reverse else aligned[0]) + by]
    if count == "span":
        return [base + by for base in _covered(read)]
    aligned = read.get_reference_positions()
    first, last = aligned[0], aligned[-1]
    if read.is_paired and read.is_reverse:
        first = last - abs(read.template_length) + 1
    elif read.is_paired:
        last = first + abs(read.template_length) - 1
    bases = list(range(first, last + 1))
    return [bases[len(bases) // 2]] if count == "midpoint" else bases


def _covered(read):
    """Walk the CIGAR base by base."""
    base = read.reference_start
    for letter, length in ((pysam.CIGAR_OPS(kind).name[1:], length) for kind, length in read.cigartuples or ()):
        for _ in range(length if letter in ("MATCH", "DEL", "REF_SKIP", "EQUAL", "DIFF") else 0):
            if letter != "REF_SKIP":
                yield base
            base += 1


def in_bins(bases, resolution, *, stranded=True):
    """Sum base counts of contigs in bins."""
    binned = {}
    for name, values in bases.items():
        starts = range(0, len(values), resolution)
        binned[name] = np.array([values[start : start + resolution].sum(axis=0) for start in starts])
        if not stranded:
            binned[name] = binned[name].sum(axis=1, keepdims=True)
    return binned
