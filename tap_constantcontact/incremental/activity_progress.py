"""Which activities a stream has to read according to the change log, and its progress."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_constantcontact.incremental.activity import Activity
from tap_constantcontact.incremental.change_log import ChangeLog
from tap_constantcontact.incremental.counters import ReportKind
from tap_constantcontact.incremental.start_date import earliest_start
from tap_constantcontact.incremental.state_parts import own_part, part_of
from tap_constantcontact.timestamps import parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_constantcontact.incremental.campaign_index import CampaignIndex


#: The part of the state of a stream that is its position.
POSITION = "position"

_EMPTY_KEY = "empty_reports"
_END = 0


def named_log(state: Mapping[str, Any]) -> str:
    """Return the id of the log that the position in the state of a stream names, or ""."""
    return str(part_of(state, POSITION).get("log", ""))


class ActivityProgress:
    """A stream's position in the change log, kept in the state of the stream.

    The part `position` of the state has `log`, the id of the log that its numbers belong to;
    `read_through`, the number up to which the stream has read; `complete_through`, the last number
    of the log when the stream had read all; `left_out`, the activities that could not be read, with
    the day (since 1970) of the last attempt; `empty_reports`, how many reports should have been
    empty so far; and `since`, the start_date of the first run.
    """

    def __init__(
        self, state: dict[str, Any], config: Mapping[str, Any], kind: ReportKind, *, is_full: bool
    ) -> None:
        """Resume from a state.

        Args:
            state: The state of the stream, which changes with the position.
            config: The settings.
            kind: The kind of report that the stream reads.
            is_full: Whether every run reads everything.
        """
        self._state = state
        self._kind = kind
        # How many reports should have been empty, up to a number or the end of the log.
        self._empty_reports: dict[int, int] = {}
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
        the state starts over, and numbers of another log mean something else. If counters of 0
        turned out to be wrong, reports were skipped that have rows.
        """
        position = part_of(self._state, POSITION)
        known = position.get("since")
        is_earlier = known is not None and self._earliest_start < known
        is_wrong = not log.trusts_zeros and position.get(_EMPTY_KEY, 0) > 0
        is_other = not log.identity.knows(named_log(self._state))
        return is_earlier or is_wrong or is_other or self._is_full

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
            position.pop(_EMPTY_KEY, None)
        return activities

    def pending(self, log: ChangeLog, today: int) -> list[Activity]:
        """Return the activities that `begin` will return."""
        restarts = self.restarts(log)
        self._complete_through = 0 if restarts else self._number(log, "complete_through")
        through = 0 if restarts else self.read_through(log)
        skipped = {} if restarts else self._skipped
        again = {id_ for id_, day in skipped.items() if day < today}
        old = [activity for activity in log.with_ids(again) if activity.number <= through]
        changed = log.changed_after(through)
        if self._is_full:
            return [*old, *changed]
        news = [
            activity
            for activity in changed
            if activity.is_changed(self._kind, self._complete_through)
            or activity.activity_id in skipped
        ]
        return [*old, *self._without_empty(news, skipped, log)]

    def read_until(self, activity: Activity) -> datetime | None:
        """Return the time up to which an activity was read, or None to read it in full.

        Args:
            activity: One of those that `begin` or `pending` has returned.
        """
        if self.was_skipped(activity):
            return None
        return activity.read_until(self._kind, self._complete_through)

    def was_skipped(self, activity: Activity) -> bool:
        """Return whether the last attempt to read an activity was incomplete."""
        return activity.activity_id in self._skipped

    def advance(self, number: int) -> None:
        """Note that activities have been read, up to a number."""
        position = own_part(self._state, POSITION)
        position["read_through"] = max(position.get("read_through", 0), number)
        self._note_empty(number)

    def complete(self, log: ChangeLog) -> None:
        """Note that all activities have been read."""
        position = own_part(self._state, POSITION)
        position["complete_through"] = position["read_through"] = log.last_number
        self._note_empty(_END)

    def note_read(self, activity: Activity) -> None:
        """Note that an activity was read."""
        self._skipped.pop(activity.activity_id, None)

    def note_skipped(self, activity: Activity, today: int) -> None:
        """Note that an activity was not read in full, so that a run on a later day retries it."""
        own_part(self._state, POSITION).setdefault("left_out", {})[activity.activity_id] = today

    def _without_empty(
        self, activities: list[Activity], skipped: Container[str], log: ChangeLog
    ) -> Iterator[Activity]:
        """Yield activities without those whose reports should be empty.

        That they are is assumed. So the 1st, 2nd, 4th, 8th, … of them is read as a proof.

        Args:
            activities: Activities in the order of the log.
            skipped: Those of which no report may be skipped.
            log: The log.
        """
        empty = 0 if self.restarts(log) else part_of(self._state, POSITION).get(_EMPTY_KEY, 0)
        for activity in activities:
            is_sure = log.trusts_zeros and activity.activity_id not in skipped
            if is_sure and activity.is_empty(self._kind):
                empty += 1
                if empty & (empty - 1):
                    continue
            self._empty_reports[activity.number] = empty
            yield activity
        self._empty_reports[_END] = empty

    def _note_empty(self, number: int) -> None:
        if empty := self._empty_reports.get(number):
            own_part(self._state, POSITION)[_EMPTY_KEY] = empty

    @property
    def _skipped(self) -> dict[str, int]:
        skipped: dict[str, int] = part_of(self._state, POSITION).get("left_out", {})
        return skipped

    def _number(self, log: ChangeLog, name: str) -> int:
        """Return a number of the position, as one of a log."""
        number = part_of(self._state, POSITION).get(name, 0)
        return log.identity.number_of(named_log(self._state), number)


def _one_by_one(activities: list[Activity]) -> Iterator[list[Activity]]:
    return ([activity] for activity in activities)


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
        self,
        rows_of: Callable[[list[Activity]], Iterator[Record]],
        batches: Callable[[list[Activity]], Iterable[list[Activity]]] = _one_by_one,
    ) -> Iterator[Record]:
        """Yield the rows of the activities that the stream still has to read.

        Args:
            rows_of: Yields the rows of a batch.
            batches: Divides activities into batches that are read together.
        """
        if not self._index.wants_sent:
            return
        log = self._index.fetch_change_log()
        for batch in batches(self.progress.begin(log, self._today())):
            yield from rows_of(batch)
            self.progress.advance(batch[-1].number)
            self._checkpoint()
        self.progress.complete(log)

    def distrust_zeros(self) -> bool:
        """Note that a report has rows although its counter is 0; return whether it's the first."""
        log = self._index.fetch_change_log()
        is_first = log.trusts_zeros
        log.distrust_zeros()
        return is_first

    def pending(self) -> list[Activity] | None:
        """Return the activities that `read` will read, or None while they are not known."""
        if not self._index.wants_sent:
            return []
        if not self._index.has_change_log:
            return None
        return self.progress.pending(self._index.fetch_change_log(), self._today())
