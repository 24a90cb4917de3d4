"""Which activities a stream has to read according to the change log, and its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_constantcontact.incremental.change_log import Activity, ChangeLog
from tap_constantcontact.incremental.start_date import earliest_start
from tap_constantcontact.incremental.state_parts import own_part, part_of
from tap_constantcontact.timestamps import parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_constantcontact.incremental.campaign_index import CampaignIndex


#: The part of the state of a stream that is its position.
POSITION = "position"


def named_log(state: Mapping[str, Any]) -> str:
    """Return the id of the log that the position in the state of a stream names, or ""."""
    return str(part_of(state, POSITION).get("log", ""))


class ActivityProgress:
    """A stream's position in the change log, kept in the state of the stream.

    The part `position` of the state has `log`, the id of the log that its numbers belong to;
    `read_through`, the number up to which the stream has read; `complete_through`, the last number
    of the log when the stream had read all; `left_out`, the activities that could not be read, with
    the day (since 1970) of the last attempt; and `since`, the start_date of the first run.
    """

    def __init__(self, state: dict[str, Any], config: Mapping[str, Any], *, is_full: bool) -> None:
        """Resume from a state.

        Args:
            state: The state of the stream, which changes with the position.
            config: The settings.
            is_full: Whether every run reads everything.
        """
        self._state = state
        self._earliest_start = earliest_start(part_of(state, POSITION), config)
        self._is_full = is_full
        # In the log that was read last.
        self._complete_through = 0

    @property
    def start(self) -> datetime | None:
        """The time before which rows are skipped, if there is one."""
        return parse_timestamp(self._earliest_start) if self._earliest_start else None

    def read_through(self, log: ChangeLog) -> int:
        """Return the number of a log up to which the stream has read it, in any run."""
        return self._number(log, "read_through")

    def restarts(self, log: ChangeLog) -> bool:
        """Return whether everything has to be read again.

        With an earlier start_date, rows that were skipped are needed. A log that was removed from
        the state starts over, and numbers of another log mean something else.
        """
        position = part_of(self._state, POSITION)
        known = position.get("since")
        is_earlier = known is not None and self._earliest_start < known
        return is_earlier or self._is_full or not log.identity.knows(named_log(self._state))

    def begin(self, log: ChangeLog, today: int) -> list[Activity]:
        """Begin a run and return the activities to read.

        Args:
            log: The change log.
            today: The day since 1970.
        """
        activities = self.pending(log, today)
        restarts, through = self.restarts(log), self.read_through(log)
        position = own_part(self._state, POSITION)
        position.update(
            log=log.identity.id,
            read_through=0 if restarts else through,
            complete_through=self._complete_through,
            since=self._earliest_start,
        )
        if restarts:
            position["left_out"] = {}
        return activities

    def pending(self, log: ChangeLog, today: int) -> list[Activity]:
        """Return the activities that `begin` will return."""
        restarts = self.restarts(log)
        self._complete_through = 0 if restarts else self._number(log, "complete_through")
        return self._pending(log, 0 if restarts else self.read_through(log), today)

    def read_until(self, activity: Activity) -> datetime | None:
        """Return the time up to which an activity was read, or None to read it in full.

        Args:
            activity: One of those that `begin` or `pending` has returned.
        """
        if self.was_skipped(activity):
            return None
        return activity.read_until(self._complete_through)

    def was_skipped(self, activity: Activity) -> bool:
        """Return whether the last attempt to read an activity was incomplete."""
        return activity.activity_id in self._skipped

    def advance(self, number: int) -> None:
        """Note that activities have been read, up to a number."""
        position = own_part(self._state, POSITION)
        position["read_through"] = max(position.get("read_through", 0), number)

    def complete(self, log: ChangeLog) -> None:
        """Note that all activities have been read."""
        own_part(self._state, POSITION)["complete_through"] = log.last_number

    def note_read(self, activity: Activity) -> None:
        """Note that an activity was read."""
        self._skipped.pop(activity.activity_id, None)

    def note_skipped(self, activity: Activity, today: int) -> None:
        """Note that an activity was not read in full, so that a run on a later day retries it."""
        own_part(self._state, POSITION).setdefault("left_out", {})[activity.activity_id] = today

    def _pending(self, log: ChangeLog, through: int, today: int) -> list[Activity]:
        """Return the activities that changed after a number or were skipped on an earlier day."""
        again = {id_ for id_, day in self._skipped.items() if day < today}
        old = [activity for activity in log.with_ids(again) if activity.number <= through]
        return [*old, *log.changed_after(through)]

    @property
    def _skipped(self) -> dict[str, int]:
        skipped: dict[str, int] = part_of(self._state, POSITION).get("left_out", {})
        return skipped

    def _number(self, log: ChangeLog, name: str) -> int:
        """Return a number of the position, as one of a log."""
        number = part_of(self._state, POSITION).get(name, 0)
        return log.identity.number_of(named_log(self._state), number)


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
