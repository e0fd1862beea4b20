"""Take one file out of a tar archive; the names in the archive decide nothing about where it goes."""

import gzip
import os
import shutil
import tarfile
import zlib
from pathlib import PurePosixPath

from helpers.errors import InputError, list_some
from helpers.files import atomic_path

_CHUNK = 1 << 20  # bytes copied at once


def extract_member(
    archive: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    member: str | None = None,
    *,
    name: str | None = None,
) -> None:
    """Write one file of a tar archive, compressed or not, to a destination; it appears when it is complete.

    Parameters
    ----------
    archive : path
        Folders, links and the ``._`` files of some systems do not count as files of it.
    destination : path
    member : str, optional
        Name of the file in the archive; without, the archive holds no other.
    name : str, optional
        What messages call the archive, such as its URL; its path by default.

    Raises
    ------
    InputError
        When the archive cannot be read, lacks the member, or, without a member, holds no file or several.
    OSError
        When the destination cannot be written.
    """
    name = name or os.fspath(archive)
    try:
        with tarfile.open(archive) as tar:
            files = [entry for entry in tar.getmembers() if entry.isfile()]
            files = [entry for entry in files if not PurePosixPath(entry.name).name.startswith("._")]
            wanted = [entry for entry in files if member in (None, entry.name)]
            if len(wanted) != 1:
                held = list_some([entry.name for entry in files], 8) or "none"
                what = "one file" if member is None else member
                msg = f"{name} has to hold {what}; it holds {held}. Unpack it and give the path of the file."
                raise InputError(msg)
            with atomic_path(destination) as part, part.open("wb") as file:
                shutil.copyfileobj(tar.extractfile(wanted[0]), file, _CHUNK)
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        msg = f"{name} cannot be unpacked: {' '.join(str(error).split())}. Give a tar archive, or download it again."
        raise InputError(msg) from error
