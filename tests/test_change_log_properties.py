"""Properties of the change log and of report cursors, whatever happens in which order."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from support.change_log import NothingPrefetched

from tap_constantcontact.incremental.change_log import Activity, ChangeLog, Counters
from tap_constantcontact.incremental.counters import OPENS
from tap_constantcontact.incremental.report_cursor import ReportCursor

# What these properties are about, under the names that they use.


class Account(NothingPrefetched):
    """Campaigns with activities, whose opens are counted."""

    def __init__(self, campaigns: Mapping[str, Sequence[str]]) -> None:
        self.campaigns = {id_: [*activities] for id_, activities in campaigns.items()}
        self.opens: dict[str, list[datetime]] = {
            id_: [] for activities in campaigns.values() for id_ in activities
        }

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        return self.campaigns[campaign_id]

    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        return {id_: Counters(1, len(self.opens[id_]), 0, 0, 0, 0) for id_ in activity_ids}

    @property
    def counters(self) -> dict[str, Counters]:
        """The counters of the campaigns: the sums of those of their activities."""
        return {
            id_: Counters(
                *map(sum, zip(*self.fetch_counters(activities).values(), strict=True))
            )._replace(sent=SENT)
            for id_, activities in self.campaigns.items()
        }


def compare(state: dict[str, Any], account: Account, at: datetime) -> Iterator[None]:
    """Compare all counters with the log in a state; the run may end at each step."""
    return ChangeLog(state).update(account.counters, account, at, ())


def changed_since(state: dict[str, Any], number: int) -> list[Activity]:
    return ChangeLog(state).changed_after(number)


def last_number(state: dict[str, Any]) -> int:
    return ChangeLog(state).last_number


def prune(state: dict[str, Any], number: int) -> None:
    ChangeLog(state).prune(number)


def read_until(activity: Activity, complete_through: int) -> datetime | None:
    return activity.read_until(OPENS, complete_through)


def cursor(activity: Activity, complete_through: int, lookback: timedelta) -> ReportCursor:
    return ReportCursor(activity, "opens", activity.read_until(OPENS, complete_through), lookback)


# The properties.

SENT = 490_000  # hours since 1970
BEGIN = datetime.fromtimestamp(SENT * 3600, timezone.utc)
DAY = timedelta(days=1)
# The last ones have more activities than a request counts.
SIZES = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 4}
CAMPAIGNS = {id_: [f"{id_}{number}" for number in range(size)] for id_, size in SIZES.items()}
ACTIVITIES = [id_ for activities in CAMPAIGNS.values() for id_ in activities]
STREAMS = ("opens", "clicks")


class ChangeLogMachine(RuleBasedStateMachine):
    """Runs compare and read, end early, and resume from earlier states; nothing is missed.

    A state is what a run would have written: the log, and the numbers that streams have read.
    """

    @initialize()
    def begin(self) -> None:
        self.account = Account(CAMPAIGNS)
        self.now = BEGIN
        self.state: dict[str, Any] = {"log": {}}
        self.state |= {stream: {"read": 0, "complete": 0} for stream in STREAMS}
        self.earlier: list[str] = []
        #: The rows that have arrived: by stream and activity, the times of opens.
        self.rows: defaultdict[tuple[str, str], set[datetime]] = defaultdict(set)

    def _keep(self) -> None:
        self.earlier.append(json.dumps(self.state))
        self.state = json.loads(self.earlier[-1])

    @rule(activity=st.sampled_from(ACTIVITIES), opens=st.integers(1, 3))
    def contacts_open(self, activity: str, opens: int) -> None:
        self.now += timedelta(hours=5)
        minutes = range(opens)
        self.account.opens[activity] += [self.now + timedelta(minutes=each) for each in minutes]

    @rule(steps=st.none() | st.integers(0, 3))
    def compare(self, steps: int | None) -> None:
        for step, _ in enumerate(compare(self.state["log"], self.account, self.now)):
            if step == steps:
                break
        self._keep()

    @rule(stream=st.sampled_from(STREAMS), most=st.none() | st.integers(0, 3))
    def read_reports(self, stream: str, most: int | None) -> None:
        own, log = self.state[stream], self.state["log"]
        changed = changed_since(log, own["read"])
        for activity in changed[:most]:
            known_until = read_until(activity, own["complete"]) or BEGIN
            opens = self.account.opens[activity.activity_id]
            self.rows[stream, activity.activity_id] |= {at for at in opens if at >= known_until}
            own["read"] = activity.number
        if most is None:
            own["complete"] = last_number(log)
        self._keep()

    @rule()
    def prune(self) -> None:
        prune(self.state["log"], min(self.state[stream]["read"] for stream in STREAMS))

    @precondition(lambda self: self.earlier)
    @rule(data=st.data())
    def continue_from_an_earlier_state(self, data: st.DataObject) -> None:
        """The target has not stored the newest state, but has all rows."""
        self.state = json.loads(data.draw(st.sampled_from(self.earlier)))

    def teardown(self) -> None:
        if not hasattr(self, "account"):
            return
        self.compare(None)
        for stream in STREAMS:
            self.read_reports(stream, None)
            arrived = {id_: sorted(self.rows[stream, id_]) for id_ in ACTIVITIES}
            assert arrived == self.account.opens


TestChangeLogMachine = ChangeLogMachine.TestCase


@given(opened=st.lists(st.sampled_from(ACTIVITIES), max_size=20))
def test_change_log_has_nothing_new_after_a_comparison_without_change(opened: list[str]) -> None:
    account, state = Account(CAMPAIGNS), dict[str, Any]()
    for id_ in opened:
        account.opens[id_] += [BEGIN]
    [*compare(state, account, BEGIN)]
    number, before = last_number(state), json.dumps(state)
    [*compare(state, account, BEGIN + DAY)]
    assert changed_since(state, number) == []
    assert json.dumps(state) == before


@given(
    opened=st.lists(st.lists(st.sampled_from(ACTIVITIES), max_size=4), min_size=1, max_size=6),
)
def test_change_log_numbers_only_grow_and_are_unique(opened: list[list[str]]) -> None:
    account, state, last = Account(CAMPAIGNS), dict[str, Any](), 0
    for day, ids in enumerate(opened):
        for id_ in ids:
            account.opens[id_] += [BEGIN]
        [*compare(state, account, BEGIN + day * DAY)]
        numbers = [activity.number for activity in changed_since(state, 0)]
        assert len({*numbers}) == len(numbers) == len(ACTIVITIES)
        assert {activity.activity_id for activity in changed_since(state, last)} >= {*ids}
        assert last_number(state) >= last
        last = last_number(state)


HOURS = st.integers(0, 60 * 24)


@given(
    first=st.lists(HOURS, max_size=12),
    later=st.lists(st.lists(HOURS, max_size=5), min_size=1, max_size=4),
    lookback=st.integers(1, 7).map(timedelta),
)
def test_report_cursor_reads_every_row_however_late_it_came(
    first: list[int], later: list[list[int]], lookback: timedelta
) -> None:
    """Counters count all rows; a report is read until they account for the rest."""
    account, state = Account({"a": ["a1"]}), dict[str, Any]()
    now = BEGIN + timedelta(days=90)
    rows: list[tuple[datetime, int]] = []
    read: set[int] = set()
    complete = 0
    for batch in [first, *later]:
        rows += [
            (now - timedelta(hours=hours), number) for number, hours in enumerate(batch, len(rows))
        ]
        account.opens["a1"] = [at for at, _ in rows]
        [*compare(state, account, now)]
        for activity in changed_since(state, complete):
            report, is_at_end = cursor(activity, complete, lookback), True
            for at, number in sorted(rows, reverse=True):
                if report.is_known(at):
                    is_at_end = False
                    break
                read.add(number)
            report.close(read_in_full=is_at_end)
        complete = last_number(state)
        assert read == {number for _, number in rows}
        now += timedelta(days=2)
