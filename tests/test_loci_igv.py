"""igv.js from a registry: the right package, whole, or one message and nothing."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading

import pytest

from helpers.errors import InputError
from helpers.sources.download import download_member
from helpers.sources.extract import extract_member
from helpers.sources.igv import MEMBER, VERSION, fetch_igv

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
    assert [path.name for path in target.parent.iterdir()] == ["igv.min.js"]


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


def test_a_member_that_an_archive_lacks_is_named(registry, tmp_path):
    with pytest.raises(InputError, match=r"has to hold package/no\.js; it holds package/package\.json"):
        extract_member(registry[1], tmp_path / "no.js", "package/no.js")
    with pytest.raises(InputError, match="one file; it holds"):
        extract_member(registry[1], tmp_path / "no.js")
    assert not (tmp_path / "no.js").exists()
