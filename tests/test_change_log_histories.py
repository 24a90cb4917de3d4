"""The change log and the report cursor through random histories: no row is ever lost.

A seed makes a history: campaigns are sent and sent again, events arrive on time and late, streams
are deselected for a while, budgets end runs anywhere, and targets go back to an earlier state.
`HISTORIES=5000` makes more of them.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
from support.change_log import NothingPrefetched

from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.incremental.change_log import Activity, ChangeLog, Counters
from tap_constantcontact.incremental.report_cursor import ReportCursor

pytestmark = pytest.mark.slow

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: By stream: what counts its rows, and how far it looks back.
STREAMS: dict[str, tuple[str | None, timedelta]] = {
    "opens": ("opens", DAY),
    "clicks": ("clicks", DAY),
    "bounces": (None, 7 * DAY),
}
HISTORIES = int(os.environ.get("HISTORIES", "60"))


class Event(NamedTuple):
    """Something happened, and became known then or later."""

    number: int
    activity: str
    stream: str
    at: datetime
    known_at: datetime


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
            stream = self.rng.choice([*STREAMS])
            fate = self.rng.random()
            if fate < 0.1:
                self.send()
            elif fate < 0.15:
                self.send_again(campaign)
            elif fate < 0.3:
                back = self.rng.random() * (5 if stream == "bounces" else 40) * DAY
                self.happen(activity, stream, max(BEGIN, self.now - back))
            else:
                for _ in range(self.rng.randint(1, 4)):
                    self.happen(activity, stream, self.now)

    def send(self) -> None:
        campaign = f"campaign {len(self.campaigns)}"
        self.campaigns[campaign] = [f"{campaign}, first"]
        self.sent[campaign] = self.now
        for _ in range(self.rng.randint(0, 12)):
            self.happen(f"{campaign}, first", "opens", self.now)

    def send_again(self, campaign: str) -> None:
        if len(self.campaigns[campaign]) == 1:
            self.campaigns[campaign].append(f"{campaign}, resend")
            self.sent[campaign] = self.now
            self.happen(f"{campaign}, resend", "opens", self.now)

    def happen(self, activity: str, stream: str, at: datetime) -> None:
        at = at.replace(second=0, microsecond=0)
        self.events.append(Event(len(self.events), activity, stream, at, self.now))

    def report(self, activity: str, stream: str) -> list[Event]:
        rows = [
            event for event in self.events if (event.activity, event.stream) == (activity, stream)
        ]
        return sorted(rows, key=lambda event: (event.at, event.number), reverse=True)

    def counters(self, activities: Sequence[str], sent: datetime | None = None) -> Counters:
        known = self.now - self.lag
        counted = [e for e in self.events if e.activity in activities and e.known_at <= known]
        of = Counter(event.stream for event in counted)
        hour = int(sent.timestamp()) // 3600 if sent else 0
        return Counters(0, of["opens"], of["clicks"], of["bounces"], 0, 0, hour)


class Run(NothingPrefetched):
    """A run of the streams, with a number of requests."""

    def __init__(self, account: Account, state: dict[str, Any], requests: int) -> None:
        self.account = account
        self.state = state
        self.requests = requests
        self.states = [json.dumps(state)]

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        self.ask()
        return [*self.account.campaigns[campaign_id]]

    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        self.ask()
        return {id_: self.account.counters([id_]) for id_ in activity_ids}

    def ask(self) -> None:
        if not self.requests:
            raise RunEnded
        self.requests -= 1

    def read(self, streams: Sequence[str]) -> Iterator[int]:
        """Yield the numbers of the events that it brings."""
        account, log = self.account, ChangeLog(self.state["log"])
        log.prune(min((self.state[name]["read"] for name in streams), default=0))
        counters = {
            id_: account.counters(activities, account.sent[id_])
            for id_, activities in account.campaigns.items()
        }
        for _ in log.update(counters, self, account.now, (7, 30)):
            self.keep()
        for name in streams:
            own = self.state[name]
            for activity in log.changed_after(own["read"]):
                yield from self.report(name, activity, own["complete"])
                own["read"] = activity.number
                self.keep()
            own["complete"] = log.last_number

    def report(self, name: str, activity: Activity, complete: int) -> Iterator[int]:
        counter, lookback = STREAMS[name]
        cursor = ReportCursor(activity, counter, activity.read_until(complete), lookback)
        for number, event in enumerate(self.account.report(activity.activity_id, name)):
            if number % 5 == 0:
                self.ask()
                self.account.now += MINUTE * self.account.rng.choice((0, 0, 1, 30))
            if cursor.is_known(event.at):
                cursor.close(read_in_full=False)
                return
            yield event.number
        cursor.close(read_in_full=True)

    def keep(self) -> None:
        self.states.append(json.dumps(self.state))


@pytest.mark.parametrize("lag", [timedelta(0), 5 * HOUR, 30 * HOUR], ids=str)
def test_simulated_history_loses_no_row(lag: timedelta) -> None:
    lost = {seed: events for seed in range(HISTORIES) if (events := live_through(seed, lag))}
    assert not lost


def live_through(seed: int, lag: timedelta) -> list[Event]:
    """Return the events of a history that are missing at its end."""
    rng = random.Random(seed)
    account = Account(rng, lag)
    arrived: set[int] = set()
    state: dict[str, Any] = {"log": {}, **{name: {"read": 0, "complete": 0} for name in STREAMS}}
    for _ in range(rng.randint(1, 6)):
        account.send()
    for _ in range(25):
        account.live()
        selected = [name for name in STREAMS if rng.random() < 0.8]
        run = Run(account, state, rng.choice((3, 6, 10, 20, 10**6)))
        read(run, selected, arrived)
        if rng.random() < 0.4:  # the target has kept an earlier state, with all rows
            state = json.loads(rng.choice(run.states))
    for _ in range(3):
        account.now += 2 * DAY
        read(Run(account, state, 10**6), [*STREAMS], arrived)
    return [event for event in account.events if event.number not in arrived]


def read(run: Run, streams: Sequence[str], arrived: set[int]) -> None:
    try:
        arrived.update(run.read(streams))
    except RunEnded:
        run.keep()
