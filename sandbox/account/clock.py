"""Timestamps: whole seconds since 1970 inside the sandbox, the API's various texts outside."""

from __future__ import annotations

import re
from datetime import datetime, timezone

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY

_ZONED = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"  # the guide itself sends 2018-3-31
    r"(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d))?"
)


def stamp(at: int) -> str:
    """Format a moment as contacts, lists and custom fields do (observed): 2024-10-30T18:56:35Z."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat()[:19] + "Z"


def seconds(text: str) -> int:
    """Parse a text of `stamp`."""
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def stamp_ms(at: int) -> str:
    """Format a moment as campaigns and reports do (observed): 2026-04-28T21:47:35.000Z."""
    return stamp(at)[:19] + ".000Z"


def stamp_offset(at: int) -> str:
    """Format a moment as account emails do (observed, no colon): 2026-02-05T07:32:49.766+0000."""
    return stamp(at)[:19] + ".766+0000"


def stamp_eastern(at: int) -> str:
    """Format a moment as SMS summaries do (documented): 2024-04-02T17:13:13.000-04:00."""
    return stamp(at - 4 * HOUR)[:19] + ".000-04:00"


def stamp_colon(at: int) -> str:
    """Format a moment as automations do (documented): 2025-09-25T20:06:50.020+00:00."""
    return stamp(at)[:19] + ".020+00:00"


def day(at: int) -> str:
    """Format the day of a moment as `deleted_at` of contacts: 2016-07-08."""
    return stamp(at)[:10]


def minute(at: int) -> int:
    """Round down to the minute: reports have no seconds (inferred from published responses)."""
    return at - at % MINUTE


def comparable(text: str) -> str:
    """Return a text of `stamp` or `stamp_ms` in the form of `parse`, to compare them."""
    return text.removesuffix("Z").removesuffix(".000")


def parse(text: str) -> str:
    """Parse a date or date-time of a request into the form of `comparable`.

    Raises:
        ValueError: If it is neither a date nor a date-time with a time zone. (That a date-time
            needs a zone is an assumption; it catches a `+` that was sent unencoded.)
    """
    match = _ZONED.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day_, hours, minutes, seconds, fraction, zone = match.groups()
    moment = datetime(
        int(year), int(month), int(day_), int(hours or 0), int(minutes or 0), int(seconds or 0),
        int((fraction or "0").ljust(6, "0")), tzinfo=_zone(zone or "Z"),
    )  # fmt: skip
    try:
        return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat()
    except OverflowError as error:  # in UTC it lies before the year 1 or after 9999
        raise ValueError(text) from error


def _zone(text: str) -> timezone:
    offset = datetime.strptime(text.replace("Z", "+0000"), "%z").utcoffset()
    return timezone(offset) if offset else timezone.utc
