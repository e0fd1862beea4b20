"""Write the page of all keys of a config from its schema: ``python -m helpers.config_page > docs/configuration.md``."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

SCHEMA = Path(__file__).resolve().parents[1] / "workflow/schemas/config.schema.yaml"
_HEAD = """# All keys of a config

Made from the schema by `python -m helpers.config_page > docs/configuration.md`: what is written here is what a run
accepts, and anything else stops it before the first job. [config/README.md](../config/README.md) explains the keys in
words, [own-data.md](own-data.md) begins with a small config. NAME stands for a name that you choose.
"""
_TEXTS = """## Names

| kind | has to match |
|---|---|
"""

Part = Mapping[str, Any]


class Section(NamedTuple):
    """An object of the config: its path, such as ``studies.NAME.regions``, and its part of the schema."""

    path: str
    part: Part


def config_page(schema: Part) -> str:
    """Describe every key that a schema allows.

    Parameters
    ----------
    schema : mapping
        JSON schema, draft 2020-12, of the config. Read are types, choices, limits, patterns, defaults and descriptions;
        ``if``, ``then``, ``else`` and ``allOf`` where they tell kinds of an object apart.

    Returns
    -------
    str
        Markdown: a section for each object, a row for each key.

    Examples
    --------
    >>> page = config_page({"properties": {"seed": {"type": "integer", "minimum": 0, "default": 1}}})
    >>> print(page.splitlines()[-1])
    | `seed` | a whole number, at least 0 | `1` |  |
    """
    sections = _sections(schema)
    parts = [_HEAD]
    named = {name: part["pattern"] for name, part in schema.get("$defs", {}).items() if "pattern" in part}
    if named:
        parts.append(_TEXTS + "".join(f"| {name} | `{pattern}` |\n" for name, pattern in named.items()))
    parts += [_section(section, sections, schema) for section in sections.values()]
    return "\n".join(parts)


def _resolve(part: Any, schema: Part) -> dict[str, Any]:
    """Follow references; what stands beside one holds before what it leads to."""
    part = dict(part) if isinstance(part, Mapping) else {}
    while "$ref" in part:
        target = schema["$defs"][part.pop("$ref").removeprefix("#/$defs/")]
        part = {**target, **part}
    return part


def _identity(part: Any) -> str:
    """Tell objects apart: by the name of a definition, or as the object that it is."""
    return part["$ref"] if "$ref" in part else str(id(part))


def _sections(schema: Part) -> dict[str, Section]:
    """Find all objects with keys of their own, each at the first place where it stands."""
    found: dict[str, Section] = {}

    def walk(part: Any, path: str) -> None:
        """Note an object with keys of its own, and all that stand within it."""
        resolved = _resolve(part, schema)
        kinds = list(_kinds(resolved, schema))
        if any(kind.get("properties") for _, kind in kinds):
            if _identity(part) in found:
                return
            found[_identity(part)] = Section(path, resolved)
        for _, kind in kinds:
            for name, value in kind.get("properties", {}).items():
                if isinstance(value, Mapping):
                    walk(value, f"{path}.{name}".lstrip("."))
        for inner, suffix in _inner(resolved):
            walk(inner, path + suffix)

    walk(schema, "")
    return found


def _inner(part: Part) -> Iterator[tuple[Any, str]]:
    """Give the parts of a schema within a mapping of names, a list, or a choice."""
    if isinstance(part.get("additionalProperties"), Mapping):
        yield part["additionalProperties"], ".NAME"
    if "items" in part:
        yield part["items"], ""
    for choice in part.get("oneOf", []):
        if "required" not in choice:
            yield choice, ""


def _kinds(part: Part, schema: Part) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the kinds of an object that have keys of their own: (when, part of the schema); one without conditions."""
    conditions = [choice for choice in part.get("allOf", []) if "if" in choice]
    if not conditions and "additionalProperties" not in part.get("then", {}):
        yield "", dict(part)
        return
    taken = []
    for choice in conditions or [part]:
        (key, value), *_ = choice["if"]["properties"].items()
        taken.append(value["const"])
        yield f"`{key}: {value['const']}`", _filled(_resolve(choice["then"], schema), part, value["const"])
    if "else" in part:
        others = [value for value in part["properties"][key]["enum"] if value not in taken]
        when = f"any other `{key}`" if len(others) > 2 else " or ".join(f"`{key}: {value}`" for value in others)
        yield when, _filled(part["else"], part, *others)


def _filled(kind: Part, part: Part, *values: Any) -> dict[str, Any]:
    """Give the keys of a kind; of one that is only allowed (``true``), what the object says of it, and its values."""
    known = part.get("properties", {})
    properties = {
        name: ({**known[name], "enum": list(values)} if value is True else value)
        for name, value in kind["properties"].items()
    }
    required = [*part.get("required", []), *kind.get("required", [])]
    return {**kind, "properties": properties, "required": required}


def _section(section: Section, sections: Mapping[str, Section], schema: Part) -> str:
    title = section.path or "Top level"
    texts = [f"## {title}\n"]
    if section.path and "description" in section.part:
        texts.append(_sentence(_upper(section.part["description"])) + "\n")
    for when, kind in _kinds(section.part, schema):
        if when:
            told = f": {_sentence(kind['description'])}" if "description" in kind else "."
            texts.append(f"With {when}{told}\n")
        rows = [
            _row(name, value, name in kind.get("required", []), sections, schema)
            for name, value in kind["properties"].items()
        ]
        texts.append("| key | value | default | meaning |\n|---|---|---|---|\n" + "".join(rows))
    return "\n".join(texts)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _row(name: str, value: Any, required: bool, sections: Mapping[str, Section], schema: Part) -> str:
    part = _resolve(value, schema)
    default = "required" if required else _default(part)
    own = _identity(value) in sections and "description" not in value  # said in its section
    meaning = _sentence(part["description"]) if "description" in part and not own else ""
    cells = [f"`{name}`", _value(value, sections, schema), default, meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(part: Part) -> str:
    if part.get("default") in (None, "", {}):
        return "none"
    return _code(part["default"])


def _code(value: Any) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _value(value: Any, sections: Mapping[str, Section], schema: Part) -> str:
    """Say in words what may stand under a key."""
    part = _resolve(value, schema)
    if _identity(value) in sections:
        path = sections[_identity(value)].path
        return f"keys of [{path}](#{_anchor(path)})"
    if "const" in part:
        return _code(part["const"])
    if "enum" in part:
        return ", ".join(map(_code, part["enum"]))
    if "oneOf" in part:
        return " or ".join(_value(choice, sections, schema) for choice in part["oneOf"])
    if isinstance(part.get("additionalProperties"), Mapping):
        return f"NAME: {_value(part['additionalProperties'], sections, schema)}"
    if part.get("type") == "array":
        return f"a list, each {_value(part['items'], sections, schema)}"
    if "pattern" in part:
        named = [name for name, other in schema["$defs"].items() if other.get("pattern") == part["pattern"]]
        return f"a [{named[0]}](#names)" if named else f"text that matches `{part['pattern']}`"
    return _plain(part)


def _plain(part: Part) -> str:
    """Name the kind and the limits of a number, a text, a switch or free keys."""
    names = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "`true`, `false`"}
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    limits = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most", "exclusiveMaximum": "below"}
    said = [f"{words} {part[limit]}" for limit, words in limits.items() if limit in part]
    if {"minimum", "maximum"} <= set(part):
        said = [f"{part['minimum']} to {part['maximum']}"]
    said += [f"at most {part['maxLength']} letters"] if "maxLength" in part else []
    return ", ".join([" or ".join(names.get(kind, "keys and values") for kind in kinds), *said])


def _anchor(title: str) -> str:
    """Give the anchor of a heading, as GitHub makes it."""
    return "".join(letter for letter in title.lower() if letter.isalnum() or letter in "_- ").replace(" ", "-")


if __name__ == "__main__":
    sys.stdout.write(config_page(yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))))
