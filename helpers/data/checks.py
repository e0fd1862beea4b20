"""Pre-flight of a study: its files agree on one genome, and its splits can be learned from and scored.

Checks of files collect findings, so that one table names everything that is wrong;
`helpers.data.findings.raise_on_errors` ends the run with it. Only contigs in use matter: others are listed as warnings.
``python -m helpers.preflight`` calls this from a shell.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers.data.alignment_checks import check_alignments
from helpers.data.assemblies import check_contigs, pair_names
from helpers.data.contig_table import FileContigs, tabulate_contigs
from helpers.data.fasta_checks import check_fasta
from helpers.data.file_checks import check_bigwig, check_file, check_motifs, check_regions_file, check_variants
from helpers.data.findings import Finding, findings_table
from helpers.data.split_checks import check_split_counts
from helpers.errors import list_some

REGION_TYPES = ("bed", "narrowPeak", "broadPeak", "gff", "gtf")
ALIGNMENT_TYPES = ("bam", "cram")


class StudyChecks(NamedTuple):
    """What was found in the files of a study.

    Attributes
    ----------
    findings : pandas.DataFrame
        One row per finding: check, file, status ('ok', 'later', 'warning' or 'error'), message; a good file has rows
        too.
    contigs : pandas.DataFrame
        One row a contig in use, one column a file, see `helpers.data.contig_table.tabulate_contigs`.
    """

    findings: pd.DataFrame
    contigs: pd.DataFrame


def inspect_study(
    genome_fasta: str | os.PathLike,
    chromosomes: Iterable[str],
    tracks: Iterable[Mapping[str, Any]],
    blacklist: str | os.PathLike | None = None,
    *,
    splits: Mapping[str, Iterable[str]] | None = None,
    later: Mapping[str, str] | None = None,
) -> StudyChecks:
    """Check all files of a study, by themselves, against its genome and against its splits.

    Parameters
    ----------
    genome_fasta : path
        Genome, plain, gzipped or bgzipped.
    chromosomes : iterable of str
        Contigs in use.
    tracks : iterable of mapping
        Each with ``track`` (name), ``type`` (bam, cram, bigWig, vcf, meme, a region type) and ``path``; optional are
        ``uses``, a list of what the study makes of it (``regions`` and ``output`` matter here), ``stranded``, whether
        strands are counted apart, ``gene_type``, the type of the genes whose promoters the study's regions are, and
        ``window``, bp of the shortest window that is scanned for motifs.
    blacklist : path, optional
        Regions to leave out.
    splits : mapping of str to iterable of str, optional
        Contigs of each split; one of which splits have parts is in each of them.
    later : mapping of str to str, optional
        Files that the workflow makes: path → how, a verb such as 'downloads'. One that is not there yet is no error.

    Returns
    -------
    StudyChecks

    Notes
    -----
    Region files, and a FASTA file without an index, are read whole; of alignments, bigWig and VCF files a bounded part.
    """
    return _Inspection(list(chromosomes), splits or {}, later or {}).run(genome_fasta, _by_path(tracks), blacklist)


def check_study_inputs(*files: Any, **options: Any) -> pd.DataFrame:
    """Return the findings of `inspect_study`."""
    return inspect_study(*files, **options).findings


def study_contigs(*files: Any, **options: Any) -> pd.DataFrame:
    """Return the table of contigs of `inspect_study`."""
    return inspect_study(*files, **options).contigs


class _Inspection:
    """Goes through the files of one study and collects what it finds."""

    def __init__(self, chromosomes: list[str], splits: Mapping[str, Iterable[str]], later: Mapping[str, str]):
        self._used, self._splits, self._later = chromosomes, splits, later
        self._sizes: dict[str, int] | None = None
        self._n_outputs = 0
        self._findings: list[Finding] = []
        self._files: list[FileContigs] = []

    def run(
        self, genome_fasta: str | os.PathLike, tracks: list[Mapping[str, Any]], blacklist: str | os.PathLike | None
    ) -> StudyChecks:
        chromosomes = self._used
        self._n_outputs = sum(len(track["uses"].get("output", ())) for track in tracks)
        if not self._comes_later(genome_fasta, "genome"):
            self._check_genome(genome_fasta)
        for track in tracks:
            if not self._comes_later(track["path"], f"track {track['track']}"):
                self._check_track(track)
        if blacklist is not None and not self._comes_later(blacklist, "blacklist"):
            self._check_regions(blacklist, "blacklist", needed=False)
        return StudyChecks(findings_table(self._findings), tabulate_contigs(self._files, chromosomes))

    def _comes_later(self, path: str | os.PathLike, key: str) -> bool:
        """Note a file that the workflow has yet to make."""
        how = self._later.get(os.fspath(path))
        if how is None or os.path.exists(path):
            return False
        self._findings.append(
            Finding("file", os.fspath(path), "later", f"{key}: not there yet; the workflow {how} it.")
        )
        return True

    def _check_genome(self, path: str | os.PathLike) -> None:
        findings, self._sizes = check_fasta(path)
        self._findings += findings
        if self._sizes is None:
            return
        self._files.append(FileContigs(os.fspath(path), self._sizes, "genome"))
        missing = [chrom for chrom in self._used if chrom not in self._sizes]
        if missing:
            pairs = pair_names(missing, self._sizes)
            there = list_some([f"{theirs} for {ours}" for ours, theirs in pairs]) or list_some(self._sizes)
            message = f"The config's `chromosomes` name {list_some(missing)}, but the genome has {there}."
            message += " Correct them, or use another FASTA file."
            self._findings.append(Finding("contigs", os.fspath(path), "error", message))
            # Said once: the other files are compared as if the names were right; splits are left alone.
            right = dict(pairs)
            self._used = [right.get(chrom, chrom) for chrom in self._used if chrom in right or chrom not in missing]
            self._splits = {}

    def _check_track(self, track: Mapping[str, Any]) -> None:
        path, kind, key = track["path"], track["type"], f"track {track['track']}"
        if kind in REGION_TYPES:
            self._check_regions(path, key, uses=track.get("uses", {}), gene_type=track.get("gene_type"))
        elif kind in ALIGNMENT_TYPES:
            options = {"stranded": track.get("stranded", False), "index_later": os.fspath(path) in self._later}
            self._compare(path, *check_alignments(path, key, used=self._used, **options))
        elif kind == "bigWig":
            self._compare(path, *check_bigwig(path, key, used=self._used), kind="partial")
        elif kind == "meme":
            self._findings += check_motifs(path, key, window=track.get("window"))
        elif kind == "vcf":
            self._compare(path, *check_variants(path, key), kind="partial")
        else:
            self._findings += check_file(path, key)

    def _compare(
        self,
        path: str | os.PathLike,
        findings: list[Finding],
        lengths: Mapping[str, int | None] | None,
        kind: str = "complete",
    ) -> None:
        """Keep what was found in a file, and compare its contigs with the genome's."""
        self._findings += findings
        if not lengths:
            return
        self._files.append(FileContigs(os.fspath(path), lengths, kind))
        if self._sizes:
            self._findings += check_contigs(path, self._sizes, lengths, self._used, complete=kind == "complete")

    def _check_regions(
        self,
        path: str | os.PathLike,
        key: str,
        *,
        needed: bool = True,
        uses: Mapping[str, Iterable[str]] | None = None,
        gene_type: str | None = None,
    ) -> None:
        options = {"key": key, "needed": needed, "gene_type": gene_type}
        findings, contents = check_regions_file(path, self._sizes, self._used, **options)
        self._findings += findings
        if contents is None:
            return
        self._files.append(FileContigs(os.fspath(path), contents.ends, "regions"))
        absent = [chrom for chrom in self._used if chrom not in contents.counts]
        renamed = pair_names(absent, set(contents.counts) - set(self._sizes or ()))
        if uses and not renamed and len(absent) < len(self._used):  # else it is said already
            outputs = () if gene_type else uses.get("output", ())  # genes are counted; outputs may touch other records
            options = {"regions": "regions" in uses, "outputs": outputs, "others": self._n_outputs > len(outputs)}
            self._findings += check_split_counts(path, contents.counts, self._splits, **options)


def _by_path(tracks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Put tracks of one file together, so that it is read, and judged, once."""
    together: dict[tuple[str, str], dict[str, Any]] = {}
    for track in tracks:
        first = together.setdefault((os.fspath(track["path"]), track["type"]), {**track, "uses": {}})
        for use in track.get("uses", ()):
            first["uses"].setdefault(use, []).append(track["track"])
        first["stranded"] = first.get("stranded", False) or track.get("stranded", False)
        first["gene_type"] = first.get("gene_type") or track.get("gene_type")
        first["window"] = min(filter(None, (first.get("window"), track.get("window"))), default=None)
    return list(together.values())
