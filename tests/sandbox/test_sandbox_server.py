from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sandbox_client import CONTACTS_INCLUDE, Client, next_href

from sandbox import TOKEN_PATH, Fault, Options, Sandbox
from sandbox.api import ENDPOINTS
from sandbox.errors import ApiError
from sandbox.gate import Gate
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


def test_the_access_token_tells_its_claims(client: Client) -> None:
    token = client.log_in().json()["access_token"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
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


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.SERVER_ERROR, Fault.UNAVAILABLE])
def test_a_failed_token_request_spends_nothing(client: Client, fault: Fault) -> None:
    client.sandbox.fail(TOKEN_PATH, fault)
    token = client.sandbox.refresh_token
    assert client.refresh(token).status_code >= 429
    assert client.refresh(token).ok


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


def test_the_quota_holds_for_a_utc_day() -> None:
    passage = Passage(requests_per_second=0, daily_quota=2)
    assert [passage.outcome() for _ in range(3)] == ["ok", "ok", "quota_exceeded"]
    passage.now += 61
    assert passage.outcome() == "ok"


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

LISTS = [
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
]


@pytest.mark.parametrize(("path", "records", "key", "query", "end"), LISTS)
def test_pages_hold_every_row_once_and_end_as_seen(
    client: Client, *, path: str, records: str, key: str, query: dict[str, str], end: object
) -> None:
    whole = client.json(path, limit=100, **query)
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
        client.json(f"/emails/activities/{id_}", include="html_content,permalink_url,"
            "physical_address_in_footer,document_properties")
        for (id_,) in expected["email_campaign_activities"]
    ]  # fmt: skip
    assert activities == list(expected["email_campaign_activities"].values())
    ids = ",".join(id_ for (id_,) in expected["email_campaign_stats"])
    stats = client.json(f"/reports/stats/email_campaigns/{ids}")["results"]
    assert stats == list(expected["email_campaign_stats"].values())
    segments = [client.json(f"/segments/{id_}") for (id_,) in expected["segments"]]
    assert segments == list(expected["segments"].values())
    account = client.json("/account/summary", extra_fields="physical_address,company_logo")
    assert [account] == list(expected["account"].values())
    assert len(client.json("/account/emails")) == len(expected["account_emails"])


# --- parameters

MEANINGLESS = [
    ("/contacts", {"include": "shoe_size"}),
    ("/contacts", {"include": "sms_channel"}),
    ("/contacts", {"limit": "0"}),
    ("/contacts", {"limit": "501"}),
    ("/contacts", {"limit": "many"}),
    ("/contacts", {"status": "lost"}),
    ("/contacts", {"updated_after": "yesterday"}),
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
]


@pytest.mark.parametrize(("path", "query"), MEANINGLESS)
def test_parameters_are_checked(client: Client, path: str, query: dict[str, str]) -> None:
    answer = client.get(path, **query)
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
        ("/no/such/{}", "not_found"),
    ],
)
def test_what_there_is_not_is_404(client: Client, path: str, key: str) -> None:
    unknown = "71600990-908b-4ee6-907f-00166bff2512"
    assert error_of(client.get(path.format(unknown))) == (404, key)


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
    assert client.json("/contacts/counts", include="new_subscriber")["new_subscriber"] >= 0


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


def test_stats_can_have_dotted_keys() -> None:
    with Client(dotted_stats=True) as client:
        good = next(iter(client.sandbox.expected()["email_campaign_stats"]))[0]
        keys = set(client.json(stats_path(good))["results"][0]["stats"])
        assert {"em_opens.all", "em_opens.all.mobile", "em_not_opened", "em_sends"} <= keys


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
def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with subprocess.Popen(
        command("--latency", "0-0.01"), cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        settings = json.loads(process.stdout.readline())
        assert set(settings) == {
            "client_id",
            "client_secret",
            "refresh_token",
            "api_url",
            "auth_url",
        }
        assert requests.get(settings["api_url"] + "/contacts", timeout=5).status_code == 401
        process.send_signal(number)
        rest, errors = process.communicate(timeout=5)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_command_says_in_one_line_that_a_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            command("--port", str(port)), cwd=PROJECT, text=True,
            capture_output=True, timeout=10, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"
