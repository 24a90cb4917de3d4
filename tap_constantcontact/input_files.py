"""Reads the files that a run is given, and checks whether they are what they are given for."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk import Stream
from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.incremental.activity_progress import POSITION
from tap_constantcontact.incremental.bookmark import AT_BOOKMARK
from tap_constantcontact.incremental.change_log_codec import LOG, LOG_OWNER, VERSION, check_version
from tap_constantcontact.incremental.contact_cycles import CycleState, SweepState
from tap_constantcontact.incremental.event_cycle import CYCLE_KEY
from tap_constantcontact.settings.custom_streams import ACCOUNT_ID
from tap_constantcontact.timestamps import parse_timestamp


def _part(**properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a part of a stream's state, as `state_parts` describes it."""
    part = {"type": "object", "properties": properties}
    return {"type": "array", "minItems": 1, "items": part}


_NUMBER, _OBJECT, _TEXT = {"type": "integer"}, {"type": "object"}, {"type": "string"}
_TIMESTAMP = {"format": "timestamp", "pattern": "^[0-9]{4}-", "type": "string"}
#: The formats in those schemas.
FORMATS = FormatChecker(formats=())
FORMATS.checks("timestamp", raises=ValueError)(
    lambda text: not isinstance(text, str) or bool(parse_timestamp(text))
)
_LOG = _part(
    id=_TEXT,
    last_number=_NUMBER,
    campaigns={"type": "object", "additionalProperties": _OBJECT},
    earlier={"type": "array", "items": {"type": "array", "prefixItems": [_TEXT, _NUMBER]}},
    asked_since=_TEXT,
    others={"type": "array"},
    unanswered=_OBJECT,
)
_IS_NEWER = {"contains": {"properties": {"version": {"not": {"const": VERSION}}}}}
#: The schema of a change log; that of a newer version is refused with a reason of its own.
LOG_PART: dict[str, Any] = {"if": _IS_NEWER, "then": _part(), "else": _LOG}
#: The schema of a stream's state; every replication key of the tap is a timestamp.
BOOKMARK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "replication_key_value": _TIMESTAMP,
        "sent_until": {"type": ["integer", "null"]},
        POSITION: _part(
            log=_TEXT,
            read_through=_NUMBER,
            complete_through=_NUMBER,
            left_out=_OBJECT,
            empty_reports=_NUMBER,
            since=_TEXT,
        ),
        AT_BOOKMARK: _part(bookmark=_TIMESTAMP, rows=_OBJECT),
        CYCLE_KEY: _part(began=_TIMESTAMP, read=_OBJECT, streams={"type": "array"}),
        **{
            kind.under_way_key: _part(**{"began": _TIMESTAMP, kind.settings_key: _OBJECT})
            for kind in (CycleState, SweepState)
        },
    },
}
_STATE = Draft202012Validator(
    {
        "type": "object",
        "properties": {"bookmarks": {"type": "object"}},
        # The first run may get an empty state. A whole STATE message is not a state.
        "anyOf": [{"required": ["bookmarks"]}, {"maxProperties": 0}],
    }
)
_OWNER = {"type": "object", "properties": {**BOOKMARK["properties"], LOG: LOG_PART}}
_BOOKMARKS = Draft202012Validator(
    {"properties": {LOG_OWNER: _OWNER}, "additionalProperties": BOOKMARK},
    format_checker=FORMATS,
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
NO_SETTINGS = (
    'The config file must contain a JSON object, such as {"client_id": "…", "refresh_token": "…"}'
)
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
        _check_bookmarks(state.get("bookmarks", {}))
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
    return _object_in(name, NO_SETTINGS)


def read_catalog(name: str) -> dict[str, Any]:
    """Return the catalog in a file, whose shape is not checked yet.

    Args:
        name: The path of the file.

    Raises:
        ConfigurationError: It has no JSON object.
        OSError: It can't be read.
    """
    return _object_in(name, FOREIGN_CATALOG)


def _object_in(name: str, foreign: str) -> dict[str, Any]:
    """Return the object in a file; `foreign` is the message about any other JSON."""
    found = parse_json(Path(name).read_bytes(), name)
    if not isinstance(found, dict):
        raise ConfigurationError(foreign)
    return found


def parse_json(content: str | bytes, name: str) -> Any:
    """Return the JSON of a file.

    Args:
        content: What it contains, in any of the encodings that JSON may have.
        name: What the message calls it.

    Raises:
        ConfigurationError: It is not valid JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        problem = error if content.strip() else "the file is empty"
        message = f"Invalid JSON in {name}: {problem}. Fix the file"
        raise ConfigurationError(message) from error


def _check_bookmarks(bookmarks: dict[str, Any]) -> None:
    """Check the states of streams, which someone may have edited.

    Raises:
        ConfigurationError: One is invalid, or the log is too new.
    """
    for error in _BOOKMARKS.iter_errors(bookmarks):
        stream = f"bookmarks.{error.absolute_path[0]}"
        where = ".".join(map(str, ("bookmarks", *error.absolute_path)))
        value = reprlib.repr(error.instance)
        message = (
            f"Invalid state: {where} is {value} (must be as the tap wrote it). Remove {stream} "
            "from the state to read the stream from the start, or pass an earlier state"
        )
        raise ConfigurationError(message)
    check_version(bookmarks.get(LOG_OWNER, {}))


def check_account_column(catalog: Mapping[str, Any], streams: Iterable[Stream]) -> None:
    """Check that a catalog has no column of add_account_id if that is off.

    Args:
        catalog: The entries of the catalog, by the names of their streams.
        streams: The streams of the tap.

    Raises:
        ConfigurationError: It has, so that tables have a key which the records lack.
    """
    for stream in streams:
        if stream.selected and stream.name in catalog:
            columns = catalog[stream.name].schema.properties or ()
            if ACCOUNT_ID in columns and ACCOUNT_ID not in stream.schema["properties"]:
                message = (
                    f"The catalog was made with add_account_id, which is off: {stream.name} has "
                    f"the column {ACCOUNT_ID}. Turn it on, or re-run discovery"
                )
                raise ConfigurationError(message)
