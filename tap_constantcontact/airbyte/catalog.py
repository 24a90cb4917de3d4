"""The catalog of streams in Airbyte's format."""

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


def airbyte_catalog(streams: Iterable[Stream]) -> dict[str, Any]:
    """Return the catalog of all streams."""
    return {"streams": [_entry(stream) for stream in streams]}


def sync_modes(configured: Any) -> dict[str, str]:
    """Return the sync modes of the configured streams, by name.

    Args:
        configured: The configured catalog of a connection.

    Raises:
        ConfigurationError: It is not a configured catalog, or has no stream.
    """
    if not _CATALOG.is_valid(configured):
        message = (
            "Invalid catalog: not an Airbyte configured catalog (must be an object with a list of "
            "configured streams). Pass the configured catalog of a connection"
        )
        raise ConfigurationError(message)
    if not configured["streams"]:
        message = (
            "The configured catalog has no stream, so there is nothing to read. Select streams in "
            "the connection"
        )
        raise ConfigurationError(message)
    return {entry["stream"]["name"]: entry["sync_mode"] for entry in configured["streams"]}


def select(streams: Iterable[Stream], modes: Mapping[str, str]) -> None:
    """Select streams.

    Args:
        streams: All streams.
        modes: Sync modes of the streams to select. A stream that doesn't support incremental mode
            is read in full instead, because clients request that mode for any stream.
    """
    for stream in streams:
        mode = modes.get(stream.name)
        stream.selected = mode is not None
        if mode == _FULL:
            stream.forced_replication_method = REPLICATION_FULL_TABLE


def is_incremental(stream: Stream) -> bool:
    """Return whether a stream resumes from the state of an earlier run."""
    return stream.replication_method == REPLICATION_INCREMENTAL


def _entry(stream: Stream) -> dict[str, Any]:
    """Return the catalog entry of a stream."""
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
