"""The last line of a terminal, kept apart from all that is written above it.

The target, `jq` or another command of a pipe writes to the same terminal, at any moment. So the
terminal is told to scroll without its last line (as `apt` does), and lines of any process stay
whole. The cursor stays visible, and stays where they are written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from tap_constantcontact.output.terminal import Color, Terminal

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_SCROLL_ALL = "\x1b[r"
_ERASE_LINE, _ERASE_BELOW = "\x1b[2K", "\x1b[J"
# Down and up again: at the bottom, this scrolls by one line.
_MAKE_ROOM = "\x1bD\x1b[A"
_MIN_LINES = 3


class Part(NamedTuple):
    """A part of the status line.

    Attributes:
        text: The text.
        rank: Its rank; in a narrow terminal, the parts with the greatest go first.
        colors: Its colors.
    """

    text: str
    rank: int
    colors: tuple[Color, ...] = ()


class StatusLine:
    """The last line of a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        """Prepare the line; the first text reserves it.

        Args:
            terminal: The terminal, whose cursor can be moved.
        """
        self._terminal = terminal
        self._size: os.terminal_size | None = None

    def show(self, parts: Sequence[Part]) -> None:
        """Show as many of some parts as fit into the line."""
        size = self._terminal.size
        if size.lines < _MIN_LINES:
            return
        reserve = ""
        if size != self._size:
            release = f"{_SAVE}{_SCROLL_ALL}{_RESTORE}{_ERASE_BELOW}" if self._size else ""
            region = f"{_SAVE}\x1b[1;{size.lines - 1}r{_RESTORE}"
            reserve = f"{release}{_MAKE_ROOM}{region}"
            self._size = size
        text = composed(parts, self._terminal)
        self._terminal.write(f"{reserve}{_SAVE}\x1b[{size.lines};1H{_ERASE_LINE}{text}{_RESTORE}")

    def close(self) -> None:
        """Remove the line; the cursor stays where it is."""
        if self._size:
            last = self._terminal.size.lines
            self._terminal.write(f"{_SAVE}\x1b[{last};1H{_ERASE_LINE}{_SCROLL_ALL}{_RESTORE}")
            self._size = None


def composed(parts: Sequence[Part], terminal: Terminal) -> str:
    """Return the parts that fit into a line, in their order; parts are never cut off.

    Only the part that ranks first is shortened, where the line is too narrow even for that.
    """
    dot = terminal.signs.dot
    kept = [part for part in parts if part.text]
    while len(kept) > 1 and len(dot.join(part.text for part in kept)) > terminal.columns:
        kept.remove(max(kept, key=attrgetter("rank")))
    if len(kept) == 1:
        kept = [kept[0]._replace(text=shortened(kept[0].text, terminal))]
    return terminal.paint(dot, Color.DIM).join(
        terminal.paint(part.text, *part.colors) for part in kept
    )


def shortened(text: str, terminal: Terminal, columns: int = 0) -> str:
    """Return a text that fits into some columns (all by default), perhaps without its end."""
    columns = columns or terminal.columns
    ellipsis = terminal.signs.ellipsis
    return text if len(text) <= columns else text[: columns - len(ellipsis)] + ellipsis
