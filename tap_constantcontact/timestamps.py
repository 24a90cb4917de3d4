"""Timestamps in one form: UTC, ISO 8601, with a `Z`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_RELATIVE = re.compile(r"-(\d+)([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_MILLISECOND = 1000
_SECONDS_PER_HOUR = 3600


def format_timestamp(moment: datetime) -> str:
    """Return an aware datetime in UTC with a `Z`, to the millisecond or, if needed, microsecond.

    The API's times have milliseconds at most (observed), so that texts of one width sort by time,
    which is how the SDK compares them.
    """
    utc = moment if moment.tzinfo is timezone.utc else moment.astimezone(timezone.utc)
    precision = "microseconds" if utc.microsecond % _MILLISECOND else "milliseconds"
    return utc.isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def parse_timestamp(text: str) -> datetime:
    """Return a timestamp as a datetime in UTC; without an offset, it is taken as UTC.

    Raises:
        ValueError: The text isn't a timestamp (empty, February 30, the year 10000 in UTC, …).
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(text) from error


def normalize_timestamp(text: object) -> str | None:
    """Return a timestamp as `format_timestamp` writes it, or None if it isn't one."""
    try:
        return format_timestamp(parse_timestamp(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def parse_start(text: str, now: datetime) -> datetime:
    """Return a date, a timestamp, or a time before now such as `-30d` as a datetime.

    Args:
        text: An ISO 8601 date or timestamp, or `-` with a number of hours, days or weeks.
        now: The time that a relative one counts from.

    Raises:
        ValueError: The text is something else.
    """
    relative = _RELATIVE.fullmatch(text.strip())
    if relative is None:
        return parse_timestamp(text)
    try:
        return now - timedelta(**{_UNITS[relative[2]]: int(relative[1])})
    except OverflowError as error:
        raise ValueError(text) from error


def to_hour(moment: datetime) -> int:
    """Return the hour of a moment: how many whole hours have passed since 1970."""
    return int(moment.timestamp()) // _SECONDS_PER_HOUR


def from_hour(hour: int) -> datetime:
    """Return the moment at which an hour since 1970 begins."""
    return datetime.fromtimestamp(hour * _SECONDS_PER_HOUR, timezone.utc)
