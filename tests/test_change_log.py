"""The change log, and how far a report cursor reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from support.change_log import NothingExpected

from tap_constantcontact.changes import Activity, ActivityLog, Counters, Tally
from tap_constantcontact.errors import RunEnded

NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
DAY = timedelta(days=1)
REREADS = (7, 30)
UUID = "4bc885c8-565d-4fb4-afe1-5457a12c7c70"


class Campaigns(NothingExpected, dict[str, dict[str, Counters]]):
    """Counters of activities by campaign; notes which campaigns were requested."""

    def __init__(self, campaigns: dict[str, dict[str, Counters]]) -> None:
        super().__init__(campaigns)
        self.asked: list[str] = []
        self.most = 10_000

    @property
    def counters(self) -> dict[str, Counters]:
        sums = {id_: zip(*activities.values(), strict=True) for id_, activities in self.items()}
        return {id_: Counters(*map(sum, columns)) for id_, columns in sums.items()}

    def activities_of(self, campaign_id: str, since: datetime) -> list[str]:
        if len(self.asked) >= self.most:
            raise RunEnded
        self.asked.append(campaign_id)
        return [*self[campaign_id]]

    def counters_of(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        if len(self.asked) >= self.most:
            raise RunEnded
        known = {key: own for activities in self.values() for key, own in activities.items()}
        return {id_: known[id_] for id_ in activity_ids}


class Late(Campaigns):
    """The counters of resends are behind those of their campaigns."""

    def counters_of(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        own = super().counters_of(activity_ids)
        return {id_: counters() if id_ == "resend" else own[id_] for id_ in own}


def counters(opens: int = 5, clicks: int = 2, bounces: int = 1) -> Counters:
    return Counters(100, opens, clicks, bounces, 0, 0)


def compare(
    state: dict[str, Any],
    campaigns: Campaigns,
    at: datetime = NOW,
    sent: dict[str, datetime] | None = None,
) -> ActivityLog:
    """Compare as a run does, with the log as its state has gone through JSON."""
    log = ActivityLog(state)
    counters = {
        id_: own._replace(sent=int(sent[id_].timestamp()) // 3600 if sent else 0)
        for id_, own in campaigns.counters.items()
    }
    for _ in log.compare(counters, campaigns, at, REREADS):
        assert json.loads(json.dumps(state)) == state
    return log


def ids(log: ActivityLog, number: int = 0) -> list[str]:
    return [activity.activity_id for activity in log.after(number)]


class TestChangeLog:
    """The change log numbers activities that have changed."""

    def test_new_activities_are_read_in_full_newest_send_first(self) -> None:
        campaigns = Campaigns({"a": {"a1": counters()}, "b": {"b1": counters()}})
        sent = {"a": NOW - 2 * DAY, "b": NOW - DAY}
        log = compare({}, campaigns, sent=sent)
        assert ids(log) == ["b1", "a1"]
        assert [activity.known_until(0) for activity in log.after(0)] == [None, None]

    def test_unchanged_campaigns_are_not_requested(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({name: {f"{name}1": counters()} for name in "abc"})
        through = compare(state, campaigns).after(0)[-1].number
        campaigns.asked.clear()
        campaigns["b"] = {"b1": counters(opens=6)}
        assert ids(compare(state, campaigns), through) == ["b1"]
        assert campaigns.asked == ["b"]

    @pytest.mark.parametrize("counter", Counters._fields[:-1])
    def test_changed_counter_is_a_change(self, counter: str) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = compare(state, campaigns).after(0)[-1].number
        campaigns["a"] = {"a1": counters()._replace(**{counter: 200})}
        assert ids(compare(state, campaigns), through) == ["a1"]

    def test_campaign_without_summary_keeps_its_last_send(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = compare(state, campaigns, sent={"a": NOW}).after(0)[-1].number
        assert not compare(state, campaigns).after(through)

    def test_new_send_is_a_change(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = compare(state, campaigns, sent={"a": NOW}).after(0)[-1].number
        assert ids(compare(state, campaigns, sent={"a": NOW + DAY}), through) == ["a1"]

    def test_only_changed_activities_of_a_campaign_are_read(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        through = compare(state, campaigns).after(0)[-1].number
        campaigns["a"]["first"] = counters(opens=7)
        assert ids(compare(state, campaigns), through) == ["first"]

    def test_activity_with_late_counters_makes_all_read_in_full(self) -> None:
        """The counters of the campaign have grown by more than those of its activities."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        through = compare(state, campaigns).after(0)[-1].number
        late = Late({"a": {"first": counters(opens=7), "resend": counters(opens=6)}})
        moved = compare(state, late).after(through)
        assert [activity.activity_id for activity in moved] == ["first", "resend"]
        assert [activity.known_until(through) for activity in moved] == [None, None]

    def test_stream_that_missed_a_change_reads_the_activity_in_full(self) -> None:
        """It was at number 1 when `b1` changed from 2 to 4, and ended at 3: it never read it."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({name: {f"{name}1": counters()} for name in "abc"})
        compare(state, campaigns)
        campaigns["b"] = {"b1": counters(opens=6)}
        (moved,) = compare(state, campaigns).after(3)
        assert moved.known_until(0) is None  # what was complete last

    def test_added_activity_does_not_change_others(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"first": counters()}})
        through = compare(state, campaigns).after(0)[-1].number
        campaigns["a"]["resend"] = counters()
        assert ids(compare(state, campaigns), through) == ["resend"]

    def test_complete_stream_reads_from_the_last_change(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = compare(state, campaigns).after(0)[-1].number
        campaigns["a"] = {"a1": counters(opens=6)}
        (moved,) = compare(state, campaigns, NOW + DAY).after(through)
        assert moved.known_until(through) == NOW
        assert moved.moved_at == NOW + DAY

    def test_stream_with_missed_change_reads_in_full(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = compare(state, campaigns).after(0)[-1].number
        for opens in (6, 7):
            campaigns["a"] = {"a1": counters(opens=opens)}
            log = compare(state, campaigns)
        (moved,) = log.after(through)
        assert moved.known_until(through) is None

    def test_decreased_counter_makes_the_report_read_in_full(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = compare(state, campaigns).after(0)[-1].number
        campaigns["a"] = {"a1": counters(opens=9, bounces=0)}
        (moved,) = compare(state, campaigns).after(through)
        assert moved.known_until(through) is None

    @pytest.mark.parametrize("days", REREADS)
    def test_reread_days_make_the_report_read_in_full_once(self, days: int) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}, "b": {"b1": counters()}})
        sent = {"a": NOW - days * DAY + timedelta(minutes=30), "b": NOW}
        through = compare(state, campaigns, sent=sent).after(0)[-1].number
        (again,) = compare(state, campaigns, NOW + timedelta(hours=1), sent).after(through)
        assert again.activity_id == "a1"
        assert again.known_until(through) is None
        through = again.number
        assert not compare(state, campaigns, NOW + timedelta(hours=2), sent).after(through)

    def test_log_numbers_are_never_reused(self) -> None:
        state: dict[str, Any] = {}
        log = compare(state, Campaigns({"a": {"a1": counters()}}))
        through = log.after(0)[-1].number
        log.forget("a")
        assert compare(state, Campaigns({"b": {"b1": counters()}})).after(0)[-1].number > through

    def test_interrupted_comparison_resumes(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({str(number): {f"{number}a": counters()} for number in range(25)})
        comparison = ActivityLog(state).compare(campaigns.counters, campaigns, NOW, REREADS)
        for _ in range(10):
            next(comparison)
        assert len(ids(ActivityLog(state))) == 10
        campaigns.asked.clear()
        assert len(ids(compare(state, campaigns))) == 25
        assert len(campaigns.asked) == 15

    def test_known_activities_are_not_requested(self) -> None:
        state: dict[str, Any] = {}
        ActivityLog(state).remember("a", ["first", "resend"], NOW)
        assert not ids(ActivityLog(state))
        assert not [*ActivityLog(state).campaign_ids]
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        assert ids(compare(state, campaigns, sent={"a": NOW - DAY})) == ["first", "resend"]
        assert not campaigns.asked

    def test_activities_known_before_the_last_send_are_requested(self) -> None:
        state: dict[str, Any] = {}
        ActivityLog(state).remember("a", ["first"], NOW - DAY)
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        assert ids(compare(state, campaigns, sent={"a": NOW})) == ["first", "resend"]

    def test_comparison_with_a_small_budget_makes_progress(self) -> None:
        """Each run ends with its second campaign, before those with several are counted."""
        state: dict[str, Any] = {}
        campaigns = Campaigns(
            {name: {f"{name}{n}": counters() for n in "12"} for name in "abcdefgh"}
        )
        sent = dict.fromkeys(campaigns, NOW - DAY)
        for run in range(4):
            campaigns.most = 2 * (run + 1)  # requests of the runs so far
            with pytest.raises(RunEnded):
                compare(state, campaigns, sent=sent)
        campaigns.most = 10_000
        assert len(ids(compare(state, campaigns, sent=sent))) == 16
        assert campaigns.asked == [*"abcdefgh"]

    def test_campaign_keeps_activities_that_the_api_no_longer_lists(self) -> None:
        state: dict[str, Any] = {}
        compare(state, Campaigns({"a": {"a1": counters()}}))

        class Gone(Campaigns):
            def activities_of(self, campaign_id: str, since: datetime) -> list[str]:
                return []

        assert ids(compare(state, Gone({"a": {"a1": counters(opens=6)}}))) == ["a1"]

    @pytest.mark.parametrize("id_", [UUID, UUID.upper(), "1103", "x" * 22, "="])
    def test_packed_ids_are_restored(self, id_: str) -> None:
        (activity,) = compare({}, Campaigns({id_: {id_: counters()}})).after(0)
        assert (activity.campaign_id, activity.activity_id) == (id_, id_)

    def test_state_of_a_large_account_is_small(self) -> None:
        """2,000 of 3,000 campaigns were sent, a third of them twice; a tenth changes per run."""
        big = Counters(2500, 1234, 321, 100, 20, 3, 498_000)
        sent = Campaigns(
            {str(uuid4()): {str(uuid4()): big for _ in range(1 + n % 3 // 2)} for n in range(2000)}
        )
        state: dict[str, Any] = {}
        log = ActivityLog(state)
        for _ in log.compare(sent.counters, sent, NOW, REREADS):
            pass
        for activities in [*sent.values()][:200]:
            activities.update({id_: big._replace(opens=1300) for id_ in activities})
        for _ in log.compare(sent.counters, sent, NOW, REREADS):
            pass
        assert len(json.dumps(state, separators=(",", ":"))) < 285_000  # as messages are written


def activity(rows: int, opens: int, moved_at: datetime = NOW + DAY) -> Activity:
    """Return an activity that a stream knows until NOW, with rows to expect."""
    hours = [int(moment.timestamp()) // 3600 for moment in (moved_at, NOW)]
    return Activity("a", "a1", [2, hours[0], 100, opens, 0, 0, 0, 0, 0, rows, 0, 1, hours[1]])


def read(tally: Tally, times: list[datetime]) -> int:
    """Return how many rows are read."""
    for number, at in enumerate(times):
        if tally.is_known(at):
            tally.close(to_the_end=False)
            return number
    tally.close(to_the_end=True)
    return len(times)


class TestReportCursor:
    """A report cursor reads until the rest is known."""

    times = [NOW - timedelta(hours=hours) for hours in (-20, -2, 5, 23, 25, 60, 99)]

    def test_cursor_stops_a_day_before_what_was_read(self) -> None:
        # Two rows of the day before were there, and two are new.
        assert read(Tally(activity(4, 7), "opens", NOW, DAY), self.times) == 4

    def test_cursor_reads_in_full_if_rows_are_missing(self) -> None:
        assert read(Tally(activity(5, 8), "opens", NOW, DAY), self.times) == 7

    def test_cursor_with_longer_lookback_counts_the_same(self) -> None:
        assert read(Tally(activity(4, 7), "opens", NOW, 3 * DAY), self.times) == 6
        assert read(Tally(activity(5, 8), "opens", NOW, 3 * DAY), self.times) == 7

    def test_cursor_without_counter_stops_at_the_lookback(self) -> None:
        assert read(Tally(activity(99, 99), None, NOW, DAY), self.times) == 4

    def test_cursor_reads_unknown_activity_in_full(self) -> None:
        assert read(Tally(activity(0, 7), "opens", None, DAY), self.times) == 7

    def test_cursor_ignores_rows_without_time(self) -> None:
        assert not Tally(activity(0, 7), "opens", NOW, DAY).is_known(None)

    @pytest.mark.parametrize("surplus", [0, 2])
    def test_cursor_accounts_for_reports_ahead_of_their_counter(self, surplus: int) -> None:
        """The counter catches up: such growth needs no rows."""
        first = activity(0, opens=7 - surplus)
        read(Tally(first, "opens", None, DAY), self.times)  # all seven rows
        recent = sum(at >= first.moved_at - DAY for at in self.times)
        grown = first.rows_to_expect("opens") + surplus  # as the log adds it
        assert grown == recent

    def test_cursor_reports_rows_missing_in_the_full_report(self) -> None:
        tally = Tally(activity(9, 12), "opens", NOW, DAY)
        assert not any(map(tally.is_known, self.times))
        assert tally.close(to_the_end=True)

    def test_cursor_accounts_for_counters_above_the_rows(self) -> None:
        first = activity(0, opens=9)
        read(Tally(first, "opens", None, DAY), self.times)
        assert first.rows_to_expect("opens") == 2
