"""Reads one stream after the other, so that a failing stream doesn't end the sync."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import requests
from singer_sdk.exceptions import (
    ConfigurationError,
    ConfigValidationError,
    RetriableAPIError,
)

from tap_constantcontact.airbyte.messages import FailureType, StreamStatus
from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import Forbidden, LoginError, RunEnded

if TYPE_CHECKING:
    from tap_constantcontact.airbyte.source import Source
    from tap_constantcontact.airbyte.states import StreamStates
    from tap_constantcontact.client import ConstantContactStream

    Family = tuple[ConstantContactStream, list[str]]

# The sync gives up after so many streams in a row that can't reach the API.
_MAX_UNREACHABLE = 2


def failure_type(error: Exception) -> FailureType:
    """Return who has to act on an error."""
    if isinstance(error, (ConfigurationError, ConfigValidationError, Forbidden, LoginError)):
        return FailureType.CONFIG
    if isinstance(error, (RetriableAPIError, requests.RequestException)):
        return FailureType.TRANSIENT
    return FailureType.SYSTEM


class SyncRunner:
    """Reads the selected streams, and reports the status of each."""

    def __init__(self, source: Source, states: StreamStates) -> None:
        """Prepare a sync.

        Args:
            source: The source, with its catalog and its state.
            states: Extracts the states of streams from the source's.
        """
        self._source = source
        self._writer = source.message_writer
        self._states = states
        self._is_complete = True
        self._unreachable = 0
        self._fatal: Exception | None = None

    def run(self) -> bool:
        """Read the streams in the tap's order.

        Returns:
            Whether all of them are complete.

        Raises:
            RunEnded: A budget is exhausted, a signal was received, or the pipe is closed.
        """
        self._source.reset_progress_markers()
        families = self._families()
        for index, (root, names) in enumerate(families):
            try:
                self._read(root, names)
            except RunEnded as ended:
                self._end_early(ended, families[index:])
                raise
            if self._fatal:
                self._skip(families[index + 1 :], self._fatal)
                break
        return self._is_complete

    def _families(self) -> list[Family]:
        """Return the root streams to read, each with the selected streams of its family."""
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
            RunEnded: A budget is exhausted, a signal was received, or the pipe is closed.
        """
        self._writer.start_streams(names, self._states)
        error: Exception | None = None
        try:
            root.sync()
            root.finalize_state_progress_markers()
        except Exception as caught:  # noqa: BLE001 - the other streams are still read
            error = caught
        unreadable = {
            name: reason for name in names if (reason := self._stream(name).why_unreadable())
        }
        complete = [] if error else [name for name in names if name not in unreadable]
        self._writer.finish_streams(self._bookmarks, complete)
        for name in complete:
            self._writer.send_status(name, StreamStatus.COMPLETE)
        for name, reason in unreadable.items():
            message = (
                f"This account can't read {name}: {reason}. Sign in with the required permissions, "
                "or remove the stream from the connection"
            )
            self._fail(name, FailureType.CONFIG, message)
        for name in names:
            if error and name not in unreadable:
                self._fail(name, failure_type(error), error_message(error), error)
        self._assess(error)

    def _fail(
        self, name: str, failure: FailureType, message: str, error: Exception | None = None
    ) -> None:
        """Report that a stream has failed."""
        self._is_complete = False
        self._writer.send_error(failure, message, stream=name, error=error)
        self._writer.send_status(name, StreamStatus.INCOMPLETE)

    def _assess(self, error: Exception | None) -> None:
        """Give up if the other streams would fail as well."""
        is_unreachable = isinstance(error, requests.RequestException)
        self._unreachable = self._unreachable + 1 if is_unreachable else 0
        if isinstance(error, LoginError) or self._unreachable == _MAX_UNREACHABLE:
            self._fatal = error

    def _skip(self, families: Iterable[Family], error: Exception) -> None:
        """Report that streams are not read after an error that they would run into as well."""
        for _, names in families:
            for name in names:
                message = f"{name} was not read: {error_message(error)}"
                self._fail(name, failure_type(error), message)

    def _end_early(self, ended: RunEnded, families: Iterable[Family]) -> None:
        """Save the states, and report which streams the run didn't complete."""
        self._writer.finish_streams(self._bookmarks, complete=())
        if ended.reason:
            message = (
                f"{ended.reason}. Progress is saved, and the next sync resumes from there: run it "
                "once requests are available again"
            )
            self._writer.send_error(FailureType.TRANSIENT, message)
        for _, names in families:
            for name in names:
                self._writer.send_status(name, StreamStatus.INCOMPLETE)

    def _stream(self, name: str) -> ConstantContactStream:
        return self._source.streams[name]

    @property
    def _bookmarks(self) -> Mapping[str, Any]:
        bookmarks: Mapping[str, Any] = self._source.state.get("bookmarks", {})
        return bookmarks
