"""Whether a file's contigs agree with the genome's: the same names, the same lengths, the same assembly."""

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers.data.findings import Finding
from helpers.errors import list_some

# Length in bp of one contig that tells assemblies apart. Sources: hgdownload.soe.ucsc.edu, file
# goldenPath/{assembly}/bigZips/{assembly}.chrom.sizes; for TAIR10, NCBI's assembly report of GCF_000001735.
ASSEMBLIES = {
    "hg18": ("chr1", 247_249_719),
    "hg19": ("chr1", 249_250_621),
    "hg38": ("chr1", 248_956_422),
    "mm9": ("chr1", 197_195_432),
    "mm10": ("chr1", 195_471_971),
    "mm39": ("chr1", 195_154_279),
    "sacCer3": ("chrI", 230_218),
    "dm6": ("chr2L", 23_513_712),
    "ce11": ("chrI", 15_072_434),
    "TAIR10": ("chr1", 30_427_671),
}


def name_assembly(sizes: Mapping[str, int]) -> str | None:
    """Name the assembly that contig lengths belong to, by the length of its first chromosome.

    Parameters
    ----------
    sizes : mapping of str to int
        Length in bp by contig; names with or without a leading 'chr', in any case.

    Returns
    -------
    str or None
        A key of `ASSEMBLIES`; None when it is none of them.

    Examples
    --------
    >>> name_assembly({"1": 249_250_621}), name_assembly({"chr1": 40_000})
    ('hg19', None)
    """
    plain = {_plain(name): length for name, length in sizes.items()}
    for assembly, (name, length) in ASSEMBLIES.items():
        if plain.get(_plain(name)) == length:
            return assembly
    return None


def pair_names(ours: Iterable[str], theirs: Iterable[str]) -> list[tuple[str, str]]:
    """Pair contig names that differ only in case or in a leading 'chr'.

    Parameters
    ----------
    ours, theirs : iterable of str
        Contig names.

    Returns
    -------
    list of (str, str)
        Our name and theirs, in our order; names without a counterpart are left out. M and MT are one.

    Examples
    --------
    >>> pair_names(["chr1", "chrX", "chrM"], ["1", "2", "MT"])
    [('chr1', '1'), ('chrM', 'MT')]
    """
    plain = {_plain(name): name for name in theirs}
    matches = [(name, plain.get(_plain(name))) for name in ours]
    return [(name, match) for name, match in matches if match is not None]


def rename_advice(path: str | os.PathLike, pairs: list[tuple[str, str]]) -> str:
    """Say that a file names contigs differently, and how to rename them.

    Parameters
    ----------
    path : path
        File with the other names.
    pairs : list of (str, str)
        The genome's name and the file's, see `pair_names`.

    Returns
    -------
    str
        Sentences with a command where a leading 'chr' is all that differs and one command can change it.
    """
    named = list_some([f"{theirs} where the genome says {ours}" for ours, theirs in pairs])
    add = all(ours == f"chr{theirs}" for ours, theirs in pairs)
    drop = all(theirs == f"chr{ours}" for ours, theirs in pairs)
    how = "without 'chr'" if add else "with 'chr'" if drop else "differently"
    problem = f"Contigs are named {how}: {named}."
    command = _rename_command(path, add=add) if add or drop else None
    if command is None:
        return f"{problem} Rename the contigs in this file or in the FASTA file, so that they agree."
    return f"{problem} Rename them: `{command}`, and use that file."


def check_contigs(
    path: str | os.PathLike,
    sizes: Mapping[str, int],
    lengths: Mapping[str, int | None],
    used: Iterable[str],
    *,
    complete: bool = True,
) -> list[Finding]:
    """Check that a file names and measures the contigs in use as the genome does.

    Parameters
    ----------
    path : path
        The file, for messages.
    sizes : mapping of str to int
        Length in bp of the genome's contigs.
    lengths : mapping of str to int or None
        Length in bp of the file's contigs; None where the file does not say.
    used : iterable of str
        Contigs in use. The rest may differ; what the genome lacks makes a warning.
    complete : bool, default True
        Whether a file of this type lists all contigs, so that one in use must be there. A bigWig file may list those
        with values alone: a missing one is a warning then, unless all are missing.

    Returns
    -------
    list of Finding
        One at least; one for each cause.
    """
    wanted = [chrom for chrom in used if chrom in sizes]
    problems = list(_differences(path, sizes, lengths, wanted, complete))
    problems = problems or [("ok", f"{len(wanted)} contigs in use as in the genome")]
    return [Finding("contigs", os.fspath(path), status, message) for status, message in problems]


def _differences(
    path: str | os.PathLike,
    sizes: Mapping[str, int],
    lengths: Mapping[str, int | None],
    wanted: list[str],
    complete: bool,
) -> Iterable[tuple[str, str]]:
    missing = [chrom for chrom in wanted if chrom not in lengths]
    pairs = pair_names(missing, set(lengths) - set(sizes))
    same = [(chrom, chrom) for chrom in wanted if chrom in lengths]
    other = [(ours, theirs) for ours, theirs in same + pairs if lengths[theirs] not in (None, sizes[ours])]
    if other:
        yield "error", _assembly_advice(sizes, lengths, other)
    elif pairs:
        yield "error", rename_advice(path, pairs)
    elif missing and (complete or not same):
        message = f"The file lacks {list_some(missing)}, in use; it has {list_some(lengths) or 'no contigs'}."
        yield "error", f"{message} Use a file of the genome's assembly, or take them out of `chromosomes`."
    elif missing:
        yield "warning", f"The file has nothing on {list_some(missing)}, in use: read as no data. Check that it is so."
    extra = set(lengths) - set(sizes)
    extra -= {theirs for _, theirs in pair_names(sizes, extra)}
    if extra:
        yield "warning", f"The genome lacks {list_some(sorted(extra))}, which the file has; they are not used."


def _assembly_advice(sizes: Mapping[str, int], lengths: Mapping[str, int | None], other: list[tuple[str, str]]) -> str:
    """Say of which assembly a file seems to be, and that the genome is of another."""
    named = [f"{theirs} is {lengths[theirs]} bp here, {sizes[ours]} bp in the genome" for ours, theirs in other]
    here = name_assembly({name: length for name, length in lengths.items() if length is not None})
    there = name_assembly(sizes)
    problem = f"Made with another assembly: {list_some(named)}."
    if here or there:
        here, there = (f"those of {name}" if name else "of an assembly not known here" for name in (here, there))
        problem += f" The file's lengths are {here}, the genome's are {there}."
    return f"{problem} Use file and genome of one assembly."


def _rename_command(path: str | os.PathLike, *, add: bool) -> str | None:
    """Write the command that adds or drops a leading 'chr'; None for a type that has no short one."""
    name, quoted = Path(path).name, shlex.quote(os.fspath(path))
    kind = name.removesuffix(".gz").rpartition(".")[2].lower()
    renamed = shlex.quote("renamed." + name.removesuffix(".gz"))
    if kind in ("bam", "cram"):
        script = "s/SN:/SN:chr/" if add else "s/SN:chr/SN:/"
        return f'samtools reheader -c "sed {script}" {quoted} > {renamed} && samtools index {renamed}'
    if kind in ("bw", "bigwig", "fa", "fasta"):
        return None
    reader = "gzip -dc" if name.endswith(".gz") else "cat"
    script = "/^#/!s/^/chr/" if add else "s/^chr//"
    if kind == "vcf":
        header = "s/^##contig=<ID=/&chr/; " if add else "s/^##contig=<ID=chr/##contig=<ID=/; "
        script = header + script
    return f"{reader} {quoted} | sed '{script}' > {renamed}"


def _plain(name: str) -> str:
    plain = name.lower().removeprefix("chr")
    return "m" if plain == "mt" else plain
