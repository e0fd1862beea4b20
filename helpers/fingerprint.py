"""A fingerprint of code: what a result depends on, so that an edit re-runs exactly that.

Snakemake sees the text of a script but not the modules that it imports. `code_hash` follows the imports of a script
within this package, without running them, and hashes what they mean: comments, docstrings and layout do not count.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_TEMPLATES = (".html", ".js")


def code_hash(script: str | Path) -> str:
    """Hash a script together with the modules of this package that it imports, directly or not.

    Parameters
    ----------
    script : path
        A Python file.

    Returns
    -------
    str
        Sixteen hexadecimal digits. The same for files that differ in comments, docstrings or layout only. What a module
        fills in, a page or a program of its name beside it, counts byte by byte.
    """
    digest = hashlib.sha256()
    for path in sorted(used_modules(Path(script).resolve())):
        digest.update(_meaning(path).encode())
        for template in (path.with_suffix(ending) for ending in _TEMPLATES):
            digest.update(template.read_bytes() if template.is_file() else b"")
    return digest.hexdigest()[:16]


@cache
def used_modules(script: Path) -> frozenset[Path]:
    """Return the file itself and every file of this package that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imports(path))
    return frozenset(found)


@cache
def _imports(path: Path) -> frozenset[Path]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(file for name in names if (file := _module_file(name)) is not None)


def _module_file(name: str) -> Path | None:
    """Find the file of ``package.room.module`` or ``package.room.module.attribute``; other packages give None."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return None
    while parts:
        path = PACKAGE.parent.joinpath(*parts)
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py")
        if (path / "__init__.py").is_file():
            return path / "__init__.py"
        parts.pop()
    return None


@cache
def _meaning(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)  # unlike ast.dump the same under every Python
