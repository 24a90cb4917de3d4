"""SMS, social networks, automations, ids of the old API, bulk changes, segments, partners."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand

from sandbox import PARTNER_TOKEN_PATH, Sandbox
from sandbox.server.options import PRIVILEGES
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

SIMPLE = (
    *("automations", "bulk_activities"),
    *("social_profiles", "social_connections", "social_hashtag_groups"),
)
PARTNER = ("partner_accounts", "partner_account_plans", "partner_webhook_subscriptions")


def assert_whole(run: Run, sandbox: Sandbox, *streams: str) -> None:
    """Assert that every row of some streams has come, once."""
    assert run.status == 0, run.log
    for name, expected in sandbox.expected(streams).items():
        keys = STREAMS[name].primary_keys
        arrived = [tuple(row[key] for key in keys) for row in run.records[name]]
        assert len(arrived) == len(expected) > 0, name
        assert set(arrived) == set(expected), name


def queries(sandbox: Sandbox, path: str) -> list[dict[str, str]]:
    return [request.query for request in sandbox.requests if request.path == f"/v3{path}"]


def test_small_streams_are_read_in_full(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, *SIMPLE)
    assert_whole(run, sandbox, *SIMPLE)
    # The response to the list of automations is 209; details complete it.
    (listed,) = [r for r in sandbox.requests if r.path == "/v3/automations/workflows"]
    assert listed.status == 209
    for row in run.records["automations"]:
        assert row["created_date"]  # of the list
        assert row.get("active_definition") or row["draft_definition"]
    # The key of a connection is inside of its account, and stays there.
    for row in run.records["social_connections"]:
        for name in ("network", "network_account_id"):
            assert row[name] == row["account_info"][name]
    assert all(row["accessible"] is not None for row in run.records["social_profiles"])
    # The only list with numbered pages.
    assert len(queries(sandbox, "/social/hashtags/groups")) == 2


class TestSms:
    """Counts of SMS campaigns change after the send."""

    STREAM = "sms_campaign_summaries"
    PATH = "/reports/summary_reports/sms_campaign_summaries"

    def test_sms_summaries_look_back_for_changed_counts(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        first = tap.sync(sandbox, self.STREAM)
        assert_whole(first, sandbox, self.STREAM)
        bookmark = first.state["bookmarks"][self.STREAM]["replication_key_value"]
        assert bookmark == max(first.keys(self.STREAM, "last_sent_date"))

        lookback = format_timestamp(parse_timestamp(bookmark) - timedelta(days=90))
        oldest, *_ = rows = [*sandbox.account.sms_campaigns.values()]
        if oldest["last_sent_date"] < lookback:  # one that is within reach
            oldest["last_sent_date"] = format_timestamp(
                parse_timestamp(bookmark) - timedelta(days=89)
            )
        sandbox.change()
        second = tap.sync(sandbox, self.STREAM, state=first.state)
        started = [query["start_at"] for query in queries(sandbox, self.PATH)]
        assert started[0] < "2010"
        assert started[1] == lookback
        again = {row["campaign_id"] for row in rows if row["last_sent_date"] >= lookback}
        assert {*second.keys(self.STREAM, "campaign_id")} == again
        (moved,) = [
            row
            for row in second.records[self.STREAM]
            if row["campaign_id"] == oldest["campaign_id"]
        ]
        assert moved["unique_counts"] == oldest["unique_counts"]

    def test_sms_summaries_start_at_the_start_date(self, tap: TapCommand, sandbox: Sandbox) -> None:
        newest = max(str(row["last_sent_date"]) for row in sandbox.account.sms_campaigns.values())
        run = tap.sync(sandbox, self.STREAM, start_date=newest)
        (query,) = queries(sandbox, self.PATH)
        assert "2010" < query["start_at"] <= format_timestamp(parse_timestamp(newest))
        assert newest.replace("Z", "")[:19] in {
            at[:19] for at in run.keys(self.STREAM, "last_sent_date")
        }


class TestXrefs:
    """Ids of the V2 API are requested in batches."""

    STREAMS = ("contact_id_xrefs", "list_id_xrefs", "campaign_id_xrefs")

    def test_xrefs_request_ids_in_batches(self, tap: TapCommand, sandbox: Sandbox) -> None:
        account = sandbox.account
        run = tap.sync(
            sandbox,
            *self.STREAMS,
            v2_contact_ids=filled_up(account.v2_contact_ids, 1001),
            v2_list_ids=filled_up(account.v2_list_ids, 501),
            v2_email_campaign_ids=filled_up(account.v2_campaign_ids, 51),
        )
        assert_whole(run, sandbox, *self.STREAMS)
        for path, parameter, sizes in (
            ("/contacts/contact_id_xrefs", "sequence_ids", [500, 500, 1]),
            ("/contact_lists/list_id_xrefs", "sequence_ids", [500, 1]),
            ("/emails/campaign_id_xrefs", "v2_email_campaign_ids", [50, 1]),
        ):
            asked = [query[parameter].split(",") for query in queries(sandbox, path)]
            # Prefetched requests can overtake each other on their way.
            assert sorted((len(ids) for ids in asked), reverse=True) == sizes
        found = {row["sequence_id"]: row["contact_id"] for row in run.records["contact_id_xrefs"]}
        assert found == account.v2_contact_ids

    def test_xrefs_without_ids_cost_no_request(self, tap: TapCommand, sandbox: Sandbox) -> None:
        run = tap.sync(sandbox, *self.STREAMS)
        assert run.status == 0, run.log
        assert not [request for request in sandbox.requests if "xrefs" in request.path]


def test_segment_contacts_are_polled_until_ready(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(segment_polls=1)
    for segment_id in [*sandbox.account.segments][2:]:  # polling takes a second
        del sandbox.account.segments[segment_id]
    run = tap.sync(sandbox, "segment_contacts")
    assert_whole(run, sandbox, "segment_contacts")
    asked = [request for request in sandbox.requests if request.path == "/v3/contacts"]
    statuses = Counter((request.query["segment_id"], request.status) for request in asked)
    for segment_id in sandbox.account.segments:
        assert statuses[str(segment_id), 202] == 1
        assert statuses[str(segment_id), 200] == 1


def test_bulk_activities_require_the_write_privilege(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    privileges = tuple(name for name in PRIVILEGES if name != "contacts:write")
    run = tap.sync(make_sandbox(privileges=privileges), "account", "bulk_activities")
    assert run.status == 0, run.log
    assert len(run.records["account"]) == 1
    (warning,) = re.findall(r"bulk_activities is skipped: .*", run.log)
    assert "contacts:write" in warning


class TestPartner:
    """A partner's key has a token address of its own."""

    def test_partner_streams_are_read_in_full(self, tap: TapCommand, sandbox: Sandbox) -> None:
        settings: dict[str, Any] = sandbox.partner_settings
        run = tap.sync(sandbox, "account", *PARTNER, **settings)
        assert_whole(run, sandbox, "account", *PARTNER)
        paths = Counter(request.path for request in sandbox.requests)
        assert paths[PARTNER_TOKEN_PATH] == 1
        assert run.records["partner_account_plans"][0]["current_tiers"]
        for secret in ("partner_api_key", "partner_client_secret"):
            assert settings[secret] not in run.log

    def test_partner_streams_without_api_key_are_skipped(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        run = tap.sync(sandbox, "account", *PARTNER)
        assert run.status == 0, run.log
        assert len(run.records["account"]) == 1
        assert not any(run.records[name] for name in PARTNER)
        for name in ("partner_accounts", "partner_webhook_subscriptions"):
            assert run.log.count(f"{name} is skipped: ") == 1
        assert not [request for request in sandbox.requests if "partner" in request.path]

    @pytest.mark.parametrize("missing", ["partner_client_id", "partner_client_secret"])
    def test_partner_api_key_requires_credentials(
        self, tap: TapCommand, sandbox: Sandbox, missing: str
    ) -> None:
        settings: dict[str, Any] = {**sandbox.partner_settings}
        del settings[missing]
        run = tap.sync(sandbox, *PARTNER, **settings)
        assert run.status == 1
        assert "partner_api_key requires" in run.log
        assert missing in run.log
        assert settings["partner_api_key"] not in run.log
        assert not sandbox.requests


def filled_up(ids: dict[str, str], count: int) -> list[str]:
    """Return ids with as many that nobody knows before them, so that the last batch is known."""
    return [*(str(number) for number in range(1, count - len(ids) + 1)), *ids]
