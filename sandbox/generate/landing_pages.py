"""Generate landing pages, and the visits of contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, HOUR, minute, seconds
from sandbox.account.engagement import DEVICES, Event, LandingPage, make_links
from sandbox.generate.sampling import between, chance

if TYPE_CHECKING:
    from sandbox.account import Account

NAMES = ("Join our club", "Win a brunch for two")
MAX_VISITORS = 40


def add_landing_pages(account: Account) -> None:
    """Publish some landing pages and let contacts visit them."""
    for name in NAMES:
        page = LandingPage(name, make_links(account.rng))
        account.landing_pages[account.new_id()] = page
        count = min(len(account.contacts) // 2, MAX_VISITORS)
        for contact_id in account.rng.sample(list(account.contacts), count):
            _visit(account, page, contact_id)


def _visit(account: Account, page: LandingPage, contact_id: str) -> None:
    """Let a contact open the page, and perhaps once more in the same minute."""
    rng, last = account.rng, account.now() - HOUR
    since = max(last - 300 * DAY, seconds(account.contacts[contact_id]["created_at"]))
    opened = Event(minute(between(rng, since, last)), contact_id, rng.choice(DEVICES))
    page.opens += [opened] * rng.choice((1, 1, 2))
    if chance(rng, 0.3):
        later = opened._replace(at=minute(between(rng, opened.at, last)))
        page.opens.append(later)
    for url_id in list(page.links)[:-1]:
        if chance(rng, 0.3):
            page.clicks += [opened._replace(url_id=url_id)] * rng.choice((1, 2))
    # Adds have a device, against the contract (observed), the events below do not.
    no_device = opened._replace(device="")
    if chance(rng, 0.3):
        page.adds.append(opened)
    elif chance(rng, 0.5):
        page.updates.append(no_device)
    if "sms_channel" in account.contacts[contact_id]:
        page.sms_optins.append(no_device)
