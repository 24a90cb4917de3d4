"""Responses: their rows, digits and texts, and those that the API should not give."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from support.fake_server import FakeServer
from support.tap import TapCommand

from tap_constantcontact.api.responses import body_of, part_of, rows_of

CAMPAIGN = {"campaign_id": "c", "updated_at": "2026-01-01T00:00:00Z", "current_status": "Done"}


def response_of(body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = 200
    response.url = "https://api.example.com/v3/contacts"
    response.request = requests.Request("GET", response.url).prepare()
    response.raw = io.BytesIO(body)
    return response


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"rows": [{"id": 1}, {"id": 2}], "_links": {}}', [{"id": 1}, {"id": 2}]),
        (b'[{"id": 1}, {"id": 2}]', [{"id": 1}, {"id": 2}]),
        (b'{"rows": {"id": 1}}', [{"id": 1}]),
        (b'{"rows": []}', []),
        (b'{"rows": null}', []),
        (b"{}", []),
        (b"[]", []),
    ],
)
def test_rows_are_found_by_records_key_or_are_the_body(body: bytes, rows: Any) -> None:
    assert list(rows_of(response_of(body), "rows")) == rows


def test_rows_can_be_the_body_itself() -> None:
    assert list(rows_of(response_of(b'{"rows": [1]}'), None)) == [{"rows": [1]}]


@pytest.mark.parametrize("body", [b'{"rows": "none"}', b'{"rows": 5}', b'{"rows": [5]}'])
def test_rows_that_are_not_objects_are_an_error(body: bytes) -> None:
    with pytest.raises(FatalAPIError, match="GET /v3/contacts: the response has no records"):
        list(rows_of(response_of(body), "rows"))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"rows": [{"id": 1}, {"id"', b'"text"', b"5"])
def test_invalid_json_is_noticed_before_the_first_row(body: bytes) -> None:
    with pytest.raises(RetriableAPIError, match="not a JSON object or array"):
        next(rows_of(response_of(body), "rows"))


def test_rows_are_parsed_one_at_a_time() -> None:
    rows = rows_of(response_of(b'{"rows": [{"id": 1}, "no row"]}'), "rows")
    assert next(rows) == {"id": 1}


@pytest.mark.parametrize(
    "digits", ["1.10", "0.1", "1E+400", "12345678901234567890.10", "4374642855454351379"]
)
def test_response_numbers_keep_their_digits(digits: str) -> None:
    (row,) = rows_of(response_of(b'{"rows": [{"n": ' + digits.encode() + b"}]}"), "rows")
    assert str(row["n"]) == digits
    assert isinstance(row["n"], (int, Decimal))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb"a\u0000b", "ab"),
        (rb"a\ud83cb", "ab"),
        (rb"\\u0000", r"\u0000"),
        ("Jos\u00e9 \U0001f389".encode(), "Jos\u00e9 \U0001f389"),
        (rb"\ud83c\udf89", "\U0001f389"),
        (b"a\xffb", "a\ufffdb"),
    ],
)
def test_response_texts_lose_characters_that_databases_refuse(sent: bytes, kept: str) -> None:
    body = b'{"rows": [{"first": {"' + sent + b'": ["' + sent + b'"]}}, {"id": 2}]}'
    rows = [{"first": {kept: [kept]}}, {"id": 2}]
    assert list(rows_of(response_of(body), "rows")) == rows
    assert part_of(response_of(body), "rows") == rows
    assert body_of(response_of(body)) == {"rows": rows}


def test_responses_in_other_encodings_are_parsed() -> None:
    body = '{"rows": [{"name": "Jos\u00e9"}]}'.encode("utf-16")
    assert list(rows_of(response_of(body), "rows")) == [{"name": "Jos\u00e9"}]


# Responses that the API should not give: they must not cost a row or show a traceback.


@pytest.mark.parametrize(
    "body",
    [
        {"contacts": ["a text"]},
        {"contacts": [None]},
        {"contacts": "none"},
        {"contacts": 5},
        {"error_key": "odd", "error_message": "an error with status 200"},
        {"contacts": [], "_links": {"next": {"href": "http://[x"}}},
    ],
)
def test_invalid_response_ends_the_run_and_keeps_the_bookmark(
    tap: TapCommand, fake_server: FakeServer, body: Any
) -> None:
    fake_server["/v3/contacts"] = body
    run = tap.run(fake_server.settings, select=["contacts"])
    assert run.status == 1
    assert "GET /v3/contacts" in run.log
    assert "Traceback" not in run.log
    assert "Unexpected" not in run.log
    assert not any("swept_at" in state["bookmarks"].get("contacts", {}) for state in run.states)


@pytest.mark.parametrize(
    "body",
    [
        {"contacts": []},
        {"contacts": None},
        {},
        {"contacts": [], "_links": [1]},
        {"contacts": [], "_links": {"next": "a text"}},
        {"contacts": [], "contacts_count": "x"},
    ],
)
def test_response_without_records_is_an_empty_stream(
    tap: TapCommand, fake_server: FakeServer, body: Any
) -> None:
    fake_server["/v3/contacts"] = body
    run = tap.run(fake_server.settings, select=["contacts"])
    assert run.status == 0, run.log
    assert run.records["contacts"] == []


@pytest.mark.parametrize(
    ("path", "records", "stream"),
    [
        ("/v3/contacts", {"contacts": [{"first_name": "Ada"}]}, "contacts"),
        ("/v3/contact_lists", {"lists": [{"name": "no id"}]}, "contact_lists"),
        ("/v3/segments", {"segments": [{"name": "no id"}]}, "segments"),
        ("/v3/emails", {"campaigns": [{"name": "no id"}]}, "email_campaigns"),
        ("/v3/emails", {"campaigns": [{"name": "no id"}]}, "email_campaign_stats"),
    ],
)
def test_record_without_key_is_skipped(
    tap: TapCommand, fake_server: FakeServer, path: str, records: Any, stream: str
) -> None:
    fake_server["/v3/reports/summary_reports/email_campaign_summaries"] = {}
    fake_server[path] = records
    run = tap.run(fake_server.settings, select=[stream])
    assert run.status == 0, run.log
    assert run.records[stream] == []


@pytest.mark.parametrize(
    "odd",
    [
        {"updated_at": 5, "sms_channel": [], "notes": "x"},
        {"sms_channel": {"sms_channel_consents": [None]}},
    ],
)
def test_invalid_properties_become_null(tap: TapCommand, fake_server: FakeServer, odd: Any) -> None:
    fake_server["/v3/contacts"] = {"contacts": [{"contact_id": "1", "first_name": "Ada", **odd}]}
    run = tap.run(fake_server.settings, select=["contacts"])
    assert run.status == 0, run.log
    assert [row["first_name"] for row in run.records["contacts"]] == ["Ada"]


@pytest.mark.parametrize("activities", [[None], [{}], "x", [{"campaign_activity_id": None}]])
def test_invalid_activities_of_a_campaign_are_skipped(
    tap: TapCommand, fake_server: FakeServer, activities: Any
) -> None:
    fake_server["/v3/emails"] = {"campaigns": [CAMPAIGN]}
    fake_server["/v3/emails/c"] = {"campaign_activities": activities}
    run = tap.run(fake_server.settings, select=["email_campaigns", "email_campaign_activities"])
    assert run.status == 0, run.log
    assert len(run.records["email_campaigns"]) == 1


def test_forbidden_activity_is_skipped(tap: TapCommand, fake_server: FakeServer) -> None:
    names = ["one", "two", "three"]
    fake_server["/v3/emails"] = {"campaigns": [CAMPAIGN]}
    fake_server["/v3/emails/c"] = {
        "campaign_activities": [{"campaign_activity_id": name} for name in names]
    }
    for name in names:
        fake_server[f"/v3/emails/activities/{name}"] = {"campaign_activity_id": name}
    fake_server["/v3/emails/activities/two"] = (403, [{"error_key": "forbidden"}])
    run = tap.run(fake_server.settings, select=["email_campaigns", "email_campaign_activities"])
    assert run.status == 0, run.log
    assert run.keys("email_campaign_activities", "campaign_activity_id") == ["one", "three"]
    assert "skipping one item: GET /v3/emails/activities/two: 403" in run.log


def test_campaign_with_future_time_does_not_hide_later_ones(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    fake_server["/v3/emails"] = {"campaigns": [{**CAMPAIGN, "updated_at": "2099-01-01T00:00:00Z"}]}
    run = tap.run(fake_server.settings, select=["email_campaigns"])
    bookmark = run.state["bookmarks"]["email_campaigns"]["replication_key_value"]
    assert bookmark < "2099"


def test_202_response_is_retried(tap: TapCommand, fake_server: FakeServer) -> None:
    fake_server["/v3/contact_tags"] = (202, {"tags": [], "status": "processing"})
    run = tap.run({**fake_server.settings, "max_requests": 2}, select=["contact_tags"])
    assert run.status == 75
    assert "2 requests" in run.log


def test_unknown_properties_are_named(tap: TapCommand, fake_server: FakeServer) -> None:
    fake_server["/v3/contact_tags"] = {"tags": [{"tag_id": "t", "shade": "blue"}]}
    run = tap.run(fake_server.settings, select=["contact_tags"])
    (tag,) = run.records["contact_tags"]
    assert {name for name, value in tag.items() if value is not None} == {"tag_id"}
    assert "shade" not in tag
    assert "shade" in run.log


def test_child_of_a_forbidden_stream_alone_fails_the_run(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    fake_server["/v3/emails"] = (403, [{"error_key": "forbidden"}])
    run = tap.run(fake_server.settings, select=["email_campaign_activities"])
    assert run.status == 1
    assert "can't read any of the selected streams" in run.log


def test_interrupted_max_records_run_keeps_the_bookmark(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    later = {**CAMPAIGN, "campaign_id": "d", "updated_at": "2026-01-02T00:00:00Z"}
    fake_server["/v3/emails"] = {"campaigns": [CAMPAIGN, later]}
    fake_server["/v3/emails/c"] = {}
    fake_server["/v3/emails/d"] = (400, [{"error_key": "odd"}])
    run = tap.run({**fake_server.settings, "max_records_per_stream": 9}, select=["email_campaigns"])
    assert run.status == 1
    assert len(run.records["email_campaigns"]) == 1
    assert "replication_key_value" not in run.state["bookmarks"]["email_campaigns"]


def test_partner_stream_without_api_key_alone_fails_the_run(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    run = tap.run(fake_server.settings, select=["partner_accounts"])
    assert run.status == 1
    assert "partner_api_key is not set" in run.log


NO_ROUTE = [
    {"error_key": "not_found", "error_message": "The requested resource was not found."},
]


def test_stream_that_the_api_does_not_have_is_skipped(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    fake_server["/v3/contact_tags"] = (404, NO_ROUTE)
    fake_server["/v3/contact_lists"] = {"lists": []}
    run = tap.run(fake_server.settings, select=["contact_tags", "contact_lists"])
    assert run.status == 0, run.log
    assert "contact_tags is skipped: GET /v3/contact_tags: 404 not_found" in run.log
    assert run.table["contact_tags"][-1] == "all: the API doesn't have it"
    assert "contact_lists is skipped" not in run.log


def test_run_fails_if_the_api_has_none_of_its_streams(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    fake_server["/v3/contact_tags"] = (404, NO_ROUTE)
    run = tap.run(fake_server.settings, select=["contact_tags"])
    assert run.status == 1
    assert "can't read any of the selected streams. The last error: GET /v3/contact_tags" in run.log


@pytest.mark.parametrize(
    "error", [(404, [{"error_key": "contacts.api.not_found"}]), (404, b""), (400, NO_ROUTE)]
)
def test_other_refusal_of_a_first_page_ends_the_run(
    tap: TapCommand, fake_server: FakeServer, error: Any
) -> None:
    fake_server["/v3/contact_tags"] = error
    fake_server["/v3/contact_lists"] = {"lists": []}
    run = tap.run(fake_server.settings, select=["contact_tags", "contact_lists"])
    assert run.status == 1
    assert "is skipped" not in run.log


def test_404_of_a_later_page_ends_the_run(tap: TapCommand, fake_server: FakeServer) -> None:
    link = {"_links": {"next": {"href": "/v3/more"}}}
    fake_server["/v3/contact_tags"] = {"tags": [{"tag_id": "t"}], **link}
    fake_server["/v3/more"] = (404, NO_ROUTE)
    run = tap.run(fake_server.settings, select=["contact_tags"])
    assert run.status == 1
    assert "GET /v3/more: 404 not_found" in run.log


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("contact_tags", "/v3/contact_tags"),
        ("account", "/v3/account/summary"),
        ("contacts", "/v3/contacts"),
    ],
)
def test_204_response_has_no_rows(
    tap: TapCommand, fake_server: FakeServer, stream: str, path: str
) -> None:
    fake_server[path] = (204, b"")
    run = tap.run(fake_server.settings, select=[stream])
    assert run.status == 0, run.log
    assert run.records[stream] == []
    assert "WARNING" not in run.log


REQUEST_ID = "3ac2c80e-2c30-4a1a-9ef2-0a7b4b3c1f0d"


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, [{"error_key": "odd"}]), (403, b""), (500, b""), (429, b""), (200, b"<html>")],
)
def test_error_has_the_request_id_for_the_support(
    tap: TapCommand, fake_server: FakeServer, status: int, body: Any
) -> None:
    fake_server["/v3/contact_tags"] = (status, body, {"x-amzn-RequestId": REQUEST_ID})
    run = tap.run({**fake_server.settings, "max_requests": 30}, select=["contact_tags"])
    assert run.status == 1
    assert f"; request ID {REQUEST_ID}" in run.log.partition("CRITICAL")[2]


def test_odd_request_id_is_not_logged(tap: TapCommand, fake_server: FakeServer) -> None:
    fake_server["/v3/contact_tags"] = (400, [], {"x-amzn-RequestId": "ada@example.com \x1b[2J"})
    run = tap.run(fake_server.settings, select=["contact_tags"])
    assert "request ID" not in run.log
