"""The log on a terminal: what a person has to know, without the lines of the SDK."""

from __future__ import annotations

import logging
import textwrap
from pathlib import Path

import backoff
import singer_sdk
from singer_sdk.logging import ConsoleFormatter
from typing_extensions import override

from tap_constantcontact.output.log_filters import SKIPPED, SKIPPED_ITEM
from tap_constantcontact.output.terminal import Color, Terminal, terminal_on_stderr
from tap_constantcontact.redaction import printable

#: What a line begins with: a sign and a space.
INDENT = 2

_SDK = str(Path(singer_sdk.__file__).parent)
# Its messages have Python's words. After the last retry, the tap says what is wrong.
_RETRIES = str(Path(backoff.__file__).parent)


def write_log_for_people() -> None:
    """Write the log for people, if a person watches stderr and has not asked for all of it.

    The SDK's handler stays. A file that SINGER_SDK_LOG_CONFIG names replaces it, and decides.
    """
    terminal = terminal_on_stderr()
    if not terminal or logging.root.isEnabledFor(logging.DEBUG):
        return
    for handler in logging.root.handlers:
        if isinstance(handler.formatter, ConsoleFormatter):
            handler.setFormatter(TerminalFormatter(terminal))
            handler.addFilter(is_for_people)


def terminal_of_log() -> Terminal | None:
    """Return the terminal to which the log is written for people, if it is."""
    formatters = (handler.formatter for handler in logging.root.handlers)
    return next((each.terminal for each in formatters if isinstance(each, TerminalFormatter)), None)


def is_for_people(record: logging.LogRecord) -> bool:
    """Return whether a message is for people: ours are, and warnings of the SDK and others."""
    if record.pathname.startswith(_RETRIES) or record.msg == SKIPPED:
        return False
    if record.levelno >= logging.WARNING:
        return True
    return record.msg != SKIPPED_ITEM and not record.pathname.startswith(_SDK)


class TerminalFormatter(logging.Formatter):
    """Formats messages with a sign and a color, wrapped between words."""

    def __init__(self, terminal: Terminal) -> None:
        """Prepare for a terminal.

        Args:
            terminal: The terminal.
        """
        super().__init__()
        self.terminal = terminal

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the lines of a message. A traceback follows them as it is."""
        sign, color = "", Color.DIM
        if record.levelno >= logging.ERROR:
            sign, color = self.terminal.signs.failed, Color.RED
        elif record.levelno >= logging.WARNING:
            sign, color = self.terminal.signs.warning, Color.YELLOW
        return marked(record.message, sign, color, self.terminal)


def marked(text: str, sign: str, color: Color, terminal: Terminal) -> str:
    """Return a text behind a sign, wrapped between words; all lines begin in the same column."""
    width = terminal.columns - INDENT
    lines = [part for line in text.splitlines() for part in wrapped(line, width)]
    painted = [terminal.paint(line, color) for line in lines]
    margin = terminal.paint(sign, color) + " " * (INDENT - len(sign))
    return margin + f"\n{' ' * INDENT}".join(painted)


def wrapped(text: str, columns: int) -> list[str]:
    """Return a text in lines. Words that are longer stay whole: paths and IDs are copied."""
    lines = textwrap.wrap(printable(text), columns, break_long_words=False, break_on_hyphens=False)
    return lines or [""]
