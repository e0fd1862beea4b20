"""Small genomes and files of variants for the tests of variants, and a slow, plain way to cut windows."""

import random

import pysam

from helpers.data.alphabet import encode_letters
from helpers.data.storage import GenomeArray

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
PAIRS = dict(zip("ACGTN", "TGCAN", strict=True))


def random_genome(seed, **sizes):
    """Contigs as text, with some unknown bases."""
    rng = random.Random(seed)
    return {name: "".join(rng.choices("ACGTN", [10, 10, 10, 10, 1], k=size)) for name, size in sizes.items()}


def as_store(genome):
    return GenomeArray.from_contigs({name: encode_letters(text.encode()) for name, text in genome.items()})


def record(chrom, position, ref, alt, name=".", info="."):
    return f"{chrom}\t{position}\t{name}\t{ref}\t{alt}\t.\tPASS\t{info}"


def write_vcf(path, records, header=(), columns=COLUMNS):
    """Write records, as lines of text, as VCF; bgzipped where the name ends in .gz."""
    text = "\n".join(["##fileformat=VCFv4.2", *header, columns, *records]) + "\n"
    if path.suffix == ".gz":
        with pysam.BGZFile(str(path), "wb") as file:
            file.write(text.encode())
    else:
        path.write_text(text)
    return path


def slow_windows(genome, chrom, start, ref, alt, length, *, write_reference=False):
    """Windows of both alleles as text, base by base, by what the manual says."""

    def base(position):
        return genome[chrom][position] if 0 <= position < len(genome[chrom]) else "N"

    first = start - (length - 1) // 2
    before = [base(position) for position in range(first, start)]
    behind = [base(position) for position in range(start + len(ref), start + len(ref) + length)]
    own = list(ref) if write_reference else [base(position) for position in range(start, start + len(ref))]
    return ["".join((before + list(allele) + behind)[:length]) for allele in (own, alt)]


def reverse_complement(text):
    return "".join(PAIRS[letter] for letter in reversed(text))


def as_codes(texts):
    return [encode_letters(text.encode()).tolist() for text in texts]
