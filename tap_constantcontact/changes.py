"""Which sent activities have moved: the log that tells what streams of reports have to read.

Reports have no filter of time, but the API counts what is in them. A campaign with the counters of
the last comparison has nothing new, and is not asked for. Activities of one that has moved get the
next numbers of the log. A stream keeps the number up to which it has read (`read_through`): what
has a greater one is still to be read, whether it moved in this run, in one that ended early, or
before the stream was selected.

The log is the state of `email_campaign_stats`, selected or not. Ids and lists of numbers keep it
small, as 3,000 campaigns are to fit into 300 KB.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from tap_constantcontact.values import parse_timestamp, timestamp

# Counters of a campaign with several activities, which have their own.
_ALL = "all"
# Activities whose counters are asked for together (contract: ten at the most).
_AT_ONCE = 10
_BASE64_OF_16_BYTES = 22
_DAY = timedelta(days=1)

# An activity is a list: its number in the log, the hour (since 1970) in which it moved, its
# counters, the rows of opens and clicks to expect, and where it moved since some stream read it,
# the number and the hour that it had before. The list of one that was not compared yet is empty.
_NUMBER, _HOUR = 0, 1
_COUNTERS, _ROWS, _BEFORE = slice(2, 9), slice(9, 11), slice(11, 13)


class Counters(NamedTuple):
    """What is compared: a move of any one means that there is something to read.

    Opens and clicks are totals, the others count contacts (documented): of a campaign that is sent
    once more to the same contacts only the time moves.

    Attributes:
        sent: hour of the last send, since 1970; 0 where it is not known, as of single activities.
    """

    sends: int
    opens: int
    clicks: int
    bounces: int
    optouts: int
    forwards: int
    sent: int = 0

    @classmethod
    def of_stats(cls, stats: Mapping[str, Any]) -> Counters:
        """Return the counters of the stats of a campaign or an activity."""
        names = ("sends", "opens_all", "clicks_all", "bounces", "optouts", "forwards")
        return cls(*(_number(stats.get(f"em_{name}")) for name in names))

    @classmethod
    def of_summary(cls, counts: Mapping[str, Any]) -> Counters:
        """Return the counters of a campaign's summary, which are all of contacts."""
        names = ("sends", "opens", "clicks", "bounces", "optouts", "forwards")
        return cls(*(_number(counts.get(name)) for name in names))


class Asker(Protocol):
    """Asks the API what the counters of a campaign do not tell."""

    def activities_of(self, campaign_id: str) -> list[str]:
        """Return the ids of a campaign's activities that have reports."""

    def counters_of(self, activity_ids: Sequence[str]) -> Mapping[str, Counters]:
        """Return the counters of activities, by their ids; of those that were sent."""


class Activity:
    """A sent activity in the log."""

    def __init__(self, campaign_id: str, activity_id: str, entry: list[Any]) -> None:
        """Take what the log holds.

        Args:
            campaign_id: id of its campaign.
            activity_id: its own id.
            entry: its list in the log, which changes with it.
        """
        self.campaign_id = campaign_id
        self.activity_id = activity_id
        self._entry = entry

    @property
    def number(self) -> int:
        """Its number in the log."""
        number: int = self._entry[_NUMBER]
        return number

    @property
    def counters(self) -> Counters:
        """Its counters when it moved."""
        return Counters(*self._entry[_COUNTERS])

    @property
    def moved_at(self) -> datetime:
        """When it was seen to have moved: then or up to an hour later."""
        return _moment(self._entry[_HOUR])

    def known_until(self, read_through: int) -> datetime | None:
        """Return up to when a stream knows it, or None where it is to be read to its end.

        Args:
            read_through: the number up to which the stream has read.
        """
        before = self._entry[_BEFORE]
        return _moment(before[1]) if before and read_through >= before[0] else None

    def rows_to_expect(self, kind: str) -> int:
        """Return how many opens or clicks there must be from a day before `known_until` on."""
        return int(self._entry[_ROWS.start + _KINDS[kind]])

    def expect_rows(self, kind: str, rows: int) -> None:
        """Note how many opens or clicks there were from a day before `moved_at` on."""
        self._entry[_ROWS.start + _KINDS[kind]] = rows


_KINDS = {"opens": 0, "clicks": 1}


class Tally:
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
        known_until: datetime | None,
        lookback: timedelta,
    ) -> None:
        """Begin to count.

        Args:
            activity: what the report is on.
            kind: `opens` or `clicks`, whose counter is the number of rows; others have no such one.
            known_until: up to when the stream knows the activity; None to read to the end.
            lookback: how far to read on before that; a day or more.
        """
        self._activity = activity
        self._kind = kind
        self._stop = known_until - lookback if known_until else None
        self._expected_from = known_until - _DAY if known_until else None
        self._rows = self._expected = self._recent = 0

    def is_known(self, at: datetime | None) -> bool:
        """Return whether a row and those that follow are known; count it if it is not.

        Args:
            at: the time of the row, if it has one.
        """
        if at and self._stop and at < self._stop:
            if self._is_accounted_for():
                return True
            self._stop = None  # rows came late: to the end
        self._rows += 1
        self._expected += bool(at and self._expected_from and at >= self._expected_from)
        self._recent += bool(at and at >= self._activity.moved_at - _DAY)
        return False

    def close(self, *, to_the_end: bool) -> None:
        """Note how many rows the next reading has to find.

        Args:
            to_the_end: whether all rows of the report were counted.
        """
        if self._kind is None:
            return
        if to_the_end:
            surplus = self._rows - getattr(self._activity.counters, self._kind)
        else:
            surplus = self._expected - self._activity.rows_to_expect(self._kind)
        self._activity.expect_rows(self._kind, self._recent - max(0, surplus))

    def _is_accounted_for(self) -> bool:
        if self._kind is None:
            return True
        return self._expected >= self._activity.rows_to_expect(self._kind)


class ActivityLog:
    """The sent activities, in the order in which they last moved."""

    def __init__(self, state: dict[str, Any]) -> None:
        """Go on with the log of earlier runs.

        Args:
            state: the state that holds the log, and changes with it.
        """
        self._state = state
        self._campaigns: dict[str, dict[str, Any]] = state.setdefault("campaigns", {})

    @property
    def compared_at(self) -> datetime | None:
        """When the last complete comparison began."""
        moment = self._state.get("compared_at")
        return parse_timestamp(moment) if moment else None

    @property
    def campaign_ids(self) -> Iterator[str]:
        """The campaigns that have counters."""
        return (_long(key) for key, known in self._campaigns.items() if _counters_of(known))

    def after(self, number: int) -> list[Activity]:
        """Return the activities with a greater number, in the order of the log."""
        greater = [
            Activity(_long(campaign), _long(activity), entry)
            for campaign, activities in self._campaigns.items()
            for activity, entry in activities.items()
            if activity != _ALL and entry and entry[_NUMBER] > number
        ]
        return sorted(greater, key=lambda activity: activity.number)

    def settle(self, number: int) -> None:
        """Forget what was before, where all streams have read up to a number."""
        for activities in self._campaigns.values():
            for activity, entry in activities.items():
                if activity != _ALL and entry and entry[_NUMBER] <= number:
                    del entry[_BEFORE]

    def forget(self, campaign_id: str) -> None:
        """Leave out a campaign that is gone."""
        self._campaigns.pop(_short(campaign_id), None)

    def remember(self, campaign_id: str, activity_ids: Iterable[str]) -> None:
        """Keep the activities of a new campaign until it is compared, perhaps by a later run.

        Args:
            campaign_id: the campaign; of one that is known nothing changes.
            activity_ids: its activities that have reports.
        """
        self._campaigns.setdefault(_short(campaign_id), {_short(id_): [] for id_ in activity_ids})

    def compare(
        self,
        counters: Mapping[str, Counters],
        last_sent: Mapping[str, datetime],
        asker: Asker,
        at: datetime,
        reread_days: Sequence[int],
    ) -> Iterator[None]:
        """Give numbers to all that has moved since the last comparison, the newest send first.

        Yields after each campaign or some: the log may then go into a state.

        Args:
            counters: the counters of all campaigns, as the stats have them.
            last_sent: when they were last sent, where that is known.
            asker: is asked for the activities of campaigns that have moved.
            at: when the counters were asked for.
            reread_days: how many days after its last send an activity is read to its end.
        """
        counters = {
            id_: self._with_send(id_, own, last_sent.get(id_)) for id_, own in counters.items()
        }
        due = {id_ for id_, sent in last_sent.items() if self._falls_due(sent, at, reread_days)}
        moved = [id_ for id_, own in counters.items() if id_ in due or self._known(id_) != own]
        never = datetime.min.replace(tzinfo=timezone.utc)
        moved.sort(key=lambda id_: last_sent.get(id_, never), reverse=True)
        for some in self._with_activities(moved, asker):
            several = [activity for ids in some.values() if len(ids) > 1 for activity in ids]
            counted = asker.counters_of(several) if several else {}
            for id_, ids in some.items():
                # The counters of a campaign are those of its only activity.
                own = dict.fromkeys(ids, counters[id_]) if len(ids) == 1 else counted
                activities = {activity: own[activity] for activity in ids if activity in own}
                self._note(id_, counters[id_], activities, _hour(at), to_the_end=id_ in due)
            yield
        self._state["compared_at"] = timestamp(at)

    def _falls_due(self, sent: datetime, at: datetime, reread_days: Sequence[int]) -> bool:
        """Return whether a re-read fell due since the last comparison."""
        last = self.compared_at
        return last is not None and any(
            last < sent + timedelta(days=days) <= at for days in reread_days
        )

    def has_moved(self, campaign_id: str, counters: Counters, sent_at: datetime | None) -> bool:
        """Return whether the counters of a campaign are others than those of the log.

        Args:
            campaign_id: the campaign.
            counters: its counters now.
            sent_at: when it was last sent, where that is known.
        """
        return self._known(campaign_id) != self._with_send(campaign_id, counters, sent_at)

    def _known(self, campaign_id: str) -> Counters | None:
        return _counters_of(self._campaigns.get(_short(campaign_id), {}))

    def _with_send(self, campaign_id: str, counters: Counters, at: datetime | None) -> Counters:
        """Add the hour of the last send; it is that of the log where it is not known."""
        known = self._known(campaign_id)
        return counters._replace(sent=_hour(at) if at else known.sent if known else 0)

    def _with_activities(
        self, campaign_ids: Iterable[str], asker: Asker
    ) -> Iterator[dict[str, list[str]]]:
        """Yield campaigns with their activities: those with one alone, others some at a time."""
        several: dict[str, list[str]] = {}
        for id_ in campaign_ids:
            activities = self._activities_of(id_, asker)
            if len(activities) == 1:
                yield {id_: activities}
                continue
            several[id_] = activities
            if sum(map(len, several.values())) >= _AT_ONCE:
                yield several
                several = {}
        yield several

    def _activities_of(self, campaign_id: str, asker: Asker) -> list[str]:
        """Return the activities of a campaign: the API's, or those known where it shows none."""
        known = self._campaigns.get(_short(campaign_id), {})
        ids = [_long(activity) for activity in known if activity != _ALL]
        if ids and not _counters_of(known):
            return ids
        asked = asker.activities_of(campaign_id)
        self.remember(campaign_id, asked)
        return asked or ids

    def _note(
        self,
        campaign_id: str,
        counters: Counters,
        activities: Mapping[str, Counters],
        hour: int,
        *,
        to_the_end: bool,
    ) -> None:
        """Give the next numbers to the activities of a campaign that have moved."""
        known = self._campaigns.get(_short(campaign_id), {})
        noted = {_short(id_): (known.get(_short(id_)), now) for id_, now in activities.items()}
        alike = {
            key for key, (old, now) in noted.items() if old and Counters(*old[_COUNTERS]) == now
        }
        if to_the_end or len(alike) == len(noted):  # their stats may be behind the campaign's
            alike = set()
        entry: dict[str, Any] = {}
        if len(activities) != 1:
            entry[_ALL] = list(counters)
        for key, (old, now) in noted.items():
            entry[key] = old if key in alike else self._moved(old, now, hour, to_the_end=to_the_end)
        self._campaigns[_short(campaign_id)] = entry

    def _moved(
        self, old: list[Any] | None, now: Counters, hour: int, *, to_the_end: bool
    ) -> list[Any]:
        number = self._state["last_number"] = self._state.get("last_number", 0) + 1
        new = [number, hour, *now]
        if not old:
            return [*new, 0, 0]
        before = Counters(*old[_COUNTERS])
        rows = [
            old[_ROWS][_KINDS["opens"]] + now.opens - before.opens,
            old[_ROWS][_KINDS["clicks"]] + now.clicks - before.clicks,
        ]
        # A counter that fell says that rows are gone, and no more how many are new.
        if to_the_end or any(was > is_ for was, is_ in zip(before, now, strict=True)):
            return [*new, *rows]
        return [*new, *rows, old[_NUMBER], old[_HOUR]]


def _counters_of(activities: Mapping[str, Any]) -> Counters | None:
    """Return the counters of a campaign, which has those of its only activity, if it was compared.

    Args:
        activities: what the log holds of it.
    """
    if _ALL in activities:
        return Counters(*activities[_ALL])
    entry = next(iter(activities.values()), None)
    return Counters(*entry[_COUNTERS]) if entry else None


def _short(id_: str) -> str:
    """Return an id in 22 characters, if it is a UUID as the API writes them."""
    try:
        uuid = UUID(id_)
    except ValueError:
        return f"={id_}"
    short = urlsafe_b64encode(uuid.bytes).decode()[:_BASE64_OF_16_BYTES]
    return short if str(uuid) == id_ else f"={id_}"


def _long(short: str) -> str:
    if short.startswith("="):
        return short[1:]
    return str(UUID(bytes=urlsafe_b64decode(f"{short}==")))


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // 3600


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, timezone.utc)


def _number(value: Any) -> int:
    """Return a counter, which can come as a text (seen in a guide), or be missing."""
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0
