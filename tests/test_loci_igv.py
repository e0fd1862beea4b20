"""igv.js from a registry: the right package, whole, or one message and nothing."""

import base64
import functools
import hashlib
import http.server
import io
import os
import tarfile
import threading

import pytest

from helpers.errors import InputError
from helpers.kept import kept_path
from helpers.sources.download import download_member
from helpers.sources.extract import extract_member
from helpers.sources.igv import MEMBER, VERSION, fetch_igv, main

PROGRAM = b"const igv = 1\n"


def write_package(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serve a folder and say nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture
def registry(tmp_path):
    """A registry with a package of this name and version, but other contents: (address, the package)."""
    package = tmp_path / f"registry/igv/-/igv-{VERSION}.tgz"
    package.parent.mkdir(parents=True)
    write_package(package, {"package/package.json": b"{}", MEMBER: PROGRAM, "package/dist/igv.js": b"long"})
    handler = functools.partial(Silent, directory=str(tmp_path / "registry"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", package
        server.shutdown()
        thread.join()


def test_one_member_of_a_package_arrives(registry, tmp_path):
    address, package = registry
    target = tmp_path / "igv/igv.min.js"
    sha512 = hashlib.sha512(package.read_bytes()).hexdigest()
    download_member(f"{address}/igv/-/{package.name}", target, member=MEMBER, sha512=sha512.upper())
    assert target.read_bytes() == PROGRAM
    assert names(target.parent) == ["igv.min.js", "igv.min.js.source.json"]


def test_another_package_of_the_same_name_is_refused(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", f"{registry[0]}/")
    with pytest.raises(InputError, match=rf"igv\.js {VERSION}.*127\.0\.0\.1.*sha512.*npm_config_registry"):
        fetch_igv(tmp_path / "igv/igv.min.js")
    assert list((tmp_path / "igv").iterdir()) == []


def test_without_a_network_one_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"needs igv\.js .*127\.0\.0\.1:9/igv/-/igv.*Try again.*'loci'"):
        fetch_igv(tmp_path / "igv/igv.min.js")
    assert list((tmp_path / "igv").iterdir()) == []


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def sums(package):
    """The checksums by which a package and its program are known."""
    return {
        "package": base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode(),
        "program": hashlib.sha256(PROGRAM).hexdigest(),
    }


def test_the_program_comes_once_or_is_put_in_place_by_hand(registry, tmp_path, monkeypatch):
    address, package = registry
    target = tmp_path / "igv/igv.min.js"
    options = [str(target), *(f"--{name}={value}" for name, value in sums(package).items())]
    monkeypatch.setenv("npm_config_registry", address)
    main(options)
    assert target.read_bytes() == PROGRAM
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    os.utime(target, (1e9, 1e9))  # as copies keep it
    for more in ([], ["--offline"]):
        main([*options, *more])
    target.rename(kept_path(target))  # as after a job that failed
    main([*options, "--offline"])
    assert target.stat().st_mtime == 1e9
    assert names(target.parent) == [".igv.min.js.kept", "igv.min.js", "igv.min.js.source.json"]


def test_another_program_of_the_name_stands_until_the_right_one_is_there(registry, tmp_path, monkeypatch):
    address, package = registry
    target = tmp_path / "igv/igv.min.js"
    target.parent.mkdir()
    target.write_text("old")
    monkeypatch.setenv("npm_config_registry", address)
    with pytest.raises(SystemExit, match=r"ERROR: .*igv\.js 9\.9, once\. Offline nothing is downloaded\. Copy"):
        main([str(target), "--version=9.9", "--offline"])
    with pytest.raises(SystemExit, match=r"ERROR: .*igv-9\.9\.tgz.*404"):
        main([str(target), "--version=9.9"])
    assert target.read_text() == "old"
    fetch_igv(target, **sums(package))
    assert target.read_bytes() == PROGRAM


def test_a_member_that_an_archive_lacks_is_named(registry, tmp_path):
    with pytest.raises(InputError, match=r"has to hold package/no\.js; it holds package/package\.json"):
        extract_member(registry[1], tmp_path / "no.js", "package/no.js")
    with pytest.raises(InputError, match="one file; it holds"):
        extract_member(registry[1], tmp_path / "no.js")
    assert not (tmp_path / "no.js").exists()
