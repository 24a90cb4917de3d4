"""Contacts, contact lists, segments."""

from __future__ import annotations

import itertools
import operator
from datetime import datetime, timezone
from typing import Any

import pytest
from sandbox_client import (
    CONTACTS_INCLUDE,
    Client,
    error_of,
)

from sandbox.account.clock import DAY, seconds, stamp
from sandbox.endpoints.contacts import DATES

pytest_plugins = ["sandbox_fixtures"]


def test_contacts_status_filter_selects_deleted_contacts(client: Client) -> None:
    contacts = client.sandbox.account.contacts
    deleted = {id_ for id_, row in contacts.items() if "deleted_at" in row}
    assert deleted

    def ids(**query: str) -> set[str]:
        rows = client.get_all("/contacts", "contacts", limit=50, **query)
        return {row["contact_id"] for row in rows}

    assert ids() == set(contacts) - deleted
    assert ids(status="all") == set(contacts)
    assert ids(status="deleted") == deleted
    active, unsubscribed = ids(status="active"), ids(status="unsubscribed")
    assert ids(status="active,unsubscribed") == active | unsubscribed
    assert active.isdisjoint(unsubscribed | deleted)


def test_updated_after_does_not_return_unsubscribed_contacts(fresh_client: Client) -> None:
    start = fresh_client.sandbox.account.now() - 1
    done = fresh_client.sandbox.change()
    since = datetime.fromtimestamp(start, timezone.utc).isoformat()

    def ids(**query: str) -> set[str]:
        rows = fresh_client.json("/contacts", status="all", limit=500, **query)["contacts"]
        return {row["contact_id"] for row in rows}

    updated, opted_out = ids(updated_after=since), ids(optout_after=since)
    assert updated == {*done["contacts_added"], *done["contacts_edited"], *done["contacts_deleted"]}
    assert opted_out == {*done["contacts_unsubscribed"], *done["contacts_opted_out"]}
    assert ids(created_after=since) == set(done["contacts_added"])
    hidden = {*done["contacts_resubscribed"], *done["contacts_off_lists"]}
    assert len(hidden) == 2
    assert hidden.isdisjoint(updated | opted_out)


def test_updated_filters_exclude_the_given_moment(client: Client) -> None:
    moment = next(iter(client.sandbox.account.contacts.values()))["updated_at"]
    query = {"status": "all", "limit": 500}
    after = client.json("/contacts", updated_after=moment, **query)["contacts"]
    before = client.json("/contacts", updated_before=moment, **query)["contacts"]
    assert moment not in {row["updated_at"] for row in after + before}
    assert len(after) + len(before) < 60


def test_optout_filters_exclude_the_given_moment(client: Client) -> None:
    contacts = client.sandbox.account.contacts.values()
    emails = [row["email_address"] for row in contacts if "email_address" in row]
    moments = sorted(row["opt_out_date"] for row in emails if "opt_out_date" in row)
    query = {"status": "all", "limit": 500, "include_count": "true"}
    after = client.json("/contacts", optout_after=moments[1], **query)["contacts_count"]
    before = client.json("/contacts", optout_before=moments[1], **query)["contacts_count"]
    assert after == sum(moment > moments[1] for moment in moments)
    assert before == sum(moment < moments[1] for moment in moments)


@pytest.mark.parametrize("inclusive", ["none", "after", "before", "both"])
def test_inclusive_dates_option_includes_the_given_moment(inclusive: Any) -> None:
    with Client(inclusive_dates=inclusive) as client:
        for kind, date in DATES.items():
            contacts = client.sandbox.account.contacts.values()
            moments = sorted(filter(None, map(date, contacts)))
            moment = moments[len(moments) // 2]
            a_bit_later = moment.replace("Z", ".5Z")  # no timestamp of a contact has a fraction
            for side, limit, holds in (
                ("after", moment, operator.ge if inclusive in ("after", "both") else operator.gt),
                ("before", moment, operator.le if inclusive in ("before", "both") else operator.lt),
                ("after", a_bit_later, operator.gt),
                ("before", a_bit_later, operator.le),
            ):
                query = {f"{kind}_{side}": limit, "status": "all", "include_count": "true"}
                count = client.json("/contacts", **query)["contacts_count"]
                assert count == sum(holds(at, moment) for at in moments), (kind, side)


def test_created_slices_hold_every_contact_once(client: Client) -> None:
    ids = list(client.sandbox.account.contacts)
    created = [row["created_at"] for row in client.sandbox.account.contacts.values()]
    cuts = [created[0], created[20], created[41], created[-1]]
    found = [client.get_all("/contacts", "contacts", status="all", created_before=cuts[0])]
    for start, end in itertools.pairwise(cuts):
        query = {"created_after": _before(start), "created_before": end, "status": "all"}
        found.append(client.get_all("/contacts", "contacts", limit=7, **query))
    query = {"created_after": _before(cuts[-1]), "status": "all"}
    found.append(client.get_all("/contacts", "contacts", **query))
    assert [row["contact_id"] for rows in found for row in reversed(rows)] == ids


def _before(moment: str) -> str:
    return stamp(seconds(moment) - 1)


def test_contacts_order_option_sorts_contacts() -> None:
    for order, by, descending in (
        ("oldest", "created_at", False),
        ("newest", "created_at", True),
        ("updated", "updated_at", True),
    ):
        with Client(contacts_order=order) as client:
            rows = client.get_all("/contacts", "contacts", limit=25, status="all")
            assert len({row["contact_id"] for row in rows}) == 60
            moments = [row[by] for row in rows]
            assert moments == sorted(moments, reverse=descending)


def test_contacts_include_adds_sub_resources(client: Client) -> None:
    names = set(CONTACTS_INCLUDE.split(","))
    bare = client.json("/contacts", limit=500)["contacts"]
    assert all(names.isdisjoint(row) for row in bare)
    assert any("sms_channel" in row for row in bare)
    whole = client.json("/contacts", limit=500, include=CONTACTS_INCLUDE)["contacts"]
    assert all(names <= set(row) for row in whole)
    assert any(row["notes"] == [] for row in whole)


def test_contacts_are_sorted_newest_first_and_counted(client: Client) -> None:
    body = client.json("/contacts", status="all", include_count="true", limit=5)
    created = [row["created_at"] for row in client.get_all("/contacts", "contacts", status="all")]
    assert created == sorted(created, reverse=True)
    assert body["contacts_count"] == len(created) == 60


def test_contacts_filters_select_rows(client: Client) -> None:
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


def test_contact_counts_are_by_permission(fresh_client: Client) -> None:
    counts = fresh_client.json("/contacts/counts")
    living = fresh_client.json("/contacts", include_count="true")["contacts_count"]
    assert counts["total"] == living
    active = fresh_client.json("/contacts", status="active", include_count="true")["contacts_count"]
    assert counts["explicit"] + counts["implicit"] == active
    assert "new_subscriber" not in counts
    account = fresh_client.sandbox.account
    for days, contact in zip((29, 31), account.contacts.values(), strict=False):
        contact.pop("deleted_at", None)
        contact["created_at"] = stamp(account.now() - days * DAY)
    for contact in list(account.contacts.values())[2:]:
        contact["created_at"] = "2001-01-01T00:00:00Z"
    assert fresh_client.json("/contacts/counts", include="new_subscriber")["new_subscriber"] == 1


def test_contact_lists_are_filtered_by_channel_and_status(client: Client) -> None:
    def names(**query: str) -> set[str]:
        return {row["name"] for row in client.json("/contact_lists", **query)["lists"]}

    email, sms = names(), names(channel_type="sms")
    assert email & sms == {"Flash sale (mail & text)"}
    assert sms - email == {"Text alerts"}
    assert names(status="all") - email == names(status="deleted") == {"Old imports"}


def test_contact_lists_count_members_only_on_request(client: Client) -> None:
    query = {"channel_type": "sms", "include_membership_count": "all"}
    rows = client.json("/contact_lists", include_sms_membership_count="true", **query)["lists"]
    contacts = client.sandbox.account.contacts.values()
    for row in rows:
        members = sum(row["list_id"] in contact["list_memberships"] for contact in contacts)
        assert row["membership_count"] == members >= row["sms_membership_count"] > 0
    assert "membership_count" not in client.json("/contact_lists")["lists"][0]


def test_segments_are_sorted_by_edit_or_name(client: Client) -> None:
    edited = [row["edited_at"] for row in client.json("/segments")["segments"]]
    assert edited == sorted(edited, reverse=True)
    names = [row["name"] for row in client.json("/segments", sort_by="name")["segments"]]
    assert names == sorted(names)


def test_sms_engagement_history_is_empty_without_a_channel(client: Client) -> None:
    lengths = {
        "sms_channel" in row: len(client.json(f"/contacts/sms_engagement_history/{id_}"))
        for id_, row in client.sandbox.account.contacts.items()
        if "sms_channel" not in row
        or row["sms_channel"]["sms_channel_consents"][0]["sms_consent_permission"] == "unsubscribed"
    }
    assert lengths == {False: 0, True: 2}


def test_segment_contacts_return_202_first(fresh_client: Client) -> None:
    (segment_id,) = list(fresh_client.sandbox.account.segments)[:1]
    processing = fresh_client.get("/contacts", segment_id=segment_id, limit=3)
    assert processing.status_code == 202
    assert processing.json() == {"contacts": [], "_links": {}, "status": "processing"}
    rows = fresh_client.get_all("/contacts", "contacts", segment_id=segment_id, limit=3)
    expected = fresh_client.sandbox.expected({"segment_contacts"})["segment_contacts"]
    assert [row["contact_id"] for row in rows] == [
        key[1] for key in expected if key[0] == segment_id
    ]
    assert error_of(fresh_client.get("/contacts", segment_id=99)) == (404, "contacts.api.not_found")


def test_segment_polls_option_repeats_the_202() -> None:
    with Client(segment_polls=2) as client:
        statuses = [client.get("/contacts", segment_id=14).status_code for _ in range(3)]
        assert statuses == [202, 202, 200]
