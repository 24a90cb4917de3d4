"""Which rows of a list have changed, for endpoints that are listed in full."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tap_constantcontact.timestamps import normalize_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record


class ChangedRows(NamedTuple):
    """Selects and orders rows by the time of their last change.

    Attributes:
        key: the column of a row's key.
        time: the column with the time of its last change.
    """

    key: str
    time: str

    def changed_at(self, row: Record) -> str:
        """Return when a row changed last, or "" where it does not say."""
        return normalize_timestamp(row.get(self.time)) or ""

    def is_changed(self, row: Record, since: str) -> bool:
        """Return whether a row has changed since a timestamp, or does not say."""
        changed_at = self.changed_at(row)
        return not changed_at or changed_at >= since

    def select(self, rows: Iterable[Record], since: str) -> list[Record]:
        """Return the rows that have changed since a timestamp, oldest change first.

        Rows without a time of change come first, and always.
        """
        # By key, since a row that changes meanwhile can come on two pages.
        listed = {row.get(self.key): row for row in rows}
        changed = [row for row in listed.values() if self.is_changed(row, since)]
        return sorted(changed, key=self.changed_at)
