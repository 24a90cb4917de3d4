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
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import takewhile
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from tap_constantcontact.timestamps import parse_timestamp

# Counters of a campaign with several activities, which have their own.
_ALL = "all"
# Activities whose counters are asked for together (contract: ten at the most).
_AT_ONCE = 10
_BASE64_OF_16_BYTES = 22
_DAY = timedelta(days=1)
_HOURS_OF_DAY = 24

# An activity is a list: its number in the log, the hour (since 1970) in which it moved, its
# counters, the rows of opens and clicks to expect, and where it moved since some stream read it,
# the number and the hour that it had before. That of one that was not compared yet has only the
# hour in which it was named.
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

    def covers(self, growth: Counters) -> bool:
        """Return whether no counter is smaller than that of another growth."""
        pairs = zip(self[:-1], growth[:-1], strict=True)
        return all(own >= other for own, other in pairs)

    def minus(self, other: Counters) -> Counters:
        """Return how much the counters have grown."""
        return Counters(*(own - was for own, was in zip(self, other, strict=True)))

    @classmethod
    def of_stats(cls, stats: Any) -> Counters:
        """Return the counters of the stats of a campaign or an activity."""
        stats = stats if isinstance(stats, dict) else {}
        # Answers with dots in the names were published as well.
        stats = {name.replace(".", "_"): count for name, count in stats.items()}
        names = ("sends", "opens_all", "clicks_all", "bounces", "optouts", "forwards")
        return cls(*(_number(stats.get(f"em_{name}")) for name in names))

    @classmethod
    def of_summary(cls, counts: Any, last_sent_date: Any) -> Counters:
        """Return the counters of a campaign's summary, which are all of contacts."""
        counts = counts if isinstance(counts, dict) else {}
        try:
            sent = _hour(parse_timestamp(str(last_sent_date)))
        except ValueError:
            sent = 0
        return cls(*(_number(counts.get(name)) for name in cls._fields[:-1]))._replace(sent=sent)


_NOTHING = Counters(0, 0, 0, 0, 0, 0)


class ActivitySource(Protocol):
    """Asks the API what the counters of a campaign do not tell."""

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        """Return the ids of those activities that are known without asking."""

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        """Take note of what `fetch_activity_ids` will be called with."""

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        """Take note of what `fetch_counters` will be called with."""

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        """Return the ids of a campaign's activities that have reports.

        Args:
            campaign_id: the campaign.
            since: what was known before is out of date: the campaign was sent since.
        """

    def fetch_counters(self, activity_ids: Sequence[str]) -> Mapping[str, Counters]:
        """Return the counters of activities, by their ids; of those that were sent."""


_KINDS = {"opens": 0, "clicks": 1}


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
    def changed_at(self) -> datetime:
        """When it was seen to have moved: then or up to an hour later."""
        return _moment(self._entry[_HOUR])

    def read_until(self, complete_through: int) -> datetime | None:
        """Return up to when a stream knows it, or None where it is to be read to its end.

        Args:
            complete_through: the last number of the log when the stream had read all of it.
        """
        before = self._entry[_BEFORE]
        return _moment(before[1]) if before and complete_through >= before[0] else None

    def expected_rows(self, kind: str) -> int:
        """Return how many opens or clicks there must be from a day before `read_until` on."""
        return int(self._entry[_ROWS.start + _KINDS[kind]])

    def expect_rows(self, kind: str, rows: int) -> None:
        """Note how many opens or clicks there were from a day before `changed_at` on."""
        self._entry[_ROWS.start + _KINDS[kind]] = rows


class ChangeLog:
    """The sent activities, in the order in which they last moved."""

    def __init__(self, state: dict[str, Any]) -> None:
        """Go on with the log of earlier runs.

        Args:
            state: the state that holds the log, and changes with it.
        """
        self._state = state
        self._campaigns: dict[str, dict[str, Any]] = state.setdefault("campaigns", {})

    @property
    def last_number(self) -> int:
        """The greatest number that was given."""
        return int(self._state.get("last_number", 0))

    @property
    def campaign_ids(self) -> Iterator[str]:
        """The campaigns that have counters."""
        return (_long(key) for key, known in self._campaigns.items() if _counters_of(known))

    def changed_after(self, number: int) -> list[Activity]:
        """Return the activities with a greater number, in the order of the log."""
        greater = [
            Activity(_long(campaign), _long(activity), entry)
            for campaign, activities in self._campaigns.items()
            for activity, entry in activities.items()
            if activity != _ALL and _is_compared(entry) and entry[_NUMBER] > number
        ]
        return sorted(greater, key=lambda activity: activity.number)

    def prune(self, number: int) -> None:
        """Forget what was before, where all streams have read up to a number."""
        for activities in self._campaigns.values():
            for activity, entry in activities.items():
                if activity != _ALL and _is_compared(entry) and entry[_NUMBER] <= number:
                    del entry[_BEFORE]

    def remove(self, campaign_id: str) -> None:
        """Leave out a campaign that is gone."""
        self._campaigns.pop(_short(campaign_id), None)

    def with_ids(self, activity_ids: Container[str]) -> list[Activity]:
        """Return the activities with some ids, in the order of the log."""
        return [
            activity for activity in self.changed_after(0) if activity.activity_id in activity_ids
        ]

    def add_campaign(self, campaign_id: str, activity_ids: Iterable[str], at: datetime) -> None:
        """Keep the activities of a new campaign until it is compared, perhaps by a later run.

        Args:
            campaign_id: the campaign; of one that was compared nothing changes.
            activity_ids: its activities that have reports.
            at: when the API named them.
        """
        if self._known(campaign_id) is None:
            self._campaigns[_short(campaign_id)] = {
                _short(id_): [_hour(at)] for id_ in activity_ids
            }

    def update(
        self,
        counters: Mapping[str, Counters],
        source: ActivitySource,
        at: datetime,
        reread_days: Sequence[int],
    ) -> Iterator[None]:
        """Give numbers to all that has moved since the last comparison, the newest send first.

        Yields after each campaign or some: the log may then go into a state.

        Args:
            counters: the counters of all campaigns.
            source: is asked for the activities of campaigns that have moved.
            at: when the counters were asked for.
            reread_days: how many days after its last send an activity is read to its end.
        """
        counters = {id_: self._with_send(id_, own) for id_, own in counters.items()}
        due = {id_ for id_, own in counters.items() if self._is_due(id_, own, at, reread_days)}
        moved = [id_ for id_, own in counters.items() if id_ in due or self._known(id_) != own]
        moved.sort(key=lambda id_: counters[id_].sent, reverse=True)
        self._expect(moved, counters, source)
        fetch_activity_ids = (
            (id_, self._activities_of(id_, counters, source, at)) for id_ in moved
        )
        for some in _in_groups(fetch_activity_ids):
            several = _several(some)
            counted = source.fetch_counters(several) if several else {}
            for id_, ids in some.items():
                # The counters of a campaign are those of its only activity.
                own = dict.fromkeys(ids, counters[id_]) if len(ids) == 1 else counted
                activities = {activity: own[activity] for activity in ids if activity in own}
                self._note(id_, counters[id_], activities, _hour(at), read_in_full=id_ in due)
            yield

    def _is_due(
        self, campaign_id: str, counters: Counters, at: datetime, reread_days: Sequence[int]
    ) -> bool:
        """Return whether a re-read fell due since an activity of a campaign got its number."""
        if not counters.sent:
            return False
        due = (counters.sent + days * _HOURS_OF_DAY + 1 for days in reread_days)
        last = max((hour for hour in due if hour <= _hour(at)), default=0)
        activities = self._campaigns.get(_short(campaign_id), {})
        return any(
            key != _ALL and _is_compared(entry) and entry[_HOUR] < last
            for key, entry in activities.items()
        )

    def has_changed(self, campaign_id: str, counters: Counters) -> bool:
        """Return whether the counters of a campaign are others than those of the log."""
        return self._known(campaign_id) != self._with_send(campaign_id, counters)

    def _known(self, campaign_id: str) -> Counters | None:
        return _counters_of(self._campaigns.get(_short(campaign_id), {}))

    def _with_send(self, campaign_id: str, counters: Counters) -> Counters:
        """Add the hour of the last send from the log, where it is not known now."""
        known = self._known(campaign_id)
        return counters._replace(sent=counters.sent or (known.sent if known else 0))

    def _expect(
        self, campaign_ids: Sequence[str], counters: Mapping[str, Counters], source: ActivitySource
    ) -> None:
        """Tell what will be asked for, as far as it is known."""
        named = {id_: self._named(id_, counters[id_].sent) for id_ in campaign_ids}
        source.prefetch_activity_ids([id_ for id_, activities in named.items() if not activities])
        known = ((id_, own or source.known_activity_ids(id_)) for id_, own in named.items())
        groups = _in_groups((id_, own) for id_, own in takewhile(lambda pair: pair[1], known))
        source.prefetch_counters(filter(None, map(_several, groups)))

    def _activities_of(
        self,
        campaign_id: str,
        counters: Mapping[str, Counters],
        source: ActivitySource,
        at: datetime,
    ) -> list[str]:
        """Return the activities of a campaign: the API's, or those known where it shows none."""
        sent = counters[campaign_id].sent
        if named := self._named(campaign_id, sent):
            return named
        asked = source.fetch_activity_ids(campaign_id, _moment(sent + 1))
        self.add_campaign(campaign_id, asked, at)
        return asked or self._activity_ids(campaign_id)

    def _named(self, campaign_id: str, sent: int) -> list[str]:
        """Return the activities that the API has named for a later run, if they are all.

        What was named before the last send may lack an activity that was sent then.
        """
        known = self._campaigns.get(_short(campaign_id), {})
        if known and self._known(campaign_id) is None and 0 < sent < min(known.values())[0]:
            return self._activity_ids(campaign_id)
        return []

    def _activity_ids(self, campaign_id: str) -> list[str]:
        known = self._campaigns.get(_short(campaign_id), {})
        return [_long(key) for key in known if key != _ALL]

    def _note(
        self,
        campaign_id: str,
        counters: Counters,
        activities: Mapping[str, Counters],
        hour: int,
        *,
        read_in_full: bool,
    ) -> None:
        """Give the next numbers to the activities of a campaign that have moved."""
        known = self._campaigns.get(_short(campaign_id), {})
        now = {_short(id_): own for id_, own in activities.items()}
        old = {key: entry for key, entry in known.items() if key != _ALL and _is_compared(entry)}
        growth = [
            own.minus(Counters(*old[key][_COUNTERS]) if key in old else _NOTHING)
            for key, own in now.items()
        ]
        before = _counters_of(known) or _NOTHING
        grown = Counters(*map(sum, zip(*growth, strict=True))) if growth else _NOTHING
        if not grown.covers(counters.minus(before)) or not any(map(any, growth)):
            read_in_full = True  # the counters of some activity are behind those of the campaign
        entries: dict[str, Any] = {} if len(now) == 1 else {_ALL: list(counters)}
        for key in {**old, **now}:
            own = now.get(key) or Counters(*old[key][_COUNTERS])
            entry = old.get(key)
            if read_in_full or not entry or Counters(*entry[_COUNTERS]) != own:
                entry = self._moved(entry, own, hour, read_in_full=read_in_full)
            entries[key] = entry
        self._campaigns[_short(campaign_id)] = entries

    def _moved(
        self, old: list[Any] | None, now: Counters, hour: int, *, read_in_full: bool
    ) -> list[Any]:
        number = self._state["last_number"] = self.last_number + 1
        new = [number, hour, *now]
        if not old:
            return [*new, 0, 0]
        growth = now.minus(Counters(*old[_COUNTERS]))
        opens, clicks = old[_ROWS]
        new += [opens + growth.opens, clicks + growth.clicks]
        # A counter that fell says that rows are gone, and no more how many are new.
        is_known = not read_in_full and growth.covers(_NOTHING)
        return [*new, old[_NUMBER], old[_HOUR]] if is_known else new


def _in_groups(
    campaigns: Iterable[tuple[str, list[str]]],
) -> Iterator[dict[str, list[str]]]:
    """Yield campaigns with their activities: those with one alone, others some at a time.

    Args:
        campaigns: their ids, and the ids of their activities.
    """
    several: dict[str, list[str]] = {}
    for id_, activities in campaigns:
        if len(activities) == 1:
            yield {id_: activities}
            continue
        several[id_] = activities
        if sum(map(len, several.values())) >= _AT_ONCE:
            yield several
            several = {}
    yield several


def _several(campaigns: Mapping[str, list[str]]) -> list[str]:
    """Return the activities of campaigns that have more than one."""
    return [activity for ids in campaigns.values() if len(ids) > 1 for activity in ids]


def _is_compared(entry: Sequence[Any]) -> bool:
    return len(entry) > 1


def _counters_of(activities: Mapping[str, Any]) -> Counters | None:
    """Return the counters of a campaign, which has those of its only activity, if it was compared.

    Args:
        activities: what the log holds of it.
    """
    if _ALL in activities:
        return Counters(*activities[_ALL])
    entry = next(iter(activities.values()), ())
    return Counters(*entry[_COUNTERS]) if _is_compared(entry) else None


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
