"""Where a run begins to read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from singer_sdk import Stream

#: How far behind its bookmark an incremental stream begins: "after" may leave out the second
#: itself (not documented), and a change may show late.
OVERLAP = timedelta(minutes=5)


def starting_point(stream: Stream) -> datetime | None:
    """Return where an incremental stream begins: at its bookmark, else at start_date, if any.

    The SDK's `get_starting_timestamp` knows it only once the stream has begun, which is too late
    for requests that are prefetched.
    """
    if stream.replication_method != REPLICATION_INCREMENTAL:
        return None
    start = stream.stream_state.get("replication_key_value") or stream.config.get("start_date")
    return parse_timestamp(start) if start else None


def with_overlap(start: datetime | None) -> str:
    """Return the timestamp from which on to read, an overlap before a start; "" for all."""
    return format_timestamp(start - OVERLAP) if start else ""


def earliest_start(state: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the earliest start_date that any run of a stream began with, or "".

    A relative start_date moves with the clock, but the rows of the table stay the same. The
    earliest one is kept as `since` in the state.
    """
    start = str(config.get("start_date", ""))
    return min(start, str(state.get("since", start)))
