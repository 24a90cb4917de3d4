"""The catalog of streams, in Airbyte's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from singer_sdk import Stream
from singer_sdk.exceptions import ConfigurationError
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

_FULL, _INCREMENTAL = "full_refresh", "incremental"
_CATALOG = Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "streams": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "stream": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}},
                            "required": ["name"],
                        },
                        "sync_mode": {"enum": [_FULL, _INCREMENTAL]},
                    },
                    "required": ["stream", "sync_mode"],
                },
            }
        },
        "required": ["streams"],
    }
)


def discovered(streams: Iterable[Stream]) -> dict[str, Any]:
    """Return the catalog of what can be read."""
    return {"streams": [_entry(stream) for stream in streams]}


def modes(configured: Any) -> dict[str, str]:
    """Return how streams are to be read, by their names.

    Args:
        configured: the catalog that a platform has chosen.

    Raises:
        ConfigurationError: it is none.
    """
    if not _CATALOG.is_valid(configured):
        message = (
            "The catalog is none of Airbyte's: it must be an object with a list of configured "
            "streams. Give the one of a connection"
        )
        raise ConfigurationError(message)
    return {entry["stream"]["name"]: entry["sync_mode"] for entry in configured["streams"]}


def choose(streams: Iterable[Stream], modes: Mapping[str, str]) -> None:
    """Select streams.

    Args:
        streams: all streams.
        modes: how those that are selected are to be read. Incremental means in full where a stream
            can only be read so, since clients ask for it without looking.
    """
    for stream in streams:
        mode = modes.get(stream.name)
        stream.selected = mode is not None
        if mode == _FULL:
            stream.forced_replication_method = REPLICATION_FULL_TABLE


def is_incremental(stream: Stream) -> bool:
    """Return whether a stream goes on where an earlier run has ended."""
    return stream.replication_method == REPLICATION_INCREMENTAL


def _entry(stream: Stream) -> dict[str, Any]:
    """Return what can be chosen of a stream."""
    schema = {name: value for name, value in stream.schema.items() if name != "$schema"}
    entry: dict[str, Any] = {
        "name": stream.name,
        "json_schema": schema,
        "supported_sync_modes": [_FULL],
        "source_defined_primary_key": [[key] for key in stream.primary_keys],
    }
    if is_incremental(stream):
        entry["supported_sync_modes"] = [_FULL, _INCREMENTAL]
        entry["source_defined_cursor"] = True
        entry["default_cursor_field"] = [stream.replication_key]
        entry["is_resumable"] = True
    return entry
