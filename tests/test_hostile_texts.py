"""Texts of config and sheet that would become commands, settings or HTML are refused, and others are left alone."""

import io
import shlex
import subprocess
import sys

import pytest
import yaml
from docs_project import ROOT, blocks
from hypothesis import given
from hypothesis import strategies as st
from small_files import write_bam

from helpers.config import complete_config
from helpers.data.alignment_checks import check_alignments
from helpers.errors import InputError
from helpers.evaluation.style import in_style, styled_figure
from helpers.sheet import read_tracks
from helpers.texts import text_problem

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
((_, OWN),) = blocks((ROOT / "docs/own-data.md").read_text(), "yaml")


TEXTS = ["</script>", "<img src=x>", "<!-- ", "<?x", "a<B", "a\nb", "a\n", "a\tb", "a\x00", "a\u2028b"]


@pytest.mark.parametrize("text", TEXTS)
def test_what_pages_cannot_hold(text):
    assert text_problem(text).startswith("holds ")


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"], blacklist_characters="<")))
def test_all_other_texts_are_free(text):
    assert text_problem(text) == ""
    assert text_problem(f"{text}< {text}") == ""


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("note",), "</script><b>", "note: '</script><b>' holds '</'"),
        (("note",), "a\n\n.. raw:: html\n\n   x", "note: "),
        (("run",), "my\n", "run: 'my\\n' holds a line break"),
        (("tracks",), ["a.tsv", "b\n.tsv"], "tracks[1]: 'b\\n.tsv' holds a line break"),
        (("simulation", "a<b"), 1, "simulation: 'a<b' holds '<b'"),
        (("genomes", "mine", "chromosomes"), ["chr1", "<i>"], "genomes.mine.chromosomes[1]: "),
    ],
)
def test_a_config_names_the_key(path, value, words):
    config = yaml.safe_load(OWN) | {"simulation": {}}
    part = config
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(InputError) as caught:
        complete_config(config, SCHEMA)
    assert words in str(caught.value)


def test_a_config_without_such_texts_is_accepted():
    config = yaml.safe_load(OWN) | {"note": "p < 0.05 & \"quoted\" 'twice' {{ 1 }} $(x) `y`"}
    assert complete_config(config, SCHEMA)["note"] == config["note"]


@pytest.mark.parametrize("column", ["condition", "class", "group", "lab", "path"])
def test_a_sheet_names_the_column(tmp_path, column):
    row = {"track": "a", "type": "bed", "path": "a.bed", "condition": "b", "class": "c", "group": "d", "lab": "e"}
    row[column] = "</script>"
    (tmp_path / "sheet.tsv").write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n")
    with pytest.raises(InputError, match=f"line 2: {column} '</script>' holds '</'"):
        read_tracks(tmp_path / "sheet.tsv")


def test_the_advice_to_index_is_quoted(tmp_path):
    """Both commands of the message, as they would be pasted."""
    path = tmp_path / "a$(touch hacked) 'b'.bam"
    write_bam(path, {"chr1": 1000}, ("chr1", 5, 15, 0))
    path.with_name(path.name + ".bai").unlink()
    said = "".join(finding.message for finding in check_alignments(str(path), "track a")[0])
    first, second = said.split("`")[1], said.split("`")[3]
    assert shlex.split(first) == ["samtools", "index", str(path)]
    command = second.replace("python", shlex.quote(sys.executable), 1)
    subprocess.run(["bash", "-e", "-c", command], cwd=tmp_path, check=True)
    assert path.with_name(path.name + ".bai").exists()
    assert not (tmp_path / "hacked").exists()


def test_a_dollar_in_a_note_is_no_formula():
    with in_style():
        figure = styled_figure(2, 1)
        figure.text(0, 0, r"$5 or $\frac$, <a>")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg")
    assert "</svg>" in drawn.getvalue()
    assert "<a>" not in drawn.getvalue()
