"""The schemas: what targets can hold, and what readers are told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.tap import STREAMS

FOLDER = Path(__file__).parent.parent / "schemas"
SCHEMAS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*")}


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all properties of a schema, at every depth, with their paths."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}{name}", inner
        yield from properties(inner, f"{path}{name}.")
        yield from properties(inner.get("items", {}), f"{path}{name}.")


def test_every_stream_has_a_schema_and_every_schema_a_stream() -> None:
    assert SCHEMAS.keys() == STREAMS.keys()


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_keys_are_required_and_never_null(name: str) -> None:
    schema, keys = SCHEMAS[name], list(STREAMS[name].primary_keys)
    assert schema["required"] == keys
    assert all(schema["properties"][key]["type"] in ("string", "integer") for key in keys)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_property_has_one_type_and_null_and_no_rule_that_an_answer_could_break(name: str) -> None:
    for path, schema in properties(SCHEMAS[name]):
        if path not in STREAMS[name].primary_keys:
            assert len(schema["type"]) == 2, path
            assert schema["type"][1] == "null", path
        assert schema.keys() <= {"type", "format", "description", "properties", "items"}, path
        assert schema.get("format", "date-time") == "date-time", path


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_property_is_described(name: str) -> None:
    assert SCHEMAS[name]["description"].endswith(".")
    assert [path for path, schema in properties(SCHEMAS[name]) if not schema["description"]] == []


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_names_are_columns_everywhere(name: str) -> None:
    names = {part for path, _ in properties(SCHEMAS[name]) for part in path.split(".")}
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,62}", part) for part in {*names, name})
