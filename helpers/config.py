"""Reading a config and its sheet of tracks: every mistake named at once, before any work starts."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from helpers.errors import InputError
from helpers.study import folds, split_chromosomes

TRACK_COLUMNS = ("track", "type", "assembly", "path", "url", "md5", "size", "condition", "class", "group")
TRACK_TYPES = ("fasta", "bed", "narrowPeak", "broadPeak", "gtf", "bam", "bigWig", "vcf")
_REGION_TYPES = ("bed", "narrowPeak", "broadPeak")


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
        One message with every error: the key, its value and what is allowed.
    """
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: error.json_path)
    if errors:
        lines = [line for error in errors for line in _explain(error)]
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


def read_tracks(path: str | Path) -> pd.DataFrame:
    """Read the sheet of tracks.

    Parameters
    ----------
    path : path
        Tab-separated, with a header; columns out of `TRACK_COLUMNS`, of which ``track`` and ``type`` and one of
        ``path`` and ``url`` are needed. Lines that start with ``#`` are comments.

    Returns
    -------
    pandas.DataFrame of str, indexed by track
        All of `TRACK_COLUMNS` (empty text where the sheet has none) and ``line``, the line in the sheet.

    Raises
    ------
    InputError
        When the sheet does not exist, or with every wrong row.
    """
    path = Path(path)
    if not path.is_file():
        message = f"tracks: the sheet {str(path)!r} does not exist. Correct 'tracks' in the config."
        raise InputError(message)
    rows = [
        (number, line.rstrip("\r\n").split("\t"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]
    if not rows:
        message = f"{path}: the sheet is empty; it needs a header and a row for each file."
        raise InputError(message)
    header = rows[0][1]
    problems = [
        f"unknown column {name!r}; allowed: {', '.join(TRACK_COLUMNS)}" for name in set(header) - {*TRACK_COLUMNS}
    ]
    problems += [f"missing column {name!r}" for name in ("track", "type") if name not in header]
    if problems:
        raise InputError(f"{path}, line {rows[0][0]}: " + "; ".join(problems))
    empty = dict.fromkeys(TRACK_COLUMNS, "")
    records = [empty | dict(zip(header, fields, strict=False)) | {"line": number} for number, fields in rows[1:]]
    sheet = pd.DataFrame(records, columns=[*TRACK_COLUMNS, "line"])
    problems = [
        f"line {record['line']}: {problem}" for record in sheet.to_dict("records") for problem in _row_problems(record)
    ]
    problems += [f"track {name!r} stands in more than one row" for name in sheet["track"][sheet["track"].duplicated()]]
    if problems:
        raise InputError(f"{path} has mistakes:\n" + "\n".join(f"  {problem}" for problem in problems))
    return sheet.set_index("track", drop=False)


def _row_problems(row: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", row["track"]):
        yield f"track {row['track']!r} is not a name (a letter, then letters, digits, _ or -)"
    if row["type"] not in TRACK_TYPES:
        yield f"type {row['type']!r} is not allowed; allowed: {', '.join(TRACK_TYPES)}"
    if bool(row["path"]) == bool(row["url"]):
        yield f"track {row['track']!r} needs either a path or a url"
    if row["url"] and not re.match(r"(https?|simulated):", row["url"]):
        yield f"url {row['url']!r} does not start with http:, https: or simulated:"
    if row["url"].startswith("simulated:") and not re.fullmatch(r"simulated:[A-Za-z0-9._-]+", row["url"]):
        yield f"url {row['url']!r} is not simulated: followed by a file name"
    if row["md5"] and not re.fullmatch(r"[0-9a-f]{32}", row["md5"]):
        yield f"md5 {row['md5']!r} is not 32 hexadecimal digits"
    if row["size"] and not row["size"].isdigit():
        yield f"size {row['size']!r} is not a number of bytes"


def check_references(config: Mapping[str, Any], tracks: pd.DataFrame) -> None:
    """Check that what a completed config names exists: tracks of the right type, genomes, chromosomes, inputs, models.

    Raises
    ------
    InputError
        One message with every error.
    """
    problems: list[str] = []
    for name, genome in config["genomes"].items():
        problems += _track_problems(tracks, genome["fasta"], ("fasta",), f"genomes.{name}.fasta")
        if "blacklist" in genome:
            problems += _track_problems(tracks, genome["blacklist"], _REGION_TYPES, f"genomes.{name}.blacklist")
    for name, study in config["studies"].items():
        problems += _study_problems(study, config["genomes"], tracks, f"studies.{name}")
    problems += _figure_name_problems(config["studies"])
    if problems:
        raise InputError("the config has mistakes:\n" + "\n".join(f"  {problem}" for problem in problems))


def _study_problems(study: Mapping, genomes: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    yield from _track_problems(tracks, study["regions"]["track"], _REGION_TYPES, f"{key}.regions.track")
    for track in study["output"]["tracks"]:
        yield from _track_problems(tracks, track, _REGION_TYPES, f"{key}.output.tracks")
    for name, part in study["inputs"].items():
        yield from _input_problems(part, tracks, f"{key}.inputs.{name}")
    if study["genome"] not in genomes:
        yield f"{key}.genome: {study['genome']!r} is not under genomes; allowed: {', '.join(genomes)}."
    else:
        chromosomes = genomes[study["genome"]]["chromosomes"]
        for fold in folds(study):
            yield from _split_problems(
                split_chromosomes(study, chromosomes, fold), chromosomes, f"{key}.{_split_key(study)}"
            )
    for name, model in study["models"].items():
        yield from _model_problems(model, study, f"{key}.models.{name}")
    yield from _unknown(study.get("motif", {}).get("models", []), study["models"], f"{key}.motif.models")
    yield from _unknown(study["tracks"].get("outputs", []), study["output"]["tracks"], f"{key}.tracks.outputs")
    for name, figure in study["figures"].items():
        models = figure["models"] if figure["kind"] == "replicates" else figure["predictions"]
        yield from _unknown(models, study["models"], f"{key}.figures.{name}")
        yield from _unknown(figure.get("where", {}), models, f"{key}.figures.{name}.where")
        yield from _unknown(
            [figure.get("metric", study["metrics"][0])], study["metrics"], f"{key}.figures.{name}.metric"
        )


def _track_problems(tracks: pd.DataFrame, name: str, types: tuple[str, ...], key: str) -> Iterator[str]:
    if name not in tracks.index:
        guess = difflib.get_close_matches(name, list(tracks.index), n=1)
        yield f"{key}: track {name!r} is not in the sheet." + (f" Did you mean {guess[0]!r}?" if guess else "")
    elif tracks.at[name, "type"] not in types:
        yield f"{key}: track {name!r} is of type {tracks.at[name, 'type']}; needed: {' or '.join(types)}."


def _input_problems(part: Mapping, tracks: pd.DataFrame, key: str) -> Iterator[str]:
    if part["kind"] == "coverage":
        for track in part["tracks"]:
            yield from _track_problems(tracks, track, ("bam",), f"{key}.tracks")
        if part["swap_in_test"] and len(part["tracks"]) < 2:
            yield f"{key}.swap_in_test: swapping needs two tracks or more; {key}.tracks has {len(part['tracks'])}."


def _split_key(study: Mapping) -> str:
    return "folds" if "folds" in study else "split"


def _split_problems(split: Mapping, chromosomes: list[str], key: str) -> Iterator[str]:
    for part in ("validation", "test"):
        yield from _unknown(split[part], chromosomes, f"{key}.{part}")
    both = sorted(set(split["validation"]) & set(split["test"]))
    if both:
        yield f"{key}: {', '.join(both)} is in validation and in test."
    if not split["train"]:
        yield f"{key}: no chromosome is left for training; all of {', '.join(chromosomes)} are held out."


def _unknown(names: Iterable[str], allowed: Iterable[str], key: str) -> Iterator[str]:
    allowed = list(allowed)
    for name in names:
        if name not in allowed:
            yield f"{key}: {name!r} is unknown; allowed: {', '.join(allowed)}."


# Grid keys by what they act on; the remaining ones belong to one architecture.
_INPUT_KEYS = {"sequence": ("order",), "coverage": ("normalize", "augment")}
_ARCHITECTURE_KEYS = {"jund_dna": ("dropout", "strands"), "jund_dnase": (), "kmer_linear": ("k",)}
_ARCHITECTURE_KINDS = {"jund_dna": "sequence", "jund_dnase": "coverage", "kmer_linear": "sequence"}


def _model_problems(model: Mapping, study: Mapping, key: str) -> Iterator[str]:
    if model["architecture"] == "joint":
        for part, values in model["of"].items():
            yield from _part_problems(part, values, study["models"], f"{key}.of.{part}")
        return
    yield from _unknown(model["inputs"], study["inputs"], f"{key}.inputs")
    kind = _ARCHITECTURE_KINDS[model["architecture"]]
    for name in model["inputs"]:
        if name in study["inputs"] and study["inputs"][name]["kind"] != kind:
            found = study["inputs"][name]["kind"]
            yield f"{key}.inputs: {model['architecture']} takes a {kind} input; {name!r} is of kind {found}."
    if len(model["inputs"]) != 1:
        yield f"{key}.inputs: {model['architecture']} takes one input; received {len(model['inputs'])}."
    for grid in model.get("variants", []):
        yield from _unknown(grid, allowed_keys(model["architecture"]), f"{key}.variants")


def _part_problems(part: str, values: Mapping, models: Mapping, key: str) -> Iterator[str]:
    if part not in models or models[part]["architecture"] in ("joint", "kmer_linear"):
        nets = [name for name, model in models.items() if model["architecture"] not in ("joint", "kmer_linear")]
        yield f"{key}: {part!r} is not a network of this study; allowed: {', '.join(nets)}."
    else:
        yield from _unknown(values, allowed_keys(models[part]["architecture"]), key)


def allowed_keys(architecture: str) -> list[str]:
    """Return the grid keys that an architecture takes, those of its input included."""
    if architecture == "kmer_linear":
        return ["k"]
    return [*_INPUT_KEYS[_ARCHITECTURE_KINDS[architecture]], *_ARCHITECTURE_KEYS[architecture]]


def _figure_name_problems(studies: Mapping) -> Iterator[str]:
    owner: dict[str, str] = {}
    for study, settings in studies.items():
        for figure in settings["figures"]:
            if figure in owner:
                yield f"studies.{study}.figures.{figure}: the study {owner[figure]!r} has a figure of that name."
            owner.setdefault(figure, study)


def missing_files(tracks: pd.DataFrame) -> None:
    """Check that every local file of the sheet exists.

    Raises
    ------
    InputError
        One message with every missing file and its line in the sheet.
    """
    local = tracks[tracks["path"] != ""]
    lines = [
        f"track {row['track']!r} (line {row['line']} of the sheet): {row['path']}"
        for row in local.to_dict("records")
        if not Path(row["path"]).is_file()
    ]
    if lines:
        raise InputError(
            "files of the sheet of tracks do not exist:\n"
            + "\n".join(f"  {line}" for line in lines)
            + "\nCorrect the paths; relative ones start from the working directory."
        )
