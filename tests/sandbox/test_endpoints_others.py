"""SMS campaigns, bulk activities, automations, social profiles, ids of the old API."""

from __future__ import annotations

from sandbox_client import (
    Client,
    error_of,
)

pytest_plugins = ["sandbox_fixtures"]


def test_sms_summaries_window_includes_both_ends(client: Client) -> None:
    path = "/reports/summary_reports/sms_campaign_summaries"
    rows = client.json(path, start_at="2000-01-01")["bulk_sms_campaign_summaries"]
    sent = [row["last_sent_date"] for row in rows]
    assert sent == sorted(sent, reverse=True)
    within = client.json(path, start_at=sent[2], end_at=sent[1])["bulk_sms_campaign_summaries"]
    assert within == rows[1:3]


def test_bulk_activities_older_than_ten_days_return_404(client: Client) -> None:
    shown = {row["activity_id"] for row in client.json("/activities")["activities"]}
    (old,) = set(client.sandbox.account.bulk_activities) - shown
    assert client.get(f"/activities/{old}").status_code == 404
    failed = client.json("/activities", state="failed")["activities"]
    assert {row["state"] for row in failed} == {"failed"}


def test_automations_return_209_and_nested_tasks(client: Client) -> None:
    response = client.get("/automations/workflows")
    assert response.status_code == 209
    rows = response.json()["flow_summaries"]
    assert len(rows) == 3
    detail = client.json(f"/automations/workflows/{rows[0]['id']}")
    tasks = detail["draft_definition"]["workflow"]["workflow_def"]["tasks"]
    assert tasks[1]["else"][0]["child_tasks"][0]["kind"] == "TIMER"
    (template,) = client.get("/automations/workflows", name="Win back").json()["flow_summaries"]
    assert template["template_id"]


def test_social_profiles_include_adds_settings(client: Client) -> None:
    assert all("accessible" not in row for row in client.json("/social/profiles"))
    rows = client.json("/social/profiles", include="accessible")
    assert [("settings" in row, row["handle"]) for row in rows] == [
        (False, None), (False, "cafeole"), (True, "cafeole"),
    ]  # fmt: skip


def test_contact_id_xrefs_skip_unknown_ids(client: Client) -> None:
    old = list(client.sandbox.account.v2_contact_ids)[:3]
    requested = ",".join([*reversed(old), "42"])
    xrefs = client.json("/contacts/contact_id_xrefs", sequence_ids=requested)["xrefs"]
    assert [row["sequence_id"] for row in xrefs] == old
    missing = client.get("/contacts/contact_id_xrefs")
    assert error_of(missing) == (400, "contacts.api.validation.error")
