"""What contacts do with an email: single events, from which every counter is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sandbox.moments import HOUR, minute
from sandbox.words import LINKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

DEVICES = ("computer", "mobile", "mobile", "tablet", "other")
BOUNCE_CODES = ("B", "D", "F", "S", "V", "X", "Z")

BOUNCED = 0.04
OPENED = 0.38
CLICKED = 0.3
FORWARDED = 0.02
OPTED_OUT = 0.015


class Event(NamedTuple):
    """One contact does one thing with one email, in a given minute."""

    at: int
    contact_id: str
    device: str = ""
    url_id: str = ""
    bounce_code: str = ""


@dataclass
class Engagement:
    """All events of one sent campaign activity, in the order in which they became known."""

    sent_at: int
    refreshed_at: int
    links: dict[str, str]
    sends: list[Event] = field(default_factory=list)
    opens: list[Event] = field(default_factory=list)
    clicks: list[Event] = field(default_factory=list)
    forwards: list[Event] = field(default_factory=list)
    optouts: list[Event] = field(default_factory=list)
    bounces: list[Event] = field(default_factory=list)

    def not_opened_by(self) -> list[str]:
        """Name the contacts that got the email and did not open it."""
        known = people(self.opens) | people(self.bounces)
        return [event.contact_id for event in self.sends if event.contact_id not in known]


def send(rng: Random, contact_ids: Iterable[str], sent_at: int, until: int) -> Engagement:
    """Send an email to contacts and let them do what they will until a given moment."""
    # Ids of links are beyond 2^53 (seen): they survive as strings only.
    links = {str(rng.getrandbits(62) + 2**61): url for url in LINKS}
    engagement = Engagement(sent_at, until, links)
    for contact_id in contact_ids:
        engagement.sends.append(Event(minute(sent_at), contact_id))
        fate = rng.random()
        if fate < BOUNCED:
            bounced_at = minute(min(sent_at + rng.randrange(HOUR), until))
            code = rng.choice(BOUNCE_CODES)
            engagement.bounces.append(Event(bounced_at, contact_id, bounce_code=code))
        elif fate < BOUNCED + OPENED:
            read(rng, engagement, contact_id, sent_at, until)
    return engagement


def read(rng: Random, engagement: Engagement, contact_id: str, since: int, until: int) -> None:
    """Let one contact open the email once or more, and perhaps click, forward and opt out."""
    device = rng.choice(DEVICES)
    at = since
    for _ in range(1 + int(rng.expovariate(1.2))):
        at = min(at + int(rng.expovariate(1 / (9 * HOUR))), until)
        opened = Event(minute(at), contact_id, device)
        engagement.opens.append(opened)
        if rng.random() < CLICKED:
            url_id = rng.choice(list(engagement.links))
            engagement.clicks.append(opened._replace(url_id=url_id))
    if rng.random() < FORWARDED:
        engagement.forwards.append(Event(minute(at), contact_id))
    if rng.random() < OPTED_OUT:
        engagement.optouts.append(Event(minute(at), contact_id))


def people(events: Iterable[Event]) -> set[str]:
    """Name the contacts of some events, each once."""
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


def unique_counts(engagements: Sequence[Engagement]) -> dict[str, int]:
    """Count the contacts behind the events of a campaign, as its summary does."""
    counts = {
        kind: len(people(chain.from_iterable(getattr(part, kind) for part in engagements)))
        for kind in ("sends", "opens", "clicks", "forwards", "optouts", "bounces")
    }
    # The documented formula, floored at zero: who bounced first may open a resend.
    not_opened = max(0, counts["sends"] - counts["opens"] - counts["bounces"])
    return {**counts, "abuse": 0, "not_opened": not_opened}


def percents(stats: dict[str, int]) -> dict[str, float]:
    """Compute the rates of a campaign's stats, as their descriptions define them."""
    received = stats["em_sends"] - stats["em_bounces"]
    clicks, opens = stats["em_clicks_all"], stats["em_opens_all"]
    handheld_clicks = stats["em_clicks_all_mobile"] + stats["em_clicks_all_tablet"]
    handheld_opens = stats["em_opens_all_mobile"] + stats["em_opens_all_tablet"]
    return {
        "bounce": _percent(stats["em_bounces"], stats["em_sends"]),
        "click": _percent(stats["em_clicks"], stats["em_opens"]),
        "desktop_click": _percent(stats["em_clicks_all_computer"], clicks),
        "desktop_open": _percent(stats["em_opens_all_computer"], opens),
        "did_not_open": _percent(stats["em_not_opened"], received),
        "mobile_click": _percent(handheld_clicks, clicks),
        "mobile_open": _percent(handheld_opens, opens),
        "open": _percent(stats["em_opens"], received),
        "unsubscribe": _percent(stats["em_optouts"], received),
    }


def aggregate_percents(counts: Sequence[dict[str, int]]) -> dict[str, float]:
    """Compute the rates of all campaigns on one page of summaries."""
    total = Counter[str]()
    for part in counts:
        total.update(part)
    received = total["sends"] - total["bounces"]
    return {
        "click": _percent(total["clicks"], total["opens"]),
        "open": _percent(total["opens"], received),
        "did_not_open": _percent(total["not_opened"], received),
        "bounce": _percent(total["bounces"], total["sends"]),
        "unsubscribe": _percent(total["optouts"], received),
    }


def _by_device(name: str, events: Sequence[Event]) -> dict[str, int]:
    devices = Counter(event.device for event in events)
    kinds = ("computer", "mobile", "tablet", "other")
    per_device = {f"{name}_{kind}": devices[kind] for kind in kinds}
    return {name: len(events), **per_device, f"{name}_none": 0}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
