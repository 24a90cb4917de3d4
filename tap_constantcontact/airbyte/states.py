"""The states of the streams, one each as Airbyte keeps them, and the state of the tap.

All streams of reports use one change log (`tap_constantcontact.incremental.change_log`). Airbyte
has no place for it: clients drop states that streams share (observed), and Airbyte keeps no state
of a stream that is read in full, as the one with the log, or that is not selected. So each stream
that uses the log has a copy of it in its own state, and the newest copy counts. Then a stream can
be cleared, deselected or added without a cost to the others. A single copy would be lost with its
stream, and all reports would be read again. The price: the log of 3,000 campaigns has 285 KB, and
the nine streams that are selected by default and have a copy 2.6 MB. A copy is written only with
its stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from jsonschema import Draft202012Validator
from singer_sdk import Stream
from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.incremental.change_log_codec import check_version
from tap_constantcontact.input_files import BOOKMARK
from tap_constantcontact.streams import STREAMS
from tap_constantcontact.streams.campaign_stats import EmailCampaignStats
from tap_constantcontact.streams.campaigns import EmailCampaigns

_LOG_OF = EmailCampaignStats.name
_COPY = "log"
#: What begins so in a state says that there is none.
_MARK = "__ab_"
#: Tells logs apart that were started over, as their numbers mean different changes.
_ID = "id"
_READERS = [vars(cls)["name"] for cls in STREAMS if cls.follows_change_log]
# The last to be read comes first: of copies that are equally new, its own has most in it. The
# stream of campaigns has one too, as it notes in the log what spares later runs requests.
_WITH_COPY = (*reversed(_READERS), EmailCampaigns.name)
# What a stream knows by the numbers of a log.
_OF_NUMBERS = ("read_through", "complete_through", "left_out")

_LOG = {"type": "object", "properties": {"last_number": {"type": "integer"}}}
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
                            "properties": {**BOOKMARK["properties"], _COPY: _LOG},
                        },
                    },
                    "required": ["stream_descriptor"],
                },
            },
            "required": ["type", "stream"],
        },
    }
)


class StreamStates:
    """Cuts the tap's state into those of the streams that go on from theirs."""

    def __init__(self, incremental: Iterable[Stream]) -> None:
        """Know the streams that go on where an earlier run has ended; others have no state."""
        self._incremental = {stream.name for stream in incremental}

    def of(self, stream: str, bookmarks: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the state of a stream, or None where it has none to go on from.

        Args:
            stream: its name.
            bookmarks: the state of the tap.
        """
        if stream not in self._incremental:
            return None
        own = bookmarks.get(stream, {})
        return {**own, _COPY: bookmarks.get(_LOG_OF, {})} if stream in _WITH_COPY else own

    def of_tap(self, given: Any) -> dict[str, Any]:
        """Return the state of the tap, put together from those of its streams.

        Args:
            given: the messages of earlier runs, one for each stream.

        Raises:
            ConfigurationError: what is given are no such messages, or the log is too new.
        """
        if not _STATES.is_valid(given or []):
            message = (
                "The state is none of this connector: it must be a list of states of streams. "
                "Reset the connection to begin anew"
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
        copies = {name: own[name].pop(_COPY, {}) for name in _WITH_COPY if name in own}
        log: dict[str, Any] = max(copies.values(), key=_age, default={})
        check_version(log)
        for name in copies.keys() & set(_READERS):
            if copies[name].get(_ID) != log.get(_ID):
                for key in _OF_NUMBERS:
                    own[name].pop(key, None)
        return {"bookmarks": {**own, _LOG_OF: {_ID: uuid4().hex, **log}}}


def _age(log: Mapping[str, Any]) -> int:
    """Return what is greater for a newer log; equal ones have the same changes."""
    return int(log.get("last_number", 0))
