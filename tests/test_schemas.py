"""The schemas: types that every target can store, and descriptions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.tap import STREAMS

FOLDER = Path(__file__).parent.parent / "tap_constantcontact" / "schemas"
SCHEMAS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*")}


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all properties of a schema, at every depth, with their paths."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}{name}", inner
        yield from properties(inner, f"{path}{name}.")
        yield from properties(inner.get("items", {}), f"{path}{name}.")


ALL = [
    (name, path, schema) for name in sorted(SCHEMAS) for path, schema in properties(SCHEMAS[name])
]


def is_key(name: str, path: str) -> bool:
    return path in STREAMS[name].primary_keys


def test_schemas_match_streams() -> None:
    assert SCHEMAS.keys() == STREAMS.keys()
    assert len(ALL) > 1000


def test_schema_requires_its_keys() -> None:
    keys = {name: list(stream.primary_keys) for name, stream in STREAMS.items()}
    assert {name: schema["required"] for name, schema in SCHEMAS.items()} == keys


def test_schema_keys_are_never_null() -> None:
    types = {(name, path): schema["type"] for name, path, schema in ALL if is_key(name, path)}
    assert {key for key, type_ in types.items() if type_ not in ("string", "integer")} == set()


def test_schema_properties_have_one_type_and_null() -> None:
    types = {(name, path): schema["type"] for name, path, schema in ALL if not is_key(name, path)}
    wrong = {key for key, type_ in types.items() if len(type_) != 2 or type_[1] != "null"}
    assert wrong == set()


def test_schema_properties_have_no_rule_that_a_response_could_break() -> None:
    allowed = {"type", "format", "description", "properties", "items"}
    wrong = {(name, path): schema.keys() - allowed for name, path, schema in ALL}
    assert {key: rules for key, rules in wrong.items() if rules} == {}
    assert {schema.get("format", "date-time") for _, _, schema in ALL} == {"date-time"}


def test_schema_properties_are_described() -> None:
    assert [name for name in SCHEMAS if not SCHEMAS[name]["description"].endswith(".")] == []
    assert [(name, path) for name, path, schema in ALL if not schema["description"]] == []


def test_schema_names_are_column_names_in_every_database() -> None:
    names = {*SCHEMAS, *(part for _, path, _ in ALL for part in path.split("."))}
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name)] == []
