"""The pages for readers: their links lead somewhere, their commands run, the page of keys is the schema."""

import os
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from docs_project import OWN_DATA, ROOT, blocks, lay_out, shell

from helpers.config import complete_config
from helpers.config_page import SCHEMA, config_page
from helpers.references import check_references, resolve_outputs
from helpers.sheet import read_tracks

SKIPPED = {"resources", "results", "node_modules", "build", "dist"}
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not [part for part in path.relative_to(ROOT).parts[:-1] if part in SKIPPED or part.startswith(".")]
)
PAGES += [ROOT / "results/README.md"]
PAGE = (ROOT / "docs/configuration.md").read_text()


def prose(path):
    """The text of a page without code."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "code", text)


def links(path):
    """The targets of links and images that are not on another server."""
    text = prose(path)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(path):
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    found = []
    for heading in re.findall(r"^#+ +(.+?) *$", text, flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return found


def broken(path, target):
    """Tell what is wrong with a link; empty when it leads to a file, and to a heading of it."""
    file, _, anchor = target.partition("#")
    there = (path.parent / file).resolve() if file else path
    if not there.exists():
        return f"{path.relative_to(ROOT)}: {target} does not exist"
    if not there.is_relative_to(ROOT):
        return f"{path.relative_to(ROOT)}: {target} is not in the repository"
    if anchor and there.suffix == ".md" and anchor not in anchors(there):
        return f"{path.relative_to(ROOT)}: {target} has no such heading"
    return ""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    assert [problem for target in links(path) if (problem := broken(path, target))] == []


def test_links_are_found_and_broken_ones_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    page = tmp_path / "a.md"
    page.write_text(
        "# One `x.y`: *two*\n[a](a.md#one-xy-two) [b](b.md)\n[c](#three) `[d](d.md)` [e](https://e.org/e.md)\n"
        '<img src="f.png">\n```\n# Three\n[g](g.md)\n```\n'
    )
    assert links(page) == ["a.md#one-xy-two", "b.md", "#three", "f.png"]
    assert [problem.split(" ")[2] for target in links(page) if (problem := broken(page, target))] == [
        "does",
        "has",
        "does",
    ]


def test_every_page_is_linked_from_the_readme_or_the_index():
    entries = (ROOT / "README.md", ROOT / "docs/index.md")
    linked = {(entry.parent / target.partition("#")[0]).resolve() for entry in entries for target in links(entry)}
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path.name != "index.md"}
    assert sorted(pages - linked) == []
    assert (ROOT / "docs/index.md") in linked


def test_the_page_of_keys_is_made_from_the_schema():
    made = config_page(yaml.safe_load(SCHEMA.read_text()))
    assert made == PAGE, "run: python -m helpers.config_page > docs/configuration.md"


def rows_of(page):
    """The first two cells of all rows of keys, and the heading above them."""
    rows, heading = [], ""
    for line in page.splitlines():
        heading = line[3:] if line.startswith("## ") else heading
        if found := re.match(r"\| `(\w+)` \| (.*?) \| (.*?) \|", line):
            rows.append((heading, *found.groups()))
    return pd.DataFrame(rows, columns=["section", "key", "value", "default"])


def test_every_key_of_the_schema_has_a_row_in_every_object_that_takes_it():
    """Counted in the schema's text: as many rows of a key as objects in which it stands."""
    schema = yaml.safe_load(SCHEMA.read_text())
    expected = {}

    def count(part, seen):
        if isinstance(part, list):
            for item in part:
                count(item, seen)
        elif isinstance(part, dict) and id(part) not in seen:
            seen.add(id(part))
            closed = part.get("additionalProperties") is False
            for name in part.get("properties", {}) if closed else ():
                expected[name] = expected.get(name, 0) + 1
            for value in part.values():
                count(value, seen)

    count(schema, set())
    rows = rows_of(PAGE)
    assert rows["key"].value_counts().to_dict() == expected
    assert len(rows) > 150


@pytest.mark.parametrize(
    ("section", "key", "value", "default"),
    [
        ("Top level", "device", "`auto`, `cpu`, `gpu`", "`auto`"),
        ("studies.NAME.training", "epochs", "a whole number, 1 to 10000", "`30`"),
        ("studies.NAME.training", "loss", "`binary_crossentropy`, `mae`, `mse`", "required"),
        ("studies.NAME.inputs.NAME", "stranded", "`true`, `false`", "`true`"),
        ("studies.NAME.figures.NAME", "class", "text", "none"),
        ("studies.NAME.models.NAME.of.NAME", "dropout", "a number, at least 0, below 1", "none"),
    ],
)
def test_rows_as_read_from_the_schema_by_eye(section, key, value, default):
    rows = rows_of(PAGE)
    (row,) = rows[(rows["section"] == section) & (rows["key"] == key)].itertuples(index=False)
    assert (row.value, row.default) == (value, default)


def test_kinds_of_an_object_and_of_values():
    numbers = {"type": "array", "items": {"type": "number"}}
    schema = {
        "$defs": {"word": {"type": "string", "pattern": "^[a|b]$"}},
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": ["a", "b"]}},
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"additionalProperties": False, "properties": {"kind": True, "x": {"$ref": "#/$defs/word"}}},
        "else": {
            "additionalProperties": False,
            "required": ["y"],
            "properties": {
                "kind": True,
                "y": {"oneOf": [{"const": False}, numbers]},
            },
        },
    }
    page = config_page(schema)
    assert "| word | `^[a|b]$` |" in page.replace("\\|", "|")
    first, second = page.split("With `kind: a`.")[1].split("With `kind: b`.")
    assert "| `kind` | `a` | required |  |" in first
    assert "| `x` | a [word](#names) | none |  |" in first
    assert "| `y` | `false` or a list, each a number | required |  |" in second
    assert "`y`" not in first


@pytest.fixture(scope="module")
def project(tmp_path_factory, micro_resources):
    return lay_out(tmp_path_factory.mktemp("own"), micro_resources)


def test_own_data_in_ten_minutes(project):
    """Every command of the page up to the run, as one shell."""
    done = shell(project, "\n".join(text for options, text in blocks(OWN_DATA, "bash") if not options))
    assert done.returncode == 0, done.stdout
    assert "All checks passed" in done.stdout
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.M))
    assert jobs["train_model"] == "13"  # two orders, one of DNase, one joint, three times each; k-mers once


def test_the_commands_that_install_are_targets_of_the_makefile():
    commands = [text for options, text in blocks(OWN_DATA, "bash") if options == "once"]
    assert commands == ["make setup\n"]
    done = subprocess.run(["make", "-n", "setup"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SHEET = """track\ttype\tassembly\tpath
genome\tfasta\tmine\ta.fa
peaks\tnarrowPeak\tmine\ta.narrowPeak
others\tnarrowPeak\tmine\tb.narrowPeak
dnase\tbam\tmine\ta.bam
signal\tbigWig\tmine\ta.bw
genes\tgtf\tmine\ta.gtf
snvs\tvcf\tmine\ta.vcf
known\tmeme\tmine\ta.meme
"""
FIGURES = ("orders", "models")


def without_alignments(config, study):
    del study["inputs"]["dnase"], study["models"]["dnase"], study["models"]["joint"]
    study["figures"]["models"]["models"] = ["dna", "kmer"]


def of_several_factors(config, study):
    study["output"]["tracks"] = ["peaks", "others"]
    for name in FIGURES:
        study["figures"][name]["output"] = "others"


def with_a_bigwig(config, study):
    study["inputs"]["dnase"] |= {"tracks": ["signal"], "resolution": "whole", "stranded": False}
    study["models"]["dnase"]["architecture"] = "cage_chromatin"


def of_a_signal(config, study):
    study["output"] = {"kind": "coverage", "tracks": ["dnase"]}
    study["training"]["loss"], study["metrics"] = "mse", ["pearson_r"]
    for name in FIGURES:
        study["figures"][name]["metric"] = "pearson_r"


def at_genes(config, study):
    study["regions"] = {"kind": "promoters", "track": "genes", "binsize": 400}
    study["inputs"]["dnase"]["resolution"] = "whole"
    study["models"]["dnase"]["architecture"] = "cage_chromatin"


def with_questions(config, study):
    study["attribution"] = {"models": ["dna"]}
    study["motifs"] = {"models": ["dna"], "database": "known"}
    study["loci"] = {"of": {"model": "joint"}}


VARIATIONS = {
    "no alignments": without_alignments,
    "peaks of several factors": of_several_factors,
    "ATAC-seq": lambda config, study: study["inputs"]["dnase"].update(shift={"plus": 4, "minus": -4}),
    "pairs": lambda config, study: study["inputs"]["dnase"].update(count="midpoint"),
    "bigWig files": with_a_bigwig,
    "a signal to predict": of_a_signal,
    "genes instead of peaks": at_genes,
    "variants to score": lambda config, study: study.update(variants={"track": "snvs", "models": ["dna"]}),
    "questions to a model": with_questions,
    "a GPU": lambda config, study: config.update(device="gpu", backend="jax"),
}


def test_all_variations_of_the_page_are_tried():
    rows = re.findall(r"^\| ([^|`]+?) \|", OWN_DATA.split("## And then")[1], flags=re.M)
    assert [row.split(" (")[0] for row in rows if row != "you have"] == list(VARIATIONS)


@pytest.mark.parametrize("row", VARIATIONS)
def test_a_variation_of_the_page_is_accepted(row, tmp_path):
    (config,) = [yaml.safe_load(text) for options, text in blocks(OWN_DATA, "yaml") if "file=my.yaml" in options]
    VARIATIONS[row](config, config["studies"]["binding"])
    (tmp_path / "my.tracks.tsv").write_text(SHEET)
    tracks = read_tracks(tmp_path / "my.tracks.tsv")
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    check_references(resolve_outputs(complete_config(config, schema), tracks), tracks)


def test_the_outer_workflow_of_the_page(project):
    done = shell(project, "snakemake -n -s outer/Snakefile -q rules")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^genomics_train_model +13$", done.stdout, flags=re.M)


@pytest.mark.slow
def test_the_run_of_the_page_makes_what_it_promises(project):
    (command,) = [text for options, text in blocks(OWN_DATA, "bash") if options == "slow"]
    done = shell(project, command.replace("snakemake", "snakemake --cores 2"))
    assert done.returncode == 0, done.stdout[-3000:]
    promised = re.findall(r"^\| `(results/my/[^`]+)` \|", OWN_DATA, flags=re.M)
    assert len(promised) == 5
    assert [path for path in promised if not os.path.exists(project / path)] == []


def test_pages_name_files_and_folders_that_are_there():
    """Paths in code, as far as they are of the repository."""
    missing = []
    for page in PAGES:
        paths = re.findall(r"`((?:config|docs|envs|profiles|helpers|workflow)/[\w./-]+)`", page.read_text())
        missing += [path for path in paths if not Path(ROOT / path).exists()]
    assert missing == []
