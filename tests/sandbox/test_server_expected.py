"""The expected rows of the sandbox are those that its endpoints return."""

from __future__ import annotations

from typing import Any

from sandbox_client import (
    ACCOUNT_INCLUDE,
    ACTIVITIES_INCLUDE,
    CONTACTS_INCLUDE,
    LANDING_PAGES,
    TRACKING,
    Client,
)

pytest_plugins = ["sandbox_fixtures"]


def test_expected_contacts_and_campaigns_are_returned(client: Client) -> None:
    expected = client.sandbox.expected()
    get_all = client.get_all
    contacts = get_all("/contacts", "contacts", status="all", include=CONTACTS_INCLUDE, limit=7)
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


def test_expected_tracking_rows_are_returned(client: Client) -> None:
    expected = client.sandbox.expected()
    for name, report in {
        **{kind: kind for kind in ("sends", "opens", "clicks", "forwards", "optouts", "bounces")},
        "unique_opens": "unique_opens",
        "did_not_opens": "didnotopens",
    }.items():
        served = [
            row
            for id_ in client.sandbox.account.engagement
            for row in client.get_all(
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


def test_expected_landing_page_rows_are_returned(client: Client) -> None:
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
            for row in client.get_all(
                LANDING_PAGES.format(page=id_) + report, "tracking_activities"
            )
        ]
        assert served == bare(expected[f"landing_page_{name}"]), name


def test_expected_events_and_registrations_are_returned(client: Client) -> None:
    expected = client.sandbox.expected()
    registrations, details = {}, {}
    for event in client.get_all("/events", "records", limit=2):
        id_ = event["event_id"]
        merged = event | client.json(f"/events/{id_}", include="true")
        assert merged == expected["events"][(id_,)]
        path = f"/events/{id_}/tracks/{merged['default_track']['track_id']}/registrations"
        for row in client.get_all(path, "records", limit=5):
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
