"""Converts between Airbyte's states, one per stream, and the state of the tap.

All report streams share one change log (`tap_constantcontact.incremental.change_log`), for which
Airbyte has no place: clients were observed to drop shared states, and the state of a stream that is
read in full (as the stream that owns the log is) or not selected is not kept. So each stream that
uses the log has a copy of it in its own state, and the newest copy wins. Clearing, removing or
adding a stream then doesn't affect the others, whereas a single copy would be lost with its stream
and all reports would be read again. A position names the log that it belongs to, so that of a
stream whose copy is another log is not believed. The price: the log of 3,000 campaigns has 285 KB,
which makes 2.6 MB for the nine streams that use it and are selected by default. A copy is only
written with its stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from singer_sdk import Stream
from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.incremental.change_log_codec import LOG, LOG_OWNER, check_version
from tap_constantcontact.incremental.change_log_identity import LAST_NUMBER_KEY
from tap_constantcontact.input_files import BOOKMARK, FORMATS, LOG_PART
from tap_constantcontact.streams import STREAMS
from tap_constantcontact.streams.campaigns import EmailCampaigns

#: Prefix of properties by which Airbyte marks an empty state.
_MARK = "__ab_"
# In version 1: the property that identifies a log, and those that refer to the numbers of one.
_ID = "id"
_OF_NUMBERS = ("read_through", "complete_through", "left_out")
_READERS = [vars(cls)["name"] for cls in STREAMS if cls.follows_change_log]
# The last stream to be read comes first: among equally new copies, its copy is the most complete.
# The campaign stream has a copy too, because it records in the log what saves later runs requests.
_WITH_COPY = (*reversed(_READERS), EmailCampaigns.name)

_VERSION_1 = {"type": "object", "properties": {"last_number": {"type": "integer"}}}
_STATES = Draft202012Validator(
    {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "type": {"const": "STREAM"},
                "stream": {
                    "type": "object",
                    "properties": {
                        "stream_descriptor": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}},
                            "required": ["name"],
                        },
                        "stream_state": {
                            "type": ["object", "null"],
                            "properties": {
                                **BOOKMARK["properties"],
                                LOG: {"anyOf": [LOG_PART, _VERSION_1]},
                            },
                        },
                    },
                    "required": ["stream_descriptor"],
                },
            },
            "required": ["type", "stream"],
        },
    },
    format_checker=FORMATS,
)


class StreamStates:
    """Extracts the states of incremental streams from the tap's state, and merges them again."""

    def __init__(self, incremental: Iterable[Stream]) -> None:
        """Set the incremental streams; the others have no state."""
        self._incremental = {stream.name for stream in incremental}

    def of(self, stream: str, bookmarks: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the state of a stream, or None if it is not incremental.

        Args:
            stream: Name of the stream.
            bookmarks: The state of the tap.
        """
        if stream not in self._incremental:
            return None
        own = bookmarks.get(stream, {})
        log = bookmarks.get(LOG_OWNER, {}).get(LOG)
        return {**own, LOG: log} if log and stream in _WITH_COPY else own

    def of_tap(self, given: Any) -> dict[str, Any]:
        """Return the state of the tap, merged from the states of its streams.

        Args:
            given: STATE messages of earlier runs, one per stream.

        Raises:
            ConfigurationError: The value is not a list of such messages, or the log is too new.
        """
        if not _STATES.is_valid(given or []):
            message = (
                "Invalid state: not one of this connector (must be a list of stream states). "
                "Reset the connection to start over"
            )
            raise ConfigurationError(message)
        states = {
            message["stream"]["stream_descriptor"]["name"]: message["stream"].get("stream_state")
            for message in given or []
        }
        own = {
            name: {key: value for key, value in state.items() if not key.startswith(_MARK)}
            for name, state in states.items()
            if state and name in self._incremental
        }
        copies = {name: own[name].pop(LOG) for name in _WITH_COPY if LOG in own.get(name, {})}
        parts = [copy for copy in copies.values() if isinstance(copy, list)]
        log = {LOG: max(parts, key=_age)} if parts else _of_version_1(own, copies)
        check_version(log)
        return {"bookmarks": {**own, LOG_OWNER: log}}


def _of_version_1(
    own: Mapping[str, dict[str, Any]], copies: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return the newest copy of the log, and take away positions that belong to another log.

    Args:
        own: The states of streams, from which positions are taken away.
        copies: Copies of the log, in the form of version 1, by stream.
    """
    log: dict[str, Any] = max(copies.values(), key=_age_of_version_1, default={})
    for name in copies.keys() & set(_READERS):
        if copies[name].get(_ID) != log.get(_ID):
            for key in _OF_NUMBERS:
                own[name].pop(key, None)
    return log


def _age(part: list[dict[str, Any]]) -> int:
    """Return a number that is greater for a newer copy; equal ones contain the same changes."""
    return _age_of_version_1(part[-1])


def _age_of_version_1(log: Mapping[str, Any]) -> int:
    return int(log.get(LAST_NUMBER_KEY, 0))
