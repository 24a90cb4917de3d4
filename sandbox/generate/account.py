"""Generate an account from a seed: the data of a business after three years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account import Account
from sandbox.account.clock import DAY, HOUR, YEAR, minute
from sandbox.account.engagement import LIVELY, TYPICAL, Event
from sandbox.account.rules import Rules
from sandbox.generate import sample_values
from sandbox.generate.automations import add_automations
from sandbox.generate.bulk_activities import add_bulk_activities
from sandbox.generate.campaigns import CAMPAIGN_STATUSES, add_campaign
from sandbox.generate.contacts import CONTACT_KINDS, ContactGenerator
from sandbox.generate.events import add_events
from sandbox.generate.landing_pages import add_landing_pages
from sandbox.generate.lists import (
    SMS_LISTS,
    add_custom_fields,
    add_list,
    add_segments,
    add_tags,
    delete_list,
)
from sandbox.generate.owner import add_owner
from sandbox.generate.partner import add_partner
from sandbox.generate.sms import add_sms_campaigns
from sandbox.generate.social import add_social
from sandbox.generate.v2_ids import add_v2_ids

if TYPE_CHECKING:
    from collections.abc import Callable

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
    add_owner(account, first)
    _add_lists(account, first, last)
    add_tags(account, sample_values.TAGS, first, last)
    add_custom_fields(account, first, last)
    add_segments(account, first, last)
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


def _add_lists(account: Account, first: int, last: int) -> None:
    lists = [(name, text, {"email"}) for name, text in sample_values.LISTS]
    ids = {}
    for name, description, channels in [*lists, *SMS_LISTS]:
        created = account.rng.randrange(first, last - 60 * DAY)
        ids[name] = add_list(account, name, description, channels, created)
    delete_list(account, ids["Old imports"], last - 30 * DAY)


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
