"""What contacts do with an email: events, from which every counter is computed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.account.clock import HOUR, minute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

DEVICES = ("computer", "mobile", "mobile", "tablet", "other")
BOUNCE_CODES = ("B", "D", "F", "S", "V", "X", "Z")
REASONS = ("", "", "Too many emails.", "Ich habe das nie bestellt.")

REPEATED = 0.2

# The names of bounce codes in the stats of an activity.
BOUNCES = {
    "Z": "blocked", "F": "mailbox_full", "B": "nonexistent_address", "X": "other",
    "S": "suspended", "D": "undeliverable", "V": "vacation",
}  # fmt: skip


LINKS = (
    "https://www.example.com/",
    "https://www.example.com/menu?utm_source=newsletter&utm_medium=email",
    "https://shop.example.com/sale",
    "https://www.example.com/imprint",
)

KINDS = ("sends", "opens", "clicks", "forwards", "optouts", "bounces")


class Rates(NamedTuple):
    """How often contacts do something with an email.

    Attributes:
        bounced: Of all contacts.
        opened: Of all contacts.
        clicked: Of the opens.
        forwarded: Of the readers.
        opted_out: Of the readers.
    """

    bounced: float
    opened: float
    clicked: float
    forwarded: float
    opted_out: float


#: So that a few contacts do something of each kind.
LIVELY = Rates(bounced=0.04, opened=0.38, clicked=0.3, forwarded=0.06, opted_out=0.03)
#: As in published averages of real accounts.
TYPICAL = Rates(bounced=0.01, opened=0.35, clicked=0.045, forwarded=0.0006, opted_out=0.006)


class Event(NamedTuple):
    """One action of one contact with one email or page, at a given minute.

    The API learns of it in a certain second: `known`; 0 = as soon as it happens.
    """

    at: int
    contact_id: str
    device: str = ""
    url_id: str = ""
    bounce_code: str = ""
    reason: str = ""
    known: int = 0


class Sending(NamedTuple):
    """One send of a campaign activity, to members of lists who did not get it yet."""

    at: int
    reached: int
    list_ids: tuple[str, ...]


@dataclass
class Engagement:
    """All events of one sent campaign activity, in the order in which they became known."""

    refreshed_at: int
    links: dict[str, str]
    sendings: list[Sending] = field(default_factory=list)
    sends: list[Event] = field(default_factory=list)
    opens: list[Event] = field(default_factory=list)
    clicks: list[Event] = field(default_factory=list)
    forwards: list[Event] = field(default_factory=list)
    optouts: list[Event] = field(default_factory=list)
    bounces: list[Event] = field(default_factory=list)

    @property
    def sent_at(self) -> int:
        """When it was last sent."""
        return self.sendings[-1].at

    def known(self, moment: int) -> Engagement:
        """Return the events known at a moment, refreshed when the last of them became known."""
        kinds: dict[str, Any] = {
            kind: [event for event in getattr(self, kind) if (event.known or event.at) <= moment]
            for kind in KINDS
        }
        refreshed_at = self.refreshed_at
        if refreshed_at > moment:
            known = (event.known or event.at for event in chain.from_iterable(kinds.values()))
            refreshed_at = max(known, default=moment)
        return replace(self, refreshed_at=refreshed_at, **kinds)

    @property
    def reached(self) -> list[str]:
        """The contacts who received it: it did not bounce from them."""
        bounced = contacts_of(self.bounces)
        return [event.contact_id for event in self.sends if event.contact_id not in bounced]

    @property
    def not_opened(self) -> list[Event]:
        """The sends to contacts who received the email and did not open it."""
        known = contacts_of(self.opens) | contacts_of(self.bounces)
        return [event for event in self.sends if event.contact_id not in known]


@dataclass
class LandingPage:
    """All events of one landing page, in the order in which they became known."""

    name: str
    links: dict[str, str]
    opens: list[Event] = field(default_factory=list)
    clicks: list[Event] = field(default_factory=list)
    adds: list[Event] = field(default_factory=list)
    updates: list[Event] = field(default_factory=list)
    sms_optins: list[Event] = field(default_factory=list)


def make_links(rng: Random, urls: Iterable[str] = LINKS) -> dict[str, str]:
    """Return links by id. The ids exceed 2^53 (observed): they survive only as strings."""
    return {str(rng.getrandbits(62) + 2**61): url for url in urls}


def simulate_send(
    rng: Random,
    engagement: Engagement,
    contact_ids: Iterable[str],
    list_ids: Iterable[str],
    sent_at: int,
    *,
    rates: Rates = LIVELY,
) -> None:
    """Send an email to contacts, who react to it until it is refreshed."""
    until, before = engagement.refreshed_at, len(engagement.sends)
    for contact_id in contact_ids:
        engagement.sends.append(Event(minute(sent_at), contact_id, known=sent_at))
        fate = rng.random()
        if fate < rates.bounced:
            bounced_at = minute(min(sent_at + rng.randrange(HOUR), until))
            code = rng.choice(BOUNCE_CODES)
            engagement.bounces.append(Event(bounced_at, contact_id, bounce_code=code))
        elif fate < rates.bounced + rates.opened:
            simulate_reader(rng, engagement, contact_id, sent_at, until, rates=rates)
    count = len(engagement.sends) - before
    engagement.sendings.append(Sending(sent_at, count, tuple(list_ids)))


def simulate_reader(
    rng: Random,
    engagement: Engagement,
    contact_id: str,
    since: int,
    until: int,
    *,
    rates: Rates = LIVELY,
) -> None:
    """Let one contact open the email at least once, and perhaps click, forward and opt out.

    Some open and click twice in a minute: their rows are identical.
    """
    device = rng.choice(DEVICES)
    at = since
    for _ in range(1 + int(rng.expovariate(1.2))):
        at = min(at + int(rng.expovariate(1 / (9 * HOUR))), until)
        opened = Event(minute(at), contact_id, device, known=at)
        engagement.opens += [opened] * _repeats(rng)
        if rng.random() < rates.clicked:
            url_id = rng.choice(list(engagement.links)[:-1])  # the last one stays without clicks
            engagement.clicks += [opened._replace(url_id=url_id)] * _repeats(rng)
    if rng.random() < rates.forwarded:
        engagement.forwards.append(Event(minute(at), contact_id, known=at))
    if rng.random() < rates.opted_out:
        reason = rng.choice(REASONS)
        engagement.optouts.append(Event(minute(at), contact_id, reason=reason, known=at))


def add_event(
    rng: Random, engagement: Engagement, kind: str, contact_id: str, *, at: int, known: int
) -> Event:
    """Add an event of one contact, which the API may learn of later."""
    details: dict[str, dict[str, str]] = {
        "opens": {"device": rng.choice(DEVICES)},
        "clicks": {"device": rng.choice(DEVICES), "url_id": rng.choice(list(engagement.links))},
        "forwards": {},
        "optouts": {"reason": rng.choice(REASONS)},
        "bounces": {"bounce_code": rng.choice(BOUNCE_CODES)},
    }
    event = Event(minute(at), contact_id, known=known, **details[kind])
    events: list[Event] = getattr(engagement, kind)
    events.append(event)
    return event


def _repeats(rng: Random) -> int:
    return 2 if rng.random() < REPEATED else 1


def latest(events: Iterable[Event]) -> list[Event]:
    """Return the last event of each contact, and for clicks of each link."""
    last: dict[tuple[str, str], Event] = {}
    for event in events:
        of_same = last.setdefault((event.contact_id, event.url_id), event)
        if event.at > of_same.at:
            last[event.contact_id, event.url_id] = event
    return list(last.values())


def contacts_of(events: Iterable[Event]) -> set[str]:
    """Return the contacts of events, each once."""
    return {event.contact_id for event in events}


def stats(engagements: Sequence[Engagement]) -> dict[str, int]:
    """Count the events of a campaign, as the stats reports do.

    `_all` counts events, the others count unique contacts (documented).
    """
    opens = [event for part in engagements for event in part.opens]
    clicks = [event for part in engagements for event in part.clicks]
    unique = unique_counts(engagements)
    return {
        "em_bounces": unique["bounces"],
        "em_clicks": unique["clicks"],
        **_by_device("em_clicks_all", clicks),
        "em_forwards": unique["forwards"],
        "em_not_opened": unique["not_opened"],
        "em_opens": unique["opens"],
        **_by_device("em_opens_all", opens),
        "em_optouts": unique["optouts"],
        "em_sends": unique["sends"],
    }


def activity_stats(engagement: Engagement) -> dict[str, int]:
    """Count the events of one activity: like its campaign, plus bounces by code."""
    codes = Counter(event.bounce_code for event in engagement.bounces)
    bounces = {f"em_bounces_{name}": codes[code] for code, name in BOUNCES.items()}
    return {**stats([engagement]), "em_abuse": 0, **bounces}


def unique_counts(engagements: Sequence[Engagement]) -> dict[str, int]:
    """Count the contacts behind the events of a campaign, as its summary does."""
    counts = {
        kind: len(contacts_of(chain.from_iterable(getattr(part, kind) for part in engagements)))
        for kind in KINDS
    }
    # The documented formula, at least 0: a contact that bounced first may open a resend.
    not_opened = max(0, counts["sends"] - counts["opens"] - counts["bounces"])
    return {**counts, "abuse": 0, "not_opened": not_opened}


def percents(stats: dict[str, int]) -> dict[str, float]:
    """Compute the rates of a campaign's stats, as their descriptions define them."""
    received = stats["em_sends"] - stats["em_bounces"]
    clicks, opens = stats["em_clicks_all"], stats["em_opens_all"]
    handheld_clicks = stats["em_clicks_all_mobile"] + stats["em_clicks_all_tablet"]
    handheld_opens = stats["em_opens_all_mobile"] + stats["em_opens_all_tablet"]
    return {
        "bounce": percent(stats["em_bounces"], stats["em_sends"]),
        "click": percent(stats["em_clicks"], stats["em_opens"]),
        "desktop_click": percent(stats["em_clicks_all_computer"], clicks),
        "desktop_open": percent(stats["em_opens_all_computer"], opens),
        "did_not_open": percent(stats["em_not_opened"], received),
        "mobile_click": percent(handheld_clicks, clicks),
        "mobile_open": percent(handheld_opens, opens),
        "open": percent(stats["em_opens"], received),
        "unsubscribe": percent(stats["em_optouts"], received),
    }


def aggregate_percents(counts: Sequence[dict[str, int]]) -> dict[str, float]:
    """Compute the rates of all campaigns on one page of summaries."""
    total = Counter[str]()
    for part in counts:
        total.update(part)
    received = total["sends"] - total["bounces"]
    return {
        "click": percent(total["clicks"], total["opens"]),
        "open": percent(total["opens"], received),
        "did_not_open": percent(total["not_opened"], received),
        "bounce": percent(total["bounces"], total["sends"]),
        "unsubscribe": percent(total["optouts"], received),
    }


def _by_device(name: str, events: Sequence[Event]) -> dict[str, int]:
    devices = Counter(event.device for event in events)
    kinds = ("computer", "mobile", "tablet", "other")
    per_device = {f"{name}_{kind}": devices[kind] for kind in kinds}
    return {name: len(events), **per_device, f"{name}_none": 0}


def percent(part: int, whole: int) -> float:
    """Compute a rate with one decimal."""
    return round(100 * part / whole, 1) if whole else 0.0
