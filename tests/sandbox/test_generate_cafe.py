"""The account of the café: a story that a report can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from sandbox import Account, Sandbox
from sandbox.account.clock import DAY, HOUR, comparable, stamp
from sandbox.account.engagement import Engagement, unique_counts
from sandbox.generate.cafe import generate_cafe
from sandbox.generate.cafe.calendar import eastern, events, in_boston, letters
from sandbox.generate.cafe.readers import DEVICES
from sandbox.generate.changes import change
from sandbox.generate.sample_values import LAST_NAMES
from sandbox.server.expected import STREAMS, expected
from sandbox.server.options import PRIVILEGES

NOW = int(datetime(2026, 11, 27, 14, tzinfo=timezone.utc).timestamp())
# The days of a year and a half, two and a half weeks apart.
MOMENTS = [NOW + number * (17 * DAY + 5 * HOUR) for number in range(32)]
SUMMER = (7, 8)
BAD = "PLEASE READ"


def make(contacts: int = 400, seed: int = 1, at: int = NOW) -> Account:
    return generate_cafe(contacts=contacts, seed=seed, now=lambda: at)


@cache
def cafe() -> Account:
    """The account of tests that only read."""
    return make()


def sent(account: Account) -> dict[str, Engagement]:
    """Return the first send of each campaign, by name."""
    return {
        campaign["name"]: parts[0]
        for id_, campaign in account.campaigns.items()
        if (parts := account.engagements(id_))
    }


def rate(part: Engagement, kind: str) -> float:
    counts = unique_counts([part])
    whole = counts["sends"] - (0 if kind == "bounces" else counts["bounces"])
    return counts[kind] / whole


def usual(account: Account, kind: str, fits: Callable[[datetime], bool] = bool) -> float:
    """Return the median of a rate of ordinary campaigns, by when they were sent."""
    rates = [
        rate(part, kind)
        for name, part in sent(account).items()
        if BAD not in name and fits(in_boston(part.sent_at))
    ]
    return median(rates)


def bad_send(account: Account) -> Engagement:
    (part,) = (part for name, part in sent(account).items() if BAD in name)
    return part


def test_equal_arguments_make_equal_accounts() -> None:
    first, again = (expected(make(60), PRIVILEGES) for _ in range(2))
    assert first == again
    assert first["contacts"] != expected(make(60, seed=2), PRIVILEGES)["contacts"]


@pytest.mark.parametrize("contacts", [0, 1, 30])
def test_small_cafe_can_be_generated_and_changed(contacts: int) -> None:
    account = make(contacts)
    assert len(account.contacts) == contacts
    assert len(change(account)["contacts_added"]) == 3


def test_every_stream_has_rows() -> None:
    found = expected(cafe(), PRIVILEGES)
    assert sorted(found) == sorted(STREAMS)
    assert [name for name, rows in found.items() if not rows] == []


def test_nothing_happened_in_the_last_hour() -> None:
    account = cafe()
    moments = [event.at for part in sent(account).values() for event in (*part.opens, *part.clicks)]
    assert max(moments) <= NOW - HOUR
    for contact in account.contacts.values():
        assert contact["updated_at"] <= stamp(NOW - HOUR)
        assert (
            contact["email_address"]["updated_at"] <= stamp(NOW)
            if "email_address" in contact
            else 1
        )


@pytest.mark.parametrize("now", MOMENTS)
def test_sixty_campaigns_are_about_a_week_apart_whenever_it_starts(now: int) -> None:
    written = letters(now)
    assert len(written) == len({letter.name for letter in written}) == 60
    moments = [letter.at for letter in written]
    assert moments == sorted(moments)
    assert 0 < now - moments[-1] < 3 * 7 * DAY
    assert 500 * DAY < now - moments[0] < 560 * DAY
    assert sum(in_boston(at).weekday() == 3 for at in moments) >= 30
    gaps = [later - at for at, later in pairwise(moments[20:]) if in_boston(at).month not in SUMMER]
    assert 6 * DAY <= median(gaps) <= 8 * DAY
    assert sum(letter.is_bad for letter in written) == 1
    assert sum(letter.is_ab_test for letter in written) == 2


@pytest.mark.parametrize("now", MOMENTS)
def test_invitations_come_three_weeks_before_their_events(now: int) -> None:
    invitations = [letter for letter in letters(now) if letter.event]
    assert len(invitations) >= 9
    for letter in invitations:
        assert letter.event
        assert 18 * DAY < letter.event.starts - letter.at < 28 * DAY
        assert letter.event.name in letter.subject
    assert any(event.starts > now for event in events(now))


def test_events_are_in_their_seasons() -> None:
    months = {event.name: event.day.month for event in events(NOW)}
    assert months["Valentine's supper"] == 2
    assert months["Spring tasting"] == 4
    assert months["Harvest dinner"] == 10
    assert months["Holiday cookie class"] == 12


@pytest.mark.parametrize(
    ("day", "utc"),
    [((2026, 3, 7), 15), ((2026, 3, 8), 14), ((2026, 10, 31), 14), ((2026, 11, 1), 15)],
)
def test_clock_of_boston_follows_daylight_saving(day: tuple[int, int, int], utc: int) -> None:
    moment = datetime(*day, utc, tzinfo=timezone.utc)
    assert eastern(moment.date(), 10) == moment.timestamp()
    assert in_boston(int(moment.timestamp())) == datetime(*day, 10)  # noqa: DTZ001


def test_rates_are_those_of_small_businesses() -> None:
    account = cafe()
    assert 0.3 < usual(account, "opens") < 0.5
    assert 0.015 < usual(account, "clicks") < 0.06
    assert 0.002 < usual(account, "bounces") < 0.02
    assert 0 <= usual(account, "optouts") < 0.005


def test_summer_dips() -> None:
    def summer(at: datetime) -> bool:
        return at.month in SUMMER and at.year == 2026

    def spring(at: datetime) -> bool:
        return at.month in (3, 4, 5) and at.year == 2026

    account = cafe()
    assert usual(account, "opens", summer) < 0.85 * usual(account, "opens", spring)
    months = Counter(
        (moment.year, moment.month)
        for part in sent(account).values()
        for moment in [in_boston(part.sent_at)]
    )
    assert max(months[2026, 7], months[2026, 8]) < min(months[2026, 9], months[2026, 10])


def test_one_send_went_wrong() -> None:
    account = cafe()
    part = bad_send(account)
    assert 5 * 7 * DAY < NOW - part.sent_at < 12 * 7 * DAY
    assert rate(part, "opens") < 0.7 * usual(account, "opens")
    assert rate(part, "bounces") > 5 * usual(account, "bounces")
    assert rate(part, "optouts") > 0.008
    (old,) = (row for row in account.lists.values() if row["name"] == "2019 customer file")
    assert old["deleted_at"] > stamp(part.sent_at)
    assert not any(old["list_id"] in row["list_memberships"] for row in account.contacts.values())


def test_opens_differ_by_weekday() -> None:
    account = cafe()

    def weekday(number: int) -> float:
        return usual(account, "opens", lambda at: at.weekday() == number and at.month not in SUMMER)

    assert weekday(0) < weekday(3) < weekday(6)


def test_contacts_grow_cold() -> None:
    account = cafe()
    reached, readers = Counter[str](), dict[str, int]()
    for part in sent(account).values():
        reached.update(part.reached)
        for event in part.opens:
            readers[event.contact_id] = max(event.at, readers.get(event.contact_id, 0))
    cold = [id_ for id_, at in readers.items() if reached[id_] > 20 and at < NOW - 120 * DAY]
    assert 0.05 < len(cold) / len(account.contacts) < 0.3


def test_hard_bounces_put_an_address_on_hold() -> None:
    account = cafe()
    on_hold = {
        id_
        for id_, contact in account.contacts.items()
        if contact.get("email_address", {}).get("permission_to_send") == "temp_hold"
    }
    bounces = [event for part in sent(account).values() for event in part.bounces]
    hard = Counter(event.contact_id for event in bounces if event.bounce_code in "BS")
    assert on_hold
    assert all(hard[id_] >= 1 for id_ in on_hold)
    assert {event.bounce_code for event in bounces} >= {"B", "F", "V", "Z"}


def test_resends_go_to_those_who_did_not_open() -> None:
    account = cafe()
    pairs = [parts for id_ in account.campaigns if len(parts := account.engagements(id_)) > 1]
    assert len(pairs) == 5
    for first, again in pairs:
        before = {event.contact_id for event in first.opens if event.at <= again.sent_at}
        assert not before & {event.contact_id for event in again.sends}
        assert rate(again, "opens") < rate(first, "opens")


def test_most_read_on_their_phones_and_each_on_one_device() -> None:
    devices: dict[str, set[str]] = {}
    for part in sent(cafe()).values():
        for event in part.opens:
            devices.setdefault(event.contact_id, set()).add(event.device)
    assert all(len(own) == 1 for own in devices.values())
    counts = Counter(device for own in devices.values() for device in own)
    assert counts.keys() == {*DEVICES}
    assert counts["mobile"] > counts["computer"] > counts["tablet"]


def test_tags_and_fields_have_a_use() -> None:
    account = cafe()
    tags = {tag["name"]: id_ for id_, tag in account.tags.items()}
    lists = {list_["name"]: id_ for id_, list_ in account.lists.items()}
    came = {
        row["contact_id"]
        for registrations in account.registrations.values()
        for row in registrations.values()
        if row["checkedIn_tickets"]
    }
    for contact in account.contacts.values():
        if lists["Regulars"] in contact["list_memberships"]:
            assert tags["Gold card"] in contact["taggings"]
        if tags["Class alumni"] in contact["taggings"]:
            assert contact["contact_id"] in came
        if lists["Last-minute tables (mail & text)"] in contact["list_memberships"]:
            assert "sms_channel" in contact
    used = {
        value["custom_field_id"]
        for row in account.contacts.values()
        for value in row["custom_fields"]
    }
    assert used == account.custom_fields.keys()


def test_people_register_between_invitation_and_event() -> None:
    account = cafe()
    statuses = Counter(event["status"] for event in account.events.values())
    assert statuses["COMPLETE"] >= 8
    assert statuses["ACTIVE"] == 2
    for id_, registrations in account.registrations.items():
        starts = account.events[id_]["event_start"]
        for row in registrations.values():
            assert comparable(row["registration_date"]) < comparable(starts)


def test_texts_reach_only_whoever_agreed() -> None:
    account = cafe()
    agreed = sum("sms_channel" in contact for contact in account.contacts.values())
    assert len(account.sms_campaigns) >= 8
    for campaign in account.sms_campaigns.values():
        counts = campaign["unique_counts"]
        assert agreed >= counts["sends"] >= counts["delivers"] > counts["clicks"] >= 0


def test_changes_keep_its_tone() -> None:
    account = make(60)
    done = change(account)
    (added,) = done["campaigns_added"]
    assert account.campaigns[added]["name"] == "A table is free tonight"
    (renamed,) = done["lists_renamed"]
    assert account.lists[renamed]["name"] == "Catering & offices (2)"
    for contact_id in done["contacts_edited"]:
        assert account.contacts[contact_id]["last_name"] in LAST_NAMES


def test_later_campaigns_reach_the_same_contacts() -> None:
    clock = [NOW]
    account = generate_cafe(contacts=400, seed=1, now=lambda: clock[0])
    clock[0] += DAY
    (draft,) = change(account)["drafts_sent"]
    (part,) = account.engagements(draft)
    assert len(part.sends) > 200
    assert rate(part, "bounces") < 0.05
    assert 0 < rate(part, "opens") < 0.2  # it has just been sent


def test_sandbox_serves_a_cafe() -> None:
    now = datetime.fromtimestamp(NOW, timezone.utc)
    options: dict[str, Any] = {"profile": "cafe", "contacts": 30, "now": now}
    account = Sandbox(**options).account
    assert len(account.contacts) == 30
    assert (
        sum(campaign["current_status"] == "Done" for campaign in account.campaigns.values()) == 60
    )
    assert NOW <= account.now() <= NOW + timedelta(minutes=5).total_seconds()
