"""Reports on sent emails and landing pages: summaries, stats, links, tracking."""

from __future__ import annotations

from sandbox_client import (
    LANDING_PAGES,
    TRACKING,
    Client,
    filled,
    stats_path,
)

pytest_plugins = ["sandbox_fixtures"]


def test_summaries_hold_sent_campaigns_last_sent_first(client: Client) -> None:
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


def test_text_counts_option_writes_counts_as_strings() -> None:
    with Client(text_counts=True) as client:
        path = "/reports/summary_reports/email_campaign_summaries"
        row = client.json(path)["bulk_email_campaign_summaries"][0]
        assert all(isinstance(count, str) for count in row["unique_counts"].values())


def test_campaign_stats_with_an_invalid_id_return_404(client: Client) -> None:
    account = client.sandbox.account
    good = [id_ for id_, row in account.campaigns.items() if row["current_status"] == "Done"]
    draft = next(id_ for id_, row in account.campaigns.items() if row["current_status"] == "Draft")
    assert len(client.json(stats_path(*good))["results"]) == len(good)
    assert client.get(stats_path(*good, "not-an-id")).status_code == 404
    assert client.get(stats_path(*good, draft)).status_code == 404
    assert client.get(stats_path(*good[:1] * 150)).status_code == 200
    assert client.get(stats_path(*good[:1] * 151)).status_code == 400


def test_partial_stats_option_lists_unknown_campaigns() -> None:
    with Client(partial_stats=True) as client:
        good = next(iter(client.sandbox.expected()["email_campaign_stats"]))[0]
        body = client.json(stats_path(good, "71600990-908b-4ee6-907f-00166bff2512"))
        assert [len(body["results"]), len(body["errors"])] == [1, 1]
        assert client.get(stats_path(good, "not-an-id")).status_code == 404


def test_stats_lag_option_delays_counters() -> None:
    with Client(stats_lag=3600) as client:
        report = filled(client, TRACKING + "opens")
        activity_id = report.split("/")[3]
        known = client.get_all(report, "tracking_activities")
        client.sandbox.account.add_events(activity_id, "opens", 2)
        assert len(client.get_all(report, "tracking_activities")) == len(known) + 2
        path = f"/reports/stats/email_campaign_activities/{activity_id}"
        (stats,) = client.json(path)["results"]
        assert stats["stats"]["em_opens_all"] <= len(known)
        rows = client.sandbox.expected({"email_campaign_activity_stats", "email_opens"})
        assert rows["email_campaign_activity_stats"][(activity_id,)] == stats
        assert sum(key[0] == activity_id for key in rows["email_opens"]) == len(known) + 2


def test_dotted_stats_option_writes_dotted_keys() -> None:
    with Client(dotted_stats=True) as client:
        good = next(iter(client.sandbox.expected()["email_campaign_stats"]))[0]
        keys = set(client.json(stats_path(good))["results"][0]["stats"])
        assert {"em_opens.all", "em_opens.all.mobile", "em_not_opened", "em_sends"} <= keys


def activity_stats_path(*ids: str) -> str:
    return "/reports/stats/email_campaign_activities/" + ",".join(ids)


def test_activity_stats_list_unsent_activities_in_errors(client: Client) -> None:
    account = client.sandbox.account
    unsent = next(id_ for id_ in account.activities if id_ not in account.engagement)
    sent = next(iter(account.engagement))
    body = client.json(activity_stats_path(sent, unsent))
    assert [row["campaign_activity_id"] for row in body["results"]] == [sent]
    assert len(body["errors"]) == 1
    assert client.get(activity_stats_path(sent, "not-an-id")).status_code == 404
    assert client.get(activity_stats_path(*[sent] * 11)).status_code == 400


def test_unsent_activity_has_no_tracking_rows_or_links(client: Client) -> None:
    account = client.sandbox.account
    unsent = [id_ for id_ in account.activities if id_ not in account.engagement]
    assert unsent
    for id_ in unsent:
        assert client.json(TRACKING.format(sent=id_) + "opens") == {"tracking_activities": []}
        links = client.json(f"/reports/email_reports/{id_}/links", no_clicks="true")
        assert links == {"campaign_activity_id": id_, "link_click_counts": []}


def test_tracking_rows_omit_empty_names(client: Client) -> None:
    rows = client.sandbox.expected({"email_sends"})["email_sends"].values()
    assert any("first_name" not in row for row in rows)
    assert all(row.get("first_name") != "" for row in rows)


def test_tracking_filters_select_rows(client: Client) -> None:
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


def test_landing_page_contacts_filter_selects_rows(client: Client) -> None:
    path = filled(client, LANDING_PAGES + "p_contact_opens")
    rows = client.json(path)["tracking_activities"]
    name = next(row["last_name"] for row in rows if "last_name" in row)
    found = client.json(path, contacts_filter=name[:3].upper())["tracking_activities"]
    assert 0 < len(found) < len(rows)
    assert any("sms_channel" in row for row in rows)


def test_links_no_clicks_adds_links_without_clicks(client: Client) -> None:
    path = filled(client, "/reports/email_reports/{sent}/links")
    clicked = client.json(path)["link_click_counts"]
    everything = client.json(path, no_clicks="true")["link_click_counts"]
    assert len(everything) == 4
    assert clicked == [row for row in everything if row["unique_clicks"]] != everything
