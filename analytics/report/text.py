"""How the report writes values: numbers, shares, days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

_ROUNDED_TO_10 = 0.0995
_TWO_DIGITS = 99.5


def number(value: float) -> str:
    """Write a number in groups of three digits."""
    return f"{value:,.0f}"


def signed(value: float) -> str:
    """Write a number with its sign, the minus as long as the plus."""
    sign = "\N{MINUS SIGN}" if value < 0 else "+"
    return sign + number(abs(value))


def changes(came: int, left: int) -> str:
    """Write how many came and how many left."""
    return f"+{number(came)} \N{MINUS SIGN}{number(left)}"


def percent(rate: float | None) -> str:
    """Write a rate from 0 to 1 as percent, those below 10% with a decimal."""
    if rate is None:
        return "n/a"
    return f"{100 * rate:.1f}%" if 0 < rate < _ROUNDED_TO_10 else f"{100 * rate:.0f}%"


def day(value: date, *, today: date | None = None) -> str:
    """Write a day, without its year if that is the year of `today`."""
    short = f"{value:%b} {value.day}"
    return short if today and value.year == today.year else f"{short}, {value.year}"


def plural(count: int, noun: str) -> str:
    """Write how many of something there are."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def cell(value: Any) -> str:
    """Write a value of a table."""
    if value is None:
        return ""
    if isinstance(value, float):
        return percent(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return number(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def short(value: int) -> str:
    """Write a number in four characters, rounded."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        share = value / unit
        if round(share, 3) >= 1:
            return f"{share:.2g}{letter}" if share < _TWO_DIGITS else f"{share:.0f}{letter}"
    return str(value)
