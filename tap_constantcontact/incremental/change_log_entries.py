"""What the change log holds: campaigns, their activities, and when these changed."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tap_constantcontact.incremental.counters import (
    COUNTED,
    COUNTED_ONCE,
    NO_COUNTERS,
    Counters,
)

# A contact that bounces, unsubscribes or forwards again changes no counter. These reports are read
# after a change of another counter too, but not more often than this.
_HOURS_UNTIL_REPEATS = 7 * 24


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


class ReadHours(NamedTuple):
    """How many hours before the last change the reports of each counter were to be read.

    0 means with the last change; all hours since 1970 mean never.
    """

    sends: int = 0
    opens: int = 0
    clicks: int = 0
    bounces: int = 0
    optouts: int = 0
    forwards: int = 0

    def after_change(self, changed: Container[str]) -> ReadHours:
        """Return the hours after a change.

        Args:
            changed: The counters that have changed. The others get an hour at least, also if the
                change before was in the same hour.
        """
        pairs = self._asdict().items()
        return ReadHours(*(0 if name in changed else max(1, hours) for name, hours in pairs))


class Previous(NamedTuple):
    """The change before the last one.

    Attributes:
        number: Its number in the log.
        read: When reports were to be read until then, counted from the last change as well.
    """

    number: int
    read: ReadHours


@dataclass(frozen=True)
class ActivityEntry:
    """An activity whose counters were compared.

    Attributes:
        change: Its last change.
        counters: Its counters at that change.
        expected_rows: The rows that its reports must have since a day before they were to be read.
        read: When its reports were to be read. Those of counters that did not change with the last
            change were to be read earlier.
        previous: The change before the last one; None if the reports have to be read in full, or
            once all streams have read them.
        reads_empty: Whether even reports that should be empty have to be read.
    """

    change: Change
    counters: Counters
    expected_rows: ExpectedRows = field(default_factory=ExpectedRows)
    read: ReadHours = field(default_factory=ReadHours)
    previous: Previous | None = None
    reads_empty: bool = False

    @classmethod
    def first(cls, change: Change, counters: Counters) -> ActivityEntry:
        """Return the entry of a new activity.

        Args:
            change: Its first change.
            counters: Its counters.
        """
        return cls(change, counters, ExpectedRows.all_of(counters))

    def changed(
        self, change: Change, counters: Counters, also: Collection[str] = ()
    ) -> ActivityEntry:
        """Return the entry after a change.

        Args:
            change: The change.
            counters: The new counters.
            also: Counters to be taken as changed, in addition to those that have.
        """
        growth = counters.minus(self.counters)
        # If a counter fell, rows are gone, and its growth no longer tells how many are new.
        if not growth.covers(NO_COUNTERS) or not counters.is_measured_like(self.counters):
            return self.changed_in_full(change, counters)
        passed = change.hour - self.change.hour
        before = ReadHours(*(hours + passed for hours in self.read))
        # Reports that should have been empty were not read, but can have had rows already.
        unread = {name for name in COUNTED if getattr(growth, name) and not self._counts(name)}
        before = before._replace(**dict.fromkeys(unread, change.hour))
        changed = {
            name
            for name in COUNTED
            if getattr(growth, name)
            or getattr(counters, name) < 0
            or name in also
            or (name in COUNTED_ONCE and getattr(before, name) >= _HOURS_UNTIL_REPEATS)
        }
        return ActivityEntry(
            change,
            counters,
            self._rows_after(growth),
            before.after_change(changed),
            Previous(self.change.number, before),
        )

    def changed_in_full(
        self, change: Change, counters: Counters, *, reads_empty: bool = False
    ) -> ActivityEntry:
        """Return the entry after a change that has all reports read in full.

        Args:
            change: The change.
            counters: The new counters.
            reads_empty: Whether even those that should be empty have to be read.
        """
        rows = self._rows_after(counters.minus(self.counters))
        return ActivityEntry(change, counters, rows, reads_empty=reads_empty)

    def owes_repeats(self, hour: int) -> bool:
        """Return whether reports that can have repeats were skipped long enough ago.

        Args:
            hour: The current hour, since 1970.
        """
        passed = hour - self.change.hour
        return any(
            getattr(self.counters, name)
            and getattr(self.read, name) > 0
            and passed + getattr(self.read, name) >= _HOURS_UNTIL_REPEATS
            for name in COUNTED_ONCE
        )

    def read_hour(self, counter: str) -> int:
        """Return the hour (since 1970) in which the reports of a counter were to be read."""
        return self.change.hour - int(getattr(self.read, counter))

    def _counts(self, name: str) -> bool:
        return bool(getattr(self.counters, name))

    def _rows_after(self, growth: Counters) -> ExpectedRows:
        opens, clicks = self.expected_rows
        return ExpectedRows(opens + growth.opens, clicks + growth.clicks)

    @property
    def is_pruned(self) -> bool:
        """Whether it has nothing that only streams need that have not read the last change."""
        return self.previous is None and not self.reads_empty

    def pruned(self) -> ActivityEntry:
        """Return the entry without what streams need until they have read the last change."""
        return replace(self, previous=None, reads_empty=False)

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
        is_skipped: Whether it was sent too long before start_date for its reports to be read.
    """

    activities: Mapping[str, ActivityEntry | UncomparedActivity] = field(default_factory=dict)
    own_counters: Counters | None = None
    is_skipped: bool = False

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
    def named_hour(self) -> int:
        """When its activities were known to be all there are, in hours since 1970; 0 if never."""
        hours = (
            entry.change.hour if isinstance(entry, ActivityEntry) else entry.named_hour
            for entry in self.activities.values()
        )
        return max(hours, default=0)

    def with_entries(self, entries: Mapping[str, ActivityEntry]) -> CampaignEntry:
        """Return the campaign with other entries of some activities.

        Args:
            entries: The entries, by the ids of the activities.
        """
        return replace(self, activities={**self.activities, **entries})
