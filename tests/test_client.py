"""Paging, errors and retries, over real HTTP."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import TapCommand, TapProcess

from sandbox import Fault, Sandbox


def api_requests(sandbox: Sandbox) -> list[Any]:
    return [request for request in sandbox.requests if request.path.startswith("/v3")]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.THROTTLED,
        Fault.SERVER_ERROR,
        Fault.UNAVAILABLE,
        Fault.GATEWAY_TIMEOUT,
        Fault.DROPPED,
        Fault.CUT,
        Fault.NOT_JSON,
        Fault.CUT_JSON,
    ],
)
def test_temporary_failure_is_retried(tap: TapCommand, sandbox: Sandbox, fault: Fault) -> None:
    sandbox.fail("/contacts", fault)
    run = tap.sync(sandbox, "contacts")
    assert run.status == 0, run.log
    assert len(run.records["contacts"]) == 60
    assert "2 requests, 1 retry\n" in run.log


def test_throttled_response_pauses_requests_for_a_second(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contacts", Fault.THROTTLED)
    tap.sync(sandbox, "contacts")
    throttled, again = api_requests(sandbox)
    assert again.at - throttled.at >= 1


def test_default_rate_is_never_throttled(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(requests_per_second=4, campaigns=4)
    run = tap_process.sync(sandbox, "account", "email_campaigns", requests_per_second=4)
    assert run.status == 0, run.log
    assert [request.status for request in api_requests(sandbox)].count(429) == 0


def test_throttling_slows_the_tap_down_only(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(requests_per_second=4, campaigns=3)
    run = tap.sync(sandbox, "email_campaigns", requests_per_second=100)
    assert run.status == 0, run.log
    assert len(run.records["email_campaigns"]) == 3


def test_pace_adapts_to_what_others_leave_of_the_limit(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    """The API admits half of the pace. Without adapting, each second would end with a 429."""
    sandbox = make_sandbox(requests_per_second=20, campaigns=60)
    run = tap.sync(sandbox, "email_campaigns", requests_per_second=38, max_parallel_requests=1)
    assert run.status == 0, run.log
    assert len(run.records["email_campaigns"]) == 60
    assert [request.status for request in api_requests(sandbox)].count(429) <= 1


def test_pagination_reads_every_page(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(contacts=1201)
    run = tap.sync(sandbox, "contacts")
    assert len(run.records["contacts"]) == 1201
    assert len(api_requests(sandbox)) == 3
    cursors = [request.query for request in api_requests(sandbox)][1:]
    assert all(query.keys() == {"cursor"} for query in cursors)


@pytest.mark.parametrize("fault", [Fault.EMPTY_PAGE, Fault.ABSOLUTE_NEXT])
def test_pagination_follows_unusual_links(
    tap: TapCommand, make_sandbox: MakeSandbox, fault: Fault
) -> None:
    sandbox = make_sandbox(contacts=1201)
    sandbox.fail("/contacts", fault)
    run = tap.sync(sandbox, "contacts")
    assert run.status == 0, run.log
    assert len(run.records["contacts"]) == 1201


def test_pagination_follows_nested_links(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(nested_tag_links=True)
    run = tap.sync(sandbox, "contact_tags")
    assert len(run.records["contact_tags"]) == len(sandbox.expected()["contact_tags"])


def test_pagination_refuses_links_to_another_host(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=1201)
    sandbox.fail("/contacts", Fault.FOREIGN_NEXT)
    run = tap.sync(sandbox, "contacts")
    assert run.status == 1
    assert "It was not followed, and no token was sent there" in run.log
    assert not [request for request in sandbox.requests if "elsewhere" in request.path]


def test_pagination_in_a_circle_ends_the_run(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(contacts=1201)
    sandbox.fail("/contacts", Fault.LOOP, times=9)
    run = tap.sync(sandbox, "contacts")
    assert run.status == 1
    assert "form a loop" in run.log
    assert "Traceback" not in run.log


def test_403_response_skips_the_stream_and_names_the_permission(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(scopes=("account_read", "contact_data", "offline_access"))
    run = tap.sync(sandbox)
    assert run.status == 0, run.log
    assert len(run.records["contacts"]) == 60
    assert run.records["email_campaigns"] == []
    skipped = [line for line in run.log.splitlines() if "email_campaigns is skipped" in line]
    assert len(skipped) == 1
    assert "the scope campaign_data and the privilege campaign:read" in skipped[0]


def test_403_response_for_every_stream_fails_the_run(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(scopes=("offline_access",))
    run = tap.sync(sandbox, "account", "contacts")
    assert run.status == 1
    assert "can't read any of the selected streams" in run.log


def test_403_response_in_the_middle_keeps_the_bookmark(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=1201)
    sandbox.fail("/contacts", Fault.FORBIDDEN, skip=1)
    run = tap.sync(sandbox, "account", "contacts")
    assert run.status == 0
    assert "replication_key_value" not in run.state["bookmarks"].get("contacts", {})
    again = tap.sync(sandbox, "contacts", state=run.state)
    assert len(again.records["contacts"]) == 1201


def test_error_response_ends_the_run_with_its_message(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contact_lists", Fault.BAD_REQUEST, message="status does not have a valid value")
    run = tap.sync(sandbox, "account", "contact_lists")
    assert run.status == 1
    assert "GET /v3/contact_lists: 400" in run.log
    assert "status does not have a valid value" in run.log
    assert "contact_lists" in run.log
    assert "Traceback" not in run.log


def test_404_response_to_a_list_ends_the_run(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contact_tags", Fault.NOT_FOUND)
    run = tap.sync(sandbox, "contact_tags")
    assert run.status == 1
    assert "GET /v3/contact_tags: 404" in run.log


def test_404_response_to_a_detail_skips_the_detail(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/segments/*", Fault.NOT_FOUND)
    run = tap.sync(sandbox, "segments")
    assert run.status == 0, run.log
    criteria = [record.get("segment_criteria") for record in run.records["segments"]]
    assert criteria.count(None) == 1
    assert len(criteria) == len(sandbox.expected()["segments"])


@pytest.mark.parametrize(("on_quota_exceeded", "status"), [("fail", 75), ("stop", 0)])
def test_exhausted_quota_is_not_retried_and_the_next_run_resumes(
    tap: TapCommand, sandbox: Sandbox, on_quota_exceeded: str, status: int
) -> None:
    sandbox.fail("/emails/*", Fault.QUOTA_EXCEEDED, skip=3)
    run = tap.sync(sandbox, "account", "email_campaigns", on_quota_exceeded=on_quota_exceeded)
    assert run.status == status
    assert "the quota resets at" in run.log
    assert "unhandled" not in run.log
    assert [request.status for request in api_requests(sandbox)].count(429) == 1
    sandbox.clear_faults()
    again = tap.sync(sandbox, "email_campaigns", state=run.state)
    first, rest = (set(of.keys("email_campaigns", "campaign_id")) for of in (run, again))
    assert first | rest == {key for (key,) in sandbox.expected()["email_campaigns"]}
    assert len(first & rest) <= 1


def test_max_requests_limits_a_run(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, max_requests=5)
    assert run.status == 75
    assert len(api_requests(sandbox)) == 5
    assert "Request budget reached: 5 requests (max_requests)" in run.log
    assert run.states


def test_daily_quota_counts_requests_of_all_runs(tap: TapCommand, sandbox: Sandbox) -> None:
    assert tap.sync(sandbox, "account", "account_emails", daily_quota=3).status == 0
    run = tap.sync(sandbox, "account", "account_emails", daily_quota=3)
    assert run.status == 75
    assert len(api_requests(sandbox)) == 3


def test_user_agent_names_the_tap(tap: TapCommand, sandbox: Sandbox) -> None:
    tap.sync(sandbox, "account")
    tap.sync(sandbox, "account", user_agent="warehouse/1")
    agents = [request.user_agent for request in api_requests(sandbox)]
    assert agents[0].startswith("tap-constantcontact/")
    assert agents[1] == "warehouse/1"


def test_slow_response_is_awaited(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/account/summary", Fault.DELAY, seconds=1.5)
    began = time.monotonic()
    assert tap.sync(sandbox, "account").status == 0
    assert time.monotonic() - began > 1.5


def test_proxy_of_the_environment_is_used(tap: TapCommand, fake_server: FakeServer) -> None:
    fake_server["/v3/account/summary"] = {"encoded_account_id": "p1"}
    proxy = f"http://127.0.0.1:{fake_server.port}"
    settings = {**fake_server.settings, "api_url": "http://localhost:1/v3"}
    environment = {"http_proxy": proxy, "no_proxy": "", "NO_PROXY": ""}
    run = tap.run(settings, select=["account"], env=environment)
    assert run.status == 0, run.log
    assert run.keys("account", "encoded_account_id") == ["p1"]


def test_no_proxy_address_is_requested_directly(tap: TapCommand, fake_server: FakeServer) -> None:
    fake_server["/v3/account/summary"] = {"encoded_account_id": "p1"}
    environment = {"http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"}
    run = tap.run(fake_server.settings, select=["account"], env=environment)
    assert run.keys("account", "encoded_account_id") == ["p1"]


@pytest.mark.parametrize("status", [400, 404, 503])
def test_text_of_the_api_ends_in_one_full_stop(
    tap: TapCommand, fake_server: FakeServer, status: int
) -> None:
    error = [{"error_key": "x", "error_message": "Something is missing or wrong. "}]
    fake_server["/v3/contact_tags"] = (status, error)
    run = tap.run(fake_server.settings, select=["contact_tags"])
    last = run.log.splitlines()[-1]
    assert "Something is missing or wrong. " in last
    assert ".." not in last
    assert ". . " not in last
