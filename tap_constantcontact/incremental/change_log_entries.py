"""What the change log holds: campaigns, their activities, and when these changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tap_constantcontact.incremental.counters import NO_COUNTERS, Counters


class Change(NamedTuple):
    """A change of an activity: its place in the log, and when it was detected.

    Attributes:
        number: The number that the log has given to the change.
        hour: When it was detected, in hours since 1970.
    """

    number: int
    hour: int


class ExpectedRows(NamedTuple):
    """How many rows the reports on an activity must have, in their recent part.

    That part begins a day before the hour up to which a report was read. All rows of an activity
    that is new are expected, until a stream has read its report: with fewer than there are, rows
    that come late would be missed.
    """

    opens: int = 0
    clicks: int = 0

    @classmethod
    def all_of(cls, counters: Counters) -> ExpectedRows:
        """Return all rows that counters count."""
        return cls(counters.opens, counters.clicks)


@dataclass(frozen=True)
class UncomparedActivity:
    """An activity that the API has named, and whose counters were not compared yet.

    Attributes:
        named_hour: When the API named it, in hours since 1970.
    """

    named_hour: int


@dataclass(frozen=True)
class ActivityEntry:
    """An activity whose counters were compared.

    Attributes:
        change: Its last change.
        counters: Its counters at that change.
        expected_rows: The rows that its reports must have since a day before the previous change.
        previous: The change before the last one; None if the reports have to be read in full, or
            once all streams have read them.
    """

    change: Change
    counters: Counters
    expected_rows: ExpectedRows = field(default_factory=ExpectedRows)
    previous: Change | None = None

    @classmethod
    def first(cls, change: Change, counters: Counters) -> ActivityEntry:
        """Return the entry of a new activity.

        Args:
            change: Its first change.
            counters: Its counters.
        """
        return cls(change, counters, ExpectedRows.all_of(counters))

    def changed(self, change: Change, counters: Counters, *, read_in_full: bool) -> ActivityEntry:
        """Return the entry after a change.

        Args:
            change: The change.
            counters: The new counters.
            read_in_full: Whether the reports have to be read in full, whatever was read before.
        """
        growth = counters.minus(self.counters)
        rows = ExpectedRows(
            self.expected_rows.opens + growth.opens, self.expected_rows.clicks + growth.clicks
        )
        # If a counter fell, rows are gone, and its growth no longer tells how many are new.
        is_known = not read_in_full and growth.covers(NO_COUNTERS)
        return ActivityEntry(change, counters, rows, self.change if is_known else None)

    def pruned(self) -> ActivityEntry:
        """Return the entry without the previous change."""
        return replace(self, previous=None)

    def expecting(self, kind: str, rows: int) -> ActivityEntry:
        """Return the entry with another number of expected rows.

        Args:
            kind: `opens` or `clicks`.
            rows: How many are expected.
        """
        return replace(self, expected_rows=self.expected_rows._replace(**{kind: rows}))


@dataclass(frozen=True)
class CampaignEntry:
    """A campaign in the log.

    Attributes:
        activities: Its activities, by their ids.
        own_counters: Its counters; None if it has a single activity, whose counters are the same.
    """

    activities: Mapping[str, ActivityEntry | UncomparedActivity] = field(default_factory=dict)
    own_counters: Counters | None = None

    @property
    def counters(self) -> Counters | None:
        """Its counters, or None if they were not compared yet."""
        if self.own_counters is not None:
            return self.own_counters
        first = next(iter(self.activities.values()), None)
        return first.counters if isinstance(first, ActivityEntry) else None

    @property
    def compared(self) -> dict[str, ActivityEntry]:
        """The activities whose counters were compared, by their ids."""
        return {
            id_: entry for id_, entry in self.activities.items() if isinstance(entry, ActivityEntry)
        }

    @property
    def named_hour(self) -> int | None:
        """When the API named its activities, if the campaign was not compared since."""
        if self.counters is not None:
            return None
        entries = self.activities.values()
        hours = [entry.named_hour for entry in entries if isinstance(entry, UncomparedActivity)]
        return min(hours, default=None)

    def with_entries(self, entries: Mapping[str, ActivityEntry]) -> CampaignEntry:
        """Return the campaign with other entries of some activities.

        Args:
            entries: The entries, by the ids of the activities.
        """
        return replace(self, activities={**self.activities, **entries})
