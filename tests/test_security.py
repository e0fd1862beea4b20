"""What a config, a sheet, a file name or a file cannot do: run a command, leave its folder, run code, write HTML."""

import ast
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
from html.parser import HTMLParser

import pytest
import yaml
from docs_project import ROOT, blocks, lay_out, read_config, shell
from hub_files import write_track

from helpers.config import complete_config
from helpers.data.assemblies import rename_advice
from helpers.errors import InputError
from helpers.evaluation.hub import HubGenome, HubStudy, HubTrack, write_hub
from helpers.sheet import read_tracks
from helpers.sources.extract import extract_member

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))
CODE = [path for room in ("helpers", "workflow", "benchmarks") for path in sorted((ROOT / room).rglob("*.py"))]
HOSTILE = "$(touch hacked) `touch hacked`; touch hacked; '; touch hacked; '\"; touch hacked; \" & touch hacked #"
HTML = "</script><img src=x onerror=hacked()><script>hacked()</script>\"'&"

# --- shell ------------------------------------------------------------------------------------------------------------


def commands():
    """Every command of a rule: (file, its text, the text of the file)."""
    for path in RULES:
        text = path.read_text()
        for body in re.findall(r"^    shell:\n((?: {8}.*\n)+)", text, flags=re.M):
            yield path.name, body, text


def test_every_value_in_a_command_is_quoted_or_cannot_hold_more_than_a_word():
    found = list(commands())
    assert len(found) >= 6
    for name, body, text in found:
        for placeholder in re.findall(r"\{(?!\{)([^}]*)\}", body):
            if placeholder.endswith(":q"):
                continue
            if placeholder == "params.seed":
                assert SCHEMA["properties"]["seed"]["type"] == "integer"
            elif placeholder == "wildcards.multiple":
                assert r'multiple=r"[1-9]\d*"' in text
            else:  # one of two constants
                key = placeholder.removeprefix("params.").removeprefix("resources.")
                assert re.search(rf'^ +{key}=lambda wildcards: "[-a-z]*" if .* else "[-a-z]*",$', text, re.M), name


def test_no_code_hands_text_to_a_shell():
    """Programs are started with a list of arguments."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"os.system", "os.popen", "subprocess.getoutput", "eval", "exec"}, path
                assert not [item for item in node.keywords if item.arg == "shell"], path


@pytest.fixture(scope="module")
def hostile_project(tmp_path_factory, micro_resources):
    """The workflow and a project in a folder with a hostile name, and a track with a hostile path."""
    folder = tmp_path_factory.mktemp("hostile") / HOSTILE.replace("/", "")
    folder.mkdir()
    lay_out(folder, micro_resources)
    (folder / f"data/{HOSTILE}.bed").write_text("chr1\t120\t380\n")
    sheet = (folder / "my.tracks.tsv").read_text()
    (folder / "my.tracks.tsv").write_text(f"{sheet}evil\tbed\tmine\tdata/{HOSTILE}.bed\t\n")
    return folder


def hacked(folder):
    return [path for path in (folder, *folder.parents, *folder.glob("*")) if (path / "hacked").exists()]


def test_a_command_with_hostile_paths_does_its_work_and_nothing_else(hostile_project):
    done = shell(
        hostile_project,
        "snakemake results/my/trimmed/evil.100bp.bed --cores 1 --workflow-profile none --configfile my.yaml",
    )
    assert done.returncode == 0, done.stdout
    trimmed = (hostile_project / "results/my/trimmed/evil.100bp.bed").read_text()
    assert trimmed.split("\t")[:3] == ["chr1", "200", "300"]
    assert hacked(hostile_project) == []


def test_a_hostile_address_reaches_the_program_as_one_word(hostile_project, tmp_path):
    """In place of Python stands a program that writes down its arguments; the shell is the true one."""
    url = "https://127.0.0.1:1/" + HOSTILE.replace(" ", "${IFS}")
    sheet = (hostile_project / "my.tracks.tsv").read_text().replace("assembly\tpath", "assembly\tpath\turl", 1)
    sheet = sheet.replace("data/genome.fa\t", f"\t{url}\t").replace(".gz\t", ".gz\t\t").replace(".bam\t", ".bam\t\t")
    (hostile_project / "remote.tsv").write_text("".join(sheet.splitlines(keepends=True)[:4]))
    config = read_config(hostile_project) | {"tracks": "remote.tsv"}
    (hostile_project / "remote.yaml").write_text(yaml.safe_dump(config))
    recorder = tmp_path / "python"
    recorder.write_text(f"#!/bin/bash\nprintf '%s\\0' \"$@\" > '{tmp_path}/said'\necho '>a' > \"$4\"\n")
    recorder.chmod(0o755)
    command = (
        f"{shlex.quote(sys.executable)} -m snakemake resources/mine/genome.fasta --cores 1 --workflow-profile none"
    )
    done = shell(hostile_project, f"PATH='{tmp_path}':$PATH {command} --configfile remote.yaml")
    assert done.returncode == 0, done.stdout
    said = (tmp_path / "said").read_text().split("\0")
    assert said[:4] == ["-m", "helpers.sources.download", url, "resources/mine/genome.fasta"]
    assert hacked(hostile_project) == []


def test_advice_to_be_pasted_is_quoted(tmp_path):
    """A message may name a command: pasted, it does what it says."""
    path = tmp_path / f"{HOSTILE}.bed"
    path.write_text("1\t0\t10\n")
    said = rename_advice(path, [("chr1", "1")])
    command = said[said.index("them: `") + len("them: `") : said.rindex("`, and use")]
    subprocess.run(["bash", "-e", "-c", command], cwd=tmp_path, check=True)
    assert (tmp_path / f"renamed.{HOSTILE}.bed").read_text() == "chr1\t0\t10\n"
    assert not (tmp_path / "hacked").exists()


NAMES = ["a b", "a;b", "$(x)", "../a", "a/b", "/a", "a'", 'a"', "a`x`", "<b>", "a&b", "a|b", "-a", ".", "", "a\nb"]


def renamed(config, place, name):
    """Give a config in which something has another name."""
    if place == "run":
        return config | {"run": name}
    if place in ("genomes", "studies"):
        return config | {place: {name: next(iter(config[place].values()))}}
    study = config["studies"]["binding"]
    return config | {"studies": {"binding": study | {place: {name: next(iter(study[place].values()))}}}}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["run", "genomes", "studies", "inputs", "models", "figures"])
def test_what_names_files_is_a_plain_word(place, name):
    ((_, text),) = blocks((ROOT / "docs/own-data.md").read_text(), "yaml")
    with pytest.raises(InputError, match="is not allowed"):
        complete_config(renamed(yaml.safe_load(text), place, name), SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_what_names_files_in_a_sheet_is_a_plain_word(tmp_path, name):
    for row in (f"{name}\tbed\tx\tu", f"t\t{name}\tx\tu"):
        (tmp_path / "sheet.tsv").write_text(f"track\ttype\tassembly\tpath\n{row}\n")
        with pytest.raises(InputError):
            read_tracks(tmp_path / "sheet.tsv")
    if name not in ("-a", "."):  # a folder of that name within resources/
        (tmp_path / "sheet.tsv").write_text(f"track\ttype\tassembly\turl\na\tbed\t{name}\thttps://e.org/a\n")
        with pytest.raises(InputError):
            read_tracks(tmp_path / "sheet.tsv")


# --- archives ---------------------------------------------------------------------------------------------------------


def archive(path, *entries):
    """Write a tar file: (name, bytes), or (name, kind, target) of a link."""
    with tarfile.open(path, "w:gz") as tar:
        for name, *rest in entries:
            entry = tarfile.TarInfo(name)
            if len(rest) == 2:
                entry.type, entry.linkname = rest
                tar.addfile(entry)
            else:
                entry.size = len(rest[0])
                tar.addfile(entry, io.BytesIO(rest[0]))
    return path


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil-member", "a/../../../evil", "..", "out/x"])
def test_a_member_goes_to_the_destination_whatever_its_name(tmp_path, name):
    inner = tmp_path / "a/b"
    inner.mkdir(parents=True)
    extract_member(archive(inner / "x.tar.gz", (name, b"data")), inner / "out.bed")
    assert (inner / "out.bed").read_bytes() == b"data"
    assert tree(tmp_path) == ["a", "a/b", "a/b/out.bed", "a/b/x.tar.gz"]
    assert not os.path.exists("/tmp/evil-member")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_no_files_of_an_archive(tmp_path, kind):
    with pytest.raises(InputError, match="one file"):
        extract_member(archive(tmp_path / "x.tar.gz", ("a.bed", kind, "/etc/passwd")), tmp_path / "out.bed")
    assert not (tmp_path / "out.bed").exists()


# --- code in files ----------------------------------------------------------------------------------------------------

LOADERS = ("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads", "shelve.open")
LOADERS += ("torch.load", "joblib.load", "dill.load", "cloudpickle.load", "pd.read_pickle", "pandas.read_pickle")
LOADERS += ("yaml.load", "yaml.unsafe_load", "yaml.full_load", "keras.config.enable_unsafe_deserialization")
FLAGS = {"allow_pickle": "True", "safe_mode": "False", "weights_only": "False"}


def unsafe(text):
    """Give the calls in a text that may run code out of a file."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            found += [called] if called in LOADERS or called.endswith("enable_unsafe_deserialization") else []
            found += [item.arg for item in node.keywords if ast.unparse(item.value) == FLAGS.get(item.arg)]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            found += sorted(names & {"joblib", "dill", "cloudpickle", "shelve", "marshal"})
    return found


def test_nothing_loads_what_may_run_code():
    assert {str(path): unsafe(path.read_text()) for path in CODE if unsafe(path.read_text())} == {}
    assert unsafe("import joblib\nnp.load(p, allow_pickle=True)\npickle.load(f)\nyaml.safe_load(f)") == [
        "joblib",
        "allow_pickle",
        "pickle.load",
    ]


def test_a_model_with_code_in_it_is_refused(tmp_path):
    """A Lambda layer is kept as the bytes of a function."""
    import keras

    from helpers.model.training import load_model

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]).save(path)
    with pytest.raises(InputError, match="cannot be read as a Keras model"):
        load_model(path)


# --- pages ------------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """The tags of a page with the names of their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, *sorted(name for name, _ in attrs)))


def write_hostile_hub(folder, text):
    track = write_track(folder / "run/tracks/a.bw", 1)
    studies = [HubStudy("jund", "hg38", [HubTrack(track, text), HubTrack(track, text, "dna", {"order": text})])]
    write_hub(folder / "run/hub", [HubGenome("hg38", "hg38")], studies, name=text, note=text)
    return folder / "run/hub"


def test_a_hub_is_the_same_page_and_the_same_settings_whatever_its_names(tmp_path):
    plain = write_hostile_hub(tmp_path / "plain", "a")
    evil = write_hostile_hub(
        tmp_path / "evil", f"{HTML}\nemail x@example.org\n\ntrack b\r\ndescriptionUrl http://e.org"
    )
    pages = [(folder / "description.html").read_text() for folder in (plain, evil)]
    assert Tags(pages[1]).found == Tags(pages[0]).found
    for name in ("hub.txt", "genomes.txt", "hg38/trackDb.txt"):
        keys = [[line.split(" ")[0] for line in (folder / name).read_text().splitlines()] for folder in (plain, evil)]
        assert keys[1] == keys[0]


REPORT = """report: "{root}/workflow/report/workflow.rst"
note = config["note"]
rule draw:
    output:
        report("{{study}}/x.tsv", caption="{root}/workflow/report/gains.rst", category="figures"),
        report("{{study}}/y.tsv", caption="{root}/workflow/report/locus.rst", category="figures"),
        report("{{study}}/z.tsv", caption="{root}/workflow/report/training.rst", category="figures"),
    params:
        note=note,
        figure=dict.fromkeys(["metric", "split", "class", "region"], note),
    shell:
        "touch {{output}}"
"""


def captions(folder, note):
    """Make a report with Snakemake and our captions: (its tags, the tags of each caption, the captions)."""
    folder.mkdir()
    (folder / "Snakefile").write_text(REPORT.format(root=ROOT))
    (folder / "c.yaml").write_text(yaml.safe_dump({"run": "my", "studies": {"jund": {}}, "note": note}))
    command = [sys.executable, "-m", "snakemake", "jund/x.tsv", "--configfile", "c.yaml", "--workflow-profile", "none"]
    for arguments in (["--cores", "1"], ["--report", "report.html"]):
        subprocess.run([*command, *arguments], cwd=folder, capture_output=True, check=True)
    page = (folder / "report.html").read_text()
    texts = [json.loads(text) for text in re.findall(r'"caption": ("(?:[^"\\]|\\.)*")', page)]
    return Tags(page).found, [Tags(text).found for text in texts], texts


def test_captions_of_the_report_keep_their_form_whatever_the_note_says(tmp_path):
    plain, evil = (
        captions(tmp_path / "plain", "a"),
        captions(tmp_path / "evil", "\"'&amp; a < b > c {{ 7 * 7 }} .. raw:: html"),
    )
    assert evil[:2] == plain[:2]
    assert len(evil[2]) == 3
    assert all("{{ 7 * 7 }}" in text for text in evil[2])
