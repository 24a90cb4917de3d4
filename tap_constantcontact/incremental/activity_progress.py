"""Which activities a stream has to read according to the change log, and its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_constantcontact.incremental.change_log import Activity, ChangeLog
from tap_constantcontact.incremental.start_date import earliest_start
from tap_constantcontact.timestamps import parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_constantcontact.incremental.campaign_index import CampaignIndex


class ActivityProgress:
    """A stream's position in the change log, kept in the state of the stream.

    The state has `read_through`, the number in the log up to which the stream has read;
    `complete_through`, the last number of the log when the stream had read all; `left_out`, the
    activities that could not be read, with the day (since 1970) of the last attempt; and `since`,
    the start_date of the first run.
    """

    def __init__(self, state: dict[str, Any], config: Mapping[str, Any], *, is_full: bool) -> None:
        """Resume from a state.

        Args:
            state: The state of the stream, which changes with the position.
            config: The settings.
            is_full: Whether every run reads everything.
        """
        self._state = state
        self._earliest_start = earliest_start(state, config)
        self._is_full = is_full

    @property
    def read_through(self) -> int:
        """The number in the log up to which the stream has read, in this run or an earlier one."""
        return int(self._state.get("read_through", 0))

    @property
    def start(self) -> datetime | None:
        """The time before which rows are skipped, if there is one."""
        return parse_timestamp(self._earliest_start) if self._earliest_start else None

    def restarts(self, log: ChangeLog) -> bool:
        """Return whether everything has to be read again.

        With an earlier start_date, rows that were skipped are needed. A log that was removed from
        the state starts over.
        """
        known = self._state.get("since")
        is_earlier = known is not None and self._earliest_start < known
        return is_earlier or self._is_full or self.read_through > log.last_number

    def begin(self, log: ChangeLog, today: int) -> list[Activity]:
        """Begin a run and return the activities to read.

        Args:
            log: The change log.
            today: The day since 1970.
        """
        if self.restarts(log):
            self._state.update(read_through=0, complete_through=0, left_out={})
        self._state["since"] = self._earliest_start
        return self._pending(log, self.read_through, today)

    def pending(self, log: ChangeLog, today: int) -> list[Activity]:
        """Return the activities that `begin` will return."""
        return self._pending(log, 0 if self.restarts(log) else self.read_through, today)

    def read_until(self, activity: Activity) -> datetime | None:
        """Return the time up to which an activity was read, or None to read it in full."""
        if self.was_skipped(activity):
            return None
        return activity.read_until(int(self._state.get("complete_through", 0)))

    def was_skipped(self, activity: Activity) -> bool:
        """Return whether the last attempt to read an activity was incomplete."""
        return activity.activity_id in self._skipped

    def advance(self, number: int) -> None:
        """Note that activities have been read, up to a number."""
        self._state["read_through"] = max(self.read_through, number)

    def complete(self, log: ChangeLog) -> None:
        """Note that all activities have been read."""
        self._state["complete_through"] = log.last_number

    def note_read(self, activity: Activity) -> None:
        """Note that an activity was read."""
        self._state.setdefault("left_out", {}).pop(activity.activity_id, None)

    def note_skipped(self, activity: Activity, today: int) -> None:
        """Note that an activity was not read in full, so that a run on a later day retries it."""
        self._state.setdefault("left_out", {})[activity.activity_id] = today

    def _pending(self, log: ChangeLog, through: int, today: int) -> list[Activity]:
        """Return the activities that changed after a number or were skipped on an earlier day."""
        again = {id_ for id_, day in self._skipped.items() if day < today}
        old = [activity for activity in log.with_ids(again) if activity.number <= through]
        return [*old, *log.changed_after(through)]

    @property
    def _skipped(self) -> dict[str, int]:
        skipped: dict[str, int] = self._state.get("left_out", {})
        return skipped


class ActivityReader:
    """Reads the sent activities that have changed, in the order of the change log."""

    def __init__(
        self,
        index: CampaignIndex,
        progress: ActivityProgress,
        today: Callable[[], int],
        checkpoint: Callable[[], None],
    ) -> None:
        """Read for one stream.

        Args:
            index: Fetches the change log.
            progress: The position of the stream.
            today: Returns the day since 1970.
            checkpoint: Writes the state if it is time.
        """
        self.progress = progress
        self._index = index
        self._today = today
        self._checkpoint = checkpoint

    def read(
        self, batch_size: int, rows_of: Callable[[list[Activity]], Iterator[Record]]
    ) -> Iterator[Record]:
        """Yield the rows of the activities that the stream still has to read.

        Args:
            batch_size: The number of activities that are read together.
            rows_of: Yields the rows of a batch.
        """
        if not self._index.wants_sent:
            return
        log = self._index.fetch_change_log()
        activities = self.progress.begin(log, self._today())
        for first in range(0, len(activities), batch_size):
            batch = activities[first : first + batch_size]
            yield from rows_of(batch)
            self.progress.advance(batch[-1].number)
            self._checkpoint()
        self.progress.complete(log)

    def pending(self) -> list[Activity] | None:
        """Return the activities that `read` will read, or None while they are not known."""
        if not self._index.wants_sent:
            return []
        if not self._index.has_change_log:
            return None
        return self.progress.pending(self._index.fetch_change_log(), self._today())
