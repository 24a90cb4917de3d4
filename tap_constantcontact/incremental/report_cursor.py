"""How far a report has to be read."""

from __future__ import annotations

from datetime import datetime, timedelta

from tap_constantcontact.incremental.change_log import Activity

_DAY = timedelta(days=1)


class ReportCursor:
    """Counts the rows of a report, newest first, and says when the rest is known.

    A stream knows an activity up to a moment, but rows can come late. It reads on to `lookback`
    before that moment, and further where the rows do not account for the growth of the counter.

    How many rows that takes: those that were there from a day before the moment on, and the growth
    since. Reports can be ahead of the counters: such a surplus is taken off, as it will be growth
    the next time.
    """

    def __init__(
        self,
        activity: Activity,
        kind: str | None,
        read_until: datetime | None,
        lookback: timedelta,
    ) -> None:
        """Begin to count.

        Args:
            activity: what the report is on.
            kind: `opens` or `clicks`, whose counter is the number of rows; others have no such one.
            read_until: up to when the stream knows the activity; None to read to the end.
            lookback: how far to read on before that; a day or more.
        """
        self._activity = activity
        self._kind = kind
        self._stop = read_until - lookback if read_until else None
        self._expected_from = read_until - _DAY if read_until else None
        self._rows = self._expected = self._recent = 0

    def is_known(self, at: datetime | None) -> bool:
        """Return whether a row and those that follow are known; count it if it is not.

        Args:
            at: the time of the row, if it has one.
        """
        if at and self._stop and at < self._stop:
            if not self._is_short:
                return True
            self._stop = None  # rows came late: to the end
        self._rows += 1
        self._expected += bool(at and self._expected_from and at >= self._expected_from)
        self._recent += bool(at and at >= self._activity.changed_at - _DAY)
        return False

    def close(self, *, read_in_full: bool) -> bool:
        """Note how many rows the next reading has to find.

        Args:
            read_in_full: whether all rows of the report were counted.

        Returns:
            Whether the report is behind its counter: rows are missing, also at its end.
        """
        if self._kind is None:
            return False
        is_short = self._is_short
        if read_in_full:
            surplus = self._rows - getattr(self._activity.counters, self._kind)
        else:
            surplus = self._expected - self._activity.expected_rows(self._kind)
        self._activity.expect_rows(self._kind, max(0, self._recent - max(0, surplus)))
        return is_short

    @property
    def _is_short(self) -> bool:
        """Whether the rows do not account for the growth of the counter."""
        if self._kind is None or self._expected_from is None:
            return False
        return self._expected < self._activity.expected_rows(self._kind)
