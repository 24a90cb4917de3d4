"""Checks of query parameters: each converts the text of a request to a value.

A check raises ValueError if the text is invalid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.account import clock

Check = Callable[[str], Any]

text: Check = str
moment: Check = clock.parse


def boolean(value: str) -> bool:
    """Parse `true` or `false`."""
    if value not in ("true", "false"):
        raise ValueError(value)
    return value == "true"


def integer(minimum: int, maximum: int) -> Check:
    """Parse an integer in a range. The real API rejects others (documented)."""

    def check(value: str) -> int:
        if not minimum <= int(value) <= maximum:
            raise ValueError(value)
        return int(value)

    return check


def url_id(value: str) -> str:
    """Parse the id of a link: a number as a parameter, a string in records (documented)."""
    return str(int(value))


def choice(*allowed: str) -> Check:
    """Parse one of the allowed words."""

    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(value)
        return value

    return check


def choices(*allowed: str) -> Check:
    """Parse one or more of the allowed words, separated by commas."""

    def check(value: str) -> frozenset[str]:
        words = frozenset(value.split(","))
        if not words <= set(allowed):
            raise ValueError(value)
        return words

    return check


def ids(maximum: int) -> Check:
    """Parse ids separated by commas, up to a maximum number."""

    def check(value: str) -> frozenset[str]:
        given = value.split(",")
        if len(given) > maximum:
            raise ValueError(value)
        return frozenset(given)

    return check
