"""What each contact did: the events of all emails and landing pages, by contact."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.account import Account
    from sandbox.account.engagement import Event

EMAIL_TYPES = {
    "em_sends": "sends",
    "em_opens": "opens",
    "em_clicks": "clicks",
    "em_bounces": "bounces",
    "em_optouts": "optouts",
    "em_forwards": "forwards",
}
PAGE_TYPES = {
    "p_contact_open": "opens",
    "p_contact_click": "clicks",
    "p_contact_add": "adds",
    "p_contact_update": "updates",
}
"""The names differ from those of the landing page reports (documented)."""


class Deed(NamedTuple):
    """One event, and what it happened to."""

    activity_id: str
    type: str
    event: Event


class Deeds:
    """Finds the events of one contact among those of all activities."""

    def __init__(self, account: Account) -> None:
        """Look into an account that may grow."""
        self._account = account
        self._sizes: list[int] = []
        self._by_contact: dict[str, list[Deed]] = {}

    def of(self, contact_id: str) -> list[Deed]:
        """List the deeds of one contact, newest first."""
        sizes = [len(events) for _, _, events in self._events()]
        if sizes != self._sizes:  # events are only ever added, or else it is told to forget
            self._sizes, self._by_contact = sizes, self._sorted()
        return self._by_contact.get(contact_id, [])

    def forget(self) -> None:
        """Look at all events anew: some are gone."""
        self._sizes = []

    def _sorted(self) -> dict[str, list[Deed]]:
        by_contact = defaultdict(list)
        for activity_id, type_, events in self._events():
            for event in events:
                by_contact[event.contact_id].append(Deed(activity_id, type_, event))
        for deeds in by_contact.values():
            deeds.sort(key=lambda deed: -deed.event.at)
        return by_contact

    def _events(self) -> Iterator[tuple[str, str, Sequence[Event]]]:
        account = self._account
        for activities, types in (
            (account.engagement, EMAIL_TYPES),
            (account.landing_pages, PAGE_TYPES),
        ):
            for activity_id, part in activities.items():
                for type_, name in types.items():
                    yield activity_id, type_, getattr(part, name)
