"""Singer messages, written to stdout in whole lines."""

from __future__ import annotations

import codecs
import select
import sys
import threading
from collections import Counter
from collections.abc import Callable
from json.encoder import encode_basestring_ascii

import msgspec
from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import Message, RecordMessage, SchemaMessage

from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.output.stdout import BROKEN_PIPE_STATUS, discard_stdout

# A pipe takes so many bytes whole or not at all (POSIX): who is killed leaves no torn line.
_WHOLE = getattr(select, "PIPE_BUF", 512)


#: Writes numbers with their exact digits.
ENCODER = msgspec.json.Encoder(decimal_format="number")


class MessageWriter(SingerWriter):
    """Writes messages in whole lines; a signal waits until those under way are written.

    Records wait for each other, but not for an answer or for anything else that takes time: at each
    write, the threads that send requests get their turn of Python's lock, and that costs.
    """

    def __init__(self) -> None:
        """Begin with nothing written."""
        super().__init__()
        #: Records written, by stream.
        self.records: Counter[str] = Counter()
        self._schemas: dict[str, SchemaMessage] = {}
        self._waiting = b""
        self._writing: int | None = None  # the thread that does
        self._ends_with: int | None = None

    def write_message(self, message: Message) -> None:
        """Write a message and count it.

        A schema that was written already is left out: the SDK repeats it for each parent record
        of a child stream, and some targets load what they have at every schema.

        Raises:
            RunEnded: a signal came meanwhile, or the reader has closed the pipe.
        """
        if isinstance(message, SchemaMessage):
            if self._schemas.get(message.stream) == message:
                return
            self._schemas[message.stream] = message
        self._undisturbed(lambda: self._put(message))

    def flush(self) -> None:
        """Write the records that wait.

        Raises:
            RunEnded: as of `write_message`.
        """
        self._undisturbed(lambda: self._write(b""))

    def _undisturbed(self, write: Callable[[], None]) -> None:
        """Let a signal wait until all is written that is taken from what waits, or counted.

        Raises:
            RunEnded: a signal came meanwhile, or the reader has closed the pipe.
        """
        self._writing = threading.get_ident()
        try:
            write()
        finally:
            self._writing = None
            if self._ends_with is not None:
                status, self._ends_with = self._ends_with, None
                raise RunEnded(status)

    def _put(self, message: Message) -> None:
        line = self._line(message)
        if isinstance(message, RecordMessage):
            self._collect(line)
            self.records[message.stream] += 1
        else:
            self._write(line)

    def _collect(self, line: bytes) -> None:
        """Let a line wait for others, as many as a pipe takes whole."""
        if len(self._waiting) + len(line) > _WHOLE:
            self._write(b"")
        self._waiting += line

    def _write(self, line: bytes) -> None:
        """Write the lines that wait, and one after them.

        Raises:
            RunEnded: the reader has closed the pipe.
        """
        waiting, self._waiting = self._waiting, b""
        try:
            for lines in filter(None, (waiting, line)):
                sys.stdout.buffer.write(lines)
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            discard_stdout()
            raise RunEnded(BROKEN_PIPE_STATUS) from None

    def _line(self, message: Message) -> bytes:
        """Return the line of a message; that of a record is made by a fast encoder."""
        if isinstance(message, RecordMessage):
            return in_ascii(ENCODER.encode(message.to_dict()) + b"\n")
        return self.format_message(message).encode("ascii") + b"\n"

    def end(self, status: int) -> None:
        """End the run: now, or when the line under way is written.

        Raises:
            RunEnded: no line of this thread is under way.
        """
        if self._writing != threading.get_ident():
            raise RunEnded(status)
        self._ends_with = status


def in_ascii(line: bytes) -> bytes:
    """Escape what is not ASCII, so that it does not matter which encoding a target reads."""
    return line if line.isascii() else line.decode().encode("ascii", "escape as in JSON")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Return the characters that an encoding lacks, escaped as in JSON, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return encode_basestring_ascii(lacking)[1:-1], error.end


codecs.register_error("escape as in JSON", _escaped)
