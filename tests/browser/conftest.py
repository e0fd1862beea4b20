"""What the tests with a real browser share: the programs, and a folder in which they find each other."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent


class Tools:
    """A folder with the scripts of this one, igv.js and what drives a browser."""

    def __init__(self, folder, programs):
        self.folder, self.programs = folder, programs
        shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        quiet = ["--silent", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        self._run([programs["npm"], "install", *quiet])

    def use(self, script, *arguments):
        """Run a script with the browser and a profile of its own, and read what it prints."""
        with tempfile.TemporaryDirectory(dir=self.folder) as profile:
            command = [self.programs["node"], script, self.programs["chromium"], profile, *arguments]
            return json.loads(self._run([str(part) for part in command]))

    def _run(self, command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    programs = {"chromium": chromium, "npm": shutil.which("npm"), "node": shutil.which("node")}
    for name, found in programs.items():
        if not found:
            pytest.skip(f"{name} is not installed")
    return Tools(tmp_path_factory.mktemp("browser") / "tools", programs)
