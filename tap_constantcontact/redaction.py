"""Text from outside, made safe for logs and terminals."""

from __future__ import annotations

import re

_EMAIL_ADDRESS = re.compile(r"[^\s\"'<>(),;:=/?&]+@[^\s\"'<>(),;:=/?&]+")


def without_addresses(text: str) -> str:
    """Return a text with every email address masked."""
    return _EMAIL_ADDRESS.sub("<email address>", text)


def printable(text: str) -> str:
    """Return a text without characters that control a terminal, or hide what is there."""
    return "".join(char if char.isprintable() else " " for char in text)


def in_one_line(text: str) -> str:
    """Return a text as a log or a terminal can show it.

    The result is one line, without control characters and email addresses.
    """
    return without_addresses(" ".join(printable(text).split()))
