"""How the café's contacts take its emails: some read all, some nothing, some grow cold."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from sandbox.account.clock import DAY, HOUR, minute, stamp
from sandbox.account.engagement import Engagement, Event, Sending
from sandbox.generate.cafe.calendar import SUMMER, in_boston
from sandbox.generate.cafe.texts import OPT_OUT_REASONS
from sandbox.generate.sampling import chance

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from sandbox.account import Account

LOYAL, REGULAR, OCCASIONAL, SILENT = 0.85, 0.5, 0.2, 0.02
KINDS = (LOYAL,) * 5 + (REGULAR,) * 8 + (OCCASIONAL,) * 5 + (SILENT,) * 2
DEVICES = ("mobile",) * 12 + ("computer",) * 6 + ("tablet", "other")
SOFT_BOUNCES = ("F", "F", "V", "Z", "D", "X")  # full, vacation, blocked, undeliverable, other
#: How willingly emails are opened, by weekday (Monday is 0); any other is 1.
WEEKDAYS = {0: 0.9, 1: 1.04, 4: 0.8, 6: 1.1}
WAKING_HOUR = 7
NEVER = sys.maxsize


class Habits(NamedTuple):
    """What one contact does with emails.

    Attributes:
        opens: How many it opens, as a share.
        clicks: In how many of those it clicks.
        device: What it reads on.
        cold_from: When it stops reading.
        dead_from: When its mailbox closes.
        since: When it joined: at first, it reads more.
    """

    opens: float
    clicks: float
    device: str
    cold_from: int
    dead_from: int
    since: int


class Mood(NamedTuple):
    """What one email meets: factors on opens, clicks and opt-outs."""

    opens: float = 1.0
    clicks: float = 1.0
    opt_outs: float = 1.0


class Readers:
    """The habits of an account's contacts, and how they take an email.

    Attributes:
        mood: What the email that is sent next meets.
    """

    def __init__(self, account: Account) -> None:
        """Know no contact yet; one without habits gets them with its first email."""
        self.mood = Mood()
        self._account = account
        self._habits: dict[str, Habits] = {}
        self._hard_bounces: dict[str, int] = {}

    def add(self, contact_id: str, created: int, *, is_dead: bool = False) -> None:
        """Give a contact its habits.

        Args:
            contact_id: The contact.
            created: When it was created.
            is_dead: Whether its mailbox is closed from the start.
        """
        rng = self._account.rng
        opens = rng.choice(KINDS)
        grows_cold, closes = chance(rng, 0.3), chance(rng, 0.05)
        self._habits[contact_id] = Habits(
            opens,
            rng.uniform(0.02, 0.2) * opens,
            rng.choice(DEVICES),
            created + int(rng.uniform(90, 500) * DAY) if grows_cold else NEVER,
            created if is_dead else created + int(rng.uniform(60, 500) * DAY) if closes else NEVER,
            created,
        )

    def send(
        self,
        rng: Random,
        part: Engagement,
        contact_ids: Iterable[str],
        list_ids: Iterable[str],
        sent_at: int,
    ) -> None:
        """Send an email to contacts, who react to it until it is refreshed."""
        local, before = in_boston(sent_at), len(part.sends)
        season = 0.76 if local.month in SUMMER else 1.0
        appeal = self.mood.opens * season * WEEKDAYS.get(local.weekday(), 1.0)
        soft = 0.007 if local.month in (*SUMMER, 12) else 0.004
        for contact_id in contact_ids:
            part.sends.append(Event(minute(sent_at), contact_id, known=sent_at))
            if contact_id not in self._habits:
                self.add(contact_id, sent_at)
            habits = self._habits[contact_id]
            if sent_at >= habits.dead_from:
                self._bounce(part, contact_id, sent_at, rng.choice("BBBS"))
                # Not in rounds of changes: no filter of the API would show it (assumed).
                if sent_at < part.refreshed_at:
                    self._hold(contact_id, sent_at)
            elif chance(rng, soft):
                self._bounce(part, contact_id, sent_at, rng.choice(SOFT_BOUNCES))
            elif chance(rng, _willingness(habits, sent_at) * appeal):
                self._read(part, contact_id, habits, sent_at)
        count = len(part.sends) - before
        part.sendings.append(Sending(sent_at, count, tuple(list_ids)))

    def _bounce(self, part: Engagement, contact_id: str, sent_at: int, code: str) -> None:
        at = minute(min(sent_at + self._account.rng.randrange(HOUR), part.refreshed_at))
        part.bounces.append(Event(at, contact_id, bounce_code=code))

    def _hold(self, contact_id: str, at: int) -> None:
        """Put an address on hold after its second hard bounce (assumed)."""
        self._hard_bounces[contact_id] = self._hard_bounces.get(contact_id, 0) + 1
        if self._hard_bounces[contact_id] > 1:
            email = self._account.contacts[contact_id]["email_address"]
            email.update(permission_to_send="temp_hold", updated_at=stamp(at))

    def _read(self, part: Engagement, contact_id: str, habits: Habits, sent_at: int) -> None:
        """Open the email, mostly within hours, and perhaps click, forward and opt out."""
        rng, at = self._account.rng, sent_at
        opened: list[Event] = []
        for number in range(1 + int(rng.expovariate(1.6))):
            # Some have their mail open all day.
            at += int(rng.expovariate(1 / (5 * HOUR))) if number or chance(rng, 0.88) else 0
            at = _awake(at)
            if at > part.refreshed_at:
                break
            opened.append(Event(minute(at), contact_id, habits.device, known=at))
        part.opens += opened
        if not opened:
            return
        links = list(part.links)[:-1]  # nobody clicks the last one
        if chance(rng, habits.clicks * self.mood.clicks):
            weights = [4, 2, 1, 1, 1][: len(links)]
            for url_id in set(rng.choices(links, weights, k=rng.choice((1, 1, 1, 2)))):
                part.clicks.append(rng.choice(opened)._replace(url_id=url_id))
        last = opened[-1]._replace(device="")
        if chance(rng, 0.004):
            part.forwards.append(last)
        if chance(rng, 0.004 * self.mood.opt_outs):
            part.optouts.append(last._replace(reason=rng.choice(OPT_OUT_REASONS)))


def _willingness(habits: Habits, at: int) -> float:
    if at >= habits.cold_from:
        return 0.01
    fresh = 1.1 if at < habits.since + 60 * DAY else 1.0
    return min(0.97, habits.opens * fresh)


def _awake(at: int) -> int:
    """Return the moment, or the morning after it: at night hardly anyone reads."""
    hour = in_boston(at).hour
    return at + (WAKING_HOUR - hour) * HOUR if hour < WAKING_HOUR - 1 else at
