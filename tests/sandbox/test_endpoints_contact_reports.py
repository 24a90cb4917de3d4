"""The reports on single contacts."""

from __future__ import annotations

from sandbox_client import (
    ALL_TYPES,
    CONTACT_REPORTS,
    Client,
    filled,
)

pytest_plugins = ["sandbox_fixtures"]


def test_activity_details_take_types_in_two_parameters(client: Client) -> None:
    path = filled(client, CONTACT_REPORTS + "activity_details")
    by_list = client.json(path, tracking_activities_list="em_sends,em_opens")
    by_type = client.json(path, tracking_activity_type=["em_sends", "em_opens"])
    assert by_list == by_type
    assert all("campaign_activity_name" in row for row in by_list["tracking_activities"])
    bare_names = client.json(path, include_campaign_activity_names="false", **ALL_TYPES)
    assert "campaign_activity_name" not in bare_names["tracking_activities"][0]


def test_contact_reports_are_limited_to_their_window(client: Client) -> None:
    path = filled(client, CONTACT_REPORTS)
    long_ago = {"start": "2001-01-01T00:00:00-0500", "end": "2002-01-01T00:00:00Z"}
    assert client.json(path + "activity_summary", **long_ago)["campaign_activities"] == []
    rates = client.json(path + "open_and_click_rates", **long_ago)
    assert rates["included_activities_count"] == rates["average_open_rate"] == 0
