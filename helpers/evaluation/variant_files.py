"""Files of variant effects, written batch by batch: a table, HDF5 and BED of the scored alleles.

All hold the same alleles in the same order, that of the file of variants.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pysam

from helpers.data.variants import Status
from helpers.errors import InputError
from helpers.evaluation.variant_effects import Effects, Scored
from helpers.files import atomic_path

FORMAT_VERSION = 1
PLACE_COLUMNS = ("chrom", "start", "end", "id", "ref", "alt", "status")
EFFECT_COLUMNS = ("output", "prediction_ref", "prediction_alt", "difference", "logit_difference", "sd")
WORDS = [status.word for status in Status]
_TEXTS = ("chrom", "id", "ref_allele", "alt_allele", "status")
_ROWS = 1024  # of a chunk of HDF5
_CHUNK = 1 << 18  # values
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}

Write = Callable[[Scored], None]


@contextmanager
def tsv_file(path: str | os.PathLike[str], outputs: Sequence[str]) -> Iterator[Write]:
    """Write a table as text, bgzipped: `PLACE_COLUMNS`, `EFFECT_COLUMNS`, a row for each allele and output.

    Places are in bp, 0-based and half-open; NaN is empty. The file appears when the block ends well.
    """
    with bgzip(path) as file:
        file.write(("\t".join(PLACE_COLUMNS + EFFECT_COLUMNS) + "\n").encode())

        def write(scored: Scored) -> None:
            chroms, starts, ends, *alleles = _places(scored)
            places = [
                "\t".join(cells) for cells in zip(chroms, map(str, starts), map(str, ends), *alleles, strict=True)
            ]
            tables = [
                zip(places, [name] * len(places), *number_texts(scored.effects, output, ""), strict=True)
                for output, name in enumerate(outputs)
            ]
            rows = [cells for of_allele in zip(*tables, strict=True) for cells in of_allele]
            file.write("".join(["\t".join(cells) + "\n" for cells in rows]).encode())

        yield write


@contextmanager
def parquet_file(path: str | os.PathLike[str], outputs: Sequence[str]) -> Iterator[Write]:
    """Write the table of `tsv_file` as Parquet, one group of rows for each batch; numbers are float32.

    Raises
    ------
    InputError
        When pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        msg = f"{path}: Parquet needs pyarrow, which is not installed. `pip install pyarrow`, or write a .tsv.gz."
        raise InputError(msg) from error
    kinds = dict.fromkeys(PLACE_COLUMNS, pyarrow.string()) | dict.fromkeys(("start", "end"), pyarrow.int64())
    kinds |= dict.fromkeys(EFFECT_COLUMNS, pyarrow.float32()) | {"output": pyarrow.string()}
    schema = pyarrow.schema(list(kinds.items()))
    with atomic_path(path) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as file:

        def write(scored: Scored) -> None:
            n_outputs = len(outputs)
            columns = [[value for value in column for _ in range(n_outputs)] for column in _places(scored)]
            columns += [list(outputs) * len(scored.rows), *(values.ravel() for values in scored.effects)]
            file.write_table(pyarrow.table(dict(zip(schema.names, columns, strict=True)), schema=schema))

        yield write


@contextmanager
def hdf5_file(path: str | os.PathLike[str], outputs: Sequence[str]) -> Iterator[Write]:
    """Write the arrays that `read_effects` reads; the file appears when the block ends well.

    Notes
    -----
    Datasets ``ref``, ``alt``, ``difference``, ``logit_difference``, ``sd`` (float32, (alleles, outputs)), ``chrom``,
    ``start``, ``end`` (bp, 0-based, half-open), ``id``, ``ref_allele``, ``alt_allele``, ``status`` (alleles,) and
    ``outputs`` (outputs,).
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        text, n_outputs = h5py.string_dtype(), len(outputs)
        file.create_dataset("outputs", data=list(outputs), dtype=text)
        growing = {"maxshape": (None,), "chunks": (_ROWS,)}
        for name in _TEXTS:
            file.create_dataset(name, (0,), text, **growing)
        for name in ("start", "end"):
            file.create_dataset(name, (0,), np.int64, **growing, **_PACKED)
        growing = {"maxshape": (None, n_outputs), "chunks": (max(1, min(_ROWS, _CHUNK // n_outputs)), n_outputs)}
        for name in Effects._fields:
            file.create_dataset(name, (0, n_outputs), np.float32, **growing, **_PACKED)

        def write(scored: Scored) -> None:
            columns = dict(zip(("chrom", "start", "end", *_TEXTS[1:]), _places(scored), strict=True))
            for name, values in (columns | scored.effects._asdict()).items():
                if len(values):
                    file[name].resize(len(file[name]) + len(values), axis=0)
                    file[name][-len(values) :] = values

        yield write


@contextmanager
def bed_file(path: str | os.PathLike[str]) -> Iterator[Write]:
    """Write BED4, bgzipped: the bases of the reference allele, and ``ID_REF>ALT`` as name, without an ID ``_REF>ALT``.

    The file appears when the block ends well.
    """
    with bgzip(path) as file:

        def write(scored: Scored) -> None:
            chroms, starts, ends, names, refs, alts, _ = _places(scored)
            names = ["" if name == "." else name for name in names]
            rows = zip(chroms, starts, ends, names, refs, alts, strict=True)
            lines = [f"{chrom}\t{start}\t{end}\t{name}_{ref}>{alt}\n" for chrom, start, end, name, ref, alt in rows]
            file.write("".join(lines).encode())

        yield write


@contextmanager
def bgzip(path: str | os.PathLike[str]) -> Iterator[pysam.BGZFile]:
    """Open a bgzip file, which any gzip reads, and which is the same whenever it is written."""
    with atomic_path(path) as temporary, pysam.BGZFile(os.fspath(temporary), "wb") as file:
        yield file


def number_texts(effects: Effects, output: int, missing: str) -> list[list[str]]:
    """Write the numbers of an output with the digits of float32, a list for each field of `Effects`.

    NaN, in all alleles or none, is written as `missing`.
    """
    columns = [values[:, output] for values in effects]
    return [
        [missing] * len(column) if np.isnan(column).any() else [f"{value:.7g}" for value in column.tolist()]
        for column in columns
    ]


def read_effects(path: str | os.PathLike[str]) -> tuple[pd.DataFrame, Effects, list[str]]:
    """Read all effects of an HDF5 file of `hdf5_file`.

    Returns
    -------
    places : pandas.DataFrame
        `PLACE_COLUMNS`, a row for each scored allele.
    effects : Effects
    outputs : list of str

    Raises
    ------
    InputError
        When the file is missing or no such file.
    """
    try:
        with h5py.File(path, "r") as file:
            version, outputs = file.attrs["format_version"], file["outputs"].asstr()[:].tolist()
            texts = [file[name].asstr()[:] for name in _TEXTS]
            columns = [texts[0], file["start"][:], file["end"][:], *texts[1:]]
            effects = Effects(*(file[name][:] for name in Effects._fields))
    except (OSError, KeyError) as error:
        msg = f"Cannot read effects of variants in {path}: {error}. Score the variants again."
        raise InputError(msg) from error
    if version != FORMAT_VERSION:
        msg = f"{path} has format version {version}, expected {FORMAT_VERSION}. Score the variants again."
        raise InputError(msg)
    return pd.DataFrame(dict(zip(PLACE_COLUMNS, columns, strict=True))), effects, outputs


def _places(scored: Scored) -> list[list[Any]]:
    """Give `PLACE_COLUMNS` of the scored alleles, one list each."""
    variants, rows = scored.variants, scored.rows
    starts, (chroms, names, refs, alts) = variants.starts[rows], variants.texts(rows)
    ends, words = starts + variants.ref_lengths[rows], [WORDS[code] for code in variants.status[rows].tolist()]
    return [chroms, starts.tolist(), ends.tolist(), names, refs, alts, words]
