"""Reading a config: every mistake against the schema named at once, and the defaults filled in."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from helpers.errors import InputError
from helpers.texts import text_problem


def complete_config(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Check a config against its schema and fill in the defaults.

    Parameters
    ----------
    config : mapping
        As read from YAML; left unchanged.
    schema : mapping
        JSON schema, draft 2020-12.

    Returns
    -------
    dict
        A copy with the schema's defaults where a key was absent.

    Raises
    ------
    InputError
        One message with every error: the key, its value and what is allowed. Texts hold no line break and no HTML.
    """
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: error.json_path)
    lines = [line for error in errors for line in _explain(error)] + list(_unfit_texts(config, ""))
    if lines:
        raise InputError("the config has mistakes:\n" + "\n".join(f"  {line}" for line in lines))
    completed = _copy(config)
    list(_FillingValidator(schema).iter_errors(completed))
    return completed


def _copy(value: Any) -> Any:
    """Copy nested mappings and lists into plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _unfit_texts(value: Any, key: str) -> Iterator[str]:
    """Name every text of a config, key or value, that may stand in no path and no page."""
    if isinstance(value, str) and (problem := text_problem(value)):
        yield f"{key or 'the top level'}: {_short(value)} {problem}."
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _unfit_texts(name, key)
            yield from _unfit_texts(item, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unfit_texts(item, f"{key}[{number}]")


def _explain(error: ValidationError) -> Iterator[str]:
    key = error.json_path.removeprefix("$").lstrip(".") or "the top level"
    if error.validator == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        for unknown in sorted(set(error.instance) - set(allowed)):
            guess = difflib.get_close_matches(unknown, allowed, n=1)
            hint = f" Did you mean {guess[0]!r}?" if guess else ""
            yield f"{key}: unknown key {unknown!r}.{hint} Allowed: {', '.join(allowed)}."
    elif error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield f"{key}: missing {', '.join(map(repr, missing))}."
    elif error.validator == "oneOf" and isinstance(error.instance, Mapping):
        yield f"{key}: needs {error.schema['description']}."
    else:
        yield f"{key}: {_short(error.instance)} is not allowed; {_allowed(error)}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _allowed(error: ValidationError) -> str:
    rule, limit = error.validator, error.validator_value
    if rule == "oneOf" and "description" in error.schema:
        return "allowed is " + error.schema["description"].rstrip(".")
    texts = {
        "enum": lambda: "allowed: " + ", ".join(map(str, limit)),
        "const": lambda: f"allowed: {limit}",
        "type": lambda: f"it has to be of type {limit}",
        "minimum": lambda: f"at least {limit}",
        "maximum": lambda: f"at most {limit}",
        "exclusiveMinimum": lambda: f"more than {limit}",
        "exclusiveMaximum": lambda: f"less than {limit}",
        "pattern": lambda: f"it has to match {limit}",
        "minItems": lambda: f"at least {limit} item(s)",
        "minProperties": lambda: f"at least {limit} key(s)",
        "uniqueItems": lambda: "each item once",
    }
    return texts.get(rule, lambda: error.message)()


def _filling(rule: Any) -> Any:
    def fill(validator: Any, properties: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, dict):
            for name, part in properties.items():
                if isinstance(part, Mapping) and "default" in part:
                    instance.setdefault(name, _copy(part["default"]))
        yield from rule(validator, properties, instance, schema)

    return fill


_FillingValidator = validators.extend(
    Draft202012Validator, {"properties": _filling(Draft202012Validator.VALIDATORS["properties"])}
)
