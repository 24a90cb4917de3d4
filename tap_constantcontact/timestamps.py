"""Timestamps in one form: UTC, ISO 8601, with a `Z`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_RELATIVE = re.compile(r"-(\d+)([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_MILLISECOND = 1000
_SECONDS_PER_HOUR = 3600


def format_timestamp(moment: datetime) -> str:
    """Return an aware moment in UTC with a `Z`: to the millisecond, finer only where it is finer.

    The API's times have milliseconds at most (seen), so that texts of one width keep the order of
    time, which is how the SDK compares them.
    """
    utc = moment if moment.tzinfo is timezone.utc else moment.astimezone(timezone.utc)
    finest = "microseconds" if utc.microsecond % _MILLISECOND else "milliseconds"
    return utc.isoformat(timespec=finest).removesuffix("+00:00") + "Z"


def parse_timestamp(text: str) -> datetime:
    """Return the moment that a text names, in UTC; one without an offset is taken as UTC.

    Raises:
        ValueError: the text names no moment (empty, 30 February, the year 10000 in UTC, …).
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(text) from error


def normalize_timestamp(text: object) -> str | None:
    """Return a timestamp in the form of `format_timestamp`, or None where it is not one."""
    try:
        return format_timestamp(parse_timestamp(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def parse_start(text: str, now: datetime) -> datetime:
    """Return the moment of a date, a timestamp, or a time before now such as `-30d`.

    Args:
        text: an ISO 8601 date or timestamp, or `-` with a number of hours, days or weeks.
        now: what a relative time counts from.

    Raises:
        ValueError: the text is none of these.
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
