"""Generate an account from a seed: the data of a business after three years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account import Account, Record
from sandbox.account.clock import DAY, HOUR, YEAR, day, minute, stamp, stamp_ms, stamp_offset
from sandbox.account.engagement import LIVELY, TYPICAL, Event
from sandbox.account.rules import Rules
from sandbox.account.segments import write_criteria
from sandbox.generate import sample_values
from sandbox.generate.automations import add_automations
from sandbox.generate.bulk_activities import add_bulk_activities
from sandbox.generate.campaigns import CAMPAIGN_STATUSES, add_campaign
from sandbox.generate.contacts import CONTACT_KINDS, ContactGenerator
from sandbox.generate.events import add_events
from sandbox.generate.landing_pages import add_landing_pages
from sandbox.generate.partner import add_partner
from sandbox.generate.sampling import chance
from sandbox.generate.sms import add_sms_campaigns
from sandbox.generate.social import add_social
from sandbox.generate.v2_ids import add_v2_ids

if TYPE_CHECKING:
    from collections.abc import Callable

SMS_LISTS = (
    ("Text alerts", None, {"sms"}),
    ("Flash sale (mail & text)", None, {"sms", "email"}),
)
CHOICES = ("Apple", "Pear", "Crème brûlée", "Plum")
CUSTOM_FIELDS: tuple[tuple[str, str, Record], ...] = (
    ("Vehicle make and model", "string", {}),
    ("First visit", "date", {"display_format": "MM/DD/YYYY"}),
    ("Last booking", "datetime", {}),
    ("Number of guests", "number", {"integer": True, "decimal_places": 0, "allow_negative": False}),
    ("Yearly donation", "currency", {"currency_code": "USD", "decimal_places": 2}),
    ("Wants a call", "boolean", {}),
    ("Remarks", "text_area", {}),
    ("Favorite dessert", "single_select", {"display_type": "radio"}),
    ("Interests", "multi_select", {"display_type": "checkbox"}),
)
MAX_SENDS = 60_000  # large accounts stay quick to generate: many campaigns go to few contacts


def generate_account(
    *,
    contacts: int,
    campaigns: int,
    seed: int,
    now: Callable[[], int],
    audience: int = 0,
    rules: Rules | None = None,
) -> Account:
    """Generate an account. Equal arguments generate equal accounts.

    All of its timestamps are between three years and one hour before now, except those of
    scheduled campaigns and upcoming events.
    """
    account = Account(
        seed=seed,
        now=now,
        largest_audience=audience or max(20, MAX_SENDS // max(1, campaigns)),
        rates=TYPICAL if audience else LIVELY,
        rules=rules,
    )
    present = now()
    first, last = present - 3 * YEAR, present - HOUR
    _add_owner(account, first)
    _add_lists(account, first, last)
    _add_tags(account, first, last)
    _add_custom_fields(account, first, last)
    _add_segments(account, first, last)
    _add_contacts(account, contacts, first, last)
    _add_campaigns(account, campaigns, first, last)
    _ensure_forward_and_optout(account, last)
    add_landing_pages(account)
    add_sms_campaigns(account, first, last)
    add_events(account, last)
    add_social(account)
    add_automations(account, last)
    add_bulk_activities(account)
    add_v2_ids(account)
    add_partner(account)
    return account


def _add_owner(account: Account, first: int) -> None:
    account.summary = {
        "contact_email": "owner@example.com",
        "contact_phone": "5081111212",
        "country_code": "us",  # lower case, although documented in upper case (observed)
        "encoded_account_id": "p07e1l8cdif9dl",
        "encoded_partner_id": "a37cranviy95el",
        "first_name": "Lola",
        "last_name": "Zang",
        "organization_name": "Café Olé",
        "organization_phone": "333-333-3335",
        "state_code": "MA",
        "time_zone_id": "US/Eastern",
        "website": "https://www.example.com",
        "physical_address": {
            "address_line1": "123 Maple Street",
            "address_line2": "Unit 1",
            "address_line3": "In the yard",
            "city": "Boston",
            "state_code": "MA",
            "postal_code": "02451",
            "country_code": "US",
        },
        "company_logo": {
            "url": "https://files.example.com/3a20c2f5701/780c1ff3-7fc6-4712-a862.jpg",
            "internal_id": "ACCOUNT.IMAGE.5",
            "external_url": "https://www.example.com/logo.png",
        },
    }
    confirmed = {
        "confirm_status": "CONFIRMED",
        "confirm_time": stamp_offset(first),
        "confirm_source_type": "SITE_OWNER",
    }
    # The role DEFAULT_FROM is not in the contract (observed).
    roles = ["BILLING", "CONTACT", "DEFAULT_FROM", "REPLY_TO"]
    account.emails = [
        {"email_id": 1, "email_address": "owner@example.com", "roles": roles, **confirmed},
        {"email_id": 2, "email_address": "news@example.com", "roles": ["OTHER"], **confirmed},
        {
            "email_id": 3,
            "email_address": "new@example.com",
            "roles": [],
            "pending_roles": ["OTHER"],
            "confirm_status": "UNCONFIRMED",
        },
    ]


def _add_lists(account: Account, first: int, last: int) -> None:
    lists = [(name, text, {"email"}) for name, text in sample_values.LISTS]
    for name, description, channels in [*lists, *SMS_LISTS]:
        created = account.rng.randrange(first, last - 60 * DAY)
        _add_list(account, name, description, channels, created)
    deleted = next(list_ for list_ in account.lists.values() if list_["name"] == "Old imports")
    deleted["deleted_at"] = deleted["updated_at"] = stamp(last - 30 * DAY)


def _add_list(
    account: Account, name: str, description: str | None, channels: set[str], created: int
) -> None:
    list_: Record = {
        "list_id": account.new_id(),
        "name": name,
        "favorite": chance(account.rng, 0.3),
    }
    if description:  # absent rather than null or empty (observed)
        list_["description"] = description
    list_.update(created_at=stamp(created), updated_at=stamp(created))
    account.lists[list_["list_id"]] = list_
    account.list_channels[list_["list_id"]] = frozenset(channels)


def _add_tags(account: Account, first: int, last: int) -> None:
    for name in sample_values.TAGS:
        created = stamp_ms(account.rng.randrange(first, last))
        tag: Record = {"tag_id": account.new_id(), "name": name, "tag_source": "Contact"}
        account.tags[tag["tag_id"]] = {**tag, "created_at": created, "updated_at": created}


def _add_custom_fields(account: Account, first: int, last: int) -> None:
    for label, type_, metadata in CUSTOM_FIELDS:
        created = account.rng.randrange(first, last)
        field: Record = {
            "custom_field_id": account.new_id(),
            "label": label,
            "name": label.replace(" ", "_"),
            "type": type_,
            "version": 1,
            "updated_at": stamp(created),
            "created_at": stamp(created),
        }
        if metadata:
            field["metadata"] = metadata
        if type_.endswith("_select"):
            field["choices"] = [
                {
                    "custom_field_id": field["custom_field_id"],
                    "choice_id": number,
                    "choice_label": choice,
                    "display_order": number,
                    "created_at": stamp_ms(created),
                    "updated_at": stamp_ms(created),
                }
                for number, choice in enumerate(CHOICES, start=1)
            ]
            field["choices"][-1]["deleted_at"] = day(created)  # which no contact chose
        account.custom_fields[field["custom_field_id"]] = field


def _add_segments(account: Account, first: int, last: int) -> None:
    for segment_id, (name, field, parameter) in enumerate(sample_values.SEGMENTS, start=14):
        created = account.rng.randrange(first, last)
        account.segments[segment_id] = {
            "name": name,
            "segment_criteria": write_criteria(field, parameter),
            "segment_id": segment_id,
            "created_at": stamp_ms(created),
            "edited_at": stamp_ms(account.rng.randrange(created, last)),
        }


def _add_contacts(account: Account, count: int, first: int, last: int) -> None:
    moments = sorted(account.rng.randrange(first, last) for _ in range(count))
    generator = ContactGenerator(account)
    for number in range(count):
        # Every other group of five was imported together and shares the second.
        imported = number // 5 % 2 == 0
        created = moments[number // 5 * 5 if imported else number]
        generator.add(CONTACT_KINDS[number * 7 % len(CONTACT_KINDS)], created, last)


def _add_campaigns(account: Account, count: int, first: int, last: int) -> None:
    moments = sorted(account.rng.randrange(first, last) for _ in range(count))
    for number, created in enumerate(moments):
        status = CAMPAIGN_STATUSES[number % len(CAMPAIGN_STATUSES)]
        # Every third sent campaign is resent.
        add_campaign(account, created, status, resend=status == "Done" and number % 3 == 0)


def _ensure_forward_and_optout(account: Account, last: int) -> None:
    """Make sure that even a small account has a forward and an opt-out."""
    parts = [part for part in account.engagement.values() if part.opens]
    for part in parts[:1]:
        reader = part.opens[-1].contact_id
        if not any(part.forwards for part in parts):
            part.forwards.append(Event(minute(last), reader))
        if not any(part.optouts for part in parts):
            account.opt_out(part, reader, last)
