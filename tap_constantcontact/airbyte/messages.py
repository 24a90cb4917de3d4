"""The messages of the Airbyte protocol, and what writes them."""

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

from tap_constantcontact.airbyte.states import StreamStates
from tap_constantcontact.error_messages import traceback_lines
from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.output.messages import ENCODER, MessageWriter, to_ascii
from tap_constantcontact.redaction import without_addresses


class Failure(Enum):
    """Who can mend a failure."""

    #: Whoever set the connector up, by other settings or another sign-in.
    CONFIG = "config_error"
    #: Time.
    TRANSIENT = "transient_error"
    #: Whoever maintains the connector.
    SYSTEM = "system_error"


class Status(Enum):
    """How far a stream is."""

    STARTED = "STARTED"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    INCOMPLETE = "INCOMPLETE"


#: The state of a stream that is read in full each time; airbyte-cdk writes the same.
_NO_CURSOR = {"__ab_no_cursor_state_message": True}


class AirbyteWriter(MessageWriter):
    """Writes Airbyte's messages in place of Singer's.

    Lines can come from several threads, such as the log of a token request.
    """

    def __init__(self) -> None:
        """Begin with nothing written."""
        super().__init__()
        self._lock = threading.RLock()
        self._states: StreamStates | None = None
        self._reading: tuple[str, ...] = ()
        self._running: set[str] = set()
        self._claimed: dict[str, bytes] = {}
        self._records_claimed: Counter[str] = Counter()

    def say(self, type_: str, name: str, content: Mapping[str, Any]) -> None:
        """Write a message that is none of the tap's; it is gone when this returns.

        Args:
            type_: the type of the message.
            name: the property that holds its content.
            content: what it says.
        """
        try:
            self._without_interruption(lambda: self._write(_line(type_, name, content)))
        except RunEnded as ended:  # is for the main thread, with its next message
            self._exit_status = ended.status

    def begin(self, streams: Iterable[str], states: StreamStates) -> None:
        """Say that streams are being read; the tap's states are theirs from here on.

        Args:
            streams: a stream and its children.
            states: cuts their states out of the tap's.
        """
        self._reading, self._states = tuple(streams), states
        for stream in self._reading:
            self.say_status(stream, Status.STARTED)

    def leave(self, bookmarks: Mapping[str, Any], complete: Collection[str]) -> None:
        """Write the last states of the streams that are being read: more are not to come.

        Args:
            bookmarks: the state of the tap.
            complete: those of the streams that were read to their ends.

        Raises:
            RunEnded: as of `write_message`.
        """
        self._without_interruption(lambda: self._write(self._state_lines(bookmarks, complete)))
        self._reading = ()

    def say_status(self, stream: str, status: Status) -> None:
        """Say how far a stream is."""
        self.say("TRACE", "trace", _status(stream, status))

    def say_failure(
        self,
        failure: Failure,
        message: str,
        *,
        stream: str | None = None,
        error: Exception | None = None,
    ) -> None:
        """Say what went wrong.

        Args:
            failure: who can mend it.
            message: what it is and what to do, for people.
            stream: the stream that it concerns, if it is one.
            error: where it comes from; its text is not shown.
        """
        said: dict[str, Any] = {"message": message, "failure_type": failure.value}
        if stream:
            said["stream_descriptor"] = {"name": stream}
        if error:
            said["internal_message"] = type(error).__name__
            said["stack_trace"] = "\n".join(traceback_lines(error))
        self.say("TRACE", "trace", {"type": "ERROR", "emitted_at": _now(), "error": said})

    def say_configuration(self, configuration: Mapping[str, Any]) -> None:
        """Hand the whole configuration over, to be used from now on."""
        config = {"config": dict(configuration)}
        content = {"type": "CONNECTOR_CONFIG", "emitted_at": _now(), "connectorConfig": config}
        self.say("CONTROL", "control", content)

    def _without_interruption(self, write: Callable[[], None]) -> None:
        with self._lock:
            super()._without_interruption(write)

    def _line(self, message: Message) -> bytes:
        """Return the line of a message, or what stands for it: schemas are in the catalog."""
        if isinstance(message, RecordMessage):
            return self._record_line(message)
        if isinstance(message, StateMessage):
            return self._state_lines(message.value.get("bookmarks", {}), complete=())
        return b""

    def _state_lines(self, bookmarks: Mapping[str, Any], complete: Collection[str]) -> bytes:
        """Return the lines of the states of the streams that are being read."""
        return b"".join(
            self._state_line(stream, bookmarks, is_last=stream in complete)
            for stream in self._reading
        )

    def _record_line(self, message: RecordMessage) -> bytes:
        extracted = message.time_extracted
        emitted_at = int(extracted.timestamp() * 1000) if extracted else int(_now())
        record = {"stream": message.stream, "data": message.record, "emitted_at": emitted_at}
        line = _line("RECORD", "record", record)
        if message.stream in self._running:
            return line
        self._running.add(message.stream)
        return _line("TRACE", "trace", _status(message.stream, Status.RUNNING)) + line

    def _state_line(self, stream: str, bookmarks: Mapping[str, Any], *, is_last: bool) -> bytes:
        """Return the line of a stream's state, or nothing where it is the one before.

        Args:
            stream: its name.
            bookmarks: the state of the tap.
            is_last: whether it has to count the stream's last records.
        """
        state = self._states.of(stream, bookmarks) if self._states else None
        if state is None and not is_last:
            return b""
        state = _NO_CURSOR if state is None else state
        content = ENCODER.encode(state)
        records = self.records[stream]
        new = records - self._records_claimed[stream]
        if content == self._claimed.get(stream) and not (is_last and new):
            return b""
        self._claimed[stream], self._records_claimed[stream] = content, records
        own = {"stream_descriptor": {"name": stream}, "stream_state": state}
        stats = {"recordCount": float(new)}
        return _line("STATE", "state", {"type": "STREAM", "stream": own, "sourceStats": stats})


class LogHandler(logging.Handler):
    """Writes what is logged as messages, since nobody sees stderr."""

    _LEVELS = {"CRITICAL": "FATAL", "WARNING": "WARN"}

    def __init__(self, writer: AirbyteWriter) -> None:
        """Log to a writer.

        Args:
            writer: what writes messages.
        """
        super().__init__()
        self._writer = writer
        # The counts of the run are in its last lines.
        self.addFilter(lambda record: record.name != METRICS_LOGGER_NAME)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the lines of a record, without a traceback, which could show values."""
        level = self._LEVELS.get(record.levelname, record.levelname)
        for line in without_addresses(record.getMessage()).splitlines():
            self._writer.say("LOG", "log", {"level": level, "message": line})


def _status(stream: str, status: Status) -> dict[str, Any]:
    return {
        "type": "STREAM_STATUS",
        "emitted_at": _now(),
        "stream_status": {"stream_descriptor": {"name": stream}, "status": status.value},
    }


def _line(type_: str, name: str, content: Mapping[str, Any]) -> bytes:
    return to_ascii(ENCODER.encode({"type": type_, name: content}) + b"\n")


def _now() -> float:
    """Return the milliseconds since 1970."""
    return float(int(time.time() * 1000))
