"""The JSON Schemas of the streams."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from singer_sdk import SchemaDirectory


def _folder() -> Any:
    """Return the folder of schemas: in the installed package, or next to it in a checkout."""
    packaged = files(__package__) / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "schemas"


SCHEMAS = SchemaDirectory(_folder())
_EXTRA = {
    "type": ["object", "null"],
    "description": "Properties that the schema doesn't declare: a list of values for each path.",
}


def with_extra(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with a column for properties that it does not declare."""
    return {**schema, "properties": {**schema["properties"], "_extra": _EXTRA}}
