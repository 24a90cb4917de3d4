"""Histories of an account and of the runs that read its reports through the change log."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from support.change_log import NothingPrefetched
from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.incremental.activity_progress import ActivityProgress, named_log
from tap_constantcontact.incremental.change_log import Activity, ChangeLog, Counters
from tap_constantcontact.incremental.change_log_codec import LOG, LOG_OWNER
from tap_constantcontact.incremental.counters import (
    BOUNCES,
    CLICKS,
    FORWARDS,
    OPENS,
    OPTOUTS,
    SENDS,
    ReportKind,
)
from tap_constantcontact.incremental.earlier_states import upgraded
from tap_constantcontact.incremental.report_cursor import ReportCursor
from tap_constantcontact.incremental.state_parts import own_part

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: By stream: what the counters tell about its reports, and how far it looks back.
STREAMS: dict[str, tuple[ReportKind, timedelta]] = {
    "sends": (SENDS, DAY),
    "opens": (OPENS, DAY),
    "clicks": (CLICKS, DAY),
    "bounces": (BOUNCES, 7 * DAY),
    "optouts": (OPTOUTS, DAY),
    "forwards": (FORWARDS, DAY),
}
CONTACTS = 4


class Event(NamedTuple):
    """Something happened, and became known then or later."""

    number: int
    activity: str
    stream: str
    at: datetime
    known_at: datetime
    contact: int


class Account:
    """Campaigns with events; counters are behind by a lag."""

    def __init__(self, rng: random.Random, lag: timedelta) -> None:
        self.rng = rng
        self.lag = lag
        self.now = BEGIN
        self.events: list[Event] = []
        self.campaigns: dict[str, list[str]] = {}
        self.sent: dict[str, datetime] = {}

    def live(self) -> None:
        """Let time pass and things happen."""
        for _ in range(self.rng.randint(0, 4)):
            self.now += self.rng.choice((MINUTE, HOUR, 5 * HOUR, DAY)) * self.rng.randint(1, 3)
            campaign = self.rng.choice([*self.campaigns])
            activity = self.rng.choice(self.campaigns[campaign])
            stream = self.rng.choice(("opens", "clicks", "bounces", "optouts", "forwards"))
            fate = self.rng.random()
            if fate < 0.1:
                self.send()
            elif fate < 0.15:
                self.send_again(campaign)
            elif fate < 0.2:
                self.send_to_more(campaign)
            elif fate < 0.35:
                kind, lookback = STREAMS[stream]
                back = self.rng.random() * (40 * DAY if kind.rows else lookback)
                self.happen(activity, stream, max(BEGIN, self.now - back))
            else:
                for _ in range(self.rng.randint(1, 4)):
                    self.happen(activity, stream, self.now)

    def send(self) -> None:
        campaign = f"campaign {len(self.campaigns)}"
        self.campaigns[campaign] = [f"{campaign}, first"]
        self._reach(f"{campaign}, first")
        for _ in range(self.rng.randint(0, 12)):
            self.happen(f"{campaign}, first", "opens", self.now)

    def send_again(self, campaign: str) -> None:
        if len(self.campaigns[campaign]) == 1:
            self.campaigns[campaign].append(f"{campaign}, resend")
            self._reach(f"{campaign}, resend")
            self.happen(f"{campaign}, resend", "opens", self.now)

    def send_to_more(self, campaign: str) -> None:
        self._reach(self.campaigns[campaign][0])

    def show(self) -> None:
        """Let a counter of each activity change, for repeats that no counter shows."""
        for activities in self.campaigns.values():
            for activity in activities:
                self.happen(activity, "opens", self.now)

    def happen(self, activity: str, stream: str, at: datetime) -> None:
        """Let one of a few contacts do something, perhaps again."""
        at = at.replace(second=0, microsecond=0)
        contact = self.rng.randrange(CONTACTS)
        self.events.append(Event(len(self.events), activity, stream, at, self.now, contact))

    def _reach(self, activity: str) -> None:
        """Send an activity to contacts that did not get it yet."""
        self.sent[activity.split(",", maxsplit=1)[0]] = self.now
        at = self.now.replace(second=0, microsecond=0)
        for _ in range(self.rng.randint(0, 3)):
            number = len(self.events)
            self.events.append(Event(number, activity, "sends", at, self.now, number))

    def report(self, activity: str, stream: str) -> list[Event]:
        rows = [
            event for event in self.events if (event.activity, event.stream) == (activity, stream)
        ]
        return sorted(rows, key=lambda event: (event.at, event.number), reverse=True)

    def is_counted(self, event: Event) -> bool:
        """Return whether an event changes a counter: a repeat by the same contact may not."""
        first = next(
            other
            for other in self.events
            if (other.activity, other.stream, other.contact)
            == (event.activity, event.stream, event.contact)
        )
        return STREAMS[event.stream][0].rows is not None or first is event

    def counters(self, activities: Sequence[str], sent: datetime | None = None) -> Counters:
        known = self.now - self.lag
        counted = [e for e in self.events if e.activity in activities and e.known_at <= known]
        rows = Counter(event.stream for event in counted)
        unique = {(event.activity, event.stream, event.contact) for event in counted}
        contacts = Counter(stream for _, stream, _ in unique)
        return Counters(
            sends=contacts["sends"],
            opens=rows["opens"],
            clicks=rows["clicks"],
            bounces=contacts["bounces"],
            optouts=contacts["optouts"],
            forwards=contacts["forwards"],
            sent=int(sent.timestamp()) // 3600 if sent else 0,
        )


class Run(NothingPrefetched):
    """A run of the streams, with a number of requests.

    Attributes:
        states: All that it writes.
        spent: How many requests it has made.
    """

    def __init__(
        self,
        account: Account,
        state: dict[str, Any],
        requests: int = 10**6,
        reread_days: Sequence[int] = (7, 30),
    ) -> None:
        self.account = account
        self.state = upgraded(json.loads(json.dumps(state)), account.now).state
        self.reread_days = reread_days
        self.requests = requests
        self.spent = 0
        self.states = [self._copy()]

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        self._request()
        return [*self.account.campaigns[campaign_id]]

    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        self._request()
        return {id_: self.account.counters([id_]) for id_ in activity_ids}

    def read(self, streams: Sequence[str], arrived: set[int]) -> None:
        """Add the numbers of the events that it brings, until its requests are exhausted."""
        try:
            arrived.update(self._read(streams))
        except RunEnded:
            self._write()

    def _read(self, streams: Sequence[str]) -> Iterator[int]:
        account, bookmarks = self.account, self.state["bookmarks"]
        log = ChangeLog(own_part(bookmarks.setdefault(LOG_OWNER, {}), LOG))
        positions = {
            name: ActivityProgress(
                bookmarks.setdefault(name, {}), {}, STREAMS[name][0], is_full=False
            )
            for name in streams
        }
        log.prune(min((each.read_through(log) for each in positions.values()), default=0))
        log.identity.forget_unnamed({named_log(own) for own in bookmarks.values()})
        counters = {
            id_: account.counters(activities, account.sent[id_])
            for id_, activities in account.campaigns.items()
        }
        for _ in log.update(counters, self, account.now, self.reread_days):
            self._write()
        for name, progress in positions.items():
            for activity in progress.begin(log, 0):
                yield from self._report(name, activity, progress.read_until(activity))
                progress.advance(activity.number)
                self._write()
            progress.complete(log)
            self._write()

    def _report(self, name: str, activity: Activity, read_until: datetime | None) -> Iterator[int]:
        kind, lookback = STREAMS[name]
        cursor = ReportCursor(activity, kind.rows, read_until, lookback)
        self._request()
        for number, event in enumerate(self.account.report(activity.activity_id, name), 1):
            if number % 5 == 0:
                self._request()
                self.account.now += MINUTE * self.account.rng.choice((0, 0, 1, 30))
            if cursor.is_known(event.at):
                cursor.close(read_in_full=False)
                return
            yield event.number
        cursor.close(read_in_full=True)

    def _request(self) -> None:
        if not self.requests:
            raise RunEnded
        self.requests -= 1
        self.spent += 1

    def _write(self) -> None:
        self.states.append(self._copy())

    def _copy(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(json.dumps(self.state))
        return state
