"""Errors of invalid requests: parameters, paths, methods, crashes."""

from __future__ import annotations

import pytest
import requests
from sandbox_client import (
    ALL_TYPES,
    CONTACT_REPORTS,
    LANDING_PAGES,
    TRACKING,
    Client,
    error_of,
    filled,
)

pytest_plugins = ["sandbox_fixtures"]

INVALID = [
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

INVALID_OF_REPORTS = [
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


def test_invalid_parameter_of_a_report_returns_400(client: Client) -> None:
    for path, query, name in INVALID_OF_REPORTS:
        response = client.get(filled(client, path), **query)
        assert error_of(response) == (400, "reportingsvc.validation.error"), (path, query)
        assert name in response.json()["error_message"]


def test_invalid_parameter_returns_400(client: Client) -> None:
    for path, query in INVALID:
        response = client.get(filled(client, path), **query)
        assert response.status_code == 400, (path, query)
        (error,) = response.json()
        assert error["error_key"].endswith(".api.validation.error")
        assert next(iter(query)) in error["error_message"]


def test_sms_channel_include_option_accepts_the_value() -> None:
    with Client(sms_channel_include=True) as client:
        assert client.get("/contacts", include="sms_channel").status_code == 200


UNKNOWN = [
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
]


def test_unknown_path_or_id_returns_404(client: Client) -> None:
    unknown = "71600990-908b-4ee6-907f-00166bff2512"
    for path, key in UNKNOWN:
        assert error_of(client.get(path.format(unknown))) == (404, key), path


def test_what_is_not_routed_is_404_with_or_without_a_token(fresh_client: Client) -> None:
    url = fresh_client.sandbox.url + "/v3"
    for session in (fresh_client.session, requests):
        for response in (
            session.post(f"{url}/contacts", timeout=5),
            session.get(f"{url}/no/such", timeout=5),
        ):
            assert error_of(response) == (404, "not_found")
            assert isinstance(response.json(), list)
            assert response.headers["x-amzn-RequestId"]


def test_unauthorized_response_names_the_realm(fresh_client: Client) -> None:
    response = requests.get(fresh_client.sandbox.url + "/v3/contacts", timeout=5)
    assert error_of(response) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer realm=api.cc.email"


def test_token_endpoint_allows_no_get(fresh_client: Client) -> None:
    response = requests.get(fresh_client.sandbox.settings["auth_url"], timeout=5)
    assert (response.status_code, response.json()["error"]) == (405, "method_not_allowed")


def test_crash_of_an_endpoint_returns_500(
    fresh_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    del fresh_client.sandbox.account.contacts
    assert error_of(fresh_client.get("/contacts")) == (500, "internal_server_error")
    assert "AttributeError" in caplog.text
