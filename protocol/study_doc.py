"""``docs/study-file.md``, written from the study file's types, so that it cannot drift from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from protocol.study import Study

Schema = Mapping[str, Any]

_HEAD = """\
# The study file

One file, `study.toml`, is one study; a copy is frozen into every session. Unknown keys are refused by name. Only `[study]`
`name`, two to eight `[emotions]` and `[consent]` `version` must be given; `emo-study new DIR` writes a file to start from, and
`emo-study check DIR` says what is wrong with it.

This page is printed by `emo-study keys`; for editors that check TOML, `emo-study keys --json` prints the JSON schema.
"""

_OFF = {"camera": "a study without a face says `camera = false` above its first table"}


def markdown() -> str:
    """Return the page: one table of keys per table of the file."""
    schema = Study.model_json_schema()
    return _HEAD + "".join(f"\n{section}" for section in _sections(schema))


def _sections(schema: Schema) -> Iterator[str]:
    defs = schema["$defs"]
    for table, value in schema["properties"].items():
        named = "additionalProperties" in value or "patternProperties" in value
        model = _model(value, defs)
        title = f"## [{table}]" if not named else f"## [{table}]: one line for each, `name = {{ .. }}`"
        note = f" ({_OFF[table]})" if table in _OFF else ""
        summary = str(model["description"]).replace("``", "`").partition(": ")[2]
        yield f"{title}\n\n{summary[0].upper()}{summary[1:].rstrip('.')}{note}.\n\n{_table(model, defs)}"


def _table(model: Schema, defs: Schema) -> str:
    required = model.get("required", [])
    rows = ["| key | what | value | default |", "|---|---|---|---|"]
    for key, value in model["properties"].items():
        default = "must be given" if key in required else _default(value.get("default"))
        rows.append(f"| `{key}` | {value.get('description', '')} | {_kind(value, defs)} | {default} |")
    return "\n".join(rows) + "\n"


def _model(value: Schema, defs: Schema) -> Schema:
    """Return the model that a table's schema means, through references, options and names."""
    if "$ref" in value:
        return dict(defs[value["$ref"].rpartition("/")[2]])
    nested = [
        *value.get("anyOf", ()),
        *value.get("patternProperties", {}).values(),
        *([value["additionalProperties"]] if isinstance(value.get("additionalProperties"), dict) else []),
    ]
    return _model(nested[0], defs)


def _kind(value: Schema, defs: Schema) -> str:
    """Say in words what may stand there."""
    if "$ref" in value:
        return "table of " + ", ".join(f"`{key}`" for key in _model(value, defs)["properties"])
    if "anyOf" in value:
        return " or ".join(_kind(option, defs) for option in value["anyOf"] if option.get("type") != "null")
    if "enum" in value:
        return " or ".join(f"`{json.dumps(option)}`" for option in value["enum"])
    if value.get("type") == "array":
        items = value.get("prefixItems")
        return "[" + ", ".join(_kind(item, defs) for item in items) + "]" if items else f"list of {_kind(value['items'], defs)}"
    if value.get("type") == "object":
        (inner,) = value.get("patternProperties", {"": value.get("additionalProperties")}).values()
        return f"table of names, each with {_kind(inner, defs)}"
    return _WORDS[value["type"]] + _limits(value)


_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def _limits(value: Schema) -> str:
    if "pattern" in value:
        return f" like `{value['pattern']}`"
    low, above = value.get("minimum"), value.get("exclusiveMinimum")
    bounds = [f"from {low:g}"] if low is not None else [f"above {above:g}"] if above is not None else []
    if (high := value.get("maximum")) is not None:
        bounds.append(f"to {high:g}")
    return " " + " ".join(bounds) if bounds else ""


def _default(value: Any) -> str:
    empty = isinstance(value, dict) and not any(inner is not None for inner in value.values())
    return "-" if value is None or empty else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    """Write a value as it would stand in the file."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items() if inner is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value)
