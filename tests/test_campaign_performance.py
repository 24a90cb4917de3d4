"""Rankings of campaigns, of which no response was ever published, and responses without content."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, TapCommand

from sandbox import Fault, Sandbox
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

STREAM = "email_campaign_performance"
PATH = "/reports/email_reports/campaign_performance"
KEY = STREAMS[STREAM].primary_keys


def sent_at(sandbox: Sandbox) -> list[str]:
    rows = sandbox.expected(["email_campaign_performance"])[STREAM].values()
    return sorted({row["last_send_date"] for row in rows})


def test_rankings_are_read_with_one_request_and_their_period(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = tap.sync(sandbox, STREAM, report_start="-1825d")
    rows = {tuple(row[name] for name in KEY): row for row in run.records[STREAM]}
    expected = sandbox.expected([STREAM])[STREAM]
    assert rows.keys() == expected.keys()
    assert all(rows[key]["rank"] == expected[key]["rank"] for key in rows)
    assert {key[:2] for key in rows} == {
        (ranking, measure)
        for ranking in ("top", "bottom")
        for measure in ("open_rate", "opens", "click_rate", "clicks")
    }
    (request,) = [each for each in sandbox.requests if each.path == f"/v3{PATH}"]
    periods = {(row["start_at"], row["end_at"]) for row in rows.values()}
    assert periods == {(request.query["start_at"], request.query["end_at"])}
    assert run.table[STREAM][:2] == [str(len(rows)), "1"]


def test_rankings_are_of_the_campaigns_sent_in_the_period(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    oldest, *_, newest = map(parse_timestamp, sent_at(sandbox))
    after = format_timestamp(oldest + timedelta(seconds=1))
    before = format_timestamp(newest - timedelta(seconds=1))
    run = tap.sync(sandbox, STREAM, report_start=after, report_end=before)
    assert run.status == 0, run.log
    assert {*run.keys(STREAM, "last_send_date")} == {*sent_at(sandbox)[1:-1]}


def test_missing_rankings_and_errors_leave_the_other_rows(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(partial_rankings=True)
    run = tap.sync(sandbox, STREAM, report_start="-1825d")
    assert run.status == 0, run.log
    assert {(row["ranking"], row["measure"]) for row in run.records[STREAM]} == {("top", "opens")}
    assert all(type(row["opens"]) is int for row in run.records[STREAM])
    assert run.log.count("returned incomplete rankings: reportingsvc.internal") == 1


@pytest.mark.parametrize(
    "body",
    [{}, [], {"top": None, "bottom": []}, {"top": {"opens": {}}, "errors": "none"}],
)
def test_rankings_of_other_forms_are_no_rows(
    tap: TapCommand, fake_server: FakeServer, body: Any
) -> None:
    fake_server[f"/v3{PATH}"] = body
    run = tap.run(fake_server.settings, select=[STREAM])
    assert (run.status, run.records[STREAM]) == (0, []), run.log


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.FORBIDDEN, f"{STREAM} is skipped: GET /v3{PATH}: 403"),
        (Fault.NOT_FOUND, f"{STREAM}: skipping one item: GET /v3{PATH}: 404"),
        (Fault.BAD_REQUEST, f"{STREAM}: skipping one item: GET /v3{PATH}: 400"),
    ],
)
def test_rejected_request_for_rankings_is_a_warning(
    tap: TapCommand, sandbox: Sandbox, fault: Fault, said: str
) -> None:
    sandbox.fail(PATH, fault, times=99)
    run = tap.sync(sandbox, STREAM, "contact_tags")
    assert run.status == 0, run.log
    assert said in run.log
    assert run.records.keys() == {"contact_tags"}


def test_response_without_content_has_no_rows(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(company_logo=False)
    logo = {"name": "logo", "path": "/account/summary/company_logo", "primary_keys": ["url"]}
    settings = tap.settings(sandbox, custom_streams=[logo])
    run = tap.run(settings)
    assert run.status == 0, run.log
    assert "logo" not in run.records
    assert "company_logo" not in run.records["account"][0]
    assert [each.status for each in sandbox.requests if each.path.endswith("_logo")] == [204]


def test_logo_of_the_account_is_a_column(tap: TapCommand, sandbox: Sandbox) -> None:
    (account,) = tap.sync(sandbox, "account").records["account"]
    assert account["company_logo"]["internal_id"] == "ACCOUNT.IMAGE.5"


def test_properties_that_the_contract_has_no_more_are_columns(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    payment = {"currency_type": "USD", "payment_option_configurations": [{"type": "PAYPAL"}]}
    fake_server["/v3/events"] = {"records": [{"event_id": "1"}]}
    fake_server["/v3/events/1"] = {"event_id": "1", "payment_configuration": payment}
    fake_server["/v3/reports/summary_reports/sms_campaign_summaries"] = {
        "bulk_sms_campaign_summaries": [{"campaign_id": "2", "unique_counts": {"bounces": 3}}]
    }
    run = tap.run(fake_server.settings, select=["events", "sms_campaign_summaries"])
    assert run.status == 0, run.log
    assert run.records["events"][0]["payment_configuration"] == payment
    assert run.records["sms_campaign_summaries"][0]["unique_counts"] == {"bounces": 3}
    assert "unknown properties" not in run.log


@pytest.mark.parametrize(
    ("stream", "row"),
    [
        ("email_campaign_activities", {"template_id": "9"}),
        ("email_optouts", {"device_type": "mobile"}),
        ("email_forwards", {"device_type": "tablet"}),
        ("contact_sms_engagement_history", {"history_details": {"source_ip": "192.0.2.1"}}),
    ],
)
def test_properties_of_older_builds_are_columns(stream: str, row: dict[str, Any]) -> None:
    values = {"occurrence": 0, "created_time": "2026-01-31T08:00:00.000Z"}
    keys = {key: values.get(key, "x") for key in STREAMS[stream].primary_keys}
    record = STREAMS[stream].post_process({**keys, **row})
    assert record is not None
    assert {name: record[name] for name in row} == row
