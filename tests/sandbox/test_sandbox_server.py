from __future__ import annotations

import base64
import http.client
import itertools
import json
import operator
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sandbox_client import ACCOUNT_INCLUDE, ACTIVITIES_INCLUDE, CONTACTS_INCLUDE, Client, next_href
from support.waiting import wait_until

from sandbox import PARTNER_TOKEN_PATH, TOKEN_PATH, Fault, Options, Sandbox
from sandbox.__main__ import parser
from sandbox.api import ENDPOINTS
from sandbox.endpoints.contacts import DATES
from sandbox.errors import ApiError, TokenError
from sandbox.faults import PAGES
from sandbox.gate import Gate
from sandbox.moments import DAY, seconds, stamp
from sandbox.tokens import Tokens

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def error_of(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    return answer.status_code, (body[0] if isinstance(body, list) else body)["error_key"]


# --- token endpoint


def test_a_refresh_token_is_good_once(client: Client) -> None:
    first = client.sandbox.refresh_token
    answer = client.refresh(first).json()
    assert set(answer) == {"token_type", "expires_in", "access_token", "scope", "refresh_token"}
    assert answer["refresh_token"] == client.sandbox.refresh_token != first
    assert len(answer["refresh_token"]) == 43
    again = client.refresh(first)
    assert again.status_code == 400
    assert again.json() == {
        "error": "invalid_grant",
        "error_description": "The refresh token is invalid or expired.",
    }
    assert client.refresh(answer["refresh_token"]).ok


def test_a_long_lived_refresh_token_stays() -> None:
    with Client(long_lived_tokens=True) as client:
        token = client.sandbox.refresh_token
        assert [client.refresh(token).json()["refresh_token"] for _ in range(2)] == [token, token]


def test_another_process_can_have_used_the_refresh_token(client: Client) -> None:
    old = client.sandbox.refresh_token
    new = client.sandbox.replace_refresh_token()
    assert client.refresh(old).json()["error"] == "invalid_grant"
    assert client.refresh(new).ok


def test_a_confidential_key_uses_basic_only(client: Client) -> None:
    token, client_id = client.sandbox.refresh_token, client.sandbox.settings["client_id"]
    both = client.refresh(token, form={"client_id": client_id})
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    wrong = client.refresh(token, auth=(client_id, "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    body = client.refresh(token, auth=None, form={"client_id": client_id})
    assert (body.status_code, body.json()["error"]) == (401, "invalid_client")
    assert client.refresh(token).ok


def test_a_public_key_uses_the_body_only() -> None:
    with Client(public_client=True) as client:
        assert "client_secret" not in client.sandbox.settings
        token, client_id = client.sandbox.refresh_token, client.sandbox.settings["client_id"]
        assert client.refresh(token, auth=(client_id, "")).status_code == 401
        assert client.refresh(token, auth=None, form={"client_id": client_id}).ok


def test_other_grants_are_refused(client: Client) -> None:
    answer = client.refresh(client.sandbox.refresh_token, form={"grant_type": "password"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("form", "expires_in"), [("number", 28_800), ("string", "28800"), ("absent", None)]
)
def test_expires_in_comes_in_three_forms(form: Any, expires_in: object) -> None:
    with Client(expires_in=form, token_lifetime=28_800) as client:
        assert client.log_in().json().get("expires_in") == expires_in


def claims_of(answer: requests.Response) -> dict[str, Any]:
    payload = answer.json()["access_token"].split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims


def test_the_access_token_tells_its_claims(client: Client) -> None:
    claims = claims_of(client.log_in())
    assert claims["scp"] == ["account_read", "contact_data", "campaign_data", "offline_access"]
    assert claims["cid"] == client.sandbox.settings["client_id"]
    assert claims["exp"] - claims["iat"] == pytest.approx(86_400, abs=1)
    assert claims["platform_user_id"]


def test_a_slow_token_answer_comes_after_the_rotation(client: Client) -> None:
    client.sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=0.4)
    token = client.sandbox.refresh_token
    with pytest.raises(requests.Timeout):
        requests.post(
            client.sandbox.settings["auth_url"],
            data={"grant_type": "refresh_token", "refresh_token": token},
            auth=(client.sandbox.settings["client_id"], client.sandbox.settings["client_secret"]),
            timeout=0.1,
        )
    assert client.refresh(token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.THROTTLED, 429),
        (Fault.SERVER_ERROR, 500),
        (Fault.UNAVAILABLE, 503),
        (Fault.GATEWAY_TIMEOUT, 504),
        (Fault.NOT_JSON, 200),
    ],
)
def test_a_failed_token_request_spends_nothing(client: Client, fault: Fault, status: int) -> None:
    client.sandbox.fail(TOKEN_PATH, fault)
    token = client.sandbox.refresh_token
    answer = client.refresh(token)
    assert answer.status_code == status
    assert (answer.headers["Content-Type"] == "application/json") == (status in (429, 500))
    assert client.refresh(token).ok


def test_a_token_request_can_be_dropped_before_it_spends_anything(client: Client) -> None:
    client.sandbox.fail(TOKEN_PATH, Fault.DROPPED)
    token = client.sandbox.refresh_token
    with pytest.raises(requests.ConnectionError):
        client.refresh(token)
    assert client.refresh(token).ok


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_JSON])
def test_a_token_answer_can_be_cut_when_the_old_one_is_spent(client: Client, fault: Fault) -> None:
    client.sandbox.fail(TOKEN_PATH, fault)
    token = client.sandbox.refresh_token
    with pytest.raises(requests.RequestException):  # it cannot be read, or is no JSON
        client.refresh(token).json()
    assert client.refresh(token).json()["error"] == "invalid_grant"


def test_a_refresh_token_takes_a_scope() -> None:
    with Client(scopes=("contact_data",)) as client:
        token = client.sandbox.refresh_token
        assert "refresh_token" not in client.refresh(token).json()


def test_the_token_endpoint_has_a_limit() -> None:
    with Client(token_requests_per_minute=2, retry_after=True) as client:
        token = client.sandbox.refresh_token
        assert client.refresh(token).ok
        refused = client.refresh(client.sandbox.refresh_token)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert set(refused.json()) == {"error", "error_description"}
    with Client(token_requests_per_minute=0, long_lived_tokens=True) as client:
        token = client.sandbox.refresh_token
        assert all(client.refresh(token).ok for _ in range(65))


# --- gate


def test_without_a_good_token_nothing_is_answered(client: Client) -> None:
    client.session.headers["Authorization"] = "Bearer made-up"
    answer = client.get("/contacts")
    assert answer.status_code == 401
    assert answer.json() == {"error_key": "unauthorized", "error_message": "Unauthorized"}
    del client.session.headers["Authorization"]
    assert client.get("/contacts").status_code == 401


def test_access_tokens_can_be_revoked_and_replaced(client: Client) -> None:
    client.sandbox.revoke_access_tokens()
    assert client.get("/contacts").status_code == 401
    client.log_in()
    assert client.get("/contacts").status_code == 200


def test_access_tokens_expire() -> None:
    with Client(token_lifetime=0.2) as client:
        assert client.get("/contacts").status_code == 200
        time.sleep(0.25)
        assert client.get("/contacts").status_code == 401


def test_a_scope_opens_its_endpoints_only() -> None:
    with Client(scopes=("contact_data", "offline_access")) as client:
        assert client.get("/contacts").status_code == 200
        assert error_of(client.get("/emails")) == (403, "campaigns.api.forbidden")
        assert error_of(client.get("/account/summary")) == (403, "accounts.api.forbidden")
        assert client.get("/account/user/privileges").status_code == 200


def test_a_privilege_opens_its_endpoints_only() -> None:
    with Client(privileges=("campaign:read", "campaign:send")) as client:
        assert client.get("/emails").status_code == 200
        path = "/reports/summary_reports/email_campaign_summaries"
        assert error_of(client.get(path)) == (403, "reportingsvc.forbidden")
        held = [row["privilege_name"] for row in client.json("/account/user/privileges")]
        assert held == ["campaign:read", "campaign:send"]


class Passage:
    """A gate with a clock that stands still."""

    def __init__(self, **options: Any) -> None:
        self.now = datetime(2026, 3, 1, 23, 59, tzinfo=timezone.utc).timestamp()
        tokens = Tokens(Options(long_lived_tokens=True, public_client=True))
        form = {
            "grant_type": "refresh_token",
            "client_id": tokens.client_id,
            "refresh_token": tokens.refresh_token,
        }
        self.header = "Bearer " + tokens.grant(form, None)["access_token"]
        self.gate = Gate(Options(**options), tokens, lambda: self.now)

    def outcome(self) -> str:
        try:
            self.gate.admit(self.header, ENDPOINTS["/contacts"])
        except ApiError as error:
            return str(error.body["error_key"])
        return "ok"


def test_no_second_holds_more_requests_than_allowed() -> None:
    passage = Passage(requests_per_second=4)
    assert [passage.outcome() for _ in range(5)] == [*["ok"] * 4, "throttled"]
    passage.now += 0.99
    assert passage.outcome() == "throttled"
    passage.now += 0.02
    assert [passage.outcome() for _ in range(5)] == [*["ok"] * 4, "throttled"]


def test_no_minute_holds_more_token_requests_than_allowed() -> None:
    passage = Passage(token_requests_per_minute=1)
    passage.gate.admit_to_tokens()
    passage.now += 59.9
    with pytest.raises(TokenError):
        passage.gate.admit_to_tokens()
    passage.now += 0.1
    passage.gate.admit_to_tokens()


def test_the_quota_holds_for_a_utc_day() -> None:
    passage = Passage(requests_per_second=0, daily_quota=2)
    assert [passage.outcome() for _ in range(3)] == ["ok", "ok", "quota_exceeded"]
    passage.now += 61
    assert passage.outcome() == "ok"


def test_the_gate_counts_right_with_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    passage = Passage(daily_quota=20)
    # Between the look at the quota and its count others would have the time to look as well.
    monkeypatch.setattr(passage.gate._last_second, "add", lambda _: time.sleep(0.002))
    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(lambda _: passage.outcome(), range(40)))
    assert outcomes == {"ok": 20, "quota_exceeded": 20}


def test_readers_and_changes_wait_for_each_other(client: Client) -> None:
    sandbox = client.sandbox
    with ThreadPoolExecutor() as pool:
        with sandbox.account.lock:
            answer = pool.submit(client.get, "/contacts")
            change = pool.submit(sandbox.change)
            rows = pool.submit(sandbox.expected, {"events"})
            jobs: list[Any] = [answer, change, rows]
            time.sleep(0.3)
            assert not any(job.done() for job in jobs)
        assert answer.result().status_code == 200


def test_limits_answer_as_documented() -> None:
    with Client(requests_per_second=1, daily_quota=2) as client:
        client.get("/contact_tags")
        throttled = client.get("/contact_tags")
        assert throttled.status_code == 429
        assert throttled.json() == {"error_key": "throttled", "error_message": "Too Many Requests"}
        assert "Retry-After" not in throttled.headers
    with Client(daily_quota=1, retry_after=True) as client:
        client.get("/contact_tags")
        exceeded = client.get("/contact_tags")
        assert exceeded.json() == {"error_key": "quota_exceeded", "error_message": "Limit Exceeded"}
        assert exceeded.headers["Retry-After"] == "1"


# --- lists and pages

TRACKING = "/reports/email_reports/{sent}/tracking/"
LANDING_PAGES = "/reports/landing_pages/campaign_details/{page}/"
CONTACT_REPORTS = "/reports/contact_reports/{reader}/"
ALL_TYPES = {"tracking_activities_list": "em_sends,em_opens,em_clicks"}

LISTS = [
    ("/activities", "activities", "activity_id", {}, None),
    ("/contacts", "contacts", "contact_id", {"status": "all"}, {}),
    ("/contact_lists", "lists", "list_id", {"status": "all"}, None),
    ("/contact_tags", "tags", "tag_id", {}, None),
    ("/contact_custom_fields", "custom_fields", "custom_field_id", {}, None),
    ("/segments", "segments", "segment_id", {}, {"next": {"href": None}}),
    ("/emails", "campaigns", "campaign_id", {}, None),
    (
        "/reports/summary_reports/email_campaign_summaries",
        "bulk_email_campaign_summaries",
        "campaign_id",
        {},
        None,
    ),
    (
        "/reports/summary_reports/sms_campaign_summaries",
        "bulk_sms_campaign_summaries",
        "campaign_id",
        {"start_at": "2000-01-01"},
        None,
    ),
    (TRACKING + "sends", "tracking_activities", "contact_id", {}, None),
    (TRACKING + "unique_opens", "tracking_activities", "contact_id", {}, None),
    (TRACKING + "didnotopens", "tracking_activities", "contact_id", {}, None),
    (LANDING_PAGES + "p_unique_contact_opens", "tracking_activities", "contact_id", {}, None),
    ("/events", "records", "event_id", {}, None),
    ("/events/{event}/tracks/{track}/registrations", "records", "registration_id", {}, None),
]


def filled(client: Client, path: str) -> str:
    """Fill in the ids of something that much happened to."""
    account = client.sandbox.account
    sent = max(account.engagement, key=lambda id_: len(account.engagement[id_].opens))
    event = next(id_ for id_, rows in account.registrations.items() if rows)
    return path.format(
        sent=sent,
        page=next(iter(account.landing_pages)),
        reader=Counter(e.contact_id for e in account.engagement[sent].opens).most_common()[0][0],
        event=event,
        track=account.events[event]["default_track"]["track_id"],
    )


@pytest.mark.parametrize(("path", "records", "key", "query", "end"), LISTS)
def test_pages_hold_every_row_once_and_end_as_seen(
    client: Client, *, path: str, records: str, key: str, query: dict[str, str], end: object
) -> None:
    path = filled(client, path)
    most = 50 if "sms" in path else 100
    whole = client.json(path, limit=most, **query)
    assert whole.get("_links") == end
    paged = client.walk(path, records, limit=2, **query)
    assert paged == whole[records]
    assert len({row[key] for row in paged}) == len(paged) > 2


def test_a_contacts_cursor_is_a_page_number_that_holds_all_filters(client: Client) -> None:
    href = next_href(client.json("/contacts", limit=5, status="all", include="notes")) or ""
    path, _, cursor = href.partition("?cursor=")
    assert path == "/v3/contacts"
    assert base64.b64decode(cursor) == b"limit=5&status=all&include=notes&next=2"
    assert all("notes" in row for row in client.json(href)["contacts"])


@pytest.mark.parametrize(
    ("path", "parameter", "inside"),
    [
        ("/contacts", "cursor", "limit=5&next=abc"),
        ("/contacts", "cursor", "limit=5&next=-1"),
        ("/contacts", "cursor", "limit=5&next=0"),
        (TRACKING + "sends", "next", "limit=5&o=abc"),
        (TRACKING + "sends", "next", "limit=5&o=-1"),
    ],
)
def test_a_position_is_a_number_of_a_page_there_can_be(
    client: Client, path: str, parameter: str, inside: str
) -> None:
    cursor = base64.b64encode(inside.encode()).decode()
    answer = client.get(filled(client, path), **{parameter: cursor})
    assert error_of(answer)[0] == 400
    assert parameter in answer.text


def test_nothing_may_be_added_to_a_cursor(client: Client) -> None:
    href = next_href(client.json("/contacts", limit=5)) or ""
    assert error_of(client.get(href, limit=5)) == (400, "contacts.api.validation.error")
    assert client.get("/contacts", cursor="???").status_code == 400


def test_rows_shift_if_contacts_change_between_two_pages(client: Client) -> None:
    first = client.json("/contacts", limit=10)
    gone = first["contacts"][0]["contact_id"]
    href = next_href(first) or ""
    second = client.json(href)["contacts"]
    client.sandbox.account.delete(gone)
    shifted = client.json(href)["contacts"]
    assert shifted[:9] == second[1:]  # the first row of this page is missed by who went on


def test_tags_do_not_shift(client: Client) -> None:
    first = client.json("/contact_tags", limit=3)
    second = client.json(next_href(first) or "")["tags"]
    del client.sandbox.account.tags[first["tags"][0]["tag_id"]]
    assert client.json(next_href(first) or "")["tags"] == second


@pytest.mark.parametrize("name", ["opens", "clicks", "forwards", "optouts", "bounces", "sends"])
def test_tracking_reports_come_newest_first(client: Client, name: str) -> None:
    path = filled(client, TRACKING + name)
    rows = client.walk(path, "tracking_activities", limit=3)
    moments = [row["created_time"] for row in rows]
    assert moments == sorted(moments, reverse=True)
    assert all(moment.endswith(":00.000Z") for moment in moments)
    assert rows == client.json(path)["tracking_activities"]


def test_a_contacts_activities_come_newest_first_and_end_with_null(client: Client) -> None:
    path = filled(client, CONTACT_REPORTS + "activity_details")
    body = client.json(path, **ALL_TYPES)
    assert body["_links"] == {"next": {"href": None}}
    rows = client.walk(path, "tracking_activities", limit=1, **ALL_TYPES)
    assert rows == body["tracking_activities"]
    moments = [row["created_time"] for row in rows]
    assert len(rows) > 2
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("links", ["both", "cursor", "links"])
def test_events_lead_on_by_cursor_or_by_link(links: str) -> None:
    with Client(event_links=links) as client:
        body = client.json("/events", limit=2)
        assert (body["_links"] is None) == (links == "cursor")
        assert (body["next_cursor"] is None) == (links == "links")
        assert body["total_records"] == 6
        following = [
            client.json("/events", next=body["next_cursor"])["records"] if links != "links" else [],
            client.json(next_href(body) or "")["records"] if links != "cursor" else [],
        ]
        wanted = client.json("/events")["records"][2:4]
        assert all(rows == wanted for rows in following if rows)


def test_hashtag_groups_have_page_numbers_from_0_on(client: Client) -> None:
    body = client.json("/social/hashtags/groups", limit=3, page=2)
    assert body["page"] == {"page": 2, "size": 2, "total_elements": 8, "total_pages": 3}
    assert body["_links"] == {}
    assert len(client.walk("/social/hashtags/groups", "hashtag_groups")) == 8


def test_limits_of_partner_accounts_are_ignored_if_out_of_range(client: Client) -> None:
    rows = client.walk("/partner/accounts", "site_owner_list", limit=10)
    assert len({row["encoded_account_id"] for row in rows}) == 12
    for limit in ("5", "51", "many"):
        assert len(client.json("/partner/accounts", limit=limit)["site_owner_list"]) == 12
    kinds = [
        len(client.json("/partner/accounts", account_type=type_)["site_owner_list"])
        for type_ in ("managed", "unmanaged")
    ]
    assert sum(kinds) == 12
    assert all(kinds)


def test_tag_links_can_be_nested() -> None:
    with Client(nested_tag_links=True) as client:
        links = client.json("/contact_tags", limit=3)["_links"]
        assert len(client.json(links["next"]["next"]["href"])["tags"]) == 3


def test_whatever_is_expected_can_be_read(client: Client) -> None:
    expected = client.sandbox.expected()
    walk = client.walk
    contacts = walk("/contacts", "contacts", status="all", include=CONTACTS_INCLUDE, limit=7)
    assert {(row["contact_id"],): row for row in contacts} == expected["contacts"]
    activities = [
        client.json(f"/emails/activities/{id_}", include=ACTIVITIES_INCLUDE)
        for (id_,) in expected["email_campaign_activities"]
    ]  # fmt: skip
    assert activities == list(expected["email_campaign_activities"].values())
    ids = ",".join(id_ for (id_,) in expected["email_campaign_stats"])
    stats = client.json(f"/reports/stats/email_campaigns/{ids}")["results"]
    assert stats == list(expected["email_campaign_stats"].values())
    segments = [client.json(f"/segments/{id_}") for (id_,) in expected["segments"]]
    assert segments == list(expected["segments"].values())
    account = client.json("/account/summary", extra_fields=ACCOUNT_INCLUDE)
    assert [account] == list(expected["account"].values())
    assert len(client.json("/account/emails")) == len(expected["account_emails"])


def test_whatever_is_expected_of_sent_emails_can_be_read(client: Client) -> None:
    expected = client.sandbox.expected()
    for name, report in {
        **{kind: kind for kind in ("sends", "opens", "clicks", "forwards", "optouts", "bounces")},
        "unique_opens": "unique_opens",
        "did_not_opens": "didnotopens",
    }.items():
        served = [
            row
            for id_ in client.sandbox.account.engagement
            for row in client.walk(
                TRACKING.format(sent=id_) + report, "tracking_activities", limit=9
            )
        ]
        assert served == bare(expected[f"email_{name}"]), name
    history = [
        {"campaign_activity_id": id_, **row}
        for id_ in client.sandbox.account.engagement
        for row in client.json(f"/emails/activities/{id_}/send_history")
    ]
    assert {(row["campaign_activity_id"], row["send_id"]): row for row in history} == expected[
        "email_campaign_send_history"
    ]
    assert max(row["send_id"] for row in history) == 2


def test_whatever_is_expected_of_landing_pages_can_be_read(client: Client) -> None:
    expected = client.sandbox.expected()
    for name, report in {
        "contact_opens": "p_contact_opens",
        "unique_opens": "p_unique_contact_opens",
        "unique_clicks": "p_unique_contact_clicks",
        "unique_adds": "p_unique_contact_adds",
        "unique_updates": "p_unique_contact_updates",
        "unique_sms_optins": "p_unique_contact_sms_optins",
    }.items():
        served = [
            row
            for id_ in client.sandbox.account.landing_pages
            for row in client.walk(LANDING_PAGES.format(page=id_) + report, "tracking_activities")
        ]
        assert served == bare(expected[f"landing_page_{name}"]), name


def test_whatever_is_expected_of_events_can_be_read(client: Client) -> None:
    expected = client.sandbox.expected()
    registrations, details = {}, {}
    for event in client.walk("/events", "records", limit=2):
        id_ = event["event_id"]
        merged = event | client.json(f"/events/{id_}", include="true")
        assert merged == expected["events"][(id_,)]
        path = f"/events/{id_}/tracks/{merged['default_track']['track_id']}/registrations"
        for row in client.walk(path, "records", limit=5):
            key = (id_, row["registration_id"])
            registrations[key] = {"event_id": id_, **row}
            details[key] = {"event_id": id_, **client.json(f"{path}/{key[1]}")}
    assert registrations == expected["event_registrations"]
    assert details == expected["event_registration_details"]


def bare(rows: Any) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name != "occurrence"}
        for row in rows.values()
    ]


# --- parameters

MEANINGLESS = [
    ("/contacts", {"include": "shoe_size"}),
    ("/contacts", {"include": "sms_channel"}),
    ("/contacts", {"limit": "0"}),
    ("/contacts", {"limit": "501"}),
    ("/contacts", {"limit": "many"}),
    ("/contacts", {"status": "lost"}),
    ("/contacts", {"updated_after": "yesterday"}),
    ("/contacts", {"updated_after": "0001-01-01T00:00:00+05:00"}),
    ("/contacts", {"updated_before": "9999-12-31T23:00:00-05:00"}),
    ("/contacts", {"updated_since": "2024-01-01"}),
    ("/contacts", {"include_count": "yes"}),
    ("/contact_lists", {"limit": "1001"}),
    ("/contact_lists", {"channel_type": "all"}),
    ("/contact_tags", {"limit": "501"}),
    ("/contact_custom_fields", {"limit": "101"}),
    ("/contact_custom_fields", {"updated_after": "2024-01-01"}),
    ("/emails", {"after_date": "last week"}),
    ("/emails", {"limit": "501"}),
    ("/account/summary", {"extra_fields": "shoe_size"}),
    ("/account/emails", {"confirm_status": "C", "role_code": "B"}),
    ("/activities", {"state": "initialized"}),
    ("/contacts", {"segment_id": "14", "status": "all"}),
    ("/contacts/contact_id_xrefs", {"sequence_ids": ",".join(["1"] * 501)}),
    ("/contact_lists/list_id_xrefs", {"sequence_ids": ",".join(["1"] * 501)}),
    ("/emails/campaign_id_xrefs", {"v2_email_campaign_ids": ",".join(["1"] * 51)}),
    ("/events", {"event_status": "LOST"}),
    ("/events", {"limit": "101"}),
    ("/events/{event}/tracks/{track}/registrations", {"page_size": "5", "limit": "6"}),
    ("/social/hashtags/groups", {"limit": "6"}),
    ("/social/profiles", {"include": "all"}),
    ("/automations/workflows", {"created_from": "THIN_AIR"}),
]

MEANINGLESS_REPORTS = [
    (TRACKING + "sends", {"limit": "501"}, "limit"),
    (TRACKING + "sends", {"url_id": "1"}, "url_id"),
    (TRACKING + "clicks", {"url_id": "home"}, "url_id"),
    (TRACKING + "bounces", {"bounce_code": "Q"}, "bounce_code"),
    (LANDING_PAGES + "p_contact_opens", {"limit": "501"}, "limit"),
    (CONTACT_REPORTS + "activity_details", {}, "tracking_activity_type"),
    (
        CONTACT_REPORTS + "activity_details",
        {**ALL_TYPES, "tracking_activity_type": "em_sends"},
        "tracking_activities_list",
    ),
    (CONTACT_REPORTS + "activity_details", {**ALL_TYPES, "limit": "101"}, "limit"),
    (CONTACT_REPORTS + "activity_summary", {"start": "2020-01-01"}, "end"),
    (CONTACT_REPORTS + "activity_summary", {"start": "2021-01-01", "end": "2020-01-01"}, "end"),
    (
        CONTACT_REPORTS + "open_and_click_rates",
        {"start": "2019-01-01", "end": "2024-01-02"},
        "start",
    ),
    ("/reports/summary_reports/sms_campaign_summaries", {}, "start_at"),
    (
        "/reports/summary_reports/sms_campaign_summaries",
        {"start_at": "2020-01-01", "limit": "51"},
        "limit",
    ),
]


@pytest.mark.parametrize(("path", "query", "name"), MEANINGLESS_REPORTS)
def test_parameters_of_reports_are_checked(
    client: Client, path: str, query: dict[str, str], name: str
) -> None:
    answer = client.get(filled(client, path), **query)
    assert error_of(answer) == (400, "reportingsvc.validation.error")
    assert name in answer.json()["error_message"]


@pytest.mark.parametrize(("path", "query"), MEANINGLESS)
def test_parameters_are_checked(client: Client, path: str, query: dict[str, str]) -> None:
    answer = client.get(filled(client, path), **query)
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()
    assert error["error_key"].endswith(".api.validation.error")
    assert next(iter(query)) in error["error_message"]


def test_sms_channel_can_be_included_by_option() -> None:
    with Client(sms_channel_include=True) as client:
        assert client.get("/contacts", include="sms_channel").status_code == 200


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/contacts/{}", "contacts.api.not_found"),
        ("/contact_lists/{}", "contacts.api.not_found"),
        ("/contact_tags/{}", "contacts.api.not_found"),
        ("/contact_custom_fields/{}", "contacts.api.not_found"),
        ("/segments/{}", "contacts.api.not_found"),
        ("/emails/{}", "campaigns.api.not_found"),
        ("/emails/activities/{}", "campaigns.api.not_found"),
        ("/emails/activities/{}/previews", "campaigns.api.not_found"),
        ("/emails/activities/{}/abtest", "campaigns.api.not_found"),
        ("/contacts/sms_engagement_history/{}", "contacts.api.not_found"),
        ("/activities/{}", "contacts.api.not_found"),
        ("/contact_exports/{}", "contacts.api.not_found"),
        ("/reports/email_reports/{}/tracking/opens", "reportingsvc.not_found"),
        ("/reports/email_reports/{}/links", "reportingsvc.not_found"),
        ("/events/{}", "events.api.not_found"),
        ("/automations/workflows/{}", "automations.api.not_found"),
        ("/partner/accounts/{}/plan", "partner.api.not_found"),
        ("/partner/webhooks/subscriptions/{}", "partner.api.not_found"),
        ("/no/such/{}", "not_found"),
    ],
)
def test_what_there_is_not_is_404(client: Client, path: str, key: str) -> None:
    unknown = "71600990-908b-4ee6-907f-00166bff2512"
    assert error_of(client.get(path.format(unknown))) == (404, key)


def test_a_method_there_is_not_is_405(client: Client) -> None:
    answer = client.session.post(client.sandbox.url + "/v3/contacts", timeout=5)
    assert error_of(answer) == (405, "method_not_allowed")
    answer = requests.get(client.sandbox.settings["auth_url"], timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_a_crash_is_an_internal_error(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    del client.sandbox.account.contacts
    assert error_of(client.get("/contacts")) == (500, "internal_server_error")
    assert "AttributeError" in caplog.text


def test_account_emails_can_be_filtered(client: Client) -> None:
    def ids(**query: str) -> list[int]:
        return [row["email_id"] for row in client.json("/account/emails", **query)]

    assert ids() == [1, 2, 3]
    assert ids(confirm_status="CONFIRMED") == ids(confirm_status="C") == [1, 2]
    assert ids(confirm_status="UNCONFIRMED") == [3]
    assert ids(role_code="BILLING") == ids(role_code="B") == [1]
    assert ids(role_code="OTHER") == [2]
    assert ids(email_address="news@example.com") == [2]


# --- contacts


def test_deleted_contacts_come_only_if_asked_for(client: Client) -> None:
    contacts = client.sandbox.account.contacts
    deleted = {id_ for id_, row in contacts.items() if "deleted_at" in row}
    assert deleted

    def ids(**query: str) -> set[str]:
        rows = client.walk("/contacts", "contacts", limit=50, **query)
        return {row["contact_id"] for row in rows}

    assert ids() == set(contacts) - deleted
    assert ids(status="all") == set(contacts)
    assert ids(status="deleted") == deleted
    active, unsubscribed = ids(status="active"), ids(status="unsubscribed")
    assert ids(status="active,unsubscribed") == active | unsubscribed
    assert active.isdisjoint(unsubscribed | deleted)


def test_an_unsubscribed_contact_is_not_an_updated_one(client: Client) -> None:
    start = client.sandbox.account.now() - 1
    done = client.sandbox.change()
    since = datetime.fromtimestamp(start, timezone.utc).isoformat()

    def ids(**query: str) -> set[str]:
        rows = client.json("/contacts", status="all", limit=500, **query)["contacts"]
        return {row["contact_id"] for row in rows}

    updated, opted_out = ids(updated_after=since), ids(optout_after=since)
    assert updated == {*done["contacts_added"], *done["contacts_edited"], *done["contacts_deleted"]}
    assert opted_out == {*done["contacts_unsubscribed"], *done["contacts_opted_out"]}
    assert ids(created_after=since) == set(done["contacts_added"])
    hidden = {*done["contacts_resubscribed"], *done["contacts_moved"]}
    assert len(hidden) == 2
    assert hidden.isdisjoint(updated | opted_out)


def test_after_and_before_leave_the_moment_itself_out(client: Client) -> None:
    moment = next(iter(client.sandbox.account.contacts.values()))["updated_at"]
    query = {"status": "all", "limit": 500}
    after = client.json("/contacts", updated_after=moment, **query)["contacts"]
    before = client.json("/contacts", updated_before=moment, **query)["contacts"]
    assert moment not in {row["updated_at"] for row in after + before}
    assert len(after) + len(before) < 60


def test_opt_outs_after_and_before_leave_the_moment_itself_out(client: Client) -> None:
    contacts = client.sandbox.account.contacts.values()
    emails = [row["email_address"] for row in contacts if "email_address" in row]
    moments = sorted(row["opt_out_date"] for row in emails if "opt_out_date" in row)
    query = {"status": "all", "limit": 500, "include_count": "true"}
    after = client.json("/contacts", optout_after=moments[1], **query)["contacts_count"]
    before = client.json("/contacts", optout_before=moments[1], **query)["contacts_count"]
    assert after == sum(moment > moments[1] for moment in moments)
    assert before == sum(moment < moments[1] for moment in moments)


@pytest.mark.parametrize("kind", ["created", "updated", "optout"])
@pytest.mark.parametrize("inclusive", ["none", "after", "before", "both"])
def test_after_and_before_can_let_the_moment_itself_in(kind: str, inclusive: Any) -> None:
    with Client(inclusive_dates=inclusive) as client:
        contacts = client.sandbox.account.contacts.values()
        moments = sorted(filter(None, (DATES[kind](row) for row in contacts)))
        moment = moments[len(moments) // 2]
        a_bit_later = moment.replace("Z", ".5Z")  # no contact's moment has a fraction
        for side, asked, holds in (
            ("after", moment, operator.ge if inclusive in ("after", "both") else operator.gt),
            ("before", moment, operator.le if inclusive in ("before", "both") else operator.lt),
            ("after", a_bit_later, operator.gt),
            ("before", a_bit_later, operator.le),
        ):
            query = {f"{kind}_{side}": asked, "status": "all", "include_count": "true"}
            count = client.json("/contacts", **query)["contacts_count"]
            assert count == sum(holds(at, moment) for at in moments)


def test_slices_by_creation_hold_every_contact_once(client: Client) -> None:
    ids = list(client.sandbox.account.contacts)
    created = [row["created_at"] for row in client.sandbox.account.contacts.values()]
    cuts = [created[0], created[20], created[41], created[-1]]
    found = [client.walk("/contacts", "contacts", status="all", created_before=cuts[0])]
    for start, end in itertools.pairwise(cuts):
        query = {"created_after": _before(start), "created_before": end, "status": "all"}
        found.append(client.walk("/contacts", "contacts", limit=7, **query))
    query = {"created_after": _before(cuts[-1]), "status": "all"}
    found.append(client.walk("/contacts", "contacts", **query))
    assert [row["contact_id"] for rows in found for row in reversed(rows)] == ids


def _before(moment: str) -> str:
    return stamp(seconds(moment) - 1)


def test_the_order_of_contacts_can_be_another() -> None:
    for order, by, descending in (
        ("oldest", "created_at", False),
        ("newest", "created_at", True),
        ("updated", "updated_at", True),
    ):
        with Client(contacts_order=order) as client:
            rows = client.walk("/contacts", "contacts", limit=25, status="all")
            assert len({row["contact_id"] for row in rows}) == 60
            moments = [row[by] for row in rows]
            assert moments == sorted(moments, reverse=descending)


def test_sub_resources_come_only_if_included(client: Client) -> None:
    names = set(CONTACTS_INCLUDE.split(","))
    bare = client.json("/contacts", limit=500)["contacts"]
    assert all(names.isdisjoint(row) for row in bare)
    assert any("sms_channel" in row for row in bare)
    whole = client.json("/contacts", limit=500, include=CONTACTS_INCLUDE)["contacts"]
    assert all(names <= set(row) for row in whole)
    assert any(row["notes"] == [] for row in whole)


def test_contacts_come_newest_first_and_counted(client: Client) -> None:
    body = client.json("/contacts", status="all", include_count="true", limit=5)
    created = [row["created_at"] for row in client.walk("/contacts", "contacts", status="all")]
    assert created == sorted(created, reverse=True)
    assert body["contacts_count"] == len(created) == 60


def test_contacts_can_be_looked_for(client: Client) -> None:
    rows = client.json("/contacts", limit=500, include=CONTACTS_INCLUDE)["contacts"]
    one = next(row for row in rows if row["list_memberships"] and "email_address" in row)
    (list_id, *_), address = one["list_memberships"], one["email_address"]["address"]
    found = client.json("/contacts", email=address)["contacts"]
    assert [row["contact_id"] for row in found] == [one["contact_id"]]
    members = client.json("/contacts", lists=list_id, limit=500)["contacts"]
    assert len(members) == sum(list_id in row["list_memberships"] for row in rows)
    tag_id = next(row["taggings"][0] for row in rows if row["taggings"])
    tagged = client.json("/contacts", tags=tag_id, limit=500)["contacts"]
    assert len(tagged) == sum(tag_id in row["taggings"] for row in rows)
    by_phone = client.json("/contacts", sms_status="all", limit=500)["contacts"]
    assert len(by_phone) == sum("sms_channel" in row for row in rows)


def test_contacts_are_counted_by_permission(client: Client) -> None:
    counts = client.json("/contacts/counts")
    living = client.json("/contacts", include_count="true")["contacts_count"]
    assert counts["total"] == living
    active = client.json("/contacts", status="active", include_count="true")["contacts_count"]
    assert counts["explicit"] + counts["implicit"] == active
    assert "new_subscriber" not in counts
    account = client.sandbox.account
    for days, contact in zip((29, 31), account.contacts.values(), strict=False):
        contact.pop("deleted_at", None)
        contact["created_at"] = stamp(account.now() - days * DAY)
    for contact in list(account.contacts.values())[2:]:
        contact["created_at"] = "2001-01-01T00:00:00Z"
    assert client.json("/contacts/counts", include="new_subscriber")["new_subscriber"] == 1


def test_lists_of_two_channels_need_two_walks(client: Client) -> None:
    def names(**query: str) -> set[str]:
        return {row["name"] for row in client.json("/contact_lists", **query)["lists"]}

    email, sms = names(), names(channel_type="sms")
    assert email & sms == {"Flash sale (mail & text)"}
    assert sms - email == {"Text alerts"}
    assert names(status="all") - email == names(status="deleted") == {"Old imports"}


def test_members_are_counted_only_if_asked(client: Client) -> None:
    query = {"channel_type": "sms", "include_membership_count": "all"}
    rows = client.json("/contact_lists", include_sms_membership_count="true", **query)["lists"]
    contacts = client.sandbox.account.contacts.values()
    for row in rows:
        members = sum(row["list_id"] in contact["list_memberships"] for contact in contacts)
        assert row["membership_count"] == members >= row["sms_membership_count"] > 0
    assert "membership_count" not in client.json("/contact_lists")["lists"][0]


def test_segments_come_last_edited_first_or_by_name(client: Client) -> None:
    edited = [row["edited_at"] for row in client.json("/segments")["segments"]]
    assert edited == sorted(edited, reverse=True)
    names = [row["name"] for row in client.json("/segments", sort_by="name")["segments"]]
    assert names == sorted(names)


# --- campaigns and reports


def test_campaigns_come_last_updated_first(client: Client) -> None:
    moments = [row["updated_at"] for row in client.walk("/emails", "campaigns")]
    assert moments == sorted(moments, reverse=True)
    after = client.json("/emails", after_date=moments[4])["campaigns"]
    assert [row["updated_at"] for row in after] == moments[:4]


def test_removed_campaigns_are_listed_but_cannot_be_read(client: Client) -> None:
    campaigns = client.json("/emails")["campaigns"]
    readable = {row["current_status"]: client.get(f"/emails/{row['campaign_id']}").status_code
                for row in campaigns}  # fmt: skip
    assert readable.pop("Removed") == 404
    assert set(readable.values()) == {200}
    (removed,) = (row["campaign_id"] for row in campaigns if row["current_status"] == "Removed")
    activity = client.sandbox.account.activity(removed, "primary_email")
    path = f"/emails/activities/{activity['campaign_activity_id']}"
    assert client.get(path).status_code == 404


def test_some_permalinks_cannot_be_read(client: Client) -> None:
    account = client.sandbox.account
    permalinks = [id_ for id_, row in account.activities.items() if row["role"] == "permalink"]
    statuses = {client.get(f"/emails/activities/{id_}").status_code for id_ in permalinks}
    assert statuses == {200, 404}


def test_content_comes_only_if_included(client: Client) -> None:
    account = client.sandbox.account
    sent = [id_ for id_ in account.engagement if account.activities[id_]["format_type"] != 4]
    path = f"/emails/activities/{sent[0]}"
    assert "html_content" not in client.json(path)
    body = client.json(path, include="html_content,permalink_url")
    assert body["html_content"].startswith("<html>")
    assert body["permalink_url"].startswith("https://")
    assert "physical_address_in_footer" not in body


def test_summaries_are_those_of_sent_campaigns(client: Client) -> None:
    path = "/reports/summary_reports/email_campaign_summaries"
    body = client.json(path)
    rows = body["bulk_email_campaign_summaries"]
    assert {row["campaign_id"] for row in rows} == {
        id_ for id_, row in client.sandbox.account.campaigns.items()
        if row["current_status"] == "Done"
    }  # fmt: skip
    sent = [row["last_sent_date"] for row in rows]
    assert sent == sorted(sent, reverse=True)
    assert set(body["aggregate_percents"]) == {
        "click", "open", "did_not_open", "bounce", "unsubscribe",
    }  # fmt: skip


def test_summaries_can_count_in_text() -> None:
    with Client(text_counts=True) as client:
        path = "/reports/summary_reports/email_campaign_summaries"
        row = client.json(path)["bulk_email_campaign_summaries"][0]
        assert all(isinstance(count, str) for count in row["unique_counts"].values())


def stats_path(*ids: str) -> str:
    return "/reports/stats/email_campaigns/" + ",".join(ids)


def test_one_bad_id_spoils_the_stats_of_all(client: Client) -> None:
    account = client.sandbox.account
    good = [id_ for id_, row in account.campaigns.items() if row["current_status"] == "Done"]
    draft = next(id_ for id_, row in account.campaigns.items() if row["current_status"] == "Draft")
    assert len(client.json(stats_path(*good))["results"]) == len(good)
    assert client.get(stats_path(*good, "not-an-id")).status_code == 404
    assert client.get(stats_path(*good, draft)).status_code == 404
    assert client.get(stats_path(*good[:1] * 150)).status_code == 200
    assert client.get(stats_path(*good[:1] * 151)).status_code == 400


def test_unknown_ids_can_be_named_instead() -> None:
    with Client(partial_stats=True) as client:
        good = next(iter(client.sandbox.expected()["email_campaign_stats"]))[0]
        body = client.json(stats_path(good, "71600990-908b-4ee6-907f-00166bff2512"))
        assert [len(body["results"]), len(body["errors"])] == [1, 1]
        assert client.get(stats_path(good, "not-an-id")).status_code == 404


def test_stats_and_summaries_can_be_behind_the_reports() -> None:
    with Client(stats_lag=3600) as client:
        report = filled(client, TRACKING + "opens")
        activity_id = report.split("/")[3]
        known = client.walk(report, "tracking_activities")
        client.sandbox.account.happen(activity_id, "opens", 2)
        assert len(client.walk(report, "tracking_activities")) == len(known) + 2
        path = f"/reports/stats/email_campaign_activities/{activity_id}"
        (told,) = client.json(path)["results"]
        assert told["stats"]["em_opens_all"] <= len(known)
        rows = client.sandbox.expected({"email_campaign_activity_stats", "email_opens"})
        assert rows["email_campaign_activity_stats"][(activity_id,)] == told
        assert sum(key[0] == activity_id for key in rows["email_opens"]) == len(known) + 2


def test_stats_can_have_dotted_keys() -> None:
    with Client(dotted_stats=True) as client:
        good = next(iter(client.sandbox.expected()["email_campaign_stats"]))[0]
        keys = set(client.json(stats_path(good))["results"][0]["stats"])
        assert {"em_opens.all", "em_opens.all.mobile", "em_not_opened", "em_sends"} <= keys


# --- activities of campaigns


def test_what_was_never_sent_has_no_events(client: Client) -> None:
    account = client.sandbox.account
    unsent = [id_ for id_ in account.activities if id_ not in account.engagement]
    assert unsent
    for id_ in unsent:
        assert client.json(TRACKING.format(sent=id_) + "opens") == {"tracking_activities": []}
        links = client.json(f"/reports/email_reports/{id_}/links", no_clicks="true")
        assert links == {"campaign_activity_id": id_, "link_click_counts": []}


def test_names_are_absent_if_empty(client: Client) -> None:
    rows = client.sandbox.expected({"email_sends"})["email_sends"].values()
    assert any("first_name" not in row for row in rows)
    assert all(row.get("first_name") != "" for row in rows)


def test_events_can_be_filtered(client: Client) -> None:
    account = client.sandbox.account
    clicked = max(account.engagement, key=lambda id_: len(account.engagement[id_].clicks))
    path = TRACKING.format(sent=clicked) + "clicks"
    rows = client.json(path)["tracking_activities"]
    url_id = rows[0]["url_id"]
    of_link = [row for row in rows if row["url_id"] == url_id]
    assert client.json(path, url_id=url_id)["tracking_activities"] == of_link
    bounced = max(account.engagement, key=lambda id_: len(account.engagement[id_].bounces))
    path = TRACKING.format(sent=bounced) + "bounces"
    rows = client.json(path)["tracking_activities"]
    code = rows[0]["bounce_code"]
    of_code = client.json(path, bounce_code=[code, "Z"])["tracking_activities"]
    assert of_code == [row for row in rows if row["bounce_code"] in (code, "Z")]


def test_landing_page_contacts_can_be_filtered(client: Client) -> None:
    path = filled(client, LANDING_PAGES + "p_contact_opens")
    rows = client.json(path)["tracking_activities"]
    name = next(row["last_name"] for row in rows if "last_name" in row)
    found = client.json(path, contacts_filter=name[:3].upper())["tracking_activities"]
    assert 0 < len(found) < len(rows)
    assert any("sms_channel" in row for row in rows)


def activity_stats_path(*ids: str) -> str:
    return "/reports/stats/email_campaign_activities/" + ",".join(ids)


def test_activities_that_were_never_sent_are_named_in_errors(client: Client) -> None:
    account = client.sandbox.account
    unsent = next(id_ for id_ in account.activities if id_ not in account.engagement)
    sent = next(iter(account.engagement))
    body = client.json(activity_stats_path(sent, unsent))
    assert [row["campaign_activity_id"] for row in body["results"]] == [sent]
    assert len(body["errors"]) == 1
    assert client.get(activity_stats_path(sent, "not-an-id")).status_code == 404
    assert client.get(activity_stats_path(*[sent] * 11)).status_code == 400


def test_links_come_without_clicks_if_asked(client: Client) -> None:
    path = filled(client, "/reports/email_reports/{sent}/links")
    clicked = client.json(path)["link_click_counts"]
    everything = client.json(path, no_clicks="true")["link_click_counts"]
    assert len(everything) == 4
    assert clicked == [row for row in everything if row["unique_clicks"]] != everything


def test_ab_tests_belong_to_campaigns_of_their_type(client: Client) -> None:
    account = client.sandbox.account
    statuses = {
        client.get(f"/emails/activities/{id_}/abtest").status_code: row["type_code"]
        for row in account.campaigns.values()
        if row["current_status"] != "Removed"
        for id_ in [row["campaign_activities"][0]["campaign_activity_id"]]
    }
    assert statuses[200] == 57
    assert statuses[404] != 57


def test_schedules_and_resends_are_lists_that_may_be_empty(client: Client) -> None:
    account = client.sandbox.account
    for name, known in (("schedules", account.schedules), ("non_opener_resends", account.resends)):
        counts = Counter(
            len(client.json(f"/emails/activities/{row['campaign_activity_id']}/{name}"))
            for row in account.activities.values()
            if row["current_status"] != "REMOVED"
            and row["campaign_activity_id"] not in account.unreadable
        )
        assert counts[0] > 0
        assert 0 < counts[1] <= len(known)


# --- single contacts


def test_kinds_of_activities_can_be_named_in_two_ways(client: Client) -> None:
    path = filled(client, CONTACT_REPORTS + "activity_details")
    by_list = client.json(path, tracking_activities_list="em_sends,em_opens")
    by_type = client.json(path, tracking_activity_type=["em_sends", "em_opens"])
    assert by_list == by_type
    assert all("campaign_activity_name" in row for row in by_list["tracking_activities"])
    bare_names = client.json(path, include_campaign_activity_names="false", **ALL_TYPES)
    assert "campaign_activity_name" not in bare_names["tracking_activities"][0]


def test_contact_reports_look_at_a_window(client: Client) -> None:
    path = filled(client, CONTACT_REPORTS)
    long_ago = {"start": "2001-01-01T00:00:00-0500", "end": "2002-01-01T00:00:00Z"}
    assert client.json(path + "activity_summary", **long_ago)["campaign_activities"] == []
    rates = client.json(path + "open_and_click_rates", **long_ago)
    assert rates["included_activities_count"] == rates["average_open_rate"] == 0


def test_sms_history_is_empty_without_an_sms_channel(client: Client) -> None:
    lengths = {
        "sms_channel" in row: len(client.json(f"/contacts/sms_engagement_history/{id_}"))
        for id_, row in client.sandbox.account.contacts.items()
        if "sms_channel" not in row
        or row["sms_channel"]["sms_channel_consents"][0]["sms_consent_permission"] == "unsubscribed"
    }
    assert lengths == {False: 0, True: 2}


def test_a_segment_is_evaluated_first(client: Client) -> None:
    (segment_id,) = list(client.sandbox.account.segments)[:1]
    processing = client.get("/contacts", segment_id=segment_id, limit=3)
    assert processing.status_code == 202
    assert processing.json() == {"contacts": [], "_links": {}, "status": "processing"}
    rows = client.walk("/contacts", "contacts", segment_id=segment_id, limit=3)
    expected = client.sandbox.expected({"segment_contacts"})["segment_contacts"]
    assert [row["contact_id"] for row in rows] == [
        key[1] for key in expected if key[0] == segment_id
    ]
    assert error_of(client.get("/contacts", segment_id=99)) == (404, "contacts.api.not_found")


def test_evaluating_a_segment_can_take_longer() -> None:
    with Client(segment_polls=2) as client:
        asked = [client.get("/contacts", segment_id=14).status_code for _ in range(3)]
        assert asked == [202, 202, 200]


# --- events, SMS, automations and others


def test_deleted_events_are_listed_only_if_asked_for(client: Client) -> None:
    statuses = {row["status"] for row in client.json("/events")["records"]}
    assert statuses == {"ACTIVE", "DRAFT", "COMPLETE", "CANCELLED"}
    (deleted,) = client.json("/events", event_status="DELETED")["records"]
    assert client.json(f"/events/{deleted['event_id']}")["status"] == "DELETED"


def test_events_can_be_sorted_and_searched(client: Client) -> None:
    names = [row["name"] for row in client.json("/events", sort_by="name")["records"]]
    assert names == sorted(names)
    down = client.json("/events", sort_by="name", sort_order="DESC")["records"]
    assert [row["name"] for row in down] == names[::-1]
    (found,) = client.json("/events", search_text="jazz")["records"]
    assert "jazz" in found["name"]


def test_settings_of_events_come_only_if_included(client: Client) -> None:
    path = filled(client, "/events/{event}")
    assert "event_settings" not in client.json(path)
    body = client.json(path, include="true")
    assert body["event_settings"]
    assert body["campaign_id"] == body["event_id"]


def test_registrations_hang_on_the_track_of_their_event(client: Client) -> None:
    path = filled(client, "/events/{event}/tracks/{track}/registrations")
    rows = client.json(path)["records"]
    registered = client.json(path, registration_status="REGISTERED")["records"]
    assert 0 < len(registered) < len(rows)
    contacts = client.sandbox.account.contacts
    assert client.json(f"{path}/{rows[0]['registration_id']}")["contact_id"] in contacts
    wrong = filled(client, "/events/{event}/tracks/other/registrations")
    assert error_of(client.get(wrong)) == (404, "events.api.not_found")


def test_sms_summaries_need_a_start_and_include_it(client: Client) -> None:
    path = "/reports/summary_reports/sms_campaign_summaries"
    rows = client.json(path, start_at="2000-01-01")["bulk_sms_campaign_summaries"]
    sent = [row["last_sent_date"] for row in rows]
    assert sent == sorted(sent, reverse=True)
    within = client.json(path, start_at=sent[2], end_at=sent[1])["bulk_sms_campaign_summaries"]
    assert within == rows[1:3]


def test_only_the_bulk_activities_of_ten_days_are_shown(client: Client) -> None:
    shown = {row["activity_id"] for row in client.json("/activities")["activities"]}
    (old,) = set(client.sandbox.account.bulk_activities) - shown
    assert client.get(f"/activities/{old}").status_code == 404
    failed = client.json("/activities", state="failed")["activities"]
    assert {row["state"] for row in failed} == {"failed"}


def test_automations_hold_tasks_inside_of_tasks(client: Client) -> None:
    answer = client.get("/automations/workflows")
    assert answer.status_code == 209
    rows = answer.json()["flow_summaries"]
    assert len(rows) == 3
    detail = client.json(f"/automations/workflows/{rows[0]['id']}")
    tasks = detail["draft_definition"]["workflow"]["workflow_def"]["tasks"]
    assert tasks[1]["else"][0]["child_tasks"][0]["kind"] == "TIMER"
    (template,) = client.get("/automations/workflows", name="Win back").json()["flow_summaries"]
    assert template["template_id"]


def test_profiles_tell_their_settings_only_if_included(client: Client) -> None:
    assert all("accessible" not in row for row in client.json("/social/profiles"))
    rows = client.json("/social/profiles", include="accessible")
    assert [("settings" in row, row["handle"]) for row in rows] == [
        (False, None), (False, "cafeole"), (True, "cafeole"),
    ]  # fmt: skip


def test_unknown_ids_of_the_old_api_are_left_out(client: Client) -> None:
    old = list(client.sandbox.account.v2_contact_ids)[:3]
    asked = ",".join([*reversed(old), "42"])
    xrefs = client.json("/contacts/contact_id_xrefs", sequence_ids=asked)["xrefs"]
    assert [row["sequence_id"] for row in xrefs] == old
    missing = client.get("/contacts/contact_id_xrefs")
    assert error_of(missing) == (400, "contacts.api.validation.error")


# --- partner


def test_partners_need_their_own_token_and_key(client: Client) -> None:
    url = client.sandbox.url + "/v3/partner/accounts"
    headers = client.partner_login()
    assert requests.get(url, headers=headers, timeout=5).status_code == 200
    for wrong in ({"x-api-key": "wrong"}, {"Authorization": "Bearer made-up"}):
        assert requests.get(url, headers={**headers, **wrong}, timeout=5).status_code == 401
    assert client.session.get(url, timeout=5).status_code == 401
    contacts = client.sandbox.url + "/v3/contacts"
    assert requests.get(contacts, headers=headers, timeout=5).status_code == 401


def partner_token(client: Client, grant_type: str = "client_credentials", secret: str = "") -> Any:
    settings = client.sandbox.partner_settings
    return requests.post(
        settings["partner_auth_url"],
        data={"grant_type": grant_type},
        auth=(settings["partner_client_id"], secret or settings["partner_client_secret"]),
        timeout=5,
    )


def test_partner_tokens_have_an_address_of_their_own(client: Client) -> None:
    answer = partner_token(client).json()
    assert set(answer) == {"token_type", "expires_in", "access_token"}
    assert partner_token(client, secret="wrong").json()["error"] == "invalid_client"
    assert partner_token(client, "refresh_token").json()["error"] == "unsupported_grant_type"
    assert client.sandbox.requests[-1].path == PARTNER_TOKEN_PATH


def test_an_account_need_not_be_a_partner() -> None:
    with Client(partner_api_key="") as client:
        assert partner_token(client).status_code == 401


# --- faults

STATUS = {
    Fault.THROTTLED: 429,
    Fault.QUOTA_EXCEEDED: 429,
    Fault.UNAUTHORIZED: 401,
    Fault.FORBIDDEN: 403,
    Fault.NOT_FOUND: 404,
    Fault.BAD_REQUEST: 400,
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE: 503,
    Fault.GATEWAY_TIMEOUT: 504,
}


@pytest.mark.parametrize("fault", STATUS)
def test_faults_answer_with_their_status_as_often_as_told(client: Client, fault: Fault) -> None:
    client.sandbox.fail("/contacts", fault, times=2, skip=1)
    statuses = [client.get("/contacts").status_code for _ in range(4)]
    assert statuses == [200, STATUS[fault], STATUS[fault], 200]
    assert client.get("/contact_tags").status_code == 200


def test_faults_happen_to_all_that_a_pattern_stands_for(client: Client) -> None:
    client.sandbox.fail("/contact*", Fault.SERVER_ERROR, times=9)
    assert client.get("/contacts").status_code == client.get("/contact_tags").status_code == 500
    assert client.get("/emails").status_code == 200
    client.sandbox.heal()
    assert client.get("/contacts").status_code == 200


def test_a_bad_request_says_what_it_is_told_to(client: Client) -> None:
    client.sandbox.fail("/contacts", Fault.BAD_REQUEST, message="limit is too small")
    assert client.get("/contacts").json()[0]["error_message"] == "limit is too small"


def test_a_dropped_connection_gives_no_byte(
    client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    client.sandbox.fail("/contacts", Fault.DROPPED)
    with pytest.raises(requests.ConnectionError):
        client.get("/contacts")
    assert client.get("/contacts").status_code == 200
    assert [noted.status for noted in client.sandbox.requests[-2:]] == [0, 200]
    assert capfd.readouterr().err == ""


def test_a_cut_answer_is_shorter_than_it_said(client: Client) -> None:
    client.sandbox.fail("/contacts", Fault.CUT)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get("/contacts")
    assert client.get("/contacts").status_code == 200


@pytest.mark.parametrize("fault", [Fault.CUT_JSON, Fault.NOT_JSON])
def test_an_answer_can_be_no_json(client: Client, fault: Fault) -> None:
    client.sandbox.fail("/contacts", fault)
    answer = client.get("/contacts")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("skip", [0, 1])
def test_an_empty_page_leads_on_to_the_real_one(client: Client, skip: int) -> None:
    rows = client.walk("/contacts", "contacts", limit=20)
    client.sandbox.fail("/contacts", Fault.EMPTY_PAGE, times=2, skip=skip)
    asked = len(client.sandbox.requests)
    assert client.walk("/contacts", "contacts", limit=20) == rows
    urls = [str(noted.query) for noted in client.sandbox.requests[asked:]]
    assert len(set(urls)) == len(urls) == 5


def test_a_link_can_lead_to_another_host(client: Client) -> None:
    client.sandbox.fail("/contacts", Fault.FOREIGN_NEXT)
    href = next_href(client.json("/contacts")) or ""
    assert urlsplit(href).hostname == "localhost" != urlsplit(client.sandbox.url).hostname
    assert client.get(href).status_code == 404
    assert client.sandbox.requests[-1].path == "/elsewhere"
    assert client.sandbox.requests[-1].authorized


def test_a_link_can_lead_back_to_its_page(client: Client) -> None:
    client.sandbox.fail("/contacts", Fault.LOOP, times=2)
    first = client.json("/contacts", limit=3)
    href = next_href(first) or ""
    assert href == "/v3/contacts?limit=3"
    assert client.json(href) == first


def test_a_link_can_be_absolute(client: Client) -> None:
    client.sandbox.fail("/contacts", Fault.ABSOLUTE_NEXT)
    first = client.json("/contacts", limit=3)
    href = next_href(first) or ""
    assert href.startswith(client.sandbox.url + "/v3/contacts?cursor=")
    assert client.json(href)["contacts"] == client.json("/contacts", limit=6)["contacts"][3:]


def test_an_answer_can_take_its_time(client: Client) -> None:
    client.sandbox.fail("/contacts", Fault.DELAY, seconds=0.2)
    start = time.monotonic()
    assert client.get("/contacts").status_code == 200
    assert time.monotonic() - start >= 0.2


def test_an_answer_that_hangs_holds_up_nobody_else(
    client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    client.sandbox.fail("/contacts", Fault.DELAY, seconds=2)
    client.sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=2)
    headers = dict(client.session.headers)
    with ThreadPoolExecutor() as pool:
        url = client.sandbox.url
        hanging = [
            pool.submit(requests.get, f"{url}/v3/contacts", headers=headers, timeout=1),
            pool.submit(requests.post, f"{url}{TOKEN_PATH}", timeout=1),
        ]
        wait_until(lambda: len(client.sandbox.requests) == 3)
        assert client.get("/contacts").status_code == 200
        assert client.get("/emails").status_code == 200
        assert client.refresh(client.sandbox.refresh_token).ok
        assert not any(answer.done() for answer in hanging)
    assert [type(answer.exception()) for answer in hanging] == [requests.ReadTimeout] * 2
    # Who hung up is answered all the same, and nobody complains that they cannot be.
    wait_until(lambda: all(request.status for request in client.sandbox.requests))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("fault", PAGES)
def test_faults_of_pages_leave_alone_what_is_none(client: Client, fault: Fault) -> None:
    client.sandbox.fail("/account/emails", fault)
    client.sandbox.fail("/contacts", fault, times=2)
    assert len(client.json("/account/emails")) == 3
    assert client.get("/contacts", limit=0).status_code == 400
    segment_id = next(iter(client.sandbox.account.segments))
    assert client.get("/contacts", segment_id=segment_id).status_code == 202


def test_an_empty_page_leads_on_whatever_its_parameters(client: Client) -> None:
    path = filled(client, CONTACT_REPORTS + "activity_details")
    query: Any = {"tracking_activity_type": ["em_sends", "em_opens"]}
    rows = client.json(path, **query)["tracking_activities"]
    client.sandbox.fail(path, Fault.EMPTY_PAGE)
    assert client.walk(path, "tracking_activities", **query, _detour="x") == rows


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault.FORBIDDEN, "forbidden"),
        (Fault.NOT_FOUND, "not_found"),
        (Fault.BAD_REQUEST, "validation.error"),
        (Fault.SERVER_ERROR, "internal"),
    ],
)
def test_faults_speak_as_the_service_does(client: Client, fault: Fault, key: str) -> None:
    path = filled(client, TRACKING + "sends")
    for asked, service, type_ in (
        (path, "reportingsvc", dict),
        ("/emails", "campaigns.api", list),
    ):
        client.sandbox.fail(asked, fault)
        answer = client.get(asked)
        assert isinstance(answer.json(), type_)
        assert error_of(answer) == (STATUS[fault], f"{service}.{key}")


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.QUOTA_EXCEEDED, Fault.UNAUTHORIZED])
def test_faults_of_the_gate_are_bare_everywhere(client: Client, fault: Fault) -> None:
    client.sandbox.fail("/emails", fault)
    assert client.get("/emails").json()["error_key"] == fault.value


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.THROTTLED, "throttled"),
        (Fault.UNAUTHORIZED, "invalid_client"),
        (Fault.BAD_REQUEST, "invalid_request"),
        (Fault.SERVER_ERROR, "server_error"),
    ],
)
def test_faults_of_the_token_endpoint_speak_as_it_does(
    client: Client, fault: Fault, error: str
) -> None:
    client.sandbox.fail(TOKEN_PATH, fault)
    answer = client.refresh(client.sandbox.refresh_token)
    assert answer.status_code == STATUS[fault]
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error"] == error


def test_every_fault_is_tried_here() -> None:
    others = {
        Fault.DROPPED, Fault.CUT, Fault.CUT_JSON, Fault.NOT_JSON, Fault.EMPTY_PAGE,
        Fault.FOREIGN_NEXT, Fault.LOOP, Fault.ABSOLUTE_NEXT, Fault.DELAY,
    }  # fmt: skip
    assert set(Fault) == {*STATUS, *others}


# --- the server


def test_requests_are_kept_in_order_of_arrival(client: Client) -> None:
    client.session.headers["User-Agent"] = "tap/1"
    client.get("/contacts", limit=3)
    client.get("/contacts", limit=0)
    token, good, bad = client.sandbox.requests
    assert (token.method, token.path, token.status) == ("POST", TOKEN_PATH, 200)
    assert (good.path, good.query, good.status) == ("/v3/contacts", {"limit": "3"}, 200)
    assert (good.user_agent, good.authorized, bad.status) == ("tap/1", True, 400)
    assert token.at <= good.at <= bad.at


def test_connections_are_kept_open(client: Client) -> None:
    address = urlsplit(client.sandbox.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    headers = {"Authorization": str(client.session.headers["Authorization"])}
    connection.request("POST", "/_sandbox/changes", body=b"{}")
    connection.getresponse().read()
    opened = connection.sock
    assert opened is not None
    for _ in range(3):
        connection.request("GET", "/v3/contacts", headers=headers)
        assert connection.getresponse().read()
        assert connection.sock is opened
    connection.close()


def test_it_can_be_tried_by_hand(client: Client) -> None:
    url = client.sandbox.url + "/_sandbox"
    done = requests.post(f"{url}/changes", timeout=5).json()
    assert len(done["contacts_edited"]) == 3
    plan = {"path": "/contacts", "fault": "throttled", "times": 1}
    assert requests.post(f"{url}/faults", json=plan, timeout=5).ok
    assert client.get("/contacts").status_code == 429
    assert requests.post(f"{url}/faults", json={"fault": "odd"}, timeout=5).status_code == 400
    noted = requests.get(f"{url}/requests", timeout=5).json()
    assert [row["path"] for row in noted] == [TOKEN_PATH, "/v3/contacts"]


def test_the_account_has_its_own_present() -> None:
    now = datetime(2024, 2, 29, 23, 0, tzinfo=timezone.utc)
    with Client(now=now) as client:
        answer = client.get("/contacts")
        assert answer.headers["Date"].startswith("Thu, 29 Feb 2024 23:00:")
        assert max(row["updated_at"] for row in answer.json()["contacts"]) < "2024-02-29T22:01"


@pytest.mark.parametrize("skew", [900, -900])
def test_the_clock_of_the_api_can_be_wrong(skew: int) -> None:
    real = int(time.time())
    with Client(clock_skew=skew) as client:
        answer = client.get("/contacts")
        date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        assert date == pytest.approx(real + skew, abs=20)
        account = client.sandbox.account
        contact_id = next(iter(account.contacts))
        account.edit(contact_id, last_name="Renamed")
        edited = seconds(client.json(f"/contacts/{contact_id}")["updated_at"])
        assert edited == pytest.approx(real + skew, abs=20)
        claims = claims_of(client.log_in())
        assert claims["iat"] == pytest.approx(real + skew, abs=20)
        assert client.get("/contacts").ok


def test_a_stopped_sandbox_answers_nobody() -> None:
    before = set(threading.enumerate())
    with Client() as client:
        assert client.get("/contacts").status_code == 200
        url = client.sandbox.url + "/v3/contacts"
        client.sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            client.session.get(url, timeout=5)
        deadline = time.monotonic() + 5
        while set(threading.enumerate()) - before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not set(threading.enumerate()) - before


def test_answers_can_be_held_back() -> None:
    with Client(latency=(0.2, 0.2)) as client:
        start = time.monotonic()
        client.get("/contacts")
        assert time.monotonic() - start >= 0.2


def test_a_stopped_sandbox_frees_its_port() -> None:
    sandbox = Sandbox(contacts=1, campaigns=0).start()
    port = urlsplit(sandbox.url).port
    sandbox.stop()
    with Sandbox(contacts=1, campaigns=0, port=port) as again:
        assert urlsplit(again.url).port == port


# --- the command


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", "--contacts", "5", "--campaigns", "1", *arguments]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.e2e
def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with subprocess.Popen(
        command("--latency", "0-0.01"), cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        settings = json.loads(process.stdout.readline())
        answer = requests.get(settings["api_url"] + "/contacts", timeout=5)
        process.send_signal(number)
        rest, errors = process.communicate(timeout=5)
    assert answer.status_code == 401
    assert set(settings) == {
        *("client_id", "client_secret", "refresh_token", "api_url", "auth_url"),
        *("partner_api_key", "partner_client_id", "partner_client_secret", "partner_auth_url"),
    }
    assert (process.returncode, rest, errors) == (0, "", "")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=PROJECT, text=True, capture_output=True, timeout=10, check=False
    )


@pytest.mark.parametrize("host", ["::1", "no.such.host.invalid", "a..b"])
@pytest.mark.e2e
def test_the_command_says_in_one_line_that_it_knows_no_such_host(host: str) -> None:
    ended = run("--host", host)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"cannot listen on {host}:0: ")
    assert ended.stderr.count("\n") == 1
    assert "Unknown error" not in ended.stderr


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *(("port", "99999"), ("port", "-5"), ("now", "today"), ("latency", "long")),
        ("event-links", "none"),
    ],
)
@pytest.mark.e2e
def test_the_command_refuses_values_without_meaning(flag: str, value: str) -> None:
    ended = run(f"--{flag}", value)
    assert ended.returncode == 2
    assert f"argument --{flag}: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_command_has_a_flag_for_every_option() -> None:
    given = vars(parser().parse_args([]))
    assert Options(**given) == Options()
    given = vars(
        parser().parse_args(
            [
                *("--now", "2024-02-29T23:00:00Z", "--scopes", "contact_data,account_read"),
                *("--latency", "0.1-0.2", "--expires-in", "absent", "--partial-stats"),
                *("--no-deleting-moves-updated-at", "--port", "8080"),
            ]
        )
    )
    assert Options(**given) == Options(
        now=datetime(2024, 2, 29, 23, tzinfo=timezone.utc),
        scopes=("contact_data", "account_read"),
        latency=(0.1, 0.2),
        expires_in="absent",
        partial_stats=True,
        deleting_moves_updated_at=False,
        port=8080,
    )


def test_the_help_tells_what_can_be_done_by_hand() -> None:
    text = parser().format_help()
    for path in ("changes", "faults", "requests"):
        assert f"/_sandbox/{path}" in text


@pytest.mark.e2e
def test_the_command_says_in_one_line_that_a_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"
