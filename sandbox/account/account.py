"""The account behind the API: its records in the API's own shape, and what can happen to them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from sandbox.account import engagement
from sandbox.account.clock import HOUR, MINUTE, day, minute, stamp, stamp_ms
from sandbox.account.contact_activity import Deeds
from sandbox.account.engagement import Engagement, Event, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.account.engagement import LandingPage

Record = dict[str, Any]

MAILABLE = frozenset({"explicit", "implicit"})


def permission(contact: Record) -> str:
    """Tell the permission to send. Without an email address none was set (guess)."""
    told: str = contact.get("email_address", {}).get("permission_to_send", "not_set")
    return told


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
        schedules: When an activity is to be sent, by `campaign_activity_id`.
        ab_tests: The A/B test of a primary activity, by its id.
        resends: The resend to non-openers of a primary activity, by its id.
        landing_pages: By `campaign_activity_id`, which no endpoint lists.
        deeds: What each contact did with emails and landing pages.
        sms_campaigns: By `campaign_id`, as their summaries show them.
        events: By `event_id`, with `event_settings`.
        registrations: By `event_id` and `registration_id`.
        social_profiles: With what `include` can add.
        social_connections: The user's accounts on social networks.
        hashtag_groups: In the order of the list.
        automations: By `id`: what the list and the detail know, together.
        bulk_activities: By `activity_id`, older ones than the API shows as well.
        v2_contact_ids: The `contact_id` of an id of the old API.
        v2_list_ids: The `list_id` of an id of the old API.
        v2_campaign_ids: The `campaign_id` of an id of the old API.
        partner_accounts: The clients of the partner, by `encoded_account_id`.
        partner_plans: Their billing plans, by `encoded_account_id`.
        webhook_subscriptions: Those of the partner, by `topic_id`.
        segment_polls: How often each segment's contacts were asked for while it was evaluated.
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
        self._contact_ids: list[str] = []
        self.lists: dict[str, Record] = {}
        self.list_channels: dict[str, frozenset[str]] = {}
        self.tags: dict[str, Record] = {}
        self.custom_fields: dict[str, Record] = {}
        self.segments: dict[int, Record] = {}
        self.campaigns: dict[str, Record] = {}
        self.activities: dict[str, Record] = {}
        self.unreadable: set[str] = set()
        self.engagement: dict[str, Engagement] = {}
        self.schedules: dict[str, str] = {}
        self.ab_tests: dict[str, Record] = {}
        self.resends: dict[str, Record] = {}
        self.landing_pages: dict[str, LandingPage] = {}
        self.deeds = Deeds(self)
        self.sms_campaigns: dict[str, Record] = {}
        self.events: dict[str, Record] = {}
        self.registrations: dict[str, dict[str, Record]] = {}
        self.social_profiles: list[Record] = []
        self.social_connections: list[Record] = []
        self.hashtag_groups: list[Record] = []
        self.automations: dict[str, Record] = {}
        self.bulk_activities: dict[str, Record] = {}
        self.v2_contact_ids: dict[str, str] = {}
        self.v2_list_ids: dict[str, str] = {}
        self.v2_campaign_ids: dict[str, str] = {}
        self.partner_accounts: dict[str, Record] = {}
        self.partner_plans: dict[str, Record] = {}
        self.webhook_subscriptions: dict[int, Record] = {}
        self.segment_polls: Counter[int] = Counter()

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
        sent_at, until = self._sending(at)
        activity = self.activity(campaign_id, "primary_email")
        self.set_status(campaign_id, "Done", sent_at)
        audience = self._audience(activity["contact_list_ids"], sent_at)
        if "DRAFT" in self.resends.get(activity["campaign_activity_id"], {}).values():
            self._schedule_resend(activity)
        return self._send(activity, audience, sent_at, until)

    def send_on(self, campaign_id: str, at: int | None = None) -> None:
        """Send a sent campaign to all lists: to those who did not get it yet (documented)."""
        sent_at, until = self._sending(at)
        activity = self.activity(campaign_id, "primary_email")
        activity["contact_list_ids"] = [
            list_id for list_id, kinds in self.list_channels.items() if "email" in kinds
        ]
        reached = people(self._primary(campaign_id).sends)
        audience = self._audience(activity["contact_list_ids"], sent_at)
        self.set_status(campaign_id, "Done", sent_at)
        joined = [contact_id for contact_id in audience if contact_id not in reached]
        self._send(activity, joined, sent_at, until)

    def resend_campaign(self, campaign_id: str, at: int | None = None) -> None:
        """Send a sent campaign once more, as a `resend` activity, to those who did not open it.

        The campaign's `updated_at` stays (guess, and the harder case).
        """
        sent_at, until = self._sending(at)
        primary, again = self.activity(campaign_id, "primary_email"), self._resend_of(campaign_id)
        reached = (event.contact_id for event in self._primary(campaign_id).not_opened)
        self._send(again, filter(self._mailable, reached), sent_at, until)
        self.resends[primary["campaign_activity_id"]] = {
            "resend_subject": f"Again: {primary['subject']}",
            "delay_days": 4,
            "resend_date": stamp_ms(sent_at),
            "resend_request_id": again["campaign_activity_id"],
            "resend_status": "SENT",
        }

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

    def happen(
        self, id_: str, kind: str, times: int = 1, *, contact_id: str = "", at: int | None = None
    ) -> list[Event]:
        """Let something happen to a sent email now. Only counters and reports move.

        Args:
            id_: A sent activity, or a sent campaign: then its primary activity is meant.
            kind: "opens", "clicks", "forwards", "optouts" or "bounces".
            times: How often.
            contact_id: Who does it, each time; by default others each time, those first who have
                not done it yet.
            at: When it happened, if the API learns of it only now: it appears deep in the report.

        Returns:
            What happened.

        Raises:
            ValueError: If the email reached nobody.
        """
        part, now = self._part(id_), self.now()
        doers = [contact_id] * times if contact_id else self._doers(part, kind, times)
        moment = now if at is None else at
        events = [
            engagement.react(self.rng, part, kind, doer, at=moment, known=now) for doer in doers
        ]
        part.refreshed_at = now
        if kind == "optouts":
            self._apply_optouts(events, now)
        return events

    def take_back(self, id_: str, kind: str, times: int = 1) -> list[Event]:
        """Let the events that became known last disappear: counters fall (guess: it may happen).

        Args:
            id_: A sent activity, or a sent campaign: then its primary activity is meant.
            kind: Their kind. Who had opted out stays unsubscribed.
            times: How many.

        Returns:
            What disappeared.
        """
        part = self._part(id_)
        events: list[Event] = getattr(part, kind)
        start = max(0, len(events) - times)
        gone, events[start:] = events[start:], []
        part.refreshed_at = self.now()
        self.deeds.forget()
        return gone

    def opt_out(self, part: Engagement, contact_id: str, at: int) -> None:
        """Let a contact opt out of a sent activity."""
        part.optouts.append(Event(minute(at), contact_id, reason="Too many emails."))
        self._apply_optouts(part.optouts[-1:], at)

    def reached_by(self, campaign_id: str) -> list[str]:
        """List the contacts that got a sent campaign: those from which it did not bounce."""
        return self._primary(campaign_id).reached

    def set_status(self, campaign_id: str, status: str, at: int) -> None:
        """Change the status of a campaign and its activities. Its `updated_at` moves (guess)."""
        campaign = self.campaigns[campaign_id]
        campaign.update(current_status=status, updated_at=stamp_ms(at))
        for reference in campaign["campaign_activities"]:
            activity = self.activities[reference["campaign_activity_id"]]
            # Campaigns write Done, activities write DONE (seen).
            activity["current_status"] = status.upper()
            self.schedules.pop(activity["campaign_activity_id"], None)
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

    def was_sent(self, activity_id: str) -> bool:
        """Tell whether an activity has reports: only those that are DONE (documented)."""
        return (
            activity_id in self.engagement
            and self.activities[activity_id]["current_status"] == "DONE"
        )

    def _part(self, id_: str) -> Engagement:
        return self.engagement[id_] if id_ in self.engagement else self._primary(id_)

    def _doers(self, part: Engagement, kind: str, times: int) -> list[str]:
        done, reached = people(getattr(part, kind)), part.reached
        if not reached:
            raise ValueError("this email reached nobody")
        self.rng.shuffle(reached)
        reached.sort(key=done.__contains__)
        return list(islice(cycle(reached), times))

    def _sending(self, at: int | None) -> tuple[int, int]:
        """Tell when an email is sent, and until when contacts react to it."""
        now = self.now()
        return (now, now) if at is None else (at, now - HOUR)

    def _resend_of(self, campaign_id: str) -> Record:
        """Find the `resend` activity of a campaign, or add one."""
        try:
            return self.activity(campaign_id, "resend")
        except KeyError:
            reference = {"campaign_activity_id": self.new_id(), "role": "resend"}
            activity = {**self.activity(campaign_id, "primary_email"), **reference}
            self.campaigns[campaign_id]["campaign_activities"].append(reference)
            self.activities[activity["campaign_activity_id"]] = activity
            return activity

    def _primary(self, campaign_id: str) -> Engagement:
        return self.engagement[self.activity(campaign_id, "primary_email")["campaign_activity_id"]]

    def _audience(self, list_ids: Iterable[str], at: int) -> list[str]:
        moment, wanted = stamp(at), set(list_ids)
        if len(self._contact_ids) != len(self.contacts):  # listing them takes long if they are many
            self._contact_ids = list(self.contacts)
        drawn = self.rng.sample(self._contact_ids, min(len(self.contacts), self.largest_audience))
        return [
            contact_id
            for contact_id in drawn
            if self._mailable(contact_id)
            and self.contacts[contact_id]["created_at"] <= moment
            and not wanted.isdisjoint(self.contacts[contact_id]["list_memberships"])
        ]

    def _mailable(self, contact_id: str) -> bool:
        contact = self.contacts[contact_id]
        return permission(contact) in MAILABLE and "deleted_at" not in contact

    def _send(self, activity: Record, contact_ids: Iterable[str], at: int, until: int) -> list[str]:
        activity_id = activity["campaign_activity_id"]
        part = self.engagement.get(activity_id) or Engagement(
            until, engagement.make_links(self.rng)
        )
        self.engagement[activity_id] = part
        known, part.refreshed_at = len(part.optouts), until
        engagement.send(self.rng, part, contact_ids, activity["contact_list_ids"], at)
        return self._apply_optouts(part.optouts[known:], until)

    def _schedule_resend(self, primary: Record) -> None:
        self.resends[primary["campaign_activity_id"]].update(
            resend_request_id=self.new_id(), resend_status="SCHEDULED"
        )

    def _apply_optouts(self, events: Iterable[Event], until: int) -> list[str]:
        leaving = [event for event in events if self._mailable(event.contact_id)]
        for event in leaving:
            # The report tells the minute, the contact the second.
            left_at = min(event.at + MINUTE - 1, until)
            self.unsubscribe(event.contact_id, left_at, reason=event.reason)
        return [event.contact_id for event in leaving]
