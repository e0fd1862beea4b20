"""Files of a few lines, written where a test says."""

import pyBigWig
import pysam

REVERSE, PAIRED, PROPER, MATE_REVERSE, FIRST, SECOND = 16, 1, 2, 32, 64, 128


def write_fasta(path, **contigs):
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in contigs.items()))
    return str(path)


def write_bed(path, *rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return str(path)


def write_bigwig(path, sizes, **contigs):
    """Write a value for each base from the start of each contig on; contigs of `sizes` that are not named are empty."""
    with pyBigWig.open(str(path), "w") as track:
        track.addHeader(list(sizes.items()))
        for chrom in sizes:
            values = [float(value) for value in contigs.get(chrom, ())]
            if values:
                track.addEntries(chrom, 0, values=values, span=1, step=1)
    return str(path)


def write_bam(path, sizes, *reads):
    """Write reads, each (chrom, start, end, flag) and, for pairs, (mate_start, template_length); sorted and indexed."""
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": size} for name, size in sizes.items()]}
    unsorted = path.with_suffix(".unsorted.bam")
    with pysam.AlignmentFile(str(unsorted), "wb", header=header) as bam:
        for number, (chrom, start, end, flag, *mate) in enumerate(reads):
            read = pysam.AlignedSegment(bam.header)
            read.query_name, read.flag, read.mapping_quality = f"read{number}", flag, 60
            read.reference_id, read.reference_start = bam.get_tid(chrom), start
            read.cigarstring, read.query_sequence = f"{end - start}M", "A" * (end - start)
            if mate:
                read.next_reference_id, read.next_reference_start = read.reference_id, mate[0]
                read.template_length = mate[1]
            bam.write(read)
    pysam.sort("-o", str(path), str(unsorted))
    pysam.index(str(path))
    return str(path)
