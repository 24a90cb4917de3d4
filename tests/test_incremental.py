"""Campaign reports: only changes are read, and no row is missing."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand
from support.target import Target

from sandbox import Sandbox
from sandbox.account.clock import DAY, HOUR, minute
from sandbox.account.engagement import Event, stats
from sandbox.endpoints import reports
from tap_constantcontact.timestamps import format_timestamp

EVENTS = (
    *("email_sends", "email_opens", "email_clicks"),
    *("email_bounces", "email_optouts", "email_forwards"),
)
REPORTS = (
    *("email_campaign_activity_stats", "email_campaign_send_history", "email_links"),
    *(*EVENTS, "email_unique_opens", "email_did_not_opens"),
)
DEFAULT = [name for name, stream in STREAMS.items() if stream.selected]


def load(target: Target, run: Run) -> Run:
    """Let a target take what a run wrote."""
    assert run.status == 0, run.log
    target.load(run.messages)
    return run


@dataclass
class Synced:
    """A sandbox, and the state after the last run."""

    sandbox: Sandbox
    tap: TapCommand
    state: dict[str, Any]

    def go_on(self, *streams: str) -> tuple[Run, list[str]]:
        """Return another run, and the paths that it requested."""
        run, paths = requests_of(
            self.sandbox, lambda: self.tap.sync(self.sandbox, *streams, state=self.state)
        )
        assert run.status == 0, run.log
        self.state = run.state
        return run, paths


def requests_of(sandbox: Sandbox, run: Callable[[], Run]) -> tuple[Run, list[str]]:
    """Return a run, and the paths that it requested."""
    before = len(sandbox.requests)
    done = run()
    return done, [request.path for request in sandbox.requests[before:]]


def sent_campaigns(sandbox: Sandbox, number: int, activities: int = 1) -> list[str]:
    """Return campaigns that reached somebody, with so many sent activities."""
    account = sandbox.account
    return [
        campaign_id
        for campaign_id, campaign in account.campaigns.items()
        if campaign["current_status"] == "Done"
        and len(account.engagements(campaign_id)) == activities
        and account.reached_by(campaign_id)
    ][:number]


def primary(sandbox: Sandbox, campaign_id: str) -> str:
    activity = sandbox.account.activity(campaign_id, "primary_email")
    return str(activity["campaign_activity_id"])


def aged(state: dict[str, Any], days: int) -> dict[str, Any]:
    """Return a state as if its changes had been detected some days earlier."""
    state = json.loads(json.dumps(state))
    (log,) = state["bookmarks"]["email_campaign_stats"]["log"]
    for campaign in log["campaigns"].values():
        for name, activity in campaign.items():
            if name != "all":
                activity[1] -= days * 24
    return state


def contacts_without(sandbox: Sandbox, campaign_id: str, kind: str) -> set[str]:
    """Return the contacts of a campaign whose event would change a counter of contacts."""
    part = sandbox.account.engagement[primary(sandbox, campaign_id)]
    return {*part.reached} - {event.contact_id for event in getattr(part, kind)}


def open_at(sandbox: Sandbox, campaign_id: str, at: int) -> None:
    """Let an open of some time become known now."""
    reader = sandbox.account.reached_by(campaign_id)[0]
    part = sandbox.account.engagement[primary(sandbox, campaign_id)]
    part.opens.append(Event(minute(at), reader, "tablet"))


class TestRequests:
    """A run costs as much as has changed."""

    @pytest.fixture(scope="class")
    @classmethod
    def synced(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
        with Sandbox(contacts=60, campaigns=160, requests_per_second=0) as sandbox:
            tap = TapCommand(tmp_path_factory.mktemp("tap"))
            yield Synced(sandbox, tap, tap.sync(sandbox, *DEFAULT, *REPORTS).state)

    def test_unchanged_account_costs_lists_and_counters_only(self, synced: Synced) -> None:
        streams = ("email_campaigns", "email_campaign_stats", *REPORTS)
        synced.go_on(*streams)
        run, paths = synced.go_on(*streams)
        lists = math.ceil(160 / 500) + math.ceil(160 / 150)
        # And the changed campaigns.
        assert len(paths) <= lists + 1
        assert not any(run.records[name] for name in REPORTS)

    def test_unchanged_account_with_all_default_streams_costs_little_more(
        self, synced: Synced
    ) -> None:
        synced.go_on(*DEFAULT)
        _, paths = synced.go_on(*DEFAULT)
        of_events = [path for path in paths if "/events" in path]
        assert len(paths) - len(of_events) <= math.ceil(160 / 500) + math.ceil(160 / 150) + 12

    @pytest.mark.parametrize("activities", [1, 2], ids=["sent once", "with a resend"])
    @pytest.mark.parametrize(
        ("kind", "reports"),
        [
            ("opens", ("opens", "unique_opens", "didnotopens")),
            ("clicks", ("clicks", "links")),
            ("forwards", ("forwards",)),
            ("bounces", ("bounces", "didnotopens")),
        ],
    )
    def test_changed_campaign_costs_one_request_per_report_of_its_counter(
        self, synced: Synced, activities: int, kind: str, reports: tuple[str, ...]
    ) -> None:
        streams = ("email_campaign_stats", *REPORTS)
        synced.go_on(*streams)
        _, unmoved = synced.go_on(*streams)
        account = synced.sandbox.account
        moved = [
            id_
            for id_ in sent_campaigns(synced.sandbox, 40, activities)
            if contacts_without(synced.sandbox, id_, kind)
        ][:6]
        for id_ in moved:
            account.add_events(id_, kind)
        _, paths = synced.go_on(*streams)
        of_reports = [path.split("/")[4:] for path in paths if "/email_reports/" in path]
        assert {name for _, *_, name in of_reports} == {*reports}
        expected = sorted(primary(synced.sandbox, id_) for id_ in moved)
        for report in reports:
            assert sorted(id_ for id_, *_, name in of_reports if name == report) == expected
        # The counters of activities come ten at a time, and no detail is requested.
        assert len(paths) - len(unmoved) <= len(of_reports) + 2 * math.ceil(12 / 10)
        assert not [path for path in paths if path.startswith("/v3/emails/")]

    def test_one_change_after_the_other_costs_as_much(self, synced: Synced) -> None:
        """The state in which one counter changed is read as it was written."""
        streams = ("email_campaign_stats", *REPORTS)
        synced.go_on(*streams)
        moved = sent_campaigns(synced.sandbox, 3)
        costs = []
        for _ in range(3):
            for id_ in moved:
                synced.sandbox.account.add_events(id_, "opens")
            run, paths = synced.go_on(*streams)
            assert "contradicts itself" not in run.log
            costs.append(sum("/email_reports/" in path for path in paths))
        assert costs == [9, 9, 9]

    def test_resend_that_is_not_sent_costs_nothing(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """The detail names an activity that has no counters, perhaps for ever."""
        sandbox = make_sandbox(campaigns=12)
        (campaign_id,) = sent_campaigns(sandbox, 1)
        sandbox.account.draft_resend(campaign_id)
        streams = ("email_campaign_stats", *REPORTS)
        state = tap.sync(sandbox, *streams).state
        _, paths = requests_of(sandbox, lambda: tap.sync(sandbox, *streams, state=state))
        assert not [path for path in paths if "/email_reports/" in path]
        assert not [path for path in paths if path.startswith("/v3/emails/")]

    def test_only_report_pages_with_new_rows_are_requested(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=6000, campaigns=3)
        (campaign_id,) = sent_campaigns(sandbox, 1)
        activity_id = primary(sandbox, campaign_id)
        assert len(sandbox.account.engagement[activity_id].opens) > 1000
        target = Target()
        first = load(target, tap.sync(sandbox, *EVENTS))
        sandbox.account.engage(campaign_id)
        second, paths = requests_of(sandbox, lambda: tap.sync(sandbox, *EVENTS, state=first.state))
        load(target, second)
        asked = [path for path in paths if path.endswith(f"{activity_id}/tracking/opens")]
        assert len(asked) == 1
        assert not target.lacks(sandbox, [*EVENTS])
        assert len(second.records["email_opens"]) < 100


class TestRows:
    """No row is missing, whatever happens between runs."""

    def test_no_row_is_lost_after_each_change(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        streams = ("email_campaigns", "email_campaign_activities", "email_campaign_stats", *REPORTS)
        target, state = Target(), None
        for _ in range(3):
            state = load(target, tap.sync(sandbox, *streams, state=state)).state
            assert not target.lacks(sandbox, [*streams])
            sandbox.change()

    def test_late_open_is_read(self, tap: TapCommand, make_sandbox: MakeSandbox) -> None:
        """It is older than what was read; the counter reveals it."""
        sandbox = make_sandbox(contacts=600, campaigns=6)
        target = Target()
        first = load(target, tap.sync(sandbox, "email_opens"))
        (campaign_id,) = sent_campaigns(sandbox, 1)
        sandbox.account.engage(campaign_id)
        open_at(sandbox, campaign_id, sandbox.account.now() - 20 * DAY)
        load(target, tap.sync(sandbox, "email_opens", state=first.state))
        assert not target.lacks(sandbox, ["email_opens"])

    def test_late_bounce_is_read(self, tap: TapCommand, make_sandbox: MakeSandbox) -> None:
        """No counter has the number of rows, so the lookback is a week."""
        sandbox = make_sandbox(campaigns=12)
        target = Target()
        first = load(target, tap.sync(sandbox, "email_bounces"))
        (campaign_id,) = sent_campaigns(sandbox, 1)
        part = sandbox.account.engagement[primary(sandbox, campaign_id)]
        at = minute(sandbox.account.now() - 6 * DAY)
        part.bounces.append(Event(at, sandbox.account.reached_by(campaign_id)[0], bounce_code="F"))
        load(target, tap.sync(sandbox, "email_bounces", state=first.state))
        assert not target.lacks(sandbox, ["email_bounces"])

    def test_repeat_that_no_counter_shows_is_read_in_a_week(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """A contact forwards again, and another one opens: only the latter is counted."""
        sandbox = make_sandbox(campaigns=12)
        target, account = Target(), sandbox.account
        (campaign_id,) = sent_campaigns(sandbox, 1)
        reader = account.engagement[primary(sandbox, campaign_id)].sends[0].contact_id
        account.add_events(campaign_id, "forwards", contact_id=reader)
        state = load(target, tap.sync(sandbox, *EVENTS)).state
        account.add_events(campaign_id, "forwards", contact_id=reader)
        account.add_events(campaign_id, "opens")
        missing = []
        for days in (0, 6, 2, 9):
            state = load(target, tap.sync(sandbox, *EVENTS, state=aged(state, days))).state
            missing.append([*target.lacks(sandbox, [*EVENTS])])
        assert missing == [["email_forwards"], ["email_forwards"], [], []]
        _, paths = requests_of(sandbox, lambda: tap.sync(sandbox, *EVENTS, state=aged(state, 9)))
        assert not [path for path in paths if "/email_reports/" in path]

    def test_decreased_counter_loses_no_row(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=600, campaigns=6)
        target = Target()
        first = load(target, tap.sync(sandbox, "email_opens"))
        (campaign_id,) = sent_campaigns(sandbox, 1)
        opens = sandbox.account.engagement[primary(sandbox, campaign_id)].opens
        del opens[:4]
        open_at(sandbox, campaign_id, sandbox.account.now() - 30 * DAY)
        load(target, tap.sync(sandbox, "email_opens", state=first.state))
        assert not target.lacks(sandbox, ["email_opens"])

    def test_campaign_sent_again_is_read(self, tap: TapCommand, make_sandbox: MakeSandbox) -> None:
        sandbox = make_sandbox(campaigns=24)
        streams = ("email_campaigns", *REPORTS)
        target = Target()
        first = load(target, tap.sync(sandbox, *streams))
        (campaign_id,) = sent_campaigns(sandbox, 1)
        sandbox.account.send_to_all_lists(campaign_id, sandbox.account.now() - HOUR)
        load(target, tap.sync(sandbox, *streams, state=first.state))
        assert not target.lacks(sandbox, [*streams])

    def test_resend_to_the_same_contacts_is_read(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """No counter of the campaign changes, only the time of its last send."""
        sandbox = make_sandbox(campaigns=24)
        target = Target()
        first = load(target, tap.sync(sandbox, *REPORTS))
        (campaign_id,) = sent_campaigns(sandbox, 1)
        sandbox.account.resend_campaign(campaign_id)
        load(target, tap.sync(sandbox, *REPORTS, state=first.state))
        assert not target.lacks(sandbox, [*REPORTS])

    @pytest.mark.parametrize("lag", [3600, 30 * 3600])
    def test_delayed_counters_lose_no_row(
        self, tap: TapCommand, make_sandbox: MakeSandbox, lag: int
    ) -> None:
        """Rows that delayed counters do not show yet are read once they do."""
        sandbox = make_sandbox(stats_lag=lag)
        target = Target()
        state = load(target, tap.sync(sandbox, *EVENTS)).state
        (campaign_id,) = sent_campaigns(sandbox, 1)
        account, began = sandbox.account, sandbox.account.now()
        for hours in (2, 40, 80):
            account.engage(campaign_id)
            account.now = lambda: began + hours * HOUR  # noqa: B023 - only called in this pass of the loop
            state = load(target, tap.sync(sandbox, *EVENTS, state=state)).state
        assert not target.lacks(sandbox, [*EVENTS])

    def test_removed_campaigns_do_not_affect_others(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        streams = ("email_campaign_stats", *REPORTS)
        first = tap.sync(sandbox, *streams)
        gone, moved = sent_campaigns(sandbox, 2)
        sandbox.account.set_status(gone, "Removed", sandbox.account.now())
        sandbox.account.engage(moved)
        run, paths = requests_of(sandbox, lambda: tap.sync(sandbox, *streams, state=first.state))
        assert run.status == 0, run.log
        assert gone not in run.keys("email_campaign_stats", "campaign_id")
        assert moved in run.keys("email_opens", "campaign_id")
        assert len([path for path in paths if "/stats/email_campaigns/" in path]) == 1

    def test_send_without_updated_at_is_noticed(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """That a send changes updated_at is assumed."""
        sandbox = make_sandbox(campaigns=24)
        streams = ("email_campaign_summaries", "email_campaigns")
        first = tap.sync(sandbox, *streams)
        campaigns = sandbox.account.campaigns
        draft = next(id_ for id_, row in campaigns.items() if row["current_status"] == "Draft")
        before = campaigns[draft]["updated_at"]
        sandbox.account.send_campaign(draft)
        campaigns[draft]["updated_at"] = before
        second = tap.sync(sandbox, *streams, state=first.state)
        sent = {row["campaign_id"]: row for row in second.records["email_campaigns"]}
        assert sent[draft]["current_status"] == "Done"
        bookmarks = [run.state["bookmarks"]["email_campaigns"] for run in (first, second)]
        assert len({bookmark["replication_key_value"] for bookmark in bookmarks}) == 1
        # It comes again until the hour is over: the list may be older than the summaries.
        assert bookmarks[1]["sent_until"] < int(time.time()) // 3600


class TestEmptyReports:
    """Reports whose counter is 0 are not requested, but that they are empty is assumed."""

    def test_few_reports_that_should_be_empty_are_requested(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """The 1st, 2nd, 4th, 8th, … in all runs together."""
        sandbox = make_sandbox(contacts=60, campaigns=60)
        state, requested = None, 0
        for _ in range(3):
            before = len(sandbox.requests)
            state = tap.sync(sandbox, "email_forwards", state=state).state
            paths = [request.path for request in sandbox.requests[before:]]
            requested += sum(path.endswith("/forwards") for path in paths)
            sandbox.change()
        parts = sandbox.account.engagement.values()
        empty = [part for part in parts if not part.forwards]
        assert len(empty) > 30
        assert requested <= len(parts) - len(empty) + len(empty).bit_length() + 2

    def test_unsure_counters_have_all_reports_read(
        self, tap: TapCommand, make_sandbox: MakeSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A report with rows at a counter of 0 is noticed, and no zero is believed any more."""
        monkeypatch.setattr(reports, "stats", lambda parts: {**stats(parts), "em_forwards": 0})
        sandbox = make_sandbox(contacts=600, campaigns=24)
        target, streams = Target(), ("email_forwards", "email_optouts")
        first = load(target, tap.sync(sandbox, *streams))
        assert first.log.count("a report has rows although its counter is 0") == 1
        assert "email_forwards" in target.lacks(sandbox, streams)
        second = load(target, tap.sync(sandbox, *streams, state=first.state))
        assert not target.lacks(sandbox, streams)
        assert "although its counter" not in second.log
        _, paths = requests_of(sandbox, lambda: tap.sync(sandbox, *streams, state=second.state))
        assert not [path for path in paths if "/email_reports/" in path]

    def test_counter_that_is_missing_says_nothing(
        self, tap: TapCommand, make_sandbox: MakeSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def without_forwards(parts: Any) -> dict[str, int]:
            return {name: count for name, count in stats(parts).items() if name != "em_forwards"}

        monkeypatch.setattr(reports, "stats", without_forwards)
        sandbox = make_sandbox(campaigns=24)
        target = Target()
        first = load(target, tap.sync(sandbox, "email_forwards"))
        assert not target.lacks(sandbox, ["email_forwards"])
        (campaign_id,) = sent_campaigns(sandbox, 1)
        sandbox.account.add_events(campaign_id, "forwards")
        sandbox.account.add_events(campaign_id, "opens")
        load(target, tap.sync(sandbox, "email_forwards", state=first.state))
        assert not target.lacks(sandbox, ["email_forwards"])

    def test_full_table_replication_reads_empty_reports(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=60, campaigns=60)
        run, paths = requests_of(sandbox, lambda: full_table(tap, sandbox, "email_forwards"))
        assert run.status == 0, run.log
        requested = [path for path in paths if path.endswith("/forwards")]
        assert len(requested) == len(sandbox.account.engagement)


def full_table(
    tap: TapCommand, sandbox: Sandbox, stream: str, state: dict[str, Any] | None = None
) -> Run:
    """Return a run with a stream that is FULL_TABLE in the catalog."""
    catalog = tap.catalog([stream])
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    path = tap.folder / "full.json"
    path.write_text(json.dumps(catalog))
    arguments = tap.arguments(tap.settings(sandbox), state=state)
    return tap.run(None, *arguments, "--catalog", str(path))


class TestSelection:
    """Streams are selected and deselected; each keeps its own position."""

    def test_stream_selected_later_gets_its_history(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        target = Target()
        first = load(target, tap.sync(sandbox, "email_bounces"))
        later, paths = requests_of(
            sandbox,
            lambda: tap.sync(sandbox, "email_bounces", "email_opens", state=first.state),
        )
        load(target, later)
        assert not target.lacks(sandbox, ["email_bounces", "email_opens"])
        assert not later.records["email_bounces"]
        assert not [path for path in paths if path.startswith("/v3/emails/")]  # ids are known

    def test_stream_selected_again_misses_nothing(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        target = Target()
        state = load(target, tap.sync(sandbox, "email_bounces", "email_opens")).state
        for _ in range(2):
            sandbox.change()
            state = load(target, tap.sync(sandbox, "email_bounces", state=state)).state
        last = load(target, tap.sync(sandbox, "email_bounces", "email_opens", state=state))
        assert not target.lacks(sandbox, ["email_bounces", "email_opens"])
        activities = {key for (key, *_) in target.rows["email_opens"]}
        assert set(last.keys("email_opens", "campaign_activity_id")) < activities

    def test_full_table_replication_reads_everything(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox()
        first = tap.sync(sandbox, "email_opens")
        run = full_table(tap, sandbox, "email_opens", first.state)
        assert run.status == 0, run.log
        assert run.records["email_opens"] == first.records["email_opens"]

    def test_start_date_skips_older_rows_until_it_is_moved_back(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        half = format_timestamp(datetime.now(timezone.utc) - timedelta(days=500))
        run = tap.sync(sandbox, "email_opens", start_date=half)
        times = run.keys("email_opens", "created_time")
        expected = sandbox.expected()["email_opens"].values()
        assert min(times) >= half
        assert len(times) == sum(row["created_time"] >= half for row in expected) < len(expected)
        target = Target()
        load(target, tap.sync(sandbox, "email_opens", state=run.state, start_date="2000-01-01"))
        assert not target.lacks(sandbox, ["email_opens"])


class TestOldReports:
    """With `skip_old_reports`, campaigns that were sent long before start_date are skipped."""

    STREAMS = ("email_opens", "email_links")

    def test_old_reports_are_skipped_until_their_counters_change(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=60)
        settings: dict[str, Any] = {"start_date": "-200d", "skip_old_reports": True}
        first, paths = requests_of(sandbox, lambda: tap.sync(sandbox, *self.STREAMS, **settings))
        limit = sandbox.account.now() - 260 * DAY
        old = self._sent_before(sandbox, limit)
        assert 0 < len(old) < sum(path.endswith("/links") for path in paths) + len(old)
        assert not old & {path.split("/")[4] for path in paths if "/email_reports/" in path}
        assert "skip_old_reports: skipping the reports on" in first.log
        activity_id = min(old)
        event = sandbox.account.add_events(activity_id, "opens")[0]
        second = tap.sync(sandbox, *self.STREAMS, state=first.state, **settings)
        (campaign_id,) = {*second.keys("email_links", "campaign_id")}
        assert activity_id in second.keys("email_links", "campaign_activity_id")
        assert primary(sandbox, campaign_id) == activity_id
        assert event.contact_id in second.keys("email_opens", "contact_id")
        assert "skip_old_reports" not in second.log

    @pytest.mark.parametrize("settings", [{"start_date": "-200d"}, {"skip_old_reports": True}, {}])
    def test_skipped_reports_are_read_without_the_setting(
        self, tap: TapCommand, make_sandbox: MakeSandbox, settings: dict[str, Any]
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        before: dict[str, Any] = {"start_date": "-200d", "skip_old_reports": True}
        target = Target()
        first = load(target, tap.sync(sandbox, *self.STREAMS, **before))
        assert "email_links" in target.lacks(sandbox, ["email_links"])
        load(target, tap.sync(sandbox, *self.STREAMS, state=first.state, **settings))
        assert not target.lacks(sandbox, ["email_links"])

    @staticmethod
    def _sent_before(sandbox: Sandbox, limit: int) -> set[str]:
        """Return the activities of campaigns that were last sent before a time."""
        account = sandbox.account
        return {
            primary(sandbox, id_)
            for id_, campaign in account.campaigns.items()
            if campaign["current_status"] == "Done"
            and max(part.sent_at for part in account.engagements(id_)) < limit
        }


class TestRereads:
    """7 and 30 days after its last send a campaign is read in full, whatever its counters."""

    def test_reread_finds_rows_that_no_counter_showed(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        target = Target()
        first = load(target, tap.sync(sandbox, "email_forwards"))
        (campaign_id,) = sent_campaigns(sandbox, 1)
        part = sandbox.account.engagement[primary(sandbox, campaign_id)]
        part.forwards.append(Event(minute(part.sent_at), part.sends[0].contact_id))
        # As if the first run had been before the re-read fell due.
        state = first.state
        (log,) = state["bookmarks"]["email_campaign_stats"]["log"]
        for activities in log["campaigns"].values():
            for name, activity in activities.items():
                if name != "all":
                    activity[1] = (part.sent_at + 7 * DAY) // HOUR
        again = load(target, tap.sync(sandbox, "email_forwards", state=state))
        assert not target.lacks(sandbox, ["email_forwards"])
        _, paths = requests_of(
            sandbox, lambda: tap.sync(sandbox, "email_forwards", state=again.state)
        )
        assert not [path for path in paths if path.endswith("/forwards")]
