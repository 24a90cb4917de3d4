"""The bookmark of a stream that reads the oldest change first, and the rows around it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tap_constantcontact.incremental.start_date import OVERLAP, with_overlap
from tap_constantcontact.incremental.state_parts import own_part, part_of
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

AT_BOOKMARK = "at_bookmark"
_VALUE_KEY = "replication_key_value"
# If more rows have changed within the overlap, those that were read earlier are read again.
_MAX_ROWS = 20


class Bookmark:
    """The time of the newest change that a stream has read.

    Each run starts an overlap before the bookmark, so the row at the bookmark is always listed
    again. The part `at_bookmark` of the state has the rows of the overlap that need not be read
    again, with the times of their changes, and the `bookmark` that they belong to.
    """

    def __init__(self, state: dict[str, Any], replication_key: str) -> None:
        """Resume from a state.

        Args:
            state: The state of the stream, which changes with the bookmark.
            replication_key: The replication key of the stream.
        """
        self._state = state
        self._replication_key = replication_key

    def has_read(self, row_id: str, changed_at: str) -> bool:
        """Return whether a row was read after a change.

        Args:
            row_id: The id of the row.
            changed_at: When it changed, as it is listed.
        """
        return changed_at != "" and self._rows.get(row_id) == changed_at

    def advance(self, row_id: str, changed_at: str, now: datetime) -> None:
        """Advance to a change that was read, but never move back.

        The bookmark stays at the current time if a row has a time in the future by mistake:
        otherwise the next runs would miss all other changes.

        Args:
            row_id: The id of the row.
            changed_at: When it changed, or "" if it has no time.
            now: The current time.
        """
        rows = self._rows
        if changed_at > self._state.get(_VALUE_KEY, ""):
            self._state.update(
                replication_key=self._replication_key,
                replication_key_value=min(changed_at, format_timestamp(now)),
            )
        if bookmark := self._state.get(_VALUE_KEY):
            # A change may show up late: a row that has just changed is read once more.
            if changed_at and changed_at <= format_timestamp(now - OVERLAP):
                rows = {**rows, row_id: changed_at}
            since = with_overlap(parse_timestamp(bookmark))
            kept = [(id_, at) for id_, at in rows.items() if at >= since]
            rows = dict(kept[-_MAX_ROWS:])
            own_part(self._state, AT_BOOKMARK).update(bookmark=bookmark, rows=rows)

    @property
    def _rows(self) -> dict[str, str]:
        """The rows that need not be read again; none if they belong to another bookmark."""
        part = part_of(self._state, AT_BOOKMARK)
        is_current = part.get("bookmark") == self._state.get(_VALUE_KEY)
        rows: dict[str, str] = part.get("rows", {}) if is_current else {}
        return rows
