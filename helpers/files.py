"""Files that appear under their name only when they are complete."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary sibling of `path` to write to, and rename it when the block ends well.

    Parameters
    ----------
    path : str or path-like
        The file to write. Its folder is made if it is missing; an older file of that name stays whole until the new
        one replaces it.

    Yields
    ------
    pathlib.Path
        A hidden file name in the same folder that ends in the name of `path`, so that writers which look at the
        extension (.gz, .keras, .bam) see the right one. It does not exist yet.

    Raises
    ------
    FileNotFoundError
        When the block ended without writing the temporary file.

    Notes
    -----
    After any error inside the block, an interrupt included, the temporary file is removed and `path` is as before.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "sizes" / "genome.txt") as temporary:
    ...     _ = temporary.write_text("chr1 100")
    >>> (folder / "sizes" / "genome.txt").read_text()
    'chr1 100'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex[:12]}.{target.name}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
