"""The messages of the Airbyte protocol, and their writer."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from typing import Any

from singer_sdk.metrics import METRICS_LOGGER_NAME
from singer_sdk.singerlib import Message, RecordMessage, StateMessage
from typing_extensions import override

from tap_constantcontact.airbyte.states import StreamStates
from tap_constantcontact.error_messages import traceback_lines
from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.help_topics import with_topic
from tap_constantcontact.output.log_filters import add_topic
from tap_constantcontact.output.messages import ENCODER, MessageWriter, to_ascii
from tap_constantcontact.redaction import without_addresses


class FailureType(Enum):
    """Airbyte's failure type: who has to act."""

    #: The user, by changing settings or signing in again.
    CONFIG = "config_error"
    #: Nobody: a later attempt may succeed.
    TRANSIENT = "transient_error"
    #: The maintainers of the connector.
    SYSTEM = "system_error"


class StreamStatus(Enum):
    """Airbyte's status of a stream."""

    STARTED = "STARTED"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    INCOMPLETE = "INCOMPLETE"


#: The state of a full refresh stream, as airbyte-cdk writes it.
_NO_CURSOR = {"__ab_no_cursor_state_message": True}


class AirbyteWriter(MessageWriter):
    """Writes Airbyte's messages instead of Singer's.

    Several threads can write, for example the log of a token request.
    """

    def __init__(self) -> None:
        """Start with nothing written."""
        super().__init__()
        self._lock = threading.RLock()
        self._states: StreamStates | None = None
        self._current: tuple[str, ...] = ()
        self._running: set[str] = set()
        self._last_states: dict[str, bytes] = {}
        self._records_counted: Counter[str] = Counter()

    def send(self, type_: str, name: str, content: Mapping[str, Any]) -> None:
        """Write a message other than the SDK's at once, without buffering.

        Args:
            type_: The type of the message.
            name: The property that holds its content.
            content: The content.
        """
        try:
            self._without_interruption(lambda: self._write(_line(type_, name, content)))
        except RunEnded as ended:  # raised in the main thread with its next message
            self._exit_status = ended.status

    def start_streams(self, streams: Iterable[str], states: StreamStates) -> None:
        """Report that streams are started; from here on the tap's states are theirs.

        Args:
            streams: A stream and its children.
            states: Extracts their states from the tap's.
        """
        self._current, self._states = tuple(streams), states
        for stream in self._current:
            self.send_status(stream, StreamStatus.STARTED)

    def finish_streams(self, bookmarks: Mapping[str, Any], complete: Collection[str]) -> None:
        """Write the final states of the current streams.

        Args:
            bookmarks: The state of the tap.
            complete: The streams that were read completely.

        Raises:
            RunEnded: As in `write_message`.
        """
        self._without_interruption(lambda: self._write(self._state_lines(bookmarks, complete)))
        self._current = ()

    def send_status(self, stream: str, status: StreamStatus) -> None:
        """Write the status of a stream."""
        self.send("TRACE", "trace", _status(stream, status))

    def send_error(
        self,
        failure: FailureType,
        message: str,
        *,
        stream: str | None = None,
        error: Exception | None = None,
    ) -> None:
        """Write an error.

        Args:
            failure: Who has to act.
            message: What is wrong and what to do, for people.
            stream: The stream that failed, if it is a single one.
            error: The exception; its text is not shown.
        """
        details: dict[str, Any] = {"message": with_topic(message), "failure_type": failure.value}
        if stream:
            details["stream_descriptor"] = {"name": stream}
        if error:
            details["internal_message"] = type(error).__name__
            details["stack_trace"] = "\n".join(traceback_lines(error))
        self.send("TRACE", "trace", {"type": "ERROR", "emitted_at": _now(), "error": details})

    def send_configuration(self, configuration: Mapping[str, Any]) -> None:
        """Write the whole updated configuration, which the platform stores."""
        config = {"config": dict(configuration)}
        content = {"type": "CONNECTOR_CONFIG", "emitted_at": _now(), "connectorConfig": config}
        self.send("CONTROL", "control", content)

    @override
    def _without_interruption(self, write: Callable[[], None]) -> None:
        with self._lock:
            super()._without_interruption(write)

    @override
    def _line(self, message: Message) -> bytes:
        """Return the lines for a message; none for schemas, which are in the catalog."""
        if isinstance(message, RecordMessage):
            return self._record_line(message)
        if isinstance(message, StateMessage):
            return self._state_lines(message.value.get("bookmarks", {}), complete=())
        return b""

    def _state_lines(self, bookmarks: Mapping[str, Any], complete: Collection[str]) -> bytes:
        """Return the lines with the states of the current streams."""
        return b"".join(
            self._state_line(stream, bookmarks, is_last=stream in complete)
            for stream in self._current
        )

    def _record_line(self, message: RecordMessage) -> bytes:
        extracted = message.time_extracted
        emitted_at = int(extracted.timestamp() * 1000) if extracted else int(_now())
        record = {"stream": message.stream, "data": message.record, "emitted_at": emitted_at}
        line = _line("RECORD", "record", record)
        if message.stream in self._running:
            return line
        self._running.add(message.stream)
        return _line("TRACE", "trace", _status(message.stream, StreamStatus.RUNNING)) + line

    def _state_line(self, stream: str, bookmarks: Mapping[str, Any], *, is_last: bool) -> bytes:
        """Return the line with a stream's state; empty if the state is unchanged.

        Args:
            stream: Name of the stream.
            bookmarks: The state of the tap.
            is_last: Whether the line must be written to count the stream's last records.
        """
        state = self._states.of(stream, bookmarks) if self._states else None
        if state is None and not is_last:
            return b""
        state = _NO_CURSOR if state is None else state
        content = ENCODER.encode(state)
        records = self.records[stream]
        new = records - self._records_counted[stream]
        if content == self._last_states.get(stream) and not (is_last and new):
            return b""
        self._last_states[stream], self._records_counted[stream] = content, records
        own = {"stream_descriptor": {"name": stream}, "stream_state": state}
        stats = {"recordCount": float(new)}
        return _line("STATE", "state", {"type": "STREAM", "stream": own, "sourceStats": stats})


class LogHandler(logging.Handler):
    """Writes log records as messages, because platforms don't show stderr."""

    _LEVELS = {"CRITICAL": "FATAL", "WARNING": "WARN"}

    def __init__(self, writer: AirbyteWriter) -> None:
        """Log to a writer.

        Args:
            writer: The writer of messages.
        """
        super().__init__()
        self._writer = writer
        # The summary at the end of the run has the same counts.
        self.addFilter(lambda record: record.name != METRICS_LOGGER_NAME)
        self.addFilter(add_topic)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write the lines of a log record, without its traceback, which could contain values."""
        level = self._LEVELS.get(record.levelname, record.levelname)
        for line in without_addresses(record.getMessage()).splitlines():
            self._writer.send("LOG", "log", {"level": level, "message": line})


def _status(stream: str, status: StreamStatus) -> dict[str, Any]:
    return {
        "type": "STREAM_STATUS",
        "emitted_at": _now(),
        "stream_status": {"stream_descriptor": {"name": stream}, "status": status.value},
    }


def _line(type_: str, name: str, content: Mapping[str, Any]) -> bytes:
    return to_ascii(ENCODER.encode({"type": type_, name: content}) + b"\n")


def _now() -> float:
    """Return the time in milliseconds since 1970."""
    return float(int(time.time() * 1000))
