"""The terminal that a person watches: its size, its colors, and the signs that it can show."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TextIO

_DEFAULT_COLUMNS = 80
_MIN_COLUMNS = 20


class Color(str, Enum):
    """Ways to show a text, by their numbers in ECMA-48; a theme decides what they look like."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


class Signs(NamedTuple):
    """Characters that not every terminal has."""

    done: str
    warning: str
    failed: str
    next_step: str
    dot: str
    ellipsis: str
    rule: str
    bar_done: str
    bar_left: str


UNICODE = Signs("✓", "!", "✗", "→", " · ", "…", "─", "━", "─")
ASCII = Signs("+", "!", "x", ">", ", ", "...", "-", "#", "-")


@dataclass(frozen=True)
class Terminal:
    """A terminal that a person watches.

    Attributes:
        stream: What is written to it.
        has_cursor: Whether it obeys the sequences that move the cursor.
        has_color: Whether to use colors.
        signs: The signs that it can show.
    """

    stream: TextIO
    has_cursor: bool
    has_color: bool
    signs: Signs

    @property
    def columns(self) -> int:
        """How many characters fit into a line, without touching its end; people resize windows."""
        return max(_MIN_COLUMNS, (self.size.columns or _DEFAULT_COLUMNS) - 1)

    @property
    def size(self) -> os.terminal_size:
        """The columns and lines; 0 where they are unknown."""
        with suppress(OSError):
            return os.get_terminal_size(self.stream.fileno())
        return os.terminal_size((0, 0))

    def paint(self, text: str, *colors: Color) -> str:
        """Return a text in colors, if the terminal shows any."""
        if not (self.has_color and colors and text):
            return text
        return f"\x1b[{';'.join(color.value for color in colors)}m{text}\x1b[0m"

    def print(self, text: str = "") -> None:
        """Print a text and the end of its line."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Write a text in one piece, so that no other process can write in between.

        The window may be closed by now, and the run goes on.
        """
        with suppress(OSError):
            self.stream.write(text)
            self.stream.flush()


def terminal_on_stderr(environment: Mapping[str, str] = os.environ) -> Terminal | None:
    """Return the terminal on stderr, if there is one.

    Args:
        environment: `NO_COLOR` (https://no-color.org) and `FORCE_COLOR` decide about colors, `TERM`
            about colors and the cursor, and the locale about signs.
    """
    stream = sys.stderr
    # The consoles of Windows obey no sequences until a program turns that on.
    if not is_terminal(stream) or os.name != "posix":
        return None
    has_cursor = environment.get("TERM", "dumb") != "dumb"
    has_color = has_cursor or bool(environment.get("FORCE_COLOR"))
    return Terminal(
        stream,
        has_cursor=has_cursor,
        has_color=has_color and not environment.get("NO_COLOR"),
        signs=UNICODE if _shows_unicode(stream, environment) else ASCII,
    )


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; one that was closed before the start is None."""
    return bool(stream and stream.isatty())


def _shows_unicode(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Return whether a stream and the locale have all signs.

    In the C locale Python encodes as UTF-8 all the same.
    """
    if (environment.get("LC_ALL") or environment.get("LANG")) in ("C", "POSIX"):
        return False
    try:
        "".join(UNICODE).encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True
