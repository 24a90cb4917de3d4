"""How far a report has to be read, so that it is read in full only where that is needed."""

from __future__ import annotations

from datetime import datetime, timedelta

from tap_constantcontact.incremental.activity import Activity

_DAY = timedelta(days=1)


class ReportCursor:
    """Counts the rows of a report, newest first, and tells when the other rows are known.

    A stream has read the report up to some hour, but rows can come late. So it reads on to
    `lookback` before that hour, and it reads the report in full if the rows so far don't account
    for the growth of the counter.

    The rows since a day before that hour have to be as many as there were then, and the growth
    since. A report can be ahead of its counter. The surplus is subtracted from what the next
    reading expects, as the counter will grow by it.

    Assumes: report_rows_match_counters, reports_are_newest_first, report_links_hold_a_keyset.
    """

    def __init__(
        self,
        activity: Activity,
        counter: str | None,
        read_until: datetime | None,
        lookback: timedelta,
    ) -> None:
        """Begin a report.

        Args:
            activity: The activity that the report is about.
            counter: `opens` or `clicks`, which count rows; None for other reports.
            read_until: Up to when the stream has read the report; None to read it in full.
            lookback: How far to read on before that; a day or more.
        """
        self._activity = activity
        self._counter = counter
        self._stop = read_until - lookback if read_until else None
        self._expected_from = read_until - _DAY if read_until else None
        self._recent_from = activity.to_read_at(counter) - _DAY if counter else None
        self._rows = self._expected = self._recent = 0

    def is_known(self, at: datetime | None) -> bool:
        """Return whether a row and all that follow are known; count the row if it is not.

        Args:
            at: The time of the row, if it has one.
        """
        if at and self._stop and at < self._stop:
            if not self._lacks_rows:
                return True
            self._stop = None  # rows came late: read in full
        self._rows += 1
        self._expected += bool(at and self._expected_from and at >= self._expected_from)
        self._recent += bool(at and self._recent_from and at >= self._recent_from)
        return False

    def close(self, *, read_in_full: bool) -> bool:
        """Note in the log how many rows the next reading has to find.

        Args:
            read_in_full: Whether all rows of the report were counted.

        Returns:
            Whether the report lags behind its counter: even if it was read in full, rows are
            missing.
        """
        if self._counter is None:
            return False
        lacks_rows = self._lacks_rows
        if read_in_full:
            surplus = self._rows - getattr(self._activity.counters, self._counter)
        else:
            surplus = self._expected - self._activity.expected_rows(self._counter)
        self._activity.expect_rows(self._counter, max(0, self._recent - max(0, surplus)))
        return lacks_rows

    @property
    def is_behind(self) -> bool:
        """Whether the rows so far are fewer than the counter says, for a report read in full."""
        counted = getattr(self._activity.counters, self._counter) if self._counter else 0
        return self._rows < int(counted)

    @property
    def _lacks_rows(self) -> bool:
        """Whether the rows do not account for the growth of the counter."""
        if self._counter is None or self._expected_from is None:
            return False
        return self._expected < self._activity.expected_rows(self._counter)
