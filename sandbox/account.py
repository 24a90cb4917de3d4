"""The account behind the API: its records in the API's own shape, and what can happen to them."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from sandbox import engagement
from sandbox.moments import HOUR, MINUTE, day, stamp, stamp_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.engagement import Engagement, Event

Record = dict[str, Any]

MAILABLE = frozenset({"explicit", "implicit"})


class Account:
    """One Constant Contact account.

    Records are plain dictionaries as the API shows them, with all their sub-resources; the
    endpoints leave out what was not asked for. They may be changed in place between requests, or
    at any time while holding `lock`.

    Attributes:
        now: Tells the account's present, in whole seconds.
        summary: The account itself, with `physical_address` and `company_logo`.
        emails: The email addresses of the account's owner.
        contacts: By `contact_id`, oldest first.
        lists: By `list_id`.
        list_channels: The channels of each list, `email` or `sms` or both.
        tags: By `tag_id`.
        custom_fields: By `custom_field_id`.
        segments: By `segment_id`, with `segment_criteria`.
        campaigns: By `campaign_id`, with `campaign_activities`.
        activities: By `campaign_activity_id`, with everything that `include` can add.
        unreadable: Activities that the campaign names and whose detail is 404 (seen).
        engagement: What contacts did with each sent activity.
        largest_audience: How many contacts one email reaches at the most.
    """

    def __init__(
        self,
        *,
        seed: int,
        now: Callable[[], int],
        largest_audience: int = 2_500,
        deleting_moves_updated_at: bool = True,
    ) -> None:
        """Open an account that holds nothing yet.

        Args:
            seed: What all chance comes from.
            now: Tells the account's present, in whole seconds.
            largest_audience: How many contacts one email reaches at the most.
            deleting_moves_updated_at: Whether deleting a contact moves its `updated_at`.
        """
        self.now = now
        self.lock = threading.RLock()
        self.rng = random.Random(seed)
        self.largest_audience = largest_audience
        self.deleting_moves_updated_at = deleting_moves_updated_at
        self.summary: Record = {}
        self.emails: list[Record] = []
        self.contacts: dict[str, Record] = {}
        self.lists: dict[str, Record] = {}
        self.list_channels: dict[str, frozenset[str]] = {}
        self.tags: dict[str, Record] = {}
        self.custom_fields: dict[str, Record] = {}
        self.segments: dict[int, Record] = {}
        self.campaigns: dict[str, Record] = {}
        self.activities: dict[str, Record] = {}
        self.unreadable: set[str] = set()
        self.engagement: dict[str, Engagement] = {}

    def new_id(self) -> str:
        """Make an id in the form of a UUID."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    # What can happen to a contact.

    def edit(self, contact_id: str, **properties: object) -> None:
        """Change properties of a contact. Its `updated_at` moves."""
        contact = self.contacts[contact_id]
        contact.update(properties, update_source="Account", updated_at=stamp(self.now()))

    def unsubscribe(
        self, contact_id: str, at: int | None = None, source: str = "Contact", reason: str = ""
    ) -> None:
        """Unsubscribe a contact. The email address is touched, `updated_at` stays (seen)."""
        moment = stamp(self.now() if at is None else at)
        contact = self.contacts[contact_id]
        email = contact["email_address"]
        email.update(permission_to_send="unsubscribed", updated_at=moment)
        email.update(opt_out_source=source, opt_out_date=moment)
        if reason:
            email["opt_out_reason"] = reason
        contact["list_memberships"] = []  # guess: who left is on no list any more

    def resubscribe(self, contact_id: str) -> None:
        """Subscribe a contact again. No filter of the API shows it: only a full walk does."""
        moment = stamp(self.now())
        email = self.contacts[contact_id]["email_address"]
        for gone in ("opt_out_source", "opt_out_date", "opt_out_reason"):
            email.pop(gone, None)
        email.update(permission_to_send="explicit", updated_at=moment)
        email.update(opt_in_source="Contact", opt_in_date=moment)

    def delete(self, contact_id: str, at: int | None = None) -> None:
        """Delete a contact: it stays readable, without lists, with a plain date (documented)."""
        moment = self.now() if at is None else at
        contact = self.contacts[contact_id]
        contact.update(deleted_at=day(moment), list_memberships=[])
        if self.deleting_moves_updated_at:
            contact["updated_at"] = stamp(moment)

    # What can happen to a campaign.

    def send_campaign(self, campaign_id: str, at: int | None = None) -> list[str]:
        """Send a campaign: it becomes Done, contacts begin to open it.

        Returns:
            The contacts that opted out of it.
        """
        now = self.now()
        sent_at, until = (now, now) if at is None else (at, now - HOUR)
        activity = self.activity(campaign_id, "primary_email")
        self.set_status(campaign_id, "Done", sent_at)
        audience = self._audience(activity["contact_list_ids"], sent_at)
        return self._send(activity, audience, sent_at, until)

    def resend_campaign(self, campaign_id: str, at: int) -> None:
        """Send a campaign's `resend` activity to those who did not open it."""
        again = filter(self._mailable, self._primary(campaign_id).not_opened_by())
        self._send(self.activity(campaign_id, "resend"), again, at, self.now() - HOUR)

    def engage(self, campaign_id: str, readers: int = 3) -> list[str]:
        """Let some contacts open a sent campaign now. Only counters and reports move.

        Returns:
            The contacts that opted out of it.
        """
        part, reached = self._primary(campaign_id), self.reached_by(campaign_id)
        known, now = len(part.optouts), self.now()
        for contact_id in self.rng.sample(reached, min(readers, len(reached))):
            engagement.read(self.rng, part, contact_id, now, now)
        part.refreshed_at = now
        return self._apply_optouts(part.optouts[known:], now)

    def reached_by(self, campaign_id: str) -> list[str]:
        """List the contacts that got a sent campaign: those from which it did not bounce."""
        part = self._primary(campaign_id)
        bounced = engagement.people(part.bounces)
        return [event.contact_id for event in part.sends if event.contact_id not in bounced]

    def set_status(self, campaign_id: str, status: str, at: int) -> None:
        """Change the status of a campaign and its activities. Its `updated_at` moves (guess)."""
        campaign = self.campaigns[campaign_id]
        campaign.update(current_status=status, updated_at=stamp_ms(at))
        for reference in campaign["campaign_activities"]:
            activity = self.activities[reference["campaign_activity_id"]]
            # Campaigns write Done, activities write DONE (seen).
            activity["current_status"] = status.upper()
            if status != "Draft":
                activity["subject"] = activity["subject"] or campaign["name"]
                activity["from_name"] = activity["from_name"] or activity["from_email"]
            if status == "Done":
                activity["permalink_url"] = f"https://conta.cc/{campaign_id[:7]}"

    def activity(self, campaign_id: str, role: str) -> Record:
        """Find the activity of a campaign that has a role.

        Raises:
            KeyError: If the campaign has no activity with this role.
        """
        for reference in self.campaigns[campaign_id]["campaign_activities"]:
            if reference["role"] == role:
                return self.activities[reference["campaign_activity_id"]]
        raise KeyError(role)

    def engagements(self, campaign_id: str) -> list[Engagement]:
        """Collect what contacts did with all sent activities of a campaign."""
        references = self.campaigns[campaign_id]["campaign_activities"]
        ids = (reference["campaign_activity_id"] for reference in references)
        return [self.engagement[id_] for id_ in ids if id_ in self.engagement]

    def _primary(self, campaign_id: str) -> Engagement:
        return self.engagement[self.activity(campaign_id, "primary_email")["campaign_activity_id"]]

    def _audience(self, list_ids: Iterable[str], at: int) -> list[str]:
        moment, wanted = stamp(at), set(list_ids)
        drawn = self.rng.sample(list(self.contacts), min(len(self.contacts), self.largest_audience))
        return [
            contact_id
            for contact_id in drawn
            if self._mailable(contact_id)
            and self.contacts[contact_id]["created_at"] <= moment
            and not wanted.isdisjoint(self.contacts[contact_id]["list_memberships"])
        ]

    def _mailable(self, contact_id: str) -> bool:
        contact = self.contacts[contact_id]
        permission = contact.get("email_address", {}).get("permission_to_send")
        return permission in MAILABLE and "deleted_at" not in contact

    def _send(self, activity: Record, contact_ids: Iterable[str], at: int, until: int) -> list[str]:
        part = engagement.send(self.rng, contact_ids, at, until)
        self.engagement[activity["campaign_activity_id"]] = part
        return self._apply_optouts(part.optouts, until)

    def _apply_optouts(self, events: Iterable[Event], until: int) -> list[str]:
        leaving = [event for event in events if self._mailable(event.contact_id)]
        for event in leaving:
            # The report tells the minute, the contact the second.
            self.unsubscribe(event.contact_id, min(event.at + MINUTE - 1, until))
        return [event.contact_id for event in leaving]
