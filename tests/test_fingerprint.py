"""The hash of a script follows its imports and ignores what has no meaning."""

import pytest

from helpers import fingerprint


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "helpers"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "data/__init__.py").write_text("from helpers.data.regions import merge\n")
    (folder / "data/regions.py").write_text(
        "from helpers.data.intervals import join\n\ndef merge():\n    return join\n"
    )
    (folder / "data/intervals.py").write_text("def join():\n    return 1\n")
    (folder / "data/other.py").write_text("x = 1\n")
    monkeypatch.setattr(fingerprint, "PACKAGE", folder)
    for cached in (fingerprint.used_modules, fingerprint._imports, fingerprint._meaning):
        cached.cache_clear()
    yield folder
    for cached in (fingerprint.used_modules, fingerprint._imports, fingerprint._meaning):
        cached.cache_clear()


def hash_of(script):
    for cached in (fingerprint.used_modules, fingerprint._imports, fingerprint._meaning):
        cached.cache_clear()
    return fingerprint.code_hash(script)


@pytest.mark.parametrize(
    "statement",
    ["from helpers.data.regions import merge", "from helpers.data import merge", "import helpers.data.regions"],
)
def test_an_edit_of_what_is_imported_indirectly_changes_the_hash(package, tmp_path, statement):
    script = tmp_path / "script.py"
    script.write_text(f"def main():\n    {statement}\n")
    before = hash_of(script)
    assert hash_of(script) == before
    (package / "data/intervals.py").write_text("def join():\n    return 2\n")
    assert hash_of(script) != before


def test_an_edit_elsewhere_or_without_meaning_does_not(package, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from helpers.data.regions import merge\n")
    before = hash_of(script)
    (package / "data/other.py").write_text("x = 2\n")
    (package / "data/intervals.py").write_text(
        '"""Words."""\n\n\ndef join():  # a comment\n    """More words."""\n    return 1\n'
    )
    assert hash_of(script) == before


def test_an_edit_of_a_page_beside_a_module_changes_the_hash(package, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from helpers.data.regions import merge\n")
    (package / "data/other.html").write_text("<p>")
    (package / "data/regions.html").write_text("<p>")
    before = hash_of(script)
    (package / "data/other.html").write_text("<b>")
    assert hash_of(script) == before
    (package / "data/regions.html").write_text("<b>")
    assert hash_of(script) != before


def test_real_scripts_depend_on_what_they_use():
    scripts = fingerprint.PACKAGE.parent / "workflow/scripts"
    score = {path.name for path in fingerprint.used_modules(scripts / "score_predictions.py")}
    train = {path.name for path in fingerprint.used_modules(scripts / "train_model.py")}
    assert "metrics.py" in score
    assert "layers.py" not in score
    assert {"layers.py", "sequence.py"} <= train
    assert "comparisons.py" not in train
