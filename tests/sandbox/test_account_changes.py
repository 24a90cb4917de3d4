"""Changes of an account: a round of all kinds, and single events."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sandbox_accounts import LATER, NOW, changed_keys, counters, make, primary, rows, sent_campaign

from sandbox import Account
from sandbox.account.clock import HOUR, stamp, stamp_ms
from sandbox.account.rules import Rules
from sandbox.generate.changes import change
from sandbox.server.expected import Rows


@pytest.fixture
def account() -> Account:
    return make()


def test_change_returns_exactly_the_changed_ids(account: Account) -> None:
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
        ("sms_campaign_summaries", "sms_campaigns_clicked"),
        ("events", "events_registered_for"),
        ("bulk_activities", "bulk_activities_added"),
        ("automations", "automations_edited"),
    ):
        assert _differing(before[stream], after[stream]) == set(done[what])
    changed = {key[1] for key in changed_keys(before, after, "event_registrations")}
    assert changed > set(done["registrations_changed"])
    assert len(changed) == 2
    assert all(ids for name, ids in done.items() if name != "contacts_opted_out")


def _differing(before: Rows, after: Rows) -> set[Any]:
    return {key for (key,), record in after.items() if before.get((key,)) != record}


def test_change_updates_the_dates_that_the_api_updates(account: Account) -> None:
    before = rows(account)["contacts"]
    account.now = lambda: LATER
    done = change(account)

    def updated(contact_id: str) -> tuple[bool, bool]:
        old, new = before[(contact_id,)], account.contacts[contact_id]
        email = new.get("email_address", {}).get("updated_at")
        return new["updated_at"] == stamp(LATER) != old["updated_at"], email == stamp(LATER)

    assert [updated(id_)[0] for id_ in done["contacts_edited"]] == [True, True, True]
    assert [updated(id_) for id_ in done["contacts_unsubscribed"]] == [(False, True), (False, True)]
    assert [updated(id_) for id_ in done["contacts_resubscribed"]] == [(False, True)]
    assert [updated(id_) for id_ in done["contacts_off_lists"]] == [(False, False)]
    assert [updated(id_)[0] for id_ in done["contacts_deleted"]] == [True]


def test_deleting_moves_updated_at_option_keeps_the_date() -> None:
    account = make(rules=Rules(deleting_moves_updated_at=False))
    account.now = lambda: LATER
    (contact_id,) = change(account)["contacts_deleted"]
    assert account.contacts[contact_id]["updated_at"] < stamp(NOW)
    assert account.contacts[contact_id]["deleted_at"] == "2026-03-01"


def test_change_is_deterministic() -> None:
    one, other = make(), make()
    assert [change(one), change(one)] == [change(other), change(other)]
    assert rows(one) == rows(other)


def test_engage_adds_newer_opens(account: Account) -> None:
    (campaign_id,) = change(account)["campaigns_engaged"]
    parts = account.engagements(campaign_id)
    old = [list(part.opens) for part in parts]
    account.now = lambda: LATER
    account.engage(campaign_id)
    for part, opens in zip(parts, old, strict=True):
        assert part.opens[: len(opens)] == opens
    assert max(event.at for event in parts[0].opens) == LATER - LATER % 60
    assert parts[0].refreshed_at == LATER


HAPPEN = ("opens", "clicks", "forwards", "optouts", "bounces")

STREAM_OF = {kind: f"email_{kind}" for kind in HAPPEN}

TOTAL = {"opens": "em_opens_all", "clicks": "em_clicks_all"}


@pytest.mark.parametrize("by", ["campaign", "activity"])
@pytest.mark.parametrize("kind", STREAM_OF)
def test_add_events_adds_events_to_counters_and_reports(
    account: Account, kind: str, by: str
) -> None:
    campaign_id = sent_campaign(account)
    activity_id = primary(account, campaign_id)
    before = rows(account)
    account.now = lambda: LATER
    events = account.add_events(campaign_id if by == "campaign" else activity_id, kind, 3)
    after = rows(account)
    name = TOTAL.get(kind, f"em_{kind}")
    added = counters(after, campaign_id)[name] - counters(before, campaign_id)[name]
    assert added == len(events) == len({event.contact_id for event in events}) == 3
    new = after[STREAM_OF[kind]].keys() - before[STREAM_OF[kind]].keys()
    assert {key[0] for key in new} == {activity_id}
    assert [row["created_time"] for key in new for row in [after[STREAM_OF[kind]][key]]] == [
        stamp_ms(LATER - LATER % 60)
    ] * 3
    assert before["email_campaigns"] == after["email_campaigns"]
    left = {event.contact_id for event in events} if kind == "optouts" else set()
    assert {key for (key,) in changed_keys(before, after, "contacts")} == left


@pytest.mark.parametrize("kind", STREAM_OF)
def test_add_events_with_a_counted_contact_keeps_unique_counters(
    account: Account, kind: str
) -> None:
    campaign_id = sent_campaign(account)
    (first,) = account.add_events(campaign_id, kind)
    before = rows(account)
    account.add_events(campaign_id, kind, contact_id=first.contact_id)
    after = rows(account)
    assert counters(before, campaign_id)[f"em_{kind}"] == counters(after, campaign_id)[f"em_{kind}"]
    assert len(after[STREAM_OF[kind]]) == len(before[STREAM_OF[kind]]) + 1


def test_add_events_in_the_past_and_remove_events_restore_the_reports(account: Account) -> None:
    campaign_id = sent_campaign(account)
    before = rows(account)
    sent_at = account.engagements(campaign_id)[0].sent_at
    (event,) = account.add_events(campaign_id, "opens", at=sent_at + HOUR)
    late = rows(account)
    (key,) = late["email_opens"].keys() - before["email_opens"].keys()
    assert key[2] == stamp_ms(event.at) < stamp_ms(NOW)
    assert (
        counters(late, campaign_id)["em_opens_all"]
        == 1 + (counters(before, campaign_id)["em_opens_all"])
    )
    assert account.remove_events(campaign_id, "opens") == [event]
    after = rows(account)
    assert after["email_opens"] == before["email_opens"]
    assert after["contact_activity_details"] == before["contact_activity_details"]
    assert counters(after, campaign_id) == counters(before, campaign_id)
    everything = len(account.engagements(campaign_id)[0].opens)
    assert len(account.remove_events(campaign_id, "opens", everything + 5)) == everything
    assert counters(rows(account), campaign_id)["em_opens_all"] == 0


def test_activity_index_notices_one_removed_and_one_added_event(account: Account) -> None:
    campaign_id = sent_campaign(account)
    rows(account)
    account.remove_events(campaign_id, "opens")
    account.add_events(campaign_id, "opens")
    streams = rows(account)
    types = Counter(key[:3] for key in streams["contact_activity_details"])
    opens = Counter((key[1], key[0], "em_opens") for key in streams["email_opens"])
    assert opens == Counter({key: n for key, n in types.items() if key[2] == "em_opens"})


def test_add_events_without_recipients_raises() -> None:
    account = make(contacts=0)
    sent = next(iter(account.engagement))
    with pytest.raises(ValueError, match="no contact received"):
        account.add_events(sent, "opens")


def test_resend_campaign_adds_a_resend_activity(account: Account) -> None:
    campaign_id = sent_campaign(account)
    before = rows(account)
    account.now = lambda: LATER
    account.resend_campaign(campaign_id)
    after = rows(account)
    again = account.activity(campaign_id, "resend")["campaign_activity_id"]
    assert (again,) in after["email_campaign_activities"]
    assert {key[0] for key in changed_keys(before, after, "email_sends")} == {again}
    assert _differing(before["email_campaigns"], after["email_campaigns"]) == {campaign_id}
    campaign = after["email_campaigns"][(campaign_id,)]
    assert campaign["updated_at"] == before["email_campaigns"][(campaign_id,)]["updated_at"]
    assert after["email_campaign_summaries"][(campaign_id,)]["last_sent_date"] == stamp_ms(LATER)
    # Those who get it were counted already.
    sends = counters(after, campaign_id)["em_sends"]
    assert sends == counters(before, campaign_id)["em_sends"]


def test_send_to_all_lists_sends_to_more_contacts_now(account: Account) -> None:
    campaign_id = sent_campaign(account)
    account.now = lambda: LATER
    account.send_to_all_lists(campaign_id)
    (part,) = account.engagements(campaign_id)
    assert part.sent_at == LATER
    assert max(event.at for event in part.opens) <= LATER


def test_removed_campaign_has_no_reports(account: Account) -> None:
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
        removed = before[name].keys() - after[name].keys()
        assert {key[0] for key in removed} == {activity_id}
    account.set_status(campaign_id, "Done", LATER)
    assert rows(account)["email_opens"] == before["email_opens"]
