"""The page for those who come from Janggu: every name on it is checked against the code."""

import ast
import builtins
import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

import helpers.data
import helpers.evaluation
import helpers.model
from helpers.data.counting import CountRule
from helpers.data.dataset import Dataset
from helpers.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/differences.md").read_text()
TESTS = ROOT / "tests/test_differences.py"
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
ROOMS = (helpers.data, helpers.model, helpers.evaluation)
PUBLIC = {name: getattr(room, name) for room in ROOMS for name in room.__all__}
EXAMPLES = {
    "dna": PUBLIC["Bioseq"],
    "cover": PUBLIC["Cover"],
    "dataset": Dataset,
    "indexer": PUBLIC["GenomicIndexer"],
    "wrapper": PUBLIC["ReduceDim"],
}
# Janggu's arguments by position, which keep their places.
POSITIONAL = {
    "Bioseq.create_from_refgenome": "name refgenome roi binsize stepsize flank order",
    "Cover.create_from_bam": "name bamfiles roi genomesize conditions min_mapq binsize stepsize flank resolution",
    "Cover.create_from_bigwig": "name bigwigfiles roi genomesize conditions binsize stepsize resolution flank",
    "Cover.create_from_bed": "name bedfiles roi genomesize conditions binsize stepsize resolution flank",
    "Cover.create_from_array": "name array gindexer genomesize conditions resolution",
    "GenomicIndexer": "binsize stepsize flank zero_padding collapse random_state",
    "GenomicIndexer.create_from_file": "regions binsize stepsize flank zero_padding collapse random_state",
    "view": "dataset use_regions",
    "subset": "dataset include_regions exclude_regions",
    "split_train_test": "datasets holdout_chroms",
    "JangguSequence": "inputs outputs sample_weights batch_size shuffle as_dict",
}


def tables():
    """Give the rows of each table as dicts, each with its line."""
    rows, head = [], None
    for number, line in enumerate(PAGE.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else None
        if cells is None or set(line) <= set("|-"):
            head = None if cells is None else head
        elif head is None:
            head = cells
        else:
            assert len(cells) == len(head), f"line {number}"
            rows.append(dict(zip(head, cells, strict=True)) | {"line": number})
    return rows


ARGUMENTS = [row for row in tables() if "" not in row]
DIFFERENCES = [row for row in tables() if "" in row]


def own_spans():
    """Give all code that is of this package: that of the page without fenced code and Janggu's column."""
    text = re.sub(r"^```.*?^```$", "", PAGE, flags=re.M | re.S)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    cells = [cell for row in tables() for name, cell in row.items() if name not in ("Janggu", "line")]
    return sorted({span for part in (text, *cells) for span in CODE.findall(part)})


def find(node):
    """Give the object that a name or an attribute means, or None when it is none of this package."""
    if isinstance(node, ast.Name):
        return PUBLIC.get(node.id, EXAMPLES.get(node.id))
    if isinstance(node, ast.Attribute):
        owner = find(node.value)
        return None if owner is None else getattr(owner, node.attr)
    return find(node.func) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def parameters(function):
    """Give the names that a function takes, those that it hands on to the counting rule included."""
    names = inspect.signature(function).parameters
    handed_on = [field.name for field in fields(CountRule)] if "rule" in names else []
    return [name for name in names if name not in ("rule", "self")] + handed_on


def calls(span):
    """Give the calls and names of this package in code; code that is no Python has none."""
    try:
        nodes = list(ast.walk(ast.parse(span, mode="eval")))
    except SyntaxError:
        return []
    return [node for node in nodes if isinstance(node, ast.Call | ast.Attribute | ast.Name) and find(node) is not None]


@pytest.mark.parametrize("span", [span for span in own_spans() if calls(span)])
def test_names_and_arguments_are_those_of_the_code(span):
    for node in calls(span):
        if isinstance(node, ast.Call):
            function = find(node)
            given = {keyword.arg: None for keyword in node.keywords}
            assert set(given) <= set(parameters(function))
            inspect.signature(function).bind(*node.args, **given)


def test_the_page_has_names_to_check():
    assert sum(bool(calls(span)) for span in own_spans()) > 50


def test_single_words_are_known():
    """A word that is neither of this package nor of Janggu is a slip."""
    attributes = {name for kind in (*PUBLIC.values(), *EXAMPLES.values()) for name in dir(kind)}
    taken = {name for kind in PUBLIC.values() if callable(kind) for name in parameters(kind)}
    taken |= {name for call in POSITIONAL for name in parameters(find(ast.parse(call, mode="eval").body))}
    taken |= set(parameters(PUBLIC["Cover"].create_from_bed)) | {"starts", "ends", "strand", "InputError"}
    of_janggu = {"normalize_garray_tpm", "create_model", "GenomicArray", "create_genomic_array", "minoverlap"}
    words = {re.sub(r"=(?!=).*", "", span) for span in own_spans() if re.fullmatch(r"\w+(=.*)?", span)}
    assert words - attributes - taken - set(PUBLIC) - of_janggu - set(dir(builtins)) == set()


@pytest.mark.parametrize("row", ARGUMENTS, ids=lambda row: f"line {row['line']}")
def test_arguments_are_called_as_the_page_says(row):
    for call in CODE.findall(row["call"]):
        taken = parameters(find(ast.parse(call, mode="eval").body))
        assert not set(CODE.findall(row["Janggu"])) & set(taken)
        here = CODE.findall(row["here"])
        assert here or row["here"] == "-"
        assert {span.split("=")[0] for span in here if "(" not in span.split("=")[0]} <= set(taken)


def test_values_of_the_counting_rule_are_accepted():
    for row in ARGUMENTS:
        for span in CODE.findall(row["here"]):
            if row["call"] == "`Cover.create_from_bam`":
                name, value = span.split("=")
                CountRule(**{name: ast.literal_eval(value)})


@pytest.mark.parametrize("call", POSITIONAL)
def test_arguments_by_position_come_in_the_order_of_janggu(call):
    expected = POSITIONAL[call].split()
    names = inspect.signature(find(ast.parse(call, mode="eval").body)).parameters.values()
    by_position = [parameter.name for parameter in names if parameter.kind == parameter.POSITIONAL_OR_KEYWORD]
    assert by_position == expected


def test_defaults_are_those_of_the_page():
    def default(call, name):
        return inspect.signature(call).parameters[name].default

    cover, bioseq = PUBLIC["Cover"], PUBLIC["Bioseq"]
    assert default(bioseq.create_from_refgenome, "store_whole_genome") is True
    assert default(cover.create_from_bam, "store_whole_genome") is None
    assert default(cover.create_from_bam, "min_mapq") == 0
    assert default(cover.create_from_bed, "resolution") is None
    assert default(cover.create_from_bigwig, "resolution") == 1
    assert issubclass(InputError, ValueError)


def test_the_imports_of_the_page_work():
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.M | re.S)
    names = {}
    exec(code, names)
    assert {"Bioseq", "DnaConv2D", "JangguSequence"} <= set(names)


def test_each_numbered_difference_has_a_test_and_each_numbered_test_is_on_the_page():
    tested = set()
    for node in ast.walk(ast.parse(TESTS.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            tested |= set(re.findall(r"^W\d+", ast.get_docstring(node) or ""))
    listed = {row[""] for row in DIFFERENCES if row[""]}
    to_come = set(re.findall(r"W\d+", PAGE.split("\n## Left out")[1]))
    assert listed == tested
    assert listed | to_come == {f"W{number}" for number in range(1, 30)}
    assert not listed & to_come


def test_the_page_is_linked():
    assert "(docs/differences.md)" in (ROOT / "README.md").read_text()
    assert "(differences.md)" in (ROOT / "docs/guide.md").read_text()
