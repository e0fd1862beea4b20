"""Files of arrays that are read through a memory map: HDF5 with a format, a version and a header of JSON."""

import hashlib
import json
import mmap
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from helpers.errors import InputError
from helpers.files import atomic_path

ALIGNMENT = 64  # bytes; arrays start at multiples of this in the file


class Format(NamedTuple):
    """A kind of file.

    Attributes
    ----------
    name : str
        What such a file is called in messages; stored with "helpers " before it.
    version : int
        The version that this program writes, and the only one that it reads.
    remedy : str
        How to make such a file, for messages.
    """

    name: str
    version: int
    remedy: str


def write_arrays(
    path: str | os.PathLike[str],
    format_: Format,
    header: Mapping[str, Any],
    arrays: Mapping[str, Sequence[np.ndarray]],
) -> None:
    """Write arrays to a file that `MappedFile` maps into memory.

    Parameters
    ----------
    path : path
        The file appears when it is complete.
    format_ : Format
    header : mapping of str to anything that JSON can hold
        Each key becomes an attribute of the file.
    arrays : mapping of str to sequence of numpy.ndarray
        Pieces of each array, of one dtype and one shape behind the first axis, which are written behind one another. A
        name may have slashes, for groups.

    Notes
    -----
    Arrays are contiguous datasets of HDF5; the attributes ``format`` and ``format_version`` tell the format.
    """
    attributes = {name: json.dumps(value) for name, value in header.items()}
    with (
        atomic_path(path) as temporary,
        h5py.File(temporary, "w", alignment_threshold=1, alignment_interval=ALIGNMENT) as file,
    ):
        for name, pieces in arrays.items():
            shape = (sum(map(len, pieces)), *pieces[0].shape[1:])
            dataset = file.create_dataset(name, shape=shape, dtype=pieces[0].dtype, fill_time="never")
            offset = 0
            for piece in pieces:
                dataset[offset : offset + len(piece)] = piece
                offset += len(piece)
        file.attrs["format"] = f"helpers {format_.name}"
        file.attrs["format_version"] = format_.version
        file.attrs.update(attributes)


class MappedFile:
    """A file of `write_arrays`, read only; only what is used is ever read.

    Parameters
    ----------
    path : path
    *formats : Format
        One of which the file must have.

    Attributes
    ----------
    path : pathlib.Path
    format : Format
    header : dict

    Raises
    ------
    InputError
        When the file is missing, damaged, of another kind or of another format version.

    Notes
    -----
    It pickles as its path and opens the file again at the first use, which must then hold arrays of the same header,
    shapes and dtypes. The mapping stays valid when the file is replaced or removed.
    """

    def __init__(self, path: str | os.PathLike[str], *formats: Format):
        self.path = Path(path).absolute()
        self._formats = formats
        self._read()

    @property
    def format(self) -> Format:
        """Which of the formats the file has."""
        self._read()
        return self._format

    @property
    def header(self) -> "Kept":
        """What was written beside the arrays."""
        self._read()
        return Kept(self, self._header)

    def array(self, name: str) -> np.ndarray:
        """Give an array of the file as a view that cannot be written to; KeyError for another name."""
        self._read()
        shape, dtype, offset = self._places[name]
        if offset is None:
            return np.zeros(shape, dtype=dtype)
        return np.ndarray(shape, np.dtype(dtype), buffer=self._memory, offset=offset)

    def mapped(self, prefix: str = "") -> "Kept":
        """Give the arrays whose names begin with a prefix, by the rest of their names."""
        self._read()
        return Kept(self, {name: Mapped(self, name) for name in self._places}).under(prefix)

    def __copy__(self) -> "MappedFile":
        return self  # it never changes

    def __deepcopy__(self, memo: dict) -> "MappedFile":
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("path", "_formats", "_digest")}

    def _read(self) -> None:
        """Read the header and map the file, once; both from one open file, which may be replaced meanwhile."""
        if hasattr(self, "_memory"):
            return
        if not self.path.is_file():
            msg = f"{self.path} does not exist. Check the path, or make the file: {self._formats[0].remedy}."
            raise InputError(msg)
        try:
            with open(self.path, "rb") as opened, h5py.File(opened, "r") as file:
                format_ = self._format_of(file)
                header, places = _header_of(file), _places_in(file)
                memory = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except InputError:
            raise
        except (OSError, KeyError, ValueError) as error:
            first = self._formats[0]
            msg = f"{self.path} is not a {first.name}, or it is damaged ({error}). Make it again: {first.remedy}."
            raise InputError(msg) from error
        digest = hashlib.sha256(json.dumps([format_, header, places]).encode()).hexdigest()
        if getattr(self, "_digest", digest) != digest:
            msg = f"{self.path} holds something other than when it was first opened. Open it again."
            raise InputError(msg)
        self._format, self._header, self._places, self._digest = format_, header, places, digest
        self._memory = memory

    def _format_of(self, file: h5py.File) -> Format:
        found = file.attrs.get("format")
        format_ = next((known for known in self._formats if f"helpers {known.name}" == found), None)
        if format_ is None:
            first = self._formats[0]
            kind = f"a {found}" if isinstance(found, str) else "an HDF5 file"
            msg = f"{self.path} is {kind} but not a {first.name}. Give another file, or make one: {first.remedy}."
            raise InputError(msg)
        version = int(file.attrs["format_version"])
        if version != format_.version:
            msg = (
                f"{self.path} has format version {version}, this program reads version {format_.version}. Remove the "
                f"file and make it again: {format_.remedy}."
            )
            raise InputError(msg)
        return format_


class Mapped(NamedTuple):
    """One array of a mapped file."""

    file: MappedFile
    name: str

    @property
    def values(self) -> np.ndarray:
        """The array, read only."""
        return self.file.array(self.name)


class Kept(dict):
    """What a file holds, by name; a name that it lacks is an InputError."""

    def __init__(self, file: MappedFile, items: Mapping[str, Any]):
        super().__init__(items)
        self._file = file

    def __missing__(self, name: str) -> Any:
        msg = f"{self._file.path} is damaged: it lacks {name}. Make it again: {self._file.format.remedy}."
        raise InputError(msg)

    def under(self, prefix: str) -> "Kept":
        """Give what has names that begin with a prefix, by the rest of their names."""
        items = {name.removeprefix(prefix): item for name, item in self.items() if name.startswith(prefix)}
        return Kept(self._file, items)


def values_of(array: np.ndarray | Mapped) -> np.ndarray:
    """Give the values of an array in memory or in a mapped file."""
    return array.values if isinstance(array, Mapped) else array


def _header_of(file: h5py.File) -> dict[str, Any]:
    names = [name for name in file.attrs if name not in ("format", "format_version")]
    return {name: json.loads(file.attrs[name]) for name in names}


def _places_in(file: h5py.File) -> dict[str, tuple[tuple[int, ...], str, int | None]]:
    """Find shape, dtype and offset of each dataset; no offset for an empty one."""
    places = {}

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            offset = item.id.get_offset() if item.size else None
            if item.size and offset is None:
                msg = f"{name} is not contiguous"
                raise ValueError(msg)
            places[name] = (item.shape, item.dtype.str, offset)

    file.visititems(add)
    return places
