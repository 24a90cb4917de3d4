"""What loaders refuse or change in the schema of a stream; each rule names one that does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

#: The names of types that every loader has a column for, and what may stand next to them.
_TYPES = {"string", "integer", "number", "boolean", "object", "array"}
_KEYWORDS = {"type", "format", "description", "properties", "items", "additionalProperties"}
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
#: Of PostgreSQL; MySQL has one more.
_MAX_LENGTH = 63
#: To which the SDK's loaders flatten at most, in the settings of the docs.
_DEPTH = 3

#: Reserved words by database, as its dialect of SQLAlchemy or sqlglot lists them.
RESERVED = {
    database: set(words.split())
    for database, words in re.findall(
        r"^(\S.*):\n((?:  .*\n)+)",
        Path(__file__).with_name("reserved_words.txt").read_text("utf-8"),
        re.MULTILINE,
    )
}


def refused(message: dict[str, Any]) -> list[str]:
    """Return what a loader would refuse or change in a SCHEMA message."""
    stream, schema, keys = message["stream"], message["schema"], message["key_properties"]
    return [
        f"{stream}{problem}"
        for problem in chain(
            _name_problems(stream, ""),
            _key_problems(schema, keys),
            *(
                _property_problems(inner, f".{name}", name in keys)
                for name, inner in schema["properties"].items()
            ),
            _flat_problems(schema),
        )
    ]


def reserved(name: str) -> set[str]:
    """Return the databases in which a name is a reserved word."""
    return {database for database, words in RESERVED.items() if name in words}


def _name_problems(name: str, path: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"{path}: characters that BigQuery refuses, or capitals that Snowflake folds"


def _key_problems(schema: Schema, keys: list[str]) -> Iterator[str]:
    if not keys:
        yield ": no key to merge rows by"
    if missing := set(keys) - schema["properties"].keys():
        yield f": keys without a column: {sorted(missing)}"


def _property_problems(schema: Schema, path: str, is_key: bool = False) -> Iterator[str]:
    yield from _name_problems(path.rpartition(".")[2].removesuffix("[]"), path)
    if others := schema.keys() - _KEYWORDS:
        yield f"{path}: {sorted(others)}, which some loaders take for a type, and some enforce"
        return
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if is_key and types not in (["string"], ["integer"]):
        yield f"{path}: a nullable key, which ClickHouse refuses"
    if not is_key and (len(types) != 2 or types[1] != "null" or types[0] not in _TYPES):
        yield f"{path}: not one type and null, of which some loaders take only the first"
    if schema.get("format", "date-time") != "date-time":
        yield f"{path}: a format; target-snowflake takes the dashes out of a uuid"
    yield from _nested_problems(schema, types[0], path)


def _nested_problems(schema: Schema, type_: str, path: str) -> Iterator[str]:
    properties, items = schema.get("properties"), schema.get("items")
    if properties == {} and not (path.endswith("[]") and schema.get("additionalProperties")):
        yield f"{path}: an object without a column, whose content loaders drop"
    if properties is None and type_ == "object" and path.endswith("[]"):
        yield f"{path}: objects without properties in an array, which end target-snowflake"
    for name, inner in (properties or {}).items():
        yield from _property_problems(inner, f"{path}.{name}")
    if items is None:
        return
    if "array" in items["type"]:
        yield f"{path}: an array of arrays, which BigQuery and target-postgres refuse"
    yield from _property_problems(items, f"{path}[]")


def _flat_problems(schema: Schema) -> Iterator[str]:
    """Yield problems of the columns that a loader makes which flattens objects."""
    for depth in range(_DEPTH + 1):
        names = Counter(
            re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in _flat(schema, depth)
        )
        for name, count in names.items():
            if len(name) > _MAX_LENGTH:
                yield f".{name}: too long for a column of PostgreSQL at depth {depth}"
            if count > 1:
                yield f".{name}: several properties for one column at depth {depth}"


def _flat(schema: Schema, depth: int, prefix: str = "") -> Iterator[str]:
    for name, inner in schema["properties"].items():
        if depth and inner.get("properties"):
            yield from _flat(inner, depth - 1, f"{prefix}{name}__")
        else:
            yield f"{prefix}{name}"
