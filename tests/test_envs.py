"""The conda environments hold what the rules that name them import."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "envs").glob("*.yaml"))}
RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))
# Backends besides TensorFlow, and extras of pyproject.toml: installed into an environment by those who use them.
EXTRAS = {"jax", "torch", "modiscolite", "pyarrow", "pybedtools"}


def pinned(environment):
    """The names of the packages that pip installs in an environment, in lower case."""
    (packages,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    return {package.split("==")[0].lower() for package in packages}


def rules():
    """Every rule with a script or a command of the package: (name, file that it runs, its environment)."""
    for path in RULES:
        for name, body in re.findall(r"^(?:rule|checkpoint) (\w+):\n((?:[ \n].*\n?)*)", path.read_text(), flags=re.M):
            environment = re.search(r"envs/(\w+)\.yaml", body)
            script = re.search(r'"\.\./scripts/(\w+\.py)"', body)
            module = re.search(r"python -m (helpers[\w.]+)", body)
            if script:
                yield name, ROOT / "workflow/scripts" / script[1], environment[1]
            elif module:
                yield name, (ROOT / module[1].replace(".", "/")).with_suffix(".py"), environment[1]


@cache
def imports(path, within_functions):
    """The modules that a file imports, as names with dots."""
    waiting, names = [ast.parse(path.read_text())], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        if within_functions or not isinstance(node, ast.FunctionDef):
            waiting.extend(ast.iter_child_nodes(node))
    return names


def files_of(name):
    """The files that importing a module of this package runs: its own, and those of the packages around it."""
    parts = name.split(".")
    places = [ROOT.joinpath(*parts[:depth]) / "__init__.py" for depth in range(1, len(parts) + 1)]
    return [place for place in [ROOT.joinpath(*parts).with_suffix(".py"), *places] if place.is_file()]


def packages(path, within_functions):
    """The foreign packages that a file, or a module of this package behind it, imports: (package, importing file)."""
    waiting, seen = [path], set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in imports(file, within_functions):
            if name.split(".")[0] == "helpers":
                waiting += files_of(name)
            elif name.split(".")[0] not in sys.stdlib_module_names:
                yield name.split(".")[0], file.name


@pytest.mark.parametrize(("name", "path", "environment"), list(rules()), ids=lambda value: str(value).split("/")[-1])
def test_what_a_rule_imports_is_in_its_environment(name, path, environment):
    """In that of models also what is imported only when a function needs it; others do not call these."""
    known = packages_distributions()
    there = pinned(ENVIRONMENTS[environment])
    for package, module in packages(path, within_functions=environment == "model"):
        if package not in EXTRAS:
            names = {other.lower().replace("_", "-") for other in known[package]}
            assert names & there, f"{name}: {module} imports {package}"


def test_the_recorded_versions_are_those_of_training():
    environments = {name: environment for name, _, environment in rules()}
    assert environments["record_provenance"] == environments["train_model"]


def test_extras_that_are_named_can_be_installed():
    """On pages and in messages, such as ``pip install '.[jax]'``."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    files = [ROOT / "README.md", ROOT / "config/README.md"]
    files += [path for folder in ("docs", "helpers", "benchmarks") for path in (ROOT / folder).rglob("*.[mp][dy]")]
    named = {extra for file in files for extra in re.findall(r"'\.\[([\w-]+)\]'", file.read_text())}
    assert {"jax", "jax-gpu", "torch", "modisco"} <= named <= set(extras)


def test_imports_are_followed(tmp_path):
    lines = ("import os", "if True:", "    from helpers.errors import list_some", "def f():", "    import keras.a")
    (tmp_path / "a.py").write_text("\n".join(lines))
    assert imports(tmp_path / "a.py", within_functions=False) == {"os", "helpers.errors", "helpers.errors.list_some"}
    assert imports(tmp_path / "a.py", within_functions=True) >= {"os", "keras.a"}
    assert set(packages(tmp_path / "a.py", within_functions=True)) == {("keras", "a.py")}
    assert "pandas" in {name for name, _ in packages(ROOT / "helpers/sheet.py", within_functions=False)}


def test_rules_were_found():
    found = list(rules())
    assert len(found) > 35
    assert {environment for *_, environment in found} == set(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_for_one_python_of_those_that_are_supported(environment):
    written = ENVIRONMENTS[environment]
    assert written["channels"] == ["conda-forge"]
    assert [item for item in written["dependencies"] if isinstance(item, str)] == ["python=3.12", "pip"]
    project = (ROOT / "pyproject.toml").read_text()
    assert 'requires-python = ">=3.11,<3.13"' in project


def test_packages_of_two_environments_have_one_version():
    versions = {}
    for environment in ENVIRONMENTS.values():
        for package in next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict)):
            name, version = package.split("==")
            assert versions.setdefault(name, version) == version
    assert len(versions) > 10


def test_the_catalog_file_says_what_is_there():
    catalog = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(catalog) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(catalog["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    assert catalog["software-stack-deployment"]["conda"] is bool(ENVIRONMENTS)
    flag, config = catalog["mandatory-flags"]["flags"].split()
    assert flag == "--configfile"
    assert (ROOT / config).is_file()
    assert (ROOT / "config/README.md").is_file()
    assert catalog["report"] is ("report:" in (ROOT / "Snakefile").read_text())
