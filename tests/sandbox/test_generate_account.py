"""The generated account: its kinds of records, and that they are consistent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_accounts import NOW, make, rows

from sandbox import Account
from sandbox.account.clock import HOUR, YEAR, comparable, stamp
from sandbox.account.segments import members
from sandbox.generate.changes import change
from sandbox.server.expected import expected
from sandbox.server.options import PRIVILEGES

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@pytest.fixture
def account() -> Account:
    return make()


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def test_equal_seeds_generate_equal_accounts() -> None:
    assert rows(make()) == rows(make())
    assert rows(make())["contacts"] != rows(make(seed=4))["contacts"]


def test_sizes_are_as_requested() -> None:
    account = make(contacts=37, campaigns=5)
    assert (len(account.contacts), len(account.campaigns)) == (37, 5)


def test_empty_account_can_be_generated_and_changed() -> None:
    account = make(contacts=0, campaigns=0)
    done = change(account)
    assert len(done["contacts_added"]) == 3
    assert done["contacts_edited"] == done["drafts_sent"] == []


def test_timestamps_are_between_three_years_and_one_hour_ago(account: Account) -> None:
    found = [
        match[0] for text in strings(_plain(account)) for match in [MOMENT.match(text)] if match
    ]
    assert len(found) > 500
    # The one exception is the value of a custom field: what a user typed.
    found = [text for text in found if text != "2023-04-17T09:30:00"]
    assert min(found) >= stamp(NOW - 3 * YEAR)[:19]
    assert max(found) <= stamp(NOW - HOUR)[:19]


# What is yet to come.
PLANNED = {
    *("scheduled_date", "event_start", "event_end", "start_time", "end_time"),
    "registration_end_time",
}


def _plain(account: Account) -> Any:
    everything = {name: list(records.values()) for name, records in rows(account).items()}
    return _without(everything, PLANNED)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(part, names) for key, part in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(part, names) for part in value]
    return value


def test_contacts_of_every_kind_are_generated(account: Account) -> None:
    contacts = list(account.contacts.values())
    permissions = {
        row["email_address"]["permission_to_send"] for row in contacts if "email_address" in row
    }
    assert permissions == {
        "explicit", "implicit", "not_set", "pending_confirmation", "temp_hold", "unsubscribed",
    }  # fmt: skip
    assert any("email_address" not in row and "sms_channel" in row for row in contacts)
    assert any("email_address" in row and "sms_channel" in row for row in contacts)
    for part in ("notes", "custom_fields", "phone_numbers", "street_addresses", "taggings"):
        assert any(row[part] for row in contacts), part
    assert any(not str(row.get("last_name", "")).isascii() for row in contacts)
    assert any("first_name" not in row for row in contacts)


def test_deleted_contacts_have_a_date_and_no_lists(account: Account) -> None:
    deleted = [row for row in account.contacts.values() if "deleted_at" in row]
    assert deleted
    for row in deleted:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["deleted_at"])
        assert row["list_memberships"] == []


def test_several_contacts_share_the_second_of_updated_at(account: Account) -> None:
    moments = [row["updated_at"] for row in account.contacts.values()]
    assert len(set(moments)) < len(moments) - 10


def test_addresses_and_campaign_names_are_unique(account: Account) -> None:
    addresses = [
        row["email_address"]["address"]
        for row in account.contacts.values()
        if "email_address" in row
    ]
    assert len(set(addresses)) == len(addresses)
    names = [row["name"] for row in account.campaigns.values()]
    assert len(set(names)) == len(names)


def test_contacts_refer_to_existing_lists_tags_and_fields(account: Account) -> None:
    for row in account.contacts.values():
        assert set(row["list_memberships"]) <= set(account.lists)
        assert set(row["taggings"]) <= set(account.tags)
        assert {value["custom_field_id"] for value in row["custom_fields"]} <= set(
            account.custom_fields
        )


def test_campaigns_of_every_status_are_generated(account: Account) -> None:
    statuses = {row["current_status"] for row in account.campaigns.values()}
    assert statuses == {"Done", "Draft", "Removed", "Scheduled", "Error", "Executing"}
    in_capitals = {row["current_status"] for row in account.activities.values()}
    assert in_capitals == {status.upper() for status in statuses}


def test_only_drafts_may_lack_a_subject() -> None:
    account = make(campaigns=120)
    drafts = [row for row in account.activities.values() if row["current_status"] == "DRAFT"]
    assert any(row["subject"] is None and row["from_name"] is None for row in drafts)
    sent = [row for row in account.activities.values() if row["current_status"] == "DONE"]
    assert all(row["subject"] and row["from_name"] for row in sent)


def test_segment_criteria_are_json_in_a_string(account: Account) -> None:
    for row in account.segments.values():
        assert json.loads(row["segment_criteria"])["criteria"]["group"]


def test_contacts_get_no_email_before_creation_or_after_opt_out(account: Account) -> None:
    for part in account.engagement.values():
        for event in part.sends:
            contact = account.contacts[event.contact_id]
            assert contact["created_at"] <= stamp(part.sent_at)
            left = contact["email_address"].get("opt_out_date")
            assert left is None or left >= stamp(event.at)


def test_opted_out_contacts_are_unsubscribed() -> None:
    account = make(contacts=400, campaigns=24)
    left = {event.contact_id for part in account.engagement.values() for event in part.optouts}
    assert left
    for contact_id in left:
        email = account.contacts[contact_id]["email_address"]
        assert email["permission_to_send"] == "unsubscribed"
        assert email["opt_out_date"] == email["updated_at"]


def test_small_account_has_rows_of_every_stream() -> None:
    for name, records in rows(make(contacts=60, campaigns=6, seed=1)).items():
        assert records, name


def test_expected_returns_only_the_named_streams(account: Account) -> None:
    assert set(expected(account, PRIVILEGES, {"events", "email_sends"})) == {
        "events", "email_sends",
    }  # fmt: skip
    assert len(rows(account)) == 54


def test_second_send_reaches_other_contacts(account: Account) -> None:
    twice = [part for part in account.engagement.values() if len(part.sendings) > 1]
    assert twice
    for part in twice:
        reached = [event.contact_id for event in part.sends]
        assert len(set(reached)) == len(reached) == sum(item.reached for item in part.sendings)


def test_resends_of_every_status_are_generated() -> None:
    account = make(campaigns=24)
    statuses = {row["resend_status"] for row in account.resends.values()}
    assert statuses == {"DRAFT", "SCHEDULED", "SENT"}
    for row in account.resends.values():
        assert (row["resend_request_id"] == "DRAFT") == (row["resend_status"] == "DRAFT")
        assert ("delay_days" in row) != ("delay_minutes" in row)
        assert ("resend_date" in row) == (row["resend_status"] == "SENT")


def test_contacts_have_no_event_before_creation(account: Account) -> None:
    for page in account.landing_pages.values():
        for event in [*page.opens, *page.clicks, *page.adds, *page.updates, *page.sms_optins]:
            assert account.contacts[event.contact_id]["created_at"] <= stamp(event.at + 59)
    for registrations in account.registrations.values():
        for row in registrations.values():
            contact = account.contacts[row["contact_id"]]
            assert comparable(contact["created_at"]) <= comparable(row["registration_date"])


def test_v2_ids_belong_to_records(account: Account) -> None:
    assert set(account.v2_contact_ids.values()) < set(account.contacts)
    assert set(account.v2_list_ids.values()) < set(account.lists)
    assert set(account.v2_campaign_ids.values()) < set(account.campaigns)


def test_segments_hold_contacts_that_meet_their_criteria(account: Account) -> None:
    streams = rows(account)
    for segment_id, segment in account.segments.items():
        held = {key[1] for key in streams["segment_contacts"] if key[0] == segment_id}
        assert held == {row["contact_id"] for row in members(account, segment)}
        assert not any("deleted_at" in account.contacts[contact_id] for contact_id in held)
