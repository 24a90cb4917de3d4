"""Checks of query parameters: each takes the text that was sent and gives what it means.

A check raises ValueError if the text means nothing to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.account import clock

Check = Callable[[str], Any]

text: Check = str
moment: Check = clock.parse


def boolean(value: str) -> bool:
    """Read `true` or `false`."""
    if value not in ("true", "false"):
        raise ValueError(value)
    return value == "true"


def whole(least: int, most: int) -> Check:
    """Read a whole number between two others. The real API refuses others (documented)."""

    def check(value: str) -> int:
        if not least <= int(value) <= most:
            raise ValueError(value)
        return int(value)

    return check


def url_id(value: str) -> str:
    """Read the id of a link: a number as a parameter, a string in records (documented)."""
    return str(int(value))


def choice(*allowed: str) -> Check:
    """Read one of a few words."""

    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(value)
        return value

    return check


def choices(*allowed: str) -> Check:
    """Read some of a few words, separated by commas."""

    def check(value: str) -> frozenset[str]:
        words = frozenset(value.split(","))
        if not words <= set(allowed):
            raise ValueError(value)
        return words

    return check


def ids(most: int) -> Check:
    """Read some ids, separated by commas, up to a number of them."""

    def check(value: str) -> frozenset[str]:
        given = value.split(",")
        if len(given) > most:
            raise ValueError(value)
        return frozenset(given)

    return check
