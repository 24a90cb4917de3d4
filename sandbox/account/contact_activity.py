"""The activity of each contact: the events of all emails and landing pages."""

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


class ContactActivity(NamedTuple):
    """One event, and the email or landing page it belongs to."""

    activity_id: str
    type: str
    event: Event


class ActivityByContact:
    """Finds the events of one contact among those of all activities."""

    def __init__(self, account: Account) -> None:
        """Index an account that may grow."""
        self._account = account
        self._sizes: list[int] = []
        self._by_contact: dict[str, list[ContactActivity]] = {}

    def of(self, contact_id: str) -> list[ContactActivity]:
        """Return the events of one contact, newest first."""
        sizes = [len(events) for _, _, events in self._events()]
        if sizes != self._sizes:  # events are only ever added, unless `forget` is called
            self._sizes, self._by_contact = sizes, self._sorted()
        return self._by_contact.get(contact_id, [])

    def forget(self) -> None:
        """Forget the index, because events were removed."""
        self._sizes = []

    def _sorted(self) -> dict[str, list[ContactActivity]]:
        by_contact = defaultdict(list)
        for activity_id, type_, events in self._events():
            for event in events:
                by_contact[event.contact_id].append(ContactActivity(activity_id, type_, event))
        for activity in by_contact.values():
            activity.sort(key=lambda each: -each.event.at)
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
