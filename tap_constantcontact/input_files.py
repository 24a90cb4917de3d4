"""Reads the files that a run is given, and checks whether they are what they are given for."""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path
from typing import IO, Any

from jsonschema import Draft202012Validator
from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.incremental.change_log_codec import check_version
from tap_constantcontact.streams.campaign_stats import EmailCampaignStats

#: The schema of a stream's state; every replication key of the tap is a timestamp.
BOOKMARK: dict[str, Any] = {
    "type": "object",
    "properties": {"replication_key_value": {"pattern": "^(19|20)[0-9]{2}-", "type": "string"}},
}
_STATE = Draft202012Validator(
    {
        "type": "object",
        "properties": {"bookmarks": {"additionalProperties": BOOKMARK, "type": "object"}},
        # The first run may get an empty state. A whole STATE message is not a state.
        "anyOf": [{"required": ["bookmarks"]}, {"maxProperties": 0}],
    }
)
_METADATA = {
    "type": "object",
    "properties": {"breadcrumb": {"type": "array"}, "metadata": {"type": "object"}},
    "required": ["breadcrumb", "metadata"],
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "properties": {"type": "object", "additionalProperties": {"$ref": "#/$defs/schema"}},
        "items": {"$ref": "#/$defs/schema"},
    },
}
_STREAM = {
    "type": "object",
    "properties": {
        "tap_stream_id": {"type": "string"},
        "schema": {"$ref": "#/$defs/schema", "required": ["properties"]},
        "metadata": {"type": ["array", "null"], "items": _METADATA},
    },
    "required": ["tap_stream_id", "schema"],
}
_CATALOG = Draft202012Validator(
    {
        "type": "object",
        "properties": {"streams": {"type": "array", "items": _STREAM}},
        "required": ["streams"],
        "$defs": {"schema": _SCHEMA},
    }
)
NO_SETTINGS = "The config file must contain a JSON object; see the README for a minimal example"
FOREIGN_STATE = (
    "Invalid state: not one of this tap (must be the value of a STATE message, an object with "
    "bookmarks). Pass the last state that the tap wrote, or omit it to start over"
)
FOREIGN_CATALOG = (
    "Invalid catalog: not one of this tap (must be an object with a list of its streams). Write a "
    "new one with --discover"
)


def check_files(state: Any, catalog: Any) -> None:
    """Check the shape of files that an earlier command of the tap has written.

    Raises:
        ConfigurationError: The state or the catalog is invalid, or the state is too new.
    """
    if isinstance(state, (dict, list)) and not _STATE.is_valid(state):
        raise ConfigurationError(FOREIGN_STATE)
    if isinstance(state, dict):
        check_version(state.get("bookmarks", {}).get(EmailCampaignStats.name, {}))
    if isinstance(catalog, (dict, list)) and not _CATALOG.is_valid(catalog):
        raise ConfigurationError(FOREIGN_CATALOG)


def check_known(state: Any, streams: Container[str]) -> None:
    """Check that a state has a stream of this tap, if it has any.

    Another tap's state would be ignored, and everything read again.

    Args:
        state: The state; only a dict is checked.
        streams: The names of the tap's streams.

    Raises:
        ConfigurationError: All its streams are unknown.
    """
    bookmarks = state.get("bookmarks") if isinstance(state, dict) else None
    if bookmarks and not any(name in streams for name in bookmarks):
        raise ConfigurationError(FOREIGN_STATE)


def read_settings(name: str) -> dict[str, Any]:
    """Return the settings in a file.

    Args:
        name: The path of the file.

    Raises:
        ConfigurationError: It has no JSON object.
        OSError: It can't be read.
    """
    settings = parse_json(Path(name).read_bytes(), name)
    if not isinstance(settings, dict):
        raise ConfigurationError(NO_SETTINGS)
    return settings


def text_of(file: IO[str]) -> str:
    """Return the text of an open file of JSON, in any of the encodings that JSON may have."""
    content: bytes | str = getattr(file, "buffer", file).read()
    return content.decode(json.detect_encoding(content)) if isinstance(content, bytes) else content


def parse_json(content: str | bytes, name: str) -> Any:
    """Return the JSON of a file.

    Args:
        content: What it contains.
        name: What the message calls it.

    Raises:
        ConfigurationError: It is not valid JSON.
    """
    try:
        return json.loads(content)
    except ValueError as error:
        problem = error if content.strip() else "the file is empty"
        message = f"Invalid JSON in {name}: {problem}. Fix the file"
        raise ConfigurationError(message) from error
