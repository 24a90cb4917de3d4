"""The JSON Schemas of the streams."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from singer_sdk import SchemaDirectory

from tap_constantcontact.settings.custom_streams import ACCOUNT_ID

SCHEMAS = SchemaDirectory(files(__package__) / "schemas")
_ACCOUNT_ID = {
    "type": "string",
    "description": "ID of the account that the row belongs to: its encoded_account_id.",
}
_EXTRA = {
    "type": ["object", "null"],
    "description": "Properties that the schema doesn't declare: a list of values for each path.",
}


def with_added(
    schema: dict[str, Any], config: Mapping[str, Any], *, is_whole: bool = False
) -> dict[str, Any]:
    """Return the schema of a stream with the columns that settings add.

    Args:
        schema: The schema as it is declared.
        config: The settings.
        is_whole: Whether a record has a column with all its properties, so that none is unknown.
    """
    added: dict[str, Any] = {}
    if config.get("add_account_id"):
        added[ACCOUNT_ID] = _ACCOUNT_ID
        schema = {**schema, "required": [*schema.get("required", ()), ACCOUNT_ID]}
    if config.get("keep_unknown_fields") and not is_whole:
        added["_extra"] = _EXTRA
    return {**schema, "properties": {**schema["properties"], **added}} if added else schema


def without_added(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without the columns that settings add, which no row has."""
    columns = {
        name: column
        for name, column in schema["properties"].items()
        if column not in (_EXTRA, _ACCOUNT_ID)
    }
    return {**schema, "properties": columns}


def key_of(row_key: tuple[str, ...], config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the key of a record.

    Args:
        row_key: The key of a row within its account.
        config: The settings.
    """
    return (*row_key, ACCOUNT_ID) if config.get("add_account_id") else row_key
