"""Pages and next links of every kind of list."""

from __future__ import annotations

import base64

import pytest
from sandbox_client import (
    ALL_TYPES,
    CONTACT_REPORTS,
    LANDING_PAGES,
    TRACKING,
    Client,
    error_of,
    filled,
    next_href,
)

pytest_plugins = ["sandbox_fixtures"]

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


@pytest.mark.parametrize(("path", "records", "key", "query", "end"), LISTS)
def test_pages_hold_every_row_once_and_end_as_observed(
    client: Client, *, path: str, records: str, key: str, query: dict[str, str], end: object
) -> None:
    path = filled(client, path)
    max_limit = 50 if "sms" in path else 100
    whole = client.json(path, limit=max_limit, **query)
    assert whole.get("_links") == end
    paged = client.get_all(path, records, limit=2, **query)
    assert paged == whole[records]
    assert len({row[key] for row in paged}) == len(paged) > 2


def test_contacts_cursor_holds_page_number_and_filters(client: Client) -> None:
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
        (TRACKING + "sends", "next", "limit=5&next=abc"),
        (TRACKING + "sends", "next", "limit=5&next=MQ=="),
        ("/reports/summary_reports/email_campaign_summaries", "next", "limit=5&o=abc"),
        ("/reports/summary_reports/email_campaign_summaries", "next", "limit=5&o=-1"),
    ],
)
def test_invalid_cursor_position_returns_400(
    client: Client, path: str, parameter: str, inside: str
) -> None:
    cursor = base64.b64encode(inside.encode()).decode()
    response = client.get(filled(client, path), **{parameter: cursor})
    assert error_of(response)[0] == 400
    assert parameter in response.text


def test_parameters_besides_a_cursor_return_400(client: Client) -> None:
    href = next_href(client.json("/contacts", limit=5)) or ""
    assert error_of(client.get(href, limit=5)) == (400, "contacts.api.validation.error")
    assert client.get("/contacts", cursor="???").status_code == 400


def test_emails_link_has_a_bare_position_beside_the_filters(client: Client) -> None:
    after = "2022-03-11T22:41:18Z"
    href = next_href(client.json("/emails", limit=1, after_date=after))
    assert href == f"/v3/emails?limit=1&next=MQ**&after_date={after}"  # as observed
    whole = client.json("/emails", after_date=after)["campaigns"]
    assert client.get_all("/emails", "campaigns", limit=3, after_date=after) == whole
    assert client.get("/emails", limit=1, next="x").status_code == 400


def test_events_cursor_is_opaque(client: Client) -> None:
    cursor = client.json("/events", limit=2)["next_cursor"]
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert "=" not in cursor
    assert len(content) % 16 == 0
    assert b"limit" not in content
    assert client.get("/events", next="x").status_code == 400


@pytest.mark.parametrize("cursors", ["keyset", "offset"])
def test_tracking_pages_shift_only_with_offsets(cursors: str) -> None:
    with Client(tracking_cursors=cursors) as client:
        path = filled(client, TRACKING + "opens")
        first = client.json(path, limit=3)
        part = client.sandbox.account.engagement[path.split("/")[3]]
        before = client.json(next_href(first) or "")["tracking_activities"]
        newest = max(part.opens, key=lambda event: event.at)
        part.opens.append(newest._replace(at=newest.at + 60))
        after = client.json(next_href(first) or "")["tracking_activities"]
        assert (after == before) == (cursors == "keyset")
        assert after[1:] == before[:2] or cursors == "keyset"


def test_contacts_keyset_does_not_shift() -> None:
    with Client(contacts_cursors="keyset") as client:
        first = client.json("/contacts", limit=10)
        second = client.json(next_href(first) or "")["contacts"]
        client.sandbox.account.delete(first["contacts"][0]["contact_id"])
        assert client.json(next_href(first) or "")["contacts"] == second


def test_contacts_shift_if_one_is_deleted_between_pages(fresh_client: Client) -> None:
    first = fresh_client.json("/contacts", limit=10)
    deleted = first["contacts"][0]["contact_id"]
    href = next_href(first) or ""
    second = fresh_client.json(href)["contacts"]
    fresh_client.sandbox.account.delete(deleted)
    shifted = fresh_client.json(href)["contacts"]
    assert shifted[:9] == second[1:]  # a reader that continues misses the first row of this page


def test_tags_do_not_shift_if_one_is_deleted_between_pages(fresh_client: Client) -> None:
    first = fresh_client.json("/contact_tags", limit=3)
    second = fresh_client.json(next_href(first) or "")["tags"]
    del fresh_client.sandbox.account.tags[first["tags"][0]["tag_id"]]
    assert fresh_client.json(next_href(first) or "")["tags"] == second


@pytest.mark.parametrize("name", ["opens", "clicks", "forwards", "optouts", "bounces", "sends"])
def test_tracking_reports_are_sorted_newest_first(client: Client, name: str) -> None:
    path = filled(client, TRACKING + name)
    rows = client.get_all(path, "tracking_activities", limit=3)
    moments = [row["created_time"] for row in rows]
    assert moments == sorted(moments, reverse=True)
    assert all(moment.endswith(":00.000Z") for moment in moments)
    assert rows == client.json(path)["tracking_activities"]


def test_activity_details_are_sorted_newest_first_and_end_with_null(client: Client) -> None:
    path = filled(client, CONTACT_REPORTS + "activity_details")
    body = client.json(path, **ALL_TYPES)
    assert body["_links"] == {"next": {"href": None}}
    rows = client.get_all(path, "tracking_activities", limit=1, **ALL_TYPES)
    assert rows == body["tracking_activities"]
    moments = [row["created_time"] for row in rows]
    assert len(rows) > 2
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("links", ["both", "cursor", "links"])
def test_event_links_option_sets_cursor_and_link(links: str) -> None:
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


def test_hashtag_groups_number_pages_from_0(client: Client) -> None:
    body = client.json("/social/hashtags/groups", limit=3, page=2)
    assert body["page"] == {"page": 2, "size": 2, "total_elements": 8, "total_pages": 3}
    assert body["_links"] == {}
    assert len(client.get_all("/social/hashtags/groups", "hashtag_groups")) == 8


def test_partner_accounts_ignore_limits_out_of_range(client: Client) -> None:
    rows = client.get_all("/partner/accounts", "site_owner_list", limit=10)
    assert len({row["encoded_account_id"] for row in rows}) == 12
    for limit in ("5", "51", "many"):
        assert len(client.json("/partner/accounts", limit=limit)["site_owner_list"]) == 12
    kinds = [
        len(client.json("/partner/accounts", account_type=type_)["site_owner_list"])
        for type_ in ("managed", "unmanaged")
    ]
    assert sum(kinds) == 12
    assert all(kinds)


def test_nested_tag_links_option_nests_the_next_link() -> None:
    with Client(nested_tag_links=True) as client:
        links = client.json("/contact_tags", limit=3)["_links"]
        assert len(client.json(links["next"]["next"]["href"])["tags"]) == 3
