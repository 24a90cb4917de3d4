"""Finds the changed rows of endpoints that are listed in full."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tap_constantcontact.timestamps import normalize_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record


class ChangedRows(NamedTuple):
    """Selects and orders rows by the time of their last change.

    Attributes:
        key: The key column.
        time: The column with the time of the last change.
    """

    key: str
    time: str

    def changed_at(self, row: Record) -> str:
        """Return when a row last changed, or "" if it has no time."""
        return normalize_timestamp(row.get(self.time)) or ""

    def is_changed(self, row: Record, since: str) -> bool:
        """Return whether a row has changed since a timestamp, or has no time."""
        changed_at = self.changed_at(row)
        return not changed_at or changed_at >= since

    def select(self, rows: Iterable[Record], since: str) -> list[Record]:
        """Return the rows that have changed since a timestamp, oldest change first.

        Rows without a time are always returned, and come first.
        """
        # By key, because a row that changes during the requests can come on two pages.
        listed = {row.get(self.key): row for row in rows}
        changed = [row for row in listed.values() if self.is_changed(row, since)]
        return sorted(changed, key=self.changed_at)
