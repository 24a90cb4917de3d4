"""A terminal in memory, behind a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pyte

LINES = 24


class Window:
    """The window of a terminal.

    Attributes:
        stream: What a program writes to.
        screen: What the window shows; complete after `close`, or `update`.
        written: All that was written.
    """

    def __init__(self, columns: int, lines: int = LINES) -> None:
        self._ours, theirs = pty.openpty()
        self.stream: TextIO = os.fdopen(theirs, "w", encoding="utf-8", errors="backslashreplace")
        self.screen = pyte.HistoryScreen(columns, lines, history=1000)
        self._feed = pyte.ByteStream(self.screen)
        self.written = b""
        self._reader: threading.Thread | None = None
        self._tell_size()

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        self._tell_size()

    def write(self, text: str) -> None:
        """Write as another process does."""
        os.write(self.stream.fileno(), text.encode())

    def update(self) -> None:
        """Show what was written so far; the kernel may pass it on later than the write returns."""
        mark = f"\x1b]9;{len(self.written)}\x07"  # which shows nothing
        self.write(mark)
        self.read_until(mark)

    def follow(self) -> None:
        """Show what is written from now on, until the last program has closed the terminal."""
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def read_until(self, text: str) -> None:
        """Show what is written until a text has been."""
        while text.encode() not in self.written:
            self._show(os.read(self._ours, 65536))

    def close(self) -> None:
        """Close the terminal for this process, and show all that was written."""
        if not self.stream.closed:
            self.stream.close()
        if self._reader:
            self._reader.join(20)
        else:
            self._follow()
        os.close(self._ours)

    @property
    def lines(self) -> list[str]:
        """The lines of the screen without what is empty at its end, with those above it."""
        top = self.screen.history.top
        above = ["".join(line[x].data for x in range(self.screen.columns)) for line in top]
        lines = [line.rstrip() for line in (*above, *self.screen.display)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def color(self, text: str) -> str:
        """Return the color of a text on the screen."""
        (row,) = [row for row, line in enumerate(self.screen.display) if text in line]
        return str(self.screen.buffer[row][self.screen.display[row].index(text)].fg)

    def _tell_size(self) -> None:
        size = struct.pack("HHHH", self.screen.lines, self.screen.columns, 0, 0)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)

    def _show(self, output: bytes) -> None:
        self.written += output
        self._feed.feed(output)

    def _follow(self) -> None:
        try:
            while output := os.read(self._ours, 65536):
                self._show(output)
        except OSError:  # on Linux, the end of a terminal is an error
            pass


@contextmanager
def window(columns: int, lines: int = LINES) -> Iterator[Window]:
    """Open a window; it is closed at the end."""
    opened = Window(columns, lines)
    try:
        yield opened
    finally:
        opened.close()
