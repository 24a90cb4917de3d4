"""Events and registrations."""

from __future__ import annotations

from sandbox_client import (
    Client,
    error_of,
    filled,
)

pytest_plugins = ["sandbox_fixtures"]


def test_events_status_filter_selects_deleted_events(client: Client) -> None:
    statuses = {row["status"] for row in client.json("/events")["records"]}
    assert statuses == {"ACTIVE", "DRAFT", "COMPLETE", "CANCELLED"}
    (deleted,) = client.json("/events", event_status="DELETED")["records"]
    assert client.json(f"/events/{deleted['event_id']}")["status"] == "DELETED"


def test_events_are_sorted_and_searched(client: Client) -> None:
    names = [row["name"] for row in client.json("/events", sort_by="name")["records"]]
    assert names == sorted(names)
    down = client.json("/events", sort_by="name", sort_order="DESC")["records"]
    assert [row["name"] for row in down] == names[::-1]
    (found,) = client.json("/events", search_text="jazz")["records"]
    assert "jazz" in found["name"]


def test_event_include_adds_settings(client: Client) -> None:
    path = filled(client, "/events/{event}")
    assert "event_settings" not in client.json(path)
    body = client.json(path, include="true")
    assert body["event_settings"]
    assert body["campaign_id"] == body["event_id"]


def test_registrations_of_another_track_return_404(client: Client) -> None:
    path = filled(client, "/events/{event}/tracks/{track}/registrations")
    rows = client.json(path)["records"]
    registered = client.json(path, registration_status="REGISTERED")["records"]
    assert 0 < len(registered) < len(rows)
    contacts = client.sandbox.account.contacts
    assert client.json(f"{path}/{rows[0]['registration_id']}")["contact_id"] in contacts
    wrong = filled(client, "/events/{event}/tracks/other/registrations")
    assert error_of(client.get(wrong)) == (404, "events.api.not_found")
