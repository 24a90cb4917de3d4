from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from sandbox import Account
from sandbox.account.clock import HOUR, YEAR, comparable, parse, stamp, stamp_ms
from sandbox.account.engagement import (
    Engagement,
    Event,
    contacts_of,
    percents,
    stats,
    unique_counts,
)
from sandbox.account.segments import members
from sandbox.generate.account import generate_account
from sandbox.generate.changes import change
from sandbox.server.expected import Rows, expected
from sandbox.server.options import PRIVILEGES

NOW = int(datetime(2026, 3, 1, 12, tzinfo=timezone.utc).timestamp())
LATER = NOW + 600

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def make(contacts: int = 120, campaigns: int = 12, seed: int = 3, **options: Any) -> Account:
    return generate_account(
        contacts=contacts, campaigns=campaigns, seed=seed, now=lambda: NOW, **options
    )


def rows(account: Account) -> dict[str, Rows]:
    return expected(account, PRIVILEGES)


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


def test_equal_seeds_make_equal_accounts_and_others_do_not() -> None:
    assert rows(make()) == rows(make())
    assert rows(make())["contacts"] != rows(make(seed=4))["contacts"]


def test_sizes_are_as_asked() -> None:
    account = make(contacts=37, campaigns=5)
    assert (len(account.contacts), len(account.campaigns)) == (37, 5)


def test_an_empty_account_can_be_made_and_changed() -> None:
    account = make(contacts=0, campaigns=0)
    done = change(account)
    assert len(done["contacts_added"]) == 3
    assert done["contacts_edited"] == done["drafts_sent"] == []


def test_every_moment_lies_between_three_years_and_one_hour_ago(account: Account) -> None:
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


def test_contacts_come_in_all_kinds(account: Account) -> None:
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


def test_deleted_contacts_have_a_plain_date_and_no_lists(account: Account) -> None:
    deleted = [row for row in account.contacts.values() if "deleted_at" in row]
    assert deleted
    for row in deleted:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["deleted_at"])
        assert row["list_memberships"] == []


def test_several_contacts_share_the_second_of_their_update(account: Account) -> None:
    moments = [row["updated_at"] for row in account.contacts.values()]
    assert len(set(moments)) < len(moments) - 10


def test_keys_and_names_are_unique(account: Account) -> None:
    addresses = [
        row["email_address"]["address"]
        for row in account.contacts.values()
        if "email_address" in row
    ]
    assert len(set(addresses)) == len(addresses)
    names = [row["name"] for row in account.campaigns.values()]
    assert len(set(names)) == len(names)


def test_contacts_refer_to_what_there_is(account: Account) -> None:
    for row in account.contacts.values():
        assert set(row["list_memberships"]) <= set(account.lists)
        assert set(row["taggings"]) <= set(account.tags)
        assert {value["custom_field_id"] for value in row["custom_fields"]} <= set(
            account.custom_fields
        )


def test_campaigns_come_in_all_statuses(account: Account) -> None:
    statuses = {row["current_status"] for row in account.campaigns.values()}
    assert statuses == {"Done", "Draft", "Removed", "Scheduled", "Error", "Executing"}
    in_capitals = {row["current_status"] for row in account.activities.values()}
    assert in_capitals == {status.upper() for status in statuses}


def test_some_drafts_have_no_subject_and_no_sent_campaign_lacks_one() -> None:
    account = make(campaigns=120)
    drafts = [row for row in account.activities.values() if row["current_status"] == "DRAFT"]
    assert any(row["subject"] is None and row["from_name"] is None for row in drafts)
    sent = [row for row in account.activities.values() if row["current_status"] == "DONE"]
    assert all(row["subject"] and row["from_name"] for row in sent)


def test_the_criteria_of_a_segment_are_json_in_a_string(account: Account) -> None:
    for row in account.segments.values():
        assert json.loads(row["segment_criteria"])["criteria"]["group"]


def test_events_follow_the_send_and_tell_the_minute(account: Account) -> None:
    assert account.engagement
    for part in account.engagement.values():
        sent_to = contacts_of(part.sends)
        for kind in (part.opens, part.clicks, part.forwards, part.optouts, part.bounces):
            for event in kind:
                assert event.at % 60 == 0
                assert part.sends[0].at <= event.at <= NOW - HOUR
                assert event.contact_id in sent_to
        assert contacts_of(part.clicks) <= contacts_of(part.opens)
        assert contacts_of(part.bounces).isdisjoint(contacts_of(part.opens))
        assert {event.url_id for event in part.clicks} <= set(part.links)
        assert all(int(url_id) > 2**53 for url_id in part.links)


def test_nobody_gets_an_email_before_being_added_or_after_leaving(account: Account) -> None:
    for part in account.engagement.values():
        for event in part.sends:
            contact = account.contacts[event.contact_id]
            assert contact["created_at"] <= stamp(part.sent_at)
            left = contact["email_address"].get("opt_out_date")
            assert left is None or left >= stamp(event.at)


def test_who_opted_out_of_a_campaign_is_unsubscribed() -> None:
    account = make(contacts=400, campaigns=24)
    left = {event.contact_id for part in account.engagement.values() for event in part.optouts}
    assert left
    for contact_id in left:
        email = account.contacts[contact_id]["email_address"]
        assert email["permission_to_send"] == "unsubscribed"
        assert email["opt_out_date"] == email["updated_at"]


def test_counters_agree_with_each_other(account: Account) -> None:
    for campaign_id in account.campaigns:
        parts = account.engagements(campaign_id)
        if not parts:
            continue
        counts, unique = stats(parts), unique_counts(parts)
        assert counts["em_sends"] >= counts["em_opens"] >= counts["em_clicks"]
        for total in ("em_opens_all", "em_clicks_all"):
            devices = [value for name, value in counts.items() if name.startswith(f"{total}_")]
            assert len(devices) == 5
            assert sum(devices) == counts[total]
        not_opened = counts["em_sends"] - counts["em_opens"] - counts["em_bounces"]
        assert counts["em_not_opened"] == max(0, not_opened)
        assert counts["em_opens_all"] == sum(len(part.opens) for part in parts)
        assert counts["em_clicks_all"] == sum(len(part.clicks) for part in parts)
        for kind in ("sends", "opens", "clicks", "forwards", "optouts", "bounces", "not_opened"):
            assert unique[kind] == counts[f"em_{kind}"]


def test_what_was_not_opened_is_never_less_than_nothing() -> None:
    part = Engagement(0, {})
    part.sends = part.opens = part.bounces = [Event(0, "who bounced and opened a resend")]
    assert unique_counts([part])["not_opened"] == stats([part])["em_not_opened"] == 0


def test_the_stats_of_activities_count_the_rows(account: Account) -> None:
    expected_rows = rows(account)
    kinds = ("sends", "opens", "clicks", "forwards", "optouts", "bounces", "did_not_opens")
    counted = {kind: Counter(key[0] for key in expected_rows[f"email_{kind}"]) for kind in kinds}
    unique_opens = Counter(key[0] for key in expected_rows["email_unique_opens"])
    for (id_,), row in expected_rows["email_campaign_activity_stats"].items():
        stats = row["stats"]
        assert stats["em_sends"] == counted["sends"][id_]
        assert stats["em_opens_all"] == counted["opens"][id_]
        assert stats["em_opens"] == unique_opens[id_]
        assert stats["em_clicks_all"] == counted["clicks"][id_]
        assert stats["em_not_opened"] == counted["did_not_opens"][id_]
        bounces = [count for name, count in stats.items() if name.startswith("em_bounces_")]
        assert stats["em_bounces"] == sum(bounces) == counted["bounces"][id_]


def test_the_clicks_of_links_are_those_of_contacts(account: Account) -> None:
    expected_rows = rows(account)
    clicks = {(key[0], key[2], key[1]) for key in expected_rows["email_clicks"]}
    counted = Counter(key[:2] for key in clicks)
    links = expected_rows["email_links"]
    assert {
        key: row["unique_clicks"] for key, row in links.items() if row["unique_clicks"]
    } == counted
    assert any(not row["unique_clicks"] for row in links.values())


def test_rows_can_agree_in_everything(account: Account) -> None:
    streams = rows(account)
    for name in ("email_opens", "email_clicks", "landing_page_contact_opens"):
        again = [key for key in streams[name] if key[-1] > 0]
        assert again, name
        assert all((*key[:-1], key[-1] - 1) in streams[name] for key in again)


def test_even_a_small_account_has_rows_of_every_stream() -> None:
    for name, records in rows(make(contacts=60, campaigns=6, seed=1)).items():
        assert records, name


def test_only_the_streams_that_are_named_are_collected(account: Account) -> None:
    assert set(expected(account, PRIVILEGES, {"events", "email_sends"})) == {
        "events", "email_sends",
    }  # fmt: skip
    assert len(rows(account)) == 53


def test_a_second_sending_reaches_others(account: Account) -> None:
    twice = [part for part in account.engagement.values() if len(part.sendings) > 1]
    assert twice
    for part in twice:
        reached = [event.contact_id for event in part.sends]
        assert len(set(reached)) == len(reached) == sum(item.reached for item in part.sendings)


def test_resends_are_drafts_then_scheduled_then_sent() -> None:
    account = make(campaigns=24)
    statuses = {row["resend_status"] for row in account.resends.values()}
    assert statuses == {"DRAFT", "SCHEDULED", "SENT"}
    for row in account.resends.values():
        assert (row["resend_request_id"] == "DRAFT") == (row["resend_status"] == "DRAFT")
        assert ("delay_days" in row) != ("delay_minutes" in row)
        assert ("resend_date" in row) == (row["resend_status"] == "SENT")


def test_contacts_did_what_the_reports_say(account: Account) -> None:
    streams = rows(account)
    types = Counter(key[2] for key in streams["contact_activity_details"])
    for type_, stream in (
        ("em_sends", "email_sends"),
        ("em_opens", "email_opens"),
        ("em_clicks", "email_clicks"),
        ("em_bounces", "email_bounces"),
        ("p_contact_open", "landing_page_contact_opens"),
        ("p_contact_add", "landing_page_unique_adds"),
    ):
        assert types[type_] == len(streams[stream]), type_
    summaries = streams["contact_activity_summaries"].values()
    assert sum(row["em_opens"] for row in summaries) == types["em_opens"]
    for (contact_id,), row in streams["contact_open_click_rates"].items():
        sent = sum(key[0] == contact_id for key in streams["contact_activity_summaries"])
        assert row["included_activities_count"] == sent
        assert 1 >= row["average_open_rate"] >= row["average_click_rate"] >= 0


def test_nobody_does_anything_before_being_added(account: Account) -> None:
    for page in account.landing_pages.values():
        for event in [*page.opens, *page.clicks, *page.adds, *page.updates, *page.sms_optins]:
            assert account.contacts[event.contact_id]["created_at"] <= stamp(event.at + 59)
    for registrations in account.registrations.values():
        for row in registrations.values():
            contact = account.contacts[row["contact_id"]]
            assert comparable(contact["created_at"]) <= comparable(row["registration_date"])


def test_ids_of_the_old_api_belong_to_records(account: Account) -> None:
    assert set(account.v2_contact_ids.values()) < set(account.contacts)
    assert set(account.v2_list_ids.values()) < set(account.lists)
    assert set(account.v2_campaign_ids.values()) < set(account.campaigns)


def test_segments_hold_who_meets_their_criteria(account: Account) -> None:
    streams = rows(account)
    for segment_id, segment in account.segments.items():
        held = {key[1] for key in streams["segment_contacts"] if key[0] == segment_id}
        assert held == {row["contact_id"] for row in members(account, segment)}
        assert not any("deleted_at" in account.contacts[contact_id] for contact_id in held)


def test_rates_follow_their_definitions() -> None:
    counts = dict.fromkeys(stats([]), 0)
    assert set(percents(counts).values()) == {0.0}
    counts.update(em_sends=210, em_bounces=10, em_opens=50, em_clicks=10, em_optouts=1)
    rates = percents(counts)
    assert (rates["bounce"], rates["open"], rates["click"], rates["unsubscribe"]) == (
        4.8,
        25,
        20,
        0.5,
    )


def test_only_what_was_changed_differs(account: Account) -> None:
    before = rows(account)
    account.now = lambda: LATER
    done = change(account)
    after = rows(account)
    contacts = {id_ for name, ids in done.items() if name.startswith("contacts_") for id_ in ids}
    assert _differing(before["contacts"], after["contacts"]) == contacts
    assert _differing(before["email_campaigns"], after["email_campaigns"]) == {
        *done["campaigns_added"], *done["drafts_sent"],
    }  # fmt: skip
    assert _differing(before["email_campaign_stats"], after["email_campaign_stats"]) == {
        *done["campaigns_added"], *done["drafts_sent"], *done["campaigns_engaged"],
    }  # fmt: skip
    assert _differing(before["segments"], after["segments"]) == set(done["segments_edited"])
    assert set(done["lists_renamed"]) <= _differing(before["contact_lists"], after["contact_lists"])
    assert set(done["tags_renamed"]) <= _differing(before["contact_tags"], after["contact_tags"])
    for stream, what in (
        ("sms_campaign_summaries", "sms_campaigns_moved"),
        ("events", "events_registered_for"),
        ("bulk_activities", "bulk_activities_added"),
        ("automations", "automations_edited"),
    ):
        assert _differing(before[stream], after[stream]) == set(done[what])
    changed = {key[1] for key in _changed(before, after, "event_registrations")}
    assert changed > set(done["registrations_changed"])
    assert len(changed) == 2
    assert all(ids for name, ids in done.items() if name != "contacts_opted_out")


def _changed(before: dict[str, Rows], after: dict[str, Rows], stream: str) -> list[Any]:
    return [key for key, row in after[stream].items() if before[stream].get(key) != row]


def _differing(before: Rows, after: Rows) -> set[Any]:
    return {key for (key,), record in after.items() if before.get((key,)) != record}


def test_changes_move_the_dates_that_the_api_moves(account: Account) -> None:
    before = rows(account)["contacts"]
    account.now = lambda: LATER
    done = change(account)

    def moved(contact_id: str) -> tuple[bool, bool]:
        old, new = before[(contact_id,)], account.contacts[contact_id]
        email = new.get("email_address", {}).get("updated_at")
        return new["updated_at"] == stamp(LATER) != old["updated_at"], email == stamp(LATER)

    assert [moved(id_)[0] for id_ in done["contacts_edited"]] == [True, True, True]
    assert [moved(id_) for id_ in done["contacts_unsubscribed"]] == [(False, True), (False, True)]
    assert [moved(id_) for id_ in done["contacts_resubscribed"]] == [(False, True)]
    assert [moved(id_) for id_ in done["contacts_moved"]] == [(False, False)]
    assert [moved(id_)[0] for id_ in done["contacts_deleted"]] == [True]


def test_deleting_can_leave_updated_at_alone() -> None:
    account = make(deleting_moves_updated_at=False)
    account.now = lambda: LATER
    (contact_id,) = change(account)["contacts_deleted"]
    assert account.contacts[contact_id]["updated_at"] < stamp(NOW)
    assert account.contacts[contact_id]["deleted_at"] == "2026-03-01"


def test_changes_are_deterministic() -> None:
    one, other = make(), make()
    assert [change(one), change(one)] == [change(other), change(other)]
    assert rows(one) == rows(other)


def test_an_engaged_campaign_gets_newer_opens_and_keeps_the_old(account: Account) -> None:
    (campaign_id,) = change(account)["campaigns_engaged"]
    parts = account.engagements(campaign_id)
    old = [list(part.opens) for part in parts]
    account.now = lambda: LATER
    account.engage(campaign_id)
    for part, opens in zip(parts, old, strict=True):
        assert part.opens[: len(opens)] == opens
    assert max(event.at for event in parts[0].opens) == LATER - LATER % 60
    assert parts[0].refreshed_at == LATER


def sent_campaign(account: Account) -> str:
    """Name the sent campaign that reached most contacts and has no resend."""
    without = [
        id_
        for id_, campaign in account.campaigns.items()
        if campaign["current_status"] == "Done" and len(account.engagements(id_)) == 1
    ]
    return max(without, key=lambda id_: len(account.reached_by(id_)))


def primary(account: Account, campaign_id: str) -> str:
    return str(account.activity(campaign_id, "primary_email")["campaign_activity_id"])


def counters(streams: dict[str, Rows], campaign_id: str) -> dict[str, int]:
    told: dict[str, int] = streams["email_campaign_stats"][(campaign_id,)]["stats"]
    return told


HAPPEN = ("opens", "clicks", "forwards", "optouts", "bounces")
STREAM_OF = {kind: f"email_{kind}" for kind in HAPPEN}
TOTAL = {"opens": "em_opens_all", "clicks": "em_clicks_all"}


@pytest.mark.parametrize("by", ["campaign", "activity"])
@pytest.mark.parametrize("kind", STREAM_OF)
def test_something_can_happen_to_an_email(account: Account, kind: str, by: str) -> None:
    campaign_id = sent_campaign(account)
    activity_id = primary(account, campaign_id)
    before = rows(account)
    account.now = lambda: LATER
    events = account.happen(campaign_id if by == "campaign" else activity_id, kind, 3)
    after = rows(account)
    name = TOTAL.get(kind, f"em_{kind}")
    moved = counters(after, campaign_id)[name] - counters(before, campaign_id)[name]
    assert moved == len(events) == len({event.contact_id for event in events}) == 3
    new = after[STREAM_OF[kind]].keys() - before[STREAM_OF[kind]].keys()
    assert {key[0] for key in new} == {activity_id}
    assert [row["created_time"] for key in new for row in [after[STREAM_OF[kind]][key]]] == [
        stamp_ms(LATER - LATER % 60)
    ] * 3
    assert before["email_campaigns"] == after["email_campaigns"]
    left = {event.contact_id for event in events} if kind == "optouts" else set()
    assert {key for (key,) in _changed(before, after, "contacts")} == left


@pytest.mark.parametrize("kind", STREAM_OF)
def test_who_was_counted_already_moves_no_unique_counter(account: Account, kind: str) -> None:
    campaign_id = sent_campaign(account)
    (first,) = account.happen(campaign_id, kind)
    before = rows(account)
    account.happen(campaign_id, kind, contact_id=first.contact_id)
    after = rows(account)
    assert counters(before, campaign_id)[f"em_{kind}"] == counters(after, campaign_id)[f"em_{kind}"]
    assert len(after[STREAM_OF[kind]]) == len(before[STREAM_OF[kind]]) + 1


def test_an_event_can_arrive_late_and_disappear(account: Account) -> None:
    campaign_id = sent_campaign(account)
    before = rows(account)
    sent_at = account.engagements(campaign_id)[0].sent_at
    (event,) = account.happen(campaign_id, "opens", at=sent_at + HOUR)
    late = rows(account)
    (key,) = late["email_opens"].keys() - before["email_opens"].keys()
    assert key[2] == stamp_ms(event.at) < stamp_ms(NOW)
    assert (
        counters(late, campaign_id)["em_opens_all"]
        == 1 + (counters(before, campaign_id)["em_opens_all"])
    )
    assert account.take_back(campaign_id, "opens") == [event]
    after = rows(account)
    assert after["email_opens"] == before["email_opens"]
    assert after["contact_activity_details"] == before["contact_activity_details"]
    assert counters(after, campaign_id) == counters(before, campaign_id)
    everything = len(account.engagements(campaign_id)[0].opens)
    assert len(account.take_back(campaign_id, "opens", everything + 5)) == everything
    assert counters(rows(account), campaign_id)["em_opens_all"] == 0


def test_what_appears_and_what_disappears_does_not_make_up_for_each_other(account: Account) -> None:
    campaign_id = sent_campaign(account)
    rows(account)
    account.take_back(campaign_id, "opens")
    account.happen(campaign_id, "opens")
    streams = rows(account)
    types = Counter(key[:3] for key in streams["contact_activity_details"])
    opens = Counter((key[1], key[0], "em_opens") for key in streams["email_opens"])
    assert opens == Counter({key: n for key, n in types.items() if key[2] == "em_opens"})


def test_nothing_happens_to_an_email_that_reached_nobody() -> None:
    account = make(contacts=0)
    sent = next(iter(account.engagement))
    with pytest.raises(ValueError, match="no contact received"):
        account.happen(sent, "opens")


def test_a_sent_campaign_can_be_sent_again(account: Account) -> None:
    campaign_id = sent_campaign(account)
    before = rows(account)
    account.now = lambda: LATER
    account.resend_campaign(campaign_id)
    after = rows(account)
    again = account.activity(campaign_id, "resend")["campaign_activity_id"]
    assert (again,) in after["email_campaign_activities"]
    assert {key[0] for key in _changed(before, after, "email_sends")} == {again}
    assert _differing(before["email_campaigns"], after["email_campaigns"]) == {campaign_id}
    campaign = after["email_campaigns"][(campaign_id,)]
    assert campaign["updated_at"] == before["email_campaigns"][(campaign_id,)]["updated_at"]
    assert after["email_campaign_summaries"][(campaign_id,)]["last_sent_date"] == stamp_ms(LATER)
    # Those who get it were counted already.
    sends = counters(after, campaign_id)["em_sends"]
    assert sends == counters(before, campaign_id)["em_sends"]


def test_a_sent_campaign_can_go_to_more_contacts_now(account: Account) -> None:
    campaign_id = sent_campaign(account)
    account.now = lambda: LATER
    account.send_on(campaign_id)
    (part,) = account.engagements(campaign_id)
    assert part.sent_at == LATER
    assert max(event.at for event in part.opens) <= LATER


def test_a_removed_campaign_has_no_reports(account: Account) -> None:
    campaign_id = sent_campaign(account)
    activity_id = primary(account, campaign_id)
    before = rows(account)
    account.set_status(campaign_id, "Removed", LATER)
    after = rows(account)
    assert after["email_campaigns"][(campaign_id,)]["current_status"] == "Removed"
    for name in ("email_campaign_summaries", "email_campaign_stats"):
        assert before[name].keys() - after[name].keys() == {(campaign_id,)}
    assert (activity_id,) not in after["email_campaign_activity_stats"]
    for name in ("email_sends", "email_opens", "email_links"):
        gone = before[name].keys() - after[name].keys()
        assert {key[0] for key in gone} == {activity_id}
    account.set_status(campaign_id, "Done", LATER)
    assert rows(account)["email_opens"] == before["email_opens"]


def test_counters_can_be_behind_reports(account: Account) -> None:
    campaign_id = sent_campaign(account)

    def told(moment: int) -> dict[str, Rows]:
        account.now = lambda: moment
        return expected(account, PRIVILEGES, stats_lag=300)

    before = told(LATER)
    old = counters(before, campaign_id)
    account.happen(campaign_id, "opens", 2)
    account.happen(campaign_id, "clicks", at=LATER - HOUR)
    for moment, opens, clicks in ((LATER, 0, 0), (LATER + 299, 0, 0), (LATER + 300, 2, 1)):
        after = told(moment)
        assert len(after["email_opens"]) == len(before["email_opens"]) + 2
        new = counters(after, campaign_id)
        assert new["em_opens_all"] - old["em_opens_all"] == opens
        assert new["em_clicks_all"] - old["em_clicks_all"] == clicks
        assert (new == old) == (not opens)
        summary = after["email_campaign_summaries"][(campaign_id,)]["unique_counts"]
        assert summary["opens"] == new["em_opens"]
        activity = after["email_campaign_activity_stats"][(primary(account, campaign_id),)]
        assert activity["stats"]["em_opens_all"] == new["em_opens_all"]
    refreshed = after["email_campaign_stats"][(campaign_id,)]["last_refresh_time"]
    assert refreshed == stamp_ms(LATER)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2018-3-31", "2018-03-31T00:00:00"),
        ("2022-03-11T22:09:02Z", "2022-03-11T22:09:02"),
        ("2022-03-11T22:09:02.000Z", "2022-03-11T22:09:02"),
        ("2022-03-11T22:09:02.5Z", "2022-03-11T22:09:02.500000"),
        ("2022-03-11T22:09:02+02:00", "2022-03-11T20:09:02"),
        ("2022-03-11T22:09:02-0500", "2022-03-12T03:09:02"),
    ],
)
def test_moments_of_requests_are_read(text: str, meaning: str) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2022-13-01", "2022-03-11T22:09:02", "2022-03-11T22:09:02 00:00"],
)
def test_moments_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse(text)


def test_moments_compare_across_their_forms() -> None:
    assert comparable(stamp(NOW)) == comparable(stamp_ms(NOW)) == parse("2026-03-01T12:00:00Z")
    assert comparable(stamp(NOW)) < parse("2026-03-01T12:00:00.500Z") < comparable(stamp(NOW + 1))
