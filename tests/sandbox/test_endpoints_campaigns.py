"""Email campaigns and their activities."""

from __future__ import annotations

from collections import Counter

from sandbox_client import (
    Client,
)

pytest_plugins = ["sandbox_fixtures"]


def test_campaigns_are_sorted_last_updated_first(client: Client) -> None:
    moments = [row["updated_at"] for row in client.get_all("/emails", "campaigns")]
    assert moments == sorted(moments, reverse=True)
    after = client.json("/emails", after_date=moments[4])["campaigns"]
    assert [row["updated_at"] for row in after] == moments[:4]


def test_removed_campaign_is_listed_but_returns_404(client: Client) -> None:
    campaigns = client.json("/emails")["campaigns"]
    readable = {row["current_status"]: client.get(f"/emails/{row['campaign_id']}").status_code
                for row in campaigns}  # fmt: skip
    assert readable.pop("Removed") == 404
    assert set(readable.values()) == {200}
    (removed,) = (row["campaign_id"] for row in campaigns if row["current_status"] == "Removed")
    activity = client.sandbox.account.activity(removed, "primary_email")
    path = f"/emails/activities/{activity['campaign_activity_id']}"
    assert client.get(path).status_code == 404


def test_some_permalink_activities_return_404(client: Client) -> None:
    account = client.sandbox.account
    permalinks = [id_ for id_, row in account.activities.items() if row["role"] == "permalink"]
    statuses = {client.get(f"/emails/activities/{id_}").status_code for id_ in permalinks}
    assert statuses == {200, 404}


def test_activity_include_adds_content(client: Client) -> None:
    account = client.sandbox.account
    sent = [id_ for id_ in account.engagement if account.activities[id_]["format_type"] != 4]
    path = f"/emails/activities/{sent[0]}"
    assert "html_content" not in client.json(path)
    body = client.json(path, include="html_content,permalink_url")
    assert body["html_content"].startswith("<html>")
    assert body["permalink_url"].startswith("https://")
    assert "physical_address_in_footer" not in body


def test_ab_test_exists_only_for_campaigns_of_its_type(client: Client) -> None:
    account = client.sandbox.account
    statuses = {
        client.get(f"/emails/activities/{id_}/abtest").status_code: row["type_code"]
        for row in account.campaigns.values()
        if row["current_status"] != "Removed"
        for id_ in [row["campaign_activities"][0]["campaign_activity_id"]]
    }
    assert statuses[200] == 57
    assert statuses[404] != 57


def test_schedules_and_resends_may_be_empty_lists(client: Client) -> None:
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
