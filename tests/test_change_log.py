"""The change log, and how far the report cursor reads a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from support.change_log import NothingPrefetched
from typing_extensions import override

from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.incremental import counters as counting
from tap_constantcontact.incremental.change_log import Activity, ChangeLog, Counters
from tap_constantcontact.incremental.change_log_entries import (
    ActivityEntry,
    CampaignEntry,
    Change,
    ExpectedRows,
    Previous,
    ReadHours,
)
from tap_constantcontact.incremental.counters import BOUNCES, LINKS, OPENS, ReportKind
from tap_constantcontact.incremental.report_cursor import ReportCursor
from tap_constantcontact.timestamps import to_hour

KINDS = {name: kind for name, kind in vars(counting).items() if isinstance(kind, ReportKind)}
NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REREADS = (7, 30)
UUID = "4bc885c8-565d-4fb4-afe1-5457a12c7c70"


class Campaigns(NothingPrefetched, dict[str, dict[str, Counters]]):
    """The counters of activities, by campaigns; notes which campaigns were requested."""

    def __init__(self, campaigns: dict[str, dict[str, Counters]]) -> None:
        super().__init__(campaigns)
        self.requested: list[str] = []
        self.max_requests = 10_000

    @property
    def counters(self) -> dict[str, Counters]:
        sums = {id_: zip(*activities.values(), strict=True) for id_, activities in self.items()}
        return {id_: Counters(*map(sum, columns)) for id_, columns in sums.items()}

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        if len(self.requested) >= self.max_requests:
            raise RunEnded
        self.requested.append(campaign_id)
        return [*self[campaign_id]]

    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        if len(self.requested) >= self.max_requests:
            raise RunEnded
        known = {key: own for activities in self.values() for key, own in activities.items()}
        return {id_: known[id_] for id_ in activity_ids}


class Late(Campaigns):
    """The counters of resends are behind those of their campaigns."""

    @override
    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        own = super().fetch_counters(activity_ids)
        return {id_: counters() if id_ == "resend" else own[id_] for id_ in own}


def counters(opens: int = 5, clicks: int = 2, bounces: int = 1) -> Counters:
    return Counters(100, opens, clicks, bounces, 0, 0)


def update(
    state: dict[str, Any],
    campaigns: Campaigns,
    at: datetime = NOW,
    sent: dict[str, datetime] | None = None,
) -> ChangeLog:
    """Update the log as a run does; its state is complete whenever it may be written."""
    log = ChangeLog(state)
    counters = {
        id_: own._replace(sent=to_hour(sent[id_]) if sent else 0)
        for id_, own in campaigns.counters.items()
    }
    for _ in log.update(counters, campaigns, at, REREADS):
        assert ids(ChangeLog(json.loads(json.dumps(state)))) == ids(log)
    return log


def changed_kinds(activity: Activity, complete_through: int) -> set[str]:
    """Return the names of the kinds of reports that a stream has to read."""
    return {name for name, kind in KINDS.items() if activity.is_changed(kind, complete_through)}


def ids(log: ChangeLog, number: int = 0) -> list[str]:
    return [activity.activity_id for activity in log.changed_after(number)]


class Pairs(Campaigns):
    """Eight campaigns, each with a first email and a resend; notes which counters are requested."""

    def __init__(self) -> None:
        super().__init__(
            {id_: {f"{id_}1": counters(), f"{id_}2": counters(opens=3)} for id_ in "abcdefgh"}
        )
        self.sent = dict.fromkeys(self, NOW - DAY)
        self.counted: list[list[str]] = []

    @override
    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        self.counted.append([*activity_ids])
        return super().fetch_counters(activity_ids)

    def count(self, activity_id: str, opens: int) -> None:
        """Let an activity have other opens than before."""
        self[activity_id[0]][activity_id] = counters(opens=opens)


class TestActivitiesThatExplainAChange:
    """If one activity has changed as its campaign, the others are not counted again."""

    @pytest.fixture
    def pairs(self) -> Pairs:
        return Pairs()

    @pytest.fixture
    def state(self, pairs: Pairs) -> dict[str, Any]:
        state: dict[str, Any] = {}
        update(state, pairs, sent=pairs.sent)
        pairs.counted.clear()
        return state

    def test_others_are_not_counted(self, pairs: Pairs, state: dict[str, Any]) -> None:
        for id_ in pairs:
            pairs.count(f"{id_}1", opens=6)
        log = update(state, pairs, NOW + HOUR, pairs.sent)
        assert ids(log, 16) == pairs.counted[0] == [f"{id_}1" for id_ in pairs]
        assert len(pairs.counted) == 1
        pairs.counted.clear()
        assert not ids(update(state, pairs, NOW + 2 * HOUR, pairs.sent), 24)
        assert not pairs.counted

    def test_others_are_counted_if_they_have_changed(
        self, pairs: Pairs, state: dict[str, Any]
    ) -> None:
        """`a2` instead of `a1`, and `b2` as well as `b1`."""
        for id_ in ("a2", "b1", "b2", "c1", "d1", "e1", "f1", "g1", "h1"):
            pairs.count(id_, opens=9)
        log = update(state, pairs, NOW + HOUR, pairs.sent)
        assert {*ids(log, 16)} == {"a2", "b1", "b2", "c1", "d1", "e1", "f1", "g1", "h1"}
        assert pairs.counted == [[f"{id_}1" for id_ in pairs], ["a2", "b2"]]

    def test_a_few_are_counted_at_once(self, pairs: Pairs, state: dict[str, Any]) -> None:
        pairs.count("a1", opens=6)
        assert ids(update(state, pairs, NOW + HOUR, pairs.sent), 16) == ["a1"]
        assert pairs.counted == [["a1", "a2"]]

    @pytest.mark.parametrize("reason", ["do not add up", "are missing", "are new"])
    def test_all_are_counted_if_counters_prove_nothing(self, pairs: Pairs, reason: str) -> None:
        """`a2` opens unseen: the campaign counts the first email alone, or not at all."""

        class Odd(Pairs):
            @property
            @override
            def counters(self) -> dict[str, Counters]:
                if reason == "do not add up":
                    return {id_: own[f"{id_}1"] for id_, own in self.items()}
                if reason == "are missing":
                    return {id_: c._replace(forwards=-1) for id_, c in super().counters.items()}
                return super().counters

        odd, state = Odd(), dict[str, Any]()
        update(state, odd, sent=odd.sent)
        odd.counted.clear()
        for id_ in odd:
            odd.count(f"{id_}1", opens=6)
        odd.count("a2", opens=4)
        if reason == "are new":
            odd.sent = dict.fromkeys(odd, NOW + HOUR)
        log = update(state, odd, NOW + HOUR, odd.sent)
        assert {*ids(log, 16)} >= {*(f"{id_}1" for id_ in odd), "a2"}
        assert {id_ for each in odd.counted for id_ in each} == {
            id_ + n for id_ in odd for n in "12"
        }

    def test_all_are_counted_if_none_was_compared(self, pairs: Pairs) -> None:
        """They were named before they were skipped: the log has no counters of theirs."""
        state: dict[str, Any] = {}
        log = ChangeLog(state)
        for id_ in pairs:
            pairs[id_] = dict.fromkeys(pairs[id_], counters(opens=0, clicks=0))
            log.add_campaign(id_, pairs[id_], NOW)
        pairs.sent = dict.fromkeys(pairs, NOW - 90 * DAY)
        sent = to_hour(NOW - 90 * DAY)
        skipped = {id_: own._replace(sent=sent) for id_, own in pairs.counters.items()}
        assert log.skip_sent_before(NOW - 60 * DAY, skipped) == len(pairs)
        for id_ in pairs:
            pairs.count(f"{id_}2", opens=1)
        log = update(state, pairs, NOW + HOUR, pairs.sent)
        assert ids(log) == [f"{id_}{number}" for id_ in pairs for number in "12"]


class TestChangeLog:
    """It gives numbers to the activities that have changed."""

    def test_new_activities_are_read_in_full_newest_send_first(self) -> None:
        campaigns = Campaigns({"a": {"a1": counters()}, "b": {"b1": counters()}})
        sent = {"a": NOW - 2 * DAY, "b": NOW - DAY}
        log = update({}, campaigns, sent=sent)
        assert ids(log) == ["b1", "a1"]
        assert [activity.read_until(OPENS, 0) for activity in log.changed_after(0)] == [None, None]

    def test_unchanged_campaigns_are_not_requested(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({name: {f"{name}1": counters()} for name in "abc"})
        through = update(state, campaigns).changed_after(0)[-1].number
        campaigns.requested.clear()
        campaigns["b"] = {"b1": counters(opens=6)}
        assert ids(update(state, campaigns), through) == ["b1"]
        assert campaigns.requested == ["b"]

    @pytest.mark.parametrize("counter", Counters._fields[:-1])
    def test_changed_counter_is_a_change(self, counter: str) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = update(state, campaigns).changed_after(0)[-1].number
        campaigns["a"] = {"a1": counters()._replace(**{counter: 200})}
        assert ids(update(state, campaigns), through) == ["a1"]

    @pytest.mark.parametrize(
        ("counter", "kinds"),
        [
            ("sends", {"SENDS", "SEND_HISTORY", "DID_NOT_OPENS"}),
            ("opens", {"OPENS", "UNIQUE_OPENS", "DID_NOT_OPENS"}),
            ("clicks", {"CLICKS", "LINKS"}),
            ("bounces", {"BOUNCES", "DID_NOT_OPENS"}),
            ("optouts", {"OPTOUTS"}),
            ("forwards", {"FORWARDS"}),
        ],
    )
    def test_reports_of_the_changed_counter_have_changed(
        self, counter: str, kinds: set[str]
    ) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        sent = {"a": NOW - 90 * DAY}
        through = update(state, campaigns, sent=sent).last_number
        grown = getattr(counters(), counter) + 1
        campaigns["a"] = {"a1": counters()._replace(**{counter: grown})}
        (activity,) = update(state, campaigns, sent=sent).changed_after(through)
        assert changed_kinds(activity, through) == {*kinds, "ACTIVITY_STATS"}
        # A stream that has missed the change before, and all if it was the first.
        assert changed_kinds(activity, through - 1) == {*KINDS}

    def test_all_reports_have_changed_without_a_last_send(self) -> None:
        """No re-read would bring what a counter does not show, as for emails of automations."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = update(state, campaigns).last_number
        campaigns["a"] = {"a1": counters(opens=6)}
        (activity,) = update(state, campaigns).changed_after(through)
        assert changed_kinds(activity, through) == {*KINDS}

    def test_report_is_read_from_the_last_change_of_its_counter(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        sent = {"a": NOW - 90 * DAY}
        through = update(state, campaigns, sent=sent).last_number
        for days, (opens, clicks) in enumerate([(5, 3), (5, 4), (6, 4)], start=1):
            campaigns["a"] = {"a1": counters(opens=opens, clicks=clicks)}
            log = update(state, campaigns, NOW + days * DAY, sent)
            (activity,) = log.changed_after(through)
            before, through = through, log.last_number
        assert activity.read_until(OPENS, before) == NOW
        assert changed_kinds(activity, before) & {"CLICKS", "LINKS"} == set()

    def test_first_rows_of_a_report_are_read_in_full(self) -> None:
        """It was not read while its counter was 0, but can have had rows already."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters(bounces=0)}})
        sent = {"a": NOW - 90 * DAY}
        through = update(state, campaigns, sent=sent).last_number
        campaigns["a"] = {"a1": counters(bounces=1)}
        (activity,) = update(state, campaigns, NOW + DAY, sent).changed_after(through)
        read_until = activity.read_until(BOUNCES, through)
        assert read_until is not None
        assert read_until < NOW - 50 * 365 * DAY

    def test_last_reread_is_also_for_reports_that_should_be_empty(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters(bounces=0)}})
        sent = {"a": NOW}
        update(state, campaigns, NOW, sent)
        empty = []
        for days in (7, 30, 31):
            log = update(state, campaigns, NOW + days * DAY + HOUR, sent)
            (activity,) = log.changed_after(0)
            empty.append(activity.is_empty(BOUNCES))
            assert not activity.is_empty(LINKS)
            log.prune(log.last_number if days == 30 else 0)
        assert empty == [True, False, True]

    @pytest.mark.parametrize("missed", ["sends", "sent"])
    def test_activities_are_requested_again_after_a_send(self, missed: str) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        sent = {"a": NOW - 90 * DAY}
        update(state, campaigns, sent=sent)
        campaigns.requested.clear()
        campaigns["a"] = {"a1": counters(opens=6)}
        update(state, campaigns, NOW + DAY, sent)
        assert not campaigns.requested
        if missed == "sends":
            campaigns["a"] = {"a1": counters(opens=6)._replace(sends=101)}
        else:
            sent = {"a": NOW + DAY}
        update(state, campaigns, NOW + 2 * DAY, sent)
        assert campaigns.requested == ["a"]

    @pytest.mark.parametrize(("hours", "is_read"), [(7 * 24 - 1, False), (7 * 24, True)])
    def test_repeats_are_read_a_week_after_a_change(self, hours: int, is_read: bool) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})  # with bounces, without forwards
        sent = {"a": NOW - 90 * DAY}
        update(state, campaigns, sent=sent)
        campaigns["a"] = {"a1": counters(opens=6)}
        through = update(state, campaigns, NOW + HOUR, sent).last_number
        log = update(state, campaigns, NOW + hours * HOUR, sent)
        assert ids(log, through) == (["a1"] if is_read else [])
        if is_read:
            (activity,) = log.changed_after(through)
            assert {"BOUNCES"} <= changed_kinds(activity, through)
            assert not {"OPENS", "CLICKS"} & changed_kinds(activity, through)
        assert not ids(update(state, campaigns, NOW + 60 * DAY, sent), log.last_number)

    def test_campaign_without_summary_keeps_its_last_send(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = update(state, campaigns, sent={"a": NOW}).changed_after(0)[-1].number
        assert not update(state, campaigns).changed_after(through)

    def test_new_send_is_a_change(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = update(state, campaigns, sent={"a": NOW}).changed_after(0)[-1].number
        assert ids(update(state, campaigns, sent={"a": NOW + DAY}), through) == ["a1"]

    def test_only_changed_activities_of_a_campaign_are_read(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        through = update(state, campaigns).changed_after(0)[-1].number
        campaigns["a"]["first"] = counters(opens=7)
        assert ids(update(state, campaigns), through) == ["first"]

    def test_activity_with_late_counters_makes_all_read_in_full(self) -> None:
        """The counters of the campaign have grown by more than those of its activities."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        through = update(state, campaigns).changed_after(0)[-1].number
        late = Late({"a": {"first": counters(opens=7), "resend": counters(opens=6)}})
        changed = update(state, late).changed_after(through)
        assert [activity.activity_id for activity in changed] == ["first", "resend"]
        assert [activity.read_until(OPENS, through) for activity in changed] == [None, None]

    def test_stream_that_missed_a_change_reads_the_activity_in_full(self) -> None:
        """It was at 1 when `b1` went from number 2 to 4, and ended at 3: it has never read `b1`."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({name: {f"{name}1": counters()} for name in "abc"})
        update(state, campaigns)
        campaigns["b"] = {"b1": counters(opens=6)}
        (changed,) = update(state, campaigns).changed_after(3)
        assert changed.read_until(OPENS, 0) is None  # what was complete last

    def test_added_activity_does_not_change_others(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"first": counters()}})
        through = update(state, campaigns).changed_after(0)[-1].number
        campaigns["a"]["resend"] = counters()
        assert ids(update(state, campaigns), through) == ["resend"]

    @pytest.mark.parametrize("named", [["first", "draft"], ["draft"], []])
    def test_activities_without_counters_are_no_change(self, named: list[str]) -> None:
        """The API names a resend that is not sent, but never has counters of it."""

        class WithDraft(Campaigns):
            @override
            def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
                super().fetch_activity_ids(campaign_id, since)
                return named

            @override
            def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
                own = {id_: counters() for activities in self.values() for id_ in activities}
                return {id_: own[id_] for id_ in activity_ids if id_ in own}

        state: dict[str, Any] = {}
        campaigns = WithDraft({"a": {"first": counters()}})
        sent = {"a": NOW - DAY}
        through = update(state, campaigns, sent=sent).last_number
        campaigns.requested.clear()
        assert not ids(update(state, campaigns, NOW + DAY, sent), through)
        assert not campaigns.requested
        assert [*ChangeLog(state).campaign_ids] == ["a"]

    def test_another_only_activity_is_compared_once(self) -> None:
        state: dict[str, Any] = {}
        update(state, Campaigns({"a": {"first": counters()}}))
        campaigns = Campaigns({"a": {"second": counters(opens=6)}})
        through = update(state, campaigns).last_number
        campaigns.requested.clear()
        assert not ids(update(state, campaigns), through)
        assert not campaigns.requested

    def test_requests_for_counters_are_filled(self) -> None:
        """With other activities at the end: the stream of counters has to request them too."""
        requests: list[list[str]] = []

        class Recorded(Campaigns):
            @override
            def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
                requests.append([*activity_ids])
                return super().fetch_counters(activity_ids)

        sizes = {"a": 3, "b": 1, "c": 3, "d": 3, "e": 1, "f": 2, "g": 1}
        names = {id_: [f"{id_}{i}" for i in range(size)] for id_, size in sizes.items()}
        campaigns = {id_: {name: counters() for name in names[id_]} for id_ in names}
        assert len(update({}, Recorded(campaigns)).changed_after(0)) == sum(sizes.values())
        first = [*names["a"], *names["c"], *names["d"]]
        assert requests == [first, [*names["f"], "b0", "e0", "g0"]]

    def test_complete_stream_reads_from_the_last_change(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = update(state, campaigns).changed_after(0)[-1].number
        campaigns["a"] = {"a1": counters(opens=6)}
        (changed,) = update(state, campaigns, NOW + DAY).changed_after(through)
        assert changed.read_until(OPENS, through) == NOW
        assert changed.changed_at == NOW + DAY

    def test_stream_with_missed_change_reads_in_full(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = update(state, campaigns).changed_after(0)[-1].number
        for opens in (6, 7):
            campaigns["a"] = {"a1": counters(opens=opens)}
            log = update(state, campaigns)
        (changed,) = log.changed_after(through)
        assert changed.read_until(OPENS, through) is None

    def test_decreased_counter_makes_the_report_read_in_full(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        through = update(state, campaigns).changed_after(0)[-1].number
        campaigns["a"] = {"a1": counters(opens=9, bounces=0)}
        (changed,) = update(state, campaigns).changed_after(through)
        assert changed.read_until(OPENS, through) is None

    @pytest.mark.parametrize("days", REREADS)
    def test_reread_days_make_the_report_read_in_full_once(self, days: int) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}, "b": {"b1": counters()}})
        sent = {"a": NOW - days * DAY + timedelta(minutes=30), "b": NOW}
        through = update(state, campaigns, sent=sent).changed_after(0)[-1].number
        (again,) = update(state, campaigns, NOW + timedelta(hours=1), sent).changed_after(through)
        assert again.activity_id == "a1"
        assert again.read_until(OPENS, through) is None
        through = again.number
        assert not update(state, campaigns, NOW + timedelta(hours=2), sent).changed_after(through)

    def test_log_numbers_are_never_reused(self) -> None:
        state: dict[str, Any] = {}
        log = update(state, Campaigns({"a": {"a1": counters()}}))
        through = log.changed_after(0)[-1].number
        log.remove("a")
        assert (
            update(state, Campaigns({"b": {"b1": counters()}})).changed_after(0)[-1].number
            > through
        )

    def test_interrupted_comparison_resumes(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({str(number): {f"{number}a": counters()} for number in range(25)})
        steps = ChangeLog(state).update(campaigns.counters, campaigns, NOW, REREADS)
        for _ in range(10):
            next(steps)
        assert len(ids(ChangeLog(state))) == 10
        campaigns.requested.clear()
        assert len(ids(update(state, campaigns))) == 25
        assert len(campaigns.requested) == 15

    def test_known_activities_are_not_requested(self) -> None:
        state: dict[str, Any] = {}
        ChangeLog(state).add_campaign("a", ["first", "resend"], NOW)
        assert not ids(ChangeLog(state))
        assert not [*ChangeLog(state).campaign_ids]
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        assert ids(update(state, campaigns, sent={"a": NOW - DAY})) == ["first", "resend"]
        assert not campaigns.requested

    def test_activities_known_before_the_last_send_are_requested(self) -> None:
        state: dict[str, Any] = {}
        ChangeLog(state).add_campaign("a", ["first"], NOW - DAY)
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        assert ids(update(state, campaigns, sent={"a": NOW})) == ["first", "resend"]

    def test_comparison_with_a_small_budget_makes_progress(self) -> None:
        """Each run ends with its second campaign, before those with several are counted."""
        state: dict[str, Any] = {}
        campaigns = Campaigns(
            {name: {f"{name}{n}": counters() for n in "12"} for name in "abcdefgh"}
        )
        sent = dict.fromkeys(campaigns, NOW - DAY)
        for run in range(4):
            campaigns.max_requests = 2 * (run + 1)  # requests of the runs so far
            with pytest.raises(RunEnded):
                update(state, campaigns, sent=sent)
        campaigns.max_requests = 10_000
        assert len(ids(update(state, campaigns, sent=sent))) == 16
        assert campaigns.requested == [*"abcdefgh"]

    def test_campaign_keeps_activities_that_the_api_no_longer_lists(self) -> None:
        state: dict[str, Any] = {}
        update(state, Campaigns({"a": {"a1": counters()}}))

        class Gone(Campaigns):
            @override
            def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
                return []

        assert ids(update(state, Gone({"a": {"a1": counters(opens=6)}}))) == ["a1"]

    def test_pruned_changes_are_read_in_full(self) -> None:
        """Nobody needs to know any more until when an activity was read before."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}, "b": {"b1": counters()}})
        through = update(state, campaigns).last_number
        for opens in (6, 7):
            campaigns["a"], campaigns["b"] = {"a1": counters(opens)}, {"b1": counters(opens)}
            log = update(state, campaigns)
        before = json.dumps(state)
        log.prune(through)
        assert json.dumps(state) == before  # all have changed since
        through = log.changed_after(0)[0].number
        log.prune(through)
        pruned, kept = ChangeLog(json.loads(json.dumps(state))).changed_after(0)
        assert pruned.read_until(OPENS, log.last_number) is None
        assert kept.read_until(OPENS, log.last_number) == NOW

    def test_expected_rows_are_in_the_state_at_once(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"first": counters(), "resend": counters()}})
        first, resend = update(state, campaigns).changed_after(0)
        first.expect_rows("opens", 3)
        resend.expect_rows("clicks", 4)
        again = ChangeLog(json.loads(json.dumps(state))).changed_after(0)
        rows = [[each.expected_rows(kind) for kind in ("opens", "clicks")] for each in again]
        assert rows == [[3, 2], [5, 4]]
        assert (first.expected_rows("opens"), resend.expected_rows("clicks")) == (3, 4)

    def test_expected_rows_of_an_earlier_change_are_not_noted(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({"a": {"a1": counters()}})
        (earlier,) = update(state, campaigns).changed_after(0)
        campaigns["a"] = {"a1": counters(opens=6)}
        log = update(state, campaigns)
        earlier.expect_rows("opens", 9)
        (changed,) = log.changed_after(0)
        assert changed.expected_rows("opens") == 6
        log.remove("a")
        changed.expect_rows("opens", 9)
        assert state["campaigns"] == {}

    def test_two_logs_of_one_state_see_the_changes_of_each_other(self) -> None:
        state: dict[str, Any] = {}
        campaigns = Campaigns({name: {f"{name}1": counters()} for name in "ab"})
        one, other = update(state, campaigns), ChangeLog(state)
        (a, _), (_, b) = one.changed_after(0), other.changed_after(0)
        a.expect_rows("opens", 3)
        b.expect_rows("opens", 4)
        other.remove("b")
        for log in (one, other):
            assert ids(log) == ["a1"]
            assert log.changed_after(0)[0].expected_rows("opens") == 3

    def test_log_continues_from_a_state_that_was_restored(self) -> None:
        """As `max_records_per_stream` does it: the state is the same dictionary."""
        state: dict[str, Any] = {}
        campaigns = Campaigns({name: {f"{name}1": counters()} for name in "ab"})
        log = update(state, campaigns)
        before = json.loads(json.dumps(state))
        log.remove("a")
        log.add_campaign("c", ["c1"], NOW)
        state.clear()
        state.update(before)
        assert [*log.campaign_ids] == ["a", "b"]
        log.changed_after(0)[1].expect_rows("opens", 3)
        assert ChangeLog(state).changed_after(0)[1].expected_rows("opens") == 3

    @pytest.mark.parametrize("id_", [UUID, UUID.upper(), "1103", "x" * 22, "="])
    def test_packed_ids_are_restored(self, id_: str) -> None:
        (activity,) = update({}, Campaigns({id_: {id_: counters()}})).changed_after(0)
        assert (activity.campaign_id, activity.activity_id) == (id_, id_)

    def test_state_of_a_large_account_is_small(self) -> None:
        """2,000 campaigns of 3,000 were sent, a third of them twice; a tenth changes in a run."""
        big = Counters(2500, 1234, 321, 100, 20, 3, 498_000)
        sent = Campaigns(
            {str(uuid4()): {str(uuid4()): big for _ in range(1 + n % 3 // 2)} for n in range(2000)}
        )
        state: dict[str, Any] = {}
        log = ChangeLog(state)
        for _ in log.update(sent.counters, sent, NOW, REREADS):
            pass
        for activities in [*sent.values()][:200]:
            activities.update({id_: big._replace(opens=1300) for id_ in activities})
        for _ in log.update(sent.counters, sent, NOW, REREADS):
            pass
        assert len(json.dumps(state, separators=(",", ":"))) < 285_000  # as messages are written


def activity(rows: int, opens: int, changed_at: datetime = NOW + DAY) -> Activity:
    """Return an activity that a stream has read until NOW, with rows to expect."""
    entry = ActivityEntry(
        Change(2, to_hour(changed_at)),
        counters(opens=opens),
        ExpectedRows(opens=rows),
        previous=Previous(1, ReadHours(*[(changed_at - NOW) // HOUR] * 6)),
    )
    campaigns = {"a": CampaignEntry({"a1": entry})}
    return Activity("a", "a1", entry, campaigns)


def read(cursor: ReportCursor, times: list[datetime]) -> int:
    """Return how many rows are read."""
    for number, at in enumerate(times):
        if cursor.is_known(at):
            cursor.close(read_in_full=False)
            return number
    cursor.close(read_in_full=True)
    return len(times)


class TestReportCursor:
    """A report is read until its other rows are known."""

    times = [NOW - timedelta(hours=hours) for hours in (-20, -2, 5, 23, 25, 60, 99)]

    def test_cursor_stops_a_day_before_what_was_read(self) -> None:
        # Two rows of the day before were there, and two are new.
        assert read(ReportCursor(activity(4, 7), "opens", NOW, DAY), self.times) == 4

    def test_cursor_reads_in_full_if_rows_are_missing(self) -> None:
        assert read(ReportCursor(activity(5, 8), "opens", NOW, DAY), self.times) == 7

    def test_cursor_with_longer_lookback_counts_the_same(self) -> None:
        assert read(ReportCursor(activity(4, 7), "opens", NOW, 3 * DAY), self.times) == 6
        assert read(ReportCursor(activity(5, 8), "opens", NOW, 3 * DAY), self.times) == 7

    def test_cursor_without_counter_stops_at_the_lookback(self) -> None:
        assert read(ReportCursor(activity(99, 99), None, NOW, DAY), self.times) == 4

    def test_cursor_reads_unknown_activity_in_full(self) -> None:
        assert read(ReportCursor(activity(0, 7), "opens", None, DAY), self.times) == 7

    def test_cursor_ignores_rows_without_time(self) -> None:
        assert not ReportCursor(activity(0, 7), "opens", NOW, DAY).is_known(None)

    @pytest.mark.parametrize("surplus", [0, 2])
    def test_cursor_accounts_for_reports_ahead_of_their_counter(self, surplus: int) -> None:
        """The counter catches up: such growth needs no rows."""
        first = activity(0, opens=7 - surplus)
        read(ReportCursor(first, "opens", None, DAY), self.times)  # all seven rows
        recent = sum(at >= first.changed_at - DAY for at in self.times)
        grown = first.expected_rows("opens") + surplus  # as the log adds it
        assert grown == recent

    def test_cursor_reports_rows_missing_in_the_full_report(self) -> None:
        cursor = ReportCursor(activity(9, 12), "opens", NOW, DAY)
        assert not any(map(cursor.is_known, self.times))
        assert cursor.close(read_in_full=True)

    def test_cursor_accounts_for_counters_above_the_rows(self) -> None:
        first = activity(0, opens=9)
        read(ReportCursor(first, "opens", None, DAY), self.times)
        assert first.expected_rows("opens") == 2
