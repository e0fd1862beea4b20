"""Where a result comes from: configuration, versions, seeds, device, and the checksum of each input."""

import hashlib
import json
import logging
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from helpers import __version__
from helpers.errors import InputError
from helpers.files import atomic_path

logger = logging.getLogger(__name__)

PACKAGES = (
    *("snakemake", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy", "pandas", "scipy"),
    *("h5py", "pysam", "pyBigWig", "matplotlib"),
)
_CHUNK = 1 << 20


def collect_provenance(
    config: Mapping[str, Any],
    *,
    seeds: Mapping[str, int],
    inputs: Mapping[str, str | os.PathLike],
    backend: str,
    device: str | Mapping[str, int],
    workflow: str | os.PathLike | None = None,
    packages: Iterable[str] = PACKAGES,
) -> dict[str, Any]:
    """Describe a run so that another person can repeat it.

    Neither the host, nor the user, nor paths other than those of the configuration and `inputs` are recorded.

    Parameters
    ----------
    config : dict
        The merged configuration.
    seeds : dict of str to int
        What each seed was used for.
    inputs : dict of str to path
        Input files by name; each is read once for its checksum.
    backend : str
        Keras backend.
    device : str or dict
        What the models were trained on, such as of `device_lines`.
    workflow : path, optional
        Folder of the workflow; its git commit is recorded when it has one.
    packages : iterable of str
        Distributions whose version matters; those that are not installed are left out.

    Returns
    -------
    dict
        version (of this workflow), config, seeds, backend, device, python, platform, packages, commit (None without
        git), inputs: {name: {path, size in bytes, md5}}. Plain values, ready for JSON.

    Raises
    ------
    InputError
        When an input file is missing.
    """
    return {
        "version": __version__,
        "config": config,
        "seeds": dict(seeds),
        "backend": backend,
        "device": device,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": package_versions(packages),
        "commit": git_commit(workflow) if workflow is not None else None,
        "inputs": {name: describe_file(path) for name, path in inputs.items()},
    }


def write_provenance(provenance: Mapping[str, Any], path: str | os.PathLike) -> None:
    """Write what `collect_provenance` returned as JSON; the same content gives the same bytes."""
    with atomic_path(path) as temporary:
        text = json.dumps(provenance, indent=2, ensure_ascii=False, default=os.fspath)
        temporary.write_text(text + "\n", encoding="utf-8")


def device_lines(logs: Iterable[str | os.PathLike]) -> dict[str, int]:
    """Count the trainings on each device: the first line of each log that begins with ``device:``.

    A log that is gone, or says nothing of a device, counts as "device: not recorded".
    """
    return dict(Counter(_device_line(Path(log)) for log in logs))


def package_versions(packages: Iterable[str]) -> dict[str, str]:
    """Give the installed version of each distribution; those that are not installed are left out."""
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            logger.debug("%s is not installed", name)
    return versions


def describe_file(path: str | os.PathLike) -> dict[str, Any]:
    """Give path (as received), size in bytes and MD5 checksum of a file, which is read in pieces of 1 MiB.

    Of a file that was downloaded also ``source``: what its record beside it, ``{path}.source.json``, says, or
    "replaced after download" when the file is not the one of the record.

    Raises
    ------
    InputError
        When the file, or its record, cannot be read.
    """
    digest, size = hashlib.md5(usedforsecurity=False), 0
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        message = f"Cannot read the input {path}: {error.strerror}. Check its path in the tracks sheet."
        raise InputError(message) from error
    found = {"size": size, "md5": digest.hexdigest()}
    return {"path": os.fspath(path), **found} | _source_of(path, found)


def _source_of(path: str | os.PathLike, found: Mapping[str, Any]) -> dict[str, Any]:
    """Give where a file of this size and checksum was downloaded from, if it has a record."""
    record = Path(f"{os.fspath(path)}.source.json")
    if not record.is_file():
        return {}
    try:
        source = dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        message = f"{record} cannot be read: {error}. Remove it, or both files, so that they are downloaded again."
        raise InputError(message) from error
    return {"source": source if source.pop("file", None) == found else "replaced after download"}


def git_commit(folder: str | os.PathLike) -> str | None:
    """Give the commit that a folder is at, with "+changes" when files differ from it; None when git does not know."""
    if _git(folder, "ls-files", "--error-unmatch", ".") is None:  # merely lies within another's repository
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+changes" if changes else commit


def _device_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return next((line.strip() for line in lines if line.startswith("device:")), "device: not recorded")


def _git(folder: str | os.PathLike, *arguments: str) -> str | None:
    command = ["git", "-C", os.fspath(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        logger.info("no git commit to record: %s", type(error).__name__)
        return None
    return done.stdout.strip()
