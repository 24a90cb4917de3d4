"""The setting custom_streams: how a stream is declared, what is accepted, and its schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from singer_sdk import typing as th

#: In a parameter: replaced by the time to read from, which is the bookmark or start_date.
SINCE = "{since}"
#: Column that holds the whole record, in a stream without a schema.
WHOLE_RECORD = "record"
#: Column that the setting add_account_id adds to every row and key.
ACCOUNT_ID = "account_id"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# What loaders neither refuse nor rename.
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PATH = re.compile(r"(/[^/\s?#{}]+)+")
_TYPES = ("string", "integer", "number", "boolean", "object", "array")
_KEY_TYPES = ("string", "integer")
_TIMESTAMP = {"type": "string", "format": "date-time"}
_NESTED = ("properties", "items")
# Loaders read them in different ways, if at all.
_ALTERNATIVES = frozenset({"$ref", "allOf", "anyOf", "not", "oneOf"})

Declaration = Mapping[str, Any]

#: The declaration of a stream, as the settings describe it.
DECLARATION = th.ObjectType(
    th.Property(
        "name",
        th.StringType,
        required=True,
        title="Name",
        description="Name of the stream: lowercase letters, digits and underscores.",
    ),
    th.Property(
        "path",
        th.StringType,
        required=True,
        title="Path",
        description="Path of the endpoint below api_url, such as /contact_lists.",
    ),
    th.Property(
        "records_path",
        th.StringType,
        title="Records path",
        description=(
            "Property of the response that holds the records; use dots for nested properties. "
            "Default: the response itself is the record or the array of records."
        ),
    ),
    th.Property(
        "primary_keys",
        th.ArrayType(th.StringType),
        required=True,
        title="Primary keys",
        description="Properties that identify a record.",
    ),
    th.Property(
        "replication_key",
        th.StringType,
        title="Replication key",
        description=(
            "Property that holds the time of a record's last change. If set, runs fetch only what "
            "changed since the previous run."
        ),
    ),
    th.Property(
        "params",
        th.CustomType(
            {
                "type": ["object", "null"],
                "additionalProperties": {"type": ["string", "integer", "boolean"]},
            }
        ),
        title="Parameters",
        description=(
            "Query parameters of the first page. {since} is replaced by the bookmark or "
            "start_date; without either, parameters that contain it are not sent."
        ),
    ),
    th.Property(
        "schema",
        th.CustomType(
            {
                "type": ["object", "null"],
                "properties": {"properties": {"type": "object"}},
                "required": ["properties"],
            }
        ),
        title="Schema",
        description=(
            "JSON Schema of a record; its properties become columns. Default: the keys, and the "
            "whole record in the column record."
        ),
    ),
    th.Property(
        "scopes",
        th.ArrayType(th.StringType),
        title="Scopes",
        description="Scopes that the endpoint requires; used by the sign-in and in messages.",
    ),
    additional_properties=False,
)


def problems(declarations: Sequence[Declaration], built_in: Collection[str]) -> Iterator[str]:
    """Yield a message for each problem in declarations whose values have valid types.

    Args:
        declarations: The value of the setting.
        built_in: Names of the tap's own streams.
    """
    names: set[str] = set()
    for index, declaration in enumerate(declarations):
        place = f"custom_streams.{index}"
        yield from _name_problems(declaration, place, {*built_in, *names})
        yield from _param_problems(declaration, place)
        yield from _key_problems(declaration, place)
        yield from _column_name_problems(_columns_of(declaration), place)
        if "schema" in declaration:
            yield from _column_problems(declaration, place)
        names.add(declaration["name"])


def account_problems(declarations: Sequence[Declaration]) -> Iterator[str]:
    """Yield a message for each declared stream that has the column of add_account_id itself.

    Args:
        declarations: The value of the setting, of the right types.
    """
    for index, declaration in enumerate(declarations):
        if ACCOUNT_ID in _columns_of(declaration):
            yield (
                f"Invalid column in custom_streams.{index}: {ACCOUNT_ID!r} (is the column of "
                "add_account_id; unset that, or remove the column from the declaration)"
            )


def _columns_of(declaration: Declaration) -> Collection[str]:
    """Return the names of the columns that a declaration names."""
    declared = declaration.get("schema", {"properties": ()})["properties"]
    keys = (*declaration["primary_keys"], declaration.get("replication_key"))
    return dict.fromkeys([*declared, *filter(None, keys)]).keys()


def schema_of(declaration: Declaration) -> dict[str, Any]:
    """Return the schema of a declared stream.

    Without a declared schema the whole record is one column of type object, so that nothing is
    lost and no column changes its type later.
    """
    declared = declaration.get("schema")
    properties = declared["properties"] if declared else {}
    keys = declaration["primary_keys"]
    columns: dict[str, Any] = {key: {"type": "string"} for key in keys}
    if replication_key := declaration.get("replication_key"):
        columns[replication_key] = _normalized(_TIMESTAMP, is_key=replication_key in keys)
    for name, schema in properties.items():
        columns[name] = _normalized(schema, is_key=name in keys)
    if not declared:
        columns[WHOLE_RECORD] = {
            "type": ["object", "null"],
            "description": "The whole record, as the API returned it.",
        }
    return {"type": "object", "required": list(keys), "properties": columns}


def _name_problems(declaration: Declaration, place: str, taken: Collection[str]) -> Iterator[str]:
    name, path = declaration["name"], declaration["path"]
    if not _NAME.fullmatch(name):
        yield (
            f"Invalid {place}.name: {name!r} (must start with a lowercase letter and have at most "
            "63 lowercase letters, digits and underscores)"
        )
    if name in taken:
        yield (
            f"Invalid {place}.name: {name!r} (must be a new name; a stream with this name already "
            "exists)"
        )
    if not _PATH.fullmatch(path):
        yield (
            f"Invalid {place}.path: {path!r} (must be a path below api_url such as /contact_lists, "
            "without placeholders; put query parameters in params)"
        )


def _param_problems(declaration: Declaration, place: str) -> Iterator[str]:
    if "replication_key" in declaration:
        return
    for name, value in declaration.get("params", {}).items():
        if SINCE in str(value):
            yield (
                f"Invalid {place}.params.{name}: {value!r} ({SINCE} requires a replication_key; "
                "set one, or remove the parameter)"
            )


def _key_problems(declaration: Declaration, place: str) -> Iterator[str]:
    keys = declaration["primary_keys"]
    if not keys:
        yield f"Invalid {place}.primary_keys: [] (must name at least one property)"
    if "schema" not in declaration and WHOLE_RECORD in (*keys, declaration.get("replication_key")):
        yield (
            f"Invalid key in {place}: {WHOLE_RECORD!r} (is the column of the whole record; declare "
            "a schema to use it as a key)"
        )


def _column_problems(declaration: Declaration, place: str) -> Iterator[str]:
    columns = declaration["schema"]["properties"]
    for name, schema in columns.items():
        yield from _type_problems(schema, f"{place}.schema.properties.{name}")
    for key in declaration["primary_keys"]:
        if key in columns and _types(columns[key]) not in ([each] for each in _KEY_TYPES):
            yield (
                f"Invalid {place}.schema.properties.{key}: {columns[key]!r} (must be of type "
                "string or integer, as it is a primary key)"
            )
    replication_key = declaration.get("replication_key")
    if replication_key in columns and columns[replication_key].get("format") != "date-time":
        yield (
            f"Invalid {place}.schema.properties.{replication_key}: {columns[replication_key]!r} "
            "(must be a string with the format date-time, as it is the replication key)"
        )


def _column_name_problems(names: Collection[str], place: str) -> Iterator[str]:
    """Yield a message for each property that could not have a column, or not one of its own."""
    columns: dict[str, str] = {}
    for name in names:
        if not _COLUMN.fullmatch(name):
            yield (
                f"Invalid column in {place}: {name!r} (must start with a letter or underscore and "
                "have at most 63 letters, digits and underscores)"
            )
        other = columns.setdefault(_CAPITAL.sub("_", name).lower(), name)
        if other != name:
            yield (
                f"Invalid column in {place}: {name!r} (must differ from {other!r} in more than "
                "capitals)"
            )


def _type_problems(schema: Any, place: str) -> Iterator[str]:
    """Yield a message for each type, at any depth, that the tap can't convert values to."""
    types = _types(schema)
    if len(types) != 1 or types[0] not in _TYPES or not _ALTERNATIVES.isdisjoint(schema):
        yield (
            f"Invalid {place}: {schema!r} (must have exactly one type of {', '.join(_TYPES)}, "
            f"optionally with null, and no {', '.join(sorted(_ALTERNATIVES))})"
        )
        return
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        yield f"Invalid {place}.properties: {properties!r} (must be an object of names and schemas)"
        return
    yield from _column_name_problems(properties, place)
    for name, inner in properties.items():
        yield from _type_problems(inner, f"{place}.properties.{name}")
    if "items" in schema:
        yield from _type_problems(schema["items"], f"{place}.items")


def _types(schema: Any) -> list[str]:
    """Return the types of a schema, except null."""
    declared = schema.get("type", []) if isinstance(schema, Mapping) else []
    listed = declared if isinstance(declared, list) else [declared]
    return [each for each in listed if each != "null"]


def _normalized(
    schema: Mapping[str, Any], *, is_key: bool = False, is_item: bool = False
) -> dict[str, Any]:
    """Return a schema that every loader takes, with values that they don't change.

    Args:
        schema: The declared schema.
        is_key: Whether it is the schema of a key; everything else can be null, at every depth.
        is_item: Whether it is the schema of the items of an array.
    """
    (type_,) = _types(schema)
    normalized = {name: each for name, each in schema.items() if name not in _NESTED}
    normalized["type"] = type_ if is_key else [type_, "null"]
    if schema.get("format") == "uuid":  # target-snowflake would store it without its dashes
        del normalized["format"]
    items, properties = schema.get("items"), schema.get("properties")
    # Loaders refuse arrays of arrays, but not arrays of anything.
    if items and "array" not in _types(items):
        normalized["items"] = _normalized(items, is_item=True)
    if properties:
        normalized["properties"] = {name: _normalized(each) for name, each in properties.items()}
    elif type_ == "object" and is_item:
        # As the schema of automations: some loaders fail without, or drop what such objects hold.
        normalized |= {"properties": {}, "additionalProperties": True}
    return normalized
