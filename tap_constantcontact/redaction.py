"""Text of others, made safe for logs and terminals."""

from __future__ import annotations

import re

_EMAIL_ADDRESS = re.compile(r"[^\s\"'<>(),;:=/?&]+@[^\s\"'<>(),;:=/?&]+")


def without_addresses(text: str) -> str:
    """Return a text in which every e-mail address is masked."""
    return _EMAIL_ADDRESS.sub("<e-mail address>", text)


def in_one_line(text: str) -> str:
    """Return what others say as a log or a terminal may show it.

    In one line, without characters that steer a terminal, and without e-mail addresses.
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    return without_addresses(" ".join(printable.split()))
