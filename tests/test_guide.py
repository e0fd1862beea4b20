"""The examples of the guide, run in order as a reader would."""

import importlib.util
import re
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[1] / "docs/guide.md"


def blocks(text):
    """Give the examples: (first line in the file, module that it needs, code)."""
    for found in re.finditer(r"^```python(?: needs=(\w+))?\n(.*?)^```$", text, flags=re.M | re.S):
        yield text[: found.start(2)].count("\n") + 1, found[1], found[2]


def test_the_examples_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "guide"}
    examples = list(blocks(GUIDE.read_text()))
    assert len(examples) > 10
    for line, needed, code in examples:
        if needed is None or importlib.util.find_spec(needed):
            exec(compile("\n" * (line - 1) + code, str(GUIDE), "exec"), names)
