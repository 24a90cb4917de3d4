"""What contacts did with emails: every event once, and no request that is not needed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from unittest.mock import Mock

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand

from sandbox import Request, Sandbox
from sandbox.server.expected import Rows
from tap_constantcontact.streams.engagement import ActivityReport

EVENTS = (
    *("email_sends", "email_opens", "email_clicks"),
    *("email_bounces", "email_optouts", "email_forwards"),
)
REPORTS = (*EVENTS, "email_unique_opens", "email_did_not_opens", "email_links")
OF_ACTIVITIES = (
    *("email_campaign_send_history", "email_campaign_schedules", "email_campaign_ab_tests"),
    *("email_campaign_resends", "email_campaign_previews"),
)
STATS = ("email_campaign_stats", "email_campaign_activity_stats")


@dataclass
class Synced:
    """A sandbox, a run that has read all of its campaigns, and the rows expected."""

    sandbox: Sandbox
    run: Run
    expected: dict[str, Rows]
    requests: list[Request]

    def asked(self, *endings: str) -> list[str]:
        """Return the ids of the activities that were requested."""
        return activities_asked(self.requests, *endings)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    streams = ("email_campaigns", *OF_ACTIVITIES, *STATS, *REPORTS)
    with Sandbox(contacts=60, campaigns=24, requests_per_second=0) as sandbox:
        run = TapCommand(tmp_path_factory.mktemp("tap")).sync(sandbox, *streams)
        assert run.status == 0, run.log
        yield Synced(sandbox, run, sandbox.expected(streams), list(sandbox.requests))


@pytest.mark.parametrize("stream", [*REPORTS, *OF_ACTIVITIES, *STATS])
def test_report_streams_have_every_row_once(synced: Synced, stream: str) -> None:
    arrived = keys(synced.run, stream)
    assert arrived
    assert len(arrived) == len(set(arrived))
    assert set(arrived) == set(synced.expected[stream])


@pytest.mark.parametrize("stream", REPORTS)
def test_report_rows_have_their_campaign(synced: Synced, stream: str) -> None:
    campaign_of = {
        key: activity["campaign_id"] for key, activity in synced.sandbox.account.activities.items()
    }
    for row in synced.run.records[stream]:
        assert row["campaign_id"] == campaign_of[row["campaign_activity_id"]]


class TestOccurrence:
    """Times have minutes: one contact can do the same twice at the same time."""

    @pytest.mark.parametrize("stream", ["email_opens", "email_clicks"])
    def test_occurrence_distinguishes_rows_of_the_same_minute(
        self, synced: Synced, stream: str
    ) -> None:
        told = defaultdict(list)
        for *others, occurrence in keys(synced.run, stream):
            told[tuple(others)].append(occurrence)
        assert max(map(len, told.values())) > 1
        assert all(numbers == list(range(len(numbers))) for numbers in told.values())

    def test_occurrence_is_the_same_in_every_run(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        streams = ("email_opens", "email_clicks")
        first = tap.sync(sandbox, *streams)
        again = tap.sync(sandbox, *streams)
        for stream in streams:
            assert keys(again, stream) == keys(first, stream)
        sandbox.change()  # more opens, also of emails that were opened before
        later = tap.sync(sandbox, *streams)
        assert set(keys(again, "email_clicks")) <= set(keys(later, "email_clicks"))
        assert set(keys(again, "email_opens")) < set(keys(later, "email_opens"))


class TestRequests:
    """Requests are limited: what cannot have a response is not requested."""

    @pytest.mark.parametrize("ending", ["opens", "didnotopens", "links"])
    def test_reports_are_requested_for_sent_activities(self, synced: Synced, ending: str) -> None:
        campaigns = synced.run.records["email_campaigns"]
        sent = [
            activity["campaign_activity_id"]
            for campaign in campaigns
            if campaign["current_status"] == "Done"
            for activity in campaign["campaign_activities"]
            if activity["role"] in ("primary_email", "resend")
        ]
        assert sorted(synced.asked(f"/{ending}")) == sorted(sent)
        roles = Counter(
            activity["role"]
            for campaign in campaigns
            for activity in campaign.get("campaign_activities") or []
        )
        assert min(roles["permalink"], roles["resend"]) > 0
        assert len(sent) < roles.total()

    def test_campaign_details_are_requested_once(self, synced: Synced) -> None:
        details = {
            f"/v3/emails/{campaign['campaign_id']}"
            for campaign in synced.run.records["email_campaigns"]
            if campaign["current_status"] != "Removed"
        }
        asked = Counter(request.path for request in synced.requests)
        assert {asked[path] for path in details} == {1}
        assert asked["/v3/emails"] <= 2  # changed ones, and all

    def test_schedules_are_requested_for_scheduled_campaigns_only(self, synced: Synced) -> None:
        asked = campaigns_of(synced, "/schedules")
        assert {campaign["current_status"] for campaign in asked} == {"Scheduled"}

    def test_ab_tests_are_requested_for_ab_campaigns_only(self, synced: Synced) -> None:
        asked = campaigns_of(synced, "/abtest")
        assert {campaign["type_code"] for campaign in asked} == {57}

    def test_previews_and_resends_are_requested_for_primary_activities(
        self, synced: Synced
    ) -> None:
        roles = {
            synced.sandbox.account.activities[key]["role"]
            for key in synced.asked("/previews", "/non_opener_resends")
        }
        assert roles == {"primary_email"}

    def test_campaign_status_narrows_campaigns_and_reports(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(campaigns=24)
        chosen = {"Draft", "Executing"}
        run = tap.sync(
            sandbox, "email_campaigns", "email_opens", *STATS, campaign_status=sorted(chosen)
        )
        assert run.status == 0, run.log
        assert set(run.keys("email_campaigns", "current_status")) == chosen
        assert not activities_asked(sandbox.requests, "/opens")  # none of these was sent
        wider = tap.sync(sandbox, "email_opens", state=run.state)
        assert set(keys(wider, "email_opens")) == set(sandbox.expected()["email_opens"])


class TestCounters:
    """Counters and rows are about the same events."""

    def test_activity_counters_are_requested_ten_at_a_time(self, synced: Synced) -> None:
        ids = asked_for_stats(synced.requests)
        assert max(len(some) for some in ids) == 10
        assert sum(len(some) < 10 for some in ids) <= 3  # the last ones
        counted = {key for (key,) in synced.expected["email_campaign_activity_stats"]}
        assert counted <= set(chain.from_iterable(ids))

    @pytest.mark.parametrize("dotted", [False, True])
    def test_activity_counters_are_read_in_both_forms(
        self, tap: TapCommand, make_sandbox: MakeSandbox, dotted: bool
    ) -> None:
        sandbox = make_sandbox(dotted_stats=dotted)
        stream = "email_campaign_activity_stats"
        rows = tap.sync(sandbox, stream).records[stream]
        expected = sandbox.expected({stream})[stream]
        assert {(row["campaign_activity_id"],): row["stats"] for row in rows} == {
            key: row["stats"] for key, row in expected.items()
        }
        assert all("em_opens_all_mobile" in row["stats"] for row in rows)

    @pytest.mark.parametrize("what", ["opens", "clicks"])
    def test_report_rows_match_the_campaign_counters(self, synced: Synced, what: str) -> None:
        contacts = defaultdict(list)
        for row in synced.run.records[f"email_{what}"]:
            contacts[row["campaign_id"]].append(row["contact_id"])
        stats = {
            row["campaign_id"]: row["stats"] for row in synced.run.records["email_campaign_stats"]
        }
        assert contacts
        assert set(contacts) <= set(stats)
        for campaign_id, counters in stats.items():
            assert counters[f"em_{what}_all"] == len(contacts[campaign_id])
            assert counters[f"em_{what}"] == len(set(contacts[campaign_id]))


def test_links_without_clicks_are_read_unless_excluded(tap: TapCommand, synced: Synced) -> None:
    links = clicks_of_links(synced.run)
    assert 0 in links.values()
    narrowed = tap.sync(synced.sandbox, "email_links", links_without_clicks=False)
    clicked = {key for key, clicks in links.items() if clicks}
    assert clicked
    assert 0 not in clicks_of_links(narrowed).values()
    assert clicked <= set(clicks_of_links(narrowed))


def keys(run: Run, stream: str) -> list[tuple[Any, ...]]:
    return [
        tuple(row[name] for name in STREAMS[stream].primary_keys) for row in run.records[stream]
    ]


def clicks_of_links(run: Run) -> dict[tuple[Any, ...], int]:
    links = run.records["email_links"]
    return dict(zip(keys(run, "email_links"), [row["unique_clicks"] for row in links], strict=True))


def activities_asked(requests: list[Request], *endings: str) -> list[str]:
    """Return the ids in the paths of requests for some reports of activities."""
    return [
        request.path.removesuffix("/links").split("/tracking/")[0].split("/")[4]
        for request in requests
        if request.path.endswith(endings)
    ]


def asked_for_stats(requests: list[Request]) -> list[list[str]]:
    """Return the ids of activities in each request for counters."""
    start = "/v3/reports/stats/email_campaign_activities/"
    return [
        request.path.removeprefix(start).split(",")
        for request in requests
        if request.path.startswith(start)
    ]


def campaigns_of(synced: Synced, ending: str) -> list[dict[str, Any]]:
    """Return the campaigns whose activities were requested."""
    account = synced.sandbox.account
    return [
        account.campaigns[account.activities[key]["campaign_id"]] for key in synced.asked(ending)
    ]


@pytest.mark.parametrize(
    ("name", "rows"), [("email_links", 1), ("email_campaign_send_history", 1), ("email_opens", 0)]
)
def test_start_date_skips_rows_of_tracking_reports_only(
    monkeypatch: pytest.MonkeyPatch, name: str, rows: int
) -> None:
    """Links and sends are read in full, also if the API adds a `created_time` to them."""
    stream = STREAMS[name]
    assert isinstance(stream, ActivityReport)
    monkeypatch.setattr(stream, "is_too_old", lambda *_, **__: True)
    old = {"created_time": "2001-01-01T00:00:00Z"}
    read = ActivityReport.rows_of_activity(stream, Mock(), iter([old]))
    assert len(list(read)) == rows
