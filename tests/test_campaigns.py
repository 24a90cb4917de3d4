"""Campaigns, their activities and their counters."""

from __future__ import annotations

import pytest
from support.sandboxes import MakeSandbox
from support.tap import TapCommand

from sandbox import Sandbox


def test_campaign_has_its_activities(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "email_campaigns", "email_campaign_activities")
    named = {
        activity["campaign_activity_id"]
        for campaign in run.records["email_campaigns"]
        for activity in campaign.get("campaign_activities") or []
    }
    read = set(run.keys("email_campaign_activities", "campaign_activity_id"))
    assert read == {key for (key,) in sandbox.expected()["email_campaign_activities"]}
    assert read < named  # some that are named cannot be read


def test_removed_campaign_has_no_activities(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(campaigns=24)
    run = tap.sync(sandbox, "email_campaigns")
    removed = [row for row in run.records["email_campaigns"] if row["current_status"] == "Removed"]
    assert removed
    asked = {request.path for request in sandbox.requests}
    for campaign in removed:
        assert campaign["campaign_activities"] is None
        assert f"/v3/emails/{campaign['campaign_id']}" not in asked


def test_campaigns_are_sorted_by_change_and_the_bookmark_follows(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = tap.sync(sandbox, "email_campaigns", "email_campaign_activities")
    times = run.keys("email_campaigns", "updated_at")
    assert times == sorted(times)
    assert run.state["bookmarks"]["email_campaigns"]["replication_key_value"] == times[-1]


def test_unchanged_campaigns_are_not_requested_again(tap: TapCommand, sandbox: Sandbox) -> None:
    streams = ("email_campaigns", "email_campaign_activities")
    first = tap.sync(sandbox, *streams)
    before = len(sandbox.requests)
    second = tap.sync(sandbox, *streams, state=first.state)
    assert len(second.records["email_campaigns"]) <= 1
    assert len(sandbox.requests) - before <= 5


def test_child_stream_schema_is_written_once(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "email_campaigns", "email_campaign_activities")
    schemas = [message["stream"] for message in run.messages if message["type"] == "SCHEMA"]
    assert sorted(schemas) == ["email_campaign_activities", "email_campaigns"]


@pytest.mark.parametrize(
    "options",
    [{}, {"dotted_stats": True}, {"partial_stats": True}],
    ids=["underscores", "dots", "errors beside results"],
)
def test_campaign_counters_are_read_in_every_form(
    tap: TapCommand, make_sandbox: MakeSandbox, options: dict[str, bool]
) -> None:
    sandbox = make_sandbox(campaigns=24, **options)
    run = tap.sync(sandbox, "email_campaign_stats")
    expected = sandbox.expected()["email_campaign_stats"]
    assert set(run.keys("email_campaign_stats", "campaign_id")) == {key for (key,) in expected}
    for row in run.records["email_campaign_stats"]:
        assert row["stats"] == expected[(row["campaign_id"],)]["stats"]


def test_campaign_counters_are_requested_in_batches(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(campaigns=340)
    run = tap.sync(sandbox, "email_campaign_stats")
    paths = [request.path for request in sandbox.requests]
    asked = [path.count(",") + 1 for path in paths if "/stats/email_campaigns/" in path]
    assert max(asked) == 150
    expected = {key for (key,) in sandbox.expected()["email_campaign_stats"]}
    assert set(run.keys("email_campaign_stats", "campaign_id")) == expected


def test_summary_counts_sent_as_text_are_numbers(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(text_counts=True)
    rows = tap.sync(sandbox, "email_campaign_summaries").records["email_campaign_summaries"]
    assert rows
    assert all(type(count) is int for row in rows for count in row["unique_counts"].values())
