"""Where a run starts to read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from singer_sdk import Stream

#: How far behind its bookmark an incremental stream starts: a filter may exclude the given second
#: (not documented), and a change may show up late.
OVERLAP = timedelta(minutes=5)
#: How long contacts open and click an email in general. With skip_old_reports, campaigns that were
#: last sent longer before start_date are skipped.
STILL_ACTIVE = timedelta(days=60)
# Nothing is before it. Some systems write the first moment of all where there is no time.
_EARLIEST = datetime.min.replace(tzinfo=timezone.utc) + OVERLAP


def starting_point(stream: Stream) -> datetime | None:
    """Return where an incremental stream starts: at its bookmark, else at start_date, if set.

    The SDK's `get_starting_timestamp` returns it only once the stream has started, which is too
    late for prefetched requests.
    """
    if stream.replication_method != REPLICATION_INCREMENTAL:
        return None
    start = stream.stream_state.get("replication_key_value") or stream.config.get("start_date")
    return parse_timestamp(start) if start else None


def with_overlap(start: datetime | None) -> str:
    """Return the timestamp to read from, an overlap before the start, or "" to read everything."""
    return format_timestamp(start - OVERLAP) if start and start > _EARLIEST else ""


def earliest_start(state: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the earliest start_date of all runs of a stream, or "".

    A relative start_date moves with the clock, but the rows in the target stay. The state keeps
    the earliest one as `since`.
    """
    start = str(config.get("start_date", ""))
    return min(start, str(state.get("since", start)))
