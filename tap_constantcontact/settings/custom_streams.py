"""Streams that the setting custom_streams declares: what is accepted, and their schemas."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

#: In a parameter: the time that a run begins at, by the bookmark or start_date.
SINCE = "{since}"
#: The column with the whole record, of a stream without a schema.
WHOLE_RECORD = "record"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PATH = re.compile(r"(/[^/\s?#{}]+)+")
_KINDS = ("string", "integer", "number", "boolean", "object", "array")
_KINDS_OF_KEYS = ("string", "integer")
_TIMESTAMP = {"type": "string", "format": "date-time"}

Declaration = Mapping[str, Any]


def problems(declarations: Sequence[Declaration], built_in: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with declarations that have the right types, a sentence each.

    Args:
        declarations: the value of the setting.
        built_in: the names of the streams that the tap has.
    """
    names: set[str] = set()
    for number, declaration in enumerate(declarations):
        place = f"custom_streams.{number}"
        yield from _problems_of_names(declaration, place, {*built_in, *names})
        yield from _problems_of_columns(declaration, place)
        names.add(declaration["name"])


def schema_of(declaration: Declaration) -> dict[str, Any]:
    """Return the schema of a stream: of its key, and of what else is declared.

    Without a schema the whole record is one column, an object: nothing is lost, and no column
    changes its type later.
    """
    declared = declaration.get("schema")
    properties = declared["properties"] if declared else {}
    keys = declaration["primary_keys"]
    columns: dict[str, Any] = {key: {"type": "string"} for key in keys}
    if replication_key := declaration.get("replication_key"):
        columns[replication_key] = _one_form(_TIMESTAMP, is_key=replication_key in keys)
    for name, schema in properties.items():
        columns[name] = _one_form(schema, is_key=name in keys)
    if not declared:
        columns[WHOLE_RECORD] = {
            "type": ["object", "null"],
            "description": "The whole record, as the API gave it.",
        }
    return {"type": "object", "required": list(keys), "properties": columns}


def _problems_of_names(
    declaration: Declaration, place: str, taken: Collection[str]
) -> Iterator[str]:
    name, path = declaration["name"], declaration["path"]
    if not _NAME.fullmatch(name):
        yield (
            f"Setting {place}.name is {name!r}, but must be up to 63 small letters, digits and _, "
            "a letter first"
        )
    if name in taken:
        yield (
            f"Setting {place}.name is {name!r}, but must be another one: there is a stream of that "
            "name"
        )
    if not _PATH.fullmatch(path):
        yield (
            f"Setting {place}.path is {path!r}, but must be a path below api_url, such as "
            "/contact_lists, without placeholders; parameters belong into params"
        )
    is_incremental = "replication_key" in declaration
    for parameter, value in declaration.get("params", {}).items():
        if SINCE in str(value) and not is_incremental:
            yield f"Setting {place}.params.{parameter} has {SINCE}, but needs a replication_key"


def _problems_of_columns(declaration: Declaration, place: str) -> Iterator[str]:
    keys = declaration["primary_keys"]
    if not keys:
        yield f"Setting {place}.primary_keys is [], but must name at least one property"
    own = [*keys, *filter(None, [declaration.get("replication_key")])]
    if "schema" not in declaration:
        if WHOLE_RECORD in own:
            yield (
                f"Setting {place} has a key {WHOLE_RECORD!r}, which is the column of the whole "
                "record: it needs a schema"
            )
        return
    columns = declaration["schema"]["properties"]
    for column, schema in columns.items():
        yield from _problems_of_type(schema, f"{place}.schema.properties.{column}")
    for key in keys:
        if key in columns and _kinds(columns[key]) not in ([kind] for kind in _KINDS_OF_KEYS):
            yield f"Setting {place}.schema.properties.{key} is a key, but no string or integer"
    replication_key = declaration.get("replication_key")
    if replication_key in columns and columns[replication_key].get("format") != "date-time":
        yield (
            f"Setting {place}.schema.properties.{replication_key} is the replication key, but no "
            "string with the format date-time"
        )


def _problems_of_type(schema: Any, place: str) -> Iterator[str]:
    """Yield what of a column the tap cannot bring values into, at every depth."""
    kinds = _kinds(schema)
    if len(kinds) != 1 or kinds[0] not in _KINDS:
        yield f"Setting {place} must have one type of {', '.join(_KINDS)}, and null if wanted"
        return
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        yield f"Setting {place}.properties must be an object"
        return
    for name, inner in properties.items():
        yield from _problems_of_type(inner, f"{place}.properties.{name}")
    if "items" in schema:
        yield from _problems_of_type(schema["items"], f"{place}.items")


def _kinds(schema: Any) -> list[str]:
    """Return the types of a schema but for null."""
    declared = schema.get("type", []) if isinstance(schema, Mapping) else []
    listed = declared if isinstance(declared, list) else [declared]
    return [kind for kind in listed if kind != "null"]


def _one_form(schema: Mapping[str, Any], *, is_key: bool) -> dict[str, Any]:
    """Return a schema in which everything but a key can be null, at every depth."""
    (kind,) = _kinds(schema)
    formed = {**schema, "type": kind if is_key else [kind, "null"]}
    if "properties" in schema:
        inner = schema["properties"].items()
        formed["properties"] = {name: _one_form(each, is_key=False) for name, each in inner}
    if "items" in schema:
        formed["items"] = _one_form(schema["items"], is_key=False)
    return formed
