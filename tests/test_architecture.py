"""The shape of the repository: one-way imports, thin scripts, light imports, files that belong together."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {"sources": 0, "data": 0, "model": 1, "evaluation": 2}
DATA_ORDER = (
    *(
        "intervals",
        "contigs",
        "region_tables",
        "region_lines",
        "region_files",
        "overlaps",
        "regions",
        "promoters",
        "roi",
        "splitting",
        "trim",
        "arguments",
        "indexer",
        "window_bins",
        "mapped",
        "genome_store",
        "storage",
        "sparse",
        "stores",
        "content_hash",
        "recipes",
        "cache",
        "keys",
        "dataset",
        "alphabet",
        "kmers",
        "shuffling",
        "fasta_index",
        "fasta",
        "two_bit",
        "motifs",
        "sequence_files",
        "sequence",
        "variants",
        "variant_windows",
        "variant_counts",
    ),
    *(
        "bgzf",
        "alignments",
        "bam_records",
        "count_bins",
        "counting",
        "bam",
        "bam_windows",
        "collapse",
        "bigwig",
        "hits",
        "features",
        "feature_modes",
        "export",
        "normalizers",
        "percentiles",
        "chain",
        "normalization",
        "stored_rows",
        "signal",
        "row_normalization",
        "loading",
        "bam_signal",
        "bigwig_signal",
        "feature_signal",
        "signal_files",
        "coverage",
        "dataset_files",
        "array",
        "transforms",
        "augmentation",
        "selection",
        "normalized",
        "same_windows",
        "batches",
        "ahead",
        "rows",
        "labels",
        "window_signal",
        "targets",
        "inputs",
        "findings",
        "assemblies",
        "bigwig_header",
        "file_checks",
        "fasta_checks",
        "alignment_probe",
        "alignment_checks",
        "split_checks",
        "contig_table",
        "checks",
    ),
)
COMMANDS = ("preflight",)  # above the rooms, for a shell alone: they may import the rooms, and nobody imports them
MODULES = sorted((ROOT / "helpers").rglob("*.py"))
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
RULE_FILES = sorted((ROOT / "workflow/rules").glob("*.smk"))


def imported(path):
    """Names of the modules of this package that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name for name in names if name.split(".")[0] == "helpers"}


def room(parts):
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    own = room(path.relative_to(ROOT).with_suffix("").parts)
    for name in imported(path):
        other = room(name.split("."))
        if other is None or other == own:
            continue
        assert own is not None or path.stem in COMMANDS, f"{path.name} stands above the rooms and imports {name}"
        if own is None:
            continue
        assert ROOMS[other] < ROOMS[own], f"{path} imports {name}"


def test_nothing_imports_a_command():
    for path in MODULES:
        assert not imported(path) & {f"helpers.{command}" for command in COMMANDS}


def test_modules_of_the_data_room_import_downwards():
    modules = {path.stem for path in (ROOT / "helpers/data").glob("*.py")} - {"__init__"}
    assert modules == set(DATA_ORDER)
    for path in (ROOT / "helpers/data").glob("*.py"):
        if path.stem == "__init__":
            continue
        for name in imported(path):
            if name.startswith("helpers.data."):
                other = name.split(".")[2]
                assert DATA_ORDER.index(other) < DATA_ORDER.index(path.stem), f"{path.stem} imports {other}"


def test_the_manual_groups_all_modules_of_the_data_room_in_their_order():
    manual = (ROOT / "docs/architecture.md").read_text()
    table = manual.split("| group | modules | what |")[1].split("\n\n")[0]
    listed = [name for row in table.split("\n")[2:] for name in re.findall(r"`(\w+)`", row.split("|")[2])]
    assert tuple(listed) == DATA_ORDER


def test_the_manual_names_each_module_of_the_evaluation_room_once():
    manual = (ROOT / "docs/architecture.md").read_text()
    table = manual.split("| group | modules | question |")[1].split("\n\n")[0]
    listed = [name for row in table.split("\n")[2:] for name in re.findall(r"`(\w+)`", row.split("|")[2])]
    there = [path.stem for path in (ROOT / "helpers/evaluation").glob("*.py") if path.stem != "__init__"]
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize(
    "module", ["helpers.data", "helpers.evaluation", "helpers.study", "helpers.config", "helpers.backend"]
)
def test_light_modules_do_not_load_keras(module):
    code = (
        f"import sys, {module}; print(*sorted({{'keras', 'tensorflow', 'matplotlib', 'snakemake'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_thin_and_used(path):
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 40
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
    rules = "".join(file.read_text() for file in RULE_FILES)
    assert f'"../scripts/{path.name}"' in rules
    assert f'code=code_of("{path.stem}")' in rules


@pytest.mark.parametrize("path", [*RULE_FILES, ROOT / "Snakefile"], ids=lambda path: path.name)
def test_rule_files_keep_their_budget(path):
    text = path.read_text()
    assert len(re.findall(r"^rule ", text, flags=re.M)) <= 8
    assert len(text.splitlines()) <= (60 if path.name == "Snakefile" else 150)


def working_rules():
    """Every rule with a script or a command: (name, its text)."""
    for path in RULE_FILES:
        for name, body in re.findall(r"^rule (\w+):\n((?:[ \n].*\n?)*)", path.read_text(), flags=re.M):
            if "script:" in body or "shell:" in body:
                yield name, body


@pytest.mark.parametrize(
    ("name", "body"), list(working_rules()), ids=lambda value: value if value.isidentifier() else ""
)
def test_working_rules_have_a_sentence_a_log_a_benchmark_an_environment_and_a_hash(name, body):
    assert '"""' in body, "a docstring of one sentence"
    for directive in ("log:", "benchmark:", "conda:"):
        assert directive in body, f"{name} lacks {directive}"
    environment = re.search(r'conda:\s+"\.\./\.\./(envs/\w+\.yaml)"', body).group(1)
    assert (ROOT / environment).is_file()
    if name not in (
        "download_track",
        "fetch_igv",
        "index_alignments",
    ):  # their results are checked by content, not by our code
        assert "code=" in body, f"{name} does not re-run when the code that it uses changes"


def locked_versions():
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), flags=re.M))


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_environments_are_pinned_like_the_lock_file(path):
    environment = yaml.safe_load(path.read_text())
    pinned = [item for item in environment["dependencies"] if isinstance(item, dict)][0]["pip"]
    locked = locked_versions()
    assert pinned
    for requirement in pinned:
        name, version = requirement.split("==")
        assert locked[name.lower()] == version, requirement


def test_all_dependencies_are_locked():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.match(r"[A-Za-z0-9_.-]+", requirement).group().lower() for requirement in wanted}
    assert names <= set(locked_versions())


def test_no_module_is_above_its_budget():
    too_long = [str(path.relative_to(ROOT)) for path in MODULES if len(path.read_text().splitlines()) > 400]
    assert too_long == []
