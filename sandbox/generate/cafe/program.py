"""The café's events with those who come, and its text messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, HOUR, MINUTE, seconds
from sandbox.generate.cafe import calendar, texts
from sandbox.generate.events import add_event, add_registration, check_in, set_registration_status
from sandbox.generate.sampling import between, chance
from sandbox.generate.sms import add_sms_campaign

if TYPE_CHECKING:
    from sandbox.account import Account
    from sandbox.generate.cafe.calendar import Event, Letter

SEATS, SEATS_OF_CLASS = 40, 14
UPCOMING = 3
INVITED = 22 * DAY  # before an event
JAZZ = "Soirée jazz"


def add_program(account: Account, letters: list[Letter]) -> None:
    """Add the events since the first campaign, and the next three; who clicked may register."""
    now = account.now()
    since = [event for event in calendar.events(now) if event.starts > letters[0].at + INVITED]
    past = [event for event in since if event.starts < now - 4 * HOUR]
    coming = [event for event in since if event.starts >= now - 4 * HOUR][:UPCOMING]
    canceled = [event for event in past if event.name == JAZZ][-1:]
    for number, event in enumerate([*past, *coming]):
        status = "CANCELLED" if event in canceled else "COMPLETE"
        if event in coming:
            status = ("ACTIVE", "ACTIVE", "DRAFT")[number - len(past)]
        event_id = add_event(
            account,
            event.name,
            status,
            event.starts,
            title=f"{event.name} {event.day.year}",
            created=min(event.starts - 40 * DAY, now - 10 * DAY),
        )
        if status in ("COMPLETE", "ACTIVE"):
            _register(account, event_id, event, letters)
        if status == "COMPLETE":
            check_in(account, event_id)
            _tag_alumni(account, event_id, event)
    test = now - 200 * DAY
    add_event(account, "Test event", "DELETED", test, title="Test event", created=test - 20 * DAY)


def _register(account: Account, event_id: str, event: Event, letters: list[Letter]) -> None:
    """Register those who clicked in the invitation, and some who saw a poster."""
    rng, until = account.rng, min(event.starts - HOUR, account.now() - HOUR)
    invited = next((letter.name for letter in letters if letter.event == event), None)
    moments: dict[str, int] = {}
    for campaign_id, campaign in account.campaigns.items():
        if campaign["name"] == invited:
            for part in account.engagements(campaign_id):
                moments |= {click.contact_id: click.at + 9 * MINUTE for click in part.clicks}
    since = min(event.starts - 20 * DAY, account.now() - 9 * DAY)
    known = [
        id_
        for id_, contact in account.contacts.items()
        if "deleted_at" not in contact and seconds(contact["created_at"]) < since
    ]
    for contact_id in rng.sample(known, min(12, len(known) // 3)):
        moments.setdefault(contact_id, between(rng, since, until))
    seats = SEATS_OF_CLASS if event.is_class else SEATS
    for contact_id, at in sorted(moments.items(), key=lambda item: item[1])[:seats]:
        registration_id = add_registration(account, event_id, contact_id, min(at, until))
        registration = account.registrations[event_id][registration_id]
        if registration["registration_status"] != "REGISTERED" and chance(rng, 0.7):
            set_registration_status(registration, "REGISTERED")


def _tag_alumni(account: Account, event_id: str, event: Event) -> None:
    """Tag who came to a class."""
    (alumni,) = (id_ for id_, tag in account.tags.items() if tag["name"] == texts.ALUMNI)
    for registration in account.registrations[event_id].values():
        taggings = account.contacts[registration["contact_id"]]["taggings"]
        if event.is_class and registration["checkedIn_tickets"] and alumni not in taggings:
            taggings.append(alumni)


def add_texts(account: Account, letters: list[Letter]) -> None:
    """Send a text message in the afternoon, three days after every sixth campaign."""
    rng, last = account.rng, account.now() - HOUR
    joined = [
        seconds(contact["created_at"])
        for contact in account.contacts.values()
        for consent in contact.get("sms_channel", {}).get("sms_channel_consents", [])
        if consent["sms_consent_permission"] in ("explicit", "unsubscribed")
    ]
    for number, letter in enumerate(letters[5::6]):
        at = min(letter.at + DAY + 5 * HOUR, last)
        sends = sum(moment < at for moment in joined)
        delivers = sends - round(sends * rng.uniform(0.01, 0.04))
        clicks = round(delivers * rng.uniform(0.08, 0.2))
        opt_outs = round(delivers * rng.uniform(0, 0.03))
        counts = {"sends": sends, "delivers": delivers, "opens": clicks, "clicks": clicks}
        text = texts.SMS[number % len(texts.SMS)]
        name = f"{text} ({calendar.in_boston(at):%b %Y})"
        add_sms_campaign(account, account.new_id(), name, at, {**counts, "optouts": opt_outs})
