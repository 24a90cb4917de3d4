"""A sent activity that has changed, as a stream of reports sees it."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime

from tap_constantcontact.incremental.change_log_entries import ActivityEntry, CampaignEntry
from tap_constantcontact.incremental.counters import Counters, ReportKind
from tap_constantcontact.timestamps import from_hour


class Activity:
    """A sent activity that has changed, as a stream of reports sees it."""

    def __init__(
        self,
        campaign_id: str,
        activity_id: str,
        entry: ActivityEntry,
        campaigns: MutableMapping[str, CampaignEntry],
    ) -> None:
        """Take an activity from the log.

        Args:
            campaign_id: The id of its campaign.
            activity_id: Its own id.
            entry: Its entry in the log.
            campaigns: The campaigns of the log, which keep what is noted of the activity.
        """
        self.campaign_id = campaign_id
        self.activity_id = activity_id
        self._entry = entry
        self._campaigns = campaigns

    @property
    def number(self) -> int:
        """The number of its last change in the log."""
        return self._entry.change.number

    @property
    def counters(self) -> Counters:
        """Its counters at its last change."""
        return self._entry.counters

    @property
    def changed_at(self) -> datetime:
        """The hour in which its last change was detected."""
        return from_hour(self._entry.change.hour)

    def is_changed(self, kind: ReportKind, complete_through: int) -> bool:
        """Return whether a report has changed since a stream has read it, or may have.

        Args:
            kind: The kind of report.
            complete_through: The last number of the log when the stream had read all of it.
        """
        previous = self._entry.previous
        if previous is None or previous.number > complete_through:
            return True
        return not all(getattr(self._entry.read, name) for name in kind.counters)

    def is_empty(self, kind: ReportKind) -> bool:
        """Return whether a report should be empty, and need not be read all the same."""
        return kind.counts_nothing(self.counters) and not self._entry.reads_empty

    def read_until(self, kind: ReportKind, complete_through: int) -> datetime | None:
        """Return up to when a stream has read its report, or None to read the report in full.

        Args:
            kind: The kind of report, which has one counter.
            complete_through: The last number of the log when the stream had read all of it.
        """
        previous = self._entry.previous
        if previous is None or previous.number > complete_through:
            return None
        (counter,) = kind.counters
        return from_hour(self._entry.change.hour - int(getattr(previous.read, counter)))

    def to_read_at(self, counter: str) -> datetime:
        """Return the hour in which a counter changed last, so that its report was to be read."""
        return from_hour(self._entry.read_hour(counter))

    def expected_rows(self, kind: str) -> int:
        """Return how many rows there must be since a day before the report was to be read.

        Args:
            kind: `opens` or `clicks`.
        """
        rows: int = getattr(self._entry.expected_rows, kind)
        return rows

    def expect_rows(self, kind: str, rows: int) -> None:
        """Note in the log how many rows there were since a day before `to_read_at`.

        Args:
            kind: `opens` or `clicks`.
            rows: How many there were; the growth of the counter will be added to them.
        """
        self._entry = self._entry.expecting(kind, rows)
        campaign = self._campaigns.get(self.campaign_id, CampaignEntry())
        current = campaign.compared.get(self.activity_id)
        if current and current.change == self._entry.change:
            entries = {self.activity_id: current.expecting(kind, rows)}
            self._campaigns[self.campaign_id] = campaign.with_entries(entries)
