"""Reads stream after stream, so that one that fails does not end the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import requests
from singer_sdk.exceptions import (
    ConfigurationError,
    ConfigValidationError,
    RetriableAPIError,
)

from tap_constantcontact.airbyte.messages import Failure, Status
from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import Forbidden, LoginError, RunEnded

if TYPE_CHECKING:
    from tap_constantcontact.airbyte.source import Source
    from tap_constantcontact.airbyte.states import StreamStates
    from tap_constantcontact.client import ConstantContactStream

    Family = tuple[ConstantContactStream, list[str]]

# So many in a row that cannot reach the API: the others are not tried.
_MOST_UNREACHABLE = 2


def failure_type(error: Exception) -> Failure:
    """Return who can mend an error."""
    if isinstance(error, (ConfigurationError, ConfigValidationError, Forbidden, LoginError)):
        return Failure.CONFIG
    if isinstance(error, (RetriableAPIError, requests.RequestException)):
        return Failure.TRANSIENT
    return Failure.SYSTEM


class Reading:
    """A run through the selected streams, which says how each of them goes."""

    def __init__(self, source: Source, states: StreamStates) -> None:
        """Prepare to read.

        Args:
            source: the source, with its catalog and its state.
            states: cuts the states of streams out of the source's.
        """
        self._source = source
        self._writer = source.message_writer
        self._states = states
        self._is_complete = True
        self._unreachable = 0
        self._given_up: Exception | None = None

    def run(self) -> bool:
        """Read the streams in the tap's order.

        Returns:
            Whether all of them are complete.

        Raises:
            RunEnded: a budget is used up, a signal came, or nobody reads on.
        """
        self._source.reset_progress_markers()
        families = self._families()
        for number, (root, names) in enumerate(families):
            try:
                self._read(root, names)
            except RunEnded as ended:
                self._end(ended, families[number:])
                raise
            if self._given_up:
                self._skip(families[number + 1 :], self._given_up)
                break
        return self._is_complete

    def _families(self) -> list[Family]:
        """Return the streams to read, each with the names of those selected in its family."""
        streams = cast("Iterable[ConstantContactStream]", self._source.streams.values())
        families = [
            (root, [member.name for member in (root, *root.descendent_streams) if member.selected])
            for root in streams
            if not root.parent_stream_type
        ]
        return [(root, names) for root, names in families if names]

    def _read(self, root: ConstantContactStream, names: list[str]) -> None:
        """Read a stream with its children.

        Raises:
            RunEnded: a budget is used up, a signal came, or nobody reads on.
        """
        self._writer.begin(names, self._states)
        error: Exception | None = None
        try:
            root.sync()
            root.finalize_state_progress_markers()
        except Exception as caught:  # noqa: BLE001 - the other streams are to be read
            error = caught
        refused = [name for name in names if self._stream(name).is_forbidden()]
        complete = [] if error else [name for name in names if name not in refused]
        self._writer.leave(self._bookmarks, complete)
        for name in complete:
            self._writer.say_status(name, Status.COMPLETE)
        for name in refused:
            message = (
                f"This account may not read {name}: that needs {self._stream(name).permissions}. "
                "Sign in with it, or leave the stream out of the connection"
            )
            self._fail(name, Failure.CONFIG, message)
        for name in names:
            if error and name not in refused:
                self._fail(name, failure_type(error), error_message(error), error)
        self._consider(error)

    def _fail(
        self, name: str, failure: Failure, message: str, error: Exception | None = None
    ) -> None:
        """Say that a stream has failed."""
        self._is_complete = False
        self._writer.say_failure(failure, message, stream=name, error=error)
        self._writer.say_status(name, Status.INCOMPLETE)

    def _consider(self, error: Exception | None) -> None:
        """Give up where the other streams would fail as well."""
        is_unreachable = isinstance(error, requests.RequestException)
        self._unreachable = self._unreachable + 1 if is_unreachable else 0
        if isinstance(error, LoginError) or self._unreachable == _MOST_UNREACHABLE:
            self._given_up = error

    def _skip(self, families: Iterable[Family], error: Exception) -> None:
        """Say that streams are not tried after an error that they would have too."""
        for _, names in families:
            for name in names:
                self._fail(name, failure_type(error), f"{name} is not read: {error_message(error)}")

    def _end(self, ended: RunEnded, families: Iterable[Family]) -> None:
        """Say what is left where the run ends early; states are kept."""
        self._writer.leave(self._bookmarks, complete=())
        if ended.reason:
            message = (
                f"{ended.reason}. What was read before is kept, and the next sync goes on from it: "
                "run it when there are requests left"
            )
            self._writer.say_failure(Failure.TRANSIENT, message)
        for _, names in families:
            for name in names:
                self._writer.say_status(name, Status.INCOMPLETE)

    def _stream(self, name: str) -> ConstantContactStream:
        return self._source.streams[name]

    @property
    def _bookmarks(self) -> Mapping[str, Any]:
        bookmarks: Mapping[str, Any] = self._source.state.get("bookmarks", {})
        return bookmarks
