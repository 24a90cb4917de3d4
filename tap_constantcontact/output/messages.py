"""Singer messages, written to stdout in whole lines."""

from __future__ import annotations

import codecs
import errno
import select
import sys
import threading
from collections import Counter
from collections.abc import Callable
from json.encoder import encode_basestring_ascii

import msgspec
from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import Message, RecordMessage, SchemaMessage
from typing_extensions import override

from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.output.stdout import BROKEN_PIPE_STATUS, discard_stdout

# A pipe takes this many bytes at once or not at all (POSIX), so that SIGKILL leaves no torn line.
_ATOMIC_WRITE_BYTES = getattr(select, "PIPE_BUF", 512)

#: Writes numbers with their exact digits.
ENCODER = msgspec.json.Encoder(decimal_format="number")


class MessageWriter(SingerWriter):
    """Writes messages in whole lines, and defers a signal until a write is complete.

    It buffers records, since each write hands Python's lock to the threads that send requests, and
    is flushed before the run waits for anything.
    """

    def __init__(self) -> None:
        """Create a writer that has written nothing yet."""
        super().__init__()
        #: Number of records written, by stream.
        self.records: Counter[str] = Counter()
        self._schemas: dict[str, SchemaMessage] = {}
        self._buffer = b""
        self._writing_thread: int | None = None
        self._exit_status: int | None = None

    @override
    def write_message(self, message: Message) -> None:
        """Write a message, and count it if it is a record.

        A schema that was already written is skipped: the SDK repeats it for each parent record of a
        child stream, and some targets load their batch at every schema.

        Raises:
            RunEnded: A signal came meanwhile, or the reader has closed the pipe.
        """
        if isinstance(message, SchemaMessage):
            if self._schemas.get(message.stream) == message:
                return
            self._schemas[message.stream] = message
        self._without_interruption(lambda: self._put(message))

    def flush(self) -> None:
        """Write the buffered records.

        Raises:
            RunEnded: A signal came meanwhile, or the reader has closed the pipe.
        """
        self._without_interruption(lambda: self._write(b""))

    def end(self, status: int) -> None:
        """End the run: now, or when this thread has completed its write.

        Raises:
            RunEnded: This thread isn't writing.
        """
        if self._writing_thread != threading.get_ident():
            raise RunEnded(status)
        self._exit_status = status

    def _without_interruption(self, write: Callable[[], None]) -> None:
        """Defer signals until everything taken from the buffer is written and counted.

        Raises:
            RunEnded: A signal came meanwhile, or the reader has closed the pipe.
        """
        self._writing_thread = threading.get_ident()
        try:
            write()
        finally:
            self._writing_thread = None
            if self._exit_status is not None:
                status, self._exit_status = self._exit_status, None
                raise RunEnded(status)

    def _put(self, message: Message) -> None:
        line = self._line(message)
        if isinstance(message, RecordMessage):
            self._add_to_buffer(line)
            self.records[message.stream] += 1
        else:
            self._write(line)

    def _add_to_buffer(self, line: bytes) -> None:
        """Buffer a line; the buffer holds no more than a pipe takes at once."""
        if len(self._buffer) + len(line) > _ATOMIC_WRITE_BYTES:
            self._write(b"")
        self._buffer += line

    def _write(self, line: bytes) -> None:
        """Write the buffered lines, then a line of its own.

        Raises:
            OSError: Stdout can't be written to.
            RunEnded: The reader has closed the pipe.
        """
        if sys.stdout is None:  # closed before the start
            raise OSError(errno.EBADF, "it is closed", "stdout")
        buffered, self._buffer = self._buffer, b""
        try:
            for lines in filter(None, (buffered, line)):
                sys.stdout.buffer.write(lines)
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            discard_stdout()
            raise RunEnded(BROKEN_PIPE_STATUS) from None

    def _line(self, message: Message) -> bytes:
        """Return the line of a message; records get a fast encoder."""
        if isinstance(message, RecordMessage):
            return to_ascii(ENCODER.encode(message.to_dict()) + b"\n")
        return self.format_message(message).encode("ascii") + b"\n"


def to_ascii(line: bytes) -> bytes:
    """Escape characters that aren't ASCII, so that any target can read the line."""
    return line if line.isascii() else line.decode().encode("ascii", "escape as in JSON")


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Return the characters that ASCII lacks, escaped as in JSON, and where to continue."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return encode_basestring_ascii(missing)[1:-1], error.end


codecs.register_error("escape as in JSON", _escape)
